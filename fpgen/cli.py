"""The command `fpgen`: reads arguments, calls the API, prints. Nothing is computed here.

Everything heavier than click is imported inside the command that needs it, so that
`fpgen --help` and `fpgen formats` answer at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import __version__
from .errors import RunFailure, UsageError
from .failure import FAILURE, Commands

if TYPE_CHECKING:
    from .units import Unit

EXAMPLE = """\b
A worked example:
  fpgen formats e4m3fn
  fpgen generate "fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3" -o rtl_out
  fpgen verify   "fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3"
  fpgen ppa      "fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3"
  fpgen run designs/starter.toml

\b
A unit is one line: operation, operand formats, "->", result format, options.
  multiply A B -> OUT    add A B -> OUT    fma A B C -> OUT
  mac A B -> OUT         convert SOURCE -> OUT
  dot A B n=N [+ C] -> OUT accumulate=exact|aligned:fraction=F|chain|tree|PRESET (fpgen accumulators)
  blockdot A B k=K [+ C] -> OUT           quantize SOURCE -> BLOCK     dequantize BLOCK -> OUT
  tensorcore A B m=M n=N k=K [+ C] -> OUT
  rounding: rne rna rtz rup rdn rto sra srb src port   overflow: ieee infinite saturate propagate
  stages=N | period=PS   handshake=none|valid|ready    flags=on   subnormals=full|in|out|both
"""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group(cls=Commands, epilog=EXAMPLE, no_args_is_help=True,
             context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="fpgen", message="%(prog)s %(version)s")
def main():
    """Floating-point units from one description: golden model, Verilog, verification, cost."""


def unit_argument(command):
    """The argument that describes a unit, as one quoted line."""
    return click.argument("words", metavar='"UNIT"', nargs=-1, required=True)(command)


def _unit(words: tuple[str, ...]):
    from . import parse_unit

    if len(words) > 1 and words[-1] == "-":  # the shell took "> fp16" for a redirection
        raise UsageError(f"unit '{' '.join(words)}'; put the whole line in quotes: \"multiply fp16 fp16 -> fp16\"")
    return parse_unit(" ".join(words))


def _print_json(value: Any):
    click.echo(json.dumps(value, indent=2))


@main.command()
@click.argument("name", required=False)
@json_option
def formats(name: str | None, as_json: bool):
    """List the number formats and block formats, or describe one.

    NAME prints bias, range, special codes and, up to 8 bits, the value of every code;
    of a block format its element, scale and size.
    """
    from . import show
    from .formats.blocks import is_block
    from .formats.describe import catalogue_records, describe
    from .formats.describe_blocks import block_record, block_records, block_rows

    if name is None:
        records, blocks = catalogue_records(), block_records()
        if as_json:
            _print_json({"formats": records, "block_formats": blocks})
        else:
            show.catalogue(records)
            show.blocks(blocks)
        return
    if is_block(name):
        record = block_record(name)
        if as_json:
            _print_json(record)
            return
        show.block_description(block_rows(name))
        if record["element"] == record["name"]:  # mxint8 is the name of both
            show.format_description(describe(record["element"]))
        return
    description = describe(name)
    if as_json:
        _print_json(description.to_dict())
    else:
        show.format_description(description)


@main.command()
@click.argument("name", required=False)
@json_option
def accumulators(name: str | None, as_json: bool):
    """List the accumulators of known machines.

    NAME prints one of them, with the spelling of its parameters.
    """
    from . import show
    from .units.presets import records

    found = records(name)
    if as_json:
        _print_json(found)
    else:
        show.accumulators(found, spelled=name is not None)


@main.command()
@unit_argument
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=Path("rtl_out"),
              show_default=True, help="Where the unit's directory goes.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the Verilog instead of writing anything.")
@click.option("--prove", "wants_proof", is_flag=True,
              help="First prove the Verilog equal to the Amaranth design; nothing is written if it is not.")
def generate(words: tuple[str, ...], output: Path, to_stdout: bool, wants_proof: bool):
    """Write a unit's Verilog and datasheet.

    They go into OUTPUT/<unit>/.
    """
    unit = _unit(words)
    if wants_proof:
        _prove(unit)
    if to_stdout:
        click.echo(unit.verilog(), nl=False)
        return
    click.echo(f"{unit.bundle(output)}: {unit.contract}, latency {unit.latency}")


def _prove(unit: Unit):
    """Prove the text of a unit, or end the command."""
    from .verilog.proof import prove

    proof = prove(unit)
    if proof.status != "proven":
        raise RunFailure(f"{unit.text}: the Verilog could not be shown equal to the Amaranth design ({proof.status}"
                         f"{': ' + proof.detail if proof.detail else ''}); nothing was written")
    click.echo(f"proven equal to the Amaranth design in {proof.seconds:.0f} s", err=True)


@main.command()
@unit_argument
@click.option("--simulator", default="verilator", show_default=True, help="verilator or icarus.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the random vectors.")
@click.option("--vectors", type=click.IntRange(1), metavar="N",
              help="Random vectors where not all codes are tried; default a million.")
@click.option("--exhaustive/--sampled", default=None,
              help="Try every code of every input, or not; default: where these are at most 2**24.")
@click.option("--replay", metavar="VECTOR", help="Run one vector again: its index, or codes such as a=0x3c,b=0x01.")
@click.option("--waves", is_flag=True, help="Write a VCD waveform of the first mismatch, or of the first vectors.")
@click.option("--keep", metavar="DIR", type=click.Path(path_type=Path), help="Where evidence and waveform go.")
@click.option("--force", is_flag=True, help="Run again even if this very thing passed before.")
@json_option
def verify(words: tuple[str, ...], as_json: bool, **options: Any):
    """Simulate a unit against its golden model.

    The Verilog runs in cocotb; exit code 1 on a mismatch.
    """
    from . import show

    unit = _unit(words)
    with show.simulation(unit.text, quiet=as_json) as tell:
        verdict = unit.verify(progress=tell, **options)
    if as_json:
        _print_json(verdict.to_dict())
    else:
        show.verdict(verdict)
    if not verdict.passed:
        raise SystemExit(FAILURE)


@main.command()
@unit_argument
@click.option("--tech", "technology", metavar="NAME",
              help="A built-in technology, fpgen45 (default) or fpgen7, or a PDK below PDK_ROOT, such as sky130A.")
@click.option("--liberty", type=click.Path(path_type=Path), help="A cell library (gzip accepted), not a built-in one.")
@click.option("--driving-cell", metavar="CELL", help="With --liberty: the cell that drives every input.")
@click.option("--recipe", metavar="NAME", help="All points of one recipe, such as reference, or a .toml file.")
@click.option("--effort", metavar="N",
              help="0 or quick (default): one point; 1 fair, 2 pareto, 3 thorough: ever more recipes and targets, and "
                   "of their points what nothing beats.")
@click.option("--target", "targets", multiple=True, metavar="PS|FPGA",
              help="Delay target, may be repeated; or an FPGA: ecp5, ice40, ecp5:85k, ...")
@click.option("--wire-load", metavar="FF", help="fF for each pin that a net drives, or a model of the library's.")
@click.option("--seed", "seeds", type=click.IntRange(0), multiple=True, metavar="N",
              help="Of an FPGA's place and route (default 1); may be repeated.")
@click.option("--prove/--no-prove", default=None,
              help="Prove each netlist equal to the Verilog, or not; default: where it takes seconds.")
@click.option("--power", is_flag=False, flag_value="uniform", metavar="[STIMULUS]",
              help="Energy per operation; operands: uniform (default), gaussian or a .npy file. After the unit.")
@click.option("--engine", metavar="NAME", help="Which Yosys: yowasp, native or auto.")
@json_option
def ppa(words: tuple[str, ...], as_json: bool, targets: tuple[str, ...], seeds: tuple[int, ...], **options: Any):
    """Synthesise a unit: area, delay, path.

    With --target ecp5 or ice40: LUTs, DSP blocks and clock rate of an FPGA.
    """
    from . import show

    unit = _unit(words)
    delays, family = _targets(targets)
    if family is not None:
        _fpga(unit, family, seeds, options, as_json)
        return
    if seeds:
        raise UsageError("--seed without an FPGA; with --target ecp5 or ice40 it is allowed")
    with show.synthesis(unit.text, quiet=as_json) as tell:
        points = unit.ppa(targets=delays or None, tell=tell, **options)
    if as_json:
        _print_json([point.to_dict() for point in points])
    else:
        show.points(points)
    if all(point.failure is not None for point in points) or any(point.disproved for point in points):
        raise SystemExit(FAILURE)


def _targets(given: tuple[str, ...]) -> tuple[tuple[float, ...], str | None]:
    """Delay targets in ps, or the FPGA."""
    from .ppa.fpga import targets

    try:
        return tuple(float(item) for item in given), None
    except ValueError:
        if len(given) > 1 or given[0] not in targets():
            raise UsageError(f"target {', '.join(given)}; delays in ps are allowed, or one of {', '.join(targets())}"
                             ) from None
        return (), given[0]


def _fpga(unit: Unit, family: str, seeds: tuple[int, ...], options: dict[str, Any], as_json: bool):
    """`fpgen ppa --target ecp5`."""
    from . import show
    from .ppa import measure_fpga

    engine = options.pop("engine")
    odd = [name for name, value in options.items() if value]
    if odd:
        raise UsageError(f"--target {family} with --{odd[0].replace('technology', 'tech').replace('_', '-')}; an FPGA "
                         "takes --engine, --seed and --json only")
    with show.synthesis(unit.text, quiet=as_json) as tell:
        points = measure_fpga(unit, family, seeds=seeds or (1,), engine=engine, tell=tell)
    if as_json:
        _print_json([point.to_dict() for point in points])
    else:
        show.fpga_points(points)
    if all(point.failure is not None for point in points):
        raise SystemExit(FAILURE)


@main.command()
@click.argument("netlist", type=click.Path(path_type=Path))
@click.option("--top", required=True, help="The module to time.")
@click.option("--liberty", "liberty_path", required=True, type=click.Path(path_type=Path),
              help="Its cell library (gzip accepted).")
@click.option("--driving-cell", help="The cell that drives every input.")
@click.option("--load", "output_load_ff", type=click.FloatRange(0), default=4.0, show_default=True, metavar="FF",
              help="Load on every output in fF.")
@click.option("--wire-load", metavar="FF", help="fF for each pin that a net drives, or a model of the library's.")
@json_option
def sta(netlist: Path, as_json: bool, **options: Any):
    """Time any mapped Verilog netlist."""
    from . import show
    from .ppa.sta import run as analyse

    report = analyse(netlist, **options)
    if as_json:
        _print_json(report.to_dict())
    else:
        show.timing(report)


@main.command()
@click.argument("designs", type=click.Path(path_type=Path), required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              help="Where the units' directories go; default: what the file says, else rtl_out.")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Units worked on at once.")
@click.option("--force", is_flag=True, help="Do everything again, also where nothing changed.")
@json_option
def run(designs: Path | None, output: Path | None, jobs: int, force: bool, as_json: bool):
    """Build, verify and cost a list of units.

    DESIGNS is a TOML file; default: designs/starter.toml.
    """
    from . import show
    from .build import build
    from .designs import load

    plan = load(designs)
    with show.progress(quiet=as_json) as tell:
        outcomes = build(plan, output=output, jobs=jobs, force=force, tell=tell)
    if as_json:
        _print_json([outcome.to_dict() for outcome in outcomes])
    else:
        show.outcomes(outcomes)
    if any(not outcome.passed for outcome in outcomes):
        raise SystemExit(FAILURE)


@main.command()
@click.argument("regression", type=click.Path(path_type=Path), required=False)
@click.option("--full", is_flag=True, help="The whole list, not only the slice: hours on a small machine.")
@click.option("--simulator", type=click.Choice(["verilator", "icarus"]), default="verilator", show_default=True)
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Simulations at once.")
@click.option("--force", is_flag=True, help="Run again what passed before unchanged.")
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path), help="Write the whole result as Markdown.")
def sim(regression: Path | None, full: bool, report: Path | None, **options: Any):
    """Verify the units of a regression list.

    REGRESSION is a TOML file; default: sim/regression.toml.
    """
    from . import show
    from .verify.regression import markdown, run_regression

    if report is not None and not report.absolute().parent.is_dir():
        raise UsageError(f"report {report}: there is no directory {report.absolute().parent}")
    with show.regression_progress() as tell:
        found = run_regression("full" if full else "slice", path=regression, tell=tell, **options)
    show.regression(found)
    if report is not None:
        from .cache import write_whole

        write_whole(report, markdown(found))
        click.echo(f"written: {report}")
    if not found.passed:
        raise SystemExit(FAILURE)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="List and count the points; run nothing.")
@click.option("--full", is_flag=True, help="The whole grid, not only the file's slice.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=Path("sweep_out"),
              show_default=True, help="Where the store goes: OUTPUT/NAME.parquet and .csv.")
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Points measured at once.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, tcp://host:8786: its workers do the work.")
@click.option("--force", is_flag=True, help="Measure again what is known.")
@json_option
def sweep(file: Path, **options: Any):
    """Measure a unit over lists of parameters.

    FILE is a TOML file, or the name of one that came with fpgen: fma-formats, dot-accumulator, depth. A sweep
    that was stopped goes on where it was; failing points are recorded with their reason.
    """
    from .sweep import command

    command.sweep(file, **options)


@main.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--rules", type=click.Path(path_type=Path), help="Tolerances; default: synth/rules.toml.")
@click.option("--all", "everything", is_flag=True, help="Show also figures that have no rule.")
@json_option
def compare(before: Path, after: Path, **options: Any):
    """Say what moved between two stores.

    Exit code 1 when a figure got worse than the rules allow, a record is gone or fails, or assumptions differ.
    """
    from .sweep import command

    command.compare(before, after, **options)


@main.command()
@click.argument("store", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              help="Directory of the page and its plots; default: NAME_report beside the store.")
@click.option("--title", help="Heading of the page; default: the sweep's own.")
def report(store: Path, output: Path | None, title: str | None):
    """Write a store as one HTML page with plots.

    STORE is a .parquet or .csv file of fpgen sweep. The page opens from disk and loads nothing from elsewhere;
    its plots stand beside it as SVG and PNG.
    """
    from .sweep import command

    command.report(store, output, title)


@main.command()
@json_option
def doctor(as_json: bool):
    """List every tool and what is missing.

    Exit code 1 if one that is needed is missing.
    """
    from . import show
    from .doctor import examine, healthy

    findings = examine()
    if as_json:
        _print_json([finding.to_dict() for finding in findings])
    else:
        show.findings(findings)
    if not healthy(findings):
        raise SystemExit(FAILURE)
