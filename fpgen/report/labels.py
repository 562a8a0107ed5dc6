"""Short labels beside marks, where they hide neither marks nor each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: More labels than this in one plot are noise.
MOST = 40
_POINTS = 8.0  # size of the text
_AWAY = 5.0  # points between a mark's centre and its label
_OVER = 20.0  # points that a label may reach beyond the right edge, where the legend is
_STEP = 6.0  # pixels between the places of a line that are looked at


@dataclass(frozen=True)
class Label:
    """A text for the mark at (x, y), in the figure's units."""

    x: float
    y: float
    text: str
    colour: str


def place(
    panel: Any,
    labels: Sequence[Label],
    marks: Sequence[tuple[float, float]],
    lines: Sequence[tuple[Sequence[float], Sequence[float]]] = (),
) -> None:
    """Write labels beside their marks, each in the one of four corners that hides least.

    A label that would overlap another one, or outside the axes, is left out. The limits and the place of `panel`
    in its figure must be final.

    Parameters
    ----------
    panel : matplotlib.axes.Axes
    labels : sequence of Label
    marks : sequence of (float, float)
        All marks of the panel, in data coordinates.
    lines : sequence of (xs, ys)
        Lines that a label should not cover.
    """
    if not labels:
        return
    labels = list(dict.fromkeys(labels))  # two delay targets often give the same netlist: one mark, one label
    panel.autoscale_view()
    scale = panel.figure.dpi / 72
    frame = panel.get_window_extent()
    dots = _pixels(panel, marks)
    strokes = (
        np.concatenate([_along(_pixels(panel, list(zip(xs, ys, strict=True)))) for xs, ys in lines])
        if lines
        else np.empty((0, 2))
    )
    taken: list[tuple[float, float, float, float]] = []
    for label, (x, y) in zip(labels, _pixels(panel, [(label.x, label.y) for label in labels]), strict=True):
        wide, high = (0.62 * len(label.text) + 0.3) * _POINTS * scale, 1.1 * _POINTS * scale
        best = None
        for right, up in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
            left = x + _AWAY * scale * 0.8 if right > 0 else x - _AWAY * scale * 0.8 - wide
            low = y + _AWAY * scale * 0.6 if up > 0 else y - _AWAY * scale * 0.6 - high
            box = (left, low, left + wide, low + high)
            over = min(wide, _OVER * scale)
            if (
                left < frame.x0
                or box[2] > frame.x1 + over
                or low < frame.y0
                or box[3] > frame.y1 + high
                or any(_meet(box, other) for other in taken)
            ):
                continue
            hidden = 10 * _within(dots, box, 3 * scale) + _within(strokes, box, 0)
            if best is None or hidden < best[0]:
                best = (hidden, right, up, box)
        if best is not None:
            _, right, up, box = best
            taken.append(box)
            panel.annotate(
                label.text,
                (label.x, label.y),
                fontsize=_POINTS,
                textcoords="offset points",
                xytext=(right * _AWAY * 0.8, up * _AWAY * 0.6),
                color=label.colour,
                ha="left" if right > 0 else "right",
                va="bottom" if up > 0 else "top",
                zorder=5,
            )


def dark(colour: str) -> str:
    """A colour darkened for text: seven tenths of each channel."""
    return "#" + "".join(f"{int(0.7 * int(colour[at : at + 2], 16)):02X}" for at in (1, 3, 5))


def _pixels(panel: Any, points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Points of the data, an array of shape (n, 2) in pixels."""
    return np.asarray(panel.transData.transform(np.asarray(points, dtype=float).reshape(-1, 2)))


def _along(corners: np.ndarray) -> np.ndarray:
    """Places along a broken line, an array of shape (n, 2) in pixels; gaps (NaN) stay gaps."""
    found = [np.empty((0, 2))]
    for start, end in itertools.pairwise(corners):
        length = float(np.hypot(*(end - start)))
        if np.isfinite(length):
            found.append(start + np.linspace(0, 1, int(length / _STEP) + 2)[:, None] * (end - start))
    return np.concatenate(found)


def _within(points: np.ndarray, box: tuple[float, float, float, float], slack: float) -> int:
    left, low, right, high = box
    x, y = points[:, 0], points[:, 1]
    return int(np.count_nonzero((x > left - slack) & (x < right + slack) & (y > low - slack) & (y < high + slack)))


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
