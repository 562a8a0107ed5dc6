"""Scales that are powers of two: the exponent of the largest magnitude, and one comparison of its significand.

Every policy is ``exponent of amax + (significand of amax >= a constant) - another constant``, and that sum grows with
the magnitude. So where subnormals need no count of leading zeros, each number is
reduced to its exponent field and that one bit before the largest is looked for.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, isqrt
from typing import assert_never

from fpgen.formats.descriptor import Format
from fpgen.rtl.arith import count, shift
from fpgen.rtl.arith.largest import largest
from fpgen.rtl.arith.quantity import Quantity, bits_for
from fpgen.rtl.graph import Graph, Node
from fpgen.units.quantize import BlockQuantize, ScalePolicy
from fpgen.units.scaling import zero_code

from .source import DIGIT, Source, spoilt_by


@dataclass(frozen=True)
class Scale:
    """A scale.

    Attributes
    ----------
    code : Node
    spoilt : Node
        1 when a number is NaN or infinite, where that is a matter of the whole block.
    wanted : Quantity
        log2 of the scale before clamping.
    too_small, too_large : Node
        Whether it is below the smallest scale, above the largest.
    least, most : int
        log2 of those two.
    """

    code: Node
    spoilt: Node
    wanted: Quantity
    too_small: Node
    too_large: Node
    least: int
    most: int

    def above(self, constant: int) -> Quantity:
        """log2 of the scale, plus a constant; means nothing for a scale of zero, which only a block of zeros has.

        Clamping takes place beside the addition, not after it.
        """
        g = self.code.graph
        low = self.least + constant
        high = max(low, min(self.most, self.wanted.high) + constant)
        width = bits_for(low, high)
        free = (self.wanted + constant).bits(width)
        inside = g.mux(self.too_large, g.const((self.most + constant) % (1 << width), width), free)
        return Quantity(g.mux(self.too_small, g.const(low % (1 << width), width), inside), low, high)


def least_carry(policy: ScalePolicy, element: Format, precision: int) -> int:
    """The least significand of `precision` bits that takes the scale one binade up; ``2**precision`` if none does.

    Significands are those of normalised numbers: ``2**(precision - 1)`` and up.
    """
    unit = Fraction(2) ** (precision - 1)
    top = _top(element)
    match policy:
        case ScalePolicy.FLOOR:
            return 1 << precision
        case ScalePolicy.CEIL:
            return (1 << precision - 1) + 1
        case ScalePolicy.EVEN:  # all ones and a half round to two: the last bit kept is odd (or, of one bit, 1 of 1)
            return ceil((2 - Fraction(1, 1 << element.precision)) * unit)
        case ScalePolicy.RCEIL:
            return floor(top * unit) + 1
        case ScalePolicy.MIDMAX:
            return floor(_midmax_end(element) * unit) + 1
        case ScalePolicy.ROUND:
            return _first_above_root(top if rounds_below_floor(policy, element) else 2 * top, precision)
        case ScalePolicy.ROUND_AMAX:
            return _first_above_root(Fraction(2), precision)
        case ScalePolicy.NEAREST | ScalePolicy.UP:
            raise ValueError(f"a scale that is a power of two: got policy={policy}; expected one that gives those")
        case unknown:
            assert_never(unknown)


def _top(element: Format) -> Fraction:
    """The significand of the largest element, in [1, 2)."""
    return element.max_finite / Fraction(2) ** element.emax


def _midmax_end(element: Format) -> Fraction:
    """The largest significand that ``midmax`` leaves in its binade: below 2 by half a step, and by as much again for
    every magnitude of the top binade that is no number."""
    last = element.scale if element.fixed else element.emax - element.precision + 1
    steps = element.max_finite / Fraction(2) ** last
    binade = 1 << int(steps).bit_length() - 1
    missing = 2 * binade - 1 - int(steps)
    return 2 - Fraction(1 if missing == binade - 1 else missing + 1, 2 * binade)


def rounds_below_floor(policy: ScalePolicy, element: Format) -> bool:
    """Whether a policy takes scales a binade below those of ``floor``: a largest element above sqrt(2) halves them."""
    return policy is ScalePolicy.ROUND and _top(element) ** 2 > 2


def _first_above_root(twice: Fraction, precision: int) -> int:
    """The least significand of `precision` bits above ``twice / sqrt(2)``, in [1, 2]."""
    unit = Fraction(2) ** (precision - 1)
    return isqrt(floor(twice * twice / 2 * unit * unit)) + 1


def subnormals_clamp(unit: BlockQuantize) -> bool:
    """Whether a block of subnormals always has the smallest scale."""
    source = unit.source
    return (
        source.trailing_bits == 0
        or not source.subnormals
        or (source.emin - unit.block.element.emax <= unit.block.scale.emin)
    )


def power_scale(g: Graph, unit: BlockQuantize, numbers: list[Source]) -> Scale:
    """The scale of a block whose numbers are finite (others read as zero, or make the scale NaN elsewhere)."""
    source, policy = unit.source, unit.policy
    assert policy is not None
    trailing, precision = source.trailing_bits, source.precision
    least = least_carry(policy, unit.block.element, precision) - (1 << precision - 1)
    never = least >= 1 << trailing
    g.section("Largest magnitude")
    if never or subnormals_clamp(unit):
        fields = [number.magnitude[trailing:] for number in numbers]
        if never:
            top = largest(g, fields, DIGIT, "largest_field")
            carry = g.const(0, 1)
        else:
            marks = [~number.magnitude[:trailing].less(least) if trailing else g.const(1, 1) for number in numbers]
            key = largest(
                g, [g.cat(mark, field) for mark, field in zip(marks, fields, strict=True)], DIGIT, "largest_key"
            )
            carry, top = key[0], key[1:]
        spoilt = spoilt_by(g, unit, numbers, field=top)
        if subnormals_clamp(unit):
            exponent = Quantity(top, source.emin - 1, source.emax, -source.bias)
        else:  # all numbers are subnormal where it matters, so the leading one of the OR is that of the largest
            ored = g.step("ored_fractions", g.tree("or", [number.magnitude[:trailing] for number in numbers]))
            exponent, _ = _exponent(g, source, top, ored)
    else:
        amax = largest(g, [number.magnitude for number in numbers], DIGIT, "amax")
        spoilt = spoilt_by(g, unit, numbers, amax=amax)
        exponent, fraction = _exponent(g, source, amax[trailing:], amax[:trailing])
        carry = ~fraction.less(least)
    g.section("Scale")
    base = -unit.block.element.emax - rounds_below_floor(policy, unit.block.element)
    return _scale(g, unit, exponent + Quantity(carry, 0, 1) + base, numbers, spoilt)


def _exponent(g: Graph, source: Format, field: Node, fraction: Node) -> tuple[Quantity, Node]:
    """floor(log2) of the number with these fields, and its fraction once normalised."""
    normal = g.step("amax_normal", field.any())
    zeros, _ = count.leading_zeros(g, fraction, "amax_zeros")
    lowered = g.step("amax_drop", zeros.zext(zeros.width + 1).add(1, zeros.width + 1)) & (~normal).repeat(
        zeros.width + 1
    )
    drop = Quantity(lowered, 0, fraction.width)
    binade = g.cat(field[0] | ~normal, field[1:]) if field.width > 1 else g.const(1, 1)
    exponent = Quantity(binade, source.emin, source.emax, -source.bias) - drop
    moved = shift.shift_left(g, g.cat(g.const(0, 1), fraction), lowered, fraction.width, "amax_normalised")
    return exponent, moved[1:]


def ends(scale: Format) -> tuple[int, int]:
    """log2 of the smallest scale and of the largest."""
    return scale.emin, scale.emax


def _scale(g: Graph, unit: BlockQuantize, wanted: Quantity, numbers: list[Source], spoilt: Node) -> Scale:
    """Stay within the scale format."""
    fmt = unit.block.scale
    least, most = ends(fmt)
    scale = Scale(
        g.const(0, 1),
        spoilt,
        wanted,
        g.step("scale_too_small", wanted.less(least)),
        g.step("scale_too_large", wanted.at_least(most + 1)),
        least,
        most,
    )
    code = scale.above(fmt.bias).bits(fmt.magnitude_bits)
    # A block of zeros has scale code 0: that of the smallest scale, where the exponent comes out that low by itself.
    of_zeros = zero_code(unit.zero_scale, fmt)
    if of_zeros or least + fmt.bias or unit.source.emin - unit.block.element.emax > least:
        nonzero = g.step("block_nonzero", g.tree("or", [number.magnitude for number in numbers]).any())
        code = g.mux(nonzero, code, g.const(of_zeros, code.width)) if of_zeros else code & nonzero.repeat(code.width)
    return dataclasses.replace(scale, code=g.step("scale_code", code))
