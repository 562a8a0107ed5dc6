"""The exact cores: product, sum, product plus addend, and plain operand, each ending positioned for the rounder."""

from __future__ import annotations

from fpgen.rtl.arith import count, multiplier, prefix, shift
from fpgen.rtl.arith.multiplier import Rows
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.graph import Graph, Node

from .float_position import position_counted, position_known
from .rounder import Mode, Positioned, Target
from .unpack import Operand

#: Arrival of the aligned addend: after every row of the product, whose tree it joins last.
LATEST = 1000.0


def _zeros(g: Graph, operand: Operand, name: str) -> Quantity:
    """Leading zeros of the significand, 0 where it is always normalised."""
    if operand.normalised.constant == 1 or operand.significand.width == 1:
        return Quantity.constant(g, 0)
    zeros, _ = count.leading_zeros(g, operand.significand, f"{name}_zeros")
    return Quantity(zeros, 0, operand.significand.width - 1)


def product(g: Graph, a: Operand, b: Operand, target: Target) -> Positioned:
    """a * b. The leading zeros of the operands are counted beside the multiplication."""
    g.section("Multiply")
    sign = g.step("sign", a.sign ^ b.sign)
    exact = multiplier.multiply(g, a.significand, b.significand)
    top = a.exponent + b.exponent + (exact.width - 1)
    t = (top + -target.emin).named("exponent_sum")
    zeros = _zeros(g, a, "a") + _zeros(g, b, "b")
    slack = 1 if a.significand.width > 1 and b.significand.width > 1 else 0
    if not slack:
        zeros = zeros + (exact.width - a.significand.width - b.significand.width + 1)
    return position_known(g, sign, exact, t, zeros, slack, target)


def operand_alone(g: Graph, a: Operand, target: Target) -> Positioned:
    """a itself, for conversions."""
    t = a.top_exponent + -target.emin
    return position_known(g, a.sign, a.significand, t, _zeros(g, a, "source"), 0, target)


def bits_below(kinds: list[tuple[int, int, int]], other: Operand, target: Target) -> int:
    """Bits a window needs below the anchor's last bit, so that what falls out of it may be a sticky bit.

    The anchor is the operand (or product) that stays in place. Where it has `n` significant bits and
    its last bit weighs 2**e, rounding looks at kept + fraction bits from its top, one more after a
    cancellation by one place. A longer cancellation needs the other operand's top bit at most one place
    lower than the anchor's, and then all of its bits. Never more than down to the output's lowest
    place, and nothing lies below the other operand's last place.
    """
    need = 0
    lowest_place = target.emin - target.kept + 1 - target.fraction
    for bits, _, highest in kinds:
        looked_at = max(target.kept + target.fraction, other.significand.width) + 1 - bits
        need = max(need, min(looked_at, highest - other.exponent.low, highest - lowest_place + 1))
    return need


def total(g: Graph, a: Operand, b: Operand, mode: Mode, target: Target, network: str = "sklansky") -> Positioned:
    """a + b by one path: order by exponent, align the smaller, add, normalise.

    ::

        larger   | 1 x x x x x | 0 0 |          R = `bits_below` zeros
        smaller        | 1 x x x x x |j         shifted right; j = OR of the bits lost ("jam")
    """
    g.section("Order by exponent")
    width = max(a.significand.width, b.significand.width)
    sig_a = a.significand.shifted(width - a.significand.width)
    sig_b = b.significand.shifted(width - b.significand.width)
    exp_a, exp_b = a.top_exponent, b.top_exponent  # of the common top bit
    difference, a_below = _distance(g, exp_a, exp_b)
    swap = a_below
    if not _same_layout(a, b):
        # A zero must not hold the place of a smaller number with a smaller exponent.
        swap = (a_below & ~b.zero) | a.zero
    swap = g.step("swap", swap)
    larger, smaller = g.mux(swap, sig_b, sig_a), g.mux(swap, sig_a, sig_b)
    g.step("larger", larger)
    g.step("smaller", smaller)
    exponent = exp_b.choose(swap, exp_a).named("larger_exponent")
    subtract = g.step("subtract_magnitudes", a.sign ^ b.sign)
    sign = g.step("larger_sign", g.mux(swap, b.sign, a.sign))

    g.section("Align and add")
    below = max(bits_below(_padded(a, width), b, target), bits_below(_padded(b, width), a, target))
    window = width + below
    most = min(difference.high, window)
    aligned, jam = shift.shift_right_sticky(g, smaller, difference.saturated(most, "align_by").node, window, most)
    if difference.high <= below:
        jam = g.const(0, 1)
    jam_bits = 0 if jam.constant == 0 else 1
    # One bit for the carry, one for the sign of the difference.
    size = window + jam_bits + 2
    x = larger.shifted(below + jam_bits).zext(size)
    y = (g.cat(jam, aligned) if jam_bits else aligned).zext(size) ^ subtract.repeat(size)
    magnitude, negative = prefix.magnitude_of_difference(g, x, y, subtract, network)
    sign = _sum_sign(g, sign ^ negative, magnitude, subtract, mode)
    t = exponent + 1 + -target.emin
    return position_counted(g, sign, magnitude, t, target)


def _padded(operand: Operand, width: int) -> list[tuple[int, int, int]]:
    """`least_bits` of a significand that was widened at the bottom."""
    more = width - operand.significand.width
    return [(bits + more, low - more, high - more) for bits, low, high in operand.least_bits]


def _same_layout(a: Operand, b: Operand) -> bool:
    """Whether the smallest exponents coincide, so that a zero never has the larger exponent alone."""
    return a.format.spelling == b.format.spelling


def _distance(g: Graph, x: Quantity, y: Quantity) -> tuple[Quantity, Node]:
    """|x - y| and whether x < y (or the two are equal)."""
    gap = x - y
    if gap.low >= 0:
        return gap.settled(), g.const(0, 1)
    if gap.high <= 0:
        return (y - x).settled(), g.const(1, 1)
    bound = max(gap.high, -gap.low)
    if x.offset == y.offset and min(x.low, y.low) >= x.offset:
        width = max(x.node.width, y.node.width) + 1
        ones = g.const(1, 1)
        left, right = x.node.zext(width), ~y.node.zext(width)
        size, negative = prefix.magnitude_of_difference(g, left, right, ones, "sklansky", "distance")
        return Quantity(size.fit(max(1, bound.bit_length())), 0, bound), negative
    value = gap.settled()
    negative = value.less(0)
    other = (y - x).settled()
    width = max(1, bound.bit_length())
    size = g.mux(negative, other.bits(width), value.bits(width))
    return Quantity(g.step("distance", size), 0, bound), negative


def _sum_sign(g: Graph, sign: Node, magnitude: Node, subtract: Node, mode: Mode) -> Node:
    """The sign of an exact zero difference is + except toward minus infinity (IEEE 754-2019, 6.3)."""
    cancelled = g.step("cancelled", subtract & magnitude.none())
    return g.step("sign", g.mux(cancelled, mode.down, sign))


def product_plus(
    g: Graph, a: Operand, b: Operand, c: Operand, mode: Mode, target: Target, network: str = "sklansky"
) -> Positioned:
    """a * b + c with the product in place and the addend aligned beside the multiplication.

    ::

        | c  c  c  c | gap |    product    | below |j
                     top of the window: the addend at its leftmost; j = OR of the bits lost
    """
    g.section("Align the addend")
    product_width = a.significand.width + b.significand.width
    product_last = (a.exponent + b.exponent).named("product_exponent")
    product_sign = g.step("product_sign", a.sign ^ b.sign)
    subtract = g.step("subtract_magnitudes", product_sign ^ c.sign)
    below = bits_below(_product_kinds(a, b), c, target)
    gap = gap_above(c, target)
    addend_width = c.significand.width
    window = addend_width + gap + product_width + below
    # With the addend at the top, its last bit would weigh 2**leftmost.
    leftmost = product_last + (window - addend_width - below)
    distance = (leftmost - c.exponent).settled("alignment")
    product_zero = g.step("product_zero", a.zero | b.zero)
    ahead = distance.less(0)
    if target.out.quantum_exponent < c.format.quantum_exponent:
        ahead = ahead & ~c.zero  # a zero addend must not hide a small product
    addend_leads = g.step("addend_leads", ahead | product_zero)
    width = max(1, max(distance.high, 0).bit_length())
    amount = Quantity(distance.bits(width) & (~addend_leads).repeat(width), 0, max(distance.high, 0))
    most = min(amount.high, window)
    aligned, jam = shift.shift_right_sticky(g, c.significand, amount.saturated(most, "align_by").node, window, most)
    if amount.high <= window - addend_width:
        jam = g.const(0, 1)
    jam_bits = 0 if jam.constant == 0 else 1
    top = (c.exponent + (addend_width - 1)).choose(addend_leads, leftmost + (addend_width - 1))
    t = (top + -target.emin).named("window_exponent")

    g.section("Multiply and add")
    size = window + jam_bits + 1
    y = (g.cat(jam, aligned) if jam_bits else aligned).zext(size) ^ subtract.repeat(size)
    rows = Rows(g, size)
    multiplier.add_product(g, rows, a.significand, b.significand, below + jam_bits)
    rows.add_word(g.step("addend", y), 0, arrival=LATEST)
    first, second = rows.reduce("product_tree")
    magnitude, negative = prefix.magnitude_of_difference(g, first, second, subtract, network)
    sign = _sum_sign(g, product_sign ^ negative, magnitude, subtract, mode)
    return position_counted(g, sign, magnitude, t, target)


def _product_kinds(a: Operand, b: Operand) -> list[tuple[int, int, int]]:
    """`least_bits` of a product: each kind of one operand with each kind of the other."""
    kinds = []
    for bits_a, low_a, high_a in a.least_bits:
        for bits_b, low_b, high_b in b.least_bits:
            kinds.append((bits_a + bits_b - 1, low_a + low_b, high_a + high_b))
    return kinds


def gap_above(c: Operand, target: Target) -> int:
    """Zeros between the addend and the product when the addend stands at the top.

    There the product may really lie lower still; it must then only be sticky to every bit that rounding looks at.
    """
    need = 1
    lowest_place = target.emin - target.kept + 1 - target.fraction
    for bits, _, highest in c.least_bits:
        looked_at = target.kept + target.fraction + 1 - bits
        need = max(need, min(looked_at, highest - lowest_place + 1))
    return need
