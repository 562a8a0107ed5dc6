"""Chains and trees of rounded sums: the graph equals the exact model; errors are noticed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portions import some
from sum_cases import draw_sum, draw_unit, golden, hardware, mismatch, preset_units

from fpgen.units import parse_unit

EVERY = list(preset_units(("tree", "chain")))
TEXTS = [
    "dot fp16 fp16 n=4 + fp32 -> fp32 accumulate=chain",
    "dot e4m3fn e5m2 n=5 -> fp16 rdn accumulate=chain:intermediate=bf16",
    "dot int8 int8 n=3 + fp16 -> int16 accumulate=chain:intermediate=fp32",
    "dot e4m3fn e4m3fn n=5 + e5m2 -> fp16 rdn accumulate=tree",
    "dot fp16 fp16 n=6 + fp16 -> fp16 rup subnormals=out accumulate=tree:group=3",
    "blockdot nvfp4 nvfp4 k=32 + fp32 -> fp32 accumulate=chain",
    "blockdot mxfp4 mxfp8e5m2 k=64 + fp32 -> fp32 accumulate=tree",
    "blockdot e4m3fn@ue4m3/2 e5m2@ue4m3/2 k=6 + fp16 -> fp16 rdn accumulate=chain:presum=1",
]


def check(unit, count: int, seed: int):
    text = mismatch(unit, draw_sum(unit, count, seed))
    assert not text, text


@pytest.mark.turns(2)
@pytest.mark.parametrize("unit", some([unit for _, unit in EVERY], 2), ids=[label for label, _ in EVERY])
def test_presets(unit):
    check(unit, 60 if unit.products <= 16 else 30, 1)


@pytest.mark.full
@pytest.mark.parametrize("unit", [unit for _, unit in EVERY], ids=[label for label, _ in EVERY])
def test_presets_at_length(unit):
    check(unit, 3000, 2)


@pytest.mark.parametrize("text", TEXTS)
def test_units(text):
    check(parse_unit(text), 200, 3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["tree", "chain"]))
def test_any_record(seed, kind):
    check(draw_unit(kind, np.random.default_rng(seed)), 60, seed)


@pytest.mark.full
@settings(max_examples=2000, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["tree", "chain"]))
def test_any_record_at_length(seed, kind):
    check(draw_unit(kind, np.random.default_rng(seed)), 120, seed)


def test_a_chain_is_fused_multiply_adds():
    """Held against the scalar unit, step by step."""
    unit = parse_unit("dot fp16 fp16 n=3 + fp16 -> fp16 accumulate=chain")
    step = parse_unit("fma fp16 fp16 fp16 -> fp16")
    inputs = draw_sum(unit, 400, 4)
    total = inputs["c"]
    for i in range(3):
        total = step.compute(inputs["a"][:, i], inputs["b"][:, i], total).codes
    assert (hardware(unit, inputs) == total).all()


def test_a_tree_is_multiplications_and_additions():
    """n=3 in halves: the first product, and the sum of the other two; the addend last."""
    unit = parse_unit("dot fp16 fp16 n=3 + fp32 -> fp32 accumulate=tree")
    times, plus = parse_unit("multiply fp16 fp16 -> fp32"), parse_unit("add fp32 fp32 -> fp32")
    inputs = draw_sum(unit, 400, 5)
    zero = np.zeros(400, np.uint32)
    x, y, z = (plus.compute(times.compute(inputs["a"][:, i], inputs["b"][:, i]).codes, zero).codes for i in range(3))
    wanted = plus.compute(plus.compute(x, plus.compute(y, z).codes).codes, inputs["c"]).codes
    assert (hardware(unit, inputs) == wanted).all()


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # (-0) + (+0) is +0, and -0 toward minus infinity (IEEE 754-2019, 6.3); a product alone keeps its sign.
        ("dot e5m2 e5m2 n=1 -> fp16 accumulate=tree", 0x0000),
        ("dot e5m2 e5m2 n=1 -> fp16 rdn accumulate=tree", 0x8000),
        ("dot e5m2 e5m2 n=1 -> fp16 accumulate=chain", 0x8000),
    ],
)
def test_signs_of_zero(text, result):
    inputs = {"a": np.array([[0x80]], np.uint64), "b": np.array([[0x3C]], np.uint64)}
    assert hardware(parse_unit(text), inputs).tolist() == [result]


def test_negative_sum_times_a_zero_scale_is_minus_zero():
    """-3 * 0 + 0 toward minus infinity: a zero of unlike signs is -0 (6.3). Found by `test_any_record`."""
    unit = parse_unit("blockdot int8@ue4m3/4 e3m0@ue4m3/4 k=4 + fp16 -> fp16 rdn accumulate=chain")
    inputs = {
        "a": np.array([[0xFD, 0, 0, 0]], np.uint64),
        "a_scale": np.array([[0]], np.uint64),
        "b": np.array([[3, 0, 0, 0]], np.uint64),
        "b_scale": np.array([[0x38]], np.uint64),
        "c": np.array([0], np.uint64),
    }
    assert hardware(unit, inputs).tolist() == golden(unit, inputs).tolist() == [0x8000]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("dot fp16 fp16 n=4 + fp32 -> fp32 accumulate=cdna1", {"kind": "chain", "group": None}),
        ("dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=cdna1", {"group": 8}),
        ("dot e4m3fn e4m3fn n=4 + fp32 -> fp32 accumulate=chain:intermediate=e8m13", {"intermediate": "e8m14"}),
        ("blockdot mxfp8e5m2 mxfp4 k=32 + fp32 -> fp32 accumulate=chain", {"presum": 16}),
    ],
)
def test_wrong_records_are_noticed(text, change):
    unit = parse_unit(text)
    wrong = dataclasses.replace(unit, accumulate=dataclasses.replace(unit.accumulate, **change))
    assert mismatch(unit, draw_sum(unit, 400, 1), wrong)


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("dot fp16 fp16 n=4 + fp32 -> fp32 accumulate=cdna2", {"subnormals": "full"}),
        ("dot fp16 fp16 n=4 + fp32 -> fp32 accumulate=cdna2", {"subnormals": "out"}),
        ("dot bf16 bf16 n=4 + fp32 -> fp32 accumulate=cdna2", {"subnormals": "in"}),
        ("dot fp16 fp16 n=4 + fp32 -> fp32 accumulate=cdna1", {"rounding": "rna"}),
    ],
)
def test_wrong_options_are_noticed(text, change):
    unit = parse_unit(text)
    assert mismatch(unit, draw_sum(unit, 800, 1), dataclasses.replace(unit, **change))
