"""The graph as a numpy function: broadcasting, states, and words beyond 63 bits."""

from __future__ import annotations

import random

import numpy as np
import pytest
from rtl_cases import graph_of

from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.graph import Graph


@pytest.mark.parametrize("width", [1, 8, 31, 32, 33, 62, 63, 64, 65, 128])
def test_arithmetic_at_every_word_length(width):
    """Up to 63 bits the values are uint64, beyond they are Python integers; the arithmetic is the same."""
    graph = graph_of(
        {"x": width, "y": width},
        lambda g, x, y: (
            g.add(x, y),
            x.add(y),
            g.add(x, y, y[0]),
            x.sub(y, width),
            x.sub(y),
            ~x,
            x ^ y,
            x.equals(y),
            x.less(y),
            x.all(),
            x.any(),
            x.parity(),
            x.mul(y),
            g.cat(y, x),
            x[width // 2 :],
            x.sext(width + 3),
            g.mux(y[0], x, y),
        ),
    )
    rng = random.Random(width)
    top = 1 << width
    ends = [0, 1, top - 1, top - 2, top // 2, top // 2 - 1]
    pairs = [(x % top, y % top) for x in ends for y in ends] + [
        (rng.randrange(top), rng.randrange(top)) for _ in range(200)
    ]
    kind = object if width > 63 else np.uint64
    columns = {name: np.array(values, dtype=kind) for name, values in zip("xy", zip(*pairs, strict=True), strict=True)}
    found = evaluate(graph, **columns)
    for at, (x, y) in enumerate(pairs):
        expected = [
            (x + y) % top,
            x + y,
            (x + y + y % 2) % top,
            (x - y) % top,
            (x - y) % (2 * top),
            top - 1 - x,
            x ^ y,
            x == y,
            x < y,
            x == top - 1,
            x > 0,
            x.bit_count() % 2,
            x * y,
            y | x << width,
            x >> (width // 2),
            x + (8 - 1) * top * (x >> (width - 1)),
            x if y % 2 else y,
        ]
        assert [int(found[f"y{i}"][at]) for i in range(len(expected))] == expected


def test_inputs_broadcast():
    graph = graph_of({"x": 4, "y": 4}, lambda g, x, y: x ^ y)
    x, y = np.arange(16)[:, None], np.arange(16)[None, :]
    found = evaluate(graph, x=x, y=y)["y0"]
    assert found.shape == (16, 16) and (found == (x ^ y)).all()
    assert int(evaluate(graph, x=3, y=5)["y0"]) == 6


def test_states_are_read_and_their_next_values_returned():
    g = Graph()
    register = g.state("sum", 8)
    total = g.add(register, g.input("x", 8))
    g.next_state(register, total)
    g.output("result", register)
    value = np.zeros(3, np.uint64)
    for step in range(1, 5):
        found = evaluate(g, x=np.array([1, 100, 255]), sum=value)
        assert (found["result"] == value).all()
        value = found["next_sum"]
        assert value.tolist() == [step, 100 * step % 256, -step % 256]


def test_a_missing_input_is_an_error():
    graph = graph_of({"x": 4, "y": 4}, lambda g, x, y: x & y)
    with pytest.raises(KeyError, match="y"):
        evaluate(graph, x=1)
