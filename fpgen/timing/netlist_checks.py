"""What is odd about a netlist that can be timed all the same: said with its figures, so that nothing is silent."""

from collections.abc import Iterable, Sequence

from fpgen.library.cells import Cell, Library

from .constants import propagate
from .netlist import UNKNOWN, Netlist
from .netlist_notes import SHOWN


def notes(netlist: Netlist, cells: Sequence[Cell]) -> list[str]:
    """Nets of several drivers or of none, inputs that are one net, and latches, each kind in one line."""
    drivers = _drivers(netlist, cells)
    read = {
        net
        for instance, cell in zip(netlist.instances, cells, strict=True)
        for pin, net in instance.pins.items()
        if cell.pins[pin].direction == "input"
    }
    both_ways = {
        net
        for instance, cell in zip(netlist.instances, cells, strict=True)
        for pin, net in instance.pins.items()
        if cell.pins[pin].direction == "inout"
    }
    found = []
    several = [
        f"{netlist.net_names[net]} ({', '.join(who[:SHOWN])})"
        for net, who in drivers.items()
        if len(who) > 1 or net < UNKNOWN
    ]
    if several:
        found.append(f"nets of several drivers, each timed as if it were alone: {_some(several)}")
    floating = [
        netlist.net_names[net]
        for net in sorted(read | set(netlist.outputs.values()))
        if net > UNKNOWN and net not in drivers and net not in both_ways
    ]
    if floating:
        found.append(f"nets that nothing drives, and no path begins at: {_some(floating)}")
    loose = [
        f"{instance.name}/{pin}"
        for instance, cell in zip(netlist.instances, cells, strict=True)
        if len(instance.pins) < len(cell.pins)
        for pin in cell.inputs
        if pin not in instance.pins
    ]
    if loose:
        found.append(f"input pins without a net, and no path begins at: {_some(loose)}")
    latches = [instance.name for instance, cell in zip(netlist.instances, cells, strict=True) if cell.latch]
    if latches:
        found.append(
            f"latches (or flip-flops of several bits) are timed as their arcs say, without borrowing: {_some(latches)}"
        )
    return found


def without_path(netlist: Netlist, library: Library) -> str:
    """Why outputs have no path, in words."""
    cells = [library.cell(instance.cell) for instance in netlist.instances]
    constants = propagate(netlist, cells)
    drivers = _drivers(netlist, cells)
    nets = list(netlist.outputs.values())
    tied = sum(net in constants or net <= UNKNOWN for net in nets)
    loose = sum(net > UNKNOWN and net not in constants and net not in drivers for net in nets)
    return f"of {len(nets)} output bits, {tied} are constant and {loose} are driven by nothing"


def _drivers(netlist: Netlist, cells: Sequence[Cell]) -> dict[int, list[str]]:
    """Who drives each net: ports and output pins, three-state ones aside where there are several."""
    drivers: dict[int, list[str]] = {}
    for port, net in netlist.inputs.items():
        drivers.setdefault(net, []).append(f"port {port}")
    for instance, cell in zip(netlist.instances, cells, strict=True):
        for pin in cell.outputs:
            net = instance.pins.get(pin, UNKNOWN)
            if net != UNKNOWN and not (cell.pins[pin].off and net in drivers):
                drivers.setdefault(net, []).append(f"{instance.name}/{pin}")
    return drivers


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
