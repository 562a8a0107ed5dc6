"""How results look on a terminal; every function prints one thing and computes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from .build import Outcome, Step
    from .doctor import Finding
    from .ppa.point import Point

#: Width of tables that go to a file or a pipe, where there is no terminal to ask.
PIPE_WIDTH = 180


def console() -> Console:
    """Standard output: coloured on a terminal, plain and wide elsewhere."""
    terminal = sys.stdout.isatty()
    return Console(width=None if terminal else PIPE_WIDTH, highlight=False, soft_wrap=False, emoji=False)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = (), title: str = "",
          keep: Iterable[str] = ()) -> Table:
    """A table of plain cells; columns of `right` hold figures, those of `keep` are never broken."""
    made = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for head in heads:
        made.add_column(head, justify="right" if head in set(right) else "left",
                        no_wrap=head in set(keep) | set(right), overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return made


def findings(found: Sequence[Finding]):
    """`fpgen doctor`."""
    colour = {"ok": "green", "missing": "bold red", "optional": "yellow"}
    rows = [(Text(item.state, style=colour[item.state]), item.tool, item.found or "-", item.purpose, item.remedy)
            for item in found]
    out = console()
    out.print(table(["", "tool", "found", "needed for", "how to get it"], rows, keep=["", "tool"]))
    missing = [item.tool for item in found if item.state == "missing"]
    out.print(Text(f"missing: {', '.join(missing)}", style="bold red") if missing
              else Text("everything that is needed is there", style="green"))


def points(found: Sequence[Point]):
    """`fpgen ppa`: the points as a table, then what they rest on and the critical path of the fastest."""
    good = [point for point in found if point.failure is None]
    out = console()
    rows = [(point.recipe, f"{point.target_ps:.0f}", f"{point.area_um2:.1f}", f"{point.nand2_eq:.0f}",
             f"{point.delay_ps:.0f}", f"{point.adp:.4f}", point.cells, point.registers, point.logic_depth)
            for point in good]
    figures = ["target ps", "area um2", "NAND2 eq.", "delay ps", "ADP/1e6", "cells", "registers", "depth"]
    if good:
        out.print(table(["recipe", *figures], rows, right=figures))
        fastest = min(good, key=lambda point: point.delay_ps)
        given = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in fastest.assumptions.items())
        out.print(Text(f"{fastest.technology}{f'; {given}' if given else ''}; before placement"))
        path(fastest.critical_path, fastest.startpoint, fastest.endpoint, out)
    for point in found:
        if point.failure is not None:
            out.print(Text(f"{point.recipe} at {point.target_ps:.0f} ps failed: {point.failure}", style="red"))


def path(steps: Iterable[Mapping[str, Any]], start: str, end: str, out: Console):
    """A critical path, one step a line."""
    rows = [tuple(_cell(value) for value in step.values()) for step in steps]
    heads = next((list(step) for step in steps), [])
    if not rows:
        return
    numbers = [head for head, value in zip(heads, rows[0], strict=True) if _is_figure(value)]
    out.print(table([head.replace("_", " ") for head in heads], rows, title=f"Critical path: {start} to {end}",
                    right=[head.replace("_", " ") for head in numbers]))


def _cell(value: Any) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _is_figure(cell: str) -> bool:
    return cell.replace(".", "", 1).replace("-", "", 1).isdigit()


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[Step], None]]:
    """Progress of `fpgen run` on standard error: a live line a unit on a terminal, a line a step elsewhere."""
    if quiet:
        yield lambda step: None
        return
    if not sys.stderr.isatty():
        def line(step: Step):
            print(f"[{step.seconds:6.1f} s] {step.unit}: {step.what}", file=sys.stderr, flush=True)

        yield line
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=12),
               TextColumn("{task.fields[what]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def move(step: Step):
            if step.unit not in tasks:
                tasks[step.unit] = bars.add_task(step.unit, total=1.0, what=step.what)
            bars.update(tasks[step.unit], completed=step.fraction, what=step.what)

        yield move


def outcomes(found: Sequence[Outcome]):
    """`fpgen run`: one table, then what failed and why."""
    rows = []
    for outcome in found:
        figures: tuple[Any, ...] = (Text("failed", style="bold red"), "", "", "", "")
        if outcome.passed:
            figures = (f"{outcome.vectors:,}", outcome.method, f"{outcome.area_um2:.0f}", f"{outcome.nand2_eq:.0f}",
                       f"{outcome.delay_ps:.0f}")
        rows.append((outcome.text, outcome.contract, outcome.latency, *figures, outcome.directory))
    out = console()
    right = ["latency", "vectors", "area um2", "NAND2", "delay ps"]
    out.print(table(["unit", "contract", "latency", "vectors", "how", "area um2", "NAND2", "delay ps", "files"], rows,
                    right=right))
    first = next((outcome for outcome in found if outcome.passed), None)
    if first is not None and first.technology:
        out.print(Text(f"Area and delay: {first.technology}, before placement; assumptions in each ppa.json."))
    for outcome in found:
        if not outcome.passed:
            out.print(Text(f"FAILED {outcome.text}: {outcome.reason}", style="red"))
