"""The datapaths of the operations on single numbers: unpack, exact core, one rounder.

What the cards of these operations name as their `hardware` layer: from a graph with the unit's inputs, and the unit,
to the outputs by port.
"""

from __future__ import annotations

import dataclasses

from fpgen.formats.descriptor import Format
from fpgen.rtl.dot.exact_window import exact
from fpgen.rtl.dot.inputs import Inputs
from fpgen.rtl.graph import Graph
from fpgen.rtl.node import Node
from fpgen.units.add import Add, Subtract
from fpgen.units.convert import Convert
from fpgen.units.fma import FusedMultiplyAdd
from fpgen.units.mac import Accumulate, MultiplyAccumulate
from fpgen.units.multiply import Multiply
from fpgen.units.rounded import RoundedUnit

from . import special_operands
from .accumulator import accumulate_exactly
from .boundary import Outputs, delivered, rounding_of
from .cores import operand_alone, product, product_plus, total
from .rounder import Mode, Target, round_and_pack
from .unpack import Operand, unpack


def _one(g: Graph) -> Operand:
    """The number 1: a sum of products is what results that wrap around are made by."""
    return unpack(g, g.const(1, 2), Format(bits=2, precision=2, signed=False, fixed=True), False, "one")


def operand(g: Graph, unit: RoundedUnit, name: str) -> Operand:
    return unpack(g, g.inputs[name], unit.operands[name], unit.subnormals.flush_inputs, name)


def multiply(g: Graph, unit: Multiply) -> Outputs:
    mode, target = rounding_of(g, unit)
    a, b = operand(g, unit, "a"), operand(g, unit, "b")
    if target.wraps:
        return delivered(g, unit, *exact(g, Inputs((a,), (b,)), mode, target))
    value = product(g, a, b, target)
    return delivered(g, unit, *round_and_pack(g, value, special_operands.of_product(g, a, b, value.sign), mode, target))


def convert(g: Graph, unit: Convert) -> Outputs:
    mode, target = rounding_of(g, unit)
    a = operand(g, unit, "source")
    if target.wraps:
        return delivered(g, unit, *exact(g, Inputs((a,), (_one(g),)), mode, target))
    value = operand_alone(g, a, target)
    return delivered(g, unit, *round_and_pack(g, value, special_operands.of_operand(g, a), mode, target))


def fma(g: Graph, unit: FusedMultiplyAdd) -> Outputs:
    mode, target = rounding_of(g, unit)
    a, b, c = (operand(g, unit, name) for name in "abc")
    return delivered(g, unit, *fused(g, a, b, c, mode, target))


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


def add(g: Graph, unit: Add) -> Outputs:
    mode, target = rounding_of(g, unit)
    a, b = operand(g, unit, "a"), operand(g, unit, "b")
    setting = unit.subtract
    if setting is not Subtract.OFF:
        flip = g.inputs["subtract"] if setting is Subtract.PORT else g.const(1, 1)
        b = dataclasses.replace(b, sign=g.step("b_sign", b.sign ^ flip), code=None)
    if target.wraps:
        inputs = Inputs((a,), (_one(g),), c=b, c_negated=setting is not Subtract.OFF)
        return delivered(g, unit, *exact(g, inputs, mode, target))
    value = total(g, a, b, mode, target)
    g.section("Special operands")
    both = special_operands.of_sum(g, special_operands.of_operand(g, a), special_operands.of_operand(g, b))
    return delivered(g, unit, *round_and_pack(g, value, both, mode, target))


def mac(g: Graph, unit: MultiplyAccumulate) -> Outputs:
    mode, target = rounding_of(g, unit)
    a, b = operand(g, unit, "a"), operand(g, unit, "b")
    clear = g.inputs["clear"]
    if unit.accumulate is Accumulate.EXACT:
        value, both = accumulate_exactly(g, unit, a, b, clear)
        return delivered(g, unit, *round_and_pack(g, value(target), both, mode, target))
    register = g.state("accumulator", unit.out.bits)
    g.section("Choose what to add to")
    base = g.mux(clear, g.const(0, register.width), register)
    if "load" in g.inputs:
        base = g.mux(g.inputs["load"], g.inputs["c"], base)
    c = unpack(g, g.step("base", base), unit.out, unit.subnormals.flush_inputs, "base")
    code, flags = fused(g, a, b, c, mode, target)
    g.next_state(register, code)
    return delivered(g, unit, code, flags)
