"""Tables of the non-linear delay model: delays, slews and energies by two axes, interpolated as OpenSTA does."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Table:
    """A table of values over two axes; an axis that the library leaves out has length 1.

    Attributes
    ----------
    x : array of shape (n,)
        Input slew in ps; of a constraint, the slew of the constrained pin.
    y : array of shape (m,)
        Output load in fF; of a constraint, the slew of the related (clock) pin in ps.
    values : array of shape (n, m)
        Delay, slew or constraint in ps; energy in fJ.
    """

    x: Floats
    y: Floats
    values: Floats

    def at(self, x: float, y: float) -> float:
        """Bilinear interpolation; beyond the axes the outermost cell is extended."""
        (i, p), (j, q) = _place(self.x, x), _place(self.y, y)
        v = self.values
        low = v[i, j] + (q * (v[i, j + 1] - v[i, j]) if q else 0.0)
        if not p:
            return float(low)
        high = v[i + 1, j] + (q * (v[i + 1, j + 1] - v[i + 1, j]) if q else 0.0)
        return float(low + p * (high - low))


def same(one: object, other: object) -> bool:
    """Whether two records of a library say the same, tables compared value by value."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)  # type: ignore[arg-type]
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    if is_dataclass(one):
        return all(same(getattr(one, item.name), getattr(other, item.name)) for item in fields(one))
    return one == other


def _place(axis: Floats, value: float) -> tuple[int, float]:
    """Interval of the axis to use and the fraction along it."""
    if len(axis) == 1:
        return 0, 0.0
    index = min(max(int(np.searchsorted(axis, value, side="right")) - 1, 0), len(axis) - 2)
    return index, float((value - axis[index]) / (axis[index + 1] - axis[index]))
