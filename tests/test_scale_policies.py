"""`midmax`, `round` and `round-amax` against the float32 arithmetic of Brevitas 0.13.4 and MLX, written down again.

Sources: brevitas/core/scaling/runtime.py (statistics and threshold through log2, rounding, 2**), function/ops.py
(calculate_midmax_bias), utils/float_quant_utils.py (get_midmax_mantissa_bit_bias), quant/mx_quant_ocp.py (threshold
2**floor(log2 M)); mlx/backend/metal/kernels/fp8.h (fp8_e8m0) of the releases before mlx#4353.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from block_cases import blocks, mismatch
from hypothesis import given
from hypothesis import strategies as st
from portions import some

import fpgen
from fpgen.formats import as_format
from fpgen.golden.exact import exact_block
from fpgen.units.scaling import ScalePolicy, midmax_limit

#: Element format to (mantissa bits, codes that are infinities, codes that are NaN), as Brevitas declares its OCP types.
BREVITAS = {"e4m3fn": (3, 0, 1), "e5m2": (2, 1, 3), "e2m3": (3, 0, 0), "e3m2": (2, 0, 0), "e2m1": (1, 0, 0)}
LIMITS = {"e4m3fn": 480, "e5m2": 61440, "e2m3": Fraction(31, 4), "e3m2": 30, "e2m1": 7}


def brevitas_lost_bits(mantissa: int, infinities: int, nans: int) -> float:
    reserved = (infinities + nans) % 2**mantissa
    return 0.0 if reserved == 0 or reserved + 1 == 2**mantissa else float(np.log2(np.float32(reserved + 1)))


def brevitas_exponents(amax: np.ndarray, element: str, rounding: str) -> np.ndarray:
    """log2 of Brevitas' scales, as float32 arithmetic makes them."""
    emax = np.floor(np.log2(np.float32(as_format(element).max_finite)))
    logarithm = np.log2(amax.astype(np.float32))
    if rounding == "round":
        return np.rint(logarithm) - emax
    mantissa, infinities, nans = BREVITAS[element]
    lost = brevitas_lost_bits(mantissa, infinities, nans)
    bias = np.log2(np.float32(2) - np.float32(2) ** np.float32(-mantissa - 1 + lost))
    return np.ceil(logarithm - bias) - emax


def mlx_exponents(amax: np.ndarray, element: str) -> np.ndarray:
    scale = amax.astype(np.float32) / np.float32(as_format(element).max_finite)
    return np.trunc(np.log2(scale) + np.copysign(np.float32(0.5), np.log2(scale)))  # C's round: halves away from zero


@pytest.mark.parametrize("element", BREVITAS)
def test_the_limit_of_midmax(element):
    mantissa, infinities, nans = BREVITAS[element]
    lost = brevitas_lost_bits(mantissa, infinities, nans)
    fmt = as_format(element)
    assert midmax_limit(fmt) == LIMITS[element] == (2 - Fraction(2) ** int(-mantissa - 1 + lost)) * 2**fmt.emax
    at = exact_block.shared_exponent(ScalePolicy.MIDMAX, midmax_limit(fmt), fmt)
    above = exact_block.shared_exponent(ScalePolicy.MIDMAX, midmax_limit(fmt) + Fraction(1, 10**9), fmt)
    assert (at, above) == (0, 1)


@pytest.mark.parametrize("source", ["bf16", "fp16"])
@pytest.mark.parametrize("element", BREVITAS)
@pytest.mark.parametrize("policy", ["midmax", "round-amax", "round"])
def test_every_16_bit_magnitude_against_the_libraries(policy, element, source):
    """Every bit: no number of at most 11 bits is so close to a boundary that a float32 logarithm misses it."""
    fmt = as_format(source)
    codes = np.arange(1, fmt.max_finite_code + 1, dtype=np.uint16)
    amax = fpgen.Convert(source=source, out="fp64").compute(codes).codes.view(np.float64)
    codes, amax = codes[amax >= 2.0**-126], amax[amax >= 2.0**-126]
    unit = fpgen.BlockQuantize(source=source, block=f"{element}@e8m0/1", policy=policy)
    got = unit.compute(codes[:, None]).scales.astype(np.int64) - 127
    want = mlx_exponents(amax, element) if policy == "round" else brevitas_exponents(amax, element, policy[:5])
    assert np.array_equal(got, want.clip(-127, 127).astype(np.int64))


#: float32 numbers around a boundary between which the library's float32 logarithm decides otherwise.
BLUR = 80


@pytest.mark.parametrize("element", BREVITAS)
@pytest.mark.parametrize("policy", ["midmax", "round-amax", "round"])
def test_float32_magnitudes_near_every_boundary(policy, element):
    """The library's logarithm is rounded to float32: it cannot tell the nearest few numbers from the boundary."""
    top = float(as_format(element).max_finite)
    boundary = {"midmax": float(midmax_limit(as_format(element))), "round": top * 2**0.5, "round-amax": 2**0.5}[policy]
    blurred = 0
    for exponent in (-100, -3, 0, 1, 60, 100):
        middle = int(np.float32(boundary * 2.0**exponent).view(np.uint32))
        away = np.arange(-1000, 1001)
        codes = (middle + away).astype(np.uint32)
        amax = codes.view(np.float32).astype(np.float64)
        unit = fpgen.BlockQuantize(source="fp32", block=f"{element}@e8m0/1", policy=policy)
        got = unit.compute(codes[:, None]).scales
        want = mlx_exponents(amax, element) if policy == "round" else brevitas_exponents(amax, element, policy[:5])
        differ = got.astype(np.int64) - 127 != want.clip(-127, 127)
        assert np.abs(away[differ]).max(initial=0) <= BLUR
        if policy == "midmax":
            assert not differ[away <= 0].any()  # the limit itself included
        blurred += differ.sum()
    assert blurred  # were there none, this test would not need its allowance


@pytest.mark.parametrize(
    ("policy", "amax", "scale"),
    [
        # e2m1: 6 * sqrt(2) = 8.4852..., 6 / sqrt(2) = 4.2426...
        ("round", 8.485, 127),
        ("round", 8.486, 128),
        ("round", 4.242, 126),
        ("round", 4.243, 127),
        # 4 * sqrt(2) = 5.6568...
        ("round-amax", 5.656, 127),
        ("round-amax", 5.657, 128),
        ("round-amax", 2.828, 126),
        ("round-amax", 2.829, 127),
    ],
)
def test_rounded_logarithms_by_hand(policy, amax, scale):
    x = np.zeros(32, dtype=np.float32)
    x[3] = -amax
    unit = fpgen.BlockQuantize(source="fp32", block="mxfp4", policy=policy)
    assert int(unit.compute(x.view(np.uint32)).scales) == scale


def test_a_block_maximum_that_round_loses():
    """8.48 under a scale of 1 becomes 6: the 29.27 % of mlx#4353."""
    x = np.array([8.48] + [0.0] * 31, dtype=np.float32)
    q = fpgen.emulate.quantize(x, "mxfp4", policy="round")
    assert fpgen.emulate.dequantize(q)[0] == 6.0


@given(
    amax=st.fractions(min_value=Fraction(1, 10**12), max_value=10**12),
    element=st.sampled_from(
        ["e2m1", "e4m3fn", "int8", "e2m3", "e3m4", "e5m2", "binary8p4se", "e3m0:inf=none,nan=none"]
    ),
)
def test_rounded_logarithms_are_nearest(amax, element):
    fmt = as_format(element)
    s = exact_block.shared_exponent(ScalePolicy.ROUND, amax, fmt)
    assert Fraction(4) ** s / 2 < (amax / fmt.max_finite) ** 2 < 2 * Fraction(4) ** s
    s = exact_block.shared_exponent(ScalePolicy.ROUND_AMAX, amax, fmt) + fmt.emax
    assert Fraction(4) ** s / 2 < amax**2 < 2 * Fraction(4) ** s


@pytest.mark.turns(2)
@pytest.mark.parametrize(
    ("block", "policy"),
    some(
        itertools.product(
            [
                "e2m1@e8m0/2",
                "e4m3fn@e8m0/2",
                "e5m2@ue4m0/2",
                "e3m0:inf=none,nan=none@e8m0/2",
                "mxint8",
                "int2@ue5m0:inf=none,nan=none/3",
                "binary8p4se@binary8p1uf/2",
            ],
            ["midmax", "round", "round-amax"],
        ),
        2,
    ),
)
@pytest.mark.parametrize(
    "sources",
    [("bf16", "e4m3fn"), pytest.param(("fp16", "e5m7"), marks=pytest.mark.full)],
    ids="-".join,
)
def test_hardware_at_every_binade_and_boundary(block, policy, sources):
    """Each policy's constant, one code to either side, in the lowest and highest binades too."""
    for source in sources:
        unit = fpgen.BlockQuantize(source=source, block=block, policy=policy, clamp=True)
        fmt, size = unit.source, unit.block.size
        trailing = fmt.trailing_bits
        fields = np.arange(fmt.max_finite_code + 1 >> trailing, dtype=np.uint64)
        chosen = np.unique(np.concatenate([fields[:3], fields[-3:], fields[len(fields) // 2 : len(fields) // 2 + 2]]))
        codes = (chosen[:, None] << np.uint64(trailing)) + np.arange(1 << trailing, dtype=np.uint64)
        peaks = codes.reshape(-1)
        rng = np.random.default_rng(5)
        source_codes = rng.integers(0, peaks[:, None] + np.uint64(1), (len(peaks), size), dtype=np.uint64)
        source_codes[np.arange(len(peaks)), np.arange(len(peaks)) % size] = peaks
        assert not (text := mismatch(unit, {"source": source_codes[:: max(1, len(peaks) // 200)]})), text
        assert not (text := mismatch(unit, blocks(unit, 24, 3))), text
