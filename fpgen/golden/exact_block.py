"""The definition of BlockQuantize and BlockDequantize: Python integers and fractions, one block at a time.

It follows the text of `fpgen.units.quantize`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ..formats.descriptor import Class, Format
from ..units.options import Overflow, Rounding, Semantics
from ..units.quantize import BlockDequantize, BlockQuantize, ScalePolicy
from .exact import decode, product
from .exact_round import Exact, finite, round_to

_NEAREST = Semantics(Rounding.RNE, Overflow.SATURATE)


def _fraction(value: Exact) -> Fraction:
    return value.significand * Fraction(2) ** value.exponent


def _floor_log2(value: Fraction) -> int:
    """The exponent of the binade of a positive number."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent if value >= Fraction(2) ** exponent else exponent - 1


def _ceil_log2(value: Fraction) -> int:
    exponent = _floor_log2(value)
    return exponent if value == Fraction(2) ** exponent else exponent + 1


def _round_log2(value: Fraction) -> int:
    """The integer nearest to the logarithm of a positive number; 2**(k + 1/2) is no fraction, so there are no ties."""
    exponent = _floor_log2(value)
    return exponent + (value**2 > 2 * Fraction(4) ** exponent)


def quantize(unit: BlockQuantize, source: Sequence[int], tensor_scale: int | None = None, *,
             mode: Rounding | None = None, random: Sequence[int] = ()) -> tuple[list[int], int]:
    """Element codes and scale code of one block.

    Parameters
    ----------
    unit : BlockQuantize
    source : sequence of int
        Codes of the numbers.
    tensor_scale : int, optional
        Code of the tensor scale, where the block format has one.
    mode : Rounding, optional
        Of the elements, with ``rounding=port``.
    random : sequence of int
        One random number for each element, with the stochastic modes.
    """
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
        return 0
    policy = unit.policy
    if policy in (ScalePolicy.NEAREST, ScalePolicy.UP):
        ratio = amax / (unit.block.element.max_finite * tensor)
        return _nearest(ratio, scale) if policy is ScalePolicy.NEAREST else _up(ratio, scale)
    assert policy is not None
    exponent = shared_exponent(policy, amax, unit.block.element)
    codes = [code for code in range(1 << scale.bits) if scale.classify(code) is Class.FINITE]
    least, largest = scale.value(codes[0]), scale.value(codes[-1])
    wanted = min(max(Fraction(2) ** exponent, least), largest)
    return next(code for code in codes if scale.value(code) == wanted)


def shared_exponent(policy: ScalePolicy, amax: Fraction, element: Format) -> int:
    """log2 of the scale that a policy wants, whatever the scale format holds."""
    top, emax = element.max_finite, _floor_log2(element.max_finite)
    match policy:
        case ScalePolicy.FLOOR:
            return _floor_log2(amax) - emax
        case ScalePolicy.CEIL:
            return _ceil_log2(amax) - emax
        case ScalePolicy.EVEN:
            step = Fraction(2) ** (_floor_log2(amax) - element.precision + 1)
            return _floor_log2(round(amax / step) * step) - emax  # Python rounds fractions to nearest, ties to even
        case ScalePolicy.RCEIL:
            return _ceil_log2(amax / top)
        case ScalePolicy.MIDMAX:
            return _ceil_log2(amax / _midmax(element))
        case ScalePolicy.ROUND:
            return _round_log2(amax / top)
        case ScalePolicy.ROUND_AMAX:
            return _round_log2(amax) - emax
    raise ValueError(policy)


def _midmax(element: Format) -> Fraction:
    """The largest amax that ``midmax`` leaves under a scale of 1."""
    emax = _floor_log2(element.max_finite)
    step = Fraction(2) ** element.scale if element.fixed else Fraction(2) ** (emax - element.precision + 1)
    binade = Fraction(2) ** emax
    reserved = (2 * binade - step - element.max_finite) / step
    if reserved + 1 == binade / step:  # only the power of two itself is a number
        reserved = Fraction(0)
    return 2 * binade - (1 + reserved) * step / 2


def _nearest(ratio: Fraction, scale: Format) -> int:
    return round_to(_with_sticky(0, ratio), scale, _NEAREST)[0]


def _up(ratio: Fraction, scale: Format) -> int:
    codes = range(scale.max_finite_code + 1)
    return next((code for code in codes if scale.value(code) >= ratio), scale.max_finite_code)


def _with_sticky(sign: int, quotient: Fraction, random_bits: int = 0) -> Exact:
    """A positive quotient, cut.

    It keeps bits enough for any rounding to any format of up to 64 bits, and the rest as a sticky bit below them: it is
    exact only when the quotient is a binary fraction, but which side of every boundary it lies on is kept.
    """
    places = 64 + max(0, -_floor_log2(quotient)) + 2 * random_bits
    scaled = quotient * Fraction(2) ** places
    whole = scaled.numerator // scaled.denominator
    return finite(sign, whole << 1 | int(whole != scaled), -places - 1)


def _element(unit: BlockQuantize, value: Exact, scale: Fraction, mode: Rounding | None, random: int) -> int:
    """v / (scale * T), rounded once."""
    element, semantics = unit.out, unit.semantics
    if value.kind is not Class.FINITE:
        return round_to(value, element, semantics, mode=mode, random=random)[0]
    if scale == 0:
        return round_to(Exact(Class.ZERO, value.sign), element, semantics, mode=mode, random=random)[0]
    quotient = _with_sticky(value.sign, _fraction(value) / scale, unit.random_bits)
    return round_to(quotient, element, semantics, mode=mode, random=random)[0]


def dequantize(unit: BlockDequantize, elements: Sequence[int], scale: int, tensor_scale: int | None = None, *,
               mode: Rounding | None = None, random: Sequence[int] = ()) -> list[int]:
    """Codes of `out` for one block; arguments as in `quantize`."""
    factor = decode(scale, unit.block.scale)
    if unit.block.tensor_scale is not None:
        assert tensor_scale is not None
        factor = product(factor, decode(tensor_scale, unit.block.tensor_scale))
    numbers = random if len(random) else [0] * unit.block.size
    exact = [product(decode(code, unit.block.element), factor) for code in elements]
    return [round_to(value, unit.out, unit.semantics, mode=mode, random=number)[0]
            for value, number in zip(exact, numbers, strict=True)]
