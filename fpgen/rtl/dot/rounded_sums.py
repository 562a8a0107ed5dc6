"""Sums that are rounded at every step: chains of fused multiply-adds, and trees of pairwise sums.

Every step ends in the one rounder, as a code of the intermediate format, which the next step decodes again.
The signs of zeros follow IEEE 754-2019, 6.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from fpgen.rtl.float.rounder import Mode, Target, round_and_pack
from fpgen.rtl.float.special_operands import of_operand, of_sum
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node
from fpgen.units.accumulation import Accumulation, Addend, Split
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct

from .after import again, rounded_sum, with_addend
from .aligned import delivered, presum_of
from .inputs import Inputs
from .rounded_terms import Number, ProductTerm, terms_of


def chain(g: Graph, unit: DotProduct | BlockDot, inputs: Inputs, mode: Mode, target: Target) -> tuple[Node, Node]:
    """The terms added to the addend one by one, or in spans beside it."""
    between = Target(unit.intermediate, unit.semantics, False)
    record, presum = unit.accumulate, presum_of(unit)
    terms = terms_of(g, inputs, presum)
    match record.addend:
        case Addend.AFTER:
            pass
        case Addend.INSIDE:  # the chain begins with it
            return delivered(g, _chained(g, terms, inputs.c, "s", mode, between), mode, between, target), g.const(0, 5)
        case Addend.OUTSIDE:
            raise ValueError("a chain: got addend=outside; expected inside or after")
        case unknown:
            assert_never(unknown)
    addend, code = inputs.c, g.const(0, 1)
    size = min(record.span or unit.products, unit.products) // presum
    for start in range(0, len(terms), size):
        if start:
            addend = again(g, code, between)
        with g.scope(f"p{start // size}_" if size < len(terms) else ""):
            code = _span(g, record, terms[start : start + size], mode, between)
            code = with_addend(g, record, code, addend, mode, between)
    return delivered(g, code, mode, between, target), g.const(0, 5)


def _span(g: Graph, record: Accumulation, terms: Sequence[ProductTerm | Number], mode: Mode, between: Target) -> Node:
    """The sum of a span that begins at +0: one chain, or one of even and one of odd terms."""
    split = record.split if len(terms) > 1 else Split.NONE
    match split:
        case Split.NONE:
            return _chained(g, terms[1:], None, "s", mode, between, _leaf(g, terms[0], mode, between))
        case Split.ODD_EVEN:
            even, odd = (
                _chained(g, terms[start + 2 :: 2], None, name, mode, between, _leaf(g, terms[start], mode, between))
                for start, name in enumerate(("even", "odd"))
            )
            return rounded_sum(g, again(g, even, between), again(g, odd, between), mode, between)
        case unknown:
            assert_never(unknown)


def _chained(
    g: Graph,
    terms: Sequence[ProductTerm | Number],
    addend: Operand | None,
    name: str,
    mode: Mode,
    between: Target,
    code: Node | None = None,
) -> Node:
    """Terms added one by one to the addend, or to the sum `code`."""
    for number, term in enumerate(terms):
        if code is not None:
            addend = again(g, code, between)
        with g.scope(f"{name}{number}_"):
            if addend is None:
                value, both = term.alone(g, between), term.special(g)
            else:
                value = term.plus(g, addend, mode, between)
                g.section("Special operands")
                both = of_sum(g, term.special(g), of_operand(g, addend))
            code = round_and_pack(g, value, both, mode, between)[0]
    assert code is not None
    return code


def tree(g: Graph, unit: DotProduct | BlockDot, inputs: Inputs, mode: Mode, target: Target) -> tuple[Node, Node]:
    """The terms of a group summed in pairs, halves first; the addend joins each group's sum."""
    between = Target(unit.intermediate, unit.semantics, False)
    presum = presum_of(unit)
    terms = terms_of(g, inputs, presum)
    size = min(unit.accumulate.group or unit.products, unit.products) // presum
    addend, code = inputs.c, g.const(0, 1)
    for start in range(0, len(terms), size):
        if start:
            addend = again(g, code, between)
        code = _pairwise(g, terms[start : start + size], mode, between)
        if addend is not None:
            code = rounded_sum(g, again(g, code, between), addend, mode, between)
    return delivered(g, code, mode, between, target), g.const(0, 5)


def _leaf(g: Graph, term: ProductTerm | Number, mode: Mode, target: Target) -> Node:
    """round(term + +0), a code: a product of -0 becomes +0, but not toward minus infinity."""
    value = term.alone(g, target)
    kept = replace(value, sign=term.sign & (~term.zero | mode.down))
    return round_and_pack(g, kept, term.special(g), mode, target)[0]


def _pairwise(g: Graph, terms: Sequence[ProductTerm | Number], mode: Mode, target: Target) -> Node:
    """The rounded sum of halves, each rounded."""
    if len(terms) == 1:
        return _leaf(g, terms[0], mode, target)
    half = len(terms) // 2
    left, right = (again(g, _pairwise(g, part, mode, target), target) for part in (terms[:half], terms[half:]))
    return rounded_sum(g, left, right, mode, target)
