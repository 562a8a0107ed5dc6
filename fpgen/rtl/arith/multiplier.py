"""Multipliers: partial products, a delay-driven carry-save tree, one prefix adder; or the synthesiser's own.

Partial products are an AND array or radix-4 Booth digits, as the graph's architecture says. The tree adds the
three rows that arrive first with one row of full adders, until two are left
(the word-level form of Oklobdzija, Villeger and Liu, IEEE Trans. Computers
45(3), 1996); late rows, such as an aligned addend, meet short paths. Full
adders stand only where three bits meet::

    row x    . x x x x x            sum      x x s s s s z z
    row y  . . . y y y y y    ->    carry    . c c c c 0 y .       (per column: bits, or full adders)
    row z          z z z z z z
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import assert_never

from fpgen.rtl.graph import Graph, Node
from fpgen.units.architecture import Multiplier

from . import prefix

# Delays of a row of full adders in units of a 2-input XOR, from its earlier inputs and from its latest.
EARLY_TO_OUT, LATE_TO_OUT = 2.0, 1.0


@dataclass(frozen=True)
class Row:
    """Bits of weight 2**low and up."""

    low: int
    bits: Node

    @property
    def high(self) -> int:
        return self.low + self.bits.width

    def part(self, low: int, high: int) -> Node:
        """The bits of weights `low` to `high` - 1; zero where the row has none."""
        g = self.bits.graph
        inner_low, inner_high = max(low, self.low), min(high, self.high)
        if inner_low >= inner_high:
            return g.const(0, high - low)
        parts = [self.bits[inner_low - self.low : inner_high - self.low]]
        if inner_low > low:
            parts.insert(0, g.const(0, inner_low - low))
        if inner_high < high:
            parts.append(g.const(0, high - inner_high))
        return g.cat(*parts)


class Rows:
    """Words to be summed modulo 2**width, each with its arrival time."""

    def __init__(self, g: Graph, width: int) -> None:
        self.g = g
        self.width = width
        self._heap: list[tuple[float, int, Row]] = []
        self._order = 0
        self._constant = 0
        self._bits: dict[int, list[Node]] = {}

    def add_word(self, word: Node, weight: int = 0, arrival: float = 0.0) -> None:
        """Add an unsigned word times 2**`weight`; `arrival` in units of an XOR delay."""
        if weight >= self.width:
            return
        word = word[: self.width - weight]
        if word.constant is not None:
            self._constant += word.constant << weight
            return
        self._order += 1
        heapq.heappush(self._heap, (arrival, self._order, Row(weight, word)))

    def add_constant(self, value: int) -> None:
        self._constant += value

    def add_bit(self, bit: Node, weight: int = 0) -> None:
        """Add an early bit of weight 2**`weight`: it takes the free place below a row of carries."""
        if bit.constant is not None:
            self._constant += bit.constant << weight
        elif weight < self.width:
            self._bits.setdefault(weight, []).append(bit)

    def _filled(self, row: Row) -> Row:
        """A row with one of the waiting bits below it."""
        waiting = self._bits.get(row.low - 1)
        if not waiting:
            return row
        return Row(row.low - 1, self.g.cat(waiting.pop(), row.bits))

    def _put_left_over(self) -> None:
        for weight, bits in self._bits.items():
            while bits:
                self.add_word(bits.pop(), weight)

    def reduce(self, name: str = "tree") -> tuple[Node, Node]:
        """Two words of `width` bits whose sum is the sum of all rows, modulo 2**width."""
        g = self.g
        constant = self._constant % (1 << self.width)
        if constant:
            low = (constant & -constant).bit_length() - 1
            self._order += 1
            heapq.heappush(self._heap, (0.0, self._order, Row(low, g.const(constant >> low, self.width - low))))
        number = 0
        while len(self._heap) > 2 or any(self._bits.values()):
            number += 1
            if len(self._heap) < 3:
                self._put_left_over()
                if len(self._heap) < 3:
                    break
            (first, _, x), (second, _, y), (third, _, z) = (heapq.heappop(self._heap) for _ in range(3))
            arrival = max(max(first, second) + EARLY_TO_OUT, third + LATE_TO_OUT)
            for row in self._full_adders(x, y, z, f"{name}_{number}"):
                if row.low < self.width:
                    row = self._filled(row)
                    self._order += 1
                    row = Row(row.low, row.bits[: self.width - row.low])
                    heapq.heappush(self._heap, (arrival, self._order, row))
        rows = [row.part(0, self.width) for _, _, row in sorted(self._heap, key=lambda entry: entry[:2])]
        rows += [g.const(0, self.width)] * (2 - len(rows))
        return g.step(f"{name}_row_a", rows[0]), g.step(f"{name}_row_b", rows[1])

    def _full_adders(self, x: Row, y: Row, z: Row, name: str) -> list[Row]:
        """Add three rows: a sum row and a carry row."""
        g = self.g
        bottom, second, third = sorted(row.low for row in (x, y, z))
        most, middle = sorted((row.high for row in (x, y, z)), reverse=True)[:2]
        if third >= middle:  # nowhere more than two bits: the highest row only continues another one
            top = next(row for row in (z, y, x) if row.low == third)
            under = [row for row in (x, y, z) if row is not top]
            under.sort(key=lambda row: row.high)
            return [Row(under[0].low, g.cat(under[0].part(under[0].low, third), top.bits)), under[1]]
        # From `third` on three bits can meet, and up to `middle` a carry meets at least one more bit.
        low, high = third, middle
        a, b, c = (row.part(low, high) for row in (x, y, z))
        half = g.step(f"{name}_half", a ^ b)
        total = g.step(f"{name}_sum", half ^ c)
        carry = g.step(f"{name}_carry", (a & b) | (half & c))
        upper = next(row for row in (x, y, z) if row.high == most)
        lower = [row for row in (x, y, z) if row.low < low]
        parts = [total]
        if most > high:
            parts.append(upper.part(high, most))
        carries = [carry]
        carry_low = low + 1
        if bottom < low:
            lower.sort(key=lambda row: row.low)
            parts.insert(0, lower[0].part(bottom, low))
            if len(lower) > 1 and second < low:
                carries = [lower[1].part(second, low), g.const(0, 1), carry]
                carry_low = second
        return [Row(bottom, g.cat(*parts)), Row(carry_low, g.cat(*carries))]


def add_product(
    g: Graph,
    rows: Rows,
    x: Node,
    y: Node,
    weight: int = 0,
    name: str = "product",
    signed: tuple[bool, bool] = (False, False),
) -> None:
    """Put ``x * y`` into `rows`, at bit `weight`, in the way of the graph's architecture.

    Parameters
    ----------
    signed : tuple of bool
        Whether `x` and `y` are two's complement.

    Notes
    -----
    A 24 x 24 multiplier by itself was 20 % smaller with Booth digits (tried once, no command repeats it), but inside a
    unit ABC's `dch` and `scorr` do not end within minutes on them, so the AND array is the default; what whole units
    gain is in docs/datapath.md. The rows of Booth digits and of signed products are correct modulo 2**rows.width only.
    """
    match g.architecture.multiplier:
        case Multiplier.OPERATOR:
            word = _operator(g, x, y, name, signed)
            if any(signed):  # the sign extension as a constant, for which another one may have made place
                word = g.cat(word[:-1], ~word[-1])
                rows.add_constant(-1 << (weight + word.width - 1))
            rows.add_word(word, weight)
        case Multiplier.BOOTH:
            _add_booth(g, rows, x, y, weight, name, signed)
        case Multiplier.ARRAY:
            _add_array(g, rows, x, y, weight, name, signed)
        case unknown:
            assert_never(unknown)


def _operator(g: Graph, x: Node, y: Node, name: str, signed: tuple[bool, bool]) -> Node:
    """The product as the synthesiser makes it."""
    width = x.width + y.width
    if any(signed):
        x, y = (word.sext(width) if minus else word.zext(width) for word, minus in zip((x, y), signed, strict=True))
    return g.step(name, g.mul(x, y, width, any(signed)))


def _add_array(g: Graph, rows: Rows, x: Node, y: Node, weight: int, name: str, signed: tuple[bool, bool]) -> None:
    """A row of AND gates for each bit of `y`.

    Bits of two's complement that weigh minus are complemented, and a constant makes up for it (Baugh and Wooley, 1973).
    """
    for j, bit in enumerate(y):
        minus = 1 << (x.width - 1) if signed[0] else 0
        if j == y.width - 1 and signed[1]:
            minus ^= (1 << x.width) - 1
        rows.add_word(g.step(f"{name}_row_{j}", (x & bit.repeat(x.width)) ^ minus), weight + j)
        if minus:
            rows.add_constant(-minus << (weight + j))


def _add_booth(g: Graph, rows: Rows, x: Node, y: Node, weight: int, name: str, signed: tuple[bool, bool]) -> None:
    """Radix-4 modified Booth: digits -2..2 of `y`, negative rows as complement plus one.

    The sign extensions of all rows together are a constant (Bewick, Stanford CSL-TR-94-617, 1994):
    row k carries its inverted sign above its top bit and the constant takes care of the rest.
    """
    zero = g.const(0, 1)
    digits = (y.width + 1) // 2 if signed[1] else (y.width + 2) // 2
    padded = g.cat(zero, y.sext(2 * digits) if signed[1] else y.zext(2 * digits))
    once = x.sext(x.width + 1) if signed[0] else x.zext(x.width + 1)
    twice = g.cat(zero, x)
    ends = []
    for k in range(digits):
        low, middle, high = padded[2 * k], padded[2 * k + 1], padded[2 * k + 2]
        one = g.step(f"{name}_one_{k}", low ^ middle)
        two = g.step(f"{name}_two_{k}", (high ^ middle) & ~one)
        negative = high & ~(middle & low)
        magnitude = (one.repeat(x.width + 1) & once) | (two.repeat(x.width + 1) & twice)
        row = g.step(f"{name}_row_{k}", magnitude ^ negative.repeat(x.width + 1))
        place = weight + 2 * k
        ends += [negative, zero]
        if signed[0]:
            row = g.cat(row[:-1], ~row[-1])
            rows.add_constant(-(1 << (place + x.width)))
        elif negative.constant != 0:
            row = g.cat(row, ~negative)
            rows.add_constant(-(1 << (place + x.width + 1)))
        rows.add_word(row, place, arrival=2.0)
    rows.add_word(g.step(f"{name}_plus_ones", g.cat(*ends)), weight, arrival=1.0)


def multiply(
    g: Graph,
    x: Node,
    y: Node,
    network: str = "sklansky",
    name: str = "product",
    signed: tuple[bool, bool] = (False, False),
) -> Node:
    """``x * y``, full width; in two's complement where `x` or `y` is.

    Parameters
    ----------
    network : str
        Of the last addition, as in `prefix.add`.
    signed : tuple of bool
        Whether `x` and `y` are two's complement.
    """
    width = x.width + y.width
    if not any(signed) and (x.width == 1 or y.width == 1):
        word, bit = (x, y) if y.width == 1 else (y, x)
        return g.step(name, (word & bit.repeat(word.width)).zext(width))
    if g.architecture.multiplier is Multiplier.OPERATOR:
        return _operator(g, x, y, name, signed)
    rows = Rows(g, width)
    add_product(g, rows, x, y, 0, name, signed)
    first, second = rows.reduce(f"{name}_tree")
    return prefix.add(g, first, second, network=network, name=name)
