"""The comment above the module: what the unit is, what it promises, its pins, its stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..rtl.pipeline import Pipeline
from ..units.options import PORT_CODES, Handshake, Rounding
from ..units.ports import Port, Role
from .layout import COLUMNS, comment

if TYPE_CHECKING:
    from ..units.base import Unit


def header(unit: Unit, pipeline: Pipeline) -> list[str]:
    """The lines of the header; nothing in it depends on when, where or with what it was written."""
    rule = "// " + "-" * (COLUMNS - 3)
    lines = [rule, f"// {unit.name}", "//", *comment(unit.text), "//",
             *_field("Contract", unit.contract), *_field("Latency", _latency(unit, pipeline)),
             *_field("Rounding", _rounding(unit)),
             *_field("Options", f"overflow {_value(unit.overflow)}, tininess {unit.tininess.value} rounding, "
                                f"subnormals {unit.subnormals.value}, flags {'on' if unit.flags else 'off'}, "
                                f"handshake {unit.handshake.value}"),
             "//", *_table(unit)]
    if pipeline.stages:
        lines += ["//", f"// Stages ({pipeline.register_bits} register bits in the datapath):"]
        for stage, steps in enumerate(pipeline.steps):
            lines += _stage(stage, steps)
    return [line.rstrip() for line in [*lines, rule]]


def _value(option) -> str:
    return getattr(option, "value", str(option))


def _latency(unit: Unit, pipeline: Pipeline) -> str:
    if not pipeline.stages:
        return "0 (combinational)"
    clocks = f"{pipeline.stages} clock{'s' if pipeline.stages > 1 else ''}, one operation every clock"
    if unit.handshake is Handshake.READY:
        return clocks + ", more while out_ready is low"
    return clocks


def _rounding(unit: Unit) -> str:
    if unit.rounding is Rounding.PORT:
        codes = ", ".join(f"{code} {mode.value}" for mode, code in sorted(PORT_CODES.items(), key=lambda item: item[1]))
        return f"by the port: {codes}; others as rne"
    if unit.rounding.stochastic:
        return f"{unit.rounding.value}, {unit.random_bits} random bits"
    return unit.rounding.value


def _field(title: str, text: str) -> list[str]:
    first, *more = comment(text, " " * 11)
    return [f"// {title:<9} {first.strip()[3:]}", *(f"//           {line.strip()[3:]}" for line in more)]


def _table(unit: Unit) -> list[str]:
    rows = [(port.name, "in" if port.is_input else "out", str(port.width), _meaning(port)) for port in unit.ports]
    wide = max(len(row[0]) for row in rows)
    return [f"// {'Port':<{wide}}  Dir  Bits  Meaning",
            *(f"// {name:<{wide}}  {way:<3}  {width:>4}  {meaning}" for name, way, width, meaning in rows)]


_MEANINGS = {
    "in_valid": "operands are there",
    "in_ready": "operands are taken at the next clock edge",
    "out_valid": "a result is there",
    "out_ready": "the result is taken at the next clock edge",
    "rounding": "rounding mode",
    "random": "random bits, uniform",
    "subtract": "1: subtract b",
    "clear": "1: start a new sum with this product",
    "load": "1: start a new sum from c with this product",
}


def _meaning(port: Port) -> str:
    if port.role is Role.CLOCK:
        return "clock, rising edge"
    if port.role is Role.RESET:
        return "reset, synchronous, active high (valid bits and accumulators only)"
    if port.role is Role.FLAGS:
        return "exceptions {NV, DZ, OF, UF, NX}"
    if port.format is not None:
        what = {Role.RESULT: "result", Role.OPERAND: "operand"}.get(port.role, "value")
        return f"{what}, {port.format.name}: {port.format.spelling}" if port.format.name != port.format.spelling else (
            f"{what}, {port.format.name}")
    return _MEANINGS.get(port.name, "")


def _stage(stage: int, steps: tuple[str, ...]) -> list[str]:
    """The first and last few steps of a stage: a map, not a list."""
    if not steps:
        text = "(wires)"
    elif len(steps) <= 8:
        text = ", ".join(steps)
    else:
        text = f"{', '.join(steps[:4])}, ... {', '.join(steps[-3:])} ({len(steps)} steps)"
    first, *more = comment(text, " " * 6)
    return [f"//   {stage:>2}  {first.strip()[3:]}", *(f"//       {line.strip()[3:]}" for line in more)]
