"""Quotients of the exact model: fractions, cut far below every bit that a rounding looks at."""

from __future__ import annotations

from fractions import Fraction

from fpgen.formats.descriptor import Format

from .exact_round import Exact, finite


def floor_log2(value: Fraction) -> int:
    """The exponent of the binade of a positive number."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent if value >= Fraction(2) ** exponent else exponent - 1


def quotient_to_round(sign: int, quotient: Fraction, out: Format, random_bits: int = 0) -> Exact:
    """A positive quotient: as many bits as a rounding to `out` looks at, and the rest as its remainder."""
    lowest = min(floor_log2(quotient) - out.significand_bits, out.quantum_exponent)
    places = max(0, -lowest) + random_bits + 4
    scaled = quotient * Fraction(2) ** places
    whole = scaled.numerator // scaled.denominator
    return finite(sign, whole, -places, sticky=whole != scaled)
