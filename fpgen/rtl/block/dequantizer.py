"""BlockDequantize: the exact product of element and scale, rounded once."""

from __future__ import annotations

from fpgen.rtl.float import special_operands
from fpgen.rtl.float.boundary import Outputs, rounding_of
from fpgen.rtl.float.cores import product
from fpgen.rtl.float.rounder import round_and_pack
from fpgen.rtl.float.unpack import unpack
from fpgen.rtl.graph import Graph
from fpgen.units.quantize import BlockDequantize

from .factor import normalise, times
from .source import modes, slices


def dequantize(g: Graph, unit: BlockDequantize) -> Outputs:
    """The output `result`."""
    mode, target = rounding_of(g, unit)
    block = unit.block
    factor = normalise(g, unpack(g, g.inputs["scale"], block.scale, False, "scale"), "scale")
    if block.tensor_scale is not None:
        tensor = unpack(g, g.inputs["tensor_scale"], block.tensor_scale, False, "tensor_scale")
        factor = times(g, factor, normalise(g, tensor, "tensor_scale"))
    codes = []
    for code, its_mode in zip(slices(g, "elements", block.size), modes(g, unit, mode), strict=True):
        element = unpack(g, code, block.element, False, "element")
        # One row of partial products for each bit of the second.
        first, second = sorted((element, factor), key=lambda operand: -operand.significand.width)
        value = product(g, first, second, target)
        what = special_operands.of_product(g, element, factor, value.sign)
        codes.append(round_and_pack(g, value, what, its_mode, target)[0])
    return {"result": g.cat(*codes)}
