"""Scale codes of many blocks at once, from their largest magnitudes; the policies of `fpgen.units.quantize`."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import assert_never

import numpy as np

from fpgen.formats.descriptor import Format
from fpgen.golden.result import code_dtype
from fpgen.golden.scalar.decode import fits_float64, float64_values
from fpgen.golden.scalar.deliver import deliver, target
from fpgen.golden.scalar.float64_engine import locate
from fpgen.golden.scalar.modes import select_modes
from fpgen.units.options import Overflow, Rounding, Semantics
from fpgen.units.quantize import BlockQuantize
from fpgen.units.scaling import POWER_POLICIES, ScalePolicy, floor_code, midmax_limit, zero_code

_MANTISSA = np.int64((1 << 52) - 1)
_NEAREST = Semantics(Rounding.RNE, Overflow.SATURATE)
_SOURCE_BITS, _DIVISOR_BITS = 24, 32  # significands that `_ratio` divides in 64 bits
_TABLE_BITS = 16


def suits(unit: BlockQuantize) -> bool:
    """Whether `scale_codes` is exact for this unit."""
    block = unit.block
    if unit.source.significand_bits > _SOURCE_BITS or block.scale.bits > _TABLE_BITS:
        return False
    divisor = block.element.significand_bits + (block.tensor_scale.significand_bits if block.tensor_scale else 0)
    return divisor <= _DIVISOR_BITS and fits_float64(block.scale)


def scale_codes(unit: BlockQuantize, amax: np.ndarray, tensor: np.ndarray | None) -> np.ndarray:
    """Scale codes of blocks.

    Parameters
    ----------
    unit : BlockQuantize
    amax : ndarray of float64, shape (blocks,)
        Finite.
    tensor : ndarray of float64, shape (blocks,), optional
        Tensor scales, positive and finite.

    Returns
    -------
    ndarray of the narrowest unsigned dtype, shape (blocks,)
    """
    scale = unit.block.scale
    assert unit.policy is not None
    if unit.policy in POWER_POLICIES:
        first = 1 if scale.zero else 0
        codes = np.clip(
            shared_exponents(unit.policy, amax, unit.block.element) + scale.bias, first, scale.max_finite_code
        )
    else:
        top = float(unit.block.element.max_finite)
        ratio = _ratio(amax, np.broadcast_to(np.float64(top), amax.shape) if tensor is None else tensor * top)
        codes = np.maximum(_of_ratio(unit.policy, ratio, scale), floor_code(unit.scale_floor, scale))
    return np.where(amax == 0, zero_code(unit.zero_scale, scale), codes).astype(code_dtype(scale.bits))


def _of_ratio(policy: ScalePolicy, ratio: np.ndarray, scale: Format) -> np.ndarray:
    """Codes of the scales that a policy takes for ``amax / (M T)``."""
    match policy:
        case ScalePolicy.UP:
            return np.minimum(_values(scale).searchsorted(ratio), scale.max_finite_code)
        case ScalePolicy.NEAREST:
            to = target(scale)
            modes = select_modes(Rounding.RNE, None, None, 0)
            return deliver(to, _NEAREST, modes, locate(ratio, to), None, None)[0]
        case (
            ScalePolicy.FLOOR
            | ScalePolicy.CEIL
            | ScalePolicy.EVEN
            | ScalePolicy.RCEIL
            | ScalePolicy.MIDMAX
            | ScalePolicy.ROUND
            | ScalePolicy.ROUND_AMAX
        ):
            raise ValueError(f"policy: got {policy}; expected one that rounds a ratio")
        case _:
            assert_never(policy)


@lru_cache(maxsize=64)
def _values(scale: Format) -> np.ndarray:
    """Finite values by code, never falling."""
    return float64_values(scale, np.arange(scale.max_finite_code + 1, dtype=np.uint64))


def shared_exponents(policy: ScalePolicy, amax: np.ndarray, element: Format) -> np.ndarray:
    """log2 of the scales that a policy asks for, before the scale format limits them; int64.

    With x = 2**e * 1.m, the exponent and the trailing bits of the binary64 number decide.
    """
    bits = amax.view(np.int64)
    if policy is ScalePolicy.EVEN:
        lost = np.int64(52 - (element.precision - 1))
        # only a carry out of the significand matters, and one of all ones is odd: its tie goes up
        bits = bits + (np.int64(1) << lost - 1)
    exponent, mantissa = (bits >> 52) - 1023, bits & _MANTISSA
    wanted: np.ndarray
    match policy:
        case ScalePolicy.FLOOR | ScalePolicy.EVEN:
            wanted = exponent - element.emax
        case ScalePolicy.CEIL:
            wanted = exponent + (mantissa != 0) - element.emax
        case ScalePolicy.RCEIL:  # least s with amax <= M 2**s
            wanted = _least_exponents(exponent, mantissa, float(element.max_finite))
        case ScalePolicy.MIDMAX:  # least s with amax <= limit 2**s
            wanted = _least_exponents(exponent, mantissa, float(midmax_limit(element)))
        case ScalePolicy.ROUND:  # s + 1 with the largest s for which amax exceeds M 2**(s + 1/2)
            wanted = _least_exponents(exponent, mantissa, _below_root(element.max_finite))
        case ScalePolicy.ROUND_AMAX:
            wanted = _least_exponents(exponent, mantissa, _below_root(Fraction(2) ** element.emax))
        case ScalePolicy.NEAREST | ScalePolicy.UP:
            raise ValueError(f"policy: got {policy}; expected one that wants a power of two")
        case _:
            assert_never(policy)
    return wanted


def _least_exponents(exponent: np.ndarray, mantissa: np.ndarray, limit: float) -> np.ndarray:
    """The least s with ``2**exponent * 1.mantissa <= limit * 2**s``."""
    limit_exponent, limit_mantissa = _parts(limit)
    least: np.ndarray = exponent - limit_exponent + (mantissa > limit_mantissa)
    return least


def _below_root(value: Fraction) -> float:
    """The largest binary64 number below ``value * sqrt(2)``, over which the logarithm is rounded up."""
    squared, places = 2 * value * value, 2 * (60 - _exponent_of(value))
    root = isqrt(int(squared * Fraction(2) ** places))  # 61 bits or so
    return float(root >> root.bit_length() - 53 << root.bit_length() - 53) * 2.0 ** (-places // 2)


def _exponent_of(value: Fraction) -> int:
    return value.numerator.bit_length() - value.denominator.bit_length()


def _parts(x: float) -> tuple[int, int]:
    bits = int(np.float64(x).view(np.int64))
    return (bits >> 52) - 1023, bits & int(_MANTISSA)


def _ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x / y of positive numbers, truncated below 30 bits or more, with everything lost or-ed into the last bit.

    ::

        x   1.xxx                    24 bits, moved up by 39: below 2**63
        y   1.yyy                    32 bits
        q   30 or 31 bits, and whether there is a remainder
    """
    x_bits, y_bits = x.view(np.int64), np.ascontiguousarray(y).view(np.int64)
    numerator = ((x_bits & _MANTISSA) | (_MANTISSA + 1)) >> (53 - _SOURCE_BITS) << (63 - _SOURCE_BITS)
    divisor = ((y_bits & _MANTISSA) | (_MANTISSA + 1)) >> (53 - _DIVISOR_BITS)
    quotient = numerator // divisor
    odd = quotient * divisor != numerator
    exponent = (x_bits >> 52) - (y_bits >> 52) - 62 + (_DIVISOR_BITS - 1)
    ratio: np.ndarray = np.ldexp((2 * quotient + odd).astype(np.float64), (exponent - 1).astype(np.int32))
    return ratio
