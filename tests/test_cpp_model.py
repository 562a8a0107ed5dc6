"""The C++ model of a unit: warnings are errors, and results are the golden model's."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
from cpp_cases import built, chunks, compiled, disagreements, outputs_of

from fpgen import parse_unit
from fpgen.golden.port_outputs import golden_outputs
from fpgen.handoff import cpp_files as limits
from fpgen.handoff.contents import unit_files
from fpgen.handoff.cpp_files import cpp_files, why_no_model
from fpgen.handoff.cpp_model import cpp_model
from fpgen.handoff.cpp_names import WORDS, namespace
from fpgen.handoff.datasheet import datasheet_files
from fpgen.handoff.designs import load
from fpgen.vectors.stimulus import plan

VARIED = [
    "fma fp16 fp16 fp16 -> fp16 rne stages=3 handshake=ready flags=on",
    "multiply fp16 bf16 -> fp16 port flags=on",
    "convert fp32 -> e4m3fn sra random_bits=8",
    "fma fp64 fp64 fp64 -> fp64",
    "mac e5m2 e5m2 -> fp32 rne flags=on stages=1 loadable=on",
    "mac bf16 bf16 -> fp32 accumulate=exact stages=2",
    "dot e4m3fn e4m3fn n=4 -> fp32 multiplier=operator",
    "multiply fp64 fp64 -> fp64 multiplier=operator",
    "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 stages=2",
    "quantize bf16 -> nvfp4",
    "convert fp16 -> e5m2 stages=1",
]

#: The units of the released bundles, and wide numbers.
MANY = [
    *(design.unit.text for design in load(Path(__file__).parents[1] / "designs" / "released.toml").designs),
    "fma fp64 fp64 fp64 -> fp64",
]


@pytest.mark.turns(2)
@pytest.mark.parametrize("text", VARIED)
def test_it_computes_what_the_golden_model_does(text, tmp_path):
    unit = parse_unit(text)
    model = built(unit, tmp_path)
    for chunk in chunks(unit, 20_000):
        assert disagreements(model, unit, chunk) == []


@pytest.mark.parametrize("text", VARIED[1::3])
def test_clang_agrees_and_finds_no_undefined_behaviour(text, tmp_path):
    unit = parse_unit(text)
    model = built(unit, tmp_path, "clang++", "-fsanitize=undefined", "-fno-sanitize-recover=all")
    for chunk in chunks(unit, 4_000):
        assert disagreements(model, unit, chunk) == []


@pytest.mark.full
@pytest.mark.parametrize("text", MANY)
def test_a_million_vectors(text, tmp_path):
    unit = parse_unit(text)
    start = time.monotonic()
    model = built(unit, tmp_path)
    compile_time, count, busy = time.monotonic() - start, 0, 0.0
    for chunk in plan(unit, vectors=1_000_000, exhaustive=False).chunks():
        assert disagreements(model, unit, chunk) == []
        start = time.monotonic()
        outputs_of(model, unit, chunk.inputs)
        busy += time.monotonic() - start
        count += chunk.count
    assert count >= 1_000_000
    print(f"{unit.text}: g++ -O1 {compile_time:.1f} s, {count:,} vectors, {count / busy:,.0f} a second")


def test_bits_above_a_code_count_for_nothing(tmp_path):
    unit = parse_unit("multiply e2m1 e2m3 -> fp16")
    model = built(unit, tmp_path)
    a, b = (array.ravel() for array in np.meshgrid(np.arange(256), np.arange(256)))
    found = outputs_of(model, unit, {"a": a.astype(np.uint8), "b": b.astype(np.uint8)})
    expected = golden_outputs(unit, {"a": a & 0xF, "b": b & 0x3F})
    assert np.array_equal(found["result"], expected["result"])


def test_two_models_fit_into_one_program(tmp_path):
    units = [parse_unit("mac e5m2 e5m2 -> fp32"), parse_unit("fma fp32 fp32 fp32 -> fp32")]
    text = ""
    for unit in units:
        (tmp_path / f"{unit.name}_model.h").write_text(cpp_model(unit))
        text += f'#include "{unit.name}_model.h"\n' * 2
    (tmp_path / "main.cpp").write_text(text + "int main() {}\n")
    compiled([tmp_path / "main.cpp"], tmp_path / "both")


def test_steps_have_the_names_of_the_verilog():
    unit = parse_unit("fma fp16 fp16 fp16 -> fp16")
    wires = set(re.findall(r"wire (?:\[\d+:\d+\] )?(\w+) =", unit.verilog()))
    variables = set(re.findall(r"const u64 (\w+) =", cpp_model(unit)))
    assert len(wires & variables) > 0.9 * len(variables)
    assert not variables & WORDS


def test_a_word_of_cpp_is_no_namespace(tmp_path):
    unit = parse_unit("add e2m1 e2m1 -> e2m1 module_name=double")
    assert namespace(unit) == "double_"
    built(unit, tmp_path)


def test_the_same_bytes_every_time_and_no_long_lines():
    unit = parse_unit("mac e5m2 e5m2 -> fp32 flags=on stages=2")
    assert cpp_files(unit) == cpp_files(parse_unit(unit.text))
    for text in cpp_files(unit).values():
        assert text.startswith("// SPDX-License-Identifier: Apache-2.0\n")
        assert unit.text in text


def test_a_scalar_model_is_written_in_no_time():
    unit = parse_unit("fma fp16 fp16 fp16 -> fp16")
    unit.verilog()
    start = time.process_time()
    cpp_files(unit)
    assert time.process_time() - start < 1.0


def test_a_unit_too_large_for_compilers_has_no_model_and_the_datasheet_says_so(monkeypatch):
    unit = parse_unit("add e2m1 e2m1 -> e2m1")
    assert why_no_model(unit) == "" and f"{unit.name}_model.h" in datasheet_files(unit)["datasheet.md"]
    monkeypatch.setattr(limits, "LARGEST_GRAPH", 10)
    assert cpp_files(unit) == {}
    assert not any(name.endswith((".h", ".cpp")) for name in unit_files(unit, "module"))
    assert why_no_model(unit) in datasheet_files(unit)["datasheet.md"]
    assert re.search(r"graph has \d+ nodes, and above 10 compilers", datasheet_files(unit)["datasheet.md"])
