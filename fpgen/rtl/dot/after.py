"""Sums between the steps of an accumulation: decoded again, and added as any two numbers are."""

from __future__ import annotations

from dataclasses import replace

from fpgen.rtl.float.cores import total
from fpgen.rtl.float.rounder import Mode, Target, round_and_pack
from fpgen.rtl.float.special_operands import of_operand, of_sum
from fpgen.rtl.float.unpack import Operand, unpack
from fpgen.rtl.graph import Graph, Node
from fpgen.units.accumulation import Accumulation
from fpgen.units.options import Rounding


def again(g: Graph, code: Node, between: Target) -> Operand:
    """A rounded sum as an operand; what was just delivered is not flushed again."""
    return unpack(g, g.step("partial_sum", code), between.out, False, "partial")


def rounded_sum(g: Graph, x: Operand, y: Operand, mode: Mode, target: Target) -> Node:
    """round(x + y), a code."""
    value = total(g, x, y, mode, target)
    g.section("Special operands")
    return round_and_pack(g, value, of_sum(g, of_operand(g, x), of_operand(g, y)), mode, target)[0]


def with_addend(
    g: Graph, record: Accumulation, code: Node, addend: Operand | None, mode: Mode, between: Target
) -> Node:
    """``addend=after``: the sum of a span and the addend, rounded in a mode of its own where there is one."""
    if addend is None:
        return code
    g.section("Add the addend")
    own = record.addend_rounding
    if own is not None and own is not mode.semantics.rounding:
        mode, between = _in_mode(g, mode, between, own)
    return rounded_sum(g, again(g, code, between), addend, mode, between)


def _in_mode(g: Graph, mode: Mode, target: Target, rounding: Rounding) -> tuple[Mode, Target]:
    """The same semantics, in one rounding mode."""
    semantics = replace(mode.semantics, rounding=rounding, random_bits=0)
    return Mode.of(g, semantics, None, None), Target(target.out, semantics, False)
