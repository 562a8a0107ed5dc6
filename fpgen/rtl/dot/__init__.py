"""Sums of many products: dot products, block-scaled dot products, and tiles of them.

Every kind of accumulation is a function of decoded operands (`builder_of`), so that a tile can decode each
operand once and share it.
"""

from __future__ import annotations

from typing import assert_never

from fpgen.rtl.float.boundary import Outputs, delivered, rounding_of
from fpgen.rtl.graph import Graph
from fpgen.units.accumulation import Kind
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct
from fpgen.units.tensorcore import TensorCore

from .aligned import aligned
from .exact_window import exact_of
from .inputs import Inputs, single
from .rounded_sums import chain, tree
from .tile import Builder, tile

__all__ = ["Builder", "Inputs", "builder_of", "dot", "tensorcore"]


def builder_of(kind: Kind) -> Builder:
    """What makes one sum, for each kind of accumulation."""
    match kind:
        case Kind.EXACT:
            return exact_of
        case Kind.ALIGNED:
            return aligned
        case Kind.TREE:
            return tree
        case Kind.CHAIN:
            return chain
        case unknown:
            assert_never(unknown)


def dot(g: Graph, unit: DotProduct | BlockDot) -> Outputs:
    """The datapath of one sum."""
    mode, target = rounding_of(g, unit)
    return delivered(g, unit, *builder_of(unit.accumulate.kind)(g, unit, single(g, unit), mode, target))


def tensorcore(g: Graph, unit: TensorCore) -> Outputs:
    """The datapath of a tile of sums."""
    mode, target = rounding_of(g, unit)
    return delivered(g, unit, *tile(g, unit, builder_of(unit.accumulate.kind), mode, target))
