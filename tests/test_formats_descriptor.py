"""`Format`: the order of codes, special codes, ranges, refusals; over the catalogue and the extremes."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpgen import UsageError
from fpgen.formats import CATALOGUE, Class, Format, Infinity, NaN, parse

EXTREMES = [
    "e1m1",
    "e1m9",
    "e1m1:inf=none,nan=none",
    "e2m0",
    "e1m0",
    "e3m0:bias=-5",
    "e2m0:inf=top,nan=negzero",
    "e5m14",
    "e8m11",
    "e2m17",
    "e10m1",
    "ue2m0:inf=none,nan=none,subnormals=yes,zero=yes",
    "ue1m2",
    "ue3m4:subnormals=no,zero=no",
    "e4m3:subnormals=no",
    "e4m3:bias=100",
    "e4m3:bias=-9",
    "binary3p1se",
    "binary3p2sf",
    "binary15p8se",
    "uint2",
    "int2",
    "int20:scale=-7",
    "uint6:scale=-3",
    "int5:symmetric=yes,scale=3",
]
ALL = [*CATALOGUE, *EXTREMES]


def some_codes(fmt: Format):
    return (
        range(1 << fmt.bits)
        if fmt.bits <= 12
        else (int(code) for code in np.random.default_rng(0).integers(0, 1 << min(fmt.bits, 63), 3000))
    )


@pytest.mark.parametrize("name", ALL)
def test_positive_finite_codes_rise(name):
    fmt = parse(name)
    top = fmt.max_finite_code
    codes = range(top + 1) if top < 5000 else [*range(2500), *range(top - 2500, top + 1)]
    values = [fmt.value(code) for code in codes]
    if fmt.subnormals or not fmt.zero:
        assert all(low < high for low, high in pairwise(values))
    assert values == sorted(values)
    assert values[-1] == fmt.max_finite
    assert min(value for value in values if value) == fmt.min_positive
    assert (values[0] == 0) == fmt.zero


@pytest.mark.parametrize("name", ALL)
def test_every_code_is_classified_and_negation_is_the_sign_bit(name):
    fmt = parse(name)
    counts = dict.fromkeys(Class, 0)
    for code in some_codes(fmt):
        kind = fmt.classify(code)
        counts[kind] += 1
        if kind in (Class.ZERO, Class.FINITE):
            assert (fmt.value(code) == 0) == (kind is Class.ZERO)
            assert fmt.min_finite - (1 if fmt.symmetric else 0) * Fraction(2) ** fmt.scale <= fmt.value(code)
            assert fmt.value(code) <= fmt.max_finite
            if fmt.signed and not fmt.fixed and fmt.classify(code ^ fmt.sign_mask) is kind:
                assert fmt.value(code ^ fmt.sign_mask) == -fmt.value(code)
        else:
            with pytest.raises(UsageError, match="expected a finite code"):
                fmt.value(code)
    if fmt.bits <= 12:
        signs = 2 if fmt.signed and not fmt.fixed else 1
        assert counts[Class.INFINITY] == (signs if fmt.has_infinity else 0)
        assert (
            counts[Class.NAN]
            == {
                NaN.NONE: 0,
                NaN.IEEE: signs * ((1 << fmt.trailing_bits) - 1),
                NaN.ALL_ONES: signs,
                NaN.NEGATIVE_ZERO: 1,
            }[fmt.nan]
        )


@pytest.mark.parametrize("name", ALL)
def test_special_codes_are_what_they_say(name):
    fmt = parse(name)
    if fmt.has_nan:
        assert fmt.classify(fmt.nan_code) is Class.NAN
        assert not fmt.is_signaling(fmt.nan_code)
    else:
        with pytest.raises(UsageError, match="has no NaN"):
            _ = fmt.nan_code
    if fmt.has_infinity:
        assert fmt.classify(fmt.infinity_code) is Class.INFINITY
    else:
        with pytest.raises(UsageError, match="has no infinity"):
            _ = fmt.infinity_code
    assert fmt.classify(fmt.max_finite_code) is Class.FINITE
    assert fmt.value(fmt.min_finite_code) == fmt.min_finite
    assert Fraction(2) ** fmt.emax <= fmt.max_finite < Fraction(2) ** (fmt.emax + 1)


@pytest.mark.parametrize("name", ALL)
def test_decomposition_fits_its_declared_width(name):
    fmt = parse(name)
    for code in some_codes(fmt):
        if fmt.classify(code) in (Class.ZERO, Class.FINITE):
            sign, significand, exponent = fmt.decompose(code)
            assert 0 <= significand <= fmt.significand_max < 1 << fmt.significand_bits
            assert (-1) ** sign * significand * Fraction(2) ** exponent == fmt.value(code)


@pytest.mark.parametrize(
    ("name", "bias", "largest", "normal", "smallest", "nan"),
    [
        ("e4m3fn", 7, 448, -6, -9, 0x7F),
        ("e5m2", 15, 57344, -14, -16, 0x7E),
        ("e4m3", 7, 240, -6, -9, 0x7C),
        ("e3m4", 3, 15.5, -2, -6, 0x78),
        ("e4m3fnuz", 8, 240, -7, -10, 0x80),
        ("e5m2fnuz", 16, 57344, -15, -17, 0x80),
        ("e4m3b11fnuz", 11, 30, -10, -13, 0x80),
        ("e3m2", 3, 28, -2, -4, None),
        ("e2m3", 1, 7.5, 0, -3, None),
        ("e2m1", 1, 6, 0, -1, None),
        ("binary8p4se", 8, 224, -7, -10, 0x80),
        ("binary8p3se", 16, 49152, -15, -17, 0x80),
        ("binary4p2sf", 2, 3, -1, -2, 0x8),
        ("binary8p1uf", 128, 2.0**126, -127, -127, 0xFF),
        ("e8m0", 127, 2.0**127, -127, -127, 0xFF),
        ("ue4m3", 7, 448, -6, -9, 0x7F),
        ("fp16", 15, 65504, -14, -24, 0x7E00),
        ("bf16", 127, 3.3895313892515355e38, -126, -133, 0x7FC0),
        ("tf32", 127, 3.4011621342146535e38, -126, -136, 0x3FE00),
    ],
)
def test_published_figures(name, bias, largest, normal, smallest, nan):
    """OFP8 1.0 table 2, MX 1.0 5.3, P3109 4.7.2, and the products' own tables."""
    fmt = parse(name)
    assert (fmt.bias, float(fmt.max_finite)) == (bias, largest)
    if name != "e8m0":
        assert fmt.min_normal == Fraction(2) ** normal
    assert fmt.min_positive == Fraction(2) ** smallest
    assert (fmt.nan_code if fmt.has_nan else None) == nan


def test_infinities_of_p3109():
    assert parse("binary8p4se").infinity_code == 0x7F
    assert parse("binary8p3ue").infinity_code == 0xFE


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"bits": 1, "precision": 1}, "2 to 128 bits"),
        ({"bits": 200, "precision": 3}, "2 to 128 bits"),
        ({"bits": 4, "precision": 8}, "1 to 3"),
        ({"bits": 8, "precision": 0}, "1 to 7"),
        ({"bits": 40, "precision": 4}, "exponent bits; expected 1 to 20"),
        ({"bits": 8, "precision": 4, "bias": 1 << 30}, "at most"),
        ({"bits": 8, "precision": 4, "infinity": Infinity.IEEE}, "holds both"),
        ({"bits": 8, "precision": 4, "nan": NaN.IEEE}, "holds both"),
        ({"bits": 8, "precision": 1, "infinity": Infinity.IEEE, "nan": NaN.IEEE}, "clash with infinity"),
        ({"bits": 8, "precision": 4, "signed": False, "nan": NaN.NEGATIVE_ZERO}, "without a sign"),
        ({"bits": 8, "precision": 4, "zero": False, "subnormals": False}, "only in an unsigned format"),
        ({"bits": 8, "precision": 4, "zero": False, "signed": False}, "only in an unsigned format"),
        ({"bits": 2, "precision": 1, "infinity": Infinity.TOP}, "at least one non-zero finite value"),
        ({"bits": 5, "precision": 4, "infinity": Infinity.IEEE, "nan": NaN.IEEE, "subnormals": False}, "at least one"),
        ({"bits": 8, "precision": 4, "scale": 2}, "on fixed point"),
        (
            {"bits": 8, "precision": 7, "fixed": True, "nan": NaN.ALL_ONES},
            "got infinity or NaN in fixed point; expected neither",
        ),
        ({"bits": 8, "precision": 7, "fixed": True, "bias": 3}, "on floating point only"),
        ({"bits": 8, "precision": 8, "fixed": True}, "expected 7, the magnitude bits"),
        ({"bits": 8, "precision": 8, "fixed": True, "signed": False, "symmetric": True}, "expected a signed integer"),
        ({"bits": 8, "precision": 7, "fixed": True, "scale": 9999}, "got scale 9999; expected -4096 to 4096"),
    ],
)
def test_contradictions_are_refused(parameters, message):
    with pytest.raises(UsageError, match=message):
        Format(**parameters)


def test_value_of_a_code_out_of_range():
    with pytest.raises(UsageError, match="expected 0 to 0xff"):
        parse("e5m2").value(256)


def test_names_do_not_count_in_equality():
    one, other = Format(bits=8, precision=4, name="x"), Format(bits=8, precision=4, name="y")
    assert one == other
    assert hash(one) == hash(other)
    assert one != Format(bits=8, precision=4, bias=1)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 11), st.integers(1, 52), st.data())
def test_ieee_layout_is_ieee(exponent_bits, trailing, data):
    """Codes of any IEEE-style format within binary64 mean what 754-2019, 3.4 says."""
    fmt = parse(f"e{exponent_bits}m{trailing}:inf=ieee,nan=ieee")
    code = data.draw(st.integers(0, (1 << fmt.bits) - 1))
    sign, field, t = code >> fmt.bits - 1, (code >> trailing) & ((1 << exponent_bits) - 1), code & ((1 << trailing) - 1)
    if field == (1 << exponent_bits) - 1:
        assert fmt.classify(code) is (Class.NAN if t else Class.INFINITY)
        return
    bias = (1 << exponent_bits - 1) - 1
    magnitude = (Fraction(t, 1 << trailing) + (field > 0)) * Fraction(2) ** (max(field, 1) - bias)
    assert fmt.value(code) == (-1) ** sign * magnitude


@pytest.mark.parametrize("method", ["classify", "is_negative", "is_signaling", "decompose", "value"])
@pytest.mark.parametrize("code", [65536, -1, 1 << 200, "1", 1.0, None, True, [1]], ids=str)
def test_every_method_checks_its_code(method, code):
    with pytest.raises(UsageError, match=r"format fp16: code: got .*; expected 0 to 0xffff") as caught:
        getattr(parse("fp16"), method)(code)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("method", ["decompose", "value"])
def test_specials_have_no_value(method):
    for code in (0x7C00, 0xFC00, 0x7E00):
        with pytest.raises(UsageError, match="expected a finite code"):
            getattr(parse("fp16"), method)(code)


def test_codes_of_numpy_are_codes():
    fmt = parse("fp16")
    assert fmt.value(np.uint16(0x3C00)) == 1 and fmt.decompose(np.int64(0xBC00)) == (1, 1 << 10, -10)
    assert fmt.classify(np.uint8(0)) is Class.ZERO and fmt.is_signaling(np.uint16(0x7C01))
    for narrow in (np.uint8(200), np.int8(5), np.int16(5)):  # too narrow for the masks of the format
        assert not fmt.is_negative(narrow) and not fmt.is_signaling(narrow)
        assert fmt.value(narrow) == int(narrow) * 2**-24


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"bits": "8"}, "format bits: got '8'; expected a whole number"),
        ({"precision": 3.0}, "format precision: got 3.0"),
        ({"bias": True}, "format bias: got True"),
        ({"signed": 1}, "format signed: got 1; expected True or False"),
        ({"infinity": "none"}, "format infinity: got 'none'; expected a member of Infinity"),
        ({"nan": None}, "format nan: got None"),
        ({"name": 5}, "format name: got 5; expected text"),
        ({"scale": [0] * 99}, r"format scale: got \[0, 0.*\.\.\.; expected"),
    ],
)
def test_wrong_types_are_rejected_in_one_line(parameters, message):
    with pytest.raises(UsageError, match=message) as caught:
        Format(**{"bits": 8, "precision": 4} | parameters)
    assert "\n" not in str(caught.value)
