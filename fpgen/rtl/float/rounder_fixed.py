"""Rounding to fixed point: round the magnitude, compare it with the range, negate.

The positioned significand has one bit more than the largest magnitude needs, so `steps` above 0
is always out of range. Out of range is NV alone (IEEE 754-2019, 5.8).

Results that wrap around come in a window that holds all of them (`in_window`), in which `kept` is as wide as it takes
and `steps` is 0.
"""

from __future__ import annotations

from fpgen.rtl.arith import prefix
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.graph import Graph, Node

from .increment import increment
from .rounder_inputs import Mode, Positioned, Special, Target


def round_to_fixed(g: Graph, value: Positioned, special: Special, mode: Mode, target: Target) -> tuple[Node, Node]:
    """As `rounder.round_and_pack`, for a two's-complement or unsigned output."""
    out = target.out
    sign = value.sign
    round_up = g.step("round_up", increment(g, mode, sign, value.kept[0], value.fraction, value.sticky))
    rounded = prefix.increment(g, value.kept, round_up, "rounded")
    most, least = (
        out.max_finite_code,
        -out.value(out.min_finite_code) / 2**out.scale
        if out.scale >= 0
        else (-out.value(out.min_finite_code) * 2**-out.scale),
    )
    # (`steps` does not describe an exact zero, whose top bit is clear.)
    beyond = value.kept[-1] & value.steps.at_least(1)
    above = beyond | ~rounded.less(most + 1)
    below = beyond | ~rounded.less(int(least) + 1)
    over = g.step("out_of_range", g.mux(sign, below, above) & ~special.infinity)
    infinite_low = special.infinity & special.infinity_sign
    infinite_high = special.infinity & ~special.infinity_sign
    saturates = g.const(0, 1) if target.wraps else over
    to_most = g.step("to_highest", special.nan | infinite_high | (saturates & ~sign))
    to_least = g.step("to_lowest", ~special.nan & (infinite_low | (saturates & sign)))
    number = ~(special.nan | special.infinity | over)
    width = out.bits
    negates = out.signed or target.wraps
    negated = g.add(rounded[:width] ^ sign.repeat(width), sign.zext(width)) if negates else rounded[:width]
    code = g.step(
        "code", g.mux(to_most, g.const(most, width), g.mux(to_least, g.const(out.min_finite_code, width), negated))
    )
    if not target.flags:
        return code, g.const(0, 5)
    inexact = (value.fraction.any() | value.sticky) & number
    never = g.const(0, 1)
    invalid = special.invalid | special.nan | special.infinity | over
    return code, g.cat(g.step("flag_nx", inexact), never, never, special.dz, g.step("flag_nv", invalid))


def in_window(g: Graph, sign: Node, magnitude: Node, low: int, target: Target) -> Positioned:
    """``magnitude * 2**low`` cut at the output's last place, all bits above it kept."""
    if low > target.out.scale:
        magnitude, low = magnitude.shifted(low - target.out.scale), target.out.scale
    below = target.out.scale - low
    whole = magnitude[below:] if below < magnitude.width else g.const(0, 1)
    kept = whole.zext(max(whole.width, target.out.bits))
    lost = magnitude[: min(below, magnitude.width)] if below else g.const(0, 1)
    lost = lost.zext(max(below, 1))
    if lost.width < target.fraction:
        lost = g.cat(g.const(0, target.fraction - lost.width), lost)
    under = lost.width - target.fraction
    sticky = lost[:under].any() if under else g.const(0, 1)
    return Positioned(sign, Quantity.constant(g, 0), g.step("kept", kept), lost[under:], g.step("sticky", sticky))
