"""`<unit>_axis.v`: the unit behind the signals of AXI4-Stream; `fpgen.units.axis` says where what lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpgen.base.provenance import provenance
from fpgen.units.axis import AxisPin, axis_module, axis_pins

from .line_breaks import INDENT, around_name, comment, wrapped
from .verilog_expression import range_of

if TYPE_CHECKING:
    from fpgen.units.base import Unit


def axis_wrapper(unit: Unit) -> str:
    """The text of the wrapper of a unit with ``handshake=axis``."""
    pins = axis_pins(unit)
    inside = {field.port.name: (pin, field.low) for pin in pins for field in pin.fields if field.port}
    outputs = [port for port in unit.ports if port.travels_out]
    connections = [
        f"{INDENT * 2}.{port.name}({_inside(port.name, port.width, *inside[port.name])})" for port in unit.ports
    ]
    lines = [
        *provenance(),
        *comment(f"AXI4-Stream signals around {unit.name}"),
        "//",
        *comment(unit.text),
        "//",
        "// It is wires only. Compile it together with the unit.",
        "//",
        *_table(pins),
        "",
        "`default_nettype none",
        "",
        *around_name("module", axis_module(unit), " #("),
        f"{INDENT}parameter integer EXPECTED_LATENCY = {unit.latency}",
        ") (",
        ",\n".join(_declared(pin) for pin in pins),
        ");",
        "",
        *(f"{INDENT}wire {range_of(port.width)}{port.name};" for port in outputs),
        "",
        *around_name("", unit.name, " #(", INDENT),
        f"{INDENT * 2}.EXPECTED_LATENCY(EXPECTED_LATENCY)",
        f"{INDENT}) unit (",
        ",\n".join(connections),
        f"{INDENT});",
        "",
        *(line for pin in pins if not pin.is_input and pin.width > 1 for line in _assigned(pin)),
        *_unread(pins),
        "",
        "endmodule",
        "",
        "`default_nettype wire",
        "",
    ]
    return "\n".join(lines)


def _table(pins: tuple[AxisPin, ...]) -> list[str]:
    """Which bits are what."""
    lines = ["// Signal         Bits         Port"]
    for pin in pins:
        for field in pin.fields:
            bits = f"[{field.low + field.width - 1}:{field.low}]" if pin.width > 1 else ""
            what = "(padding)" if field.port is None else f"{'~' if pin.inverted else ''}{field.port.name}"
            lines.append(f"// {pin.name:<14} {bits:<12} {what}")
    return lines


def _declared(pin: AxisPin) -> str:
    return f"{INDENT}{'input' if pin.is_input else 'output'} wire {range_of(pin.width)}{pin.name}"


def _inside(name: str, width: int, pin: AxisPin, low: int) -> str:
    """What a port of the unit is connected to."""
    if pin.inverted:
        return f"~{pin.name}"
    if pin.width == 1:
        return pin.name
    if not pin.is_input:
        return name
    return f"{pin.name}[{low + width - 1}:{low}]" if width > 1 else f"{pin.name}[{low}]"


def _assigned(pin: AxisPin) -> list[str]:
    parts = [field.port.name if field.port else f"{field.width}'d0" for field in reversed(pin.fields)]
    whole = parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"
    return wrapped(f"assign {pin.name} = {whole};")


def _unread(pins: tuple[AxisPin, ...]) -> list[str]:
    padding = [
        f"{pin.name}[{field.low + field.width - 1}:{field.low}]"
        for pin in pins
        if pin.is_input
        for field in pin.fields
        if field.port is None
    ]
    if not padding:
        return []
    return ["", f"{INDENT}// ---- Padding", *wrapped(f"wire unused = &{{1'b0, {', '.join(padding)}}};")]
