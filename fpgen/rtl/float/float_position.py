"""Normalise, or denormalise, by one left shift.

A window holds the exact (jammed) significand; its top bit weighs ``2**(emin + t)``
for a signed `t`. The result must have its leading one at the top, unless that
would take the exponent below `emin`: so the window moves left by
``min(leading zeros, t)``. Where `t` can be negative the window grows zeros at
its top, which makes a right shift a smaller left shift::

    t >= 0         | 0 0 0 1 x x x x x |     << min(lz, t)
    t < 0    | 0 0 0 | 0 0 0 1 x x x x x |   << min(lz + R, t + R),  R zeros
"""

from __future__ import annotations

from fpgen.rtl.arith import count, shift
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.graph import Graph, Node

from .rounder import Positioned, Target


def _reach(target: Target, t: Quantity) -> int:
    """R: zeros to put on top. Lower still, every bit is sticky."""
    return max(0, min(-t.low, target.kept + target.fraction))


def _split(g: Graph, window: Node, target: Target) -> tuple[Node, Node, Node]:
    """Cut a positioned window into kept bits, fraction and sticky."""
    wanted = target.kept + target.fraction
    if window.width < wanted:
        window = g.cat(g.const(0, wanted - window.width), window)
    sticky = window[: window.width - wanted].any() if window.width > wanted else g.const(0, 1)
    kept = g.step("kept", window[window.width - target.kept :])
    fraction = window[window.width - wanted : window.width - target.kept]
    return kept, fraction, g.step("sticky", sticky)


def position_counted(g: Graph, sign: Node, window: Node, t: Quantity, target: Target) -> Positioned:
    """Count the leading zeros of the window itself (sums).

    A marker bit stands where the exponent reaches `emin`: the count stops there by itself.
    """
    g.section("Normalise")
    reach = _reach(target, t)
    if reach:
        window = g.cat(window, g.const(0, reach))
    limit = (t + reach).floored("shift_limit")
    marked = window
    if limit.low < window.width:
        marker = _one_hot_from_top(g, limit, window.width)
        marked = g.step("marked", window | marker)
    zeros, _ = count.leading_zeros(g, marked, "shift")
    most = min(window.width - 1, limit.high)
    shifted = shift.shift_left(g, window, zeros, most, "normalised")
    # For an all-zero window without marker the count means nothing, and neither do the steps.
    steps = Quantity(limit.node, limit.low, limit.high) - Quantity(zeros, 0, most)
    steps = Quantity(steps.node, 0, limit.high) if steps.low >= 0 else _non_negative(g, steps, limit)
    kept, fraction, sticky = _split(g, shifted, target)
    return Positioned(sign, steps.named("steps"), kept, fraction, sticky)


def _non_negative(g: Graph, steps: Quantity, limit: Quantity) -> Quantity:
    """The marker guarantees that the count never passes the limit; so narrow the range accordingly."""
    width = max(1, limit.high.bit_length())
    return Quantity(steps.node[:width], 0, limit.high)


def _one_hot_from_top(g: Graph, limit: Quantity, width: int) -> Node:
    """Bit ``width - 1 - limit`` set, where that is a bit; from two half-decoders."""
    node = limit.bits(max(1, limit.high.bit_length()))
    used = (width - 1).bit_length()
    in_range = node[used:].none() if node.width > used else g.const(1, 1)
    node = node.fit(max(used, 1))
    low_bits = (used + 1) // 2
    low = [node[:low_bits].equals(i) for i in range(1 << low_bits)] if low_bits else [g.const(1, 1)]
    high_count = 1 << (used - low_bits)
    high = [(node[low_bits:used].equals(i) if used > low_bits else g.const(1, 1)) & in_range for i in range(high_count)]
    bits = [high[i >> low_bits] & low[i & ((1 << low_bits) - 1)] for i in range(width)]
    if limit.low > 0:
        bits[: limit.low] = [g.const(0, 1)] * min(limit.low, width)
    return g.step("limit_marker", g.cat(*reversed(bits)))


def position_known(
    g: Graph, sign: Node, window: Node, t: Quantity, zeros: Quantity, slack: int, target: Target
) -> Positioned:
    """Shift by a count that is known early: it is right, or `slack` (0 or 1) too small (products, conversions)."""
    g.section("Normalise")
    reach = _reach(target, t)
    limit = (t + reach).floored("shift_limit")
    if reach:
        window = g.cat(window, g.const(0, reach))
    wish = (zeros + reach).settled()
    amount = wish.minimum(limit)
    g.step("shift", amount.node)
    shifted = shift.shift_left(g, window, amount.bits(max(1, amount.high.bit_length())), amount.high, "normalised")
    steps = limit - amount
    most = limit.high - min(amount.low, limit.high)
    steps = Quantity(steps.node[: max(1, most.bit_length())], 0, most)
    if slack:
        again = g.step("one_more", wish.less(limit) & ~shifted[-1])
        shifted = g.step("normalised", g.mux(again, g.cat(g.const(0, 1), shifted[:-1]), shifted))
        fewer = Quantity((steps.node.sub(1, steps.node.width)), 0, steps.high)
        steps = Quantity(g.mux(again, fewer.node, steps.node), 0, steps.high)
    kept, fraction, sticky = _split(g, shifted, target)
    return Positioned(sign, steps.named("steps"), kept, fraction, sticky)
