"""Power of a mapped netlist, from its activity and the library's tables.

What is counted, per edge: the energy inside the cell (`internal_power`, interpolated at the input's slew and the
output's load that static timing finds), and half of C V^2 for the net that the cell drives (switching: pin
capacitances, the output load, and wires where a wire load is given). Leakage is that of the states the cells are in.
The nets of the unit's inputs are charged by the circuit that drives them and are reported separately.

Source: Liberty Reference Manual (internal_power, leakage_power); checked against OpenSTA's reports.
"""

from dataclasses import dataclass

import numpy as np

from fpgen.base.errors import RunFailure
from fpgen.library.cells import DEFAULT_LOAD_FF, Arc, Cell, InternalPower, Library
from fpgen.library.function import python_expression
from fpgen.library.nldm import Floats, Table
from fpgen.library.wireload import WireLoad
from fpgen.timing import sta
from fpgen.timing.netlist import Netlist
from fpgen.timing.timing_graph import Ints

from .activity import Activity, CellGroup, Switching


@dataclass(frozen=True)
class Breakdown:
    """Energies in fJ per operation (per clock), leakage in nW.

    Attributes
    ----------
    internal_fj, switching_fj : float
        Of the gates, and of the nets they drive.
    register_internal_fj, register_switching_fj : float
        Of flip-flops, their clock pins left out, and of the nets they drive.
    clock_fj : float
        At the flip-flops' clock pins: inside the cells.
    clock_net_fj, inputs_fj : float
        Charging the clock net, and the nets of the other inputs: delivered by the circuit that drives them.
    glitch_fj : float
        Of further edges while nets settle, where the activity counts them.
    leakage_nw, register_leakage_nw : float
        Of gates, of flip-flops.
    error_fj : float
        Standard error of the energies' sum (that at the inputs left out), because the operations are a sample; NaN
        where it is not known.
    """

    internal_fj: float
    switching_fj: float
    register_internal_fj: float
    register_switching_fj: float
    clock_fj: float
    clock_net_fj: float
    inputs_fj: float
    glitch_fj: float
    leakage_nw: float
    register_leakage_nw: float
    error_fj: float = float("nan")


def evaluate(
    netlist: Netlist,
    library: Library,
    activity: Activity,
    *,
    driving_cell: str | None = None,
    output_load_ff: float = DEFAULT_LOAD_FF,
    wire_load: WireLoad | str | float | None = None,
) -> Breakdown:
    """Energy and leakage of a netlist.

    Parameters
    ----------
    netlist : Netlist
    library : Library
        Read with its power tables.
    activity : Activity
        From `fpgen.power.toggles` or `fpgen.power.estimate`.
    driving_cell, output_load_ff, wire_load
        As for timing (`fpgen.timing.sta.analyse`).

    Raises
    ------
    RunFailure
        When the library states no supply voltage, or timing is not possible.
    """
    if not library.voltage > 0:
        raise RunFailure(f"the library {library.name} ({library.source}) states no nom_voltage, which power needs")
    graph, slews = sta.slews(
        netlist, library, driving_cell=driving_cell, output_load_ff=output_load_ff, wire_load=wire_load
    )
    size = len(activity.toggles)
    loads = np.zeros(size)
    loads[: len(graph.fanout)] = graph.loads.reshape(-1, 2).max(axis=1)
    at = np.zeros((size, 2))
    at[: len(graph.fanout)] = slews.reshape(-1, 2)
    edge_fj = 0.5 * loads * library.voltage**2  # of each net
    sums = dict.fromkeys(
        (
            "internal",
            "switching",
            "register_internal",
            "register_switching",
            "clock",
            "glitch",
            "leakage",
            "register_leakage",
        ),
        0.0,
    )
    spent = np.zeros(size)  # on the edges of each net, fJ per operation
    spent_on_glitches = np.zeros(size)
    for switching in activity.cells:
        cell, part = switching.group.cell, switching.group
        kind = "register_" if cell.flipflop is not None else ""
        clocks = python_expression(cell.flipflop.clocked_on)[1] if cell.flipflop is not None else ()
        inside = {pin: np.zeros(len(part.instances)) for pin in cell.pins}
        for number, table in enumerate(cell.power):
            inside[table.pin] += _internal(switching, number, table, activity.toggles, at, loads)
        for pin, energy in inside.items():
            sums["clock" if pin in clocks else f"{kind}internal"] += float(energy.sum())
            if pin not in clocks:
                np.add.at(spent, part.nets[pin], energy)
        for pin in cell.outputs:
            nets = part.nets[pin]
            toggles = activity.toggles[nets].sum(axis=1)
            sums[f"{kind}switching"] += float((toggles * edge_fj[nets]).sum())
            np.add.at(spent, nets, toggles * edge_fj[nets])
            if activity.glitches is not None:
                per_edge = np.divide(inside[pin], toggles, out=_idle(part, pin, at, loads), where=toggles > 0)
                energy = activity.glitches[nets] * (edge_fj[nets] + per_edge)
                sums["glitch"] += float(energy.sum())
                np.add.at(spent_on_glitches, nets, energy)
        sums[f"{kind}leakage"] += _leakage(switching)
    clock_nets = {
        int(net)
        for part in (item.group for item in activity.cells)
        if part.cell.flipflop is not None
        for pin in python_expression(part.cell.flipflop.clocked_on)[1]
        for net in part.nets[pin]
    }
    at_inputs = {net: activity.toggles[net].sum() * edge_fj[net] for net in set(netlist.inputs.values())}
    return Breakdown(
        sums["internal"],
        sums["switching"],
        sums["register_internal"],
        sums["register_switching"],
        sums["clock"],
        float(sum(energy for net, energy in at_inputs.items() if net in clock_nets)),
        float(sum(energy for net, energy in at_inputs.items() if net not in clock_nets)),
        sums["glitch"],
        sums["leakage"],
        sums["register_leakage"],
        _standard_error(activity, spent, spent_on_glitches),
    )


def _standard_error(activity: Activity, spent: Floats, on_glitches: Floats) -> float:
    """That of the mean of the batches' energies: each net's edges at what an edge of it takes on average.

    What a clock edge takes inside flip-flops depends little on the data and is left out.
    """
    if activity.batches is None:
        return float("nan")
    parts = [(activity.toggles.sum(axis=1), activity.batches, spent)]
    if activity.glitches is not None and activity.glitch_batches is not None:
        parts.append((activity.glitches, activity.glitch_batches, on_glitches))
    energies = sum(
        np.divide(energy, edges, out=np.zeros(len(energy)), where=edges > 0) @ batches
        for edges, batches, energy in parts
    )
    found: float = np.std(energies, ddof=1) / np.sqrt(activity.batches.shape[1])
    return float(found)


def interpolate(table: Table, x: Floats, y: Floats) -> Floats:
    """`Table.at` for arrays."""
    (i, p), (j, q) = _places(table.x, x), _places(table.y, y)
    v = table.values
    i1, j1 = np.minimum(i + 1, len(table.x) - 1), np.minimum(j + 1, len(table.y) - 1)
    low = v[i, j] + q * (v[i, j1] - v[i, j])
    high = v[i1, j] + q * (v[i1, j1] - v[i1, j])
    return low + p * (high - low)


def _places(axis: Floats, values: Floats) -> tuple[Ints, Floats]:
    if len(axis) == 1:
        return np.zeros(len(values), dtype=np.int64), np.zeros(len(values))
    index = np.clip(np.searchsorted(axis, values, side="right") - 1, 0, len(axis) - 2)
    return index, (values - axis[index]) / (axis[index + 1] - axis[index])


def _internal(
    switching: Switching, number: int, table: InternalPower, toggles: Floats, slews: Floats, loads: Floats
) -> Floats:
    """Energy in fJ per operation that one table contributes, for each instance."""
    part = switching.group
    cell = part.cell
    output = cell.pins[table.pin].direction == "output"
    total = np.zeros(len(part.instances))
    for edge, values in ((0, table.rise), (1, table.fall)):
        if values is None:
            continue
        if not output:
            net = part.nets[table.pin]
            total += switching.events[number, edge] * interpolate(values, slews[net, edge], np.zeros(len(net)))
            continue
        net = part.nets[table.pin]
        alike = [k for k, other in enumerate(cell.power) if (other.pin, other.supply) == (table.pin, table.supply)]
        sums = switching.events[alike, edge].sum(axis=0)
        share = np.divide(switching.events[number, edge], sums, out=np.full(len(net), 1 / len(alike)), where=sums > 0)
        total += toggles[net, edge] * share * interpolate(values, _slew(part, table, edge, slews), loads[net])
    return total


def _slew(part: CellGroup, table: InternalPower, edge: int, slews: Floats) -> Floats:
    """Slew of the input edge that causes an output edge."""
    if table.related not in part.cell.pins:
        return np.zeros(len(part.instances))
    cause = edge if _positive(part.cell, table.related, table.pin) else 1 - edge
    found: Floats = slews[part.nets[table.related], cause]
    return found


def _positive(cell: Cell, related: str, pin: str) -> bool:
    """Whether an output follows an input; also where it may do either."""
    senses: list[Arc] = [arc for arc in cell.arcs if (arc.related, arc.pin) == (related, pin)]
    return all(arc.sense != "negative_unate" for arc in senses)


def _idle(part: CellGroup, pin: str, slews: Floats, loads: Floats) -> Floats:
    """Energy in fJ per edge of an output that the activity has no edges of: the mean of its tables."""
    found = [
        interpolate(values, _slew(part, table, edge, slews), loads[part.nets[pin]])
        for table in part.cell.power
        if table.pin == pin
        for edge, values in ((0, table.rise), (1, table.fall))
        if values is not None
    ]
    return np.mean(found, axis=0) if found else np.zeros(len(part.instances))


def _leakage(switching: Switching) -> float:
    """Leakage in nW of a group: by state; for states that the library does not list, the cell's own figure."""
    cell, states = switching.group.cell, switching.states
    figures = np.array([figure for _, figure in cell.leakages])
    total = float((figures[:, None] * states).sum())
    if all(when for when, _ in cell.leakages):
        total += cell.leakage * float(np.maximum(1 - states.sum(axis=0), 0).sum())
    return total
