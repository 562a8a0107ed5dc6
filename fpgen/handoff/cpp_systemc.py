"""An example of a SystemC module around the C++ model of a unit: its pins, its latency, its handshake."""

from __future__ import annotations

from pathlib import Path

from fpgen.base.text_template import filled
from fpgen.units import Handshake, Port, Role, Unit
from fpgen.verilog.line_breaks import wrapped

from .cpp_comment import wrapper_comment
from .cpp_names import namespace
from .cpp_ports import INDENT, code_type, codes_of, input_ports, output_ports

#: Text of the members that every clocked module has, for each handshake.
_MOVES_ALWAYS = """\
for (unsigned k = latency; k-- > 0;) held[k] = k != 0 ? held[k - 1] : operation();"""
_MOVES_WHEN_READY = """\
bool free = out_ready.read();
for (unsigned k = latency; k-- > 0;) {
    free = free || !held[k].valid;
    if (free) held[k] = k != 0 ? held[k - 1] : operation();
}"""
_DRIVE_READY = """\
void drive_ready() {
    bool free = out_ready.read();
    for (const slot& stage : held) free = free || !stage.valid;
    in_ready.write(free);
}"""


def cpp_systemc(unit: Unit) -> str:
    """The text of ``<unit>_systemc.cpp``."""
    return filled(
        Path(__file__).with_name("cpp_systemc.cpp.tmpl").read_text(encoding="ascii"),
        comment="\n".join(
            wrapper_comment(
                unit,
                "an example of a SystemC module around its model",
                [],
                "Pins, latency and handshake are those of the Verilog, clock by clock; the arithmetic is the model's. "
                "Include this file, or make it a header of yours.",
            )
        ),
        unit=unit.name,
        namespace=namespace(unit),
        module=f"{namespace(unit)}_module",
        pins="\n".join(INDENT + _pin(port) for port in unit.ports),
        constructor="\n".join(INDENT * 2 + line for line in _constructor(unit)),
        members="\n".join((INDENT + line).rstrip() for line in _members(unit)),
    )


def _pin(port: Port) -> str:
    way = "sc_in" if port.is_input else "sc_out"
    return f'sc_core::{way}<{_signal(port)}> {port.name}{{"{port.name}"}};'


def _signal(port: Port) -> str:
    if port.role in (Role.CLOCK, Role.RESET, Role.HANDSHAKE):
        return "bool"
    return f"sc_dt::sc_{'' if port.width <= 64 else 'big'}uint<{port.width}>"


def _constructor(unit: Unit) -> list[str]:
    if not unit.clocked:
        sensitive = " << ".join(port.name for port in unit.ports if port.is_input)
        return ["SC_METHOD(work);", *wrapped(f"sensitive << {sensitive};", "", INDENT)]
    lines = ["SC_METHOD(clock_edge);", "sensitive << clk.pos();", "dont_initialize();"]
    if unit.handshake.back_pressure:
        lines += ["SC_METHOD(drive_ready);", "sensitive << out_ready << moved;"]
    return lines


def _members(unit: Unit) -> list[str]:
    handed = unit.handshake is not Handshake.NONE
    if not unit.clocked:
        lines = ["void work() {", f"{INDENT}deliver(model::compute(operands()));"]
        lines += [f"{INDENT}out_valid.write(in_valid.read());"] if handed else []
        lines += [f"{INDENT}in_ready.write(out_ready.read());"] if unit.handshake.back_pressure else []
        return [*lines, "}", "", *_operands(unit), "", *_deliver(unit)]
    lines = [
        f"static constexpr unsigned latency = {unit.latency};",
        "struct slot {",
        *([f"{INDENT}bool valid = false;"] if handed else []),
        f"{INDENT}model::outputs out;",
        "};",
        "std::array<slot, latency> held{};",
    ]
    lines += ["model::state now{};"] if unit.stateful else []
    lines += ["sc_core::sc_event moved;"] if unit.handshake.back_pressure else []
    return [
        *lines,
        "",
        *_operation(unit),
        "",
        *_clock_edge(unit),
        *(["", *_DRIVE_READY.splitlines()] if unit.handshake.back_pressure else []),
        "",
        *_operands(unit),
        "",
        *_deliver(unit),
    ]


def _operation(unit: Unit) -> list[str]:
    """What enters the pipeline."""
    if unit.handshake is Handshake.NONE:
        return ["slot operation() { return slot{model::compute(operands())}; }"]
    call = "model::step(now, operands())" if unit.stateful else "model::compute(operands())"
    return [f"slot operation() {{ return in_valid.read() ? slot{{true, {call}}} : slot{{}}; }}"]


def _clock_edge(unit: Unit) -> list[str]:
    ready = unit.handshake.back_pressure
    moves = (_MOVES_WHEN_READY if ready else _MOVES_ALWAYS).splitlines()
    if any(port.role is Role.RESET for port in unit.ports):
        resets = ["for (slot& stage : held) stage.valid = false;", *(["now.reset();"] if unit.stateful else [])]
        moves = ["if (rst.read()) {", *(INDENT + line for line in resets), "} else {",
                 *(INDENT + line for line in moves), "}"]  # fmt: skip
    moves += ["deliver(held.back().out);"]
    if unit.handshake is not Handshake.NONE:
        moves += ["out_valid.write(held.back().valid);"]
    moves += ["moved.notify(sc_core::SC_ZERO_TIME);"] if ready else []
    return ["void clock_edge() {", *(INDENT + line for line in moves), "}"]


def _operands(unit: Unit) -> list[str]:
    lines = ["model::inputs operands() const {", f"{INDENT}model::inputs in;"]
    for port in input_ports(unit):
        codes = codes_of(port, "in.")
        word = f"{port.name}.read()"
        if codes.loop:
            word += f".range(static_cast<int>({codes.low} + {port.element_width - 1}), static_cast<int>({codes.low}))"
        lines += wrapped(f"{codes.loop}{codes.code} = static_cast<{code_type(port)}>({word}.to_uint64());")
    return [*lines, f"{INDENT}return in;", "}"]


def _deliver(unit: Unit) -> list[str]:
    lines = ["void deliver(const model::outputs& out) {"]
    for port in output_ports(unit):
        codes = codes_of(port, "out.")
        if codes.loop:
            high, low = f"static_cast<int>({codes.low} + {port.element_width - 1})", f"static_cast<int>({codes.low})"
            lines += [f"{INDENT}{_signal(port)} {port.name}_bits;"]
            lines += wrapped(f"{codes.loop}{port.name}_bits.range({high}, {low}) = {codes.code};")
            lines += [f"{INDENT}{port.name}.write({port.name}_bits);"]
        else:
            lines += [f"{INDENT}{port.name}.write({codes.code});"]
    return [*lines, "}"]
