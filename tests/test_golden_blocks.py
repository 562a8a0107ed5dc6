"""Block quantisation and dequantisation: the fast model against the exact one, and against cases worked out by hand.

Libraries that nobody here wrote are in `test_golden_blocks_libraries.py`.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from array_cases import check_arrays, draw_block_values, draw_elements, split
from golden_cases import draw_format, draw_options
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from portions import some

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import BLOCKS, as_format
from fpgen.golden.blocks import block_elements
from fpgen.golden.blocks import block_model as blocks
from fpgen.units.quantize import RATIO_POLICIES, policies_of

ELEMENTS = ["e2m1", "e2m3", "e3m2", "e4m3fn", "e5m2", "mxint8"]


def draw_block(rng: np.random.Generator) -> fpgen.BlockFormat:
    element = str(
        rng.choice([*ELEMENTS, "int4", "uint8", "e4m3fnuz", "e3m4", "e6m1", "e1m2:inf=ieee,nan=ieee", "bf16", "e8m0"])
    )
    scale = str(
        rng.choice(
            [
                "e8m0",
                "e8m0",
                "ue4m3",
                "ue4m3",
                "ue5m3",
                "ue3m0:nan=none",
                "ue5m2:inf=top,nan=allones",
                "ue4m3:subnormals=no",
                "ue2m6",
                "ue4m2:zero=no,subnormals=no,inf=none,nan=none",
            ]
        )
    )
    parts = draw_format(rng) if rng.random() < 0.2 else as_format(element)
    tensor = as_format(str(rng.choice(["fp32", "bf16", "fp16"]))) if rng.random() < 0.4 else None
    return fpgen.BlockFormat(parts, as_format(scale), int(rng.choice([1, 2, 3, 8])), tensor)


@given(seed=st.integers(0, 2**32 - 1))
@example(seed=67108863)  # elements e7m2:bias=64 of 134 binades: twice a place in the table wrapped around in 32 bits
@settings(max_examples=120, deadline=None)
def test_quantize_odd_blocks(seed):
    rng = np.random.default_rng(seed)
    try:
        block = draw_block(rng)
        source = draw_format(rng) if rng.random() < 0.15 else str(rng.choice(["fp32", "fp32", "bf16", "fp16", "tf32"]))
        policies = policies_of(block)
        options = draw_options(block.element, rng)
        options.pop("subnormals")
        unit = fpgen.BlockQuantize(
            source=source,
            block=block,
            out=block.element,
            clamp=True,
            policy=policies[rng.integers(len(policies))],
            **options,
        )
    except UsageError:
        assume(False)
        raise
    check_arrays(unit, draw_block_values(unit, 16, rng))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_dequantize_odd_blocks(seed):
    rng = np.random.default_rng(seed)
    try:
        block = draw_block(rng)
        out = draw_format(rng) if rng.random() < 0.2 else as_format(str(rng.choice(["fp32", "bf16", "fp16", "e4m3fn"])))
        options = draw_options(out, rng)
        options.pop("subnormals")
        unit = fpgen.BlockDequantize(block=block, out=out, **options)
    except UsageError:
        assume(False)
        raise
    check_arrays(unit, draw_elements(unit, 16, rng))


@pytest.mark.turns(3)
@pytest.mark.parametrize(
    ("name", "policy", "mode"),
    some(
        [
            (name, policy.value, mode)
            for name, entry in BLOCKS.items()
            for policy in policies_of(entry.format)
            for mode in ("rne", "rna", "rtz", "rup", "rdn", "raz", "rto")
        ],
        3,
    ),
)
def test_quantize_named_blocks(name, policy, mode):
    rng = np.random.default_rng(1)
    for source in ("fp32", "bf16", "fp16"):
        unit = fpgen.BlockQuantize(
            source=source, block=name, out=BLOCKS[name].format.element, policy=policy, rounding=mode
        )
        check_arrays(unit, draw_block_values(unit, 6, rng))


def test_named_blocks_go_by_table():
    """Every named block format has its short table, so the fast path is what the tests above looked at."""
    for name, entry in BLOCKS.items():
        for mode in ("rne", "rna", "rtz", "rup", "rdn", "raz", "rto"):
            unit = fpgen.BlockQuantize(source="fp32", block=name, out=entry.format.element, rounding=mode)
            assert block_elements.cells_for(unit.out, unit.semantics) is not None


# ---- by hand -------------------------------------------------------------------------------------

E2M1 = {0.0: 0, 0.5: 1, 1.0: 2, 1.5: 3, 2.0: 4, 3.0: 5, 4.0: 6, 6.0: 7}


def nvfp4(values: list[float], tensor: float = 1.0, policy: str = "nearest") -> tuple[list[int], int]:
    unit = fpgen.BlockQuantize(source="fp32", block="nvfp4", out="e2m1", policy=policy)
    x = np.zeros(16, dtype=np.float32)
    x[: len(values)] = values
    result = unit.compute(x.view(np.uint32), np.float32(tensor).view(np.uint32))
    return result.codes[: len(values)].tolist(), int(result.scales)


def elements(*values: float) -> list[int]:
    return [E2M1[abs(value)] | (8 if math.copysign(1, value) < 0 else 0) for value in values]


@pytest.mark.parametrize(
    ("values", "tensor", "policy", "expected", "scale"),
    [
        # amax 6: 6 / (6 * 1) = 1.0, ue4m3 0x38 (7 << 3). Divided by 1, ties on the e2m1 grid go to even codes:
        # .25 -> 0, .75 -> 1, 1.25 -> 1, 1.75 -> 2, 2.5 -> 2, 3.5 -> 4, 5 -> 4; neighbours of ties to the nearer.
        (
            [6, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, -5, -0.25, 0.2500001, 5.0000005],
            1,
            "nearest",
            elements(6, 0, 1, 1, 2, 2, 4, 4, -4, -0.0, 0.5, 6),
            0x38,
        ),
        # amax 1: 1 / 6 = 0.16666 = 2**-3 * 1.3333; steps of 1/8: 1.25 (off by .0833) or 1.375 (off by .0417): 0x23.
        # 1 / 0.171875 = 5.818 -> 6; 0.5 / 0.171875 = 2.909 -> 3; 0.043 -> 0.25018 -> 0.5; 0.0429 -> 0.2496 -> 0
        ([1, 0.5, -0.5, 0.043, 0.0429], 1, "nearest", elements(6, 3, -3, 0.5, 0), 0x23),
        # amax 7: 7 / 6 = 1.1667; nearest of 1.125 and 1.25 is 1.125 (0x39): 7 / 1.125 = 6.2 saturates to 6.
        ([7, 3.375], 1, "nearest", elements(6, 3), 0x39),
        # the same rounded up: 1.25 (0x3A): 7 / 1.25 = 5.6 -> 6; 3.375 / 1.25 = 2.7 -> 3; 3.125 / 1.25 = 2.5, a tie -> 2
        ([7, 3.375, 3.125], 1, "up", elements(6, 3, 2), 0x3A),
        # tensor scale 2**-10: 3 / (6 * 2**-10) = 512, above 448: the largest (0x7E). 3 / (448 * 2**-10) = 6.857 -> 6;
        # 1 / 0.4375 = 2.2857 -> 2
        ([3, 1], 2.0**-10, "nearest", elements(6, 2), 0x7E),
        ([3, 1], 2.0**-10, "up", elements(6, 2), 0x7E),
        # amax 6 * 2**-10: the scale 2**-10 is half the smallest, a tie: to 0 (even), elements are zeros of their sign;
        # rounded up it is the smallest, 2**-9 (code 1): elements 3.
        ([6 * 2.0**-10, -(2.0**-10)], 1, "nearest", elements(0, -0.0), 0x00),
        ([6 * 2.0**-10, -6 * 2.0**-10], 1, "up", elements(3, -3), 0x01),
        # just above that tie: 2**-9
        ([6.0001 * 2.0**-10, 0], 1, "nearest", elements(3, 0), 0x01),
        # a tensor scale that is no power of two: T = 3: 9 / (6 * 3) = 0.5 (0x30): 9 / (0.5 * 3) = 6; 3.75 / 1.5 = 2.5:
        # a tie -> 2; 1.125 / 1.5 = 0.75: a tie -> 1
        ([9, 3.75, 1.125], 3, "nearest", elements(6, 2, 1), 0x30),
    ],
)
def test_nvfp4_by_hand(values, tensor, policy, expected, scale):
    assert nvfp4(values, tensor, policy) == (expected, scale)


def test_nvfp4_ratio_next_to_a_tie():
    """51 T + 1 = 64 amax: amax / (6 T) is 17 / 16 and one part in 2**30 more, so it is no tie of 1 and 1.125."""
    t = next(t for t in range((1 << 23) + 1, 1 << 24) if (51 * t + 1) % 64 == 0)
    amax = (51 * t + 1) // 64 * 2.0**3  # amax / (6 t) = (51 t + 1) / (48 t) = 17 / 16 + ...
    assert nvfp4([amax], t)[1] == 0x39 and nvfp4([amax], t, "up")[1] == 0x39
    assert nvfp4([17 * 6.0], 16)[1] == 0x38  # the tie itself


def test_nvfp4_quotients_next_to_ties():
    """Numbers within three units of every tie, for tensor scales of any significand: a reciprocal alone would err."""
    rng = np.random.default_rng(9)
    unit = fpgen.BlockQuantize(source="fp32", block="nvfp4", out="e2m1")
    ties = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5])
    tensor = (rng.random(150) + 0.5).astype(np.float32)
    x = np.zeros((150, 16), dtype=np.float32)
    x[:, :7] = ties * tensor[:, None].astype(np.float64)
    x[:, 7:14] = x[:, :7]
    bits = x.view(np.uint32) + np.where(x > 0, rng.integers(-3, 4, x.shape), 0).astype(np.uint32)
    bits[:, 15] = (np.float32(6) * tensor).view(np.uint32)  # the scale is 1
    check_arrays(unit, {"source": bits, "tensor_scale": tensor.view(np.uint32)})


@pytest.mark.parametrize("policy", [policy.value for policy in RATIO_POLICIES])
def test_nvfp4_specials(policy):
    assert nvfp4([0.0, -0.0], 1, policy) == ([0, 8], 0)  # zeros: scale code 0, signs kept
    assert nvfp4([1, math.nan], 1, policy) == ([0, 0], 0x7F)
    assert nvfp4([1, -math.inf], 1, policy) == ([0, 0], 0x7F)
    for tensor in (0.0, -1.0, math.inf, math.nan):
        assert nvfp4([1, 2], tensor, policy) == ([0, 0], 0x7F)


def test_a_scale_without_subnormals_is_flushed_like_any_result():
    """ue4m3 without subnormals: 0.7 * 2**-6 and 0.75 * 2**-6 are tiny, so the scale is 0 (rule 3 of `units.options`),
    whether or not the ratio is a binary fraction. (The exact model once rounded the first up to 2**-6.)"""
    unit = fpgen.BlockQuantize(source="fp32", block="e2m1@ue4m3:subnormals=no/2", out="e2m1", clamp=True)
    for amax in (6 * 0.7 * 2.0**-6, 6 * 0.75 * 2.0**-6):
        check_arrays(unit, {"source": np.array([[amax, 0]], dtype=np.float32).view(np.uint32)})
        assert int(unit.compute(np.array([amax, 0], dtype=np.float32).view(np.uint32)).scales) == 0


@pytest.mark.parametrize(
    ("policy", "amax", "scale"),
    [
        # e2m1: largest 6 = 2**2 * 1.5, so emax = 2; 127 is 2**0.
        ("floor", 6.0, 127),
        ("floor", 7.99, 127),
        ("floor", 8.0, 128),
        ("floor", 3.99, 126),
        ("ceil", 4.0, 127),
        ("ceil", 4.01, 128),
        ("ceil", 8.0, 128),
        ("rceil", 6.0, 127),
        ("rceil", 6.01, 128),
        ("rceil", 3.0, 126),
        ("rceil", 3.01, 127),
        ("rceil", 12.0, 128),
        # one trailing bit: 7 is a tie of 6 (1.1) and 8, to the even 8; below it 6
        ("even", 7.0, 128),
        ("even", 6.99, 127),
        ("even", 3.5, 127),
        ("even", 3.49, 126),
        # 6 + half a step (2) of its binade = 7: at 7, rounding to nearest would leave the range
        ("midmax", 6.99, 127),
        ("midmax", 7.0, 127),
        ("midmax", 7.01, 128),
        ("midmax", 3.5, 126),
        ("midmax", 3.51, 127),
    ],
)
def test_scale_policies_by_hand(policy, amax, scale):
    x = np.zeros(32, dtype=np.float32)
    x[5] = -amax
    unit = fpgen.BlockQuantize(source="fp32", block="mxfp4", out="e2m1", policy=policy)
    assert int(unit.compute(x.view(np.uint32)).scales) == scale


@pytest.mark.parametrize(("amax", "scale"), [(1.5, 128), (3.0, 129), (1.49, 127), (2.99, 128)])
def test_policy_even_of_an_element_with_one_bit(amax, scale):
    """1.5 is a tie of 1 and 2, 3 one of 2 and 4; the significand 1 is odd whatever the exponent, so both go up."""
    unit = fpgen.BlockQuantize(
        source="fp32", block="e2m0:inf=none,nan=none@e8m0/1", out="e2m0:inf=none,nan=none", policy="even"
    )
    emax = unit.block.element.emax
    assert int(unit.compute(np.array([amax], dtype=np.float32).view(np.uint32)).scales) == scale - emax


def test_blocks_of_subnormals_and_of_the_largest():
    """Both ends of E8M0: the smallest scale is 2**-127, so 2**-126 is 2 of it, 2**-127 (subnormal in fp32) is 1, and
    2**-149 is nothing; the largest fp32 is 2**127 * 1.99..., scale 2**125 under floor, 6 after saturation."""
    unit = fpgen.BlockQuantize(source="fp32", block="mxfp4", out="e2m1")
    x = np.zeros((2, 32), dtype=np.float32)
    x[0, :4] = [2.0**-126, 2.0**-127, 2.0**-149, -(2.0**-128)]
    x[1, :2] = [np.finfo(np.float32).max, -(2.0**126)]
    result = unit.compute(x.view(np.uint32))
    assert result.scales.tolist() == [0, 252]
    assert result.codes[0, :5].tolist() == elements(2, 1, 0, -0.5, 0)
    assert result.codes[1, :3].tolist() == elements(6, -2, 0)


# ---- independence --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "quantize fp32 -> mxfp4",
        "quantize bf16 -> nvfp4",
        "quantize fp32 -> mxint8 rup",
        "dequantize mxfp8e5m2 -> bf16",
        "dequantize mxfp4 -> fp32",
    ],
)
def test_results_depend_on_neither_shape_nor_chunk_nor_thread(text, monkeypatch):
    unit = fpgen.parse_unit(text)
    draw = draw_block_values if unit.operation == "quantize" else draw_elements
    operands, _ = split(unit, draw(unit, 400, np.random.default_rng(3)))
    whole = unit.compute(*operands)
    alone = [unit.compute(*(array[i] for array in operands)).codes for i in range(20)]
    assert np.array_equal(np.stack(alone), whole.codes[:20])
    folded = unit.compute(*(array.reshape(20, 20, *array.shape[1:]) for array in operands))
    assert np.array_equal(folded.codes.reshape(whole.codes.shape), whole.codes)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda part: unit.compute(*(array[part::8] for array in operands)).codes, range(8)))
    assert all(np.array_equal(codes, whole.codes[part::8]) for part, codes in enumerate(parts))
    monkeypatch.setattr(blocks, "_CHUNK", 7 * unit.block.size)
    assert np.array_equal(unit.compute(*operands).codes, whole.codes)
