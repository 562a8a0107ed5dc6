"""Parallel-prefix adders of every network, the magnitude of a difference, and the incrementer."""

from __future__ import annotations

import random

import numpy as np
import pytest
from rtl_cases import every, graph_of

from fpgen.rtl.arith.prefix import NETWORKS, add, increment, magnitude_of_difference, prefixes
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.graph import WIRING, Graph

by_network = pytest.mark.parametrize("network", NETWORKS)


@by_network
@pytest.mark.parametrize("width", range(1, 8))
def test_every_sum(network, width):
    widths = {"x": width, "y": width, "c": 1}
    inputs = every(widths)
    graph = graph_of(widths, lambda g, x, y, c: (add(g, x, y, c, network), add(g, x, y, network=network)))
    found = evaluate(graph, **inputs)
    total = inputs["x"] + inputs["y"]
    assert (found["y0"] == (total + inputs["c"]) % np.uint64(1 << width)).all()
    assert (found["y1"] == total % np.uint64(1 << width)).all()


@by_network
@pytest.mark.parametrize("width", [15, 24, 33, 64, 100])
def test_wide_sums(network, width):
    rng = random.Random(width)
    top = 1 << width
    pairs = [(rng.randrange(top), rng.randrange(top)) for _ in range(100)]
    for i in range(width):  # a carry through every run of bits
        pairs += [(top - (1 << i), 1 << i), ((1 << i) - 1, 1), (top - 1, 1 << i)]
    graph = graph_of({"x": width, "y": width}, lambda g, x, y: add(g, x, y, network=network))
    found = evaluate(graph, x=np.array([x for x, _ in pairs], object), y=np.array([y for _, y in pairs], object))["y0"]
    assert [int(value) for value in found] == [(x + y) % top for x, y in pairs]


@by_network
@pytest.mark.parametrize("width", range(2, 7))
def test_every_magnitude_of_a_difference(network, width):
    """|x - y| and |x + y| with one adder; the top bits are left clear for sign and carry."""
    widths = {"x": width - 1, "y": width - 1, "s": 1}
    inputs = every(widths)

    def build(g, x, y, s):
        second = y.zext(width) ^ s.repeat(width)
        return magnitude_of_difference(g, x.zext(width), second, s, network)

    graph = graph_of(widths, build)
    assert graph.outputs["y0"].width == width - 1
    found = evaluate(graph, **inputs)
    x, y, s = (inputs[name].astype(np.int64) for name in "xys")
    fits = (s == 1) | (x + y < 1 << (width - 1))  # a sum needs one more clear bit
    expected = np.where(s == 1, np.abs(x - y), x + y)
    assert (found["y0"].astype(np.int64) == expected)[fits].all()
    assert (found["y1"] == ((s == 1) & (x <= y)))[fits].all()


@pytest.mark.parametrize("width", range(1, 9))
def test_every_increment(width):
    widths = {"x": width, "c": 1}
    inputs = every(widths)
    found = evaluate(graph_of(widths, increment), **inputs)["y0"]
    assert (found == inputs["x"] + inputs["c"]).all()


@pytest.mark.parametrize("width", [23, 52, 64])
def test_wide_increments(width):
    words = [(1 << i) - 1 for i in range(1, width + 1)] + [((1 << width) - 1) ^ (1 << i) for i in range(width)]
    found = evaluate(graph_of({"x": width, "c": 1}, increment), x=np.array(words, object), c=1)["y0"]
    assert [int(value) for value in found] == [word + 1 for word in words]


def levels_of(network: str, width: int) -> int:
    """Gate levels from generate and propagate to the last prefix."""
    graph = graph_of({"a": width, "b": width}, lambda g, a, b: prefixes(g, a, b, network, "p"))
    depth: dict[int, int] = {}
    for node in graph.live():
        depth[node.index] = max((depth[arg.index] for arg in node.args), default=0) + (node.op not in WIRING)
    return max(depth.values())


@pytest.mark.parametrize("width", [8, 24, 53, 64])
def test_depth_of_the_networks(width):
    """Two gates a level: log2(n) levels in Sklansky's and Kogge and Stone's networks, below 2 log2(n) in Brent's."""
    log = (width - 1).bit_length()
    assert levels_of("sklansky", width) <= 2 * log and levels_of("kogge_stone", width) <= 2 * log
    assert levels_of("brent_kung", width) <= 4 * log


def test_an_unknown_network_is_refused():
    with pytest.raises(ValueError, match="expected one of native"):
        graph_of({"x": 8, "y": 8}, lambda g, x, y: add(g, x, y, network="han_carlson"))


def test_the_native_adder_is_one_operation():
    g = Graph()
    assert add(g, g.input("x", 8), g.input("y", 8), network="native").op == "add"
