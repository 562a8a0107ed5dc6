"""The plots of a report; each function draws one, or says by None that the store has nothing for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import labels, style
from .data import AREA, DELAY, ENERGY, ERROR, FMAX, LATENCY, LUTS, REGISTERS, Axis, Record, View, fronts, sections_of
from .fits import Fit, fits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More curves than this make no legend anyone reads.
_LEGEND = 16
_BARS = 40


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
    found += [depth(view)]
    for technology in view.technologies:
        for axis in (AREA, LUTS, DELAY, ENERGY):
            found.append(scaling(view, axis, technology))
    found.append(breakdown(view))
    return [plot for plot in found if plot is not None]


def pareto(view: View, x: Axis, y: Axis, name: str, link: dict[int, str]) -> Plot | None:
    """Two figures against each other, one panel a technology; what is beaten is grey."""
    records = [record for record in view.good if x.of(record) is not None and y.of(record) is not None]
    if not records:
        return None
    technologies = list(dict.fromkeys(str(record["technology"]) for record in records))
    looks = style.looks(view.series)
    drawn, grid = style.figure(8.4, 4.8 if len(technologies) == 1 else 4.2 * len(technologies),
                               nrows=len(technologies), squeeze=False)
    beaten_in_all = 0
    panels = []
    for technology, panel in zip(technologies, grid[:, 0], strict=True):
        there = [record for record in records if record["technology"] == technology]
        kept, beaten = fronts(there, x, y)
        beaten_in_all += len(beaten)
        for series, marks in _by_series(view, beaten).items():
            _marks(panel, marks, x, y, link, marker=looks[series].marker, s=26, facecolors="none",
                   edgecolors=style.GREY, linewidths=1, zorder=2)
        lines = _lines(view, panel, kept, x, y, looks)
        for series, marks in _by_series(view, [record for front in kept for record in front]).items():
            _marks(panel, marks, x, y, link, marker=looks[series].marker, s=38, color=looks[series].colour,
                   edgecolors="white", linewidths=0.5, zorder=4)
        style.scale(panel.xaxis, panel.set_xscale, [value for r in there if (value := x.of(r)) is not None])
        style.scale(panel.yaxis, panel.set_yscale, [value for r in there if (value := y.of(r)) is not None])
        panel.set(xlabel=x.label, ylabel=y.label)
        style.title(panel, f"{_heading(y)} against {x.title}, {technology}")
        _legend(view, panel, [series for series in view.series if series in _by_series(view, there)], looks,
                beaten=bool(beaten))
        panels.append((panel, kept, [(x.of(r) or 0.0, y.of(r) or 0.0) for r in there], lines))
    style.arrange(drawn)
    numbered = False
    for panel, kept, dots, lines in panels:
        told = [labels.Label(x.of(r) or 0.0, y.of(r) or 0.0, f"{view.along(r):g}", labels.dark(looks[series].colour))
                for front in kept for r in _numbered(view, front) if (series := view.series_of(r)) in view.curves]
        if len(told) <= labels.MOST:
            labels.place(panel, told, dots, lines)
            numbered |= bool(told)
    groups = sorted({str(record.get("compete") or "") for record in records} - {""})
    equal = re.findall(r"(?:^|, )(\w+)=", groups[0]) if groups else []
    among = f"units of equal {', '.join(equal) or 'kind'}" if groups else "all units of the technology"
    caption = (f"Each mark is one synthesised unit; down and to the left is better. Filled marks are not dominated "
               f"(no other is as good in both figures and better in one), among {among}; the line joins them. Grey and "
               f"hollow: dominated ({beaten_in_all} of {len(records)}).")
    if numbered:
        caption += f" Numbers: {view.scale}."
    if DELAY in (x, y) and any(record.get("registers") for record in records):
        caption += " Delay is that of the longest path, between registers where there are any: the clock's period."
    if LUTS in (x, y) and any(record.get("dsps") for record in records):
        caption += " Multiplier blocks (DSPs) are not in the count of LUTs; the table has them."
    if len(view.series) > _LEGEND:
        caption += f" {len(view.series)} curves are too many for a legend; a mark says what it is under the pointer."
    caption += " A click on a mark goes to its line in the table."
    return Plot(name, f"{_heading(y)} against {x.title}", caption, drawn)


def _numbered(view: View, front: Sequence[Record]) -> list[Record]:
    """Which marks of a front have a number: all, or the first where it would be the same at all."""
    told = [record for record in front if view.along(record) is not None]
    return told if len({view.along(record) for record in told}) > 1 else told[:1]


def _by_series(view: View, records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records by their curve, in the order of the curves."""
    found: dict[str, list[Record]] = {series: [] for series in view.series}
    for record in records:
        found[view.series_of(record)].append(record)
    return {series: members for series, members in found.items() if members}


def _marks(panel: Any, records: Sequence[Record], x: Axis, y: Axis, link: dict[int, str], **look: Any):
    panel.scatter([x.of(record) for record in records], [y.of(record) for record in records],
                  urls=[link.get(id(record), "") for record in records], **look)


def _lines(view: View, panel: Any, kept: Sequence[Sequence[Record]], x: Axis, y: Axis,
           looks: dict[str, style.Look]) -> list[tuple[list[float], list[float]]]:
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


def _heading(axis: Axis) -> str:
    return axis.title[0].upper() + axis.title[1:]


def _legend(view: View, panel: Any, series: Sequence[str], looks: dict[str, style.Look], *, beaten: bool = False,
            lines: bool = False, levels: bool = False):
    """What each curve of a panel looks like, whether or not all its marks are dominated."""
    from matplotlib.lines import Line2D

    heading, names = view.legend
    if len(view.series) > _LEGEND or len(series) + beaten < 2:
        return
    handles = [Line2D([], [], color=looks[name].colour, markersize=6, linestyle=looks[name].line if lines else "none",
                      marker="none" if levels and name not in view.curves else looks[name].marker) for name in series]
    if beaten:
        handles.append(Line2D([], [], linestyle="none", marker="o", markerfacecolor="none",
                              markeredgecolor=style.GREY))
    style.legend(panel, handles, [*(names[name] for name in series), *(["dominated"] if beaten else [])], heading)


def curves(view: View, axis: Axis, name: str) -> Plot | None:
    """A figure along the sweep's own parameter, of every technology the same; a curve of one unit is a level line."""
    records = [record for record in view.best(view.good) if axis.of(record) is not None]
    if not view.scale or len({view.along(record) for record in records}) < 3:
        return None
    looks = style.looks(view.series)
    drawn, panel = style.figure()
    for series, members in _by_series(view, records).items():
        points = sorted({(at, value) for record in members
                         if (at := view.along(record)) is not None and (value := axis.of(record)) is not None})
        look = looks[series]
        if series not in view.curves and points:  # off the parameter's scale
            panel.axhline(points[0][1], color=look.colour, linestyle=look.line)
        elif points:
            panel.plot(*zip(*points, strict=True), color=look.colour, linestyle=look.line, marker=look.marker,
                       markersize=6)
    style.scale(panel.yaxis, panel.set_yscale, [value for r in records if (value := axis.of(r)) is not None])
    panel.set(xlabel=_parameter(view), ylabel=axis.label)
    style.whole(panel.xaxis, [at for r in records if (at := view.along(r)) is not None])
    style.title(panel, f"{_heading(axis)} along {view.scale}")
    _legend(view, panel, list(_by_series(view, records)), looks, lines=True, levels=True)
    data = next((str(r["error_data"]) for r in records if r.get("error_data")), "")
    level = [series for series in _by_series(view, records) if series not in view.curves]
    caption = (f"{_heading(axis)}{f' {axis.unit}' if axis.unit else ''} along {view.scale}"
               f"{f', on data: {data}' if data and axis is ERROR else ''}.")
    if level:
        caption += f" Level line: {', '.join(level)}, which has no {view.scale}."
    return Plot(f"{name}-{_file_part(view.scale)}", f"{_heading(axis)} along {view.scale}", caption,
                style.arrange(drawn))


def _parameter(view: View) -> str:
    return f"{view.scale} (parameter of the sweep)"


def depth(view: View) -> Plot | None:
    """What pipeline registers buy: highest clock against flip-flops, stages beside the marks."""
    records = [record for record in view.best(view.good) if LATENCY.of(record) is not None
               and REGISTERS.of(record) is not None and FMAX.of(record) is not None]
    if len({record["latency"] for record in records}) < 3 or not any(record["registers"] for record in records):
        return None
    several = len(view.technologies) > 1
    heading, names = view.legend
    groups: dict[str, list[Record]] = {}
    for record in records:
        told = names[view.series_of(record)] + (f", {record['technology']}" if several else "")
        groups.setdefault(told, []).append(record)
    looks = style.looks(list(groups))
    drawn, panel = style.figure()
    marks, lines, told_at, handles = [], [], [], []
    for told, members in groups.items():
        look = looks[told]
        members.sort(key=lambda record: record["latency"])
        xs, ys = [REGISTERS.of(r) or 0.0 for r in members], [FMAX.of(r) or 0.0 for r in members]
        handles += panel.plot(xs, ys, color=look.colour, linestyle=look.line, marker=look.marker, markersize=6)
        marks += list(zip(xs, ys, strict=True))
        lines.append((xs, ys))
        told_at += [labels.Label(left, up, str(r["latency"]), labels.dark(look.colour))
                    for r, left, up in zip(members, xs, ys, strict=True)]
    panel.set(xlabel=REGISTERS.label, ylabel=FMAX.label)
    style.title(panel, "Highest clock against flip-flops" + ("" if several else f", {view.technologies[0]}"))
    if 1 < len(groups) <= _LEGEND:
        style.legend(panel, handles, list(groups), heading)
    style.arrange(drawn)
    if len(told_at) <= labels.MOST:
        labels.place(panel, told_at, marks, lines)
    caption = ("Up and to the left is better; where a curve flattens, a further stage costs registers and buys little. "
               "The clock is 1 over the longest path's delay.")
    if len(told_at) <= labels.MOST:
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
        below.plot(item.x, item.percent, color=look.colour, linestyle=look.line, marker=look.marker,
                   linewidth=0.9, markersize=4)
    below.axhline(0, color="#000000", linewidth=0.8)
    above.set_ylabel(axis.label)
    style.title(above, f"{_heading(axis)} along {view.scale}, {technology}")
    below.set(xlabel=_parameter(view), ylabel="residual (%)")
    style.whole(below.xaxis, [value for item in found for value in item.x])
    _legend(view, above, [item.series for item in found], looks, lines=True)
    caption = ("Marks: of each unit the synthesis with the shortest delay. Lines: "
               f"a + b·{view.scale} + c·{view.scale}², least squares; the table gives the coefficients. "
               "Below: figure minus fit, in per cent of the figure.")
    where = f", {technology}" if len(view.technologies) > 1 else ""
    return Plot(f"scaling-{axis.column}-{_file_part(technology)}", f"{_heading(axis)} along {view.scale}{where}",
                caption, style.arrange(drawn), tuple(found))


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
        handles.append(panel.barh(np.arange(len(records)), widths, left=start, height=0.75, edgecolor="#000000",
                                  linewidth=0.6, color=style.FACES[index % len(style.FACES)],
                                  hatch=style.HATCHES[index % len(style.HATCHES)]))
        start += widths
    flat = np.array([AREA.of(record) or np.nan for record in records])
    handles += panel.plot(flat, np.arange(len(records)), linestyle="none", marker="D", color="#000000",
                          markerfacecolor="white", markersize=5)
    panel.set_yticks(np.arange(len(records)), bars, fontsize=8)
    panel.set_ylim(len(records) - 0.4, -0.6)
    panel.grid(visible=False, axis="y")
    panel.set_xlabel(AREA.label)
    several = len(view.technologies) > 1
    style.title(panel, "Area by section of the datapath" + ("" if several else f", {view.technologies[0]}"))
    style.legend(panel, handles, [*names, "flat netlist"])
    more = start / flat - 1
    against = "" if np.isnan(more).all() else (f": the bars come to {100 * np.nanmean(more):+.0f} % against the flat "
                                               "netlist (white diamonds), on average")
    caption = ("Cells by the section of the datapath that they were written in, from a second synthesis that keeps "
               f"sections apart. Nothing is shared or simplified across sections then{against}. Read them as shares."
               f"{f' {left_out} of {left_out + len(records)} units are left out for room.' if left_out else ''}")
    return Plot("breakdown", "Area by section of the datapath", caption, style.arrange(drawn, bars), shares=shares)


def _shares(records: Sequence[Record], names: Sequence[str]) -> tuple[tuple[str, float, float, float], ...]:
    """Each section's share of the sum over sections, in per cent: mean, smallest and largest of all units."""
    table = np.array([[sections_of(record).get(name, 0.0) for name in names] for record in records])
    table = 100 * table / table.sum(axis=1, keepdims=True)
    return tuple((name, float(share.mean()), float(share.min()), float(share.max()))
                 for name, share in zip(names, table.T, strict=True))


def _bar_label(view: View, record: Record) -> str:
    text = view.label(record)
    if len(view.technologies) > 1 and str(record["technology"]) not in text:
        text += f", {record['technology']}"
    return style.short(text, 60)
