"""What README.md shows is true: its Python runs, its units parse, its commands exist, its links lead somewhere."""

import re
from pathlib import Path

import numpy as np
import pytest

from fpgen import parse_format, parse_unit
from fpgen.command import cli
from fpgen.units import OPERATIONS

README = Path(__file__).resolve().parent.parent / "README.md"
TEXT = README.read_text() if README.is_file() else ""

pytestmark = pytest.mark.skipif(not TEXT, reason="not a checkout")


def test_the_python_example_runs():
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.S) if "unit.verify()" in block]
    quick = block.split("verdict = ")[0]
    names: dict = {}
    exec(quick, names)
    assert [hex(code) for code in names["result"].codes] == ["0x40400000", "0x7f7fffff"]
    assert np.array_equal(names["result"].flags, [0, 1])
    assert names["text"] == names["unit"].verilog()


def test_the_emulation_example_runs():
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.S) if "emulate.matmul" in block]
    names: dict = {}
    exec(block, names)
    reference = names["a"].astype(np.float64) @ names["b"]
    relative = np.sqrt(np.mean(names["error"] ** 2) / np.mean(reference**2))
    assert f"# {relative:.3f}: relative" in block
    assert 0.05 < relative < 0.3  # four-bit operands: each is off by some 10 %


def test_every_unit_in_it_parses():
    operations = "|".join(OPERATIONS)
    units = set(re.findall(rf'"((?:{operations}) [^"\n]* -> [^"\n]*)"', TEXT))
    assert units
    for unit in units:
        assert parse_unit(unit)


def test_every_command_in_it_exists():
    commands = set(re.findall(r"fpgen (\w+)", re.sub(r"```python.*?```", "", TEXT, flags=re.S)))
    known = set(cli.main.commands)
    assert commands & known
    for command in re.findall(r"(?:\$ |`)fpgen (\w+)", TEXT):
        assert command in known, command


def test_every_format_it_names_parses():
    for name in ("e5m7", "ue4m4", "e3m2:bias=2,inf=none,nan=none", "int12:scale=-4"):
        assert name in TEXT
        assert parse_format(name)


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (README.parent / target).exists(), target
