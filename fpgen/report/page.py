"""The page: one HTML file with everything in it, and the plots as files beside it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cache import write_whole
from ..errors import MissingTool, RunFailure
from ..sweep.columns import COLUMNS, PARAMETER
from . import plots, style
from .data import ENERGY, ERROR, Record, View, common

#: Columns of the page's table, with their headings; the rest is in the store.
_COLUMNS = {
    "series": "series", "technology": "technology", "recipe": "recipe", "target_ps": "target ps",
    "area_um2": "area µm²", "nand2_eq": "NAND2 eq.", "delay_ps": "delay ps", "fmax_mhz": "Fmax MHz", "adp": "ADP/1e6",
    "luts": "LUTs", "dsps": "DSPs",
    "latency": "latency", "registers": "registers", "cells": "cells", "logic_depth": "depth",
    "energy_pj": "energy pJ", "leakage_nw": "leakage nW", "proof": "proof",
    "error_rms": "error rms", "error_max": "error max", "error_sum": "error/terms",
    "status": "status", "unit": "unit",
}
#: A choice with more values than this is no list anyone opens.
_CHOICES = 40


@dataclass(frozen=True)
class Written:
    """What a report left: the page, the plots' files, the number of records."""

    page: Path
    files: list[Path]
    records: int


def write(records: Sequence[Record], output: Path, *, store: str, title: str | None = None) -> Written:
    """Write `output`/index.html with its plots as SVG and PNG beside it.

    Parameters
    ----------
    records : sequence of mapping
        As `fpgen.sweep.store.read` returns them.
    output : Path
        A directory; made when it is not there.
    store : str
        What the records come from, for the page.
    title : str, optional
        Default: the sweep's own.

    Raises
    ------
    MissingTool
        Without matplotlib or Jinja2.
    RunFailure
        When something cannot be written.
    """
    view = View(records)
    drawn = plots.all_plots(view, {id(record): f"#r{index}" for index, record in enumerate(view.records)})
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFailure(f"cannot make the directory {output}: {error.strerror}") from None
    files, shown = [], []
    for plot in drawn:
        text = style.svg(plot.figure, plot.name)
        for suffix, data in ((".svg", text), (".png", style.png(plot.figure))):
            path = output / f"{plot.name}{suffix}"
            write_whole(path, data)
            files.append(path)
        shown.append({"name": plot.name, "title": plot.title, "caption": plot.caption, "fits": plot.fits,
                      "svg": style.inline(text, plot.title)})
    page = output / "index.html"
    write_whole(page, html(view, shown, store=store, title=title or view.title))
    return Written(page, files, len(view.records))


def html(view: View, shown: Sequence[Mapping[str, Any]], *, store: str, title: str) -> str:
    """The page's text.

    Raises
    ------
    MissingTool
        Without Jinja2.
    """
    try:
        import jinja2
        import markupsafe
    except ImportError:
        raise MissingTool("reports need Jinja2: pip install 'fpgen[report]'") from None
    here = Path(__file__).parent
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(here), autoescape=True, trim_blocks=False,
                                     undefined=jinja2.StrictUndefined)
    columns = _columns(view)
    ready = [{**plot, "svg": markupsafe.Markup(plot["svg"])} for plot in shown]
    return environment.get_template("page.html.j2").render(
        title=title, store=store, css=markupsafe.Markup((here / "page.css").read_text()),
        js=markupsafe.Markup((here / "page.js").read_text()), good=len(view.good), technologies=view.technologies,
        operations=sorted({str(record["operation"]) for record in view.good if record.get("operation")}),
        plots=ready, assumptions=_assumptions(view), absent=_absent(view), columns=columns,
        rows=[_row(record, columns) for record in view.records], choices=_choices(view),
        bad=[{name: record.get(name) or "" for name in ("point", "unit", "status", "reason")} for record in view.bad],
        provenance=_provenance(view))


def _columns(view: View) -> list[dict[str, Any]]:
    """Parameters that vary, then the figures that are there."""
    names = [PARAMETER + name for name in view.parameters if name not in ("technology", "recipe", "unit")]
    names += [name for name in _COLUMNS if any(record.get(name) not in (None, "") for record in view.records)]
    found = []
    for name in names:
        numeric = any(_is_number(record.get(name)) for record in view.records)
        heading = name.removeprefix(PARAMETER) if name.startswith(PARAMETER) else _COLUMNS[name]
        meaning = COLUMNS[name][1] if name in COLUMNS else "parameter of the sweep"
        found.append({"name": name, "key": name.removeprefix(PARAMETER), "title": heading, "meaning": meaning,
                      "numeric": numeric})
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _row(record: Record, columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    cells = []
    for column in columns:
        value = record.get(column["name"])
        number = value if isinstance(value, int | float) and _is_number(value) and math.isfinite(value) else None
        text = _shown(value)
        cells.append({"number": number, "text": text, "full": "" if len(text) <= 60 else text})
        if len(text) > 60:
            cells[-1]["text"] = text[:57] + "..."
    return {"cells": cells, "bad": record["status"] != "ok"}


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return str(value)


def _choices(view: View) -> list[tuple[str, list[str]]]:
    """Parameters with few values, to choose from."""
    found = []
    for name in view.parameters:
        values = [_shown(value) for value in view.values(name)]
        if 1 < len(values) <= _CHOICES and name not in ("technology", "recipe", "unit"):
            found.append((name, values))
    for name in ("technology", "recipe"):
        values = sorted({str(record[name]) for record in view.good if record.get(name)})
        if 1 < len(values) <= _CHOICES:
            found.append((name, values))
    return found


def _assumptions(view: View) -> list[tuple[str, str]]:
    """Every assumption with its values; where there are several, how many records have each."""
    values: dict[str, Counter[str]] = {}
    for table, count in common(view.good, "assumptions"):
        for name, value in table.items():
            values.setdefault(name, Counter())[_plain(value)] += count
    rows = []
    for name, counts in values.items():
        unit = " fF" if name.endswith("_ff") else ""
        told = "; ".join(f"{value}{unit}" + (f" ({count} records)" if len(counts) > 1 else "")
                         for value, count in counts.items())
        rows.append((name.removesuffix("_ff").replace("_", " "), told))
    rows.append(("place and route", "of cell libraries none: area and delay of the mapped netlist, before placement"))
    stimuli = {(str(r["power_stimulus"]), r.get("power_seed"), r.get("power_operations"))
               for r in view.good if r.get("power_stimulus")}
    rows += [("energy: operands", f"{text}, seed {seed}, {count} operations") for text, seed, count in sorted(stimuli)]
    for table, count in common(view.good, "power_assumptions"):
        told = ", ".join(f"{name.removesuffix('_ff').replace('_', ' ')} {_plain(value)}"
                         for name, value in table.items() if value not in ("", [], None))
        rows.append(("energy: rests on", f"{told} ({count} records)"))
    data = sorted({str(record["error_data"]) for record in view.good if record.get("error_data")})
    return [*rows, *(("error data", text) for text in data)]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _absent(view: View) -> list[tuple[str, str]]:
    """Plots that the store has no figures for, and how to get them."""
    found = []
    if view.good and not view.has(ENERGY):
        found.append(("Area against energy",
                      "Not measured: power = \"gaussian\" (or uniform, or a .npy file) under [measure]."))
    if view.good and not any(record.get("sections") for record in view.good):
        found.append(("Area by section of the datapath",
                      "Not measured: breakdown = true under [measure] of the sweep file, at about twice the time."))
    if view.good and not view.has(ERROR):
        found.append(("Numerical error", "Not measured: a table [accuracy] in the sweep file declares the data."))
    return found


def _provenance(view: View) -> list[tuple[str, str]]:
    from .. import __version__

    rows = [("report", f"fpgen {__version__}")]
    for table, count in common(view.good, "versions"):
        told = ", ".join(f"{name} {value}" if not str(value).startswith(str(name)) else str(value)
                         for name, value in table.items())
        rows.append(("measured with", f"{told} ({count} records)"))
    libraries = {(str(record["technology"]), str(record.get("library_hash") or "")) for record in view.good}
    rows += [("cell library", f"{name}, content {text}") for name, text in sorted(libraries)]
    seconds = [float(record["point_seconds"]) for record in view.good if record.get("point_seconds")]
    if seconds:
        rows.append(("measuring took", f"{sum(seconds):.0f} s of wall time in all, {max(seconds):.1f} s the longest"))
    hashes = sum(1 for record in view.good if record.get("netlist_hash"))
    rows.append(("hashes", f"the store has the content hash of unit, library, netlist and point of {hashes} records"))
    return rows
