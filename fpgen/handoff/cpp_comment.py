"""The comments above the C++ files of a unit."""

from __future__ import annotations

from fpgen.base.provenance import provenance
from fpgen.units import Handshake, RoundedUnit, Unit, card_of
from fpgen.verilog.header import field, result_options, rounding_text
from fpgen.verilog.line_breaks import COLUMNS, comment

RULE = "// " + "-" * (COLUMNS - 3)


def model_comment(unit: Unit) -> list[str]:
    """Above the model: what it computes, how it is called, where it comes from, what it leaves out."""
    fields = [("Contract", unit.contract), *card_of(unit).formula(unit)]
    if isinstance(unit, RoundedUnit):
        fields += [("Rounding", rounding_text(unit)), ("Options", result_options(unit).removesuffix(", "))]
    called = (
        "step() is one operation that the hardware accepts; call it in their order. state begins as after rst; reset() "
        "is rst."
        if unit.stateful
        else "compute() is a function of its operands, and may be called from several threads."
    )
    return wrapper_comment(
        unit,
        "a bit-exact model in C++17, a header without dependencies",
        [line for title, text in fields for line in field(title, text)],
        f"Model: {called} Codes are unsigned integers; bits above the width of a code count for nothing. Arrays are in "
        "the order of the pins, the first code in the lowest bits there.",
        "It is derived from the graph that the hardware is written from, and is checked against the golden model of "
        "fpgen bit for bit. A step that has a name of its own has the same name in the Verilog.",
        f"Not in the model: {_left_out(unit)}",
    )


def wrapper_comment(unit: Unit, what: str, fields: list[str], *paragraphs: str) -> list[str]:
    """The licence, the unit, what the file is, and paragraphs."""
    lines = [*provenance(), RULE, *comment(f"{unit.name}: {what}"), "//", *comment(unit.text)]
    lines += ["//", *fields] if fields else []
    for paragraph in paragraphs:
        lines += ["//", *comment(paragraph)]
    return [*lines, RULE]


def _left_out(unit: Unit) -> str:
    if not unit.clocked and unit.handshake is Handshake.NONE:
        return "nothing but time; the hardware is combinational."
    clocks = f"{unit.latency} clock{'' if unit.latency == 1 else 's'}"
    text = f"the latency of {clocks} from operands to result" if unit.clocked else "the handshake"
    if unit.handshake is Handshake.VALID:
        return f"{text}; in_valid appears as out_valid together with its result, which must be taken in that clock."
    if unit.handshake.back_pressure:
        return (
            f"{text}, more while out_ready is low. A transfer happens at a clock edge where valid and ready are both "
            "high; nothing is lost or repeated, and the order stays."
        )
    return f"{text}; a new operation every clock."
