"""Edges that a netlist makes on its way from one settled state to the next, beyond those that have to be.

Every gate has one delay, the mean of its arcs' at the slew and load that static timing finds, in whole steps; the
step is a third of the median gate's. Inputs and flip-flops change together at step 0. A gate's output takes a value
once its function has had it for as long as the gate's delay, so pulses shorter than that are swallowed (inertial
delay, IEEE 1364). Wires have no delay. This is an estimate: real glitches depend on placement and corner.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fpgen.library.nldm import Floats
from fpgen.timing.timing_graph import Ints, TimingGraph

from .activity import CellGroup
from .toggles import Pins, Simulator, Words

_STEPS_PER_GATE = 3
_LONGEST = 16  # steps, of a single gate


def gate_steps(graph: TimingGraph, slews: Floats) -> Ints:
    """Delay of each instance in steps; 1 where it has no combinational arc."""
    arcs = graph.combinational
    count = len(graph.cells)
    if not len(arcs):
        return np.ones(count, dtype=np.int64)
    delays = arcs.delay.at(np.arange(len(arcs)), slews[arcs.source])
    sums = np.bincount(arcs.instance, weights=delays, minlength=count)
    number = np.bincount(arcs.instance, minlength=count)
    mean = np.divide(sums, number, out=np.zeros(count), where=number > 0)
    step = float(np.median(mean[number > 0])) / _STEPS_PER_GATE
    return np.clip(np.round(mean / step), 1, _LONGEST).astype(np.int64) if step > 0 else np.ones(count, dtype=np.int64)


@dataclass(eq=False)
class _Timed:
    """Gates of one cell and one delay: what their function is, and in which of the last `steps - 1` it changed.

    `reads` are the nets at their inputs; `since` counts the steps down until a change is old enough for all of them;
    `slot` is the place of the oldest step in `changed`.
    """

    part: CellGroup
    pin: str
    steps: int
    reads: Ints
    raw: Words
    changed: Words
    since: int = 0
    slot: int = 0

    def step(self, values: Words) -> Words:
        """Evaluate the function of the nets as they are; what has had it long enough and is not yet at the output."""
        found = Pins(self.part, values).evaluate(self.part.cell.pins[self.pin].function)
        raw: Words = np.broadcast_to(found, self.raw.shape)  # a constant is a single word
        if self.steps > 1:
            now = raw ^ self.raw
            self.changed[self.slot] = now
            self.slot = (self.slot + 1) % (self.steps - 1)
            self.since = self.steps - 1 if now.any() else max(self.since - 1, 0)
        self.raw = raw
        moved: Words = raw ^ values[self.part.nets[self.pin]]
        return moved & ~np.bitwise_or.reduce(self.changed, axis=0) if self.since else moved


def count(simulator: Simulator, steps: Ints, inputs: Mapping[str, Words]) -> Floats:
    """Clock a settled simulator once more, and count the edges of each net beyond the one that it needs at most.

    Parameters
    ----------
    simulator : Simulator
        Settled; is settled in the next state afterwards.
    steps : array
        From `gate_steps`.
    inputs : mapping
        The next operands.

    Returns
    -------
    array of shape (nets, words)
        Edges, those of a word's 64 streams together.
    """
    values = simulator.values
    before = values.copy()
    gates = [item for part in simulator.parts if part.cell.flipflop is None for item in _timed(part, steps, values)]
    simulator.clock()
    simulator.drive(inputs)
    changed = (before != values).any(axis=1)
    edges = np.zeros(values.shape)
    active = True
    while active:
        active = False
        updates = []
        for gate in gates:
            if gate.since or changed[gate.reads].any():
                updates.append((gate, gate.step(values)))
        changed[:] = False
        for gate, moved in updates:
            hit = moved.any(axis=1)
            if hit.any():
                nets = gate.part.nets[gate.pin][hit]
                values[nets] ^= moved[hit]
                edges[nets] += np.bitwise_count(moved[hit])
                changed[nets] = True
                active = True
            active = active or gate.since > 0
    return np.where(edges > 0, edges - np.bitwise_count(before ^ values), 0.0)


def _timed(part: CellGroup, steps: Ints, values: Words) -> list[_Timed]:
    """A group's gates by delay."""
    found = []
    delays = steps[part.instances]
    reads = (
        np.stack([part.nets[pin] for pin in part.cell.inputs], axis=1)
        if part.cell.inputs
        else np.zeros((len(delays), 0), dtype=np.int64)
    )
    for delay in np.unique(delays).tolist():
        rows = np.nonzero(delays == delay)[0]
        some = CellGroup(part.cell, part.instances[rows], {pin: nets[rows] for pin, nets in part.nets.items()})
        for pin in part.cell.outputs:
            raw = values[some.nets[pin]]
            found.append(
                _Timed(some, pin, delay, reads[rows].ravel(), raw, np.zeros((delay - 1, *raw.shape), dtype=np.uint64))
            )
    return found
