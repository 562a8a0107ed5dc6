"""What a directed family is given, and how a family that takes one difficult place at a time becomes many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

import numpy as np

from fpgen.formats import Format

from .patterns import (
    U64,
    fractions,
)
from .terms import Codes, Term, Value


@dataclass(frozen=True)
class Draft:
    """What a family draws from: the terms and formats of a unit, a seeded generator, how many vectors."""

    terms: list[Term]
    operands: dict[str, Format]
    out: Format
    rng: np.random.Generator
    count: int

    def part(self, count: int) -> Draft:
        return Draft(self.terms, self.operands, self.out, self.rng, count)

    @property
    def signs(self) -> np.ndarray:
        return self.rng.random(self.count) < 0.5

    def steps(self, most: int) -> np.ndarray:
        """Whole numbers from -most to most."""
        return self.rng.integers(-most, most + 1, self.count)

    def exponents(self, term: Term, *, margin: int = 2) -> np.ndarray:
        """Exponents that the term reaches and at which the output has something to round."""
        low, high = term.range
        low = max(low, self.out.quantum_exponent - margin)
        high = min(high, self.out.emax + margin)
        return self.rng.integers(min(low, high), max(low, high) + 1, self.count)

    def value(self, term: Term, exponent: np.ndarray) -> Value:
        """Values of these exponents, of either sign, with significands in every style."""
        return Value(self.signs, exponent, 1 + (fractions(self.rng, self.count, term.precision) >> U64(12)) * 2.0**-52)

    def ordered(self) -> tuple[Term, Term]:
        """The two terms of a sum, in either order."""
        first, second = self.terms
        return (first, second) if self.rng.random() < 0.5 else (second, first)


Family = Callable[[Draft], Codes]


def in_pieces(family: Family, pieces: int = 8) -> Family:
    """A family drawn several times, so that choices made once a draw (which term leads) vary."""

    @wraps(family)
    def drawn(draft: Draft) -> Codes:
        parts = [family(draft.part(-(-draft.count // pieces))) for _ in range(pieces)]
        return {name: np.concatenate([part[name] for part in parts])[: draft.count] for name in parts[0]}

    return drawn
