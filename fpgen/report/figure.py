"""What plots have in common: a drawn figure with its caption, headings, legends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import style
from .data import Axis, Record, View
from .fits import Fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More curves than this make no legend anyone reads.
LEGEND = 16


@dataclass(frozen=True)
class Plot:
    """A drawn figure.

    Attributes
    ----------
    name : str
        Of its files.
    title, caption : str
        The caption says how to read it.
    figure : matplotlib.figure.Figure
    fits : tuple of Fit
        What its curves are.
    shares : tuple of (str, float, float, float)
        Section, and its share of a unit's area in per cent: on average, smallest, largest.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    fits: tuple[Fit, ...] = ()
    shares: tuple[tuple[str, float, float, float], ...] = ()


def by_series(view: View, records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records by their curve, in the order of the curves."""
    found: dict[str, list[Record]] = {series: [] for series in view.series}
    for record in records:
        found[view.series_of(record)].append(record)
    return {series: members for series, members in found.items() if members}


def heading_of(axis: Axis) -> str:
    return axis.title[0].upper() + axis.title[1:]


def legend(
    view: View,
    panel: Any,
    series: Sequence[str],
    looks: dict[str, style.Look],
    *,
    beaten: bool = False,
    lines: bool = False,
    levels: bool = False,
) -> None:
    """What each curve of a panel looks like, whether or not all its marks are dominated."""
    from matplotlib.lines import Line2D

    heading, names = view.legend
    if len(view.series) > LEGEND or len(series) + beaten < 2:
        return
    handles = [
        Line2D(
            [],
            [],
            color=looks[name].colour,
            markersize=6,
            linestyle=looks[name].line if lines else "none",
            marker="none" if levels and name not in view.curves else looks[name].marker,
        )
        for name in series
    ]
    if beaten:
        handles.append(Line2D([], [], linestyle="none", marker="o", markerfacecolor="none", markeredgecolor=style.DARK))
    style.legend(
        panel, handles, [*(names[name] for name in series), *(["hollow: dominated"] if beaten else [])], heading
    )
