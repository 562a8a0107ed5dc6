"""A netlist and its library as arrays: what static timing walks over.

A node is a net with an edge: `2 * net + edge`, edge 0 rising, 1 falling. An arc leads from the node at a cell's
input to the node at its output and carries two functions of the input slew (delay, output slew): the library's
tables, already interpolated at the arc's load, which no later step changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpgen.base.errors import RunFailure
from fpgen.library.cells import Arc, Cell, Library
from fpgen.library.nldm import Floats, Table
from fpgen.library.wireload import WireLoad

from .constants import applies, arc_edges, propagate
from .netlist import UNKNOWN, Netlist

RISE, FALL = 0, 1
EDGES = ("rise", "fall")

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Curves:
    """Functions of the input slew, one per row: piecewise linear, the outermost pieces extended.

    Attributes
    ----------
    slews : array of shape (k, n)
        Slew axis in ps, rows of different length padded with infinity.
    last : array of shape (k,)
        Number of pieces less one.
    values : array of shape (k, n)
    """

    slews: Floats
    last: Ints
    values: Floats

    def at(self, rows: Ints, slews: Floats) -> Floats:
        """Value of the curves `rows` at `slews`, both of shape (k,)."""
        axis = self.slews[rows]
        piece = np.minimum(np.maximum((axis <= slews[:, None]).sum(axis=1) - 1, 0), self.last[rows])
        take = np.arange(len(rows))
        x0, x1 = axis[take, piece], axis[take, piece + 1]
        y0, y1 = self.values[rows, piece], self.values[rows, piece + 1]
        found: Floats = y0 + (slews - x0) / (x1 - x0) * (y1 - y0)
        return found


@dataclass(frozen=True)
class Arcs:
    """Arcs as columns of equal length.

    Attributes
    ----------
    source, target : array of shape (k,)
        Nodes.
    instance : array of shape (k,)
    source_pin, target_pin : arrays of str
    delay, slew : Curves
    wire : array of shape (k,)
        Delay in ps of the wire from the source's driver to the arc's pin.
    """

    source: Ints
    target: Ints
    instance: Ints
    source_pin: NDArray[Any]
    target_pin: NDArray[Any]
    delay: Curves
    slew: Curves
    wire: Floats

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class Check:
    """A setup check: data node, flip-flop instance, pin, table of data edge against clock slew, and wire delay (ps)."""

    node: int
    instance: int
    pin: str
    table: Table
    wire: float = 0.0


@dataclass(frozen=True)
class TimingGraph:
    """Everything that timing needs.

    Attributes
    ----------
    loads : array of shape (nodes,)
        Load in fF that a driver of the node's net sees at that edge.
    fanout : array of shape (nets,)
    combinational, launching : Arcs
        From data pins, and from clock pins.
    checks : tuple of Check
    clock_nets : frozenset of int
        Nets at clock pins.
    wires : Wires
    """

    netlist: Netlist
    cells: tuple[Cell, ...]
    loads: Floats
    fanout: Ints
    combinational: Arcs
    launching: Arcs
    checks: tuple[Check, ...]
    clock_nets: frozenset[int]
    wires: "Wires"


class Wires:
    """What wires add under a wire load model; nothing without one.

    Attributes
    ----------
    cap : array of shape (nets,)
        fF of a net's wires, for its driver.
    """

    def __init__(self, fanout: Ints, model: WireLoad | None) -> None:
        none = np.zeros(len(fanout))
        length = none if model is None else model.length(fanout)
        branches = np.maximum(fanout, 1)
        self.cap: Floats = none if model is None else length * model.cap_ff
        self._branch_cap = self.cap / branches
        self._branch_res = none if model is None else length * model.res_kohm / branches

    def delay(self, nets: Ints, pin_cap_ff: float) -> Floats:
        """Delay in ps from the driver of each net to a pin of that capacitance (kOhm x fF = ps)."""
        return self._branch_res[nets] * (self._branch_cap[nets] + pin_cap_ff)


def build(netlist: Netlist, library: Library, output_load_ff: float, wire_load: WireLoad | None = None) -> TimingGraph:
    """The timing graph of a netlist.

    Raises
    ------
    RunFailure
        When the netlist uses a cell, or a pin, that the library does not have, or has no timing tables of.
    """
    cells = tuple(library.cell(instance.cell) for instance in netlist.instances)
    for cell in dict.fromkeys(cells):
        if cell.untimed:
            raise RunFailure(
                f"the library {library.name} ({library.source}) has no timing of the cell {cell.name} "
                f"{', '.join(cell.untimed)}; expected tables of delay and of transition (NLDM)"
            )
    loads, fanout = _loads(netlist, cells, output_load_ff)
    wires = Wires(fanout, wire_load)
    loads = loads + np.repeat(wires.cap, 2)
    constants = propagate(netlist, cells)
    groups: dict[tuple[str, tuple[tuple[str, int], ...]], list[int]] = {}
    for number, instance in enumerate(netlist.instances):
        fixed = (
            tuple((pin, constants[net]) for pin, net in instance.pins.items() if net in constants) if constants else ()
        )
        groups.setdefault((instance.cell, fixed), []).append(number)
    columns: dict[bool, list[tuple[Any, ...]]] = {False: [], True: []}
    checks: list[Check] = []
    clock_nets: set[int] = set()
    for (name, fixed), numbers in groups.items():
        cell = library.cells[name]
        rows = np.array(numbers)
        nets = {pin: np.array([netlist.instances[k].pins.get(pin, UNKNOWN) for k in numbers]) for pin in cell.pins}
        known = dict(fixed)
        for arc in cell.arcs:
            others = (
                other.when
                for other in cell.arcs
                if (other.related, other.pin, other.kind) == (arc.related, arc.pin, arc.kind)
            )
            if applies(arc.when, others, known):
                _add_arc(arc, cell, known, rows, nets, columns, wires)
        for setup in cell.setups:
            if setup.related not in nets:
                raise RunFailure(
                    f"the cell {name} has a setup check of its pin {setup.pin} against {setup.related}, "
                    f"which it does not have; expected one of {', '.join(cell.pins)}"
                )
            clock_nets.update(int(net) for net in nets[setup.related])
            others = (
                other.when
                for other in cell.setups
                if (other.related, other.pin, other.edge) == (setup.related, setup.pin, setup.edge)
            )
            if setup.related in known or setup.pin in known or not applies(setup.when, others, known):
                continue
            pin = cell.pins[setup.pin]
            for edge, table in ((RISE, setup.rise), (FALL, setup.fall)):
                if table is not None:
                    late = wires.delay(nets[setup.pin], pin.rise_cap if edge == RISE else pin.fall_cap)
                    checks += [
                        Check(2 * int(net) + edge, int(row), setup.pin, table, float(wire))
                        for row, net, wire in zip(rows, nets[setup.pin], late, strict=True)
                    ]
    return TimingGraph(
        netlist,
        cells,
        loads,
        fanout,
        _arcs(columns[False], loads),
        _arcs(columns[True], loads),
        tuple(checks),
        frozenset(clock_nets),
        wires,
    )


def _loads(netlist: Netlist, cells: Sequence[Cell], output_load_ff: float) -> tuple[Floats, Ints]:
    size = len(netlist.net_names)
    nets: list[int] = []
    caps: list[tuple[float, float]] = []
    for instance, cell in zip(netlist.instances, cells, strict=True):
        for name, net in instance.pins.items():
            pin = cell.pins.get(name)
            if pin is None:
                raise RunFailure(
                    f"instance {instance.name}: got pin {name} of the cell {cell.name}; expected one of "
                    f"{', '.join(cell.pins)}"
                )
            if pin.direction != "output":
                nets.append(net)
                caps.append((pin.rise_cap, pin.fall_cap))
    for net in netlist.outputs.values():
        nets.append(net)
        caps.append((output_load_ff, output_load_ff))
    loads = np.zeros((size, 2))
    fanout = np.zeros(size, dtype=np.int64)
    if nets:
        np.add.at(loads, nets, np.array(caps))
        np.add.at(fanout, nets, 1)
    return loads.reshape(-1), fanout


def _add_arc(
    arc: Arc,
    cell: Cell,
    fixed: Mapping[str, int],
    rows: Ints,
    nets: Mapping[str, Ints],
    columns: dict[bool, list[tuple[Any, ...]]],
    wires: Wires,
) -> None:
    launching = arc.kind in ("rising_edge", "falling_edge")
    if arc.related not in nets or arc.pin in fixed or arc.related in fixed:
        return
    pin = cell.pins[arc.related]
    for edge, delay, slew in ((RISE, arc.rise_delay, arc.rise_slew), (FALL, arc.fall_delay, arc.fall_slew)):
        if delay is None or slew is None or arc.kind == f"combinational_{EDGES[1 - edge]}":
            continue
        for before in (
            (RISE if arc.kind == "rising_edge" else FALL,) if launching else arc_edges(arc, cell, edge, fixed)
        ):
            source, target = nets[arc.related], nets[arc.pin]
            joined = (source != UNKNOWN) & (target != UNKNOWN)  # pins without a net, or at x or z
            if joined.any():
                source, target = source[joined], target[joined]
                late = wires.delay(source, pin.rise_cap if before == RISE else pin.fall_cap)
                columns[launching].append(
                    (2 * source + before, 2 * target + edge, rows[joined], arc.related, arc.pin, delay, slew, late)
                )


def _arcs(columns: Sequence[tuple[Any, ...]], loads: Floats) -> Arcs:
    if not columns:
        none = np.zeros(0, dtype=np.int64)
        empty = Curves(np.zeros((0, 2)), none, np.zeros((0, 2)))
        return Arcs(none, none, none, np.zeros(0, dtype=object), np.zeros(0, dtype=object), empty, empty, np.zeros(0))
    counts = [len(column[2]) for column in columns]
    source, target, instance = (np.concatenate([column[k] for column in columns]) for k in range(3))
    of = np.repeat(np.arange(len(columns)), counts)
    pins = [np.array([column[k] for column in columns], dtype=object)[of] for k in (3, 4)]
    delay, slew = (_curves([column[k] for column in columns], of, loads[target]) for k in (5, 6))
    wire = np.concatenate([column[7] for column in columns])
    return Arcs(source, target, instance, pins[0], pins[1], delay, slew, wire)


def _curves(tables: Sequence[Table], of: Ints, loads: Floats) -> Curves:
    """The tables `tables[of]` at `loads`, as curves over the slew."""
    unique: dict[int, int] = {}
    chosen: list[Table] = []
    for table in tables:
        if id(table) not in unique:
            unique[id(table)] = len(chosen)
            chosen.append(table)
    index = np.array([unique[id(table)] for table in tables])[of]
    n = max(2, max(len(table.x) for table in chosen))
    m = max(2, max(len(table.y) for table in chosen))
    x = np.full((len(chosen), n), np.inf)
    y = np.full((len(chosen), m), np.inf)
    values = np.zeros((len(chosen), n, m))
    for k, table in enumerate(chosen):
        rows, cols = len(table.x), len(table.y)
        x[k, :rows], y[k, :cols], values[k, :rows, :cols] = table.x, table.y, table.values
        if cols == 1:  # independent of the load: a flat second column
            y[k, 1] = y[k, 0] + 1.0
            values[k, :rows, 1] = values[k, :rows, 0]
            cols = 2
        if rows == 1:
            x[k, 1] = x[k, 0] + 1.0
            values[k, 1] = values[k, 0]
    axis = y[index]
    last = np.array([max(len(table.y), 2) - 2 for table in chosen])[index]
    piece = np.minimum(np.maximum((axis <= loads[:, None]).sum(axis=1) - 1, 0), last)
    take = np.arange(len(index))
    y0, y1 = axis[take, piece], axis[take, piece + 1]
    low, high = values[index, :, piece], values[index, :, piece + 1]
    curve = low + ((loads - y0) / (y1 - y0))[:, None] * (high - low)
    return Curves(x[index], np.array([max(len(table.x), 2) - 2 for table in chosen])[index], curve)
