"""Bits that are made alike from neighbouring bits: one operation on words instead of many on single bits.

A carry-save tree is built bit by bit. After scheduling, ``r0[2] ^ r1[1]``, ``r0[3] ^ r1[2]``, ... of
one depth become ``r0[9:2] ^ r1[8:1]``: one line of Verilog and one word of registers.
Bits that do not line up stay single; gathering them would not help a reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .graph import Graph, Node
from .naming import nearest_names
from .wiring import is_wiring, readers, sources

#: Fewer equal bits than this stay single.
FEWEST = 3
#: Nesting of single-reader operations that belongs to one bit's formula.
DEEPEST = 3

_PACKED = frozenset({"and", "or", "xor", "not"})
#: A leaf, or the operation (first) and the shapes of its arguments.
Shape: TypeAlias = "str | tuple[str, *tuple[Shape, ...]]"


def pack(graph: Graph, stage: dict[int, int]) -> tuple[Graph, dict[int, int]]:
    """The same function with rows of equal single-bit operations as words.

    Parameters
    ----------
    graph : Graph
    stage : dict of int to int
        Stage of every node that is not wiring or a constant, by index.

    Returns
    -------
    (Graph, dict of int to int)
        The new graph, and the stages of its nodes.
    """
    return _Packer(graph, stage).packed()


@dataclass(frozen=True)
class _Bit:
    """A single-bit formula: its shape, and what stands at its leaves."""

    node: Node
    shape: Shape
    leaves: tuple[Node, ...]


class _Packer:
    def __init__(self, graph: Graph, stage: dict[int, int]) -> None:
        self.old, self.stage = graph, stage
        self.live = graph.live()
        self.uses, self.crosses = self._uses()
        self.roots = {node.index for node in self.live if self._is_root(node)}
        self.new = Graph()
        self.made: dict[int, Node] = {}
        self.stage_of_new: dict[int, int] = {}

    def _uses(self) -> tuple[dict[int, int], set[int]]:
        """How often each single bit is read, and which are read in a later stage (or by an output or state)."""
        uses: dict[int, int] = {}
        crosses: set[int] = set()
        for reader, arg in readers(self.old):
            for source, _, _ in sources(arg):
                if source.width == 1:
                    uses[source.index] = uses.get(source.index, 0) + 1
                    if (
                        isinstance(reader, str)
                        or reader.op == "state"
                        or (source.op != "const" and self.stage[reader.index] != self.stage[source.index])
                    ):
                        crosses.add(source.index)
        return uses, crosses

    def _single(self, node: Node) -> bool:
        return node.width == 1 and node.op in _PACKED and node.name is None

    def _is_root(self, node: Node) -> bool:
        """Whether it is a bit that needs a wire of its own."""
        return self._single(node) and (self.uses.get(node.index, 0) > 1 or node.index in self.crosses)

    def packed(self) -> tuple[Graph, dict[int, int]]:
        level = self._levels()
        rows = self._rows(level)
        for name, node in self.old.inputs.items():
            self._keep(node, self.new.input(name, node.width))
        for node in self.live:
            self._make(node, rows)
        for name, node in self.old.outputs.items():
            self.new.output(name, self.made[node.index])
        for state, value in self.old.states.items():
            self.new.next_state(self.made[state.index], self.made[value.index])
        return self.new, self.stage_of_new

    def _make(self, wanted: Node, rows: dict[int, list[_Bit]]) -> None:
        """The node in the new graph, after all that it (or another bit of its row) depends on."""
        pending = [wanted]
        while pending:
            node = pending[-1]
            if node.index in self.made:
                pending.pop()
                continue
            row = rows.get(node.index)
            before = node.args if row is None else [leaf for bit in row for leaf in bit.leaves]
            missing = [arg for arg in before if arg.index not in self.made]
            if missing:
                pending += reversed(missing)
                continue
            self.new.section(node.section)
            if row is None:
                self._copy(node)
            else:
                for run in self._runs(row):
                    self._row(run)

    def _levels(self) -> dict[int, int]:
        """Rows that come before each node: no bit of a row depends on another of the same level."""
        level: dict[int, int] = {}
        for node in self.live:
            before = max((level[arg.index] for arg in node.args), default=0)
            level[node.index] = before + (node.index in self.roots)
        return level

    def _rows(self, level: dict[int, int]) -> dict[int, list[_Bit]]:
        """The row of every bit that has enough company."""
        serves = nearest_names(self.old)
        groups: dict[tuple[object, ...], list[_Bit]] = {}
        for node in self.live:
            if node.index in self.roots:
                bit = self._bit(node)
                key = (self.stage[node.index], level[node.index], bit.shape, serves.get(node.index, ""))
                groups.setdefault(key, []).append(bit)
        return {bit.node.index: row for row in groups.values() if len(row) >= FEWEST for bit in row}

    def _bit(self, node: Node) -> _Bit:
        leaves: list[Node] = []

        def shape(x: Node, depth: int) -> Shape:
            inner = x is node or (
                self._single(x) and x.index not in self.roots and self.stage[x.index] == self.stage[node.index]
            )
            if not inner or depth == DEEPEST:
                leaves.append(x)
                return "."
            return (x.op, *(shape(arg, depth + 1) for arg in x.args))

        return _Bit(node, shape(node, 0), tuple(leaves))

    def _runs(self, row: list[_Bit]) -> list[list[_Bit]]:
        """The row in runs: along each, every leaf moves on to the next bit of its vector."""
        at = {self._place_of(bit): bit for bit in row}
        follows = {}
        for place, bit in at.items():
            after = at.get(tuple((index, low + 1) for index, low in place))
            if after is not None:
                follows[bit.node.index] = after
        inside = {bit.node.index for bit in follows.values()}
        runs = []
        for bit in row:
            if bit.node.index in inside:
                continue
            run = [bit]
            while run[-1].node.index in follows:
                run.append(follows[run[-1].node.index])
            runs.append(run)
        return runs

    def _place_of(self, bit: _Bit) -> tuple[tuple[int, int], ...]:
        """Vector and bit of every leaf."""
        leaves = [self.made[leaf.index] for leaf in bit.leaves]
        return tuple((leaf.args[0].index, leaf.value[0]) if leaf.op == "slice" else (leaf.index, 0) for leaf in leaves)

    def _row(self, row: list[_Bit]) -> None:
        if len(row) < FEWEST:
            for bit in row:
                self._single_bit(bit)
            return
        columns = [self.new.cat(*[self.made[bit.leaves[k].index] for bit in row]) for k in range(len(row[0].leaves))]
        stage = self.stage[row[0].node.index]
        remaining = iter(columns)

        def build(shape: Shape) -> Node:
            if isinstance(shape, str):
                return next(remaining)
            op, *below = shape
            args = [build(part) for part in below]
            value = ~args[0] if op == "not" else self.new.bitwise(op, args[0], args[1])
            self._place(value, stage)
            return value

        word = build(row[0].shape)
        for place, bit in enumerate(row):
            self.made[bit.node.index] = word[place]

    def _single_bit(self, bit: _Bit) -> None:
        """A bit that stays single, with the operations inside its formula."""
        pending = [bit.node]
        while pending:
            node = pending[-1]
            missing = [arg for arg in node.args if arg.index not in self.made]
            if missing:
                pending += reversed(missing)
            else:
                pending.pop()
                if node.index not in self.made:
                    self._copy(node)

    def _copy(self, node: Node) -> None:
        if node.op == "state":
            self._keep(node, self.new.state(str(node.value), node.width))
            return
        args = tuple(self.made[arg.index] for arg in node.args)
        if node.op == "cat":
            value = self.new.cat(*args)
        elif node.op == "slice":
            value = self.new.slice(args[0], *node.value)
        else:
            value = self.new.make(node.op, args, node.width, node.value)
        self._keep(node, value)

    def _keep(self, node: Node, value: Node) -> None:
        self.made[node.index] = value
        if node.name is not None and node.op not in ("input", "state"):
            self.new.step(node.name, value)
        if node.index in self.stage:
            self._place(value, self.stage[node.index])

    def _place(self, value: Node, stage: int) -> None:
        if value.op != "const" and not is_wiring(value):
            self.stage_of_new.setdefault(value.index, stage)
