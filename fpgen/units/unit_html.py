"""A unit as a table in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fpgen.base.html import pairs, records

if TYPE_CHECKING:
    from .base import Unit


def unit_html(unit: Unit) -> str:
    """The unit's line of text, what it promises, and its pins, as HTML.

    Returns
    -------
    str
    """
    rows: list[tuple[str, Any]] = [
        ("contract", unit.contract),
        ("module", unit.name),
        ("latency", f"{unit.latency} clock{'' if unit.latency == 1 else 's'}"),
    ]
    pins = [
        {
            "pin": port.name,
            "direction": "input" if port.is_input else "output",
            "bits": port.width,
            "meaning": port.meaning,
        }
        for port in unit.ports
    ]
    return pairs(rows, title=unit.text) + records(pins, ("pin", "direction", "bits", "meaning"))
