"""The bundle's assertions: silent in its testbench, and each of them fails when its rule is broken.

That they hold for the other kinds of units is checked with the testbench (tests/test_handoff_testbench.py).
"""

from __future__ import annotations

import contextlib
import re

import pytest
from handoff_cases import copied_bundle, last_line, name_in, run, verilated
from portions import some
from test_operations import EXAMPLES

import fpgen
from fpgen.base.errors import UsageError
from fpgen.handoff.assertions import unit_assertions

READY = "multiply e4m3 e4m3 -> e5m2 stages=2 handshake=ready enable=on flush=on flags=on"
UNCLOCKED = "multiply e4m3 e4m3 -> e5m2 handshake=ready"
VALID = "add e4m3 e4m3 -> e4m3 stages=2 handshake=valid enable=on reset=async reset_active=low flags=on"
#: What a plusarg does to an output: the text after `assign <port> = (<what it is>)`, and the assertion that fails.
READY_FAULTS = [
    ("out_valid", "| (plant == {n})", "nothing_from_nowhere"),
    ("in_ready", "| (plant == {n} && enable && !flush)", "no_more_than_fit"),
    ("in_ready", "& (plant != {n})", "nothing_waits_forever"),
    ("in_ready", "| (plant == {n} && enable && flush)", "nothing_accepted_with_flush"),
    ("in_ready", "| (plant == {n} && !enable && !flush)", "nothing_accepted_without_enable"),
    # Not of infinities and NaNs, whose code is another rule's.
    ("result", "^ {{7'd0, plant == {n} && !out_ready && toggle && magnitude < 7'h7b}}", "waiting_result_stays"),
    ("result", "| {{8{{plant == {n}}}}}", "one_nan_code_of_result"),
    ("flags", "| {{2'b0, plant == {n}, 2'b0}}", "overflow_is_inexact"),
    ("flags", "| {{3'b0, plant == {n}, 1'b0}}", "underflow_is_inexact"),
    ("flags", "| {{plant == {n}, 3'b0, plant == {n}}}", "invalid_comes_alone"),
]
VALID_FAULTS = [
    ("out_valid", "& (plant != {n})", "latency_is_exact"),
    ("out_valid", "| (plant == {n} && enable)", "latency_is_exact"),
    ("out_valid", "| (plant == {n} && !enable)", "nothing_without_enable"),
    ("flags", "| {{2'b0, plant == {n}, 2'b0}}", "overflow_is_inexact"),
]
UNCLOCKED_FAULTS = [
    ("out_valid", "| (plant == {n})", "valid_follows"),
    ("in_ready", "| (plant == {n})", "ready_follows"),
    ("result", "| {{8{{plant == {n}}}}}", "one_nan_code_of_result"),
]
COMBINATIONAL_FAULTS = [("result", "| {{16{{plant == {n}}}}}", "one_nan_code_of_result")]


def planted(verilog: str, faults: list[tuple[str, str, str]]) -> str:
    """The Verilog of a unit with every fault in it, each switched on by ``+plant=<its number from 1 on>``."""
    for port in {port: None for port, _, _ in faults}:
        was = r"(\1)"
        for number, (name, text, _) in enumerate(faults, 1):
            was = f"({was} {text.format(n=number)})" if name == port else was
        verilog, count = re.subn(rf"assign {port} = ([^;]*);", rf"assign {port} = {was};", verilog)
        assert count == 1, port
    toggle = "reg toggle = 0; always @(posedge clk) toggle <= ~toggle;" if "toggle" in verilog else ""
    plant = f'integer plant; initial if (!$value$plusargs("plant=%d", plant)) plant = 0; {toggle}\nendmodule'
    return "/* verilator lint_off PROCASSINIT */" + verilog.replace("endmodule", plant, 1)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (READY, READY_FAULTS),
        (VALID, VALID_FAULTS),
        (UNCLOCKED, UNCLOCKED_FAULTS),
        ("multiply fp16 e5m2 -> fp16", COMBINATIONAL_FAULTS),
    ],
    ids=["ready", "valid", "unclocked", "combinational"],
)
def test_a_broken_rule_is_named(text, faults, tmp_path):
    where = copied_bundle(text, tmp_path)
    source = where / f"{name_in(where)}.v"
    source.write_text(planted(source.read_text(), faults))
    sim = str(verilated(where))
    code, said = run([sim], where)
    assert code == 0 and "ssert" not in said, said
    for number, (port, _, assertion) in enumerate(faults, 1):
        code, said = run([sim, f"+plant={number}"], where)
        failed = re.search(r"assertions\.(\w+): .*[Aa]ssert", said) or re.search(r"Assertion failed in [\w.]*", said)
        assert code != 0 and failed and assertion in failed[0], (port, assertion, said)


def test_each_rule_of_the_template_has_a_fault():
    """But two: Verilator has no X, so that nothing unknown can be planted."""
    planted_ones = (READY_FAULTS, VALID_FAULTS, UNCLOCKED_FAULTS, COMBINATIONAL_FAULTS)
    named = {assertion for faults in planted_ones for *_, assertion in faults}
    texts = [unit_assertions(fpgen.parse_unit(text)) for text in (READY, VALID, UNCLOCKED)]
    written = {name for text in texts for name in re.findall(r"(\w+): assert", text)}
    assert written - named <= {"operands_are_known", "results_are_known"}


@pytest.mark.parametrize("text", some([text for texts in EXAMPLES.values() for text in texts], every=10, first=4))
def test_they_hold_for_every_operation(text, tmp_path):
    with contextlib.suppress(UsageError):  # some operations have no flags
        text = fpgen.parse_unit(f"{text} flags=on").text
    where = copied_bundle(text, tmp_path)
    code, said = run([str(verilated(where))], where)
    assert code == 0 and last_line(said).startswith("PASS"), said
