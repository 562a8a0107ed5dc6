"""The dataflow graph in which every datapath is written, once.

A `Graph` holds pure functions of bit vectors (`Node`) from inputs to outputs,
without registers: the scheduler places those. From the one graph come the
Amaranth component, the Verilog text, the latency and the stage map.

All vectors are unsigned and every width is explicit. Nodes are immutable and
shared: building the same expression twice gives the same node, and constants
fold as they are built, so an option that makes a signal constant also removes
the logic behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fpgen.units.architecture import DEFAULT, Architecture

from .node import UNNAMED, WIRING, Node

__all__ = ["WIRING", "Graph", "Node"]


class Graph:
    """A datapath under construction.

    Parameters
    ----------
    architecture : Architecture
        What `arith.multiplier` and `arith.prefix` build.

    Attributes
    ----------
    nodes : list of Node
        In an order in which arguments come before their users.
    inputs, outputs : dict of str to Node
    states : dict of Node to Node
        Register to the value it takes at the end of each accepted operation.
    """

    def __init__(self, architecture: Architecture = DEFAULT) -> None:
        self.architecture = architecture
        self.nodes: list[Node] = []
        self.inputs: dict[str, Node] = {}
        self.outputs: dict[str, Node] = {}
        self.states: dict[Node, Node] = {}
        self.current_section = ""
        self._shared: dict[tuple[object, ...], Node] = {}
        self._names: set[str] = set()
        self._counts: dict[str, int] = {}
        self._prefix = ""

    # ---- construction ---------------------------------------------------------------

    def make(self, op: str, args: tuple[Node, ...], width: int, value: Any = None) -> Node:
        """The node for this operation, existing or new (no simplification here)."""
        key = (op, tuple(arg.index for arg in args), width, value)
        node = self._shared.get(key)
        if node is None:
            node = Node(self, len(self.nodes), op, args, width, value)
            self.nodes.append(node)
            self._shared[key] = node
        return node

    def input(self, name: str, width: int) -> Node:
        node = self.make("input", (), width, name)
        node.name = name
        self._names.add(name)
        self.inputs[name] = node
        return node

    def output(self, name: str, node: Node) -> None:
        self.outputs[name] = node
        self._names.add(name)

    def state(self, name: str, width: int) -> Node:
        """A register of the operation itself (an accumulator), 0 after reset; give its `next_state`."""
        node = self.make("state", (), width, name)
        node.name = name
        self._names.add(name)
        return node

    def next_state(self, state: Node, value: Node) -> None:
        self.states[state] = value

    def section(self, title: str) -> None:
        """Heading for the nodes that follow."""
        self.current_section = title

    @contextmanager
    def scope(self, prefix: str) -> Iterator[None]:
        """Steps named inside get this prefix: for a part of which there are several."""
        outer, self._prefix = self._prefix, self._prefix + prefix
        try:
            yield
        finally:
            self._prefix = outer

    def step(self, name: str, node: Node) -> Node:
        """Name a node; the name appears in the Verilog and the stage map. The first name stays.

        A concatenation is no step; its name is used where the Verilog needs a wire for it.
        """
        if node.name is None and node.op not in UNNAMED:
            name = unique = self._prefix + name
            count = self._counts.get(name, 2)
            while unique in self._names:
                unique, count = f"{name}_{count}", count + 1
            self._counts[name] = count
            node.name = unique
            node.section = self.current_section
            self._names.add(unique)
        return node

    # ---- operations -----------------------------------------------------------------

    def const(self, value: int, width: int) -> Node:
        if not 0 <= value < 1 << width:
            raise ValueError(f"constant {value} does not fit {width} bits")
        return self.make("const", (), width, value)

    def bitwise(self, op: str, x: Node, y: Node) -> Node:
        ones = (1 << x.width) - 1
        if x.op == "const":
            x, y = y, x
        if x.op == "const" and y.op == "const":
            value = {"and": x.value & y.value, "or": x.value | y.value, "xor": x.value ^ y.value}[op]
            return self.const(value, x.width)
        if y.op == "const":
            if op == "and" and y.value in (0, ones):
                return x if y.value else y
            if op == "or" and y.value in (0, ones):
                return y if y.value else x
            if op == "xor" and y.value in (0, ones):
                return ~x if y.value else x
            if op != "xor" and (masked := self._masked(op, x, y.value)) is not None:
                return masked
        if x is y:
            return self.const(0, x.width) if op == "xor" else x
        if (x.op == "not" and x.args[0] is y) or (y.op == "not" and y.args[0] is x):
            return self.const(0 if op == "and" else ones, x.width)
        if x.index > y.index and y.op != "const":
            x, y = y, x
        return self.make(op, (x, y), x.width)

    def _masked(self, op: str, x: Node, mask: int) -> Node | None:
        """`x` AND or OR a constant as wires, when the constant is made of few runs."""
        edges = [i for i in range(1, x.width) if (mask >> i ^ mask >> (i - 1)) & 1]
        if len(edges) > 3:
            return None
        parts = []
        for low, high in zip([0, *edges], [*edges, x.width], strict=True):
            ones = mask >> low & 1
            kept = ones if op == "and" else not ones
            parts.append(self.slice(x, low, high) if kept else self.const(ones * ((1 << (high - low)) - 1), high - low))
        return self.cat(*parts)

    def mux(self, select: Node, high: Node, low: Node | int) -> Node:
        """`high` where the 1-bit `select` is 1, else `low`."""
        if isinstance(high, int):
            high = low._same(high)
        low = high._same(low)
        if select.width != 1:
            raise ValueError(f"select {select!r} is not one bit")
        if select.op == "const":
            return high if select.value else low
        if high is low:
            return high
        if select.op == "not":
            return self.mux(select.args[0], low, high)
        if high.width == 1:
            if low.constant == 0 or low is select:
                return select & high
            if high.constant == 1 or high is select:
                return select | low
            if high.constant == 0:
                return ~select & low
            if low.constant == 1:
                return ~select | high
        elif low.constant == 0:
            return select.repeat(high.width) & high
        elif high.constant == 0:
            return (~select).repeat(low.width) & low
        elif high.constant == (1 << high.width) - 1:
            return select.repeat(high.width) | low
        return self.make("mux", (select, high, low), high.width)

    def tree(self, op: str, terms: Sequence[Node]) -> Node:
        """A balanced tree of a bitwise operation."""
        terms = list(terms)
        while len(terms) > 1:
            terms = [
                self.bitwise(op, terms[i], terms[i + 1]) if i + 1 < len(terms) else terms[i]
                for i in range(0, len(terms), 2)
            ]
        return terms[0]

    def add(self, x: Node, y: Node, carry: Node | None = None) -> Node:
        """x + y (+ the 1-bit carry), modulo 2**width; equal widths."""
        if carry is not None and carry.constant == 0:
            carry = None
        if x.op == "const" and y.op != "const":
            x, y = y, x
        if carry is None:
            if y.constant == 0:
                return x
            if x.op == "const" and y.op == "const":
                return self.const((x.value + y.value) % (1 << x.width), x.width)
            return self.make("add", (x, y), x.width)
        return self.make("add", (x, y, carry), x.width)

    def mul(self, x: Node, y: Node, width: int, signed: bool = False) -> Node:
        """x * y modulo 2**width, as the synthesiser's own multiplier.

        `signed` promises that both are `width` bits in two's complement, so that it need not multiply sign extensions.
        """
        if x.op == "const" and y.op == "const":
            return self.const((x.value * y.value) % (1 << width), width)
        if x.op == "const":
            x, y = y, x
        if y.op == "const" and y.value.bit_count() <= 1:  # zero, or a power of two
            return x.fit(width).shifted(y.value.bit_length() - 1)[:width] if y.value else self.const(0, width)
        return self.make("mul", (x, y), width, "signed" if signed else None)

    def reduce(self, op: str, x: Node) -> Node:
        if x.op == "const":
            ones = (1 << x.width) - 1
            value = {"any": x.value != 0, "all": x.value == ones, "parity": x.value.bit_count() & 1}[op]
            return self.const(int(value), 1)
        if x.width == 1:
            return x
        if x.op == "cat" and op in ("any", "all"):
            absorbing = 1 if op == "any" else 0
            parts = []
            for part in x.args:
                if part.op == "const":
                    if (part.value != 0) if op == "any" else (part.value != (1 << part.width) - 1):
                        return self.const(absorbing, 1)
                elif part not in parts:
                    parts.append(part)
            if len(parts) < len(x.args):
                return self.reduce(op, self.cat(*parts))
        return self.make(op, (x,), 1)

    def cat(self, *parts: Node) -> Node:
        """Concatenation, least significant first."""
        merged: list[Node] = []
        for part in parts:
            for piece in part.args if part.op == "cat" else (part,):
                last = merged[-1] if merged else None
                if last is not None and last.op == "const" and piece.op == "const":
                    merged[-1] = self.const(last.value | piece.value << last.width, last.width + piece.width)
                elif last is not None and (joined := self._joined(last, piece)) is not None:
                    merged[-1] = joined
                else:
                    merged.append(piece)
        if len(merged) == 1:
            return merged[0]
        return self.make("cat", tuple(merged), sum(part.width for part in merged))

    def _joined(self, low: Node, high: Node) -> Node | None:
        """One slice for two neighbouring ones, if they are."""
        if low.op != "slice" or high.op != "slice" or low.args != high.args or low.value[1] != high.value[0]:
            return None
        return self.slice(low.args[0], low.value[0], high.value[1])

    def slice(self, x: Node, low: int, high: int) -> Node:
        if low == 0 and high == x.width:
            return x
        if x.op == "const":
            return self.const((x.value >> low) & ((1 << (high - low)) - 1), high - low)
        if x.op == "slice":
            return self.slice(x.args[0], x.value[0] + low, x.value[0] + high)
        if x.op == "cat":
            taken, start = [], 0
            for part in x.args:
                end = start + part.width
                if start < high and end > low:
                    taken.append(self.slice(part, max(low - start, 0), min(high, end) - start))
                start = end
            return self.cat(*taken)
        return self.make("slice", (x,), high - low, (low, high))

    # ---- reading --------------------------------------------------------------------

    def live(self) -> list[Node]:
        """The nodes that some output or state depends on, arguments first."""
        seen: set[int] = set()
        pending = [*self.outputs.values()]
        for state, value in self.states.items():
            pending += [state, value]
        while pending:
            node = pending.pop()
            if node.index not in seen:
                seen.add(node.index)
                pending += node.args
        return [node for node in self.nodes if node.index in seen]
