"""How a figure grows along a curve: a + b*P + c*P**2 by least squares, with what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .data import Axis, Record, View

#: Fewer different P than this say nothing about three coefficients.
LEAST_POINTS = 5


@dataclass(frozen=True)
class Fit:
    """One curve.

    Attributes
    ----------
    series, parameter : str
        The curve, and the parameter P along it.
    axis : Axis
        The figure.
    a, b, c : float
        In the figure's unit (per P, per P**2).
    x, y, residuals : ndarray of shape (n,)
        P, the figure, and figure minus fit.
    """

    series: str
    parameter: str
    axis: Axis
    a: float
    b: float
    c: float
    x: np.ndarray
    y: np.ndarray
    residuals: np.ndarray

    @property
    def rms_percent(self) -> float:
        """Root mean square of the residuals, in per cent of the mean figure."""
        return 100 * float(np.sqrt(np.mean(self.residuals**2)) / np.mean(np.abs(self.y)))

    @property
    def worst_percent(self) -> float:
        """Largest residual, in per cent of its figure."""
        return 100 * float(np.max(np.abs(self.residuals) / np.maximum(np.abs(self.y), 1e-12)))

    @property
    def r2(self) -> float:
        """Part of the variance that the fit explains."""
        spread = float(np.sum((self.y - self.y.mean()) ** 2))
        return 1 - float(np.sum(self.residuals**2)) / spread if spread else 1.0

    @property
    def text(self) -> str:
        return f"{self.a:.4g} {_signed(self.b)}·{self.parameter} {_signed(self.c)}·{self.parameter}²"

    def at(self, x: np.ndarray) -> np.ndarray:
        return self.a + self.b * x + self.c * x**2


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'} {abs(value):.4g}"


def fit(x: Sequence[float], y: Sequence[float], *, series: str, parameter: str, axis: Axis) -> Fit | None:
    """The fit of one curve, or None where it has fewer than `LEAST_POINTS` different P."""
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(np.unique(xs)) < LEAST_POINTS:
        return None
    matrix = np.stack([np.ones_like(xs), xs, xs**2], axis=1)
    (a, b, c), *_ = np.linalg.lstsq(matrix, ys, rcond=None)
    return Fit(series, parameter, axis, float(a), float(b), float(c), xs, ys, ys - matrix @ np.array([a, b, c]))


def fits(view: View, axis: Axis, technology: str) -> list[Fit]:
    """A fit for every curve of a technology that is long enough; of each unit the record with the shortest delay."""
    found = []
    for series in view.series:
        points: list[tuple[float, float]] = []
        for record in view.best(record for record in view.good if belongs(view, record, series, technology)):
            x, y = view.along(record), axis.of(record)
            if x is not None and y is not None:
                points.append((x, y))
        points.sort()
        made = fit([x for x, _ in points], [y for _, y in points], series=series, parameter=view.scale, axis=axis)
        if made is not None:
            found.append(made)
    return found


def belongs(view: View, record: Record, series: str, technology: str) -> bool:
    """Whether a record is on that curve."""
    return record["technology"] == technology and view.series_of(record) == series
