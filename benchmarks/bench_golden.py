"""Speed of the vectorised golden model, on one core, as a ratio to plain numpy in the same run.

    python benchmarks/bench_golden.py [--quick] [--json]

Rates are in millions of results (steps, for accumulators) a second of processor time, flags included;
the best of a few repetitions, after one that builds the tables. The reference is what numpy takes for one float32
multiplication of arrays of the same length, so that a figure can be compared between machines:
ratio = rate / rate of the reference. Operands are uniform random codes, NaNs and subnormals included,
except where the line says "normal" (values spread over forty binades) or "near one".

Each rate has a target; the exit code is 1 when one is missed.
"""

from __future__ import annotations

import sys

import numpy as np
from common import rate, rate_options, report_rates

import fpgen

#: Unit, elements, operands, target in M/s (None: no target).
CASES: list[tuple[str, int, str, float | None]] = [
    ("multiply e4m3fn e4m3fn -> e4m3fn rne", 1 << 22, "uniform", 20),
    ("add e5m2 e5m2 -> e5m2 rne", 1 << 22, "uniform", 20),
    ("multiply e4m3fn e5m2 -> fp16 port", 1 << 22, "uniform", 20),
    ("convert fp32 -> e4m3fn rne saturate", 1 << 22, "uniform", 50),
    ("convert fp32 -> e5m2 rne", 1 << 22, "normal", 50),
    ("convert fp32 -> e2m1 rna", 1 << 22, "uniform", 50),
    ("convert bf16 -> e4m3fn sra random_bits=4", 1 << 22, "uniform", 50),
    ("fma fp32 fp32 fp32 -> fp32 rne", 1 << 20, "uniform", 2),
    ("fma fp32 fp32 fp32 -> fp32 rne", 1 << 20, "normal", 2),
    ("fma fp32 fp32 fp32 -> fp32 port", 1 << 20, "normal", 2),
    ("fma e4m3fn e4m3fn fp32 -> fp32 rne", 1 << 20, "uniform", 2),
    ("multiply fp16 fp16 -> fp16 rne", 1 << 20, "uniform", None),
    ("add bf16 bf16 -> bf16 rne", 1 << 20, "uniform", None),
    ("convert fp32 -> bf16 sra random_bits=16", 1 << 20, "normal", None),
    ("fma fp64 fp64 fp64 -> fp64 rne", 1 << 18, "uniform", None),
    ("mac e5m2 e5m2 -> fp32 rne", 1 << 19, "uniform, a clear every 16 steps", None),
    ("mac e5m2 e5m2 -> fp32 rne", 1 << 17, "near one, no clear", None),
    ("mac e4m3fn e4m3fn -> fp32 rne accumulate=exact", 1 << 19, "uniform, no clear", 0.3),
    ("mac fp32 fp32 -> fp32 rne accumulate=exact", 1 << 17, "uniform, no clear", 0.3),
]


def operands(unit: fpgen.Unit, count: int, kind: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Codes of every operand, in the narrowest dtype."""
    found = []
    for fmt in unit.operands.values():
        if kind.startswith(("normal", "near one")):
            values = rng.standard_normal(count)
            if kind.startswith("normal"):
                values *= 2.0 ** rng.integers(-20, 20, count)
            found.append(fpgen.Convert(source="fp64", out=fmt).compute(values.view(np.uint64)).codes)
        else:
            dtype = next(t for t in (np.uint8, np.uint16, np.uint32, np.uint64) if np.dtype(t).itemsize * 8 >= fmt.bits)
            found.append(rng.integers(0, (1 << fmt.bits) - 1, count, dtype=dtype, endpoint=True))
    return found


def controls(unit: fpgen.Unit, count: int, kind: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    if unit.rounding.value == "port":
        found["rounding"] = rng.integers(0, 8, count, dtype=np.uint8)
    if unit.random_bits:
        found["random"] = rng.integers(0, 1 << unit.random_bits, count, dtype=np.uint32)
    if "a clear every" in kind:
        found["clear"] = (rng.random(count) < 1 / 16).astype(np.uint8)
    return found


def main() -> int:
    options = rate_options(__doc__)
    rng = np.random.default_rng(2024)
    repeat = 2 if options.quick else 4
    records = []
    for text, full, kind, target in CASES:
        count = full >> 4 if options.quick else full
        unit = fpgen.parse_unit(text)
        given, pins = operands(unit, count, kind, rng), controls(unit, count, kind, rng)
        x = rng.standard_normal(count).astype(np.float32)
        reference = rate(lambda x=x: np.multiply(x, x), count, 8)
        found = rate(lambda unit=unit, given=given, pins=pins: unit.compute(*given, **pins), count, repeat)
        records.append(
            {
                "unit": text,
                "operands": kind,
                "elements": count,
                "million_per_second": found,
                "ratio_to_numpy_multiply": found / reference,
                "target": target,
            }
        )
    return report_rates(records, options, kind="operands", ratio="ratio_to_numpy_multiply", widths=(48, 32))


if __name__ == "__main__":
    sys.exit(main())
