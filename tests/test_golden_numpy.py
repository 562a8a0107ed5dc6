"""The fast model against numpy's own binary16, binary32 and binary64 (round to nearest even), at scale."""

from __future__ import annotations

import numpy as np
import pytest
from golden_cases import draw_codes

import fpgen
from fpgen.formats import as_format

TYPES = {"fp16": (np.uint16, np.float16), "fp32": (np.uint32, np.float32), "fp64": (np.uint64, np.float64)}
COUNT = 300_000


def same(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Equal bits, or NaN on both sides."""
    bits = values.view(codes.dtype)
    return (codes == bits) | (np.isnan(values) & np.isnan(codes.view(values.dtype)))


def draw(name: str, seed: int) -> np.ndarray:
    return draw_codes(as_format(name), COUNT, np.random.default_rng(seed)).astype(TYPES[name][0])


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("operation", ["multiply", "add", "subtract"])
def test_operations(operation, name):
    a, b = draw(name, 1), draw(name, 2)
    if operation != "multiply":
        b = np.where(np.arange(COUNT) % 4 == 0, a + (b % 5).astype(a.dtype) - a.dtype.type(2), b)
    if operation == "multiply":
        unit = fpgen.Multiply(a=name, b=name, out=name)
    else:
        unit = fpgen.Add(a=name, b=name, out=name, subtract="on" if operation == "subtract" else "off")
    with np.errstate(all="ignore"):
        expected = getattr(np, operation)(a.view(TYPES[name][1]), b.view(TYPES[name][1]))
    assert same(unit.compute(a, b).codes, expected).all()


@pytest.mark.parametrize("source", TYPES)
@pytest.mark.parametrize("out", TYPES)
def test_conversions(source, out):
    codes = draw(source, 3)
    with np.errstate(all="ignore"):
        expected = codes.view(TYPES[source][1]).astype(TYPES[out][1])
    assert same(fpgen.Convert(source=source, out=out).compute(codes).codes, expected).all()


def test_integers():
    codes = draw("fp64", 4)
    codes = np.where(np.arange(COUNT) % 2 == 0, codes, (codes >> np.uint64(9)) | np.uint64(0x3E00000000000000))
    found = fpgen.Convert(source="fp64", out="int32", rounding="rtz").compute(codes)
    values = codes.view(np.float64)
    inside = np.abs(values) < 2**31
    assert (found.codes[inside].view(np.int32) == np.trunc(values[inside]).astype(np.int32)).all()
    back = fpgen.Convert(source="int32", out="fp32").compute(found.codes)
    assert (back.codes.view(np.float32) == found.codes.view(np.int32).astype(np.float32)).all()


def test_fused_multiply_add_of_fp16_and_bf16_in_binary64():
    """Products and sums of fp16 are exact in binary64, so numpy rounds once too."""
    a, b, c = draw("fp16", 5), draw("fp16", 6), draw("fp16", 7)
    with np.errstate(all="ignore"):
        exact = a.view(np.float16).astype(np.float64) * b.view(np.float16) + c.view(np.float16)
        spans = np.abs(np.frexp(exact)[1]) < 40
        expected = exact.astype(np.float16)
    found = fpgen.FusedMultiplyAdd(a="fp16", b="fp16", c="fp16", out="fp16").compute(a, b, c).codes
    assert same(found, expected)[spans].all()
