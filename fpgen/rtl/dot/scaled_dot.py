"""One block of products, with its scales: a signed integer and an exponent.

::

    V * 2**exponent = |scale_a * scale_b| * sum(a[i] * b[i])
    V = X * M: the products' sum times the scales' significands

Scales have signs in some formats; their product's sign is applied where the sign of V is used.

The sum of V less one stays in carry-save form as long as possible: then its magnitude takes one adder
(`terms.magnitude_of_sum`), 0 counts as negative, and V is 0 exactly where the two rows are complements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import assert_never

from fpgen.rtl.arith import multiplier, prefix
from fpgen.rtl.arith.multiplier import Rows
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node
from fpgen.units.architecture import Multiplier

from .dot_terms import Window, add_products, magnitude_of_sum, window_of
from .inputs import Inputs


@dataclass(frozen=True)
class Block:
    """Products that share their scales.

    Attributes
    ----------
    a, b : tuple of Operand
    scales : tuple of Operand
        None, one or two.
    name : str
        The start of the names of its steps.
    """

    a: tuple[Operand, ...]
    b: tuple[Operand, ...]
    scales: tuple[Operand, ...] = ()
    name: str = ""

    @property
    def sum_window(self) -> Window:
        """Of the products' sum X."""
        return window_of(self.a[0].format, self.b[0].format, len(self.a))

    @property
    def factor_most(self) -> int:
        """The largest product M of the scales' significands."""
        most = 1
        for scale in self.scales:
            most *= scale.format.significand_max
        return most

    @property
    def sign(self) -> Node:
        """1 where the product of the scales is negative. It is not part of V."""
        return reduce(xor, (scale.sign for scale in self.scales), self.a[0].sign.graph.const(0, 1))

    @property
    def window(self) -> Window:
        """Of V; its `low` is what the exponent is without the scales'."""
        inner = self.sum_window
        return Window(inner.low, inner.least * self.factor_most, inner.most * self.factor_most)

    def exponent(self, g: Graph) -> Quantity:
        """Of V's last bit."""
        total = Quantity.constant(g, self.window.low)
        for scale in self.scales:
            total = total + scale.exponent
        return total.named(f"{self.name}exponent")

    def factor(self, g: Graph) -> Node:
        """M."""
        if not self.scales:
            return g.const(1, 1)
        if all(scale.significand.constant == 1 for scale in self.scales):
            return g.const(1, 1)
        if len(self.scales) == 1:
            return self.scales[0].significand
        first, second = (scale.significand for scale in self.scales)
        return multiplier.multiply(g, first, second, name=f"{self.name}scale")


def blocks_of(inputs: Inputs) -> Iterator[Block]:
    """The blocks of a sum of products; one where it has no scales."""
    count = len(inputs.scales)
    size = len(inputs.a) // count
    for i, scales in enumerate(inputs.scales):
        part = slice(i * size, (i + 1) * size)
        yield Block(inputs.a[part], inputs.b[part], scales, f"block_{i}_" if count > 1 else "")


def less_one(g: Graph, block: Block, width: int) -> tuple[Node, Node]:
    """Two words whose sum is V - 1 modulo 2**`width`."""
    factor = block.factor(g)
    if factor.constant == 1:
        rows = _product_rows(g, block, width)
        rows.add_constant(-1)
        return rows.reduce(f"{block.name}sum_tree")
    total = unscaled(g, block)
    g.section("Scale")
    rows = Rows(g, width)
    rows.add_constant(-1)
    add_signed_product(g, rows, total, factor, f"{block.name}scaled")
    return rows.reduce(f"{block.name}scaled_tree")


def _product_rows(g: Graph, block: Block, width: int) -> Rows:
    rows = Rows(g, width)
    g.section("Multiply")
    add_products(g, rows, block.a, block.b, block.sum_window.low, block.name)
    g.section("Sum")
    return rows


def unscaled(g: Graph, block: Block) -> Node:
    """X, the sum of products before its scales, in two's complement."""
    first, second = _product_rows(g, block, block.sum_window.width).reduce(f"{block.name}sum_tree")
    return prefix.add(g, first, second, name=f"{block.name}sum")


def add_signed_product(g: Graph, rows: Rows, x: Node, y: Node, name: str) -> None:
    """Put ``x * y`` into `rows`, `x` in two's complement and `y` unsigned.

    In an array the top bit of every row weighs minus; it is complemented and a constant makes up for it.
    """
    match g.architecture.multiplier:
        case Multiplier.BOOTH | Multiplier.OPERATOR:
            multiplier.add_product(g, rows, x, y, 0, name, signed=(True, False))
            return
        case Multiplier.ARRAY:
            pass
        case unknown:
            assert_never(unknown)
    for i, bit in enumerate(y):
        row = g.step(f"{name}_row_{i}", x & bit.repeat(x.width))
        rows.add_word(g.cat(row[:-1], ~row[-1]) if row.width > 1 else ~row, i)
        rows.add_constant(-1 << (x.width - 1 + i))


def magnitude(g: Graph, block: Block) -> tuple[Node, Node]:
    """|V| and whether V is negative or 0."""
    first, second = less_one(g, block, block.window.width)
    return magnitude_of_sum(g, first, second, f"{block.name}total")
