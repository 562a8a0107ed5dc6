"""The plots of a report; each function draws one, or says by None that the store has nothing for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import style
from .data import AREA, DELAY, ENERGY, ERROR, FMAX, LUTS, REGISTERS, Axis, Record, View, fronts, sections_of
from .fits import Fit, belongs, fits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More curves than this make no legend anyone reads.
_LEGEND = 16
_BARS = 28


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
    """

    name: str
    title: str
    caption: str
    figure: Figure
    fits: tuple[Fit, ...] = ()


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
    """Two figures against each other, one panel a technology; what is beaten in both is grey."""
    records = [record for record in view.good if x.of(record) is not None and y.of(record) is not None]
    if not records:
        return None
    technologies = list(dict.fromkeys(str(record["technology"]) for record in records))
    looks = style.looks(view.series)
    drawn, grid = style.figure(8.4, 4.8 if len(technologies) == 1 else 4.2 * len(technologies),
                               nrows=len(technologies), squeeze=False)
    beaten_in_all = 0
    for technology, panel in zip(technologies, grid[:, 0], strict=True):
        kept, beaten = fronts([record for record in records if record["technology"] == technology], x, y)
        beaten_in_all += len(beaten)
        for series, marks in _by_series(view, beaten).items():
            _marks(panel, marks, x, y, link, marker=looks[series].marker, s=26, facecolors="none",
                   edgecolors=style.GREY, linewidths=1, zorder=2)
        _lines(view, panel, kept, x, y, looks)
        for series, marks in _by_series(view, [record for front in kept for record in front]).items():
            _marks(panel, marks, x, y, link, marker=looks[series].marker, s=38, color=looks[series].colour,
                   edgecolors="white", linewidths=0.5, zorder=4, label=series or "all")
        _scales(panel, [x.of(r) for r in records], [y.of(r) for r in records])
        panel.set(xlabel=x.label, ylabel=y.label, title=technology)
        if len(view.series) <= _LEGEND:
            _legend(panel, beaten)
    groups = {str(record.get("compete") or "") for record in records}
    among = "all units of the technology" if groups == {""} else \
        f"units of equal {', '.join(part.split('=')[0] for part in sorted(groups)[0].split(', '))}"
    caption = (f"Each mark is one synthesised unit; down and to the left is better. Filled marks are beaten by none in "
               f"both figures, among {among}; the line joins them. Grey and hollow: dominated "
               f"({beaten_in_all} of {len(records)}). A click on a mark goes to its line in the table.")
    return Plot(name, f"{_heading(y)} against {x.title}", caption, style.arrange(drawn))


def _by_series(view: View, records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records by their curve, in the order of the curves."""
    found: dict[str, list[Record]] = {series: [] for series in view.series}
    for record in records:
        found[view.series_of(record)].append(record)
    return {series: members for series, members in found.items() if members}


def _marks(panel: Any, records: Sequence[Record], x: Axis, y: Axis, link: dict[int, str], **look: Any):
    panel.scatter([x.of(record) for record in records], [y.of(record) for record in records],
                  urls=[link.get(id(record), "") for record in records], **look)


def _lines(view: View, panel: Any, kept: Sequence[Sequence[Record]], x: Axis, y: Axis, looks: dict[str, style.Look]):
    """A line through each front; those of one curve are drawn as one, with gaps. Across curves it is black."""
    drawn: dict[str | None, tuple[list[float | None], list[float | None]]] = {}
    for front in kept:
        names = {view.series_of(record) for record in front}
        if len(front) > 1:
            xs, ys = drawn.setdefault(names.pop() if len(names) == 1 else None, ([], []))
            xs += [*(x.of(record) for record in front), np.nan]
            ys += [*(y.of(record) for record in front), np.nan]
    for name, (xs, ys) in drawn.items():
        colour, line = ("#000000", "-") if name is None else (looks[name].colour, looks[name].line)
        panel.plot(xs, ys, zorder=3, color=colour, linestyle=line, linewidth=1.2)


def _heading(axis: Axis) -> str:
    return axis.title[0].upper() + axis.title[1:]


def _legend(panel: Any, beaten: Sequence[Record]):
    if beaten:
        panel.scatter([], [], marker="o", facecolors="none", edgecolors=style.GREY, label="dominated")
    if len(panel.get_legend_handles_labels()[0]) > 1:
        style.legend(panel)


def _scales(panel: Any, xs: Sequence[float | None], ys: Sequence[float | None]):
    """Logarithmic where figures span more than a decade."""
    for values, axis, setter in ((xs, panel.xaxis, panel.set_xscale), (ys, panel.yaxis, panel.set_yscale)):
        known = [value for value in values if value is not None and value > 0]
        if known and len(known) == len(values) and max(known) > 10 * min(known):
            setter("log")
            axis.set_major_locator(style.log_ticks(max(known) / min(known)))
            axis.set_major_formatter("{x:g}")  # plain numbers; powers of ten set as formulas take long
            axis.set_minor_formatter("")


def curves(view: View, axis: Axis, name: str) -> Plot | None:
    """A figure along the sweep's own parameter; a curve of one unit is a level line."""
    records = [record for record in view.best(view.good) if axis.of(record) is not None]
    if not view.scale or len({view.along(record) for record in records}) < 3:
        return None
    looks = style.looks(view.series)
    drawn, panel = style.figure()
    for series in view.series:
        points = sorted(((view.along(r), axis.of(r), r) for r in records if view.series_of(r) == series
                         and view.along(r) is not None), key=lambda item: item[0] or 0)
        look = looks[series]
        if len(points) == 1:  # off the parameter's scale
            panel.axhline(points[0][1], color=look.colour, linestyle=look.line, label=series)
        elif points:
            panel.plot([p[0] for p in points], [p[1] for p in points], color=look.colour, linestyle=look.line,
                       marker=look.marker, markersize=6, label=series or "all")
    _scales(panel, [0.0], [axis.of(r) for r in records])
    panel.set(xlabel=view.scale, ylabel=axis.label)
    if 1 < len(view.series) <= _LEGEND:
        style.legend(panel)
    data = next((str(r["error_data"]) for r in records if r.get("error_data")), "")
    caption = f"{axis.label} along {view.scale}{f', on data: {data}' if data and axis is ERROR else ''}."
    return Plot(f"{name}-{view.scale}", f"{_heading(axis)} along {view.scale}", caption, style.arrange(drawn))


def depth(view: View) -> Plot | None:
    """What pipeline registers buy: highest clock against flip-flops, stages beside the marks."""
    records = [record for record in view.best(view.good) if record.get("latency") is not None]
    if len({record["latency"] for record in records}) < 3 or not any(record.get("registers") for record in records):
        return None
    looks = style.looks(view.series)
    drawn, panel = style.figure()
    for technology in view.technologies:
        for series in view.series:
            points = sorted((r for r in records if belongs(view, r, series, technology)), key=lambda r: r["latency"])
            if not points:
                continue
            look = looks[series]
            told = f"{series or 'all'}{f', {technology}' if len(view.technologies) > 1 else ''}"
            panel.plot([REGISTERS.of(r) for r in points], [FMAX.of(r) for r in points], color=look.colour,
                       linestyle=look.line, marker=look.marker, markersize=6, label=told)
            for record in points:
                panel.annotate(str(record["latency"]), (REGISTERS.of(record), FMAX.of(record)), fontsize=8,
                               textcoords="offset points", xytext=(5, 5), color=look.colour)
    panel.set(xlabel=REGISTERS.label, ylabel=FMAX.label)
    style.legend(panel)
    return Plot("depth", "Highest clock against flip-flops",
                "Number beside a mark: clocks from operands to result. Up and to the left is better; where a curve "
                "flattens, a further stage costs registers and buys little.", style.arrange(drawn))


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
        above.plot([], [], color=look.colour, linestyle=look.line, marker=look.marker, label=item.series or "all")
        below.plot(item.x, 100 * item.residuals / item.y, color=look.colour, linestyle=look.line, marker=look.marker,
                   linewidth=0.9, markersize=4)
    below.axhline(0, color="#000000", linewidth=0.8)
    above.set(ylabel=axis.label, title=technology)
    below.set(xlabel=view.scale, ylabel="residual (%)")
    if 1 < len(found) <= _LEGEND:
        style.legend(above)
    caption = ("Marks: of each unit the synthesis with the shortest delay. Lines: "
               f"a + b·{view.scale} + c·{view.scale}², least squares; the table gives the coefficients. "
               "Below: figure minus fit, in per cent of the figure.")
    return Plot(f"scaling-{axis.column}-{technology}", f"{_heading(axis)} along {view.scale}", caption,
                style.arrange(drawn), tuple(found))


def breakdown(view: View) -> Plot | None:
    """Area by section of the datapath, a bar a unit."""
    records = [record for record in view.best(view.good) if sections_of(record)]
    if not records:
        return None
    left_out = max(0, len(records) - _BARS)
    if left_out:
        picked = np.unique(np.linspace(0, len(records) - 1, _BARS).round().astype(int))
        records = [records[index] for index in picked]
    names = list(dict.fromkeys(name for record in records for name in sections_of(record)))
    names.sort(key=lambda name: name == "Registers")
    drawn, panel = style.figure(8.4, 1.6 + 0.27 * len(records))
    labels = [_bar_label(view, record) for record in records]
    start = np.zeros(len(records))
    for index, name in enumerate(names):
        widths = np.array([sections_of(record).get(name, 0.0) for record in records])
        panel.barh(np.arange(len(records)), widths, left=start, label=name, height=0.75, edgecolor="#000000",
                   linewidth=0.6, color=style.FACES[index % len(style.FACES)],
                   hatch=style.HATCHES[index % len(style.HATCHES)])
        start += widths
    flat = [AREA.of(record) for record in records]
    panel.plot(flat, np.arange(len(records)), linestyle="none", marker="D", color="#000000", markerfacecolor="white",
               markersize=5, label="flat netlist")
    panel.set_yticks(np.arange(len(records)), labels, fontsize=8)
    panel.set_ylim(len(records) - 0.4, -0.6)
    panel.grid(visible=False, axis="y")
    panel.set_xlabel(AREA.label)
    style.legend(panel)
    more = 100 * float(np.mean([total / whole - 1 for total, whole in zip(start, flat, strict=True) if whole]))
    caption = ("Cells by the section of the datapath that they were written in, from a second synthesis that keeps "
               f"sections apart. Nothing is shared or simplified across sections then: the bars come to {more:+.0f} % "
               "against the flat netlist (white diamonds), on average. Read them as shares."
               f"{f' {left_out} of {left_out + len(records)} units are left out for room.' if left_out else ''}")
    return Plot("breakdown", "Area by section of the datapath", caption, style.arrange(drawn, labels))


def _bar_label(view: View, record: Record) -> str:
    text = str(record.get("point") or record["unit"])
    if len(view.technologies) > 1 and str(record["technology"]) not in text:
        text += f", {record['technology']}"
    return text if len(text) < 60 else text[:57] + "..."
