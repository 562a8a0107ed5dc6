"""Sums of many products: dot products, block-scaled dot products, and tiles of them.

Every kind of accumulation is a function of decoded operands (`KINDS`), so that a tile can decode each
operand once and share it.
"""

from __future__ import annotations

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

__all__ = ["KINDS", "Builder", "Inputs", "dot", "tensorcore"]

KINDS: dict[Kind, Builder] = {Kind.EXACT: exact_of, Kind.ALIGNED: aligned, Kind.TREE: tree, Kind.CHAIN: chain}


def dot(g: Graph, unit: Unit, mode: Mode, target: Target) -> tuple[Node, Node]:
    """DotProduct and BlockDot."""
    assert isinstance(unit, DotProduct | BlockDot)
    return KINDS[unit.accumulate.kind](g, unit, single(g, unit), mode, target)


def tensorcore(g: Graph, unit: Unit, mode: Mode, target: Target) -> tuple[Node, Node]:
    """TensorCore."""
    assert isinstance(unit, TensorCore)
    return tile(g, unit, KINDS[unit.accumulate.kind], mode, target)
