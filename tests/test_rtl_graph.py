"""The dataflow graph: sharing, folding, wiring, and simplifications that never change a value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtl_cases import every, graph_of

from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.graph import Graph, Node
from fpgen.rtl.trim import trim


@pytest.fixture
def g():
    return Graph()


# ---- sharing, constants, widths ------------------------------------------------------------------


def test_the_same_expression_is_the_same_node(g):
    x, y = g.input("x", 4), g.input("y", 4)
    assert (x & y) is (y & x)
    assert g.add(x, y) is g.add(x, y)
    assert (x & y) is not (x | y)
    assert x[1:3] is g.cat(x[1], x[2])
    assert g.cat(x[:2], x[2:]) is x
    assert ~~x is x


def test_constants_fold_through_every_operation(g):
    six, three = g.const(6, 4), g.const(3, 4)
    folded = {
        "~": (~six, 9),
        "&": (six & three, 2),
        "|": (six | three, 7),
        "^": (six ^ three, 5),
        "[]": (six[1:3], 3),
        "cat": (g.cat(six, three), 0x36),
        "zext": (six.zext(6), 6),
        "sext": (g.const(9, 4).sext(6), 0x39),
        "add": (six.add(three), 9),
        "add modulo": (g.add(six, g.const(12, 4)), 2),
        "sub": (three.sub(six), 0x1D),
        "mul": (six.mul(three), 18),
        "==": (six.equals(three), 0),
        "<": (three.less(six), 1),
        "any": (six.any(), 1),
        "all": (six.all(), 0),
        "parity": (g.const(7, 4).parity(), 1),
        "mux": (g.mux(g.const(1, 1), six, three), 6),
        "reversed": (g.const(1, 3).reversed(), 4),
    }
    assert {name: node.constant for name, (node, _) in folded.items()} == {
        name: value for name, (_, value) in folded.items()
    }
    assert folded["add"][0].width == folded["sub"][0].width == 5 and folded["mul"][0].width == 8


def test_wrong_widths_and_bits_are_refused(g):
    x, y = g.input("x", 4), g.input("y", 5)
    for wrong in (lambda: x & y, lambda: x.equals(y), lambda: g.mux(x, x, x)):
        with pytest.raises(ValueError):
            wrong()
    for wrong in (lambda: x[4], lambda: x[-5], lambda: x[2:2], lambda: x[0:4:2]):
        with pytest.raises(IndexError):
            wrong()
    with pytest.raises(ValueError, match="does not fit 3 bits"):
        g.const(8, 3)
    with pytest.raises(ValueError, match="does not fit 3 bits"):
        x.zext(3)


def test_negative_indices_and_open_slices_count_from_the_ends(g):
    x = g.const(0b10110, 5)
    assert [x[-1].constant, x[-2].constant, x[0].constant] == [1, 0, 0]
    assert x[-3:].constant == 0b101 and x[:-3].constant == 0b10
    assert [bit.constant for bit in x] == [0, 1, 1, 0, 1]


@pytest.mark.parametrize(
    ("name", "simplified"),
    [
        ("x and 0", lambda g, x: (x & 0).constant == 0),
        ("x and ones", lambda g, x: (x & 15) is x),
        ("x or 0", lambda g, x: (x | 0) is x),
        ("x or ones", lambda g, x: (x | 15).constant == 15),
        ("x xor x", lambda g, x: (x ^ x).constant == 0),
        ("x and not x", lambda g, x: (x & ~x).constant == 0),
        ("x or not x", lambda g, x: (x | ~x).constant == 15),
        ("x + 0", lambda g, x: g.add(x, g.const(0, 4)) is x),
        ("x < 0", lambda g, x: x.less(0).constant == 0),
        ("x == x", lambda g, x: x.equals(x).constant == 1),
        ("x < 1", lambda g, x: x.less(1) is x.none()),
        ("mux of one", lambda g, x: g.mux(x[0], x, x) is x),
        ("masks are wires", lambda g, x: (x & 6).op == "cat"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_simplifications(g, name, simplified):
    assert simplified(g, g.input("x", 4))


def test_live_is_what_outputs_and_states_need(g):
    x, y = g.input("x", 4), g.input("y", 4)
    dead, alive = x & y, x | y
    register = g.state("r", 4)
    follows = x ^ register
    g.next_state(register, follows)
    g.output("z", alive)
    live = g.live()
    assert dead not in live and {alive, follows, register} <= set(live)
    positions = {node.index: i for i, node in enumerate(live)}
    assert all(positions[arg.index] < positions[node.index] for node in live for arg in node.args)


def test_names_are_unique_and_the_first_stays(g):
    x = g.input("x", 4)
    first = g.step("sum", g.add(x, g.const(1, 4)))
    second = g.step("sum", g.add(x, g.const(2, 4)))
    assert (first.name, second.name) == ("sum", "sum_2")
    assert g.step("other", first).name == "sum"
    assert g.step("x", g.add(x, g.const(3, 4))).name == "x_2"  # the input has that name
    assert g.step("wires", x[1:3]).name is None


# ---- no simplification changes a value -----------------------------------------------------------

BINARY = ("and", "or", "xor", "add", "sub", "eq", "ult", "mux", "cat", "mul")


@st.composite
def programs(draw):
    """A list of operations on earlier values, the first of which are the inputs."""
    steps = []
    for index in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from([*BINARY, "not", "slice", "any", "all", "parity", "const", "repeat", "reversed"]))
        steps.append((kind, draw(st.integers(0, index + 2)), draw(st.integers(0, index + 2)), draw(st.integers(0, 31))))
    return steps


def run(program, values, ops):
    """The values of a program under an implementation of the operations; each value is (width, what)."""
    values = list(values)
    for kind, i, j, k in program:
        x, y = values[i % len(values)], values[j % len(values)]
        width = min(x[0], y[0])
        if kind == "const":
            values.append((1 + k % 5, ops.const(k % (1 << (1 + k % 5)), 1 + k % 5)))
        elif kind in ("and", "or", "xor", "eq", "ult", "add", "sub", "mux"):
            a, b = ops.low(x, width), ops.low(y, width)
            one = width if kind not in ("eq", "ult") else 1
            select = ops.low(values[k % len(values)], 1)
            values.append((one, ops.binary(kind, a, b, width, select)))
        elif kind == "mul" and x[0] + y[0] <= 12:
            values.append((x[0] + y[0], ops.mul(x, y)))
        elif kind == "cat" and x[0] + y[0] <= 12:
            values.append((x[0] + y[0], ops.cat(x, y)))
        elif kind == "slice":
            low = k % x[0]
            high = low + 1 + (k // 3) % (x[0] - low)
            values.append((high - low, ops.slice(x, low, high)))
        elif kind in ("not", "reversed"):
            values.append((x[0], ops.unary(kind, x)))
        elif kind == "repeat":
            values.append((3, ops.unary(kind, (1, ops.low(x, 1)))))
        elif kind in ("any", "all", "parity"):
            values.append((1, ops.unary(kind, x)))
    return values


class OnGraph:
    """The operations as nodes."""

    def __init__(self, g: Graph):
        self.g = g

    def const(self, value, width):
        return self.g.const(value, width)

    def low(self, x, width):
        return x[1][:width]

    def binary(self, kind, a: Node, b: Node, width, select):
        return {
            "and": lambda: a & b,
            "or": lambda: a | b,
            "xor": lambda: a ^ b,
            "eq": lambda: a.equals(b),
            "ult": lambda: a.less(b),
            "add": lambda: self.g.add(a, b),
            "sub": lambda: a.sub(b, width),
            "mux": lambda: self.g.mux(select, a, b),
        }[kind]()

    def mul(self, x, y):
        return x[1].mul(y[1])

    def cat(self, x, y):
        return self.g.cat(x[1], y[1])

    def slice(self, x, low, high):
        return x[1][low:high]

    def unary(self, kind, x):
        return {
            "not": lambda n: ~n,
            "any": Node.any,
            "all": Node.all,
            "parity": Node.parity,
            "reversed": Node.reversed,
            "repeat": lambda n: n.repeat(3),
        }[kind](x[1])


class OnIntegers:
    """The operations as Python arithmetic."""

    def const(self, value, width):
        return value

    def low(self, x, width):
        return x[1] % (1 << width)

    def binary(self, kind, a, b, width, select):
        value = {
            "and": a & b,
            "or": a | b,
            "xor": a ^ b,
            "eq": a == b,
            "ult": a < b,
            "add": a + b,
            "sub": a - b,
            "mux": a if select else b,
        }[kind]
        return int(value) % (1 << width)

    def mul(self, x, y):
        return x[1] * y[1]

    def cat(self, x, y):
        return x[1] | y[1] << x[0]

    def slice(self, x, low, high):
        return (x[1] >> low) % (1 << (high - low))

    def unary(self, kind, x):
        width, value = x
        return {
            "not": value ^ ((1 << width) - 1),
            "any": int(value > 0),
            "all": int(value == (1 << width) - 1),
            "parity": value.bit_count() % 2,
            "reversed": int(f"{value:0{width}b}"[::-1], 2),
            "repeat": value * 7,
        }[kind]


@settings(max_examples=150, deadline=None)
@given(programs())
def test_every_expression_has_the_value_of_its_definition(program):
    """Built (with all foldings), evaluated and trimmed: equal to Python's arithmetic on all inputs."""
    widths = {"a": 3, "b": 2, "c": 1}
    g = Graph()
    nodes = run(program, [(width, g.input(name, width)) for name, width in widths.items()], OnGraph(g))
    for i, (width, node) in enumerate(nodes):
        assert node.width == width
        g.output(f"y{i}", node)
    inputs = every(widths)
    for graph in (g, trim(g)):
        found = evaluate(graph, **inputs)
        for at in range(64):
            values = [(width, int(inputs[name][at])) for name, width in widths.items()]
            for i, (_, value) in enumerate(run(program, values, OnIntegers())):
                assert int(np.broadcast_to(found[f"y{i}"], 64)[at]) == value, (i, program)


def test_tree():
    graph = graph_of({"s": 2, "x": 3}, lambda g, s, x: g.tree("xor", [x[0], x[1], x[2], s[0], s[1]]))
    inputs = every({"s": 2, "x": 3})
    found = evaluate(graph, **inputs)
    for s, x, y in zip(*inputs.values(), found["y0"], strict=True):
        assert y == (int(s).bit_count() + int(x).bit_count()) % 2
