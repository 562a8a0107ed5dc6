"""The command `fpgen export`: a unit as a design of a layout flow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .cli_parts import unit_argument
from .unit_help import UnitCommand

if TYPE_CHECKING:
    from fpgen.units import Unit


@click.command(cls=UnitCommand)
@unit_argument
@click.option("--flow", required=True, metavar="FLOW", help="The flow: orfs (OpenROAD-flow-scripts) or librelane.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Directory in which the design's directories are written.",
)
@click.option(
    "--platform",
    metavar="NAME",
    help="orfs: nangate45 (default), sky130hd, asap7, gf180, ihp-sg13g2. "
    "librelane: sky130A (default), gf180mcuD, ihp-sg13g2.",
)
@click.option(
    "--period", type=float, metavar="PS", help="Clock period in ps (default: the unit's period=, or an estimate)."
)
def export(unit: Unit, flow: str, output: Path, platform: str | None, period: float | None) -> None:
    """Write a unit as a design of a layout flow.

    Prints the command that makes the layout. Files in the directories that are not fpgen's stay.
    """
    from fpgen.handoff.export import export as export_unit

    made = export_unit(
        unit,
        output,
        flow,
        platform=platform,
        period=period,
        progress=lambda line: click.echo(line, err=True),
    )
    click.echo(f"{made.directory}: {made.period:g} ps. {made.source}")
    click.echo(made.command)


COMMANDS = (export,)
