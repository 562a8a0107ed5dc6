"""`fpgen export`: designs for OpenROAD-flow-scripts and LibreLane, read by make, YAML, Tcl and Yosys."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess

import pytest
from click.testing import CliRunner

import fpgen
from fpgen.base.errors import UsageError
from fpgen.command.cli import main
from fpgen.handoff.constraints import period_of
from fpgen.handoff.export import FLOWS, ORFS_PLATFORMS
from fpgen.synthesis import yosys

UNITS = {
    "comb": "multiply e4m3fn e5m2 -> fp16 module_name=comb",
    "pipelined": "fma e5m2 e5m2 fp16 -> fp16 rne stages=2 handshake=ready enable=on module_name=pipelined",
    "quantizer": "quantize bf16 -> nvfp4 module_name=quantizer",
}
CASES = [(flow, platform) for flow, platforms in FLOWS.items() for platform in platforms]
PARSED = {name: fpgen.parse_unit(text) for name, text in UNITS.items()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Every unit for every flow and platform, in one directory for each flow."""
    where = tmp_path_factory.mktemp("designs")
    return {
        (name, flow, platform): PARSED[name].export(where / flow, flow, platform=platform)
        for name in UNITS
        for flow, platform in CASES
    }


def source_of(found, name, flow):
    below = f"../../src/{name}/{name}.v" if flow == "orfs" else f"src/{name}.v"
    return (found.directory / below).resolve()


# ---- what the flows read ------------------------------------------------------------


def test_make_reads_config_mk(written, tmp_path):
    if shutil.which("make") is None:
        pytest.skip("make is not on the PATH")
    names = ("DESIGN_NAME", "PLATFORM", "VERILOG_FILES", "SDC_FILE", "ABC_CLOCK_PERIOD_IN_PS", "CORE_UTILIZATION")
    said = "|".join(f"$({name})" for name in names)
    designs = {key: found for key, found in written.items() if key[1] == "orfs"}
    lines = [f"include {found.directory}/config.mk\n$(info {said})" for found in designs.values()]
    (tmp_path / "Makefile").write_text("\n".join([*lines, "all: ;@:", ""]))
    said = subprocess.run(["make", "-s"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stderr == ""
    for (key, found), line in zip(designs.items(), said.stdout.splitlines(), strict=True):
        name, _, platform = key
        whole = str(math.ceil(found.period))
        sources = str(source_of(found, name, "orfs"))
        constraint = str((found.directory / "constraint.sdc").resolve())
        assert line.split("|") == [name, platform, sources, constraint, whole, "40"]
        assert found.command == f'make -C "$FLOW_HOME" DESIGN_CONFIG={found.directory.absolute()}/config.mk'


def test_librelane_reads_config_yaml(written):
    yaml = pytest.importorskip("yaml")
    for (name, flow, platform), found in written.items():
        if flow != "librelane":
            continue
        config = yaml.safe_load((found.directory / "config.yaml").read_text())
        assert config["DESIGN_NAME"] == name and config["VERILOG_FILES"] == ["dir::src/*.v"]
        assert [path.name for path in (found.directory / "src").glob("*.v")] == [f"{name}.v"]
        assert config["CLOCK_PORT"] == ("clk" if PARSED[name].clocked else None)
        assert config.get("RUN_CTS", True) is PARSED[name].clocked
        assert config["CLOCK_PERIOD"] == pytest.approx(found.period / 1000)
        assert config["PNR_SDC_FILE"] == config["SIGNOFF_SDC_FILE"] == "dir::constraint.sdc"
        assert config["FP_CORE_UTIL"] == 40
        assert found.command == f"librelane --pdk {platform} {found.directory}/config.yaml"


# ---- the constraints, as Tcl --------------------------------------------------------


def sdc_calls(path, environment=None, has_cell=True):
    """The SDC commands of a file with their arguments; objects are the names that they were asked for with."""
    tkinter = pytest.importorskip("tkinter", reason="this Python has no tkinter, so no Tcl")
    tcl = tkinter.Tcl()
    calls = []

    def record(name):
        tcl.createcommand(name, lambda *given: calls.append((name, *given)) or "")

    for name in ("create_clock", "set_input_delay", "set_output_delay", "set_load", "set_driving_cell"):
        record(name)
    for name in ("set_clock_uncertainty", "set_clock_transition", "set_max_delay"):
        record(name)
    tcl.createcommand("get_ports", lambda names: names)
    tcl.createcommand("get_clocks", lambda names: names)
    tcl.createcommand("get_lib_cells", lambda quiet, pattern: pattern if has_cell else "")
    for name, value in (environment or {}).items():
        tcl.setvar(f"env({name})", value)
    tcl.eval(path.read_text())
    return {call[0]: call[1:] for call in calls}


@pytest.mark.parametrize(("flow", "platform"), CASES)
@pytest.mark.parametrize("name", UNITS)
def test_the_constraints_are_of_the_unit_and_the_platform(written, name, flow, platform):
    found, unit = written[name, flow, platform], PARSED[name]
    pdk = {"CLOCK_PERIOD": f"{found.period / 1000:.4f}", "SYNTH_DRIVING_CELL": "inv_2/Y", "OUTPUT_CAP_LOAD": "33.4"}
    calls = sdc_calls(found.directory / "constraint.sdc", pdk if flow == "librelane" else None)
    unit_ps, unit_ff = (1000.0, 1000.0) if flow == "librelane" else (1000.0, 1.0 if platform == "nangate45" else 1000.0)
    cell, load = "inv_2", 33.4
    if platform == "asap7":
        unit_ps, unit_ff = 1.0, 1.0
    if flow == "orfs":
        cell, load = ORFS_PLATFORMS[platform].driving_cell, ORFS_PLATFORMS[platform].output_load
    clock = calls["create_clock"]
    assert float(clock[clock.index("-period") + 1]) == pytest.approx(found.period / unit_ps)
    assert (clock[-1] == "clk") is unit.clocked and ("set_max_delay" in calls) is not unit.clocked
    assert float(calls["set_load"][0]) == pytest.approx(load / unit_ff)
    assert calls["set_driving_cell"][:2] == ("-lib_cell", cell)
    inputs, outputs = calls["set_input_delay"][-1].split(), calls["set_output_delay"][-1].split()
    assert calls["set_driving_cell"][-1].split() == inputs and calls["set_load"][-1].split() == outputs
    named = {"input": inputs + (["clk"] if unit.clocked else []), "output": outputs}
    verilog = source_of(found, name, flow).read_text()
    for direction, ports in named.items():
        declared = re.findall(rf"^\s*{direction}\s+(?:wire\s+|reg\s+)?(\[\S+\]\s+)?(\w+)\s*,?\s*$", verilog, re.M)
        assert sorted(ports) == sorted(f"{port}[*]" if width else port for width, port in declared)


def test_a_library_without_the_cell_leaves_the_inputs_ideal(written):
    calls = sdc_calls(written["comb", "orfs", "gf180"].directory / "constraint.sdc", has_cell=False)
    assert "set_driving_cell" not in calls and "set_load" in calls


# ---- the sources --------------------------------------------------------------------


def test_yosys_reads_the_sources(written):
    files, script = {}, []
    for (name, flow, _), found in written.items():
        text = source_of(found, name, flow).read_text()
        assert text == files.setdefault(f"{name}.v", text) == PARSED[name].verilog()
    for name in UNITS:
        script += [f"read_verilog {name}.v", f"hierarchy -check -top {name}", "proc", "check -assert", "design -reset"]
    yosys.run_script(yosys.select(), script, files, [])


# ---- period, places, names ----------------------------------------------------------


def test_the_period_is_the_one_given_or_of_the_unit_or_estimated(tmp_path):
    unit = PARSED["pipelined"]
    estimated = unit.export(tmp_path / "a", "orfs")
    assert estimated.period == pytest.approx(1.5 * period_of(unit)[0], abs=0.1)
    assert estimated.source.startswith(period_of(unit)[1].rstrip("."))
    assert unit.export(tmp_path / "c", "orfs", platform="asap7").period == pytest.approx(
        0.4 * estimated.period, abs=0.1
    )
    assert f"# {estimated.source}" in (estimated.directory / "config.mk").read_text()
    assert "45 nm" in estimated.source and "fpgen export --period" in (estimated.directory / "README.md").read_text()
    own = fpgen.parse_unit("add e4m3fn e4m3fn -> e4m3fn period=900").export(tmp_path / "b", "librelane")
    assert own.period == 900 and "the unit's own" in (own.directory / "config.yaml").read_text()
    given = unit.export(tmp_path / "c", "orfs", platform="asap7", period=432.14)
    assert given.period == 432.1 and "as asked for" in (given.directory / "constraint.sdc").read_text()
    assert float(sdc_calls(given.directory / "constraint.sdc")["create_clock"][3]) == pytest.approx(432.1)


@pytest.mark.parametrize("period", [0, -1.0, 0.5, math.nan, math.inf, True, "fast"])
def test_a_period_that_is_none(tmp_path, period):
    with pytest.raises(UsageError, match=r"period: got .*; expected a number of ps from 1 on"):
        PARSED["comb"].export(tmp_path / "out", "orfs", period=period)
    assert not list(tmp_path.iterdir())


def test_unknown_flows_and_platforms(tmp_path):
    export = PARSED["comb"].export
    with pytest.raises(UsageError, match=r"flow: got orf \(did you mean orfs\?\); expected orfs, librelane"):
        export(tmp_path, "orf")
    with pytest.raises(UsageError, match=r"platform of orfs: got nangate \(did you mean nangate45\?\); expected nan"):
        export(tmp_path, "orfs", platform="nangate")
    with pytest.raises(UsageError, match=r"platform of librelane: got sky130hd \(did you mean sky130A\?\); expected"):
        export(tmp_path, "librelane", platform="sky130hd")
    with pytest.raises(UsageError, match="expected a path without blanks"):
        export(tmp_path / "my designs", "orfs")
    assert not list(tmp_path.iterdir())


def test_files_of_the_user_stay(tmp_path):
    unit, said = PARSED["comb"], []
    first = unit.export(tmp_path, "librelane", progress=said.append)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (first.directory / "runs").mkdir()
    (first.directory / "pins.cfg").write_text("mine\n")
    assert unit.export(tmp_path, "librelane", progress=said.append) == first and said == []
    assert all(path.read_bytes() == data for path, data in before.items())
    (first.directory / "config.yaml").write_text("mine\n")
    unit.export(tmp_path, "librelane", progress=said.append)
    assert len(said) == 1 and "kept as config.yaml.kept" in said[0]
    assert (first.directory / "config.yaml.kept").read_text() == (first.directory / "pins.cfg").read_text() == "mine\n"
    assert (first.directory / "runs").is_dir()
    assert set(json.loads((first.directory / ".fpgen-files.json").read_text())["files"]) == {
        "config.yaml",
        "constraint.sdc",
        "README.md",
    }


def test_a_file_in_the_place_of_a_directory(tmp_path):
    (tmp_path / "designs" / "src").mkdir(parents=True)
    (tmp_path / "designs" / "src" / "comb").write_text("mine\n")
    with pytest.raises(UsageError, match="a file of the unit's name; expected a directory"):
        PARSED["comb"].export(tmp_path, "orfs")
    assert not (tmp_path / "designs" / "nangate45").exists()


def test_the_command(tmp_path):
    call = CliRunner().invoke
    done = call(main, ["export", UNITS["comb"], "--flow", "orfs", "--platform", "asap7", "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    where = tmp_path / "designs" / "asap7" / "comb"
    first, command = done.stdout.splitlines()
    assert first.startswith(f"{where}: ") and command == f'make -C "$FLOW_HOME" DESIGN_CONFIG={where}/config.mk'
    readme = (where / "README.md").read_text()
    assert '    make -C "$FLOW_HOME" DESIGN_CONFIG="$PWD/config.mk"' in readme and str(tmp_path) not in readme
    wrong = call(main, ["export", UNITS["comb"], "--flow", "libre", "-o", str(tmp_path)])
    assert wrong.exit_code == 2 and "did you mean librelane?" in wrong.stderr
    none = call(main, ["export", UNITS["comb"], "--flow", "orfs", "--period", "0", "-o", str(tmp_path)])
    assert none.exit_code == 2 and "period: got 0.0; expected a number of ps from 1 on" in none.stderr
