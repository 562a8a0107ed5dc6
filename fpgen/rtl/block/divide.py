"""Restoring division of normalised significands: a digit is one subtraction, whose sign is the digit.

::

    dividend  1.xxxx     in [1, 2)
    divisor   1.xxxxxxx  in [1, 2)      the quotient lies in (1/2, 2): its leading one is in one of two places,
    quotient  q.qqqq|j                  so one digit more than is wanted; j: OR of the remainder
"""

from __future__ import annotations

from fpgen.rtl.arith import prefix
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node

from .factor import top_up


def divide(
    g: Graph, a: Operand, d: Operand, bits: int, name: str = "quotient", network: str = "native"
) -> tuple[Node, Quantity]:
    """a / d for normalised operands that are not zero; signs are left alone.

    Parameters
    ----------
    network : str
        Of the subtractions, as in `prefix.add`.

    Returns
    -------
    (quotient, exponent) : tuple
        `bits` bits, the top one set, and below them one sticky bit; the exponent of the top bit.
    """
    exponent = a.top_exponent - d.top_exponent
    width = max(a.significand.width, d.significand.width)
    rest = a.significand.shifted(width - a.significand.width)
    divisor = d.significand.shifted(width - d.significand.width)
    if divisor.constant == 1 << width - 1:  # a power of two
        return _cut(g, rest, bits), exponent
    digits: list[Node] = []
    for number in range(bits + 1):
        # The rest is below twice the divisor.
        rest = rest.zext(width + 1)
        difference = prefix.add(g, rest, ~divisor.zext(width + 1), g.const(1, 1), network, f"{name}_rest_{number}")
        digits.insert(0, ~difference[width])
        kept = g.mux(difference[width], rest, difference)[:width]
        rest = g.cat(g.const(0, 1), kept)
    quotient, at_top = top_up(g, g.cat(rest.any(), *digits), name)
    # The two last bits are sticky when the leading one was at the top.
    quotient = g.cat(quotient[:2].any(), quotient[2:])
    return quotient, exponent + Quantity(at_top, 0, 1) + -1


def _cut(g: Graph, word: Node, bits: int) -> Node:
    """The top `bits` bits of a word, and a sticky bit."""
    if word.width <= bits:
        return g.cat(g.const(0, 1), word.shifted(bits - word.width))
    return g.cat(word[: word.width - bits].any(), word[word.width - bits :])
