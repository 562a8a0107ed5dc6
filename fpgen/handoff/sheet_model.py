"""What a datasheet consists of, for any renderer: sections of paragraphs, lists, tables and figures.

Text may hold `` `code` `` and ``**bold**``, and nothing else with a meaning. What one renderer shows and another does
not is the drawing of a figure (`svg`) or its plain text; both are made of the same data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Code:
    """Lines to be shown as they are."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class SheetTable:
    """Cells of text below headings."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A drawing.

    Parameters
    ----------
    title : str
    caption : str
        What there is to see in it.
    svg : str
        The drawing, an element of HTML.
    text : str
        The same in characters of one width.
    source : str
        What it is drawn from, where that is of use to others: WaveJSON.
    """

    title: str
    caption: str
    svg: str
    text: str
    source: str = ""


Part = Paragraph | Code | Bullets | SheetTable | Figure


@dataclass(frozen=True)
class Section:
    """A heading and what is below it."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Datasheet:
    """A datasheet: a title, parts of its own, and sections."""

    title: str
    parts: tuple[Part, ...]
    sections: tuple[Section, ...]


def table(heads: Sequence[str], rows: Iterable[Iterable[object]]) -> SheetTable:
    """A table of whatever has a text."""
    return SheetTable(tuple(heads), tuple(tuple(str(cell) for cell in row) for row in rows))
