"""Quotients of the exact model: fractions, cut far below every bit that a rounding looks at."""

from __future__ import annotations

from fractions import Fraction

from .exact_round import Exact, finite


def floor_log2(value: Fraction) -> int:
    """The exponent of the binade of a positive number."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent if value >= Fraction(2) ** exponent else exponent - 1


def quotient_to_round(sign: int, quotient: Fraction, random_bits: int = 0) -> Exact:
    """A positive quotient, cut.

    It keeps bits enough for any rounding to any format of up to 64 bits, and the rest as a sticky bit below them: it is
    exact only when the quotient is a binary fraction, but which side of every boundary it lies on is kept.
    """
    places = 64 + max(0, -floor_log2(quotient)) + 2 * random_bits
    scaled = quotient * Fraction(2) ** places
    whole = scaled.numerator // scaled.denominator
    return finite(sign, whole << 1 | int(whole != scaled), -places - 1)
