"""Through the wires: which bits of which real nodes a slice or concatenation stands for."""

from __future__ import annotations

from collections.abc import Iterator

from .graph import Graph, Node


def sources(node: Node, low: int = 0, high: int | None = None) -> Iterator[tuple[Node, int, int]]:
    """The runs of bits behind ``node[low:high]``, least significant first.

    Yields
    ------
    (source, low, high)
        `source` is neither slice nor concatenation; it may be a constant.
    """
    high = node.width if high is None else high
    if node.op == "slice":
        yield from sources(node.args[0], node.value[0] + low, node.value[0] + high)
    elif node.op == "cat":
        start = 0
        for part in node.args:
            end = start + part.width
            if start < high and end > low:
                yield from sources(part, max(low - start, 0), min(high, end) - start)
            start = end
    else:
        yield node, low, high


def is_wiring(node: Node) -> bool:
    """Whether the node only rearranges bits of others."""
    return node.op in ("slice", "cat")


def readers(graph: Graph) -> Iterator[tuple[Node | str, Node]]:
    """Who reads what directly: (operation, argument), (output name, node), (state, next value).

    Wiring nodes do not read; resolve the arguments with `sources`.
    """
    for node in graph.live():
        if not is_wiring(node):
            for arg in node.args:
                yield node, arg
    yield from graph.outputs.items()
    yield from graph.states.items()
