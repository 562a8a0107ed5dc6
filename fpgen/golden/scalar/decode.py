"""Arrays of codes to what they stand for: binary64 values, or signs, integer significands and exponents.

Two readings of the same codes, for the two engines of the fast model:

* `float64_values`, where every value of the format is a binary64 number
  (`fits_float64`): zeros, infinities and NaNs become those of binary64;
* `unpack`, for any format of up to 64 bits: an integer significand and an
  exponent, and a *shadow*: a binary64 number of the same class and sign
  (0, 1, infinity or NaN), so that both engines share the rules for specials.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from fpgen.formats.code_classes import Infinity, NaN
from fpgen.formats.descriptor import Format

_TABLE_BITS = 16  # codes up to this width are decoded by table

#: Exponents of binary64 values, from quantum to top, stay within plus or minus this: then no product
#: with a power of two that the rounder makes of another such exponent can overflow or lose bits.
EXPONENT_LIMIT = 500


class Unpacked(NamedTuple):
    """Operands as sign, significand and exponent; the arrays have the shape of the codes.

    Attributes
    ----------
    negative : ndarray of bool
    significand : ndarray of uint64
        0 for zeros, infinities and NaNs.
    exponent : ndarray of int64
        The magnitude of a finite value is ``significand * 2**exponent``.
    shadow : ndarray of float64
        Same class and sign: 0, 1, infinity or NaN.
    """

    negative: np.ndarray
    significand: np.ndarray
    exponent: np.ndarray
    shadow: np.ndarray


def power_of_two(exponent: int) -> float:
    """2.0**exponent; `exponent` from -1022 to 1023."""
    return float(np.ldexp(1.0, exponent))


def fits_float64(fmt: Format) -> bool:
    """Whether every finite value of `fmt` is a binary64 number, its exponents within `EXPONENT_LIMIT`."""
    if fmt.fixed:
        return fmt.bits <= 53 and fmt.scale >= -EXPONENT_LIMIT and fmt.scale + fmt.bits <= EXPONENT_LIMIT
    if fmt.precision > 53 or fmt.exponent_bits > 11:
        return False
    return fmt.quantum_exponent >= -EXPONENT_LIMIT and fmt.emax <= EXPONENT_LIMIT


def is_binary32(fmt: Format) -> bool:
    """IEEE binary32, which numpy decodes natively."""
    return (
        (fmt.bits, fmt.precision, fmt.bias) == (32, 24, 127)
        and fmt.signed
        and fmt.infinity is Infinity.IEEE
        and fmt.subnormals
        and not fmt.fixed
    )


def signaling(fmt: Format, codes: np.ndarray) -> np.ndarray | None:
    """Mask of the signalling NaNs among `codes` (unsigned ints); None where the format has none."""
    if not fmt.has_signaling_nan:
        return None
    magnitude = codes & codes.dtype.type(fmt.sign_mask ^ ((1 << fmt.bits) - 1))
    low = codes.dtype.type(fmt.infinity_code)
    found: np.ndarray = (magnitude > low) & (magnitude < codes.dtype.type(fmt.nan_code))
    return found


# ---- binary64 values ----------------------------------------------------------------------------


def float64_values(fmt: Format, codes: np.ndarray, flush: bool = False) -> np.ndarray:
    """Codes of a format that `fits_float64` as binary64 numbers.

    Parameters
    ----------
    fmt : Format
    codes : ndarray of unsigned int
    flush : bool
        Read subnormals as zeros of their sign.

    Returns
    -------
    ndarray of float64
    """
    if fmt.bits <= _TABLE_BITS:
        return _float64_table(fmt, flush).take(codes)
    return _float64_compute(fmt, codes, flush)


@lru_cache(maxsize=256)
def _float64_table(fmt: Format, flush: bool) -> np.ndarray:
    """The value of every code, float64 of shape (2**bits,)."""
    return _float64_compute(fmt, np.arange(1 << fmt.bits, dtype=np.uint64), flush)


def _float64_compute(fmt: Format, codes: np.ndarray, flush: bool) -> np.ndarray:
    if is_binary32(fmt):
        values = codes.astype(np.uint32, copy=False).view(np.float32).astype(np.float64)
        if flush:
            tiny = np.abs(values) < power_of_two(fmt.emin)
            values = np.where(tiny, np.copysign(0.0, values), values)
        return values
    if fmt.fixed:
        integers = codes.astype(np.int64)
        if fmt.signed:
            shift = 64 - fmt.bits
            integers = (integers << shift) >> shift
        return integers.astype(np.float64) * power_of_two(fmt.scale)
    whole = codes.astype(np.int64)
    magnitude = whole & ((1 << fmt.magnitude_bits) - 1)
    trailing_bits = fmt.trailing_bits
    # a normal code is the binary64 code except for the bias and the zeros below
    values = ((magnitude << (52 - trailing_bits)) + ((1023 - fmt.bias) << 52)).view(np.float64)
    if fmt.zero:
        if fmt.subnormals and not flush:
            low = magnitude.astype(np.float64) * power_of_two(fmt.quantum_exponent)
        else:
            low = np.zeros(())
        values = np.where(magnitude < 1 << trailing_bits, low, values)
    special = magnitude > fmt.max_finite_code
    if special.any():
        values = np.where(special, np.nan, values)
        if fmt.has_infinity:
            values = np.where(magnitude == fmt.infinity_code, np.inf, values)
    if fmt.signed:
        values = np.where(whole & fmt.sign_mask, -values, values)
    if fmt.nan is NaN.NEGATIVE_ZERO:
        values = np.where(whole == fmt.sign_mask, np.nan, values)
    return values


# ---- sign, significand, exponent ----------------------------------------------------------------


def unpack(fmt: Format, codes: np.ndarray, flush: bool = False) -> Unpacked:
    """Codes of any format of up to 64 bits as integer significands with exponents.

    Parameters
    ----------
    fmt : Format
    codes : ndarray of unsigned int
    flush : bool
        Read subnormals as zeros of their sign.

    Returns
    -------
    Unpacked
    """
    whole = codes.astype(np.uint64, copy=False)
    negative = (whole & np.uint64(fmt.sign_mask)) != 0
    if fmt.fixed:
        lost = np.uint64(64 - fmt.bits)
        significand = np.where(negative, ((np.uint64(0) - whole) << lost) >> lost, whole)
        exponent = np.full(whole.shape, fmt.scale, dtype=np.int64)
        shadow = np.where(significand == 0, 0.0, np.where(negative, -1.0, 1.0))
        return Unpacked(negative, significand, exponent, shadow)
    magnitude = whole & np.uint64((1 << fmt.magnitude_bits) - 1)
    trailing = magnitude & np.uint64((1 << fmt.trailing_bits) - 1)
    field = (magnitude >> np.uint64(fmt.trailing_bits)).astype(np.int64)
    significand = trailing | np.uint64(1 << fmt.trailing_bits)
    if fmt.zero:
        lowest = field == 0
        low = trailing if fmt.subnormals and not flush else np.zeros((), dtype=np.uint64)
        significand = np.where(lowest, low, significand)
        field = np.maximum(field, 1)
    exponent = field - (fmt.bias + fmt.trailing_bits)
    shadow = (significand != 0).astype(np.float64)
    special = magnitude > np.uint64(fmt.max_finite_code)
    if special.any():
        significand = np.where(special, np.uint64(0), significand)
        shadow = np.where(special, np.nan, shadow)
        if fmt.has_infinity:
            shadow = np.where(magnitude == np.uint64(fmt.infinity_code), np.inf, shadow)
    shadow = np.where(negative, -shadow, shadow)
    if fmt.nan is NaN.NEGATIVE_ZERO:
        shadow = np.where(whole == np.uint64(fmt.sign_mask), np.nan, shadow)
    return Unpacked(negative, significand, exponent, shadow)
