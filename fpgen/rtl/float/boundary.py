"""What datapaths with rounded results begin and end with: the mode and target of the rounder, and the outputs."""

from __future__ import annotations

from fpgen.rtl.graph import Graph
from fpgen.rtl.node import Node
from fpgen.units.rounded import RoundedUnit

from .rounder import Mode, Target

#: Outputs of a datapath, by port.
Outputs = dict[str, Node]


def rounding_of(g: Graph, unit: RoundedUnit) -> tuple[Mode, Target]:
    """The rounding mode as signals, and what the rounder aims at."""
    mode = Mode.of(g, unit.semantics, g.inputs.get("rounding"), g.inputs.get("random"))
    return mode, Target(unit.out, unit.semantics, unit.flags)


def delivered(g: Graph, unit: RoundedUnit, result: Node | Outputs, flags: Node) -> Outputs:
    """The outputs: one result code, or the results by port; and the flags where the unit has that port."""
    results = result if isinstance(result, dict) else {"result": g.step("code", result)}
    return {**results, "flags": flags} if unit.flags else results
