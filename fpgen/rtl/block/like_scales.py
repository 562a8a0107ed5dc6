"""Quantisers that repeat a library's float32 operations: see "Like a library" in `fpgen.units.quantize`.

The scale takes a chain of float32 operations, the block's own. An element is then, to nearest even,

- v times a float32 reciprocal, rounded to float32 and again to the element. Only quotients that differ in an
  element matter, so the first rounding has float32's precision but few exponents;
- or v over a float32 divisor, rounded to float32 and again: no division, but thresholds (see `threshold`), which the
  first rounding moves by half of its last place::

      element boundary b, tie to the code above     v / d >= b - half a place below it
      element boundary b, tie to the code below     v / d >  b + half a place
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import assert_never

from fpgen.formats import Format, as_format
from fpgen.rtl.arith.largest import largest
from fpgen.rtl.float.rounder import Target
from fpgen.rtl.float.unpack import Operand, unpack
from fpgen.rtl.graph import Graph, Node
from fpgen.units.options import Overflow, Rounding, Semantics
from fpgen.units.quantize import BlockQuantize
from fpgen.units.scaling import Like, one_code

from .factor import normalise
from .float32 import FLOAT, SIXTH, converted, float_constant, float_product, float_quotient, product_in
from .ratio import tensor_scale
from .source import DIGIT, Source, numbers_of
from .threshold import Boundary, binary, boundaries, thresholds

_SATURATE = Semantics(Rounding.RNE, Overflow.SATURATE)
#: float32's precision, and exponents on either side of those of e2m1's boundaries, 1/4 to 5.
_SCALED = as_format("e4m23:inf=none,nan=none")
_LARGEST_ELEMENT = 7


def quantize_like(g: Graph, unit: BlockQuantize) -> dict[str, Node]:
    """The outputs `result` and `scale`."""
    numbers = numbers_of(g, unit)
    given, bad = tensor_scale(g, unit)
    g.section("Largest magnitude")
    amax = _largest(g, unit, numbers)
    g.section("Scale")
    match unit.like:
        case Like.TORCHAO:
            codes, scale_code = _torchao(g, unit, numbers, amax, given)
        case Like.MODELOPT:
            codes, scale_code = _modelopt(g, unit, numbers, amax, given)
        case Like.TRANSFORMER_ENGINE:
            codes, scale_code = _transformer_engine(g, unit, numbers, amax, given)
        case Like.NONE:
            raise ValueError("a quantiser like a library: got like=none; expected a library")
        case unknown:
            assert_never(unknown)
    g.section("Unusable tensor scale")
    kept = (~bad).repeat(unit.out.bits)
    fmt = unit.block.scale
    scale_code = g.mux(bad, g.const(fmt.nan_code, fmt.bits), scale_code)
    return {"result": g.cat(*(code & kept for code in codes)), "scale": g.step("block_scale", scale_code)}


def _largest(g: Graph, unit: BlockQuantize, numbers: list[Source]) -> Operand:
    """The largest magnitude, which may be infinite; NaN where one number is and that counts."""
    nans = [number.operand.nan for number in numbers]
    magnitudes = [
        number.magnitude & (~nan).repeat(number.magnitude.width) for number, nan in zip(numbers, nans, strict=True)
    ]
    code = largest(g, magnitudes, DIGIT, "amax")
    amax = unpack(g, g.cat(code, g.const(0, 1)), unit.source, False, "amax")
    if not unit.like.spoilt_by_nan:
        return amax
    return dataclasses.replace(amax, nan=g.step("block_nan", g.tree("or", nans)))


def _scale_of(g: Graph, unit: BlockQuantize, wanted: Operand) -> Node:
    return g.step("scale_rounded", converted(g, wanted, Target(unit.block.scale, _SATURATE, False)))


def _scale_operand(g: Graph, unit: BlockQuantize, code: Node) -> Operand:
    return unpack(g, code, unit.block.scale, False, "scale")


def _torchao(
    g: Graph, unit: BlockQuantize, numbers: list[Source], amax: Operand, tensor: Operand | None
) -> tuple[list[Node], Node]:
    wanted = float_quotient(g, amax, float_constant(g, 6), "amax_over_6")
    inverse = float_constant(g, 1)
    if tensor is not None:
        wanted = float_quotient(g, wanted, tensor, "scale_wanted")
        inverse = float_quotient(g, inverse, tensor, "tensor_scale_inverse")
    rounded = _scale_of(g, unit, wanted)
    least = 1 << unit.block.scale.trailing_bits
    code = g.step("scale_code", g.mux(rounded.less(least), g.const(least, rounded.width), rounded))
    reciprocal = float_quotient(g, inverse, _scale_operand(g, unit, code), "reciprocal")
    return _by_reciprocal(g, unit, numbers, reciprocal, 0), code


def _transformer_engine(
    g: Graph, unit: BlockQuantize, numbers: list[Source], amax: Operand, encode: Operand | None
) -> tuple[list[Node], Node]:
    multiplier = float_constant(g, SIXTH)
    if encode is not None:
        multiplier = float_product(g, encode, multiplier, "encode_scale_sixth")
    wanted = float_product(g, amax, multiplier, "scale_wanted")
    # NaN (infinity times zero) gives way to the largest number, which saturates as infinity does.
    never = g.const(0, 1)
    wanted = dataclasses.replace(wanted, infinity=wanted.infinity | wanted.nan, nan=never, signaling=never)
    code = g.step("scale_code", _scale_of(g, unit, wanted))
    divisor = _scale_operand(g, unit, code)
    if encode is not None:
        decode = float_quotient(g, float_constant(g, 1), encode, "encode_scale_inverse")
        divisor = float_product(g, divisor, decode, "divisor")
    inverse = float_quotient(g, float_constant(g, 1), divisor, "divisor_inverse")
    assert inverse.code is not None
    beyond = inverse.infinity | inverse.nan
    limited = g.mux(beyond, g.const(FLOAT.max_finite_code, FLOAT.bits), inverse.code)
    reciprocal = unpack(g, g.step("reciprocal", limited), FLOAT, False, "reciprocal")
    return _by_reciprocal(g, unit, numbers, reciprocal, _LARGEST_ELEMENT), code


def _by_reciprocal(
    g: Graph, unit: BlockQuantize, numbers: list[Source], reciprocal: Operand, of_nan: int
) -> list[Node]:
    g.section("Elements")
    reciprocal = normalise(g, reciprocal, "reciprocal")
    codes = []
    for number in numbers:
        scaled, nan = product_in(g, number.operand, reciprocal, Target(_SCALED, _SATURATE, False))
        operand = unpack(g, g.step("scaled", scaled), _SCALED, False, "scaled")
        code = converted(g, operand, Target(unit.out, _SATURATE, False))
        codes.append(g.mux(nan, g.const(of_nan, code.width), code))
    return codes


def _modelopt(
    g: Graph, unit: BlockQuantize, numbers: list[Source], amax: Operand, tensor: Operand | None
) -> tuple[list[Node], Node]:
    six = float_constant(g, 6)
    wanted = float_quotient(
        g, amax, six if tensor is None else float_product(g, six, tensor, "tensor_scale_times_6"), "scale_wanted"
    )
    rounded = _scale_of(g, unit, wanted)
    one = one_code(unit.block.scale)
    assert one is not None
    least = g.cat(rounded[0] | rounded.none(), rounded[1:])
    code = g.step("scale_code", g.mux(wanted.zero & ~wanted.nan, g.const(one, rounded.width), least))
    divisor = _scale_operand(g, unit, code)
    if tensor is not None:
        divisor = float_product(g, divisor, tensor, "divisor")
    return _by_divisor(g, unit, numbers, divisor), code


def moved_boundaries(element: Format, precision: int) -> list[Boundary]:
    """Where codes of `element` begin for quotients that are rounded to `precision` bits, to nearest even, first."""
    found = []
    for boundary in boundaries(element, Rounding.RNE, False):
        exponent = boundary.point.numerator.bit_length() - boundary.point.denominator.bit_length()
        if boundary.point < Fraction(2) ** exponent:
            exponent -= 1
        # The boundary has few bits, so its last place is even and takes ties; a power of two would have a finer step
        # below it, but none is the first of its code.
        assert not boundary.included or boundary.point != Fraction(2) ** exponent
        half = Fraction(2) ** (exponent - precision)
        found.append(Boundary(boundary.point + (-half if boundary.included else half), boundary.included))
    return found


def _by_divisor(g: Graph, unit: BlockQuantize, numbers: list[Source], divisor: Operand) -> list[Node]:
    g.section("Thresholds of the element codes")
    factor = normalise(g, divisor, "divisor")
    # A quotient of up to half of float32's smallest number is a zero, which has no sign here.
    nonzero = Boundary(Fraction(2) ** (FLOAT.quantum_exponent - 1), False)
    where = [nonzero, *moved_boundaries(unit.out, FLOAT.precision)]
    limits = thresholds(g, unit.source, factor, g.const(0, 1), where)
    no_factor = divisor.zero | divisor.infinity | divisor.nan
    g.section("Elements")
    codes = []
    for number in numbers:
        v = number.operand
        magnitude = number.magnitude.zext(limits[0].width)
        reached = [~magnitude.less(limit) for limit in limits]
        code = binary(g, reached[1:], unit.out.magnitude_bits)
        # Quotients without a finite factor: NaN, infinity, or zero.
        nan = divisor.nan | v.nan | (divisor.zero & v.zero) | (divisor.infinity & v.infinity)
        infinite = (v.infinity | divisor.zero) & ~nan
        plain = ~(no_factor | v.infinity | v.nan)
        top = (nan | infinite).repeat(code.width) & g.const(_LARGEST_ELEMENT, code.width)
        codes.append(g.cat((code & plain.repeat(code.width)) | top, v.sign & ((plain & reached[0]) | infinite)))
    return codes
