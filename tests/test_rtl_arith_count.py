"""Leading-zero count: right for every word, and a tree."""

from __future__ import annotations

import random

import numpy as np
import pytest
from rtl_cases import every, graph_of

from fpgen.rtl.arith.count import leading_zeros
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.graph import WIRING


@pytest.mark.parametrize("width", range(1, 15))
def test_every_word(width):
    graph = graph_of({"x": width}, leading_zeros)
    assert graph.outputs["y0"].width == max(1, (width - 1).bit_length())
    found = evaluate(graph, **every({"x": width}))
    counts = np.broadcast_to(found["y0"], 1 << width)
    for x in range(1 << width):
        assert int(found["y1"][x]) == (x == 0)
        if x:
            assert int(counts[x]) == width - x.bit_length()


@pytest.mark.parametrize("width", [24, 31, 53, 64, 65, 106, 128])
def test_wide_words(width):
    rng = random.Random(width)
    words = [1 << i | rng.randrange(1 << i) for i in range(width) for _ in range(3)]
    kind = object if width > 63 else np.uint64
    found = evaluate(graph_of({"x": width}, leading_zeros), x=np.array(words, dtype=kind))
    assert [int(value) for value in found["y0"]] == [width - word.bit_length() for word in words]
    assert not any(int(value) for value in found["y1"])


@pytest.mark.parametrize("width", [8, 24, 53, 64, 106])
def test_depth_is_logarithmic(width):
    """A level of the tree costs at most a multiplexer and two gates."""
    graph = graph_of({"x": width}, leading_zeros)
    depth: dict[int, int] = {}
    for node in graph.live():
        depth[node.index] = max((depth[arg.index] for arg in node.args), default=0) + (node.op not in WIRING)
    assert max(depth.values()) <= 2 * (width - 1).bit_length()
