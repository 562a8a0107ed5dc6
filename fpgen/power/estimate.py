"""Switching estimated from the activity of the inputs, without a simulation: what static power tools do by default.

Every net has a density (edges per clock) and a duty (part of the time at 1). A gate's output has the duty of its
function and the density sum over its inputs of (chance that the input decides the output) x (its density), all
inputs taken as independent. A flip-flop's output has its data's duty d, and its data's density; where that is above
one edge a clock, 4 d (1 - d), as OpenSTA has it.

fpgen's own figures come from `fpgen.power.toggles`; this is here because trusted tools' reports come from such an
estimate, so that tables, loads and units can be checked against them.

Source: F. N. Najm, "Transition density: a new measure of activity in digital circuits", IEEE TCAD 12(2), 1993.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from fpgen.base.errors import RunFailure, UsageError
from fpgen.library.cells import InternalPower, Library
from fpgen.library.function import python_expression, truth_table
from fpgen.library.nldm import Floats
from fpgen.timing.netlist import ONE, ZERO, Netlist

from .activity import Activity, CellGroup, Switching, groups, levels

# Rounds through the registers before an estimate that does not settle is given up.
_MOST_ROUNDS = 50
# Edges of the clock per clock.
_CLOCK = 2.0


def estimate(netlist: Netlist, library: Library, *, density: float = 0.1, duty: float = 0.5) -> Activity:
    """The activity of a netlist from that of its inputs.

    Parameters
    ----------
    netlist : Netlist
    library : Library
        Read with its power tables.
    density : float
        Edges per clock of each input but the clock.
    duty : float
        Part of the time that each input is 1.

    Raises
    ------
    RunFailure
        When a cell cannot be evaluated, or gates form a loop.
    UsageError
        When the density is negative, or the duty is outside 0 to 1.
    """
    if not 0 <= density < float("inf"):
        raise UsageError(f"input activity: got {density}; expected 0 or more edges per clock")
    if not 0 <= duty <= 1:
        raise UsageError(f"input duty: got {duty}; expected 0 to 1")
    parts, size = groups(netlist, library)
    state = _Estimate(size)
    state.duty[ONE] = 1.0
    state.duty[ZERO] = 0.0
    for net in netlist.inputs.values():
        state.density[net], state.duty[net] = density, duty
    for net in clock_nets(parts):
        state.density[net], state.duty[net] = _CLOCK, 0.5
    order = levels(parts, size)
    registers = [part for part in parts if part.cell.flipflop is not None]
    for _ in range(_MOST_ROUNDS):
        for level in order:
            for part in level:
                for pin in part.cell.outputs:
                    state.drive(part, pin, part.cell.pins[pin].function)
        before = state.density.copy()
        for part in registers:
            state.register(part)
        if np.allclose(before, state.density, rtol=1e-3, atol=1e-9):
            break
    else:
        raise RunFailure(f"the estimate of activity did not settle in {_MOST_ROUNDS} rounds through the registers")
    toggles = np.repeat(state.density[:, None] / 2, 2, axis=1)
    return Activity(toggles, tuple(_switching(part, state) for part in parts))


def clock_nets(parts: Sequence[CellGroup]) -> list[int]:
    """Nets at the clock pins of flip-flops."""
    found: set[int] = set()
    for part in parts:
        if part.cell.flipflop is not None:
            for pin in python_expression(part.cell.flipflop.clocked_on)[1]:
                found.update(int(net) for net in part.nets[pin])
    return sorted(found)


class _Estimate:
    """Density and duty of every net."""

    def __init__(self, size: int) -> None:
        self.density: Floats = np.zeros(size)
        self.duty: Floats = np.full(size, 0.5)

    def duties(self, part: CellGroup, pins: Sequence[str]) -> Floats:
        return np.array([self.duty[part.nets[pin]] for pin in pins]).reshape(len(pins), len(part.instances))

    def chance(self, part: CellGroup, text: str) -> Floats:
        """How likely an expression over the cell's pins is 1."""
        pins = python_expression(text)[1]
        return _chance(truth_table(text, pins), self.duties(part, pins))

    def decides(self, part: CellGroup, text: str, pin: str) -> Floats:
        """How likely a pin decides a function."""
        others = [name for name in python_expression(text)[1] if name != pin]
        table, size = truth_table(text, [*others, pin]), 1 << len(others)
        return _chance((table ^ table >> size) & ((1 << size) - 1), self.duties(part, others))

    def drive(self, part: CellGroup, pin: str, function: str) -> None:
        target = part.nets[pin]
        self.duty[target] = self.chance(part, function)
        self.density[target] = self.through(part, function)

    def through(self, part: CellGroup, function: str) -> Floats:
        """Density of a function of a cell's pins."""
        total = np.zeros(len(part.instances))
        for name in python_expression(function)[1]:
            total += self.decides(part, function, name) * self.density[part.nets[name]]
        return total

    def register(self, part: CellGroup) -> None:
        """The outputs of flip-flops, from their data."""
        flipflop = part.cell.flipflop
        assert flipflop is not None
        own = {flipflop.state, flipflop.inverse}
        text = flipflop.next_state
        if own & set(python_expression(text)[1]):
            raise RunFailure(f"the flip-flop {part.cell.name} keeps its own state; its activity cannot be estimated")
        density, duty = self.through(part, text), self.chance(part, text)
        density = np.where(density > _CLOCK / 2, 2 * duty * (1 - duty) * _CLOCK, density)
        for pin in part.cell.outputs:
            inverted = part.cell.pins[pin].function == flipflop.inverse
            self.density[part.nets[pin]] = density
            self.duty[part.nets[pin]] = 1 - duty if inverted else duty


def _chance(table: int, duties: Floats) -> Floats:
    """How likely a truth table over independent pins is 1; `duties` has shape (pins, instances)."""
    chance = np.array([float(table >> row & 1) for row in range(1 << len(duties))])
    found = np.repeat(chance[:, None], duties.shape[1], axis=1)
    for duty in duties[::-1]:  # the last pin is the upper half of the table
        half = len(found) // 2
        found = found[:half] * (1 - duty) + found[half:] * duty
    last: Floats = found[0]
    return last


def _switching(part: CellGroup, state: _Estimate) -> Switching:
    cell, count = part.cell, len(part.instances)
    events = np.zeros((len(cell.power), 2, count))
    for number, table in enumerate(cell.power):
        pin = cell.pins[table.pin]
        if pin.direction == "output":
            events[number] = (
                state.density[part.nets[table.related]] * _weight(part, state, table, pin.function)
                if table.related in cell.pins
                else 1.0
            )
        else:
            share = _hidden(part, state, table) if table.when else np.ones(count)
            events[number] = state.density[part.nets[table.pin]] * share / 2
    # Outputs count as independent too, so the chances of the states need not add up to 1; a figure without a
    # state is taken where there are no others.
    alone = float(all(not when for when, _ in cell.leakages))
    states = np.array([state.chance(part, when) if when else np.full(count, alone) for when, _ in cell.leakages])
    return Switching(part, events, states.reshape(len(cell.leakages), count))


def _weight(part: CellGroup, state: _Estimate, table: InternalPower, function: str) -> Floats:
    """How likely a table's input causes an edge of its output."""
    if table.related in python_expression(function)[1]:
        return state.decides(part, function, table.related)
    return state.chance(part, table.when) if table.when else np.ones(len(part.instances))


def _hidden(part: CellGroup, state: _Estimate, table: InternalPower) -> Floats:
    """How likely the condition of an input pin's table holds when the pin switches."""
    named: Mapping[str, None] = dict.fromkeys(python_expression(table.when)[1])
    outputs = [pin for pin in part.cell.outputs if pin in named]
    if outputs:
        function = part.cell.pins[outputs[0]].function
        if table.pin in python_expression(function)[1]:
            return state.decides(part, function, table.pin)
    return state.chance(part, table.when)
