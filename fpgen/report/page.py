"""The page: one HTML file with everything in it, and the plots as files beside it."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpgen.base import ownership
from fpgen.base.distribution import install_extra
from fpgen.base.errors import MissingTool, UsageError
from fpgen.handoff.bundle import replaced

from . import basis, plots, style, table
from .data import AREA, DELAY, ENERGY, ERROR, LUTS, TOTAL, Record, View

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class WrittenPage:
    """What a report left: the page, the plots' files, the number of records, and of those with figures."""

    page: Path
    files: list[Path]
    records: int
    usable: int


def write(
    records: Sequence[Record],
    output: Path,
    *,
    store: str,
    title: str | None = None,
    progress: ownership.Progress | None = None,
) -> WrittenPage:
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
    progress : callable, optional
        Called with a line for each file in the way that no report wrote, and that was renamed; default: a warning.

    Raises
    ------
    MissingTool
        Without matplotlib or Jinja2.
    UsageError
        When the records are not those of a store, or there are none.
    RunFailure
        When something cannot be written.
    """
    _check(records, store)
    template = _template()
    view = View(records)
    places = {id(record): f"#r{index}" for index, record in enumerate(view.records)}
    drawn = plots.all_plots(view, places)
    hints = {places[id(record)]: _hint(view, record) for record in view.good}
    files: dict[str, bytes] = {}
    shown = []
    for plot in drawn:
        text = style.svg(plot.figure, plot.name)
        for suffix, data in ((".svg", style.standing(text)), (".png", style.png(plot.figure))):
            files[f"{plot.name}{suffix}"] = data if isinstance(data, bytes) else data.encode()
        shown.append(
            {
                "name": plot.name,
                "title": plot.title,
                "caption": plot.caption,
                "fits": plot.fits,
                "shares": plot.shares,
                "svg": style.inline(text, plot.title, hints),
            }
        )
    files["index.html"] = _html(template, view, shown, store=store, title=title or view.title).encode()
    _put(output, files, progress or (lambda line: warnings.warn(line, stacklevel=3)))
    return WrittenPage(
        output / "index.html",
        [output / name for name in files if name != "index.html"],
        len(view.records),
        len(view.good),
    )


def _put(output: Path, files: Mapping[str, bytes], progress: ownership.Progress) -> None:
    """Write a report's files, all or none where the directory is new; in an existing one, files not of an earlier
    report stays."""
    output = Path(os.path.abspath(output))
    with replaced(output, lambda fresh: ownership.merge(fresh, output, progress, record=ownership.FILES)) as aside:
        for name, data in files.items():
            (aside / name).write_bytes(data)
        digests = {name: ownership.digest_of(aside / name) for name in sorted(files)}
        (aside / ownership.FILES).write_text(json.dumps({"files": digests}, indent=2) + "\n")


def _check(records: Sequence[Record], store: str) -> None:
    """Reject what no sweep wrote, before anything is drawn.

    Raises
    ------
    UsageError
    """
    if not records:
        raise UsageError(f"store {store}: no records; expected a file that fpgen sweep wrote")
    for name in ("technology", "delay_ps"):
        without = [record for record in records if record["status"] == "ok" and record.get(name) is None]
        if without and not any(name in record for record in records):
            raise UsageError(f"store {store}: no column {name}; expected a file that fpgen sweep wrote")
        if without and name == "technology":
            raise UsageError(
                f"store {store}: no technology in the record of {without[0]['unit']}; expected a file that fpgen "
                "sweep wrote"
            )


def _hint(view: View, record: Record) -> str:
    """What a mark says under the pointer."""
    figures = [axis.text_of(record) for axis in (AREA, LUTS, DELAY, ENERGY, ERROR, TOTAL)]
    return ", ".join([view.label(record), str(record["technology"]), *filter(None, figures)])


def _template() -> Any:
    """The page's frame.

    Raises
    ------
    MissingTool
        Without Jinja2.
    """
    try:
        import jinja2
    except ImportError:
        raise MissingTool(f"reports need Jinja2: {install_extra('report')}") from None
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, trim_blocks=False, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("page.html.j2")


def _html(template: Any, view: View, shown: Sequence[Mapping[str, Any]], *, store: str, title: str) -> str:
    """The page's text; everything in the frame is escaped except the plots, the style sheet and the script."""
    from markupsafe import Markup  # comes with Jinja2

    columns = table.columns(view)
    return str(
        template.render(
            title=title,
            store=store,
            css=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
            js=Markup((_HERE / "page.js").read_text(encoding="utf-8")),
            good=len(view.good),
            technologies=view.technologies,
            operations=sorted({str(record["operation"]) for record in view.good if record.get("operation")}),
            plots=[{**plot, "svg": Markup(plot["svg"])} for plot in shown],
            assumptions=basis.assumptions(view),
            absent=basis.absent(view),
            columns=columns,
            rows=[table.row(record, columns) for record in view.records],
            choices=table.choices(view),
            bad=table.failures(view),
            without=len(view.bad),
            provenance=basis.provenance(view),
        )
    )
