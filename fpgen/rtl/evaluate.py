"""The graph as a numpy function: what each node means, without a simulator.

It serves the tests of the arithmetic primitives and quick exhaustive looks at
a datapath. It ignores the schedule; a state reads the value given for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .graph import Graph, Node


def evaluate(graph: Graph, **inputs: ArrayLike) -> dict[str, np.ndarray]:
    """Evaluate every output.

    Parameters
    ----------
    **inputs : array_like of int
        One per input (and state) of the graph, broadcastable against each other.

    Returns
    -------
    dict of str to ndarray
        Output name to an array of uint64, or of Python ints (object) where the output is wider than 63 bits.
    """
    values: dict[int, np.ndarray] = {}
    for node in graph.live():
        kind = object if node.width > 63 else np.uint64
        if node.op in ("input", "state"):
            value = np.asarray(inputs[str(node.value)])
        elif node.op == "const":
            value = np.array(node.value, dtype=kind)
        else:
            args = [values[arg.index] for arg in node.args]
            # Python ints only where bits do not fit: most of a datapath with wide ports is narrow.
            inner = object if kind is object or any(arg.dtype == object for arg in args) else np.uint64
            value = _apply(node, [arg.astype(inner, copy=False) for arg in args], inner)
        values[node.index] = np.asarray(value).astype(kind, copy=False)
    named = {name: values[node.index] for name, node in graph.outputs.items()}
    named |= {f"next_{state.value}": values[value.index] for state, value in graph.states.items()}
    return named


def _apply(node: Node, args: list[np.ndarray], kind: type[object]) -> Any:
    """The node's value: an array of `kind`, or a plain int (operations on Python ints without axes)."""

    def of(value: int) -> Any:
        return value if kind is object else np.uint64(value)

    def flag(condition: ArrayLike) -> np.ndarray:
        return np.asarray(condition).astype(np.uint64).astype(kind)

    mask = of((1 << node.width) - 1)
    op, x = node.op, args[0]
    if op == "slice":
        return (x >> of(node.value[0])) & mask
    if op == "cat":
        total, shift = x, node.args[0].width
        for part, value in zip(node.args[1:], args[1:], strict=True):
            total = total | (value << of(shift))
            shift += part.width
        return total
    if op == "not":
        return x ^ mask
    if op == "mux":
        return np.where(x.astype(bool), args[1], args[2])
    if op in ("and", "or", "xor"):
        return {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}[op](x, args[1])
    if op == "add":
        return (x + args[1] + (args[2] if len(args) > 2 else of(0))) & mask
    if op == "sub":
        return (x + (args[1] ^ mask) + of(1)) & mask
    if op == "mul":
        with np.errstate(over="ignore"):  # signed operands are sign-extended: the product is modulo 2**64, then masked
            return (x * args[1]) & mask
    if op == "eq":
        return flag(x == args[1])
    if op == "ult":
        return flag(x < args[1])
    if op == "any":
        return flag(x != of(0))
    if op == "all":
        return flag(x == of((1 << node.args[0].width) - 1))
    if op == "parity":
        result = x & of(1)
        for bit in range(1, node.args[0].width):
            result = result ^ ((x >> of(bit)) & of(1))
        return result
    raise ValueError(f"unknown operation {op}")
