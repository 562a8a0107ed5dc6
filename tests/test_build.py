"""The main job: bundles, their atomic replacement, what is done again and what is not, and failures."""

import errno
import json
import shlex
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from fpgen import RunFailure, UsageError, parse_unit, unit_from_dict
from fpgen.base.fingerprint import file_digests
from fpgen.command import cli
from fpgen.handoff import build as job
from fpgen.handoff.bundle import replaced, write_bundle
from fpgen.handoff.datasheet import datasheet_files
from fpgen.handoff.designs import Design, load

TINY = "add e2m1 e2m1 -> e2m1"


def plan(directory: Path, *units: str):
    path = directory / "my.toml"
    path.write_text(f'output = "{directory}/out"\n' + "".join(f'[[unit]]\nunit = "{unit}"\n' for unit in units))
    return load(path)


@dataclass
class Verdict:
    """A stand-in for what `verify` returns."""

    passed: bool
    vectors: int = 256
    method: str = "exhaustive"
    summary: str = "result 3 instead of 2 at a=1 b=1"

    def to_dict(self):
        return {"passed": self.passed, "vectors": self.vectors, "method": self.method}


# ---- bundles ------------------------------------------------------------------------


def test_a_bundle_holds_what_was_promised(tmp_path):
    unit = parse_unit("fma e2m1 e2m1 e3m2 -> e3m2 rne stages=1 flags=on")
    where = write_bundle(unit, tmp_path / "out", note="a line of the user's own")
    assert {path.name for path in where.iterdir()} == {
        f"{unit.name}.v",
        f"{unit.name}_model.h",
        f"{unit.name}_dpi.cpp",
        f"{unit.name}_systemc.cpp",
        f"{unit.name}.f",
        f"{unit.name}_tb.v",
        f"{unit.name}_tb.f",
        f"{unit.name}_sva.sv",
        "vectors.hex",
        f"{unit.name}.sdc",
        f"{unit.name}.core",
        "datasheet.md",
        "datasheet.html",
        f"{unit.name}.ipxact-2014.xml",
        f"{unit.name}.ipxact-2022.xml",
        f"test_{unit.name}.py",
        "unit.toml",
        "manifest.json",
    }
    assert unit_from_dict(tomllib.loads((where / "unit.toml").read_text())) == unit
    assert (where / f"{unit.name}.v").read_text() == unit.verilog()
    sheet = (where / "datasheet.md").read_text()
    assert unit.contract in sheet and "a line of the user's own" in sheet and "Not verified" in sheet
    for port in unit.ports:
        assert f"| `{port.name}` | {'in' if port.is_input else 'out'} | {port.width} |" in sheet


def test_the_same_bytes_every_time(tmp_path):
    unit = parse_unit("convert fp16 -> e4m3fn rne saturate")
    first, second = (file_digests(write_bundle(unit, tmp_path / name)) for name in "ab")
    assert first == second


def test_the_datasheet_says_what_was_checked_and_what_it_costs():
    evidence = {"passed": True, "vectors": 65536, "method": "exhaustive"}
    point = {
        "recipe": "r",
        "area_um2": 12.0,
        "nand2_eq": 15.0,
        "delay_ps": 99.0,
        "cells": 9,
        "registers": 0,
        "logic_depth": 4,
        "technology": "fpgen45",
        "assumptions": {"wire_load": "none"},
        "failure": None,
    }
    sheet = datasheet_files(parse_unit(TINY), evidence=evidence, points=[point])["datasheet.md"]
    for part in ("65,536 vectors (every code of every input)", "| r | 12 | 15 | 99 |", "wire load none"):
        assert part in sheet


@pytest.mark.parametrize(
    "trouble", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["full disk", "interrupted"]
)
def test_nothing_half_written_stays(tmp_path, trouble):
    target = tmp_path / "unit"
    target.mkdir()
    (target / "good").touch()
    with pytest.raises((RunFailure, KeyboardInterrupt)), replaced(target) as aside:
        (aside / "half").touch()
        raise trouble
    assert [path.name for path in tmp_path.iterdir()] == ["unit"]
    assert [path.name for path in target.iterdir()] == ["good"]


def test_an_output_that_is_a_file(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(UsageError, match="out is a file; expected a directory"):
        write_bundle(parse_unit(TINY), tmp_path / "out")


# ---- one unit -----------------------------------------------------------------------


def one(tmp_path, monkeypatch, verdict) -> job.Outcome:
    from fpgen.units.base import Unit

    monkeypatch.setattr(Unit, "verify", lambda unit, **options: verdict)
    return job._unit(job.BuildJob(Design(parse_unit(TINY)), tmp_path, 1, None, "key"))


def test_a_unit_that_does_not_verify_is_not_left_as_good(tmp_path, monkeypatch):
    unit = parse_unit(TINY)
    write_bundle(unit, tmp_path)
    outcome = one(tmp_path, monkeypatch, Verdict(False))
    assert not outcome.passed
    assert outcome.reason == "result 3 instead of 2 at a=1 b=1"
    assert sorted(path.name for path in tmp_path.iterdir()) == [unit.name, f"{unit.name}.failed"]
    assert [path.name for path in (tmp_path / unit.name).iterdir()] == ["stale"]
    assert outcome.notes and "this run failed" in outcome.notes[0]
    assert not json.loads((tmp_path / f"{unit.name}.failed" / "evidence.json").read_text())["passed"]
    assert "FAILED" in (tmp_path / f"{unit.name}.failed" / "datasheet.md").read_text()


def test_a_unit_that_verifies_is_written_and_remembered(tmp_path, monkeypatch):
    (tmp_path / f"{parse_unit(TINY).name}.failed").mkdir()
    outcome = one(tmp_path, monkeypatch, Verdict(True))
    assert outcome.passed, outcome.reason
    assert (outcome.vectors, outcome.method) == (256, "exhaustive")
    assert outcome.area_um2 > 0 and outcome.nand2_eq > 0 and outcome.delay_ps > 0
    assert [path.name for path in tmp_path.iterdir()] == [outcome.name]
    files = {path.name for path in (tmp_path / outcome.name).iterdir()}
    assert files >= {"ppa.json", "evidence.json", f"{outcome.name}.mapped.v", f"{outcome.name}.cells.v", job.RECORD}
    again = job._earlier(job.BuildJob(Design(parse_unit(TINY)), tmp_path, 1, None, "key"))
    assert again is not None and again.reused and again.area_um2 == outcome.area_um2
    assert job._earlier(job.BuildJob(Design(parse_unit(TINY)), tmp_path, 1, None, "another key")) is None
    (tmp_path / outcome.name / f"{outcome.name}.v").write_text("// touched\n")
    assert job._earlier(job.BuildJob(Design(parse_unit(TINY)), tmp_path, 1, None, "key")) is None


# ---- the whole job ------------------------------------------------------------------


def test_the_whole_job(tmp_path):
    """Two units that pass and one that cannot be: the others go on, and a second run does nothing."""
    todo = plan(
        tmp_path, TINY, "multiply e2m1 e2m1 -> e3m2 rne stages=1 handshake=valid", "add e2m1 e2m1 -> e2m1 stages=60"
    )
    steps: list[job.BuildStep] = []
    first, second, third = job.build(todo, progress=steps.append)
    assert first.passed and second.passed, (first.reason, second.reason)
    assert (first.method, first.vectors) == ("exhaustive", 256)
    assert not third.passed and "60" in third.reason
    assert {step.what for step in steps} >= {"simulating", "synthesising", "done", "FAILED"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([first.name, second.name])
    again = job.build(todo)
    assert [outcome.reused for outcome in again] == [True, True, False]
    assert [outcome.directory for outcome in again[:2]] == [first.directory, second.directory]


def test_the_command_ends_with_one_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(f'[[unit]]\nunit = "{TINY}"\n')
    result = CliRunner().invoke(cli.main, ["run", "my.toml"])
    assert result.exit_code == 0, result.output
    assert "exhaustive" in result.stdout and "rtl_out/add_e2m1_e2m1_to_e2m1_rne" in result.stdout
    assert "simulating" in result.stderr
    found = json.loads(CliRunner().invoke(cli.main, ["run", "my.toml", "--json"]).stdout)
    assert found[0]["passed"] and found[0]["reused"]
    # `fpgen bundle` makes the same of one unit, and the manifest has that command.
    command = json.loads((tmp_path / found[0]["directory"] / "manifest.json").read_text())["command"]
    assert shlex.split(command)[:2] == ["fpgen", "bundle"]
    again = json.loads(CliRunner().invoke(cli.main, [*shlex.split(command)[1:], "--json"]).stdout)
    assert again[0]["reused"] and again[0]["directory"] == found[0]["directory"]
    other = CliRunner().invoke(cli.main, ["bundle", TINY, "--tech", "fpgen54"])
    assert other.exit_code == 2 and "technology: got 'fpgen54' (did you mean fpgen45?)" in other.stderr
    (tmp_path / "my.toml").write_text(f'[[unit]]\nunit = "{TINY} stages=60"\n')
    result = CliRunner().invoke(cli.main, ["run", "my.toml"])
    assert result.exit_code == 1
    assert "FAILED add e2m1 e2m1 -> e2m1 rne stages=60: " in result.stdout


def test_a_killed_run_leaves_nothing_half_written(tmp_path):
    (tmp_path / "my.toml").write_text('[[unit]]\nunit = "multiply fp16 fp16 -> fp16"\n')
    run = subprocess.Popen(
        [sys.executable, "-m", "fpgen", "run", "my.toml", "--force"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    told = run.stderr.readline()
    run.send_signal(signal.SIGTERM)
    _, rest = run.communicate(timeout=60)
    assert "writing Verilog" in told
    assert run.returncode == 130
    assert rest.strip().endswith("fpgen: interrupted; nothing half-written was kept") and "Traceback" not in rest
    assert not any((tmp_path / "rtl_out").glob("*"))
