"""The name of a unit's module: made of its parameters and short enough for files, or given; and the text's header."""

import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from fpgen import UsageError, parse_unit
from fpgen.base.provenance import without_provenance
from fpgen.command import cli
from fpgen.handoff.bundle import write_bundle
from fpgen.handoff.designs import load
from fpgen.synthesis import flow
from fpgen.units.identity import LONGEST_NAME, spelled_name
from fpgen.verify.verify import verify_many

UNIT = parse_unit("add e2m1 e2m1 -> e2m1")
LONG = parse_unit(
    "dot e3m2:bias=13,inf=none,nan=none e3m2:bias=-15,inf=none,nan=none n=2 + e5m4:bias=-17,inf=none,nan=none -> "
    "e5m4:bias=-100,inf=none,nan=none rne stages=3 handshake=ready subnormals=both tininess=before multiplier=booth "
    "adder=kogge-stone accumulate=aligned:fraction=10,group=2,clamp=-30,addend=outside,sum_fraction=12,"
    "addend_fraction=12"
)


def test_long_names_fit_and_stay_apart(tmp_path):
    assert len(spelled_name(LONG)) == 337
    other = replace(LONG, adder="brent-kung")
    assert len(LONG.name) <= LONGEST_NAME and LONG.name != other.name
    assert LONG.name == parse_unit(LONG.text).name
    assert LONG.name.startswith(spelled_name(LONG)[:100])
    where = write_bundle(LONG, tmp_path)
    (where / f"{LONG.name}.mapped.v").write_text("mine\n")
    for number in range(12):
        write_bundle(LONG, tmp_path, progress=lambda line: None)
        (where / f"{LONG.name}.mapped.v").write_text(f"mine {number}\n")
    assert max(len(path.name.encode()) for path in where.iterdir()) < 200
    write_bundle(LONG, tmp_path, suffix=".failed")


@pytest.mark.parametrize("command", ["generate", "verify"])
def test_a_name_that_no_file_can_have(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    options = {"generate": ["-o", "out"], "verify": ["--keep", "out", "--vectors", "1"]}[command]
    result = CliRunner().invoke(cli.main, [command, LONG.text, *options])
    assert result.exit_code == 0, result.output
    written = list((tmp_path / "out").rglob(f"{LONG.name}*"))
    assert len(written) > 2 if command == "generate" else [path.suffix for path in written] == [".json"]


def test_a_module_name_of_one_s_own(tmp_path):
    unit = parse_unit("add e2m1 e2m1 -> e2m1 module_name=My_Adder")
    assert unit.content_hash == UNIT.content_hash and unit != UNIT
    assert parse_unit(unit.text) == unit
    result = CliRunner().invoke(cli.main, ["generate", UNIT.text, "--name", "My_Adder", "-o", str(tmp_path)])
    assert result.exit_code == 0
    assert (tmp_path / "My_Adder" / "My_Adder.v").read_text() == unit.verilog()
    assert "module My_Adder #(" in unit.verilog()


def test_two_versions_side_by_side(tmp_path):
    """Their modules, files and whatever else their Verilog defines have names of their own."""
    texts = []
    for prefix in ("old_", "new_"):
        result = CliRunner().invoke(cli.main, ["generate", UNIT.text, "--prefix", prefix, "-o", str(tmp_path)])
        assert result.exit_code == 0, result.output
        unit = parse_unit(f"{UNIT.text} prefix={prefix}")
        assert unit.name == prefix + UNIT.name and unit.content_hash == UNIT.content_hash and unit != UNIT
        assert parse_unit(unit.text) == unit and unit.behaviour == UNIT.behaviour
        assert replace(unit, module_name="mine").name == f"{prefix}mine"
        assert replace(LONG, prefix=prefix).name.startswith(prefix)
        texts.append((tmp_path / unit.name / f"{unit.name}.v").read_text())
    modules = [re.findall(r"^module (\w+)", text, re.M) for text in texts]
    assert all(modules) and not set(modules[0]) & set(modules[1])


def test_a_prefix_for_a_list_of_units(tmp_path):
    (tmp_path / "my.toml").write_text(
        '[[unit]]\nunit = "add e2m1 e2m1 -> e2m1"\n[[unit]]\nunit = "add e2m1 e2m1 -> e3m2 prefix=own_"\n'
    )
    plan = load(tmp_path / "my.toml").prefixed("all_")
    assert [design.unit.prefix for design in plan.designs] == ["all_", "own_"]
    (tmp_path / "key.toml").write_text('[[unit]]\nunit = "add e2m1 e2m1 -> e2m1"\nprefix = "v2_"\nmodule_name = "x"\n')
    assert load(tmp_path / "key.toml").designs[0].unit.name == "v2_x"
    result = CliRunner().invoke(cli.main, ["run", str(tmp_path / "my.toml"), "--prefix", "a-b"])
    assert result.exit_code == 2 and "prefix: got 'a-b'" in result.stderr


@pytest.mark.parametrize("prefix", ["", "1", "a.b", "fpgen_x", "x" * 41, "ä", "a\n"])
def test_prefixes_that_no_name_can_have(prefix):
    with pytest.raises(UsageError, match=r"^prefix: got .*; expected ") as caught:
        replace(UNIT, prefix=prefix)
    assert "\n" not in str(caught.value)


def test_prefix_and_name_that_make_no_name():
    with pytest.raises(UsageError, match="got 'module', a reserved word"):
        replace(UNIT, prefix="mod", module_name="ule")
    with pytest.raises(UsageError, match="got 130 characters; expected at most 120 together"):
        replace(UNIT, prefix="x" * 20, module_name="x" * 110)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1x",
        "a.b",
        "a-b",
        "module",
        "Module",
        "logic",
        "entity",
        "x" * 121,
        "ä",
        "_x",
        "gold",
        "fpgen_harness",
        "a\n",
    ],
)
def test_names_that_no_module_can_have(name):
    with pytest.raises(UsageError, match=r"^module_name: got .*; expected a Verilog identifier") as caught:
        replace(UNIT, module_name=name)
    assert "\n" not in str(caught.value)


def test_names_that_collide(tmp_path):
    named = parse_unit("multiply e2m1 e2m1 -> e2m1 module_name=nand2_x1")
    with pytest.raises(UsageError, match="the name of a cell of fpgen45"):
        named.ppa()
    with pytest.raises(UsageError, match="module name nand2_x1: got it for 2 units"):
        verify_many([named, parse_unit("add e2m1 e2m1 -> e2m1 module_name=nand2_x1")])
    (tmp_path / "my.toml").write_text(
        '[[unit]]\nunit = "add e2m1 e2m1 -> e2m1 module_name=x"\n'
        '[[unit]]\nunit = "multiply e2m1 e2m1 -> e2m1 module_name=x"\n'
    )
    result = CliRunner().invoke(cli.main, ["run", str(tmp_path / "my.toml")])
    assert result.exit_code == 2 and "got the name x of unit 1" in result.stderr
    both = CliRunner().invoke(cli.main, ["generate", named.text, "--name", "other", "--stdout"])
    assert both.exit_code == 2 and "expected one of them" in both.stderr


# ---- the version in the header ------------------------------------------------------


def test_a_new_version_moves_no_figure(monkeypatch):
    before, points = UNIT.verilog(), flow.measure(UNIT.verilog(), UNIT.name)
    monkeypatch.setattr("fpgen.base.version.__version__", "99.0")
    after = UNIT.verilog()
    assert "// Generated by fpgen 99.0;" in after and before != after
    assert without_provenance(before) == without_provenance(after)
    assert flow.measure(after, UNIT.name) == points, "the cache is keyed by text without the version"
    assert without_provenance("module x; endmodule\n") == "module x; endmodule\n"
