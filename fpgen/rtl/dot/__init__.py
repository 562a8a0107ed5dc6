"""Sums of many products: dot products, block-scaled dot products, and tiles of them.

Every kind of accumulation is a function of decoded operands (`builder_of`), so that a tile can decode each
operand once and share it.
"""

from __future__ import annotations

from typing import assert_never

from fpgen.rtl.float.rounder import Mode, Target
from fpgen.rtl.graph import Graph, Node
from fpgen.units.accumulation import Kind
from fpgen.units.base import Unit
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct
from fpgen.units.tensorcore import TensorCore

from .aligned import aligned
from .exact_window import exact_of
from .inputs import Inputs, single
from .rounded import chain, tree
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


def dot(g: Graph, unit: Unit, mode: Mode, target: Target) -> tuple[Node, Node]:
    """DotProduct and BlockDot."""
    assert isinstance(unit, DotProduct | BlockDot)
    return builder_of(unit.accumulate.kind)(g, unit, single(g, unit), mode, target)


def tensorcore(g: Graph, unit: Unit, mode: Mode, target: Target) -> tuple[Node, Node]:
    """TensorCore."""
    assert isinstance(unit, TensorCore)
    return tile(g, unit, builder_of(unit.accumulate.kind), mode, target)
