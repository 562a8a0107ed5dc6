"""Decoding: every code of every small format to sign, exponent, significand and class."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from golden_cases import EXTREMES
from rtl_cases import SMALL

from fpgen.formats import Class, Format, parse
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.float.unpack import Operand, unpack
from fpgen.rtl.graph import Graph

FORMATS = [*SMALL, *(name for name in EXTREMES if parse(name).bits <= 12), "fp16", "bf16", "int12:scale=-5"]


def unpacked(fmt: Format, flush: bool, codes: np.ndarray) -> tuple[Operand, dict[str, list[int]]]:
    """The operand, and its parts for every code as integers (the exponent with its sign)."""
    g = Graph()
    operand = unpack(g, g.input("x", fmt.bits), fmt, flush, "x")
    exponent = operand.exponent.settled()
    for name in ("sign", "significand", "normalised", "infinity", "nan", "signaling", "zero"):
        g.output(name, getattr(operand, name))
    g.output("exponent", exponent.node)
    found = {
        name: np.broadcast_to(values, codes.shape).astype(object).tolist()
        for name, values in evaluate(g, x=codes).items()
    }
    if exponent.low < 0:
        width = exponent.node.width
        found["exponent"] = [e - (1 << width) if e >> (width - 1) else e for e in found["exponent"]]
    return operand, found


@pytest.mark.turns(3)
@pytest.mark.parametrize("flush", [False, True], ids=["full", "flushed"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_code(name, flush):
    fmt = parse(name)
    codes = np.arange(1 << fmt.bits, dtype=np.uint64)
    operand, found = unpacked(fmt, flush, codes)
    assert operand.significand.width == (fmt.bits if fmt.fixed else fmt.precision)
    for code in range(1 << fmt.bits):
        part = {key: values[code] for key, values in found.items()}
        kind = fmt.classify(code)
        assert part["nan"] == (kind is Class.NAN) and part["infinity"] == (kind is Class.INFINITY)
        assert part["signaling"] <= part["nan"]
        if kind is Class.NAN:
            continue
        assert part["sign"] == bool(fmt.signed and code >> (fmt.bits - 1))
        if kind is Class.INFINITY:
            continue
        value = fmt.value(code)
        if flush and not fmt.fixed and fmt.zero and abs(value) < Fraction(2) ** fmt.emin:
            value = Fraction(0)
        assert part["zero"] == (value == 0)
        assert part["significand"] * Fraction(2) ** part["exponent"] == abs(value)
        assert operand.exponent.low <= part["exponent"] <= operand.exponent.high
        if part["normalised"]:
            assert part["significand"] >> (operand.significand.width - 1)


@pytest.mark.parametrize("name", [name for name in FORMATS if not parse(name).fixed])
def test_normalised_is_known_where_it_is_certain(name):
    """The top bit of a normal number is set; the bit is a constant only for formats without zero."""
    fmt = parse(name)
    operand, found = unpacked(fmt, False, np.arange(1 << fmt.bits, dtype=np.uint64))
    assert (operand.normalised.constant == 1) == (not fmt.zero)
    for code in range(1 << fmt.bits):
        if fmt.classify(code) in (Class.ZERO, Class.FINITE):
            normal = abs(fmt.value(code)) >= Fraction(2) ** fmt.emin
            assert found["normalised"][code] == normal


@pytest.mark.parametrize(
    ("name", "quiet", "signalling"),
    [("fp16", 0x7E00, 0x7C01), ("fp32", 0xFFC00000, 0x7F800001), ("e4m3", 0x7C, 0x79), ("e5m2", 0x7E, 0xFD)],
)
def test_signalling_nan_has_a_clear_top_fraction_bit(name, quiet, signalling):
    fmt = parse(name)
    _, found = unpacked(fmt, False, np.array([quiet, signalling], np.uint64))
    assert found["nan"] == [1, 1] and found["signaling"] == [0, 1]


@pytest.mark.parametrize("name", FORMATS)
def test_least_bits_bounds_every_number(name):
    """What the windows are derived from: fewest significant bits, and exponents of the last place, by kind."""
    fmt = parse(name)
    operand, found = unpacked(fmt, False, np.arange(1 << fmt.bits, dtype=np.uint64))
    for code, significand in enumerate(found["significand"]):
        if significand and fmt.classify(code) is Class.FINITE:
            exponent = found["exponent"][code]
            assert any(
                significand.bit_length() >= bits and low <= exponent <= high for bits, low, high in operand.least_bits
            )
    for kind, other in itertools.combinations(operand.least_bits, 2):
        assert kind != other
