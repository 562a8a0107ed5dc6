"""Names for the steps that got none: after the nearest named step that they serve.

A name is stable (it depends on the graph alone) and says where to look:
``aligned_or`` is an OR on the way to ``aligned``.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy

from fpgen.base.reserved import RESERVED

from .graph import Graph, Node

_WORDS = {
    "not": "inverted",
    "add": "sum",
    "sub": "difference",
    "mul": "product",
    "ult": "less",
    "cat": "bits",
    "slice": "bits",
    "const": "constant",
}


class Names:
    """Gives every node that asks one unique name.

    Parameters
    ----------
    graph : Graph
    reserved : iterable of str
        Names that no step may take: the pins.
    """

    def __init__(self, graph: Graph, reserved: Iterable[str]) -> None:
        self._used = set(reserved) | RESERVED
        self._taken: dict[int, str] = {}
        self._count: dict[str, int] = {}
        live = graph.live()
        for name, node in graph.inputs.items():
            self._taken[node.index] = name
            self._used.add(name)
        for node in live:
            if node.name is not None and node.op != "input":
                self._taken[node.index] = self.fresh(node.name)
        self._served = nearest_names(graph)

    def of(self, node: Node) -> str:
        """The name of a node; made up on the first request."""
        name = self._taken.get(node.index)
        if name is None:
            name = self.fresh(f"{self._served.get(node.index, 'step')}_{_WORDS.get(node.op, node.op)}")
            self._taken[node.index] = name
        return name

    def copy(self) -> Names:
        """The same names; those made up from here on are nobody else's. A writer takes one: its text must not depend on
        who asked before."""
        other = copy(self)
        other._used, other._taken, other._count = self._used.copy(), self._taken.copy(), self._count.copy()
        return other

    def fresh(self, wanted: str) -> str:
        """`wanted`, or with the first number that makes it unique."""
        name, count = wanted, self._count.get(wanted, 1)
        while name in self._used:
            count += 1
            name = f"{wanted}_{count}"
        self._count[wanted] = count
        self._used.add(name)
        return name


def nearest_names(graph: Graph) -> dict[int, str]:
    """The name of the nearest named reader of every live node (the earliest built among equals), or its own."""
    live = graph.live()
    best: dict[int, tuple[int, int, str]] = {}

    def offer(node: Node, distance: int, order: int, name: str) -> None:
        if node.index not in best or (distance, order) < best[node.index][:2]:
            best[node.index] = (distance, order, name)

    for position, (name, node) in enumerate(graph.outputs.items()):
        offer(node, 1, len(graph.nodes) + position, name)
    for state, value in graph.states.items():
        offer(value, 1, state.index, f"next_{state.value}")
    for node in reversed(live):
        if node.name is not None:
            best[node.index] = (0, node.index, node.name)
        distance, order, name = best[node.index]
        for arg in node.args:
            offer(arg, distance + 1, order, name)
    return {index: name for index, (_, _, name) in best.items()}
