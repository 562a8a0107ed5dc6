"""`<unit>_sva.sv`: SystemVerilog assertions that bind themselves to the unit.

Its text is `sva.sv.tmpl`; a line that begins with ``@word:`` is for units with that feature only.
"""

from __future__ import annotations

from fpgen.base.provenance import provenance
from fpgen.base.text_template import filled, lines_for, template_beside
from fpgen.formats import Format
from fpgen.formats.code_classes import NaN
from fpgen.units import Handshake, Port, Role, RoundedUnit, Unit
from fpgen.units.register_options import reset_port
from fpgen.verilog.line_breaks import INDENT, around_name, comment, wrapped
from fpgen.verilog.verilog_expression import range_of


def unit_assertions(unit: Unit) -> str:
    """The assertions of a unit."""
    reset = reset_port(unit)
    resets = "1'b0" if reset is None else f"{'!' if reset.active_low else ''}{reset.name}"
    edge = ""
    if reset is not None and reset.asynchronous:
        edge = f" or {'negedge' if reset.active_low else 'posedge'} {reset.name}"
    rules = _rules(unit)
    text = filled(
        lines_for(_features(unit, bool(rules)), template_beside(__file__, "sva.sv.tmpl")),
        title="\n".join(comment(f"Assertions on {unit.name}")),
        text="\n".join(comment(unit.text)),
        module="\n".join(around_name("module", f"{unit.name}_sva", " (")),
        bind="\n".join(_bind(unit)),
        ports=",\n".join(_pin(port) for port in unit.ports),
        latency=unit.latency,
        edge=edge,
        resets=resets,
        dropped=" || ".join([resets, *(["flush"] if unit.flush else [])]),
        runs="enable" if unit.enable else "1'b1",
        starts="in_valid" if unit.handshake is not Handshake.NONE else "!$isunknown(operands)",
        not_flushed=" && !flush" if unit.flush else "",
        again="!enable || " if unit.enable else "",
        operands="\n".join(_together("operands", [port for port in unit.ports if port.travels_in])),
        results="\n".join(_together("results", [port for port in unit.ports if port.travels_out])),
        rules="\n".join(rules),
    )
    return "\n".join([*provenance(), text])


def _features(unit: Unit, rules: bool) -> set[str]:
    """The marks of the lines that the template has for this unit."""
    valid, ready = unit.handshake is not Handshake.NONE, unit.handshake.back_pressure
    when = "clock" if unit.clocked else "comb"
    found = {when, f"{when}_valid" if valid else f"{when}_no_valid"}
    if unit.clocked:
        found |= {"valid_clock" if valid else "no_valid_clock"}
        found |= {"reset" if any(port.role is Role.RESET for port in unit.ports) else "free"} if valid else set()
        found |= {"ready_clock"} if ready else {"flight"} | ({"valid_flight"} if valid else set())
    elif ready:
        found.add("comb_ready")
    for name in ("enable", "flush"):
        if getattr(unit, name):
            found |= ({f"{name}_valid"} if valid else set()) | ({f"{name}_ready"} if ready else set())
    return found | ({"rules"} if rules else set())


def _together(name: str, ports: list[Port]) -> list[str]:
    """A wire that has the pins of all `ports`."""
    width = sum(port.width for port in ports)
    return wrapped(f"wire {range_of(width)}{name} = {{{', '.join(port.name for port in ports)}}};")


def _bind(unit: Unit) -> list[str]:
    return [
        *filter(None, around_name("bind", unit.name, "")),
        *around_name("", f"{unit.name}_sva", " assertions (.*);", INDENT),
    ]


def _pin(port: Port) -> str:
    return f"    input wire {range_of(port.width)}{port.name}"


def _rules(unit: Unit) -> list[str]:
    """What every result keeps to: one NaN code, and flags that come together."""
    valid = unit.handshake is not Handshake.NONE
    given = "out_valid" if valid else "due" if unit.clocked else ""
    lines = []

    def rule(name: str, condition: str) -> None:
        if unit.clocked:
            off = " disable iff (off)" if valid else ""
            lines.extend([f"    {name}: assert property (@(posedge clk){off}", f"        {given} |-> {condition});"])
        else:
            guarded = f"!{given} || {condition}" if given else condition
            lines.extend(["    always_comb", f"        {name}: assert ({guarded});"])

    for port in unit.ports:
        if port.role is not Role.RESULT or port.format is None or not port.format.has_nan:
            continue
        for element in range(port.count):
            code = _element(port, element)
            name = f"{port.name}_{element}" if port.count > 1 else port.name
            lines += wrapped(f"wire {name}_is_nan = {_is_nan(port.format, code)};")
            rule(f"one_nan_code_of_{name}", f"(!{name}_is_nan || {code} == {_literal(port.format)})")
    if isinstance(unit, RoundedUnit) and not unit.out.fixed and any(port.role is Role.FLAGS for port in unit.ports):
        for flag, bit in (("overflow", 2), ("underflow", 1)):
            rule(f"{flag}_is_inexact", f"(!flags[{bit}] || flags[0])")
        rule("invalid_comes_alone", "(!flags[4] || flags[3:0] == 4'b0)")
    return lines


def _element(port: Port, number: int) -> str:
    if port.count == 1:
        return port.name
    width = port.element_width
    return f"{port.name}[{width * number + width - 1}:{width * number}]"


def _literal(fmt: Format) -> str:
    return f"{fmt.bits}'h{fmt.nan_code:x}"


def _is_nan(fmt: Format, code: str) -> str:
    """Whether a code is a NaN: above the finite ones and no infinity, or where minus zero would be."""
    if fmt.nan is NaN.NEGATIVE_ZERO:
        return f"{code} == {_literal(fmt)}"
    bits = f"{fmt.bits}'h"
    magnitude = f"({code} & {bits}{((1 << fmt.bits) - 1) ^ fmt.sign_mask:x})"
    above = f"{magnitude} > {bits}{fmt.max_finite_code:x}"
    return f"{above} && {magnitude} != {bits}{fmt.infinity_code:x}" if fmt.has_infinity else above
