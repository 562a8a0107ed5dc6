"""What constants do to timing: they reach through gates, and arcs that can no longer switch fall away."""

from collections.abc import Mapping, Sequence

from fpgen.ppa.cells import Arc, Cell
from fpgen.ppa.function import compile_function
from fpgen.ppa.netlist import ONE, ZERO, Netlist

_MOST_PINS = 10


def propagate(netlist: Netlist, cells: Sequence[Cell]) -> dict[int, int]:
    """Nets that always carry 0 or 1, through combinational cells; empty where no cell has a constant input."""
    constants = {ZERO: 0, ONE: 1}
    readers: dict[int, list[int]] = {}
    touched = False
    tie = any(not cell.inputs for cell in cells)
    for number, instance in enumerate(netlist.instances):
        for net in instance.pins.values():
            touched |= net <= ONE
            readers.setdefault(net, []).append(number)
    if not touched and not tie:
        return {}
    waiting = [number for net in constants for number in readers.get(net, ())]
    waiting += [number for number, cell in enumerate(cells) if not cell.inputs]
    while waiting:
        number = waiting.pop()
        cell, pins = cells[number], netlist.instances[number].pins
        if cell.flipflop is not None or cell.latch:
            continue
        fixed = {pin: constants[net] for pin, net in pins.items() if net in constants}
        for output in cell.outputs:
            net = pins.get(output, ONE)
            if net in constants:
                continue
            rises, falls = _reachable(cell, output, fixed)
            if rises != falls:
                constants[net] = 1 if rises else 0
                waiting += readers.get(net, [])
    return constants


def arc_edges(arc: Arc, cell: Cell, edge: int, fixed: Mapping[str, int]) -> list[int]:
    """Edges (0 rising, 1 falling) of the arc's input that can cause `edge` at its output.

    With constants at other pins the cell's function decides as well: an arc that cannot switch the output has
    none, and an arc under a condition (`when`) that the constants contradict has none.
    """
    allowed = {"positive_unate": [edge], "negative_unate": [1 - edge]}.get(arc.sense, [0, 1])
    function = cell.pins[arc.pin].function
    if not fixed or not function:
        return allowed
    names = _pins(function, arc.when)
    if names is None or arc.related not in names:
        return allowed
    free = [name for name in names if name not in fixed and name != arc.related]
    rising, _ = _values(function, [*free, arc.related], fixed)
    condition = _values(arc.when, [*free, arc.related], fixed)[0] if arc.when else -1
    size = 1 << len(free)
    ones = (1 << size) - 1
    if arc.when and not condition & ((1 << 2 * size) - 1):
        return []
    low, high = rising & ones, rising >> size & ones
    found = []
    for before in allowed:
        same = bool(~low & high & ones)
        opposite = bool(low & ~high & ones)
        if same if before == edge else opposite:
            found.append(before)
    return found


def _reachable(cell: Cell, output: str, fixed: Mapping[str, int]) -> tuple[bool, bool]:
    """Whether the output can be 1, and whether it can be 0."""
    function = cell.pins[output].function
    names = _pins(function, "") if function else None
    if names is None:
        return True, True
    free = [name for name in names if name not in fixed]
    table, ones = _values(function, free, fixed)
    return table != 0, table != ones


def _pins(function: str, when: str) -> list[str] | None:
    try:
        names = list(dict.fromkeys([*compile_function(function)[1], *(compile_function(when)[1] if when else ())]))
    except ValueError:
        return None
    return names if len(names) <= _MOST_PINS else None


def _values(text: str, free: Sequence[str], fixed: Mapping[str, int]) -> tuple[int, int]:
    """Truth table over `free` with the other pins fixed, and the all-ones table."""
    size = 1 << len(free)
    ones = (1 << size) - 1
    values = {"1": ones, **{pin: ones * bit for pin, bit in fixed.items()}}
    for k, name in enumerate(free):
        values[name] = sum(1 << i for i in range(size) if i >> k & 1)
    return compile_function(text)[0](values) & ones, ones
