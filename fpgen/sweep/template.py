"""A unit's line of text with places to fill: ``multiply e{E}m{P - 1} e{E}m{P - 1} -> e{E}m{P - 1} rne``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fpgen.base.errors import UsageError

from . import formula
from .formula import Expression, Value


@dataclass(frozen=True)
class Template:
    """Text in pieces: the text between the braces, and the expressions in them."""

    text: str
    pieces: tuple[str | Expression, ...]

    @property
    def names(self) -> frozenset[str]:
        """The parameters it mentions."""
        return frozenset().union(*(piece.names for piece in self.pieces if isinstance(piece, Expression)))

    def fill(self, parameters: Mapping[str, Value]) -> str:
        """The text with every place filled.

        Raises
        ------
        UsageError
            When an expression has no value.
        """
        return "".join(piece if isinstance(piece, str) else spelled(piece.value(parameters)) for piece in self.pieces)


def read(text: Any, what: str) -> Template:
    """The template that `text` spells; `what` it is goes into messages.

    Raises
    ------
    UsageError
        For anything but text with balanced braces and readable expressions in them.
    """
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"{what}: got {text!r}; expected text such as 'add {{fmt}} {{fmt}} -> {{fmt}} rne'")
    pieces: list[str | Expression] = []
    for index, piece in enumerate(re.split(r"\{([^{}]*)\}", text)):
        if index % 2:
            pieces.append(formula.read(piece))
        elif "{" in piece or "}" in piece:
            raise UsageError(f"{what} {text!r}: got a brace without its partner; expected places such as {{P - 1}}")
        else:
            pieces.append(piece)
    return Template(text, tuple(pieces))


def spelled(value: Any) -> str:
    """A value as a unit's text has it: 4, 4.5, on, e4m3fn."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)
