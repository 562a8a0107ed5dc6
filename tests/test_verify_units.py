"""Units in simulation: right ones pass, and each kind of broken one fails, with what a person needs to see it."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import fpgen
from fpgen.base.errors import MissingTool, RunFailure, UsageError
from fpgen.verify import verify, verify_many
from fpgen.verify.explain import broken_rule, code_text

FP = "multiply e4m3fn e4m3fn -> e4m3fn rne flags=on"


def changed(text, old, new):
    """The unit's Verilog with one place changed."""
    header, module, body = fpgen.parse_unit(text).verilog().partition("\nmodule ")
    found, count = re.subn(old, new, body, count=1)
    assert count, f"{old!r} is not in the Verilog of {text}: the test must follow the generator"
    return header + module + found


def result_changed(text, condition, change):
    """The unit with its result passed through `change` where `condition` holds."""
    return changed(text, r"assign result = ([^;]*);", rf"assign result = (\1) ^ (({condition}) ? {change} : 0);")


GOOD = [
    "multiply e2m1 e3m2 -> e2m3 port flags=on",
    "add e2m1 e2m1 -> e3m2 port subtract=port flags=on stages=1 handshake=ready",
    "fma e2m1 e2m1 e2m1 -> e2m3 srb random_bits=2 flags=on stages=2",
    "convert e5m2 -> e2m1 port handshake=valid",
    "convert e3m2 -> int4 rne handshake=ready stages=3 flags=on",
    "mac e2m1 e2m1 -> e5m2 loadable=on flags=on",
    "mac e2m1 e2m1 -> fp16 accumulate=exact terms=4 stages=2 handshake=ready",
]

#: (unit, its broken Verilog, what the verdict says): each unit once, as they share a build.
BROKEN = [
    ("one rounding decision", FP, lambda t: result_changed(t, "a == 8'h3c && b == 8'h01", "1"), "rounding decision"),
    (
        "one sticky bit",
        "multiply e5m2 e5m2 -> e5m2 rup flags=on",
        lambda t: changed(t, r"(sticky\w* = \|\w+\[\d+):0\]", r"\1:1]"),
        "",
    ),
    ("one NaN rule", "add e4m3 e4m3 -> e4m3 rne", lambda t: result_changed(t, "a[6:0] > 7'h78", "8'h80"), "NaN"),
    (
        "the sign of zero",
        "add e5m2 e5m2 -> e5m2 rne",
        lambda t: result_changed(t, "result == 0 && a == 8'hbc", "8'h80").replace("result == 0", "a[6:0] == b[6:0]"),
        "sign of zero",
    ),
    (
        "a flag",
        "convert e5m2 -> e4m3fn rne flags=on",
        lambda t: changed(t, r"assign flags = ([^;]*);", r"assign flags = (\1) & 5'b11101;"),
        "UF",
    ),
    ("saturation", "convert e5m2 -> e3m2 rne", lambda t: result_changed(t, "source == 8'h7b", "1"), "overflow"),
    (
        "a late valid",
        "convert e5m2 -> e4m3 rne stages=2 handshake=valid",
        lambda t: changed(
            t,
            r"assign out_valid = (\w+);",
            r"reg late; always @(posedge clk) late <= \1;\n"
            r"    assign out_valid = late;",
        ),
        "protocol",
    ),
    (
        "a ready that loses results",
        "convert e5m2 -> e3m4 rne stages=2 handshake=ready",
        lambda t: changed(t, r"assign in_ready = ([^;]*);", r"assign in_ready = 1'b1;"),
        "protocol",
    ),
    (
        "a sum that never clears",
        "mac e2m1 e2m1 -> e5m2 rne",
        lambda t: changed(t, r"~clear|\bclear\b(?= \?)", "1'b1"),
        "",
    ),
    (
        "a sum that survives reset",
        "mac e2m1 e2m1 -> e4m3 rne",
        lambda t: changed(t, r"accumulator <= \d+'[dh]0+;", ""),
        "reset_empties_the_pipeline",
    ),
]


@pytest.fixture(scope="module")
def broken():
    units = [fpgen.parse_unit(text) for _, text, _, _ in BROKEN]
    verdicts = verify_many(units, verilogs=[make(text) for _, text, make, _ in BROKEN], vectors=2000, force=True)
    return {name: verdict for (name, *_), verdict in zip(BROKEN, verdicts, strict=True)}


def test_right_units_pass():
    verdicts = verify_many([fpgen.parse_unit(text) for text in GOOD], vectors=5000, force=True)
    for verdict in verdicts:
        assert verdict.passed, verdict.text()
        assert verdict.vectors and verdict.protocol and not verdict.mismatches
    assert {verdict.method for verdict in verdicts} == {"exhaustive", "sampled"}


@pytest.mark.parametrize("name", [name for name, *_ in BROKEN])
def test_a_broken_unit_fails(broken, name):
    says = next(entry[3] for entry in BROKEN if entry[0] == name)
    verdict = broken[name]
    assert not verdict.passed, f"{name} was not noticed"
    assert says in verdict.text()


def test_a_single_wrong_result_among_all_is_shown_with_bits_values_and_replay(broken):
    verdict = broken["one rounding decision"]
    assert verdict.mismatch_count == 1
    (mismatch,) = verdict.mismatches
    assert mismatch.inputs == {"a": "0x3c = 0_0111_100 = 1.5", "b": "0x01 = 0_0000_001 = 0.001953125"}
    assert mismatch.expected == "0x02 = 0_0000_010 = 0.00390625, flags UF NX"
    assert mismatch.got.startswith("0x03")
    assert mismatch.replay == f"fpgen verify '{FP}' --replay a=0x3c,b=0x1 --waves"
    assert mismatch.text() in verdict.text().replace("\n  ", "\n")


def test_replay_runs_that_vector_again_with_a_waveform(tmp_path):
    unit, verilog = fpgen.parse_unit(FP), BROKEN[0][2](FP)
    again = verify(unit, verilog=verilog, replay="a=0x3c,b=0x1", keep=tmp_path)
    assert not again.passed and again.vectors == 1 and again.mismatches[0].rule.startswith("rounding")
    waves = (tmp_path / f"{unit.name}.replay.vcd").read_text()
    assert "$enddefinitions" in waves and " a " in waves
    fine = verify(unit, replay=0x013C, keep=tmp_path)  # the same vector by its index, the right Verilog
    assert fine.passed and fine.method == "replay"


@pytest.mark.parametrize("replay", ["a=0x100,b=0", "a=1", "x=1,b=2", "nonsense", "99999999999"])
def test_a_replay_that_makes_no_sense_is_refused(replay):
    with pytest.raises(UsageError):
        verify(fpgen.parse_unit(FP), replay=replay)


def test_another_golden_model_can_disagree():
    def wrong(unit, inputs):
        from fpgen.golden.port_outputs import golden_outputs

        outputs = golden_outputs(unit, inputs)
        return {**outputs, "result": outputs["result"] ^ (inputs["source"] == 0x35).astype(np.uint8)}

    verdict = verify(fpgen.parse_unit("convert e5m2 -> e2m3"), golden=wrong)
    assert not verdict.passed and verdict.mismatch_count == 1 and not verdict.evidence


def test_an_unchanged_unit_takes_no_time():
    unit = fpgen.parse_unit("convert e4m3fn -> e2m1 port flags=on")
    first, second = verify(unit), verify(unit)
    assert second.cached and second.passed and second.build_seconds == 0 and second.vectors == first.vectors
    assert not verify(unit, force=True).cached


def test_evidence_is_kept_where_the_user_points(tmp_path):
    unit = fpgen.parse_unit("convert e4m3fn -> e2m1 port flags=on")
    verdict = verify(unit, keep=tmp_path / "deep")
    assert verdict.evidence == str(tmp_path / "deep" / f"{unit.name}.verdict.json")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == [f"{unit.name}.verdict.json"]


def test_verilog_that_is_no_verilog_is_a_failure_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("FPGEN_CACHE_DIR", str(tmp_path))
    from fpgen.simulate import simulator

    monkeypatch.setattr(simulator, "runtime", lambda *_: tmp_path)
    with pytest.raises(RunFailure, match="verilator: exit code"):
        verify(fpgen.parse_unit(FP), verilog="module nonsense(; endmodule")
    assert not list((tmp_path / "builds").iterdir())


def test_an_undriven_output_is_a_failure():
    text = "convert e4m3fn -> e5m2"
    with pytest.raises(RunFailure, match="UNDRIVEN"):
        verify(fpgen.parse_unit(text), verilog=changed(text, r"assign result = [^;]*;", ""))


def test_an_unknown_simulator_is_refused():
    with pytest.raises(UsageError, match="verilator, icarus"):
        verify(fpgen.parse_unit(FP), simulator="vcs")


def test_a_missing_simulator_names_its_package(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingTool, match="package iverilog"):
        verify(fpgen.parse_unit(FP), simulator="icarus")


NEEDS_ICARUS = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")


@NEEDS_ICARUS
@pytest.mark.parametrize(
    "text",
    [
        "add e2m1 e2m1 -> e3m2 stages=1 handshake=ready",
        "multiply e4m3fn e4m3fn -> bf16",
        pytest.param("mac e2m1 e2m1 -> e4m3fn handshake=valid", marks=pytest.mark.full),  # a minute of vvp
    ],
)
def test_icarus_agrees(text):
    verdict = verify(fpgen.parse_unit(text), simulator="icarus", vectors=1000, force=True)
    assert verdict.passed, verdict.text()
    assert verdict.simulator.startswith("Icarus Verilog")


@NEEDS_ICARUS
def test_icarus_finds_a_wrong_bit():
    text = "multiply e2m1 e2m1 -> e4m3fn"
    wrong = changed(text, r"assign result = ([^;]*);", r"assign result = (\1) ^ 8'd1;")
    verdict = verify(fpgen.parse_unit(text), simulator="icarus", verilog=wrong, force=True)
    assert not verdict.passed and verdict.mismatch_count == verdict.vectors == 256


@NEEDS_ICARUS
def test_icarus_replays_with_a_waveform(tmp_path):
    verdict = verify(
        fpgen.parse_unit("multiply e2m1 e2m1 -> e4m3fn"), simulator="icarus", replay="a=0x3,b=0x5", keep=tmp_path
    )
    assert verdict.passed and "$enddefinitions" in Path(verdict.waveform).read_text()


def test_a_missing_compiler_names_its_package(monkeypatch):
    from fpgen.simulate import tools

    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingTool, match=r"package g\+\+"):
        tools.find_compiler.__wrapped__()


@pytest.mark.parametrize(
    ("expected", "got", "rule"),
    [
        (0x7F, 0x7E, "NaN"),
        (0x00, 0x80, "sign of zero"),
        (0x35, 0xB5, "sign"),
        (0x35, 0x36, "rounding"),
        (0x7E, 0x70, "overflow"),
        (0x10, 0x30, "value"),
        (0x05, 0x00, "zero"),
    ],
)
def test_the_broken_rule_is_named(expected, got, rule):
    assert broken_rule(fpgen.parse_format("e4m3fn"), expected, got, None, None).startswith(rule)


def test_codes_are_shown_as_bits_and_values():
    assert code_text(fpgen.parse_format("fp16"), 0xFC00, 16) == "0xfc00 = 1_11111_0000000000 = -inf"
    assert code_text(fpgen.parse_format("e5m2"), 0x7D, 8) == "0x7d = 0_11111_01 = snan"
    assert code_text(None, 5, 3) == "0x5"
