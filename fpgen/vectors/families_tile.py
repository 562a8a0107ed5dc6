"""Vectors for a tile, from those of one dot product: rows of A, columns of B."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fpgen.units import TensorCore

from .families_array import Family, Make, Setting
from .families_sum import sum_families
from .patterns import nudge
from .terms import Codes

_LIKE_THE_FIRST = 0.6


def tiled(make: Make) -> Make:
    """The family for a tile, each of whose results is one of `make`, or nearly.

    Row i of A and column j of B are those of one dot product (most of them), or of another one of the family; so the
    event that the family aims at is in most results, and no two results need to be alike.
    """

    def drawn(setting: Setting) -> Codes:
        unit, rng = setting.unit, setting.rng
        assert isinstance(unit, TensorCore)
        one = make(replace(setting, unit=unit.dot))
        count = setting.count
        rows = _choose(rng, count, unit.m)
        columns = _choose(rng, count, unit.n)
        found = {
            name: array[rows] if name[0] == "a" else array[columns].swapaxes(1, 2)
            for name, array in one.items()
            if name != "c"
        }
        if unit.c is not None:
            steps = rng.integers(-2, 3, (count, unit.m, unit.n)) * (rng.random((count, unit.m, unit.n)) < 0.3)
            codes = np.broadcast_to(one["c"][:, None, None], steps.shape)
            found["c"] = np.where(steps != 0, nudge(unit.c, codes, steps), codes)
        return found

    return drawn


def _choose(rng: np.random.Generator, count: int, lines: int) -> np.ndarray:
    """Which dot product each line of the tile is taken from: its own, or any."""
    own = np.broadcast_to(np.arange(count)[:, None], (count, lines))
    return np.where(rng.random((count, lines)) < _LIKE_THE_FIRST, own, rng.integers(0, count, (count, lines)))


def tile_families(unit: TensorCore) -> dict[str, Family]:
    """The families of one of its dot products, for a tile."""
    return {name: replace(family, make=tiled(family.make)) for name, family in sum_families(unit.dot).items()}
