"""The ports of a unit in C++: their types, and the way between codes and the bits on the pins."""

from __future__ import annotations

import math

from fpgen.units import Port, Unit

from .cpp_expression import Text, bits, is_wide, literal, value_type

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


def element(port: Port, owner: str) -> str:
    """Code `i` of an array port, in the order of the pins."""
    text, below = f"{owner}{port.name}", math.prod(port.shape)
    for place, length in enumerate(port.shape):
        below //= length
        index = "i" if below == 1 else f"i / {below}"
        text += f"[{index}]" if place == 0 else f"[{index} % {length}]"
    return text


def _of_code(port: Port, code: str) -> str:
    """A code as a word; bits above its width count for nothing."""
    width = port.element_width
    if width == storage_bits(width):
        return f"u64{{{code}}}"
    return f"u64{{{code}}} & {literal((1 << width) - 1, width).text}"


def from_codes(port: Port, owner: str) -> tuple[str, list[str]]:
    """The value of the pins, made of the codes in `owner`, a struct: what it begins as, and statements that follow."""
    if not port.shape:
        return _of_code(port, f"{owner}{port.name}"), []
    code, place = _of_code(port, element(port, owner)), f"{port.element_width} * i"
    loop = f"for (unsigned i = 0; i < {port.count}; ++i) {port.name}"
    if is_wide(port.width):
        return literal(0, port.width).text, [f"{loop} = {port.name}.with({place}, {code});"]
    return literal(0, port.width).text, [f"{loop} |= ({code}) << ({place});"]


def to_codes(port: Port, value: Text, owner: str) -> list[str]:
    """Statements that put the value of the pins into the codes in `owner`, a struct."""
    if not port.shape:
        return [f"{owner}{port.name} = static_cast<{code_type(port)}>({value.text});"]
    whole = bits(port.name, port.width, 0, port.width)
    lines = [] if value.text == whole.text else [f"const {value_type(port.width)} {port.name} = {value.text};"]
    step = port.element_width
    if port.count == 1:
        code = port.name
    else:
        code = f"part({port.name}, {step} * i + {step - 1}, {step} * i)"
    cast = f"static_cast<{code_type(port)}>({code})"
    return [*lines, f"for (unsigned i = 0; i < {port.count}; ++i) {element(port, owner)} = {cast};"]
