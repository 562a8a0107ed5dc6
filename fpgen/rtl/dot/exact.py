"""Exact sums: every product at its fixed place in one carry-save tree, one adder, one rounding.

::

    | s | headroom |        range of one product        |      two's complement, `Window.width` bits
                                                     ^ 2**low: the product of the smallest steps
"""

from __future__ import annotations

from ...units.blockdot import BlockDot
from ...units.dot import DotProduct
from ..arith import prefix
from ..arith.multiplier import Rows
from ..arith.quantity import Quantity
from ..float.position import position_counted
from ..float.rounder import Mode, Positioned, Target, round_and_pack
from ..graph import Graph, Node
from . import special
from .inputs import Inputs
from .terms import Window, add_products, window_of


def exact(g: Graph, unit: DotProduct | BlockDot, inputs: Inputs, mode: Mode, target: Target) -> tuple[Node, Node]:
    """sum(a[i] * b[i]), rounded once."""
    window = window_of(unit.a, unit.b, unit.products)
    value = _in_place(g, inputs, window, target)
    return round_and_pack(g, value, special.of_inputs(g, inputs), mode, target)


def _in_place(g: Graph, inputs: Inputs, window: Window, target: Target) -> Positioned:
    """The sum, all of whose terms have fixed places."""
    rows = Rows(g, window.width)
    g.section("Multiply")
    add_products(g, rows, inputs.a, inputs.b, window.low)
    g.section("Sum")
    # One less than the sum: then the magnitude takes one adder (`magnitude_of_difference`), and 0 counts as negative.
    rows.add_constant(-1)
    first, second = rows.reduce("sum_tree")
    magnitude, below_one = prefix.magnitude_of_difference(g, first, second, g.const(1, 1))
    sign = g.step("sign", below_one & magnitude.any())
    t = Quantity.constant(g, window.low + magnitude.width - 1 - target.emin)
    return position_counted(g, sign, magnitude, t, target)
