"""What a machine does to a sweep: a file system that refuses, two runs at once, a run killed again and again."""

import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from ppa_helpers import fresh_cache
from sweep_cases import Bench, small

from fpgen.base.errors import RunFailure, UsageError
from fpgen.command import cli
from fpgen.sweep import local, spec, store
from fpgen.sweep import sweep_run as runner
from fpgen.sweep.cases import cases
from fpgen.sweep.measure import Done, failed, measure

resource = pytest.importorskip("resource")
__all__ = ["fresh_cache"]

MORE = {"format": ["e2m1", "e3m2", "e2m3", "e4m3"], "n": [0, 1]}


@pytest.fixture
def bench(fresh_cache, monkeypatch):
    made = Bench()
    monkeypatch.setattr(local, "each", made)
    return made


# ---- files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"x = " + b"[" * 5000 + b"]" * 5000,
        b"x = " + b"{a=" * 5000 + b"1" + b"}" * 5000,
        b"x = " + b"9" * 5000,
        b"\xef\xbb\xbfunit = 3",
        b"\xff\xfeu\0",
        b"\0",
    ],
    ids=["lists", "tables", "digits", "BOM", "UTF-16", "NUL"],
)
def test_files_that_break_readers(tmp_path, content):
    (tmp_path / "odd.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"odd\.toml"):
        spec.load(tmp_path / "odd.toml")


def test_windows_line_ends(tmp_path):
    (tmp_path / "some.toml").write_bytes(b'unit = "add {f} {f} -> {f} rne"\r\n[parameters]\r\nf = ["e2m1"]\r\n')
    assert [case.text for case in cases(spec.load(tmp_path / "some.toml"))] == ["add e2m1 e2m1 -> e2m1 rne"]


def test_a_directory_for_a_file(tmp_path):
    with pytest.raises(RunFailure, match="directory"):
        spec.load(tmp_path)


def test_a_billion_points_are_refused_at_once():
    many = {"from": 1, "to": 1000}
    sweep = small(unit="add e{a}m{b} e{a}m{b} -> e{c}m2 rne", parameters=dict.fromkeys("abc", many))
    with pytest.raises(UsageError, match="1,000,000,000 combinations"):
        cases(sweep)


def test_an_output_that_cannot_be_written_is_told_before_anything_runs(bench, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file is a file; expected a directory"):
        runner.run_sweep(small(), output=tmp_path / "file" / "out")
    assert not bench.asked


def test_a_write_that_the_system_cuts_short_leaves_the_store(bench, tmp_path):
    """The kernel refuses the last bytes, as it does on a full disk or over quota."""
    out = tmp_path / "out"
    runner.run_sweep(small(), output=out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before["small.csv"]), hard))
    try:
        with pytest.raises(RunFailure, match=r"cannot write .*small\.csv: File too large"):
            runner.run_sweep(small(parameters=MORE), output=out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    asked = len(bench.asked)
    assert len(runner.run_sweep(small(parameters=MORE), output=out).records) == 8 and len(bench.asked) == asked


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 64 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True).returncode
    ):
        pytest.skip("no right to mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=False)


def test_a_disk_that_is_really_full(bench, tmp_path, tiny_disk):
    runner.run_sweep(small(), output=tiny_disk / "out")
    before = {path.name: path.read_bytes() for path in (tiny_disk / "out").iterdir()}
    with (tiny_disk / "filling").open("wb") as file, pytest.raises(OSError):
        file.write(bytes(1 << 17))
    with pytest.raises(RunFailure, match="No space left on device"):
        runner.run_sweep(small(parameters=MORE), output=tiny_disk / "out")
    assert {path.name: path.read_bytes() for path in (tiny_disk / "out").iterdir()} == before
    (tiny_disk / "filling").unlink()
    assert len(runner.run_sweep(small(parameters=MORE), output=tiny_disk / "out").records) == 8
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    with pytest.raises(RunFailure, match="Read-only file system"):
        runner.run_sweep(small(parameters=MORE), output=tiny_disk / "out")


# ---- two at once --------------------------------------------------------------------


def write_again_and_again(path, number):
    for turn in range(40):
        record = {"unit": f"add {number}", "status": "ok", "area_um2": float(turn), "reason": "x" * 5000}
        store.write(path, [record] * 9)


def test_a_reader_never_sees_half_a_store(tmp_path):
    """Two sweeps of the same name at once: each file is that of one of them, whole."""
    path = tmp_path / "some"
    store.write(path, [{"unit": "add 0", "status": "ok"}] * 9)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_again_and_again, args=(path, number)) for number in range(2)]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers) or not reads:
        for suffix in (".csv", ".parquet"):
            if path.with_suffix(suffix).exists():
                found = store.read(path.with_suffix(suffix))
                assert len(found) == 9 and len({record["unit"] for record in found}) == 1
                reads += 1
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert not [item for item in tmp_path.iterdir() if item.suffix not in store.SUFFIXES]


# ---- killed -------------------------------------------------------------------------

_KILLED = """
import json, os, sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from sweep_cases import figures, small
from fpgen.sweep import local, sweep_run
from fpgen.sweep.measure import Done

def each(todo, processes):
    for job in todo:
        with open("asked.txt", "a") as file:
            file.write(job.key + "\\n")
        time.sleep(0.01)
        yield Done(job.key, [figures(job)], True)

local.each = each
sweep_run._CHECKPOINT_SECONDS = 0.02
axes = {{"format": ["e2m1", "e3m2", "e2m3", "e4m3"], "n": {{"from": 0, "to": 9}}}}
sweep_run.run_sweep(small(parameters=axes), output=Path("."))
print("done")
"""


def test_killed_again_and_again_nothing_kept_is_measured_twice(fresh_cache, tmp_path):
    """kill -9 at moments of every kind, the writing of cache and store among them."""
    command = [sys.executable, "-c", _KILLED.format(tests=str(Path(__file__).parent))]
    asked, kept = tmp_path / "asked.txt", fresh_cache / "sweeps"
    after_kill: list[tuple[set[str], int]] = []
    for turn in range(3):
        have = len(list(kept.glob("*.json")))
        process = subprocess.Popen(command, cwd=tmp_path)
        while len(list(kept.glob("*.json"))) < have + 6 and process.poll() is None:
            time.sleep(0.001 * (turn + 1))
        process.kill()
        process.wait()
        for path in tmp_path.glob("small.*"):
            assert all(record["status"] == "ok" for record in store.read(path))
        known = {path.stem for path in kept.glob("[!.]*.json")}
        assert all(json.loads((kept / f"{key}.json").read_text()) for key in known)
        after_kill.append((known, len(asked.read_text().split())))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "done" in done.stdout, done.stderr
    order = asked.read_text().split()
    for known, count in after_kill:
        assert len(known) >= 6 and not known & set(order[count:])
    assert len(store.read(tmp_path / "small.csv")) == len(set(order)) == 40


# ---- the whole story of a point without figures -------------------------------------


def test_records_without_figures_say_how_they_were_measured(bench, tmp_path, monkeypatch):
    def each(todo, processes):
        for job in todo:
            yield Done(job.key, [failed("its process was killed twice")], False)

    monkeypatch.setattr(local, "each", each)
    sweep = small(
        parameters={"format": ["e2m1", "fp17"], "n": [0, 1]},
        measure={"technology": ["fpgen45", "ecp5"], "recipe": "area"},
    )
    runner.run_sweep(sweep, output=tmp_path)
    for path in (tmp_path / "small.csv", tmp_path / "small.parquet"):
        if not path.exists():
            continue
        records = store.read(path)
        assert {record["status"] for record in records} == {"failed", "rejected"}
        for record in records:
            assert record["unit"] and record["reason"] and json.loads(record["versions"])["fpgen"]
            assert record["technology"] == record["param_technology"]
            assert record["recipe"] == ("nextpnr" if record["technology"] == "ecp5" else "area")
            assert bool(record["key"]) == bool(record["unit_hash"]) == (record["status"] == "failed")
            if record["technology"] == "fpgen45":
                assert record["library_hash"] and json.loads(record["assumptions"])["corner"]


def test_every_measured_record_has_its_whole_story(fresh_cache, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "each", lambda todo, processes: map(measure, todo))  # in this process: sooner
    sweep = small(parameters={"format": ["e2m1"], "n": [1]}, measure={"targets": [1], "recipe": "direct"})
    runner.run_sweep(sweep, output=tmp_path, jobs=1)
    for record in store.read(tmp_path / "small.csv"):
        assert record["status"] == "ok"
        for name in (
            "unit",
            "name",
            "operation",
            "contract",
            "technology",
            "recipe",
            "unit_hash",
            "library_hash",
            "netlist_hash",
            "key",
        ):
            assert record[name], name
        assert {"fpgen", "yosys"} <= set(json.loads(record["versions"]))
        assert {"corner", "driving_cell", "output_load_ff", "wire_load"} <= set(json.loads(record["assumptions"]))


def test_the_command_on_a_place_that_cannot_be_written(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep_out").touch()
    (tmp_path / "some.toml").write_text('unit = "add {f} {f} -> {f} rne"\n[parameters]\nf = ["e2m1"]\n')
    ran = CliRunner().invoke(cli.main, ["sweep", "some.toml"])
    assert ran.exit_code in (1, 2) and "sweep_out" in ran.stderr and not bench.asked
