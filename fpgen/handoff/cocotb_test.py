"""`test_<unit>.py`: a cocotb test of the unit that needs nothing of this repository."""

from __future__ import annotations

from fpgen.base.text_template import filled, template_beside
from fpgen.units import Handshake, Port, Role, Unit
from fpgen.units.register_options import reset_port

from .handoff_vectors import travelling


def cocotb_test(unit: Unit) -> str:
    """The test of a unit; it drives the unit itself, not its AXI4-Stream wrapper."""
    reset = reset_port(unit)
    ports = travelling(unit)
    held = [(port.name, int(port.role is Role.ENABLE)) for port in unit.ports if port.role in (Role.ENABLE, Role.FLUSH)]
    return filled(
        template_beside(__file__, "cocotb.py.tmpl"),
        title=f"Stand-alone cocotb test of {unit.name}.",
        unit=unit.name,
        sources=f'"{unit.name}.v"',
        latency=unit.latency,
        inputs=_widths([port for port in ports if port.travels_in]),
        outputs=_widths([port for port in ports if port.travels_out]),
        valid=unit.handshake is not Handshake.NONE,
        ready=unit.handshake.back_pressure,
        clocked=unit.clocked,
        reset=None if reset is None else f'("{reset.name}", {int(not reset.active_low)})',
        held=", ".join(f'"{name}": {level}' for name, level in held),
        stateful=unit.stateful,
    )


def _widths(ports: list[Port]) -> str:
    return ", ".join(f'"{port.name}": {port.width}' for port in ports)
