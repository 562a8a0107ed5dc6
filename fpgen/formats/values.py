"""The value of a code as text that a person reads."""

from __future__ import annotations

from fractions import Fraction

from .code_classes import Class
from .descriptor import Format

_PLAIN_POWERS = 10  # powers of two within 2**-10 to 2**10 are written in decimal


def value_text(fmt: Format, code: int) -> str:
    """The value of `code`: exact, or the shortest decimal that only this binary64 number has.

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


def json_value(fmt: Format, code: int) -> int | float | str:
    """The value of `code` for JSON: `json_number` of a finite one (-0.0 for minus zero); else as `value_text`."""
    kind = fmt.classify(code)
    if kind is Class.ZERO:
        return -0.0 if fmt.is_negative(code) else 0
    return json_number(fmt.value(code)) if kind is Class.FINITE else value_text(fmt, code)


def json_number(value: Fraction) -> int | float | str:
    """An integer times a power of two as a JSON number where a reader with binary64 gets it exactly.

    That is an integer of up to 53 bits, else a binary64 number; what is neither is text, as `fraction_text` writes it.
    """
    if value.denominator == 1 and abs(value.numerator) < 1 << 53:
        return int(value)
    try:
        number = float(value)
    except OverflowError:
        return fraction_text(value)
    return number if number == value else fraction_text(value)


def fraction_text(value: Fraction, powers: bool = True) -> str:
    """An integer times a power of two as text; see `value_text`. `powers`: write powers of two as such."""
    sign = "-" if value < 0 else ""
    odd, power = abs(value.numerator), -(value.denominator.bit_length() - 1)
    if odd == 0:
        return "0"
    zeros = (odd & -odd).bit_length() - 1
    odd, power = odd >> zeros, power + zeros
    if powers and odd == 1 and abs(power) > _PLAIN_POWERS:
        return f"{sign}2^{power}"
    if power >= 0 and odd.bit_length() + power <= 64:
        return f"{sign}{odd << power}"
    if odd.bit_length() <= 53 and power >= -1074 and odd.bit_length() + power <= 1024:
        text = repr(float(Fraction(odd) * Fraction(2) ** power))
        return sign + text.removesuffix(".0")
    return f"{sign}{odd}*2^{power}"
