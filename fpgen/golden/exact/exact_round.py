"""The definition of rounding: an exact number becomes a code and flags.

Python integers only, one number at a time, in the order in which
`fpgen.units.options` states the rules. Nothing here is fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from fpgen.formats.code_classes import Class
from fpgen.formats.descriptor import Format
from fpgen.units.options import Flags, Overflow, Rounding, Semantics, Tininess

NO_FLAGS = Flags(0)


@dataclass(frozen=True)
class Exact:
    """An exact number, an infinity or a NaN.

    Parameters
    ----------
    kind : Class
    sign : int
        0 or 1; zeros have one too. A NaN has none (0).
    significand, exponent : int
        The magnitude is ``significand * 2**exponent``; 0 and 0 unless `kind` is FINITE.
    invalid : bool
        The operation that made it was invalid (IEEE 754-2019, 7.2).
    divides_by_zero : bool
        It is infinite because finite operands were divided by zero (7.3); raises DZ.
    sticky : bool
        The magnitude is larger than ``significand * 2**exponent`` by less than ``2**exponent``: quotients and roots are
        not binary fractions. The significand must go further than any rounding looks, and `round_to` checks that.
    """

    kind: Class
    sign: int = 0
    significand: int = 0
    exponent: int = 0
    invalid: bool = False
    divides_by_zero: bool = False
    sticky: bool = False

    def __post_init__(self) -> None:
        if self.sticky and (self.kind is not Class.FINITE or not self.significand):
            raise ValueError("only a finite number that is not zero has a remainder")
        if self.divides_by_zero and self.kind is not Class.INFINITY:
            raise ValueError("a division by zero is infinite (IEEE 754-2019, 7.3)")

    @property
    def is_nan(self) -> bool:
        return self.kind is Class.NAN

    @property
    def is_infinite(self) -> bool:
        return self.kind is Class.INFINITY

    @property
    def is_zero(self) -> bool:
        return self.kind is Class.ZERO


def finite(sign: int, significand: int, exponent: int, sticky: bool = False) -> Exact:
    """``(-1)**sign * significand * 2**exponent``, a zero of that sign included; `sticky`: and a remainder."""
    if significand == 0:
        return Exact(Class.ZERO, sign)
    return Exact(Class.FINITE, sign, significand, exponent, sticky=sticky)


def round_to(
    value: Exact, out: Format, semantics: Semantics, *, mode: Rounding | None = None, random: int = 0
) -> tuple[int, Flags]:
    """Round an exact result once, and deliver it as a code of `out`.

    Parameters
    ----------
    value : Exact
    out : Format
    semantics : Semantics
    mode : Rounding, optional
        In place of ``semantics.rounding``; needed when that is PORT.
    random : int
        R of the stochastic modes, 0 <= R < 2**random_bits.

    Returns
    -------
    (int, Flags)
    """
    mode = mode or semantics.rounding
    if value.is_nan:
        code, flags = _deliver_nan(out)
    elif value.is_infinite:
        policy = Overflow.SATURATE if out.fixed else semantics.overflow
        code, flags = _deliver_infinity(value.sign, out, policy)
    elif value.is_zero:
        code, flags = _deliver_zero(value.sign, out)
    elif out.fixed:
        code, flags = _round_fixed(value, out, semantics, mode, random)
    else:
        code, flags = _round_floating(value, out, semantics, mode, random)
    flags |= Flags.NV if value.invalid else NO_FLAGS
    return code, flags | (Flags.DZ if value.divides_by_zero else NO_FLAGS)


# ---- rounding to an integer number of quanta -----------------------------------------------------


def rounds_up(
    mode: Rounding, sign: int, odd: bool, remainder: int, shift: int, random_bits: int = 0, random: int = 0
) -> bool:
    """Whether the magnitude ``(whole + remainder / 2**shift)`` goes to ``whole + 1``.

    IEEE 754-2019, 4.3; ToOdd and the stochastic modes as in IEEE P3109: with nu the fraction
    and R the N random bits, A: floor(nu 2**N) + R >= 2**N; B: floor(nu 2**(N+1)) + 2R+1 >= 2**(N+1);
    C: nu 2**N rounded to nearest even, + R >= 2**N.

    Parameters
    ----------
    odd : bool
        Whether `whole` stands for an odd code.
    remainder : int
        0 <= remainder < 2**shift
    """
    twice, one = 2 * remainder, 1 << shift
    match mode:
        case Rounding.RNE:
            return twice > one or (twice == one and odd)
        case Rounding.RNA:
            return twice >= one
        case Rounding.RTZ:
            return False
        case Rounding.RUP:
            return remainder > 0 and not sign
        case Rounding.RDN:
            return remainder > 0 and bool(sign)
        case Rounding.RAZ:
            return remainder > 0
        case Rounding.RTO:
            return remainder > 0 and not odd
        case Rounding.SRA:
            return (remainder << random_bits >> shift) + random >= 1 << random_bits
        case Rounding.SRB:
            return (remainder << random_bits + 1 >> shift) + 2 * random + 1 >= 1 << random_bits + 1
        case Rounding.SRC:
            scaled = remainder << random_bits
            whole, rest = scaled >> shift, scaled & (one - 1)
            nearest = whole + (2 * rest > one or (2 * rest == one and whole & 1 == 1))
            return nearest + random >= 1 << random_bits
        case Rounding.PORT:
            raise ValueError("rounding=port: the mode of one operation is needed")
    assert_never(mode)


def _to_quantum(
    value: Exact, quantum: int, out: Format, mode: Rounding, random_bits: int, random: int
) -> tuple[int, bool]:
    """(n, inexact): the magnitude rounded to ``n * 2**quantum``."""
    shift = quantum - value.exponent
    significand = value.significand
    if value.sticky:
        if shift < random_bits + 2:
            raise ValueError(f"a remainder {shift} places below the last bit; at least {random_bits + 2} are looked at")
        significand, shift = 2 * significand + 1, shift + 1  # which side of every boundary it is on is all that counts
    if shift <= 0:
        return significand << -shift, False
    whole, remainder = significand >> shift, significand & ((1 << shift) - 1)
    up = rounds_up(mode, value.sign, _is_odd(whole, quantum, out), remainder, shift, random_bits, random)
    return whole + up, remainder != 0


def _is_odd(whole: int, quantum: int, out: Format) -> bool:
    """Whether the code of ``whole * 2**quantum`` is odd.

    The last bit of the significand is the last bit of the code, but with precision 1 there is no such
    bit in the code: there the exponent field decides (IEEE P3109, "CodeIsEven").
    """
    if out.fixed or out.precision > 1 or whole == 0:
        return whole & 1 == 1
    return (quantum - out.emin + (1 if out.zero else 0)) & 1 == 1


# ---- floating-point results ----------------------------------------------------------------------


def _round_floating(value: Exact, out: Format, semantics: Semantics, mode: Rounding, random: int) -> tuple[int, Flags]:
    top = value.significand.bit_length() - 1 + value.exponent  # floor(log2 of the magnitude)
    choice = (out, mode, semantics.random_bits, random)

    # the result, with the exponent limited below and unbounded above
    quantum = max(top, out.emin) - out.precision + 1
    whole, inexact = _to_quantum(value, quantum, *choice)

    tiny = top < out.emin
    if tiny and semantics.tininess is Tininess.AFTER:  # rounded with an exponent unbounded below
        free = top - out.precision + 1
        unbounded, _ = _to_quantum(value, free, *choice)
        tiny = unbounded.bit_length() - 1 + free < out.emin
    if tiny and (semantics.subnormals.flush_outputs or not out.subnormals):
        code, _ = _deliver_zero(value.sign, out)
        return code, Flags.UF | Flags.NX

    if whole and value.sign and not out.signed:
        return _deliver_below_zero(out, semantics.overflow, mode)
    if _exceeds(whole, quantum, out):
        return _deliver_overflow(value.sign, out, semantics.overflow, mode), Flags.OF | Flags.NX
    flags = (Flags.NX if inexact else NO_FLAGS) | (Flags.UF if tiny and inexact else NO_FLAGS)
    if whole == 0:
        code, _ = _deliver_zero(value.sign, out)
        return code, flags
    return _encode(value.sign, whole, quantum, out), flags


def _exceeds(whole: int, quantum: int, out: Format) -> bool:
    """Whether ``whole * 2**quantum`` is larger than the largest finite value."""
    _, significand, exponent = out.decompose(out.max_finite_code)
    low = min(quantum, exponent)
    return whole << quantum - low > significand << exponent - low


def _encode(sign: int, whole: int, quantum: int, out: Format) -> int:
    """The code of a representable non-zero number, ``whole < 2**precision`` or the power of two above."""
    if whole == 1 << out.precision:
        whole, quantum = whole >> 1, quantum + 1
    hidden = 1 << out.trailing_bits
    if whole >= hidden:
        field = quantum + out.trailing_bits + out.bias
        magnitude = (field << out.trailing_bits) | (whole - hidden)
    else:
        magnitude = whole  # subnormal
    return magnitude | (out.sign_mask if sign else 0)


# ---- fixed-point results -------------------------------------------------------------------------


def _round_fixed(value: Exact, out: Format, semantics: Semantics, mode: Rounding, random: int) -> tuple[int, Flags]:
    whole, inexact = _to_quantum(value, out.scale, out, mode, semantics.random_bits, random)
    integer = -whole if value.sign else whole
    lowest, highest = _fixed_range(out)
    if not lowest <= integer <= highest:
        if semantics.overflow is Overflow.WRAP:
            return integer % (1 << out.bits), Flags.NV
        return (out.max_finite_code if integer > 0 else out.min_finite_code), Flags.NV
    return integer & ((1 << out.bits) - 1), Flags.NX if inexact else NO_FLAGS


def _fixed_range(out: Format) -> tuple[int, int]:
    """Lowest and highest integer that a fixed-point output delivers."""
    if not out.signed:
        return 0, out.max_finite_code
    return -(1 << out.bits - 1) + out.symmetric, out.max_finite_code


# ---- what is delivered instead -------------------------------------------------------------------


def _deliver_nan(out: Format) -> tuple[int, Flags]:
    return (out.nan_code, NO_FLAGS) if out.has_nan else (out.max_finite_code, Flags.NV)


def _deliver_zero(sign: int, out: Format) -> tuple[int, Flags]:
    """A zero of that sign where there is one; the smallest value, inexact, in formats without zero."""
    if not out.zero:
        return 0, Flags.NX
    return (out.sign_mask if sign and out.has_negative_zero else 0), NO_FLAGS


def _deliver_infinity(sign: int, out: Format, overflow: Overflow) -> tuple[int, Flags]:
    """An infinite exact result."""
    if sign and not out.signed:
        return _deliver_below_zero(out, overflow)
    if out.has_infinity and overflow is not Overflow.SATURATE:
        return out.infinity_code | (out.sign_mask if sign else 0), NO_FLAGS
    if overflow.gives_infinity(out) and out.has_nan:
        return out.nan_code, Flags.NV
    return _largest(sign, out), Flags.NV


def _deliver_overflow(sign: int, out: Format, overflow: Overflow, mode: Rounding) -> int:
    """A finite exact result that rounds beyond the largest finite value."""
    odd_away = overflow is Overflow.SATNONE_D1 or (overflow is Overflow.SATNONE and out.signed)
    match mode:
        case Rounding.RNE | Rounding.RNA | Rounding.RAZ | Rounding.SRA | Rounding.SRB | Rounding.SRC:
            away = True
        case Rounding.RTZ:
            away = False
        case Rounding.RTO:
            away = odd_away
        case Rounding.RUP:
            away = not sign
        case Rounding.RDN:
            away = bool(sign)
        case Rounding.PORT:
            raise ValueError("rounding=port: the mode of one operation is needed")
        case _:
            assert_never(mode)
    if not overflow.gives_infinity(out) or (overflow is not Overflow.INFINITE and not away):
        return _largest(sign, out)
    if out.has_infinity:
        return out.infinity_code | (out.sign_mask if sign else 0)
    return out.nan_code if out.has_nan else _largest(sign, out)


def _deliver_below_zero(out: Format, overflow: Overflow, mode: Rounding | None = None) -> tuple[int, Flags]:
    """A negative result in an unsigned output; `mode` where it is finite."""
    upward = overflow.sat_none and mode in (Rounding.RTZ, Rounding.RUP)
    to_nan = overflow.says_not_a_value and out.has_nan and not upward
    return (out.nan_code if to_nan else out.min_finite_code), Flags.NV


def _largest(sign: int, out: Format) -> int:
    return out.min_finite_code if sign and out.signed else out.max_finite_code
