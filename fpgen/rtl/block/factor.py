"""Scale times tensor scale: one normalised factor, which the whole block shares."""

from __future__ import annotations

import dataclasses

from fpgen.rtl.arith import count, multiplier, shift
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float import special_operands
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node


def normalise(g: Graph, a: Operand, name: str) -> Operand:
    """The same value with its leading one at the top, unless it is zero: once, so that no reader has to."""
    if a.normalised.constant == 1 or a.significand.width == 1:
        return dataclasses.replace(a, normalised=g.const(1, 1))
    zeros, _ = count.leading_zeros(g, a.significand, f"{name}_zeros")
    moved = shift.shift_left(g, a.significand, zeros, a.significand.width - 1, f"{name}_normalised")
    exponent = a.exponent - Quantity(zeros, 0, a.significand.width - 1)
    return dataclasses.replace(a, significand=moved, exponent=exponent, normalised=g.const(1, 1))


def times(g: Graph, a: Operand, b: Operand, name: str = "factor") -> Operand:
    """The exact product of two normalised operands, normalised; `format` is that of the first."""
    sign = a.sign ^ b.sign
    what = special_operands.of_product(g, a, b, sign)
    # One row of partial products for each bit of the shorter significand.
    short, long = sorted((a.significand, b.significand), key=lambda node: node.width)
    product = multiplier.multiply(g, long, short, name=name)
    if min(a.significand.width, b.significand.width) == 1:
        product = product[:-1]  # a product with a single bit has no carry
        moved, carry = product, g.const(1, 1)
        exponent = a.exponent + b.exponent
    else:
        moved, carry = top_up(g, product, f"{name}_normalised")
        exponent = a.exponent + b.exponent + Quantity(carry, 0, 1) + -1
    return Operand(
        format=a.format,
        sign=sign,
        exponent=exponent,
        significand=moved,
        normalised=g.const(1, 1),
        infinity=what.infinity,
        nan=what.nan,
        signaling=g.const(0, 1),
    )


def top_up(g: Graph, word: Node, name: str) -> tuple[Node, Node]:
    """Move a word whose leading one is in one of the two top places to the top; and whether it was there."""
    at_top = word[-1]
    return g.step(name, g.mux(at_top, word, g.cat(g.const(0, 1), word[:-1]))), at_top
