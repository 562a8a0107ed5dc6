"""The exact model against ml_dtypes: every type's conversions, and arithmetic where it rounds once.

Where ml_dtypes does something else, the inputs are named here (`known_conversion`), with what the standard says.
"""

from __future__ import annotations

import numpy as np
import pytest
from corner_codes import corners, spread
from portions import portions

import fpgen
from fpgen.formats import Class
from fpgen.golden.exact import exact_model as exact

ml_dtypes = pytest.importorskip("ml_dtypes")

TYPES = {
    "e3m4": ml_dtypes.float8_e3m4,
    "e4m3": ml_dtypes.float8_e4m3,
    "e4m3fn": ml_dtypes.float8_e4m3fn,
    "e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "e4m3b11fnuz": ml_dtypes.float8_e4m3b11fnuz,
    "e5m2": ml_dtypes.float8_e5m2,
    "e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "e8m0": ml_dtypes.float8_e8m0fnu,
    "e2m3": ml_dtypes.float6_e2m3fn,
    "e3m2": ml_dtypes.float6_e3m2fn,
    "e2m1": ml_dtypes.float4_e2m1fn,
    "bf16": ml_dtypes.bfloat16,
    "fp16": np.float16,
    "fp32": np.float32,
    "fp64": np.float64,
}
SMALL = [name for name in TYPES if fpgen.parse_format(name).bits <= 8]
NO_NAN = ["e2m3", "e3m2", "e2m1"]


def as_type(codes: np.ndarray, name: str) -> np.ndarray:
    """Codes as an array of the library's type."""
    storage = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}[np.dtype(TYPES[name]).itemsize]
    return codes.astype(storage).view(TYPES[name])


def as_codes(values: np.ndarray) -> np.ndarray:
    return values.view({1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}[values.dtype.itemsize])


def is_nan(codes: np.ndarray, name: str) -> np.ndarray:
    fmt = fpgen.parse_format(name)
    return np.array([fmt.classify(int(code)) is Class.NAN for code in codes], dtype=bool)


def differing(ours: np.ndarray, theirs: np.ndarray, name: str) -> np.ndarray:
    """Where the codes differ, all NaNs being one."""
    different = ours != theirs
    at = np.flatnonzero(different)
    both = is_nan(ours.reshape(-1)[at], name) & is_nan(theirs.reshape(-1)[at], name)
    return at[~both]


def known_conversion(out: str, value: float) -> set[int]:
    """What ml_dtypes is known to deliver instead; empty where it must agree.

    - FP4 and FP6 have no NaN: ml_dtypes makes a zero of one (of either sign). OCP MX 1.0 leaves it open;
      fpgen delivers the largest value with NV, as PTX cvt.satfinite does.
    - E8M0 has no zero: ml_dtypes makes NaN of one, and of negative values that round to zero; fpgen delivers
      the smallest value, UF where it was not zero. OCP MX 1.0 leaves it open.
    - E8M0 ties go up in ml_dtypes; to the even code in fpgen and gfloat (P3109, 4.7.4, CodeIsEven).
    - E8M0: ml_dtypes rounds all of (2**-127, 2**-126) up to 2**-126, although 2**-127 is code 0 and nearer
      for the lower half: not a rounding to nearest.
    """
    fmt = fpgen.parse_format(out)
    if out in NO_NAN:
        return {0, fmt.sign_mask} if np.isnan(value) else set()
    if out == "e8m0" and np.isfinite(value):
        least = 2.0**-127
        if value == 0 or -0.75 * least < value < 0:
            return {fmt.nan_code}
        if least < value < 1.5 * least:
            return {1}
        fraction, exponent = np.frexp(value)
        if fraction == 0.75 and value > least:  # exactly between two powers of two
            return {int(exponent) + 127 if value < 2.0**127 else fmt.nan_code}
    return set()


def check_conversion(source: str, out: str, codes: np.ndarray):
    values = as_type(codes, source)
    with np.errstate(all="ignore"):
        theirs = as_codes(values.astype(TYPES[out])).copy()
        wide = values.astype(np.float64)
    ours = exact.compute(fpgen.Convert(source=source, out=out), {"source": codes}).codes
    known = [known_conversion(out, float(value)) for value in wide]
    differ = set(differing(ours, theirs, out).tolist())
    unexpected = [index for index in differ if int(theirs[index]) not in known[index]]
    assert not unexpected, [(source, out, float(wide[i]), hex(ours[i]), hex(theirs[i])) for i in sorted(unexpected)[:5]]


@pytest.mark.turns(2)
@pytest.mark.parametrize("step", portions(17))
@pytest.mark.parametrize(("source", "out"), [(s, o) for s in ("fp16", "bf16") for o in TYPES if s != o])
def test_convert_16_bit_codes(source, out, step):
    codes = [*range(0, 1 << 16, step), *corners(fpgen.parse_format(source))]
    check_conversion(source, out, np.unique(np.array(codes, dtype=np.uint64)))


#: ml_dtypes has no cast between E8M0 and the other small types.
SMALL_PAIRS = [(s, o) for s in SMALL for o in TYPES if s != o and not ("e8m0" in (s, o) and {s, o} <= set(SMALL))]


@pytest.mark.parametrize(("source", "out"), SMALL_PAIRS)
def test_convert_every_small_code(source, out):
    check_conversion(source, out, np.arange(1 << fpgen.parse_format(source).bits, dtype=np.uint64))


@pytest.mark.parametrize("out", [*SMALL, "fp16", "bf16"])
def test_convert_fp32_corners_and_midpoints(out):
    start, end = fpgen.parse_format("fp32"), fpgen.parse_format(out)
    rng = np.random.default_rng(1)
    codes = [*corners(start), *spread(start, 2000, rng).tolist()]
    lattice = range(1 << end.bits) if end.bits <= 8 else [*corners(end), *spread(end, 1000, rng).tolist()]
    for code in lattice:
        wide, _ = exact.convert(int(code), end, start, fpgen.Convert(source=end, out=start).semantics)
        half = 1 << start.trailing_bits - end.trailing_bits - 1
        codes += [(wide + step) % (1 << 32) for step in (-1, 0, 1, half - 1, half, half + 1)]
    check_conversion("fp32", out, np.unique(np.array(codes, dtype=np.uint64)))


@pytest.mark.turns(2)
@pytest.mark.parametrize("step", portions(7))
@pytest.mark.parametrize("operation", ["multiply", "add", "subtract"])
@pytest.mark.parametrize("name", [name for name in SMALL if name != "e8m0"])
def test_arithmetic_on_pairs(name, operation, step):
    """ml_dtypes computes in binary32 and rounds again: harmless at these widths, so every pair must agree."""
    fmt = fpgen.parse_format(name)
    codes = np.arange(1 << fmt.bits, dtype=np.uint64)
    a, b = (x.reshape(-1)[::step] for x in np.meshgrid(codes, codes, indexing="ij"))
    x, y = as_type(a, name), as_type(b, name)
    with np.errstate(all="ignore"):
        theirs = as_codes(x * y if operation == "multiply" else x + y if operation == "add" else x - y)
    if operation == "multiply":
        unit = fpgen.Multiply(a=name, b=name, out=name)
    else:
        unit = fpgen.Add(a=name, b=name, out=name, subtract="on" if operation == "subtract" else "off")
    ours = exact.compute(unit, {"a": a, "b": b}).codes
    assert differing(ours, theirs, name).size == 0


def test_bf16_products_and_sums():
    """Rounding twice is harmless here too: a 16-bit product not below 2**-134 is exact in binary32."""
    fmt = fpgen.parse_format("bf16")
    rng = np.random.default_rng(3)
    edge = np.array(corners(fmt), dtype=np.uint64)
    a = np.concatenate([np.repeat(edge, edge.size), spread(fmt, 4000, rng)])
    b = np.concatenate([np.tile(edge, edge.size), spread(fmt, 4000, rng)])
    x, y = as_type(a, "bf16"), as_type(b, "bf16")
    with np.errstate(all="ignore"):
        product, total = as_codes(x * y), as_codes(x + y)
    total_ours = exact.compute(fpgen.Add(a="bf16", b="bf16", out="bf16"), {"a": a, "b": b}).codes
    assert differing(total_ours, total, "bf16").size == 0
    ours = exact.compute(fpgen.Multiply(a="bf16", b="bf16", out="bf16"), {"a": a, "b": b}).codes
    assert differing(ours, product, "bf16").size == 0


@pytest.mark.parametrize(("name", "kind"), [("int4", "int4"), ("uint4", "uint4")])
def test_small_integers(name, kind):
    """int4 and uint4: their values, and truncation of what is in range (beyond it ml_dtypes wraps; 754 saturates)."""
    fmt = fpgen.parse_format(name)
    values = np.arange(1 << fmt.bits, dtype=np.uint8).view(getattr(ml_dtypes, kind)).astype(np.float64)
    assert [float(fmt.value(code)) for code in range(1 << fmt.bits)] == values.tolist()
    codes = np.arange(0, 1 << 16, 7, dtype=np.uint64)
    x = as_type(codes, "fp16").astype(np.float64)
    keep = (x > float(fmt.min_finite) - 1) & (x < float(fmt.max_finite) + 1)
    if not fmt.signed:
        keep &= x >= 0
    theirs = as_type(codes[keep], "fp16").astype(getattr(ml_dtypes, kind)).view(np.uint8) & 15
    ours = exact.compute(fpgen.Convert(source="fp16", out=name, rounding="rtz"), {"source": codes[keep]}).codes
    assert keep.sum() > 1000
    assert np.array_equal(ours, theirs)


def test_dot_of_e4m3_in_numpy_is_not_the_sum():
    """Bug class 22: np.dot of a hundred E4M3 ones is 96, because the result is E4M3 again (100 is a tie of 96 and
    104), and `@` gives 100 in float32. Here the output format says which; rounding every step gives 16."""
    ones = np.full(100, 0x38, dtype=np.uint64)
    assert float(np.dot(as_type(ones, "e4m3fn"), as_type(ones, "e4m3fn"))) == 96.0
    assert float(as_type(ones, "e4m3fn") @ as_type(ones, "e4m3fn")) == 100.0
    for out, expected in (("fp32", 100.0), ("e4m3fn", 96.0)):
        unit = fpgen.MultiplyAccumulate(a="e4m3fn", b="e4m3fn", out=out, accumulate="exact")
        last = int(exact.compute(unit, {"a": ones, "b": ones}).codes[-1])
        assert float(unit.out.value(last)) == expected
    stepwise = fpgen.MultiplyAccumulate(a="e4m3fn", b="e4m3fn", out="e4m3fn")
    last = int(exact.compute(stepwise, {"a": ones, "b": ones}).codes[-1])
    assert float(stepwise.out.value(last)) == 16.0  # 16 + 1 is a tie and stays 16
