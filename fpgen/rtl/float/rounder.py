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

from dataclasses import dataclass

from fpgen.formats.descriptor import Format, Infinity, NaN
from fpgen.rtl.arith import prefix
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.graph import Graph, Node
from fpgen.units.options import PORT_CODES, Overflow, Rounding, Semantics, Tininess


@dataclass(frozen=True)
class Mode:
    """The rounding mode as signals; constants where it is fixed.

    Attributes
    ----------
    away, odd, up, down, nearest_away : Node
        1 for RNA, RTO, RUP, RDN; `nearest` for RNE, RNA and the stochastic modes.
    random : Node or None
    """

    semantics: Semantics
    nearest: Node
    nearest_away: Node
    odd: Node
    up: Node
    down: Node
    random: Node | None

    @staticmethod
    def of(g: Graph, semantics: Semantics, port: Node | None, random: Node | None) -> Mode:
        rounding = semantics.rounding

        def chosen(mode: Rounding) -> Node:
            if rounding is Rounding.PORT:
                assert port is not None
                return g.step(f"round_{mode.value}", port.equals(PORT_CODES[mode]))
            return g.const(int(rounding is mode), 1)

        up, down, odd = chosen(Rounding.RUP), chosen(Rounding.RDN), chosen(Rounding.RTO)
        toward_zero, nearest_away = chosen(Rounding.RTZ), chosen(Rounding.RNA)
        nearest = ~(up | down | odd | toward_zero)
        return Mode(semantics, nearest, nearest_away, odd, up, down, random)

    def away_from_zero(self, sign: Node) -> Node:
        """1 when a directed mode moves a number of this sign away from zero."""
        return (self.up & ~sign) | (self.down & sign)

    @property
    def negative_toward_zero(self) -> Node:
        """1 when the mode moves every negative number toward zero (RTZ, RUP)."""
        return ~(self.nearest | self.odd | self.down)


@dataclass(frozen=True)
class Target:
    """How many bits the output keeps and how many more its rounding looks at.

    Attributes
    ----------
    kept : int
        Significand bits of the output; for fixed point one more than its magnitude needs, so that
        everything above is overflow.
    emin : int
        Exponent of the top kept bit at `steps` = 0.
    fraction : int
        Bits below that must be exact (the rest may be a sticky bit).
    """

    out: Format
    semantics: Semantics
    flags: bool

    @property
    def kept(self) -> int:
        return self.out.bits if self.out.fixed else self.out.precision

    @property
    def wraps(self) -> bool:
        """Whether results are taken modulo the output's range: then nothing of them may be lost at the top."""
        return self.semantics.overflow is Overflow.WRAP

    @property
    def emin(self) -> int:
        return self.out.scale + self.kept - 1 if self.out.fixed else self.out.emin

    @property
    def flushes(self) -> bool:
        """Whether tiny results become zero.

        Where there is no zero, the least value, which rounding makes of them anyway; but a flushed
        negative result is not an invalid one.
        """
        return not self.out.fixed and (self.semantics.subnormals.flush_outputs or not self.out.subnormals)

    @property
    def looks_below(self) -> bool:
        """Whether tininess is judged on the result rounded one place lower."""
        return (self.flags or self.flushes) and self.semantics.tininess is Tininess.AFTER and not self.out.fixed

    @property
    def fraction(self) -> int:
        mode, n = self.semantics.rounding, self.semantics.random_bits
        bits = {Rounding.SRA: n, Rounding.SRB: n + 1, Rounding.SRC: n + 1}.get(mode, 1)
        return bits + int(self.looks_below)


@dataclass(frozen=True)
class Positioned:
    """A value ready to round (see the module's picture); `kept` and `fraction` as in `Target`."""

    sign: Node
    steps: Quantity
    kept: Node
    fraction: Node
    sticky: Node


@dataclass(frozen=True)
class Special:
    """What overrides the number: NaN, infinity (of the value's sign, or `infinity_sign`), and whether NV is raised."""

    nan: Node
    infinity: Node
    invalid: Node
    infinity_sign: Node


def _increment(g: Graph, mode: Mode, sign: Node, last: Node, fraction: Node, sticky: Node) -> Node:
    """1 when the magnitude moves to the next code above; `last` is the code's last bit."""
    semantics, random = mode.semantics, mode.random
    if semantics.rounding.stochastic:
        assert random is not None
        return _stochastic(g, semantics, random, fraction, sticky)
    guard, below = fraction[-1], sticky
    if fraction.width > 1:
        below = fraction[:-1].any() | sticky
    inexact = guard | below
    # Nearest: more than half; or exactly half, and the last bit odd or ties going away.
    nearest = mode.nearest & guard & (below | last | mode.nearest_away)
    return nearest | (mode.odd & inexact & ~last) | (mode.away_from_zero(sign) & inexact)


def _stochastic(g: Graph, semantics: Semantics, random: Node, fraction: Node, sticky: Node) -> Node:
    """P3109's stochastic modes: carry out of the fraction plus the random number R of N bits."""
    n, mode = semantics.random_bits, semantics.rounding
    if mode is Rounding.SRA:  # floor(v 2^N) + R >= 2^N
        return fraction[-n:].add(random, n + 1)[n]
    if mode is Rounding.SRB:  # floor(v 2^(N+1)) + 2R + 1 >= 2^(N+1)
        doubled = g.cat(g.const(1, 1), random)
        return fraction[-(n + 1) :].add(doubled, n + 2)[n + 1]
    upper, half = fraction[-n:], fraction[-(n + 1)]  # RNE(v 2^N) + R >= 2^N
    below = sticky if fraction.width == n + 1 else fraction[: -(n + 1)].any() | sticky
    up = half & (below | upper[0])
    return upper.add(random, n + 1, up)[n]


def round_and_pack(g: Graph, value: Positioned, special: Special, mode: Mode, target: Target) -> tuple[Node, Node]:
    """Round, handle overflow and special results, and assemble the code.

    Returns
    -------
    (code, flags) : tuple of Node
        `flags` is {NV, DZ, OF, UF, NX}, NX the least significant.
    """
    g.section(f"Round to {target.out}")
    if target.out.fixed:
        from .rounder_fixed import round_to_fixed

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
    round_up = g.step("round_up", _increment(g, mode, sign, last, fraction, value.sticky))
    inexact = fraction.any() | value.sticky
    rounded = prefix.increment(g, unrounded, round_up, "rounded")

    # Overflow: judged on the rounded code.
    away = mode.nearest | mode.away_from_zero(sign)
    policy = target.semantics.overflow
    if policy is Overflow.SATNONE_D1 or (policy is Overflow.SATNONE and out.signed):
        away = away | mode.odd
    if policy is Overflow.INFINITE:
        away = g.const(1, 1)
    away = g.step("overflow_away", away)
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

    code = _deliver(g, magnitude, sign, special, over, away, flushed, wrong_sign, raised_to_zero, target)
    if not target.flags:
        return code, g.const(0, 5)
    return code, _flags(g, special, over, away, flushed, wrong_sign, below_least, tiny, some, inexact, target)


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
    reaches = ones & _increment(g, mode, sign, last, value.fraction[:-1], value.sticky)
    return g.step("tiny", ~lead & ~reaches)


def _without_zero(g: Graph, rounded: Node, trailing: int, out: Format) -> tuple[Node, Node]:
    """Formats whose exponent field 0 is a binade: the code is one binade less; what is below is the least code."""
    field = rounded[trailing:]
    below = g.step("below_least", field.none())
    lowered = field.sub(1, field.width)
    code = g.cat(rounded[:trailing], lowered) if trailing else lowered
    code = code[: out.magnitude_bits] & (~below).repeat(out.magnitude_bits)
    return code, below


def _deliver(
    g: Graph,
    magnitude: Node,
    sign: Node,
    special: Special,
    over: Node,
    away: Node,
    flushed: Node,
    wrong_sign: Node,
    raised_to_zero: Node,
    target: Target,
) -> Node:
    out, semantics = target.out, target.semantics
    gives_infinity = semantics.overflow.gives_infinity(out)
    width = out.magnitude_bits
    ones = (1 << width) - 1
    never = g.const(0, 1)
    # Each special code, and when it is delivered (the conditions exclude each other).
    codes: dict[int, Node] = {}

    def deliver(code: int, when: Node):
        codes[code] = codes.get(code, never) | when

    number = ~special.nan & ~wrong_sign
    infinite = special.infinity & number
    over = over & ~special.infinity & number
    largest = out.max_finite_code
    nan_magnitude = out.nan_code & ones if out.has_nan else largest
    deliver(nan_magnitude, special.nan)
    if gives_infinity:
        huge = out.infinity_code if out.has_infinity else nan_magnitude
        deliver(huge, infinite | (over & away))
        deliver(largest, over & ~away)
    else:
        keeps = semantics.overflow is Overflow.PROPAGATE and out.has_infinity
        deliver(out.infinity_code if keeps else largest, infinite)
        deliver(largest, over)
    if semantics.overflow.sat_none and out.has_nan:
        deliver(nan_magnitude, wrong_sign & ~raised_to_zero)
        deliver(0, wrong_sign & raised_to_zero)
    else:
        deliver(nan_magnitude if semantics.overflow.says_not_a_value and out.has_nan else 0, wrong_sign)
    if out.zero:
        deliver(0, flushed & number & ~special.infinity)
    forced = never
    for when in codes.values():
        forced = forced | when
    forced = g.step("forced", forced)
    result = magnitude & (~forced).repeat(width)
    for code, when in codes.items():
        if code:
            result = result | (when.repeat(width) & g.const(code, width))
    result = g.step("magnitude", result)
    if not out.signed:
        return result
    to_nan = special.nan
    if gives_infinity and not out.has_infinity:
        to_nan = to_nan | infinite | (over & away)  # this overflow is a NaN
    result_sign = g.mux(special.infinity, special.infinity_sign, sign) & ~to_nan
    if out.nan is NaN.NEGATIVE_ZERO:
        # There is no minus zero; its code is NaN (whose magnitude is 0).
        nonzero = result.any() | to_nan
        result_sign = (result_sign | to_nan) & nonzero
    return g.cat(result, g.step("result_sign", result_sign))


def _flags(
    g: Graph,
    special: Special,
    over: Node,
    away: Node,
    flushed: Node,
    wrong_sign: Node,
    below_least: Node,
    tiny: Node,
    some: Node,
    inexact: Node,
    target: Target,
) -> Node:
    out, semantics = target.out, target.semantics
    keeps_infinity = out.has_infinity and semantics.overflow is not Overflow.SATURATE
    number = ~(special.nan | special.infinity | wrong_sign)
    invalid = special.invalid | wrong_sign
    if not keeps_infinity:
        invalid = invalid | (special.infinity & ~special.nan)
    if not out.has_nan:
        invalid = invalid | special.nan
    overflow = over & number
    underflow = (tiny & inexact | flushed | (below_least & some)) & ~over & number
    if target.flushes:
        inexact = inexact | flushed
    if not out.zero:
        inexact = inexact | below_least
    nx = (inexact | over) & number
    return g.cat(
        g.step("flag_nx", nx),
        g.step("flag_uf", underflow),
        g.step("flag_of", overflow),
        g.const(0, 1),
        g.step("flag_nv", invalid),
    )
