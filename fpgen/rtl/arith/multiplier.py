"""Unsigned multipliers: partial products, a delay-driven carry-save tree, one prefix adder.

Partial products are an AND array or radix-4 Booth digits. The tree takes, in
every column, the three bits that arrive first into a full adder (Oklobdzija,
Villeger and Liu, IEEE Trans. Computers 45(3), 1996), so that late carries meet
short paths; the full adders of one depth form one row in the Verilog.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from ..graph import Graph, Node
from . import prefix

# Full-adder delays in units of a 2-input XOR: x and y to sum, carry-in to sum, any to carry.
XY_TO_SUM, CIN_TO_SUM, XY_TO_CARRY, CIN_TO_CARRY = 2.0, 1.0, 1.6, 1.0


@dataclass(frozen=True)
class Bit:
    """A bit to be summed: an existing node, or the sum or carry of a full adder that is yet to be built."""

    arrival: float
    level: int
    node: Node | None = None
    adder: int = -1
    is_carry: bool = False


@dataclass(frozen=True)
class FullAdder:
    """Three bits of weight 2**`weight`, the latest last; `level` is its depth in the tree."""

    weight: int
    level: int
    inputs: tuple[Bit, Bit, Bit]


class Columns:
    """Bits by weight, each with its arrival time, to be summed modulo 2**width."""

    def __init__(self, g: Graph, width: int):
        self.g = g
        self.width = width
        self._columns: list[list[tuple[float, int, Bit]]] = [[] for _ in range(width)]
        self._adders: list[FullAdder] = []
        self._order = 0
        self._constant = 0

    def add_bit(self, weight: int, node: Node, arrival: float = 0.0):
        """Add one bit of weight 2**`weight`; `arrival` in units of an XOR delay."""
        if weight >= self.width or node.constant == 0:
            return
        if node.constant == 1:
            self._constant += 1 << weight
            return
        self._push(weight, Bit(arrival, 0, node))

    def add_word(self, word: Node, weight: int = 0, arrival: float = 0.0):
        """Add an unsigned word times 2**`weight`."""
        for i, bit in enumerate(word):
            self.add_bit(weight + i, bit, arrival)

    def add_constant(self, value: int):
        self._constant += value

    def _push(self, weight: int, bit: Bit):
        if weight < self.width:
            self._order += 1
            heapq.heappush(self._columns[weight], (bit.arrival, self._order, bit))

    def reduce(self, name: str = "tree") -> tuple[Node, Node]:
        """Two words whose sum is the sum of all bits, modulo 2**width."""
        for weight in range(self.width):
            if self._constant >> weight & 1:
                self._push(weight, Bit(-9.0, 0, self.g.const(1, 1)))
        for weight, column in enumerate(self._columns):
            while len(column) > 2:
                x, y, z = (heapq.heappop(column)[2] for _ in range(3))
                self._plan_adder(weight, (x, y, z))
        g = self.g
        sums, carries = self._build(name)
        zero = g.const(0, 1)
        rows = []
        for k in (0, 1):
            chosen = [sorted(column)[k][2] if len(column) > k else None for column in self._columns]
            rows.append(g.cat(*[zero if bit is None else _resolve(bit, sums, carries) for bit in chosen]))
        return g.step(f"{name}_row_a", rows[0]), g.step(f"{name}_row_b", rows[1])

    def _plan_adder(self, weight: int, inputs: tuple[Bit, Bit, Bit]):
        x, y, z = inputs
        early = max(x.arrival, y.arrival)
        level = 1 + max(bit.level for bit in inputs)
        number = len(self._adders)
        self._adders.append(FullAdder(weight, level, inputs))
        self._push(weight, Bit(max(early + XY_TO_SUM, z.arrival + CIN_TO_SUM), level, None, number))
        self._push(weight + 1, Bit(max(early + XY_TO_CARRY, z.arrival + CIN_TO_CARRY), level, None, number, True))

    def _build(self, name: str) -> tuple[dict[int, Node], dict[int, Node]]:
        """All full adders of one level as one row of words; the sum and carry node of every adder."""
        g = self.g
        sums: dict[int, Node] = {}
        carries: dict[int, Node] = {}
        levels: dict[int, list[int]] = {}
        for number, adder in enumerate(self._adders):
            levels.setdefault(adder.level, []).append(number)
        for level in sorted(levels):
            row = sorted(levels[level], key=lambda number: (self._adders[number].weight, number))
            x, y, z = (
                g.step(f"{name}_{level}_{'xyz'[k]}",
                       g.cat(*[_resolve(self._adders[number].inputs[k], sums, carries) for number in row]))
                for k in range(3)
            )
            half = g.step(f"{name}_{level}_half", x ^ y)
            total = g.step(f"{name}_{level}_sum", half ^ z)
            carry = g.step(f"{name}_{level}_carry", (x & y) | (half & z))
            for place, number in enumerate(row):
                sums[number], carries[number] = total[place], carry[place]
        return sums, carries


def _resolve(bit: Bit, sums: dict[int, Node], carries: dict[int, Node]) -> Node:
    if bit.node is not None:
        return bit.node
    return carries[bit.adder] if bit.is_carry else sums[bit.adder]


def add_product(g: Graph, columns: Columns, x: Node, y: Node, weight: int = 0, booth: bool = False,
                name: str = "product"):
    """Put the partial products of ``x * y`` into `columns`, at bit `weight`.

    Parameters
    ----------
    booth : bool
        Radix-4 Booth digits of `y` instead of an AND array. A 24 x 24 multiplier by itself is 20 % smaller with
        them, but inside a unit ABC's `dch` and `scorr` do not end within minutes, so they are not the default.

    Notes
    -----
    The Booth rows are correct modulo 2**columns.width only.
    """
    if not booth:
        for i, bit in enumerate(y):
            row = g.step(f"{name}_row_{i}", x & bit.repeat(x.width))
            columns.add_word(row, weight + i)
        return
    _add_booth(g, columns, x, y, weight, name)


def _add_booth(g: Graph, columns: Columns, x: Node, y: Node, weight: int, name: str):
    """Radix-4 modified Booth: digits -2..2 of `y`, negative rows as complement plus one.

    The sign extensions of all rows together are a constant (Bewick, Stanford CSL-TR-94-617, 1994):
    row k contributes ``~s`` at its top bit and the constant takes care of the rest.
    """
    zero = g.const(0, 1)
    digits = (y.width + 2) // 2
    padded = g.cat(zero, y, g.const(0, 2 * digits + 1 - y.width - 1 + 1))
    for k in range(digits):
        low, middle, high = padded[2 * k], padded[2 * k + 1], padded[2 * k + 2]
        one = g.step(f"{name}_one_{k}", low ^ middle)
        two = g.step(f"{name}_two_{k}", (high ^ middle) & ~one)
        negative = high & ~(middle & low) if high.op != "const" else high
        magnitude = (one.repeat(x.width + 1) & x.zext(x.width + 1)) | (
            two.repeat(x.width + 1) & g.cat(zero, x))
        row = g.step(f"{name}_row_{k}", magnitude ^ negative.repeat(x.width + 1))
        place = weight + 2 * k
        columns.add_word(row, place, arrival=2.0)
        columns.add_bit(place, negative, arrival=1.0)
        if high.op != "const":
            top = place + x.width + 1
            columns.add_bit(top, ~negative, arrival=1.0)
            columns.add_constant(-(1 << top) % (1 << columns.width) if top < columns.width else 0)


def multiply(g: Graph, x: Node, y: Node, booth: bool = False, network: str = "sklansky",
             name: str = "product") -> Node:
    """``x * y``, full width."""
    width = x.width + y.width
    if x.width == 1 or y.width == 1:
        word, bit = (x, y) if y.width == 1 else (y, x)
        return g.step(name, (word & bit.repeat(word.width)).zext(width))
    columns = Columns(g, width)
    add_product(g, columns, x, y, 0, booth, name)
    first, second = columns.reduce(f"{name}_tree")
    return prefix.add(g, first, second, network=network, name=name)
