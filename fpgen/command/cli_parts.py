"""What the commands share: the argument that is a unit, and printing JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fpgen.base.errors import UsageError

if TYPE_CHECKING:
    from fpgen.units import Unit

Command = TypeVar("Command", bound="Callable[..., Any] | click.Command")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def unit_argument(command: Command) -> Command:
    """The argument that describes a unit, as one quoted line, and the option that names its module."""
    named = click.option(
        "--name", metavar="NAME", help="Name of the Verilog module; the same as module_name=NAME in UNIT."
    )
    return click.argument("words", metavar='"UNIT"', nargs=-1, required=True)(named(command))


def unit_of(words: tuple[str, ...], name: str | None = None) -> Unit:
    from fpgen.units import parse_unit

    if len(words) > 1 and words[-1] == "-":  # the shell took "> fp16" for a redirection
        raise UsageError(
            f'unit: got {len(words)} words, {" ".join(words)}; expected one in quotes: "multiply fp16 fp16 -> fp16"'
        )
    unit = parse_unit(" ".join(words))
    if name is None:
        return unit
    if unit.module_name not in (None, name):
        raise UsageError(f"--name {name}: got a UNIT with module_name={unit.module_name}; expected one of them")
    return dataclasses.replace(unit, module_name=name)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))
