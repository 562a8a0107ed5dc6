"""What an operation sums: codes of one operand, or products of two. Families speak to terms, not to operations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fpgen.formats import Format

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
        return np.where(self.negative, -magnitude, magnitude)


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


Term = Single | Product


def multiply(a: Value, b: Value) -> Value:
    """The product, to float64 precision."""
    mantissa, shift = np.frexp(a.mantissa * b.mantissa)
    return Value(a.negative ^ b.negative, a.exponent + b.exponent + shift - 1, mantissa * 2)


def terms_of(unit) -> list[Term]:
    """The terms that `unit` sums (of a multiply-accumulate: the product and the accumulator, named `c`)."""
    names = list(unit.operands.items())
    singles = [Single(name, fmt) for name, fmt in names]
    if unit.operation in ("multiply", "fma", "mac"):
        product = Product(singles[0], singles[1])
        if unit.operation == "mac":
            return [product, Single("c", unit.out)]
        return [product, *singles[2:]]
    return list(singles)
