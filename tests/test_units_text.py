"""A unit as text and as a table: round trips, free word order, refusals."""

from __future__ import annotations

import json
import tomllib

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

import fpgen
from fpgen import UsageError, parse_unit, unit_from_dict
from fpgen.units import (
    OPERATIONS,
    Accumulate,
    Adder,
    Handshake,
    Multiplier,
    Overflow,
    Rounding,
    Subnormals,
    Subtract,
    Tininess,
)

EXAMPLES = {
    "multiply fp16 fp16 -> fp16 rne": fpgen.Multiply(a="fp16", b="fp16", out="fp16", rounding="rne"),
    "add bf16 bf16 -> bf16 rne subtract=port": fpgen.Add(a="bf16", b="bf16", out="bf16", subtract=Subtract.PORT),
    "fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3 flags=on": fpgen.FusedMultiplyAdd(
        a="e4m3fn", b="e4m3fn", c="fp32", out="fp32", stages=3, flags=True
    ),
    "mac e5m2 e5m2 -> fp32 accumulate=float": fpgen.MultiplyAccumulate(
        a="e5m2", b="e5m2", out="fp32", accumulate=Accumulate.FLOAT
    ),
    "convert fp32 -> e4m3fn rne saturate": fpgen.Convert(source="fp32", out="e4m3fn", overflow=Overflow.SATURATE),
    "convert fp32->e4m3fn saturate rne": fpgen.Convert(source="fp32", out="e4m3fn", overflow="saturate"),
    "CONVERT FP32 -> E4M3FN overflow=SATURATE RNE": fpgen.Convert(source="fp32", out="e4m3fn", overflow="saturate"),
    "multiply e3m2:bias=2,inf=none,nan=none int8 -> fp32 flags period=350.5": fpgen.Multiply(
        a="e3m2:bias=2", b="int8", out="fp32", flags=True, period=350.5
    ),
    "convert fp32 -> bf16 sra random_bits=8": fpgen.Convert(source="fp32", out="bf16", rounding="sra", random_bits=8),
    "add fp16 fp16 -> fp16 rounding=port handshake=ready subnormals=both tininess=before": fpgen.Add(
        a="fp16",
        b="fp16",
        out="fp16",
        rounding=Rounding.PORT,
        handshake=Handshake.READY,
        subnormals=Subnormals.BOTH,
        tininess=Tininess.BEFORE,
    ),
}


@pytest.mark.parametrize("text", EXAMPLES)
def test_text_means_the_same_as_python(text):
    assert parse_unit(text) == EXAMPLES[text]


def everywhere(unit):
    """The unit through its text, its dict, JSON and TOML."""
    yield parse_unit(unit.text)
    yield unit_from_dict(unit.to_dict())
    yield unit_from_dict(json.loads(json.dumps(unit.to_dict())))
    yield unit_from_dict(tomllib.loads(tomli_w.dumps(unit.to_dict())))
    yield unit_from_dict({"unit": unit.text})


@pytest.mark.parametrize("text", EXAMPLES)
def test_round_trips_of_the_examples(text):
    unit = parse_unit(text)
    for again in everywhere(unit):
        assert again == unit
        assert again.text == unit.text
        assert again.name == unit.name
        assert again.content_hash == unit.content_hash


FORMATS = [
    "fp16",
    "bf16",
    "fp32",
    "e4m3fn",
    "e2m1",
    "int8",
    "uint6:scale=-3",
    "e3m2:bias=-2",
    "binary8p4se",
    "e8m0",
    "ue4m3",
]
BLOCK_FORMATS = ["mxfp4", "nvfp4", "mxint8", "int8@e8m0/16", "e2m1@ue4m3/16", "e3m2@binary8p1uf/2"]
BLOCK_NAMES = {
    fpgen.BlockDot: ("a", "b"),
    fpgen.TensorCore: ("a", "b"),
    fpgen.BlockQuantize: ("block",),
    fpgen.BlockDequantize: ("block",),
}
ACCUMULATIONS = [
    "exact",
    "hopper",
    "blackwell-mx",
    "cdna2",
    "chain",
    "tree:group=2,intermediate=bf16",
    "aligned:fraction=25,treatment=sticky,clamp=-30",
    "aligned:fraction=24,addend=outside,sum_fraction=31,split=odd-even,join=truncate",
]


@st.composite
def any_unit(draw):
    cls = draw(st.sampled_from([card.unit for card in OPERATIONS.values()]))
    names = [name for name in (*cls.operand_names, "out", cls.out_name) if name in BLOCK_NAMES.get(cls, ())]
    given_options = {name: draw(st.sampled_from(BLOCK_FORMATS)) for name in names}
    given_options |= {
        name: draw(st.sampled_from(FORMATS)) for name in (*cls.operand_names, cls.out_name) if name not in names
    }
    given_options |= {name: draw(st.sampled_from([1, 2, 8, 32, 64])) for name in cls.size_names}
    if cls.takes_addend:
        given_options["c"] = draw(st.sampled_from([None, *FORMATS]))
        given_options["accumulate"] = draw(st.sampled_from(ACCUMULATIONS))
    rounding = draw(st.sampled_from(Rounding))
    given_options |= {
        "rounding": rounding,
        "tininess": draw(st.sampled_from(Tininess)),
        "flags": draw(st.booleans()),
        "subnormals": draw(st.sampled_from(Subnormals)),
        "handshake": draw(st.sampled_from(Handshake)),
    }
    given_options |= {"adder": draw(st.sampled_from(Adder)), "multiplier": draw(st.sampled_from(Multiplier))}
    if cls in (fpgen.Add, fpgen.Convert, fpgen.BlockQuantize):
        del given_options["multiplier"]
    if rounding.stochastic:
        given_options["random_bits"] = draw(st.integers(1, 32))
    if draw(st.booleans()):
        given_options["overflow"] = draw(st.sampled_from(Overflow))
    small = not cls.size_names and "block" not in (*cls.operand_names, cls.out_name)  # finding stages takes a schedule
    timing = draw(st.sampled_from(["", "stages", "period"] if small else ["", "stages"]))
    if timing:
        given_options[timing] = draw(st.integers(0, 64)) if timing == "stages" else draw(st.floats(1, 1e5))
    if cls is fpgen.Add:
        given_options["subtract"] = draw(st.sampled_from(Subtract))
    if cls is fpgen.MultiplyAccumulate:
        given_options |= {"accumulate": draw(st.sampled_from(Accumulate)), "loadable": draw(st.booleans())}
    try:
        return cls(**given_options)
    except UsageError:
        return fpgen.Multiply(a="e4m3fn", b="fp16", out="fp32", flags=given_options["flags"])


@settings(max_examples=300, deadline=None)
@given(any_unit())
def test_round_trips_of_any_unit(unit):
    for again in everywhere(unit):
        assert again == unit
        assert again.text == unit.text


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "got no operation; expected one of multiply, add, fma, mac, convert"),
        ("mulitply fp16 fp16 -> fp16", "did you mean multiply"),
        ("divide fp16 fp16 -> fp16", "operation: got divide; expected one of multiply"),
        ("multiply fp16 -> fp16", "got 1 operands; expected multiply A B -> OUT"),
        ("convert fp16 fp16 -> fp16", "got 2 operands; expected convert SOURCE -> OUT"),
        ("multiply fp16 fp16", "no '-> OUT'"),
        ("multiply fp16 fp16 ->", "no '-> OUT'"),
        ("multiply fp16 fp16 -> fp16 rne rtz", "got rounding twice"),
        ("multiply fp16 fp16 -> fp16 rne rounding=rne", "got rounding twice"),
        ("multiply fp16 fp16 -> fp16 out=fp32", "got out twice"),
        ("multiply fp16 fp16 -> fp16 rnd", "did you mean rn"),
        ("multiply fp16 fp16 -> fp16 stage=3", "did you mean stages"),
        ("multiply fp16 fp16 -> fp16 subtract=on", "option: got subtract; expected one of rounding"),
        ("multiply fp16 fp16 -> fp16 stages", "expected stages=..."),
        ("multiply fp16 fp16 -> fp16 stages=x", "; expected a whole number"),
        ("multiply fp16 fp16 -> fp16 stages=-1", "from 0 to"),
        ("multiply fp16 fp16 -> fp16 period=fast", "; expected a number"),
        ("multiply fp16 fp16 -> fp16 flags=maybe", "expected on or off"),
        ("multiply fp16 fp16 -> fp16 tininess=never", "expected one of after, before"),
        ("multiply fp16 fp16 -> e4m3fn propagate", "has no infinity; expected ieee, infinite, saturate"),
        ("multiply fp16 fp16 -> e2m1 ieee", "neither infinity nor NaN"),
        ("multiply fp16 fp116 -> fp16", "did you mean fp16"),
        ("convert fp32 -> bf16 sra", "expected 1 to 32"),
        ("convert fp32 -> bf16 rne random_bits=4", "expected them only with sra"),
        (None, "got None; expected a line"),
    ],
)
def test_refusals_of_text(text, advice):
    with pytest.raises(UsageError, match=advice):
        parse_unit(text)


@pytest.mark.parametrize(
    ("plain", "advice"),
    [
        ({}, "no operation"),
        ([], "a table with operation"),
        ({"operation": 3}, "operation: got 3; expected"),
        ({"operation": "add", "a": "fp16", "out": "fp16"}, "got no b; expected a, b, out"),
        ({"operation": "add", "a": "fp16", "b": "fp16", "out": "fp16", "stage": 1}, "did you mean stages"),
        ({"operation": "add", "a": "fp16", "b": "fp16", "out": "fp16", "stages": 1.5}, "; expected a whole number"),
        ({"operation": "add", "a": "fp16", "b": "fp16", "out": "fp16", "stages": True}, "; expected a whole number"),
        ({"operation": "add", "a": "fp16", "b": "fp16", "out": "fp16", "flags": 1}, "expected true or false"),
        ({"operation": "add", "a": 16, "b": "fp16", "out": "fp16"}, "a: got 16; expected a word"),
        ({"operation": "add", "a": "fp16", "b": "fp16", "out": "fp16", "period": "x"}, "; expected a number"),
    ],
)
def test_refusals_of_tables(plain, advice):
    with pytest.raises(UsageError, match=advice):
        unit_from_dict(plain)


def test_text_values_in_a_table():
    plain = {"operation": "add", "a": "fp16", "b": "fp16", "out": "fp16", "stages": "2", "flags": "on"}
    assert unit_from_dict(plain) == parse_unit("add fp16 fp16 -> fp16 stages=2 flags=on")


MAC = {"a": "fp16", "b": "fp16", "out": "fp16"}


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda: fpgen.Multiply(**MAC, period=True), "period: got True; expected a positive number"),
        (lambda: fpgen.Convert(source="e15m112", out="fp64"), "source: got .*, which has 128 bits; expected up to 64"),
        (lambda: fpgen.MultiplyAccumulate(**MAC, stages=0), "stages: got 0; expected a whole number from 1 to 64"),
        (lambda: fpgen.MultiplyAccumulate(**MAC, loadable=1), "loadable: got 1; expected True or False"),
        (lambda: fpgen.MultiplyAccumulate(**MAC, terms=0), "terms: got 0 with accumulate=float"),
        (
            lambda: fpgen.MultiplyAccumulate(**MAC, accumulate="exact", terms=0),
            "terms: got 0; expected a whole number from 1",
        ),
        (
            lambda: fpgen.MultiplyAccumulate(**MAC, accumulate="exact", terms=2.5),
            "terms: got 2.5; expected a whole number from 1",
        ),
        (
            lambda: fpgen.MultiplyAccumulate(a="e15m3", b="e15m3", out="fp32", accumulate="exact"),
            "expected up to 8192",
        ),
    ],
)
def test_refusals_of_keywords(make, advice):
    with pytest.raises(UsageError, match=advice):
        make()


def test_contract_names_every_option_that_changes_a_result():
    for head in ("multiply e5m2 e5m2 -> e5m2", "mac e5m2 e5m2 -> e5m2", "mac e5m2 e5m2 -> e5m2 accumulate=exact"):
        contract = parse_unit(f"{head} port saturate subnormals=both").contract
        assert contract.endswith("rounding port, saturating, subnormals flushed in and out")
    assert parse_unit("mac e5m2 e5m2 -> fp32 accumulate=exact").contract == (
        "exact sum of up to 1024 products, rounded once, RNE"
    )
