"""Summands of an aligned sum: products, products with block scales, and exact partial sums.

::

    magnitude   | i i | f f f f f f |        `fraction` bits below the place of the alignment exponent
                      ^ 2**exponent          (the lowest integer bit)

Terms that share block scales stand together in a `Family`: the exponent of the scales is added once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..arith import multiplier, prefix
from ..arith.multiplier import Rows
from ..arith.quantity import Quantity
from ..float.rounder import Special
from ..float.special import of_operand, of_product
from ..float.unpack import Operand
from ..graph import Graph, Node
from . import special
from .block import Block, blocks_of
from .block import magnitude as block_magnitude
from .inputs import Inputs


@dataclass(frozen=True)
class Term:
    """A summand ``(-1)**sign * magnitude * 2**(exponent - fraction)``.

    Attributes
    ----------
    exponent : Quantity
        Alignment exponent, without that of the family.
    fraction : int
        Bits of the magnitude below the place of the alignment exponent; at least one bit is not below.
    largest : int
        Bound of the magnitude.
    zero : Node
        1 when it has no alignment exponent (it is then zero).
    special : Special
    """

    sign: Node
    magnitude: Node
    exponent: Quantity
    fraction: int
    largest: int
    zero: Node
    special: Special

    @property
    def integer(self) -> int:
        """Bits of the magnitude from the place of the alignment exponent upwards."""
        return self.magnitude.width - self.fraction


@dataclass(frozen=True)
class Family:
    """Terms that share an exponent, which adds to their own."""

    shared: Quantity
    terms: tuple[Term, ...]


def _most(operand: Operand) -> int:
    return operand.format.significand_max


def times(g: Graph, factors: Sequence[Operand], name: str = "product") -> tuple[Node, int]:
    """The product of the significands, and its bound; what is always 1 costs nothing."""
    word: Node | None = None
    bound = 1
    for factor in factors:
        if factor.significand.constant == 1:
            continue
        bound *= _most(factor)
        word = factor.significand if word is None else multiplier.multiply(g, word, factor.significand, name=name)
    if word is None:
        return g.const(1, 1), 1
    return word.fit(max(1, bound.bit_length())), bound


def exponents(factors: Sequence[Operand]) -> Quantity:
    """The sum of the exponents of the top places."""
    total = factors[0].top_exponent
    for factor in factors[1:]:
        total = total + factor.top_exponent
    return total


def any_of(g: Graph, bits: Sequence[Node]) -> Node:
    """1 when one of the bits is."""
    return g.cat(*bits).any() if bits else g.const(0, 1)


def _fitted(magnitude: Node, fraction: int) -> tuple[Node, int]:
    """The magnitude with at least one integer bit and no negative number of fraction bits."""
    if fraction < 0:
        return magnitude.shifted(-fraction), 0
    return magnitude.zext(max(magnitude.width, fraction + 1)), fraction


def alone(g: Graph, operand: Operand) -> Term:
    """An addend as a term."""
    return Term(operand.sign, operand.significand, operand.top_exponent, operand.significand.width - 1, _most(operand),
                operand.zero, of_operand(g, operand))


def _places_below(scales: Sequence[Operand]) -> int:
    """Fraction bits that the significands of scales bring."""
    return sum(scale.significand.width - 1 for scale in scales)


def _scale_special(g: Graph, scales: Sequence[Operand]) -> tuple[Special, Node]:
    """Of the product of the scales, and whether that is zero."""
    first, second = scales
    return of_product(g, first, second, first.sign ^ second.sign), first.zero | second.zero


def product_term(g: Graph, a: Operand, b: Operand, scales: Sequence[Operand]) -> Term:
    """a * b (times the scales, whose exponents are left to the family)."""
    magnitude, largest = times(g, [a, b])
    zero, sign = a.zero | b.zero, a.sign ^ b.sign
    both = special.product(g, a, b)
    if scales:
        scale, bound = times(g, scales, "scale")
        magnitude, largest = _scaled(g, magnitude, scale), largest * bound
        factor, factor_zero = _scale_special(g, scales)
        both = special.scaled(g, factor, factor_zero, both, zero)
        zero = zero | factor_zero
    fraction = a.significand.width - 1 + b.significand.width - 1 + _places_below(scales)
    magnitude, fraction = _fitted(magnitude.fit(max(1, largest.bit_length())), fraction)
    return Term(sign, magnitude, exponents([a, b]), fraction, largest, zero, both)


def _scaled(g: Graph, magnitude: Node, scale: Node) -> Node:
    return magnitude if scale.constant == 1 else multiplier.multiply(g, magnitude, scale, name="scaled")


def presummed_term(g: Graph, block: Block) -> Term:
    """The exact sum of products, times the scales; its alignment exponent is that of the scales alone."""
    magnitude, below_one = block_magnitude(g, block)
    some = magnitude.any()
    sign = below_one & some
    both = special.of_terms(g, [special.product(g, x, y) for x, y in zip(block.a, block.b, strict=True)])
    zero = g.const(0, 1)
    if block.scales:
        factor, zero = _scale_special(g, block.scales)
        own = replace(both, infinity_sign=g.mux(both.infinity, both.infinity_sign, sign))
        both = special.scaled(g, factor, zero, own, ~some & ~both.infinity)
    window = block.window
    largest = max(-window.least, window.most)
    places = _places_below(block.scales) - window.low
    magnitude, fraction = _fitted(magnitude.fit(largest.bit_length()), places)
    largest <<= fraction - places
    return Term(sign, magnitude, Quantity.constant(g, 0), fraction, largest, zero, both)


def signed_sum(g: Graph, rows: Sequence[tuple[Node, Node, Node, int]], bound: int, name: str) -> tuple[Node, Node]:
    """Sign and magnitude of a sum of signed numbers, with one adder.

    Parameters
    ----------
    rows : sequence of (sign, word, one, weight)
        Stands for ``word * 2**weight``, or with `sign` for ``(one - 1 - word) * 2**weight``: `one` is 1 for a number
        in two's complement, 0 for its floor when bits below were lost. (`one` is 0 where `sign` is.)
    bound : int
        Of the magnitude of the sum.

    Returns
    -------
    (negative, magnitude) : tuple of Node
        `magnitude` has as many bits as the bound; `negative` is 0 for zero.

    Notes
    -----
    A negative row is complemented. Its sign extension, ``-2**high``, is a bit ``~sign`` at the top and a constant
    that all rows share. The tree also holds a constant -1, so that the end-around carry of
    `prefix.magnitude_of_difference` gives either the sum or its negative without a second addition.
    """
    magnitude_bits = max(1, bound.bit_length())
    tree = Rows(g, magnitude_bits + 1)
    ends = 0
    for sign, word, one, weight in rows:
        bits = word[: magnitude_bits - weight] if word.width > magnitude_bits - weight else word
        if sign.constant != 0:
            high = weight + bits.width
            flipped = bits ^ sign.repeat(bits.width)
            tree.add_word(g.step(f"{name}_row", g.cat(flipped, ~sign)), weight, arrival=8.0)
            tree.add_constant(-(1 << high))
            tree.add_word(one, weight, arrival=0.0 if one is sign else 8.0)
            ends += 1
        else:
            tree.add_word(bits, weight, arrival=8.0)
    if not ends:
        first, second = tree.reduce(f"{name}_tree")
        total = prefix.add(g, first, second, name=f"{name}_sum")
        return g.const(0, 1), total[:magnitude_bits]
    tree.add_constant(-1)
    first, second = tree.reduce(f"{name}_tree")
    magnitude, below_one = prefix.magnitude_of_difference(g, first, second, g.const(1, 1), name=f"{name}_sum")
    return g.step(f"{name}_negative", below_one & magnitude.any()), magnitude


def families(g: Graph, inputs: Inputs, presum: int) -> list[Family]:
    """All terms of a sum, in order, one family for each block; `presum` products are summed exactly into one term."""
    found = []
    for block in blocks_of(inputs):
        g.section("Multiply")
        shared = exponents(block.scales) if block.scales else Quantity.constant(g, 0)
        terms = []
        for i in range(0, len(block.a), presum):
            a, b = block.a[i : i + presum], block.b[i : i + presum]
            if presum > 1:
                terms.append(presummed_term(g, replace(block, a=a, b=b, name=f"{block.name}part_{i // presum}_")))
            else:
                terms.append(product_term(g, a[0], b[0], block.scales))
        found.append(Family(shared, tuple(terms)))
    return found


def grouped(whole: Sequence[Family], size: int) -> list[list[Family]]:
    """The terms in groups of `size`; a family that crosses a border is cut."""
    groups: list[list[Family]] = [[]]
    room = size
    for family in whole:
        rest = list(family.terms)
        while rest:
            if not room:
                groups.append([])
                room = size
            taken, rest = rest[:room], rest[room:]
            groups[-1].append(replace(family, terms=tuple(taken)))
            room -= len(taken)
    return groups
