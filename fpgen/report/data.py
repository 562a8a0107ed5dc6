"""The records of a store, arranged for plots: figures, curves and their parameters."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fpgen.sweep.columns import PARAMETER

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """A figure along an axis: its column, what it is called, and its unit."""

    column: str
    title: str
    unit: str

    @property
    def label(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def of(self, record: Record) -> float | None:
        """The figure, or None where there is none that could be drawn (text, NaN, infinity)."""
        value = record.get(self.column)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return float(value)

    def text_of(self, record: Record) -> str:
        """The figure in words, or nothing."""
        value = self.of(record)
        return "" if value is None else f"{self.title} {rounded(value)}{f' {self.unit}' if self.unit else ''}"


def rounded(value: float) -> str:
    """Four digits, or all of them before the point."""
    return f"{value:.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


AREA = Axis("area_um2", "area", "µm²")
DELAY = Axis("delay_ps", "delay", "ps")
FMAX = Axis("fmax_mhz", "highest clock", "MHz")
LUTS = Axis("luts", "LUTs", "")
ENERGY = Axis("energy_pj", "energy per operation", "pJ")
REGISTERS = Axis("registers", "flip-flops", "")
LATENCY = Axis("latency", "latency", "clocks")
#: Of the unit alone: its operands are what they are once they are rounded.
ERROR = Axis("error_rms", "rms error of the unit", "of the rms result")
#: Of the unit and of rounding the data into its operand formats.
TOTAL = Axis("error_total_rms", "rms error with operands rounded", "of the rms result")


class View:
    """A store's records, ready to be drawn.

    Parameters
    ----------
    records : sequence of mapping
        As `fpgen.sweep.store.read` returns them; those that are ok have a technology.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = list(records)
        self.good = [record for record in records if record["status"] == "ok" and DELAY.of(record) is not None]
        drawn = {id(record) for record in self.good}
        self.bad = [record for record in records if id(record) not in drawn]

    @cached_property
    def sweep(self) -> str:
        return next((str(record["sweep"]) for record in self.records if record.get("sweep")), "store")

    @cached_property
    def title(self) -> str:
        return next((str(record["title"]) for record in self.records if record.get("title")), self.sweep)

    @cached_property
    def technologies(self) -> list[str]:
        return list(dict.fromkeys(str(record["technology"]) for record in self.good))

    @cached_property
    def parameters(self) -> list[str]:
        """Parameters that take more than one value, without their prefix."""
        names = dict.fromkeys(name for record in self.records for name in record if name.startswith(PARAMETER))
        return [
            name.removeprefix(PARAMETER)
            for name in names
            if len({str(record.get(name)) for record in self.records}) > 1
        ]

    def values(self, parameter: str) -> list[Any]:
        """Its distinct values, numbers in order."""
        found = list(dict.fromkeys(record.get(PARAMETER + parameter) for record in self.records))
        found = [value for value in found if value is not None]
        return sorted(found) if all(isinstance(value, int | float) for value in found) else found

    @cached_property
    def scale(self) -> str:
        """The parameter along the curves: what the sweep says, else the number with the most values, at least 4."""
        scale = next((str(record["scale"]) for record in self.records if record.get("scale")), "")
        if scale:
            return scale
        numeric = [
            name
            for name in self.parameters
            if all(isinstance(value, int | float) for value in self.values(name)) and len(self.values(name)) > 3
        ]
        return max(numeric, key=lambda name: len(self.values(name)), default="")

    def along(self, record: Record) -> float | None:
        """Where on its curve a record is."""
        value = record.get(PARAMETER + self.scale) if self.scale else None
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def series_of(self, record: Record) -> str:
        """The curve of a record: what the sweep says, else its parameters without the one along the curve.

        The technology is not part of it: technologies have separate panels.
        """
        if record.get("series"):
            return str(record["series"])
        if any(other.get("series") for other in self.good[:1]):
            return ""
        names = [name for name in self.parameters if name not in (self.scale, "unit", "technology")]
        text = ", ".join(f"{name}={record.get(PARAMETER + name)}" for name in names)
        return text or str(record.get("operation") or "")

    @cached_property
    def members(self) -> dict[str, list[Record]]:
        """The records of each curve."""
        found: dict[str, list[Record]] = {}
        for record in self.good:
            found.setdefault(self.series_of(record), []).append(record)
        return found

    @cached_property
    def series(self) -> list[str]:
        return list(self.members)

    @cached_property
    def curves(self) -> frozenset[str]:
        """The series that take several values of the parameter along them; the others are off its scale."""
        return frozenset(
            series for series, members in self.members.items() if len({self.along(record) for record in members}) > 1
        )

    @cached_property
    def legend(self) -> tuple[str, dict[str, str]]:
        """Heading of a legend, and what it calls each series: the value alone where all are of one parameter."""
        parts = [re.fullmatch(r"(\w+)=([^,=]+)", series) for series in self.series]
        names = {part[1] if part else "" for part in parts}
        if len(names) != 1 or "" in names:
            return "", {series: series or "all" for series in self.series}
        return names.pop(), {part[0]: part[2] for part in parts if part}

    def label(self, record: Record) -> str:
        """A record in a few words: the parameters that vary except the technology, or its unit."""
        names = [name for name in self.parameters if name != "technology" and record.get(PARAMETER + name) is not None]
        if "unit" in names or not names:
            return str(record.get("unit") or record.get("point") or "")
        return ", ".join(f"{name}={record[PARAMETER + name]}" for name in names)

    def has(self, axis: Axis) -> bool:
        return any(axis.of(record) is not None for record in self.good)

    def best(self, records: Iterable[Record]) -> list[Record]:
        """Of every unit, the record with the shortest delay."""
        found: dict[tuple[str, ...], Record] = {}
        for record in records:
            key = (str(record["unit"]), str(record["technology"]), self.series_of(record))
            if key not in found or DELAY.of(record) < DELAY.of(found[key]):  # type: ignore[operator]
                found[key] = record
        return list(found.values())


def sections_of(record: Record) -> dict[str, float]:
    """Area by section, um2; empty where it was not taken, or does not exist."""
    try:
        found = {str(name): float(area) for name, area in json.loads(record.get("sections") or "{}").items()}
    except (ValueError, TypeError, AttributeError):
        return {}
    return found if all(0 <= area < math.inf for area in found.values()) and sum(found.values()) > 0 else {}


def common(records: Sequence[Record], column: str) -> list[tuple[dict[str, Any], int]]:
    """The distinct JSON tables of a column, each with the number of records that have it."""
    counts: dict[str, int] = {}
    for record in records:
        text = record.get(column)
        if text:
            counts[str(text)] = counts.get(str(text), 0) + 1
    found = []
    for text, count in counts.items():
        try:
            table = json.loads(text)
        except ValueError:
            continue
        if isinstance(table, dict):
            found.append((table, count))
    return found
