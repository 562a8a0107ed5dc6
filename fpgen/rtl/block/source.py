"""The numbers of a block as they come in."""

from __future__ import annotations

from dataclasses import dataclass

from ...units.quantize import BlockQuantize
from ..float.unpack import Operand, unpack
from ..graph import Graph, Node


@dataclass(frozen=True)
class Source:
    """One number of the block.

    Attributes
    ----------
    operand : Operand
    magnitude : Node
        The code without its sign; 0 for what is no finite number, if such numbers do not spoil the whole block,
        and for what the format reads as zero. Ordered as the magnitudes are.
    """

    operand: Operand
    magnitude: Node


def slices(g: Graph, name: str, count: int) -> list[Node]:
    """The elements of an input array."""
    whole = g.inputs[name]
    width = whole.width // count
    return [whole[i * width:(i + 1) * width] for i in range(count)]


def numbers_of(g: Graph, unit: BlockQuantize) -> list[Source]:
    """The unpacked numbers of a block."""
    source = unit.source
    numbers = []
    for code in slices(g, "source", unit.block.size):
        operand = unpack(g, code, source, False, "source")
        magnitude = code[: source.magnitude_bits]
        if not source.subnormals and source.trailing_bits:
            normal = operand.normalised
            magnitude = g.cat(magnitude[: source.trailing_bits] & normal.repeat(source.trailing_bits),
                              magnitude[source.trailing_bits:])
        if not unit.block.scale.has_nan:
            finite = ~(operand.infinity | operand.nan)
            magnitude = magnitude & finite.repeat(magnitude.width)
        numbers.append(Source(operand, magnitude))
    return numbers
