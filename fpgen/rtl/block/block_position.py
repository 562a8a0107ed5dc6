"""Position an element's significand: few bits are kept, so most of a source's significand only decides ties.

A source is brought to a leading one first, as far as that can matter, beside the search for the largest
magnitude; then one subtraction gives the exponent field of the element, and where that is below 1, how far the
significand moves right into the subnormals::

    field    4     3     2     1     0     -1    -2          e2m1: kept 2 bits, one to round by
    shift    0     0     0     0     1      2     3
    window  |1x.x |1x.x |1x.x |1x.x |01.x |00.1 |00.0 and a sticky bit
"""

from __future__ import annotations

from fpgen.rtl.arith import count, shift
from fpgen.rtl.arith.quantity import Quantity, bits_for
from fpgen.rtl.float.float_position import position_known
from fpgen.rtl.float.rounder import Positioned, Target
from fpgen.rtl.graph import Graph, Node

from .source import Source

#: Moves by up to this many places are selected one by one (AND-OR), others by a logarithmic shifter.
MOST_SELECTED = 8


def lifted(g: Graph, number: Source, lift: int, target: Target) -> tuple[Node, Quantity]:
    """The significand with a subnormal's leading zeros taken off, up to `lift` of them, and its top exponent.

    What the rounder never sees has become one sticky bit. For subnormals the exponent field is 0, and takes
    ``1 - places`` in its stead::

        places  0: normal   1    2    3    4
        field   as it is    0   -1   -2   -3     so one place costs nothing
    """
    a = number.operand
    fmt = a.format
    width = a.significand.width
    lift = min(lift, width - 1)
    if lift <= 0 or a.normalised.constant == 1:
        return shortened(g, a.significand, target), a.top_exponent
    if lift > MOST_SELECTED:
        # A one behind the places that count stops the count there.
        marked = g.cat(g.const(1, 1), a.significand[width - lift :])
        zeros, _ = count.leading_zeros(g, marked, "source_zeros")
        moved = shift.shift_left(g, a.significand, zeros, lift, "source_lifted")
        return shortened(g, moved, target), a.top_exponent - Quantity(zeros, 0, lift)
    selected, before = [a.normalised], a.normalised  # selected[j]: by j places
    for places in range(1, lift):
        here = a.significand[width - 1 - places]
        selected.append(here & ~before)
        before = before | here
    selected.append(~before)
    moved = _selected_places(g, a.significand, selected, min(width, target.kept + target.fraction))
    low, high = 1 - lift, max(1, fmt.max_finite_code >> fmt.trailing_bits)
    size = max(bits_for(low, high), number.field.width)
    field = number.field.zext(size)
    for places, select in enumerate(selected[2:], start=2):
        field = field | (select.repeat(size) & g.const((1 - places) % (1 << size), size))
    return (
        g.step("source_lifted", moved),
        Quantity(g.step("source_field", field), low - fmt.bias, high - fmt.bias, -fmt.bias),
    )


def _selected_places(g: Graph, word: Node, selected: list[Node], seen: int) -> Node:
    """The top `seen` bits of ``word << places`` for the selected number of places, and the rest as a sticky bit."""
    wide = word.shifted(len(selected) - 1)  # bits that move in are zeros
    low = wide.width - seen
    top = g.tree(
        "or", [wide[low - places : wide.width - places] & select.repeat(seen) for places, select in enumerate(selected)]
    )
    never = g.const(0, 1)
    bottom = low - len(selected) + 1  # below, every bit is sticky wherever the word moves
    jam = wide[:bottom].any() if bottom else never
    for place in range(bottom, low):
        jam = jam | (wide[place] & g.tree("or", selected[: low - place]))
    return g.cat(jam, top)


def shortened(g: Graph, significand: Node, target: Target) -> Node:
    """The bits that the rounder sees of a number that never moves left, and the rest as one sticky bit."""
    seen = target.kept + target.fraction
    if significand.width <= seen + 1:
        return significand
    low = significand.width - seen
    return g.cat(significand[:low].any(), significand[low:])


def position_element(g: Graph, sign: Node, significand: Node, field: Quantity, target: Target) -> Positioned:
    """Position a significand for its exponent field in the element (0 and below: subnormal).

    Parameters
    ----------
    field : Quantity
        Of offset 0. Where it is above 1 and the significand is not zero, the significand's top bit is set.
    """
    seen = target.kept + target.fraction
    if seen > MOST_SELECTED:
        return position_known(g, sign, significand, field + -1, Quantity.constant(g, 0), 0, target)
    g.section("Position")
    jam = significand[: significand.width - seen].any() if significand.width > seen else g.const(0, 1)
    window = (
        significand[significand.width - seen :]
        if significand.width > seen
        else significand.shifted(seen - significand.width)
    )
    positive = field.node[: bits_for(0, max(1, field.high))].any()
    below = g.step("subnormal", ~positive if field.low >= 0 else ~positive | field.node[-1])
    selected = [~below]
    for places in range(1, seen):
        selected.append(below & _low_bits_equal(field, 1 - places, seen) if field.low <= 1 - places else g.const(0, 1))
    moved = g.tree(
        "or", [_moved_right(g, window, places) & select.repeat(seen) for places, select in enumerate(selected)]
    )
    # Bit i falls out when the window moves by more than i places.
    stays, lost = selected[0], jam
    for place in range(seen):
        lost = lost | (window[place] & ~stays)
        if place + 1 < seen:
            stays = stays | selected[place + 1]
    kept = g.step("kept", moved[target.fraction :])
    top = max(1, field.high)
    steps = Quantity(field.node.fit(bits_for(0, top)), 0, top - 1, -1)
    return Positioned(sign, steps, kept, moved[: target.fraction], g.step("sticky", lost))


def _moved_right(g: Graph, word: Node, places: int) -> Node:
    return word[places:].zext(word.width) if places else word


def _low_bits_equal(field: Quantity, value: int, seen: int) -> Node:
    """Whether a field of at most 0 is `value`, which lies within ``-seen`` and 0."""
    if value == 0:
        return field.node.none()
    width = field.node.width
    low = min(width, seen.bit_length())
    same = field.node[:low].equals(value % (1 << low))
    return same & field.node[low:].all() if width > low else same
