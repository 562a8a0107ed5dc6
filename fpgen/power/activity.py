"""How often the nets and cells of a netlist switch: what power is worked out from, however it was found.

`fpgen.power.toggles` counts it in a simulation; `fpgen.power.estimate` works it out from the activity of the inputs,
as static power tools do by default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fpgen.base.errors import RunFailure
from fpgen.library.cells import Cell, Library
from fpgen.library.nldm import Floats
from fpgen.timing.netlist import UNKNOWN, Netlist
from fpgen.timing.timing_graph import Ints


@dataclass(frozen=True, eq=False)
class CellGroup:
    """All instances of one cell.

    Attributes
    ----------
    cell : Cell
    instances : array of shape (g,)
        Numbers in the netlist.
    nets : mapping of str to array of shape (g,)
        Pin -> net; an unconnected pin has its own net.
    """

    cell: Cell
    instances: Ints
    nets: Mapping[str, Ints]


@dataclass(frozen=True, eq=False)
class Switching:
    """What the cells of one group do.

    Attributes
    ----------
    group : CellGroup
    events : array of shape (tables, 2, g)
        For each of the cell's internal power tables and each edge of its pin (0 rising, 1 falling). Of an input
        pin: how often per operation. Of an output pin: a share; shares of one pin, edge and supply have any sum.
    states : array of shape (leakages, g)
        Part of the time that the cell is in each of the states its leakage is stated for; of a figure without a
        state, the rest.
    """

    group: CellGroup
    events: Floats
    states: Floats


@dataclass(frozen=True, eq=False)
class Activity:
    """What a netlist does.

    Attributes
    ----------
    toggles : array of shape (nets, 2)
        Rising and falling edges per operation (per clock) of each net.
    cells : tuple of Switching
    glitches : array of shape (nets,) or None
        Further edges per operation, that come in pairs while the net settles; None when they were not looked for.
    batches, glitch_batches : array of shape (nets, batches) or None
        Edges (of both kinds) and further edges per operation in each of several equal parts of the operations that
        do not depend on each other: what statistical errors are worked out from. None: not a sample.
    """

    toggles: Floats
    cells: tuple[Switching, ...]
    glitches: Floats | None = None
    batches: Floats | None = None
    glitch_batches: Floats | None = None


def groups(netlist: Netlist, library: Library) -> tuple[list[CellGroup], int]:
    """The instances by cell, and the number of nets with those added that stand for unconnected pins.

    Raises
    ------
    RunFailure
        When a cell is not in the library, is a latch, or has an output without a function.
    """
    found: dict[str, list[int]] = {}
    for number, instance in enumerate(netlist.instances):
        found.setdefault(instance.cell, []).append(number)
    size = len(netlist.net_names)
    result = []
    for name, numbers in found.items():
        cell = library.cell(name)
        if cell.latch:
            raise RunFailure(f"the cell {name} is a latch; power is worked out for gates and flip-flops")
        nets: dict[str, Ints] = {}
        for pin in cell.pins.values():
            if pin.direction == "output" and not pin.function:
                raise RunFailure(
                    f"the library {library.name} ({library.source}) states no function of "
                    f"{name}/{pin.name}; power needs that of every cell in use"
                )
            column = np.array([netlist.instances[k].pins.get(pin.name, -1) for k in numbers], dtype=np.int64)
            open_pins = np.nonzero(column < 0)[0]
            column[open_pins] = size + np.arange(len(open_pins)) if pin.direction == "output" else UNKNOWN
            size += len(open_pins) if pin.direction == "output" else 0
            nets[pin.name] = column
        result.append(CellGroup(cell, np.array(numbers), nets))
    return result, size


def levels(parts: Sequence[CellGroup], size: int) -> list[list[CellGroup]]:
    """The combinational cells in order: each level needs nets of earlier ones only, and is grouped by cell.

    Raises
    ------
    RunFailure
        When gates form a loop.
    """
    gates = [part for part in parts if part.cell.flipflop is None]
    sizes = [len(part.instances) for part in gates]
    owner = np.repeat(np.arange(len(gates)), sizes)
    row = np.concatenate([np.arange(number) for number in sizes]) if gates else owner
    sources = _padded(gates, [part.cell.inputs for part in gates], size)
    targets = _padded(gates, [part.cell.outputs for part in gates], size)
    waiting = np.zeros(size + 1, dtype=bool)  # the entry past the end stands for "no pin"
    waiting[targets] = True
    waiting[size] = False
    left = np.arange(len(owner))
    found: list[list[CellGroup]] = []
    while len(left):
        ready = ~waiting[sources[left]].any(axis=1)
        if not ready.any():
            raise RunFailure("gates form a loop; power is worked out for netlists without loops")
        now, left = left[ready], left[~ready]
        waiting[targets[now]] = False
        level = []
        for number in np.unique(owner[now]):
            part, rows = gates[number], row[now[owner[now] == number]]
            level.append(
                CellGroup(part.cell, part.instances[rows], {pin: nets[rows] for pin, nets in part.nets.items()})
            )
        found.append(level)
    return found


def _padded(parts: Sequence[CellGroup], pins: Sequence[Sequence[str]], filler: int) -> Ints:
    """The nets at the given pins of all groups' instances below each other, `filler` where a cell has fewer pins."""
    rows = sum(len(part.instances) for part in parts)
    table = np.full((rows, max((len(names) for names in pins), default=0) or 1), filler, dtype=np.int64)
    at = 0
    for part, names in zip(parts, pins, strict=True):
        end = at + len(part.instances)
        for k, name in enumerate(names):
            table[at:end, k] = part.nets[name]
        at = end
    return table
