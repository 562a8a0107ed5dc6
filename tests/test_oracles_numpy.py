"""The exact model against numpy's own float16, float32 and float64: arithmetic and conversions, to nearest even."""

from __future__ import annotations

import numpy as np
import pytest
from corner_codes import corners, spread

import fpgen
from fpgen.formats import Class
from fpgen.golden.exact import exact_model as exact

TYPES = {"fp16": np.float16, "fp32": np.float32, "fp64": np.float64}
STORAGE = {"fp16": np.uint16, "fp32": np.uint32, "fp64": np.uint64}
INTEGERS = {
    "int8": np.int8,
    "uint8": np.uint8,
    "int16": np.int16,
    "int32": np.int32,
    "uint32": np.uint32,
    "int64": np.int64,
    "uint64": np.uint64,
}


def operands(name: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of corners, then random pairs, then close pairs that cancel; uint64 codes."""
    fmt = fpgen.parse_format(name)
    rng = np.random.default_rng(seed)
    edge = np.array(corners(fmt), dtype=np.uint64)
    x, y = spread(fmt, count, rng), spread(fmt, count, rng)
    near = np.clip((x ^ np.uint64(fmt.sign_mask)).astype(object) + rng.integers(-3, 4, count), 0, (1 << fmt.bits) - 1)
    return (
        np.concatenate([np.repeat(edge, edge.size), x, x]),
        np.concatenate([np.tile(edge, edge.size), y, near.astype(np.uint64)]),
    )


def assert_same(name: str, ours: np.ndarray, theirs: np.ndarray, inputs):
    fmt = fpgen.parse_format(name)
    wrong = [
        index
        for index in np.flatnonzero(ours != theirs)
        if not (fmt.classify(int(ours[index])) is Class.NAN and fmt.classify(int(theirs[index])) is Class.NAN)
    ]
    assert not wrong, [([hex(x[i]) for x in inputs], hex(ours[i]), hex(theirs[i])) for i in wrong[:5]]


@pytest.mark.turns(2)
@pytest.mark.parametrize("operation", ["multiply", "add", "subtract"])
@pytest.mark.parametrize("name", TYPES)
def test_arithmetic(name, operation):
    a, b = operands(name, 3000, 1)
    x, y = (codes.astype(STORAGE[name]).view(TYPES[name]) for codes in (a, b))
    with np.errstate(all="ignore"):
        theirs = {"multiply": np.multiply, "add": np.add, "subtract": np.subtract}[operation](x, y)
    if operation == "multiply":
        unit = fpgen.Multiply(a=name, b=name, out=name)
    else:
        unit = fpgen.Add(a=name, b=name, out=name, subtract="on" if operation == "subtract" else "off")
    ours = exact.compute(unit, {"a": a, "b": b}).codes
    assert ours.dtype == STORAGE[name]
    assert_same(name, ours, theirs.view(STORAGE[name]), (a, b))


@pytest.mark.parametrize(
    ("source", "out"),
    [("fp16", "fp32"), ("fp16", "fp64"), ("fp32", "fp64"), ("fp32", "fp16"), ("fp64", "fp16"), ("fp64", "fp32")],
)
def test_convert(source, out):
    """Narrowing fp64 -> fp16 is one rounding in numpy too (it does not go through float32)."""
    codes, _ = operands(source, 4000, 2)
    with np.errstate(all="ignore"):
        theirs = codes.astype(STORAGE[source]).view(TYPES[source]).astype(TYPES[out]).view(STORAGE[out])
    ours = exact.compute(fpgen.Convert(source=source, out=out), {"source": codes}).codes
    assert_same(out, ours, theirs, (codes,))


@pytest.mark.parametrize("out", ["fp32", "fp64"])
@pytest.mark.parametrize("source", INTEGERS)
def test_convert_from_integer(source, out):
    fmt = fpgen.parse_format(source)
    codes = np.concatenate([np.array(corners(fmt), dtype=np.uint64), spread(fmt, 3000, np.random.default_rng(3))])
    integers = codes.astype(f"uint{fmt.bits}").view(INTEGERS[source])
    theirs = integers.astype(TYPES[out]).view(STORAGE[out])
    ours = exact.compute(fpgen.Convert(source=source, out=out), {"source": codes}).codes
    assert_same(out, ours, theirs, (codes,))


@pytest.mark.parametrize("out", ["int8", "uint8", "int16", "int32", "uint32"])
@pytest.mark.parametrize(
    ("mode", "rounded"), [("rne", np.rint), ("rtz", np.trunc), ("rup", np.ceil), ("rdn", np.floor)]
)
def test_convert_to_integer(out, mode, rounded):
    """Rounded by numpy in float64, then clipped: fpgen saturates."""
    fmt = fpgen.parse_format(out)
    rng = np.random.default_rng(4)
    values = np.concatenate(
        [
            rng.normal(0, 2.0**fmt.bits / 3, 3000),
            rng.integers(-600, 600, 2000) / 4,
            [2.0 ** (fmt.bits - 1) + d for d in (-1.5, -1, -0.5, 0, 0.5)],
            [np.inf, -np.inf],
        ]
    )
    theirs = np.clip(rounded(values), int(fmt.min_finite), int(fmt.max_finite))
    ours = exact.compute(fpgen.Convert(source="fp64", out=out, rounding=mode), {"source": values.view(np.uint64)}).codes
    assert np.array_equal(ours.view(INTEGERS[out]).astype(np.float64), theirs)


@pytest.mark.parametrize(
    ("a", "b", "out"),
    [("bf16", "int8", "fp64"), ("int8", "int8", "int16"), ("fp16", "uint8", "fp64"), ("int16", "fp16", "fp64")],
)
def test_integer_operands_multiply(a, b, out):
    """Mixed products that are exact in binary64."""
    fa, fb, fo = (fpgen.parse_format(name) for name in (a, b, out))
    rng = np.random.default_rng(5)
    x, y = spread(fa, 3000, rng), spread(fb, 3000, rng)
    finite = np.array(
        [fa.classify(int(c)) <= Class.FINITE and fb.classify(int(d)) <= Class.FINITE for c, d in zip(x, y, strict=True)]
    )
    x, y = x[finite], y[finite]
    ours = exact.compute(fpgen.Multiply(a=a, b=b, out=out), {"a": x, "b": y}).codes
    expected = [fa.value(int(c)) * fb.value(int(d)) for c, d in zip(x, y, strict=True)]
    got = [fo.value(int(code)) for code in ours]
    saturated = [min(max(value, fo.min_finite), fo.max_finite) for value in expected]
    assert got == saturated
