"""BlockDequantize: the exact product of element and scale, rounded once."""

from __future__ import annotations

import dataclasses

from ...units.quantize import BlockDequantize
from ..arith import count, multiplier, shift
from ..arith.quantity import Quantity
from ..float import special
from ..float.cores import product
from ..float.rounder import Mode, Target, round_and_pack
from ..float.unpack import Operand, unpack
from ..graph import Graph, Node
from .source import slices


def dequantize(g: Graph, unit: BlockDequantize, mode: Mode, target: Target) -> tuple[dict[str, Node], Node]:
    """The output `result`."""
    block = unit.block
    factor = unpack(g, g.inputs["scale"], block.scale, False, "scale")
    if block.tensor_scale is not None:
        factor = times(g, factor, unpack(g, g.inputs["tensor_scale"], block.tensor_scale, False, "tensor_scale"))
    factor = normalise(g, factor, "scale")
    codes = []
    randoms = slices(g, "random", block.size) if mode.random is not None else [None] * block.size
    for code, random in zip(slices(g, "elements", block.size), randoms, strict=True):
        element = unpack(g, code, block.element, False, "element")
        value = product(g, element, factor, target)
        what = special.of_product(g, element, factor, value.sign)
        codes.append(round_and_pack(g, value, what, dataclasses.replace(mode, random=random), target)[0])
    return {"result": g.cat(*codes)}, g.const(0, 5)


def times(g: Graph, a: Operand, b: Operand) -> Operand:
    """The exact product of scale and tensor scale, as an operand; `format` stays that of the scale."""
    g.section("Scales")
    sign = g.step("factor_sign", a.sign ^ b.sign)
    significand = multiplier.multiply(g, a.significand, b.significand, name="factor")
    what = special.of_product(g, a, b, sign)
    normal = a.normalised & b.normalised
    if min(a.significand.width, b.significand.width) == 1:
        significand = significand[:-1]  # a product with one bit has no carry
    else:
        normal = normal & significand[-1]
    return Operand(a.format, sign, a.exponent + b.exponent, significand, normal, what.infinity, what.nan,
                   g.const(0, 1))


def normalise(g: Graph, a: Operand, name: str) -> Operand:
    """The same value with its leading one at the top, unless it is zero: once, so that no reader has to."""
    if a.normalised.constant == 1 or a.significand.width == 1:
        return a
    g.section(f"Normalise the {name}")
    zeros, _ = count.leading_zeros(g, a.significand, f"{name}_zeros")
    moved = shift.shift_left(g, a.significand, zeros, a.significand.width - 1, f"{name}_normalised")
    exponent = a.exponent - Quantity(zeros, 0, a.significand.width - 1)
    return dataclasses.replace(a, significand=moved, exponent=exponent, normalised=g.const(1, 1))
