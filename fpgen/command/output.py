"""Standard output, on a terminal and into a file or pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    pass


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
