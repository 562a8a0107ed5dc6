"""The vectors for one-vector-a-clock tests, as the job that `sim/testbench/protocol.py` reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fpgen.golden.port_outputs import Golden
from fpgen.units import Port, Unit
from fpgen.vectors.draft import Draft
from fpgen.vectors.families import random_classes
from fpgen.vectors.families_array import ordinary
from fpgen.vectors.layout import words
from fpgen.vectors.stimulus import Inputs, Plan
from fpgen.vectors.terms import aim_of, terms_of

_VECTORS = 96
_AFTER_RESET = 16


def protocol_job(unit: Unit, number: int, plan: Plan, golden: Golden) -> dict[str, Any]:
    """What one unit's protocol tests need: pins, vectors, and what each must give.

    Parameters
    ----------
    unit : Unit
    number : int
        Of the unit in the harness.
    plan : Plan
        For the seed and the controls.
    golden : Golden
    """
    vectors = _draw(plan, _VECTORS)
    first = _draw(plan, _AFTER_RESET)
    if plan.stateful:
        vectors["clear"][0] = 1
        for control in ("clear", "load"):
            if control in first:
                first[control][:4] = 0  # the sum continues from what the reset left: zero
    ports = {port.name: port for port in unit.ports}
    outputs = [port for port in unit.ports if port.travels_out]
    return {
        "index": number,
        "unit": unit.text,
        "handshake": unit.handshake.value,
        "latency": unit.latency,
        "async_reset": any(port.asynchronous for port in unit.ports),
        "stateful": plan.stateful,
        "seed": plan.seed,
        "inputs": [port.name for port in plan.ports],
        "outputs": [port.name for port in outputs],
        "pins": [name for name in ports if name != "clk"],
        "widths": {name: port.width for name, port in ports.items()},
        "vectors": _rows(vectors, plan.ports),
        "expected": _rows(golden(unit, vectors), outputs),
        "after_reset": _rows(first, plan.ports),
        "after_reset_expected": _rows(golden(unit, first), outputs),
    }


def _draw(plan: Plan, count: int) -> Inputs:
    rng = np.random.default_rng([plan.seed, 0x9F0, count])
    unit = plan.unit
    if plan.own_families:
        return plan.with_controls(ordinary(unit, rng, count), rng)
    codes = random_classes(Draft(terms_of(unit), unit.operands, aim_of(unit), rng, count))
    return plan.with_controls(codes, rng)


def _rows(values: Inputs, ports: Sequence[Port]) -> list[list[int]]:
    """One list for each vector: the number on the pins of each port."""
    return [list(row) for row in zip(*(words(port, values[port.name]) for port in ports), strict=True)]
