"""The logic of a pipeline as wires and registers with readable expressions.

A step gets its own wire when it has a name, when several others read it,
when only some of its bits are read, when it crosses a rank, or when the
expression would become long; everything else is written where it is read.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from fpgen.rtl.graph import Node
from fpgen.rtl.pipeline import Pipeline, Register
from fpgen.rtl.wiring import is_wiring, readers, sources

from . import lanes
from .verilog_expression import PRIMARY, VERILOG, Spelling, Text

#: An operand longer than this gets its own wire.
LONGEST_OPERAND = 72
#: A concatenation that several steps read gets a wire from this length on.
LONGEST_REPEATED = 40


@dataclass
class Wire:
    """A wire to declare: its name, width, value, the wires its value reads, and its heading."""

    name: str
    text: Text
    needs: frozenset[str]
    section: str
    order: int


class Body:
    """Spells every node of a pipeline in every stage in which it is read.

    Parameters
    ----------
    pipeline : Pipeline
    spelling : Spelling
        Of the language.

    Attributes
    ----------
    wires : list of list of Wire
        Per stage, in no particular order yet.
    """

    def __init__(self, pipeline: Pipeline, spelling: Spelling = VERILOG) -> None:
        self.pipeline = pipeline
        self.spelling = spelling
        self.names = pipeline.names.copy()
        self.wires: list[dict[str, Wire]] = [{} for _ in range(pipeline.stages + 1)]
        self._inline: dict[int, tuple[Text, frozenset[str]]] = {}
        self._cats: dict[tuple[int, int], str] = {}
        self._named_cats: set[int] = set()
        self._own, self._shared_cats = self._wants_wire()
        for node in pipeline.graph.live():
            if node.op not in ("input", "const", "state") and not is_wiring(node):
                self._define(node)

    # ---- who gets a wire ------------------------------------------------------------

    def _wants_wire(self) -> tuple[set[int], set[tuple[int, int]]]:
        """Indices of the nodes that get a wire whatever happens, and (index, stage) of shared concatenations."""
        own: set[int] = set()
        seen: set[int] = set()
        cats: set[tuple[int, int]] = set()
        shared: set[tuple[int, int]] = set()
        stages = self.pipeline.stages
        for reader, arg in readers(self.pipeline.graph):
            stage = stages if isinstance(reader, str) else self.pipeline.stage_of(reader)
            place = (arg.index, stage)
            if is_wiring(arg):
                if place in cats:
                    shared.add(place)
                    continue
                cats.add(place)
            previous = -1
            for source, low, high in sources(arg):
                index = source.index
                if index == previous and source.width == 1:
                    continue  # a replication
                previous = index
                partial = high - low < source.width
                if source.op == "const":
                    continue
                if partial or index in seen or stage > self.pipeline.stage_of(source):
                    own.add(index)
                seen.add(index)
        for node in self.pipeline.graph.live():
            if node.name is not None:
                own.add(node.index)
        return own, shared

    def _is_inlined(self, node: Node) -> bool:
        return node.index in self._inline

    def _define(self, node: Node) -> None:
        stage = self.pipeline.stage_of(node)
        args: list[Text] = []
        needs: frozenset[str] = frozenset()
        for arg in node.args:
            text, reads = self.operand(arg, stage)
            args.append(text)
            needs |= reads
        text = self.spelling.operation(node, args)
        trivial = node.op == "not" and args[0].text.isidentifier() and node.name is None
        if node.index in self._own and (not trivial or self._crosses(node)):
            self._wire(self.names.of(node), text, needs, node, stage)
        else:
            self._inline[node.index] = (text, needs)

    def _crosses(self, node: Node) -> bool:
        """Whether some reader needs a name to take bits from: a rank, or a slice."""
        if node.width > 1:
            return True
        return any(register.source is node for rank in self.pipeline.ranks for register in rank)

    def _wire(self, name: str, text: Text, needs: frozenset[str], node: Node, stage: int) -> None:
        self.wires[stage][name] = Wire(name, text, needs, node.section, node.index)

    # ---- spelling -------------------------------------------------------------------

    def operand(self, node: Node, stage: int) -> tuple[Text, frozenset[str]]:
        """A node as an operand of something in `stage`, and the wires that the text reads."""
        text, needs = self.value(node, stage)
        if len(text.text) > LONGEST_OPERAND and node.index in self._inline:
            del self._inline[node.index]
            self._wire(self.names.of(node), text, needs, node, stage)
            return self._local(node, 0, node.width)
        return text, needs

    def value(self, node: Node, stage: int) -> tuple[Text, frozenset[str]]:
        """The text of a node as seen in `stage`, and the wires of that stage that it reads."""
        if node.op == "const":
            return self.spelling.literal(node.value, node.width), frozenset()
        if node.op == "slice":
            return self.fetch(node.args[0], node.value[0], node.value[1], stage)
        if node.op != "cat":
            return self.fetch(node, 0, node.width, stage)
        known = self._cats.get((node.index, stage))
        if known is not None:
            return Text(known, PRIMARY, node.width), frozenset({known})
        text, needs = self._concatenation(node.args, stage)
        if (node.index, stage) in self._shared_cats and (
            len(text.text) > LONGEST_REPEATED or any(self._is_inlined(part) for part in node.args)
        ):
            name = self.names.of(node)
            if node.index in self._named_cats:  # in another stage
                name = self.names.fresh(f"{name}_in_{stage}")
            self._cats[node.index, stage] = name
            self._named_cats.add(node.index)
            self._wire(name, text, needs, node, stage)
            return Text(name, PRIMARY, node.width), frozenset({name})
        return text, needs

    def _concatenation(self, parts: tuple[Node, ...], stage: int) -> tuple[Text, frozenset[str]]:
        spelled: list[Text] = []
        needs: frozenset[str] = frozenset()
        for first, length, pattern in lanes.runs(parts, self._is_inlined):
            text, reads = self._lane(first, length, pattern, stage)
            spelled.append(text)
            needs |= reads
        return self.spelling.concatenation(spelled), needs

    def _lane(self, node: Node, length: int, pattern: lanes.Pattern, stage: int) -> tuple[Text, frozenset[str]]:
        """`length` neighbours that follow `pattern`, from `node` on, as one vector."""
        if length == 1:
            return self.operand(node, stage)
        if pattern == lanes.SAME:
            text, needs = self.operand(node, stage)
            return self.spelling.concatenation([text] * length), needs
        if pattern == lanes.NEXT:
            return self.fetch(node.args[0], node.value[0], node.value[0] + length, stage)
        args, needs = [], frozenset()
        for place, (arg, below) in enumerate(zip(node.args, pattern, strict=True)):
            scalar = node.op == "mux" and place == 0
            text, reads = self._lane(arg, 1 if scalar else length, below, stage)
            args.append(text)
            needs |= reads
        text = self.spelling.operation(node, args)
        return Text(text.text, text.strength, length, text.operator), needs

    def fetch(self, node: Node, low: int, high: int, stage: int) -> tuple[Text, frozenset[str]]:
        """``node[low:high]`` in `stage`, from wherever it is kept."""
        made = self.pipeline.stage_of(node)
        if stage == made:
            return self._local(node, low, high)
        parts = []
        for piece in self.pipeline.read(node, low, high, stage):
            if isinstance(piece.holder, Register):
                register = piece.holder
                parts.append(self.spelling.bits(register.name, register.width, piece.low, piece.high, register.low))
            else:
                parts.append(self.spelling.bits(self.names.of(piece.holder), piece.holder.width, piece.low, piece.high))
        return self.spelling.concatenation(parts), frozenset()

    def _local(self, node: Node, low: int, high: int) -> tuple[Text, frozenset[str]]:
        """``node[low:high]`` in the stage in which it is made."""
        if node.index in self._inline:
            assert high - low == node.width, f"{node!r} has no wire to take bits of"
            return self._inline[node.index]
        name = self.names.of(node)
        needs = frozenset() if node.op in ("input", "state") else frozenset({name})
        return self.spelling.bits(name, node.width, low, high), needs


def ordered(wires: dict[str, Wire]) -> list[Wire]:
    """Every wire after those it reads, keeping to one section while that is possible."""
    readers_of: dict[str, list[Wire]] = {}
    waiting: dict[str, int] = {}
    ready: dict[str, list[Wire]] = {}
    for wire in sorted(wires.values(), key=lambda wire: (wire.order, wire.name)):
        inside = [name for name in wire.needs if name in wires]
        waiting[wire.name] = len(inside)
        for name in inside:
            readers_of.setdefault(name, []).append(wire)
        if not inside:
            ready.setdefault(wire.section, []).append(wire)
    for queue in ready.values():
        queue.sort(key=lambda wire: (wire.order, wire.name))
    return _drained(ready, waiting, readers_of)


def _drained(ready: dict[str, list[Wire]], waiting: dict[str, int], readers_of: dict[str, list[Wire]]) -> list[Wire]:

    queues = {section: [(wire.order, wire.name, wire) for wire in queue] for section, queue in ready.items()}
    found: list[Wire] = []
    current = ""
    while any(queues.values()):
        if not queues.get(current):
            current = min((queue[0][:2], section) for section, queue in queues.items() if queue)[1]
        _, _, wire = heapq.heappop(queues[current])
        found.append(wire)
        for reader in readers_of.get(wire.name, ()):
            waiting[reader.name] -= 1
            if not waiting[reader.name]:
                heapq.heappush(queues.setdefault(reader.section, []), (reader.order, reader.name, reader))
    return found
