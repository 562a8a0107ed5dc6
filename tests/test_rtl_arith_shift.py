"""Shifters: every word by every amount, and the sticky bit."""

from __future__ import annotations

import random

import numpy as np
import pytest
from rtl_cases import every, graph_of

from fpgen.rtl.arith.shift import place_left, shift_left, shift_right_sticky
from fpgen.rtl.evaluate import evaluate


@pytest.mark.parametrize(("width", "bits"), [(1, 1), (1, 3), (2, 2), (5, 3), (6, 4), (8, 3), (9, 2)])
def test_every_left_shift(width, bits):
    widths = {"x": width, "n": bits}
    inputs = every(widths)
    found = evaluate(graph_of(widths, lambda g, x, n: shift_left(g, x, n)), **inputs)["y0"]
    expected = [(x << n) % (1 << width) for x, n in zip(inputs["x"].tolist(), inputs["n"].tolist(), strict=True)]
    assert np.broadcast_to(found, len(expected)).tolist() == expected


@pytest.mark.parametrize("most", range(8))
def test_a_left_shift_that_is_bounded(most):
    """`most` says which amounts occur; those are right, and no larger stage is built."""
    widths = {"x": 6, "n": 3}
    graph = graph_of(widths, lambda g, x, n: shift_left(g, x, n, most))
    inputs = {name: values[every(widths)["n"] <= most] for name, values in every(widths).items()}
    expected = [(x << n) % 64 for x, n in zip(inputs["x"].tolist(), inputs["n"].tolist(), strict=True)]
    assert evaluate(graph, **inputs)["y0"].tolist() == expected
    assert sum(node.name is not None and node.name.startswith("shifted") for node in graph.nodes) <= max(
        1, most.bit_length()
    )


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("most", [0, 1, 2, 4, 5, 7, 11, 15])
@pytest.mark.parametrize("width", [1, 2, 3, 5, 8])
def test_every_placed_word(width, most, signed):
    """No bit is lost, and a word in two's complement keeps its sign."""
    widths = {"x": width, "n": max(1, most.bit_length())}
    inputs = {name: values[every(widths)["n"] <= most] for name, values in every(widths).items()}
    found = evaluate(graph_of(widths, lambda g, x, n: place_left(g, x, n, most, signed)), **inputs)["y0"]
    words = [x - (1 << width) if signed and x >> (width - 1) else x for x in inputs["x"].tolist()]
    expected = [(x << n) % (1 << (width + most)) for x, n in zip(words, inputs["n"].tolist(), strict=True)]
    assert np.broadcast_to(found, len(expected)).tolist() == expected


def right(x: int, n: int, width: int, window: int) -> tuple[int, int]:
    """The window below the top of `x` after a right shift, and whether bits fell out of it."""
    placed = x << (window - width)
    return placed >> n, int(placed & ((1 << n) - 1) != 0)


@pytest.mark.parametrize(
    ("width", "window", "bits"),
    [
        (1, 1, 1),
        (1, 1, 3),
        (1, 4, 3),
        (3, 3, 2),
        (3, 5, 3),
        (4, 7, 3),
        (5, 6, 4),
        (6, 6, 4),
        (4, 15, 4),
        (2, 20, 3),
    ],
)
def test_every_right_shift(width, window, bits):
    widths = {"x": width, "n": bits}
    graph = graph_of(widths, lambda g, x, n: shift_right_sticky(g, x, n, window))
    assert graph.outputs["y0"].width == window
    inputs = every(widths)
    found = evaluate(graph, **inputs)
    pairs = list(zip(inputs["x"].tolist(), inputs["n"].tolist(), strict=True))
    assert np.broadcast_to(found["y0"], len(pairs)).tolist() == [right(x, n, width, window)[0] for x, n in pairs]
    assert np.broadcast_to(found["y1"], len(pairs)).tolist() == [right(x, n, width, window)[1] for x, n in pairs]


@pytest.mark.parametrize("most", range(16))
def test_a_right_shift_that_is_bounded(most):
    widths = {"x": 4, "n": 4}
    graph = graph_of(widths, lambda g, x, n: shift_right_sticky(g, x, n, 6, most))
    chosen = every(widths)["n"] <= most
    inputs = {name: values[chosen] for name, values in every(widths).items()}
    found = evaluate(graph, **inputs)
    for at, (x, n) in enumerate(zip(inputs["x"].tolist(), inputs["n"].tolist(), strict=True)):
        got = tuple(int(np.broadcast_to(found[y], len(inputs["x"]))[at]) for y in ("y0", "y1"))
        assert got == right(x, n, 4, 6)


@pytest.mark.parametrize(("width", "window"), [(24, 50), (53, 57), (53, 163), (11, 11)])
def test_wide_right_shifts(width, window):
    rng = random.Random(window)
    bits = window.bit_length()
    pairs = [
        (rng.getrandbits(width) & rng.getrandbits(width) | 1 << rng.randrange(width), n)
        for n in range(1 << bits)
        for _ in range(3)
    ]
    graph = graph_of({"x": width, "n": bits}, lambda g, x, n: shift_right_sticky(g, x, n, window))
    found = evaluate(graph, x=np.array([x for x, _ in pairs], object), n=np.array([n for _, n in pairs], object))
    for at, (x, n) in enumerate(pairs):
        assert (int(found["y0"][at]), int(found["y1"][at])) == right(x, n, width, window)
