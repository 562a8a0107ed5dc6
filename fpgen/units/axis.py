"""`handshake=axis`: how the ports of a unit lie in the signals of AMBA AXI4-Stream (ARM IHI 0051A).

The unit itself is the one with ``handshake=ready``; a second module, `<unit>_axis`, is wires only around it:

- operands go into `s_axis_tdata`, results into `m_axis_tdata`, in port order from the lowest byte on, each beginning
  with a byte of its own; padding is not read, and is 0 in `m_axis_tdata`;
- controls (and a tag) go into `s_axis_tuser`, flags (and the tag) into `m_axis_tuser`, bit after bit in port order;
- `aresetn` is the reset, `aclken` the clock enable; `flush` is no signal of AXI4-Stream and keeps its name.

The protocol's rules (2.2.1: `tvalid` does not wait for `tready`, and stays, with its data, until it) are those of
``handshake=ready``. There is no `tlast`: a bit of `tag` carries it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .options import Handshake
from .ports import Port, Role

if TYPE_CHECKING:
    from .base import Unit


@dataclass(frozen=True)
class AxisField:
    """A port of the unit, or padding, in a pin of the wrapper: bits `low` and above, `width` of them."""

    port: Port | None
    low: int
    width: int


@dataclass(frozen=True)
class AxisPin:
    """A pin of the wrapper: its fields, lowest first. `inverted`: a reset of the other polarity."""

    name: str
    is_input: bool
    fields: tuple[AxisField, ...]
    inverted: bool = False

    @property
    def width(self) -> int:
        return sum(field.width for field in self.fields)


def axis_pins(unit: Unit) -> tuple[AxisPin, ...]:
    """The pins of `<unit>_axis`, in the order of the Verilog module; none but with ``handshake=axis``."""
    return tuple(_pins(unit)) if unit.handshake is Handshake.AXIS else ()


def _pins(unit: Unit) -> Iterator[AxisPin]:
    ports = {port.name: port for port in unit.ports}
    names = {"clk": "aclk", "rst": "aresetn", "rst_n": "aresetn", "enable": "aclken", "flush": "flush"}
    for name, pin in names.items():
        if name in ports:
            yield _single(pin, ports[name], inverted=name == "rst")
    inputs = [port for port in unit.ports if port.travels_in]
    outputs = [port for port in unit.ports if port.travels_out]
    yield _single("s_axis_tvalid", ports["in_valid"])
    yield _single("s_axis_tready", ports["in_ready"])
    yield from _packed("s_axis", inputs, Role.OPERAND)
    yield _single("m_axis_tvalid", ports["out_valid"])
    yield _single("m_axis_tready", ports["out_ready"])
    yield from _packed("m_axis", outputs, Role.RESULT)


def _single(name: str, port: Port, inverted: bool = False) -> AxisPin:
    return AxisPin(name, port.is_input, (AxisField(port, 0, 1),), inverted)


def _packed(side: str, ports: list[Port], data: Role) -> Iterator[AxisPin]:
    """The data and, if there is anything beside it, the user signal of one side."""
    is_input = side == "s_axis"
    yield AxisPin(f"{side}_tdata", is_input, tuple(_fields((p for p in ports if p.role is data), 8)))
    beside = tuple(_fields((port for port in ports if port.role is not data), 1))
    if beside:
        yield AxisPin(f"{side}_tuser", is_input, beside)


def _fields(ports: Iterable[Port], step: int) -> Iterator[AxisField]:
    """Ports one after another, each at a multiple of `step` bits."""
    low = 0
    for port in ports:
        yield AxisField(port, low, port.width)
        low += port.width
        padding = -low % step
        if padding:
            yield AxisField(None, low, padding)
        low += padding


def axis_nets(pin: AxisPin) -> tuple[str, list[tuple[str, int]]]:
    """A pin as it is connected to nets with the names of the unit's ports, and the nets that its padding needs.

    Returns
    -------
    (expression, nets) : (str, list of (str, int))
        In Verilog; name and width of each net.
    """
    if pin.inverted:
        assert pin.fields[0].port is not None
        return f"~{pin.fields[0].port.name}", []
    parts, nets = [], []
    for field in reversed(pin.fields):
        if field.port is not None:
            parts.append(field.port.name)
        elif pin.is_input:
            parts.append(f"{field.width}'d0")
        else:
            name = f"unused_{pin.name}_{field.low}"
            nets.append((name, field.width))
            parts.append(name)
    return (parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"), nets


def instance(unit: Unit) -> tuple[str, list[tuple[str, str]], list[tuple[str, int]]]:
    """How to instantiate what is handed over, beside nets with the names of the unit's ports.

    Returns
    -------
    (module, connections, nets) : (str, list of (str, str), list of (str, int))
        The unit, or its wrapper if it has one; pin and Verilog expression; name and width of nets that are needed
        beyond those of the ports.
    """
    pins = {pin.name: axis_nets(pin) for pin in axis_pins(unit)}
    if not pins:
        return unit.name, [(port.name, port.name) for port in unit.ports], []
    connections = [(name, expression) for name, (expression, _) in pins.items()]
    return axis_module(unit), connections, [net for _, nets in pins.values() for net in nets]


def axis_module(unit: Unit) -> str:
    """The name of the wrapper."""
    return f"{unit.name}_axis"
