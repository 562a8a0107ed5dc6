"""The architecture of a unit: spelled and refused like any option, built as asked for, and seen in no result."""

from __future__ import annotations

import dataclasses
import itertools
import re

import numpy as np
import pytest
import sum_cases
from array_cases import draw_block_values, draw_elements, draw_sum_inputs
from rtl_cases import assert_equals_golden, draw_inputs, every_input
from test_rtl_block import mismatch as block_mismatch
from test_rtl_mac import assert_equals_golden as assert_streams_equal
from test_rtl_mac import draw as draw_streams
from test_verilog import verilator

import fpgen
from fpgen import UsageError, parse_unit, unit_from_dict
from fpgen.formal.text_proof import prove
from fpgen.handoff.datasheet import datasheet_files
from fpgen.rtl import graph_of
from fpgen.units import Adder, Multiplier
from fpgen.vectors.stimulus import plan

#: Every multiplier with a network and with the operator, and every network; the default is tested everywhere else.
ARCHITECTURES = [
    (Multiplier.BOOTH, Adder.DEFAULT),
    (Multiplier.OPERATOR, Adder.DEFAULT),
    (Multiplier.OPERATOR, Adder.OPERATOR),
    (Multiplier.ARRAY, Adder.OPERATOR),
    (Multiplier.BOOTH, Adder.BRENT_KUNG),
    (Multiplier.ARRAY, Adder.KOGGE_STONE),
    (Multiplier.ARRAY, Adder.SKLANSKY),
]
every_architecture = pytest.mark.parametrize(
    "architecture", ARCHITECTURES, ids=lambda pair: "-".join(option.value for option in pair)
)


def built(text, architecture):
    """The unit of a text in an architecture; the multiplier is left out where it has none."""
    unit = parse_unit(text) if isinstance(text, str) else text
    multiplier, adder = architecture
    return dataclasses.replace(unit, adder=adder, **({"multiplier": multiplier} if unit.multiplies else {}))


# ---- results ---------------------------------------------------------------------------------------


@pytest.mark.turns(3)
@every_architecture
@pytest.mark.parametrize(
    "text",
    [
        "multiply e2m1 e2m1 -> e2m1 port flags=on",
        "multiply e2m3 e3m2 -> e4m3 port flags=on",
        pytest.param("multiply e4m3fn e5m2 -> e4m3 port flags=on", marks=pytest.mark.full),
        pytest.param("add e4m3fn e4m3fn -> e4m3fn port flags=on", marks=pytest.mark.full),
        "multiply int4 e3m2 -> int4 port",
        "multiply e3m0 e3m2 -> e2m3 rne flags=on",
        "multiply e8m0 e2m1 -> bf16 rne",
        "add e3m2 e3m2 -> e3m2 port flags=on",
        "add e2m3 int4 -> e3m2 sra random_bits=3 subtract=port",
        "convert e5m2 -> int4 port flags=on",
        "convert int8 -> e4m3 port",
        "fma e2m1 e2m1 e2m1 -> e2m3 rne flags=on",
        "fma int4 e2m1 e3m2 -> e3m2 port flags=on",
    ],
)
def test_every_operand(text, architecture):
    unit = built(text, architecture)
    assert_equals_golden(unit, every_input(unit))


@pytest.mark.turns(3)
@every_architecture
@pytest.mark.parametrize(
    "text",
    [
        "multiply fp64 fp64 -> fp64 rne flags=on",
        "multiply fp16 bf16 -> e8m30 rne",
        "multiply int32 uint24 -> int64 rtz",
        "multiply e2m13 e6m9:bias=-30 -> fp32 port",
        "add fp64 fp32 -> fp64 rne flags=on",
        "add int32 fp16 -> int16 port",
        "fma fp32 fp32 fp32 -> fp32 port flags=on",
        "fma e4m3fn e4m3fn fp32 -> fp32 rne",
        "fma fp64 fp64 fp64 -> fp32 rup subnormals=both",
        "fma int8 int8 int32 -> int32 rne",
        "fma e1m6 e2m0 ue3m2 -> e5m0:bias=3 rna",
        "convert fp64 -> int32 port flags=on",
    ],
)
def test_wide_and_odd_operands(text, architecture):
    unit = built(text, architecture)
    assert_equals_golden(unit, draw_inputs(unit, 600, np.random.default_rng(len(text))))


@pytest.mark.turns(2)
@every_architecture
@pytest.mark.parametrize("accumulate", ["float", "exact"])
def test_streams(accumulate, architecture):
    for seed, names in enumerate(
        (
            ["e4m3fn", "e5m2", "fp32"],
            ["int8", "uint6:scale=3", "int12:scale=-5"],
            ["e2m1", "fp16", "bf16"],
            ["fp16", "fp16", "fp16"],
        )
    ):
        unit, inputs = draw_streams(accumulate, names, seed, (16, 8))
        assert_streams_equal(built(unit, architecture), inputs)


@pytest.mark.turns(3)
@every_architecture
@pytest.mark.parametrize(
    "text",
    [
        "dot int8 int8 n=3 -> int32 rne",
        "dot int4 uint5 n=5 + int16 -> int16 rtz",
        "dot uint8 uint3:scale=6 n=2 -> fp32",
        "dot e4m3fn e5m2 n=4 + fp32 -> fp32",
        "dot e2m1 e3m0 n=5 -> fp16",
        "dot bf16 bf16 n=3 + bf16 -> bf16",
        "dot fp16 fp16 n=16 + fp32 -> fp32 accumulate=hopper",
        "dot fp16 fp16 n=4 + fp32 -> fp32 accumulate=cdna2",
        "dot e5m2 e5m2 n=4 + fp16 -> fp16 accumulate=aligned:fraction=12",
        "dot e3m2 e3m2 n=4 -> fp16 accumulate=tree",
        "blockdot int8@e8m0/2 int8@e8m0/2 k=4 + fp32 -> fp32",
        "blockdot e2m1@ue4m3/4 e2m1@ue4m3/4 k=8 + fp32 -> fp32",
        "blockdot e2m1@ue4m3/2 e3m2@ue3m2/2 k=4 -> bf16",
        "blockdot uint4@ue4m3/2 uint4@e8m0/2 k=2 -> fp32",
        "blockdot e4m3fn@ue4m3/4 e4m3fn@ue4m3/4 k=4 + fp32 -> fp32 accumulate=aligned:fraction=25",
    ],
)
def test_sums_of_products(text, architecture):
    unit = built(text, architecture)
    codes = draw_sum_inputs(unit, 120, np.random.default_rng(len(text)))
    assert not (different := sum_cases.mismatch(unit, codes)), different


@pytest.mark.turns(3)
@every_architecture
@pytest.mark.parametrize(
    "text",
    [
        "quantize fp16 -> e2m1@e8m0/2",
        "quantize fp32 -> e2m1@ue4m3/2 clamp=on",
        "quantize bf16 -> e4m3fn@ue4m3/2 clamp=on",
        "quantize fp32 -> nvfp4",
        "dequantize nvfp4 -> bf16",
        "dequantize e4m3fn@ue4m3/2 -> fp16",
        "dequantize mxint8 -> fp32",
    ],
)
def test_blocks(text, architecture):
    unit = built(text, architecture)
    rng = np.random.default_rng(len(text))
    draw = draw_block_values if unit.operation == "quantize" else draw_elements
    assert not (different := block_mismatch(unit, draw(unit, 40, rng))), different


@every_architecture
def test_tiles(architecture):
    """Each result of a tile is that of the dot product with the same architecture."""
    unit = built("tensorcore e4m3fn e4m3fn m=2 n=2 k=2 + fp16 -> fp16", architecture)
    assert unit.dot.architecture == unit.architecture
    codes = draw_sum_inputs(unit, 60, np.random.default_rng(5))
    got = sum_cases.hardware(unit, codes)
    want = sum_cases.packed(unit.compute(*(codes[name] for name in unit.operands)).codes.reshape(60, -1), 16)
    assert (got == want.astype(np.uint64)).all()


# ---- what is built ---------------------------------------------------------------------------------


def operations(unit):
    """How often each operation stands in the unit's graph, by its name and the least width of its arguments."""
    return [(node.op, min(arg.width for arg in node.args)) for node in graph_of(unit).live() if node.args]


@pytest.mark.parametrize(
    "text",
    [
        "multiply fp16 fp16 -> fp16",
        "fma fp32 fp32 fp32 -> fp32",
        "mac bf16 bf16 -> fp32",
        "dot int8 int8 n=4 -> int32",
        "dequantize nvfp4 -> bf16",
    ],
)
def test_the_operator_is_the_only_multiplication(text):
    plain, unit = parse_unit(text), parse_unit(f"{text} multiplier=operator")
    assert "mul" not in [op for op, _ in operations(plain)]
    kinds = [op for op, _ in operations(unit)]
    assert "mul" in kinds and len(kinds) < len(operations(plain))
    assert " * " in unit.verilog() and not re.search(r"product\w*_row_\d", unit.verilog())


@pytest.mark.parametrize("text", ["multiply fp32 fp32 -> fp32", "fma fp16 fp16 fp16 -> fp16", "add fp32 fp32 -> fp32"])
def test_adders_are_networks_or_operators(text):
    wide = 20  # wider than any exponent
    for adder in Adder:
        unit = parse_unit(f"{text} adder={adder.value}")
        sums = [width for op, width in operations(unit) if op == "add" and width > wide]
        levels = "generate_" in unit.verilog()
        assert bool(sums) != levels and levels == (adder is not Adder.OPERATOR), (adder, sums)


def test_every_architecture_is_another_circuit():
    text = "fma fp16 fp16 fp16 -> fp16 rne"
    texts = {
        str(parse_unit(f"{text} multiplier={m.value} adder={a.value}").verilog().split("\nmodule", 1)[1])
        for m, a in itertools.product(Multiplier, Adder)
    }
    assert len(texts) == len(Multiplier) * len(Adder)
    # In a sum of two numbers the default is Sklansky's: only the name differs.
    one, other = (parse_unit(f"add fp16 fp16 -> fp16{option}") for option in ("", " adder=sklansky"))
    assert one.name != other.name
    assert operations(one) == operations(other)


PROVEN = [
    "multiply bf16 fp16 -> fp16 rne",
    "fma e4m3fn e4m3fn bf16 -> bf16 rne stages=2",
    "dot int8 uint6 n=2 -> int16",
    "add fp16 fp16 -> fp16 rne stages=1",
]


@pytest.mark.parametrize(
    ("text", "architecture"),
    [
        pytest.param(
            text,
            architecture,
            marks=[]
            if architecture[1] is Adder.OPERATOR
            and architecture[0] is (Multiplier.ARRAY if number == 3 else Multiplier.OPERATOR)
            else pytest.mark.full,
            id=f"{text}-{architecture[0].value}-{architecture[1].value}",
        )
        for number, text in enumerate(PROVEN)
        for architecture in ARCHITECTURES
    ],
)
def test_proven_equal_to_the_amaranth_design(text, architecture):
    proof = prove(built(text, architecture))
    assert proof.status == "proven", proof.detail


@pytest.mark.turns(2)
@every_architecture
def test_verilator_finds_nothing(architecture, tmp_path):
    for text in (
        "fma e4m3fn fp16 bf16 -> bf16 port flags=on stages=2",
        "dot int8 uint6 n=3 + int16 -> int16",
        "blockdot e2m1@ue4m3/2 e3m2@ue3m2/2 k=4 -> bf16",
        "mac e4m3fn e4m3fn -> fp16 accumulate=exact",
        "quantize fp16 -> e2m1@ue4m3/2 clamp=on",
        "dequantize nvfp4 -> bf16",
        "convert int8 -> int4 port",
    ):
        unit = built(text, architecture)
        done = verilator(tmp_path, unit.verilog(), unit.name)
        assert done.returncode == 0 and "%" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(
            pair,
            marks=[] if pair == (Multiplier.OPERATOR, Adder.OPERATOR) else pytest.mark.full,
            id=f"{pair[0].value}-{pair[1].value}",
        )
        for pair in ARCHITECTURES
    ],
)
def test_simulated(architecture):
    unit = built("fma e4m3fn e3m2 bf16 -> bf16 port flags=on stages=2 handshake=ready", architecture)
    verdict = unit.verify(vectors=2000)
    assert verdict.passed, verdict.reason


# ---- spelling --------------------------------------------------------------------------------------


@every_architecture
@pytest.mark.parametrize(
    "text",
    [
        "multiply fp16 fp16 -> fp16 rne stages=3",
        "add bf16 bf16 -> bf16 rne",
        "tensorcore int8 int8 m=2 n=2 k=4 -> int32 rne",
    ],
)
def test_round_trips(text, architecture):
    unit = built(text, architecture)
    words = [
        f"{name}={getattr(unit, name).value}"
        for name, default in (("multiplier", Multiplier.ARRAY), ("adder", Adder.DEFAULT))
        if getattr(unit, name) is not default
    ]
    assert unit.text == " ".join([text, *words])
    assert unit.name == "_".join([parse_unit(text).name, *(word.replace("=", "_").replace("-", "_") for word in words)])
    for again in (parse_unit(unit.text), unit_from_dict(unit.to_dict()), unit_from_dict({"unit": unit.text})):
        assert again == unit and again.content_hash == unit.content_hash


def test_the_default_is_not_spelled_and_does_not_count():
    plain = parse_unit("fma fp16 fp16 fp16 -> fp16 rne")
    given = parse_unit("fma fp16 fp16 fp16 -> fp16 rne multiplier=array adder=default")
    assert given == plain and given.text == plain.text and given.name == plain.name
    assert plain.to_dict()["multiplier"] == "array" and plain.to_dict()["adder"] == "default"
    assert "multiplier" not in parse_unit("add fp16 fp16 -> fp16").to_dict()
    hashes = {dataclasses.replace(plain, multiplier=m, adder=a).content_hash for m in Multiplier for a in Adder}
    assert len(hashes) == len(Multiplier) * len(Adder)


def test_hashes_of_before_architectures():
    """Of caches and stores from before the option: a default architecture is no news to them."""
    assert parse_unit("multiply fp16 fp16 -> fp16 rne").content_hash == (
        "64414f0a26788eef34f02c65ef65d64e6ea775d9e2cd2cbe1f3ec9ec1d449cd0"
    )
    assert parse_unit("mac e5m2 e5m2 -> fp32 rne accumulate=float").content_hash == (
        "0add0e52a57977656ad0c52bb478eb414407579c434c822b9c5ce4d3e274857a"
    )


def test_header_and_datasheet_name_it():
    unit = parse_unit("fma fp16 fp16 fp16 -> fp16 rne multiplier=booth adder=kogge-stone")
    words = "multiplier booth, adder kogge-stone"
    assert words in unit.verilog() and words in datasheet_files(unit)["datasheet.md"]
    assert "multiplier" not in parse_unit("fma fp16 fp16 fp16 -> fp16 rne").verilog()
    text = parse_unit("add fp16 fp16 -> fp16 rne adder=brent-kung").verilog()
    assert "adder brent-kung" in text and "multiplier" not in text


def test_the_contract_does_not_depend_on_it():
    units = [
        parse_unit(f"dot e4m3fn e4m3fn n=4 -> fp32 multiplier={m.value} adder={a.value}")
        for m in Multiplier
        for a in Adder
    ]
    assert len({unit.contract for unit in units}) == 1


def test_vectors_do_not_depend_on_it():
    """The regression of every architecture is the same operands with the same expected results."""
    text = "fma fp16 fp16 bf16 -> fp16 port flags=on"
    plain, other = (
        plan(parse_unit(f"{text}{options}"), vectors=500) for options in ("", " multiplier=booth adder=operator")
    )
    for one, two in zip(plain.chunks(), other.chunks(), strict=True):
        assert all((one.inputs[name] == two.inputs[name]).all() for name in one.inputs)
        operands = [one.inputs[name] for name in "abc"]
        first, second = (unit.compute(*operands, rounding=one.inputs["rounding"]) for unit in (plain.unit, other.unit))
        assert (first.codes == second.codes).all() and (first.flags == second.flags).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("add fp16 fp16 -> fp16 multiplier=booth", "multiplier: got booth with add, which multiplies nothing"),
        ("convert fp32 -> fp16 multiplier=operator", "multiplier: got operator with convert, which multiplies nothing"),
        ("quantize fp32 -> mxfp4 multiplier=booth", "multiplier: got booth with quantize, which multiplies nothing"),
        (
            "dequantize mxfp4 -> bf16 multiplier=operator",
            "multiplier: got operator with dequantize, which multiplies nothing",
        ),
        (
            "multiply fp16 fp16 -> fp16 multiplier=wallace",
            "multiplier: got wallace; expected one of array, booth, operator",
        ),
        (
            "multiply fp16 fp16 -> fp16 adder=kogge_stone",
            "adder: got kogge_stone (did you mean kogge-stone?); expected one of default, sklansky",
        ),
        ("multiply fp16 fp16 -> fp16 multipler=booth", "option: got multipler (did you mean multiplier?); expected"),
        ("multiply fp16 fp16 -> fp16 multiplier=booth multiplier=array", "got multiplier twice"),
        ("multiply fp16 fp16 -> fp16 multiplier", "multiplier: got no value"),
        ("multiply fp16 fp16 -> fp16 adder=", "adder: got ''; expected one of default, sklansky"),
    ],
)
def test_refusals(text, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        parse_unit(text)


def test_refusals_of_values():
    with pytest.raises(UsageError, match="multiplier: got 7; expected one of array"):
        fpgen.Multiply(a="fp16", b="fp16", out="fp16", multiplier=7)
    with pytest.raises(UsageError, match="adder: got 3; expected a word"):
        unit_from_dict({"operation": "add", "a": "fp16", "b": "fp16", "out": "fp16", "adder": 3})
