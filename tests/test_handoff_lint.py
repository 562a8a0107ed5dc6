"""The Verilog of a bundle, linted with nothing waived: Verible's default rules, slang, Icarus, Verilator, Yosys.

Verilator and Icarus compile all of it in tests/test_handoff_testbench.py, too; here are more kinds of units, and what
shows that each linter can fail.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from handoff_cases import run
from portions import some
from test_module_names import LONG
from test_operations import EXAMPLES

import fpgen
from fpgen.base.errors import MissingTool, RunFailure
from fpgen.handoff.contents import unit_files
from fpgen.simulate.tools import find_icarus, find_verilator
from fpgen.synthesis import yosys

PORTS = "handshake=ready enable=on flush=on tag=3 reset=async reset_active=low registers=both"
KINDS = [
    "multiply e4m3fn e5m2 -> fp16 flags=on",
    "fma e4m3fn e4m3fn fp16 -> fp16 stages=3 handshake=ready flags=on",
    "quantize bf16 -> nvfp4 stages=2",
]
#: `make test` takes the three kinds, a long name, and a slice of the operations; `make sim-full` takes all of it.
UNITS = [
    *KINDS,
    LONG.text,
    *some(
        [
            *(text for texts in EXAMPLES.values() for text in texts),
            f"add bf16 bf16 -> bf16 port stages=4 {PORTS}",
            "multiply e2m1 e2m1 -> e5m2 stages=2 handshake=valid reset=none flush=on",
            "multiply e2m1 e2m1 -> e5m2 stages=1 enable=on flags=on",
            "multiply e2m1 e2m1 -> e5m2 handshake=ready",
        ],
        every=7,
        first=3,
    ),
]


def files_of(unit: fpgen.Unit, where: Path) -> list[str]:
    """The names of the unit's Verilog, its testbench and its assertions, which are in `where`."""
    for name, text in unit_files(unit, unit.verilog()).items():
        (where / name).write_text(text)
    return [f"{unit.name}.v", f"{unit.name}_tb.v", f"{unit.name}_sva.sv"]


def verible(where: Path, names: list[str]) -> str:
    """What Verible's linter says with its default rules."""
    program = Path(sys.executable).with_name("verible-verilog-lint")
    if not program.exists():
        pytest.skip("no Verible on this machine")
    return run([str(program), *names], where)[1]


def slang(where: Path, names: list[str], top: str) -> tuple[bool, str]:
    """Whether slang accepts the files without a warning, and what it says: in a process, for it prints by itself."""
    pytest.importorskip("pyslang")
    program = (
        "import sys; from pyslang import driver; d = driver.Driver(); d.addStandardArgs();"
        "ok = d.parseCommandLine('slang -Wextra -Wconversion -Wpedantic -Werror ' + ' '.join(sys.argv[1:]));"
        "sys.exit(not (ok and d.processOptions() and d.parseAllSources() and d.runFullCompilation()))"
    )
    code, said = run([sys.executable, "-c", program, "--top", top, *names], where)
    return code == 0, said


def icarus(where: Path, names: list[str], top: str) -> str:
    try:
        program = find_icarus().compiler
    except MissingTool as error:
        pytest.skip(str(error))
    code, said = run([program, "-g2001", "-Wall", "-s", top, "-o", "lint.vvp", *names], where)
    return said or ("" if code == 0 else "failed")


def verilator(where: Path, names: list[str], top: str) -> str:
    try:
        found = find_verilator()
    except MissingTool as error:
        pytest.skip(str(error))
    options = ["--lint-only", "--timing", "--assert", "-Wall", "--quiet", "--top-module", top]
    return run([str(found.binary), *options, *names], where, VERILATOR_ROOT=str(found.root))[1]


def check(verilog: str, top: str) -> None:
    """Yosys's own checks: no loops, no wire without a driver or with two, no missing module."""
    yosys.run_script(
        yosys.select(),
        ["read_verilog unit.v", f"hierarchy -check -top {top}", "proc", "flatten", "check -assert"],
        {"unit.v": verilog},
        [],
    )


@pytest.mark.turns(2)
@pytest.mark.parametrize("text", UNITS)
def test_no_linter_finds_anything(text, tmp_path):
    unit = fpgen.parse_unit(text)
    names = files_of(unit, tmp_path)
    top = f"{unit.name}_tb"
    assert verible(tmp_path, names) == ""
    accepted, said = slang(tmp_path, names, top)
    assert accepted, said
    assert icarus(tmp_path, names[:2], top) == ""
    assert verilator(tmp_path, names, top) == ""
    assert verilator(tmp_path, names[:1], unit.name) == ""
    check(unit.verilog(), unit.name)


@pytest.mark.parametrize(
    ("linter", "good", "bad"),
    [
        (lambda where, names, top: verible(where, names), "wire ", "\twire "),
        (
            lambda where, names, top: not slang(where, names, top)[0],
            "output wire ",
            "output reg [3.5:0] x, output wire ",
        ),
        (icarus, "endmodule", "wire spare = a[9]; endmodule"),
        (verilator, "output wire ", "input wire spare,\n    output wire "),
    ],
    ids=["verible", "slang", "icarus", "verilator"],
)
def test_each_linter_can_fail(linter, good, bad, tmp_path):
    unit = fpgen.parse_unit(KINDS[0])
    names = files_of(unit, tmp_path)
    text, count = re.subn(good, bad, unit.verilog(), count=1)
    assert count == 1
    (tmp_path / names[0]).write_text(text)
    assert linter(tmp_path, names[:1], unit.name)


def test_the_checks_of_yosys_can_fail():
    with pytest.raises(RunFailure):
        check("module unit (input wire a, output wire y); wire b; assign y = a & b; endmodule", "unit")
