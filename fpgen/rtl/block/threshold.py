"""Elements of few codes under any scale, without dividing: where the codes change, as codes of the source.

The magnitude codes of a format are ordered as its numbers. So "v / X is at least b" is "the code of v is at least
the least code whose number is b * X or more", for a boundary b of the element format's rounding. Those
thresholds are the block's, exact products rounded up once; an element compares with each and counts::

    boundaries of e2m1, to nearest    0.25  0.75  1.25  1.75  2.5  3.5   5        times X
    from there on the code is            1     2     3     4    5    6   7
    a tie there goes                  down    up  down    up down   up down
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from fpgen.formats.code_classes import NaN
from fpgen.formats.descriptor import Format
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float.float_position import position_known
from fpgen.rtl.float.rounder import Target
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node
from fpgen.units.options import Overflow, Rounding, Semantics
from fpgen.units.quantize import BlockQuantize

from .block_position import shortened
from .factor import top_up
from .source import Source

#: Element formats with more non-zero magnitudes are divided for.
MOST_THRESHOLDS = 15
#: Constants of more ones than this are multiplied by as the next larger number, less one.
_MANY_ROWS = 8
_FIXED = (Rounding.RNE, Rounding.RNA, Rounding.RTZ, Rounding.RUP, Rounding.RDN, Rounding.RAZ, Rounding.RTO)


@dataclass(frozen=True)
class Boundary:
    """From ``point * X`` on (itself included or not) the magnitude has the next code."""

    point: Fraction
    included: bool


def has_thresholds(unit: BlockQuantize) -> bool:
    """Whether elements come from thresholds."""
    element, source = unit.out, unit.source
    finite = unit.block.scale.has_nan or not (source.has_nan or source.has_infinity)
    return (
        finite
        and not element.fixed
        and element.signed
        and element.subnormals
        and unit.rounding in _FIXED
        and unit.overflow is Overflow.SATURATE
        and element.max_finite_code <= MOST_THRESHOLDS
    )


def boundaries(element: Format, rounding: Rounding, negative: bool) -> list[Boundary]:
    """Where each non-zero magnitude code of `element` begins, for numbers of one sign."""
    found = []
    for code in range(1, element.max_finite_code + 1):
        here, before = element.value(code), element.value(code - 1)
        even = code % 2 == 0
        middle, away, toward_zero = (here + before) / 2, Boundary(before, False), Boundary(here, True)
        match rounding:
            case Rounding.RNE:
                found.append(Boundary(middle, even))
            case Rounding.RNA:
                found.append(Boundary(middle, True))
            case Rounding.RTZ:
                found.append(toward_zero)
            case Rounding.RUP:
                found.append(toward_zero if negative else away)
            case Rounding.RDN:
                found.append(away if negative else toward_zero)
            case Rounding.RAZ:
                found.append(away)
            case Rounding.RTO:
                found.append(toward_zero if even else away)
            case Rounding.SRA | Rounding.SRB | Rounding.SRC | Rounding.PORT:
                raise ValueError(f"thresholds: got rounding={rounding.value}; expected a mode fixed for all operations")
            case unknown:
                assert_never(unknown)
    return found


def thresholds(g: Graph, source: Format, factor: Operand, zero: Node, where: list[Boundary]) -> list[Node]:
    """For each boundary the least magnitude code of `source` that has reached it, one bit wider where none may."""
    return [_threshold(g, source, factor, zero, boundary) for boundary in where]


def _threshold(g: Graph, source: Format, factor: Operand, zero: Node, boundary: Boundary) -> Node:
    width = source.magnitude_bits
    every = (1 << width) - 1
    if boundary.point == 0:  # everything above zero, however small: code 1
        least, none = g.const(1, width), zero
    else:
        least, none = _rounded_up(g, source, factor, boundary)
        none = none | zero
    if source.max_finite_code < every:  # no number has the highest code
        return g.step("threshold", least | none.repeat(width))
    return g.step("threshold", g.cat(least, none))


def _rounded_up(g: Graph, source: Format, factor: Operand, boundary: Boundary) -> tuple[Node, Node]:
    """The least code at or above (above) ``point * factor``, and whether there is none."""
    point = boundary.point
    multiple = point.numerator // (point.numerator & -point.numerator)
    places = (point.numerator // multiple).bit_length() - point.denominator.bit_length()
    scaled, top = _times_constant(g, factor, multiple)
    target = Target(source, Semantics(Rounding.RTZ), False)
    t = top + (places - target.emin)
    seen = shortened(g, scaled, target)
    value = position_known(g, g.const(0, 1), seen, t, Quantity.constant(g, 0), 0, target)
    lead = value.kept[-1]
    field_above = value.steps + 1
    highest = source.max_finite_code >> source.trailing_bits
    room = source.exponent_bits
    beyond = lead & field_above.at_least(highest + 1)
    field = field_above.bits(room) & lead.repeat(room)
    below = g.cat(value.kept[: source.trailing_bits], field) if source.trailing_bits else field
    up = value.fraction.any() | value.sticky if boundary.included else g.const(1, 1)
    least = below.add(up, below.width + 1)
    return least[:-1], g.step("threshold_beyond", beyond | least[-1])


def _times_constant(g: Graph, factor: Operand, multiple: int) -> tuple[Node, Quantity]:
    """An odd multiple of a normalised significand, normalised, and the exponent of its top bit."""
    x, top = factor.significand, factor.top_exponent
    if multiple == 1:
        return x, top
    bits = multiple.bit_length()
    width = x.width + bits
    if multiple == (1 << bits) - 1:
        product = x.shifted(bits).sub(x, width)
    else:
        less_one = multiple.bit_count() > _MANY_ROWS  # a few high bits less one
        first, *others = [place for place in range(bits + 1) if multiple + less_one >> place & 1]
        product = x.shifted(first).zext(width) if first else x.zext(width)
        for place in others:
            product = g.add(product, x.shifted(place).zext(width))
        if less_one:
            product = product.sub(x.zext(width), width)
    scaled, carry = top_up(g, g.step(f"factor_times_{multiple}", product), f"factor_times_{multiple}_normalised")
    return scaled, top + (bits - 1) + Quantity(carry, 0, 1)


def element_by_thresholds(
    g: Graph, element: Format, number: Source, positive: list[Node], negative: list[Node]
) -> Node:
    """Count the thresholds that a number has reached."""
    sign = number.operand.sign
    width = positive[0].width

    def reached(limits: list[Node]) -> list[Node]:
        magnitude = number.magnitude.zext(width)
        return [~magnitude.less(limit) for limit in limits]

    above, below = reached(positive), reached(negative)
    steps = [g.mux(sign, low, high) for high, low in zip(above, below, strict=True)]
    code = binary(g, steps, element.magnitude_bits)
    if element.nan is NaN.NEGATIVE_ZERO:
        sign = sign & steps[0]
    return g.cat(code, sign)


def binary(g: Graph, code: list[Node], width: int) -> Node:
    """How many bits of a thermometer code are set, of at most ``2**width - 1``."""
    bits = []
    for place in range(width):
        step = 1 << place
        # The bit is set between odd and even multiples of its weight.
        runs = []
        for start in range(step, len(code) + 1, 2 * step):
            end = start + step
            runs.append(code[start - 1] & ~code[end - 1] if end <= len(code) else code[start - 1])
        bits.append(g.tree("or", runs) if runs else g.const(0, 1))
    return g.cat(*bits)
