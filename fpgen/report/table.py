"""The records as a table: which columns, what they hold, what to choose from, and what has no figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fpgen.sweep.columns import COLUMNS, PARAMETER

from .data import Record, View, rounded

#: Columns of the page's table, with their headings; the rest is in the store.
_COLUMNS = {
    "series": "series",
    "technology": "technology",
    "recipe": "recipe",
    "target_ps": "target ps",
    "area_um2": "area µm²",
    "nand2_eq": "NAND2 eq.",
    "delay_ps": "delay ps",
    "fmax_mhz": "Fmax MHz",
    "adp": "ADP/1e6",
    "luts": "LUTs",
    "dsps": "DSPs",
    "latency": "latency",
    "registers": "registers",
    "cells": "cells",
    "logic_depth": "depth",
    "energy_pj": "energy pJ",
    "leakage_nw": "leakage nW",
    "proof": "proof",
    "error_rms": "error rms",
    "error_max": "error max",
    "error_sum": "error/terms",
    "error_total_rms": "total rms",
    "error_total_sum": "total/terms",
    "status": "status",
    "unit": "unit",
}
#: Parameters with their own column among those.
_OWN = ("technology", "recipe", "unit")
#: A choice with more values than this is a list that nobody opens.
_CHOICES = 40
#: Of points that fail for the same reason, so many are named; the table has them all.
_POINTS = 24


def columns(view: View) -> list[dict[str, Any]]:
    """Parameters that vary, then the figures that exist."""
    parameters = [name for name in view.parameters if name not in _OWN]
    names = [PARAMETER + name for name in parameters]
    names += [name for name in _COLUMNS if any(record.get(name) not in (None, "") for record in view.records)]
    spelled = {part.partition("=")[0] for series in view.series for part in series.split(", ")}
    if "series" in names and spelled <= {*parameters, *_OWN}:
        names.remove("series")  # it says again what the parameters' columns say
    if "status" in names and not view.bad:
        names.remove("status")
    found = []
    for name in names:
        numeric = any(_is_number(record.get(name)) for record in view.records)
        heading = name.removeprefix(PARAMETER) if name.startswith(PARAMETER) else _COLUMNS[name]
        meaning = COLUMNS[name][1] if name in COLUMNS else "parameter of the sweep"
        found.append(
            {
                "name": name,
                "key": name.removeprefix(PARAMETER),
                "title": heading,
                "meaning": meaning,
                "numeric": numeric,
            }
        )
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def row(record: Record, columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A line of the table: of each cell its number (to sort and filter by), its text, and the whole of a long text."""
    cells = []
    for column in columns:
        value = record.get(column["name"])
        number = value if isinstance(value, int | float) and _is_number(value) and math.isfinite(value) else None
        text = _shown(value)
        cells.append({"number": number, "text": text, "full": "" if len(text) <= 60 else text})
        if len(text) > 60:
            cells[-1]["text"] = text[:57] + "..."
    return {"cells": cells, "bad": record["status"] != "ok"}


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return rounded(value) if isinstance(value, float) else str(value)


def choices(view: View) -> list[tuple[str, list[str]]]:
    """Parameters with few values, to choose from."""
    found = []
    for name in view.parameters:
        values = [_shown(value) for value in view.values(name)]
        if 1 < len(values) <= _CHOICES and name not in _OWN:
            found.append((name, values))
    for name in ("technology", "recipe"):
        values = sorted({str(record[name]) for record in view.good if record.get(name)})
        if 1 < len(values) <= _CHOICES:
            found.append((name, values))
    return found


def failures(view: View) -> list[dict[str, Any]]:
    """Points without figures, those with the same reason together: status, reason, and the points."""
    found: dict[tuple[str, str], list[str]] = {}
    for record in view.bad:
        status = str(record["status"] or "no status")
        reason = str(record.get("reason") or ("no delay" if status == "ok" else ""))
        found.setdefault((status, reason), []).append(str(record.get("point") or record["unit"]))
    return [
        {"status": status, "reason": reason, "points": points[:_POINTS], "more": max(0, len(points) - _POINTS)}
        for (status, reason), points in found.items()
    ]
