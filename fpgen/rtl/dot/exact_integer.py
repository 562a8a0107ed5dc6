"""Exact sums in fixed point that holds every bit of them: the sum itself, without sign and magnitude, and no rounder.

What is left is the comparison with the output's range, where the sum can leave it and does not wrap around, and the
codes of NaN and infinity, where operands have those.
"""

from __future__ import annotations

from fpgen.rtl.arith import prefix
from fpgen.rtl.arith.quantity import bits_for
from fpgen.rtl.float.rounder import Special, Target
from fpgen.rtl.graph import Graph, Node

from .dot_terms import NETWORK
from .exact_span import rows_of_all, window_of_all
from .inputs import Inputs


def fits(inputs: Inputs, target: Target) -> bool:
    """Whether no bit of the sum lies below the output's last one."""
    return target.out.fixed and window_of_all(inputs).low >= target.out.scale


def integer(g: Graph, inputs: Inputs, special: Special, target: Target) -> tuple[Node, Node]:
    """The sum as a code, and flags: as `float.rounder_fixed.round_to_fixed`."""
    out, window = target.out, window_of_all(inputs)
    rows = rows_of_all(g, inputs, window)
    g.section("Sum")
    first, second = rows.reduce("sum_tree")
    width = bits_for(window.least, window.most)
    total = prefix.add(g, first[:width], second[:width], network=NETWORK, name="sum")
    if window.least >= 0:
        total = g.cat(total, g.const(0, 1))
    total = total.shifted(window.low - out.scale)
    g.section(f"Deliver as {out}")
    negative = total[-1]
    above = below = g.const(0, 1)
    width, bits = max(total.width, out.bits + 1), out.bits
    places = 2 ** (window.low - out.scale)
    sum_ = total.sext(width)
    if window.most * places > out.max_finite_code:
        above = ~negative & sum_[out.magnitude_bits :].any()
    least = -int(out.value(out.min_finite_code) / out.value(1)) if out.signed else 0
    if window.least * places < -least:
        # (A symmetric format leaves out one code more.)
        below = negative & ~sum_[out.magnitude_bits :].all() if out.signed else negative
        if out.symmetric:
            below = below | (negative & sum_[: out.magnitude_bits].none())
    over = g.step("out_of_range", (above | below) & ~special.infinity)
    saturates = g.const(0, 1) if target.wraps else over
    to_most = g.step("to_highest", special.nan | (special.infinity & ~special.infinity_sign) | (saturates & ~negative))
    to_least = g.step("to_lowest", ~special.nan & ((special.infinity & special.infinity_sign) | (saturates & negative)))
    code = g.mux(
        to_most, g.const(out.max_finite_code, bits), g.mux(to_least, g.const(out.min_finite_code, bits), sum_[:bits])
    )
    if not target.flags:
        return code, g.const(0, 5)
    never = g.const(0, 1)
    invalid = special.invalid | special.nan | special.infinity | over
    return code, g.cat(never, never, never, never, g.step("flag_nv", invalid))
