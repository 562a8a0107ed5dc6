"""Tables as HTML, for notebooks (`_repr_html_`): text is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

#: Rows of a long table that a notebook shows.
SHOWN_ROWS = 60


def pairs(rows: Iterable[tuple[str, Any]], title: str = "") -> str:
    """A table of labels and values, one pair a row.

    Parameters
    ----------
    rows : iterable of (str, object)
        Label and value; a value is shown as `text_of` it.
    title : str
        Above the table; left out when empty.

    Returns
    -------
    str
        HTML.
    """
    left = 'style="text-align:left"'
    body = "".join(
        f"<tr><th {left}>{escape(label)}</th><td {left}>{escape(text_of(value))}</td></tr>" for label, value in rows
    )
    return f"<table>{_caption(title)}<tbody>{body}</tbody></table>"


def records(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], title: str = "", most: int = SHOWN_ROWS) -> str:
    """A table with a header, one record a row; of a long one the first, and a line that says how many are left.

    Parameters
    ----------
    rows : sequence of mapping
        Column name to value; numbers stand to the right.
    columns : sequence of str
    title : str
    most : int
        Rows shown.

    Returns
    -------
    str
        HTML.
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(_cell(row.get(name)) for name in columns) + "</tr>" for row in rows[:most])
    more = len(rows) - most
    foot = f'<tfoot><tr><td colspan="{len(columns)}">and {more} more</td></tr></tfoot>' if more > 0 else ""
    return f"<table>{_caption(title)}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table>"


def text_of(value: Any) -> str:
    """A value as a cell shows it: floats with four digits, nothing for None and NaN."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    return str(value)


def _cell(value: Any) -> str:
    side = "right" if isinstance(value, int | float) and not isinstance(value, bool) else "left"
    return f'<td style="text-align:{side}">{escape(text_of(value))}</td>'


def _caption(title: str) -> str:
    return f'<caption style="text-align:left">{escape(title)}</caption>' if title else ""
