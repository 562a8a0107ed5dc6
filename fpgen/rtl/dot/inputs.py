"""The decoded operands of one sum of products, and how they are cut out of the input ports."""

from __future__ import annotations

from dataclasses import dataclass

from ...units.blockdot import BlockDot
from ...units.dot import DotProduct
from ..float.unpack import Operand, unpack
from ..graph import Graph, Node


@dataclass(frozen=True)
class Inputs:
    """What one sum of products is made of.

    Attributes
    ----------
    a, b : tuple of Operand
        The elements, in order.
    a_scale, b_scale : tuple of Operand
        One for each block; empty where the unit has no scales.
    c : Operand or None
    """

    a: tuple[Operand, ...]
    b: tuple[Operand, ...]
    a_scale: tuple[Operand, ...] = ()
    b_scale: tuple[Operand, ...] = ()
    c: Operand | None = None


def elements(word: Node, bits: int) -> list[Node]:
    """The codes of `bits` bits that lie in a port's word, the first one lowest."""
    return [word[low : low + bits] for low in range(0, word.width, bits)]


def single(g: Graph, unit: DotProduct | BlockDot) -> Inputs:
    """The operands of a unit that has one sum."""
    found: dict[str, tuple[Operand, ...]] = {}
    shapes = {port.name: port.shape for port in unit.ports}
    for name, fmt in unit.operands.items():
        flush = unit.subnormals.flush_inputs and not name.endswith("_scale")
        parts = elements(g.inputs[name], fmt.bits)
        labels = [f"{name}_{i}" for i in range(len(parts))] if shapes[name] else [name]
        found[name] = tuple(unpack(g, code, fmt, flush, label) for code, label in zip(parts, labels, strict=True))
    c = found.pop("c", (None,))
    return Inputs(found["a"], found["b"], found.get("a_scale", ()), found.get("b_scale", ()), c[0])
