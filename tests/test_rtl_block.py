"""The hardware of BlockQuantize and BlockDequantize equals the exact model."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import ml_dtypes
import numpy as np
import pytest
from block_cases import blocks, exact, hardware, mismatch
from hypothesis import given, settings
from hypothesis import strategies as st
from portions import some

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import BLOCKS, Format, parse
from fpgen.formats.code_classes import Class
from fpgen.golden.exact import exact_block
from fpgen.rtl.block import power_of_two as power
from fpgen.rtl.block import threshold
from fpgen.rtl.block.threshold import binary
from fpgen.rtl.datapath import datapath
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.graph import Graph
from fpgen.rtl.trim import trim
from fpgen.units import Unit
from fpgen.units.options import Rounding
from fpgen.units.quantize import POWER_POLICIES

# ---- thermometer codes ---------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(1, 16))
def test_thermometer_codes_are_counted(count):
    g = Graph()
    x = g.input("x", count)
    g.output("y", binary(g, list(x), 4))
    found = evaluate(g, x=np.array([(1 << ones) - 1 for ones in range(count + 1)]))["y"]
    assert found.tolist() == list(range(count + 1))


# ---- whole spaces --------------------------------------------------------------------------------


def finite_values(fmt: Format) -> np.ndarray:
    """The value of every code as float64, which holds all of them exactly; NaN and infinities as such."""
    special = {Class.NAN: np.nan, Class.INFINITY: np.inf}
    values = np.empty(1 << fmt.bits)
    for code in range(1 << fmt.bits):
        kind = fmt.classify(code)
        sign = -1.0 if fmt.is_negative(code) else 1.0
        values[code] = sign * special[kind] if kind in special else float(fmt.value(code))
        if kind is Class.ZERO:
            values[code] = sign * 0.0
    return values


#: Swept maxima of a block, as fp16 codes: subnormals, both sides of powers of two and of every policy's threshold.
MAXIMA = [0x0000, 0x0001, 0x0017, 0x03FF, 0x0400, 0x3BFF, 0x3C00, 0x3E00, 0x3E01, 0x3F00, 0x4900, 0x7BFF]


#: Policies differ in a constant.
EVERY_THIRD = some(POWER_POLICIES, 3)


@pytest.mark.parametrize("policy", EVERY_THIRD)
def test_every_fp16_value_beside_swept_maxima_in_e2m1(policy):
    """Scales from the definition, elements as ml_dtypes converts them."""
    unit = fpgen.BlockQuantize(source="fp16", block="e2m1@e8m0/2", policy=policy)
    graph = trim(datapath(unit))
    codes = np.arange(1 << 16, dtype=np.uint64)
    values = np.abs(codes.astype(np.uint16).view(np.float16).astype(np.float64))
    exponents = {}
    for code in range(1, 0x7C00):
        amax = parse("fp16").value(code)
        exponents[code] = exact_block.shared_exponent(policy, amax, unit.out) + 127
    table = np.array([0, *exponents.values()], dtype=np.int64)  # fp16 reaches neither end of E8M0
    assert (table[1:] > 0).all() and (table < 254).all()
    for largest_code in MAXIMA:
        magnitudes = (codes & np.uint64(0x7FFF)).astype(np.int64)
        block = np.stack([codes, np.full_like(codes, largest_code)], axis=-1)
        amax = np.maximum(magnitudes, largest_code)
        unusable = magnitudes >= 0x7C00
        scale = np.where(unusable, 0xFF, table[np.where(unusable, 0, amax)]).astype(np.uint64)
        factor = np.exp2(127.0 - scale.astype(np.float64))
        signed = np.where(codes >> np.uint64(15), -1.0, 1.0) * np.where(unusable, 0.0, values)
        both = np.stack([signed * factor, float(parse("fp16").value(largest_code)) * factor], axis=-1)
        elements = both.astype(ml_dtypes.float4_e2m1fn).view(np.uint8).astype(np.uint64)
        elements[unusable] = 0
        text = mismatch(unit, {"source": block}, {"result": elements, "scale": scale}, graph)
        assert not text, text


@pytest.mark.parametrize("tensor_scale", [0x3F800000, 0x3D4CCCCD])
def test_every_fp16_value_in_nvfp4(tensor_scale):
    """Fifteen neighbours in each block, and a maximum up to two binades above them."""
    unit = fpgen.parse_unit("quantize fp16 -> nvfp4")
    rng = np.random.default_rng(7)
    magnitudes = np.arange(0x7C00 // 15 * 15, dtype=np.uint64).reshape(-1, 15)
    codes = magnitudes | rng.integers(0, 2, size=magnitudes.shape, dtype=np.uint64) << np.uint64(15)
    above = rng.choice([0, 512, 1024, 2048], size=(len(codes), 1)).astype(np.uint64)
    source = np.concatenate([codes, np.minimum(magnitudes[:, -1:] + above, 0x7BFF)], axis=-1)
    arrays = {"source": source, "tensor_scale": np.full(len(source), tensor_scale, dtype=np.uint64)}
    assert not (text := mismatch(unit, arrays)), text


@pytest.mark.parametrize("out", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("name", BLOCKS)
def test_every_element_under_every_scale(name, out):
    """Products in float64 are exact, and become codes by the golden model of a conversion."""
    block = BLOCKS[name].format
    size = 4
    small = fpgen.formats.BlockFormat(block.element, block.scale, size, block.tensor_scale)
    unit = fpgen.BlockDequantize(block=small, out=out)
    elements = np.arange(1 << block.element.bits, dtype=np.uint64).reshape(-1, size)
    scales = np.arange(1 << block.scale.bits, dtype=np.uint64)
    arrays = {"elements": np.repeat(elements, len(scales), axis=0), "scale": np.tile(scales, len(elements))}
    factor = finite_values(block.scale)[arrays["scale"]]
    if block.tensor_scale is not None:
        rng = np.random.default_rng(3)
        codes = rng.integers(0, 1 << 32, size=len(factor), dtype=np.uint32)
        codes[::2] = (codes[::2] & 0x83FFFFFF) + 0x3C000000
        arrays["tensor_scale"] = codes.astype(np.uint64)
        with np.errstate(invalid="ignore"):
            factor = factor * codes.view(np.float32).astype(np.float64)
    with np.errstate(invalid="ignore"):
        products = finite_values(block.element)[arrays["elements"]] * factor[:, None]
    want = fpgen.Convert(source="fp64", out=out).compute(products.view(np.uint64)).codes.astype(np.uint64)
    assert not (text := mismatch(unit, arrays, {"result": want})), text


# ---- against the exact model ---------------------------------------------------------------------


@pytest.mark.turns(2)
@pytest.mark.parametrize(
    ("source", "policy"),
    some(itertools.product(["fp16", "bf16", "fp32", "e4m3fn"], POWER_POLICIES), 3),
)
def test_scales_that_are_powers_of_two(source, policy):
    for block in ("e2m1@e8m0/4", "mxint8", "e4m3fn@e8m0/5", "e2m1@binary8p1uf/3"):
        unit = fpgen.BlockQuantize(source=source, block=block, policy=policy)
        assert not (text := mismatch(unit, blocks(unit, 24, 1))), text


@pytest.mark.turns(2)
@pytest.mark.parametrize("policy", ["nearest", "up"])
@pytest.mark.parametrize(
    "block",
    [
        "nvfp4",
        "e2m1@ue4m3/4",
        "e3m4@ue5m2/8",
        "e2m1@e8m0/4/fp32",
        "int4@ue4m3/3/bf16",
        "e2m1@ue4m3:subnormals=no/2/fp16",
        "e5m2@ue5m3:inf=none,nan=none/3/fp16",
    ],
)
def test_scales_that_are_not(block, policy):
    for source in ("fp32", "bf16", "e5m2"):
        unit = fpgen.BlockQuantize(source=source, block=block, policy=policy, clamp=True)
        assert not (text := mismatch(unit, blocks(unit, 60, 2))), text


@pytest.mark.turns(2)
@pytest.mark.parametrize(
    "rounding",
    ["rna", "rtz", "rup", "rdn", "raz", "rto", "port", "sra random_bits=4", "srb random_bits=2", "src random_bits=3"],
)
def test_every_rounding(rounding):
    for text in (
        "quantize bf16 -> e2m1@e8m0/4",
        "quantize fp16 -> mxint8",
        "quantize bf16 -> e4m3fn@e8m0/3",
        "quantize e5m2 -> e2m1@ue4m3/4/fp32",
        "quantize bf16 -> e3m4@ue4m3/3/bf16",
        "dequantize e4m3fn@e8m0/4 -> fp16",
    ):
        unit = fpgen.parse_unit(f"{text} {rounding}")
        assert not (difference := mismatch(unit, blocks(unit, 40, 3))), difference


ELEMENTS = [
    "e2m1",
    "e3m0",
    "e2m3",
    "e3m2",
    "e1m2:inf=ieee,nan=ieee",
    "int2",
    "int4",
    "mxint8",
    "uint4",
    "e4m3fn",
    "e5m2",
    "e3m4",
    "e4m3fnuz",
    "binary4p2sf",
    "e8m0",
    "ue4m3",
    "e2m1:inf=none,nan=negzero",
    "e3m2:subnormals=no",
]
SCALES = [
    "e8m0",
    "binary8p1uf",
    "ue4m3",
    "ue5m2",
    "ue4m3:nan=none",
    "ue4m0:inf=none,nan=none",
    "ue4m0:zero=no,subnormals=no,inf=none,nan=none,bias=5",
    "ue3m5",
    "ue4m2:subnormals=no",
    "ue3m2:zero=no,subnormals=no,inf=none,nan=none",
    "ue5m0:nan=allones,bias=-3",
]
SOURCES = [
    "fp16",
    "bf16",
    "fp32",
    "tf32",
    "e4m3fn",
    "e5m2",
    "e4m3fnuz",
    "e5m0",
    "e2m1",
    "e5m3:subnormals=no",
    "e6m9:bias=40",
]
ROUNDINGS = [*(mode for mode in Rounding if not mode.stochastic), Rounding.SRA, Rounding.SRC]


@st.composite
def units(draw) -> Unit:
    """Quantisers and dequantisers of odd formats."""
    size = draw(st.integers(1, 4))
    tensor = draw(st.sampled_from(["", "/fp16", "/bf16", "/e4m3fn", "/e5m3:inf=none,nan=none"]))
    block = f"{draw(st.sampled_from(ELEMENTS))}@{draw(st.sampled_from(SCALES))}/{size}{tensor}"
    rounding = draw(st.sampled_from(ROUNDINGS))
    options = {"rounding": rounding, "random_bits": draw(st.integers(1, 9)) if rounding.stochastic else 0}
    if draw(st.booleans()):
        return fpgen.BlockDequantize(block=block, out=draw(st.sampled_from([*SOURCES, *ELEMENTS])), **options)
    made = []
    for overflow in ("ieee", "infinite", "saturate", "propagate"):
        for policy in ("floor", "ceil", "even", "rceil", "midmax", "nearest", "up"):
            try:
                made.append(
                    fpgen.BlockQuantize(
                        source=draw(st.sampled_from(SOURCES)),
                        block=block,
                        clamp=True,
                        policy=policy,
                        overflow=overflow,
                        **options,
                    )
                )
            except UsageError:
                continue
    return draw(st.sampled_from(made))


@settings(max_examples=120, deadline=None)
@given(units(), st.integers(0, 1 << 16))
def test_odd_formats(unit, seed):
    assert not (text := mismatch(unit, blocks(unit, 12, seed))), text


@pytest.mark.full
@settings(max_examples=3000, deadline=None)
@given(units(), st.integers(0, 1 << 16))
def test_many_odd_formats(unit, seed):
    assert not (text := mismatch(unit, blocks(unit, 40, seed))), text


# ---- named vectors -------------------------------------------------------------------------------


def one(text: str, **inputs: Iterable[int] | int) -> tuple[list[int], int | None]:
    """Element codes (or results) and scale code of one block."""
    unit = fpgen.parse_unit(text)
    found = hardware(unit, {name: np.array([value], dtype=np.uint64) for name, value in inputs.items()})
    return found["result"][0].tolist(), int(found["scale"][0]) if "scale" in found else None


BF16 = {"0": 0x0000, "1": 0x3F80, "1.5": 0x3FC0, "inf": 0x7F80, "nan": 0x7FC1, "max": 0x7F7F, "least": 0x0001}


@pytest.mark.parametrize("special", ["inf", "nan"])
def test_specials_make_an_mx_block_nan(special):
    assert one("quantize bf16 -> e2m1@e8m0/2", source=[BF16["1"], BF16[special]]) == ([0, 0], 0xFF)


def test_specials_are_converted_where_the_scale_has_no_nan():
    """amax is that of the finite values (1.5: scale 2**(0 - 15)); e5m2 keeps neither under saturation but NaN."""
    codes, scale = one(
        "quantize bf16 -> e5m2@ue8m0:inf=none,nan=none,subnormals=no,zero=no/3",
        source=[BF16["1.5"], BF16["inf"], BF16["nan"]],
    )
    assert scale == 127 - 15
    assert codes == [0x7A, 0x7B, 0x7E]  # 1.5 * 2**15 = 49152, the largest (saturated), NaN


def test_a_block_of_zeros():
    zeros = [0x0000, 0x8000]
    assert one("quantize bf16 -> e2m1@e8m0/2", source=zeros) == ([0, 8], 0)
    assert one("quantize bf16 -> e2m1@binary8p1uf/2", source=zeros) == ([0, 8], 0)
    assert one("quantize fp16 -> e2m1@e8m0/2", source=zeros) == ([0, 8], 0)
    assert one("quantize bf16 -> e2m1@ue4m3/2/fp32", source=zeros, tensor_scale=0x3F800000) == ([0, 8], 0)


def test_the_scale_stays_in_its_format_at_both_ends():
    """2**-133 wants 2**-135 and gets 2**-127: v / 2**-127 = 2**-6 rounds to 0. e2m1@ue4m0 ends at 2**(14 - 7)."""
    assert one("quantize bf16 -> e2m1@e8m0/1", source=[BF16["least"]]) == ([0], 0)
    text = "quantize bf16 -> e2m1@ue4m0:nan=allones/1 clamp=on"
    assert one(text, source=[BF16["max"]]) == ([7], 14)


def test_a_tensor_scale_that_is_no_positive_number():
    for bad in (0x00000000, 0x80000000, 0xBF800000, 0x7F800000, 0x7FC00000):
        assert one("quantize bf16 -> e2m1@ue4m3/2/fp32", source=[BF16["1"]] * 2, tensor_scale=bad) == ([0, 0], 0x7F)
        assert one("quantize bf16 -> e2m1@ue4m3:nan=none/2/fp32", source=[BF16["1"]] * 2, tensor_scale=bad) == (
            [0, 0],
            0,
        )


def test_a_scale_that_rounds_to_zero():
    """amax / (6 * T) = 2**-10 / 6 is below half of the smallest ue4m3, 2**-9: scale 0, elements +-0; `up`: 2**-9."""
    tiny = [0x3A80, 0xBA80]  # 2**-10
    assert one("quantize bf16 -> e2m1@ue4m3/2/fp32", source=tiny, tensor_scale=0x3F800000) == ([0, 8], 0)
    # 2**-10 / 2**-9 = 0.5, the code 1 of e2m1
    assert one("quantize bf16 -> e2m1@ue4m3/2/fp32 policy=up", source=tiny, tensor_scale=0x3F800000) == ([1, 9], 1)


def test_ties_of_nvfp4():
    """amax 6 and T = 1 give scale 1: 0.25, 1.25, 2.5 and 5 go down, 0.75, 1.75 and 3.5 go up (class 14 of the bugs)."""
    numbers = [6.0, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0]
    source = np.array(numbers, dtype=np.float16).view(np.uint16).tolist()
    codes, scale = one("quantize fp16 -> e2m1@ue4m3/8/fp32", source=source, tensor_scale=0x3F800000)
    assert scale == 0x38
    assert codes == [7, 0, 2, 2, 4, 4, 6, 6]


def test_dequantize_specials():
    assert one("dequantize e5m2@e8m0/2 -> bf16", elements=[0x3C, 0x7C], scale=0xFF)[0] == [0x7FC0, 0x7FC0]
    # a zero scale times an infinite element is NaN, a finite one times infinity infinite
    text = "dequantize e5m2@ue4m3/2 -> bf16"
    assert one(text, elements=[0x7C, 0xBC], scale=0)[0] == [0x7FC0, 0x8000]
    assert one(text, elements=[0x7C, 0xFC], scale=0x38)[0] == [0x7F80, 0xFF80]


# ---- what is wrong is found ----------------------------------------------------------------------


def graph_of(text: str) -> Graph:
    return trim(datapath(fpgen.parse_unit(text)))


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("quantize fp16 -> e2m1@e8m0/4", "quantize fp16 -> e2m1@e8m0/4 rna"),  # ties away
        ("quantize fp16 -> e2m1@ue4m3/4/fp16", "quantize fp16 -> e2m1@ue4m3/4/fp16 rna"),
        ("quantize bf16 -> e2m1@e8m0/4 policy=even", "quantize bf16 -> e2m1@e8m0/4 policy=floor"),
        ("quantize bf16 -> e2m1@e8m0/4 policy=rceil", "quantize bf16 -> e2m1@e8m0/4 policy=midmax"),
        ("quantize bf16 -> e2m1@ue4m3/4/fp16", "quantize bf16 -> e2m1@ue4m3/4/fp16 policy=up"),
    ],
)
def test_another_rule_is_noticed(right, wrong):
    unit = fpgen.parse_unit(right)
    arrays = blocks(unit, 400, 9)
    want = exact(unit, arrays)
    assert not mismatch(unit, arrays, want)
    assert mismatch(unit, arrays, want, graph_of(wrong))


@pytest.mark.parametrize("index", range(7))
def test_one_comparison_with_or_without_equality_is_noticed(monkeypatch, index):
    unit = fpgen.parse_unit("quantize fp16 -> e2m1@ue4m3/4/fp16")
    # Scales 1 (amax 6) and 2**-3, and elements on every boundary.
    numbers = np.array([[6, 0.25, 0.75, 1.25], [6, 1.75, 2.5, 3.5], [6, 5, -0.25, -5]]) * np.array([[[1]], [[0.125]]])
    source = numbers.reshape(-1, 4).astype(np.float16).view(np.uint16).astype(np.uint64)
    arrays = {"source": source, "tensor_scale": np.full(len(source), 0x3C00, dtype=np.uint64)}
    want = exact(unit, arrays)
    assert not mismatch(unit, arrays, want)
    true = threshold.boundaries

    def with_error(*options):
        found = true(*options)
        found[index] = threshold.Boundary(found[index].point, not found[index].included)
        return found

    monkeypatch.setattr("fpgen.rtl.block.quantizer.boundaries", with_error)
    assert mismatch(unit, arrays, want, trim(datapath(unit)))


@pytest.mark.parametrize("low, high", [(1, 0), (-1, 0), (0, -1), (0, 1)])
def test_a_clamp_off_by_one_is_noticed(monkeypatch, low, high):
    unit = fpgen.parse_unit("quantize bf16 -> e2m1@ue5m0:nan=allones,bias=15/4 clamp=on")
    arrays = blocks(unit, 300, 4)
    want = exact(unit, arrays)
    assert not mismatch(unit, arrays, want)
    monkeypatch.setattr(power, "ends", lambda scale: (scale.emin + low, scale.emax + high))
    assert mismatch(unit, arrays, want, trim(datapath(unit)))
