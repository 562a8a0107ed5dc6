"""overflow=wrap: fixed-point results modulo 2**bits, against numpy's integers and Python's."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from block_cases import hardware
from sum_cases import draw_sum
from test_rtl_mac import assert_equals_golden

import fpgen
from fpgen.base.errors import UsageError
from fpgen.golden.exact import exact_model as exact
from fpgen.units.options import Flags

NV, NX = int(Flags.NV), int(Flags.NX)


def signed(codes: np.ndarray, bits: int) -> np.ndarray:
    """Codes of up to 62 bits as two's complement."""
    value = codes.astype(np.int64)
    return np.where(value >> (bits - 1), value - (1 << bits), value)


def grid(*bits: int) -> list[np.ndarray]:
    """Every combination of codes of so many bits."""
    axes = np.meshgrid(*[np.arange(1 << width) for width in bits], indexing="ij")
    return [axis.reshape(-1).astype(np.uint64) for axis in axes]


def everywhere(unit, codes: dict[str, np.ndarray], every: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Codes and flags, the same from both models (of the exact one, one in `every`) and the hardware."""
    slow = exact.compute(
        unit,
        {name: codes[name][::every] for name in unit.operands},
        {name: codes[name][::every] for name in codes if name not in unit.operands},
    )
    fast, found = unit.compute(**codes), hardware(unit, codes)
    assert (slow.codes == fast.codes[::every]).all() and (slow.flags == fast.flags[::every]).all()
    assert (found["result"] == fast.codes).all() and (found["flags"] == fast.flags).all()
    return fast.codes.astype(np.int64), fast.flags.astype(np.int64)


# ---- integers against numpy's, which wrap around themselves ---------------------------------------------


def test_every_product_and_sum_of_int8_is_numpys():
    a, b = grid(8, 8)
    x, y = a.astype(np.uint8).view(np.int8), b.astype(np.uint8).view(np.int8)
    for text, wanted, whole in (
        ("multiply int8 int8 -> int8 wrap flags=on", x * y, x.astype(int) * y),
        ("add int8 int8 -> int8 wrap flags=on", x + y, x.astype(int) + y),
        ("add int8 int8 -> int8 wrap flags=on subtract=on", x - y, x.astype(int) - y),
    ):
        assert wanted.dtype == np.int8
        unit = fpgen.parse_unit(text)
        codes, flags = everywhere(unit, {"a": a, "b": b}, every=29)
        assert (codes == wanted.view(np.uint8)).all(), text
        assert (flags == np.where((whole < -128) | (whole > 127), NV, 0)).all(), text


@pytest.mark.parametrize("bits", [16, 32])
def test_dot_products_are_those_of_a_short_accumulator(bits):
    rng = np.random.default_rng(bits)
    unit = fpgen.parse_unit(f"dot int8 int8 n=8 + int{bits} -> int{bits} wrap flags=on")
    a, b = (rng.integers(-128, 128, (400, 8)).astype(np.int8) for _ in "ab")
    a[::5], b[::5] = -128, -128
    kind = np.dtype(f"int{bits}")
    c = rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, 400, endpoint=True).astype(kind)
    c[::7] = np.iinfo(kind).max
    total = c.copy()
    for i in range(8):  # numpy's own addition, one after another: the order is nothing to a residue
        total = total + a[:, i].astype(kind) * b[:, i].astype(kind)
    assert total.dtype == kind
    codes, flags = everywhere(
        unit,
        {
            "a": a.view(np.uint8).astype(np.uint64),
            "b": b.view(np.uint8).astype(np.uint64),
            "c": c.view(f"uint{bits}").astype(np.uint64),
        },
    )
    assert (codes.astype(f"uint{bits}") == total.view(f"uint{bits}")).all()
    whole = (a.astype(int) * b).sum(1) + c.astype(int)
    assert (flags == np.where(whole == total.astype(int), 0, NV)).all() and 0 < (flags == NV).sum() < len(flags)


def test_saturating_is_still_the_default_and_differs():
    one, other = (fpgen.parse_unit(f"dot int8 int8 n=4 -> int16 {how}") for how in ("", "wrap"))
    codes = {"a": np.full((1, 4), 0x80, np.uint64), "b": np.full((1, 4), 0x80, np.uint64)}
    assert int(one.compute(**codes).codes[0]) == 0x7FFF
    assert int(other.compute(**codes).codes[0]) == 4 * 128 * 128 % 65536 == 0


# ---- rounding first, then the residue --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "rounded"),
    [
        ("rne", round),
        ("rtz", math.trunc),
        ("rup", math.ceil),
        ("rdn", math.floor),
        ("rna", lambda x: math.floor(abs(x) + Fraction(1, 2)) * (1 if x >= 0 else -1)),
        ("rto", lambda x: int(x) if x == int(x) else math.floor(x) | 1),
    ],
)
def test_a_result_is_rounded_before_it_wraps(mode, rounded):
    unit = fpgen.parse_unit(f"convert int13:scale=-4 -> int7 {mode} wrap flags=on")
    (source,) = grid(13)
    values = [Fraction(int(value), 16) for value in signed(source, 13)]
    whole = [rounded(value) for value in values]
    codes, flags = everywhere(unit, {"source": source})
    assert codes.tolist() == [value % 128 for value in whole]
    assert flags.tolist() == [
        NV if not -64 <= number < 64 else 0 if number == value else NX
        for number, value in zip(whole, values, strict=True)
    ]


def test_fused_multiply_adds_of_fractions():
    unit = fpgen.parse_unit("fma int4:scale=-3 int4:scale=-2 int5:scale=-1 -> uint3 rdn wrap flags=on")
    a, b, c = grid(4, 4, 5)
    exactly = [
        Fraction(int(x) * int(y), 32) + Fraction(int(z), 2)
        for x, y, z in zip(signed(a, 4), signed(b, 4), signed(c, 5), strict=True)
    ]
    codes, flags = everywhere(unit, {"a": a, "b": b, "c": c})
    assert codes.tolist() == [math.floor(value) % 8 for value in exactly]
    assert flags.tolist() == [
        NV if not 0 <= math.floor(value) < 8 else 0 if value.denominator == 1 else NX for value in exactly
    ]


# ---- floating-point operands -----------------------------------------------------------------------------


def test_floats_far_out_of_range_and_what_is_no_number():
    unit = fpgen.parse_unit("convert fp32 -> int8 rtz wrap flags=on")
    cases = {
        300.0: (300 - 256, NV),
        -129.5: (127, NV),
        127.0: (127, 0),
        100.5: (100, NX),
        -0.0: (0, 0),
        2.0**24 + 2.0: (2, NV),
        2.0**100: (0, NV),
        -(2.0**23) - 3: (-3 % 256, NV),
        1e-30: (0, NX),
        np.inf: (127, NV),
        -np.inf: (128, NV),
        np.nan: (127, NV),
    }
    source = np.array(list(cases), np.float32).view(np.uint32).astype(np.uint64)
    codes, flags = everywhere(unit, {"source": source})
    assert list(zip(codes.tolist(), flags.tolist(), strict=True)) == list(cases.values())


def test_a_float_product_of_many_binades():
    unit = fpgen.parse_unit("multiply fp16 e5m2 -> int8 rdn wrap flags=on")
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 1 << 16, 500, dtype=np.uint64), rng.integers(0, 1 << 8, 500, dtype=np.uint64)
    codes, _ = everywhere(unit, {"a": a, "b": b})
    seen = 0
    for x, y, code in zip(a, b, codes, strict=True):
        if unit.a.classify(int(x)) <= 1 and unit.b.classify(int(y)) <= 1:
            assert code == math.floor(unit.a.value(int(x)) * unit.b.value(int(y))) % 256
            seen += 1
    assert seen > 400


# ---- the models and the hardware agree -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "dot int8 int8 n=3 + int32 -> int8 wrap flags=on",
        "dot uint8 int8 n=4 + int8 -> uint8 wrap flags=on",
        "dot int32 int32 n=2 + int64 -> int64 wrap flags=on",
        "dot int8:scale=-4 int8:scale=-4 n=3 -> int8:scale=-2 port wrap flags=on",
        "dot e4m3fn e4m3fn n=3 + int8 -> int8 port wrap flags=on",
        "dot e4m3fn e2m1 n=3 -> int4 wrap sra random_bits=4 flags=on",
        "blockdot int8@ue4m3/2 int4@ue4m3/2 k=4 + int16 -> int16 wrap flags=on",
        "blockdot e4m3fn uint4@fp16/2 k=4 + int16 -> int8 wrap flags=on b_zero=uint4",
    ],
)
def test_sums(text):
    unit = fpgen.parse_unit(text)
    everywhere(unit, draw_sum(unit, 200, 1))


@pytest.mark.parametrize(
    "text",
    [
        "add uint2 int8:scale=20 -> int32 wrap flags=on subtract=on",  # the lowest code, negated
        "add uint8 uint8 -> int16 wrap flags=on subtract=port",
        "add ue4m3 ue4m3 -> int8 port wrap flags=on subtract=port",
        "add fp16 int8 -> int8 wrap flags=on",
        "fma int32 int32 int64 -> int64 wrap flags=on",
        "fma fp16 fp16 fp32 -> int16 port wrap flags=on",
        "multiply int64 int64 -> uint64 wrap flags=on",
        "convert fp64 -> uint64 rtz wrap flags=on",
        "convert uint8 -> int8 wrap flags=on",
        "convert e2m1 -> int2:scale=-1 wrap flags=on",
        "convert fp32 -> int8:scale=4 wrap srb random_bits=5 flags=on",
    ],
)
def test_single_operations(text):
    unit = fpgen.parse_unit(text)
    rng = np.random.default_rng(6)
    codes = {
        port.name: rng.integers(0, (1 << port.width) - 1, 300, np.uint64, endpoint=True)
        for port in unit.ports
        if port.travels_in
    }
    for name, fmt in unit.operands.items():  # as many from the ends as from everywhere
        ends = np.array([0, 1, fmt.max_finite_code, fmt.min_finite_code, fmt.sign_mask], np.uint64)
        codes[name] = np.where(rng.random(300) < 0.4, rng.choice(ends, 300), codes[name])
    codes = {
        name: np.where(np.arange(300) % 6, array, array % 6) if name == "rounding" else array
        for name, array in codes.items()
    }
    found, _ = everywhere(unit, codes)
    assert len(set(found.tolist())) > 3


@pytest.mark.parametrize(
    "text",
    [
        "mac int8 int8 -> int16 wrap loadable flags=on",
        "mac int8 uint8 -> uint8 wrap flags=on",
        "mac int8 int8 -> int12 wrap accumulate=exact terms=8 flags=on",
        "mac e4m3fn int4 -> int8 port wrap accumulate=exact terms=8 flags=on",
    ],
)
def test_running_sums(text):
    unit = fpgen.parse_unit(text)
    rng = np.random.default_rng(8)
    shape = (20, 12)
    inputs = {port.name: rng.integers(0, 1 << port.width, shape, np.uint64) for port in unit.ports if port.travels_in}
    inputs["clear"] = (rng.random(shape) < 0.15).astype(np.uint64)
    inputs["clear"][:, 0] = 1
    inputs["clear"][:, 8] = 1  # no more products than `terms`
    if "load" in inputs:
        inputs["load"] = (rng.random(shape) < 0.1).astype(np.uint64)
    assert_equals_golden(unit, inputs)
    operands = {name: inputs[name] for name in unit.operands}
    slow = exact.compute(unit, operands, {name: inputs[name] for name in inputs if name not in operands})
    fast = unit.compute(**inputs)
    assert (slow.codes == fast.codes).all() and (slow.flags == fast.flags).all()
    assert (fast.flags == NV).any() and (fast.flags != NV).any()


def test_a_running_sum_of_integers_is_numpys():
    unit = fpgen.parse_unit("mac int8 int8 -> int16 wrap")
    rng = np.random.default_rng(9)
    a, b = (rng.integers(-128, 128, 1500).astype(np.int8) for _ in "ab")
    clear = np.zeros(1500, np.uint64)
    clear[0] = 1
    total = np.cumsum(a.astype(np.int16) * b.astype(np.int16), dtype=np.int16)
    found = unit.compute(a.view(np.uint8), b.view(np.uint8), clear=clear).codes
    assert (found.view(np.int16) == total).all()


# ---- as an option ----------------------------------------------------------------------------------------


def test_text_and_contract():
    unit = fpgen.parse_unit("dot int8 int8 n=4 + int32 -> int32 wrap")
    assert unit.text == "dot int8 int8 n=4 + int32 -> int32 rne wrap" and fpgen.parse_unit(unit.text) == unit
    assert fpgen.unit_from_dict(unit.to_dict()) == unit
    assert unit.contract == "exact sum, rounded once, RNE, wrapping modulo 2^32"
    assert fpgen.parse_unit("convert int16 -> int8:scale=4 wrap").contract.endswith("wrapping modulo 2^12")


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("dot int8 int8 n=4 -> fp32 wrap", "got output fp32, which is floating point; expected an integer"),
        ("convert fp32 -> mxint8 wrap", "which never delivers its lowest code; expected an output with symmetric=no"),
        ("quantize fp32 -> int8@e8m0/4 wrap", "overflow=wrap: got quantize; expected multiply, add, fma, mac, convert"),
        ("dequantize int8@e8m0/4 -> int8 wrap", "overflow=wrap: got dequantize; expected multiply"),
        ("dot e4m3fn e4m3fn n=4 -> int8 wrap accumulate=tree:intermediate=fp32", "got output fp32, which is floating"),
        ("multiply e15m16 e15m16 -> int8 wrap", "exact results span 65564 bits; expected up to 8192"),
    ],
)
def test_refusals(text, advice):
    with pytest.raises(UsageError, match=advice):
        fpgen.parse_unit(text)
