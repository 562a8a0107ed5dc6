"""The hardware of every operation equals the golden model: whole spaces where they are small, directed elsewhere."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from golden_cases import EXTREMES, draw_options
from portions import some
from rtl_cases import (
    MIXED,
    SMALL,
    assert_equals_golden,
    draw_inputs,
    draw_mixed_unit,
    every,
    every_input,
    hardware,
    mismatch,
    policies,
)

import fpgen
from fpgen.formats import CATALOGUE, parse
from fpgen.rtl.datapath import datapath
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.float import cores, float_position
from fpgen.units.options import Rounding, Subnormals, Tininess

WIDE = ["fp16", "bf16", "tf32", "fp24", "fp32", "fp64"]
STOCHASTIC = ["sra", "srb", "src"]
UP_TO_16 = [name for name, entry in CATALOGUE.items() if entry.format.bits <= 16]


# ---- whole spaces --------------------------------------------------------------------------------


@pytest.mark.turns(2)
@pytest.mark.parametrize("name", some(SMALL, 2))
def test_every_product_in_every_mode(name):
    unit = fpgen.Multiply(a=name, b=name, out=name, rounding="port", flags=True)
    assert_equals_golden(unit, every_input(unit))


@pytest.mark.turns(2)
@pytest.mark.parametrize("name", some(SMALL, 2, first=1))
def test_every_sum_in_every_mode(name):
    unit = fpgen.Add(a=name, b=name, out=name, rounding="port", flags=True)
    assert_equals_golden(unit, every_input(unit))


@pytest.mark.full
@pytest.mark.parametrize("name", SMALL)
def test_every_product_under_every_option(name):
    """Every overflow policy, tininess and subnormal option."""
    for overflow, tininess, subnormals in itertools.product(policies(parse(name)), Tininess, Subnormals):
        unit = fpgen.Multiply(
            a=name,
            b=name,
            out=name,
            rounding="port",
            overflow=overflow,
            tininess=tininess,
            subnormals=subnormals,
            flags=True,
        )
        text = mismatch(unit, every_input(unit))
        assert not text, text


@pytest.mark.full
@pytest.mark.parametrize("name", SMALL)
def test_every_difference_under_every_option(name):
    """Subtraction on a port; tiny sums of one format are exact, so tininess is not crossed."""
    for overflow, subnormals in itertools.product(policies(parse(name)), Subnormals):
        unit = fpgen.Add(
            a=name,
            b=name,
            out=name,
            rounding="port",
            overflow=overflow,
            subnormals=subnormals,
            subtract="port",
            flags=True,
        )
        text = mismatch(unit, every_input(unit))
        assert not text, text


@pytest.mark.turns(2)
@pytest.mark.parametrize("mode", ["rne", "rna", "rtz", "rup", "rdn", "raz", "rto"])
@pytest.mark.parametrize("name", ["e2m1", "e3m2", "binary4p2sf", "e4m3fnuz"])
def test_every_pair_with_a_fixed_mode(name, mode):
    """A fixed mode folds constants that the port keeps."""
    for cls, tininess in itertools.product((fpgen.Multiply, fpgen.Add), Tininess):
        unit = cls(a=name, b=name, out=name, rounding=mode, tininess=tininess, flags=True)
        assert_equals_golden(unit, every_input(unit))


@pytest.mark.turns(2)
@pytest.mark.parametrize(
    ("name", "tininess", "subnormals"),
    some(
        itertools.product(
            ["e3m2", "e2m3:nan=allones", "e3m2:inf=ieee,nan=ieee", "e4m1:bias=3", "e3m2:bias=4,inf=top,nan=negzero"],
            Tininess,
            Subnormals,
        ),
        3,
    ),
)
def test_every_pair_under_every_option(name, tininess, subnormals):
    """6-bit formats crossed with every policy, tininess and subnormal option."""
    for cls, overflow in itertools.product((fpgen.Multiply, fpgen.Add), policies(parse(name))):
        unit = cls(
            a=name,
            b=name,
            out=name,
            rounding="port",
            overflow=overflow,
            tininess=tininess,
            subnormals=subnormals,
            flags=True,
        )
        assert_equals_golden(unit, every_input(unit))


@pytest.mark.turns(2)
@pytest.mark.parametrize("mode", STOCHASTIC)
@pytest.mark.parametrize(
    "formats",
    [
        ("e2m1", "e2m1", "e2m1"),
        ("e3m2", "e2m3", "e2m1"),
        ("e4m3fn", "e2m1", "e3m0"),
        ("e5m2", "int4", "e4m3fn"),
        ("e3m2", "e3m2", "int4"),
        ("e2m3", "e2m3", "e8m0"),
    ],
    ids="-".join,
)
def test_stochastic_with_every_random_number(formats, mode):
    a, b, out = formats
    for cls, bits in itertools.product((fpgen.Multiply, fpgen.Add), (1, 4)):
        unit = cls(a=a, b=b, out=out, rounding=mode, random_bits=bits, flags=True)
        assert_equals_golden(unit, every_input(unit))


@pytest.mark.parametrize(
    "formats",
    [
        ("e2m1", "e2m1", "e2m1", "e2m1"),
        ("binary4p2sf", "binary4p2sf", "binary4p2sf", "binary4p2sf"),
        ("int4", "e2m1", "e3m2", "e3m2"),
        ("e3m0", "e2m1", "e1m3", "e2m3"),
        ("e2m1", "e2m1", "e4m3fn", "e4m3fn"),
    ],
    ids="-".join,
)
def test_every_triple_in_every_mode(formats):
    a, b, c, out = formats
    for tininess in Tininess:
        unit = fpgen.FusedMultiplyAdd(a=a, b=b, c=c, out=out, rounding="port", tininess=tininess, flags=True)
        assert_equals_golden(unit, every_input(unit))


@pytest.mark.full
@pytest.mark.parametrize("name", ["e3m2", "e2m3", "e4m1:inf=ieee,nan=ieee", "e2m2", "e3m2:bias=4,inf=top,nan=negzero"])
def test_every_triple_of_6_bits_in_every_mode(name):
    unit = fpgen.FusedMultiplyAdd(a=name, b=name, c=name, out=name, rounding="port", flags=True)
    assert_equals_golden(unit, every_input(unit))


@pytest.mark.full
@pytest.mark.parametrize(("name", "mode"), [("e4m3fn", "rne"), ("e5m2", "rne"), ("e4m3fnuz", "rdn")])
def test_every_triple_of_8_bits(name, mode):
    unit = fpgen.FusedMultiplyAdd(a=name, b=name, c=name, out=name, rounding=mode, flags=True)
    graph = datapath(unit)
    block = every({"a": 8, "b": 8, "c": 4})
    for high in range(0, 256, 16):
        text = mismatch(unit, {**block, "c": block["c"] + np.uint64(high)}, graph)
        assert not text, text


def check_conversion(source: str, out: str):
    for overflow in policies(parse(out)):
        unit = fpgen.Convert(source=source, out=out, rounding="port", overflow=overflow, flags=True)
        assert_equals_golden(unit, every_input(unit))


@pytest.mark.turns(2)
@pytest.mark.parametrize("source", some(SMALL, 2))
def test_every_code_converted(source):
    """To every third output of the catalogue, a different third from one source to the next."""
    start = SMALL.index(source) % 3
    for out in list(CATALOGUE)[start::3]:
        check_conversion(source, out)


@pytest.mark.full
@pytest.mark.parametrize("source", UP_TO_16)
def test_every_code_of_up_to_16_bits_converted_to_every_format(source):
    for out in CATALOGUE:
        check_conversion(source, out)


# ---- mixed and extreme formats -------------------------------------------------------------------


def check_mixed(seed: int, formats: list[str], count: int):
    rng = np.random.default_rng(seed)
    operation = ("multiply", "add", "fma", "convert")[seed % 4]
    unit = draw_mixed_unit(operation, formats, rng)
    text = mismatch(unit, draw_inputs(unit, count, rng))
    assert not text, f"seed {seed}: {text}"


@pytest.mark.turns(2)
@pytest.mark.parametrize("block", range(8))
def test_mixed_units(block):
    """Units on formats drawn at random: P=1, E=1, K=3, odd biases, unsigned, no zero, integers, no subnormals."""
    for seed in range(40 * block, 40 * block + 40):
        check_mixed(seed, MIXED, 2048)


def test_range_looser_than_width():
    """A bound that the exponent's range allowed but its width could not hold was cut to the width.

    1 * 1 into a format of one significand bit without zero gave the largest value: "beyond the range" was constant.
    """
    unit = fpgen.parse_unit(
        "multiply ue2m0:inf=none,nan=allones ue2m0:inf=none,nan=allones "
        "-> ue2m0:inf=none,nan=none,subnormals=no,zero=no port flags=on"
    )
    codes = np.array([1, 2, 1, 2]), np.array([1, 1, 2, 2])
    assert_equals_golden(unit, {"a": codes[0], "b": codes[1], "rounding": np.zeros(4, dtype=int)})


@pytest.mark.full
@pytest.mark.parametrize("block", range(40))
def test_many_mixed_units(block):
    for seed in range(1000 + 100 * block, 1100 + 100 * block):
        check_mixed(seed, MIXED, 1 << 14)


SHORT_EXTREMES = [name for name in EXTREMES if parse(name).bits <= 20 and parse(name).exponent_bits <= 7]


@pytest.mark.turns(3)
@pytest.mark.parametrize("operation", ["multiply", "add", "fma", "convert"])
@pytest.mark.parametrize("name", SHORT_EXTREMES)
def test_extremes(name, operation):
    """Every unit on the formats at the ends of every parameter, as operands and as the result."""
    rng = np.random.default_rng(len(name))
    for formats in ([name], [name, "e4m3fn", "int8"]):
        unit = draw_mixed_unit(operation, formats, rng)
        assert_equals_golden(unit, draw_inputs(unit, 1024, rng))


@pytest.mark.full
@pytest.mark.parametrize("operation", ["multiply", "add", "fma", "convert"])
@pytest.mark.parametrize("name", [name for name in EXTREMES if parse(name).exponent_bits <= 11])
def test_wide_extremes(name, operation):
    rng = np.random.default_rng(len(name))
    for formats in ([name], [name, "fp32", "int16:scale=-20"]):
        for _ in range(3):
            unit = draw_mixed_unit(operation, formats, rng)
            assert_equals_golden(unit, draw_inputs(unit, 500, rng))


# ---- wide formats --------------------------------------------------------------------------------


def wide_unit(operation: str, name: str, **options):
    operands = {"multiply": "ab", "add": "ab", "fma": "abc", "convert": ["source"]}[operation]
    kind = {"multiply": fpgen.Multiply, "add": fpgen.Add, "fma": fpgen.FusedMultiplyAdd, "convert": fpgen.Convert}
    out = name
    if operation == "convert":
        out = {"fp64": "fp32", "fp32": "fp16", "fp16": "e4m3fn"}.get(name, "fp16")
    return kind[operation](**dict.fromkeys(operands, name), out=out, flags=True, **options)


@pytest.mark.parametrize("operation", ["multiply", "add", "fma", "convert"])
@pytest.mark.parametrize("name", WIDE)
def test_wide_formats(name, operation):
    """Corners, cancellations, and results at the ends of the range."""
    rng = np.random.default_rng(7)
    count = 300 if name == "fp64" else 1000
    for tininess in Tininess:
        unit = wide_unit(operation, name, rounding="port", tininess=tininess)
        inputs = draw_inputs(unit, count, rng)
        text = mismatch(unit, inputs)
        assert not text, text


@pytest.mark.full
@pytest.mark.parametrize("mode", [mode.value for mode in Rounding])
@pytest.mark.parametrize("operation", ["multiply", "add", "fma", "convert"])
@pytest.mark.parametrize("name", WIDE)
def test_many_of_wide_formats(name, operation, mode):
    rng = np.random.default_rng(11)
    for _ in range(3):
        out = wide_unit(operation, name).out
        unit = wide_unit(operation, name, **draw_options(out, rng, mode))
        assert_equals_golden(unit, draw_inputs(unit, 2000, rng))


@pytest.mark.parametrize(
    "text",
    [
        "fma e4m3fn e4m3fn fp32 -> fp32",
        "fma e5m2 e4m3fn fp16 -> bf16",
        "multiply bf16 int8 -> fp32",
        "fma bf16 int8 fp32 -> fp32",
        "multiply fp16 fp16 -> fp32",
        "add e4m3fn fp32 -> fp16",
        "fma fp32 e2m1 fp16 -> e5m2",
        "fma fp16 fp16 fp64 -> fp16",
        "fma fp64 e4m3fn e8m0 -> fp16",
        "fma int8 int8 int32 -> int32",
        "convert fp64 -> e4m3fn saturate",
        "convert int64 -> fp32",
        "convert fp32 -> int32",
        "convert uint64 -> fp64",
    ],
)
def test_famous_mixtures(text):
    rng = np.random.default_rng(13)
    unit = dataclasses.replace(fpgen.parse_unit(text), rounding=Rounding.PORT, flags=True)
    found = mismatch(unit, draw_inputs(unit, 700, rng))
    assert not found, found


# ---- bugs that were here -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "convert fp32 -> e8m0 rdn flags=on",
        "convert fp32 -> e8m0 rdn",
        "convert fp32 -> e8m0 rto flags=on",
        "convert fp32 -> ue3m0:zero=no,subnormals=no rne tininess=before flags=on",
    ],
)
def test_a_tiny_negative_result_is_flushed_before_it_is_below_an_unsigned_range(text):
    """No zero and no subnormals: tiny results are the least value with UF, NX, even where rounding goes away from it.

    The hardware delivered NaN (or raised NV) for -2**-130 rounded down to E8M0.
    """
    unit = fpgen.parse_unit(text)
    emin = unit.out.emin
    source = np.array([-(2.0 ** (emin - 2)), -0.9 * 2.0**emin, -(2.0**emin), -0.5 * 2.0**emin], np.float32)
    inputs = {"source": source.view(np.uint32).astype(np.uint64)}
    found = mismatch(unit, inputs)
    assert not found, found
    codes, flags = hardware(unit, inputs)
    assert codes[0] == 0 and flags[0] == (3 if unit.flags else 0)


@pytest.mark.parametrize("name", ["ue1m1", "ue1m3", "ue2m0", "ue2m2"])
def test_formats_of_two_and_four_binades_without_zero(name):
    """The exponents of these have one or two bits; a sum of the former could not be built."""
    name += ":zero=no,subnormals=no,inf=none,nan=none"
    for out in (name, "fp16", "e3m2"):
        for cls in (fpgen.Multiply, fpgen.Add):
            unit = cls(a=name, b=name, out=out, rounding="port", flags=True)
            assert_equals_golden(unit, every_input(unit))
        unit = fpgen.FusedMultiplyAdd(a=name, b=name, c=name, out=out, rounding="port", flags=True)
        assert_equals_golden(unit, every_input(unit))


@pytest.mark.parametrize("out", ["e8m0", "ue3m0:zero=no,subnormals=no", "e3m0", "binary8p1se"])
@pytest.mark.parametrize("mode", ["rne", "rna", "rto", "rup"])
def test_three_quarters_of_the_smallest_power_of_two(out, mode):
    """Precision 1: whether a tie below the smallest normal reaches it depends on the parity of its code.

    That is even in formats without zero; the hardware took it as odd and raised UF for 0.75 * 2**-127 in E8M0.
    """
    unit = fpgen.parse_unit(f"convert fp64 -> {out} {mode} flags=on")
    value = 0.75 * 2.0**unit.out.emin
    inputs = {"source": np.array([value, -value]).view(np.uint64)}
    found = mismatch(unit, inputs)
    assert not found, found
    if (out, mode) == ("e8m0", "rne"):
        assert hardware(unit, inputs)[1][0] == 1


# ---- what the graph promises ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "add fp16 fp16 -> fp16 port subtract=port flags=on",
        "multiply e5m2 e5m2 -> fp16 sra random_bits=5",
        "mac e5m2 e5m2 -> fp32 loadable=on",
        "convert fp32 -> e4m3fn",
    ],
)
def test_the_ports_of_the_graph_are_those_of_the_unit(text):
    unit = fpgen.parse_unit(text)
    graph = datapath(unit)
    assert {name: node.width for name, node in graph.inputs.items()} == {
        port.name: port.width for port in unit.ports if port.travels_in
    }
    assert {name: node.width for name, node in graph.outputs.items()} == {
        port.name: port.width for port in unit.ports if port.travels_out
    }


def spoil(graph, step: str):
    """Invert every bit of a named step."""
    victim = next(node for node in graph.nodes if node.name == step)
    ones = graph.const((1 << victim.width) - 1, victim.width)
    spoiled = graph.make("xor", (victim, ones), victim.width)
    for node in (ones, spoiled):
        graph.nodes.remove(node)
    graph.nodes.insert(graph.nodes.index(victim) + 1, spoiled)
    graph.nodes.insert(0, ones)
    for node in graph.nodes:
        if node is not spoiled:
            node.args = tuple(spoiled if arg is victim else arg for arg in node.args)
    graph.outputs = {name: spoiled if node is victim else node for name, node in graph.outputs.items()}


@pytest.mark.parametrize(
    "step",
    [
        "round_up",
        "sticky",
        "product_nan",
        "cancelled",
        "overflow",
        "tiny",
        "marked",
        "addend_leads",
        "alignment",
        "unrounded",
    ],
)
def test_the_comparison_notices_one_wrong_step(step):
    """The check can fail: it does when a step is inverted."""
    unit = fpgen.FusedMultiplyAdd(a="e4m3fn", b="e4m3fn", c="fp16", out="fp16", flags=True)
    inputs = draw_inputs(unit, 4000, np.random.default_rng(3))
    graph = datapath(unit)
    spoil(graph, step)
    assert mismatch(unit, inputs, graph)


@pytest.mark.parametrize(
    ("module", "width", "text"),
    [
        (cores, "bits_below", "add e5m2 e5m2 -> e5m2 rne"),
        (cores, "bits_below", "add e4m3fn e5m2 -> e3m2 port"),
        (cores, "bits_below", "fma e2m1 e2m1 e4m3fn -> e4m3fn port"),
        (cores, "gap_above", "fma e2m1 e2m1 e4m3fn -> e4m3fn port"),
        (cores, "gap_above", "fma e3m2 e3m2 e3m2 -> e3m2 rne"),
        (float_position, "_reach", "convert fp16 -> e4m3 port"),
    ],
)
def test_the_windows_have_no_bit_to_spare(monkeypatch, module, width, text):
    """The widths are as they are derived: with one bit less, some result is wrong, and the comparison notices."""
    unit = fpgen.parse_unit(text)
    inputs = every_input(unit)
    assert not mismatch(unit, inputs)
    derived = getattr(module, width)
    monkeypatch.setattr(module, width, lambda *args: max(0, derived(*args) - 1))
    assert mismatch(unit, inputs)


def test_evaluation_is_the_same_for_one_vector_and_for_many():
    unit = fpgen.Multiply(a="e5m2", b="e5m2", out="fp16")
    graph = datapath(unit)
    inputs = every_input(unit)
    many = evaluate(graph, **inputs)["result"]
    for at in (0, 12345, 65535):
        one = evaluate(graph, **{name: int(codes[at]) for name, codes in inputs.items()})["result"]
        assert int(one) == int(many[at])
