"""Leading-zero count as a tree of depth log2(width)."""

from __future__ import annotations

from fpgen.rtl.graph import Graph, Node


def leading_zeros(g: Graph, x: Node, name: str = "leading_zeros") -> tuple[Node, Node]:
    """Number of zero bits above the topmost set bit.

    Returns
    -------
    (count, none) : tuple of Node
        `count` has ceil(log2(width)) bits (at least 1) and is meaningful only when some bit is set;
        `none` is 1 when no bit is.
    """
    count, some = _tree(g, x)
    return g.step(name, count), ~some


def _tree(g: Graph, x: Node) -> tuple[Node, Node]:
    if x.width == 1:
        return g.const(0, 1), x
    half = 1 << ((x.width - 1).bit_length() - 1)
    # The upper part is a full power of two, so its count needs no addition to become the total.
    upper_count, upper = _tree(g, x[x.width - half :])
    lower_count, lower = _tree(g, x[: x.width - half])
    bits = half.bit_length() - 1
    if bits == 0:
        return ~upper, upper | lower
    merged = g.mux(upper, upper_count.fit(bits), lower_count.fit(bits))
    return g.cat(merged, ~upper), upper | lower
