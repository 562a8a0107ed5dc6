"""A bit vector in a dataflow graph: an operation on other bit vectors, with the operators to write more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .graph import Graph

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

    def __init__(self, graph: Graph, index: int, op: str, args: tuple[Node, ...], width: int, value: Any) -> None:
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
            return self.graph.const(other, self.width)
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
        return self.graph.mul(self, other, self.width + other.width)
