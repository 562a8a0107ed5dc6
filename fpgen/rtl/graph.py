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

#: Operations that are wires, not gates.
WIRING = frozenset({"input", "const", "slice", "cat"})
#: Nodes that take no name: they have one already, or are part of what has.
UNNAMED = frozenset({"input", "const", "slice"})


class Node:
    """A bit vector in a graph: an operation on other nodes.

    Attributes
    ----------
    op : str
        ``input const slice cat not and or xor mux add sub mul eq ult any all parity state``.
    args : tuple of Node
    width : int
        Bits, at least 1.
    value : int, str or tuple
        A constant's value, an input's or state's name, a slice's (low, high).
    name : str or None
        The step this node is known as; a wire of that name in the Verilog.
    section : str
        The heading under which it was built.
    """

    __slots__ = ("args", "graph", "index", "name", "op", "section", "value", "width")

    def __init__(self, graph: Graph, index: int, op: str, args: tuple[Node, ...], width: int, value):
        self.graph = graph
        self.index = index
        self.op = op
        self.args = args
        self.width = width
        self.value = value
        self.name: str | None = None
        self.section = graph.current_section

    def __len__(self) -> int:
        return self.width

    def __repr__(self) -> str:
        return f"<{self.name or self.op}#{self.index}:{self.width}>"

    def __iter__(self) -> Iterator[Node]:
        return (self[i] for i in range(self.width))

    # ---- constants ------------------------------------------------------------------

    @property
    def constant(self) -> int | None:
        """The value, if it is known."""
        return self.value if self.op == "const" else None

    def _same(self, other: Node | int) -> Node:
        if isinstance(other, int):
            return self.graph.const(other & ((1 << self.width) - 1), self.width)
        if other.width != self.width:
            raise ValueError(f"widths differ: {self!r} and {other!r}")
        return other

    # ---- bitwise --------------------------------------------------------------------

    def __invert__(self) -> Node:
        if self.op == "const":
            return self.graph.const(~self.value & ((1 << self.width) - 1), self.width)
        if self.op == "not":
            return self.args[0]
        return self.graph.make("not", (self,), self.width)

    def __and__(self, other: Node | int) -> Node:
        return self.graph.bitwise("and", self, self._same(other))

    def __or__(self, other: Node | int) -> Node:
        return self.graph.bitwise("or", self, self._same(other))

    def __xor__(self, other: Node | int) -> Node:
        return self.graph.bitwise("xor", self, self._same(other))

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    # ---- wiring ---------------------------------------------------------------------

    def __getitem__(self, key: int | slice) -> Node:
        """Bits, least significant first: ``x[0]``, ``x[lo:hi]``, ``x[-1]``."""
        if isinstance(key, slice):
            low, high, step = key.indices(self.width)
            if step != 1 or high <= low:
                raise IndexError(f"{self!r}[{key.start}:{key.stop}] is not a run of bits")
        else:
            low = key + self.width if key < 0 else key
            high = low + 1
            if not 0 <= low < self.width:
                raise IndexError(f"{self!r}[{key}]")
        return self.graph.slice(self, low, high)

    def zext(self, width: int) -> Node:
        """Zero-extended to `width` bits."""
        if width < self.width:
            raise ValueError(f"{self!r} does not fit {width} bits")
        return self if width == self.width else self.graph.cat(self, self.graph.const(0, width - self.width))

    def fit(self, width: int) -> Node:
        """The low `width` bits, zero-extended where there are fewer."""
        return self[:width] if width < self.width else self.zext(width)

    def sext(self, width: int) -> Node:
        """Sign-extended (two's complement) to `width` bits."""
        return self if width == self.width else self.graph.cat(self, self[-1].repeat(width - self.width))

    def repeat(self, count: int) -> Node:
        """A single bit, `count` times."""
        return self.graph.cat(*[self] * count)

    def reversed(self) -> Node:
        """The bits in the opposite order."""
        return self.graph.cat(*[self[i] for i in range(self.width - 1, -1, -1)])

    def shifted(self, places: int) -> Node:
        """Left by a constant number of places; the result is that much wider."""
        return self.graph.cat(self.graph.const(0, places), self) if places else self

    # ---- reductions and comparisons -------------------------------------------------

    def any(self) -> Node:
        """1 when some bit is set."""
        return self.graph.reduce("any", self)

    def all(self) -> Node:
        """1 when every bit is set."""
        return self.graph.reduce("all", self)

    def parity(self) -> Node:
        """Exclusive or of the bits."""
        return self.graph.reduce("parity", self)

    def none(self) -> Node:
        """1 when no bit is set."""
        return ~self.any()

    def equals(self, other: Node | int) -> Node:
        other = self._same(other)
        if self is other:
            return self.graph.const(1, 1)
        if self.op == "const" and other.op == "const":
            return self.graph.const(int(self.value == other.value), 1)
        for known, free in ((self.constant, other), (other.constant, self)):
            if known == 0:
                return free.none()
            if known == (1 << self.width) - 1:
                return free.all()
        return self.graph.make("eq", (self, other), 1)

    def less(self, other: Node | int) -> Node:
        """1 when self < other, both unsigned."""
        other = self._same(other)
        if self is other or other.constant == 0 or self.constant == (1 << self.width) - 1:
            return self.graph.const(0, 1)
        if self.op == "const" and other.op == "const":
            return self.graph.const(int(self.value < other.value), 1)
        if self.constant == 0:
            return other.any()
        if other.constant == 1:
            return self.none()
        return self.graph.make("ult", (self, other), 1)

    # ---- arithmetic -----------------------------------------------------------------

    def add(self, other: Node | int, width: int | None = None, carry: Node | None = None) -> Node:
        """Sum modulo 2**width (default: wide enough for every carry)."""
        if isinstance(other, int):
            other = self.graph.const(other, max(1, other.bit_length()))
        if width is None:
            width = max(self.width, other.width) + 1
        return self.graph.add(self.fit(width), other.fit(width), carry)

    def sub(self, other: Node | int, width: int | None = None) -> Node:
        """Difference modulo 2**width (default: one bit more than the wider; the top bit is then the borrow)."""
        if isinstance(other, int):
            other = self.graph.const(other, max(1, other.bit_length()))
        if width is None:
            width = max(self.width, other.width) + 1
        left, right = self.fit(width), other.fit(width)
        if right.constant == 0:
            return left
        if left.op == "const" and right.op == "const":
            return self.graph.const((left.value - right.value) % (1 << width), width)
        if right.op == "const":
            return self.graph.add(left, self.graph.const(-right.value % (1 << width), width))
        return self.graph.make("sub", (left, right), width)

    def mul(self, other: Node) -> Node:
        """Full product, as the synthesiser's own multiplier."""
        if self.op == "const" and other.op == "const":
            return self.graph.const(self.value * other.value, self.width + other.width)
        return self.graph.make("mul", (self, other), self.width + other.width)


class Graph:
    """A datapath under construction.

    Attributes
    ----------
    nodes : list of Node
        In an order in which arguments come before their users.
    inputs, outputs : dict of str to Node
    states : dict of Node to Node
        Register to the value it takes at the end of each accepted operation.
    """

    def __init__(self):
        self.nodes: list[Node] = []
        self.inputs: dict[str, Node] = {}
        self.outputs: dict[str, Node] = {}
        self.states: dict[Node, Node] = {}
        self.current_section = ""
        self._shared: dict[tuple, Node] = {}
        self._names: set[str] = set()

    # ---- construction ---------------------------------------------------------------

    def make(self, op: str, args: tuple[Node, ...], width: int, value=None) -> Node:
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

    def output(self, name: str, node: Node):
        self.outputs[name] = node
        self._names.add(name)

    def state(self, name: str, width: int) -> Node:
        """A register of the operation itself (an accumulator), 0 after reset; give its `next_state`."""
        node = self.make("state", (), width, name)
        node.name = name
        self._names.add(name)
        return node

    def next_state(self, state: Node, value: Node):
        self.states[state] = value

    def section(self, title: str):
        """Heading for the nodes that follow."""
        self.current_section = title

    def step(self, name: str, node: Node) -> Node:
        """Name a node; the name appears in the Verilog and the stage map. The first name stays.

        A concatenation is no step; its name is used where the Verilog needs a wire for it.
        """
        if node.name is None and node.op not in UNNAMED:
            unique, count = name, 2
            while unique in self._names:
                unique, count = f"{name}_{count}", count + 1
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
