"""The command `fpgen`: reads arguments, calls the API, prints. Nothing is computed here.

Everything heavier than click is imported inside the command that needs it, so that
`fpgen --help` and `fpgen formats` answer at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fpgen.base.errors import RunFailure, UsageError
from fpgen.base.version import __version__

from . import cli_cost, cli_export, cli_tech
from .cli_parts import json_option, print_json, unit_argument
from .failure import FAILURE
from .unit_help import MainCommands, UnitCommand

if TYPE_CHECKING:
    from fpgen.handoff.designs import BuildPlan
    from fpgen.units import Unit

EXAMPLE = """\b
A worked example:
  fpgen formats e4m3fn
  fpgen generate "fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3" -o rtl_out
  fpgen verify   "fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3"
  fpgen ppa      "fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3"
  fpgen run designs/starter.toml
"""


@click.group(
    cls=MainCommands,
    epilog=EXAMPLE,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="fpgen", message="%(prog)s %(version)s")
def main() -> None:
    """Floating-point units from one description: golden model, Verilog, verification, cost."""


@main.command()
@click.argument("name", required=False)
@json_option
def formats(name: str | None, as_json: bool) -> None:
    """List the number formats and block formats, or describe one.

    NAME prints bias, range, special codes and, up to 8 bits, the value of every code;
    of a block format its element, scale and size.
    """
    from fpgen.formats.blocks import is_block
    from fpgen.formats.describe import catalogue_records, describe
    from fpgen.units.describe_blocks import block_record, block_records, block_rows

    from . import show

    if name is None:
        records, blocks = catalogue_records(), block_records()
        if as_json:
            print_json({"formats": records, "block_formats": blocks})
        else:
            show.catalogue(records)
            show.blocks(blocks)
        return
    if is_block(name):
        record = block_record(name)
        if as_json:
            print_json(record)
            return
        show.block_description(block_rows(name))
        if record["element"] == record["name"]:  # mxint8 is the name of both
            show.format_description(describe(record["element"]))
        return
    description = describe(name)
    if as_json:
        print_json(description.to_dict())
    else:
        show.format_description(description)


@main.command()
@click.argument("name", required=False)
@json_option
def accumulators(name: str | None, as_json: bool) -> None:
    """List the accumulators of known machines.

    NAME prints one of them, with the spelling of its parameters.
    """
    from fpgen.units.presets import records

    from . import show

    found = records(name)
    if as_json:
        print_json(found)
    else:
        show.accumulators(found, spelled=name is not None)


@main.command(cls=UnitCommand)
@unit_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("rtl_out"),
    show_default=True,
    help="Directory in which the unit's directory is written.",
)
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the Verilog instead of writing anything.")
@click.option(
    "--prove",
    "wants_proof",
    is_flag=True,
    help="First prove the Verilog equivalent to the Amaranth design; nothing is written unless it is.",
)
@click.option("--timeout", type=float, metavar="SECONDS", help="Limit of processor time for --prove (default 300).")
def generate(unit: Unit, output: Path, to_stdout: bool, wants_proof: bool, timeout: float | None) -> None:
    """Write a unit's Verilog and all that follows from it.

    It goes into OUTPUT/<unit>/; `fpgen bundle` verifies and costs the unit, too.
    Files there that are not fpgen's stay, and so does evidence of the same Verilog.
    """
    from fpgen.handoff.bundle import check_target

    if not to_stdout:
        check_target(output / unit.name)
    if wants_proof:
        _prove(unit, timeout)
    elif timeout is not None:
        raise UsageError(f"--timeout: got {timeout:g} without --prove; expected both")
    if to_stdout:
        click.echo(unit.verilog(), nl=False)
        return
    where = unit.bundle(output, progress=lambda line: click.echo(line, err=True))
    click.echo(f"{where}: {unit.contract}, latency {unit.latency}")


def _prove(unit: Unit, timeout: float | None) -> None:
    """Prove the text of a unit, or end the command."""
    from fpgen.formal.proof import LIMIT_S
    from fpgen.formal.text_proof import prove

    proof = prove(unit, timeout=LIMIT_S if timeout is None else timeout)
    if proof.status != "proven":
        raise RunFailure(
            f"{unit.text}: the Verilog could not be proven equivalent to the Amaranth design ({proof.status}"
            f"{': ' + proof.detail if proof.detail else ''}); nothing was written"
        )
    click.echo(f"proven equivalent to the Amaranth design in {proof.seconds:.0f} s of processor time", err=True)


@main.command(cls=UnitCommand)
@unit_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("rtl_out"),
    show_default=True,
    help="Directory in which the unit's directory is written.",
)
@click.option("--note", default="", help="A line for the datasheet.")
@click.option("--vectors", type=click.IntRange(1), metavar="N", help="Number of random vectors (default: as `verify`).")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the random vectors.")
@click.option("--target", type=click.FloatRange(min=1), metavar="PS", help="Delay target of the synthesis in ps.")
@click.option("--tech", "technology", metavar="NAME", help="Built-in technology (default: fpgen45).")
@click.option("--force", is_flag=True, help="Do everything again, even where nothing changed.")
@json_option
def bundle(
    unit: Unit, output: Path, seed: int, technology: str | None, force: bool, as_json: bool, **options: Any
) -> None:
    """Write, verify and cost a unit: all that is handed over.

    What `fpgen run` does for a list of units. The directory OUTPUT/<unit>/ can be simulated, checked and built from as
    it is; its README.md says how.
    """
    from fpgen.handoff.designs import BuildPlan, Design
    from fpgen.library.technology import load

    if technology is not None:
        load(technology)  # rejects an unknown one before any work begins
    plan = BuildPlan(Path(), (Design(unit, **options),), output, seed, technology)
    _build(plan, None, 1, force, as_json)


@main.command()
@click.argument("directory", type=click.Path(path_type=Path))
def audit(directory: Path) -> None:
    """Check a bundle against its manifest.

    Names every file that was changed or is missing, and evidence of other Verilog; exit code 1 if there is any.
    """
    from fpgen.handoff.audit import audit as audit_bundle

    found = audit_bundle(directory)
    for line in found.lines():
        click.echo(line)
    if not found.passed:
        raise SystemExit(FAILURE)


@main.command(cls=UnitCommand)
@unit_argument
@click.option("--simulator", default="verilator", show_default=True, help="Simulator: verilator or icarus.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the random vectors.")
@click.option(
    "--vectors",
    type=click.IntRange(1),
    metavar="N",
    help="Number of random vectors when not every code is tried (default: a million).",
)
@click.option(
    "--exhaustive/--sampled",
    default=None,
    help="Try every code of every input, or not (default: when there are at most 2**24).",
)
@click.option(
    "--fixed",
    metavar="INPUT=CODES",
    multiple=True,
    help="Drive an input with a few codes only, and the others with every code: c=corners or c=0x0,0x3f800000.",
)
@click.option("--replay", metavar="VECTOR", help="Run one vector again: an index, or codes such as a=0x3c,b=0x01.")
@click.option("--waves", is_flag=True, help="Write a VCD waveform of the first mismatch, or of the first vectors.")
@click.option(
    "--keep", metavar="DIR", type=click.Path(path_type=Path), help="Directory for the evidence and the waveform."
)
@click.option("--force", is_flag=True, help="Run again even if the same verification passed before.")
@json_option
def verify(unit: Unit, fixed: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Simulate a unit against its golden model.

    The Verilog runs in cocotb; exit code 1 on a mismatch.
    """
    from . import show, show_progress

    with show_progress.simulation(unit.text, quiet=as_json) as progress:
        verdict = unit.verify(progress=progress, fixed=_fixed(fixed), **options)
    if as_json:
        print_json(verdict.to_dict())
    else:
        show.verdict(verdict)
    if not verdict.passed:
        raise SystemExit(FAILURE)


def _fixed(given: tuple[str, ...]) -> dict[str, Any] | None:
    """Inputs held to a few codes: ``c=corners`` or a list of numbers."""
    found: dict[str, Any] = {}
    for item in given:
        name, equals, codes = item.partition("=")
        try:
            found[name] = codes if codes == "corners" else [int(code, 0) for code in codes.split(",")]
        except ValueError:
            equals = ""
        if not equals:
            raise UsageError(f"--fixed: got {item}; expected INPUT=corners or INPUT=CODE,CODE,...")
    return found or None


@main.command("run")
@click.argument("designs", type=click.Path(path_type=Path), required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory in which the units' directories are written (default: the one in the file, else rtl_out).",
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Number of units processed in parallel."
)
@click.option("--prefix", metavar="PREFIX", help="What the names of all modules begin with.")
@click.option("--force", is_flag=True, help="Do everything again, even where nothing changed.")
@json_option
def run_designs(
    designs: Path | None, output: Path | None, jobs: int, prefix: str | None, force: bool, as_json: bool
) -> None:
    """Build, verify and cost a list of units.

    DESIGNS is a TOML file; default: designs/starter.toml.
    """
    from fpgen.handoff.designs import load

    plan = load(designs)
    _build(plan if prefix is None else plan.prefixed(prefix), output, jobs, force, as_json)


def _build(plan: BuildPlan, output: Path | None, jobs: int, force: bool, as_json: bool) -> None:
    from fpgen.handoff.build import build

    from . import show, show_progress

    with show_progress.progress(quiet=as_json) as progress:
        outcomes = build(plan, output=output, jobs=jobs, force=force, progress=progress)
    if as_json:
        print_json([outcome.to_dict() for outcome in outcomes])
    else:
        show.outcomes(outcomes)
    if any(not outcome.passed for outcome in outcomes):
        raise SystemExit(FAILURE)


@main.command()
@click.argument("regression", type=click.Path(path_type=Path), required=False)
@click.option("--full", is_flag=True, help="Run the whole list, not only the slice (hours on a small machine).")
@click.option(
    "--simulator", type=click.Choice(["verilator", "icarus"]), default="verilator", show_default=True, help="Simulator."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Number of simulations run in parallel."
)
@click.option("--force", is_flag=True, help="Run units again that passed before and have not changed.")
@click.option(
    "--report", metavar="FILE", type=click.Path(path_type=Path), help="Write the complete result as Markdown."
)
def sim(regression: Path | None, full: bool, report: Path | None, **options: Any) -> None:
    """Verify the units of a regression list.

    REGRESSION is a TOML file; default: sim/regression.toml.
    """
    from fpgen.base.places import check_file
    from fpgen.verify.regression import HEADING, markdown, run_regression

    from . import show, show_progress

    if report is not None:
        check_file("report", report, HEADING)
    with show_progress.regression_progress() as progress:
        found = run_regression("full" if full else "slice", path=regression, progress=progress, **options)
    show.regression(found)
    if report is not None:
        from fpgen.base.cache import write_whole

        write_whole(report.resolve(), markdown(found))
        click.echo(f"written: {report}")
    if not found.passed:
        raise SystemExit(FAILURE)


@main.command()
@json_option
def doctor(as_json: bool) -> None:
    """List every tool and what is missing.

    Exit code 1 if a required tool is missing.
    """
    from . import show
    from .doctor import examine, healthy

    findings = examine()
    if as_json:
        print_json([finding.to_dict() for finding in findings])
    else:
        show.findings(findings)
    if not healthy(findings):
        raise SystemExit(FAILURE)


for _command in (*cli_cost.COMMANDS, *cli_export.COMMANDS, *cli_tech.COMMANDS):
    main.add_command(_command)
