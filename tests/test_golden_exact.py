"""Operations of the exact model: arithmetic in fractions, the rules for specials, flushing, accumulation, arrays."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from corner_codes import corners, spread
from hypothesis import given, settings
from hypothesis import strategies as st

import fpgen
from fpgen import UsageError
from fpgen.formats import CATALOGUE, Class, Format, parse
from fpgen.golden.exact import exact_model as exact
from fpgen.golden.exact.exact_round import finite, round_to
from fpgen.units import PORT_MODES, Accumulate, Flags, Overflow, Rounding, Semantics, Subnormals

MIXES = [  # a, b, c, out
    ("fp16", "bf16", "fp32", "fp32"),
    ("e4m3fn", "e5m2", "e3m2", "bf16"),
    ("bf16", "int8", "fp16", "fp16"),
    ("int4", "uint8", "int8", "int16"),
    ("e8m0", "e2m1", "ue4m3", "e4m3fn"),
    ("binary8p3se", "binary8p1uf", "e2m0", "e5m2"),
    ("e1m2:inf=ieee,nan=ieee", "e1m1", "e2m0", "e3m0"),
    ("uint6:scale=-3", "mxint8", "int5:scale=2", "e4m3fnuz"),
    ("fp64", "fp32", "fp64", "fp64"),
    ("e4m3:subnormals=no", "e3m4", "e4m3fn", "ue4m3"),
    ("fp16", "fp16", "fp16", "e8m0"),
    ("binary3p1se", "binary3p2sf", "binary4p2sf", "binary8p7se"),
]
MODES = [mode for mode in Rounding if mode is not Rounding.PORT]


def draw_codes(fmt: Format, count: int, rng: np.random.Generator) -> list[int]:
    edge = np.array(corners(fmt), dtype=np.uint64)
    return np.where(rng.integers(0, 2, count) == 1, rng.choice(edge, count), spread(fmt, count, rng)).tolist()


def as_exact(value: Fraction, zero_sign: int = 0):
    if value == 0:
        return finite(zero_sign, 0, 0)
    return finite(int(value < 0), abs(value.numerator), -(value.denominator.bit_length() - 1))


@pytest.mark.turns(3)
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize(("fa", "fb", "fc", "out"), [tuple(map(parse, mix)) for mix in MIXES], ids=lambda fmt: fmt.name)
def test_finite_results_are_the_fraction_rounded_once(fa, fb, fc, out, mode):
    """Mixed formats; the exact value from `Format.value`, in fractions."""
    rng = np.random.default_rng(1)
    semantics = Semantics(mode, Overflow.SATURATE, random_bits=4 if mode.stochastic else 0)
    compared = 0
    for a, b, c in zip(*(draw_codes(fmt, 150, rng) for fmt in (fa, fb, fc)), strict=True):
        if any(fmt.classify(code) > Class.FINITE for fmt, code in ((fa, a), (fb, b), (fc, c))):
            continue
        x, y, z = fa.value(a), fb.value(b), fc.value(c)
        random = int(rng.integers(0, 16)) if mode.stochastic else 0
        for value, ours in (
            (x * y, exact.multiply(a, b, fa, fb, out, semantics, random=random)),
            (x + y, exact.add(a, b, fa, fb, out, semantics, random=random)),
            (x - y, exact.add(a, b, fa, fb, out, semantics, subtract=True, random=random)),
            (x * y + z, exact.fma(a, b, c, fa, fb, fc, out, semantics, random=random)),
            (x, exact.convert(a, fa, out, semantics, random=random)),
        ):
            if value:  # the sign of zeros has its own tests
                assert ours == round_to(as_exact(value), out, semantics, random=random)
                compared += 1
            else:
                assert out.zero is False or out.classify(ours[0]) is Class.ZERO
    assert compared > 50


@pytest.mark.parametrize("name", [name for name in CATALOGUE if CATALOGUE[name].format.bits <= 8])
def test_addition_and_multiplication_commute(name):
    fmt = parse(name)
    rng = np.random.default_rng(2)
    out = parse("e5m6")
    for a, b in zip(draw_codes(fmt, 200, rng), draw_codes(fmt, 200, rng), strict=True):
        for operation in (exact.add, exact.multiply):
            assert operation(a, b, fmt, fmt, out, Semantics()) == operation(b, a, fmt, fmt, out, Semantics())


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.sampled_from(MODES[:6]))
def test_negating_everything_mirrors_the_mode(a, b, mode):
    """-(a * b) rounded up is a * -b rounded down, and so on (754-2019, 4.3.2)."""
    fmt = parse("fp16")
    mirror = {Rounding.RUP: Rounding.RDN, Rounding.RDN: Rounding.RUP}.get(mode, mode)
    code, flags = exact.multiply(a, b, fmt, fmt, fmt, Semantics(mode))
    other, other_flags = exact.multiply(a, b ^ 0x8000, fmt, fmt, fmt, Semantics(mirror))
    assert flags == other_flags
    assert other == (code if fmt.classify(code) is Class.NAN else code ^ 0x8000)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 0xFF), st.integers(0, 0xFF), st.integers(0, 0xFF))
def test_fma_with_one_or_zero_is_add_or_multiply(a, b, c):
    fmt, wide = parse("e5m2"), parse("fp16")
    plus_zero = exact.fma(a, b, 0x80 if (a ^ b) & 0x80 else 0, fmt, fmt, fmt, wide, Semantics())
    assert plus_zero == exact.multiply(a, b, fmt, fmt, wide, Semantics())
    times_one = exact.fma(a, 0x3C, c, fmt, fmt, fmt, wide, Semantics())
    assert times_one == exact.add(a, c, fmt, fmt, wide, Semantics())


# ---- subnormals ----------------------------------------------------------------------------------


def test_flushed_operands_are_zeros_of_their_sign():
    fmt = parse("fp16")
    daz = Semantics(subnormals=Subnormals.IN)
    assert exact.convert(0x83FF, fmt, fmt, daz) == (0x8000, Flags(0))
    assert exact.multiply(0x03FF, 0x7C00, fmt, fmt, fmt, daz) == (0x7E00, Flags.NV)
    assert exact.add(0x3C00, 0x83FF, fmt, fmt, fmt, daz) == (0x3C00, Flags(0))
    assert exact.multiply(0x0400, 0x3800, fmt, fmt, fmt, daz) == (0x0200, Flags(0))  # results are not flushed
    eight = parse("e8m0")
    assert exact.convert(0, eight, parse("fp64"), daz)[0] == 0x380 << 52  # no subnormals there: 2**-127


def test_flushed_results_are_zeros_of_their_sign_in_every_mode():
    fmt = parse("fp16")
    for mode in MODES[:6]:
        ftz = Semantics(mode, subnormals=Subnormals.OUT)
        assert exact.convert(0x03FF, fmt, fmt, ftz) == (0x0000, Flags.UF | Flags.NX)
        assert exact.convert(0x8001, fmt, fmt, ftz) == (0x8000, Flags.UF | Flags.NX)
        assert exact.convert(0x0400, fmt, fmt, ftz) == (0x0400, Flags(0))
    both = Semantics(subnormals=Subnormals.BOTH)
    assert exact.convert(0x03FF, fmt, fmt, both) == (0x0000, Flags(0))  # it was a zero already
    assert exact.multiply(0x0400, 0x3800, fmt, fmt, fmt, both) == (0x0000, Flags.UF | Flags.NX)


# ---- outputs with fewer values -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "overflow", "expected", "flags"),
    [
        (-1.0, Overflow.IEEE, 0x7F, Flags.NV),
        (-1.0, Overflow.SATURATE, 0x00, Flags.NV),
        (-np.inf, Overflow.IEEE, 0x7F, Flags.NV),
        (-np.inf, Overflow.SATURATE, 0x00, Flags.NV),
        (-0.0, Overflow.IEEE, 0x00, Flags(0)),
        (-(2.0**-11), Overflow.IEEE, 0x00, Flags.UF | Flags.NX),
        (np.inf, Overflow.IEEE, 0x7F, Flags.NV),
        (np.inf, Overflow.SATURATE, 0x7E, Flags.NV),
        (480.0, Overflow.IEEE, 0x7F, Flags.OF | Flags.NX),
        (480.0, Overflow.SATURATE, 0x7E, Flags.OF | Flags.NX),
    ],
)
def test_unsigned_output(value, overflow, expected, flags):
    code = int(np.float64(value).view(np.uint64))
    assert exact.convert(code, parse("fp64"), parse("ue4m3"), Semantics(overflow=overflow)) == (expected, flags)


@pytest.mark.parametrize(
    ("value", "expected", "flags"),
    [
        (0.0, 0x00, Flags.NX),
        (-0.0, 0x00, Flags.NX),
        (2.0**-127, 0x00, Flags(0)),
        (2.0**-128, 0x00, Flags.UF | Flags.NX),
        (0.8 * 2.0**-127, 0x00, Flags.NX),
        (-(2.0**-140), 0x00, Flags.UF | Flags.NX),
        (-1.0, 0xFF, Flags.NV),
        (1.5, 0x80, Flags.NX),
        (3.0, 0x80, Flags.NX),
        (2.0**127, 0xFE, Flags(0)),
        (2.0**128, 0xFF, Flags.OF | Flags.NX),
        (np.inf, 0xFF, Flags.NV),
        (np.nan, 0xFF, Flags(0)),
    ],
)
def test_output_without_zero(value, expected, flags):
    code = int(np.float64(value).view(np.uint64))
    assert exact.convert(code, parse("fp64"), parse("e8m0"), Semantics()) == (expected, flags)


@pytest.mark.parametrize(
    ("value", "out", "expected", "flags"),
    [
        (127.5, "int8", 127, Flags.NV),
        (127.49, "int8", 127, Flags.NX),
        (-128.5, "int8", 0x80, Flags.NX),
        (-129, "int8", 0x80, Flags.NV),
        (-0.4, "uint8", 0, Flags.NX),
        (-0.6, "uint8", 0, Flags.NV),
        (-2.0, "mxint8", 0x81, Flags.NV),
        (1.984375, "mxint8", 0x7F, Flags(0)),
        (0.4375, "uint6:scale=-3", 4, Flags.NX),
        (np.nan, "int8", 127, Flags.NV),
        (-np.inf, "int8", 0x80, Flags.NV),
        (1e300, "int8", 127, Flags.NV),
    ],
)
def test_fixed_point_output(value, out, expected, flags):
    code = int(np.float64(value).view(np.uint64))
    semantics = Semantics(overflow=Overflow.SATURATE)
    assert exact.convert(code, parse("fp64"), parse(out), semantics) == (expected, flags)


# ---- multiply-accumulate -------------------------------------------------------------------------


def bits(values, dtype=np.float16) -> np.ndarray:
    return np.asarray(values, dtype=dtype).view({2: np.uint16, 4: np.uint32, 8: np.uint64}[np.dtype(dtype).itemsize])


def test_float_accumulation_is_an_fma_a_step():
    unit = fpgen.parse_unit("mac fp16 e5m2 -> fp16 rup loadable subnormals=both")
    rng = np.random.default_rng(3)
    a, b = spread(unit.a, 400, rng), spread(unit.b, 400, rng)
    c = spread(unit.out, 400, rng)
    clear, load = rng.random(400) < 0.1, rng.random(400) < 0.1
    got = exact.compute(unit, {"a": a, "b": b}, {"clear": clear, "load": load, "c": c})
    register = 0
    for index in range(400):
        base = int(c[index]) if load[index] else 0 if clear[index] else register
        register, flags = exact.fma(
            int(a[index]), int(b[index]), base, unit.a, unit.b, unit.out, unit.out, unit.semantics
        )
        assert (got.codes[index], got.flags[index]) == (register, flags)


@pytest.mark.parametrize(
    "text",
    [
        "mac e5m2 e5m2 -> fp32",
        "mac e4m3fn int8 -> fp16 rdn",
        "mac int4 uint4 -> int8",
        "mac e4m3:subnormals=no e8m0 -> bf16 rto",
        "mac e2m1 e2m1 -> e4m3fn saturate",
        "mac e1m2:inf=ieee,nan=ieee binary3p1se -> fp32",
    ],
)
def test_exact_accumulation_is_the_sum_of_fractions_rounded_once(text):
    unit = fpgen.parse_unit(f"{text} accumulate=exact terms=64")
    rng = np.random.default_rng(4)
    a = [code for code in draw_codes(unit.a, 400, rng) if unit.a.classify(code) <= Class.FINITE]
    b = [code for code in draw_codes(unit.b, 400, rng) if unit.b.classify(code) <= Class.FINITE]
    n = min(len(a), len(b))
    clear = np.arange(n) % 64 == 0
    got = exact.compute(unit, {"a": a[:n], "b": b[:n]}, {"clear": clear})
    total = Fraction(0)
    for index in range(n):
        total = (0 if clear[index] else total) + unit.a.value(a[index]) * unit.b.value(b[index])
        assert (got.codes[index], got.flags[index]) == round_to(as_exact(total), unit.out, unit.semantics)


@pytest.mark.parametrize("text", ["mac int8 int8 -> int32", "mac e2m1 e4m3fn -> fp64", "mac uint4 int3 -> fp32"])
@pytest.mark.parametrize("terms", [1, 3, 7, 8])
def test_exact_register_holds_the_terms_it_promises_and_wraps_beyond(text, terms):
    unit = fpgen.parse_unit(f"{text} accumulate=exact terms={terms}")
    width, exponent = unit.register_bits, unit.register_exponent
    extremes = [
        (code_a, code_b)
        for code_a in (unit.a.max_finite_code, unit.a.min_finite_code)
        for code_b in (unit.b.max_finite_code, unit.b.min_finite_code)
    ]
    for a, b in extremes:
        product = unit.a.value(a) * unit.b.value(b)
        units = product / Fraction(2) ** exponent
        got = exact.compute(unit, {"a": [a] * 40, "b": [b] * 40}).codes
        for step in range(1, 41):
            wrapped = (units * step + 2 ** (width - 1)) % 2**width - 2 ** (width - 1)
            if step <= terms:
                assert wrapped == units * step
            expected, _ = round_to(as_exact(wrapped * Fraction(2) ** exponent), unit.out, unit.semantics)
            assert got[step - 1] == expected
    largest = max(abs(unit.a.value(a) * unit.b.value(b)) for a, b in extremes)
    assert terms * largest / Fraction(2) ** exponent >= 2 ** (width - 2)  # not a bit more than that


def test_exact_accumulation_of_specials():
    unit = fpgen.parse_unit("mac e5m2 e5m2 -> fp16 accumulate=exact terms=8")
    one, inf, minus_inf, quiet, signalling, zero = 0x3C, 0x7C, 0xFC, 0x7E, 0x7D, 0x00
    rows = [  # a, b, clear, result, flags
        (one, one, 1, 0x3C00, 0),
        (inf, one, 0, 0x7C00, 0),
        (one, one, 0, 0x7C00, 0),
        (minus_inf, one, 0, 0x7E00, Flags.NV),
        (one, one, 0, 0x7E00, 0),
        (one, one, 1, 0x3C00, 0),
        (quiet, one, 0, 0x7E00, 0),
        (one, one, 0, 0x7E00, 0),
        (signalling, one, 1, 0x7E00, Flags.NV),
        (inf, zero, 1, 0x7E00, Flags.NV),
        (one, zero, 0, 0x7E00, 0),
        (0x80, one, 1, 0x0000, 0),
        (one, 0xBC, 1, 0xBC00, 0),
        (one, one, 0, 0x0000, 0),
    ]
    a, b, clear, codes, flags = (list(column) for column in zip(*rows, strict=True))
    got = exact.compute(unit, {"a": a, "b": b}, {"clear": clear})
    assert got.codes.tolist() == codes
    assert got.flags.tolist() == flags


def test_exact_zero_is_plus_zero_in_every_mode():
    for mode in ("rne", "rdn", "rup"):
        unit = fpgen.parse_unit(f"mac fp16 fp16 -> fp32 {mode} accumulate=exact")
        got = exact.compute(unit, {"a": bits([1, 1, 0]), "b": bits([1, -1, -1])}, {"clear": [1, 0, 1]})
        assert got.codes.tolist() == [0x3F800000, 0, 0]


def test_last_axis_is_time_and_the_others_are_units():
    for accumulate in Accumulate:
        unit = fpgen.MultiplyAccumulate(a="fp16", b="fp16", out="fp32", accumulate=accumulate)
        a = bits([[1, 2, 3], [10, 20, 30]])
        got = exact.compute(unit, {"a": a, "b": bits(1)})
        assert got.codes.view(np.float32).tolist() == [[1, 3, 6], [10, 30, 60]]


# ---- arrays --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "dtype"),
    [
        ("e2m1", np.uint8),
        ("e5m2", np.uint8),
        ("e5m3", np.uint16),
        ("fp16", np.uint16),
        ("tf32", np.uint32),
        ("fp32", np.uint32),
        ("fp64", np.uint64),
        ("int33", np.uint64),
    ],
)
def test_results_have_the_narrowest_dtype(out, dtype):
    got = exact.compute(fpgen.Convert(source="fp32", out=out), {"source": bits([[1.0, 2.0]], np.float32)})
    assert got.codes.dtype == dtype
    assert got.flags.dtype == np.uint8
    assert got.codes.shape == got.flags.shape == (1, 2)


def test_broadcasting_and_empty_arrays():
    unit = fpgen.Multiply(a="fp16", b="fp16", out="fp16")
    got = exact.compute(unit, {"a": bits([[1], [2]]), "b": bits([1, 2, 4])})
    assert got.codes.view(np.float16).tolist() == [[1, 2, 4], [2, 4, 8]]
    assert exact.compute(unit, {"a": [], "b": []}).codes.shape == (0,)


def test_every_port_mode_is_the_fixed_mode_of_its_code():
    port = fpgen.parse_unit("add fp32 fp32 -> fp16 port flags")
    rng = np.random.default_rng(5)
    a, b = spread(port.a, 200, rng), spread(port.b, 200, rng)
    for code, mode in enumerate(PORT_MODES):
        fixed = fpgen.Add(a="fp32", b="fp32", out="fp16", rounding=mode)
        one = exact.compute(port, {"a": a, "b": b}, {"rounding": code})
        other = exact.compute(fixed, {"a": a, "b": b})
        assert np.array_equal(one.codes, other.codes)
        assert np.array_equal(one.flags, other.flags)


def test_subtract_port_and_random_port():
    unit = fpgen.parse_unit("add fp16 fp16 -> fp16 subtract=port")
    got = exact.compute(unit, {"a": bits([3, 3]), "b": bits([1, 1])}, {"subtract": [0, 1]})
    assert got.codes.view(np.float16).tolist() == [4, 2]
    unit = fpgen.parse_unit("convert fp32 -> e4m3fn sra random_bits=2")
    got = exact.compute(unit, {"source": bits(1 + 1 / 16, np.float32)}, {"random": [0, 1, 2, 3]})
    assert got.codes.tolist() == [0x38, 0x38, 0x39, 0x39]


@pytest.mark.parametrize(
    ("operands", "controls", "advice"),
    [
        ({"a": [1]}, {}, "expected a, b"),
        ({"a": [1], "b": [1], "c": [1]}, {}, "expected a, b"),
        ({"a": [1 << 16], "b": [1]}, {}, "codes of fp16, 0 to"),
        ({"a": [-1], "b": [1]}, {}, "codes of fp16"),
        ({"a": [1.5], "b": [1]}, {}, "integer codes"),
        ({"a": [1], "b": [1]}, {"clear": [1]}, "control: got clear"),
        ({"a": [1, 2], "b": [1, 2, 3]}, {}, "broadcast"),
    ],
)
def test_wrong_arrays_are_refused(operands, controls, advice):
    with pytest.raises(UsageError, match=advice):
        exact.compute(fpgen.Multiply(a="fp16", b="fp16", out="fp16"), operands, controls)
