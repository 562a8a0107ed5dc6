"""The whole module: header, pins, stages, registers, handshake, outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpgen.base.provenance import provenance
from fpgen.rtl import pipeline_for
from fpgen.rtl.handshake import Control, control
from fpgen.rtl.pipeline import Register, mask_runs
from fpgen.rtl.wiring import readers, sources
from fpgen.units.ports import Port

from .body import Body, Wire, ordered
from .header import header
from .line_breaks import INDENT, around_name, wrapped
from .verilog_expression import bits, range_of

if TYPE_CHECKING:
    from fpgen.units.base import Unit


def module(unit: Unit) -> str:
    """The text of the unit's module."""
    pipeline = pipeline_for(unit)
    body = Body(pipeline)
    outputs = _outputs(unit, body)
    updates = _state_updates(body)
    lines = [
        *provenance(),
        *header(unit, pipeline),
        "",
        "`default_nettype none",
        "",
        *around_name("module", unit.name, " #("),
        f"{INDENT}parameter integer EXPECTED_LATENCY = {pipeline.stages}",
        ") (",
        *_pins(unit.ports),
        ");",
        *_latency(pipeline.stages),
    ]
    rules = control(unit, pipeline)
    lines += _states(body)
    lines += _handshake(rules)
    for stage in range(pipeline.stages + 1):
        if pipeline.stages:
            lines += ["", INDENT + f"// ==== Stage {stage} " + "=" * 60]
        lines += _wires(ordered(body.wires[stage]))
        if stage < pipeline.stages:
            lines += _rank(body, rules, stage + 1, updates)
    lines += ["", INDENT + "// ---- Outputs", *outputs]
    lines += _unused(unit, body)
    return "\n".join([*lines, "", "endmodule", "", "`default_nettype wire", ""])


def _pins(ports: tuple[Port, ...]) -> list[str]:
    wide = max(len(range_of(port.width)) for port in ports)
    lines = []
    for number, port in enumerate(ports):
        way = "input  wire" if port.is_input else "output wire"
        comma = "," if number + 1 < len(ports) else ""
        lines.append(f"{INDENT}{way} {range_of(port.width):<{wide}}{port.name}{comma}")
    return lines


def _latency(stages: int) -> list[str]:
    """The latency as a constant; an integrator who sets the parameter to another one gets no elaboration.

    The module that is missing then carries the reason in its name: Verilog-2001 has no other error at elaboration.
    """
    return [
        "",
        f"{INDENT}// ---- Latency in clocks; set EXPECTED_LATENCY to what the surroundings rely on",
        f"{INDENT}localparam integer LATENCY = {stages};",
        f"{INDENT}generate",
        f"{INDENT * 2}if (EXPECTED_LATENCY != LATENCY) begin : g_other_latency",
        f"{INDENT * 3}fpgen_latency_is_{stages} expected_another ();",
        f"{INDENT * 2}end",
        f"{INDENT}endgenerate",
    ]


def _wires(wires: list[Wire]) -> list[str]:
    lines: list[str] = []
    section = None
    for wire in wires:
        if wire.section != section:
            section = wire.section
            lines += ["", *([f"{INDENT}// ---- {section}"] if section else [])]
        lines += wrapped(f"wire {range_of(wire.text.width)}{wire.name} = {wire.text.text};")
    return lines


def _states(body: Body) -> list[str]:
    states = list(body.pipeline.graph.states)
    if not states:
        return []
    return ["", f"{INDENT}// ---- State", *(f"{INDENT}reg {range_of(s.width)}{body.names.of(s)};" for s in states)]


def _handshake(rules: Control) -> list[str]:
    lines: list[str] = []
    if rules.valid:
        lines += ["", f"{INDENT}// ---- Handshake"]
        lines += [f"{INDENT}reg {name};" for name in rules.valid[1:]]
        lines += [f"{INDENT}wire {name} = {' | '.join(terms)};" for name, terms in rules.wires]
    return lines


def _state_updates(body: Body) -> dict[int, list[str]]:
    """Per rank: the assignments to the states that are loaded there."""
    updates: dict[int, list[str]] = {}
    for state, value in body.pipeline.graph.states.items():
        stage = body.pipeline.stage_of(state)
        text, _ = body.value(value, stage)
        updates.setdefault(stage + 1, []).append(f"{body.names.of(state)} <= {text.text};")
    return updates


def _rank(body: Body, rules: Control, rank: int, updates: dict[int, list[str]]) -> list[str]:
    """Declarations and clocked blocks of the registers between stage rank-1 and stage rank."""
    pipeline = body.pipeline
    registers = pipeline.ranks[rank - 1]
    states = updates.get(rank, [])
    lines: list[str] = []
    if registers:
        lines += ["", f"{INDENT}// ---- Registers after stage {rank - 1}"]
        lines += [f"{INDENT}reg {range_of(register.width, register.low)}{register.name};" for register in registers]
        loads = [_load(body, register) for register in registers]
        ready = " & ".join(rules.load(rank))
        lines += ["", f"{INDENT}always @(posedge clk) begin", *_when(ready, loads), f"{INDENT}end"]
    if rules.valid:
        lines += ["", *_valid_block(body, rules, rank, states)]
    return lines


def _valid_block(body: Body, rules: Control, rank: int, states: list[str]) -> list[str]:
    """The clocked block of a rank's valid bit and of the states that are loaded with it."""
    name, before = rules.valid[rank], rules.valid[rank - 1]
    zeros = [f"{name} <= 1'b0;", *(f"{_target(state)} <= {_zero(body, state)};" for state in states)]
    reset = rules.reset
    branches: list[tuple[str, list[str]]] = []
    edge = ""
    if reset is not None:
        branches.append((f"{'!' if reset.active_low else ''}{reset.name}", [INDENT * 3 + zero for zero in zeros]))
        if reset.asynchronous:
            edge = f" or {'negedge' if reset.active_low else 'posedge'} {reset.name}"
    if rules.flush:
        branches.append(("flush", [f"{INDENT * 3}{name} <= 1'b0;"]))
    moves = [f"{INDENT * 3}{name} <= {before};"]
    if states:
        moves += [f"{INDENT * 3}if ({before}) begin"]
        for state in states:
            moves += wrapped(state, INDENT * 4, INDENT * 5)
        moves += [f"{INDENT * 3}end"]
    branches.append((" & ".join(rules.load(rank)), moves))
    lines = [f"{INDENT}initial {zero.replace('<=', '=')}" for zero in zeros] if reset is None else []
    lines += [f"{INDENT}always @(posedge clk{edge}) begin"]
    if branches == [("", moves)]:
        return [*lines, *(line.removeprefix(INDENT) for line in moves), f"{INDENT}end"]
    opening = INDENT * 2
    for condition, body_lines in branches:
        lines += [f"{opening}if ({condition}) begin" if condition else f"{opening}begin", *body_lines]
        opening = f"{INDENT * 2}end else "
    return [*lines, f"{INDENT * 2}end", f"{INDENT}end"]


def _target(update: str) -> str:
    return update.split(" <= ", 1)[0]


def _zero(body: Body, update: str) -> str:
    name = _target(update)
    width = next(state.width for state in body.pipeline.graph.states if body.names.of(state) == name)
    return f"{width}'d0" if width > 1 else "1'b0"


def _load(body: Body, register: Register) -> str:
    text, _ = body.fetch(register.source, register.low, register.high, register.rank - 1)
    return f"{register.name} <= {text.text};"


def _when(condition: str, statements: list[str]) -> list[str]:
    if not condition:
        return [line for text in statements for line in wrapped(text, INDENT * 2, INDENT * 3)]
    return [
        f"{INDENT * 2}if ({condition}) begin",
        *(line for text in statements for line in wrapped(text, INDENT * 3, INDENT * 4)),
        f"{INDENT * 2}end",
    ]


def _outputs(unit: Unit, body: Body) -> list[str]:
    """The assignments to the output pins (the handshake's own are among its wires)."""
    lines: list[str] = []
    rules = control(unit, body.pipeline)
    for port in unit.ports:
        if port.is_input:
            continue
        if port.name in body.pipeline.graph.outputs:
            text, _ = body.value(body.pipeline.graph.outputs[port.name], body.pipeline.stages)
            lines += wrapped(f"assign {port.name} = {text.text};")
        else:
            lines += wrapped(f"assign {port.name} = {' & '.join(rules.pins[port.name])};")
    return lines


def _unused(unit: Unit, body: Body) -> list[str]:
    """One wire that collects the bits nothing reads, so that lint is silent about them and a reader knows them."""
    read: dict[int, int] = {}
    graph = body.pipeline.graph
    for reader, arg in readers(graph):
        if isinstance(reader, str) and reader not in {port.name for port in unit.ports}:
            continue
        for source, low, high in sources(arg):
            read[source.index] = read.get(source.index, 0) | ((1 << (high - low)) - 1) << low
    found = []
    for node in [*graph.inputs.values(), *(node for node in graph.live() if node.op not in ("input", "const"))]:
        if node.op in ("slice", "cat"):
            continue
        missing = ((1 << node.width) - 1) & ~read.get(node.index, 0)
        found += [bits(body.names.of(node), node.width, low, high).text for low, high in mask_runs(missing)]
    if not found:
        return []
    listed = ", ".join(["1'b0", *found])
    return ["", f"{INDENT}// ---- Bits that nothing reads", *wrapped(f"wire unused = &{{{listed}}};")]
