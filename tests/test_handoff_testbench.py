"""The testbench of a bundle, run from the directory alone: it passes, and a broken unit or file makes it fail."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from handoff_cases import by_icarus, copied_bundle, last_line, name_in, run, verilated

import fpgen
from fpgen.golden.port_outputs import golden_outputs
from fpgen.handoff.handoff_vectors import AFTER_RESET, LEAST, handoff_vectors, travelling, vectors_hex
from fpgen.handoff.testbench import unit_testbench
from fpgen.vectors.layout import split

COMBINATIONAL = "multiply e4m3fn e4m3fn -> fp16 rdn flags=on"
PIPELINED = "add e5m2 e5m2 -> e5m2 port subtract=port stages=3 handshake=ready flags=on"
BLOCK = "dequantize e2m1@e8m0/4 -> bf16 rtz"
ACCUMULATOR = "mac e2m1 e2m1 -> e5m2 loadable=on stages=2"
UNITS = [COMBINATIONAL, PIPELINED, BLOCK]
KINDS = ["combinational", "pipelined", "block"]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """``bundles(text)``: a copy of the bundle of a unit, fresh at each call."""
    written = {}

    def copy(text: str):
        if text not in written:
            written[text] = copied_bundle(text, tmp_path_factory.mktemp("bundle"))
        where = tmp_path_factory.mktemp("copy") / "unit"
        shutil.copytree(written[text], where)
        return where

    return copy


def planted(where, good: str, bad: str) -> str:
    """The Verilog of a bundle with its first `good` turned into `bad`."""
    text, count = re.subn(good, bad, (where / f"{name_in(where)}.v").read_text(), count=1)
    assert count == 1
    return text


# ---- Icarus -------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*UNITS, ACCUMULATOR, "multiply e2m1 e2m1 -> e2m1 handshake=ready"])
def test_it_passes_in_icarus(bundles, text):
    code, said = by_icarus(bundles(text))
    assert code == 0 and re.fullmatch(r"PASS: (\d+) vectors, \d+ results compared\n", said), said
    assert int(re.search(r"\d+", said)[0]) >= LEAST


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        (COMBINATIONAL, r"(wire sign = .*)\^ ", r"\1| "),
        (PIPELINED, r"(assign flags = .*)flag_nx", r"\1~flag_nx"),
        (BLOCK, r"(exponent_sum_3 = .*)\+ ", r"\1- "),
    ],
    ids=KINDS,
)
def test_a_wrong_operator_fails_and_is_shown(bundles, text, good, bad):
    where = bundles(text)
    code, said = by_icarus(where, planted(where, good, bad))
    assert code == 1 and re.match(r"FAIL: \d+ vectors, \d+ results compared, [1-9]\d* mismatches", last_line(said)), (
        said
    )
    shown = re.findall(r"^MISMATCH at vector (\d+), family (\w+)[^:]*: (.*)$", said, re.M)
    assert 0 < len(shown) <= 20
    vectors = handoff_vectors(fpgen.parse_unit(text))
    families = [name for name, count in vectors.families for _ in range(count)]
    ports = travelling(fpgen.parse_unit(text))
    for index, family, line in shown:
        assert families[int(index)] == family
        for port in ports:
            code = f"{vectors.columns[port.name][int(index)]:0{-(-port.width // 4)}x}"
            assert (f"{port.name}={code}" if port.is_input else f"{port.name}: expected {code}, got ") in line
    assert set(re.findall(r"^family (\w+): [1-9]\d* mismatches$", said, re.M)) >= {family for _, family, _ in shown}


@pytest.mark.parametrize("text", UNITS, ids=KINDS)
def test_files_that_do_not_have_all_vectors_fail(bundles, text):
    where = bundles(text)
    whole = (where / "vectors.hex").read_text()
    lines = whole.splitlines(keepends=True)
    wrong = {
        "empty.hex": "",
        "comments.hex": "// nothing\n",
        "short.hex": "".join(lines[:-1]),
        "cut.hex": whole[:-3],
        "half.hex": "".join(lines[: len(lines) // 2]),
        "unknown.hex": re.sub(r"^0", "x", whole, count=1, flags=re.M),
        "family.hex": re.sub(r"^01", "ff", whole, count=1, flags=re.M),
    }
    assert by_icarus(where)[0] == 0
    for name, content in wrong.items():
        (where / name).write_text(content)
    for name in [*wrong, "missing.hex"]:
        code, said = run(["vvp", "sim.vvp", f"+vectors={name}"], where)
        assert code == 1 and re.match(r"FAIL: \d+ of \d+ vectors are missing or unreadable", last_line(said)), said
    (where / "vectors.hex").rename(where / "other.hex")
    assert run(["vvp", "sim.vvp", "+vectors=other.hex"], where)[0] == 0
    assert run(["vvp", "sim.vvp"], where)[0] == 1


@pytest.mark.parametrize("bit", ["x", "z"])
def test_an_unknown_output_bit_is_a_mismatch(bundles, bit):
    where = bundles(BLOCK)
    code, said = by_icarus(where, planted(where, r"assign result = ([^;]*);", rf"assign result = {{\1}} & 64'h{bit};"))
    assert code == 1 and "got " in said


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        (PIPELINED, r"rounding_s\d ==", "rounding =="),
        (PIPELINED, r"if \(ready_s2\) begin(\n +(?!valid)\w+ <=)", r"if (1'b1) begin\1"),
        (PIPELINED, r"valid_s2 <= valid_s1;", "valid_s2 <= 1'b1;"),
        (PIPELINED, r"end else if \(ready_s3\) begin(\n +valid_s3)", r"end else begin\1"),
        (PIPELINED, r"valid_s1 <= 1'b0;", "valid_s1 <= in_valid;"),
        (PIPELINED, r"valid_s3 <= 1'b0;", "valid_s3 <= valid_s3;"),
        (PIPELINED, r"assign out_valid = (\w+);", r"assign out_valid = \1 & out_ready;"),
        (PIPELINED, r"assign in_ready = (\w+);", r"assign in_ready = \1 & in_valid;"),
        (ACCUMULATOR, r"accumulator <= 8'd0;", "accumulator <= accumulator;"),
        (ACCUMULATOR, r"if \(in_valid\) begin(\n +accumulator)", r"if (1'b1) begin\1"),
        (ACCUMULATOR, r"valid_s2 <= valid_s1;", "valid_s2 <= in_valid;"),
    ],
    ids=[
        "mode_not_pipelined",
        "overwritten_while_stalled",
        "operation_from_nowhere",
        "transfer_lost_while_stalled",
        "accepted_in_reset",
        "result_survives_reset",
        "valid_waits_for_ready",
        "ready_waits_for_valid",
        "sum_survives_reset",
        "sum_moves_in_gaps",
        "too_early",
    ],
)
def test_bugs_of_pipelines_and_handshakes_fail(bundles, text, good, bad):
    where = bundles(text)
    code, said = by_icarus(where, planted(where, good, bad))
    assert code == 1 and last_line(said).startswith("FAIL"), said
    assert re.search("^(MISMATCH|FAULT) ", said, re.M)


# ---- Verilator ----------------------------------------------------------------------


@pytest.mark.parametrize("text", UNITS, ids=KINDS)
def test_verilator_agrees_and_ends_with_an_exit_code(bundles, text):
    where = bundles(text)
    width = next(port.width for port in fpgen.parse_unit(text).ports if port.name == "result")
    # The wrong bit comes with an argument, so that one program serves for both.
    flip = f'reg flip; initial flip = $test$plusargs("flip") != 0;\n    assign result = {{{width - 1}\'d0, flip}} ^'
    wrong = planted(where, r"assign result = ([^;]*);", rf"{flip} (\1);")
    (where / f"{name_in(where)}.v").write_text(wrong)
    sim = str(verilated(where))
    code, said = run([sim], where)
    assert code == 0 and last_line(said).startswith("PASS"), said
    # What the testbench itself says: an assertion would end the simulation before it.
    code, said = run([sim, "+flip", "+verilator+noassert"], where)
    assert code != 0 and last_line(said).startswith("FAIL") and "MISMATCH at vector 0, family " in said
    (where / "short.hex").write_text("".join((where / "vectors.hex").read_text().splitlines(keepends=True)[:-1]))
    (where / "empty.hex").write_text("")
    for name in ("short.hex", "empty.hex", "missing.hex"):
        code, said = run([sim, f"+vectors={name}", "+verilator+noassert"], where)
        assert code != 0 and "vectors are missing or unreadable" in last_line(said), said


# ---- the vectors --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "multiply fp16 e4m3fn -> bf16 rup flags=on",
        BLOCK,
        "quantize bf16 -> nvfp4 srb random_bits=3",
        "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32",
        ACCUMULATOR,
    ],
)
def test_lines_are_what_the_golden_model_says(text):
    unit = fpgen.parse_unit(text)
    ports = travelling(unit)
    lines = [line.split("_") for line in vectors_hex(unit).splitlines() if not line.startswith("//")]
    assert len(lines) >= LEAST
    columns = {port.name: [int(line[1 + i], 16) for line in lines] for i, port in enumerate(ports)}
    assert columns == handoff_vectors(unit).columns
    inputs = {
        port.name: np.array([split(port, word) for word in columns[port.name]], np.uint64).reshape(-1, *port.shape)
        for port in ports
        if port.travels_in
    }
    for name, array in golden_outputs(unit, inputs).items():  # an accumulator's: one sequence, from reset
        port = next(port for port in ports if port.name == name)
        assert [split(port, word) for word in columns[name]] == array.reshape(len(lines), -1).tolist()


def test_sums_begin_with_a_clear_or_a_load_but_for_the_first():
    vectors = handoff_vectors(fpgen.parse_unit(ACCUMULATOR))
    (first, steps), *others = vectors.families
    assert first == AFTER_RESET
    fresh = [clear or load for clear, load in zip(vectors.columns["clear"], vectors.columns["load"], strict=True)]
    assert not fresh[0]
    for _, count in others:
        assert fresh[steps]
        steps += count


def test_small_units_are_shown_every_code():
    vectors = handoff_vectors(fpgen.parse_unit("multiply e2m1 e2m1 -> e2m1 port"))
    *_, (name, count) = vectors.families
    assert (name, count) == ("exhaustive", 1 << 11)
    shown = zip(*(vectors.columns[name][-count:] for name in ("a", "b", "rounding")), strict=True)
    assert len(set(shown)) == count


def test_the_same_text_every_time():
    for text in (PIPELINED, ACCUMULATOR, BLOCK):
        unit = fpgen.parse_unit(text)
        first = vectors_hex(unit), unit_testbench(unit)
        handoff_vectors.cache_clear()
        assert (vectors_hex(unit), unit_testbench(unit)) == first
