"""What is on the pins of a unit, clock by clock, for a given behaviour of what is around it.

The control is evaluated from the very data that the writers of the Verilog build it from (`fpgen.rtl.handshake`); what
travels with it is the number of the operation. `tests/test_sheet_timing.py` runs the Verilog with the same inputs and
compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fpgen.rtl import pipeline_for
from fpgen.rtl.handshake import control
from fpgen.units import Port, Role, Unit

#: Clocks at the beginning that are always drawn, and the fewest that are worth leaving out.
_BEGIN, _LEAST_GAP = 6, 4


@dataclass(frozen=True)
class Surroundings:
    """What the inputs do in each clock; a clock that is not listed has the value in the comment.

    Attributes
    ----------
    clocks : int
        Clocks that are looked at.
    offered : set of int
        Clocks in which there is another operation at the inputs; one that is not taken stays there. Else none.
    stalled : set of int
        `out_ready` is low; else high.
    stopped : set of int
        `enable` is low; else high.
    flushed : set of int
        `flush` is high; else low.
    reset : set of int
        The reset is active; else it is not.
    """

    clocks: int
    offered: frozenset[int]
    stalled: frozenset[int] = frozenset()
    stopped: frozenset[int] = frozenset()
    flushed: frozenset[int] = frozenset()
    reset: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Lane:
    """A pin in every clock: its level, or the number of the operation that it carries (None: of no operation)."""

    port: Port
    values: tuple[int | None, ...]

    @property
    def carries(self) -> bool:
        """Whether it carries operations, not a level."""
        return self.port.travels_in or self.port.travels_out


@dataclass
class _Pins:
    """The levels of one clock, and the operations that go in and come out."""

    levels: dict[str, bool]
    entering: int | None
    leaving: int | None


@dataclass
class _Stages:
    """Valid bit and operation of every rank, the inputs at index 0."""

    valid: list[bool]
    operation: list[int | None]


def waves(unit: Unit, around: Surroundings) -> tuple[Lane, ...]:
    """Every pin but the clock, in the order of the module, from a state without operations on.

    Operations are numbered from 1, in the order in which they are offered.
    """
    pins = _clocks(unit, around)
    lanes = []
    for port in unit.ports:
        if port.role is Role.CLOCK:
            continue
        if port.travels_in:
            values: list[int | None] = [clock.entering for clock in pins]
        elif port.travels_out:
            values = [clock.leaving for clock in pins]
        else:
            values = [int(clock.levels[port.name]) for clock in pins]
        lanes.append(Lane(port, tuple(values)))
    return tuple(lanes)


def _clocks(unit: Unit, around: Surroundings) -> list[_Pins]:
    rules = control(unit, pipeline_for(unit))
    handed = bool(rules.valid)
    now = _Stages([False] * (unit.latency + 1), [None] * (unit.latency + 1))
    found: list[_Pins] = []
    number, waiting = 0, False
    for clock in range(around.clocks):
        if not waiting and clock in around.offered:
            number, waiting = number + 1, True
        active = clock in around.reset
        levels = {
            "in_valid": waiting,
            "out_ready": clock not in around.stalled,
            "enable": clock not in around.stopped,
            "flush": clock in around.flushed,
        }
        if rules.reset is not None:
            levels[rules.reset.name] = active is not rules.reset.active_low
            if active and rules.reset.asynchronous:
                now.valid[1:] = [False] * unit.latency
        now.valid[0], now.operation[0] = waiting, number if waiting else None
        levels |= dict(zip(rules.valid[1:], now.valid[1:], strict=False))  # no names without a handshake
        for name, terms in rules.wires:
            levels[name] = any(_level(term, levels) for term in terms)
        levels |= {name: all(_level(term, levels) for term in terms) for name, terms in rules.pins.items()}
        there = levels["out_valid"] if handed else True
        found.append(_Pins(levels, now.operation[0], now.operation[-1] if there else None))
        if levels.get("in_ready", levels["enable"]):
            waiting = False
        for rank in range(unit.latency, 0, -1):
            moves = all(levels[name] for name in rules.load(rank))
            if moves:
                now.operation[rank] = now.operation[rank - 1]
            if (active and rules.reset is not None) or (rules.flush and levels["flush"]):
                now.valid[rank] = False
            elif moves:
                now.valid[rank] = now.valid[rank - 1]
    return found


def _level(term: str, levels: dict[str, bool]) -> bool:
    return not levels[term[1:]] if term.startswith("~") else levels[term]


def shown_clocks(unit: Unit, clocks: Sequence[int]) -> list[int | None]:
    """The clocks that a drawing has room for; None stands for those of a long pipeline that are left out."""
    first, last = _BEGIN, unit.latency - 1
    if last - first < _LEAST_GAP:
        return list(clocks)
    return [*clocks[:first], None, *clocks[last:]]
