"""One point of the design space, as it is kept and shown; and the Pareto set of several."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from fpgen.base import html


@dataclass(frozen=True)
class Point:
    """What one synthesis of one unit came to, or why it failed.

    Attributes
    ----------
    top : str
        The module.
    technology : str
        Name of the cell library.
    recipe : str
        `<recipe>/<synthesis variant>/<mapping script>`.
    target_ps : float
        Delay that ABC was asked for.
    area_um2 : float
        Sum of the cells' areas.
    nand2_eq : float
        Area over that of the library's smallest two-input NAND.
    delay_ps : float
        Critical delay; `delay_source` says who computed it: `sta` (fpgen's timing of the mapped
        netlist) or `abc` (`stime`).
    sta_delay_ps : float or None
        fpgen's own figure, whatever `delay_ps` is; None where timing was not asked for.
    cells, registers, logic_depth : int
        Cells in all, flip-flops among them, cells on the critical path.
    critical_path : tuple of mapping
        The steps of the critical path (see `fpgen.timing.sta.Step`).
    seconds : float
        Wall time of the synthesis.
    tools : mapping
        Tool -> version.
    netlist_hash : str
        Content hash of the mapped netlist.
    assumptions : mapping
        Corner, driving cell, output load, wire load: what the figures rest on.
    proof : mapping
        Whether the netlist was proven equivalent to the Verilog: `status` (`proven`, `failed`, `timed out`,
        `inconclusive`, `not attempted`), `seconds`, `registers` matched and cut open, `detail`.
    power : mapping or None
        Energy per operation and leakage with their stimulus (see `fpgen.power.energy.Energy`); None where not
        asked for.
    failure : str or None
        Why there are no figures; the figures are then NaN and the counts 0.
    """

    top: str
    technology: str
    recipe: str
    target_ps: float
    area_um2: float = float("nan")
    nand2_eq: float = float("nan")
    delay_ps: float = float("nan")
    delay_source: str = "sta"
    sta_delay_ps: float | None = None
    cells: int = 0
    registers: int = 0
    logic_depth: int = 0
    critical_path: tuple[Mapping[str, Any], ...] = ()
    startpoint: str = ""
    endpoint: str = ""
    seconds: float = 0.0
    tools: Mapping[str, str] = field(default_factory=dict)
    netlist_hash: str = ""
    assumptions: Mapping[str, Any] = field(default_factory=dict)
    proof: Mapping[str, Any] = field(default_factory=lambda: {"status": "not attempted"})
    power: Mapping[str, Any] | None = None
    failure: str | None = None

    @property
    def adp(self) -> float:
        """Area x delay in 10^6 um2 ps, the unit of the comparison with other generators."""
        return self.area_um2 * self.delay_ps / 1e6

    @property
    def disproved(self) -> bool:
        """Whether the netlist was found to be something else than the Verilog says."""
        return bool(self.proof["status"] == "failed")

    def _repr_html_(self) -> str:
        figures = [(label, value) for label, value in self._row().items() if html.text_of(value)]
        return html.pairs([*figures, ("assumptions", assumptions_text(self.assumptions))], title=self.top)

    def _row(self) -> dict[str, Any]:
        """What a table shows of the point."""
        shown = {
            "recipe": self.recipe,
            "technology": self.technology,
            "target ps": self.target_ps,
            "area um2": self.area_um2,
            "NAND2 eq.": self.nand2_eq,
            "delay ps": self.delay_ps,
            "ADP/1e6": self.adp,
            "cells": self.cells,
            "registers": self.registers,
            "depth": self.logic_depth,
            "proof": self.proof["status"],
            "energy pJ": self.power["energy_pj"] if self.power else None,
            "failure": self.failure,
        }
        if self.failure is None:
            return shown
        return {name: shown[name] for name in ("recipe", "technology", "target ps", "failure")}

    def to_dict(self) -> dict[str, Any]:
        """The point for JSON: figures of a failed point are null."""
        record = asdict(self)
        record["critical_path"] = [dict(step) for step in self.critical_path]
        return {key: None if isinstance(value, float) and value != value else value for key, value in record.items()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Point":
        """The point that `to_dict` wrote; keys of later versions are passed over."""
        known = {item.name for item in fields(cls)}
        given = {key: value for key, value in record.items() if key in known}
        for key in ("area_um2", "nand2_eq", "delay_ps"):
            if given.get(key) is None:
                given[key] = float("nan")
        given["critical_path"] = tuple(given.get("critical_path", ()))
        return cls(**given)


class Points(list[Point]):
    """Several points; a list that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        rows = [point._row() for point in self]
        columns = dict.fromkeys(name for row in rows for name, value in row.items() if html.text_of(value))
        return html.records(rows, list(columns), title=", ".join(dict.fromkeys(point.top for point in self)))


def assumptions_text(assumptions: Mapping[str, Any]) -> str:
    """What figures rest on, in one line."""
    stated = [
        f"{name.removesuffix('_ff').replace('_', ' ')} {value}{' fF' if name.endswith('_ff') else ''}"
        for name, value in assumptions.items()
    ]
    return ", ".join([*stated, "before placement"])


def pareto(points: Iterable[Point]) -> list[Point]:
    """Points that no other beats in area and delay both, smallest area first.

    Failed points are left out. Of points equal in both figures the first one stays.
    """
    kept: list[Point] = []
    for point in sorted(
        (item for item in points if item.failure is None), key=lambda item: (item.area_um2, item.delay_ps)
    ):
        if not kept or point.delay_ps < kept[-1].delay_ps:
            kept.append(point)
    return kept
