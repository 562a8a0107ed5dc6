"""Two figures against each other: fronts among units that compete, a panel for each technology and function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import labels, style
from .compete import among, fronts, group_of
from .data import DELAY, ERROR, LUTS, TOTAL, Axis, Record, View
from .figure import LEGEND, Plot, by_series, heading_of, legend

#: Functions that have separate panels; more share one, each with its own front.
_PANELS = 8
#: Up to so many marks of a panel say what they are.
_FEW = 14


@dataclass(frozen=True)
class _Part:
    """One panel's records: those of a technology, and of one function where `function` is not empty."""

    technology: str
    function: str
    records: list[Record]


def pareto(view: View, x: Axis, y: Axis, name: str, link: dict[int, str]) -> Plot | None:
    """Two figures against each other, or None where no record has both; what is beaten is hollow."""
    records = [record for record in view.good if x.of(record) is not None and y.of(record) is not None]
    if not records:
        return None
    parts = _parts(records, x, y)
    looks = style.looks(view.series)
    drawn, grid = style.figure(8.4, 4.8 if len(parts) == 1 else 4.2 * len(parts), nrows=len(parts), squeeze=False)
    beaten_in_all, panels = 0, []
    for part, panel in zip(parts, grid[:, 0], strict=True):
        kept, beaten = fronts(part.records, x, y)
        beaten_in_all += len(beaten)
        lines = _draw(view, panel, kept, beaten, x, y, looks, link)
        style.scale(panel.xaxis, panel.set_xscale, [value for r in part.records if (value := x.of(r)) is not None])
        style.scale(panel.yaxis, panel.set_yscale, [value for r in part.records if (value := y.of(r)) is not None])
        panel.set(xlabel=x.label, ylabel=y.label)
        style.title(
            panel,
            f"{heading_of(y)} against {x.title}, {part.technology}"
            + (f": {style.short(part.function, 60)}" if part.function else ""),
        )
        legend(view, panel, list(by_series(view, part.records)), looks, beaten=bool(beaten))
        panels.append((panel, part, kept, lines))
    style.arrange(drawn)
    numbered = False
    for panel, part, kept, lines in panels:
        texts, numbers = _labels(view, part.records, kept, x, y, looks)
        labels.place(panel, texts, [_place(r, x, y) for r in part.records], lines)
        numbered |= numbers
    caption = _caption(view, records, parts, beaten_in_all, x, y, numbered=numbered)
    return Plot(name, f"{heading_of(y)} against {x.title}", caption, drawn)


def _parts(records: Sequence[Record], x: Axis, y: Axis) -> list[_Part]:
    """What each panel shows: a technology; and a function, where several have more than one mark each."""
    found = []
    chosen = any(record.get("compete") for record in records)
    for technology in dict.fromkeys(str(record["technology"]) for record in records):
        there = [record for record in records if str(record["technology"]) == technology]
        groups: dict[str, list[Record]] = {}
        for record in there:
            groups.setdefault(group_of(record, x, y), []).append(record)
        several = [group for group, members in groups.items() if len({_place(r, x, y) for r in members}) > 1]
        if not chosen and 1 < len(groups) <= _PANELS and several:
            found += [_Part(technology, group, members) for group, members in groups.items()]
        else:
            found.append(_Part(technology, "", there))
    return found


def _place(record: Record, x: Axis, y: Axis) -> tuple[float, float]:
    return x.of(record) or 0.0, y.of(record) or 0.0


def _draw(
    view: View,
    panel: Any,
    kept: Sequence[Sequence[Record]],
    beaten: Sequence[Record],
    x: Axis,
    y: Axis,
    looks: dict[str, style.Look],
    link: dict[int, str],
) -> list[tuple[list[float], list[float]]]:
    """Marks and lines of one panel; returns the lines. A dominated mark keeps its curve's colour as its outline."""
    for series, marks in by_series(view, beaten).items():
        _marks(
            panel,
            marks,
            x,
            y,
            link,
            marker=looks[series].marker,
            s=26,
            facecolors="none",
            edgecolors=looks[series].colour,
            linewidths=0.9,
            zorder=2,
        )
    lines = _lines(view, panel, kept, x, y, looks)
    for series, marks in by_series(view, [record for front in kept for record in front]).items():
        _marks(
            panel,
            marks,
            x,
            y,
            link,
            marker=looks[series].marker,
            s=38,
            color=looks[series].colour,
            edgecolors="white",
            linewidths=0.5,
            zorder=4,
        )
    return lines


def _marks(panel: Any, records: Sequence[Record], x: Axis, y: Axis, link: dict[int, str], **look: Any) -> None:
    panel.scatter(
        [x.of(record) for record in records],
        [y.of(record) for record in records],
        urls=[link.get(id(record), "") for record in records],
        **look,
    )


def _lines(
    view: View, panel: Any, kept: Sequence[Sequence[Record]], x: Axis, y: Axis, looks: dict[str, style.Look]
) -> list[tuple[list[float], list[float]]]:
    """A line through each front; those of one curve are drawn as one, with gaps. Across curves it is black."""
    drawn: dict[str | None, tuple[list[float], list[float]]] = {}
    for front in kept:
        names = {view.series_of(record) for record in front}
        if len(front) > 1:
            xs, ys = drawn.setdefault(names.pop() if len(names) == 1 else None, ([], []))
            xs += [*(x.of(record) or 0.0 for record in front), np.nan]
            ys += [*(y.of(record) or 0.0 for record in front), np.nan]
    for name, (xs, ys) in drawn.items():
        colour, line = ("#000000", "-") if name is None else (looks[name].colour, looks[name].line)
        panel.plot(xs, ys, zorder=3, color=colour, linestyle=line, linewidth=1.2)
    return list(drawn.values())


def _labels(
    view: View,
    records: Sequence[Record],
    kept: Sequence[Sequence[Record]],
    x: Axis,
    y: Axis,
    looks: dict[str, style.Look],
) -> tuple[list[labels.Label], bool]:
    """The text beside marks: what each is where they are few, else the sweep's own number along a front.

    Returns
    -------
    (list of Label, bool)
        The second: whether they are such numbers.
    """

    def label(record: Record, text: str) -> labels.Label:
        return labels.Label(*_place(record, x, y), text, labels.dark(looks[view.series_of(record)].colour))

    numbers = [
        label(r, f"{view.along(r):g}")
        for front in kept
        for r in _numbered(view, front)
        if view.series_of(r) in view.curves
    ]
    if numbers:
        return (numbers, True) if len(numbers) <= labels.MOST else ([], False)
    texts = list(dict.fromkeys(label(record, style.short(view.label(record), 40)) for record in records))
    return (texts if 1 < len(texts) <= _FEW else []), False


def _numbered(view: View, front: Sequence[Record]) -> list[Record]:
    """Which marks of a front have a number: all, or the first where it would be the same at all."""
    placed = [record for record in front if view.along(record) is not None]
    return placed if len({view.along(record) for record in placed}) > 1 else placed[:1]


def _caption(
    view: View, records: Sequence[Record], parts: Sequence[_Part], beaten: int, x: Axis, y: Axis, *, numbered: bool
) -> str:
    """How to read the plot: what competes, what the marks mean, what a figure leaves out."""
    groups = {(str(record["technology"]), group_of(record, x, y)) for record in records}
    common = among(records, x, y)
    caption = "Each mark is one synthesised unit; down and to the left is better. "
    if len(groups) == len({(str(r["technology"]), str(r.get("unit")), _place(r, x, y)) for r in records}) > 1:
        caption += (
            f"Only {common} compete, and no two marks do here: they are shown together for their size; none is "
            "better than another."
        )
    else:
        caption += (
            f"Only {common} compete. Filled marks are not dominated (no competing one is as good in both "
            f"figures and better in one); the line joins them. Hollow marks are dominated ({beaten} of "
            f"{len(records)})."
        )
        if any(part.function for part in parts):
            caption += " Each function has its own panel, with its own axes."
    if numbered:
        caption += f" Numbers: {view.scale}."
    if DELAY in (x, y) and any(record.get("registers") for record in records):
        caption += " Delay is that of the longest path, between registers where there are any: the clock's period."
    if LUTS in (x, y) and any(record.get("dsps") for record in records):
        caption += " Multiplier blocks (DSPs) are not in the count of LUTs; the table has them."
    if ERROR in (x, y):
        caption += (
            " The error is that of the unit alone, against the exact result of its rounded operands: it does "
            "not cover what rounding the data into the operand formats costs."
        )
    if TOTAL in (x, y):
        caption += " The error is against the exact result of the unrounded data: rounding the operands is part of it."
    if len(view.series) > LEGEND:
        caption += f" {len(view.series)} curves are too many for a legend; point at a mark to see what it is."
    return caption + " A click on a mark leads to its line in the table."
