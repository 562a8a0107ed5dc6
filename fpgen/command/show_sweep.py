"""How a sweep looks on a terminal: its points, its progress, what came of it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from fpgen.base.distribution import install_extra
from fpgen.sweep.cases import SweepCase
from fpgen.sweep.compare import Comparison
from fpgen.sweep.spec import Sweep
from fpgen.sweep.sweep_run import Progress, SweepResult

from .output import Output
from .sheet import Sheet

#: Without a terminal, a line of progress at most this often, in s.
_LINE_SECONDS = 10.0


def points(sweep: Sweep, found: Sequence[SweepCase]) -> None:
    """`fpgen sweep --dry-run`: every point, and how many there are."""
    out = Output()
    rows = [
        (
            number,
            case.label,
            Text(f"rejected: {case.rejection}", style="yellow") if case.unit is None else case.unit.text,
        )
        for number, case in enumerate(found, 1)
    ]
    out.print(Sheet(["", "parameters", "unit"], rows, right=[""], keep=["parameters"]))
    rejected = sum(case.unit is None for case in found)
    targets = len(sweep.measure.targets or ())
    out.print(
        f"{sweep.title}: {len(found)} points{f', {rejected} of them rejected' if rejected else ''}"
        f"{f', {targets} delay targets each' if targets > 1 else ''}; nothing was run"
    )


@contextmanager
def progress(sweep: Sweep, quiet: bool = False) -> Iterator[Callable[[Progress], None]]:
    """Progress on standard error: a bar with rate and time left on a terminal, a line now and then elsewhere."""
    if quiet:
        yield lambda step: None
    elif sys.stderr.isatty():
        with _bar(sweep) as move:
            yield move
    else:
        yield _lines()


@contextmanager
def _bar(sweep: Sweep) -> Iterator[Callable[[Progress], None]]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    started = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        TextColumn("{task.fields[shown]}"),
    )
    with Bars(
        *columns, console=Console(stderr=True, highlight=False), transient=True, speed_estimate_period=600
    ) as bars:
        task = bars.add_task(sweep.name, total=None, rate="", shown="")

        def move(step: Progress) -> None:
            bars.update(
                task,
                completed=step.done,
                total=step.total,
                rate=rate(step, time.monotonic() - started),
                shown=Text(step.notice or _counts(step), style="red" if step.failed else ""),
            )

        yield move


def _lines() -> Callable[[Progress], None]:
    started = time.monotonic()
    last = [-_LINE_SECONDS]

    def line(step: Progress) -> None:
        now = time.monotonic() - started
        if step.notice or step.done == step.total or now - last[0] >= _LINE_SECONDS:
            last[0] = now
            shown = ", ".join(
                part for part in (rate(step, now), left(step, now), _counts(step), step.notice, step.last) if part
            )
            print(
                f"[{now:6.1f} s] {step.done} of {step.total} points{': ' if shown else ''}{shown}",
                file=sys.stderr,
                flush=True,
            )

    return line


def rate(step: Progress, seconds: float) -> str:
    """Points measured a minute; those from the cache do not count."""
    return f"{60 * step.measured / seconds:.1f}/min" if step.measured and seconds > 0 else ""


def left(step: Progress, seconds: float) -> str:
    """Time left at that rate."""
    if not step.measured or step.done >= step.total:
        return ""
    return f"{seconds / step.measured * (step.total - step.done):.0f} s left"


def _counts(step: Progress) -> str:
    shown = [f"{step.reused} known" if step.reused else "", f"{step.failed} failed" if step.failed else ""]
    return ", ".join(part for part in shown if part)


def result(found: SweepResult) -> None:
    """`fpgen sweep`: what failed, in groups, and where the store is."""
    out = Output()
    good = [record for record in found.records if record["status"] == "ok"]
    reasons = Counter((record["status"], _first_line(record["reason"])) for record in found.failures)
    for (status, reason), count in reasons.most_common(20):
        example = next(
            record["point"]
            for record in found.failures
            if (record["status"], _first_line(record["reason"])) == (status, reason)
        )
        out.print(f"{status}: {example}{f' and {count - 1} more' if count > 1 else ''}: {reason}", style="red")
    out.print(
        f"{found.sweep.title}: {found.points} points ({found.reused} known before), {len(good)} records with "
        f"figures, {len(found.failures)} without, {found.seconds:.1f} s"
    )
    for path in found.paths:
        out.print(f"written: {path}")
    if not any(path.suffix == ".parquet" for path in found.paths):
        out.print(f"Parquet too: {install_extra('parquet')}", style="dim")


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def comparison(found: Comparison, *, everything: bool = False) -> None:
    """`fpgen compare`: what moved, worst first, then what cannot be compared."""
    out = Output()
    shown = found.changes if everything else [change for change in found.changes if change.tolerance is not None]
    rows = []
    for change in shown:
        verdict = (
            Text("REGRESSION", style="bold red")
            if change.regression
            else Text("worse, allowed", style="yellow")
            if change.percent > 0
            else Text("better", style="green")
        )
        rows.append(
            (
                change.unit,
                change.recipe,
                change.metric,
                f"{change.before:g}",
                f"{change.after:g}",
                f"{change.percent:+.2f} %",
                verdict,
            )
        )
    if rows:
        out.print(
            Sheet(
                ["unit", "technology, recipe", "figure", "before", "after", "worse by", ""],
                rows,
                right=["before", "after", "worse by"],
            )
        )
    for what, style, lines in (
        ("NOT COMPARABLE", "red", found.incomparable),
        ("FAILS NOW", "red", found.broken),
        ("GONE", "red", found.gone),
        ("new", "", found.new),
        ("works now", "", found.fixed),
        ("note", "dim", found.notes),
    ):
        for line in lines:
            out.print(f"{what}: {line}", style=style)
    hidden = len(found.changes) - len(shown)
    without = f", {hidden} moved that have no rule (--all shows them)" if hidden else ""
    out.print(
        f"{found.records} records compared, {len(found.regressions)} figures worse than allowed, "
        f"{len(rows) - len(found.regressions)} moved within{without}"
    )
