"""Everything in one window: from the smallest step that occurs to the largest sum (Kulisch's accumulator).

::

    | s |            every multiple of 2**low up to the largest sum           |
              block 0, shifted left      | x x x x x x |
        block 1   | x x x x x x |
        addend                 | c c c c |

Nothing is shifted right and nothing is sticky, so blocks of any scales may cancel each other.
"""

from __future__ import annotations

from fractions import Fraction

from fpgen.rtl.arith import shift
from fpgen.rtl.arith.multiplier import Rows
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float.float_position import position_counted
from fpgen.rtl.float.rounder import Positioned, Target
from fpgen.rtl.float.rounder_fixed import in_window
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node

from .dot_terms import Window, add_products, add_signed, lowest_operand, magnitude_of_sum
from .inputs import Inputs
from .scaled_dot import blocks_of, magnitude


def window_of_all(inputs: Inputs) -> Window:
    """Of the whole sum."""
    blocks = list(blocks_of(inputs))
    scales = [scale.format for scale in blocks[0].scales]
    low = blocks[0].sum_window.low + sum(fmt.quantum_exponent for fmt in scales)
    addend = inputs.c.format if inputs.c is not None else None
    lowest = low if addend is None else min(low, addend.quantum_exponent)
    factor = Fraction(2) ** (low - lowest) * len(blocks)
    for fmt in scales:
        factor *= fmt.max_finite / Fraction(2) ** fmt.quantum_exponent
    inner = blocks[0].sum_window
    least, most = inner.least * factor, inner.most * factor
    if any(fmt.signed for fmt in scales):
        least, most = min(least, -most), max(most, -least)
    if addend is not None:
        low_end, high_end = lowest_operand(addend), addend.max_finite
        if inputs.c_negated:
            low_end, high_end = min(low_end, -high_end), max(high_end, -low_end)
        least += low_end / Fraction(2) ** lowest
        most += high_end / Fraction(2) ** lowest
    return Window(lowest, int(least), int(most))


def rows_of_all(g: Graph, inputs: Inputs, window: Window) -> Rows:
    """Every term at its place."""
    rows = Rows(g, window.width)
    if any(inputs.scales):
        for block in blocks_of(inputs):
            total, negative = magnitude(g, block)
            g.section("Place")
            _add_placed(g, rows, total, negative ^ block.sign, block.exponent(g) - window.low, f"{block.name}total")
    else:
        g.section("Multiply")
        add_products(g, rows, inputs.a, inputs.b, window.low)
    if inputs.c is not None:
        g.section("Place the addend")
        _add_addend(g, rows, inputs.c, window.low)
    return rows


def in_full(g: Graph, inputs: Inputs, target: Target) -> Positioned:
    """The sum of all terms with every bit above the output's last place, for results that wrap around."""
    sign, magnitude, low = _summed(g, inputs)
    return in_window(g, sign, magnitude, low, target)


def span(g: Graph, inputs: Inputs, target: Target) -> Positioned:
    """The sum of all terms."""
    sign, magnitude, low = _summed(g, inputs)
    t = Quantity.constant(g, low + magnitude.width - 1 - target.emin)
    return position_counted(g, sign, magnitude, t, target)


def _summed(g: Graph, inputs: Inputs) -> tuple[Node, Node, int]:
    """Sign and magnitude of the sum of all terms, and log2 of the magnitude's last place."""
    window = window_of_all(inputs)
    rows = rows_of_all(g, inputs, window)
    g.section("Sum")
    rows.add_constant(-1)  # one less than the sum, as in `block`
    first, second = rows.reduce("sum_tree")
    magnitude, below_one = magnitude_of_sum(g, first, second)
    return g.step("sign", below_one & magnitude.any()), magnitude, window.low


def _add_addend(g: Graph, rows: Rows, c: Operand, low: int) -> None:
    if c.format.fixed and c.code is not None:
        place = c.format.scale - low
        if c.format.signed:
            rows.add_word(g.cat(c.code[:-1], ~c.code[-1]), place)
            rows.add_constant(-1 << (place + c.code.width - 1))
        else:
            rows.add_word(c.code, place)
        return
    _add_placed(g, rows, c.significand, c.sign, c.exponent - low, "addend")


def _add_placed(g: Graph, rows: Rows, magnitude: Node, sign: Node, place: Quantity, name: str) -> None:
    """Put ``(-1)**sign * magnitude * 2**place`` into `rows`; what would leave at the top is 0 anyway."""
    place = place.settled(f"{name}_place")
    width = min(magnitude.width + place.high, rows.width)
    amount = place.bits(max(1, place.high.bit_length()))
    placed = shift.shift_left(g, magnitude.fit(width), amount, min(place.high, width - 1), f"{name}_placed")
    add_signed(g, rows, placed, sign, 0, f"{name}_term")
