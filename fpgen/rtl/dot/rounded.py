"""Sums that are rounded at every step: chains of fused multiply-adds, and trees of pairwise sums.

Every step ends in the one rounder, as a code of the intermediate format, which the next step decodes again.
The signs of zeros follow IEEE 754-2019, 6.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...units.blockdot import BlockDot
from ...units.dot import DotProduct
from ..float.cores import total
from ..float.rounder import Mode, Target, round_and_pack
from ..float.special import of_operand, of_sum
from ..float.unpack import Operand, unpack
from ..graph import Graph, Node
from .aligned import delivered, presum_of
from .inputs import Inputs
from .rounded_terms import Number, Product, terms_of


def chain(g: Graph, unit: DotProduct | BlockDot, inputs: Inputs, mode: Mode, target: Target) -> tuple[Node, Node]:
    """The terms added to the addend one by one."""
    between = Target(unit.intermediate, unit.semantics, False)
    addend, code = inputs.c, g.const(0, 1)
    for number, term in enumerate(terms_of(g, inputs, presum_of(unit))):
        if number:
            addend = _again(g, code, between)
        with g.scope(f"s{number}_"):
            if addend is None:
                value, both = term.alone(g, between), term.special(g)
            else:
                value = term.plus(g, addend, mode, between)
                g.section("Special operands")
                both = of_sum(g, term.special(g), of_operand(g, addend))
            code = round_and_pack(g, value, both, mode, between)[0]
    return delivered(g, code, mode, between, target), g.const(0, 5)


def tree(g: Graph, unit: DotProduct | BlockDot, inputs: Inputs, mode: Mode, target: Target) -> tuple[Node, Node]:
    """The terms of a group summed in pairs, halves first; the addend joins each group's sum."""
    between = Target(unit.intermediate, unit.semantics, False)
    presum = presum_of(unit)
    terms = terms_of(g, inputs, presum)
    size = min(unit.accumulate.group or unit.products, unit.products) // presum
    addend, code = inputs.c, g.const(0, 1)
    for start in range(0, len(terms), size):
        if start:
            addend = _again(g, code, between)
        code = _pairwise(g, terms[start : start + size], mode, between)
        if addend is not None:
            code = _sum(g, _again(g, code, between), addend, mode, between)
    return delivered(g, code, mode, between, target), g.const(0, 5)


def _again(g: Graph, code: Node, between: Target) -> Operand:
    """A rounded sum as an operand; what was just delivered is not flushed again."""
    return unpack(g, g.step("partial_sum", code), between.out, False, "partial")


def _sum(g: Graph, x: Operand, y: Operand, mode: Mode, target: Target) -> Node:
    """round(x + y), a code."""
    value = total(g, x, y, mode, target)
    g.section("Special operands")
    return round_and_pack(g, value, of_sum(g, of_operand(g, x), of_operand(g, y)), mode, target)[0]


def _leaf(g: Graph, term: Product | Number, mode: Mode, target: Target) -> Node:
    """round(term + +0), a code: a product of -0 becomes +0, but not toward minus infinity."""
    value = term.alone(g, target)
    kept = replace(value, sign=term.sign & (~term.zero | mode.down))
    return round_and_pack(g, kept, term.special(g), mode, target)[0]


def _pairwise(g: Graph, terms: Sequence[Product | Number], mode: Mode, target: Target) -> Node:
    """The rounded sum of halves, each rounded."""
    if len(terms) == 1:
        return _leaf(g, terms[0], mode, target)
    half = len(terms) // 2
    left, right = (_again(g, _pairwise(g, part, mode, target), target) for part in (terms[:half], terms[half:]))
    return _sum(g, left, right, mode, target)
