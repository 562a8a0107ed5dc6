"""A fixed-point accumulator over the whole range of the products: no bit is lost until the one rounding.

::

    | s | headroom for `terms` |  range of a product, one unit = (smallest step of a) * (smallest step of b) |
"""

from __future__ import annotations

from collections.abc import Callable

from fpgen.rtl.arith import multiplier, prefix, shift
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.graph import Graph, Node
from fpgen.units.mac import MultiplyAccumulate

from . import special_operands
from .float_position import position_counted
from .rounder import Positioned, Special, Target
from .rounder_fixed import in_window
from .unpack import Operand


def accumulate_exactly(
    g: Graph, unit: MultiplyAccumulate, a: Operand, b: Operand, clear: Node
) -> tuple[Callable[[Target], Positioned], Special]:
    """Add a * b to the register.

    Returns
    -------
    (position, special) : tuple
        `position` gives the register's new value positioned for a target; `special` what overrides it.
    """
    width = unit.register_bits
    g.section("Multiply")
    exact = multiplier.multiply(g, a.significand, b.significand)
    sign = g.step("product_sign", a.sign ^ b.sign)
    places = (a.exponent + b.exponent - unit.register_exponent).settled("product_place")

    g.section("Accumulate")
    # Bits of the product above the register are zero: the largest product fits.
    fitted = exact.fit(width)
    amount = places.saturated(min(places.high, width - 1))
    placed = shift.shift_left(g, fitted, amount.node, min(places.high, width - 1), "placed")
    register = g.state("accumulator", width)
    base = g.step("base", register & (~clear).repeat(width))
    addend = g.step("addend", placed ^ sign.repeat(width))
    total = prefix.add(g, base, addend, sign, name="total")
    g.next_state(register, total)
    both = _sticky_specials(g, special_operands.of_product(g, a, b, sign), clear)

    def position(target: Target) -> Positioned:
        g.section("Read out")
        negative = total[-1]
        magnitude = prefix.increment(g, total ^ negative.repeat(width), negative, "sum_magnitude")[:width]
        if target.wraps:
            return in_window(g, negative, magnitude, unit.register_exponent, target)
        top = unit.register_exponent + width - 1
        t = Quantity.constant(g, top - target.emin)
        return position_counted(g, negative, magnitude, t, target)

    return position, both


def _sticky_specials(g: Graph, product: Special, clear: Node) -> Special:
    """Infinities and NaN stay until the next clear."""
    g.section("Special operands")
    was_nan, was_infinite, was_negative = (g.state(f"sum_was_{name}", 1) for name in ("nan", "infinite", "negative"))
    never = g.const(0, 1)
    before = Special(was_nan & ~clear, was_infinite & ~clear, never, was_negative)
    after = special_operands.of_sum(g, product, before)
    g.next_state(was_nan, after.nan)
    g.next_state(was_infinite, after.infinity)
    g.next_state(was_negative, after.infinity_sign)
    return after
