"""What integrators choose about a unit's registers: reset, clock enable, flush, tag, registers at the boundary.

None of it changes a result. `Unit` has the fields; this file has their meaning, the pins they add and their checks.

Clock enable
    While `enable` is low the unit stands still as if its clock had stopped: no register changes, nothing is accepted
    (``in_ready`` is low) and nothing is delivered (``out_valid`` is low).
Flush
    At a clock edge with `flush` high every operation inside is dropped, and so is one that is offered at that edge
    (``in_ready`` is low). A result that leaves at the same edge has left. The sum of an accumulator stays. Flush and
    reset work whatever `enable` is.
Tag
    Bits that travel with an operation and come out beside its result.
Reset
    ``sync`` and ``async`` clear valid bits and accumulators, not the data path; ``none`` leaves their start values to
    ``initial`` statements, which FPGAs load; elsewhere a first `flush` clears the valid bits.
BoundaryRegisters registers
    `stages` counts them. ``in``: operands go into registers at once; ``out``: results come straight from registers.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from fpgen.base.errors import UsageError

from .options import Handshake, as_enum
from .ports import Port, Role

if TYPE_CHECKING:
    from .base import Unit

#: Sentences for the datasheet.
MEANINGS = {
    "enable": "While `enable` is low the unit stands still, as if its clock had stopped.",
    "flush": "`flush` drops all operations inside, and the one offered in that clock.",
    "tag": "`tag` travels with each operation and comes out as `out_tag`.",
}

#: Bits of a tag: it travels in arrays of 64-bit integers when it is simulated.
LONGEST_TAG = 64


class Reset(enum.Enum):
    """How valid bits and accumulators get their start values."""

    SYNC = "sync"
    ASYNC = "async"
    NONE = "none"


class ResetActive(enum.Enum):
    """The level at which the reset pin resets; it is called `rst` or `rst_n`."""

    HIGH = "high"
    LOW = "low"


class BoundaryRegisters(enum.Enum):
    """Where a unit has registers with nothing before or after them."""

    NONE = "none"
    IN = "in"
    OUT = "out"
    BOTH = "both"

    @property
    def at_inputs(self) -> bool:
        return self in (BoundaryRegisters.IN, BoundaryRegisters.BOTH)

    @property
    def at_outputs(self) -> bool:
        return self in (BoundaryRegisters.OUT, BoundaryRegisters.BOTH)

    @property
    def ranks(self) -> int:
        """Registers on the way from operands to result that the boundary takes."""
        return int(self.at_inputs) + int(self.at_outputs)


def check_register_options(unit: Unit) -> None:
    """Check the options themselves; whether the unit has registers is checked by `check_clocked`.

    Raises
    ------
    UsageError
    """
    unit._set("reset", as_enum("reset", unit.reset, Reset))
    unit._set("reset_active", as_enum("reset_active", unit.reset_active, ResetActive))
    unit._set("registers", as_enum("registers", unit.registers, BoundaryRegisters))
    for name in ("enable", "flush"):
        if not isinstance(getattr(unit, name), bool):
            raise UsageError(f"{name}: got {getattr(unit, name)!r}; expected on or off")
    if not (type(unit.tag) is int and 0 <= unit.tag <= LONGEST_TAG):
        raise UsageError(f"tag: got {unit.tag!r}; expected the bits of a tag, 0 to {LONGEST_TAG}")


def check_clocked(unit: Unit) -> None:
    """Check that what the options are about is there.

    Raises
    ------
    UsageError
    """
    valid = unit.handshake is not Handshake.NONE
    if unit.flush and not valid:
        raise UsageError("flush: got on with handshake=none; expected handshake=valid or ready, whose bits it clears")
    if (unit.reset is not Reset.SYNC or unit.reset_active is not ResetActive.HIGH) and not unit._has_reset:
        given = f"reset={unit.reset.value} reset_active={unit.reset_active.value}"
        raise UsageError(f"reset: got {given} with handshake=none; expected none given, since nothing is reset")
    if unit.reset is Reset.NONE and unit.reset_active is not ResetActive.HIGH:
        raise UsageError("reset_active: got low with reset=none; expected none given, since there is no reset pin")
    if unit.handshake is Handshake.AXIS and (not unit.clocked or unit.reset is Reset.NONE):
        given = "a unit without registers" if not unit.clocked else "reset=none"
        raise UsageError(f"handshake=axis: got {given}; expected stages of 1 or more and a reset, for aclk and aresetn")
    if not unit.clocked:
        for name in ("enable", "flush"):
            if getattr(unit, name):
                raise UsageError(f"{name}: got on for a unit without registers; expected stages of 1 or more")
        if unit.reset is not Reset.SYNC or unit.reset_active is not ResetActive.HIGH:
            raise UsageError("reset: got a style for a unit without registers; expected stages of 1 or more")


def reset_pin(unit: Unit) -> str | None:
    """Name of the reset pin; None where there is none."""
    if not (unit.clocked and unit._has_reset) or unit.reset is Reset.NONE:
        return None
    return "rst" if unit.reset_active is ResetActive.HIGH else "rst_n"


def reset_port(unit: Unit) -> Port | None:
    """The reset among the unit's ports; None where there is none."""
    return next((port for port in unit.ports if port.role is Role.RESET), None)


def pins_of_registers(unit: Unit) -> list[Port]:
    """Clock, reset, enable and flush, as far as the unit has them."""
    if not unit.clocked:
        return []
    pins = [Port("clk", 1, True, Role.CLOCK)]
    name = reset_pin(unit)
    if name:
        pins.append(Port(name, 1, True, Role.RESET, asynchronous=unit.reset is Reset.ASYNC))
    if unit.enable:
        pins.append(Port("enable", 1, True, Role.ENABLE))
    if unit.flush:
        pins.append(Port("flush", 1, True, Role.FLUSH))
    return pins
