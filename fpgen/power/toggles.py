"""Counting the edges of every net of a mapped netlist by simulating it, 64 operand sets to a machine word.

Streams of operands run side by side, one to a bit. Every clock the inputs change, gates are evaluated level by level
until the netlist has settled, and what differs from the state before is counted; then flip-flops take their data.
Edges are those between settled states: a net that moves twice on the way is counted by `fpgen.power.glitches` only.

Where a power table has a condition (`when`), it is looked at after the change; at a clock's rising edge, before it.
Data of flip-flops changes while the clock is high as often as while it is low. Of an output's tables, each gets the
share of edges that its input moved at the same time under its condition.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpgen.base.errors import RunFailure
from fpgen.library.cells import Library
from fpgen.library.function import compile_function, python_expression
from fpgen.library.nldm import Floats
from fpgen.timing.netlist import ONE, Netlist

from .activity import Activity, CellGroup, Switching, groups, levels

Words = NDArray[np.uint64]
ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)

_function = lru_cache(maxsize=4096)(compile_function)


@dataclass(frozen=True)
class ToggleRun:
    """What a simulation gave.

    Attributes
    ----------
    activity : Activity
    operations : int
        Clocks counted, all streams together.
    outputs : mapping of str to array of shape (clocks, words)
        Output port bit -> its settled value in every clock, warm-up included.
    """

    activity: Activity
    operations: int
    outputs: Mapping[str, Words]


class Simulator:
    """A netlist that can be stepped.

    Raises
    ------
    RunFailure
        When a cell cannot be simulated, or gates form a loop.
    """

    def __init__(self, netlist: Netlist, library: Library, words: int) -> None:
        self.netlist = netlist
        self.parts, self.size = groups(netlist, library)
        self.order = levels(self.parts, self.size)
        self.registers = [part for part in self.parts if part.cell.flipflop is not None]
        self.clocks = {net for part in self.registers for pin in clock_pins(part) for net in part.nets[pin].tolist()}
        gated = self.clocks - set(netlist.inputs.values())
        if gated:
            names = ", ".join(netlist.net_names[net] for net in sorted(gated)[:3])
            raise RunFailure(
                f"the clock of some flip-flops comes from gates ({names}); power is worked out for clocks "
                "that come from an input"
            )
        self.values: Words = np.zeros((self.size, words), dtype=np.uint64)
        self.values[ONE] = ALL
        self.states: list[Words] = [np.zeros((len(part.instances), words), dtype=np.uint64) for part in self.registers]

    def drive(self, inputs: Mapping[str, Words]) -> None:
        """Give input port bits their values."""
        for bit, value in inputs.items():
            self.values[self.netlist.inputs[bit]] = value

    def settle(self) -> None:
        """Evaluate all gates."""
        for level in self.order:
            for part in level:
                seen = Pins(part, self.values)
                for pin in part.cell.outputs:
                    self.values[part.nets[pin]] = seen.evaluate(part.cell.pins[pin].function)

    def clock(self) -> None:
        """Let every flip-flop take its data, and show it."""
        new = []
        for part, state in zip(self.registers, self.states, strict=True):
            flipflop = part.cell.flipflop
            assert flipflop is not None
            seen = Pins(part, self.values, {flipflop.state: state, flipflop.inverse: ~state})
            taken = seen.evaluate(flipflop.next_state)
            if flipflop.clear:
                taken = taken & ~seen.evaluate(flipflop.clear)
            if flipflop.preset:
                taken = taken | seen.evaluate(flipflop.preset)
            new.append(taken)
        for number, (part, state) in enumerate(zip(self.registers, new, strict=True)):
            self.states[number] = state
            flipflop = part.cell.flipflop
            assert flipflop is not None
            for pin in part.cell.outputs:
                function = part.cell.pins[pin].function
                seen = Pins(part, self.values, {flipflop.state: state, flipflop.inverse: ~state})
                self.values[part.nets[pin]] = seen.evaluate(function)


def clock_pins(part: CellGroup) -> tuple[str, ...]:
    """The clock pins of a group of flip-flops; none of gates."""
    return python_expression(part.cell.flipflop.clocked_on)[1] if part.cell.flipflop is not None else ()


class Pins(dict[str, Any]):
    """The values at the pins of a group's instances, fetched when asked for; shape (instances, words).

    Parameters
    ----------
    part : CellGroup
    nets : array of shape (nets, words)
    more : mapping, optional
        Values that go before those of the nets.
    """

    def __init__(self, part: CellGroup, nets: Words, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(more or {})
        self.part, self.nets = part, nets
        self["1"] = ALL

    def __missing__(self, name: str) -> Words:
        found: Words = self.nets[self.part.nets[name]]
        self[name] = found
        return found

    def evaluate(self, text: str) -> Any:
        """The value of an expression; of shape (instances, words) or, of a constant, a single word."""
        return _function(text)[0](self)


def simulate(simulator: Simulator, clocks: Iterable[Mapping[str, Words]], warm_up: int) -> ToggleRun:
    """Step a simulator, and count.

    Parameters
    ----------
    simulator : Simulator
        Of a library that was read with its power tables; is left in its last settled state.
    clocks : iterable of mapping
        For each clock, each input port bit's value in all streams (shape (words,)); bits left out stay as they were.
    warm_up : int
        Clocks at the start that are not counted: at least one, and as many as the pipeline is long.

    Raises
    ------
    RunFailure
        When no clock is left to count.
    """
    counter = _Counter(simulator)
    seen: dict[str, list[Words]] = {bit: [] for bit in simulator.netlist.outputs}
    for number, inputs in enumerate(clocks):
        before = simulator.values.copy()
        if number:
            simulator.clock()
        simulator.drive(inputs)
        simulator.settle()
        if number >= max(warm_up, 1):
            counter.count(before, simulator.values)
        for bit, net in simulator.netlist.outputs.items():
            seen[bit].append(simulator.values[net].copy())
    if not counter.operations:
        raise RunFailure("clocks: got none beyond the warm-up to count edges in; expected more")
    return ToggleRun(counter.activity(), counter.operations, {bit: np.array(values) for bit, values in seen.items()})


class _Counter:
    """Running sums of one simulation."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.lanes = 64 * simulator.values.shape[1]
        self.operations = 0
        self.toggles: Floats = np.zeros((simulator.size, 2))
        self.batches: Floats = np.zeros(simulator.values.shape)  # a word is a batch: its streams are its own
        self.events = [np.zeros((len(part.cell.power), 2, len(part.instances))) for part in simulator.parts]
        self.states = [np.zeros((len(part.cell.leakages), len(part.instances))) for part in simulator.parts]

    def count(self, before: Words, after: Words) -> None:
        """Add one clock."""
        self.operations += self.lanes
        for edge, moved in enumerate((~before & after, before & ~after)):
            counts = np.bitwise_count(moved)
            self.toggles[:, edge] += counts.sum(axis=-1, dtype=np.float64)
            self.batches += counts
        for clock in self.simulator.clocks:
            self.toggles[clock] += self.lanes
        for part, events, states in zip(self.simulator.parts, self.events, self.states, strict=True):
            old, new = Pins(part, before), Pins(part, after)
            clocks = clock_pins(part)
            _count_tables(part, old, new, clocks, self.lanes, events)
            for number, (when, _) in enumerate(part.cell.leakages):
                if when:
                    states[number] += sum(ones(seen.evaluate(when)) for seen in _both(new, clocks)) / 2

    def activity(self) -> Activity:
        done = self.operations
        cells = []
        for part, events, states in zip(self.simulator.parts, self.events, self.states, strict=True):
            share = states / done
            for number, (when, _) in enumerate(part.cell.leakages):
                if not when:
                    share[number] = np.maximum(1 - share.sum(axis=0), 0)
            cells.append(Switching(part, events / done, share))
        words = self.batches.shape[1]
        return Activity(self.toggles / done, tuple(cells), batches=self.batches / (done / words) if words > 1 else None)


def _count_tables(part: CellGroup, old: Pins, new: Pins, clocks: Sequence[str], lanes: int, events: Floats) -> None:
    """Add one clock to the events of a group's internal power tables."""
    for number, table in enumerate(part.cell.power):
        for edge in (0, 1):
            if (table.rise, table.fall)[edge] is None:
                continue
            if table.pin in clocks:  # one edge of each kind a clock: rising in the state before, falling in that after
                seen = Pins(part, (old, new)[edge].nets, {table.pin: np.uint64(0) if edge else ALL})
                events[number, edge] += ones(seen.evaluate(table.when)) if table.when else lanes
                continue
            was, now = old[table.pin], new[table.pin]
            moved = was & ~now if edge else ~was & now
            if table.related and table.related in part.nets and table.related not in clocks:
                moved = moved & (old[table.related] ^ new[table.related])
            if not table.when:
                events[number, edge] += ones(moved)
            else:
                events[number, edge] += sum(ones(moved & seen.evaluate(table.when)) for seen in _both(new, clocks)) / 2


def _both(pins: Pins, clocks: Sequence[str]) -> tuple[Pins, Pins]:
    """A state with the clock low and with the clock high."""
    if not clocks:
        return pins, pins
    low, high = (Pins(pins.part, pins.nets, dict.fromkeys(clocks, level)) for level in (np.uint64(0), ALL))
    return low, high


def ones(words: Words) -> Floats:
    """Bits at 1 along the last axis."""
    count: Floats = np.bitwise_count(words).sum(axis=-1, dtype=np.float64)
    return count
