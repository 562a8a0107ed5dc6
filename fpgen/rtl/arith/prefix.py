"""Parallel-prefix adders.

With generate ``g = x & y`` and propagate ``p = x ^ y``, the carry into bit i is
the prefix ``(g, p)[i-1:0]`` under ``(g1, p1) o (g0, p0) = (g1 | p1 g0, p1 p0)``
(Ercegovac and Lang, *Digital Arithmetic*, 2.6). The networks differ in depth,
fan-out and area; all are written on whole words, a level at a time.

A `network` that is asked for here is the choice of the place, which an `adder` of the graph's architecture overrides.
"""

from __future__ import annotations

from typing import assert_never

from fpgen.rtl.graph import Graph, Node
from fpgen.units.architecture import Adder

NETWORKS = ("native", "brent_kung", "sklansky", "kogge_stone")
#: Wider sums (exact accumulators) are left to the synthesiser: the text of a network would be too long to read.
WIDEST_NETWORK = 256
#: One level of a network: for each position that combines, the lower position it takes in.
Level = dict[int, int]


def levels(network: str, width: int) -> list[Level]:
    """The levels of a prefix network over `width` positions; every prefix is complete after the last.

    Raises
    ------
    ValueError
        For an unknown network.
    """
    found: list[Level] = []
    distance = 1
    if network == "sklansky":  # least depth, high fan-out
        while distance < width:
            found.append({i: i // distance * distance - 1 for i in range(width) if i // distance % 2})
            distance *= 2
    elif network == "kogge_stone":  # least depth, fan-out 2, most area
        while distance < width:
            found.append({i: i - distance for i in range(distance, width)})
            distance *= 2
    elif network == "brent_kung":  # least area, nearly twice the depth
        while distance < width:
            found.append({i: i - distance for i in range(2 * distance - 1, width, 2 * distance)})
            distance *= 2
        while distance > 1:
            distance //= 2
            found.append({i: i - distance for i in range(3 * distance - 1, width, 2 * distance)})
    else:
        raise ValueError(f"prefix network: got {network!r}; expected one of {', '.join(NETWORKS)}")
    return [level for level in found if level]


def _chosen(g: Graph, network: str) -> str:
    """The network that is built where `network` is asked for."""
    match g.architecture.adder:
        case Adder.DEFAULT:
            return network
        case Adder.OPERATOR:
            return "native"
        case Adder.SKLANSKY:
            return "sklansky"
        case Adder.KOGGE_STONE:
            return "kogge_stone"
        case Adder.BRENT_KUNG:
            return "brent_kung"
        case unknown:
            assert_never(unknown)


def _taken(g: Graph, word: Node, level: Level, otherwise: int) -> Node:
    """For every position the bit it takes in, or a neutral constant."""
    neutral = g.const(otherwise, 1)
    return g.cat(*[word[level[i]] if i in level else neutral for i in range(word.width)])


def prefixes(g: Graph, generate: Node, propagate: Node, network: str, name: str) -> tuple[Node, Node]:
    """All prefixes: bit i of the result covers bits i..0.

    Returns
    -------
    (generate, propagate) : tuple of Node
        Group signals, as wide as the arguments.
    """
    for number, level in enumerate(levels(network, generate.width), start=1):
        low_generate, low_propagate = _taken(g, generate, level, 0), _taken(g, propagate, level, 1)
        generate = g.step(f"{name}_generate_{number}", generate | (propagate & low_generate))
        propagate = g.step(f"{name}_propagate_{number}", propagate & low_propagate)
    return generate, propagate


def add(g: Graph, x: Node, y: Node, carry: Node | None = None, network: str = "sklansky", name: str = "sum") -> Node:
    """``x + y + carry`` modulo 2**width, equal widths."""
    network = _chosen(g, network)
    if network == "native" or not 3 <= x.width <= WIDEST_NETWORK or x.op == "const" or y.op == "const":
        return g.step(name, g.add(x, y, carry))
    propagate = g.step(f"{name}_propagate", x ^ y)
    generate = g.step(f"{name}_generate", x[:-1] & y[:-1])
    group_g, group_p = prefixes(g, generate, propagate[:-1], network, name)
    carries = group_g if carry is None else group_g | (group_p & carry.repeat(group_g.width))
    first = g.const(0, 1) if carry is None else carry
    return g.step(name, propagate ^ g.cat(first, carries))


def magnitude_of_difference(
    g: Graph, x: Node, y: Node, subtract: Node, network: str = "sklansky", name: str = "sum"
) -> tuple[Node, Node]:
    """``|x + y|`` or ``|x - y|`` with one adder.

    `y` is complemented by the caller when `subtract` is 1 (so that it can pass
    through a carry-save row first): then ``x + ~y = x - y - 1`` modulo 2**width. If that is negative,
    its complement is ``y - x``; if not, one more carry makes it ``x - y``. The prefix network has
    both at hand (end-around carry).

    Parameters
    ----------
    x, y : Node
        Equal widths; the top bit is a sign: the caller leaves room for it.
    subtract : Node
        1 bit.

    Returns
    -------
    (magnitude, negative) : tuple of Node
        One bit narrower than `x`; and whether the second was taken from the first with a result below or
        at zero (`negative` is 1 for equal operands, whose magnitude is 0).
    """
    network = _chosen(g, network)
    if network == "native":
        return _difference_by_operator(g, x, y, subtract, name)
    propagate = g.step(f"{name}_propagate", x ^ y)
    generate = g.step(f"{name}_generate", x[:-1] & y[:-1])
    group_g, group_p = prefixes(g, generate, propagate[:-1], network, name)
    negative = g.step(f"{name}_negative", subtract & (propagate[-1] ^ group_g[-1]))
    carry = g.step(f"{name}_carry", subtract & ~negative)
    carries = g.cat(carry, group_g | (group_p & carry.repeat(group_g.width)))
    total = propagate[:-1] ^ carries[:-1]
    return g.step(name, total ^ negative.repeat(total.width)), negative


def _difference_by_operator(g: Graph, x: Node, y: Node, subtract: Node, name: str) -> tuple[Node, Node]:
    """As `magnitude_of_difference`: the sum, and one more than the sum, of which the sign of the first takes one."""
    less = g.step(f"{name}_plain", g.add(x, y))
    more = g.step(f"{name}_plus_one", g.add(x[:-1], y[:-1], g.const(1, 1)))
    negative = g.step(f"{name}_negative", subtract & less[-1])
    upwards = g.step(f"{name}_carry", subtract & ~negative)
    return g.step(name, g.mux(upwards, more, less[:-1] ^ negative.repeat(more.width))), negative


def increment(g: Graph, x: Node, carry: Node, name: str = "incremented") -> Node:
    """``x + carry`` for a 1-bit `carry` that comes late; one bit wider than `x`."""
    network = _chosen(g, "sklansky")
    if x.width > WIDEST_NETWORK or network == "native":
        return g.step(name, g.add(x.zext(x.width + 1), carry.zext(x.width + 1)))
    ones = x  # bit i: all of x[0..i] are ones
    for number, level in enumerate(levels(network, x.width), start=1):
        ones = g.step(f"{name}_ones_{number}", ones & _taken(g, ones, level, 1))
    flips = g.cat(g.const(1, 1), ones) & carry.repeat(x.width + 1)
    return g.step(name, x.zext(x.width + 1) ^ flips)
