"""The largest of many numbers, by digits and by comparison."""

from __future__ import annotations

import numpy as np
import pytest
from rtl_cases import every, graph_of

from fpgen.rtl.arith.largest import largest
from fpgen.rtl.evaluate import evaluate


@pytest.mark.parametrize("digit", [0, 1, 2, 3, 4])
@pytest.mark.parametrize(("count", "width"), [(1, 3), (2, 4), (3, 4), (4, 3), (5, 3), (15, 1)])
def test_every_input(count, width, digit):
    names = {f"x{i}": width for i in range(count)}
    inputs = every(names)
    graph = graph_of(names, lambda g, *numbers: largest(g, numbers, digit))
    wanted = np.max([inputs[name] for name in names], axis=0)
    assert (evaluate(graph, **inputs)["y0"] == wanted).all()


@pytest.mark.parametrize("digit", [0, 2, 3, 4])
@pytest.mark.parametrize(("count", "width"), [(8, 5), (32, 6), (7, 9), (16, 11)])
def test_at_random(count, width, digit):
    """Numbers that share their upper digits, so that the race is open to the end."""
    rng = np.random.default_rng(width)
    names = {f"x{i}": width for i in range(count)}
    free = rng.integers(0, width + 1, 4000)
    base = rng.integers(0, 1 << width, 4000)
    low = (1 << free) - 1
    inputs = {name: (base ^ (rng.integers(0, 1 << width, 4000) & low)).astype(np.uint64) for name in names}
    graph = graph_of(names, lambda g, *numbers: largest(g, numbers, digit))
    assert (evaluate(graph, **inputs)["y0"] == np.max(list(inputs.values()), axis=0)).all()
