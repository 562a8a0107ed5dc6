"""Block quantisation and dequantisation against ml_dtypes, gfloat, numpy and microxcaling's rule."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fpgen
from fpgen.formats import BLOCKS, as_format

MX = {name: entry.format for name, entry in BLOCKS.items() if entry.format.power_of_two_scale}
#: Its scale is 1 for every block whose largest magnitude is at least the top binade's: it has no larger one.
SCALE_OF_ONE = "ue2m0:bias=3,inf=none,nan=none"


# ---- elements ------------------------------------------------------------------------------------


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
    kind = {
        "e2m1": ml_dtypes.float4_e2m1fn,
        "e2m3": ml_dtypes.float6_e2m3fn,
        "e3m2": ml_dtypes.float6_e3m2fn,
        "e4m3fn": ml_dtypes.float8_e4m3fn,
        "e5m2": ml_dtypes.float8_e5m2,
    }[element]
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
@pytest.mark.parametrize(
    ("mode", "gmode"),
    [
        ("rne", "TiesToEven"),
        ("rna", "TiesToAway"),
        ("rtz", "TowardZero"),
        ("rup", "TowardPositive"),
        ("rdn", "TowardNegative"),
    ],
)
@pytest.mark.parametrize("element", ["e2m1", "e2m3", "e3m2", "e4m3fn", "e5m2"])
def test_every_16_bit_value_against_gfloat(source, element, mode, gmode):
    gfloat = pytest.importorskip("gfloat")
    from gfloat import formats

    info = {
        "e2m1": formats.format_info_ocp_e2m1,
        "e2m3": formats.format_info_ocp_e2m3,
        "e3m2": formats.format_info_ocp_e3m2,
        "e4m3fn": formats.format_info_ocp_e4m3,
        "e5m2": formats.format_info_ocp_e5m2,
    }[element]
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
    kind = {
        "e2m1": ml_dtypes.float4_e2m1fn,
        "e2m3": ml_dtypes.float6_e2m3fn,
        "e3m2": ml_dtypes.float6_e3m2fn,
        "e4m3fn": ml_dtypes.float8_e4m3fn,
        "e5m2": ml_dtypes.float8_e5m2,
    }[element]
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
@pytest.mark.parametrize(
    ("name", "ebits", "mbits", "emax", "max_norm"),
    [
        ("mxfp4", 2, 3, 2, 6.0),
        ("mxfp6e3m2", 3, 4, 4, 28.0),
        ("mxfp6e2m3", 2, 5, 2, 7.5),
        ("mxfp8e4m3", 4, 5, 8, 448.0),
        ("mxfp8e5m2", 5, 4, 15, 57344.0),
        ("mxint8", 0, 8, 0, 127 / 64),
    ],
)
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
