"""Quantisers like a library's: its arithmetic written down again here, with casts that nobody here wrote (ml_dtypes).

torchao 0.18.0, torchao/prototype/mx_formats/nvfp4_tensor.py (nvfp4_quantize) and custom_fp_utils.py;
nvidia-modelopt 0.47.0, modelopt/torch/quantization/qtensor/nvfp4_tensor.py (NVFP4QTensor);
TransformerEngine 2.20.2, common/cast/nvfp4/core_nvfp4.cuh and quantize_transpose_nvfp4.cuh, and the float32 reference
in transformer_engine/pytorch/custom_recipes/reference_nvfp4.py.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from block_cases import blocks, exact, mismatch
from hypothesis import given, settings
from hypothesis import strategies as st

import fpgen
from fpgen import emulate
from fpgen.base.errors import UsageError
from fpgen.formats import as_format
from fpgen.rtl.block.like_scales import moved_boundaries
from fpgen.units import card_of
from fpgen.units.scaling import Like

LIKE = [like.value for like in Like if like is not Like.NONE]
F = np.float32


def e4m3(x: np.ndarray) -> np.ndarray:
    """torch's and CUDA's conversion of numbers that are within range."""
    return x.astype(ml_dtypes.float8_e4m3fn).view(np.uint8)


def e4m3_value(code: np.ndarray) -> np.ndarray:
    return code.view(ml_dtypes.float8_e4m3fn).astype(F)


def torchao(x: np.ndarray, tensor: F | None) -> tuple[np.ndarray, np.ndarray]:
    max_abs = np.abs(x).max(axis=-1)
    block_scale = max_abs / F(6)
    if tensor is None:
        codes = e4m3(np.clip(block_scale, F(2.0**-6), F(448)))
        scaled = x * (F(1) / e4m3_value(codes))[:, None]
    else:
        codes = e4m3(np.clip(block_scale / tensor, F(2.0**-6), F(448)))
        scaled = x * (F(1) / tensor / e4m3_value(codes))[:, None]
    scaled = np.clip(scaled, F(-6), F(6))
    # f32_to_f4_unpacked: saturate, subnormals by a magic addition, the rest by integer rounding
    bits = scaled.view(np.uint32)
    sign, magnitude = bits >> np.uint32(31), np.abs(scaled)
    magic = np.uint32((127 - 1 + 23 - 1 + 1) << 23)
    tiny = (magnitude + magic.view(F)).view(np.uint32) - magic
    usual = magnitude.view(np.uint32).astype(np.int64)
    usual = (usual + ((1 - 127) << 23) + (1 << 21) - 1 + (usual >> 22 & 1)) >> 22
    found = np.where(magnitude >= 6, 7, np.where(magnitude < 1, tiny, usual)).astype(np.uint8)
    return found | (sign << 3).astype(np.uint8), codes


def modelopt(x: np.ndarray, tensor: F | None) -> tuple[np.ndarray, np.ndarray]:
    tensor = F(1) if tensor is None else tensor
    scale = np.abs(x).max(axis=-1) / (F(6) * tensor)
    scale[scale == 0] = 1.0
    codes = e4m3(np.clip(scale, F(2.0**-9), F(448)))
    scaled = x / (e4m3_value(codes) * tensor)[:, None]
    bounds = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5], F)
    magnitude = np.abs(scaled)
    order = np.searchsorted(bounds, magnitude).astype(np.uint8)
    order += (magnitude[..., None] == bounds[[1, 3, 5]]).any(axis=-1)
    return ((scaled < 0).astype(np.uint8) << 3) + order, codes


def transformer_engine(x: np.ndarray, encode: F | None) -> tuple[np.ndarray, np.ndarray]:
    encode = F(1) if encode is None else encode
    largest = np.finfo(F).max
    amax = np.fmax.reduce(np.abs(x), axis=-1, initial=F(0))
    wanted = np.fmin(amax * (encode * (F(1) / F(6))), largest)
    codes = e4m3(np.minimum(wanted, F(448)))
    inverse = np.fmin(F(1) / (e4m3_value(codes) * (F(1) / encode)), largest)
    scaled = x * inverse[:, None]
    nan = np.isnan(scaled)
    rounded = np.clip(np.where(nan, F(6), scaled), F(-6), F(6)).astype(ml_dtypes.float4_e2m1fn)
    return rounded.view(np.uint8), codes


LIBRARY = {"torchao": torchao, "modelopt": modelopt, "transformer-engine": transformer_engine}

#: What a library's own documentation does not say, block by block: each is repeated over 16 numbers.
ADVERSARIAL = {
    "zeros": [0.0],
    "minus zeros": [-0.0, 0.0],
    "one smallest subnormal": [2.0**-149, 0.0],
    "subnormals": [2.0**-127, -(2.0**-130), 2.0**-149, 0.0],
    "smallest normal": [2.0**-126, -(2.0**-127)],
    "amax / 6 underflows": [3 * 2.0**-149, -(2.0**-149)],
    "scale of half the smallest ue4m3": [6 * 2.0**-10, 2.0**-9, -(2.0**-10)],
    "scale just above that": [6 * 2.0**-10 * (1 + 2.0**-20), 2.0**-9],
    "smallest scale": [6 * 2.0**-9, 2.0**-10],
    "between the floors": [6 * 2.0**-7, -(2.0**-8), 2.0**-12],
    "smallest normal scale": [6 * 2.0**-6, 2.0**-9],
    "just below that": [6 * 2.0**-6 * (1 - 2.0**-20), 2.0**-9],
    "largest scale": [2688.0, 448.0, -1344.0],
    "beyond the largest": [3000.0, 2688.0, -12.0],
    "far beyond": [1e30, 1.0, -2240.0],
    "largest float32": [float(np.finfo(F).max), 1.0, -(2.0**127)],
    "infinity": [np.inf, 1.0, -3.0, 0.0],
    "minus infinity beside zeros": [-np.inf, 0.0, -0.0],
    "ties under 1": [6.0, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0],
    "ties under 3/4": [4.5, 0.1875, 0.5625, 0.9375, 1.3125, 1.875, 2.625, 3.75],
    "ties under 13/8": [9.75, 0.40625, 1.21875, 2.03125, 2.84375, 4.0625, 5.6875, 8.125],
    "tie of the scale": [6 * 1.0625, 1.0],
    "amax / 6 inexact": [1.0, 0.3, -0.7],
}
TENSORS = [None, 1.0, 0.1, 1 / 3, 3e-5, 1e5, 2.0**-126, 2.0**-130, 2.0**-149, float(np.finfo(F).max), 2.0**126 * 1.7]


def adversarial(dtype) -> np.ndarray:
    rows = [np.resize(np.array(row), 16) for row in ADVERSARIAL.values()]
    with np.errstate(over="ignore"):
        return np.stack(rows).astype(dtype)


def given_of(like: str, tensor: float | None) -> F | None:
    """What the library is given for a tensor scale: its encode scale, with TransformerEngine."""
    if tensor is None:
        return None
    if like != "transformer-engine":
        return F(tensor)
    with np.errstate(over="ignore"):
        return np.fmin(F(1) / F(tensor), np.finfo(F).max)


def computed(like: str, x: np.ndarray, given: F | None):
    source, codes = {2: ("bf16", np.uint16), 4: ("fp32", np.uint32)}[x.dtype.itemsize]
    block = "e2m1@ue4m3/16" if given is None else "nvfp4"
    unit = fpgen.BlockQuantize(source=source, block=block, like=like, clamp=True)
    operands = [x.view(codes)] + ([] if given is None else [np.asarray(given).view(np.uint32)])
    return unit.compute(*operands)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("tensor", TENSORS)
@pytest.mark.parametrize("like", LIKE)
def test_adversarial_blocks_are_the_library_bit_for_bit(like, tensor):
    given = given_of(like, tensor)
    for dtype in (F, ml_dtypes.bfloat16):
        x = adversarial(dtype)
        got = computed(like, x, given)
        codes, scales = LIBRARY[like](x.astype(F), given)
        for i, name in enumerate(ADVERSARIAL):
            theirs = codes[i]
            if like == "torchao":  # NaN of finite numbers (0 * infinity): whatever the processor's NaN says
                with np.errstate(all="ignore"):
                    factor = F(1) / (F(1) if given is None else given) / e4m3_value(scales[i : i + 1])
                    theirs = np.where(np.isnan(x[i].astype(F) * factor), 0, theirs)
            assert got.codes[i].tolist() == theirs.tolist(), (name, tensor)
            assert got.scales[i] == scales[i] & 0x7F, (name, tensor)  # the sign of a NaN scale is the processor's


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("like", LIKE)
def test_random_blocks_are_the_library_bit_for_bit(like):
    rng = np.random.default_rng(11)
    for tensor in [None, *rng.uniform(1e-6, 10, 12)]:
        deviation = np.ldexp(1.0, rng.integers(-16, 12, (20000, 1)).astype(np.int32))
        x = (rng.standard_normal((20000, 16)) * deviation).astype(F)
        given = given_of(like, tensor)
        got = computed(like, x, given)
        codes, scales = LIBRARY[like](x, given)
        assert np.array_equal(got.codes, codes) and np.array_equal(got.scales, scales)


@pytest.mark.parametrize(
    ("like", "scale", "codes"), [("torchao", 0x7F, 0), ("modelopt", 0x7F, 7), ("transformer-engine", 0x38, None)]
)
def test_a_nan_in_a_block(like, scale, codes):
    """modelopt's search puts NaN behind every bound; CUDA's maximum ignores it, and its conversion makes it +6."""
    x = np.array([[6.0, np.nan, -1.0, -np.nan] + [0.0] * 12], F)
    got = computed(like, x, given_of(like, 1.0))
    assert int(got.scales[0]) == scale
    want = [7, 7, 10, 7] + [0] * 12 if codes is None else [codes] * 16
    assert got.codes[0].tolist() == want


@pytest.mark.parametrize("like", LIKE)
@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_tensor_scale_that_is_none(like, bad):
    got = computed(like, np.full((1, 16), 3, F), F(bad))
    assert int(got.scales[0]) == 0x7F and not got.codes.any()


def test_who_does_what():
    """The table of docs/blocks.md."""
    zero, tiny = np.zeros((1, 16), F), np.full((1, 16), 2.0**-12, F)
    found = {like: [int(computed(like, x, F(1)).scales[0]) for x in (zero, tiny)] for like in LIKE}
    assert found == {"torchao": [8, 8], "modelopt": [0x38, 1], "transformer-engine": [0, 0]}
    assert set(computed("transformer-engine", tiny, F(1)).codes[0].tolist()) == {7}
    assert set(computed("torchao", tiny, F(1)).codes[0].tolist()) == {0}
    assert set(computed("modelopt", tiny, F(1)).codes[0].tolist()) == {0}
    ours = fpgen.parse_unit("quantize fp32 -> nvfp4")
    assert int(ours.compute(tiny.view(np.uint32), F(1).view(np.uint32)).scales[0]) == 0


@pytest.mark.parametrize("like", LIKE)
def test_ordinary_tensors(like):
    """Scales agree; of float32 numbers all but one element in a hundred thousand. Of bfloat16 numbers, with 8 bits,
    more lie on a tie, which divisors and reciprocals that float32 rounds move to either side."""
    x = np.random.default_rng(2).standard_normal((16384, 16))
    for dtype, share in ((F, 1e-5), (ml_dtypes.bfloat16, 3e-3)):
        ours = emulate.quantize(x.astype(dtype), "nvfp4")
        theirs = emulate.quantize(x.astype(dtype), "nvfp4", like=like)
        assert np.array_equal(theirs.scales, ours.scales) and theirs.tensor_scale == ours.tensor_scale
        assert np.mean(ours.codes != theirs.codes) <= share


@pytest.mark.parametrize("like", LIKE)
def test_emulation_takes_the_librarys_tensor_scale(like):
    x = np.random.default_rng(4).standard_normal((8, 64)).astype(F)
    q = emulate.quantize(x, "nvfp4", like=like)
    amax = np.abs(x).max()
    given = F(2688) / amax if like == "transformer-engine" else amax / F(2688)
    codes, scales = LIBRARY[like](x.reshape(-1, 16), given)
    assert np.array_equal(q.codes, codes.reshape(8, 64)) and np.array_equal(q.scales, scales.reshape(8, 4))
    assert q.tensor_scale == amax / F(2688)
    assert np.abs(emulate.dequantize(q) - x).max() < 0.6


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32),
    like=st.sampled_from(LIKE),
    source=st.sampled_from(["fp32", "bf16", "fp16", "e5m2", "e4m3fnuz", "e3m4"]),
    block=st.sampled_from(["e2m1@ue4m3/3", "e2m1@ue4m3/2/fp32"]),
)
def test_the_fast_model_is_the_exact_one(seed, like, source, block):
    unit = fpgen.BlockQuantize(source=source, block=block, like=like, clamp=True)
    arrays = blocks(unit, 60, seed)
    got, want = unit.compute(*arrays.values()), exact(unit, arrays)
    assert np.array_equal(got.codes, want["result"]) and np.array_equal(got.scales, want["scale"])


@pytest.mark.turns(2)
@pytest.mark.parametrize("source", ["fp32", "bf16", "e4m3fnuz"])
@pytest.mark.parametrize("block", ["e2m1@ue4m3/2", "e2m1@ue4m3/2/fp32"])
@pytest.mark.parametrize("like", LIKE)
def test_the_hardware_is_the_exact_model(like, block, source):
    unit = fpgen.BlockQuantize(source=source, block=block, like=like, clamp=True)
    assert not (text := mismatch(unit, blocks(unit, 400, 8))), text


@pytest.mark.parametrize("like", LIKE)
def test_the_hardware_on_adversarial_blocks(like):
    """Two of each block's numbers at a time, every pair of neighbours, under one tensor scale or another."""
    x = adversarial(F)
    pairs = np.concatenate([np.stack([x[:, i], x[:, (i + 1) % 16]], axis=-1) for i in range(8)])
    pairs = np.unique(pairs.view(np.uint32), axis=0)
    unit = fpgen.BlockQuantize(source="fp32", block="e2m1@ue4m3/2/fp32", like=like)
    every = np.array([given_of(like, tensor).view(np.uint32) for tensor in TENSORS[1:]], np.uint64)
    rng = np.random.default_rng(12)
    arrays = {"source": pairs.astype(np.uint64), unit.tensor_operand: rng.permutation(np.resize(every, len(pairs)))}
    assert not (text := mismatch(unit, arrays)), text


def test_moved_boundaries():
    """Rounding to 24 bits first: the last float32 below a boundary of an even code, and half a place below that."""
    places = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5]
    for boundary, plain in zip(moved_boundaries(as_format("e2m1"), 24), places, strict=True):
        beside = np.nextafter(F(plain), F(0) if boundary.included else F(9))
        assert boundary.point == (Fraction(plain) + Fraction(float(beside))) / 2


# ---- the options that a unit of its own has ------------------------------------------------------


@pytest.mark.parametrize(
    ("floor", "zero"), list(itertools.product(["none", "smallest", "normal"], ["lowest", "smallest", "normal", "one"]))
)
def test_floors_and_blocks_of_zeros(floor, zero):
    unit = fpgen.BlockQuantize(source="fp32", block="e2m1@ue4m3/2/fp32", scale_floor=floor, zero_scale=zero)
    assert fpgen.parse_unit(unit.text) == unit == fpgen.unit_from_dict(unit.to_dict())
    x = np.array([[0, -0.0], [2.0**-12, 0], [6 * 2.0**-8, 0], [6.0, 0]], F)
    got = unit.compute(x.view(np.uint32), F(1).view(np.uint32))
    first = {"lowest": 0, "smallest": 1, "normal": 8, "one": 0x38}[zero]
    least = {"none": 0, "smallest": 1, "normal": 8}[floor]
    assert got.scales.tolist() == [first, least, max(2, least), 0x38]
    assert got.codes[0].tolist() == [0, 8]
    # 2**-12 under no scale is a zero of its sign; under 2**-9 an eighth; 6 * 2**-8 under 2**-6 is 1.5
    assert got.codes[1].tolist() == [0, 0] and got.codes[2].tolist() == [3 if floor == "normal" else 7, 0]
    arrays = blocks(unit, 60, 9)
    model, want = unit.compute(*arrays.values()), exact(unit, arrays)
    assert np.array_equal(model.codes, want["result"]) and np.array_equal(model.scales, want["scale"])
    assert not (text := mismatch(unit, arrays, want)), text


@pytest.mark.parametrize(
    "text",
    [
        "quantize bf16 -> e2m1@e8m0/3 zero_scale=one",
        "quantize bf16 -> e2m1@binary8p1uf/3 zero_scale=smallest",
        "quantize fp16 -> e2m1@ue4m3:subnormals=no/3/fp16 scale_floor=smallest zero_scale=normal",
        "quantize bf16 -> e2m1@e8m0/3/fp32 zero_scale=one",
        "quantize bf16 -> e3m4@ue5m2/3 scale_floor=normal clamp=on",
        "quantize bf16 -> e2m1@ue4m3/3/fp32 scale_floor=normal policy=up zero_scale=one",
    ],
)
def test_floors_of_other_scale_formats(text):
    unit = fpgen.parse_unit(text)
    arrays = blocks(unit, 120, 10)
    want, model = exact(unit, arrays), unit.compute(*arrays.values())
    assert np.array_equal(model.codes, want["result"]) and np.array_equal(model.scales, want["scale"])
    assert not (problem := mismatch(unit, arrays, want)), problem
    assert (
        text.split()[-1] in unit.verilog()
        and unit.content_hash
        != fpgen.parse_unit(" ".join(word for word in text.split() if "scale" not in word)).content_hash
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("quantize fp32 -> mxfp4 scale_floor=normal", "scale_floor with policy=floor .* got normal; expected none"),
        ("quantize fp32 -> nvfp4 policy=up scale_floor=smallest", "got smallest; expected none"),
        ("quantize fp32 -> nvfp4 scale_floor=tiny", "expected one of none, smallest, normal"),
        ("quantize fp32 -> nvfp4 zero_scale=two", "expected one of lowest, smallest, normal, one"),
        ("quantize fp32 -> mxfp4 zero_scale=smallest", "got smallest; expected lowest .* or one"),
        (
            "quantize bf16 -> e2m1@ue4m0:bias=40/2 clamp=on zero_scale=one",
            "got one; expected lowest, smallest or normal",
        ),
        ("quantize fp32 -> nvfp4 like=torch", "expected one of none, torchao, modelopt, transformer-engine"),
        ("quantize fp32 -> nvfp4 like=torchao scale_floor=normal", "scale_floor with like=torchao"),
        ("quantize fp32 -> nvfp4 like=torchao zero_scale=one", "zero_scale with like=torchao"),
        ("quantize fp32 -> nvfp4 like=modelopt policy=up", "policy with like=modelopt: got up; expected nearest"),
        ("quantize fp32 -> nvfp4 rtz like=modelopt", "got rtz, saturate; expected rne, saturate"),
        ("quantize fp32 -> mxfp4 like=torchao", "scale with like=torchao: got e8m0; expected ue4m3"),
        ("quantize fp32 -> e2m3@ue4m3/16/fp32 like=torchao", "elements with like=torchao: got e2m3; expected e2m1"),
        ("quantize fp32 -> e2m1@ue4m3/16/bf16 like=torchao", "tensor scale with like=torchao: got bf16; expected fp32"),
        ("quantize fp64 -> nvfp4 like=torchao", "source with like=torchao: got fp64; expected"),
    ],
)
def test_contradictions(text, message):
    with pytest.raises(UsageError, match=message):
        fpgen.parse_unit(text)


def test_hashes_of_units_without_the_options_are_as_before():
    """Caches and records of releases before 'like' keep their meaning."""
    unit = fpgen.parse_unit("quantize fp32 -> nvfp4")
    assert unit.content_hash == fpgen.parse_unit("quantize fp32 -> nvfp4 like=none scale_floor=none").content_hash
    assert (
        len(
            {
                unit.content_hash,
                *(fpgen.parse_unit(f"quantize fp32 -> nvfp4 like={like}").content_hash for like in LIKE),
            }
        )
        == 4
    )


@pytest.mark.parametrize("like", LIKE)
@pytest.mark.parametrize("block", ["e2m1@ue4m3/1", "e2m1@ue4m3/1/fp32"])
def test_headers_say_whose_arithmetic_it_is(like, block):
    unit = fpgen.BlockQuantize(source="bf16", block=block, like=like, clamp=True)
    assert f"as {like} computes them in float32" in unit.contract
    (_, result), (_, scale) = card_of(unit).formula(unit)
    assert scale.startswith(("S = fl(amax", "S = fl(fl(amax"))
    given = unit.tensor_operand
    assert (given in result and given in scale) if given else "scale" not in result
    assert [port.name for port in unit.ports] == ["source", *([given] if given else []), "result", "scale"]
