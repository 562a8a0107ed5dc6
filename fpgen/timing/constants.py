"""What constants do to timing: they reach through gates, and arcs that can no longer switch fall away.

As in OpenSTA, constants do not reach through flip-flops and latches: data that are tied do not make the output a
constant. Functions of few unknown pins are worked out exactly, larger ones with three values (0, 1, unknown).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from fpgen.library.cells import Arc, Cell
from fpgen.library.function import Evaluate, compile_function

from .netlist import ONE, UNKNOWN, ZERO, Netlist

# Unknown pins of a function up to which its truth table is looked at.
_MOST_PINS = 10


class _Rails:
    """A value of which each bit may be able to be 0, and to be 1: what is both is unknown."""

    __slots__ = ("one", "zero")

    def __init__(self, zero: bool, one: bool) -> None:
        self.zero, self.one = zero, one

    def __invert__(self) -> "_Rails":
        return _Rails(self.one, self.zero)

    def __and__(self, other: "_Rails") -> "_Rails":
        return _Rails(self.zero or other.zero, self.one and other.one)

    def __or__(self, other: "_Rails") -> "_Rails":
        return _Rails(self.zero and other.zero, self.one or other.one)

    def __xor__(self, other: "_Rails") -> "_Rails":
        return _Rails(
            (self.zero and other.zero) or (self.one and other.one),
            (self.zero and other.one) or (self.one and other.zero),
        )


_KNOWN = (_Rails(True, False), _Rails(False, True))
_UNKNOWN = _Rails(True, True)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> tuple[Evaluate, tuple[str, ...]] | None:
    """The function and the pins it names; None for text that is not a function."""
    try:
        return compile_function(text)
    except ValueError:
        return None


def values(text: str, fixed: Mapping[str, int]) -> tuple[bool, bool]:
    """Whether a function can be 0, and whether it can be 1, with some of its pins fixed.

    Parameters
    ----------
    text : str
        As Liberty writes it; of one that cannot be read everything is possible.
    fixed : mapping of str to int
        Pin -> 0 or 1; all others are free.
    """
    compiled = _compiled(text)
    if compiled is None:
        return True, True
    function, names = compiled
    free = [name for name in names if name not in fixed]
    if len(free) > _MOST_PINS:
        known: dict[str, Any] = {name: _KNOWN[fixed[name]] if name in fixed else _UNKNOWN for name in names}
        found = function({"1": _KNOWN[1], **known})
        return found.zero, found.one
    table, ones = _table(function, free, fixed)
    return table != ones, table != 0


def propagate(netlist: Netlist, cells: Sequence[Cell]) -> dict[int, int]:
    """Nets that always carry 0 or 1, through combinational cells; empty where no cell has a constant input.

    A net of several drivers is a constant only where it is tied to one: what the drivers make of it is not known.
    """
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
    shared = _shared(netlist, cells)
    waiting = [number for net in constants for number in readers.get(net, ())]
    waiting += [number for number, cell in enumerate(cells) if not cell.inputs]
    while waiting:
        number = waiting.pop()
        cell, pins = cells[number], netlist.instances[number].pins
        fixed = {pin: constants[net] for pin, net in pins.items() if net in constants}
        for output in cell.outputs:
            net = pins.get(output, UNKNOWN)
            pin = cell.pins[output]
            if net <= UNKNOWN or net in constants or net in shared or not pin.function:
                continue
            if pin.off and values(pin.off, fixed)[1]:
                continue
            low, high = values(pin.function, fixed)
            if low != high:
                constants[net] = 1 if high else 0
                waiting += readers.get(net, [])
    return constants


def _shared(netlist: Netlist, cells: Sequence[Cell]) -> set[int]:
    """Nets with more than one driver."""
    driven = set(netlist.inputs.values())
    shared: set[int] = set()
    for instance, cell in zip(netlist.instances, cells, strict=True):
        for output in cell.outputs:
            net = instance.pins.get(output)
            if net is not None:
                (shared if net in driven else driven).add(net)
    return shared


def applies(when: str, among: Iterable[str], fixed: Mapping[str, int]) -> bool:
    """Whether timing under the condition `when` is possible with some pins fixed.

    Timing without a condition is the default of its kind: it does not apply where a condition of `among`, those of the
    others between the same pins, holds for certain.
    """
    if not fixed:
        return True
    if when:
        return values(when, fixed)[1]
    return all(values(other, fixed)[0] for other in among if other)


def arc_edges(arc: Arc, cell: Cell, edge: int, fixed: Mapping[str, int]) -> list[int]:
    """Edges (0 rising, 1 falling) of the arc's input that can cause `edge` at its output.

    With constants at other pins the cell's function decides as well: an arc that cannot switch the output has none.
    """
    allowed = {"positive_unate": [edge], "negative_unate": [1 - edge]}.get(arc.sense, [0, 1])
    text = cell.pins[arc.pin].function
    compiled = _compiled(text) if fixed and text else None
    if compiled is None or arc.related not in compiled[1]:
        return allowed
    function, names = compiled
    free = [name for name in names if name not in fixed and name != arc.related]
    if len(free) > _MOST_PINS:
        low, high = (values(text, {**fixed, arc.related: level}) for level in (0, 1))
        follows, inverts = low[0] and high[1], low[1] and high[0]
    else:
        size = 1 << len(free)
        table, _ = _table(function, [*free, arc.related], fixed)
        off, on = table & ((1 << size) - 1), table >> size
        follows, inverts = bool(~off & on), bool(off & ~on)
    return [before for before in allowed if (follows if before == edge else inverts)]


def _table(function: Evaluate, free: Sequence[str], fixed: Mapping[str, int]) -> tuple[int, int]:
    """Truth table over `free` with the other pins fixed, and the all-ones table."""
    size = 1 << len(free)
    ones = (1 << size) - 1
    given = {"1": ones, **{pin: ones * bit for pin, bit in fixed.items()}}
    for k, name in enumerate(free):
        given[name] = sum(1 << i for i in range(size) if i >> k & 1)
    return int(function(given)) & ones, ones
