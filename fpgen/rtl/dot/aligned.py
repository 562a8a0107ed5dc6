"""Aligned sums, as tensor cores make them: products and addend brought to one exponent, cut, added exactly, rounded.

Groups follow one another: the rounded sum of one is the addend of the next, as a code of the intermediate format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from fpgen.formats import Format
from fpgen.formats.code_classes import NaN
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float.cores import operand_alone
from fpgen.rtl.float.float_position import position_counted
from fpgen.rtl.float.rounder import Mode, Positioned, Target, round_and_pack
from fpgen.rtl.float.special_operands import of_operand
from fpgen.rtl.float.unpack import Operand, unpack
from fpgen.rtl.graph import Graph, Node
from fpgen.units.accumulation import Accumulation, Addend, Split
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct

from . import special_terms
from .after import again, with_addend
from .aligned_terms import AlignedTerm, TermFamily, alone, dealt, families, grouped
from .aligned_window import Aligned, Summand, Top, WindowSum, add_up
from .inputs import Inputs


def aligned(g: Graph, unit: DotProduct | BlockDot, inputs: Inputs, mode: Mode, target: Target) -> tuple[Node, Node]:
    """The sum of one dot product; `special` and `inputs` as in the package."""
    record = unit.accumulate
    presum = presum_of(unit)
    whole = families(g, inputs, presum)
    addend: Operand | None = inputs.c
    between = Target(unit.intermediate, unit.semantics, False)
    spans = spans_of(record, whole, unit.products, presum)
    after = record.addend is Addend.AFTER
    several = sum(map(len, spans)) > 1
    code, number = g.const(0, 1), 0
    for span in spans:
        if number and after:
            addend = again(g, code, between)
        for position, group in enumerate(span):
            running = None if after else addend
            if position or (number and not after):
                running = unpack(g, g.step("group_sum", code), between.out, False, "sum")
            with g.scope(f"g{number}_" if several else ""):
                code = _group(g, record, group, running, mode, between)
            number += 1
        if after:
            code = with_addend(g, record, code, addend, mode, between)
    return delivered(g, code, mode, between, target), g.const(0, 5)


def spans_of(
    record: Accumulation, whole: Sequence[TermFamily], products: int, presum: int
) -> list[list[list[TermFamily]]]:
    """The terms of each span, in groups."""
    span, size = (min(given or products, products) // presum for given in (record.span, record.group))
    spans = grouped(whole, span)
    if record.interleave is None:
        return [grouped(part, size) for part in spans]
    assert record.span is not None and record.group is not None
    return [dealt(part, record.interleave // presum, record.span // record.group) for part in spans]


def presum_of(unit: DotProduct | BlockDot) -> int:
    """Products summed exactly into one term."""
    return unit.presum


def delivered(g: Graph, code: Node, mode: Mode, between: Target, target: Target) -> Node:
    """A sum as a code of the output."""
    source, out = between.out, target.out
    if source == out:
        return code
    if _wider(source, out):
        return g.cat(g.const(0, out.bits - source.bits), code)
    last = unpack(g, code, source, False, "sum")
    return round_and_pack(g, operand_alone(g, last, target), of_operand(g, last), mode, target)[0]


def _wider(source: Format, out: Format) -> bool:
    """Whether `out` is `source` with more trailing bits, so that a code needs zeros below it and nothing else."""
    return (
        out.nan is source.nan is NaN.IEEE
        and out.bits > source.bits
        and out.subnormals == source.subnormals
        and (out.exponent_bits, out.bias, out.signed) == (source.exponent_bits, source.bias, source.signed)
    )


def _group(
    g: Graph, record: Accumulation, group: Sequence[TermFamily], addend: Operand | None, mode: Mode, target: Target
) -> Node:
    """The rounded sum of a group, as a code."""
    g.section("Align")
    other = None if addend is None else alone(g, addend)
    match record.addend:
        case Addend.INSIDE | Addend.AFTER:  # (AFTER: there is none among a group's terms)
            total = _inside(g, record, group, other)
        case Addend.OUTSIDE:
            total = _split(g, record, group)
            if other is not None:
                total = _outside(g, record, total, other)
        case unknown:
            assert_never(unknown)
    g.section("Special operands")
    specials = [term.special for family in group for term in family.terms]
    both = special_terms.of_terms(g, [*specials, *([other.special] if other is not None else [])])
    return round_and_pack(g, _positioned(g, total, target), both, mode, target)[0]


def _positioned(g: Graph, total: WindowSum, target: Target) -> Positioned:
    """The sum's top bit weighs 2**(exponent - places + width - 1)."""
    exponent = total.top.exponent + (total.magnitude.width - 1 - total.places)
    return position_counted(g, total.sign, total.magnitude, exponent + -target.emin, target)


def _as_top(term: AlignedTerm) -> Top:
    return Top(term.exponent, term.zero)


def _entering(term: AlignedTerm, distance: Quantity, record: Accumulation, keep: int) -> Summand:
    return Summand(term.sign, term.magnitude, term.fraction, term.largest, distance, keep, record.treatment, term.name)


def _below(top: Top, other: Top, leads: Node) -> Quantity:
    """How far `other` lies below `top`; 0 where it leads."""
    gap = (top.exponent - other.exponent).settled()
    high = max(gap.high, 0)
    width = max(1, high.bit_length())
    return Quantity(gap.bits(width) & (~leads).repeat(width), 0, high)


def _inside(g: Graph, record: Accumulation, group: Sequence[TermFamily], addend: AlignedTerm | None) -> WindowSum:
    """Steps 1 to 3, the addend among the terms."""
    keep = record.fraction
    assert keep is not None
    terms = Aligned.of(g, group, record.clamp)
    if addend is None:
        return add_up(g, terms.summands(keep, record.treatment), terms.top, "sum")
    own = _as_top(addend).beside(terms.top)
    other = own.at_least(record.clamp)
    leads = g.step("addend_leads", other.above(terms.top))
    top = other.join(terms.top, leads)
    if other is own:
        distance = _below(terms.top, own, leads)
    else:
        distance = _below(top, own, g.const(0, 1))
    inside = terms.summands(keep, record.treatment, (other, leads))
    return add_up(g, [*inside, _entering(addend, distance, record, keep)], top, "sum")


def _split(g: Graph, record: Accumulation, group: Sequence[TermFamily]) -> WindowSum:
    """Steps 1 to 3 without the addend: in one piece, or odd and even terms by themselves."""
    keep = record.fraction
    assert keep is not None
    match record.split:
        case Split.NONE:
            terms = Aligned.of(g, group, record.clamp)
            return add_up(g, terms.summands(keep, record.treatment), terms.top, "products")
        case Split.ODD_EVEN:
            pass
        case unknown:
            assert_never(unknown)
    sums = []
    for name, half in (("even", _every_second(group, 0)), ("odd", _every_second(group, 1))):
        if half:
            terms = Aligned.of(g, half, record.clamp)
            sums.append(add_up(g, terms.summands(keep, record.treatment), terms.top, name))
    if len(sums) == 1:
        return sums[0]
    return _joined(g, record, sums[0], sums[1], keep, keep, "products")


def _every_second(group: Sequence[TermFamily], start: int) -> list[TermFamily]:
    """The terms of even index (`start` 0) or of odd index (1)."""
    found = []
    for family in group:
        if taken := family.terms[start::2]:
            found.append(replace(family, terms=taken))
        start = (start + len(family.terms)) % 2
    return found


def _joined(
    g: Graph,
    record: Accumulation,
    x: WindowSum,
    y: WindowSum,
    keep_x: int,
    keep_y: int,
    name: str,
    reach: int | None = None,
) -> WindowSum:
    """Two sums brought to the larger one's exponent; `y` is left out where it lies below by more than `reach`."""
    leads = g.step(f"{name}_second_leads", y.top.above(x.top))
    top = y.top.join(x.top, leads)
    down_y = _below(x.top, y.top, leads)
    down_x = _below(y.top, x.top, ~leads)
    magnitude = y.magnitude
    if reach is not None:
        magnitude = magnitude & down_y.less(reach + 1).repeat(magnitude.width)
    summands = []
    for part, word, distance, keep, which in (
        (x, x.magnitude, down_x, keep_x, "first"),
        (y, magnitude, down_y, keep_y, "second"),
    ):
        wide = word.zext(max(word.width, part.places + 1))
        summands.append(
            Summand(part.sign, wide, part.places, part.largest, distance, keep, record.join, f"{name}_{which}")
        )
    return add_up(g, summands, top, name)


def _outside(g: Graph, record: Accumulation, total: WindowSum, addend: AlignedTerm) -> WindowSum:
    """Step 4 with the addend outside."""
    keep_sum, keep_addend = record.sum_fraction or record.fraction, record.addend_fraction or record.fraction
    assert keep_sum is not None and keep_addend is not None
    other = WindowSum(addend.sign, addend.magnitude, addend.fraction, addend.largest, _as_top(addend).beside(total.top))
    return _joined(g, record, total, other, keep_sum, keep_addend, "sum", record.addend_reach)
