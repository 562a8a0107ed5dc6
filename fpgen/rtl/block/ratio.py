"""Scales that are no powers of two: amax / (M * T) rounded in the scale format, and v / (S * T) element by element."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from fpgen.formats.descriptor import Format
from fpgen.rtl.arith.largest import largest
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float.float_position import position_known
from fpgen.rtl.float.rounder import Mode, Special, Target, round_and_pack
from fpgen.rtl.float.unpack import Operand, unpack
from fpgen.rtl.graph import Graph, Node
from fpgen.units.options import Overflow, Rounding, Semantics
from fpgen.units.quantize import BlockQuantize, ScalePolicy
from fpgen.units.scaling import floor_code, zero_code

from .divide import divide
from .factor import normalise, times
from .source import DIGIT, Source, spoilt_by


@dataclass(frozen=True)
class RatioScale:
    """A scale as its code, and what elements are divided by.

    Attributes
    ----------
    code, zero, spoilt : Node
        `zero`: the scale is zero. `spoilt`: a number is NaN or infinite, where that is a matter of the whole block.
    factor : Operand
        Scale times tensor scale, normalised; means nothing for a scale of zero.
    """

    code: Node
    zero: Node
    spoilt: Node
    factor: Operand


def tensor_scale(g: Graph, unit: BlockQuantize) -> tuple[Operand | None, Node]:
    """The normalised tensor scale, where there is one, and whether it is unusable: not positive and finite."""
    fmt = unit.block.tensor_scale
    if fmt is None:
        return None, g.const(0, 1)
    name = unit.tensor_operand
    given = unpack(g, g.inputs[name], fmt, False, name)
    bad = g.step(f"{name}_bad", given.nan | given.infinity | given.zero | given.sign)
    return normalise(g, given, name), bad


def ratio_scale(g: Graph, unit: BlockQuantize, numbers: list[Source], tensor: Operand | None) -> RatioScale:
    """The scale of a block."""
    source, fmt = unit.source, unit.block.scale
    g.section("Largest magnitude")
    largest_code = largest(g, [number.magnitude for number in numbers], DIGIT, "amax")
    amax = normalise(g, unpack(g, g.cat(largest_code, g.const(0, 1)), source, False, "amax"), "amax")
    g.section("Scale")
    divisor = constant(g, unit.block.element.max_finite)
    if tensor is not None:
        divisor = times(g, tensor, divisor, "largest_element")
    target = Target(fmt, Semantics(_rounding_of(unit.policy), Overflow.SATURATE), False)
    ratio = Quotient(
        name="scale_ratio",
        sign=g.const(0, 1),
        dividend=amax,
        divisor=divisor,
        zero=amax.zero,
        network="sklansky",  # one for the block, on its longest path
    )
    code = rounded_quotient(g, ratio, None, Mode.of(g, target.semantics, None, None), target)
    g.step("scale_code", code)
    if unit.policy is ScalePolicy.UP and fmt.zero and not fmt.subnormals:  # rounded up, nothing becomes zero
        least = 1 << fmt.trailing_bits
        code = code | ((code.none() & ~amax.zero).repeat(code.width) & g.const(least, code.width))
    if not fmt.zero:  # a block of zeros, too, has the smallest scale
        code = code & (~amax.zero).repeat(code.width)
    least, of_zeros = floor_code(unit.scale_floor, fmt), zero_code(unit.zero_scale, fmt)
    if least:
        code = g.mux(code.less(least), g.const(least, code.width), code)
    if least or of_zeros:
        code = g.step("scale_floored", g.mux(amax.zero, g.const(of_zeros, code.width), code))
    scale = normalise(g, unpack(g, code, fmt, False, "scale"), "scale")
    factor = scale if tensor is None else times(g, scale, tensor)
    return RatioScale(code, scale.zero, spoilt_by(g, unit, numbers, amax=largest_code), factor)


def _rounding_of(policy: ScalePolicy | None) -> Rounding:
    """How the quotient becomes a scale."""
    match policy:
        case ScalePolicy.NEAREST:
            return Rounding.RNE
        case ScalePolicy.UP:
            return Rounding.RUP
        case (
            ScalePolicy.FLOOR
            | ScalePolicy.CEIL
            | ScalePolicy.EVEN
            | ScalePolicy.RCEIL
            | ScalePolicy.MIDMAX
            | ScalePolicy.ROUND
            | ScalePolicy.ROUND_AMAX
            | None
        ):
            raise ValueError(f"a scale that is a quotient: got policy={policy}; expected nearest or up")
        case unknown:
            assert_never(unknown)


def constant(g: Graph, value: Fraction) -> Operand:
    """A positive number with few bits as an operand."""
    assert value > 0
    significand = value.numerator // (value.numerator & -value.numerator)
    places = (value.numerator // significand).bit_length() - value.denominator.bit_length()
    width = significand.bit_length()
    never = g.const(0, 1)
    fmt = Format(bits=width + 2, precision=width, name="a constant")
    return Operand(
        format=fmt,
        sign=never,
        exponent=Quantity.constant(g, places),
        significand=g.const(significand, width),
        normalised=g.const(1, 1),
        infinity=never,
        nan=never,
        signaling=never,
    )


@dataclass(frozen=True)
class Quotient:
    """``dividend / divisor``.

    Attributes
    ----------
    name : str
        The start of the names of its steps.
    sign : Node
    dividend, divisor : Operand
        Normalised.
    zero : Node
        1 where the quotient is +-0, whatever the digits.
    network : str
        Of the subtractions, as in `prefix.add`.
    """

    name: str
    sign: Node
    dividend: Operand
    divisor: Operand
    zero: Node
    network: str = "native"


def rounded_quotient(g: Graph, quotient: Quotient, special: Special | None, mode: Mode, target: Target) -> Node:
    """A quotient as a code of the target."""
    never, sign = g.const(0, 1), quotient.sign
    digits, exponent = divide(
        g,
        quotient.dividend,
        quotient.divisor,
        target.kept + target.fraction,
        quotient.name,
        quotient.network,
    )
    window = g.step(f"{quotient.name}_or_zero", digits & (~quotient.zero).repeat(digits.width))
    t = exponent + -target.emin
    value = position_known(g, sign, window, t, Quantity.constant(g, 0), 0, target)
    return round_and_pack(g, value, special or Special(never, never, never, sign), mode, target)[0]


def element_by_quotient(
    g: Graph, number: Source, scale: RatioScale, mode: Mode, target: Target, special: Special
) -> Node:
    """v / (S * T), rounded by the one rounder."""
    value = normalise(g, number.operand, "source")
    zero = number.operand.zero | scale.zero
    quotient = Quotient(name="quotient", sign=value.sign, dividend=value, divisor=scale.factor, zero=zero)
    return rounded_quotient(g, quotient, special, mode, target)
