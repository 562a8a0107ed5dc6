"""Exact results in binary64, for operands whose products are binary64 numbers.

A product of two significands of at most 53 bits together is exact. A sum is
kept as its rounded value and the error of that rounding (TwoSum: Knuth, The
Art of Computer Programming 2, 4.2.2), and the two become one number by
rounding to odd (Boldo and Melquiond, "Emulation of FMA and correctly rounded
sums: proved algorithms using rounding to odd", IEEE TC 57(4), 2008): rounding
that once more, to at most 51 bits, is as good as rounding the exact sum.
"""

from __future__ import annotations

import numpy as np

from fpgen.formats.descriptor import Format

from .decode import EXPONENT_LIMIT, fits_float64, power_of_two
from .deliver import LinePoint, OutputLine

_EXPONENT = np.int64(0x7FF << 52)
_FAR = float(1 << 60)  # above every fixed-point code that this engine delivers


def suits(product: tuple[Format, ...], addend: Format | None, out: Format, random_bits: int) -> bool:
    """Whether this engine is exact for ``product[0] * product[1] + addend -> out``.

    Parameters
    ----------
    product : tuple of Format
        One or two factors.
    addend : Format, optional
    out : Format
    random_bits : int
        N of the stochastic modes.
    """
    operands = (*product, *([addend] if addend else []))
    if not all(fits_float64(fmt) for fmt in (*operands, out)) or out.bits > 62:
        return False
    if sum(fmt.significand_bits for fmt in product) > 53:
        return False
    lowest = sum(fmt.scale if fmt.fixed else fmt.quantum_exponent for fmt in product)
    highest = sum(fmt.scale + fmt.bits if fmt.fixed else fmt.emax + 1 for fmt in product)
    if lowest < -EXPONENT_LIMIT or highest > EXPONENT_LIMIT:
        return False
    # a sum is rounded to odd at 53 bits: two bits below the last that matters are needed
    return addend is None or out.significand_bits + random_bits + 2 <= 53


def round_to_odd_sum(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x + y, truncated to 53 bits with everything lost or-ed into the last bit.

    Parameters
    ----------
    x, y : ndarray of float64
        Infinities and NaNs go through as in IEEE 754.

    Returns
    -------
    ndarray of float64
        Zero sums have the sign of rounding to nearest.
    """
    total = x + y
    part = total - x
    error = (x - (total - part)) + (y - part)
    lost = error != 0
    lost &= error == error  # infinities leave NaN here
    bits = total.view(np.int64)
    # an error of the other sign: the sum was rounded away from zero, so take a unit back
    away = (bits ^ error.view(np.int64)) < 0
    away &= lost
    bits = bits - away
    bits |= lost
    odd: np.ndarray = bits.view(np.float64)
    return odd


def locate(x: np.ndarray, out: OutputLine) -> LinePoint:
    """Where binary64 numbers stand on the line of the codes of `out`."""
    bits = x.view(np.int64)
    negative = bits < 0
    if out.fmt.fixed:
        scaled = np.abs(x)
        scaled *= power_of_two(-out.fmt.scale)
        np.minimum(scaled, _FAR, out=scaled)
        whole = np.floor(scaled)
        return LinePoint(whole.astype(np.int64), scaled - whole, negative)
    trailing = out.fmt.precision - 1
    lowest = np.int64((out.emin + 1023) << 52)
    exponent = np.maximum(bits & _EXPONENT, lowest)
    exponent -= lowest
    # 2**(trailing - exponent), made of bits: multiplying by it is exact
    scaled = (np.int64((1023 + trailing - out.emin) << 52) - exponent).view(np.float64)
    scaled *= np.abs(x)
    whole = np.floor(scaled)
    exponent >>= 52 - trailing
    exponent += whole.astype(np.int64)
    scaled -= whole
    return LinePoint(exponent, scaled, negative)
