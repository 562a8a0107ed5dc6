"""The commands that measure: ppa, sta, sweep, compare, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fpgen.base.errors import UsageError

from .cli_parts import json_option, print_json, unit_argument
from .failure import FAILURE
from .unit_help import UnitCommand

if TYPE_CHECKING:
    from fpgen.units import Unit


class _Measuring(UnitCommand):
    """A command whose ``--power`` may be anywhere: click would take the unit after it as its value."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from fpgen.power.operand_kinds import DEFAULT, means_stimulus

        plain = [
            f"--power={DEFAULT}" if word == "--power" and following and not means_stimulus(following[0]) else word
            for word, following in ((word, args[at + 1 : at + 2]) for at, word in enumerate(args))
        ]
        return super().parse_args(ctx, plain)


@click.command(cls=_Measuring)
@unit_argument
@click.option(
    "--tech",
    "technology",
    metavar="NAME",
    help="A built-in technology, fpgen45 (default) or fpgen7, or a PDK below PDK_ROOT, such as sky130A.",
)
@click.option("--liberty", type=click.Path(path_type=Path), help="A cell library (gzip accepted), not a built-in one.")
@click.option("--driving-cell", metavar="CELL", help="Cell that drives every input; with --liberty.")
@click.option("--recipe", metavar="NAME", help="All points of one recipe, such as reference, or a .toml file.")
@click.option(
    "--effort",
    metavar="N",
    help="0 or quick (default): one point; 1 fair, 2 pareto, 3 thorough: more recipes and targets, of which "
    "the non-dominated points are shown.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="PS|FPGA",
    help="Delay target in ps (may be repeated), or an FPGA: ecp5, ice40, ecp5:85k, ...",
)
@click.option(
    "--wire-load",
    metavar="FF",
    help="Wire capacitance in fF for each pin that a net drives, or the name of a wire-load model of the library.",
)
@click.option(
    "--seed",
    "seeds",
    type=click.IntRange(0),
    multiple=True,
    metavar="N",
    help="Seed of an FPGA's place and route (default 1; may be repeated).",
)
@click.option(
    "--prove/--no-prove",
    default=None,
    help="Prove each netlist equivalent to the Verilog, or not (default: where it takes seconds).",
)
@click.option(
    "--power",
    is_flag=False,
    flag_value="uniform",
    metavar="[STIMULUS]",
    help="Measure energy per operation on these operands: uniform, gaussian or a .npy file, with options as in "
    "gaussian:sigma=2,seed=3,operations=65536.",
)
@click.option("--engine", metavar="NAME", help="Which Yosys to use: yowasp, native or auto.")
@click.option(
    "--timeout",
    type=float,
    metavar="SECONDS",
    help="Limit of processor time for each run of Yosys and each proof with --prove (default 300), or for "
    "each tool for an FPGA (600).",
)
@json_option
def ppa(
    unit: Unit,
    as_json: bool,
    targets: tuple[str, ...],
    seeds: tuple[int, ...],
    **options: Any,
) -> None:
    """Synthesise a unit: area, delay, path.

    With --target ecp5 or ice40: LUTs, DSP blocks and clock rate of an FPGA; a unit with multiplier=operator
    adder=operator uses its DSP blocks and carry chains.
    """
    from . import show_points, show_progress

    delays, family = _targets(targets)
    if family is not None:
        _fpga(unit, family, seeds, options, as_json)
        return
    if seeds:
        power = " (the seed of the power operands is set with --power uniform:seed=N)" if options["power"] else ""
        raise UsageError(f"--seed: got it without an FPGA; expected --target ecp5 or ice40 with it{power}")
    with show_progress.synthesis(unit.text, as_json, options["engine"]) as progress:
        points = unit.ppa(targets=delays or None, progress=progress, **options)
    if as_json:
        print_json([point.to_dict() for point in points])
    else:
        show_points.points(points)
    if all(point.failure is not None for point in points) or any(point.disproved for point in points):
        raise SystemExit(FAILURE)


def _targets(given: tuple[str, ...]) -> tuple[tuple[float, ...], str | None]:
    """Delay targets in ps, or the FPGA."""
    from fpgen.synthesis.fpga_families import targets

    try:
        return tuple(float(item) for item in given), None
    except ValueError:
        if len(given) > 1 or given[0] not in targets():
            raise UsageError(
                f"target: got {', '.join(given)}; expected delays in ps, or one of {', '.join(targets())}"
            ) from None
        return (), given[0]


def _fpga(unit: Unit, family: str, seeds: tuple[int, ...], options: dict[str, Any], as_json: bool) -> None:
    """`fpgen ppa --target ecp5`."""
    from fpgen.ppa import measure_fpga
    from fpgen.synthesis.fpga_families import advice

    from . import show_points, show_progress

    engine, timeout = options.pop("engine"), options.pop("timeout")
    odd = [name for name, value in options.items() if value]
    if odd:
        raise UsageError(
            f"--target {family}: got --{odd[0].replace('technology', 'tech').replace('_', '-')} with it; expected "
            "only --engine, --seed, --timeout and --json for an FPGA"
        )
    with show_progress.synthesis(unit.text, as_json, engine, family) as progress:
        points = measure_fpga(unit, family, seeds=seeds or (1,), engine=engine, timeout=timeout, progress=progress)
    if as_json:
        print_json([point.to_dict() for point in points])
    else:
        show_points.fpga_points(points, advice(unit, family))
    if all(point.failure is not None for point in points):
        raise SystemExit(FAILURE)


@click.command()
@click.argument("netlist", type=click.Path(path_type=Path))
@click.option("--top", help="Module to time (default: the only one).")
@click.option(
    "--liberty",
    "liberty_path",
    required=True,
    type=click.Path(path_type=Path),
    help="Cell library of the netlist (gzip accepted).",
)
@click.option("--driving-cell", help="The cell that drives every input.")
@click.option(
    "--load",
    "output_load_ff",
    type=click.FloatRange(0),
    default=4.0,
    show_default=True,
    metavar="FF",
    help="Load on every output, in fF.",
)
@click.option(
    "--wire-load",
    metavar="FF",
    help="Wire capacitance in fF for each pin that a net drives, or the name of a wire-load model of the library.",
)
@click.option(
    "--black-box",
    "black_boxes",
    multiple=True,
    metavar="PATTERN",
    help="Cells without Liberty, or modules without contents, to leave out together with the paths through them: a "
    "name or a pattern such as '*_fill_*' (may be repeated).",
)
@click.option("--ignore-missing", is_flag=True, help="Leave out every cell that has neither Liberty data nor a module.")
@json_option
def sta(netlist: Path, as_json: bool, **options: Any) -> None:
    """Time any mapped Verilog netlist.

    It may be hierarchical and have power pins and physical cells. What was left out or looks odd is reported in notes;
    a netlist without any path is an error.
    """
    from fpgen.timing.sta import run as analyse

    from . import show_points

    report = analyse(netlist, **options)
    if as_json:
        print_json(report.to_dict())
    else:
        show_points.timing(report)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="List and count the points; run nothing.")
@click.option("--full", is_flag=True, help="Run the whole grid, not only the file's slice.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sweep_out"),
    show_default=True,
    help="Directory of the store: OUTPUT/NAME.parquet and .csv.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Number of points measured in parallel."
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers do the work, such as tcp://host:8786."
)
@click.option("--force", is_flag=True, help="Measure points again that are already known.")
@json_option
def sweep(file: Path, **options: Any) -> None:
    """Measure a unit over lists of parameters.

    FILE is a TOML file, or the name of a shipped one: fma-formats, dot-accumulator, depth,
    architecture. A sweep that was stopped resumes where it was; failing points are recorded with their reason.
    """
    from . import sweep_command

    sweep_command.sweep(file, **options)


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--rules", type=click.Path(path_type=Path), help="File of tolerances (default: synth/rules.toml).")
@click.option("--all", "everything", is_flag=True, help="Also show figures that have no rule.")
@json_option
def compare(before: Path, after: Path, **options: Any) -> None:
    """Show what moved between two stores.

    Exit code 1 when a figure got worse than the rules allow, a record is gone or fails, or assumptions differ.
    """
    from . import sweep_command

    sweep_command.compare(before, after, **options)


@click.command()
@click.argument("store", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the page and its plots (default: NAME_report beside the store).",
)
@click.option("--title", help="Heading of the page (default: that of the sweep).")
def report(store: Path, output: Path | None, title: str | None) -> None:
    """Write a store as one HTML page with plots.

    STORE is a .parquet or .csv file of fpgen sweep. The page opens from disk and loads nothing from elsewhere;
    its plots are beside it as SVG and PNG.
    """
    from . import sweep_command

    sweep_command.report(store, output, title)


COMMANDS = (ppa, sta, sweep, compare, report)
