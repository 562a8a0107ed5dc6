"""Options of the registers: reset style, clock enable, flush, tag, registers at the boundary, the checked latency."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import numpy as np
import pytest
from portions import some

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formal.text_proof import prove
from fpgen.golden.port_outputs import golden_outputs
from fpgen.rtl import graph_of, pipeline_for
from fpgen.simulate.tools import find_verilator
from fpgen.verify.verify import verify_many

UNITS = [
    "multiply e2m1 e2m1 -> e4m3fn stages=2 handshake=ready enable flush tag=3 reset=async reset_active=low",
    "multiply e2m1 e2m1 -> e4m3fn stages=2 enable tag=5",
    "multiply e2m1 e2m1 -> e4m3fn stages=3 handshake=valid enable flush registers=both",
    "multiply e2m1 e2m1 -> e4m3fn stages=2 handshake=valid reset=none flush registers=out",
    "multiply e2m1 e2m1 -> e4m3fn tag=2",
    "mac e2m1 e2m1 -> e4m3fn stages=4 handshake=ready enable flush tag=3 reset=async reset_active=low registers=both",
    "mac e2m1 e2m1 -> e4m3fn stages=2 handshake=valid enable reset_active=low registers=in",
    "mac e2m1 e2m1 -> e4m3fn stages=1 handshake=ready flush reset=none",
    "quantize bf16 -> e2m1@e8m0/2 stages=2 handshake=ready enable tag=7 reset=async",
]
FULL = UNITS[0]

#: What is broken in the Verilog of which unit, as a substitution, and the test that must find it.
FAULTS = [
    ("a rank without the enable", FULL, r"\(ready_s2 & enable\)", "(ready_s2)", "latency_is_exact"),
    ("out_valid without the enable", FULL, r"(out_valid = \w+) & enable", r"\1", "latency_is_exact"),
    ("in_ready without the enable", FULL, r"(in_ready = \w+) & enable", r"\1", "latency_is_exact"),
    ("in_ready without the flush", FULL, r"(in_ready = .*) & ~flush", r"\1", "flush_drops_what_is_inside"),
    (
        "a rank not flushed",
        FULL,
        r"if \(flush\)(?= begin\s+valid_s2)",
        "if (1'b0)",
        "flush_drops_what_is_inside",
    ),
    (
        "a clocked reset",
        FULL,
        r"(posedge clk) or negedge rst_n(?=(.|\n){0,60}valid_s2)",
        r"\1",
        "reset_needs_no_clock",
    ),
    ("a reset at the wrong level", FULL, r"!rst_n", "rst_n", "latency_is_exact"),
    ("a tag a clock early", UNITS[1], r"tag_s2 <= tag_s1", "tag_s2 <= tag", "every_vector"),
    ("a boundary register that is missing", UNITS[2], r"(valid_s1) <= in_valid", r"\1 <= 1'b1", "gaps_leave_no_trace"),
]


@pytest.fixture(scope="module")
def verdicts():
    """All units, right and broken, in one simulation each group."""
    units = [fpgen.parse_unit(text) for text in UNITS]
    broken, texts = [], []
    for name, text, pattern, new, _ in FAULTS:
        unit = fpgen.parse_unit(f"{text} module_name=broken_{len(broken)}")
        changed, count = re.subn(pattern, new, unit.verilog(), count=1)
        assert count == 1, name
        broken.append(unit)
        texts.append(changed)
    found = verify_many(
        [*units, *broken], verilogs=[*(unit.verilog() for unit in units), *texts], vectors=2000, exhaustive=False
    )
    return found


@pytest.mark.parametrize("number", range(len(UNITS)), ids=UNITS)
def test_units_pass_in_simulation(verdicts, number):
    verdict = verdicts[number]
    assert verdict.passed, verdict.reason
    unit, names = fpgen.parse_unit(UNITS[number]), {test.name.split()[0] for test in verdict.protocol}
    assert ("flush_drops_what_is_inside" in names) == unit.flush
    assert ("reset_needs_no_clock" in names) == (unit.reset.value == "async")
    assert "latency_is_exact" in names


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=[name.replace(" ", "-") for name, *_ in FAULTS])
def test_faults_are_found(verdicts, number):
    verdict = verdicts[len(UNITS) + number]
    assert not verdict.passed
    failed = {test.name.split()[0] for test in verdict.protocol if test.failure}
    if verdict.mismatches or verdict.mismatch_count:
        failed.add("every_vector")
    assert FAULTS[number][4] in failed, (failed, verdict.reason)


@pytest.mark.parametrize("text", some(UNITS, 4))
def test_the_verilog_is_proven_equivalent_to_the_amaranth_design(text):
    assert prove(fpgen.parse_unit(text)).status == "proven"


def test_the_pins():
    unit = fpgen.parse_unit(FULL)
    inputs = ["clk", "rst_n", "enable", "flush", "in_valid", "a", "b", "tag", "out_ready"]
    assert [port.name for port in unit.ports if port.is_input] == inputs
    assert [port.name for port in unit.ports if not port.is_input] == ["in_ready", "out_valid", "result", "out_tag"]
    meanings = {port.name: port.meaning for port in unit.ports}
    assert meanings["rst_n"] == "reset, asynchronous, active low (valid bits and accumulators only)"
    assert all(meanings.values())


def test_a_unit_without_them_is_as_before():
    """The options are at the end of the name, and of the hash only where they are set."""
    plain = fpgen.parse_unit("fma fp16 fp16 fp16 -> fp16 rne stages=3 handshake=ready")
    assert plain.content_hash == "d54f6437706e789bb6b6c284f06468284d7f9872eb4604410ee0fed6608806af"
    assert plain.name == "fma_fp16_fp16_fp16_to_fp16_rne_stages_3_handshake_ready"
    other = fpgen.parse_unit(f"{plain.text} enable")
    assert other.content_hash != plain.content_hash and other.behaviour == plain.behaviour


@pytest.mark.parametrize("text", UNITS)
def test_text_and_dict_come_back(text):
    unit = fpgen.parse_unit(text)
    assert fpgen.parse_unit(unit.text) == unit and fpgen.unit_from_dict(unit.to_dict()) == unit


def test_the_tag_comes_out_as_it_went_in_and_the_model_does_not_know_it():
    unit = fpgen.parse_unit("multiply e2m1 e2m1 -> e4m3fn tag=9")
    a, tag = np.arange(16), np.arange(16) * 31
    found = golden_outputs(unit, {"a": a, "b": a, "tag": tag})
    assert np.array_equal(found["out_tag"], tag)
    assert np.array_equal(found["result"], unit.compute(a, a).codes)


@pytest.mark.parametrize("boundary", ["none", "in", "out", "both"])
def test_boundary_registers_have_nothing_before_or_after_them(boundary):
    unit = fpgen.parse_unit(f"fma e4m3fn e4m3fn fp16 -> fp16 stages=4 registers={boundary}")
    pipeline = pipeline_for(unit)
    assert pipeline.stages == 4
    logic = [stage for stage, steps in enumerate(pipeline.steps) if steps]
    assert (0 not in logic) == (boundary in ("in", "both"))
    assert (4 not in logic) == (boundary in ("out", "both"))


def test_boundary_registers_cost_period_where_stages_are_the_same():
    """The same number of ranks around less logic: never faster, and by the estimate slower."""
    text = "fma fp16 fp16 fp16 -> fp16 stages=4 registers="
    periods = {name: pipeline_for(fpgen.parse_unit(text + name)).period_ps for name in ("none", "both")}
    assert periods["both"] > periods["none"] * 1.1


def test_a_period_counts_them():
    inside = fpgen.parse_unit("fma fp16 fp16 fp16 -> fp16 period=700")
    both = fpgen.parse_unit("fma fp16 fp16 fp16 -> fp16 period=700 registers=both")
    assert both.latency >= inside.latency + 1 and pipeline_for(both).period_ps <= 700


def test_the_datapath_is_the_same():
    text = "multiply e2m1 e2m1 -> e4m3fn stages=2 handshake=ready"
    plain, other = (graph_of(fpgen.parse_unit(text + more)) for more in ("", " enable flush reset=async registers=in"))
    assert [node.op for node in plain.live()] == [node.op for node in other.live()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("multiply e2m1 e2m1 -> e2m1 enable", "enable: got on for a unit without registers; expected stages of 1"),
        ("multiply e2m1 e2m1 -> e2m1 stages=1 flush", "flush: got on with handshake=none; expected handshake=valid or"),
        ("multiply e2m1 e2m1 -> e2m1 stages=1 reset=async", "reset: got reset=async reset_active=high with"),
        ("multiply e2m1 e2m1 -> e2m1 handshake=valid reset=async", "reset: got a style for a unit without registers"),
        ("mac e2m1 e2m1 -> e2m1 reset=none reset_active=low", "reset_active: got low with reset=none; expected none"),
        ("multiply e2m1 e2m1 -> e2m1 tag=65", "tag: got 65; expected the bits of a tag, 0 to 64"),
        ("multiply e2m1 e2m1 -> e2m1 tag=-1", "tag: got -1; expected the bits of a tag, 0 to 64"),
        ("multiply e2m1 e2m1 -> e2m1 reset=asinc", "reset: got asinc (did you mean async?); expected one of sync"),
        ("multiply e2m1 e2m1 -> e2m1 registers=all", "registers: got all; expected one of none, in, out, both"),
        ("multiply e2m1 e2m1 -> e2m1 stages=1 registers=both", "stages: got 1; expected a whole number from 2 to 64"),
        ("mac e2m1 e2m1 -> e2m1 stages=2 registers=both", "stages: got 2; expected a whole number from 3 to 64"),
    ],
)  # fmt: skip
def test_what_is_rejected(text, message):
    with pytest.raises(UsageError) as error:
        fpgen.parse_unit(text)
    assert message in str(error.value)


def test_registers_alone_give_the_stages_they_need():
    assert fpgen.parse_unit("multiply e2m1 e2m1 -> e2m1 registers=both").latency == 2
    assert fpgen.parse_unit("mac e2m1 e2m1 -> e2m1 registers=both").latency == 3


# ---- the latency that surroundings rely on -----------------------------------------------------------


def surroundings(latency: int | None) -> str:
    override = "" if latency is None else f" #(.EXPECTED_LATENCY({latency}))"
    return (
        f"module top (input wire clk, input wire [3:0] a, input wire [3:0] b, output wire [3:0] result);\n"
        f"  unit{override} u (.clk(clk), .a(a), .b(b), .result(result));\nendmodule\n"
    )


def elaborates(tool: str, tmp_path, latency: int | None) -> bool:
    unit = fpgen.parse_unit("multiply e2m1 e2m1 -> e2m1 stages=2 module_name=unit")
    (tmp_path / "unit.v").write_text(unit.verilog())
    (tmp_path / "top.v").write_text(surroundings(latency))
    if tool == "iverilog":
        command = ["iverilog", "-g2001", "-Wall", "-s", "top", "-o", "x", "top.v", "unit.v"]
        environment = None
    else:
        verilator = find_verilator()
        command = [str(verilator.binary), "--lint-only", "-Wall", "--top-module", "top", "top.v", "unit.v"]
        environment = {**os.environ, "VERILATOR_ROOT": str(verilator.root)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    if latency not in (None, 2):
        assert "fpgen_latency_is_2" in done.stdout + done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("tool", ["verilator", "iverilog"])
def test_another_latency_breaks_elaboration(tool, tmp_path):
    if tool == "iverilog" and not shutil.which("iverilog"):
        pytest.skip("Icarus Verilog (iverilog) is not installed")
    assert elaborates(tool, tmp_path, None) and elaborates(tool, tmp_path, 2)
    assert not elaborates(tool, tmp_path, 3)
