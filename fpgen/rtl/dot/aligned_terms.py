"""Summands of an aligned sum: products, products with block scales, and exact partial sums.

::

    magnitude   | i i | f f f f f f |        `fraction` bits below the place of the alignment exponent
                      ^ 2**exponent          (the lowest integer bit)

Terms that share block scales stand together in a `TermFamily`: the exponent of the scales is added once for all
of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import xor

from fpgen.rtl.arith import multiplier, prefix
from fpgen.rtl.arith.multiplier import Rows
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float.rounder import Special
from fpgen.rtl.float.special_operands import of_operand
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node

from . import special_terms
from .inputs import Inputs
from .scaled_dot import Block, blocks_of
from .scaled_dot import magnitude as block_magnitude

#: Arrival of aligned rows in the tree, in XOR delays: their signs are there long before.
ALIGNED = 8.0


@dataclass(frozen=True)
class AlignedTerm:
    """A summand ``(-1)**sign * magnitude * 2**(exponent - fraction)``.

    Attributes
    ----------
    exponent : Quantity
        Alignment exponent, without that of the family.
    fraction : int
        Bits of the magnitude below the place of the alignment exponent; at least one bit is not below.
    largest : int
        Bound of the magnitude.
    name : str
        The start of the names of its steps.
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
    name: str

    @property
    def integer(self) -> int:
        """Bits of the magnitude from the place of the alignment exponent upwards."""
        return self.magnitude.width - self.fraction


@dataclass(frozen=True)
class TermFamily:
    """Terms that share an exponent, which adds to their own."""

    shared: Quantity
    terms: tuple[AlignedTerm, ...]


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


def alone(g: Graph, operand: Operand) -> AlignedTerm:
    """An addend as a term."""
    return AlignedTerm(
        operand.sign,
        operand.significand,
        operand.top_exponent,
        operand.significand.width - 1,
        _most(operand),
        operand.zero,
        of_operand(g, operand),
        "addend",
    )


def _places_below(scales: Sequence[Operand]) -> int:
    """Fraction bits that the significands of scales bring."""
    return sum(scale.significand.width - 1 for scale in scales)


def product_term(g: Graph, a: Operand, b: Operand, scales: Sequence[Operand], name: str) -> AlignedTerm:
    """a * b (times the scales, whose exponents are left to the family)."""
    magnitude, largest = times(g, [a, b])
    zero, sign = g.step("zero", a.zero | b.zero), g.step("sign", a.sign ^ b.sign)
    both = special_terms.product(g, a, b)
    if scales:
        scale, bound = times(g, scales, "scale")
        magnitude, largest = _scaled(g, magnitude, scale), largest * bound
        factor, factor_zero = special_terms.of_scales(g, scales)
        both = special_terms.scaled(g, factor, factor_zero, both, zero)
        zero = zero | factor_zero
        sign = reduce(xor, (scale.sign for scale in scales), sign)
    fraction = a.significand.width - 1 + b.significand.width - 1 + _places_below(scales)
    magnitude, fraction = _fitted(magnitude.fit(max(1, largest.bit_length())), fraction)
    return AlignedTerm(sign, magnitude, exponents([a, b]).named("exponent"), fraction, largest, zero, both, name)


def _scaled(g: Graph, magnitude: Node, scale: Node) -> Node:
    return magnitude if scale.constant == 1 else multiplier.multiply(g, magnitude, scale, name="scaled")


def presummed_term(g: Graph, block: Block, name: str) -> AlignedTerm:
    """The exact sum of products, times the scales; its alignment exponent is that of the scales alone."""
    magnitude, below_one = block_magnitude(g, block)
    some = magnitude.any()
    sign = below_one & some
    both = special_terms.of_terms(g, [special_terms.product(g, x, y) for x, y in zip(block.a, block.b, strict=True)])
    zero = g.const(0, 1)
    if block.scales:
        factor, zero = special_terms.of_scales(g, block.scales)
        own = replace(both, infinity_sign=g.mux(both.infinity, both.infinity_sign, sign))
        both = special_terms.scaled(g, factor, zero, own, ~some & ~both.infinity)
    sign = sign ^ block.sign
    window = block.window
    largest = max(-window.least, window.most)
    places = _places_below(block.scales) - window.low
    magnitude, fraction = _fitted(magnitude.fit(largest.bit_length()), places)
    largest <<= fraction - places
    return AlignedTerm(sign, magnitude, Quantity.constant(g, 0), fraction, largest, zero, both, name)


@dataclass(frozen=True)
class SignedRow:
    """``word * 2**weight``, or with `sign` ``(one - 1 - word) * 2**weight``.

    So `one` is 1 for a negative number in two's complement, and 0 for its floor when bits below were lost.
    (It is 0 where `sign` is.)
    """

    sign: Node
    word: Node
    one: Node
    weight: int
    name: str


def signed_sum(g: Graph, rows: Sequence[SignedRow], bound: int, name: str) -> tuple[Node, Node]:
    """Sign and magnitude of a sum of signed numbers, with one adder.

    Parameters
    ----------
    rows : sequence of SignedRow
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
    for row in rows:
        bits = row.word[: max(1, magnitude_bits - row.weight)]
        if row.sign.constant == 0:
            tree.add_word(bits, row.weight, ALIGNED)
            continue
        flipped = g.step(f"{row.name}_row", bits ^ row.sign.repeat(bits.width))
        tree.add_word(g.cat(flipped, ~row.sign), row.weight, ALIGNED)
        tree.add_constant(-1 << (row.weight + bits.width))
        tree.add_word(row.one, row.weight, 0.0 if row.one is row.sign else ALIGNED)
        ends += 1
    if not ends:
        first, second = tree.reduce(f"{name}_tree")
        total = prefix.add(g, first, second, name=f"{name}_sum")
        return g.const(0, 1), total[:magnitude_bits]
    tree.add_constant(-1)
    first, second = tree.reduce(f"{name}_tree")
    magnitude, below_one = prefix.magnitude_of_difference(g, first, second, g.const(1, 1), name=f"{name}_sum")
    return g.step(f"{name}_negative", below_one & magnitude.any()), magnitude


def families(g: Graph, inputs: Inputs, presum: int) -> list[TermFamily]:
    """All terms of a sum, in order, one family for each block; `presum` products are summed exactly into one term."""
    found: list[TermFamily] = []
    for block in blocks_of(inputs):
        g.section("Multiply")
        shared = exponents(block.scales).named(f"{block.name}exponent") if block.scales else Quantity.constant(g, 0)
        terms = []
        for i in range(0, len(block.a), presum):
            part = replace(block, a=block.a[i : i + presum], b=block.b[i : i + presum], name="")
            name = f"t{len(found) * len(block.a) // presum + i // presum}"
            with g.scope(f"{name}_"):
                terms.append(
                    presummed_term(g, part, name)
                    if presum > 1
                    else product_term(g, part.a[0], part.b[0], block.scales, name)
                )
        found.append(TermFamily(shared, tuple(terms)))
    return found


def grouped(whole: Sequence[TermFamily], size: int) -> list[list[TermFamily]]:
    """The terms in groups of `size`; a family that crosses a border is cut."""
    groups: list[list[TermFamily]] = [[]]
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


def dealt(whole: Sequence[TermFamily], run: int, count: int) -> list[list[TermFamily]]:
    """The terms in `count` groups, `run` neighbours to each in turn; groups that get none are left out."""
    groups: list[list[TermFamily]] = [[] for _ in range(count)]
    first = 0
    for family in whole:
        for number, group in enumerate(groups):
            taken = tuple(term for at, term in enumerate(family.terms, first) if at // run % count == number)
            if taken:
                group.append(replace(family, terms=taken))
        first += len(family.terms)
    return [group for group in groups if group]
