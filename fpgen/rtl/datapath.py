"""From a unit to its dataflow graph: unpack, exact core, one rounder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from fpgen.formats.descriptor import Format
from fpgen.units.add import Add, Subtract
from fpgen.units.base import Unit
from fpgen.units.mac import Accumulate, MultiplyAccumulate

from .block.dequantizer import dequantize
from .block.quantizer import quantize
from .dot import dot, tensorcore
from .dot.exact_window import exact
from .dot.inputs import Inputs
from .float import special_operands
from .float.accumulator import accumulate_exactly
from .float.cores import operand_alone, product, product_plus, total
from .float.rounder import Mode, Target, round_and_pack
from .float.unpack import Operand, unpack
from .graph import Graph, Node


def datapath(unit: Unit) -> Graph:
    """The graph of `unit`: inputs and outputs are named as its operand, control, result and flag ports."""
    g = Graph(unit.architecture)
    for port in unit.ports:
        if port.travels_in:
            g.input(port.name, port.width)
    mode = Mode.of(g, unit.semantics, g.inputs.get("rounding"), g.inputs.get("random"))
    target = Target(unit.out, unit.semantics, unit.flags)
    build = _BUILDERS[unit.operation]
    delivered, flags = build(g, unit, mode, target)
    # One result code, or the outputs by name.
    results = delivered if isinstance(delivered, dict) else {"result": g.step("code", delivered)}
    for name, node in results.items():
        g.output(name, node)
    if unit.flags:
        g.output("flags", flags)
    return g


def _one(g: Graph) -> Operand:
    """The number 1: a sum of products is what results that wrap around are made by."""
    return unpack(g, g.const(1, 2), Format(bits=2, precision=2, signed=False, fixed=True), False, "one")


def _operand(g: Graph, unit: Unit, name: str) -> Operand:
    return unpack(g, g.inputs[name], getattr(unit, name), unit.subnormals.flush_inputs, name)


def _multiply(g: Graph, unit: Unit, mode: Mode, target: Target) -> tuple[Node, Node]:
    a, b = _operand(g, unit, "a"), _operand(g, unit, "b")
    if target.wraps:
        return exact(g, Inputs((a,), (b,)), mode, target)
    value = product(g, a, b, target)
    return round_and_pack(g, value, special_operands.of_product(g, a, b, value.sign), mode, target)


def _convert(g: Graph, unit: Unit, mode: Mode, target: Target) -> tuple[Node, Node]:
    a = _operand(g, unit, "source")
    if target.wraps:
        return exact(g, Inputs((a,), (_one(g),)), mode, target)
    return round_and_pack(g, operand_alone(g, a, target), special_operands.of_operand(g, a), mode, target)


def _fma(g: Graph, unit: Unit, mode: Mode, target: Target) -> tuple[Node, Node]:
    a, b, c = (_operand(g, unit, name) for name in "abc")
    return fused(g, a, b, c, mode, target)


def fused(g: Graph, a: Operand, b: Operand, c: Operand, mode: Mode, target: Target) -> tuple[Node, Node]:
    """round(a * b + c)."""
    if target.wraps:
        return exact(g, Inputs((a,), (b,), c=c), mode, target)
    value = product_plus(g, a, b, c, mode, target)
    g.section("Special operands")
    both = special_operands.of_sum(
        g, special_operands.of_product(g, a, b, a.sign ^ b.sign), special_operands.of_operand(g, c)
    )
    return round_and_pack(g, value, both, mode, target)


def _add(g: Graph, unit: Unit, mode: Mode, target: Target) -> tuple[Node, Node]:
    a, b = _operand(g, unit, "a"), _operand(g, unit, "b")
    assert isinstance(unit, Add)
    setting = unit.subtract
    if setting is not Subtract.OFF:
        flip = g.inputs["subtract"] if setting is Subtract.PORT else g.const(1, 1)
        b = dataclasses.replace(b, sign=g.step("b_sign", b.sign ^ flip), code=None)
    if target.wraps:
        return exact(g, Inputs((a,), (_one(g),), c=b, c_negated=setting is not Subtract.OFF), mode, target)
    value = total(g, a, b, mode, target)
    g.section("Special operands")
    both = special_operands.of_sum(g, special_operands.of_operand(g, a), special_operands.of_operand(g, b))
    return round_and_pack(g, value, both, mode, target)


def _mac(g: Graph, unit: Unit, mode: Mode, target: Target) -> tuple[Node, Node]:
    a, b = _operand(g, unit, "a"), _operand(g, unit, "b")
    assert isinstance(unit, MultiplyAccumulate)
    clear = g.inputs["clear"]
    if unit.accumulate is Accumulate.EXACT:
        value, both = accumulate_exactly(g, unit, a, b, clear)
        return round_and_pack(g, value(target), both, mode, target)
    register = g.state("accumulator", unit.out.bits)
    g.section("Choose what to add to")
    base = g.mux(clear, g.const(0, register.width), register)
    if "load" in g.inputs:
        base = g.mux(g.inputs["load"], g.inputs["c"], base)
    c = unpack(g, g.step("base", base), unit.out, unit.subnormals.flush_inputs, "base")
    code, flags = fused(g, a, b, c, mode, target)
    g.next_state(register, code)
    return code, flags


#: Each gives the result code, or the outputs by name; and the flags.
_BUILDERS: dict[str, Callable[..., tuple[Node | dict[str, Node], Node]]] = {
    "multiply": _multiply,
    "convert": _convert,
    "fma": _fma,
    "add": _add,
    "mac": _mac,
    "dot": dot,
    "blockdot": dot,
    "tensorcore": tensorcore,
    "quantize": quantize,
    "dequantize": dequantize,
}
