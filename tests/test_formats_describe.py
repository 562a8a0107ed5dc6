"""What is told about formats: records, rows, values as text."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from fpgen import UsageError
from fpgen.formats import CATALOGUE, Class, parse, value_text
from fpgen.formats.describe import catalogue_records, describe, field_text, layout
from fpgen.formats.values import fraction_text


def test_one_record_for_every_named_format():
    records = catalogue_records()
    assert [record["name"] for record in records] == list(CATALOGUE)
    assert all(record["standard"] and record["source"] for record in records)
    assert json.loads(json.dumps(records)) == records


@pytest.mark.parametrize("name", [*CATALOGUE, "e5m7", "e1m1", "e2m0", "uint6:scale=-3", "e3m4:subnormals=no"])
def test_description_round_trips_through_json_and_lists_small_codes(name):
    description = describe(name)
    fmt = parse(name)
    plain = description.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert parse(plain["spelling"]) == fmt
    assert len(plain["values"]) == len(description.codes) == (1 << fmt.bits if fmt.bits <= 8 else 0)
    for code, bits, text in description.codes:
        assert int(bits.replace(" ", ""), 2) == code
        if fmt.classify(code) is Class.FINITE:
            assert read(text) == fmt.value(code)
    assert dict(description.rows)["name"] == fmt.name


def read(text: str) -> Fraction:
    """The value that `fraction_text` wrote."""
    sign = -1 if text.startswith("-") else 1
    odd, _, power = text.lstrip("-").rpartition("2^")
    if "2^" in text:
        return sign * Fraction(odd.rstrip("*") or 1) * Fraction(2) ** int(power)
    return Fraction(float(text)) if "." in text or "e" in text else Fraction(int(text))


def test_e4m3fn_says_what_ofp8_says():
    rows = dict(describe("e4m3fn").rows)
    assert rows["bias"] == "7"
    assert rows["largest"] == "448 (0x7e)"
    assert rows["infinity"] == "none"
    assert rows["nan"] == "0x7f, 0xff"
    assert rows["zero"] == "0x00, 0x80"
    assert describe("e4m3fn").to_dict()["values"][0x7E:0x82] == [448, "NaN", -0.0, -0.001953125]


def test_runs_of_nan_codes():
    assert dict(describe("fp16").rows)["nan"] == "0x7c01-0x7fff, 0xfc01-0xffff"
    assert dict(describe("e4m1").rows)["nan"] == "0x1f, 0x3f"


def test_fields():
    assert layout(parse("e4m3fn")) == "s1 e4 m3"
    assert layout(parse("e8m0")) == "e8"
    assert layout(parse("int8")) == "s1 i7"
    assert field_text(parse("e2m1"), 0b1011) == "1 01 1"
    assert field_text(parse("uint4"), 5) == "0101"


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("fp16", 0x3C00, "1"),
        ("fp16", 0x8000, "-0"),
        ("fp16", 0x7C00, "inf"),
        ("fp16", 0xFC00, "-inf"),
        ("fp16", 0x7E00, "NaN"),
        ("fp16", 0x7C01, "sNaN"),
        ("fp32", 0x3DCCCCCD, "0.10000000149011612"),
        ("fp64", 0x3FB999999999999A, "0.1"),
        ("fp16", 0x0001, "2^-24"),
        ("int8", 0x80, "-128"),
        ("e8m0", 0, "2^-127"),
        ("e12m3", 3071 * 8 + 3, "11*2^1021"),
        ("e15m4", 0x7FFE8, "3*2^16382"),
        ("fp16", 0x7BFF, "65504"),
    ],
)
def test_value_text(name, code, text):
    assert value_text(parse(name), code) == text


def test_fraction_text_of_zero_and_long_numbers():
    assert fraction_text(Fraction(0)) == "0"
    assert fraction_text(Fraction(-(2**60 + 1), 2**70)) == f"-{2**60 + 1}*2^-70"


@pytest.mark.parametrize("name", [*CATALOGUE, "e15m112", "e12m3", "int64", "int128", "e1m1", "uint6:scale=-3"])
def test_numbers_in_json_are_numbers_where_they_are_exact(name):
    fmt = parse(name)
    plain = json.loads(json.dumps(describe(name).to_dict()))
    for key, value in [("max", fmt.max_finite), ("min_positive", fmt.min_positive)]:
        assert (read(plain[key]) if isinstance(plain[key], str) else Fraction(plain[key])) == value
        assert isinstance(plain[key], str) == ((name, key) in HUGE)
    for code, value in enumerate(plain["values"]):
        kind = fmt.classify(code)
        assert isinstance(value, str) == (kind >= Class.INFINITY)
        if kind < Class.INFINITY:
            assert Fraction(value) == fmt.value(code)
            assert str(float(value)).startswith("-") == (
                fmt.is_negative(code) and (kind is Class.FINITE or fmt.has_negative_zero)
            )
    assert plain["nan_delivered"] == (f"0x{fmt.nan_code:0{-(-fmt.bits // 4)}x}" if fmt.has_nan else None)


#: Largest and smallest values that no binary64 number is.
HUGE = {
    ("e12m3", "max"),
    ("e12m3", "min_positive"),
    ("int64", "max"),
    ("int128", "max"),
    ("e15m112", "max"),
    ("e15m112", "min_positive"),
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("int64", "-9223372036854775808 to 9223372036854775807"),
        ("uint64", "0 to 18446744073709551615"),
        ("int8", "-128 to 127"),
        ("mxint8", "-1.984375 to 1.984375"),
        ("int128", "-2^127 to 2^127 - 1"),
        ("int100:scale=-4", "(-2^99 to 2^99 - 1) * 2^-4"),
        ("int99:symmetric=yes", "-(2^98 - 1) to 2^98 - 1"),
        ("int8:scale=-20", "-0.0001220703125 to 0.00012111663818359375"),
        ("uint70", "0 to 2^70 - 1"),
    ],
)
def test_both_ends_of_a_range_are_written_alike(name, text):
    assert dict(describe(name).rows)["range"] == text


def test_unknown_format():
    with pytest.raises(UsageError):
        describe("e0m0")
