"""The one rounder: from a positioned significand to a code and its flags.

Every unit ends here. The significand arrives positioned for the output format::

      kept (K bits)          fraction (F bits)    sticky
    | 1 x x x x x x x x x x | g n ...           | OR of the rest |
      ^ weight 2**(emin + steps), so `steps` = 0 and a clear top bit mean a subnormal

so rounding is one increment of the code itself: the carry out of the trailing
significand moves into the exponent (largest subnormal to smallest normal,
largest binade to infinity) without a case of its own.
"""

from __future__ import annotations

from fpgen.formats.code_classes import Infinity
from fpgen.formats.descriptor import Format
from fpgen.rtl.arith import prefix
from fpgen.rtl.graph import Graph, Node

from .delivery import Rounded, deliver, flags_of, overflow_away
from .increment import increment
from .rounder_fixed import round_to_fixed
from .rounder_inputs import Mode, Positioned, Special, Target

__all__ = ["Mode", "Positioned", "Special", "Target", "round_and_pack"]


def round_and_pack(g: Graph, value: Positioned, special: Special, mode: Mode, target: Target) -> tuple[Node, Node]:
    """Round, handle overflow and special results, and assemble the code.

    Returns
    -------
    (code, flags) : tuple of Node
        `flags` is {NV, DZ, OF, UF, NX}, NX the least significant.
    """
    g.section(f"Round to {target.out}")
    if target.out.fixed:
        return round_to_fixed(g, value, special, mode, target)
    out, never = target.out, g.const(0, 1)
    sign = value.sign
    trailing = out.trailing_bits
    lead = value.kept[-1]

    # The code before rounding. `next_field` is right when the top bit is set; otherwise the field is 0.
    highest_field = (out.max_finite_code >> trailing) + (0 if out.zero else 1)
    field_above = (value.steps + 1).named("exponent_field_above")
    # (`steps` does not describe an exact zero, whose top bit is clear.)
    beyond = g.step("beyond_range", lead & field_above.at_least(highest_field + 1))
    room = out.exponent_bits + (0 if out.zero else 1)
    field = field_above.bits(room) & lead.repeat(room)
    unrounded = g.cat(value.kept[:trailing], field) if trailing else field
    g.step("unrounded", unrounded)
    fraction = value.fraction
    last = unrounded[0] if out.zero or trailing else ~unrounded[0]
    # With `looks_below` the last fraction bit only serves the tininess decision and is sticky here.
    round_up = g.step("round_up", increment(g, mode, sign, last, fraction, value.sticky))
    inexact = fraction.any() | value.sticky
    rounded = prefix.increment(g, unrounded, round_up, "rounded")

    # Overflow: judged on the rounded code.
    policy = target.semantics.overflow
    away = g.step("overflow_away", overflow_away(g, mode, policy, sign, out))
    over = _overflow(g, rounded, beyond, round_up, target, mode)
    tiny = never
    if target.looks_below:
        tiny = _tiny_after(g, mode, value, sign, out)
    elif target.flags or target.flushes:
        tiny = ~lead
    some = lead | (value.kept[:-1].any() if value.kept.width > 1 else never) | inexact
    below_least = never
    magnitude = rounded[: out.magnitude_bits]
    if not out.zero:
        magnitude, below_least = _without_zero(g, rounded, trailing, out)
    flushed = never
    if target.flushes:
        flushed = g.step("flushed", tiny & some)
        over = over & ~flushed  # both only where every finite value is subnormal
    result_zero = g.step("rounds_to_zero", rounded.none())
    wrong_sign = raised_to_zero = never
    if not out.signed:
        below_zero = sign & (~result_zero | over) & ~flushed
        wrong_sign = g.step("below_unsigned", g.mux(special.infinity, special.infinity_sign, below_zero) & ~special.nan)
        if policy.sat_none:
            raised_to_zero = g.step("raised_to_zero", mode.negative_toward_zero & ~special.infinity)

    result = Rounded(
        magnitude=magnitude,
        sign=sign,
        over=over,
        away=away,
        tiny=tiny,
        some=some,
        inexact=inexact,
        flushed=flushed,
        below_least=below_least,
        wrong_sign=wrong_sign,
        raised_to_zero=raised_to_zero,
    )
    code = deliver(g, result, special, target)
    return code, flags_of(g, result, special, target) if target.flags else g.const(0, 5)


def _overflow(g: Graph, rounded: Node, beyond: Node, round_up: Node, target: Target, mode: Mode) -> Node:
    """1 when the rounded magnitude exceeds the largest finite value."""
    out, semantics = target.out, target.semantics
    always_nearest = mode.nearest.constant == 1
    if out.infinity is Infinity.IEEE and semantics.overflow.gives_infinity(out) and always_nearest and not target.flags:
        return beyond  # a carry out of the largest finite code is the code of infinity already
    ones = (1 << out.trailing_bits) - 1
    if round_up.constant == 0 and out.max_finite_code & ones == ones:
        return beyond  # without a carry, what exceeds a whole last binade has its exponent beyond it
    if out.zero:
        largest = out.max_finite_code
        if largest + 1 == 1 << out.magnitude_bits:
            exceeds = rounded[out.magnitude_bits :].any()
        else:
            exceeds = ~rounded.less(largest + 1)
    else:
        exceeds = ~rounded.less(out.max_finite_code + (1 << out.trailing_bits) + 1)
    return g.step("overflow", beyond | exceeds)


def _tiny_after(g: Graph, mode: Mode, value: Positioned, sign: Node, out: Format) -> Node:
    """Tiny: below the smallest normal even when rounded with an unbounded exponent (IEEE 754-2019, 7.5 a).

    With a clear top bit, rounding one place lower reaches the smallest normal only from all ones. With
    precision 1 those are the power of two below the smallest normal, whose code (1, or 0 in a format
    without zero) says which of the two is even.
    """
    lead = value.kept[-1]
    trailing = out.trailing_bits
    ones = value.fraction[-1] & (value.kept[:trailing].all() if trailing else g.const(1, 1))
    last = g.const(0 if out.zero and not trailing else 1, 1)
    reaches = ones & increment(g, mode, sign, last, value.fraction[:-1], value.sticky)
    return g.step("tiny", ~lead & ~reaches)


def _without_zero(g: Graph, rounded: Node, trailing: int, out: Format) -> tuple[Node, Node]:
    """Formats whose exponent field 0 is a binade: the code is one binade less; what is below is the least code."""
    field = rounded[trailing:]
    below = g.step("below_least", field.none())
    lowered = field.sub(1, field.width)
    code = g.cat(rounded[:trailing], lowered) if trailing else lowered
    code = code[: out.magnitude_bits] & (~below).repeat(out.magnitude_bits)
    return code, below
