"""Tensor cores: a tile of dot products that share decoded operands.

Each element of A, B and C is unpacked once. The sums are built one by one from those, in a graph that makes equal
expressions once: what depends on one row or one column alone is there once, too.
"""

from __future__ import annotations

from collections.abc import Callable

from fpgen.rtl.float.rounder import Mode, Target
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct
from fpgen.units.tensorcore import TensorCore

from .inputs import Inputs, decoded

#: One sum from decoded operands: its code and its flags.
Builder = Callable[[Graph, DotProduct | BlockDot, Inputs, Mode, Target], tuple[Node, Node]]


def tile(g: Graph, unit: TensorCore, build: Builder, mode: Mode, target: Target) -> tuple[Node, Node]:
    """The results in row-major order, the first in the lowest bits; `build` makes one sum (`dot.builder_of`)."""
    parts = decoded(g, unit)
    width = {name: shape[1] for name, shape in unit.shapes.items()}

    def row(name: str, i: int) -> tuple[Operand, ...]:
        return tuple(parts[name][i * width[name] : (i + 1) * width[name]]) if name in parts else ()

    def column(name: str, j: int) -> tuple[Operand, ...]:
        return tuple(parts[name][j :: width[name]]) if name in parts else ()

    dot = unit.dot
    codes = []
    for i in range(unit.m):
        for j in range(unit.n):
            c = parts["c"][i * unit.n + j] if "c" in parts else None
            own = {"a": row("a", i), "a_scale": row("a_scale", i), "b": column("b", j), "b_scale": column("b_scale", j)}
            inputs = Inputs.of(unit, own, c)
            with g.scope(f"r{i}c{j}_"):
                code, _ = build(g, dot, inputs, mode, target)
                codes.append(g.step("code", code))
    return g.cat(*codes), g.const(0, 5)
