"""Aligned sums: the graph equals the exact model for every preset and for records at random; errors are noticed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portions import some
from sum_cases import draw_sum, draw_unit, golden, hardware, mismatch, preset_units

from fpgen.units import parse_unit

QUICK = list(preset_units(("aligned",), every=False))
EVERY = list(preset_units(("aligned",)))


def of(text: str):
    return parse_unit(text)


@pytest.mark.turns(2)
@pytest.mark.parametrize("unit", some([unit for _, unit in QUICK], 2), ids=[label for label, _ in QUICK])
def test_presets(unit):
    text = mismatch(unit, draw_sum(unit, 60, 1))
    assert not text, text


@pytest.mark.full
@pytest.mark.parametrize("unit", [unit for _, unit in EVERY], ids=[label for label, _ in EVERY])
def test_presets_with_every_operand(unit):
    """Every operand format, with and without an addend, one group, two groups and less than one."""
    text = mismatch(unit, draw_sum(unit, 900, 2))
    assert not text, text


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_record(seed):
    """Places kept, treatment, addend, split, clamp, reach, group, partial sums, intermediate, formats, options."""
    unit = draw_unit("aligned", np.random.default_rng(seed))
    text = mismatch(unit, draw_sum(unit, 60, seed))
    assert not text, text


@pytest.mark.full
@settings(max_examples=3000, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_record_at_length(seed):
    unit = draw_unit("aligned", np.random.default_rng(seed))
    text = mismatch(unit, draw_sum(unit, 120, seed))
    assert not text, text


@pytest.mark.parametrize(
    "text",
    [
        "dot e2m1 e2m1 n=2 -> fp16 accumulate=aligned:fraction=11",
        "dot e2m1 e2m1 n=2 -> e4m3fn rdn accumulate=aligned:fraction=3,treatment=floor",
    ],
)
def test_every_pair_of_codes(text):
    """Proof for two products of four-bit elements: 65,536 inputs."""
    unit = of(text)
    index = np.arange(1 << 16, dtype=np.uint64)
    a = np.stack([index & np.uint64(15), index >> np.uint64(4) & np.uint64(15)], 1)
    b = np.stack([index >> np.uint64(8) & np.uint64(15), index >> np.uint64(12)], 1)
    found = hardware(unit, {"a": a, "b": b})
    # Swapping factors or products changes nothing, so that the definition, which is slow, has less to do.
    kept = (a[:, 0] <= b[:, 0]) & (a[:, 1] <= b[:, 1]) & (a[:, 0] <= a[:, 1])
    assert (found == hardware(unit, {"a": np.minimum(a, b), "b": np.maximum(a, b)})).all()
    assert (found == hardware(unit, {"a": a[:, ::-1], "b": b[:, ::-1]})).all()
    assert (found[kept] == golden(unit, {"a": a[kept], "b": b[kept]})).all()


# ---- the order of products -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "dot e4m3fn e5m2 n=8 + fp32 -> fp32 accumulate=hopper-fp8",
        "dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=cdna3-fp16",
        "dot bf16 bf16 n=6 + fp32 -> fp32 rdn accumulate=aligned:fraction=24,treatment=floor",
        "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 accumulate=blackwell-mx",
    ],
)
def test_order_within_a_group_does_not_matter(text):
    unit = of(text)
    inputs = draw_sum(unit, 200, 3)
    order = np.random.default_rng(4).permutation(unit.products)
    moved = inputs | {name: inputs[name][:, order] for name in "ab"}
    assert (hardware(unit, inputs) == hardware(unit, moved)).all()


def test_order_among_even_and_among_odd_products_does_not_matter():
    unit = of("dot e4m3fnuz e4m3fnuz n=8 + fp32 -> fp32 accumulate=cdna3-fp8")
    inputs = draw_sum(unit, 200, 5)
    rng = np.random.default_rng(6)
    order = np.empty(8, int)
    order[0::2], order[1::2] = rng.permutation(4) * 2, rng.permutation(4) * 2 + 1
    moved = inputs | {name: inputs[name][:, order] for name in "ab"}
    assert (hardware(unit, inputs) == hardware(unit, moved)).all()


def test_order_of_groups_matters():
    """2**15 + 2**-11 - 2**15 with 24 places: the small product is lost unless it comes after the large ones."""
    unit = of("dot bf16 bf16 n=3 -> fp32 rtz accumulate=aligned:fraction=24,group=1")
    one, large, small = 0x3F80, 0x4700, 0x3A00
    b = [[one] * 3] * 2
    found = hardware(
        unit,
        {
            "a": np.array([[large, small, large | 0x8000], [large, large | 0x8000, small]], np.uint64),
            "b": np.array(b, np.uint64),
        },
    )
    assert found.tolist() == [0, small << 16]


# ---- vectors whose answer is worked out by hand --------------------------------------------------


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("aligned:fraction=23", 0x4B000000),  # 2**23 - 0.75 * 2**0: 0.75 lies below 2**0 and is cut from the magnitude
        ("aligned:fraction=23,treatment=floor", 0x4AFFFFFE),  # -0.75 becomes -1: 2**23 - 1
        ("aligned:fraction=23,treatment=sticky", 0x4AFFFFFE),  # 0 | lost = 1: -1 also
        ("aligned:fraction=24", 0x4AFFFFFF),  # -0.75 becomes -0.5: 2**23 - 0.5
        ("aligned:fraction=25", 0x4AFFFFFE),  # exactly 2**23 - 0.75, truncated to a multiple of 0.5: 2**23 - 1
    ],
)
def test_treatments(record, result):
    unit = of(f"dot bf16 bf16 n=2 -> fp32 rtz accumulate={record}")
    found = hardware(unit, {"a": np.array([[0x4B00, 0xBF40]], np.uint64), "b": np.array([[0x3F80] * 2], np.uint64)})
    assert [hex(code) for code in found] == [hex(result)]


@pytest.mark.parametrize(("clamp", "result"), [(0, 0), (-1, 0x3F000000 - (23 << 23) + (0 << 23))])
def test_clamp_cuts_small_sums(clamp, result):
    """2**-24 alone with 23 places: below clamp=0 nothing is left of it; with clamp=-1 the last place is 2**-24."""
    unit = of(f"dot bf16 bf16 n=1 -> fp32 rtz accumulate=aligned:fraction=23,clamp={clamp}")
    found = hardware(unit, {"a": np.array([[0x3380]], np.uint64), "b": np.array([[0x3F80]], np.uint64)})
    assert [hex(code) for code in found] == [hex(result)]


def test_zero_sum_is_plus_zero_also_toward_minus_infinity():
    unit = of("dot e4m3fn e4m3fn n=2 + fp32 -> fp32 rdn accumulate=aligned:fraction=25")
    inputs = {
        "a": np.array([[0x38, 0xB8], [0x80, 0x80]], np.uint64),
        "b": np.full((2, 2), 0x38, np.uint64),
        "c": np.array([0x80000000, 0x80000000], np.uint64),
    }
    assert hardware(unit, inputs).tolist() == [0, 0]


# ---- deliberate errors ---------------------------------------------------------------------------

ERRORS = [
    ("dot fp16 fp16 n=16 + fp32 -> fp32 accumulate=hopper", {"fraction": 24}),
    ("dot fp16 fp16 n=16 + fp32 -> fp32 accumulate=hopper", {"fraction": 26}),
    ("dot e4m3fn e4m3fn n=32 + fp32 -> fp32 accumulate=hopper-fp8", {"fraction": 14}),
    ("dot fp16 fp16 n=16 + fp32 -> fp32 accumulate=hopper", {"treatment": "floor"}),
    ("dot e4m3fn e4m3fn n=32 + fp32 -> fp32 accumulate=hopper-fp8", {"treatment": "sticky"}),
    ("dot bf16 bf16 n=8 -> fp32 accumulate=a100", {"clamp": -131}),
    ("dot bf16 bf16 n=8 -> fp32 accumulate=a100", {"clamp": -133}),
    ("dot fp16 fp16 n=4 + fp16 -> fp16 accumulate=v100", {"clamp": -18}),
    ("dot fp16 fp16 n=16 + fp32 -> fp32 accumulate=a100", {"group": 16}),
    (
        "dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=cdna3-fp16",
        {"addend": "inside", "sum_fraction": None, "addend_fraction": None},
    ),
    ("dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=cdna3-fp16", {"join": "truncate"}),
    ("dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=cdna3-fp16", {"sum_fraction": 30}),
    ("dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=cdna3-fp16", {"addend_fraction": 25}),
    ("dot e4m3fnuz e5m2fnuz n=16 + fp32 -> fp32 accumulate=cdna3-fp8", {"split": "none"}),
    ("dot e4m3fnuz e5m2fnuz n=16 + fp32 -> fp32 accumulate=cdna3-fp8", {"addend_reach": 24}),
    ("dot e4m3fn e4m3fn n=8 + fp16 -> fp16 accumulate=aligned:fraction=10,presum=4", {"presum": 2}),
    ("blockdot mxfp4 mxfp4 k=64 + fp32 -> fp32 accumulate=blackwell-nvf4", {"fraction": 34}),
    ("blockdot mxfp8e4m3 mxfp4 k=32 + fp32 -> fp32 accumulate=blackwell-mx", {"fraction": 24}),
]


@pytest.mark.turns(2)
@pytest.mark.parametrize(
    ("text", "change"), some(ERRORS, 2), ids=[f"{text.split('=')[-1]} {change}" for text, change in ERRORS]
)
def test_wrong_records_are_noticed(text, change):
    """Hardware made from a record that is wrong in one place differs on vectors as the presets are tested with."""
    unit = of(text)
    wrong = dataclasses.replace(unit, accumulate=dataclasses.replace(unit.accumulate, **change))
    assert mismatch(unit, draw_sum(unit, 600, 1), wrong)


@pytest.mark.parametrize(
    "text",
    [
        "dot fp16 fp16 n=8 + fp16 -> fp16 accumulate=hopper",
        "dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=cdna3-fp16",
    ],
)
def test_ties_away_are_noticed(text):
    unit = of(text)
    assert mismatch(unit, draw_sum(unit, 600, 1), dataclasses.replace(unit, rounding="rna"))
