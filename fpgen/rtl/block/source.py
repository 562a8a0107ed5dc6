"""The numbers of a block as they come in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from fpgen.formats.code_classes import NaN
from fpgen.rtl.float.rounder import Mode
from fpgen.rtl.float.unpack import Operand, unpack
from fpgen.rtl.graph import Graph, Node
from fpgen.units.quantize import BlockDequantize, BlockQuantize

#: Bits of a digit in the search for the largest magnitude: the least area x delay for 8 to 15 bits of 32 numbers.
DIGIT = 2


@dataclass(frozen=True)
class Source:
    """One number of the block.

    Attributes
    ----------
    operand : Operand
    field : Node
        The exponent field of the code.
    magnitude : Node
        The code without its sign; 0 for what is no finite number, if such numbers do not spoil the whole block,
        and for what the format reads as zero. Ordered as the magnitudes are.
    """

    operand: Operand
    field: Node
    magnitude: Node


def slices(g: Graph, name: str, count: int) -> list[Node]:
    """The elements of an input array."""
    whole = g.inputs[name]
    width = whole.width // count
    return [whole[i * width : (i + 1) * width] for i in range(count)]


def modes(g: Graph, unit: BlockQuantize | BlockDequantize, mode: Mode) -> list[Mode]:
    """The rounding of each element: its own random number."""
    if mode.random is None:
        return [mode] * unit.block.size
    return [dataclasses.replace(mode, random=part) for part in slices(g, "random", unit.block.size)]


def numbers_of(g: Graph, unit: BlockQuantize) -> list[Source]:
    """The unpacked numbers of a block."""
    source = unit.source
    numbers = []
    for code in slices(g, "source", unit.block.size):
        operand = unpack(g, code, source, False, "source")
        magnitude = code[: source.magnitude_bits]
        if not source.subnormals and source.trailing_bits:
            normal = operand.normalised
            magnitude = g.cat(
                magnitude[: source.trailing_bits] & normal.repeat(source.trailing_bits),
                magnitude[source.trailing_bits :],
            )
        if not unit.block.scale.has_nan:
            finite = ~(operand.infinity | operand.nan)
            magnitude = magnitude & finite.repeat(magnitude.width)
        numbers.append(Source(operand, code[source.trailing_bits : source.magnitude_bits], magnitude))
    return numbers


def spoilt_by(
    g: Graph, unit: BlockQuantize, numbers: list[Source], amax: Node | None = None, field: Node | None = None
) -> Node:
    """1 when a NaN or an infinity makes the whole block NaN.

    Parameters
    ----------
    amax, field : Node, optional
        The largest magnitude code, or the largest exponent field, of all numbers: special codes are the highest,
        but for a NaN at minus zero.
    """
    source = unit.source
    if not unit.block.scale.has_nan or not (source.has_nan or source.has_infinity):
        return g.const(0, 1)
    if source.nan is NaN.NEGATIVE_ZERO or (amax is None and source.nan is not NaN.IEEE):
        found = g.tree("or", [number.operand.nan | number.operand.infinity for number in numbers])
    elif amax is not None:
        found = ~amax.less(source.max_finite_code + 1)
    else:
        assert field is not None
        found = field.all()
    return g.step("block_nan", found)
