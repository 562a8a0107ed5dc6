"""Calling a unit's golden model with the ports of a vector."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fpgen.units import Role, Unit

Outputs = dict[str, np.ndarray]
#: From a unit and one array per travelling input port to one array per travelling output port.
Golden = Callable[[Unit, dict[str, np.ndarray]], Outputs]


def golden_outputs(unit: Unit, inputs: dict[str, np.ndarray]) -> Outputs:
    """Results, by `unit.compute`, and where the unit has them flags and the tag, which comes out as it went in."""
    operands = [inputs[name] for name in unit.operands]
    beside = (*unit.operands, "tag")
    result = unit.compute(*operands, **{name: array for name, array in inputs.items() if name not in beside})
    found = dict(result.outputs)
    if any(port.role is Role.FLAGS for port in unit.ports):
        found["flags"] = result.flags
    if unit.tag:
        found["out_tag"] = inputs["tag"]
    return found
