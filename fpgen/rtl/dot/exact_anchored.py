"""One block plus an addend: the sum of products stays in place, the addend is aligned beside it and joins last.

::

    | c c c c | gap |     V     | below |j       the addend at its leftmost; j = OR of the bits lost
               top of V ^

As in `float.cores.product_plus`, but V is a sum: that it is 0 is known only when it has been summed. Then
the addend stands alone, at the window's top.
"""

from __future__ import annotations

from dataclasses import replace

from fpgen.rtl.arith import shift
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float.cores import bits_below, gap_above
from fpgen.rtl.float.float_position import position_counted
from fpgen.rtl.float.rounder import Positioned, Target
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph

from .dot_terms import magnitude_of_sum
from .scaled_dot import Block, less_one


def _below(block: Block, c: Operand, target: Target) -> int:
    """Bits below V's last one; V has at least one significant bit, when it is not 0."""
    low = block.window.low + sum(scale.exponent.low for scale in block.scales)
    high = block.window.low + sum(scale.exponent.high for scale in block.scales)
    return max(0, bits_below([(1, low, high)], c, target))


def width(block: Block, c: Operand, target: Target) -> int:
    """Bits of the sum."""
    return c.significand.width + gap_above(c, target) + block.window.width + _below(block, c, target) + 1


def anchored(g: Graph, block: Block, c: Operand, target: Target) -> Positioned:
    """V * 2**exponent + c, or where the scales' sign is minus, -(V * 2**exponent - c)."""
    g.section("Align the addend")
    minus = block.sign
    c = replace(c, sign=c.sign ^ minus)
    exponent = block.exponent(g)
    below, gap = _below(block, c, target), gap_above(c, target)
    addend_width, sum_width = c.significand.width, block.window.width - 1
    window = addend_width + gap + sum_width + below
    leftmost = exponent + (sum_width + gap)  # of the addend's last bit, with the addend at the window's top
    distance = (leftmost - c.exponent).settled("alignment")
    ahead = distance.less(0)
    if target.out.quantum_exponent < c.format.quantum_exponent:
        ahead = ahead & ~c.zero  # a zero addend must not hide a small sum
    leads = g.step("addend_leads", ahead)
    amount_width = max(1, max(distance.high, 0).bit_length())
    amount = Quantity(distance.bits(amount_width) & (~leads).repeat(amount_width), 0, max(distance.high, 0))
    most = min(amount.high, window)
    aligned, jam = shift.shift_right_sticky(g, c.significand, amount.saturated(most, "align_by").node, window, most)
    loses = amount.high > window - addend_width
    beneath = g.cat(jam, aligned) if loses else aligned
    under = below + int(loses)  # bits of the window under V's last one

    # V - 1 in carry-save form above `under`; the addend's complement wants 1 more at its last bit:
    #     under V:  -1 + s  =  ~s ~s ~s ... and s at V's last bit
    first, second = less_one(g, block, window + 1 - below)
    g.section("Add the addend")
    y = g.step("addend", beneath.zext(beneath.width + 1) ^ c.sign.repeat(beneath.width + 1))
    upper = y[under:]
    half = g.step("join_half", first ^ second)
    total = g.step("join_sum", half ^ upper)
    carry = g.step("join_carry", (first & second) | (half & upper))
    row_a, row_b = g.cat(total), g.cat(c.sign, carry[:-1])
    if under:
        row_a, row_b = g.cat(y[:under], total), g.cat((~c.sign).repeat(under), c.sign, carry[:-1])
    magnitude, below_one = magnitude_of_sum(g, row_a, row_b)
    sign = (below_one ^ minus) & magnitude.any()
    top = (c.exponent + (addend_width - 1)).choose(leads, leftmost + (addend_width - 1))
    if loses:
        # V is 0 where V - 1 is all ones.
        nothing = g.step("sum_is_zero", half[: block.window.width].all())
        alone = c.significand.shifted(magnitude.width - addend_width)
        magnitude = g.step("magnitude_or_addend", g.mux(nothing, alone, magnitude))
        sign = g.mux(nothing, (c.sign ^ minus) & ~c.zero, sign)
        top = (c.exponent + (addend_width - 1)).choose(leads | nothing, leftmost + (addend_width - 1))
    t = (top + -target.emin).named("window_exponent")
    return position_counted(g, g.step("sign", sign), magnitude, t, target)
