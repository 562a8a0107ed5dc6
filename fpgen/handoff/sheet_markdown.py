"""A datasheet as Markdown."""

from __future__ import annotations

from .sheet_model import Bullets, Code, Datasheet, Figure, Paragraph, Part, SheetTable


def sheet_markdown(sheet: Datasheet) -> str:
    """The text of `datasheet.md`."""
    blocks = [f"# {sheet.title}", *map(_part, sheet.parts)]
    for section in sheet.sections:
        blocks += [f"## {section.title}", *map(_part, section.parts)]
    return "\n\n".join(blocks) + "\n"


def _part(part: Part) -> str:
    match part:
        case Paragraph(text):
            return text
        case Code(text):
            return "\n".join(f"    {line}".rstrip() for line in text.splitlines())
        case Bullets(items):
            return "\n".join(f"- {item}" for item in items)
        case SheetTable(heads, rows):
            return "\n".join([_row(heads), "|" + "---|" * len(heads), *map(_row, rows)])
        case Figure():
            return _figure(part)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _figure(figure: Figure) -> str:
    blocks = [f"### {figure.title}", figure.caption, f"```text\n{figure.text}\n```"]
    if figure.source:
        blocks += ["<details><summary>WaveJSON</summary>", f"```json\n{figure.source}\n```", "</details>"]
    return "\n\n".join(blocks)
