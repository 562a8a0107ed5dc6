"""How a figure grows along a curve: a + b*P + c*P**2 by least squares, with what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .data import Axis, View

#: Fewer different P than this do not determine three coefficients.
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
        """Root mean square of the residuals, in per cent of the mean figure; 0 where all figures are 0."""
        mean = float(np.mean(np.abs(self.y)))
        return 100 * float(np.sqrt(np.mean(self.residuals**2))) / mean if mean else 0.0

    @property
    def worst_percent(self) -> float:
        """Largest residual, in per cent of its figure; figures of 0 have no such thing."""
        return float(np.max(np.abs(self.percent[self.y != 0]), initial=0.0))

    @property
    def percent(self) -> np.ndarray:
        """Residuals in per cent of their figures, an array of shape (n,); NaN where the figure is 0."""
        share: np.ndarray = np.divide(self.residuals, self.y, out=np.full_like(self.y, np.nan), where=self.y != 0)
        return 100 * share

    @property
    def r2(self) -> float:
        """Part of the variance that the fit explains."""
        spread = float(np.sum((self.y - self.y.mean()) ** 2))
        return 1 - float(np.sum(self.residuals**2)) / spread if spread else 1.0

    @property
    def text(self) -> str:
        first = f"{'−' if self.a < 0 else ''}{abs(self.a):.4g}"
        return f"{first} {_signed(self.b)}·{self.parameter} {_signed(self.c)}·{self.parameter}²"

    def at(self, x: np.ndarray) -> np.ndarray:
        return self.a + self.b * x + self.c * x**2


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'} {abs(value):.4g}"


def fit(x: Sequence[float], y: Sequence[float], *, series: str, parameter: str, axis: Axis) -> Fit | None:
    """The fit of one curve, or None where it has fewer than `LEAST_POINTS` different P."""
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(np.unique(xs)) < LEAST_POINTS:
        return None
    fitted = np.polynomial.Polynomial.fit(xs, ys, 2)  # on P scaled to -1..1, or a large P would be ill-conditioned
    a, b, c = (*map(float, fitted.convert().coef), 0.0, 0.0)[:3]
    return Fit(series, parameter, axis, a, b, c, xs, ys, ys - fitted(xs))


def fits(view: View, axis: Axis, technology: str) -> list[Fit]:
    """A fit for every curve of a technology that is long enough; of each unit the record with the shortest delay."""
    found = []
    for series in view.series:
        points: list[tuple[float, float]] = []
        for record in view.best(record for record in view.members[series] if record["technology"] == technology):
            x, y = view.along(record), axis.of(record)
            if x is not None and y is not None:
                points.append((x, y))
        points.sort()
        made = fit([x for x, _ in points], [y for _, y in points], series=series, parameter=view.scale, axis=axis)
        if made is not None:
            found.append(made)
    return found
