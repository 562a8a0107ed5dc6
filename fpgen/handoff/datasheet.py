"""The datasheet of a unit: what it computes, its pins, its timing, what was checked, what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fpgen.rtl import pipeline_for
from fpgen.synthesis.point import assumptions_text
from fpgen.units import Handshake, Role, RoundedUnit, Rounding, Unit, card_of
from fpgen.units.options import PORT_CODES
from fpgen.units.register_options import MEANINGS as REGISTER_OPTIONS
from fpgen.verilog.header import built_of, stage_text

from .cpp_files import has_systemc, why_no_model


def datasheet(
    unit: Unit, *, note: str = "", evidence: Mapping[str, Any] | None = None, points: Iterable[Mapping[str, Any]] = ()
) -> str:
    """The datasheet as Markdown.

    Parameters
    ----------
    unit : Unit
    note : str
        One line of the user's own.
    evidence : mapping, optional
        `evidence.json`: what was checked. Without it the datasheet says that nothing was.
    points : iterable of mapping
        The points of `ppa.json`.
    """
    sections = [_head(unit, note), _ports(unit), _timing(unit), _numbers(unit), _models(unit)]
    sections += [_checked(evidence), _cost(list(points))]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(unit: Unit, note: str) -> str:
    lines = [f"# {unit.name}", "", f"    {unit.text}", ""]
    if note:
        lines += [note, ""]
    lines.append(f"**Contract:** {unit.contract}.")
    for title, text in card_of(unit).formula(unit):
        lines += ["", f"**{title}:** `{text}`."]
    for title, text in built_of(unit):
        lines += ["", f"**{title}:** {text}."]
    return "\n".join(lines)


def _table(heads: list[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def _ports(unit: Unit) -> str:
    rows = [(f"`{port.name}`", "in" if port.is_input else "out", port.width, port.meaning) for port in unit.ports]
    text = "## Ports\n\n" + _table(["port", "", "bits", "meaning"], rows)
    if isinstance(unit, RoundedUnit) and unit.rounding is Rounding.PORT:
        codes = ", ".join(f"{code} {mode.value.upper()}" for mode, code in PORT_CODES.items())
        text += f"\n\nCodes of `rounding`: {codes}; 5 and 7 act as RNE."
    return text


def _timing(unit: Unit) -> str:
    if not unit.clocked:
        return "## Timing\n\nCombinational: no clock, latency 0."
    text = f"## Timing\n\nLatency {unit.latency} clock{'s' if unit.latency > 1 else ''}; a new operation every clock."
    if unit.handshake is Handshake.VALID:
        text += " `in_valid` appears as `out_valid` together with its result, which must be taken in that clock."
    elif unit.handshake is Handshake.READY:
        text += (
            " A transfer happens at a clock edge where valid and ready are both high; when `out_ready` is low the"
            " unit holds, and nothing is lost or repeated."
        )
    for name in ("enable", "flush", "tag"):
        if getattr(unit, name):
            text += f" {REGISTER_OPTIONS[name]}"
    pipeline = pipeline_for(unit)
    stages = _table(["stage", "steps"], ((number, stage_text(steps)) for number, steps in enumerate(pipeline.steps)))
    return f"{text}\n\n{stages}\n\n{pipeline.register_bits} register bits in the datapath."


def _numbers(unit: Unit) -> str:
    rows = [
        (
            f"`{port.name}`",
            port.format,
            port.format.spelling,
            _decimal(port.format.max_finite),
            _decimal(port.format.min_positive),
        )
        for port in unit.ports
        if port.format is not None and port.role is not Role.CONTROL
    ]
    text = "## Numbers\n\n" + _table(["port", "format", "parameters", "largest", "smallest positive"], rows)
    if not isinstance(unit, RoundedUnit):
        return text
    options = [
        ("rounding", unit.rounding.value),
        ("overflow", unit.semantics.overflow.value),
        ("subnormals", unit.subnormals.value),
        ("tininess", unit.tininess.value),
    ]
    return f"{text}\n\n" + ", ".join(f"{name} `{value}`" for name, value in options) + f". {unit.nan_text}"


def _models(unit: Unit) -> str:
    absent = why_no_model(unit)
    if absent:
        return f"## C++ model\n\n{absent}"
    call = "`step`, with a `state`" if unit.stateful else "`compute`"
    return (
        f"## C++ model\n\n`{unit.name}_model.h`, C++17 without dependencies, bit-exact: {call}. For SystemVerilog"
        f" through the DPI: `{unit.name}_dpi.cpp`."
        + (f" An example for SystemC: `{unit.name}_systemc.cpp`." if has_systemc(unit) else "")
    )


def _decimal(value: Any) -> str:
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return f"2^{value.numerator.bit_length() - value.denominator.bit_length()}"


def _checked(evidence: Mapping[str, Any] | None) -> str:
    if evidence is None:
        return "## Verification\n\nNot verified in this directory. Run `fpgen verify`."
    method, _, over = evidence["method"].partition(" over ")
    how = "every code of every input" if method == "exhaustive" else f"{method}, seed {evidence.get('seed', '-')}"
    if over:
        how = f"every code of {over}"
    outcome = "all agree with the golden model" if evidence["passed"] else f"FAILED: {evidence.get('reason', '')}"
    text = f"## Verification\n\n{evidence['vectors']:,} vectors ({how}): {outcome}."
    tests = evidence.get("protocol", ())
    if tests:
        failed = sum(bool(test["failure"]) for test in tests)
        text += (
            f" {len(tests)} cocotb tests of reset, latency and handshake: "
            f"{f'{failed} FAILED' if failed else 'all pass'}."
        )
    families = evidence.get("families", {})
    if len(families) > 1:
        rows = ((name, f"{count:,}") for name, count in families.items())
        text += "\n\n" + _table(["stimulus", "vectors"], rows)
    return f"{text}\n\nSimulator: {evidence.get('simulator', '-')}. Details in `evidence.json`."


def _cost(points: list[Mapping[str, Any]]) -> str:
    good = [point for point in points if not point.get("failure")]
    if not good:
        return ""
    rows = [
        (
            point["recipe"],
            f"{point['area_um2']:.0f}",
            f"{point['nand2_eq']:.0f}",
            f"{point['delay_ps']:.0f}",
            point["cells"],
            point["registers"],
            point["logic_depth"],
        )
        for point in good
    ]
    heads = ["recipe", "area um2", "NAND2 eq.", "delay ps", "cells", "registers", "depth"]
    return (
        "## Cost\n\n" + _table(heads, rows) + f"\n\n{good[0]['technology']}: "
        f"{assumptions_text(good[0].get('assumptions', {}))}. "
        "Estimates of an open flow, for comparing units with each other."
    )
