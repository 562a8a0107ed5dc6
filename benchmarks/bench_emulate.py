"""Speed of block quantisation, dot products and matrices, on one core, beside ml_dtypes and numpy in the same run.

    python benchmarks/bench_emulate.py [--quick] [--json]

Rates are in millions (of elements, dot products, multiply-accumulates) a second of processor time, the best of a few
repetitions after one that builds the tables. References: for conversions, what ml_dtypes takes for float32 to
float8_e4m3fn (numpy's own multiplication where ml_dtypes is not installed); for sums, numpy's float32 matrix product,
in multiply-accumulates. ratio = rate / rate of the reference, so that a figure can be compared between machines.

Numbers are normal; codes are uniform (without infinities and NaNs), addends normal numbers, except where the line says
"any addend": uniform codes, in which every distance between products and addend occurs.

Each rate has a target; the exit code is 1 when one is missed.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: one core

import sys
from typing import Any

import numpy as np
from common import rate, rate_options, report_rates

import fpgen
from fpgen import emulate

#: Unit and target in millions of elements a second (None: no target).
ELEMENTS: list[tuple[str, float | None]] = [
    ("convert fp32 -> e4m3fn rne saturate", 100),
    ("convert fp32 -> e2m1 rne", 100),
    ("convert fp32 -> e3m2 rup", 100),
    ("quantize fp32 -> mxfp4", 100),
    ("quantize fp32 -> mxfp4 policy=rceil", 100),
    ("quantize fp32 -> mxfp6e3m2 policy=even", 100),
    ("quantize fp32 -> mxfp6e2m3 policy=ceil", 100),
    ("quantize fp32 -> mxfp8e4m3", 100),
    ("quantize fp32 -> mxfp8e5m2 rup", 100),
    ("quantize fp32 -> mxint8 policy=midmax", 100),
    ("quantize fp32 -> nvfp4", 100),
    ("quantize fp32 -> nvfp4 policy=up", 100),
    ("quantize bf16 -> mxfp4", None),
    ("quantize fp32 -> mxfp4 sra random_bits=8", None),
    ("dequantize mxfp4 -> fp32", None),
    ("dequantize nvfp4 -> fp32", None),
]

#: Unit, addends, and target in millions of dot products a second.
DOTS: list[tuple[str, str, float | None]] = [
    ("dot e2m1 e2m1 n=32 + fp32 -> fp32", "normal", 10),
    ("dot e2m1 e2m1 n=32 + fp32 -> fp32 rtz accumulate=aligned:fraction=25", "normal", 10),
    ("dot e2m1 e2m1 n=32 + fp32 -> fp32 rtz accumulate=aligned:fraction=25", "any addend", None),
    ("blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32", "normal", None),
    ("blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 accumulate=blackwell-mx", "normal", None),
    ("blockdot nvfp4 nvfp4 k=64 + fp32 -> fp32 accumulate=blackwell-nvf4", "normal", None),
    ("dot e4m3fn e4m3fn n=32 + fp32 -> fp32", "normal", None),
    ("dot e4m3fn e4m3fn n=32 + fp32 -> fp32 rtz accumulate=aligned:fraction=25", "normal", 1),
    ("dot e4m3fn e4m3fn n=32 + fp32 -> fp32 accumulate=hopper-fp8", "normal", None),
    ("dot e5m2 e5m2 n=32 + fp32 -> fp32", "normal", None),
    ("dot fp16 fp16 n=16 + fp32 -> fp32 accumulate=hopper", "normal", None),
    ("dot fp16 fp16 n=16 + fp32 -> fp32 accumulate=cdna1", "normal", None),
    ("dot fp16 fp16 n=16 + fp32 -> fp32", "normal", None),
    ("blockdot nvfp4 nvfp4 k=64 + fp32 -> fp32", "normal", None),
]

#: Units that a whole matrix product goes through.
MATRICES = [
    "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32",
    "dot e4m3fn e4m3fn n=32 + fp32 -> fp32",
    "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 accumulate=blackwell-mx",
    "dot e4m3fn e4m3fn n=32 + fp32 -> fp32 accumulate=hopper-fp8",
    "dot fp16 fp16 n=16 + fp32 -> fp32 accumulate=hopper",
]


def codes_of(fmt: fpgen.Format, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Uniform codes without infinities and NaNs."""
    dtype = next(t for t in (np.uint8, np.uint16, np.uint32) if np.dtype(t).itemsize * 8 >= fmt.bits)
    codes = rng.integers(0, fmt.max_finite_code, shape, dtype=dtype, endpoint=True)
    return codes | (rng.integers(0, 2, shape, dtype=dtype) * dtype(fmt.sign_mask))


def normal_codes(fmt: fpgen.Format, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    values = rng.standard_normal(shape).astype(np.float32).view(np.uint32)
    return fpgen.Convert(source="fp32", out=fmt).compute(values).codes


def inputs(unit: fpgen.Unit, count: int, addends: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Operands and controls by port."""
    found = {}
    for port in unit.ports:
        shape = (count, *port.shape)
        if not port.travels_in:
            continue
        if port.name == "random":
            found[port.name] = rng.integers(0, 1 << unit.random_bits, shape, dtype=np.uint16)
        elif port.name == "tensor_scale":
            found[port.name] = np.full(shape, np.float32(1 / 600).view(np.uint32))
        elif port.name.endswith("scale"):
            one = port.format.bias << port.format.trailing_bits
            found[port.name] = rng.integers(one - 8, one + 8, shape, dtype=np.uint8)
        elif port.name == "source" or (port.name == "c" and addends == "normal"):
            found[port.name] = normal_codes(port.format, shape, rng)
        else:
            found[port.name] = codes_of(port.format, shape, rng)
    return found


def conversion_reference(count: int, rng: np.random.Generator, repeat: int) -> tuple[str, float]:
    x = rng.standard_normal(count).astype(np.float32)
    try:
        import ml_dtypes
    except ImportError:
        return "numpy float32 multiply", rate(lambda: x * x, count, repeat)
    return "ml_dtypes float32 -> float8_e4m3fn", rate(lambda: x.astype(ml_dtypes.float8_e4m3fn), count, repeat)


def measure(quick: bool) -> tuple[dict[str, float], list[dict[str, Any]]]:
    rng = np.random.default_rng(2024)
    repeat, less = (2, 4) if quick else (5, 0)
    elements, dots, side = (1 << 22) >> less, (1 << 17) >> less, 512 >> less // 2
    name, conversion = conversion_reference(elements, rng, repeat)
    a, b = (rng.standard_normal((1024, 1024)).astype(np.float32) for _ in range(2))
    product = rate(lambda: a @ b, 1 << 30, repeat)
    records: list[dict[str, Any]] = []

    def add(text: str, kind: str, found: float, macs: int, reference: float, target: float | None):
        records.append(
            {
                "unit": text,
                "operands": kind,
                "million_per_second": found,
                "ratio": found * macs / reference,
                "target": target,
            }
        )

    for text, target in ELEMENTS:
        unit = fpgen.parse_unit(text)
        size = unit.block.size if hasattr(unit, "block") else 1
        given = inputs(unit, elements // size, "normal", rng)
        found = rate(lambda unit=unit, given=given: compute(unit, given), elements, repeat)
        add(text, "elements", found, 1, conversion, target)
    for text, kind, target in DOTS:
        unit = fpgen.parse_unit(text)
        given = inputs(unit, dots, kind, rng)
        found = rate(lambda unit=unit, given=given: compute(unit, given), dots, repeat)
        add(text, f"dots, {kind}", found, unit.products, product, target)
    x, w = (rng.standard_normal((side, side)).astype(np.float32) for _ in range(2))
    for text in MATRICES:
        found = rate(lambda text=text: emulate.matmul(x, w, text), side**3, 2)
        add(text, f"matmul of {side}, MACs", found, 1, product, None)
    return {name: conversion, "numpy float32 matmul of 1024, MACs": product}, records


def compute(unit: fpgen.Unit, given: dict[str, np.ndarray]) -> Any:
    operands = [given[name] for name in unit.operands]
    return unit.compute(*operands, **{name: array for name, array in given.items() if name not in unit.operands})


def main() -> int:
    options = rate_options(__doc__)
    references, records = measure(options.quick)
    return report_rates(records, options, kind="of", ratio="ratio", widths=(72, 22), references=references)


if __name__ == "__main__":
    sys.exit(main())
