"""A unit as a C++17 header without dependencies, made of its dataflow graph before scheduling."""

from __future__ import annotations

from pathlib import Path

from fpgen.base.text_template import filled
from fpgen.rtl import graph_of
from fpgen.rtl.pipeline import Pipeline, unscheduled
from fpgen.units import Unit
from fpgen.verilog.body import Body, ordered

from .cpp_comment import model_comment
from .cpp_expression import CPP, is_wide, value_type
from .cpp_names import WORDS, namespace
from .cpp_ports import INDENT, from_codes, input_ports, members, output_ports, to_codes
from .cpp_steps import Variable, function


def cpp_model(unit: Unit) -> str:
    """The text of ``<unit>_model.h``."""
    pipeline = unscheduled(graph_of(unit), reserved=sorted(WORDS))
    here = Path(__file__)
    helpers = ["cpp_narrow.h.tmpl"]
    if any(is_wide(node.width) for node in pipeline.graph.live()):
        helpers.append("cpp_wide.h.tmpl")
    return filled(
        here.with_name("cpp_model.h.tmpl").read_text(encoding="ascii"),
        comment="\n".join(model_comment(unit)),
        guard=f"{namespace(unit).upper()}_MODEL_H",
        namespace=namespace(unit),
        interface="\n".join(_interface(unit)),
        vectors="".join(here.with_name(name).read_text(encoding="ascii") for name in helpers).rstrip(),
        function="\n".join(_function(unit, pipeline)),
    )


def _struct(name: str, inside: list[str]) -> list[str]:
    return [f"struct {name} {{", *inside, "};"]


def _interface(unit: Unit) -> list[str]:
    inputs, outputs = input_ports(unit), output_ports(unit)
    return [*_struct("inputs", members(inputs)), "", *_struct("outputs", members(outputs))]


def _function(unit: Unit, pipeline: Pipeline) -> list[str]:
    """The state, where there is one, and the function of the operands."""
    body = Body(pipeline, CPP)
    graph = pipeline.graph
    results = {port.name: body.value(graph.outputs[port.name], 0)[0] for port in output_ports(unit)}
    updates = [f"now.{body.names.of(state)} = {body.value(value, 0)[0].text};" for state, value in graph.states.items()]
    live = {node.index for node in graph.live()}
    variables = [
        Variable(port.name, port.width, *from_codes(port, "in."))
        for port in input_ports(unit)
        if graph.inputs[port.name].index in live
    ]
    states = {body.names.of(state): state.width for state in graph.states}
    variables += [Variable(name, width, f"now.{name}") for name, width in states.items()]
    variables += [
        Variable(wire.name, wire.text.width, wire.text.text, section=wire.section) for wire in ordered(body.wires[0])
    ]
    last = ["outputs out;"]
    last += [text for port in output_ports(unit) for text in to_codes(port, results[port.name], "out.")]
    last += [*updates, "return out;"]
    if not graph.states:
        return function("outputs compute", variables, last, {"in": "const inputs&"})
    held = [f"{INDENT}{value_type(width)} {name}{{}};" for name, width in states.items()]
    return [
        *_struct("state", [*held, "", f"{INDENT}void reset() {{ *this = state{{}}; }}"]),
        "",
        *function("outputs step", variables, last, {"now": "state&", "in": "const inputs&"}),
    ]
