"""The section on what a unit does not do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from fpgen.units import Handshake, Reset, Role, RoundedUnit, Rounding, Unit

from .sheet_model import Bullets, Section


def limits(unit: Unit) -> Section:
    """One sentence each."""
    return Section("Known limits", (Bullets(tuple(_sentences(unit))),))


def _sentences(unit: Unit) -> Iterator[str]:
    results = [port.format for port in unit.ports if port.role is Role.RESULT and port.format is not None]
    if any(fmt.has_nan for fmt in results):
        yield "Sign and payload of a NaN operand are lost: NaN results are one canonical code."
    if isinstance(unit, RoundedUnit) and unit.can_flag:
        if unit.flags:
            yield "`flags` belongs to one operation: there is no sticky register, and there are no traps."
        else:
            yield "Exceptions are not reported: there is no `flags` output (`flags=on` adds it)."
    elif isinstance(unit, RoundedUnit):
        yield "Exceptions are not reported."
    if isinstance(unit, RoundedUnit) and unit.subnormals.value != "full":
        yield f"Subnormal numbers are flushed to zero: `subnormals={unit.subnormals.value}`."
    if isinstance(unit, RoundedUnit) and unit.rounding.stochastic:
        yield "Random bits come from outside; results are as good as they are."
    if isinstance(unit, RoundedUnit) and unit.rounding is not Rounding.PORT:
        yield "Formats and rounding mode are fixed in the Verilog."
    else:
        yield "Formats are fixed in the Verilog."
    if unit.clocked:
        yield from _of_registers(unit)
    elif unit.handshake is not Handshake.NONE:
        yield "Without registers, valid and ready go straight through: a loop outside of them would be combinational."
    if unit.stateful:
        yield "There is one running sum, and it is seen only as a result."
    yield "There are no scan chains, clock gates or power domains in the Verilog; they are left to the tools."


def _of_registers(unit: Unit) -> Iterator[str]:
    handshake: Handshake = unit.handshake
    match handshake:
        case Handshake.NONE:
            yield "Nothing says which results are valid: count clocks from the operands."
        case Handshake.VALID:
            yield "There is no back-pressure: a result that is not taken in its clock is lost."
        case Handshake.READY | Handshake.AXIS:
            yield "`in_ready` depends on `out_ready` in the same clock, through one gate a stage."
        case unknown:
            assert_never(unknown)
    what = "valid bits and accumulators" if unit.stateful else "valid bits"
    if any(port.role is Role.RESET for port in unit.ports):
        yield f"Reset clears {what}, not the registers of the data."
    elif unit.reset is Reset.NONE and unit.handshake is not Handshake.NONE:
        yield f"There is no reset: {what} start from `initial` statements, as FPGAs load them."
    else:
        yield "There is no reset: before the first result the outputs have no defined value."
