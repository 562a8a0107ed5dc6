"""What an operation sums: codes of one operand, or products of two. Families speak to terms, not to operations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.formats import Format
from fpgen.units.base import Unit
from fpgen.units.operations import Terms, card_of
from fpgen.units.options import Overflow
from fpgen.units.rounded import RoundedUnit

from .patterns import encode, exponents_of, fraction_of, fractions, measure, nudge

Codes = dict[str, np.ndarray]


@dataclass(frozen=True)
class Value:
    """Arrays of values, as far as families need them: sign, exponent and mantissa (float64 in [1, 2), 0 for zero)."""

    negative: np.ndarray
    exponent: np.ndarray
    mantissa: np.ndarray

    def minus(self, other: Value) -> Value:
        """The difference, to float64 precision; terms 900 binades apart are not summed but clipped."""
        top = np.maximum(self.exponent, other.exponent)
        x = self._scaled(top) - other._scaled(top)
        mantissa, shift = np.frexp(np.abs(x))
        return Value(x < 0, top + shift - 1, mantissa * 2)

    def negated(self) -> Value:
        return Value(~self.negative, self.exponent, self.mantissa)

    def _scaled(self, top: np.ndarray) -> np.ndarray:
        magnitude = np.ldexp(self.mantissa, np.clip(self.exponent - top, -900, 0).astype(np.int32))
        value: np.ndarray = np.where(self.negative, -magnitude, magnitude)
        return value


@dataclass(frozen=True)
class Single:
    """One operand.

    Parameters
    ----------
    name : str
        The port.
    format : Format
    """

    name: str
    format: Format

    @property
    def names(self) -> tuple[str, ...]:
        """The operands it consists of."""
        return (self.name,)

    @property
    def range(self) -> tuple[int, int]:
        """Exponents it reaches."""
        return exponents_of(self.format)

    @property
    def precision(self) -> int:
        return self.format.significand_bits

    def near(self, rng: np.random.Generator, value: Value, steps: np.ndarray) -> tuple[Codes, Value]:
        """Codes `steps` codes away from `value` truncated, and what they stand for."""
        mantissa = np.where(value.mantissa >= 1, value.mantissa, 1.0)
        codes = encode(self.format, value.negative, value.exponent, fraction_of(mantissa))
        codes = np.where(value.mantissa >= 1, codes, np.uint64(0))
        codes = nudge(self.format, codes, steps)
        return {self.name: codes}, Value(*measure(self.format, codes))

    def exactly(
        self, rng: np.random.Generator, negative: np.ndarray, exponent: np.ndarray, fraction: np.ndarray
    ) -> tuple[Codes, Value]:
        """Codes of ``2**exponent * 1.fraction`` (all 64 bits of the fraction count)."""
        codes = encode(self.format, negative, exponent, fraction)
        return {self.name: codes}, Value(*measure(self.format, codes))


@dataclass(frozen=True)
class Product:
    """The product of two operands."""

    first: Single
    second: Single

    @property
    def names(self) -> tuple[str, ...]:
        return (self.first.name, self.second.name)

    @property
    def range(self) -> tuple[int, int]:
        (low_a, high_a), (low_b, high_b) = self.first.range, self.second.range
        return low_a + low_b, high_a + high_b + 1

    @property
    def precision(self) -> int:
        return self.first.precision + self.second.precision

    def _first(
        self, rng: np.random.Generator, negative: np.ndarray, exponent: np.ndarray, fraction: np.ndarray
    ) -> tuple[Codes, Value]:
        """A first factor for a product of this exponent: one that leaves the second factor in its range."""
        (low_a, high_a), (low_b, high_b) = self.first.range, self.second.range
        low = np.clip(exponent - high_b - 1, low_a, high_a)
        high = np.clip(exponent - low_b, low_a, high_a)
        chosen = rng.integers(np.minimum(low, high), np.maximum(low, high) + 1)
        # A quarter with the first factor normal and near the middle, where formats meet.
        return self.first.exactly(rng, negative, chosen, fraction)

    def near(self, rng: np.random.Generator, value: Value, steps: np.ndarray) -> tuple[Codes, Value]:
        """Factors whose product is about `value`: the second factor is `steps` codes off the quotient."""
        count = len(value.exponent)
        sign = rng.random(count) < 0.5 if self.first.format.signed else np.zeros(count, bool)
        codes_a, a = self._first(rng, sign, value.exponent, fractions(rng, count, self.first.precision))
        safe = np.where(a.mantissa >= 1, a.mantissa, 1.0)
        quotient, shift = np.frexp(np.where(value.mantissa >= 1, value.mantissa, 1.0) / safe)
        wanted = Value(
            value.negative ^ a.negative,
            value.exponent - a.exponent + shift - 1,
            np.where(value.mantissa >= 1, quotient * 2, 0.0),
        )
        codes_b, b = self.second.near(rng, wanted, steps)
        return codes_a | codes_b, multiply(a, b)

    def exactly(
        self, rng: np.random.Generator, negative: np.ndarray, exponent: np.ndarray, fraction: np.ndarray
    ) -> tuple[Codes, Value]:
        """A product of exactly this value where one factor can carry the fraction; the other is a power of two."""
        count = len(exponent)
        zeros = np.zeros(count, np.uint64)
        sign = rng.random(count) < 0.5 if self.first.format.signed else np.zeros(count, bool)
        swap = rng.random(count) < 0.5
        codes_a, a = self._first(rng, sign, exponent, np.where(swap, fraction, zeros))
        codes_b, b = self.second.exactly(rng, negative ^ sign, exponent - a.exponent, np.where(swap, zeros, fraction))
        return codes_a | codes_b, multiply(a, b)


@dataclass(frozen=True)
class Square:
    """The square of an operand."""

    root: Single

    @property
    def names(self) -> tuple[str, ...]:
        return (self.root.name,)

    @property
    def range(self) -> tuple[int, int]:
        low, high = self.root.range
        return 2 * low, 2 * high + 1

    @property
    def precision(self) -> int:
        return 2 * self.root.precision

    def near(self, rng: np.random.Generator, value: Value, steps: np.ndarray) -> tuple[Codes, Value]:
        """Operands whose square is about `value`: `steps` codes off its root; squares have one sign."""
        odd = value.exponent & 1
        safe = np.where(value.mantissa >= 1, value.mantissa, 1.0)
        mantissa = np.where(value.mantissa >= 1, np.sqrt(np.where(odd == 1, 2 * safe, safe)), 0.0)
        negative = rng.random(len(value.exponent)) < 0.5 if self.root.format.signed else np.zeros_like(odd, bool)
        codes, root = self.root.near(rng, Value(negative, (value.exponent - odd) // 2, mantissa), steps)
        return codes, multiply(root, root)

    def exactly(
        self, rng: np.random.Generator, negative: np.ndarray, exponent: np.ndarray, fraction: np.ndarray
    ) -> tuple[Codes, Value]:
        """The square of an operand with this fraction, in or just below this binade: few numbers are squares."""
        codes, root = self.root.exactly(rng, negative, exponent // 2, fraction)
        return codes, multiply(root, root)


Term = Single | Product | Square


def multiply(a: Value, b: Value) -> Value:
    """The product, to float64 precision."""
    mantissa, shift = np.frexp(a.mantissa * b.mantissa)
    return Value(a.negative ^ b.negative, a.exponent + b.exponent + shift - 1, mantissa * 2)


def aim_of(unit: Unit) -> Format:
    """The format whose range directed families aim at: the output's, or an operand's where results are not numbers."""
    if isinstance(unit, RoundedUnit):
        return unit.out
    return max(unit.operands.values(), key=lambda fmt: fmt.precision)


def wraps_around(unit: Unit) -> bool:
    """Whether results are modulo the output's range."""
    return isinstance(unit, RoundedUnit) and unit.overflow is Overflow.WRAP


def terms_of(unit: Unit) -> list[Term]:
    """The terms that a unit with scalar operands sums, from its card.

    An addend that is not an operand is the accumulator of a stateful unit: a code of its output.

    Raises
    ------
    UsageError
        When the operation has no directed families.
    """
    made = card_of(unit).families
    if not isinstance(made, Terms):
        raise UsageError(f"{unit.operation} has no directed families of scalar operands")
    factors = [Single(name, unit.operands[name]) for name in made.product]
    terms: list[Term] = []
    match factors:
        case [one]:
            terms.append(one)
        case [first, second] if first == second:
            terms.append(Square(first))
        case [first, second]:
            terms.append(Product(first, second))
        case _:
            raise UsageError(f"directed families of {unit.operation}: got {len(factors)} factors; expected 1 or 2")
    if made.addend is not None:
        terms.append(Single(made.addend, unit.operands.get(made.addend, aim_of(unit))))
    return terms
