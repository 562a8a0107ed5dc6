"""The value of a code as text that a person reads."""

from __future__ import annotations

from fractions import Fraction

from .descriptor import Class, Format

_PLAIN_POWERS = 10  # powers of two within 2**-10 to 2**10 are written in decimal


def value_text(fmt: Format, code: int) -> str:
    """The value of `code`: exact, or the shortest decimal that is no other binary64 number.

    Parameters
    ----------
    fmt : Format
    code : int
        0 <= code < 2**bits

    Returns
    -------
    str
        ``inf``, ``-inf``, ``NaN``, ``sNaN``, a decimal number, or ``2^-127`` and ``3*2^2000`` where
        decimals say less. Zeros have their sign.
    """
    kind = fmt.classify(code)
    sign = "-" if fmt.is_negative(code) else ""
    if kind is Class.NAN:
        return "sNaN" if fmt.is_signaling(code) else "NaN"
    if kind is Class.INFINITY:
        return f"{sign}inf"
    if kind is Class.ZERO:
        return f"{sign}0"
    return fraction_text(fmt.value(code))


def fraction_text(value: Fraction) -> str:
    """An integer times a power of two as text; see `value_text`."""
    sign = "-" if value < 0 else ""
    odd, power = abs(value.numerator), -(value.denominator.bit_length() - 1)
    if odd == 0:
        return "0"
    zeros = (odd & -odd).bit_length() - 1
    odd, power = odd >> zeros, power + zeros
    if odd == 1 and abs(power) > _PLAIN_POWERS:
        return f"{sign}2^{power}"
    if power >= 0 and odd.bit_length() + power <= 64:
        return f"{sign}{odd << power}"
    if odd.bit_length() <= 53 and power >= -1074 and odd.bit_length() + power <= 1024:
        text = repr(float(Fraction(odd) * Fraction(2) ** power))
        return sign + text.removesuffix(".0")
    return f"{sign}{odd}*2^{power}"
