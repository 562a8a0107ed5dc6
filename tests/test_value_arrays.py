"""Values and codes in arrays: `Format.encode` is `convert`, `Format.decode` is `Format.value`."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portions import portions

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import CATALOGUE, Class, as_format
from fpgen.golden.exact.exact_round import Exact, finite, round_to
from fpgen.units import Convert, Overflow, Rounding, Semantics

EIGHT = [name for name, entry in CATALOGUE.items() if entry.format.bits <= 8]
PLAIN = [mode for mode in Rounding if mode is not Rounding.PORT]


def policies(fmt):
    """The overflow policies that a conversion to `fmt` takes."""
    found = []
    for policy in Overflow:
        try:
            Convert(source="fp64", out=fmt, overflow=policy)
        except UsageError:
            continue
        found.append(policy)
    return found


def numbers(fmt):
    """Every value of `fmt`, the middle of every two neighbours, their surroundings, and what is special."""
    finite_values = sorted(
        float(fmt.value(code)) for code in range(1 << fmt.bits) if fmt.classify(code) <= Class.FINITE
    )
    values = np.unique(np.array(finite_values))
    top = values[-1] if len(values) else 1.0
    middles = np.concatenate([(values[1:] + values[:-1]) / 2, [top * 1.03125, top * 1.0625, top * 4, -top * 1.0625]])
    with np.errstate(over="ignore"):
        around = np.concatenate([np.nextafter(middles, np.inf), np.nextafter(middles, -np.inf)])
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 1.7e308, -1.7e308, 0.1, -0.3])
    return np.concatenate([values, middles, around, special])


def exact(number):
    """A binary64 number for the exact model."""
    if np.isnan(number):
        return Exact(Class.NAN)
    sign = int(np.signbit(number))
    if np.isinf(number):
        return Exact(Class.INFINITY, sign)
    whole = Fraction(float(abs(number)))
    return finite(sign, whole.numerator, 1 - whole.denominator.bit_length())


@pytest.mark.turns(3)
@pytest.mark.parametrize("step", portions(5))
@pytest.mark.parametrize("name", EIGHT)
def test_encode_is_convert_in_every_mode_and_policy(name, step):
    """Against the unit's `compute`, and against the definition, for all small formats x modes x policies."""
    fmt = as_format(name)
    values = numbers(fmt)
    for mode in PLAIN:
        bits = 5 if mode.stochastic else 0
        for policy in policies(fmt):
            unit = Convert(source="fp64", out=fmt, rounding=mode, overflow=policy, random_bits=bits)
            random = np.random.default_rng(7).integers(0, 1 << bits, values.shape, dtype=np.uint64)
            wanted = unit.compute(values.view(np.uint64), **({"random": random} if bits else {})).codes
            generator = np.random.default_rng(7) if bits else None
            found = fmt.encode(values, rounding=mode, overflow=policy.value, random_bits=bits, random=generator)
            assert found.dtype == np.uint8
            assert np.array_equal(found, wanted), (mode, policy)
            semantics = Semantics(mode, policy, random_bits=bits)
            for number, code, chance in list(zip(values, found, random, strict=True))[::step]:
                assert round_to(exact(number), fmt, semantics, random=int(chance))[0] == code, (mode, policy, number)


SOME = ["fp16", "bf16", "tf32", "fp32", "fp64", "e5m7", "e11m20", "ue4m4", "int16", "int12:scale=-4", "e6m1", "mxint8"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SOME),
    st.sampled_from([mode for mode in PLAIN if not mode.stochastic]),
    st.lists(st.floats(width=64), min_size=1, max_size=50),
    st.data(),
)
def test_encode_is_convert_on_any_number(name, mode, numbers, data):
    fmt = as_format(name)
    policy = data.draw(st.sampled_from(policies(fmt)))
    values = np.array(numbers)
    unit = Convert(source="fp64", out=fmt, rounding=mode, overflow=policy)
    assert np.array_equal(
        fmt.encode(values, rounding=mode, overflow=policy), unit.compute(values.view(np.uint64)).codes
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SOME), st.sampled_from(["f2", "f4"]), st.lists(st.floats(width=16), min_size=1, max_size=50))
def test_a_narrower_float_is_the_number_it_is(name, dtype, numbers):
    """float16 and float32 go their own way through the tables, to the codes of the same numbers in float64."""
    fmt, values = as_format(name), np.array(numbers, dtype)
    assert np.array_equal(fmt.encode(values), fmt.encode(values.astype(np.float64)))


@pytest.mark.parametrize("name", [*EIGHT, "fp16", "bf16", "e5m10:inf=none,nan=negzero", "e8m6", "int12:scale=-4"])
def test_decode_is_the_value_of_every_code(name):
    fmt = as_format(name)
    codes = np.arange(1 << fmt.bits)
    found = fmt.decode(codes)
    assert found.dtype == np.float64 and found.shape == codes.shape
    step = 1 if fmt.bits <= 12 else 7
    for code, value in list(zip(codes.tolist(), found, strict=True))[::step]:
        kind = fmt.classify(code)
        if kind is Class.NAN:
            assert np.isnan(value)
        elif kind is Class.INFINITY:
            assert np.isinf(value) and np.signbit(value) == fmt.is_negative(code)
        elif kind is Class.ZERO:
            assert value == 0 and np.signbit(value) == fmt.is_negative(code)
        else:
            assert Fraction(float(value)) == fmt.value(code)


@pytest.mark.parametrize(
    "name", ["fp32", "tf32", "fp64", "e11m20", "e10m40", "e9m30:inf=none,nan=none", "int54", "int40:scale=-1000"]
)
def test_decode_of_long_codes(name):
    """Wide formats, and those whose exponents are nearly those of binary64."""
    fmt = as_format(name)
    edges = [0, 1, fmt.sign_mask, fmt.sign_mask | 1, fmt.max_finite_code, fmt.min_finite_code, (1 << fmt.bits) - 1]
    edges += [fmt.infinity_code, fmt.infinity_code | fmt.sign_mask, fmt.nan_code] if fmt.has_infinity else []
    drawn = (
        np.random.default_rng(3).integers(0, 1 << fmt.bits, 300, dtype=np.uint64, endpoint=False)
        if fmt.bits < 64
        else np.random.default_rng(3).integers(0, (1 << 64) - 1, 300, dtype=np.uint64, endpoint=True)
    )
    codes = np.concatenate([np.array(edges, np.uint64), drawn])
    for code, value in zip(codes.tolist(), fmt.decode(codes), strict=True):
        kind = fmt.classify(code)
        if kind <= Class.FINITE:
            assert Fraction(float(value)) == fmt.value(code)
            assert np.signbit(value) == fmt.is_negative(code) or fmt.fixed
        else:
            assert np.isnan(value) if kind is Class.NAN else np.isinf(value)


@pytest.mark.parametrize("name", [*EIGHT, "fp16", "bf16", "fp32", "fp64", "e11m20"])
def test_every_finite_value_goes_there_and_back(name):
    """Formats with more than one code of a value (zeros, symmetric integers) come back to the value."""
    fmt = as_format(name)
    codes = np.arange(1 << fmt.bits) if fmt.bits <= 16 else np.random.default_rng(1).integers(0, 1 << 30, 999)
    values = fmt.decode(codes)
    kept = np.isfinite(values)
    if fmt.symmetric:
        kept &= codes != fmt.sign_mask
    assert np.array_equal(fmt.decode(fmt.encode(values[kept])), values[kept])


def test_shapes_lists_scalars_and_integers():
    fmt = as_format("e4m3fn")
    assert fmt.encode(1.0).shape == () and int(fmt.encode(1.0)) == 0x38
    assert fmt.encode([[1, 2.5], [-0.0, 1000]], overflow="saturate").tolist() == [[0x38, 0x42], [0x80, 0x7E]]
    assert fmt.encode(np.arange(3, dtype=np.int64)).tolist() == [0, 0x38, 0x40]
    assert fmt.encode(np.zeros((0, 3))).shape == (0, 3)
    assert fmt.decode(np.array([[0x38], [0x7E]], np.int32)).tolist() == [[1.0], [448.0]]
    assert fmt.decode(0x38).shape == () and fmt.decode([]).shape == (0,)
    assert fmt.encode(np.array([1.5, 2.0], ">f4")).tolist() == [0x3C, 0x40]


def test_numbers_of_ml_dtypes_are_encoded_exactly():
    small = np.array([0.5, -3.0, 448.0], ml_dtypes.float8_e4m3fn)
    assert np.array_equal(as_format("bf16").encode(small), small.astype(ml_dtypes.bfloat16).view(np.uint16))
    assert as_format("int8").encode(np.array([-3, 2], ml_dtypes.int4)).tolist() == [253, 2]


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (["a"], {}, "values: got an array of <U1; expected floats of up to 64 bits, or integers"),
        ([True], {}, "values: got an array of bool; expected floats of up to 64 bits, or integers"),
        (np.ones(1, np.longdouble), {}, "values: got an array of .*128; expected floats of up to 64 bits"),
        ([1 << 60], {}, r"values: got an integer of magnitude 1152921504606846976; expected up to 2\*\*53, or floats"),
        ([[1.0], [1.0, 2.0]], {}, "values: got .*; expected an array of floats"),
        ([1.0], {"rounding": "port"}, "rounding: got port; expected one mode for the whole array"),
        ([1.0], {"rounding": "rnd"}, "rounding.*rnd.*rne"),
        ([1.0], {"overflow": "propagate"}, "propagate.* e4m3fn, which has no infinity"),
        ([1.0], {"rounding": "sra", "random_bits": 8}, "random: got NoneType with rounding=sra; expected a numpy"),
        ([1.0], {"rounding": "sra"}, "sra.* 1 to 32"),
        ([1.0], {"random": np.random.default_rng(0)}, "random: got Generator with rounding=rne; expected none given"),
    ],
)
def test_what_encode_rejects(values, options, message):
    with pytest.raises(UsageError, match=message) as caught:
        as_format("e4m3fn").encode(values, **options)
    assert "\n" not in str(caught.value)


def test_formats_beyond_binary64_are_rejected():
    for name in ("e15m40", "e12m20", "int60", "e11m53:bias=0"):
        with pytest.raises(UsageError, match="got values that binary64 does not hold; expected a format of up to 53"):
            as_format(name).decode([0])
    with pytest.raises(UsageError, match=r"128 bits.* 64"):
        as_format("e15m112").encode([1.0])
    with pytest.raises(UsageError, match=r"codes.* 256.* 0 to 255"):
        as_format("e4m3fn").decode([256])


def test_encode_through_a_format_that_is_no_float64():
    """`e15m40` takes values, though its own are not all binary64 numbers."""
    fmt = as_format("e15m40")
    code = int(fmt.encode(0.1, rounding="rtz"))
    assert fmt.value(code) <= Fraction(0.1) < fmt.value(code + 1)


def test_importing_a_format_loads_no_model():
    import subprocess
    import sys

    check = "import sys, fpgen; fpgen.parse_format('fp16'); assert not {'numpy', 'fpgen.golden'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
    assert fpgen.Format.encode.__doc__
