"""The C++ model of a unit behind the DPI, so that a SystemVerilog testbench can call it."""

from __future__ import annotations

from pathlib import Path

from fpgen.base.text_template import filled
from fpgen.units import Port, Unit
from fpgen.verilog.line_breaks import wrapped

from .cpp_comment import RULE, wrapper_comment
from .cpp_names import namespace
from .cpp_ports import INDENT, code_type, codes_of, input_ports, output_ports


def cpp_dpi(unit: Unit) -> str:
    """The text of ``<unit>_dpi.cpp``."""
    *comment, last = wrapper_comment(
        unit,
        "its model for SystemVerilog, by the DPI",
        [],
        f"Compile this file together with the testbench, as in: verilator --binary bench.sv {unit.name}_dpi.cpp. "
        "Arguments are the pins of the Verilog, packed as there. Declare in SystemVerilog:",
    )
    assert last == RULE
    return filled(
        Path(__file__).with_name("cpp_dpi.cpp.tmpl").read_text(encoding="ascii"),
        comment="\n".join([*comment, "//", *(f"//   {line}" for line in imports(unit)), RULE]),
        unit=unit.name,
        namespace=namespace(unit),
        functions="\n".join(_functions(unit)),
    )


def imports(unit: Unit) -> list[str]:
    """The declarations for a testbench, in SystemVerilog."""
    name = namespace(unit)
    pins = [*(f"input {_vector(port)}" for port in input_ports(unit)),
            *(f"output {_vector(port)}" for port in output_ports(unit))]  # fmt: skip
    if not unit.stateful:
        return _import(f"void {name}_compute", pins)
    return [
        *_import(f"chandle {name}_new", []),
        *_import(f"void {name}_reset", ["input chandle state"]),
        *_import(f"void {name}_step", ["input chandle state", *pins]),
        *_import(f"void {name}_delete", ["input chandle state"]),
    ]


def _vector(port: Port) -> str:
    """As a vector, also where it is one bit: a plain `bit` is passed in another way."""
    return f"bit [{port.width - 1}:0] {port.name}"


def _import(head: str, arguments: list[str]) -> list[str]:
    start = f'import "DPI-C" function {head}('
    if not arguments:
        return [f"{start});"]
    return [start, *(f"{INDENT}{argument}," for argument in arguments[:-1]), f"{INDENT}{arguments[-1]});"]


def _functions(unit: Unit) -> list[str]:
    name = namespace(unit)
    arguments = [f"const svBitVecVal* {port.name}" for port in input_ports(unit)]
    arguments += [f"svBitVecVal* {port.name}" for port in output_ports(unit)]
    if not unit.stateful:
        return _function(unit, f"{name}_compute", arguments, "model::compute(in)")
    state = "static_cast<model::state*>(state)"
    return [
        f'extern "C" void* {name}_new() {{ return new model::state; }}',
        "",
        f'extern "C" void {name}_delete(void* state) {{ delete {state}; }}',
        "",
        f'extern "C" void {name}_reset(void* state) {{ {state}->reset(); }}',
        "",
        *_function(unit, f"{name}_step", ["void* state", *arguments], f"model::step(*{state}, in)"),
    ]


def _function(unit: Unit, head: str, arguments: list[str], call: str) -> list[str]:
    lines = [*wrapped(f'extern "C" void {head}({", ".join(arguments)}) {{', ""), f"{INDENT}model::inputs in;"]
    for port in input_ports(unit):
        codes = codes_of(port, "in.")
        code = f"static_cast<{code_type(port)}>(taken({port.name}, {codes.low}, {port.element_width}))"
        lines += wrapped(f"{codes.loop}{codes.code} = {code};")
    lines += wrapped(f"const model::outputs out = {call};")
    for port in output_ports(unit):
        codes = codes_of(port, "out.")
        lines += wrapped(f"{codes.loop}put({port.name}, {codes.low}, {port.element_width}, {codes.code});")
    return [*lines, "}"]
