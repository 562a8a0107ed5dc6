"""The decoded operands of one sum of products, and how they are cut out of the input ports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...units.blockdot import BlockDot
from ...units.dot import DotProduct, SumOfProducts
from ...units.ports import Role
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


def decoded(g: Graph, unit: SumOfProducts) -> dict[str, list[Operand]]:
    """Every element of every operand port, by the port's name, in the order of the port."""
    found: dict[str, list[Operand]] = {}
    for port in unit.ports:
        if port.role is not Role.OPERAND or port.format is None:
            continue
        flush = unit.subnormals.flush_inputs and not port.name.endswith("_scale")
        codes = elements(g.inputs[port.name], port.format.bits)
        places = ["".join(f"_{k}" for k in index) for index in np.ndindex(port.shape)]
        section = f"Unpack {port.name}: {port.count} codes of {port.format}" if port.count > 1 else ""
        found[port.name] = [unpack(g, code, port.format, flush, port.name + place, section)
                            for code, place in zip(codes, places, strict=True)]
    return found


def single(g: Graph, unit: DotProduct | BlockDot) -> Inputs:
    """The operands of a unit that has one sum."""
    parts = {name: tuple(found) for name, found in decoded(g, unit).items()}
    (c,) = parts.pop("c", (None,))
    return Inputs(c=c, **parts)
