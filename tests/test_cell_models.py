"""Verilog models of library cells: equal to Yosys's own reading of the library, and a mapped netlist runs with them."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from fpgen import parse_unit
from fpgen.command import cli
from fpgen.handoff import cell_models
from fpgen.handoff.cell_models import models
from fpgen.library import liberty, technology
from fpgen.simulate.tools import find_icarus
from fpgen.synthesis import yosys
from fpgen.timing import netlist

LIBRARIES = Path(__file__).resolve().parents[1] / ".." / "shared" / "liberty"

ODD = """library (odd) {
  time_unit : "1ns"; capacitive_load_unit (1, pf);
  cell (both) { area : 1; ff (IQ, IQN) { clocked_on : "!CK'"; next_state : "(SE SI) + (!SE D)";
    clear : "!RN"; preset : "S"; }
    pin (CK) { direction : input; clock : true; } pin (D) { direction : input; } pin (SE) { direction : input; }
    pin (SI) { direction : input; } pin (RN) { direction : input; } pin (S) { direction : input; }
    pin (Q) { direction : output; function : "IQ"; } pin (QN) { direction : output; function : "IQN"; } }
  cell (falling) { area : 1; ff (state, inv) { clocked_on : "CK'"; next_state : "state ^ D"; preset : "!SN"; }
    pin (CK) { direction : input; } pin (D) { direction : input; } pin (SN) { direction : input; }
    pin (Q) { direction : output; function : "state"; } }
  cell (table) { area : 1; pin (wire) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "!(wire * B) ^ 1"; } }
  cell (latch) { area : 1; latch (IQ, IQN) { enable : "G"; data_in : "D"; } pin (G) { direction : input; }
    pin (D) { direction : input; } pin (Q) { direction : output; function : "IQ"; } }
  cell (tri) { area : 1; pin (A) { direction : input; } pin (E) { direction : input; }
    pin (Y) { direction : output; function : "A"; three_state : "!E"; } }
  cell (mute) { area : 1; pin (A) { direction : input; } pin (Y) { direction : output; } }
  cell (strange) { area : 1; pin (A) { direction : input; } pin (Y) { direction : output; function : "A & B"; } }
  cell (pad) { area : 1; pin (A) { direction : inout; } }
  cell (decap) { area : 1; pin (A) { direction : input; } }
  cell (tie) { area : 1; pin (Y) { direction : output; function : "0"; } }
}
"""


def library(name):
    if name in technology.names():
        return technology.load(name).library, technology.load(name).liberty
    path = LIBRARIES / name
    if not path.is_file():
        pytest.skip(f"no {name} on this machine")
    found = liberty.load(path)
    return found, liberty.functions_file(path)


@pytest.mark.parametrize("name", ["fpgen45", "fpgen7", "nangate45_typ.lib.gz"])
def test_models_are_what_yosys_reads_in_the_library(name):
    """Each cell's model against Yosys's own module for it: gates by SAT, flip-flops over several clock edges."""
    found, path = library(name)
    made = models(found)
    cells = [found.cells[one] for one in made.modelled if found.cells[one].outputs]
    kept = [cell for cell in cells if cell.flipflop is not None]
    cells = [cell for cell in cells if not (cell.flipflop and cell.flipflop.clear and cell.flipflop.preset)]
    made = models(found, [cell.name for cell in cells])
    script = [
        "read_liberty -ignore_miss_func -ignore_miss_data_latch cells.lib",
        "proc",
        "design -save gold",
        "design -reset",
        "read_verilog models.v",
        "proc",
        "design -save gate",
    ]
    for cell in cells:
        script += [
            "design -reset",
            f"design -copy-from gold -as gold {cell.name}",
            f"design -copy-from gate -as gate {cell.name}",
            "miter -equiv -flatten -make_outputs gold gate miter",
            "hierarchy -top miter",
        ]
        steps = "" if cell.flipflop is None else "-seq 6 -set-init-zero "
        script += [*(["clk2fflogic"] if steps else []), f"sat -verify {steps}-prove trigger 0 miter"]
    done = yosys.run_script(yosys.select(None), script, {"cells.lib": path, "models.v": made.text}, [], timeout=600)
    assert done.log.count("Executing SAT pass") == len(cells) > 50 and kept


def test_what_is_not_understood_is_named():
    found = liberty.from_text(ODD, "odd.lib")
    made = models(found)
    assert made.modelled == ("both", "decap", "falling", "table", "tie")
    reasons = dict(made.left_out)
    assert set(reasons) == {"latch", "tri", "mute", "strange", "pad"}
    assert "switched off" in reasons["tri"] and "output Y" in reasons["mute"] and "names B" in reasons["strange"]
    for name, reason in made.left_out:
        assert f"//   {name}: {reason}" in made.text and f"module {name} " not in made.text


def icarus(tmp_path, *texts):
    """What the simulation of these texts prints."""
    if shutil.which("iverilog") is None:
        pytest.skip("no Icarus on this machine")
    files = []
    for number, text in enumerate(texts):
        files.append(tmp_path / f"{number}.v")
        files[-1].write_text(text)
    subprocess.run([find_icarus().compiler, "-g2005", "-Wall", "-o", tmp_path / "sim.vvp", *files], check=True)
    return subprocess.run(
        [find_icarus().runtime, "-n", tmp_path / "sim.vvp"], check=True, capture_output=True, text=True, cwd=tmp_path
    ).stdout


def test_flip_flops_with_clear_and_preset(tmp_path):
    made = models(liberty.from_text(ODD, "odd.lib"))
    bench = """module bench;
      reg ck, d, se, si, rn, s; wire q, qn, f, y;
      both one (.CK(ck), .D(d), .SE(se), .SI(si), .RN(rn), .S(s), .Q(q), .QN(qn));
      falling two (.CK(ck), .D(d), .SN(~s), .Q(f));
      \\table three (.\\wire (ck), .B(d), .Y(y));
      initial begin
        ck = 0; d = 1; se = 0; si = 0; rn = 0; s = 0; #1 $display("clear %b%b", q, qn);
        rn = 1; #1 ck = 1; #1 $display("clocked %b%b y=%b", q, qn, y);
        se = 1; #1 ck = 0; #1 ck = 1; #1 $display("scanned %b", q);
        s = 1; #1 $display("preset %b %b", q, f);
        rn = 0; #1 $display("both %b", q);
        rn = 1; s = 0; d = 1; #1 ck = 0; #1 $display("fell %b", f);
        ck = 1; #1 ck = 0; #1 $display("fell %b", f);
      end
    endmodule
    """
    out = icarus(tmp_path, made.text, bench).split("\n")
    assert out[:7] == ["clear 01", "clocked 10 y=1", "scanned 0", "preset 1 1", "both x", "fell 0", "fell 1"]


BUSES = """library (buses) {
  time_unit : "1ns"; capacitive_load_unit (1, pf);
  type (down) { base_type : array; data_type : bit; bit_width : 3; bit_from : 2; bit_to : 0; downto : true; }
  type (up) { base_type : array; data_type : bit; bit_width : 2; bit_from : 4; bit_to : 5; downto : false; }
  cell (gates) { area : 1;
    bus (A) { bus_type : down; direction : input; } bus (B) { bus_type : up; direction : input; }
    pin (E) { direction : input; }
    bus (Y) { bus_type : up; direction : output; pin (Y[4]) { function : "A[2] & B[4]"; }
      pin (Y[5]) { function : "E ^ (A[0] B[5])"; } } }
}
"""


def test_a_bus_is_one_port_with_the_library_s_numbers(tmp_path):
    made = models(liberty.from_text(BUSES, "buses.lib"))
    assert made.modelled == ("gates",)
    assert {line.strip(" ,") for line in made.text.split("\n") if " wire " in line} == {
        "input  wire [2:0] A",
        "input  wire [4:5] B",
        "input  wire E",
        "output wire [4:5] Y",
    }
    bench = """module bench;
      reg [2:0] a; reg [4:5] b; reg e; wire [4:5] y;
      gates one (.A(a), .B(b), .E(e), .Y(y));
      initial begin
        a = 3'b100; b = 2'b10; e = 0; #1 $display("%b", y);
        a = 3'b001; b = 2'b01; #1 $display("%b", y);
        e = 1; #1 $display("%b", y);
      end
    endmodule
    """
    assert icarus(tmp_path, made.text, bench).split() == ["10", "01", "00"]


# ---- the mapped netlist of a bundle -------------------------------------------------


@pytest.fixture(scope="module", params=["fpgen45", pytest.param("fpgen7", marks=pytest.mark.full)])
def handed_over(request, tmp_path_factory):
    """Bundles of a combinational unit and of one with registers and a handshake, as `fpgen run` writes them."""
    where = tmp_path_factory.mktemp("out")
    units = [
        parse_unit("multiply e3m2 e2m1 -> e4m3fn rne flags=on"),
        parse_unit("mac e2m1 e2m1 -> e5m2 rtz stages=2 handshake=ready"),
    ]
    (where / "my.toml").write_text(
        f'technology = "{request.param}"\noutput = "{where}"\n'
        + "".join(f'[[unit]]\nunit = "{unit.text}"\nvectors = 2000\n' for unit in units)
    )
    result = CliRunner().invoke(cli.main, ["run", str(where / "my.toml")])
    assert result.exit_code == 0, result.output
    return [(unit, where / unit.name) for unit in units]


def test_the_netlist_passes_the_regression(handed_over):
    """In Verilator: netlist and models in place of the unit's Verilog, with every vector and protocol test."""
    for unit, where in handed_over:
        texts = [(where / f"{unit.name}.{part}.v").read_text() for part in ("mapped", "cells")]
        verdict = unit.verify(verilog="\n".join(texts), vectors=2000)
        assert verdict.passed, verdict.summary
    unit, where = handed_over[0]
    texts = [(where / f"{unit.name}.{part}.v").read_text() for part in ("mapped", "cells")]
    wrong = re.sub(r"\bassign (\w+) = ", r"assign \1 = ~", texts[1], count=1)
    assert wrong != texts[1] and not unit.verify(verilog="\n".join([texts[0], wrong]), vectors=2000).passed


def test_the_netlist_passes_the_bundle_s_testbench(handed_over, tmp_path):
    """In Icarus, as a user would: `iverilog UNIT.mapped.v UNIT.cells.v UNIT_tb.v`."""
    for unit, where in handed_over:
        texts = [(where / f"{unit.name}{part}.v").read_text() for part in (".mapped", ".cells", "_tb")]
        shutil.copy(where / "vectors.hex", tmp_path)
        assert re.fullmatch(r"PASS: \d+ vectors, \d+ results compared\n", icarus(tmp_path, *texts))


def test_the_bundle_has_a_model_for_each_cell_and_no_more(handed_over):
    for unit, where in handed_over:
        mapped = (where / f"{unit.name}.mapped.v").read_text()
        used = {instance.cell for instance in netlist.from_text(mapped, unit.name).instances}
        assert set(re.findall(r"^module (\S+) \(", (where / f"{unit.name}.cells.v").read_text(), re.M)) == used
        for part in ("", ".mapped", ".cells", "_tb"):
            text = (where / f"{unit.name}{part}.v").read_text()
            assert text.startswith("// SPDX-License-Identifier: Apache-2.0\n// Generated by fpgen ")


# ---- the command --------------------------------------------------------------------


def call(*arguments):
    return CliRunner().invoke(cli.main, ["tech", *map(str, arguments)])


def test_technologies_are_listed_and_described():
    listed = call()
    assert listed.exit_code == 0 and "fpgen45" in listed.output and "fpgen7" in listed.output
    records = {item["name"]: item for item in json.loads(call("--json").output) if "cells" in item}
    assert records["fpgen45"]["flipflops"] == 2 and records["fpgen45"]["driving_cell"] == "buf_x2"
    assert "smallest NAND2  0.798 um2" in call("fpgen45").output


def test_files_for_other_tools(tmp_path):
    """What is written reads back to the same library, and the same text makes the same models."""
    lib, text = tmp_path / "x.lib", tmp_path / "x.v"
    for _ in range(2):  # what fpgen wrote may be replaced
        assert call("fpgen45", "--liberty", lib, "--verilog", text).exit_code == 0
    known, again = technology.load("fpgen45").library, liberty.load(lib)
    assert cell_models.models(again).text == text.read_text() == models(known).text
    assert again.nand2_area == known.nand2_area
    from_file = call(lib, "--verilog", tmp_path / "y.v", "--json")
    assert json.loads(from_file.output)["gates"] == 56
    assert (tmp_path / "y.v").read_text() == text.read_text()


def test_what_cannot_be_done_is_said_first(tmp_path):
    mine = tmp_path / "mine.v"
    mine.write_text("module mine; endmodule\n")
    lib = tmp_path / "odd.lib"
    lib.write_text(ODD)
    for arguments, part in [
        (("fpgen45", "--verilog", mine), "a file that fpgen did not write"),
        ((lib, "--liberty", lib), "the library being read"),
        (("fpgen45", "--verilog", tmp_path), "a directory; expected a file"),
        (("fpgen45", "--verilog", tmp_path / "no" / "x.v"), "there is no directory"),
        (("fpgen45", "--verilog", tmp_path / ("x" * 300)), "expected a file that can be written"),
        (("fpgen45", "--verilog", "/dev/null"), "not a plain file"),
        (("fpgen45", "--verilog", tmp_path / "z", "--liberty", tmp_path / "z"), "for both"),
        (("--verilog", mine), "got no technology"),
        (("fpgen46",), "fpgen45"),
    ]:
        result = call(*arguments)
        assert result.exit_code == 2 and result.stderr.count("\n") == 1 and part in result.stderr, result.output
    assert mine.read_text() == "module mine; endmodule\n" and lib.read_text() == ODD
    assert "no model of latch: " in call(lib, "--verilog", tmp_path / "odd.v").output
