"""Integers with a known range: values, ranges and widths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rtl_cases import every

from fpgen.rtl.arith.quantity import Quantity, bits_for
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.graph import Graph


@given(st.integers(-300, 300), st.integers(0, 300))
def test_bits_for_is_the_fewest_that_hold_the_range(low, span):
    high = low + span
    width = bits_for(low, high)

    def holds(bits):
        if low >= 0:
            return bits >= 1 and high < 1 << bits
        return bits >= 1 and -(1 << (bits - 1)) <= low and high < 1 << (bits - 1)

    assert holds(width) and (width == 1 or not holds(width - 1))


WIDTHS = {"x": 3, "y": 4}


def inputs_of(g: Graph, offsets) -> tuple[Quantity, Quantity]:
    """Two quantities, x + offset and y + offset."""
    return tuple(
        Quantity.of(g.input(name, width)) + offset
        for (name, width), offset in zip(WIDTHS.items(), offsets, strict=True)
    )


def values_of(quantity: Quantity) -> np.ndarray:
    """The quantity's value at every input, from its settled bits; checks that it is in its range."""
    g = quantity.node.graph
    settled = quantity.settled()
    assert settled.offset == 0 and (settled.low, settled.high) == (quantity.low, quantity.high)
    width = bits_for(quantity.low, quantity.high)
    g.output("value", quantity.bits(width))
    found = np.broadcast_to(evaluate(g, **every(WIDTHS))["value"], 128).astype(np.int64)
    if quantity.low < 0:
        found = np.where(found >= 1 << (width - 1), found - (1 << width), found)
    assert found.min() >= quantity.low and found.max() <= quantity.high
    return found


def truth_of(g: Graph, node) -> np.ndarray:
    g.output("truth", node)
    return np.broadcast_to(evaluate(g, **every(WIDTHS))["truth"], 128).astype(bool)


OFFSETS = st.integers(-40, 40)


@given(OFFSETS, OFFSETS, OFFSETS)
def test_sums_and_differences(first, second, third):
    g = Graph()
    x, y = inputs_of(g, (first, second))
    a, b = (every(WIDTHS)[name].astype(np.int64) + offset for name, offset in zip("xy", (first, second), strict=True))
    for quantity, value in (
        (x + y, a + b),
        (x - y, a - b),
        (x + third, a + third),
        (y - third, b - third),
        (x - y + x, a - b + a),
        (x - (y + third), a - b - third),
    ):
        assert (values_of(quantity) == value).all()
        # the range is tight for sums of independent quantities
        assert quantity.low <= value.min() and quantity.high >= value.max()
    assert ((x + y).low, (x + y).high) == ((a + b).min(), (a + b).max())
    assert ((x - y).low, (x - y).high) == ((a - b).min(), (a - b).max())


@given(OFFSETS, OFFSETS, st.integers(-60, 60))
def test_comparisons(first, second, bound):
    g = Graph()
    x, y = inputs_of(g, (first, second))
    a, b = (every(WIDTHS)[name].astype(np.int64) + offset for name, offset in zip("xy", (first, second), strict=True))
    for node, expected in (
        (x.less(y), a < b),
        (x.at_least(y), a >= b),
        (x.less(bound), a < bound),
        (x.at_least(bound), a >= bound),
        (x.negative(), a < 0),
        ((x - y).less(bound), a - b < bound),
    ):
        assert (truth_of(g, node) == expected).all()
    if a.max() < b.min() or a.min() >= b.max():
        assert x.less(y).constant is not None  # known from the ranges: no logic


@given(OFFSETS, OFFSETS, st.integers(0, 70))
def test_clamps_and_choices(first, second, most):
    g = Graph()
    x, y = inputs_of(g, (first, second))
    a, b = (every(WIDTHS)[name].astype(np.int64) + offset for name, offset in zip("xy", (first, second), strict=True))
    assert (values_of(x.floored()) == np.maximum(a, 0)).all()
    assert (values_of((x - y).floored()) == np.maximum(a - b, 0)).all()
    select = x.node[0]
    assert (values_of(x.choose(select, y)) == np.where(every(WIDTHS)["x"] & np.uint64(1), a, b)).all()
    p, q = x.floored(), y.floored()
    assert (values_of(p.minimum(q)) == np.minimum(np.maximum(a, 0), np.maximum(b, 0))).all()
    top = (1 << max(1, most.bit_length())) - 1
    clamped = values_of(p.saturated(most))
    assert (clamped == np.minimum(np.maximum(a, 0), top)).all() and clamped.max() <= max(top, 1)


def test_constants_and_offsets_cost_nothing_until_settled():
    g = Graph()
    x, y = inputs_of(g, (-127, 5))
    before = len(g.nodes)
    shifted = x + 100 - 3
    assert len(g.nodes) == before and (shifted.low, shifted.high) == (-30, -23)
    assert Quantity.constant(g, -9).low == Quantity.constant(g, -9).high == -9
    assert values_of(Quantity.constant(g, -9) + y).tolist() == (every(WIDTHS)["y"].astype(np.int64) - 4).tolist()


@pytest.mark.parametrize("offset", [0, -1, 7])
def test_named_and_settled_steps_carry_names(offset):
    g = Graph()
    x, y = inputs_of(g, (offset, 0))
    assert (x + y).named("total").node.name == "total"
    settled = (x + y).settled("value")
    assert settled.node.name == ("total" if offset == 0 else "value")
