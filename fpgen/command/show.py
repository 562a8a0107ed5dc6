"""How results look on a terminal; every function prints one thing and computes nothing."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fpgen.formats.values import fraction_text

from .sheet import Sheet

if TYPE_CHECKING:
    from fpgen.formats.describe import Description
    from fpgen.handoff.build import BuildStep, Outcome
    from fpgen.synthesis.fpga_point import FpgaPoint
    from fpgen.synthesis.point import Point
    from fpgen.timing.sta import TimingReport
    from fpgen.verify import Verdict
    from fpgen.verify.regression import Regression, UnitRow

    from .doctor import Finding

#: Width of tables that go to a file or a pipe, where there is no terminal to ask.
PIPE_WIDTH = 180


class Output:
    """Standard output: coloured on a terminal; plain, wide and without trailing blanks elsewhere."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty()
        self._console = Console(width=None if self.terminal else PIPE_WIDTH, highlight=False, emoji=False)

    @property
    def width(self) -> int:
        return self._console.width

    def print(self, what: Any = "", style: str = "") -> None:
        """Print one renderable or plain text."""
        shown = Text(what, style=style) if isinstance(what, str) else what
        if self.terminal:
            self._console.print(shown, crop=False)
            return
        with self._console.capture() as captured:
            self._console.print(shown, crop=False)
        for line in captured.get().splitlines():
            click.echo(line.rstrip())


def exact_text(number: float | str) -> str:
    """A number of a format's record as `fpgen formats` writes it."""
    return number if isinstance(number, str) else fraction_text(Fraction(number))


def catalogue(records: Sequence[Mapping[str, Any]]) -> None:
    """`fpgen formats`: one line a format."""
    rows = [
        (
            item["name"],
            item["bits"],
            item["layout"],
            "" if item["bias"] is None else item["bias"],
            exact_text(item["max"]),
            exact_text(item["min_positive"]),
            item["inf"],
            item["nan"],
            item["standard"],
        )
        for item in records
    ]
    heads = ["format", "bits", "layout", "bias", "largest", "smallest", "inf", "nan", "standard"]
    out = Output()
    out.print(Sheet(heads, rows, right=["bits", "bias", "largest", "smallest"], keep=["format", "layout"]))
    out.print(
        "Any other: e5m7, ue3m4, e3m2:bias=2,inf=none,nan=none, int12:scale=-4. More on one: fpgen formats NAME",
        style="dim",
    )


def blocks(records: Sequence[Mapping[str, Any]]) -> None:
    """`fpgen formats`: one line a block format."""
    rows = [
        (
            item["name"],
            item["element"],
            item["scale"],
            item["size"],
            f"{item['bits_per_element']:g}",
            exact_text(item["largest_element"]),
            item["tensor_scale"] or "",
            item["standard"],
        )
        for item in records
    ]
    heads = ["block format", "element", "scale", "size", "bits/element", "largest element", "tensor scale", "standard"]
    out = Output()
    out.print()
    out.print(Sheet(heads, rows, right=["size", "bits/element", "largest element"], keep=["block format"]))
    out.print("Any other: ELEMENT@SCALE/SIZE, such as int8@e8m0/16.", style="dim")


def block_description(rows: Sequence[tuple[str, str]]) -> None:
    """`fpgen formats NAME` of a block format: label and text."""
    out = Output()
    lines = Table(box=None, show_header=False, pad_edge=False)
    for label, text in rows:
        lines.add_row(Text(label, style="bold"), Text(text))
    out.print(lines)


def accumulators(records: Sequence[Mapping[str, Any]], spelled: bool) -> None:
    """`fpgen accumulators`: one line a case; with the spelling of the parameters where `spelled`."""
    rows = []
    for item in records:
        operands = " ".join(item["operands"]) + (f" @ {' '.join(item['scales'])}" if item["scales"] else "")
        kept = "" if item["fraction"] is None else item["fraction"]
        rows.append(
            (
                item["name"],
                operands,
                " ".join(item["outputs"]),
                item["group"] or "",
                kept,
                "" if item["clamp"] is None else item["clamp"],
                item["rounding"],
                item["remarks"],
            )
        )
    heads = ["accumulator", "products of", "into", "group", "F", "clamp", "final", "how"]
    out = Output()
    out.print(Sheet(heads, rows, right=["group", "F", "clamp"], keep=["accumulator", "products of", "into"]))
    if spelled:
        for number, item in enumerate(records):
            if not number or item["name"] != records[number - 1]["name"]:
                out.print(
                    f"{item['name']}: {item['machine']}"
                    + (f"; also for {', '.join(item['aliases'])}" if item["aliases"] else "")
                )
            out.print(
                f"  {' '.join(item['operands'])} -> {' '.join(item['outputs'])}: accumulate={item['spelling']} "
                f"{item['rounding']} overflow={item['overflow']} subnormals={item['subnormals']}"
            )
    else:
        from fpgen.units.machines import PRODUCTS

        products = [f"{', '.join(names)}: {', '.join(presets)}" for names, presets in PRODUCTS.items()]
        out.print(f"By product (the first one that has the formats): {'; '.join(products)}")
        out.print(
            "Also: exact, aligned:fraction=F,..., tree, chain; like:NAME for formats that a machine lacks. "
            "More on one: fpgen accumulators NAME",
            style="dim",
        )


def technologies(records: Sequence[Mapping[str, Any]]) -> None:
    """`fpgen tech`: one line a technology; of installed PDKs the name."""
    described = [item for item in records if "cells" in item]
    rows = [
        (
            item["name"],
            item["gates"],
            item["flipflops"],
            f"{item['nand2_um2']:.3f}",
            item["driving_cell"],
            f"{item['output_load_ff']:g}",
            item["corner"],
        )
        for item in described
    ]
    right = ["gates", "flip-flops", "NAND2 um2", "output load fF"]
    out = Output()
    out.print(Sheet(["technology", *right[:3], "driving cell", right[3], "corner"], rows, right=right))
    others = [item["name"] for item in records if item not in described]
    if others:
        out.print(f"PDKs below PDK_ROOT: {', '.join(others)}")
    out.print("One of them, or a Liberty file: fpgen tech NAME; its files: --liberty FILE --verilog FILE", style="dim")


def technology(record: Mapping[str, Any]) -> None:
    """`fpgen tech NAME`: label and text."""
    area = "none" if record["nand2_um2"] is None else f"{record['nand2_um2']:g} um2"
    rows = [
        ("technology", record["name"]),
        ("library", record["library"]),
        ("corner", record["corner"]),
        (
            "cells",
            f"{record['cells']}: {record['gates']} gates, {record['flipflops']} flip-flops, {record['others']} others",
        ),
        ("smallest NAND2", area),
        ("driving cell", record["driving_cell"] or "none"),
        ("output load", f"{record['output_load_ff']:g} fF"),
        ("content hash", record["content_hash"]),
    ]
    lines = Table(box=None, show_header=False, pad_edge=False)
    for label, text in rows:
        lines.add_row(Text(label, style="bold"), Text(text))
    Output().print(lines)


def format_description(described: Description) -> None:
    """`fpgen formats NAME`: label and text, then the value of every code in columns that read downwards."""
    out = Output()
    lines = Table(box=None, show_header=False, pad_edge=False)
    for label, text in described.rows:
        lines.add_row(Text(label, style="bold"), Text(text))
    out.print(lines)
    if not described.codes:
        return
    digits = -(-described.format.bits // 4)
    cells = [f"{code:0{digits}x}  {bits}  {value}" for code, bits, value in described.codes]
    width = max(map(len, cells)) + 3
    columns = max(1, min(4, out.width // width))
    height = -(-len(cells) // columns)
    out.print()
    for row in range(height):
        out.print(Text("".join(f"{cell:{width}}" for cell in cells[row::height]).rstrip()))


def timing(report: TimingReport) -> None:
    """`fpgen sta`: the critical delay and its path."""
    from fpgen.synthesis.point import assumptions_text

    out = Output()
    found = f"critical delay {report.delay_ps:.1f} ps, {report.logic_depth} cells deep" if report.path else "no path"
    out.print(f"{found}; {assumptions_text(report.assumptions)}")
    if report.path:
        path([vars(step) for step in report.path], report.startpoint, report.endpoint, out)
    for note in report.notes:
        out.print(f"note: {note}")


def findings(found: Sequence[Finding]) -> None:
    """`fpgen doctor`."""
    colour = {"ok": "green", "missing": "bold red", "optional": "yellow"}
    rows = [
        (Text(item.state, style=colour[item.state]), item.tool, item.found or "-", item.purpose, item.remedy)
        for item in found
    ]
    out = Output()
    out.print(Sheet(["", "tool", "found", "needed for", "how to get it"], rows, keep=["", "tool"]))
    missing = [item.tool for item in found if item.state == "missing"]
    out.print(
        Text(f"missing: {', '.join(missing)}", style="bold red")
        if missing
        else Text("everything needed is installed", style="green")
    )


def verdict(found: Verdict) -> None:
    """`fpgen verify`."""
    Output().print(found.text(), style="" if found.passed else "red")


def points(found: Sequence[Point]) -> None:
    """`fpgen ppa`: the points as a table, then what they rest on and the critical path of the fastest."""
    from fpgen.synthesis.point import assumptions_text

    good = [point for point in found if point.failure is None]
    out = Output()
    rows = [
        (
            point.recipe,
            f"{point.target_ps:.0f}",
            f"{point.area_um2:.1f}",
            f"{point.nand2_eq:.0f}",
            f"{point.delay_ps:.0f}",
            f"{point.adp:.4f}",
            point.cells,
            point.registers,
            point.logic_depth,
            _proof(point.proof),
        )
        for point in good
    ]
    figures = ["target ps", "area um2", "NAND2 eq.", "delay ps", "ADP/1e6", "cells", "registers", "depth"]
    if good:
        out.print(Sheet(["recipe", *figures, "proof"], rows, right=figures))
        power(good, out)
        fastest = min(good, key=lambda point: point.delay_ps)
        out.print(f"{fastest.technology}; {assumptions_text(fastest.assumptions)}")
        path(fastest.critical_path, fastest.startpoint, fastest.endpoint, out)
    for point in found:
        if point.failure is not None:
            out.print(f"{point.recipe} at {point.target_ps:.0f} ps failed: {point.failure}", style="red")
        elif point.disproved:
            out.print(
                f"{point.recipe} at {point.target_ps:.0f} ps: the netlist is not equivalent to the Verilog; they "
                f"differ at {point.proof['detail']}",
                style="red",
            )
        elif point.proof["status"] in ("inconclusive", "timed out"):
            out.print(f"{point.recipe} at {point.target_ps:.0f} ps: no proof: {point.proof['detail']}", style="yellow")


def _proof(record: Mapping[str, Any]) -> str:
    """What came of a proof; with the limit of processor time where that was the reason."""
    return f"timed out ({record['seconds']:g} s)" if record["status"] == "timed out" else record["status"]


def power(found: Sequence[Point], out: Output) -> None:
    """Energy per operation and leakage of the points that have them, and what they rest on."""
    from fpgen.power.energy import stimulus_text

    some = [(point, point.power) for point in found if point.power is not None]
    if not some:
        return
    parts = ("internal", "switching", "registers", "clock", "glitch")
    rows = [
        (
            point.recipe,
            f"{point.target_ps:.0f}",
            _with_error(record),
            *(f"{record[f'{part}_pj']:.4g}" for part in parts),
            _watts(record["leakage_nw"]),
        )
        for point, record in some
    ]
    right = ["target ps", "energy pJ/op", "internal", "switching", "registers", "clock", "glitches", "leakage"]
    out.print(Sheet(["recipe", *right], rows, right=right))
    out.print(stimulus_text(some[0][1]))


def _with_error(record: Mapping[str, Any]) -> str:
    """An energy in pJ and its standard error, where that is known, to the error's second digit."""
    energy, error = record["energy_pj"], record.get("energy_error_pj")
    if not error:
        return f"{energy:.4g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{energy:.{digits}f} ± {error:.{digits}f}"


def _watts(nanowatts: float) -> str:
    return f"{nanowatts / 1e3:.4g} uW" if nanowatts >= 1e3 else f"{nanowatts:.4g} nW"


def fpga_points(found: Sequence[FpgaPoint], advice: str = "") -> None:
    """`fpgen ppa --target ecp5`: a line a seed, what was measured, advice, and the critical path of the fastest."""
    good = [point for point in found if point.failure is None]
    out = Output()
    right = ["seed", "LUTs", "carries", "DSPs", "registers", "Fmax MHz", "period ps", "logic ps", "routing ps", "depth"]
    if good:
        rows = [
            (
                point.target,
                point.seed,
                point.luts,
                point.carries,
                point.dsps,
                point.registers,
                f"{point.fmax_mhz:.1f}",
                f"{point.delay_ps:.0f}",
                f"{point.logic_ps:.0f}",
                f"{point.routing_ps:.0f}",
                point.logic_depth,
            )
            for point in good
        ]
        out.print(Sheet(["device", *right], rows, right=right))
        fastest = max(good, key=lambda point: point.fmax_mhz)
        out.print(
            "LUTs, carries, DSPs and registers of the unit alone; Fmax placed and routed between chains of "
            f"registers, pins not counted; {fastest.tools['nextpnr']}, {fastest.tools['yosys']}"
        )
        if advice:
            out.print(advice)
        steps = [
            (_brief(step["cell"]), step["kind"], f"{step['delay_ps']:.0f}", _brief(step["net"]))
            for step in fastest.critical_path
        ]
        if steps:
            out.print(
                Sheet(
                    ["to", "step", "delay ps", "net"],
                    steps,
                    right=["delay ps"],
                    title=f"Critical path: {fastest.startpoint} to {fastest.endpoint}",
                )
            )
    for point in found:
        if point.failure is not None:
            out.print(f"{point.target}, seed {point.seed} failed: {point.failure}", style="red")


def _brief(name: str, longest: int = 44) -> str:
    """A name without its middle: Yosys makes up names of 200 characters in FPGAs. `--json` has them whole."""
    return name if len(name) <= longest else f"{name[: longest - 23]}...{name[-20:]}"


def path(steps: Iterable[Mapping[str, Any]], start: str, end: str, out: Output) -> None:
    """A critical path, one step a line."""
    rows = [
        (
            step["instance"],
            step["cell"],
            f"{step['from_pin']} > {step['pin']}",
            step["edge"],
            f"{step['delay_ps']:.1f}",
            f"{step['arrival_ps']:.1f}",
            step["fanout"],
            f"{step['load_ff']:.1f}",
            step["net"],
        )
        for step in steps
    ]
    if rows:
        heads = ["instance", "cell", "arc", "edge", "delay ps", "arrival ps", "fanout", "load fF", "net"]
        out.print(Sheet(heads, rows, title=f"Critical path: {start} to {end}", right=heads[4:8]))


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


def regression(found: Regression) -> None:
    """`fpgen sim`: a line a group, then what failed."""
    from fpgen.verify.regression import group_table

    out = Output()
    out.print(Sheet(["group", "units", "vectors", "checked", "result"], group_table(found), right=["units", "vectors"]))
    for row in found.failures:
        out.print(f"FAILED {row.unit}: {row.reason}", style="red")
    out.print(
        f"{len(found.rows):,} units, {found.vectors:,} vectors, {len(found.failures)} failed, {found.seconds:.0f} s"
    )


def outcomes(found: Sequence[Outcome]) -> None:
    """`fpgen run`: one table, three lines a unit (what it is, its contract, where its files are); then what failed."""
    rows = []
    for outcome in found:
        described = Text(outcome.text, style="bold")
        described.append(f"\n  {outcome.contract}\n  {outcome.directory or 'nothing written'}", style="not bold")
        figures: tuple[Any, ...] = ("-", Text("failed", style="bold red"), "-", "-", "-")
        if outcome.passed:
            how = f"{outcome.method}, seed {outcome.seed}" if outcome.method == "sampled" else outcome.method
            figures = (
                f"{outcome.vectors:,}",
                how,
                f"{outcome.area_um2:.0f}",
                f"{outcome.nand2_eq:.0f}",
                f"{outcome.delay_ps:.0f}",
            )
        rows.append((described, outcome.latency, *figures))
    out = Output()
    right = ["latency", "vectors", "area um2", "NAND2 eq.", "delay ps"]
    out.print(Sheet(["unit, contract, files", "latency", "vectors", "checked", *right[2:]], rows, right=right))
    first = next((outcome for outcome in found if outcome.passed), None)
    if first is not None:
        out.print(f"Area and critical delay: {first.technology}, before placement; assumptions in each ppa.json.")
    for outcome in found:
        for note in outcome.notes:
            out.print(note, style="yellow")
        if not outcome.passed:
            out.print(f"FAILED {outcome.text}: {outcome.reason}", style="red")
