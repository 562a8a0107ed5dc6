"""Static timing of a mapped netlist with the library's NLDM tables, as OpenSTA does it graph-based.

What is modelled: rising and falling edges apart, slews propagated, unateness, the worst arrival and the worst
slew merged at each node (independently of each other), state-dependent arcs all counted, input driving cell,
output load, clock to output, setup, constants.
What is assumed: wires without load or delay, or those of a wire load model by fanout (`fpgen.library.wireload`); one
ideal clock, so a path's delay is what it needs of the period.

Source: Liberty Reference Manual (NLDM); checked against OpenSTA's reports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fpgen.base.errors import RunFailure, UsageError
from fpgen.library import liberty
from fpgen.library.cells import DEFAULT_LOAD_FF, Cell, Library
from fpgen.library.nldm import Floats
from fpgen.library.wireload import WireLoad, resolve

from . import netlist as netlists
from . import netlist_checks
from .netlist import Netlist
from .timing_graph import EDGES, Arcs, Ints, TimingGraph, build


@dataclass(frozen=True)
class Step:
    """One stage of a path: a cell (or an input port, or the setup check) and the net it drives.

    Attributes
    ----------
    instance, cell : str
        The port's name and empty for an input; `setup` as cell for the last step of a path into a flip-flop, `wire`
        for that to a port over a wire with resistance. Other wires' delay is part of the step that they lead to.
    from_pin, pin : str
        The arc through the cell.
    edge : str
        `rise` or `fall`, at `pin`.
    net : str
        Name of the net that `pin` drives.
    delay_ps, arrival_ps, slew_ps : float
        Of this stage; from the start; at `pin`.
    fanout : int
    load_ff : float
    """

    instance: str
    cell: str
    from_pin: str
    pin: str
    edge: str
    net: str
    delay_ps: float
    arrival_ps: float
    slew_ps: float
    fanout: int
    load_ff: float


@dataclass(frozen=True)
class TimingReport:
    """The critical path of a netlist.

    Attributes
    ----------
    delay_ps : float
        Longest delay: to an output port, or to a flip-flop with its setup time. 0 when no path exists.
    startpoint, endpoint : str
        A port bit, or the flip-flop's instance.
    path : tuple of Step
    logic_depth : int
        Cells on the path; the flip-flop that launches it is not counted.
    assumptions : mapping
    notes : tuple of str
        What was passed over, decided or found odd in the netlist.
    """

    delay_ps: float
    startpoint: str
    endpoint: str
    path: tuple[Step, ...]
    logic_depth: int
    assumptions: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report for JSON."""
        return asdict(self)


def analyse(
    netlist: Netlist,
    library: Library,
    *,
    top: str | None = None,
    driving_cell: str | None = None,
    output_load_ff: float = DEFAULT_LOAD_FF,
    wire_load: WireLoad | str | float | None = None,
) -> TimingReport:
    """Time a netlist.

    Parameters
    ----------
    netlist : Netlist
    library : Library
    top : str, optional
        Checked against the netlist's.
    driving_cell : str, optional
        Cell that drives each input; its delay without load is not counted. None: ideal drive, slew 0.
    output_load_ff : float
        Capacitance at each output port.
    wire_load : WireLoad, str or float, optional
        fF for each pin that a net drives, or the name of a model of the library's; default none.

    Raises
    ------
    RunFailure
        When a cell or pin is missing from the library, or gates form a loop.
    UsageError
        When the driving cell or the wire load is not in the library, or a load is negative.
    """
    if top is not None and top != netlist.top:
        raise RunFailure(f"top module: got {top!r}; expected {netlist.top!r}, that of the netlist")
    if driving_cell is not None and driving_cell not in library.cells:
        raise UsageError(library.lacks_driver(driving_cell))
    if not 0 <= output_load_ff < 1e9:
        raise UsageError(f"output load: got {output_load_ff} fF; expected 0 or more")
    model = resolve(wire_load, library)
    graph = build(netlist, library, output_load_ff, model)
    state = _Arrivals(graph, library.cell(driving_cell) if driving_cell else None)
    assumptions = {
        "corner": library.corner,
        "driving_cell": driving_cell or "ideal",
        "output_load_ff": output_load_ff,
        "wire_load": model.name if model else "none",
        "clock": "ideal",
    }
    notes = (*library.notes, *netlist.notes, *netlist_checks.notes(netlist, graph.cells))
    return state.report(assumptions, output_load_ff, notes)


def slews(
    netlist: Netlist,
    library: Library,
    *,
    driving_cell: str | None = None,
    output_load_ff: float = DEFAULT_LOAD_FF,
    wire_load: WireLoad | str | float | None = None,
) -> tuple[TimingGraph, Floats]:
    """The timing graph of a netlist, and the slew in ps at each of its nodes (`2 * net + edge`; clocks have 0).

    Raises
    ------
    RunFailure, UsageError
        As `analyse`.
    """
    graph = build(netlist, library, output_load_ff, resolve(wire_load, library))
    return graph, _Arrivals(graph, library.cell(driving_cell) if driving_cell else None).slew


def run(
    path: Path | str,
    liberty_path: Path | str,
    *,
    top: str | None = None,
    driving_cell: str | None = None,
    output_load_ff: float = DEFAULT_LOAD_FF,
    wire_load: str | float | None = None,
    black_boxes: Sequence[str] = (),
    ignore_missing: bool = False,
) -> TimingReport:
    """Time a netlist file with a Liberty file: what `fpgen sta` does.

    Parameters
    ----------
    path, liberty_path : path
    top, black_boxes, ignore_missing
        See `fpgen.timing.netlist.from_text`.
    driving_cell, output_load_ff, wire_load
        See `analyse`.

    Raises
    ------
    RunFailure, UsageError
        As `netlist.read_file`, `liberty.load` and `analyse`; and when no path exists, unless black boxes are allowed.
    """
    library = liberty.load(liberty_path)
    netlist = netlists.read_file(path, top, library, black_boxes=black_boxes, ignore_missing=ignore_missing)
    report = analyse(netlist, library, driving_cell=driving_cell, output_load_ff=output_load_ff, wire_load=wire_load)
    if not report.path and not netlist.left_out:
        raise RunFailure(
            f"{path}: module {netlist.top}: got no path from an input or a flip-flop to an output or to a "
            f"flip-flop's data ({netlist_checks.without_path(netlist, library)}); expected at least one"
        )
    return report


class _Arrivals:
    """Arrival and slew of every node, and the arc that decided the arrival."""

    def __init__(self, graph: TimingGraph, driver: Cell | None) -> None:
        self.graph = graph
        nodes = len(graph.loads)
        self.arrival: Floats = np.full(nodes, -np.inf)
        self.slew: Floats = np.zeros(nodes)
        # Arc that decided a node's arrival: its number, launching arcs after the combinational ones; -1 none.
        self.decided: Ints = np.full(nodes, -1)
        self._start_inputs(driver)
        self._start_flipflops()
        self._propagate()

    def _start_inputs(self, driver: Cell | None) -> None:
        graph = self.graph
        for net in graph.netlist.inputs.values():
            if net in graph.clock_nets:
                continue
            for edge in (0, 1):
                node = 2 * net + edge
                delay, slew = _drive(driver, edge, graph.loads[node])
                self.arrival[node], self.slew[node] = delay, slew

    def _start_flipflops(self) -> None:
        arcs = self.graph.launching
        if not len(arcs):
            return
        clock = np.zeros(len(arcs))
        delays = arcs.delay.at(np.arange(len(arcs)), clock)
        slews = arcs.slew.at(np.arange(len(arcs)), clock)
        np.maximum.at(self.arrival, arcs.target, delays)
        np.maximum.at(self.slew, arcs.target, slews)
        won = self.arrival[arcs.target] == delays
        self.decided[arcs.target[won]] = np.nonzero(won)[0] + len(self.graph.combinational)

    def _propagate(self) -> None:
        arcs = self.graph.combinational
        for rows in _levels(arcs, self.graph):
            live = rows[self.arrival[arcs.source[rows]] > -np.inf]
            if not len(live):
                continue
            source, target = arcs.source[live], arcs.target[live]
            slew_in = self.slew[source]
            arrivals = self.arrival[source] + arcs.wire[live] + arcs.delay.at(live, slew_in)
            slews = arcs.slew.at(live, slew_in)
            np.maximum.at(self.arrival, target, arrivals)
            np.maximum.at(self.slew, target, slews)
            won = self.arrival[target] == arrivals
            self.decided[target[won]] = live[won]

    def report(self, assumptions: Mapping[str, Any], output_load_ff: float, notes: tuple[str, ...]) -> TimingReport:
        best, end, name, setup = -np.inf, -1, "", None
        outputs = {port: net for port, net in self.graph.netlist.outputs.items() if not self._is_own_input(port, net)}
        late = self.graph.wires.delay(np.array(list(outputs.values()), dtype=np.int64), output_load_ff)
        for (port, net), wire in zip(outputs.items(), late.tolist(), strict=True):
            for node in (2 * net, 2 * net + 1):
                if self.arrival[node] + wire > best:
                    best, end, name, setup = float(self.arrival[node]) + wire, node, port, None
        for check in self.graph.checks:
            if self.arrival[check.node] > -np.inf:
                time = check.table.at(float(self.slew[check.node]), 0.0) + check.wire
                total = float(self.arrival[check.node]) + time
                if total > best:
                    best, end, setup = total, check.node, (check, time)
                    name = self.graph.netlist.instances[check.instance].name
        if end < 0:
            return TimingReport(0.0, "", "", (), 0, assumptions, (*notes, "no path was found"))
        steps = self._path(end)
        depth = len(steps) - 1
        start = steps[0].instance
        if setup is not None:
            check, time = setup
            last = steps[-1]
            steps.append(
                Step(name, "setup", check.pin, check.pin, last.edge, last.net, time, best, last.slew_ps, 0, 0.0)
            )
        elif best > steps[-1].arrival_ps:
            last = steps[-1]
            steps.append(
                Step(name, "wire", "", "", last.edge, last.net, best - last.arrival_ps, best, last.slew_ps, 0, 0.0)
            )
        return TimingReport(best, start, name, tuple(steps), depth, assumptions, notes)

    def _is_own_input(self, port: str, net: int) -> bool:
        """Whether a port is inout and nothing inside arrives at it."""
        return self.graph.netlist.inputs.get(port) == net and bool((self.decided[2 * net : 2 * net + 2] < 0).all())

    def _path(self, node: int) -> list[Step]:
        """Steps from the start to a node, first step first."""
        graph = self.graph
        steps: list[Step] = []
        while True:
            number = int(self.decided[node])
            arcs, row = graph.combinational, number
            launching = number >= len(arcs)
            if launching:
                arcs, row = graph.launching, number - len(arcs)
            before = 0.0 if number < 0 or launching else float(self.arrival[arcs.source[row]])
            if number < 0:
                port = next(name for name, net in graph.netlist.inputs.items() if net == node >> 1)
                where = (port, "", "", "")
            else:
                instance = int(arcs.instance[row])
                where = (
                    graph.netlist.instances[instance].name,
                    graph.cells[instance].name,
                    str(arcs.source_pin[row]),
                    str(arcs.target_pin[row]),
                )
            steps.append(
                Step(
                    *where,
                    EDGES[node & 1],
                    graph.netlist.net_names[node >> 1],
                    float(self.arrival[node]) - before,
                    float(self.arrival[node]),
                    float(self.slew[node]),
                    int(graph.fanout[node >> 1]),
                    float(graph.loads[node]),
                )
            )
            if number < 0 or launching:
                return steps[::-1]
            node = int(arcs.source[row])


def _drive(driver: Cell | None, edge: int, load: float) -> tuple[float, float]:
    """Delay beyond the unloaded one, and slew, of an input driven by a cell whose own input has slew 0."""
    if driver is None:
        return 0.0, 0.0
    found = []
    for arc in driver.arcs:
        delay, slew = (arc.rise_delay, arc.rise_slew) if edge == 0 else (arc.fall_delay, arc.fall_slew)
        if delay is not None and slew is not None:
            found.append((delay.at(0.0, load) - delay.at(0.0, 0.0), slew.at(0.0, load)))
    if not found:
        raise RunFailure(f"the driving cell {driver.name} has no timing tables")
    return max(delay for delay, _ in found), max(slew for _, slew in found)


def _levels(arcs: Arcs, graph: TimingGraph) -> list[Ints]:
    """Rows of the arcs, in groups such that every arc into a node comes before any arc out of it.

    Raises
    ------
    RunFailure
        When gates form a loop.
    """
    if not len(arcs):
        return []
    source, target = arcs.source >> 1, arcs.target >> 1
    nets = len(graph.fanout)
    waiting = np.bincount(target, minlength=nets)
    order = np.argsort(source, kind="stable")
    starts = np.searchsorted(source[order], np.arange(nets + 1))
    level = np.zeros(nets, dtype=np.int64)
    ready = np.nonzero(waiting == 0)[0]
    depth = 0
    while len(ready):
        level[ready] = depth
        depth += 1
        counts = starts[ready + 1] - starts[ready]
        total = int(counts.sum())
        if not total:
            break
        offsets = np.repeat(starts[ready] - np.cumsum(counts) + counts, counts) + np.arange(total)
        reached = target[order[offsets]]
        np.subtract.at(waiting, reached, 1)
        reached = np.unique(reached)
        ready = reached[waiting[reached] == 0]
    stuck = np.nonzero(waiting > 0)[0]
    if len(stuck):
        names = ", ".join(graph.netlist.net_names[net] for net in stuck[:5])
        raise RunFailure(f"gates form a loop through the nets {names}; only netlists without loops can be timed")
    rank = level[target]
    sequence = np.argsort(rank, kind="stable")
    return [rows for rows in np.split(sequence, np.nonzero(np.diff(rank[sequence]))[0] + 1) if len(rows)]
