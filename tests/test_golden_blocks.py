"""Block quantisation and dequantisation: the fast model against the exact one, and against ml_dtypes and gfloat."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from array_cases import check_arrays, draw_block_values, draw_elements, split
from golden_cases import draw_format, draw_options
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fpgen
from fpgen.errors import UsageError
from fpgen.formats import BLOCKS, as_format
from fpgen.golden import block_elements, blocks
from fpgen.units.quantize import RATIO_POLICIES, policies_of

ELEMENTS = ["e2m1", "e2m3", "e3m2", "e4m3fn", "e5m2", "mxint8"]
MX = {name: entry.format for name, entry in BLOCKS.items() if entry.format.power_of_two_scale}
#: Its scale is 1 for every block whose largest magnitude is at least the top binade's: it has no larger one.
SCALE_OF_ONE = "ue2m0:bias=3,inf=none,nan=none"


def draw_block(rng: np.random.Generator) -> fpgen.BlockFormat:
    element = str(rng.choice([*ELEMENTS, "int4", "uint8", "e4m3fnuz", "e3m4", "e6m1", "e1m2", "bf16", "e8m0"]))
    scale = str(rng.choice(["e8m0", "e8m0", "ue4m3", "ue4m3", "ue5m3", "ue3m0:nan=none", "ue5m2:inf=top,nan=allones",
                            "ue4m3:subnormals=no", "ue2m6", "ue4m2:zero=no,subnormals=no,inf=none,nan=none"]))
    parts = draw_format(rng) if rng.random() < 0.2 else as_format(element)
    tensor = as_format(str(rng.choice(["fp32", "bf16", "fp16"]))) if rng.random() < 0.4 else None
    return fpgen.BlockFormat(parts, as_format(scale), int(rng.choice([1, 2, 3, 8])), tensor)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=120, deadline=None)
def test_quantize_odd_blocks(seed):
    rng = np.random.default_rng(seed)
    try:
        block = draw_block(rng)
        source = draw_format(rng) if rng.random() < 0.15 else str(rng.choice(["fp32", "fp32", "bf16", "fp16", "tf32"]))
        policies = policies_of(block)
        options = draw_options(block.element, rng)
        options.pop("subnormals")
        unit = fpgen.BlockQuantize(source=source, block=block, out=block.element, clamp=True,
                                   policy=policies[rng.integers(len(policies))], **options)
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


@pytest.mark.parametrize("mode", ["rne", "rna", "rtz", "rup", "rdn", "rto"])
@pytest.mark.parametrize(("name", "policy"), [(n, p.value) for n, e in BLOCKS.items() for p in policies_of(e.format)])
def test_quantize_named_blocks(name, policy, mode):
    rng = np.random.default_rng(1)
    for source in ("fp32", "bf16", "fp16"):
        unit = fpgen.BlockQuantize(source=source, block=name, out=BLOCKS[name].format.element, policy=policy,
                                   rounding=mode)
        check_arrays(unit, draw_block_values(unit, 6, rng))


def test_named_blocks_go_by_table():
    """Every named block format has its short table, so the fast path is what the tests above looked at."""
    for name, entry in BLOCKS.items():
        for mode in ("rne", "rna", "rtz", "rup", "rdn", "rto"):
            unit = fpgen.BlockQuantize(source="fp32", block=name, out=entry.format.element, rounding=mode)
            assert block_elements.cells_for(unit.out, unit.semantics) is not None


# ---- element conversion against libraries --------------------------------------------------------


def with_scale_one(codes: np.ndarray, source: str, element: str, **options) -> np.ndarray:
    """Element codes of numbers in blocks whose scale is 1: beside each stands the top power of two of the element."""
    fmt = as_format(element)
    block = f"{element}@{SCALE_OF_ONE}/2"
    unit = fpgen.BlockQuantize(source=source, block=block, out=fmt, clamp=True, **options)
    top = fpgen.Convert(source="fp64", out=source).compute(np.float64(2.0**fmt.emax).view(np.uint64)).codes
    result = unit.compute(np.stack([codes, np.full_like(codes, top)], axis=-1))
    assert (result.scales == 3).all()  # 2**(3 - 3)
    return result.codes[:, 0]


def every_value(source: str) -> tuple[np.ndarray, np.ndarray]:
    """All codes of a 16-bit source, and their values."""
    codes = np.arange(1 << 16, dtype=np.uint16)
    wide = fpgen.Convert(source=source, out="fp64").compute(codes).codes.view(np.float64)
    return codes, wide


@pytest.mark.parametrize("source", ["fp16", "bf16"])
@pytest.mark.parametrize("element", ["e2m1", "e2m3", "e3m2", "e4m3fn", "e5m2"])
def test_every_16_bit_value_against_ml_dtypes(source, element):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    kind = {"e2m1": ml_dtypes.float4_e2m1fn, "e2m3": ml_dtypes.float6_e2m3fn, "e3m2": ml_dtypes.float6_e3m2fn,
            "e4m3fn": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2}[element]
    codes, values = every_value(source)
    top = float(as_format(element).max_finite)
    numbers = ~np.isnan(values)
    theirs = np.clip(values[numbers], -top, top).astype(kind).view(np.uint8)  # saturating, as blocks are
    ours = with_scale_one(codes[numbers], source, element)
    assert np.array_equal(ours, theirs)
    # The scale has no NaN here, so a NaN is converted as it is: to the largest value in formats without NaN, as PTX
    # cvt.satfinite does; ml_dtypes 0.6.0 gives a zero of its sign there.
    fmt = as_format(element)
    expected = fmt.nan_code if fmt.has_nan else fmt.max_finite_code
    assert (with_scale_one(codes[~numbers], source, element) == expected).all()


@pytest.mark.parametrize("source", ["fp16", "bf16"])
@pytest.mark.parametrize(("mode", "gmode"), [("rne", "TiesToEven"), ("rna", "TiesToAway"), ("rtz", "TowardZero"),
                                             ("rup", "TowardPositive"), ("rdn", "TowardNegative")])
@pytest.mark.parametrize("element", ["e2m1", "e2m3", "e3m2", "e4m3fn", "e5m2"])
def test_every_16_bit_value_against_gfloat(source, element, mode, gmode):
    gfloat = pytest.importorskip("gfloat")
    from gfloat import formats

    info = {"e2m1": formats.format_info_ocp_e2m1, "e2m3": formats.format_info_ocp_e2m3,
            "e3m2": formats.format_info_ocp_e3m2, "e4m3fn": formats.format_info_ocp_e4m3,
            "e5m2": formats.format_info_ocp_e5m2}[element]
    codes, values = every_value(source)
    finite = np.isfinite(values)
    with np.errstate(all="ignore"):
        rounded = gfloat.round_ndarray(info, values[finite], getattr(gfloat.RoundMode, gmode), sat=True)
        theirs = gfloat.encode_ndarray(info, rounded).astype(np.uint8)
    ours = with_scale_one(codes[finite], source, element, rounding=mode)
    wrong = np.flatnonzero(ours != theirs)
    assert not len(wrong), [(float(values[finite][i]), hex(ours[i]), hex(theirs[i])) for i in wrong[:5]]


@pytest.mark.parametrize("element", ["e2m1", "e2m3", "e3m2", "e4m3fn", "e5m2"])
def test_every_fp16_value_in_blocks_with_a_swept_maximum(element):
    """Every finite value beside every power of two, floor scale: against `np.frexp` and ml_dtypes' conversion."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    kind = {"e2m1": ml_dtypes.float4_e2m1fn, "e2m3": ml_dtypes.float6_e2m3fn, "e3m2": ml_dtypes.float6_e3m2fn,
            "e4m3fn": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2}[element]
    fmt = as_format(element)
    codes = np.arange(1 << 16, dtype=np.uint16)
    codes = codes[np.isfinite(codes.view(np.float16))]
    unit = fpgen.BlockQuantize(source="fp16", block=f"{element}@e8m0/2", out=fmt)
    for power in range(-24, 16):
        block = np.stack([codes, np.full_like(codes, np.float16(2.0**power).view(np.uint16))], axis=-1)
        values = block.view(np.float16).astype(np.float64)
        exponent = np.frexp(np.abs(values).max(axis=-1))[1] - 1 - fmt.emax
        top = float(fmt.max_finite)
        theirs = np.clip(values / 2.0 ** exponent[:, None], -top, top).astype(kind).view(np.uint8)
        found = unit.compute(block)
        assert np.array_equal(found.scales, exponent + 127) and np.array_equal(found.codes, theirs), power


@pytest.mark.parametrize("source", ["fp16", "bf16"])
def test_every_16_bit_value_to_mxint8_against_numpy(source):
    """MXINT8 is a whole number of 64ths, -127 to 127 (symmetric)."""
    codes, values = every_value(source)
    numbers = ~np.isnan(values)
    theirs = np.clip(np.rint(values[numbers] * 64), -127, 127).astype(np.int8).view(np.uint8)
    assert np.array_equal(with_scale_one(codes[numbers], source, "mxint8"), theirs)


@pytest.mark.parametrize("name", ["mxfp4", "mxfp6e3m2", "mxfp6e2m3", "mxfp8e4m3", "mxfp8e5m2", "mxint8"])
def test_every_element_and_scale_against_gfloat(name):
    """All products of an element code and a scale code, as gfloat decodes blocks; rounded to float32 by numpy."""
    gfloat = pytest.importorskip("gfloat")
    from gfloat import formats

    info = getattr(formats, "format_info_" + name.replace("fp4", "fp4_e2m1").replace("6e", "6_e").replace("8e", "8_e"))
    unit = fpgen.BlockDequantize(block=f"{MX[name].element.name}@e8m0/{1 << MX[name].element.bits}", out="fp32")
    elements = np.arange(1 << MX[name].element.bits)
    ours = unit.compute(np.broadcast_to(elements, (256, len(elements))), np.arange(256)).codes.view(np.float32)
    for scale in range(256):
        with np.errstate(all="ignore"):
            theirs = np.array(list(gfloat.decode_block(info, [scale, *elements.tolist()]))).astype(np.float32)
        assert np.array_equal(ours[scale], theirs, equal_nan=True), scale
        assert np.array_equal(np.signbit(ours[scale]) | np.isnan(theirs), np.signbit(theirs) | np.isnan(theirs))


# ---- scales --------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["floor", "ceil"])
@pytest.mark.parametrize("name", ["mxfp4", "mxfp6e3m2", "mxfp6e2m3", "mxfp8e4m3", "mxfp8e5m2", "mxint8"])
def test_floor_and_ceil_scales_of_every_bf16_magnitude(name, policy):
    """The logarithm by `math.frexp`, the code by ml_dtypes' E8M0: nothing of fpgen."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    codes = np.arange(1, 0x7F80, dtype=np.uint16)
    values = (codes.astype(np.uint32) << 16).view(np.float32)
    # OCP MX 1.0, table 1
    emax = {"mxfp4": 2, "mxfp6e3m2": 4, "mxfp6e2m3": 2, "mxfp8e4m3": 8, "mxfp8e5m2": 15, "mxint8": 0}[name]
    exponents = []
    for value in values.tolist():
        fraction, exponent = math.frexp(value)  # value = fraction * 2**exponent, 0.5 <= fraction < 1
        log = exponent - 1 if policy == "floor" or fraction == 0.5 else exponent
        exponents.append(min(max(log - emax, -127), 127))
    # 2.0**s is a value of E8M0 for all of them, so its conversion is exact
    expected = (2.0 ** np.array(exponents)).astype(ml_dtypes.float8_e8m0fnu).view(np.uint8)
    block = np.zeros((len(codes), 32), dtype=np.uint16)
    block[np.arange(len(codes)), np.arange(len(codes)) % 32] = codes | np.where(codes & 1, 0x8000, 0).astype(np.uint16)
    found = fpgen.BlockQuantize(source="bf16", block=name, out=MX[name].element, policy=policy).compute(block)
    assert np.array_equal(found.scales, expected)


def microxcaling(x: np.ndarray, ebits: int, mbits: int, emax: int, max_norm: float, mode: str) -> np.ndarray:
    """What microxcaling (mx/mx_ops.py `_quantize_mx`, mx/elemwise_ops.py `_quantize_elemwise_core`) publishes.

    Derived again from its text, in double precision: shared_exp = floor(log2 max|x|) - emax, at least -127; elements
    divided by it are rounded to `mbits` (sign and hidden bit included) behind their own exponent, which is at least
    that of the smallest normal, "nearest" being half away from zero; then clamped to the largest value.
    """
    x = x.astype(np.float64)
    most = np.abs(x).max(axis=-1, keepdims=True)
    shared = np.floor(np.log2(np.where(most == 0, 2.0**-126, most))) - emax
    shared = np.maximum(shared, -127)
    scaled = x / 2.0**shared
    if ebits:
        own = np.floor(np.log2(np.where(scaled == 0, 1, np.abs(scaled))))
        own = np.maximum(own, -(2 ** (ebits - 1)) + 2)
    else:
        own = np.zeros_like(scaled)
    steps = scaled / 2.0**own * 2.0 ** (mbits - 2)
    whole = np.rint(steps) if mode == "even" else np.sign(steps) * np.floor(np.abs(steps) + 0.5)
    rounded = np.clip(whole / 2.0 ** (mbits - 2) * 2.0**own, -max_norm, max_norm)
    return rounded * 2.0**shared


@pytest.mark.parametrize(("mode", "rounding"), [("nearest", "rna"), ("even", "rne")])
@pytest.mark.parametrize(("name", "ebits", "mbits", "emax", "max_norm"), [
    ("mxfp4", 2, 3, 2, 6.0), ("mxfp6e3m2", 3, 4, 4, 28.0), ("mxfp6e2m3", 2, 5, 2, 7.5), ("mxfp8e4m3", 4, 5, 8, 448.0),
    ("mxfp8e5m2", 5, 4, 15, 57344.0), ("mxint8", 0, 8, 0, 127 / 64)])
def test_floor_policy_is_microxcalings(name, ebits, mbits, emax, max_norm, mode, rounding):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((600, 32)) * 2.0 ** rng.integers(-40, 40, (600, 1))
    x = np.where(rng.random(x.shape) < 0.5, np.round(x, 1), x).astype(np.float32)
    x[:200] = (rng.integers(-64, 65, (200, 32)) * 2.0 ** rng.integers(-60, 60, (200, 1)) / 8).astype(np.float32)  # ties
    x[rng.random(x.shape) < 0.1] = 0
    x[0] = 0
    unit = fpgen.BlockQuantize(source="fp32", block=name, out=MX[name].element, rounding=rounding)
    result = unit.compute(x.view(np.uint32))
    back = fpgen.BlockDequantize(block=name, out="fp32").compute(result.codes, result.scales).codes.view(np.float32)
    expected = microxcaling(x, ebits, mbits, emax, max_norm, mode)
    wrong = np.argwhere(back != expected)
    assert not len(wrong), [(x[tuple(i)], back[tuple(i)], expected[tuple(i)]) for i in wrong[:5]]


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


@pytest.mark.parametrize(("values", "tensor", "policy", "expected", "scale"), [
    # amax 6: 6 / (6 * 1) = 1.0, ue4m3 0x38 (7 << 3). Divided by 1, ties on the e2m1 grid go to even codes:
    # .25 -> 0, .75 -> 1, 1.25 -> 1, 1.75 -> 2, 2.5 -> 2, 3.5 -> 4, 5 -> 4, and the neighbours of ties to the nearer.
    ([6, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, -5, -0.25, 0.2500001, 5.0000005], 1, "nearest",
     elements(6, 0, 1, 1, 2, 2, 4, 4, -4, -0.0, 0.5, 6), 0x38),
    # amax 1: 1 / 6 = 0.16666 = 2**-3 * 1.3333; steps of 1/8: 1.25 (off by .0833) or 1.375 (off by .0417): 0x23.
    # 1 / 0.171875 = 5.818 -> 6; 0.5 / 0.171875 = 2.909 -> 3; 0.043 / 0.171875 = 0.25018 -> 0.5; 0.0429 -> 0.2496 -> 0
    ([1, 0.5, -0.5, 0.043, 0.0429], 1, "nearest", elements(6, 3, -3, 0.5, 0), 0x23),
    # amax 7: 7 / 6 = 1.1667; nearest of 1.125 and 1.25 is 1.125 (0x39): 7 / 1.125 = 6.2 saturates to 6.
    ([7, 3.375], 1, "nearest", elements(6, 3), 0x39),
    # the same rounded up: 1.25 (0x3A): 7 / 1.25 = 5.6 -> 6; 3.375 / 1.25 = 2.7 -> 3; 3.125 / 1.25 = 2.5, a tie -> 2
    ([7, 3.375, 3.125], 1, "up", elements(6, 3, 2), 0x3A),
    # tensor scale 2**-10: 3 / (6 * 2**-10) = 512, above 448: the largest (0x7E). 3 / (448 * 2**-10) = 6.857 -> 6;
    # 1 / 0.4375 = 2.2857 -> 2
    ([3, 1], 2.0**-10, "nearest", elements(6, 2), 0x7E),
    ([3, 1], 2.0**-10, "up", elements(6, 2), 0x7E),
    # amax 6 * 2**-10: the scale 2**-10 is half the smallest, a tie: to 0 (even), and elements are zeros of their sign;
    # rounded up it is the smallest, 2**-9 (code 1): elements 3.
    ([6 * 2.0**-10, -(2.0**-10)], 1, "nearest", elements(0, -0.0), 0x00),
    ([6 * 2.0**-10, -6 * 2.0**-10], 1, "up", elements(3, -3), 0x01),
    # just above that tie: 2**-9
    ([6.0001 * 2.0**-10, 0], 1, "nearest", elements(3, 0), 0x01),
    # a tensor scale that is no power of two: T = 3: 9 / (6 * 3) = 0.5 (0x30): 9 / (0.5 * 3) = 6; 3.75 / 1.5 = 2.5: a
    # tie -> 2; 1.125 / 1.5 = 0.75: a tie -> 1
    ([9, 3.75, 1.125], 3, "nearest", elements(6, 2, 1), 0x30),
])
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


@pytest.mark.parametrize(("policy", "amax", "scale"), [
    # e2m1: largest 6 = 2**2 * 1.5, so emax = 2; 127 is 2**0.
    ("floor", 6.0, 127), ("floor", 7.99, 127), ("floor", 8.0, 128), ("floor", 3.99, 126),
    ("ceil", 4.0, 127), ("ceil", 4.01, 128), ("ceil", 8.0, 128),
    ("rceil", 6.0, 127), ("rceil", 6.01, 128), ("rceil", 3.0, 126), ("rceil", 3.01, 127), ("rceil", 12.0, 128),
    # one trailing bit: 7 is a tie of 6 (1.1) and 8, to the even 8; below it 6
    ("even", 7.0, 128), ("even", 6.99, 127), ("even", 3.5, 127), ("even", 3.49, 126),
    # 6 + half a step (2) of its binade = 7: at 7, rounding to nearest would leave the range
    ("midmax", 6.99, 127), ("midmax", 7.0, 128), ("midmax", 3.5, 127), ("midmax", 3.49, 126)])
def test_scale_policies_by_hand(policy, amax, scale):
    x = np.zeros(32, dtype=np.float32)
    x[5] = -amax
    unit = fpgen.BlockQuantize(source="fp32", block="mxfp4", out="e2m1", policy=policy)
    assert int(unit.compute(x.view(np.uint32)).scales) == scale


@pytest.mark.parametrize(("amax", "scale"), [(1.5, 128), (3.0, 129), (1.49, 127), (2.99, 128)])
def test_policy_even_of_an_element_with_one_bit(amax, scale):
    """1.5 is a tie of 1 and 2, 3 one of 2 and 4; the significand 1 is odd whatever the exponent, so both go up."""
    unit = fpgen.BlockQuantize(source="fp32", block="e2m0:inf=none,nan=none@e8m0/1", out="e2m0:inf=none,nan=none",
                               policy="even")
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


@pytest.mark.parametrize("text", ["quantize fp32 -> mxfp4", "quantize bf16 -> nvfp4", "quantize fp32 -> mxint8 rup",
                                  "dequantize mxfp8e5m2 -> bf16", "dequantize mxfp4 -> fp32"])
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
