"""A datasheet as one HTML file that opens from disk: no script, nothing loaded, and well-formed as XML, too."""

from __future__ import annotations

import re
from html import escape

from fpgen.base.text_template import filled, template_beside

from .sheet_model import Bullets, Code, Datasheet, Figure, Paragraph, Part, Section, SheetTable

#: A cell like this stands to the right, with the others of its column.
_NUMBER = re.compile(r"-?[\d,.]+")
#: A cell of up to so many characters is not broken into lines.
_SHORT, _WHOLE = 22, ' class="short"'
#: Tables of more columns have smaller letters, and break longer cells, to fit a page.
_FEW, _SHORT_OF_MANY = 7, 14


def sheet_html(sheet: Datasheet) -> str:
    """The text of `datasheet.html`."""
    return filled(
        template_beside(__file__, "sheet.html.tmpl"),
        title=escape(sheet.title),
        contents="\n".join(
            f'<a href="#{_anchor(section.title)}">{_inline(section.title)}</a>' for section in sheet.sections
        ),
        head="\n".join(map(_part, sheet.parts)),
        sections="\n".join(map(_section, sheet.sections)),
    )


def _section(section: Section) -> str:
    parts = "\n".join(map(_part, section.parts))
    return f'<section id="{_anchor(section.title)}">\n<h2>{_inline(section.title)}</h2>\n{parts}\n</section>'


def _anchor(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower())


def _inline(text: str) -> str:
    """Text with its code and bold words marked; within code there are no other marks."""
    pieces = re.split(r"`([^`]*)`", text)
    return "".join(
        f"<code>{escape(piece)}</code>" if i % 2 else re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(piece))
        for i, piece in enumerate(pieces)
    )


def _part(part: Part) -> str:
    match part:
        case Paragraph(text):
            return f"<p>{_inline(text)}</p>"
        case Code(text):
            return f"<pre>{escape(text)}</pre>"
        case Bullets(items):
            return "<ul>\n" + "\n".join(f"<li>{_inline(item)}</li>" for item in items) + "\n</ul>"
        case SheetTable():
            return _table(part)
        case Figure():
            return _figure(part)


def _table(table: SheetTable) -> str:
    dense = len(table.heads) > _FEW
    short = _SHORT_OF_MANY if dense else _SHORT
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.heads)
    sides = [' class="number"' if cells and all(map(_NUMBER.fullmatch, cells)) else "" for cells in columns]

    def row(cells: tuple[str, ...], tag: str) -> str:
        inner = (
            f"<{tag}{side or (_WHOLE if len(cell) <= short else '')}>{_inline(cell)}</{tag}>"
            for cell, side in zip(cells, sides, strict=True)
        )
        return f"<tr>{''.join(inner)}</tr>"

    body = "\n".join(row(cells, "td") for cells in table.rows)
    kind = ' class="dense"' if dense else ""
    return (
        f'<div class="wide"><table{kind}>\n<thead>{row(table.heads, "th")}</thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _figure(figure: Figure) -> str:
    source = ""
    if figure.source:
        source = f"\n<details><summary>WaveJSON</summary><pre>{escape(figure.source)}</pre></details>"
    return (
        f'<figure>\n<h3>{_inline(figure.title)}</h3>\n<div class="wide">{figure.svg}</div>\n'
        f"<figcaption>{_inline(figure.caption)}</figcaption>{source}\n</figure>"
    )
