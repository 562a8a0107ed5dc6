"""What the commands share: the argument that is a unit, and printing JSON."""

from __future__ import annotations

import json
from typing import Any

import click

from .errors import UsageError

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def unit_argument(command):
    """The argument that describes a unit, as one quoted line."""
    return click.argument("words", metavar='"UNIT"', nargs=-1, required=True)(command)


def unit_of(words: tuple[str, ...]):
    from . import parse_unit

    if len(words) > 1 and words[-1] == "-":  # the shell took "> fp16" for a redirection
        raise UsageError(f"unit '{' '.join(words)}'; put the whole line in quotes: \"multiply fp16 fp16 -> fp16\"")
    return parse_unit(" ".join(words))


def print_json(value: Any):
    click.echo(json.dumps(value, indent=2))
