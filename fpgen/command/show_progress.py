"""How far a command is: a live line on a terminal, little or nothing elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from fpgen.handoff.build import BuildStep
    from fpgen.synthesis.fpga_point import FpgaPoint
    from fpgen.synthesis.point import Point
    from fpgen.verify.regression import UnitRow


@contextmanager
def simulation(text: str, quiet: bool = False) -> Iterator[Callable[[str, float], None]]:
    """Progress of `fpgen verify`: what is being done and how far it is, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda what, fraction: None
        return
    with Console(stderr=True, highlight=False).status(f"verifying {text}") as status:
        yield lambda what, fraction: status.update(f"verifying {text}: {what} {fraction:.0%}")


@contextmanager
def synthesis(
    text: str, quiet: bool = False, engine: str | None = None, fpga: str | None = None
) -> Iterator[Callable[[Point | FpgaPoint], None]]:
    """Progress of `fpgen ppa`: the newest point, on a terminal only; first starts of tools elsewhere, too."""
    from fpgen.synthesis import yosys
    from fpgen.synthesis.fpga import engines
    from fpgen.synthesis.point import Point

    tools = [yosys.select(engine)] if fpga is None else engines(fpga, engine)
    if quiet:
        yield lambda point: None
        return
    if not sys.stderr.isatty():
        for tool in tools:
            yosys.warm(tool, lambda line: print(line, file=sys.stderr, flush=True))
        yield lambda point: None
        return
    with Console(stderr=True, highlight=False).status(f"synthesising {text}") as status:
        for tool in tools:
            yosys.warm(tool, lambda line: status.update(f"synthesising {text} ({line})"))

        def move(point: Point | FpgaPoint) -> None:
            if isinstance(point, Point):
                what, figures = point.recipe, f"{point.area_um2:.0f} um2, {point.delay_ps:.0f} ps"
            else:
                what, figures = point.target, f"{point.luts} LUTs, {point.fmax_mhz:.0f} MHz"
            status.update(f"synthesising {text}: {what}: {(point.failure or figures).splitlines()[0]}")

        yield move


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[BuildStep], None]]:
    """Progress of `fpgen run` on standard error: a live line a unit on a terminal, a line a step elsewhere."""
    if quiet:
        yield lambda step: None
        return
    if not sys.stderr.isatty():
        last: dict[str, str] = {}

        def line(step: BuildStep) -> None:
            if last.get(step.unit) == step.what or step.what == "waiting":
                return
            last[step.unit] = step.what
            print(f"[{step.seconds:6.1f} s] {step.unit}: {step.what}", file=sys.stderr, flush=True)

        yield line
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
        TextColumn("{task.fields[what]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def move(step: BuildStep) -> None:
            if step.unit not in tasks:
                tasks[step.unit] = bars.add_task(step.unit, total=1.0, what=step.what)
            bars.update(tasks[step.unit], completed=step.fraction, what=step.what)

        yield move


@contextmanager
def regression_progress() -> Iterator[Callable[[Sequence[UnitRow], int, int], None]]:
    """Progress of `fpgen sim` on standard error: how many units are done, and each failure as it comes."""
    terminal = sys.stderr.isatty()
    started = time.monotonic()
    out = Console(stderr=True, highlight=False)
    with out.status("starting") if terminal else nullcontext() as status:

        def move(rows: Sequence[UnitRow], done: int, total: int) -> None:
            for row in rows:
                if not row.passed:
                    out.print(Text(f"FAILED {row.unit}: {row.reason}", style="red"))
            line = f"[{time.monotonic() - started:6.1f} s] {done} of {total} units; last: {rows[-1].unit}"
            if status is not None:
                status.update(line)
            else:
                print(line, file=sys.stderr, flush=True)

        yield move
