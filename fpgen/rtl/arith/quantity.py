"""Integers with a known range, so that every width and every comparison follows from a bound.

Exponents are added, compared and clamped in every unit; a copied width formula
is how such logic breaks for small formats. Here the range travels with the
signal and the width is derived from it, in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

from fpgen.rtl.graph import Graph, Node


def bits_for(low: int, high: int) -> int:
    """Bits that hold every integer from `low` to `high`: two's complement when `low` is negative."""
    if low >= 0:
        return max(1, high.bit_length())
    return 1 + max((-low - 1).bit_length(), max(high, 0).bit_length())


@dataclass(frozen=True)
class Quantity:
    """The integer ``node + offset``, known to lie between `low` and `high`.

    `offset` is a constant (such as a bias) that costs nothing until the value itself is
    needed: sums add their offsets here, not in hardware. `node` is two's complement when
    ``low - offset`` is negative, else unsigned.
    """

    node: Node
    low: int
    high: int
    offset: int = 0

    @staticmethod
    def of(node: Node) -> Quantity:
        """An unsigned signal."""
        return Quantity(node, 0, (1 << node.width) - 1)

    @staticmethod
    def constant(g: Graph, value: int) -> Quantity:
        return Quantity(g.const(0, 1), value, value, value)

    @property
    def _signed(self) -> bool:
        return self.low < self.offset

    def _in_bits(self, width: int) -> Node:
        """`node` in `width` bits (modulo 2**width)."""
        if self.node.width >= width:
            return self.node[:width]
        return self.node.sext(width) if self._signed else self.node.zext(width)

    def settled(self, name: str = "") -> Quantity:
        """The same value with offset 0: adds the constant."""
        if self.offset == 0:
            return self
        width = bits_for(self.low, self.high)
        g = self.node.graph
        total = g.add(self._in_bits(width), g.const(self.offset % (1 << width), width))
        return Quantity(g.step(name, total) if name else total, self.low, self.high)

    def named(self, name: str) -> Quantity:
        self.node.graph.step(name, self.node)
        return self

    def bits(self, width: int) -> Node:
        """The value in `width` bits, modulo 2**width."""
        return self.settled()._in_bits(width)

    # ---- arithmetic -----------------------------------------------------------------

    def __add__(self, other: Quantity | int) -> Quantity:
        if isinstance(other, int):
            return Quantity(self.node, self.low + other, self.high + other, self.offset + other)
        low, high, offset = self.low + other.low, self.high + other.high, self.offset + other.offset
        width = bits_for(low - offset, high - offset)
        g = self.node.graph
        return Quantity(g.add(self._in_bits(width), other._in_bits(width)), low, high, offset)

    def __sub__(self, other: Quantity | int) -> Quantity:
        if isinstance(other, int):
            return self + -other
        low, high, offset = self.low - other.high, self.high - other.low, self.offset - other.offset
        width = bits_for(low - offset, high - offset)
        return Quantity(self._in_bits(width).sub(other._in_bits(width), width), low, high, offset)

    # ---- comparison -----------------------------------------------------------------

    def negative(self) -> Node:
        """1 when below zero."""
        return self.less(0)

    def less(self, other: Quantity | int) -> Node:
        """1 when self < other."""
        g = self.node.graph
        if not isinstance(other, int):
            if self.high < other.low:
                return g.const(1, 1)
            if self.low >= other.high:
                return g.const(0, 1)
            return (self - other).less(0)
        if self.high < other:
            return g.const(1, 1)
        if self.low >= other:
            return g.const(0, 1)
        bound = other - self.offset
        if not self._signed:
            # (The range may be looser than the width: then no value reaches the bound.)
            return self.node.less(bound) if bound < 1 << self.node.width else g.const(1, 1)
        if bound == 0:
            return self.node[-1]
        width = bits_for(self.low - other, self.high - other)
        return g.add(self._in_bits(width), g.const(-bound % (1 << width), width))[-1]

    def at_least(self, other: Quantity | int) -> Node:
        return ~self.less(other)

    # ---- clamping -------------------------------------------------------------------

    def floored(self, name: str = "") -> Quantity:
        """max(self, 0)."""
        if self.low >= 0:
            return self.settled(name)
        value = self.settled(name)
        high = max(self.high, 0)
        width = bits_for(0, high)
        kept = value._in_bits(width) & (~value.less(0)).repeat(width)
        return Quantity(kept, 0, high)

    def saturated(self, most: int, name: str = "") -> Quantity:
        """min(self, 2**k - 1) with the smallest k that holds `most`; for a value of at least 0."""
        value = self.settled()
        k = max(1, most.bit_length())
        if self.high < 1 << k:
            return Quantity(value._in_bits(k), self.low, self.high)
        g = self.node.graph
        clamped = value.node[:k] | value.node[k:].any().repeat(k)
        return Quantity(g.step(name, clamped) if name else clamped, min(self.low, most), (1 << k) - 1)

    def minimum(self, other: Quantity) -> Quantity:
        """min(self, other), both at least 0."""
        if self.high <= other.low:
            return self
        if other.high <= self.low:
            return other
        width = bits_for(0, min(self.high, other.high))
        chosen = self.node.graph.mux(self.less(other), self.bits(width), other.bits(width))
        return Quantity(chosen, min(self.low, other.low), min(self.high, other.high))

    def choose(self, select: Node, other: Quantity) -> Quantity:
        """`self` where `select` is 1, else `other`."""
        low, high = min(self.low, other.low), max(self.high, other.high)
        mine, theirs, offset = self, other, self.offset
        if self.offset != other.offset:
            mine, theirs, offset = self.settled(), other.settled(), 0
        width = bits_for(low - offset, high - offset)
        g = self.node.graph
        return Quantity(g.mux(select, mine._in_bits(width), theirs._in_bits(width)), low, high, offset)
