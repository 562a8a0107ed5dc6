"""What the commands share: the argument that is a unit, and printing JSON."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from fpgen.base.errors import UsageError

if TYPE_CHECKING:
    from fpgen.units import Unit

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def unit_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command its `unit`: an argument, one quoted line, and the options that name its module."""

    @functools.wraps(command)
    def with_unit(words: tuple[str, ...], name: str | None, prefix: str | None, **options: Any) -> Any:
        return command(unit=_unit_of(words, module_name=name, prefix=prefix), **options)

    for decorator in (
        click.option(
            "--prefix",
            metavar="PREFIX",
            help="What module and file names begin with; the same as prefix=PREFIX in UNIT.",
        ),
        click.option(
            "--name", metavar="NAME", help="Name of the Verilog module; the same as module_name=NAME in UNIT."
        ),
        click.argument("words", metavar='"UNIT"', nargs=-1, required=True),
    ):
        with_unit = decorator(with_unit)
    return with_unit


def _unit_of(words: tuple[str, ...], **names: str | None) -> Unit:
    from fpgen.units import parse_unit

    if len(words) > 1 and words[-1] == "-":  # the shell took "> fp16" for a redirection
        raise UsageError(
            f'unit: got {len(words)} words, {" ".join(words)}; expected one in quotes: "multiply fp16 fp16 -> fp16"'
        )
    unit = parse_unit(" ".join(words))
    given: dict[str, Any] = {option: name for option, name in names.items() if name is not None}
    for option, name in given.items():
        if getattr(unit, option) not in (None, name):
            short = option.removeprefix("module_")
            raise UsageError(
                f"--{short} {name}: got a UNIT with {option}={getattr(unit, option)}; expected one of them"
            )
    return dataclasses.replace(unit, **given)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))
