"""Products of elements as rows of a carry-save tree, at fixed places.

A negative row is complemented: with `w` bits and sign s, ``(-1)**s * m = (m ^ s) + s + ~s * 2**w - 2**w``, so its sign
extension is one inverted sign bit, and the constants of all rows together are one constant::

          ~s  m m m m m m        - 2**w
                        s
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ...formats import Format
from ..arith import multiplier, shift
from ..arith.multiplier import Rows
from ..arith.quantity import bits_for
from ..float.unpack import Operand
from ..graph import Graph, Node


@dataclass(frozen=True)
class Window:
    """Two's complement of multiples of 2**`low`: the sum lies between `least` and `most` times that.

    The range is that of the sum less one to the sum itself, which is what the adder holds.
    """

    low: int
    least: int
    most: int

    @property
    def width(self) -> int:
        return bits_for(min(self.least, 0) - 1, self.most)


def window_of(a: Format, b: Format, count: int) -> Window:
    """Of a sum of `count` products."""
    low = a.quantum_exponent + b.quantum_exponent
    corners = [x * y / Fraction(2) ** low for x in (a.min_finite, a.max_finite) for y in (b.min_finite, b.max_finite)]
    return Window(low, count * int(min(*corners, 0)), count * int(max(corners)))


def add_products(g: Graph, rows: Rows, a: Sequence[Operand], b: Sequence[Operand], low: int, name: str = ""):
    """Put every ``a[i] * b[i] / 2**low`` into `rows`."""
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        magnitude = _placed(g, x, y, low, f"{name}product_{i}")
        add_signed(g, rows, magnitude, g.step(f"{name}sign_{i}", x.sign ^ y.sign), 0, f"{name}term_{i}")


def _placed(g: Graph, x: Operand, y: Operand, low: int, name: str) -> Node:
    """``|x * y| / 2**low``."""
    exact = multiplier.multiply(g, x.significand, y.significand, name=name)
    place = (x.exponent + y.exponent - low).settled()
    width = exact.width + place.high
    return shift.shift_left(g, exact.zext(width), place.bits(max(1, place.high.bit_length())), place.high,
                            f"{name}_placed")


def add_signed(g: Graph, rows: Rows, magnitude: Node, sign: Node, weight: int, name: str):
    """Put ``(-1)**sign * magnitude * 2**weight`` into `rows`."""
    if sign.constant == 0:
        rows.add_word(magnitude, weight)
        return
    width = magnitude.width
    word = g.step(name, magnitude ^ sign.repeat(width))
    rows.add_word(g.cat(word, ~sign), weight)
    rows.add_word(sign, weight)
    rows.add_constant(-1 << (width + weight))
