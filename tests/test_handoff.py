"""What a bundle does with files that are there: nothing of the user's is lost, no evidence outlives its Verilog."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fpgen import RunFailure, UsageError, parse_unit
from fpgen.base import ownership
from fpgen.base.ownership import set_aside, withdraw, written
from fpgen.base.provenance import sha256_of
from fpgen.command import cli
from fpgen.handoff.bundle import write_bundle

UNIT = parse_unit("add e2m1 e2m1 -> e2m1")
EVIDENCE = {"passed": True, "vectors": 256, "method": "exhaustive"}
POINT = {
    "recipe": "r",
    "area_um2": 12.0,
    "nand2_eq": 15.0,
    "delay_ps": 99.0,
    "cells": 9,
    "registers": 0,
    "logic_depth": 4,
    "technology": "fpgen45",
    "assumptions": {},
    "failure": None,
}


def whole(where, unit=UNIT, **options):
    """A bundle as `fpgen run` writes it."""
    extra = {f"{unit.name}.mapped.v": "module m; endmodule\n", f"{unit.name}.cells.v": "// cells\n"}
    return write_bundle(
        unit,
        where,
        evidence=EVIDENCE,
        points=[POINT],
        extra=extra,
        note="mine",
        record={"key": "k", "outcome": {"name": unit.name}},
        **options,
    )


def contents(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()
    }


def silent(line):
    raise AssertionError(f"nothing to tell, and yet: {line}")


# ---- what stays ---------------------------------------------------------------------


def test_generate_after_run_loses_nothing(tmp_path):
    where = whole(tmp_path)
    (where / "tb.v").write_text("my own\n")
    before = contents(where)
    assert write_bundle(UNIT, tmp_path, progress=silent) == where
    assert contents(where) == before


def test_the_command_loses_nothing(tmp_path):
    """As a user does it: run, a testbench of one's own, generate, run again."""
    (tmp_path / "my.toml").write_text(f'[[unit]]\nunit = "{UNIT.text}"\n')
    call = CliRunner().invoke
    first = call(cli.main, ["run", str(tmp_path / "my.toml"), "-o", str(tmp_path / "out")])
    assert first.exit_code == 0, first.output
    where = tmp_path / "out" / UNIT.name
    (where / "tb.v").write_text("my own\n")
    before = contents(where)
    assert {"evidence.json", "ppa.json", "manifest.json", f"{UNIT.name}.mapped.v"} <= set(before)
    done = call(cli.main, ["generate", UNIT.text, "-o", str(tmp_path / "out")])
    assert (done.exit_code, done.stderr) == (0, "")
    assert contents(where) == before
    again = json.loads(call(cli.main, ["run", str(tmp_path / "my.toml"), "-o", str(tmp_path / "out"), "--json"]).stdout)
    assert again[0]["reused"] and again[0]["notes"] == []


def test_the_same_bytes_of_generate(tmp_path):
    for name in "ab":
        assert CliRunner().invoke(cli.main, ["generate", UNIT.text, "-o", str(tmp_path / name)]).exit_code == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_hashes_and_versions_are_in_the_evidence(tmp_path):
    from fpgen import __version__

    where = whole(tmp_path)
    digest = hashlib.sha256((where / f"{UNIT.name}.v").read_bytes()).hexdigest()
    build = json.loads((where / "manifest.json").read_text())
    for record in (
        json.loads((where / "evidence.json").read_text()),
        json.loads((where / "ppa.json").read_text())[0],
        build,
    ):
        assert (record["verilog_sha256"], record["fpgen"]) == (digest, __version__)
    assert build["files"] == {
        path.name: ownership.digest_of(path) for path in where.iterdir() if path.name != "manifest.json"
    }


# ---- evidence of other Verilog ------------------------------------------------------


def test_evidence_of_other_verilog_is_moved(tmp_path):
    where = whole(tmp_path, verilog="// another text\n")
    old = contents(where)
    (where / "tb.v").write_text("my own\n")
    told = []
    write_bundle(UNIT, tmp_path, progress=told.append)
    assert len(told) == 1 and "evidence of other Verilog" in told[0] and "\n" not in told[0]
    stale = where / "stale" / sha256_of("// another text\n")[:16]
    assert set(contents(stale)) == {
        "evidence.json",
        "ppa.json",
        "manifest.json",
        f"{UNIT.name}.v",
        f"{UNIT.name}.mapped.v",
        f"{UNIT.name}.cells.v",
    }
    assert all(old[name] == data for name, data in contents(stale).items())
    assert not (where / "evidence.json").exists() and not (where / f"{UNIT.name}.mapped.v").exists()
    assert (where / f"{UNIT.name}.v").read_text() == UNIT.verilog()
    assert "Not verified" in (where / "datasheet.md").read_text()
    assert "key" not in json.loads((where / "manifest.json").read_text())
    assert (where / "tb.v").read_text() == "my own\n"
    whole(tmp_path, verilog="// another text\n", progress=told.append)
    write_bundle(UNIT, tmp_path, progress=told.append)
    assert (where / "stale" / f"{stale.name}-2" / "ppa.json").exists(), "an earlier stale/ is not overwritten"


def test_evidence_that_was_edited_counts_for_nothing(tmp_path):
    where = whole(tmp_path)
    (where / "evidence.json").write_text('{"passed": true, "vectors": 1000000000, "method": "exhaustive"}')
    told = []
    write_bundle(UNIT, tmp_path, progress=told.append)
    assert told == [f"{where / 'evidence.json'}: not as fpgen wrote it; kept as evidence.json.kept"]
    assert "Not verified" in (where / "datasheet.md").read_text()
    assert "key" not in json.loads((where / "manifest.json").read_text())
    assert (where / "ppa.json").exists()


# ---- what the user made of files ----------------------------------------------------


def test_an_edited_file_is_kept_under_another_name(tmp_path):
    where = write_bundle(UNIT, tmp_path)
    file = where / f"{UNIT.name}.v"
    for number, text in enumerate(("// mine\n", "// mine again\n"), 1):
        file.write_text(text)
        told = []
        write_bundle(UNIT, tmp_path, progress=told.append)
        kept = file.with_name(f"{file.name}.kept{number if number > 1 else ''}")
        assert told == [f"{file}: not as fpgen wrote it; kept as {kept.name}"]
        assert (file.read_text(), kept.read_text()) == (UNIT.verilog(), text)


def test_files_without_a_record_are_the_user_s(tmp_path):
    where = tmp_path / UNIT.name
    where.mkdir()
    (where / "datasheet.md").write_text("about my project\n")
    (where / "manifest.json").write_text("[]")
    with pytest.warns(UserWarning, match="not as fpgen wrote it"):
        write_bundle(UNIT, tmp_path)
    assert (where / "datasheet.md.kept").read_text() == "about my project\n"
    assert (where / "manifest.json.kept").read_text() == "[]"


def test_links_and_directories_in_the_way(tmp_path):
    where = write_bundle(UNIT, tmp_path)
    mine = tmp_path / "mine.v"
    mine.write_text("// linked\n")
    file = where / f"{UNIT.name}.v"
    file.unlink()
    file.symlink_to(mine)
    (where / "unit.toml").unlink()
    (where / "unit.toml").mkdir()
    told = []
    write_bundle(UNIT, tmp_path, progress=told.append)
    assert len(told) == 2
    assert mine.read_text() == "// linked\n"
    assert not file.is_symlink() and file.read_text() == UNIT.verilog()
    assert os.readlink(f"{file}.kept") == str(mine) and (where / "unit.toml.kept").is_dir()


def test_a_directory_that_is_a_link_stays_one(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / UNIT.name).symlink_to(tmp_path / "elsewhere")
    write_bundle(UNIT, tmp_path)
    assert (tmp_path / UNIT.name).is_symlink()
    assert (tmp_path / "elsewhere" / f"{UNIT.name}.v").read_text() == UNIT.verilog()


@pytest.mark.parametrize("broken", [False, True], ids=["a file", "a broken link"])
def test_something_in_the_way_of_the_directory(tmp_path, monkeypatch, broken):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(f'[[unit]]\nunit = "{UNIT.text}"\n')
    way = tmp_path / UNIT.name
    way.symlink_to(tmp_path / "nowhere") if broken else way.write_text("mine\n")
    for command in (["generate", UNIT.text, "-o", str(tmp_path)], ["run", "my.toml", "-o", str(tmp_path)]):
        result = CliRunner().invoke(cli.main, command)
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1 and "of the unit's name; expected a directory" in result.stderr
    assert os.path.lexists(way) and (broken or way.read_text() == "mine\n")


# ---- crashes ------------------------------------------------------------------------


@pytest.mark.parametrize("last", range(6))
def test_a_crash_at_any_file_leaves_nothing_of_unknown_origin(tmp_path, monkeypatch, last):
    """Stopped after any number of renames, what is there is known to be fpgen's, and the next run puts it right."""
    where = whole(tmp_path, verilog="// another text\n")
    (where / "tb.v").write_text("my own\n")
    calls = 0
    real = os.replace

    def counted(source, target):
        nonlocal calls
        calls += 1
        if calls > last:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", counted)
    with pytest.raises(RunFailure, match="No space left"):
        write_bundle(UNIT, tmp_path, evidence={**EVIDENCE, "vectors": 3}, points=[POINT], progress=lambda line: None)
    monkeypatch.undo()
    verilog = (where / f"{UNIT.name}.v").read_text() if (where / f"{UNIT.name}.v").exists() else None
    if (where / "evidence.json").exists():
        assert json.loads((where / "evidence.json").read_text())["verilog_sha256"] == sha256_of(verilog)
    told = []
    write_bundle(UNIT, tmp_path, progress=told.append)
    assert not [line for line in told if "kept as" in line], told
    assert (where / f"{UNIT.name}.v").read_text() == UNIT.verilog()
    assert (where / "tb.v").read_text() == "my own\n"
    assert [path.name for path in tmp_path.iterdir()] == [where.name], "nothing half-written beside it"
    assert ownership.intact(where, json.loads((where / "manifest.json").read_text())["files"])


# ---- taking a bundle away -----------------------------------------------------------


def test_withdrawing_leaves_the_user_s_files(tmp_path):
    where = whole(tmp_path)
    (where / "tb.v").write_text("my own\n")
    (where / "README.md").write_text("edited\n")
    withdraw(where)
    assert set(contents(where)) == {"tb.v", "README.md"}
    other = whole(tmp_path / "other")
    withdraw(other)
    assert not other.exists()


@pytest.mark.parametrize("text", ["", '{"files": 3}', '{"files": {"../tb.v": "00"}}', '{"files": {"a": {}}}', "{"])
def test_a_damaged_record_owns_nothing(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    (tmp_path / "a").touch()
    assert not written(tmp_path).files
    withdraw(tmp_path)
    assert (tmp_path / "a").exists()


def test_names_that_are_free(tmp_path):
    for _ in range(3):
        (tmp_path / "x").touch()
        set_aside(tmp_path / "x", lambda line: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.kept", "x.kept2", "x.kept3"]


def test_an_impossible_output_is_found_before_the_proof(tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "_prove", lambda unit: pytest.fail("the proof ran"))
    (tmp_path / "file").touch()
    result = CliRunner().invoke(cli.main, ["generate", UNIT.text, "--prove", "-o", str(tmp_path / "file" / "out")])
    assert result.exit_code == 2 and "is a file; expected a directory" in result.stderr
    with pytest.raises(UsageError):
        write_bundle(UNIT, tmp_path / "file" / "out")


# ---- make clean ----------------------------------------------------------------------


def test_clean_removes_what_fpgen_wrote_and_nothing_else(tmp_path):
    out = tmp_path / "rtl_out"
    whole(out)
    other = parse_unit("add e2m1 e3m2 -> e2m1")
    where = whole(out, other, verilog="// another text\n")
    write_bundle(other, out, progress=lambda line: None)  # leaves stale/
    (where / "tb.v").write_text("my own\n")
    (where / "unit.toml").write_text("# edited\n")
    (out / "notes").mkdir()
    (out / "notes" / "x.txt").write_text("mine\n")
    (out / "README.md").write_text("of the repository\n")
    (out / "released").mkdir()
    (out / "released" / "x.v").touch()
    script = Path(__file__).resolve().parents[1] / "scripts" / "clean.py"
    done = subprocess.run(
        [sys.executable, script, out, tmp_path / "nowhere"], capture_output=True, text=True, check=True
    )
    assert set(contents(out)) == {
        "README.md",
        "released/x.v",
        "notes/x.txt",
        f"{other.name}/tb.v",
        f"{other.name}/unit.toml",
    }
    assert done.stdout.count("kept: ") == 3 and "tb.v" in done.stdout
