"""Names, aliases and the grammar: what parses, what it means, what is refused and with what advice."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpgen
from fpgen import UsageError
from fpgen.formats import CATALOGUE, Format, Infinity, NaN, as_format, parse


@pytest.mark.parametrize("name", CATALOGUE)
def test_catalogue_names_aliases_and_spellings_are_one_format(name):
    entry = CATALOGUE[name]
    for text in (name, name.upper(), f" {name} ", entry.format.spelling, *entry.aliases):
        assert parse(text) == entry.format
        assert parse(text).name == name
    assert entry.standard and entry.source


def test_catalogue_names_and_formats_are_unique():
    formats = [entry.format for entry in CATALOGUE.values()]
    assert len(set(formats)) == len(formats)
    aliases = [alias for entry in CATALOGUE.values() for alias in (entry.name, *entry.aliases)]
    assert len(set(aliases)) == len(aliases)


@pytest.mark.parametrize(
    ("text", "same", "name"),
    [
        ("e5m10", "fp16", "fp16"),
        ("half", "fp16", "fp16"),
        ("float8_e4m3fn", "e4m3fn", "e4m3fn"),
        ("e4m3:inf=none,nan=allones", "e4m3fn", "e4m3fn"),
        ("e4m3fn:bias=7", "e4m3fn", "e4m3fn"),
        ("e3m2:bias=4,inf=top,nan=negzero", "binary6p3se", "binary6p3se"),
        ("ue8m0", "e8m0", "e8m0"),
        ("int8:scale=-6,symmetric=yes", "mxint8", "mxint8"),
        ("e05m07", "e5m7", "e5m7"),
        ("se3m0", "e3m0", "e3m0"),
        ("e4m3:inf=ieee,nan=ieee", "e4m3", "e4m3"),
        ("uint8:scale=0", "uint8", "uint8"),
    ],
)
def test_spellings_of_the_same_format(text, same, name):
    assert parse(text) == parse(same)
    assert parse(text).name == name


def test_defaults_of_the_grammar():
    fmt = parse("e5m7")
    assert (fmt.bits, fmt.precision, fmt.bias, fmt.infinity, fmt.nan) == (13, 8, 15, Infinity.IEEE, NaN.IEEE)
    fmt = parse("e3m0")
    assert (fmt.bits, fmt.infinity, fmt.nan, fmt.signed) == (4, Infinity.NONE, NaN.NONE, True)
    fmt = parse("uint6:scale=-3")
    assert (fmt.fixed, fmt.signed, fmt.scale, float(fmt.max_finite)) == (True, False, -3, 63 / 8)
    assert parse("e3m2:bias=2").infinity is Infinity.NONE  # options override the named format
    assert parse("e8m0") != parse("se8m0")
    assert parse("se8m0").signed


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("e0m0", "got 0 exponent bits; expected 1 to 20"),
        ("e21m3", "got 21 exponent bits; expected 1 to 20"),
        ("e3m999", "2 to 128 bits"),
        ("binary4p8se", "precision 8 in 4 bits.*1 to 3"),
        ("binary8p0se", "precision 0"),
        ("e4m3:inf=none", "an IEEE special binade holds both"),
        ("e3m0:inf=ieee,nan=ieee", "NaN would clash with infinity"),
        ("e3m2:inf=top,nan=ieee", "holds both"),
        ("ue3m2:inf=none,nan=negzero", "without a sign"),
        ("e4m3nf", "did you mean e4m3fn"),
        ("flaot32", "did you mean float32"),
        ("fp8", "means several formats; expected e4m3fn, e5m2"),
        ("fp4", "e2m1 .OCP., binary4p2sf .P3109."),
        ("wibble", "fpgen formats lists them"),
        ("", "expected a name"),
        ("e4m3:bias=x", "bias: got x; expected a whole number"),
        ("e4m3:bias=", "bias: got ''; expected a whole number"),
        ("e4m3:inf=maybe", "expected none.ieee.top"),
        ("e4m3:zero=1", "expected yes.no"),
        ("e4m3:foo=1", "option: got foo=1; expected an option of floating point: bias="),
        ("e4m3:", "expected an option of floating point"),
        ("e4m3:bias=1,bias=2", "got bias twice; expected it once"),
        ("int12:bias=1", "expected an option of fixed point: scale="),
        ("uint4:symmetric=yes", "expected a signed integer"),
        ("int1", "2 to 128 bits"),
        ("int", "intN with a width"),
        (None, "expected a name"),
        (16, "expected a name"),
    ],
)
def test_refusals_say_what_is_allowed(text, advice):
    with pytest.raises(UsageError, match=advice):
        parse(text)


def test_as_format_takes_both():
    fmt = parse("e5m2")
    assert as_format(fmt) is fmt
    assert as_format("e5m2") == fmt
    assert fpgen.parse_format("e5m2") == fmt


def test_as_format_gives_equal_formats_one_name():
    """A format built in Python, with a name of its own or none, is called in units what the grammar calls it."""
    ieee = {"bits": 16, "precision": 11, "bias": 15, "infinity": Infinity.IEEE, "nan": NaN.IEEE}
    for fmt in (Format(**ieee), Format(**ieee, name="mine")):
        assert as_format(fmt).name == "fp16"
        unit = fpgen.Multiply(a=fmt, b=fmt, out=fmt)
        assert unit.text == "multiply fp16 fp16 -> fp16 rne"
        assert fpgen.parse_unit(unit.text) == unit
    own = as_format(Format(bits=9, precision=4, bias=3, name="mine"))
    assert parse(own.name) == own


@st.composite
def any_format(draw) -> Format:
    if draw(st.booleans()):
        signed = draw(st.booleans())
        bits = draw(st.integers(2, 40))
        return Format(
            bits=bits,
            precision=bits - signed,
            signed=signed,
            fixed=True,
            scale=draw(st.integers(-50, 50)),
            symmetric=signed and draw(st.booleans()),
        )
    parameters = {
        "signed": draw(st.booleans()),
        "bias": draw(st.integers(-40, 300)),
        "subnormals": draw(st.booleans()),
        "zero": draw(st.booleans()),
        "infinity": draw(st.sampled_from(Infinity)),
        "nan": draw(st.sampled_from(NaN)),
    }
    exponent_bits, trailing = draw(st.integers(1, 12)), draw(st.integers(0, 20))
    try:
        return Format(bits=exponent_bits + trailing + parameters["signed"], precision=trailing + 1, **parameters)
    except UsageError:
        return Format(bits=exponent_bits + 1, precision=1, bias=parameters["bias"], signed=True)


@settings(max_examples=1000, deadline=None)
@given(any_format())
def test_every_spelling_and_every_name_parses_back(fmt):
    again = parse(fmt.spelling)
    assert again == fmt
    assert parse(fmt.name) == fmt
    assert parse(again.name) == fmt
    assert parse(again.name).name == again.name


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="eumibnarypsfx0123456789:=,-_ ", max_size=24))
def test_nonsense_is_refused_or_means_a_format(text):
    try:
        assert isinstance(parse(text), Format)
    except UsageError as error:
        assert any(word in str(error) for word in ("expected",))


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("e1m2", "e1m2:inf=none,nan=none"),
        ("se1m2", "e1m2:inf=none,nan=none"),
        ("E01M2", "e1m2:inf=none,nan=none"),
        ("e1m2:bias=3", "e1m2:inf=none,nan=none"),
        ("e6m2", "nan= spelled out"),
        ("ue6m2", "nan= spelled out"),
    ],
)
def test_a_spelling_that_is_another_format_elsewhere_is_rejected_with_both_spellings(text, spelling):
    with pytest.raises(UsageError, match=f"elsewhere the name of .*{spelling} for that, or .*:inf=ieee,nan=ieee"):
        parse(text)


def test_both_spellings_are_formats():
    assert parse("e1m2:inf=none,nan=none").max_finite == Fraction(7, 2)
    assert parse("e1m2:inf=ieee,nan=ieee").max_finite == Fraction(3, 2)
    assert parse("ue6m2:bias=48,inf=none,nan=allones,zero=no,subnormals=no").max_finite == Fraction(2) ** 15 * 3 / 2
    for text in ("e1m2:inf=ieee,nan=ieee", "e1m2:inf=none,nan=none", "ue6m2:inf=ieee,nan=ieee"):
        assert parse(parse(text).name) == parse(text)


#: eEmM spellings of the field (PTX, CUTLASS, LLVM's APFloat, ml_dtypes, ONNX, OCP), with what each means there:
#: largest value, and whether it has infinities and NaN. Ours agree, but `e4m3`, which PTX uses for OCP's.
FIELD = {
    "e5m2": (57344, True, True),
    "e4m3fn": (448, False, True),
    "e4m3": (240, True, True),
    "e3m4": (15.5, True, True),
    "e3m2": (28, False, False),
    "e2m3": (7.5, False, False),
    "e2m1": (6, False, False),
    "e5m10": (65504, True, True),
    "e8m0": (2.0**127, False, True),
    "ue8m0": (2.0**127, False, True),
    "ue4m3": (448, False, True),
    "ue5m3": (114688, False, True),
    "e4m3fnuz": (240, False, True),
    "e5m2fnuz": (57344, False, True),
    "e4m3b11fnuz": (30, False, True),
    "e3m0": (16, False, False),
}


@pytest.mark.parametrize("name", FIELD)
def test_spellings_of_the_field_mean_what_they_mean_there(name):
    fmt = parse(name)
    assert (float(fmt.max_finite), fmt.has_infinity, fmt.has_nan) == FIELD[name]


@pytest.mark.parametrize("name", ["hif8", "nf4", "posit8"])
def test_what_has_no_fields_of_fixed_widths_is_rejected(name):
    with pytest.raises(UsageError, match=f"got {name}; .* expected a format of such fields"):
        parse(name)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("int10000000000", "2 to 128 bits"),
        ("e3m10000000000", "2 to 128 bits"),
        ("e99999999999m2", "expected 1 to 20"),
        ("binary99999999999p3se", "expected 2 to 128"),
        ("binary8p99999999999se", "of 1 to 7"),
        ("e4m3:bias=99999999999", "at most 2..21"),
        ("int8:scale=-99999999999", "-4096 to 4096"),
        ("int8:scale=" + "9" * 60, "a whole number of at most 40 digits"),
    ],
)
def test_a_number_that_is_too_large_gets_its_range(text, advice):
    with pytest.raises(UsageError, match=advice):
        parse(text)
