"""The comment above the module: what the unit is, what it promises, its pins, its stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpgen.rtl.pipeline import Pipeline
from fpgen.units.architecture import DEFAULT
from fpgen.units.operations import card_of
from fpgen.units.options import PORT_CODES, Rounding
from fpgen.units.rounded import RoundedUnit

from .line_breaks import COLUMNS, comment

if TYPE_CHECKING:
    from fpgen.units.base import Unit


def header(unit: Unit, pipeline: Pipeline) -> list[str]:
    """The lines of the header; nothing in it depends on when, where or with which fpgen it was written."""
    rule = "// " + "-" * (COLUMNS - 3)
    lines = [
        rule,
        f"// {unit.name}",
        "//",
        *comment(unit.text),
        "//",
        *field("Contract", unit.contract),
        *(line for title, text in card_of(unit).formula(unit) for line in field(title, text)),
        *field("Latency", _latency(unit, pipeline)),
        *(field("Rounding", rounding_text(unit)) if isinstance(unit, RoundedUnit) else []),
        *field("Options", f"{result_options(unit)}handshake {unit.handshake.value}"),
        *(line for title, text in built_of(unit) for line in field(title, text)),
        "//",
        *_table(unit),
    ]
    if pipeline.stages:
        lines += ["//", f"// Stages ({pipeline.register_bits} register bits in the datapath):"]
        for stage, steps in enumerate(pipeline.steps):
            lines += _stage(stage, steps)
    return [line.rstrip() for line in [*lines, rule]]


def built_of(unit: Unit) -> list[tuple[str, str]]:
    """The architecture, where it is not the default, as (title, text)."""
    if unit.architecture == DEFAULT:
        return []
    return [("Built of", str(unit.architecture) if unit.multiplies else f"adder {unit.adder.value}")]


def _latency(unit: Unit, pipeline: Pipeline) -> str:
    if not pipeline.stages:
        return "0 (combinational)"
    clocks = f"{pipeline.stages} clock{'s' if pipeline.stages > 1 else ''}, one operation every clock"
    if unit.handshake.back_pressure:
        return clocks + ", more while out_ready is low"
    return clocks


def result_options(unit: Unit) -> str:
    """The options that a result depends on, each with a comma behind it; empty where there are none."""
    if not isinstance(unit, RoundedUnit):
        return ""
    return (
        f"overflow {unit.semantics.overflow.value}, tininess {unit.tininess.value} rounding, "
        f"subnormals {unit.subnormals.value}, flags {'on' if unit.flags else 'off'}, "
    )


def rounding_text(unit: RoundedUnit) -> str:
    """The rounding mode, with what else there is to know about it."""
    if unit.rounding is Rounding.PORT:
        codes = ", ".join(f"{code} {mode.value}" for mode, code in sorted(PORT_CODES.items(), key=lambda item: item[1]))
        return f"by the port: {codes}; others as rne"
    if unit.rounding.stochastic:
        return f"{unit.rounding.value}, {unit.random_bits} random bits"
    return str(unit.rounding.value)


def field(title: str, text: str) -> list[str]:
    """A titled text as comment lines, which are those of C++ as well."""
    first, *more = comment(text, " " * 11)
    return [f"// {title:<9} {first.strip()[3:]}", *(f"//           {line.strip()[3:]}" for line in more)]


def _table(unit: Unit) -> list[str]:
    rows = [(port.name, "in" if port.is_input else "out", str(port.width), port.meaning) for port in unit.ports]
    wide = max(len(row[0]) for row in rows)
    return [
        f"// {'Port':<{wide}}  Dir  Bits  Meaning",
        *(f"// {name:<{wide}}  {way:<3}  {width:>4}  {meaning}" for name, way, width, meaning in rows),
    ]


def stage_text(steps: tuple[str, ...]) -> str:
    """The first and last few steps of a stage: a map, not a list."""
    if not steps:
        return "(wires)"
    if len(steps) <= 8:
        return ", ".join(steps)
    return f"{', '.join(steps[:4])}, ... {', '.join(steps[-3:])} ({len(steps)} steps)"


def _stage(stage: int, steps: tuple[str, ...]) -> list[str]:
    first, *more = comment(stage_text(steps), " " * 6)
    return [f"//   {stage:>2}  {first.strip()[3:]}", *(f"//       {line.strip()[3:]}" for line in more)]
