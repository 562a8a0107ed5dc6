"""Exact results as big integers, for any operands of up to 64 bits.

A product has at most 128 bits. To add, product and addend are placed as they
are, at their true distance, in one integer that is wide enough, so nothing is
shifted out. Only when they are so far apart that the smaller one is below
everything that rounding looks at is it moved closer, to where that is still
so: it then counts only as "a little more" or "a little less", and it counts
the same from there.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np

from .decode import Unpacked
from .deliver import LinePoint, OutputLine
from .limbs import bit_length_64, carry, extract, limbs_for, multiply, negate_where, place, span, split

_FRACTION_BITS = 52  # of the fraction as a binary64 number, the last one sticky


class LimbNumber(NamedTuple):
    """Numbers ``+-limbs * 2**base``: limbs int64 (m, n), base int64 (n,), negative bool (n,)."""

    limbs: np.ndarray
    base: np.ndarray
    negative: np.ndarray


class Gaps(NamedTuple):
    """How far apart two terms may be, in bits from top to top, and the limbs that hold their sum.

    With x at the top, y below ``2**(top(x) - x_above)`` only tells on which side of x the sum is:
    that is no more than the lowest bit of x (its width is at most `x_above`) and no more than a quarter
    of the finest step that the rounder can distinguish, `kept` bits below the top of the sum, so no
    decision lies between.
    """

    x_above: int
    y_above: int
    limbs: int


@lru_cache(maxsize=256)
def gaps(x_width: int, y_width: int, kept: int) -> Gaps:
    """`Gaps` for significands of so many bits, when rounding looks at `kept` bits.

    The sum's leading bit may stand two below that of the larger term (tops are known but for one bit, and
    a little may be taken away); two more bits tell halves and "a little" from nothing.
    """
    x_above, y_above = max(x_width, kept + 6), max(y_width, kept + 6)
    width = max(x_above + y_width, y_above + x_width) + 2  # a carry and a sign
    return Gaps(x_above, y_above, limbs_for(width))


def product(factors: list[Unpacked], widths: list[int]) -> tuple[LimbNumber, np.ndarray]:
    """The exact product of one or two factors.

    Parameters
    ----------
    factors : list of Unpacked
    widths : list of int
        Significand bits of each.

    Returns
    -------
    LimbNumber
    top : ndarray of int64
        The magnitude is below ``2**top`` and, when not zero, at least ``2**(top - 2)``.
    """
    first = factors[0]
    top = first.exponent + bit_length_64(first.significand)
    if len(factors) == 1:
        limbs, base, negative = split(first.significand), first.exponent, first.negative
    else:
        second = factors[1]
        limbs = multiply(first.significand, second.significand)
        base = first.exponent + second.exponent
        negative = first.negative ^ second.negative
        top = top + second.exponent + bit_length_64(second.significand)
    return LimbNumber(limbs[: limbs_for(sum(widths))], base, negative), top


def add(x: LimbNumber, x_top: np.ndarray, x_width: int, y: Unpacked, y_width: int, kept: int) -> LimbNumber:
    """x + y; exact, or as good as exact when rounding looks at no more than `kept` bits.

    Parameters
    ----------
    x : LimbNumber
    x_top : ndarray of int64
        As `product` returns it.
    x_width, y_width : int
        Bits of the significands.
    y : Unpacked
    kept : int
        Precision of the output and random bits.
    """
    space = gaps(x_width, y_width, kept)
    x_base, y_base = x.base, y.exponent
    y_top = y_base + bit_length_64(y.significand)
    x_zero, y_zero = reduce(np.bitwise_or, x.limbs) == 0, y.significand == 0
    distance = np.where(x_zero | y_zero, 0, x_top - y_top)
    y_base = np.where(y_zero, x_base, y_base + np.maximum(distance - space.x_above, 0))
    x_base = np.where(x_zero, y_base, x_base + np.maximum(-distance - space.y_above, 0))
    base = np.minimum(x_base, y_base)
    total = place(x.limbs, x_base - base, space.limbs)
    total += place(split(y.significand)[: limbs_for(y_width)], y_base - base, space.limbs, x.negative ^ y.negative)
    below_zero = carry(total) < 0
    negate_where(total, below_zero)
    return LimbNumber(total, base, x.negative ^ below_zero)


def locate(x: LimbNumber, out: OutputLine) -> tuple[LinePoint, np.ndarray]:
    """Where exact numbers stand on the line of the codes of `out`.

    Returns
    -------
    LinePoint
        `below` is uint64.
    zero : ndarray of bool
        Which numbers are zero.
    """
    length, lowest = span(x.limbs)
    zero = length == 0
    if out.fmt.fixed:
        offset = out.fmt.scale - x.base
        huge = ~zero & (length - offset > 64)
    else:
        exponent = np.maximum(x.base + length - 1, out.emin)
        offset = exponent - (out.fmt.precision - 1) - x.base
        huge = ~zero & (exponent > max(out.emax, out.emin))
    whole = extract(x.limbs, offset)
    fraction = extract(x.limbs, offset - 64)
    lost = np.uint64(64 - _FRACTION_BITS)
    sticky = (lowest < offset - 64) | ((fraction & np.uint64((1 << (64 - _FRACTION_BITS)) - 1)) != 0)
    frac = ((fraction >> lost) | sticky).astype(np.float64) * 2.0**-_FRACTION_BITS
    if not out.fmt.fixed:
        binade = np.where(huge | zero, 0, exponent - out.emin).view(np.uint64)
        whole += binade << np.uint64(out.fmt.precision - 1)
    return LinePoint(whole, frac, x.negative, huge), zero
