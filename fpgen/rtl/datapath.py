"""From a unit to its dataflow graph: inputs, the datapath that the operation's card names, outputs."""

from __future__ import annotations

from fpgen.base.errors import UsageError
from fpgen.units.base import Unit
from fpgen.units.operations import layer

from .graph import Graph


def datapath(unit: Unit) -> Graph:
    """The graph of `unit`: inputs and outputs are named as its operand, control, result and flag ports.

    Raises
    ------
    UsageError
        When the operation has no datapath.
    """
    build = layer(unit, "hardware")
    g = Graph(unit.architecture)
    for port in unit.ports:
        if port.travels_in:
            g.input(port.name, port.width)
    outputs = build(g, unit)
    if unit.tag:
        outputs = {**outputs, "out_tag": g.inputs["tag"]}
    expected = {port.name: port.width for port in unit.ports if port.travels_out}
    found = {name: node.width for name, node in outputs.items()}
    if found != expected:
        raise UsageError(f"the datapath of {unit.operation}: got outputs {found}; expected {expected}")
    for name, node in outputs.items():
        g.output(name, node)
    return g
