"""The hand-worked netlists given to OpenSTA, where it is installed (`sta` on PATH, or FPGEN_OPENSTA)."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sta_cases import CONSTANTS
from sta_reader_cases import CASES

TINY = Path(__file__).with_name("tiny.lib")
OPENSTA = os.environ.get("FPGEN_OPENSTA") or shutil.which("sta")
PERIOD = 1000.0

SCRIPT = """
read_liberty {liberty}
read_verilog {netlist}
link_design m
set data {{}}
foreach port [all_inputs] {{ if {{[get_property $port full_name] ne "clk"}} {{ lappend data $port }} }}
if {{[llength $data] < [llength [all_inputs]]}} {{ create_clock -name c -period {period} [get_ports clk]
}} else {{ create_clock -name c -period {period} }}
if {{[llength $data]}} {{ set_input_delay 0 -clock c $data }}
set_output_delay 0 -clock c [all_outputs]
report_checks -path_delay max -digits 3
"""


@pytest.mark.skipif(OPENSTA is None, reason="no OpenSTA on this machine")
@pytest.mark.parametrize("case", [case for case in [*CONSTANTS, *CASES] if case.opensta], ids=lambda case: case.name)
def test_opensta_agrees(tmp_path, case):
    (tmp_path / "m.v").write_text(case.text)
    script = tmp_path / "m.tcl"
    script.write_text(SCRIPT.format(liberty=TINY, netlist=tmp_path / "m.v", period=PERIOD))
    said = subprocess.run(
        [OPENSTA, "-no_splash", "-exit", str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        check=False,
    ).stdout
    slack = re.search(r"^\s*(-?[\d.]+)\s+slack", said, re.MULTILINE)
    assert slack is not None, said
    assert PERIOD - float(slack[1]) == pytest.approx(case.delay, abs=0.01)
