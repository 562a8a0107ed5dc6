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

from fpgen.formats import Format
from fpgen.rtl.arith import multiplier, prefix, shift
from fpgen.rtl.arith.multiplier import Rows
from fpgen.rtl.arith.quantity import bits_for
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node

#: Prefix network of the long adders. ABC's default script turns sparser ones into ripple adders (60 bits of Sklansky:
#: 454 um2, 1750 ps; Kogge-Stone: 506 um2, 1325 ps, by themselves through the `reference` recipe; measured once, no
#: command repeats it).
NETWORK = "kogge_stone"


#: Products that are shifted by more places than this are complemented before, and their sign is extended as they move;
#: otherwise every bit of the shifted word is complemented.
COMPLEMENTED_SHORT = 8


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


def lowest_operand(fmt: Format) -> Fraction:
    """The lowest value that can come in: a symmetric format never produces its lowest code, but may be given it."""
    return -(Fraction(2) ** (fmt.scale + fmt.bits - 1)) if fmt.fixed and fmt.signed else fmt.min_finite


def window_of(a: Format, b: Format, count: int) -> Window:
    """Of a sum of `count` products."""
    low = a.quantum_exponent + b.quantum_exponent
    ends_a, ends_b = ((lowest_operand(fmt), fmt.max_finite) for fmt in (a, b))
    corners = [x * y / Fraction(2) ** low for x in ends_a for y in ends_b]
    return Window(low, count * min(0, *map(int, corners)), count * max(map(int, corners)))


def add_products(g: Graph, rows: Rows, a: Sequence[Operand], b: Sequence[Operand], low: int, name: str = "") -> None:
    """Put every ``a[i] * b[i] / 2**low`` into `rows`."""
    if a[0].format.fixed and b[0].format.fixed:
        _add_integer_products(g, rows, a, b, a[0].format.scale + b[0].format.scale - low, name)
        return
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        # Of n complemented rows, n - 1 find a place for their 1 under a row of carries.
        _add_product(g, rows, x, y, low, f"{name}product_{i}", last=i == len(a) - 1)


def _add_product(g: Graph, rows: Rows, x: Operand, y: Operand, low: int, name: str, last: bool) -> None:
    exact = multiplier.multiply(g, x.significand, y.significand, name=name)
    place = (x.exponent + y.exponent - low).settled()
    amount = place.bits(max(1, place.high.bit_length()))
    sign = g.step(f"{name}_sign", x.sign ^ y.sign)
    if sign.constant is None and (last or place.high > COMPLEMENTED_SHORT):
        term = negated(g, exact, sign, name)
        word = shift.place_left(g, term, amount, place.high, signed=True, name=f"{name}_placed")
        rows.add_word(g.cat(word[:-1], ~word[-1]))
        rows.add_constant(-1 << (word.width - 1))
    else:
        placed = shift.place_left(g, exact, amount, place.high, name=f"{name}_placed")
        add_signed(g, rows, placed, sign, 0, f"{name}_term")


def magnitude_of_sum(g: Graph, first: Node, second: Node, name: str = "sum") -> tuple[Node, Node]:
    """|S| for two words whose sum is S - 1, one bit narrower; and whether S is negative or 0."""
    if first.width <= prefix.WIDEST_NETWORK:
        return prefix.magnitude_of_difference(g, first, second, g.const(1, 1), NETWORK, name)
    less_one = g.step(f"{name}_less_one", g.add(first, second))
    below_one = less_one[-1]
    flipped = less_one[:-1] ^ below_one.repeat(less_one.width - 1)
    return g.step(name, g.add(flipped, (~below_one).zext(flipped.width))), below_one


def negated(g: Graph, magnitude: Node, sign: Node, name: str) -> Node:
    """``(-1)**sign * magnitude`` in two's complement, one bit wider."""
    flipped = g.cat(magnitude ^ sign.repeat(magnitude.width), sign)
    return g.step(f"{name}_signed", prefix.increment(g, flipped, sign, f"{name}_negated")[: flipped.width])


def add_signed(g: Graph, rows: Rows, magnitude: Node, sign: Node, weight: int, name: str) -> None:
    """Put ``(-1)**sign * magnitude * 2**weight`` into `rows`: a long word, complemented where it stands."""
    if sign.constant == 0:
        rows.add_word(magnitude, weight)
        return
    width = magnitude.width
    word = g.step(name, magnitude ^ sign.repeat(width))
    rows.add_constant(-1 << (width + weight))
    rows.add_word(g.cat(word, ~sign), weight)
    rows.add_bit(sign, weight)


def _add_integer_products(
    g: Graph, rows: Rows, a: Sequence[Operand], b: Sequence[Operand], place: int, name: str
) -> None:
    """Two's-complement (or unsigned) multiplications, at bit `place`.

    Each is summed by itself first: one array for all of them has fewer adders, but ABC's `scorr` and `dch` do not end
    within minutes on it (as on Booth digits, `arith.multiplier`).
    """
    signed = a[0].format.signed or b[0].format.signed
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        word = multiply_integers(g, x, y, f"{name}product_{i}")
        if signed:
            rows.add_word(g.cat(word[:-1], ~word[-1]), place)
            rows.add_constant(-1 << (place + word.width - 1))
        else:
            rows.add_word(word, place)


def multiply_integers(g: Graph, x: Operand, y: Operand, name: str) -> Node:
    """The product of two fixed-point operands as it stands, signed if one of them is."""
    assert x.code is not None and y.code is not None
    return multiplier.multiply(g, x.code, y.code, name=name, signed=(x.format.signed, y.format.signed))
