"""`<unit>_tb.v`: a testbench in plain Verilog that shows the unit `vectors.hex` and says PASS or FAIL.

Its text is `testbench.v.tmpl`. A line there that begins with ``@word:`` is for units with that feature only, so that
what is handed over has nothing in it that the unit does not need.
"""

from __future__ import annotations

from typing import assert_never

from fpgen.base.provenance import provenance
from fpgen.base.text_template import filled, lines_for, template_beside
from fpgen.units import Handshake, Port, ResetActive, Role, Unit
from fpgen.units.axis import instance
from fpgen.units.register_options import reset_pin
from fpgen.verilog.line_breaks import INDENT, around_name, comment
from fpgen.verilog.verilog_expression import range_of

from .handoff_vectors import FAMILY_DIGITS, digits_of, handoff_vectors, travelling

#: Vectors sent before a reset in the middle of a run, beyond those that fill the pipeline.
_BEFORE_RESET = 40


def unit_testbench(unit: Unit) -> str:
    """The testbench of a unit."""
    found = handoff_vectors(unit)
    features = _features(unit)
    places = _places(unit)
    width = 4 * (FAMILY_DIGITS + sum(digits_of(port) for port in travelling(unit)))
    family = f"[{width - 1}:{width - 4 * FAMILY_DIGITS}]"
    outputs = [port for port in unit.ports if port.travels_out]
    inputs = [port for port in unit.ports if port.travels_in]
    latency = unit.latency
    offered = "in_valid" if "valid" in features else "accepted"
    module, connections, nets = instance(unit)
    text = filled(
        lines_for(features, template_beside(__file__, "testbench.v.tmpl")),
        title="\n".join(comment(f"Self-checking testbench of {unit.name}")),
        text="\n".join(comment(unit.text)),
        module="\n".join(around_name("module", f"{unit.name}_tb", ";")),
        instance="\n".join(around_name("", module, " unit (", INDENT)),
        latency=latency,
        clocks="clock" if latency == 1 else "clocks",
        unless=", while out_ready is high" if "ready" in features else "",
        vectors=found.count,
        families=len(found.families),
        names="\n".join(
            f'            {number}: $write("{name}");' for number, (name, _) in enumerate(found.families, 1)
        ),
        signals="\n".join([*map(_signal, unit.ports), *(f"    wire {range_of(width)}{name};" for name, width in nets)]),
        connections=",\n".join(f"        .{pin}({net})" for pin, net in connections),
        word_top=width - 1,
        count=found.count,
        family_at=f"$signed({{24'd0, {_vector('at', family)}}})",
        family_taken=f"$signed({{24'd0, {_vector('taken', family)}}})",
        differs=f" ||\n{' ' * 16}".join(f"{port.name} !== {_vector('taken', places[port.name])}" for port in outputs),
        report=_report(inputs, outputs, places),
        present=_present(inputs, places, offered),
        offered=offered,
        there=_there(features),
        flight_top=latency - 1,
        shifted="accepted" if latency < 2 else f"{{flight[{latency - 2}:0], accepted}}",
        reset=reset_pin(unit) or "",
        reset_on=int(unit.reset_active is ResetActive.HIGH),
        reset_off=int(unit.reset_active is ResetActive.LOW),
        paused=found.first_random,
        interrupted=_BEFORE_RESET + latency,
    )
    return "\n".join([*provenance(), text])


def _features(unit: Unit) -> set[str]:
    """The words that lines of the template may be marked with."""
    found = {"clock" if unit.clocked else "comb"}
    handshake: Handshake = unit.handshake
    match handshake:
        case Handshake.NONE:
            found |= {"no_valid", "no_ready"}
        case Handshake.VALID:
            found |= {"valid", "valid_only", "no_ready"}
        case Handshake.READY | Handshake.AXIS:
            found |= {"valid", "ready"}
        case unknown:
            assert_never(unknown)
    if any(port.role is Role.RESET for port in unit.ports):
        found |= {"reset", "stopped"}
    if unit.flush and not unit.stateful:  # a flush keeps the sum, and the first sum of all starts from zero
        found.add("stopped")
    if unit.flush and "reset" in found and not unit.stateful:
        found.add("resumed")
    combined = {f"{pin}_{word}" for pin in ("enable", "flush") if getattr(unit, pin) for word in found}
    return found | combined | {pin for pin in ("enable", "flush") if getattr(unit, pin)}


def _there(features: set[str]) -> str:
    """When a result is compared; one that comes straight from operands that wait is not, as they may change."""
    if "valid" not in features:
        return "due"
    return f"out_valid === 1'b1 && due{' && accepted' if {'comb', 'ready'} <= features else ''}"


def _places(unit: Unit) -> dict[str, str]:
    """Where the pins of each port lie in a vector, as a part-select."""
    top = sum(4 * digits_of(port) for port in travelling(unit))
    found = {}
    for port in travelling(unit):
        top -= 4 * digits_of(port)
        found[port.name] = f"[{top + port.width - 1}:{top}]" if port.width > 1 else f"[{top}]"
    return found


def _vector(number: str, place: str) -> str:
    """The part at `place` of the vector with this number, which counts from 0."""
    return f"stored[{number} + 1]{place}"


def _signal(port: Port) -> str:
    return f"    {'reg' if port.is_input else 'wire'} {range_of(port.width)}{port.name};"


def _present(inputs: list[Port], places: dict[str, str], when: str) -> str:
    """Put the next vector on the inputs; in a gap, every bit of it inverted."""
    return "\n".join(
        f"            {port.name} = {when} ? {_vector('sent', places[port.name])} :"
        f"\n                ~{_vector('sent', places[port.name])};"
        for port in inputs
    )


def _report(inputs: list[Port], outputs: list[Port], places: dict[str, str]) -> str:
    lines = [
        f'$write("{": " if i == 0 else " "}{port.name}=%h", {_vector("taken", places[port.name])});'
        for i, port in enumerate(inputs)
    ]
    lines += [
        f'$write("; {port.name}: expected %h, got %h", {_vector("taken", places[port.name])}, {port.name});'
        for port in outputs
    ]
    return "\n".join(" " * 20 + line for line in lines)
