"""Summands of sums that are rounded at every step: products, which stay two operands, and exact wide numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fpgen.formats.descriptor import Format
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float.cores import product, product_plus, total
from fpgen.rtl.float.float_position import position_counted
from fpgen.rtl.float.rounder import Mode, Positioned, Special, Target
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node

from . import special_terms
from .aligned_terms import times
from .inputs import Inputs
from .scaled_dot import Block, blocks_of, unscaled
from .scaled_dot import magnitude as block_magnitude


@dataclass(frozen=True)
class Wide(Operand):
    """An exact number that is no code of a format: its significand may have any number of leading zeros."""

    @property
    def least_bits(self) -> list[tuple[int, int, int]]:
        return [(1, self.exponent.low, self.exponent.high)]


@dataclass(frozen=True)
class ProductTerm:
    """Two operands to be multiplied."""

    a: Operand
    b: Operand

    @property
    def sign(self) -> Node:
        return self.a.sign ^ self.b.sign

    @property
    def zero(self) -> Node:
        return self.a.zero | self.b.zero

    def special(self, g: Graph) -> Special:
        return special_terms.product(g, self.a, self.b)

    def alone(self, g: Graph, target: Target) -> Positioned:
        return product(g, self.a, self.b, target)

    def plus(self, g: Graph, c: Operand, mode: Mode, target: Target) -> Positioned:
        return product_plus(g, self.a, self.b, c, mode, target)


@dataclass(frozen=True)
class Number:
    """A wide number; its specials stand beside it."""

    value: Wide
    both: Special

    @property
    def sign(self) -> Node:
        return self.value.sign

    @property
    def zero(self) -> Node:
        return self.value.zero

    def special(self, g: Graph) -> Special:
        return self.both

    def alone(self, g: Graph, target: Target) -> Positioned:
        t = self.value.top_exponent + -target.emin
        return position_counted(g, self.value.sign, self.value.significand, t, target)

    def plus(self, g: Graph, c: Operand, mode: Mode, target: Target) -> Positioned:
        return total(g, self.value, c, mode, target)


def _number(g: Graph, sign: Node, magnitude: Node, exponent: Quantity, both: Special) -> Number:
    never = g.const(0, 1)
    fmt = Format(bits=2, precision=2, signed=False, fixed=True)  # only to be unlike the addend's
    return Number(Wide(fmt, sign, exponent, magnitude, never, never, never, never), both)


def terms_of(g: Graph, inputs: Inputs, presum: int) -> list[ProductTerm | Number]:
    """The terms in order; `presum` products are summed exactly into one."""
    found: list[ProductTerm | Number] = []
    for block in blocks_of(inputs):
        g.section("Multiply")
        for i in range(0, len(block.a), presum):
            part = replace(
                block, a=block.a[i : i + presum], b=block.b[i : i + presum], name=f"{block.name}part_{i // presum}_"
            )
            if presum == 1 and not block.scales:
                found.append(ProductTerm(part.a[0], part.b[0]))
            elif presum == 1:
                found.append(_scaled_product(g, part))
            else:
                found.append(_exact_sum(g, part))
    return found


def _scaled_product(g: Graph, block: Block) -> Number:
    """One product times its scales, with the product's sign also where it is zero."""
    a, b = block.a[0], block.b[0]
    magnitude, _ = times(g, [a, b, *block.scales])
    exponent = a.exponent + b.exponent
    for scale in block.scales:
        exponent = exponent + scale.exponent
    factor, factor_zero = special_terms.of_scales(g, block.scales)
    both = special_terms.scaled(g, factor, factor_zero, special_terms.product(g, a, b), a.zero | b.zero)
    return _number(g, a.sign ^ b.sign ^ block.sign, magnitude, exponent, both)


def _exact_sum(g: Graph, block: Block) -> Number:
    """The exact sum of products, times the scales; a sum of zero is +0, and its sign stays when a scale is zero."""
    magnitude, below_one = block_magnitude(g, block)
    sign, zero = below_one & magnitude.any(), magnitude.none()
    if block.factor(g).constant is None:
        total = unscaled(g, block)
        sign, zero = total[-1], total.none()
    both = special_terms.of_terms(g, [special_terms.product(g, x, y) for x, y in zip(block.a, block.b, strict=True)])
    if block.scales:
        factor, factor_zero = special_terms.of_scales(g, block.scales)
        own = replace(both, infinity_sign=g.mux(both.infinity, both.infinity_sign, sign))
        both = special_terms.scaled(g, factor, factor_zero, own, zero & ~both.infinity)
    return _number(g, sign ^ block.sign, magnitude, block.exponent(g), both)
