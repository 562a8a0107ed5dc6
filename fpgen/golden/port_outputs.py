"""Calling a unit's golden model with the ports of a vector."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fpgen.units import Role, Unit

Outputs = dict[str, np.ndarray]
#: From a unit and one array per travelling input port to one array per travelling output port.
Golden = Callable[[Unit, dict[str, np.ndarray]], Outputs]


def golden_outputs(unit: Unit, inputs: dict[str, np.ndarray]) -> Outputs:
    """Results and, where the unit has them, flags; by `unit.compute`."""
    operands = [inputs[name] for name in unit.operands]
    controls = {name: array for name, array in inputs.items() if name not in unit.operands}
    result = unit.compute(*operands, **controls)
    if any(port.role is Role.FLAGS for port in unit.ports):
        return {**result.outputs, "flags": result.flags}
    return dict(result.outputs)
