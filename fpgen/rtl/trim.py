"""Remove the bits that nothing reads.

Stages are written in round widths; what a particular unit never looks at is
cut here, before scheduling, so that neither a register nor a line of Verilog
is spent on it.
"""

from __future__ import annotations

from collections.abc import Callable

from .graph import Graph, Node


def trim(graph: Graph) -> Graph:
    """The same function, every operation as narrow as its readers allow.

    Inputs and states keep their widths: they are pins, and what a loop needs is not followed.
    """
    live = graph.live()
    wanted = _wanted(graph, live)
    result = Graph(graph.architecture)
    kept: dict[int, tuple[Node, int]] = {}

    def get(node: Node, low: int, high: int) -> Node:
        """Bits low..high of an old node; bits that nothing reads are 0."""
        new, start = kept[node.index]
        end = start + new.width
        inside_low, inside_high = max(low, start), min(high, end)
        if inside_low >= inside_high:
            return result.const(0, high - low)
        parts = [new[inside_low - start : inside_high - start]]
        if inside_low > low:
            parts.insert(0, result.const(0, inside_low - low))
        if inside_high < high:
            parts.append(result.const(0, high - inside_high))
        return result.cat(*parts)

    for name, node in graph.inputs.items():
        kept[node.index] = (result.input(name, node.width), 0)
    for node in live:
        result.section(node.section)
        mask = wanted.get(node.index, 0)
        if node.op == "input":
            continue
        if node.op == "state":
            kept[node.index] = (result.state(str(node.value), node.width), 0)
            continue
        if not mask:
            kept[node.index] = (result.const(0, 1), 0)
            continue
        low, high = (mask & -mask).bit_length() - 1, mask.bit_length()
        new, start = _rebuilt(result, node, low, high, get)
        if node.name is not None:
            new = result.step(node.name, new)
        kept[node.index] = (new, start)
    for name, node in graph.outputs.items():
        result.output(name, get(node, 0, node.width))
    for state, value in graph.states.items():
        result.next_state(kept[state.index][0], get(value, 0, value.width))
    return result


def _wanted(graph: Graph, live: list[Node]) -> dict[int, int]:
    """The bits of every node that some output or state depends on, as masks."""
    wanted: dict[int, int] = {}

    def want(node: Node, mask: int) -> None:
        wanted[node.index] = wanted.get(node.index, 0) | (mask & ((1 << node.width) - 1))

    for node in [*graph.outputs.values(), *graph.states.values()]:
        want(node, -1)
    for node in reversed(live):
        mask = wanted.get(node.index, 0)
        if not mask:
            continue
        op, args = node.op, node.args
        below = (1 << mask.bit_length()) - 1  # carries run upwards: every lower bit counts
        if op == "slice":
            want(args[0], mask << node.value[0])
        elif op == "cat":
            for part in args:
                want(part, mask)
                mask >>= part.width
        elif op == "and" and args[1].op == "const":
            want(args[0], mask & args[1].value)
            want(args[1], mask)
        elif op == "or" and args[1].op == "const":
            want(args[0], mask & ~args[1].value)
            want(args[1], mask)
        elif op in ("not", "and", "or", "xor"):
            for arg in args:
                want(arg, mask)
        elif op == "mux":
            want(args[0], 1)
            want(args[1], mask)
            want(args[2], mask)
        elif op in ("add", "sub", "mul"):
            for arg in args:
                want(arg, below)
        else:
            for arg in args:
                want(arg, -1)
    return wanted


def _rebuilt(g: Graph, node: Node, low: int, high: int, get: Callable[[Node, int, int], Node]) -> tuple[Node, int]:
    """The node in the new graph, restricted to bits low..high, and where it starts."""
    op, args = node.op, node.args
    if op == "const":
        return g.const(node.value >> low & ((1 << (high - low)) - 1), high - low), low
    if op == "slice":
        start = node.value[0]
        return get(args[0], start + low, start + high), low
    if op == "cat":
        parts, start = [], 0
        for part in args:
            end = start + part.width
            if start < high and end > low:
                parts.append(get(part, max(low - start, 0), min(high, end) - start))
            start = end
        return g.cat(*parts), low
    if op == "not":
        return ~get(args[0], low, high), low
    if op in ("and", "or", "xor"):
        return g.bitwise(op, get(args[0], low, high), get(args[1], low, high)), low
    if op == "mux":
        return g.mux(get(args[0], 0, 1), get(args[1], low, high), get(args[2], low, high)), low
    if op == "add":
        carry = get(args[2], 0, 1) if len(args) > 2 else None
        return g.add(get(args[0], 0, high), get(args[1], 0, high), carry), 0
    if op == "sub":
        return get(args[0], 0, high).sub(get(args[1], 0, high), high), 0
    if op == "mul":
        x, y = (get(arg, 0, min(arg.width, high)) for arg in args)
        return g.mul(x, y, min(high, x.width + y.width), node.value == "signed"), 0
    whole = [get(arg, 0, arg.width) for arg in args]
    if op == "eq":
        return whole[0].equals(whole[1]), 0
    if op == "ult":
        return whole[0].less(whole[1]), 0
    return g.reduce(op, whole[0]), 0
