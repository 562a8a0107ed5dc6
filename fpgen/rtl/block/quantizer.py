"""BlockQuantize: see `fpgen.units.quantize` for what it computes, and the modules beside this one for how."""

from __future__ import annotations

from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float import special_operands
from fpgen.rtl.float.boundary import Outputs, rounding_of
from fpgen.rtl.float.rounder import Mode, Special, Target, round_and_pack
from fpgen.rtl.graph import Graph, Node
from fpgen.units.quantize import POWER_POLICIES, BlockQuantize
from fpgen.units.scaling import Like

from .block_position import lifted, position_element
from .like_scales import quantize_like
from .power_of_two import Scale, power_scale, rounds_below_floor
from .ratio import RatioScale, element_by_quotient, ratio_scale, tensor_scale
from .source import Source, modes, numbers_of
from .threshold import boundaries, element_by_thresholds, has_thresholds, thresholds


def quantize(g: Graph, unit: BlockQuantize) -> Outputs:
    """The outputs `result` and `scale`."""
    mode, target = rounding_of(g, unit)
    if unit.like is not Like.NONE:
        return quantize_like(g, unit)
    block = unit.block
    numbers = numbers_of(g, unit)
    what = [_special(g, unit, number) for number in numbers]
    each = modes(g, unit, mode)
    if unit.policy in POWER_POLICIES:
        power = power_scale(g, unit, numbers)
        scale_code, spoilt = power.code, power.spoilt
        g.section("Elements")
        codes = [
            _by_power(g, unit, number, power, its_mode, target, its_special)
            for number, its_mode, its_special in zip(numbers, each, what, strict=True)
        ]
    else:
        tensor, bad = tensor_scale(g, unit)
        ratio = ratio_scale(g, unit, numbers, tensor)
        scale_code, spoilt = ratio.code, ratio.spoilt | bad
        codes = _by_ratio(g, unit, numbers, ratio, each, target, what)
    if spoilt.constant != 0:
        g.section("Unusable blocks")
        kept = (~spoilt).repeat(unit.out.bits)
        codes = [code & kept for code in codes]
        instead = block.scale.nan_code if block.scale.has_nan else 0
        scale_code = g.mux(spoilt, g.const(instead, block.scale.bits), scale_code)
    return {"result": g.cat(*codes), "scale": g.step("block_scale", scale_code)}


def _special(g: Graph, unit: BlockQuantize, number: Source) -> Special:
    """What overrides an element: nothing where NaN and infinities spoil the whole block."""
    if not unit.block.scale.has_nan:
        return special_operands.of_operand(g, number.operand)
    never = g.const(0, 1)
    return Special(never, never, never, number.operand.sign)


def _by_ratio(
    g: Graph,
    unit: BlockQuantize,
    numbers: list[Source],
    scale: RatioScale,
    each: list[Mode],
    target: Target,
    what: list[Special],
) -> list[Node]:
    if has_thresholds(unit):
        g.section("Thresholds of the element codes")
        above, below = (
            thresholds(g, unit.source, scale.factor, scale.zero, boundaries(unit.out, unit.rounding, negative))
            for negative in (False, True)
        )
        g.section("Elements")
        return [element_by_thresholds(g, unit.out, number, above, below) for number in numbers]
    g.section("Elements")
    return [
        element_by_quotient(g, number, scale, mode, target, its_special)
        for number, mode, its_special in zip(numbers, each, what, strict=True)
    ]


def _by_power(
    g: Graph, unit: BlockQuantize, number: Source, scale: Scale, mode: Mode, target: Target, what: Special
) -> Node:
    a, block, source = number.operand, unit.block, unit.source
    # The highest exponent of an element: amax's under the lowest scale, or what the largest scale leaves.
    assert unit.policy is not None
    reach = block.element.emax + rounds_below_floor(unit.policy, block.element)
    highest = max(reach, source.emax - block.scale.emax)
    # The highest exponent that the top place of a subnormal has. Below emin its leading zeros do not matter.
    lift = min(source.emin - block.scale.emin, source.precision - 1 + reach)
    significand, exponent = lifted(g, number, lift - target.emin, target)
    # All constants are on the side of the scale, which the block shares.
    field = exponent + -exponent.offset - scale.above(target.emin - 1 - exponent.offset)
    top = min(field.high, highest - target.emin + 1)
    field = Quantity(field.node, min(field.low, top), top)
    value = position_element(g, a.sign, significand, field, target)
    code, _ = round_and_pack(g, value, what, mode, target)
    return code
