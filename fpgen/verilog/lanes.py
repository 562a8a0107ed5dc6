"""Single-bit operations side by side, read as one operation on vectors.

A concatenation of ``a[0] & s, a[1] & s, a[2] & s`` is written ``a[2:0] & {3{s}}``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from fpgen.rtl.graph import Node

SAME: Final = "same"
NEXT: Final = "next"
#: How one bit follows another: the same node, the next bit, or the same operation on leaves that follow so.
Pattern: TypeAlias = "Literal['same', 'next'] | tuple[Pattern, ...]"

_LANEWISE = frozenset({"and", "or", "xor", "not", "mux"})


def relation(x: Node, y: Node, inlined: Callable[[Node], bool]) -> Pattern | None:
    """How `y` follows `x` in a vector: leaf by leaf the same node or the next bit; None when it does not.

    `inlined` says whether a node has no separate wire, so that its operation can be merged.
    """
    if x is y:
        return SAME
    if x.op == "slice" and y.op == "slice" and x.args == y.args and x.width == y.width == 1:
        return NEXT if y.value[0] == x.value[0] + 1 else None
    if x.op != y.op or x.op not in _LANEWISE or x.width != 1 or not (inlined(x) and inlined(y)):
        return None
    found: list[Pattern] = []
    for one, other in zip(x.args, y.args, strict=True):
        below = relation(one, other, inlined)
        if below is None:
            return None
        found.append(below)
    if x.op == "mux" and found[0] != SAME:
        return None
    return tuple(found)


def runs(parts: tuple[Node, ...], inlined: Callable[[Node], bool]) -> list[tuple[Node, int, Pattern]]:
    """The parts of a concatenation as (first node, length, pattern) runs; length 1 for single ones."""
    found: list[tuple[Node, int, Pattern]] = []
    i = 0
    while i < len(parts):
        first, length = parts[i], 1
        pattern: Pattern | None = None
        if first.width == 1 and (first.op not in ("const", "slice")):
            while i + length < len(parts) and parts[i + length].width == 1:
                step = relation(parts[i + length - 1], parts[i + length], inlined)
                if step is None or (pattern is not None and step != pattern):
                    break
                pattern = step
                length += 1
        found.append((first, length, pattern or SAME))
        i += length
    return found
