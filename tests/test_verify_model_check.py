"""The golden model is checked against the exact one before hardware is checked against it."""

import dataclasses
import sys

import numpy as np
import pytest

import fpgen
from fpgen.golden import Result
from fpgen.units.operations import OPERATIONS
from fpgen.verify import model_check
from fpgen.verify.model_check import check_model

UNITS = [
    "multiply fp16 fp16 -> fp16 port flags=on",
    "add e5m2 e5m2 -> e5m2 srb random_bits=4 subtract=port",
    "mac e4m3fn e4m3fn -> fp16 loadable=on",
    "dot e4m3fn e4m3fn n=4 + fp32 -> fp32 accumulate=aligned:fraction=25",
    "tensorcore e2m1 e2m1 m=2 n=2 k=4 + fp32 -> fp32",
    "quantize bf16 -> mxfp4",
    "dequantize mxfp4 -> bf16",
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(model_check, "cache_dir", lambda name: tmp_path)


@pytest.mark.parametrize("text", UNITS)
def test_as_many_results_as_promised(text):
    found = check_model(fpgen.parse_unit(text), results=1000)
    assert found.results >= 1000 and found.different == 0 and not found.example


def test_few_codes_are_all_compared():
    assert check_model(fpgen.parse_unit("multiply e2m1 e2m1 -> e2m1")).results == 256


def test_every_family_has_its_share():
    unit = fpgen.parse_unit("multiply fp16 fp16 -> fp16").behaviour
    drawn = {name: len(inputs["a"]) for name, inputs in model_check._drawn(unit, 10_000, 1)}
    assert sum(drawn.values()) >= 10_000
    assert {"specials_cross", "product_ties", "underflow_boundary", "random_codes"} <= set(drawn)
    assert min(drawn.values()) > 500


@pytest.mark.parametrize("text", UNITS)
def test_a_wrong_model_is_found_and_shown(text, monkeypatch):
    right = model_check.run_fast

    def wrong(unit, inputs):
        result = right(unit, inputs)
        outputs = {name: codes.copy() for name, codes in result.outputs.items()}
        first = next(iter(outputs.values()))
        first.reshape(-1)[-1] ^= 1
        return Result(outputs, result.flags)

    monkeypatch.setattr(model_check, "run_fast", wrong)
    found = check_model(fpgen.parse_unit(text), results=500)
    assert found.different > 0 and "exactly" in found.example


def test_wrong_flags_are_found_too(monkeypatch):
    right = model_check.run_fast
    monkeypatch.setattr(
        model_check,
        "run_fast",
        lambda unit, inputs: Result(right(unit, inputs).outputs, np.uint8(1) ^ right(unit, inputs).flags),
    )
    assert check_model(fpgen.parse_unit("add e2m1 e2m1 -> e2m1")).different == 256


def test_options_without_effect_share_one_check(monkeypatch):
    check_model(fpgen.parse_unit("add e2m1 e2m1 -> e2m1"))
    monkeypatch.setattr(model_check, "_compare", lambda *_: pytest.fail("compared again"))
    check_model(fpgen.parse_unit("add e2m1 e2m1 -> e2m1 stages=2 handshake=ready flags=on adder=brent-kung"))


def test_a_verdict_says_so(monkeypatch):
    unit = fpgen.parse_unit("convert e4m3fn -> e2m1")
    verdict = unit.verify()
    assert verdict.passed and verdict.model_results == 256
    assert "golden model checked against the exact model on 256 results" in verdict.text()
    verification = sys.modules["fpgen.verify.verify"]  # the name in the package is the function
    monkeypatch.setattr(verification, "check_model", lambda unit: model_check.ModelCheck(256, 3, "family: a=1"))
    failed = unit.verify(force=True)
    assert (
        not failed.passed and "differs from the exact model in 3 of 256 results, such as family: a=1" in failed.reason
    )


def test_a_unit_without_an_exact_model_is_not_verified(monkeypatch):
    monkeypatch.setitem(OPERATIONS, "convert", dataclasses.replace(OPERATIONS["convert"], exact=""))
    with pytest.raises(fpgen.UsageError, match="convert has no exact model"):
        fpgen.parse_unit("convert e4m3fn -> e2m1").verify()
