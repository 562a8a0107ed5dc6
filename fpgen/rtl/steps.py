"""What the scheduler sees of a graph: steps that take time, and the nets between them.

Wiring disappears. In a large graph a small gate with a single reader joins that
reader, which leaves a half or a third of the steps and costs the schedule
nothing that can be measured; the delays between steps stay those of the
gates in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fpgen.units.register_options import BoundaryRegisters

from .delays import delay_from, loads_of
from .graph import Graph, Node
from .wiring import is_wiring, readers, sources

#: Who reads which bits (low, high) of every node, by index: an operation, a state, or an output's name.
Reads = dict[int, list[tuple[Node | str, int, int]]]

#: Graphs with more operations than this are condensed.
CONDENSE_ABOVE = 600
#: No condensed step takes longer than this, in ps: a fraction of any sensible period.
LONGEST_CONDENSED = 75.0


@dataclass(frozen=True)
class Net:
    """Bits of one step that are read by the same others: they need the same registers.

    Attributes
    ----------
    driver : int
    width : int
        Bits.
    readers : tuple of int
        Steps that read it, ascending.
    to_output : bool
        Whether an output reads it.
    held : bool
        Whether a state stores it anyway, in place of the first register.
    """

    driver: int
    width: int
    readers: tuple[int, ...]
    to_output: bool
    held: bool


class Steps:
    """The steps of a graph, numbered in an order in which arguments come first.

    Attributes
    ----------
    nodes : list of Node
        The node that delivers each step.
    preds, succs : list of list of (int, float)
        Neighbours of each step, and the delay from the earlier one's output to the later one's, in ps.
    loops : list of list of int
        Steps that must share a stage: one list per loop through states.
    nets : list of Net
    head : dict of int to int
        Step of every node (by its index) that is not wiring or a constant.
    boundary : BoundaryRegisters
        Registers around the whole graph.
    """

    def __init__(self, graph: Graph, boundary: BoundaryRegisters = BoundaryRegisters.NONE) -> None:
        self.graph = graph
        self.boundary = boundary
        live = graph.live()
        operations = [node for node in live if node.op != "const" and not is_wiring(node)]
        loads = loads_of(live)
        self._delays = {
            node.index: [
                delay_from(node, position, loads.get(node.index, 1)) for position in range(max(1, len(node.args)))
            ]
            for node in operations
        }
        reads = _reads(graph)
        joined = self._joined(operations, reads) if len(operations) > CONDENSE_ABOVE else {}
        self.nodes = [node for node in operations if node.index not in joined]
        number = {node.index: i for i, node in enumerate(self.nodes)}
        self.head: dict[int, int] = {}
        for node in reversed(operations):  # readers first
            target = joined.get(node.index)
            self.head[node.index] = number[node.index] if target is None else self.head[target.index]
        self.preds: list[list[tuple[int, float]]] = self._edges(operations, joined)
        self.succs: list[list[tuple[int, float]]] = [[] for _ in self.nodes]
        for i, edges in enumerate(self.preds):
            for j, time in edges:
                self.succs[j].append((i, time))
        self.is_state = [node.op == "state" for node in self.nodes]
        self.is_input = [node.op == "input" for node in self.nodes]
        self.loops = self._loops(live)
        self.loop_of = {i: k for k, loop in enumerate(self.loops) for i in loop}
        self.nets = list(self._nets(reads))

    def _joined(self, operations: list[Node], reads: Reads) -> dict[int, Node]:
        """Nodes (by index) that join their only reader."""
        joined: dict[int, Node] = {}
        inside: dict[int, float] = {}  # the longest way through a step so far, from a joined node to its output
        for node in reversed(operations):
            if node.op not in ("and", "or", "xor", "not", "mux") or node.name is not None:
                continue
            who = {id(reader): reader for reader, _, _ in reads.get(node.index, ())}
            reader = next(iter(who.values()), None)
            if len(who) != 1 or not isinstance(reader, Node) or reader.op == "state":
                continue
            through = max(self._delays[node.index]) + inside.get(reader.index, max(self._delays[reader.index]))
            if through <= LONGEST_CONDENSED:
                joined[node.index] = reader
                inside[node.index] = through
        return joined

    def _edges(self, operations: list[Node], joined: dict[int, Node]) -> list[list[tuple[int, float]]]:
        through: dict[int, float] = {}  # delay from a node's output to its step's output
        for node in reversed(operations):
            target = joined.get(node.index)
            through[node.index] = 0.0 if target is None else self._through(target, node) + through[target.index]
        edges: list[dict[int, float]] = [{} for _ in self.nodes]
        for node in operations:
            here = self.head[node.index]
            for arg, delay in zip(node.args, self._delays[node.index], strict=False):
                time = delay + through[node.index]
                for source, _, _ in sources(arg):
                    if source.op != "const" and self.head[source.index] != here:
                        j = self.head[source.index]
                        edges[here][j] = max(edges[here].get(j, 0.0), time)
        return [sorted(found.items()) for found in edges]

    def _through(self, node: Node, source: Node) -> float:
        """Delay of `node` from those of its arguments that `source` is part of."""
        return max(
            delay
            for arg, delay in zip(node.args, self._delays[node.index], strict=True)
            if any(found is source for found, _, _ in sources(arg))
        )

    def _loops(self, live: list[Node]) -> list[list[int]]:
        """Each state with its next value and all that lies between; loops that share a step are one."""
        merged: list[set[int]] = []
        for state, value in self.graph.states.items():
            after, before = {state.index}, {value.index}
            for node in live:
                if any(arg.index in after for arg in node.args):
                    after.add(node.index)
            for node in reversed(live):
                if node.index in before:
                    before.update(arg.index for arg in node.args)
            loop = {self.head[state.index]}
            loop |= {self.head[index] for index in after & before if index in self.head}
            if value.index in self.head and value.op != "input":
                loop.add(self.head[value.index])
            for other in [other for other in merged if other & loop]:
                merged.remove(other)
                loop |= other
            merged.append(loop)
        return [sorted(loop) for loop in merged]

    def _nets(self, reads: Reads) -> Iterator[Net]:
        held: dict[int, int] = {}
        for state, value in self.graph.states.items():
            for source, low, high in sources(value):
                if (
                    source.op != "const"
                    and self.loop_of.get(self.head[source.index]) == self.loop_of[self.head[state.index]]
                ):
                    held[source.index] = held.get(source.index, 0) | ((1 << (high - low)) - 1) << low
        for i, node in enumerate(self.nodes):
            groups: dict[tuple[tuple[int, ...], bool, bool], int] = {}
            uses = reads.get(node.index, ())
            for low, high, who in _runs(uses):
                key = (
                    tuple(sorted({self.head[r.index] for r in who if not isinstance(r, str)} - {i})),
                    any(isinstance(r, str) for r in who),
                    bool(held.get(node.index, 0) >> low & 1),
                )
                groups[key] = groups.get(key, 0) + high - low
            for (who_reads, to_output, is_held), width in sorted(groups.items()):
                if who_reads or to_output:
                    yield Net(i, width, who_reads, to_output, is_held)


def _runs(uses: Sequence[tuple[Node | str, int, int]]) -> Iterator[tuple[int, int, set[Node | str]]]:
    """Runs of bits that have the same readers, from the lowest up: (low, high, readers)."""
    begins: dict[int, list[Node | str]] = {}
    ends: dict[int, list[Node | str]] = {}
    for reader, low, high in uses:
        begins.setdefault(low, []).append(reader)
        ends.setdefault(high, []).append(reader)
    reading: Counter[Node | str] = Counter()
    for low, high in pairwise(sorted(begins.keys() | ends.keys())):
        reading.subtract(ends.get(low, ()))
        reading.update(begins.get(low, ()))
        for reader in ends.get(low, ()):
            if reader in reading and not reading[reader]:
                del reading[reader]
        yield low, high, set(reading)


def _reads(graph: Graph) -> Reads:
    """For every node, by index: who reads which bits (an operation, a state, or an output's name)."""
    found: Reads = {}
    for reader, arg in readers(graph):
        for source, low, high in sources(arg):
            if source.op != "const":
                found.setdefault(source.index, []).append((reader, low, high))
    return found
