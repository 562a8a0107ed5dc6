"""Units whose ports carry arrays, inputs at which their sums and blocks go wrong, and the comparison of the models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from golden_cases import draw_codes

import fpgen
from fpgen.formats import Format
from fpgen.golden.arguments import gather
from fpgen.golden.exact.exact_model import compute_exactly
from fpgen.units.options import Rounding
from fpgen.units.ports import Port


def finite_codes(fmt: Format, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Corner-biased codes; most rows (of the first axis) without infinities and NaNs."""
    codes = draw_codes(fmt, int(np.prod(shape)), rng).reshape(shape)
    magnitude = codes & np.uint64(((1 << fmt.bits) - 1) ^ fmt.sign_mask)
    special = magnitude > np.uint64(fmt.max_finite_code)
    if fmt.nan.value == "negzero":
        special |= codes == np.uint64(fmt.sign_mask)
    allowed = rng.random((shape[0], *[1] * (len(shape) - 1))) < 0.15
    least = 1 << fmt.trailing_bits if not fmt.subnormals and fmt.zero else 0
    return np.where(special & ~allowed, np.uint64(min(least + 1, fmt.max_finite_code)), codes)


def draw_sum_inputs(unit: fpgen.Unit, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Operands of a sum and its controls, by kind of row.

    Corners; equal products; a first half and its negative (cancellation); one large among zeros; all subnormal; an
    addend near the negative of the sum; scales near each other or at the ends of their range.
    """
    drawn: dict[str, np.ndarray] = {}
    kind = rng.integers(0, 6, count)
    for port in unit.ports:
        if not port.travels_in:
            continue
        shape = (count, *port.shape)
        if port.name == "rounding":
            drawn["rounding"] = rng.integers(0, 8, shape)
        elif port.name == "random":
            drawn["random"] = rng.integers(0, 1 << unit.random_bits, shape, dtype=np.uint64)
        else:
            codes = finite_codes(port.format, shape, rng)
            drawn[port.name] = _shaped(port, codes, kind, rng)
    if "c" in drawn and not hasattr(unit, "m"):
        some = rng.random(count) < 0.3
        drawn["c"] = np.where(some, _near_cancellation(unit, drawn), drawn["c"])
    return drawn


def _shaped(port: Port, codes: np.ndarray, kind: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows of `codes` made equal, cancelling, lonely or small, as `kind` says."""
    fmt, rows = port.format, codes.reshape(len(codes), -1)
    if port.name in ("a_scale", "b_scale"):
        near = rows[:, :1].astype(np.int64) + rng.integers(-3, 4, rows.shape)
        near = np.clip(near, 0, fmt.max_finite_code).astype(np.uint64)
        return np.where((kind % 2 == 0)[:, None], near, rows).reshape(codes.shape)
    if port.name == "c" or rows.shape[1] < 2:
        return codes
    rows = np.where((kind == 1)[:, None], rows[:, :1], rows)
    if port.name == "a" and not fmt.fixed and fmt.signed and rows.shape[1] % 2 == 0:
        half = rows.shape[1] // 2
        mirrored = np.concatenate([rows[:, :half], rows[:, :half] ^ np.uint64(fmt.sign_mask)], axis=1)
        rows = np.where((kind == 2)[:, None], mirrored, rows)
    elif port.name == "b" and rows.shape[1] % 2 == 0:
        half = rows.shape[1] // 2
        rows = np.where((kind == 2)[:, None], np.concatenate([rows[:, :half]] * 2, axis=1), rows)
    if fmt.zero:
        lonely = np.where(np.arange(rows.shape[1]) == 1, rows, np.uint64(0))
        rows = np.where((kind == 3)[:, None] & (port.name == "a"), lonely, rows)
    if not fmt.fixed and fmt.subnormals and fmt.trailing_bits:
        keep = np.uint64(((1 << fmt.trailing_bits) - 1) | fmt.sign_mask)
        rows = np.where((kind == 4)[:, None], rows & keep, rows)
    return rows.reshape(codes.shape)


def _near_cancellation(unit: fpgen.Unit, drawn: dict[str, np.ndarray]) -> np.ndarray:
    """Codes of `c` at the negative of the sum, in double precision."""

    def values(name: str) -> np.ndarray:
        fmt = unit.operands[name]
        codes = fpgen.Convert(source=fmt, out="fp64").compute(drawn[name]).codes
        return codes.view(np.float64)

    with np.errstate(all="ignore"):
        terms = values("a") * values("b")
        if "a_scale" in drawn:
            terms *= np.repeat(values("a_scale") * values("b_scale"), unit.size, axis=1)
        total = np.nan_to_num(-terms.sum(axis=1), posinf=1e300, neginf=-1e300)
    return fpgen.Convert(source="fp64", out=unit.c).compute(total.view(np.uint64)).codes.astype(np.uint64)


def draw_record(rng: np.random.Generator) -> dict:
    """Fields of an `Accumulation`; some make no sense together, and are refused."""
    kind = str(rng.choice(["exact", "aligned", "aligned", "aligned", "tree", "chain"]))
    record: dict = {"kind": kind}
    if kind == "exact":
        return record
    if rng.random() < 0.3:
        record["presum"] = int(rng.choice([1, 2, 4]))
    if rng.random() < 0.3:
        record["intermediate"] = str(rng.choice(["fp16", "bf16", "e8m13", "fp32", "e4m3", "e5m2"]))
    if kind != "chain" and rng.random() < 0.5:
        record["group"] = int(rng.choice([2, 4, 8]))
    if kind == "chain" and rng.random() < 0.6:
        record |= _after(rng) | {"split": str(rng.choice(["none", "odd-even"]))}
    if kind != "aligned":
        return record
    record["fraction"] = int(rng.choice([3, 7, 10, 11, 13, 23, 24, 25, 31, 35, 60]))
    record["treatment"] = str(rng.choice(["truncate", "floor", "sticky"]))
    if rng.random() < 0.3:
        record["clamp"] = int(rng.choice([-133, -20, -3, 2, 9]))
    if rng.random() < 0.4:
        group = record.setdefault("group", int(rng.choice([2, 4])))
        record |= {
            "interleave": int(rng.choice([each for each in (1, 2, 4) if each <= group])),
            "span": group * int(rng.choice([1, 2, 3, 4])),
        }
    if rng.random() < 0.4:
        return record | _after(rng, record.get("group", 1))
    if rng.random() < 0.5:
        record["addend"] = "outside"
        record["join"] = str(rng.choice(["truncate", "floor", "sticky"]))
        allowed = {"sum_fraction": [5, 24, 31], "addend_fraction": [5, 24], "addend_reach": [0, 3, 25]}
        for name, values in allowed.items():
            if rng.random() < 0.5:
                record[name] = int(rng.choice(values))
        if rng.random() < 0.4:
            record["split"] = "odd-even"
    return record


def _after(rng: np.random.Generator, group: int = 1) -> dict:
    """Fields of an addend that is added afterwards."""
    found: dict = {"addend": "after"}
    if rng.random() < 0.5:
        found["span"] = group * int(rng.choice([1, 2, 4]))
    if rng.random() < 0.6:
        found["addend_rounding"] = str(rng.choice(["rne", "rtz", "rup", "rdn", "rna", "raz", "rto"]))
    return found


def draw_block_values(unit: fpgen.Unit, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Inputs of BlockQuantize: corners, or values around one magnitude, ties among them; zeros; NaN and infinities."""
    fmt, size = unit.source, unit.block.size
    codes = finite_codes(fmt, (count, size), rng)
    top = rng.integers(0, fmt.max_finite_code + 1, (count, 1))
    span = rng.choice([2, 6, 14], (count, 1)) << min(fmt.trailing_bits, 40)
    near = np.clip(top - rng.integers(0, span, (count, size)), 0, fmt.max_finite_code).astype(np.uint64)
    short = np.uint64(~((1 << max(fmt.trailing_bits - 3, 0)) - 1) & ((1 << fmt.bits) - 1))
    near = np.where(rng.random((count, size)) < 0.5, near & short, near)
    near |= rng.integers(0, 2, (count, size)).astype(np.uint64) * np.uint64(fmt.sign_mask)
    codes = np.where(rng.random((count, 1)) < 0.7, near, codes)
    codes[rng.random((count, size)) < 0.05] = 0
    codes[rng.random(count) < 0.03] = 0
    drawn = {"source": codes}
    if unit.block.tensor_scale is not None:
        normal = rng.standard_normal(count) ** 2 * 2.0 ** rng.integers(-20, 20, count)
        scale = fpgen.Convert(source="fp64", out=unit.block.tensor_scale).compute(normal.view(np.uint64)).codes
        drawn["tensor_scale"] = np.where(
            rng.random(count) < 0.1, draw_codes(unit.block.tensor_scale, count, rng), scale.astype(np.uint64)
        )
    return drawn | draw_block_controls(unit, count, rng)


def draw_block_controls(unit: fpgen.Unit, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    drawn = {}
    if unit.rounding is Rounding.PORT:
        drawn["rounding"] = rng.integers(0, 8, count)
    if unit.random_bits:
        drawn["random"] = rng.integers(0, 1 << unit.random_bits, (count, unit.block.size), dtype=np.uint64)
    return drawn


def draw_elements(unit: fpgen.Unit, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Inputs of BlockDequantize."""
    drawn = {
        name: finite_codes(fmt, (count, unit.block.size) if name == "elements" else (count,), rng)
        for name, fmt in unit.operands.items()
    }
    return drawn | draw_block_controls(unit, count, rng)


def split(unit: fpgen.Unit, drawn: dict[str, np.ndarray]) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Operands in port order, and controls."""
    return [drawn[name] for name in unit.operands], {k: v for k, v in drawn.items() if k not in unit.operands}


def check_arrays(unit: fpgen.Unit, drawn: dict[str, np.ndarray]):
    """Assert that the fast model equals the exact one in codes, flags and scales."""
    operands, controls = split(unit, drawn)
    plain = replace(unit, stages=None, period=None)
    expected = compute_exactly(plain, gather(plain, operands, controls))
    found = unit.compute(*operands, **controls)
    assert found.codes.dtype == expected.codes.dtype and found.flags.dtype == np.uint8
    for name in ("codes", "flags", "scales"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        if theirs is None:
            assert ours is None
            continue
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        wrong = np.argwhere(ours != theirs)
        if len(wrong):
            at = tuple(wrong[0])
            row = {key: [hex(x) for x in np.ravel(array[at[0]])] for key, array in drawn.items()}
            raise AssertionError(
                f"{unit}: {name}: {len(wrong)} of {theirs.size} differ; first {at}: "
                f"fast {ours[at]:#x}, exact {theirs[at]:#x}; {row}"
            )
