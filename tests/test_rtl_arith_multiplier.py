"""Multipliers: AND arrays, Booth digits and the operator, every small size, and the carry-save tree."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rtl_cases import every, graph_of

from fpgen.rtl.arith.multiplier import Rows, add_product, multiply
from fpgen.rtl.arith.prefix import NETWORKS
from fpgen.rtl.evaluate import evaluate
from fpgen.units.architecture import Adder, Architecture, Multiplier

by_kind = pytest.mark.parametrize(
    "kind",
    [
        *(Architecture(kind) for kind in Multiplier),
        Architecture(Multiplier.ARRAY, Adder.OPERATOR),
        Architecture(Multiplier.BOOTH, Adder.OPERATOR),
    ],
    ids=str,
)
by_adder = pytest.mark.parametrize("adder", [Adder.DEFAULT, Adder.OPERATOR])


@by_kind
@pytest.mark.parametrize("height", range(1, 7))
@pytest.mark.parametrize("width", range(1, 8))
def test_every_product(width, height, kind):
    widths = {"x": width, "y": height}
    inputs = every(widths)
    graph = graph_of(widths, lambda g, x, y: multiply(g, x, y), kind)
    assert graph.outputs["y0"].width == width + height
    assert (evaluate(graph, **inputs)["y0"] == inputs["x"] * inputs["y"]).all()


@by_kind
@pytest.mark.parametrize(
    "constant",
    [(value, width) for width in (2, 3, 4) for value in range(1 << width)],
    ids=lambda pair: f"{pair[0]}of{pair[1]}",
)
def test_every_product_with_a_constant(constant, kind):
    """As of an element format's largest value: digits of known sign, and no logic behind zeros."""
    value, width = constant

    def build(g, x):
        word = g.const(value, width)
        return multiply(g, x, word), multiply(g, word, x)

    graph = graph_of({"x": 4}, build, kind)
    found = evaluate(graph, x=np.arange(16, dtype=np.uint64))
    assert (found["y0"] == np.arange(16) * value).all() and (found["y1"] == np.arange(16) * value).all()


@by_kind
@pytest.mark.parametrize("network", NETWORKS)
def test_every_final_adder(network, kind):
    widths = {"x": 6, "y": 5}
    inputs = every(widths)
    graph = graph_of(widths, lambda g, x, y: multiply(g, x, y, network), kind)
    assert (evaluate(graph, **inputs)["y0"] == inputs["x"] * inputs["y"]).all()


@by_kind
@pytest.mark.parametrize("signed", [(True, True), (True, False), (False, True)], ids=["both", "first", "second"])
@pytest.mark.parametrize("height", range(1, 6))
@pytest.mark.parametrize("width", range(1, 6))
def test_every_signed_product(width, height, signed, kind):
    """By itself, and as rows that are summed modulo less or more than its width."""
    widths = {"x": width, "y": height}
    inputs = every(widths)
    total = width + height + 3

    def build(g, x, y):
        sums = []
        for modulo, weight in ((total, 2), (max(1, total - 5), 0)):
            rows = Rows(g, modulo)
            add_product(g, rows, x, y, weight, signed=signed)
            sums.append(g.add(*rows.reduce()))
        return multiply(g, x, y, signed=signed), *sums

    graph = graph_of(widths, build, kind)
    assert graph.outputs["y0"].width == width + height
    found = evaluate(graph, **inputs)
    x, y = (
        np.where(minus, (values ^ (half := 1 << (bits - 1))).astype(np.int64) - half, values.astype(np.int64))
        for values, bits, minus in zip(inputs.values(), widths.values(), signed, strict=True)
    )
    expected = x * y
    assert (found["y0"].astype(np.int64) == expected % (1 << (width + height))).all()
    assert (found["y1"].astype(np.int64) == (expected << 2) % (1 << total)).all()
    assert (found["y2"].astype(np.int64) == expected % (1 << max(1, total - 5))).all()


@by_kind
@pytest.mark.parametrize(
    ("width", "height"), [(8, 8), (11, 11), (11, 8), (24, 24), (24, 4), (3, 53), (53, 53), (64, 64)]
)
def test_wide_products(width, height, kind):
    rng = random.Random(width * height)
    tops = [(1 << bits) - 1 for bits in (width, height)]
    pairs = [(rng.randint(0, tops[0]), rng.randint(0, tops[1])) for _ in range(200)]
    ends = [[0, 1, top, top - 1, top // 2, top // 3, (top + 1) // 2] for top in tops]
    pairs += [(x, y) for x in ends[0] for y in ends[1]]
    graph = graph_of({"x": width, "y": height}, lambda g, x, y: multiply(g, x, y), kind)
    found = evaluate(graph, x=np.array([x for x, _ in pairs], object), y=np.array([y for _, y in pairs], object))["y0"]
    assert [int(value) for value in found] == [x * y for x, y in pairs]


@by_kind
@given(
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 4),
    st.integers(0, 255),
    st.integers(0, 20),
    st.integers(1, 14),
)
def test_a_product_and_words_in_one_tree(kind, width, height, word, weight, constant, arrival, total):
    """A product at any weight, a word, a constant and a negated word together, modulo any width."""
    widths = {"x": width, "y": height, "z": word}

    def build(g, x, y, z):
        rows = Rows(g, total)
        add_product(g, rows, x, y, weight)
        rows.add_word(z, 1, float(arrival))
        rows.add_word(z ^ ((1 << word) - 1))
        rows.add_constant(constant)
        return rows.reduce()

    inputs = every(widths)
    found = evaluate(graph_of(widths, build, kind), **inputs)
    x, y, z = inputs.values()
    negated = np.uint64((1 << word) - 1) - z
    expected = (x * y << np.uint64(weight)) + (z << np.uint64(1)) + negated + np.uint64(constant)
    assert ((found["y0"] + found["y1"] - expected) % np.uint64(1 << total) == 0).all()


@by_adder
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9), st.floats(0, 9)), max_size=9),
    st.integers(1, 12),
    st.integers(0, 4000),
)
def test_any_rows_reduce_to_two_words(adder, rows, total, constant):
    def build(g, *words):
        tree = Rows(g, total)
        for word, (_, weight, arrival) in zip(words, rows, strict=True):
            tree.add_word(word, weight, arrival)
        tree.add_constant(constant)
        return tree.reduce()

    widths = {f"w{i}": width for i, (width, _, _) in enumerate(rows)}
    graph = graph_of(widths, build, Architecture(adder=adder))
    assert graph.outputs["y0"].width == graph.outputs["y1"].width == total
    rng = np.random.default_rng(1)
    inputs = {name: rng.integers(0, 1 << width, 40, dtype=np.uint64) for name, width in widths.items()}
    found = evaluate(graph, **inputs)
    expected = np.full(40, constant, np.uint64)
    for values, (_, weight, _) in zip(inputs.values(), rows, strict=True):
        expected = expected + (values << np.uint64(weight))
    assert ((found["y0"] + found["y1"] - expected) % np.uint64(1 << total) == 0).all()


@by_adder
@pytest.mark.parametrize("words", range(5))
@pytest.mark.parametrize("bits", range(5))
def test_bits_below_carries_are_summed(words, bits, adder):
    """Single bits of weights 0 and 1 that wait for a free place, also where there is none."""
    widths = {**{f"w{i}": 2 for i in range(words)}, **{f"b{i}": 1 for i in range(bits)}}
    if not widths:
        return

    def summed(g, *nodes):
        rows = Rows(g, 6)
        for i, node in enumerate(nodes):
            if i < words:
                rows.add_word(node)
            else:
                rows.add_bit(node, i % 2)
        first, second = rows.reduce()
        return g.add(first, second)

    inputs = every(widths)
    weight = {name: 1 if name[0] == "w" else 1 << (i % 2) for i, name in enumerate(widths)}
    expected = sum(weight[name] * values for name, values in inputs.items())
    assert (evaluate(graph_of(widths, summed, Architecture(adder=adder)), **inputs)["y0"] == expected % 64).all()
