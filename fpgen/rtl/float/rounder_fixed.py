"""Rounding to fixed point: round the magnitude, compare it with the range, negate.

The positioned significand has one bit more than the largest magnitude needs, so `steps` above 0
is always out of range. Out of range is NV alone (IEEE 754-2019, 5.8).
"""

from __future__ import annotations

from ..arith import prefix
from ..graph import Graph, Node
from .rounder import Mode, Positioned, Special, Target, _increment


def round_to_fixed(g: Graph, value: Positioned, special: Special, mode: Mode, target: Target) -> tuple[Node, Node]:
    """As `rounder.round_and_pack`, for a two's-complement or unsigned output."""
    out = target.out
    sign = value.sign
    round_up = g.step("round_up", _increment(g, mode, sign, value.kept[0], value.fraction, value.sticky))
    rounded = prefix.increment(g, value.kept, round_up, "rounded")
    most, least = out.max_finite_code, -out.value(out.min_finite_code) / 2**out.scale if out.scale >= 0 else (
        -out.value(out.min_finite_code) * 2**-out.scale)
    # (`steps` says nothing about an exact zero, whose top bit is clear.)
    beyond = value.kept[-1] & value.steps.at_least(1)
    above = beyond | ~rounded.less(most + 1)
    below = beyond | ~rounded.less(int(least) + 1)
    over = g.step("out_of_range", g.mux(sign, below, above) & ~special.infinity)
    infinite_low = special.infinity & special.infinity_sign
    infinite_high = special.infinity & ~special.infinity_sign
    to_most = g.step("to_highest", special.nan | infinite_high | (over & ~sign))
    to_least = g.step("to_lowest", ~special.nan & (infinite_low | (over & sign)))
    number = ~(special.nan | special.infinity | over)
    width = out.bits
    negated = g.add(rounded[:width] ^ sign.repeat(width), sign.zext(width)) if out.signed else rounded[:width]
    code = g.step("code", g.mux(to_most, g.const(most, width),
                                g.mux(to_least, g.const(out.min_finite_code, width), negated)))
    if not target.flags:
        return code, g.const(0, 5)
    inexact = (value.fraction.any() | value.sticky) & number
    never = g.const(0, 1)
    invalid = special.invalid | special.nan | special.infinity | over
    return code, g.cat(g.step("flag_nx", inexact), never, never, never, g.step("flag_nv", invalid))
