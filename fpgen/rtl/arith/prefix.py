"""Parallel-prefix adders.

With generate ``g = x & y`` and propagate ``p = x ^ y``, the carry into bit i is
the prefix ``(g, p)[i-1:0]`` under ``(g1, p1) o (g0, p0) = (g1 | p1 g0, p1 p0)``
(Ercegovac and Lang, *Digital Arithmetic*, 2.6). The networks differ in depth,
fan-out and area; all are written on whole words, a level at a time.
"""

from __future__ import annotations

from ..graph import Graph, Node

NETWORKS = ("native", "ripple", "brent_kung", "sklansky", "kogge_stone")


def prefixes(g: Graph, generate: Node, propagate: Node, network: str, name: str) -> tuple[Node, Node]:
    """All prefixes: bit i of the result covers bits i..0.

    Returns
    -------
    (generate, propagate) : tuple of Node
        Group signals, as wide as the arguments.
    """
    width = generate.width
    if network == "kogge_stone":
        distance = 1
        while distance < width:
            over_g, over_p = generate[distance:], propagate[distance:]
            low_g, low_p = generate[: width - distance], propagate[: width - distance]
            generate = g.cat(generate[:distance], over_g | (over_p & low_g))
            propagate = g.cat(propagate[:distance], over_p & low_p)
            distance *= 2
        return generate, propagate
    if network == "sklansky":
        block = 1
        while block < width:
            parts_g, parts_p = [], []
            for start in range(0, width, 2 * block):
                middle, end = min(start + block, width), min(start + 2 * block, width)
                parts_g.append(generate[start:middle])
                parts_p.append(propagate[start:middle])
                if middle < end:
                    over = propagate[middle:end]
                    parts_g.append(generate[middle:end] | (over & generate[middle - 1].repeat(end - middle)))
                    parts_p.append(over & propagate[middle - 1].repeat(end - middle))
            generate, propagate = g.cat(*parts_g), g.cat(*parts_p)
            block *= 2
        return generate, propagate
    gs, ps = list(generate), list(propagate)

    def combine(high: int, low: int):
        gs[high], ps[high] = gs[high] | (ps[high] & gs[low]), ps[high] & ps[low]

    if network == "ripple":
        for i in range(1, width):
            combine(i, i - 1)
    elif network == "brent_kung":
        distance = 1
        while distance < width:
            for i in range(2 * distance - 1, width, 2 * distance):
                combine(i, i - distance)
            distance *= 2
        distance //= 2
        while distance >= 1:
            for i in range(3 * distance - 1, width, 2 * distance):
                combine(i, i - distance)
            distance //= 2
    else:
        raise ValueError(f"prefix network {network!r}; known: {', '.join(NETWORKS)}")
    return g.cat(*gs), g.cat(*ps)


def add(g: Graph, x: Node, y: Node, carry: Node | None = None, network: str = "sklansky", name: str = "sum") -> Node:
    """``x + y + carry`` modulo 2**width, equal widths."""
    if network == "native" or x.width < 3 or x.op == "const" or y.op == "const":
        return g.step(name, g.add(x, y, carry))
    propagate = x ^ y
    group_g, group_p = prefixes(g, (x & y)[:-1], propagate[:-1], network, name)
    carries = group_g if carry is None else group_g | (group_p & carry.repeat(group_g.width))
    first = g.const(0, 1) if carry is None else carry
    return g.step(name, propagate ^ g.cat(first, carries))


def magnitude_of_difference(g: Graph, x: Node, y: Node, subtract: Node, network: str = "sklansky",
                            name: str = "sum") -> tuple[Node, Node]:
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
    propagate = x ^ y
    net = "brent_kung" if network == "native" else network
    group_g, group_p = prefixes(g, (x & y)[:-1], propagate[:-1], net, name)
    negative = g.step(f"{name}_negative", subtract & (propagate[-1] ^ group_g[-1]))
    carry = g.step(f"{name}_carry", subtract & ~negative)
    carries = g.cat(carry, group_g[:-1] | (group_p[:-1] & carry.repeat(group_g.width - 1)))
    total = propagate[:-1] ^ carries
    return g.step(name, total ^ negative.repeat(total.width)), negative


def increment(g: Graph, x: Node, carry: Node, name: str = "incremented") -> Node:
    """``x + carry`` for a 1-bit `carry` that comes late; one bit wider than `x`."""
    ones = [g.const(1, 1), *_all_ones_below(x)]
    flips = g.cat(*ones) & carry.repeat(x.width + 1)
    return g.step(name, g.cat(x, g.const(0, 1)) ^ flips)


def _all_ones_below(x: Node) -> list[Node]:
    """Bit i: all of x[0..i] are ones; a Sklansky network of ANDs."""
    ones = list(x)
    block = 1
    while block < x.width:
        for start in range(block, x.width, 2 * block):
            for i in range(start, min(start + block, x.width)):
                ones[i] = ones[i] & ones[start - 1]
        block *= 2
    return ones
