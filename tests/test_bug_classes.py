"""Bugs that shipped elsewhere, each as vectors against both golden models and the hardware.

Every test is one class of bug; its docstring says where it was seen. The hardware is the unit's
dataflow graph; classes 19 and 20, of pipelines and of tools, are in `test_bug_classes_pipelines.py`.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from corner_codes import corners
from portions import portions
from rtl_cases import hardware

import fpgen
from fpgen.formats import CATALOGUE, Class, parse
from fpgen.golden import Result
from fpgen.golden.exact import exact_model as exact
from fpgen.golden.exact.exact_round import Exact, round_to
from fpgen.units import Flags

NONE, NX, UF, OF, NV = Flags(0), Flags.NX, Flags.UF, Flags.OF, Flags.NV


def by_exact(unit, *operands, **controls):
    return exact.compute(unit, dict(zip(unit.operands, operands, strict=True)), controls)


def by_fast(unit, *operands, **controls):
    return unit.compute(*operands, **controls)


def by_hardware(unit, *operands, **controls):
    """The graph with flags; the one without delivers the same codes."""
    inputs = {
        name: np.asarray(array, dtype=np.uint64)
        for name, array in {**dict(zip(unit.operands, operands, strict=True)), **controls}.items()
    }
    codes, flags = hardware(dataclasses.replace(unit, flags=True), inputs)
    assert (hardware(dataclasses.replace(unit, flags=False), inputs)[0] == codes).all()
    return Result({"result": codes}, flags)


@pytest.fixture(params=[by_exact, by_fast, by_hardware], ids=["exact", "fast", "hardware"])
def run(request):
    """``run(text, *operands)``: one (code, flags) of a unit on single codes."""

    def one(text, *operands, **controls):
        result = request.param(fpgen.parse_unit(text), *(np.array([code]) for code in operands), **controls)
        return int(result.codes[0]), Flags(int(result.flags[0]))

    one.many = request.param
    return one


def fp32(value: float) -> int:
    return int(np.float32(value).view(np.uint32))


def fp64(value: float) -> int:
    return int(np.float64(value).view(np.uint64))


def fp16(value: float) -> int:
    return int(np.float16(value).view(np.uint16))


# ---- 1, 2: underflow -----------------------------------------------------------------------------


@pytest.mark.parametrize(("tininess", "flags"), [("after", NX), ("before", NX | UF)])
def test_01_underflow_at_the_smallest_normal_is_judged_with_an_unbounded_exponent(run, tininess, flags):
    """cvfpu#94, cva6#3274, #3276; C906/C910 silicon: the result is normal, and so is the unbounded rounding."""
    value = 2.0**-14 * (1 - 2.0**-12)  # 11 bits with any exponent: a tie that becomes 2**-14
    assert run(f"convert fp32 -> fp16 tininess={tininess}", fp32(value)) == (0x0400, flags)


@pytest.mark.parametrize("tininess", ["after", "before"])
def test_01_underflow_with_a_normal_result_that_is_tiny_unbounded(run, tininess):
    """The result rounds to the smallest normal, but with an unbounded exponent it would stay below: UF."""
    value = 2.0**-14 * (1 - 2.0**-11)  # exact in 11 bits, a tie of the subnormal grid
    assert run(f"convert fp32 -> fp16 tininess={tininess}", fp32(value)) == (0x0400, NX | UF)


def test_01_underflow_after_rounding_in_every_direction(run):
    """The unbounded rounding uses the mode of the operation (cvfpu#137: the wrong one in FMA)."""
    value = fp32(2.0**-14 * (1 - 2.0**-13))
    assert run("convert fp32 -> fp16 rup", value) == (0x0400, NX)
    assert run("convert fp32 -> fp16 rtz", value) == (0x03FF, NX | UF)
    assert run("convert fp32 -> fp16 rdn", value) == (0x03FF, NX | UF)
    assert run("convert fp32 -> fp16 rup", value | 0x80000000) == (0x83FF, NX | UF)
    assert run("convert fp32 -> fp16 rdn", value | 0x80000000) == (0x8400, NX)
    minus = 0x80000001  # fma: 2**-14 - 2**-149
    assert run("fma fp16 fp16 fp32 -> fp16 rup", 0x0400, 0x3C00, minus) == (0x0400, NX)
    assert run("fma fp16 fp16 fp32 -> fp16 rdn", 0x0400, 0x3C00, minus) == (0x03FF, NX | UF)


@pytest.mark.parametrize("tininess", ["after", "before"])
def test_02_no_underflow_when_exact(run, tininess):
    """cvfpu#11: an exact subnormal raises nothing under default exception handling (754-2019, 7.5)."""
    assert run(f"multiply fp16 fp16 -> fp16 tininess={tininess}", 0x0400, 0x3800) == (0x0200, NONE)
    assert run(f"add fp16 fp16 -> fp16 tininess={tininess}", 0x0001, 0x0002) == (0x0003, NONE)
    assert run(f"fma fp16 fp16 fp16 -> fp16 tininess={tininess}", 0x0400, 0x3800, 0x0001) == (0x0201, NONE)


# ---- 3: overflow ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "positive", "negative"),
    [
        ("rne", 0x7C00, 0xFC00),
        ("rna", 0x7C00, 0xFC00),
        ("rtz", 0x7BFF, 0xFBFF),
        ("rup", 0x7C00, 0xFBFF),
        ("rdn", 0x7BFF, 0xFC00),
        ("rto", 0x7BFF, 0xFBFF),
    ],
)
def test_03_overflow_always_raises_inexact_too(run, mode, positive, negative):
    """cvfpu#139, CVE-2023-34907; which side is delivered: 754-2019, 7.4."""
    assert run(f"multiply fp16 fp16 -> fp16 {mode}", 0x7BFF, 0x4000) == (positive, OF | NX)
    assert run(f"multiply fp16 fp16 -> fp16 {mode}", 0xFBFF, 0x4000) == (negative, OF | NX)
    assert run(f"add fp16 fp16 -> fp16 {mode}", 0x7BFF, 0x7BFF) == (positive, OF | NX)
    assert run(f"convert fp32 -> fp16 {mode} saturate", fp32(1e30)) == (0x7BFF, OF | NX)


# ---- 4: the sign of zero -------------------------------------------------------------------------


def test_04_sign_of_zero_in_products(run):
    """cvfpu#54, #63, #72: a multiply built as fma(a, b, +0) is wrong in RDN and for -0."""
    for mode in ("rne", "rdn", "rup", "rtz"):
        assert run(f"multiply fp16 fp16 -> fp16 {mode}", 0x0000, 0x3C00) == (0x0000, NONE)
        assert run(f"multiply fp16 fp16 -> fp16 {mode}", 0x8000, 0x3C00) == (0x8000, NONE)
        assert run(f"multiply fp16 fp16 -> fp16 {mode}", 0x8000, 0xBC00) == (0x0000, NONE)


def test_04_sign_of_zero_in_sums(run):
    """CVE-2023-34904; YunSuan db826fa, c3cd26b; 754-2019, 6.3."""
    for mode in ("rne", "rna", "rtz", "rup", "rdn", "raz", "rto"):
        other = 0x8000 if mode == "rdn" else 0x0000
        assert run(f"add fp16 fp16 -> fp16 {mode}", 0x8000, 0x8000) == (0x8000, NONE)
        assert run(f"add fp16 fp16 -> fp16 {mode}", 0x0000, 0x8000) == (other, NONE)
        assert run(f"add fp16 fp16 -> fp16 {mode}", 0x3C00, 0xBC00) == (other, NONE)
        assert run(f"add fp16 fp16 -> fp16 {mode} subtract=on", 0x8000, 0x0000) == (0x8000, NONE)
        assert run(f"fma fp16 fp16 fp16 -> fp16 {mode}", 0x3C00, 0x3C00, 0xBC00) == (other, NONE)
        assert run(f"fma fp16 fp16 fp16 -> fp16 {mode}", 0x8000, 0x3C00, 0x8000) == (0x8000, NONE)
    assert run("fma fp16 fp16 fp16 -> fp16 rne", 0x8001, 0x0001, 0x0000) == (0x8000, NX | UF)


def test_04_sign_of_an_underflowed_product(run):
    """A product that rounds to zero keeps its sign."""
    assert run("multiply fp16 fp16 -> fp16 rne", 0x8001, 0x0001) == (0x8000, NX | UF)
    assert run("multiply fp16 fp16 -> fp16 rdn", 0x8001, 0x0001) == (0x8001, NX | UF)


# ---- 5, 6, 7: NaN, infinity, several codes for one value -----------------------------------------


def test_05_quiet_and_signalling_nan(run):
    """CVE-2023-34905, -06, -08, -09; cvfpu#116: NV for signalling NaN only, and one canonical quiet NaN."""
    quiet, signalling = 0xFE01, 0x7C01
    for text in ("multiply fp16 fp16 -> fp16", "add fp16 fp16 -> fp16"):
        assert run(text, quiet, 0x3C00) == (0x7E00, NONE)
        assert run(text, 0x3C00, signalling) == (0x7E00, NV)
    assert run("convert fp16 -> fp16", signalling) == (0x7E00, NV)


def test_05_invalid_operations(run):
    """YunSuan 84b4f64; 754-2019, 7.2: inf * 0, inf - inf, and fma(0, inf, qNaN)."""
    inf, zero, quiet = 0x7C00, 0x0000, 0x7E00
    assert run("multiply fp16 fp16 -> fp16", inf, zero) == (0x7E00, NV)
    assert run("add fp16 fp16 -> fp16", inf, inf | 0x8000) == (0x7E00, NV)
    assert run("add fp16 fp16 -> fp16 subtract=on", inf, inf) == (0x7E00, NV)
    assert run("fma fp16 fp16 fp16 -> fp16", zero, inf, quiet) == (0x7E00, NV)
    assert run("fma fp16 fp16 fp16 -> fp16", inf, 0x3C00, inf | 0x8000) == (0x7E00, NV)
    assert run("fma fp16 fp16 fp16 -> fp16", quiet, inf, zero) == (0x7E00, NONE)


def test_05_nan_payload_that_narrowing_would_cut_off(run):
    """A NaN whose set bits are all below the output's significand is no infinity."""
    assert run("convert fp32 -> fp16", 0x7F800001) == (0x7E00, NV)
    assert run("convert fp64 -> e5m2", 0xFFF8000000000001) == (0x7E, NONE)


def test_06_infinity_and_large_numbers_in_conversions(run):
    """cvfpu#140; CVE-2023-34910, -11: infinity through a narrowing; integers beyond the range and just inside."""
    assert run("convert fp32 -> fp16", fp32(-np.inf)) == (0xFC00, NONE)
    assert run("convert int32 -> fp16", 65519) == (0x7BFF, NX)
    assert run("convert int32 -> fp16", 65520) == (0x7C00, OF | NX)
    assert run("convert int32 -> fp16", (1 << 32) - 65536) == (0xFC00, OF | NX)
    assert run("convert fp16 -> int8", 0x7C00) == (0x7F, NV)
    assert run("convert fp16 -> int8", 0xFC00) == (0x80, NV)
    assert run("convert fp16 -> int8", fp16(127.5)) == (0x7F, NV)
    assert run("convert fp16 -> int8", fp16(-128.5)) == (0x80, NX)


def test_07_all_codes_of_zero_are_zero(run):
    """HardFloat d461a1f: a format that reads subnormals as zero has many zeros; inf times each is invalid."""
    fmt = "e4m3:subnormals=no"
    for code in (0, 1, 7, 0x80, 0x87):
        assert run(f"multiply {fmt} {fmt} -> fp16", code, 0x78) == (0x7E00, NV)
        assert run(f"add {fmt} {fmt} -> fp16", code, 0x38) == (0x3C00, NONE)


# ---- 8: extremes of the parameters ---------------------------------------------------------------


@pytest.mark.turns(3)
@pytest.mark.parametrize("mode", ["rne", "rna", "rtz", "rup", "rdn", "raz", "rto"])
@pytest.mark.parametrize(
    "names",
    [
        ("e1m1", "e1m1", "e1m1", "e1m1"),
        ("binary3p1se", "e2m0", "binary3p2sf", "e1m0"),
        ("int2", "int3", "e2m0", "int2"),
        ("e3m0", "e1m1", "e2m1", "e8m0"),
        ("uint2:scale=9", "binary3p1se", "e1m0", "fp64"),
        ("e2m1", "e1m2:inf=ieee,nan=ieee", "int2", "e15m1"),
    ],
    ids="-".join,
)
def test_08_smallest_and_widest_formats_on_every_code(run, names, mode):
    """cvfpu#66, HardFloat 3ca9cc7 and its significands of 3 bits: widths derived for famous formats only."""
    a, b, c, out = map(parse, names)
    codes = (x.reshape(-1) for x in np.meshgrid(*(np.arange(1 << fmt.bits) for fmt in (a, b, c)), indexing="ij"))
    x, y, z = codes
    semantics = fpgen.Convert(source=a, out=out, rounding=mode).semantics
    unit = fpgen.FusedMultiplyAdd(a=a, b=b, c=c, out=out, rounding=mode)
    got = run.many(unit, x, y, z)
    finite = 0
    for index, (i, j, k) in enumerate(zip(x.tolist(), y.tolist(), z.tolist(), strict=True)):
        if max(a.classify(i), b.classify(j), c.classify(k)) > Class.FINITE:
            continue
        value = a.value(i) * b.value(j) + c.value(k)
        if value:
            number = Exact(Class.FINITE, int(value < 0), abs(value.numerator), 1 - value.denominator.bit_length())
            assert (got.codes[index], got.flags[index]) == round_to(number, out, semantics)
            finite += 1
        else:
            assert not out.zero or out.classify(int(got.codes[index])) is Class.ZERO
    assert finite > 20


# ---- 9 to 13: widths, double rounding, sticky, carries -------------------------------------------


def test_09_third_operand_in_its_own_format(run):
    """cvfpu#86, #122, #136: a subnormal, a normal and a NaN addend of another format."""
    text = "fma e4m3fn e4m3fn fp32 -> fp32"
    one = 0x38
    assert run(text, one, one, 0x00000001) == (0x3F800000, NX)
    assert run(text, 0, one, 0x00000001) == (0x00000001, NONE)
    assert run(text, one, one, fp32(0.1)) == (fp32(np.float32(1) + np.float32(0.1)), NX)
    assert run(text, 0x7F, one, 0) == (0x7FC00000, NONE)
    assert run("fma bf16 int8 e5m2 -> fp16", 0x3F80, 0xFD, 0x3C) == (fp16(-2.0), NONE)


def test_10_no_double_rounding(run):
    """xls#2051, #2041; openlibm#357; compiler-builtins#1262: never by way of a middle format."""
    assert run("convert fp64 -> fp16", fp64(1 + 2.0**-11 + 2.0**-40)) == (0x3C01, NX)
    assert run("convert fp64 -> bf16", fp64(1 + 2.0**-8 + 2.0**-50)) == (0x3F81, NX)
    assert run("convert fp64 -> e4m3fn", fp64(2.0**-10 * (1 + 2.0**-30))) == (0x01, NX | UF)
    # fma: the product needs 22 bits; rounding it to fp16 first would lose what breaks the tie
    assert run("fma fp16 fp16 fp16 -> fp16", 0x3C01, 0x3C01, 0x6400) == (fp16(1025), NX)
    assert run("fma fp16 fp16 fp16 -> fp16", 0x3C01, 0x3BFE, 0xBC00) == (fp16(-(2.0**-20)), NONE)


def test_10_no_double_rounding_on_the_way_to_subnormals(run):
    """arch-com#627: rounding to the precision first and to the subnormal grid second."""
    value = 2.0**-24 * (0.5 + 2.0**-13)  # rounding to 11 bits first would make it the tie 2**-25
    assert run("convert fp32 -> fp16", fp32(value)) == (0x0001, NX | UF)
    value = 2.0**-24 * (1.5 - 2.0**-13)
    assert run("convert fp32 -> fp16", fp32(value)) == (0x0001, NX | UF)


def test_11_sticky_bits_of_far_addends(run):
    """FPnew 41f0cf8, 320eba6, 2bae4ac: an addend far below still breaks ties and directs rounding."""
    tie = fp32(1 + 2.0**-11)
    assert run("add fp32 fp32 -> fp16", tie, 0x00000001) == (0x3C01, NX)
    assert run("add fp32 fp32 -> fp16", tie, 0x80000001) == (0x3C00, NX)
    assert run("add fp16 fp16 -> fp16 rup", 0x7800, 0x0001) == (0x7801, NX)
    assert run("add fp16 fp16 -> fp16 rdn", 0x7800, 0x8001) == (0x77FF, NX)
    assert run("fma fp16 fp16 fp16 -> fp16 rtz", 0x3C00, 0x3C00, 0x8001) == (0x3BFF, NX)


def test_12_directed_modes_leave_exact_results_alone(run):
    """FPnew 96d8b28."""
    for mode in ("rup", "rdn", "rtz", "rto", "rna", "rne"):
        assert run(f"multiply fp16 fp16 -> fp16 {mode}", 0x3C01, 0x4000) == (0x4001, NONE)
        assert run(f"add fp16 fp16 -> fp16 {mode}", 0x3C00, 0x3C00) == (0x4000, NONE)


def test_12_rounding_carries_into_the_exponent(run):
    """FPnew 125cfcc: all ones round up to the next power of two, and to infinity from the largest."""
    assert run("convert fp32 -> fp16", fp32(2 - 2.0**-12)) == (0x4000, NX)
    assert run("convert fp32 -> fp16 rup", fp32(2 - 2.0**-20)) == (0x4000, NX)
    assert run("convert fp32 -> fp16", fp32(65520)) == (0x7C00, OF | NX)
    assert run("convert fp32 -> e2m1", fp32(1.75)) == (0x4, NX)


def test_13_largest_subnormal_to_smallest_normal(run):
    """APyTypes 0.5.1; ROCm hipDNN#7517."""
    for name in ("fp16", "e4m3fn", "e5m2", "e2m3", "e4m3fnuz", "binary8p4se"):
        fmt = parse(name)
        between = float(fmt.value((1 << fmt.trailing_bits) - 1) + fmt.value(1 << fmt.trailing_bits)) / 2
        assert run(f"convert fp64 -> {name} rna", fp64(between))[0] == 1 << fmt.trailing_bits
        assert run(f"convert fp64 -> {name} rtz", fp64(between))[0] == (1 << fmt.trailing_bits) - 1


# ---- 14 to 18, 22: small formats -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.25, 0),
        (0.75, 1),
        (1.25, 1),
        (1.75, 2),
        (2.5, 2),
        (3.5, 4),
        (5.0, 4),
        (0.2500001, 0.5),
        (4.9999995, 4),
        (5.0000005, 6),
    ],
)
def test_14_ties_on_the_e2m1_grid(run, value, expected):
    """ROCm/aiter#3992, #4030: `>=` at every midpoint gets 0.25, 1.25, 2.5 and 5 wrong."""
    for sign in (1, -1):
        code, flags = run("convert fp32 -> e2m1", fp32(sign * value))
        assert (float(parse("e2m1").value(code)), bool(code >> 3)) == (sign * expected, sign < 0)
        assert flags & NX


@pytest.mark.turns(3)
@pytest.mark.parametrize(
    ("name", "step"),
    [(name, 1) for name, entry in CATALOGUE.items() if entry.format.bits <= 8]
    + [
        pytest.param(name, *step.values, marks=step.marks, id=f"{name}-{step.id}")
        for name, entry in CATALOGUE.items()
        if 8 < entry.format.bits <= 16
        for step in portions(17)
    ],
)
def test_15_every_code_survives_decode_and_encode(run, name, step):
    """tt-metal#51971, #51975: 132 of 256 E4M3 codes did not."""
    fmt = parse(name)
    codes = np.unique([*range(0, 1 << fmt.bits, step), *corners(fmt)])
    wide = run.many(fpgen.Convert(source=name, out="fp64"), codes)
    back = run.many(fpgen.Convert(source="fp64", out=name), wide.codes)
    same = back.codes == codes
    for code, kept, again in zip(codes.tolist(), same, back.codes, strict=True):
        if fmt.classify(code) is Class.NAN:
            assert again == fmt.nan_code
        else:
            assert kept or (fmt.symmetric and code == 0x80)


def test_15_subnormals_of_mx_elements_are_in_their_binade(run):
    """tt-metal#51971: subnormals encoded one binade low, odd significands truncated."""
    for name in ("e4m3fn", "e5m2", "e3m2", "e2m3", "e2m1"):
        fmt = parse(name)
        for code in range(1, 1 << fmt.trailing_bits):
            assert run(f"convert fp32 -> {name}", fp32(float(code * fmt.min_positive))) == (code, NONE)


@pytest.mark.parametrize(
    ("value", "nan_or_max", "flags"),
    [
        (448, 0x7E, NONE),
        (464, 0x7E, NX),
        (464.00003, 0x7F, OF | NX),
        (465, 0x7F, OF | NX),
        (1e30, 0x7F, OF | NX),
    ],
)
def test_17_overflow_of_e4m3_begins_above_464(run, value, nan_or_max, flags):
    """ml_dtypes#147, #260, #400; onnx#4805; OFP8 5.2: overflow is judged after rounding; 464 is a tie and stays."""
    assert run("convert fp32 -> e4m3fn", fp32(value)) == (nan_or_max, flags)
    assert run("convert fp32 -> e4m3fn saturate", fp32(value)) == (0x7E, flags)


def test_17_infinity_under_both_ofp8_policies(run):
    """OFP8 5.2: SAT makes infinities the largest value; NONSAT makes them NaN in E4M3, infinity in E5M2."""
    inf = fp32(np.inf)
    assert run("convert fp32 -> e4m3fn", inf) == (0x7F, NV)
    assert run("convert fp32 -> e4m3fn saturate", inf) == (0x7E, NV)
    assert run("convert fp32 -> e5m2", inf) == (0x7C, NONE)
    assert run("convert fp32 -> e5m2 saturate", inf) == (0x7B, NV)
    assert run("convert fp32 -> e5m2 propagate", inf) == (0x7C, NONE)
    assert run("convert fp32 -> e5m2 propagate", fp32(1e30)) == (0x7B, OF | NX)
    assert run("convert fp32 -> e4m3fn saturate", fp32(np.nan)) == (0x7F, NONE)


def test_18_special_codes_of_fnuz(run):
    """modular#4794: 0x80 is NaN, there is no infinity and no minus zero."""
    assert run("convert e4m3fnuz -> fp16", 0x80) == (0x7E00, NONE)
    assert run("convert fp16 -> e4m3fnuz", 0x7C00) == (0x80, NV)
    assert run("convert fp16 -> e4m3fnuz", 0x8000) == (0x00, NONE)
    assert run("convert fp16 -> e4m3fnuz", 0x8001) == (0x00, NX | UF)
    assert run("multiply e4m3fnuz e4m3fnuz -> e4m3fnuz", 0x01, 0x81) == (0x00, NX | UF)
    assert run("convert e4m3fnuz -> fp16", 0x7F) == (fp16(240), NONE)
    assert run("convert e3m4 -> fp32", 0x6F) == (fp32(15.5), NONE)


def test_22_nan_where_the_output_has_none(run):
    """ml_dtypes makes -0 of it, gfloat raises; fpgen delivers the largest value with NV (as PTX cvt.satfinite)."""
    for name, largest in (("e2m1", 0x7), ("e2m3", 0x1F), ("e3m2", 0x1F), ("int8", 0x7F)):
        assert run(f"convert fp32 -> {name}", 0x7FC00000) == (largest, NV)
        assert run(f"convert fp32 -> {name}", 0xFFC00000) == (largest, NV)
