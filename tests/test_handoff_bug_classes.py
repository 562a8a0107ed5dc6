"""Bugs of the classes of `test_bug_classes.py` in a bundle's Verilog: its testbench finds them and names the family.

A bug is an edit of the Verilog, or the Verilog of another unit with the same pins that has the bug as a property.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from handoff_cases import by_icarus, copied_bundle, last_line
from portions import some

import fpgen

FMA = "fma fp16 fp16 fp16 -> fp16 flags=on"


def edit(good: str, bad: str) -> Callable[[fpgen.Unit], str]:
    """The unit's Verilog with its first `good` turned into `bad`."""

    def broken(unit):
        text, count = re.subn(good, bad, unit.verilog(), count=1, flags=re.S)
        assert count == 1
        return text

    return broken


def other(text: str) -> Callable[[fpgen.Unit], str]:
    """The Verilog of another unit under the name of this one."""
    return lambda unit: replace(fpgen.parse_unit(text), module_name=unit.name).verilog()


def in_two_steps(first: str, second: str, width: int) -> Callable[[fpgen.Unit], str]:
    """A conversion through a format between the two."""

    def broken(unit):
        parts = [replace(fpgen.parse_unit(text), module_name=name) for text, name in ((first, "one"), (second, "two"))]
        source, result = (port.width for port in unit.ports)
        return "\n".join(part.verilog() for part in parts) + (
            f"\nmodule {unit.name} (input wire [{source - 1}:0] source, output wire [{result - 1}:0] result);\n"
            f"wire [{width - 1}:0] between;\n"
            "one one (.source(source), .result(between));\ntwo two (.source(between), .result(result));\nendmodule\n"
        )

    return broken


#: Class, unit, bug, and a family that must be among those named.
BUGS = [
    ("01_tininess", FMA, other(f"{FMA} tininess=before"), "underflow_boundary"),
    ("02_underflow_when_exact", FMA, edit(r"(flag_uf = [^;]*?)flag_nx_or & ", r"\1"), "subnormal_results"),
    ("03_overflow_without_inexact", FMA, edit(r"(flag_nx = [^;]*?)\(flag_nx_or \| overflow\)", r"\1flag_nx_or"), ""),
    ("04_sign_of_cancellation", FMA, edit(r"(wire sign = [^;]*?) & ~cancelled", r"\1 | cancelled"), "cancellation"),
    ("05_signalling_nan", FMA, edit(r"(wire c_signaling = c_nan) & [^;]*;", r"\1;"), "one_special"),
    ("05_canonical_nan", FMA, edit(r"(assign result = [^;]*);", r"\1 | {15'd0, result_nan};"), "specials_cross"),
    ("06_infinity_converted", "convert fp32 -> fp16 flags=on", other("convert fp32 -> fp16 saturate flags=on"), ""),
    (
        "07_all_codes_of_zero",
        "multiply e4m3:subnormals=no e4m3 -> fp16",
        other("multiply e4m3 e4m3 -> fp16"),
        "",
    ),
    ("08_shift_too_narrow", FMA, edit(r"normalised_16_mux_9\[4\] \?", r"1'b0 ?"), "cancellation"),
    ("09_third_operand", "fma e4m3 e4m3 e5m2 -> fp16", other("fma e4m3 e4m3 e4m3 -> fp16"), ""),
    (
        "10_double_rounding",
        "convert fp32 -> e5m2",
        in_two_steps("convert fp32 -> fp16", "convert fp16 -> e5m2", 16),
        "halfway_ties",
    ),
    ("11_sticky_lost", FMA, edit(r"wire sticky = \|normalised_1\[26:0\]", "wire sticky = |normalised_1[26:9]"), ""),
    ("12_exact_rounded_up", "add fp16 fp16 -> fp16 rup", edit(r"(wire round_up = )", r"\1~result_sign | "), ""),
    (
        "13_subnormal_to_normal",
        FMA,
        edit(r"(assign result = [^;]*);", r"\1 ^ {5'd0, magnitude == 15'h0400 && flag_nx, 10'd0};"),
        "",
    ),
    ("14_ties_of_e2m1", "convert fp16 -> e2m1", other("convert fp16 -> e2m1 rna"), "halfway_ties"),
    (
        "15_odd_elements_truncated",
        "quantize bf16 -> mxfp8e4m3",
        edit(r"(assign result = )([^;]*);", r"\1(\2) & {32{8'hfe}};"),
        "",
    ),
    (
        "15_subnormal_elements",
        "quantize bf16 -> mxfp8e4m3",
        other("quantize bf16 -> e4m3fn:subnormals=no@e8m0/32"),
        "",
    ),
]


@pytest.mark.parametrize(
    ("text", "bug", "family"),
    some([(text, bug, family) for _, text, bug, family in BUGS], every=2),
)
def test_the_testbench_finds_it(text, bug, family, tmp_path):
    where = copied_bundle(text, tmp_path)
    unit = fpgen.parse_unit(text)
    code, said = by_icarus(where)
    assert code == 0, said
    code, said = by_icarus(where, bug(unit))
    assert code == 1 and last_line(said).startswith("FAIL"), said
    named = set(re.findall(r"^MISMATCH at vector \d+, family (\w+)", said, re.M))
    counted = set(re.findall(r"^family (\w+): [1-9]\d* mismatches$", said, re.M))
    assert named and named <= counted, said
    assert any(not name.startswith("random") for name in counted), counted
    assert not family or family in counted, counted


def test_every_class_has_a_bug():
    assert {int(name[:2]) for name, *_ in BUGS} == set(range(1, 16))
