"""The wrappers of a unit's C++ model: SystemVerilog calls one through the DPI, and SystemC compiles the other."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from cpp_cases import STRICT, chunks, compiled, program

from fpgen import parse_unit
from fpgen.base.errors import MissingTool
from fpgen.golden.port_outputs import golden_outputs
from fpgen.handoff.cpp_dpi import cpp_dpi, imports
from fpgen.handoff.cpp_files import cpp_files
from fpgen.handoff.cpp_model import cpp_model
from fpgen.handoff.cpp_names import namespace
from fpgen.handoff.cpp_ports import input_ports, output_ports
from fpgen.simulate.tools import find_verilator
from fpgen.units import Unit
from fpgen.vectors.layout import words

#: One run of Verilator for all: it compiles its own run time for most of the time that the test takes.
CALLED = ["fma fp16 fp16 fp16 -> fp16 flags=on", "mac e5m2 e5m2 -> fp32 loadable=on", "quantize bf16 -> nvfp4 stages=1"]

BENCH = """\
module {name}_bench;
{imports}
  bit [{in_top}:0] vectors [0:{last}];
  bit [{out_top}:0] wanted [0:{last}];
{pins}
{handle}
  int wrong;
  initial begin
    $readmemh("{name}_vectors.hex", vectors);
    $readmemh("{name}_wanted.hex", wanted);
{begin}
    for (int i = 0; i <= {last}; i++) begin
      {{{inputs}}} = vectors[i];
      {call};
      if ({{{outputs}}} != wanted[i]) wrong++;
    end
{end}
    $display("{name} %0d wrong", wrong);
  end
endmodule
"""


def bench(unit: Unit, directory: Path, count: int) -> str:
    """A module that calls the DPI functions with vectors from files; the files are written."""
    name, ins, outs = namespace(unit), input_ports(unit), output_ports(unit)
    chunk = next(chunks(unit, 32 * count))
    assert chunk.count >= count
    for what, ports, arrays in (
        ("vectors", ins, chunk.inputs),
        ("wanted", outs, golden_outputs(unit, chunk.inputs)),
    ):
        rows = [0] * count
        for port in ports:
            column = words(port, arrays[port.name].reshape(-1, *port.shape)[:count])
            rows = [row << port.width | word for row, word in zip(rows, column, strict=True)]
        (directory / f"{name}_{what}.hex").write_text("".join(f"{row:x}\n" for row in rows))
    pins = ", ".join(port.name for port in [*ins, *outs])
    return BENCH.format(
        name=name,
        imports="\n".join(imports(unit)),
        in_top=sum(port.width for port in ins) - 1,
        out_top=sum(port.width for port in outs) - 1,
        last=count - 1,
        pins="\n".join(f"  bit [{port.width - 1}:0] {port.name};" for port in [*ins, *outs]),
        handle="  chandle state;" if unit.stateful else "",
        begin=f"    state = {name}_new(); {name}_reset(state);" if unit.stateful else "",
        end=f"    {name}_delete(state);" if unit.stateful else "",
        inputs=", ".join(port.name for port in ins),
        outputs=", ".join(port.name for port in outs),
        call=f"{name}_step(state, {pins})" if unit.stateful else f"{name}_compute({pins})",
    )


def test_a_systemverilog_testbench_calls_it(tmp_path):
    program("g++")
    program("make")
    try:
        verilator = find_verilator()
    except MissingTool as error:
        pytest.skip(str(error))
    units = [parse_unit(text) for text in CALLED]
    for unit in units:
        (tmp_path / f"{unit.name}_model.h").write_text(cpp_model(unit))
        (tmp_path / f"{unit.name}_dpi.cpp").write_text(cpp_dpi(unit))
        compiled([tmp_path / f"{unit.name}_dpi.cpp"], tmp_path / "dpi.o", "g++", "-c")
    instances = " ".join(f"{unit.name}_bench {unit.name}_bench ();" for unit in units)
    top = f"module bench; {instances} initial $finish; endmodule\n"
    (tmp_path / "bench.sv").write_text("".join(bench(unit, tmp_path, 256) for unit in units) + top)
    command = [
        str(verilator.binary),
        "--cc",
        "--exe",
        "--main",
        "--build",
        "--no-timing",
        "-CFLAGS",
        "-O0",
        "-Wno-fatal",
    ]
    command += ["--top-module", "bench", "--Mdir", "obj", "bench.sv", *(f"{unit.name}_dpi.cpp" for unit in units)]
    env = {**os.environ, "VERILATOR_ROOT": str(verilator.root)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    done = subprocess.run(["obj/Vbench"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert {f"{unit.name} 0 wrong" for unit in units} <= set(done.stdout.splitlines()), done.stdout


@pytest.mark.turns(2)
@pytest.mark.parametrize(
    "text",
    [
        "convert fp16 -> e4m3fn",
        "convert fp16 -> e4m3fn handshake=ready",
        "dot e4m3fn e4m3fn n=32 -> fp32 stages=2",
        "quantize bf16 -> nvfp4 stages=2 handshake=valid",
        "mac e5m2 e5m2 -> fp32 stages=2 handshake=ready flags=on",
    ],
)
def test_the_systemc_example_compiles(text, tmp_path):
    unit = parse_unit(text)
    compiler = program("g++")
    probe = [compiler, "-std=c++17", "-fsyntax-only", "-x", "c++", "-"]
    if subprocess.run(probe, input=b"#include <systemc>\n", capture_output=True, check=False).returncode:
        pytest.skip("there is no SystemC on this machine; the package libsystemc-dev has it")
    for name, text in cpp_files(unit).items():
        (tmp_path / name).write_text(text)
    strict = [flag for flag in STRICT if flag != "-Wshadow"]  # SC_CTOR is a macro with a parameter of its own
    command = [compiler, *strict, "-fsyntax-only", str(tmp_path / f"{unit.name}_systemc.cpp")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[:3000]
