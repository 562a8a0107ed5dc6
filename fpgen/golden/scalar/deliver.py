"""From a point on the line of the output's codes to the delivered code and flags.

The non-negative codes of a format stand for rising magnitudes, so a magnitude
has a place on the line of codes: the code below it, and how far it is on the
way to the next. Rounding is the choice between two integers, and a carry into
the exponent is nothing special. The line goes on beyond the largest finite
code as if the exponent had no end, which is what overflow is judged by.

In formats without zero the line is that of the same format with a zero (and
subnormals); the codes are shifted back at the end.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, assert_never

import numpy as np

from fpgen.formats.descriptor import Format
from fpgen.golden.result import code_dtype
from fpgen.units.options import Flags, Overflow, Rounding, Semantics, Tininess

from .modes import Mask, Modes, overflows_away, rounds_up

NX, UF, OF, DZ, NV = (np.uint8(flag) for flag in (Flags.NX, Flags.UF, Flags.OF, Flags.DZ, Flags.NV))


class LinePoint(NamedTuple):
    """Numbers as places on the line of codes; arrays of one shape.

    Attributes
    ----------
    below : ndarray of int64 or uint64
        The code at or below the magnitude.
    frac : ndarray of float64
        The way to the next code, 0 <= frac < 1, exact or rounded to odd below all that a mode looks at.
    negative : ndarray of bool
    huge : ndarray of bool, optional
        Magnitudes far above every code; their `below` and `frac` say nothing, but for what limbs become in fixed point:
        there `below` is modulo 2**64 and `frac` what it is.
    """

    below: np.ndarray
    frac: np.ndarray
    negative: np.ndarray
    huge: np.ndarray | None = None


class OutputLine(NamedTuple):
    """What the rounder needs to know of an output format, worked out once.

    `unit` is the code of the smallest normal number on the line (1 followed by the trailing bits);
    `shift` is what the line's codes are above the real ones (formats without zero).
    """

    fmt: Format
    emin: int
    emax: int
    unit: int
    shift: int
    max_code: int
    nan: int | None
    infinity: int | None
    dtype: np.dtype


@lru_cache(maxsize=256)
def target(fmt: Format) -> OutputLine:
    """The `OutputLine` of a format."""
    unit = 0 if fmt.fixed else 1 << fmt.trailing_bits
    shift = 0 if fmt.zero else unit
    return OutputLine(
        fmt,
        fmt.emin,
        fmt.emax,
        unit,
        shift,
        fmt.max_finite_code + shift,
        fmt.nan_code if fmt.has_nan else None,
        fmt.infinity_code if fmt.has_infinity else None,
        code_dtype(fmt.bits),
    )


def deliver(
    out: OutputLine,
    semantics: Semantics,
    modes: Modes,
    point: LinePoint,
    shadow: np.ndarray | None,
    invalid: np.ndarray | None,
    divided_by_zero: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Round, and apply everything that `units.options` says about the way out.

    Parameters
    ----------
    out : OutputLine
    semantics : Semantics
    modes : Modes
        The mode of every element.
    point : LinePoint
        The exact results, where they are finite.
    shadow : ndarray of float64, optional
        NaN and infinities stand for themselves; any finite number says that `point` holds.
    invalid : ndarray of bool, optional
        The operation itself was invalid.
    divided_by_zero : ndarray of bool, optional
        Infinite results of a division of finite numbers by zero (IEEE 754-2019, 7.3).

    Returns
    -------
    codes : ndarray of the narrowest unsigned dtype
    flags : ndarray of uint8
    """
    if out.fmt.fixed:
        codes, flags = _fixed(out, semantics, modes, point)
    else:
        codes, flags = _floating(out, semantics, modes, point)
    codes = codes.astype(out.dtype)
    if shadow is not None:
        _specials(out, semantics, shadow, np.flatnonzero(~np.isfinite(shadow)), codes, flags)
    if invalid is not None:
        flags |= invalid * NV
    if divided_by_zero is not None:
        flags |= divided_by_zero * DZ
    return codes, flags


def _floating(out: OutputLine, semantics: Semantics, modes: Modes, point: LinePoint) -> tuple[np.ndarray, np.ndarray]:
    below, frac, negative, huge = point
    up = rounds_up(modes, ((below ^ out.shift) & 1).astype(bool), frac, negative)
    code = below + up
    beyond = huge if huge is None else huge | (up & (code == 0))  # also where adding one left 64 bits
    flags = (frac != 0).view(np.uint8)
    low = below < out.unit
    if low.any():
        _low(out, semantics, modes, point, np.flatnonzero(low), code, flags)
    over = code > out.max_code
    if beyond is not None:
        over |= beyond
    unsayable = None if out.fmt.signed else negative & ((code != 0) | over)
    if out.shift:
        code = np.maximum(code, code.dtype.type(out.shift)) - code.dtype.type(out.shift)
    if out.fmt.has_negative_zero:
        code |= negative.astype(code.dtype) << (out.fmt.bits - 1)
    elif out.fmt.signed:
        code |= (negative & (code != 0)).astype(code.dtype) << (out.fmt.bits - 1)
    if over.any():
        index = np.flatnonzero(over)
        code[index] = _overflow(out, semantics, modes.take(index), negative[index])
        flags[index] = OF | NX
    if unsayable is not None and unsayable.any():
        index = np.flatnonzero(unsayable)
        code[index] = np.where(
            _stays_above_zero(semantics, modes.take(index)), out.fmt.min_finite_code, _below_zero(out, semantics)
        )
        flags[unsayable] = NV
    return code, flags


def _low(
    out: OutputLine,
    semantics: Semantics,
    modes: Modes,
    point: LinePoint,
    index: np.ndarray,
    code: np.ndarray,
    flags: np.ndarray,
) -> None:
    """Magnitudes below the smallest normal number, at `index`: tininess, flushing; changes `code`, `flags`."""
    below, frac, negative = point.below[index], point.frac[index], point.negative[index]
    nonzero = (below != 0) | (frac != 0)
    match semantics.tininess:
        case Tininess.BEFORE:
            tiny = nonzero
        case Tininess.AFTER:
            # With an unbounded exponent the gap below the smallest normal is half as wide. The number next to it
            # there has an odd significand of all ones; or, with precision 1, the code before the smallest normal's.
            nearly = (below == out.unit - 1) & (frac >= 0.5)
            odd = out.fmt.precision >= 2 or not out.fmt.zero
            tiny = nonzero & ~(nearly & rounds_up(modes.take(index), odd, 2 * frac - 1, negative))
        case _:
            assert_never(semantics.tininess)
    if semantics.subnormals.flush_outputs or not out.fmt.subnormals:
        code[index] = np.where(tiny, 0, code[index])
        flags[index] |= tiny * (UF | NX)
    else:
        flags[index] |= (tiny & (frac != 0)) * UF
    if not out.fmt.zero:
        flags[index] |= ~nonzero * NX


def _overflow(out: OutputLine, semantics: Semantics, modes: Modes, negative: np.ndarray) -> np.ndarray:
    """Codes delivered for magnitudes that are too large."""
    largest = _largest(out, negative)
    match semantics.overflow:
        case Overflow.SATURATE | Overflow.PROPAGATE | Overflow.WRAP:
            return largest
        case Overflow.INFINITE:
            return _infinity(out, negative)
        case Overflow.IEEE:
            odd_away = False
        case Overflow.SATNONE:
            if out.infinity is None:
                return largest
            odd_away = out.fmt.signed
        case Overflow.SATNONE_D1:
            odd_away = True
        case _:
            assert_never(semantics.overflow)
    return np.where(overflows_away(modes, negative, odd_away), _infinity(out, negative), largest)


def _largest(out: OutputLine, negative: np.ndarray) -> np.ndarray:
    """The largest finite value of each sign (the lowest value of an unsigned output)."""
    return np.where(negative, np.uint64(out.fmt.min_finite_code), np.uint64(out.fmt.max_finite_code))


def _infinity(out: OutputLine, negative: np.ndarray) -> np.ndarray:
    """Infinity of each sign, or NaN where the format has none."""
    if out.infinity is None:
        return np.full(negative.shape, out.nan, dtype=np.uint64)
    return np.where(negative, np.uint64(out.infinity | out.fmt.sign_mask), np.uint64(out.infinity))


def _below_zero(out: OutputLine, semantics: Semantics) -> int:
    """The code delivered for a negative result of an unsigned output."""
    return out.nan if semantics.overflow.says_not_a_value and out.nan is not None else out.fmt.min_finite_code


def _stays_above_zero(semantics: Semantics, modes: Modes) -> Mask:
    """Where P3109's SatNone takes a finite negative result of an unsigned output to the lowest value."""
    return semantics.overflow.sat_none and (modes.where(Rounding.RTZ) | modes.where(Rounding.RUP))


def _fixed(out: OutputLine, semantics: Semantics, modes: Modes, point: LinePoint) -> tuple[np.ndarray, np.ndarray]:
    """Two's complement or unsigned, saturating or (where `point` says what is modulo 2**64) wrapping around."""
    below, frac, negative, huge = point
    fmt = out.fmt
    up = rounds_up(modes, (below & 1).astype(bool), frac, negative)
    magnitude = below + up
    flags = (frac != 0).view(np.uint8)
    lowest = (1 << fmt.bits) - fmt.min_finite_code if fmt.signed else 0
    limit = np.where(negative, below.dtype.type(lowest), below.dtype.type(fmt.max_finite_code))
    over = magnitude > limit
    if huge is not None:
        over |= huge | (up & (magnitude == 0))  # also where adding one left 64 bits
    if over.any():
        if not _wraps(semantics.overflow):
            magnitude = np.where(over, limit, magnitude)
        flags[over] = NV
    return np.where(negative, np.zeros_like(magnitude) - magnitude, magnitude) & ((1 << fmt.bits) - 1), flags


def _wraps(overflow: Overflow) -> bool:
    """Whether a fixed-point output takes a number that is too large modulo its range."""
    match overflow:
        case Overflow.WRAP:
            return True
        case (
            Overflow.IEEE
            | Overflow.INFINITE
            | Overflow.SATURATE
            | Overflow.PROPAGATE
            | Overflow.SATNONE
            | Overflow.SATNONE_D1
        ):
            return False
        case _:
            assert_never(overflow)


def _keeps_infinities(overflow: Overflow) -> bool:
    """Whether an infinite result stays infinite where the output has an infinity."""
    match overflow:
        case Overflow.SATURATE:
            return False
        case (
            Overflow.IEEE
            | Overflow.INFINITE
            | Overflow.PROPAGATE
            | Overflow.SATNONE
            | Overflow.SATNONE_D1
            | Overflow.WRAP
        ):
            return True
        case _:
            assert_never(overflow)


def _specials(
    out: OutputLine, semantics: Semantics, shadow: np.ndarray, index: np.ndarray, codes: np.ndarray, flags: np.ndarray
) -> None:
    """Results that are NaN or infinite, at `index` of flat arrays; changes `codes`, `flags`."""
    shadow = shadow[index]
    negative = np.signbit(shadow)
    largest = _largest(out, negative)
    nan = np.uint64(out.fmt.max_finite_code if out.nan is None else out.nan)
    kept = out.infinity is not None and _keeps_infinities(semantics.overflow)
    if semantics.overflow.gives_infinity(out.fmt) or kept:
        infinite = _infinity(out, negative)
    else:
        infinite = largest
    unsayable = np.full(index.shape, not kept)
    if not out.fmt.signed:
        infinite = np.where(negative, np.uint64(_below_zero(out, semantics)), infinite)
        unsayable |= negative
    is_nan = np.isnan(shadow)
    codes[index] = np.where(is_nan, nan, infinite)
    flags[index] = np.where(is_nan, out.nan is None, unsayable) * NV
