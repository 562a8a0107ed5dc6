"""The plots of a report; each function draws one, or says by None that the store has nothing for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import labels, style
from .compete import function_of
from .data import AREA, DELAY, ENERGY, ERROR, FMAX, LATENCY, LUTS, REGISTERS, TOTAL, Axis, Record, View, sections_of
from .figure import LEGEND, Plot, by_series, heading_of, legend
from .fits import fits
from .pareto import pareto

_BARS = 40


def all_plots(view: View, link: dict[int, str]) -> list[Plot]:
    """Every plot that the store has something for, in reading order.

    Parameters
    ----------
    view : View
    link : dict
        `id` of a record to the place in the page that its mark points to.
    """
    found: list[Plot | None] = [pareto(view, DELAY, AREA, "area-delay", link)]
    if view.has(LUTS):
        found.append(pareto(view, DELAY, LUTS, "luts-delay", link))
    if view.has(ENERGY):
        found.append(pareto(view, ENERGY, AREA, "area-energy", link))
    if view.has(ERROR):
        found.append(pareto(view, ERROR, AREA, "area-error", link))
        found.append(curves(view, ERROR, "error"))
    if view.has(TOTAL):
        found.append(pareto(view, TOTAL, AREA, "area-total-error", link))
        found.append(curves(view, TOTAL, "total-error"))
    found += [depth(view)]
    for technology in view.technologies:
        for axis in (AREA, LUTS, DELAY, ENERGY):
            found.append(scaling(view, axis, technology))
    found.append(breakdown(view))
    return [plot for plot in found if plot is not None]


def curves(view: View, axis: Axis, name: str) -> Plot | None:
    """A figure along the sweep's own parameter, of every technology the same; a curve of one unit is a level line."""
    records = [record for record in view.best(view.good) if axis.of(record) is not None]
    if not view.scale or len({view.along(record) for record in records}) < 3:
        return None
    looks = style.looks(view.series)
    drawn, panel = style.figure()
    for series, members in by_series(view, records).items():
        points = sorted(
            {
                (at, value)
                for record in members
                if (at := view.along(record)) is not None and (value := axis.of(record)) is not None
            }
        )
        look = looks[series]
        if series not in view.curves and points:  # off the parameter's scale
            panel.axhline(points[0][1], color=look.colour, linestyle=look.line)
        elif points:
            panel.plot(
                *zip(*points, strict=True), color=look.colour, linestyle=look.line, marker=look.marker, markersize=6
            )
    style.scale(panel.yaxis, panel.set_yscale, [value for r in records if (value := axis.of(r)) is not None])
    panel.set(xlabel=_parameter(view), ylabel=axis.label)
    style.whole(panel.xaxis, [at for r in records if (at := view.along(r)) is not None])
    style.title(panel, f"{heading_of(axis)} along {view.scale}")
    legend(view, panel, list(by_series(view, records)), looks, lines=True, levels=True)
    data = next((str(r["error_data"]) for r in records if r.get("error_data")), "")
    level = [series for series in by_series(view, records) if series not in view.curves]
    caption = (
        f"{heading_of(axis)}{f' {axis.unit}' if axis.unit else ''} along {view.scale}"
        f"{f', on data: {data}' if data and axis in (ERROR, TOTAL) else ''}."
    )
    if level:
        caption += f" Level line: {', '.join(level)}, which has no {view.scale}."
    return Plot(
        f"{name}-{_file_part(view.scale)}", f"{heading_of(axis)} along {view.scale}", caption, style.arrange(drawn)
    )


def _parameter(view: View) -> str:
    return f"{view.scale} (parameter of the sweep)"


def depth(view: View) -> Plot | None:
    """What pipeline registers buy: highest clock against flip-flops, stages beside the marks.

    A line joins the depths of one function, or of one curve where the sweep says what makes a curve.
    """
    records = [
        record
        for record in view.best(view.good)
        if LATENCY.of(record) is not None and REGISTERS.of(record) is not None and FMAX.of(record) is not None
    ]
    if len({record["latency"] for record in records}) < 3 or not any(record["registers"] for record in records):
        return None
    several = len(view.technologies) > 1
    heading, names = view.legend
    groups: dict[str, list[Record]] = {}
    for record in records:
        label = names[view.series_of(record)] + (f", {record['technology']}" if several else "")
        groups.setdefault(label, []).append(record)
    looks = style.looks(list(groups))
    drawn, panel = style.figure()
    marks, lines, numbered = [], [], []
    handles: list[Any] = []
    for label, members in groups.items():
        look = looks[label]
        members.sort(key=lambda record: record["latency"])
        joined: dict[str, list[Record]] = {}
        for record in members:
            joined.setdefault("" if record.get("series") else function_of(record), []).append(record)
        for index, line in enumerate(joined.values()):
            xs, ys = [REGISTERS.of(r) or 0.0 for r in line], [FMAX.of(r) or 0.0 for r in line]
            handle = panel.plot(xs, ys, color=look.colour, linestyle=look.line, marker=look.marker, markersize=6)
            handles += handle if index == 0 else []
            marks += list(zip(xs, ys, strict=True))
            lines.append((xs, ys))
            numbered += [
                labels.Label(left, up, str(r["latency"]), labels.dark(look.colour))
                for r, left, up in zip(line, xs, ys, strict=True)
            ]
    panel.set(xlabel=REGISTERS.label, ylabel=FMAX.label)
    style.title(panel, "Highest clock against flip-flops" + ("" if several else f", {view.technologies[0]}"))
    if 1 < len(groups) <= LEGEND:
        style.legend(panel, handles, list(groups), heading)
    style.arrange(drawn)
    if len(numbered) <= labels.MOST:
        labels.place(panel, numbered, marks, lines)
    caption = (
        "Up and to the left is better; where a curve is flat, a further stage costs registers and gains little. "
        "The clock is 1 over the longest path's delay."
    )
    if len(numbered) <= labels.MOST:
        caption = f"Number beside a mark: clocks from operands to result. {caption}"
    return Plot("depth", "Highest clock against flip-flops", caption, drawn)


def scaling(view: View, axis: Axis, technology: str) -> Plot | None:
    """A figure along the sweep's parameter with its fits, and what they leave over below."""
    found = fits(view, axis, technology)
    if not found:
        return None
    looks = style.looks(view.series)
    drawn, (above, below) = style.figure(8.4, 6.0, nrows=2, sharex=True, height_ratios=[3, 1])
    for item in found:
        look = looks[item.series]
        dense = np.linspace(item.x.min(), item.x.max(), 100)
        above.plot(dense, item.at(dense), color=look.colour, linestyle=look.line)
        above.plot(item.x, item.y, color=look.colour, linestyle="none", marker=look.marker, markersize=6)
        below.plot(
            item.x,
            item.percent,
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            linewidth=0.9,
            markersize=4,
        )
    below.axhline(0, color="#000000", linewidth=0.8)
    above.set_ylabel(axis.label)
    style.title(above, f"{heading_of(axis)} along {view.scale}, {technology}")
    below.set(xlabel=_parameter(view), ylabel="residual (%)")
    style.whole(below.xaxis, [value for item in found for value in item.x])
    legend(view, above, [item.series for item in found], looks, lines=True)
    caption = (
        "Marks: of each unit the synthesis with the shortest delay. Lines: "
        f"a + b·{view.scale} + c·{view.scale}², least squares; the table gives the coefficients. "
        "Below: figure minus fit, in per cent of the figure."
    )
    where = f", {technology}" if len(view.technologies) > 1 else ""
    return Plot(
        f"scaling-{axis.column}-{_file_part(technology)}",
        f"{heading_of(axis)} along {view.scale}{where}",
        caption,
        style.arrange(drawn),
        tuple(found),
    )


def _file_part(text: str) -> str:
    """A text as part of a file's name, and of an address in the page."""
    return re.sub(r"[^\w.-]+", "-", text)


def breakdown(view: View) -> Plot | None:
    """Area by section of the datapath, a bar a unit."""
    records = [record for record in view.best(view.good) if sections_of(record)]
    if not records:
        return None
    names = list(dict.fromkeys(name for record in records for name in sections_of(record)))
    names.sort(key=lambda name: name == "Registers")
    shares = _shares(records, names)
    left_out = max(0, len(records) - _BARS)
    if left_out:
        picked = np.unique(np.linspace(0, len(records) - 1, _BARS).round().astype(int))
        records = [records[index] for index in picked]
    drawn, panel = style.figure(8.4, 1.6 + 0.27 * len(records))
    bars = [_bar_label(view, record) for record in records]
    start = np.zeros(len(records))
    handles = []
    for index, name in enumerate(names):
        widths = np.array([sections_of(record).get(name, 0.0) for record in records])
        handles.append(
            panel.barh(
                np.arange(len(records)),
                widths,
                left=start,
                height=0.75,
                edgecolor="#000000",
                linewidth=0.6,
                color=style.FACES[index % len(style.FACES)],
                hatch=style.HATCHES[index % len(style.HATCHES)],
            )
        )
        start += widths
    flat = np.array([AREA.of(record) or np.nan for record in records])
    handles += panel.plot(
        flat,
        np.arange(len(records)),
        linestyle="none",
        marker="D",
        color="#000000",
        markerfacecolor="white",
        markersize=5,
    )
    panel.set_yticks(np.arange(len(records)), bars, fontsize=8)
    panel.set_ylim(len(records) - 0.4, -0.6)
    panel.grid(visible=False, axis="y")
    panel.set_xlabel(AREA.label)
    several = len(view.technologies) > 1
    style.title(panel, "Area by section of the datapath" + ("" if several else f", {view.technologies[0]}"))
    style.legend(panel, handles, [*names, "flat netlist"])
    more = start / flat - 1
    against = (
        ""
        if np.isnan(more).all()
        else (
            f": the bars come to {100 * np.nanmean(more):+.0f} % against the flat netlist (white diamonds), on average"
        )
    )
    caption = (
        "Cells by the section of the datapath that they were written in, from a second synthesis that keeps "
        f"sections apart. Nothing is shared or simplified across sections then{against}. Read them as shares."
        f"{f' {left_out} of {left_out + len(records)} units are left out for room.' if left_out else ''}"
    )
    return Plot("breakdown", "Area by section of the datapath", caption, style.arrange(drawn, bars), shares=shares)


def _shares(records: Sequence[Record], names: Sequence[str]) -> tuple[tuple[str, float, float, float], ...]:
    """Each section's share of the sum over sections, in per cent: mean, smallest and largest of all units."""
    table = np.array([[sections_of(record).get(name, 0.0) for name in names] for record in records])
    table = 100 * table / table.sum(axis=1, keepdims=True)
    return tuple(
        (name, float(share.mean()), float(share.min()), float(share.max()))
        for name, share in zip(names, table.T, strict=True)
    )


def _bar_label(view: View, record: Record) -> str:
    text = view.label(record)
    if len(view.technologies) > 1 and str(record["technology"]) not in text:
        text += f", {record['technology']}"
    return style.short(text, 60)
