"""Exact sums: every product at its fixed place in one carry-save tree, one adder, one rounding.

::

    | s | headroom |        range of one product        |      two's complement
                                                     ^ 2**low: the product of the smallest steps

Block scales and an addend decide what follows: nothing (`alone`), an addend aligned with the sum (`anchored`), or one
window for everything that can occur (`span`).
"""

from __future__ import annotations

from fpgen.rtl.float.float_position import position_counted
from fpgen.rtl.float.rounder import Mode, Positioned, Target, round_and_pack
from fpgen.rtl.graph import Graph, Node
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct

from . import exact_anchored, exact_integer, exact_span
from . import special_terms as special
from .inputs import Inputs
from .scaled_dot import Block, blocks_of, magnitude


def exact_of(g: Graph, unit: DotProduct | BlockDot, inputs: Inputs, mode: Mode, target: Target) -> tuple[Node, Node]:
    """`exact`, as one of the kinds of accumulation."""
    return exact(g, inputs, mode, target)


def exact(g: Graph, inputs: Inputs, mode: Mode, target: Target) -> tuple[Node, Node]:
    """The exact sum, rounded once."""
    overrides = special.of_inputs(g, inputs)
    if exact_integer.fits(inputs, target):
        return exact_integer.integer(g, inputs, overrides, target)
    return round_and_pack(g, _position(g, inputs, target), overrides, mode, target)


def _position(g: Graph, inputs: Inputs, target: Target) -> Positioned:
    if target.wraps:
        return exact_span.in_full(g, inputs, target)
    blocks, c = list(blocks_of(inputs)), inputs.c
    if len(blocks) > 1:
        return exact_span.span(g, inputs, target)
    if c is None:
        return alone(g, blocks[0], target)
    if exact_anchored.width(blocks[0], c, target) < exact_span.window_of_all(inputs).width:
        return exact_anchored.anchored(g, blocks[0], c, target)
    return exact_span.span(g, inputs, target)


def alone(g: Graph, block: Block, target: Target) -> Positioned:
    """One block and no addend."""
    total, below_one = magnitude(g, block)
    sign = g.step("sign", (below_one ^ block.sign) & total.any())
    t = (block.exponent(g) + (total.width - 1 - target.emin)).named("window_exponent")
    return position_counted(g, sign, total, t, target)
