"""Which families a unit with array ports is shown, how often, and how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fpgen.units import Unit, layer

from .terms import Codes


@dataclass(frozen=True)
class Setting:
    """What a family draws from: a unit, a seeded generator, how many vectors, and the index of the first of them."""

    unit: Unit
    rng: np.random.Generator
    count: int
    offset: int = 0

    @property
    def index(self) -> np.ndarray:
        """Indices of the vectors in their family, for what goes through positions and distances in turn."""
        return np.arange(self.offset, self.offset + self.count)


#: From a setting to one array of codes of shape ``(count, *port.shape)`` for each operand.
Make = Callable[[Setting], Codes]


@dataclass(frozen=True)
class Family:
    """One family.

    Parameters
    ----------
    make : callable
    share : float
        Of the constrained random vectors; 0 for a directed one.
    exactly : int
        Vectors that make the family complete; 0 where any number serves.
    """

    make: Make
    share: float = 0.0
    exactly: int = 0


@lru_cache(maxsize=256)
def families_of(unit: Unit) -> dict[str, Family]:
    """The families of a unit with array ports, by name."""
    families: dict[str, Family] = layer(unit, "families")(unit)
    return families


def family_sizes(unit: Unit, random_vectors: int, most: int) -> list[tuple[str, int]]:
    """Families with their numbers of vectors: of each directed one a sixteenth of the random ones, at most `most`."""
    directed = min(most, max(256, random_vectors // 16))
    sizes = []
    for name, family in families_of(unit).items():
        if family.share:
            count = math.ceil(random_vectors * family.share)
        else:
            count = family.exactly if 0 < family.exactly <= 4 * random_vectors else directed
        sizes.append((name, count))
    return sizes


def draw(unit: Unit, name: str, rng: np.random.Generator, offset: int, count: int) -> Codes:
    """`count` vectors of a family, from its vector `offset` on."""
    return families_of(unit)[name].make(Setting(unit, rng, count, offset))


def ordinary(unit: Unit, rng: np.random.Generator, count: int) -> Codes:
    """Vectors of the first random family, with different results."""
    name = next(name for name, family in families_of(unit).items() if family.share)
    return draw(unit, name, rng, 0, count)
