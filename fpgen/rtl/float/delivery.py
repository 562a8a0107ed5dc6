"""From a rounded magnitude to the code and the flags that are delivered: overflow, flushing, signs, special results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from fpgen.formats.code_classes import NaN
from fpgen.formats.descriptor import Format
from fpgen.rtl.graph import Graph, Node
from fpgen.units.options import Overflow

from .rounder_inputs import Mode, Special, Target


@dataclass(frozen=True)
class Rounded:
    """A rounded magnitude, and what is known of the value it comes from.

    Attributes
    ----------
    magnitude : Node
        The code without its sign, right where nothing below says otherwise.
    sign : Node
    over : Node
        1 when it exceeds the largest finite value.
    away : Node
        1 when that leaves the finite numbers (`overflow_away`).
    tiny, some, inexact : Node
        1 when the value is below the normal numbers, is not zero, is not the rounded one.
    flushed : Node
        1 when a tiny result becomes zero.
    below_least : Node
        1 when the least code stands for something smaller, in formats without zero.
    wrong_sign : Node
        1 when it is negative and the output unsigned.
    raised_to_zero : Node
        1 when SatNone delivers the lowest value for such a result.
    """

    magnitude: Node
    sign: Node
    over: Node
    away: Node
    tiny: Node
    some: Node
    inexact: Node
    flushed: Node
    below_least: Node
    wrong_sign: Node
    raised_to_zero: Node


def overflow_away(g: Graph, mode: Mode, policy: Overflow, sign: Node, out: Format) -> Node:
    """1 when a number that is too large leaves the finite numbers, where the policy has anything beyond them."""
    away = mode.nearest | mode.away_from_zero(sign)
    match policy:
        case Overflow.IEEE | Overflow.SATURATE | Overflow.PROPAGATE | Overflow.WRAP:
            return away
        case Overflow.SATNONE:
            return away | mode.odd if out.signed else away
        case Overflow.SATNONE_D1:
            return away | mode.odd
        case Overflow.INFINITE:
            return g.const(1, 1)
        case unknown:
            assert_never(unknown)


def _keeps_infinity(policy: Overflow, out: Format) -> bool:
    """Whether an infinite exact result is delivered as an infinity."""
    match policy:
        case Overflow.IEEE | Overflow.INFINITE | Overflow.PROPAGATE | Overflow.SATNONE | Overflow.SATNONE_D1:
            return out.has_infinity
        case Overflow.SATURATE | Overflow.WRAP:
            return False
        case unknown:
            assert_never(unknown)


def deliver(g: Graph, rounded: Rounded, special: Special, target: Target) -> Node:
    """The code of a result."""
    out, semantics = target.out, target.semantics
    gives_infinity = semantics.overflow.gives_infinity(out)
    width = out.magnitude_bits
    ones = (1 << width) - 1
    never = g.const(0, 1)
    # Each special code, and when it is delivered (the conditions exclude each other).
    codes: dict[int, Node] = {}

    def choose(code: int, when: Node) -> None:
        codes[code] = codes.get(code, never) | when

    number = ~special.nan & ~rounded.wrong_sign
    infinite = special.infinity & number
    over = rounded.over & ~special.infinity & number
    largest = out.max_finite_code
    nan_magnitude = out.nan_code & ones if out.has_nan else largest
    choose(nan_magnitude, special.nan)
    if gives_infinity:
        huge = out.infinity_code if out.has_infinity else nan_magnitude
        choose(huge, infinite | (over & rounded.away))
        choose(largest, over & ~rounded.away)
    else:
        choose(out.infinity_code if _keeps_infinity(semantics.overflow, out) else largest, infinite)
        choose(largest, over)
    if semantics.overflow.sat_none and out.has_nan:
        choose(nan_magnitude, rounded.wrong_sign & ~rounded.raised_to_zero)
        choose(0, rounded.wrong_sign & rounded.raised_to_zero)
    else:
        choose(nan_magnitude if semantics.overflow.says_not_a_value and out.has_nan else 0, rounded.wrong_sign)
    if out.zero:
        choose(0, rounded.flushed & number & ~special.infinity)
    forced = never
    for when in codes.values():
        forced = forced | when
    forced = g.step("forced", forced)
    result = rounded.magnitude & (~forced).repeat(width)
    for code, when in codes.items():
        if code:
            result = result | (when.repeat(width) & g.const(code, width))
    result = g.step("magnitude", result)
    if not out.signed:
        return result
    to_nan = special.nan
    if gives_infinity and not out.has_infinity:
        to_nan = to_nan | infinite | (over & rounded.away)  # this overflow is a NaN
    result_sign = g.mux(special.infinity, special.infinity_sign, rounded.sign) & ~to_nan
    if out.nan is NaN.NEGATIVE_ZERO:
        # There is no minus zero; its code is NaN (whose magnitude is 0).
        nonzero = result.any() | to_nan
        result_sign = (result_sign | to_nan) & nonzero
    return g.cat(result, g.step("result_sign", result_sign))


def flags_of(g: Graph, rounded: Rounded, special: Special, target: Target) -> Node:
    """{NV, DZ, OF, UF, NX} of a result, NX the least significant."""
    out, semantics = target.out, target.semantics
    keeps_infinity = _keeps_infinity(semantics.overflow, out)
    number = ~(special.nan | special.infinity | rounded.wrong_sign)
    invalid = special.invalid | rounded.wrong_sign
    if not keeps_infinity:
        invalid = invalid | (special.infinity & ~special.nan)
    if not out.has_nan:
        invalid = invalid | special.nan
    overflow = rounded.over & number
    inexact = rounded.inexact
    underflow = (
        (rounded.tiny & inexact | rounded.flushed | (rounded.below_least & rounded.some)) & ~rounded.over & number
    )
    if target.flushes:
        inexact = inexact | rounded.flushed
    if not out.zero:
        inexact = inexact | rounded.below_least
    nx = (inexact | rounded.over) & number
    return g.cat(
        g.step("flag_nx", nx),
        g.step("flag_uf", underflow),
        g.step("flag_of", overflow),
        special.dz,
        g.step("flag_nv", invalid),
    )
