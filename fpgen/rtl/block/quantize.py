"""BlockQuantize: see `fpgen.units.quantize` for what it computes, and the modules beside this one for how."""

from __future__ import annotations

import dataclasses

from ...units.quantize import BlockQuantize
from ..arith.quantity import Quantity
from ..float import special
from ..float.position import _reach as reach_of
from ..float.rounder import Mode, Special, Target, round_and_pack
from ..graph import Graph, Node
from .position import position_short
from .power import Scale, power_scale
from .source import Source, numbers_of, slices


def quantize(g: Graph, unit: BlockQuantize, mode: Mode, target: Target) -> tuple[dict[str, Node], Node]:
    """The outputs `result` and `scale`."""
    block = unit.block
    numbers = numbers_of(g, unit)
    scale = power_scale(g, unit, numbers)
    g.section("Special operands")
    spoilt = _spoilt(g, unit, numbers)
    g.section("Elements")
    codes = []
    for number, its_mode in zip(numbers, modes(g, unit, mode), strict=True):
        codes.append(_by_power(g, unit, number, scale, its_mode, target))
    scale_code = scale.code
    if spoilt.constant != 0:
        kept = (~spoilt).repeat(unit.out.bits)
        codes = [code & kept for code in codes]
        scale_code = g.mux(spoilt, g.const(block.scale.nan_code, block.scale.bits), scale_code)
    return {"result": g.cat(*codes), "scale": g.step("final_scale_code", scale_code)}, g.const(0, 5)


def modes(g: Graph, unit, mode: Mode) -> list[Mode]:
    """The rounding of each element: its own random number."""
    if mode.random is None:
        return [mode] * unit.block.size
    return [dataclasses.replace(mode, random=part) for part in slices(g, "random", unit.block.size)]


def _spoilt(g: Graph, unit: BlockQuantize, numbers: list[Source]) -> Node:
    """1 when a NaN or an infinity makes the whole block NaN."""
    if not unit.block.scale.has_nan:
        return g.const(0, 1)
    return g.step("block_nan", g.tree("or", [n.operand.nan | n.operand.infinity for n in numbers]))


def _by_power(g: Graph, unit: BlockQuantize, number: Source, scale: Scale, mode: Mode, target: Target) -> Node:
    a, block = number.operand, unit.block
    t = _above_least(a.top_exponent, scale.exponent, target, _highest(unit))
    lift = unit.source.emin - block.scale.emin - target.emin
    never = g.const(0, 1)
    what = Special(never, never, never, a.sign) if block.scale.has_nan else special.of_operand(g, a)
    value = position_short(g, a.sign, a.significand, a.normalised.constant == 1, t, lift, target)
    code, _ = round_and_pack(g, value, what, mode, target)
    return code


def _highest(unit: BlockQuantize) -> int:
    """The highest exponent of an element: amax's (no scale is below `floor`'s), or what the largest scale leaves."""
    return max(unit.block.element.emax, unit.source.emax - unit.block.scale.emax)


def _above_least(exponent: Quantity, scale: Quantity, target: Target, highest: int) -> Quantity:
    """``exponent - scale - emin`` for the positioning.

    All constants are taken into the scale's side, which the block shares, so that each element has one subtraction
    and no addition of a constant.
    """
    t = exponent - scale + -target.emin
    reach = reach_of(target, t)
    reference = (scale + (target.emin - reach - exponent.offset)).settled("element_reference")
    difference = exponent + -exponent.offset - reference
    high = min(t.high, highest - target.emin)
    return Quantity(difference.node, min(t.low, high), high, -reach)
