"""The definition of BlockQuantize and BlockDequantize: Python integers and fractions, one block at a time.

It follows the text of `fpgen.units.quantize`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

from fpgen.formats.code_classes import Class
from fpgen.formats.descriptor import Format
from fpgen.units.options import Overflow, Rounding, Semantics
from fpgen.units.quantize import BlockDequantize, BlockQuantize, ScalePolicy
from fpgen.units.scaling import Like, ScaleFloor, ZeroScale

from .exact_like import quantize_like
from .exact_model import decode, product
from .exact_quotient import floor_log2, quotient_to_round
from .exact_round import Exact, round_to

_NEAREST = Semantics(Rounding.RNE, Overflow.SATURATE)


def _fraction(value: Exact) -> Fraction:
    return value.significand * Fraction(2) ** value.exponent


def _ceil_log2(value: Fraction) -> int:
    exponent = floor_log2(value)
    return exponent if value == Fraction(2) ** exponent else exponent + 1


def _round_log2(value: Fraction) -> int:
    """The integer nearest to the logarithm of a positive number; 2**(k + 1/2) is irrational, so there are no ties."""
    exponent = floor_log2(value)
    return exponent + (value**2 > 2 * Fraction(4) ** exponent)


def quantize(
    unit: BlockQuantize,
    source: Sequence[int],
    tensor_scale: int | None = None,
    *,
    mode: Rounding | None = None,
    random: Sequence[int] = (),
) -> tuple[list[int], int]:
    """Element codes and scale code of one block.

    Parameters
    ----------
    unit : BlockQuantize
    source : sequence of int
        Codes of the numbers.
    tensor_scale : int, optional
        Code of the tensor scale (of the encode scale, where the unit takes that), where the block format has one.
    mode : Rounding, optional
        Of the elements, with ``rounding=port``.
    random : sequence of int
        One random number for each element, with the stochastic modes.
    """
    if unit.like is not Like.NONE:
        return quantize_like(unit, source, tensor_scale)
    block, scale_format = unit.block, unit.block.scale
    values = [decode(code, unit.source) for code in source]
    tensor = Fraction(1)
    bad_tensor = False
    if block.tensor_scale is not None:
        assert tensor_scale is not None
        given = decode(tensor_scale, block.tensor_scale)
        bad_tensor = given.kind is not Class.FINITE or bool(given.sign)
        tensor = Fraction(1) if bad_tensor else _fraction(given)
    bad_value = any(value.is_nan or value.is_infinite for value in values)
    if bad_tensor or (bad_value and scale_format.has_nan):
        return [0] * block.size, scale_format.nan_code if scale_format.has_nan else 0

    amax = max((_fraction(value) for value in values if value.kind is Class.FINITE), default=Fraction(0))
    code = scale_code(unit, amax, tensor)
    scale = scale_format.value(code) * tensor
    numbers = random if len(random) else [0] * block.size
    return [_element(unit, value, scale, mode, number) for value, number in zip(values, numbers, strict=True)], code


def scale_code(unit: BlockQuantize, amax: Fraction, tensor: Fraction = Fraction(1)) -> int:
    """The scale of a block with this largest magnitude."""
    scale = unit.block.scale
    if amax == 0:
        return _zero_code(unit)
    policy = unit.policy
    if policy in (ScalePolicy.NEAREST, ScalePolicy.UP):
        ratio = amax / (unit.block.element.max_finite * tensor)
        code = _nearest(ratio, scale) if policy is ScalePolicy.NEAREST else _up(ratio, scale)
        least = _least_scale(unit.scale_floor, scale)
        return code if scale.value(code) >= least else _code_of(scale, least)
    assert policy is not None
    exponent = shared_exponent(policy, amax, unit.block.element)
    codes = [code for code in range(1 << scale.bits) if scale.classify(code) is Class.FINITE]
    least, largest = scale.value(codes[0]), scale.value(codes[-1])
    wanted = min(max(Fraction(2) ** exponent, least), largest)
    return next(code for code in codes if scale.value(code) == wanted)


def _zero_code(unit: BlockQuantize) -> int:
    """The scale code of a block of zeros."""
    scale = unit.block.scale
    match unit.zero_scale:
        case ZeroScale.LOWEST:
            return 0
        case ZeroScale.SMALLEST:
            return _code_of(scale, _smallest(scale))
        case ZeroScale.NORMAL:
            return _code_of(scale, Fraction(2) ** scale.emin)
        case ZeroScale.ONE:
            return _code_of(scale, Fraction(1))
        case _:
            assert_never(unit.zero_scale)


def _least_scale(floor: ScaleFloor, scale: Format) -> Fraction:
    """The value below which no block that is not all zeros has its scale."""
    match floor:
        case ScaleFloor.NONE:
            return Fraction(0)
        case ScaleFloor.SMALLEST:
            return _smallest(scale)
        case ScaleFloor.NORMAL:
            return Fraction(2) ** scale.emin
        case _:
            assert_never(floor)


def _smallest(scale: Format) -> Fraction:
    """The smallest positive value that the format delivers."""
    values = [scale.value(code) for code in range(scale.max_finite_code + 1)]
    least = Fraction(0) if scale.subnormals else Fraction(2) ** scale.emin
    return min(value for value in values if value > 0 and value >= least)


def _code_of(scale: Format, value: Fraction) -> int:
    return next(code for code in range(scale.max_finite_code + 1) if scale.value(code) == value)


def shared_exponent(policy: ScalePolicy, amax: Fraction, element: Format) -> int:
    """log2 of the scale that a policy asks for, before the scale format limits it."""
    top, emax = element.max_finite, floor_log2(element.max_finite)
    match policy:
        case ScalePolicy.FLOOR:
            return floor_log2(amax) - emax
        case ScalePolicy.CEIL:
            return _ceil_log2(amax) - emax
        case ScalePolicy.EVEN:
            step = Fraction(2) ** (floor_log2(amax) - element.precision + 1)
            return floor_log2(round(amax / step) * step) - emax  # Python rounds fractions to nearest, ties to even
        case ScalePolicy.RCEIL:
            return _ceil_log2(amax / top)
        case ScalePolicy.MIDMAX:
            return _ceil_log2(amax / _midmax(element))
        case ScalePolicy.ROUND:
            return _round_log2(amax / top)
        case ScalePolicy.ROUND_AMAX:
            return _round_log2(amax) - emax
        case ScalePolicy.NEAREST | ScalePolicy.UP:
            raise ValueError(f"policy: got {policy}; expected one that wants a power of two")
        case _:
            assert_never(policy)


def _midmax(element: Format) -> Fraction:
    """The largest amax that ``midmax`` leaves under a scale of 1."""
    emax = floor_log2(element.max_finite)
    step = Fraction(2) ** element.scale if element.fixed else Fraction(2) ** (emax - element.precision + 1)
    binade = Fraction(2) ** emax
    reserved = (2 * binade - step - element.max_finite) / step
    if reserved + 1 == binade / step:  # only the power of two itself is a number
        reserved = Fraction(0)
    return 2 * binade - (1 + reserved) * step / 2


def _nearest(ratio: Fraction, scale: Format) -> int:
    return round_to(quotient_to_round(0, ratio, scale), scale, _NEAREST)[0]


def _up(ratio: Fraction, scale: Format) -> int:
    codes = range(scale.max_finite_code + 1)
    return next((code for code in codes if scale.value(code) >= ratio), scale.max_finite_code)


def _element(unit: BlockQuantize, value: Exact, scale: Fraction, mode: Rounding | None, random: int) -> int:
    """v / (scale * T), rounded once."""
    element, semantics = unit.out, unit.semantics
    if value.kind is not Class.FINITE:
        return round_to(value, element, semantics, mode=mode, random=random)[0]
    if scale == 0:
        return round_to(Exact(Class.ZERO, value.sign), element, semantics, mode=mode, random=random)[0]
    quotient = quotient_to_round(value.sign, _fraction(value) / scale, element, unit.random_bits)
    return round_to(quotient, element, semantics, mode=mode, random=random)[0]


def dequantize(
    unit: BlockDequantize,
    elements: Sequence[int],
    scale: int,
    tensor_scale: int | None = None,
    *,
    mode: Rounding | None = None,
    random: Sequence[int] = (),
) -> list[int]:
    """Codes of `out` for one block; arguments as in `quantize`."""
    factor = decode(scale, unit.block.scale)
    if unit.block.tensor_scale is not None:
        assert tensor_scale is not None
        factor = product(factor, decode(tensor_scale, unit.block.tensor_scale))
    numbers = random if len(random) else [0] * unit.block.size
    exact = [product(decode(code, unit.block.element), factor) for code in elements]
    return [
        round_to(value, unit.out, unit.semantics, mode=mode, random=number)[0]
        for value, number in zip(exact, numbers, strict=True)
    ]
