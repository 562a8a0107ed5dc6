"""Tables for a terminal of any width: figures are never cut, words only where nothing else is left to give.

A wide terminal, a file or a pipe gets the roomy layout. A narrower one gets heads in several lines, then columns a
single space apart, then names broken in two; and where even that is too wide, lines run past the edge, since a
figure without its last digits is a wrong figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class _Layout:
    """How much room a table takes: blanks beside a cell, heads in one line, and how narrow words may be broken."""

    padding: int
    one_line: bool
    narrowest: int
    breaks_kept: bool = False


_LAYOUTS = (
    _Layout(1, True, 24),
    _Layout(1, False, 24),
    _Layout(0, False, 24),
    _Layout(0, False, 15),
    _Layout(0, False, 6, breaks_kept=True),
)

#: Words that are all short are given this much room together.
_PROSE = 8


class Sheet:
    """Plain cells under heads.

    Parameters
    ----------
    heads : sequence of str
    rows : iterable of sequences
        Anything with a text, or `rich.text.Text`.
    right : iterable of str
        Heads of columns with figures, which are never cut.
    title : str
    keep : iterable of str
        Heads of columns whose cells stay in one line as long as that is possible.
    """

    def __init__(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[Any]],
        *,
        right: Iterable[str] = (),
        title: str = "",
        keep: Iterable[str] = (),
    ) -> None:
        self.heads = heads
        self.rows = [[cell if isinstance(cell, Text) else Text(str(cell)) for cell in row] for row in rows]
        self.right, self.keep, self.title = set(right), set(keep), title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for layout in _LAYOUTS:
            wanted, widths = self._widths(layout)
            left = options.max_width - self._around(layout) - sum(widths)
            if left >= 0:
                break
        for _ in range(left):  # room that is left goes to the column that lacks most
            index = max(range(len(widths)), key=lambda column: wanted[column] / max(1, widths[column]))
            if wanted[index] > widths[index]:
                widths[index] += 1
        yield self._table(layout, widths)

    def _around(self, layout: _Layout) -> int:
        """What a table takes besides its cells: between them, and at the edges."""
        return (len(self.heads) - 1) * (1 + 2 * layout.padding) + 2 * layout.padding

    def _widths(self, layout: _Layout) -> tuple[list[int], list[int]]:
        """What each column would like to have, and what it needs."""
        wanted, needed = [], []
        for index, head in enumerate(self.heads):
            shown = [self._head(head, layout), *(row[index] for row in self.rows)]
            whole = max((line.cell_len for text in shown for line in text.split()), default=0)
            words = max(map(_widest_word, shown))
            broken = min(whole, max(min(words, layout.narrowest), min(_PROSE, layout.narrowest)))
            wanted.append(whole)
            needed.append(whole if self._is_whole(head, layout) else broken)
        return wanted, needed

    def _is_whole(self, head: str, layout: _Layout) -> bool:
        return head in self.right or (head in self.keep and not layout.breaks_kept)

    def _head(self, head: str, layout: _Layout) -> Text:
        return Text(head if layout.one_line or head not in self.right else head.replace(" ", "\n"))

    def _table(self, layout: _Layout, widths: Sequence[int]) -> Table:
        made = Table(
            box=box.SIMPLE_HEAD,
            title=self.title or None,
            title_justify="left",
            pad_edge=False,
            padding=(0, layout.padding),
            show_edge=layout.padding > 0,
            width=sum(widths) + self._around(layout),
        )
        for head, width in zip(self.heads, widths, strict=True):
            made.add_column(
                self._head(head, layout),
                justify="right" if head in self.right else "left",
                no_wrap=self._is_whole(head, layout),
                overflow="fold",
                width=width,
            )
        for row in self.rows:
            made.add_row(*row)
        return made


def _widest_word(text: Text) -> int:
    return max((Text(word).cell_len for word in text.plain.split()), default=0)
