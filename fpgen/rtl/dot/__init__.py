"""Sums of many products: dot products, block-scaled dot products, and tiles of them.

Every kind of accumulation is a function of decoded operands (`KINDS`), so that a tile can decode each
operand once and share it.
"""

from __future__ import annotations

from collections.abc import Callable

from fpgen.rtl.float.delivery import Outputs, delivered, rounding_of
from fpgen.rtl.graph import Graph, Node
from fpgen.units.accumulation import Kind
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct
from fpgen.units.tensorcore import TensorCore

from .aligned import aligned
from .exact_window import exact_of
from .inputs import Inputs, single
from .rounded import chain, tree
from .tile import tile

__all__ = ["KINDS", "Builder", "Inputs", "dot", "tensorcore"]

#: ``(g, unit, inputs, mode, target) -> (code, flags)``, `unit` a DotProduct or BlockDot.
Builder = Callable[..., tuple[Node, Node]]
KINDS: dict[Kind, Builder] = {Kind.EXACT: exact_of, Kind.ALIGNED: aligned, Kind.TREE: tree, Kind.CHAIN: chain}


def dot(g: Graph, unit: DotProduct | BlockDot) -> Outputs:
    """The datapath of one sum."""
    mode, target = rounding_of(g, unit)
    return delivered(g, unit, *KINDS[unit.accumulate.kind](g, unit, single(g, unit), mode, target))


def tensorcore(g: Graph, unit: TensorCore) -> Outputs:
    """The datapath of a tile of sums."""
    mode, target = rounding_of(g, unit)
    return delivered(g, unit, *tile(g, unit, KINDS[unit.accumulate.kind], mode, target))
