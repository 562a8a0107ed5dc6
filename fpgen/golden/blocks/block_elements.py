"""Elements of blocks by table: binary32 numbers divided by their scale, as an index.

A quotient that is rounded to an element format of precision P is decided by its exponent, P bits behind the leading
one, and whether any bit below is set. Exponents stop where everything rounds as its neighbours do::

    bits of a binary32 number   s eeeeeeee mmmmmmmmmmmmmmmmmmmmmmm
    divided by 2**x               - x
    cell                        s eeee     mmmm|........ sticky
    below quantum / 4: the first cell               four binades above the largest: the last

A scale that is no power of two makes an inexact quotient. One of binary32, by the scale's reciprocal, is within two
units of the exact one, so only quotients that close to an edge of a cell are looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fpgen.formats.descriptor import Format
from fpgen.golden.scalar.deliver import deliver, target
from fpgen.golden.scalar.float64_engine import locate
from fpgen.golden.scalar.modes import select_modes
from fpgen.golden.scalar.products import scratch
from fpgen.units.options import Rounding, Semantics

_SIGNLESS = np.uint32(0x7FFFFFFF)
_TRAILING = 23
_LARGEST_TABLE = 1 << 17
_SAFE = 120  # exponents of quotients that matter stay within plus or minus this
_SAME = frozenset({Rounding.RNE, Rounding.RNA, Rounding.RTZ})  # a tiny number rounds as a zero of its sign does
_NEAR = 4  # units; two are proven


@dataclass(frozen=True)
class Cells:
    """The table of an element format.

    Attributes
    ----------
    codes : ndarray
        Element codes by sign, cell and sticky bit.
    base : int
        Bits of the lower end of the first cell, as a binary32 number.
    drop : int
        Bits below the cell's.
    width : int
        Of an index without its sign.
    last : int
        The highest number in the last cell, from `base`.
    signed_zero : bool
        Zeros have a separate index (the first cell without a sticky bit).
    """

    codes: np.ndarray
    base: int
    drop: int
    width: int
    last: int
    signed_zero: bool

    @property
    def lowest(self) -> int:
        """Exponent of the first cell: numbers below twice that are as good as zero, or as tiny."""
        return (self.base >> _TRAILING) - 127


@lru_cache(maxsize=64)
def cells_for(element: Format, semantics: Semantics) -> Cells | None:
    """The `Cells` of an element format; None where there is no short table."""
    mode = semantics.rounding
    if mode is Rounding.PORT or mode.stochastic:
        return None
    first, last = element.quantum_exponent - 2, element.emax + 3
    drop = _TRAILING - element.significand_bits
    if drop < 4 or first < -_SAFE or last > _SAFE:
        return None
    count = (last - first + 1) << element.significand_bits
    width = (2 * count - 1).bit_length()
    if 2 << width > _LARGEST_TABLE or count << drop > 1 << 30:  # `by_power` doubles a place, in 32 bits with a sign
        return None
    base = (first + 127) << _TRAILING
    index = np.arange(1 << width, dtype=np.int64)
    cell = np.minimum(index >> 1, count - 1)
    bits = (base + (cell << drop) + (index & 1)).astype(np.uint32)
    values = bits.view(np.float32).astype(np.float64)
    values[0] = 0.0
    values = np.concatenate([values, -values])
    to = target(element)
    with np.errstate(all="ignore"):
        codes, _ = deliver(to, semantics, select_modes(mode, None, None, 0), locate(values, to), None, None)
    return Cells(codes, base, drop, width, (count << drop) - 1, mode not in _SAME)


def by_power(cells: Cells, bits: np.ndarray, exponents: np.ndarray, out: np.ndarray) -> None:
    """Elements of ``x / 2**exponent``, written into `out`.

    Parameters
    ----------
    cells : Cells
    bits : ndarray of uint32, shape (blocks, size)
        Finite binary32 numbers.
    exponents : ndarray of int32, shape (blocks,)
        Subnormal numbers must fall into the first cell: -126 - exponent <= `cells.lowest`.
    out : ndarray of codes, shape (blocks, size)
    """
    place = scratch("place", bits.shape, np.int32)
    upper = scratch("upper", bits.shape, np.int32)
    np.bitwise_and(bits, _SIGNLESS, out=place.view(np.uint32))
    least: np.ndarray | np.int32 = np.int32(0)
    if cells.signed_zero:
        least = np.minimum(place, np.int32(1))
    place -= ((exponents << _TRAILING) + np.int32(cells.base))[:, None]
    np.maximum(place, least, out=place)
    np.minimum(place, np.int32(cells.last), out=place)
    lost = np.int32((1 << cells.drop) - 1)
    # 2 * cell + sticky, as (2 * upper + lower + lost) >> drop
    np.bitwise_and(place, ~lost, out=upper)
    place += upper
    place += lost
    place >>= np.int32(cells.drop)
    _look_up(cells, bits, place, upper, out)


def by_ratio(cells: Cells, bits: np.ndarray, divisor: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Elements of ``x / divisor``, written into `out`; returns which are to be looked at again.

    Parameters
    ----------
    cells : Cells
    bits : ndarray of uint32, shape (blocks, size)
        Finite binary32 numbers.
    divisor : ndarray of float64, shape (blocks,)
        Within 2**-100 to 2**100.
    out : ndarray of codes, shape (blocks, size)

    Returns
    -------
    ndarray of int64
        Places in the flat `out`.
    """
    quotient = scratch("quotient", bits.shape, np.float32)
    place = quotient.view(np.int32)
    upper = scratch("upper", bits.shape, np.int32)
    np.multiply(bits.view(np.float32), (1.0 / divisor).astype(np.float32)[:, None], out=quotient)
    place &= np.int32(_SIGNLESS)
    place -= np.int32(cells.base)
    half = np.int32(1 << cells.drop - 1)  # the ends of the range are moved into the middle of their cells
    np.maximum(place, half, out=place)
    np.minimum(place, np.int32(cells.last) - half, out=place)
    np.add(place, np.int32(_NEAR), out=upper)
    upper &= np.int32((1 << cells.drop) - 1)
    near = upper <= 2 * _NEAR
    if cells.signed_zero:
        near |= (bits & _SIGNLESS) == 0
    place >>= np.int32(cells.drop)
    place += place
    place |= np.int32(1)
    _look_up(cells, bits, place, upper, out)
    return np.flatnonzero(near)


def _look_up(cells: Cells, bits: np.ndarray, place: np.ndarray, sign: np.ndarray, out: np.ndarray) -> None:
    """Codes of the cells at `place`; `sign` is space to work in."""
    np.right_shift(bits, np.uint32(31 - cells.width), out=sign.view(np.uint32))
    sign &= np.int32(1 << cells.width)
    place |= sign
    cells.codes.take(place, mode="clip", out=out)
