"""The ports of a unit in C++: their types, and the way between codes and the bits on the pins."""

from __future__ import annotations

from dataclasses import dataclass

from fpgen.units import Port, Unit
from fpgen.verilog.verilog_expression import Text

from .cpp_expression import is_wide, literal, value_type

INDENT = "    "


def input_ports(unit: Unit) -> list[Port]:
    """Operands and controls: what the model is given."""
    return [port for port in unit.ports if port.travels_in]


def output_ports(unit: Unit) -> list[Port]:
    """Results and flags: what it delivers."""
    return [port for port in unit.ports if port.travels_out]


def storage_bits(width: int) -> int:
    """Bits of the narrowest standard integer with at least `width` bits."""
    return next(size for size in (8, 16, 32, 64) if width <= size)


def code_type(port: Port) -> str:
    """The standard integer of one code."""
    return f"std::uint{storage_bits(port.element_width)}_t"


def port_type(port: Port) -> str:
    """The type of a port: a standard integer, or `std::array` of them in the port's shape."""
    text = code_type(port)
    for length in reversed(port.shape):
        text = f"std::array<{text}, {length}>"
    return text


def members(ports: list[Port]) -> list[str]:
    """The ports as members of a struct, with their meanings."""
    heads = [f"{port_type(port)} {port.name}{'{}' if port.shape else ' = 0'};" for port in ports]
    wide = max(map(len, heads))
    return [f"{INDENT}{head:<{wide}}  // {port.meaning}" for head, port in zip(heads, ports, strict=True)]


@dataclass(frozen=True)
class Codes:
    """How the codes of a port are gone through: a `loop`, or nothing; the code; the lowest bit of it on the pins."""

    loop: str
    code: str
    low: str


def codes_of(port: Port, owner: str) -> Codes:
    """The codes of a port that is a member of `owner`, in the order of the pins."""
    text = f"{owner}{port.name}"
    if port.count == 1:
        return Codes("", text + "[0]" * len(port.shape), "0")
    below = port.count
    for place, length in enumerate(port.shape):
        below //= length
        index = "i" if below == 1 else f"i / {below}"
        text += f"[{index}]" if place == 0 else f"[{index} % {length}]"
    return Codes(f"for (unsigned i = 0; i < {port.count}; ++i) ", text, f"{port.element_width} * i")


def _of_code(port: Port, code: str) -> str:
    """A code as a word; bits above its width count for nothing."""
    width = port.element_width
    if width == storage_bits(width):
        return f"u64{{{code}}}"
    return f"u64{{{code}}} & {literal((1 << width) - 1, width).text}"


def from_codes(port: Port, owner: str) -> tuple[str, list[str]]:
    """The value of the pins, made of the codes in `owner`, a struct: what it begins as, and statements that follow."""
    codes = codes_of(port, owner)
    code = _of_code(port, codes.code)
    if not codes.loop:
        return code, []
    if is_wide(port.width):
        return literal(0, port.width).text, [f"{codes.loop}{port.name} = {port.name}.with({codes.low}, {code});"]
    return literal(0, port.width).text, [f"{codes.loop}{port.name} |= ({code}) << ({codes.low});"]


def to_codes(port: Port, value: Text, owner: str) -> list[str]:
    """Statements that put the value of the pins into the codes in `owner`, a struct."""
    codes = codes_of(port, owner)
    if not codes.loop:
        return [f"{codes.code} = static_cast<{code_type(port)}>({value.text});"]
    named = value.text == port.name
    lines = [] if named else [f"const {value_type(port.width)} {port.name} = {value.text};"]
    part = f"part({port.name}, {codes.low} + {port.element_width - 1}, {codes.low})"
    return [*lines, f"{codes.loop}{codes.code} = static_cast<{code_type(port)}>({part});"]
