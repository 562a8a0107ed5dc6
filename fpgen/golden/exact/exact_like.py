"""The definition of ``like``: the float32 operations of a library, one after another, on exact numbers.

It follows the text of `fpgen.units.quantize`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

from fpgen.formats import as_format
from fpgen.formats.code_classes import Class
from fpgen.units.options import Overflow, Rounding, Semantics
from fpgen.units.quantize import BlockQuantize
from fpgen.units.scaling import Like

from .exact_model import decode, product
from .exact_quotient import quotient_to_round
from .exact_round import Exact, finite, round_to

_FLOAT = as_format("fp32")
_IEEE = Semantics(Rounding.RNE, Overflow.IEEE)
_SATURATE = Semantics(Rounding.RNE, Overflow.SATURATE)
_NAN, _INFINITY = Exact(Class.NAN), Exact(Class.INFINITY)
_ONE, _SIX = finite(0, 1, 0), finite(0, 6, 0)
_LARGEST = decode(_FLOAT.max_finite_code, _FLOAT)


def _rounded(value: Exact) -> Exact:
    return decode(round_to(value, _FLOAT, _IEEE)[0], _FLOAT)


def _times(x: Exact, y: Exact) -> Exact:
    return _rounded(product(x, y))


def _over(x: Exact, y: Exact) -> Exact:
    sign = x.sign ^ y.sign
    if x.is_nan or y.is_nan or (x.is_zero and y.is_zero) or (x.is_infinite and y.is_infinite):
        return _NAN
    if x.is_infinite or y.is_zero:
        return Exact(Class.INFINITY, sign)
    if x.is_zero or y.is_infinite:
        return Exact(Class.ZERO, sign)
    quotient = _magnitude(x) / _magnitude(y)
    return _rounded(quotient_to_round(sign, quotient, _FLOAT))


def _magnitude(x: Exact) -> Fraction:
    return x.significand * Fraction(2) ** x.exponent


def _smaller(x: Exact, y: Exact) -> Exact:
    """minNum of positive numbers: a NaN gives way."""
    if x.is_nan or x.is_infinite:
        return y
    return min((x, y), key=_magnitude)


def _largest_magnitude(values: Sequence[Exact]) -> Exact:
    if any(value.is_infinite for value in values):
        return _INFINITY
    most = max(values, key=_magnitude)
    return Exact(most.kind, 0, most.significand, most.exponent)


def quantize_like(unit: BlockQuantize, source: Sequence[int], tensor_scale: int | None) -> tuple[list[int], int]:
    """Element codes and scale code of one block; arguments as in `exact_block.quantize`."""
    given = _ONE
    if unit.block.tensor_scale is not None:
        assert tensor_scale is not None
        given = decode(tensor_scale, unit.block.tensor_scale)
        if given.kind is not Class.FINITE or given.sign:
            return [0] * len(source), unit.block.scale.nan_code
    values = [decode(code, unit.source) for code in source]
    numbers = [value for value in values if not value.is_nan]
    amax = _largest_magnitude(numbers) if numbers else Exact(Class.ZERO)
    if unit.like.spoilt_by_nan and len(numbers) < len(values):
        amax = _NAN
    match unit.like:
        case Like.TORCHAO:
            return _torchao(unit, values, amax, given)
        case Like.MODELOPT:
            return _modelopt(unit, values, amax, given)
        case Like.TRANSFORMER_ENGINE:
            return _transformer_engine(unit, values, amax, given)
        case Like.NONE:
            raise ValueError("like: got none; expected a library")
        case _:
            assert_never(unit.like)


def _scale_code(unit: BlockQuantize, wanted: Exact, least: Fraction = Fraction(0)) -> int:
    """The scale to nearest even, from `least` up."""
    fmt = unit.block.scale
    if not wanted.is_nan and not wanted.is_infinite and _magnitude(wanted) < least:
        wanted = finite(0, 1, -(least.denominator.bit_length() - 1))
    return round_to(wanted, fmt, _SATURATE)[0]


def _element(unit: BlockQuantize, value: Exact, of_nan: int) -> int:
    return of_nan if value.is_nan else round_to(value, unit.out, _SATURATE)[0]


def _torchao(unit: BlockQuantize, values: list[Exact], amax: Exact, tensor: Exact) -> tuple[list[int], int]:
    code = _scale_code(unit, _over(_over(amax, _SIX), tensor), Fraction(1, 1 << 6))
    reciprocal = _over(_over(_ONE, tensor), decode(code, unit.block.scale))
    return [_element(unit, _times(value, reciprocal), 0) for value in values], code


def _modelopt(unit: BlockQuantize, values: list[Exact], amax: Exact, tensor: Exact) -> tuple[list[int], int]:
    wanted = _over(amax, _times(_SIX, tensor))
    code = _scale_code(unit, _ONE if wanted.is_zero else wanted, Fraction(1, 1 << 9))
    divisor = _times(decode(code, unit.block.scale), tensor)
    quotients = [_over(value, divisor) for value in values]
    return [0 if quotient.is_zero else _element(unit, quotient, 7) for quotient in quotients], code


def _transformer_engine(unit: BlockQuantize, values: list[Exact], amax: Exact, encode: Exact) -> tuple[list[int], int]:
    sixth = _over(_ONE, _SIX)
    code = _scale_code(unit, _smaller(_times(amax, _times(encode, sixth)), _LARGEST))
    divisor = _times(decode(code, unit.block.scale), _over(_ONE, encode))
    reciprocal = _smaller(_over(_ONE, divisor), _LARGEST)
    return [_element(unit, _times(value, reciprocal), 7) for value in values], code
