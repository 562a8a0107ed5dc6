"""Rounding away from zero: of positive numbers toward plus infinity, of negative ones toward minus infinity."""

import numpy as np
import pytest
from portions import portions

import fpgen
from fpgen.formats import CATALOGUE
from fpgen.golden.exact import exact_model
from fpgen.rtl import graph_of
from fpgen.rtl.evaluate import evaluate

EIGHT_BITS = [name for name, entry in CATALOGUE.items() if entry.format.bits == 8]
SHORT = [name for name, entry in CATALOGUE.items() if entry.format.bits <= 6]


def by_direction(text: str, codes: dict[str, np.ndarray]) -> fpgen.Result:
    """What two directed modes deliver, chosen by the sign of the exact result in a wide format."""
    wide = fpgen.parse_unit(text.replace(text.split("->")[1].split()[0], "fp64") + " rne").compute(**codes)
    negative = (wide.codes >> np.uint64(63)).astype(bool)
    up, down = (fpgen.parse_unit(f"{text} {mode}").compute(**codes) for mode in ("rup", "rdn"))
    return np.where(negative, down.codes, up.codes), np.where(negative, down.flags, up.flags)


def hardware(unit: fpgen.Unit, codes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return evaluate(graph_of(unit), **{name: array.astype(np.uint64) for name, array in codes.items()})


def check(text: str, codes: dict[str, np.ndarray]):
    unit = fpgen.parse_unit(f"{text} raz flags=on")
    found, exact = unit.compute(**codes), exact_model.compute(unit, codes)
    np.testing.assert_array_equal(found.codes, exact.codes)
    np.testing.assert_array_equal(found.flags, exact.flags)
    made = hardware(unit, codes)
    np.testing.assert_array_equal(made["result"], exact.codes)
    np.testing.assert_array_equal(made["flags"], exact.flags)
    return found


@pytest.mark.parametrize("step", portions(13))
@pytest.mark.parametrize("out", EIGHT_BITS)
def test_fp16_numbers_in_every_format_of_8_bits(out, step):
    codes = {"source": np.arange(0, 1 << 16, step, dtype=np.uint16)}
    found = check(f"convert fp16 -> {out}", codes)
    expected, flags = by_direction(f"convert fp16 -> {out}", codes)
    np.testing.assert_array_equal(found.codes, expected)
    np.testing.assert_array_equal(found.flags, flags)


@pytest.mark.turns(3)
@pytest.mark.parametrize("operation", ["multiply", "add"])
@pytest.mark.parametrize("name", EIGHT_BITS)
def test_every_pair_of_codes_of_every_format_of_8_bits(operation, name):
    a, b = (grid.reshape(-1) for grid in np.meshgrid(np.arange(256), np.arange(256), indexing="ij"))
    unit = fpgen.parse_unit(f"{operation} {name} {name} -> {name} raz flags=on")
    found, made = unit.compute(a, b), hardware(unit, {"a": a, "b": b})
    np.testing.assert_array_equal(made["result"], found.codes)
    np.testing.assert_array_equal(made["flags"], found.flags)
    part = np.random.default_rng(1).choice(1 << 16, 1000, replace=False)
    exact = exact_model.compute(unit, {"a": a[part], "b": b[part]})
    np.testing.assert_array_equal(found.codes[part], exact.codes)
    np.testing.assert_array_equal(found.flags[part], exact.flags)


@pytest.mark.parametrize(
    ("text", "codes", "result", "flags"),
    [
        ("convert fp16 -> e4m3fn", 0x3C01, 0x39, 1),  # just above 1: the next number, NX
        ("convert fp16 -> e4m3fn", 0xBC01, 0xB9, 1),
        ("convert fp16 -> e4m3fn", 0x3C00, 0x38, 0),  # 1 is 1
        ("convert fp16 -> e4m3fn", 0x0001, 0x01, 3),  # however small: the smallest number, UF and NX
        ("convert fp16 -> e4m3fn", 0x5F01, 0x7F, 5),  # just above 448: NaN, which is beyond it; OF and NX
        ("convert fp16 -> e5m2", 0xFB01, 0xFC, 5),  # just below -57344: minus infinity
        ("convert fp16 -> e4m3fn saturate", 0x5F01, 0x7E, 5),
        ("convert fp16 -> int8", 0x3C01, 2, 1),
        ("convert fp16 -> int8", 0xBC01, 0xFE, 1),
        ("convert fp16 -> uint8", 0xBC01, 0, 16),  # -2 is below zero: NV
    ],
)
def test_worked_examples(text, codes, result, flags):
    unit = fpgen.parse_unit(f"{text} raz flags=on")
    for found in (unit.compute([codes]), exact_model.compute(unit, {"source": [codes]})):
        assert (int(found.codes[0]), int(found.flags[0])) == (result, flags)
    made = hardware(unit, {"source": np.array([codes])})
    assert (int(made["result"][0]), int(made["flags"][0])) == (result, flags)


def test_a_sum_of_zero_is_plus_zero():
    """IEEE 754-2019, 6.3: minus zero only toward minus infinity."""
    unit = fpgen.parse_unit("add e4m3fn e4m3fn -> e4m3fn raz")
    assert unit.compute([0x38], [0xB8]).codes.tolist() == [0]
    assert hardware(unit, {"a": np.array([0x38]), "b": np.array([0xB8])})["result"].tolist() == [0]


def test_the_hardware_is_not_that_of_another_mode():
    texts = {mode: fpgen.parse_unit(f"multiply e4m3fn e4m3fn -> e4m3fn {mode} module_name=unit").verilog() for mode in
             ("rne", "rna", "rtz", "rup", "rdn", "rto", "raz")}  # fmt: skip
    bodies = {text.split(");", 1)[1] for text in texts.values()}
    assert len(bodies) == len(texts)


@pytest.mark.parametrize(
    "text",
    [
        "multiply e4m3fn e4m3fn -> e4m3fn raz flags=on",
        pytest.param("quantize bf16 -> mxfp4 raz", marks=pytest.mark.full),
    ],
)
def test_the_verilog(text):
    verdict = fpgen.parse_unit(text).verify(vectors=5000)
    assert verdict.passed, verdict.reason


def test_it_is_not_on_the_port():
    assert fpgen.Rounding.RAZ not in fpgen.PORT_CODES
