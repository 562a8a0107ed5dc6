"""Running a sweep: resumed, interrupted, with failing points, killed workers and full disks; and the command."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from ppa_helpers import fresh_cache
from sweep_cases import Bench, small

from fpgen.base import cache
from fpgen.base.errors import RunFailure, UsageError
from fpgen.command import cli
from fpgen.sweep import local, store
from fpgen.sweep import sweep_run as runner
from fpgen.sweep.cases import cases
from fpgen.sweep.job import job_of
from fpgen.sweep.measure import Done, measure

__all__ = ["fresh_cache"]


@pytest.fixture
def bench(fresh_cache, monkeypatch):
    made = Bench()
    monkeypatch.setattr(local, "each", made)
    return made


def units(records):
    return [record["unit"] for record in records]


def test_every_point_is_measured_once_and_kept(bench, tmp_path):
    steps = []
    first = runner.run_sweep(small(), output=tmp_path, progress=steps.append)
    assert len(bench.asked) == first.points == len(first.records) == 6
    assert (steps[0].done, steps[-1].done, steps[-1].measured) == (0, 6, 6)
    again = runner.run_sweep(small(), output=tmp_path)
    assert len(bench.asked) == 6 and again.reused == 6
    assert store.read(tmp_path / "small.csv") == store.read(tmp_path / "small.csv")
    assert units(store.read(tmp_path / "small")) == units(first.records)
    more = small(parameters={"format": ["e2m1", "e3m2", "e2m3", "e4m3"], "n": [0, 1]})
    assert runner.run_sweep(more, output=tmp_path).points == 8 and len(bench.asked) == 8
    runner.run_sweep(small(), output=tmp_path, force=True)
    assert len(bench.asked) == 14


def test_an_interrupted_sweep_goes_on_where_it_stopped(bench, tmp_path):
    bench.stop_after = 4
    with pytest.raises(KeyboardInterrupt):
        runner.run_sweep(small(), output=tmp_path)
    assert units(store.read(tmp_path / "small")) == [case.unit.text for case in cases(small())][:4]
    bench.stop_after = None
    result = runner.run_sweep(small(), output=tmp_path)
    assert result.reused == 4 and len(bench.asked) == len(set(bench.asked)) == 6
    assert len(store.read(tmp_path / "small")) == 6


def test_failures_are_records(bench, tmp_path):
    bench.fail = {"e3m2": "Yosys does not like it\nat all"}
    sweep = small(parameters={"format": ["e2m1", "e3m2", "fp17"], "n": [0, 1]})
    result = runner.run_sweep(sweep, output=tmp_path)
    told = {(record["unit"], record["status"]): record["reason"] for record in store.read(tmp_path / "small")}
    assert len(told) == 6 and len(result.failures) == 4
    assert told["add e3m2 e3m2 -> e3m2 rne", "failed"] == "Yosys does not like it\nat all"
    assert "fp17" in told["add fp17 fp17 -> fp17 rne stages=0", "rejected"]


def test_one_unit_under_two_parameters_is_measured_once(bench, tmp_path):
    sweep = small(unit="add {a} e2m1 -> {b}", parameters={"a": ["e2m1", "e2m1:inf=none,nan=none"], "b": ["e2m1"]})
    assert runner.run_sweep(sweep, output=tmp_path).points == 2
    assert len(bench.asked) == len(set(bench.asked))


def full_disk(monkeypatch, part):
    real = cache.os.replace

    def replace(source, target):
        if part in str(target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    monkeypatch.setattr(cache.os, "replace", replace)


@pytest.mark.parametrize("part", ["sweeps", "small.csv", "small.parquet"])
def test_a_full_disk_leaves_the_store_as_it_was(bench, tmp_path, monkeypatch, part):
    runner.run_sweep(small(), output=tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    more = small(parameters={"format": ["e2m1", "e3m2", "e2m3", "e4m3"], "n": [0, 1]})
    with monkeypatch.context() as patch:
        full_disk(patch, part)
        with pytest.raises(RunFailure, match="No space left"):
            runner.run_sweep(more, output=tmp_path / "out")
    after = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert set(after) == set(before)
    assert all(len(store.read(tmp_path / "out" / name)) in (6, 8) for name in after)
    if part != "small.parquet":
        assert after == before
    assert len(runner.run_sweep(more, output=tmp_path / "out").records) == 8


def test_a_full_disk_of_a_worker_stops_the_sweep(bench, tmp_path, monkeypatch):
    def each(todo, processes):
        yield from Bench()(todo[:2], processes)
        yield Done(todo[2].key, [{"status": "failed", "reason": "cannot write x: No space left on device"}], False)
        raise AssertionError("the sweep went on")

    monkeypatch.setattr(local, "each", each)
    monkeypatch.setattr(runner, "_disk_is_full", lambda: True)
    with pytest.raises(RunFailure, match=r"the disk is full.*resumes where"):
        runner.run_sweep(small(), output=tmp_path)
    assert len(store.read(tmp_path / "small")) == 2


def test_a_worker_with_another_fpgen_is_told(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "each", lambda todo, processes: iter([Done(todo[0].key, [], False, stale=True)]))
    with pytest.raises(RunFailure, match="another fpgen"):
        runner.run_sweep(small(), output=tmp_path)


def test_a_damaged_cache_entry_is_measured_again(bench, tmp_path, fresh_cache):
    runner.run_sweep(small(), output=tmp_path)
    for path, text in zip(sorted((fresh_cache / "sweeps").iterdir()), ["", "{", "[]", "[{}]"], strict=False):
        path.write_text(text)
    assert runner.run_sweep(small(), output=tmp_path).reused == 2


# ---- the real thing, on tiny units --------------------------------------------------


def test_a_measured_point_carries_its_whole_story(fresh_cache):
    sweep = small(measure={"targets": [1, 5000], "breakdown": True}, accuracy={"vectors": 64, "seed": 7})
    job = job_of(cases(sweep)[1], sweep)
    done = measure(job)
    assert done.lasting and [record["status"] for record in done.records] == ["ok", "ok"]
    record = done.records[0]
    assert record["area_um2"] > 0 and record["registers"] > 0 and record["latency"] == 1
    assert record["fmax_mhz"] == pytest.approx(1e6 / record["delay_ps"])
    areas = json.loads(record["sections"])
    assert {"Unpack", "Registers", "Round and pack"} <= set(areas)
    assert 0.7 < sum(areas.values()) / record["area_um2"] < 2
    assert record["error_rms"] > 0 and "gaussian" in record["error_data"] and "seed 7" in record["error_data"]
    assert {"library_hash", "netlist_hash", "assumptions", "versions"} <= set(record)
    assert "yosys" in json.loads(record["versions"])


def test_keys_follow_what_a_point_depends_on():
    plain = small()
    job = job_of(cases(plain)[0], plain)
    for other in (
        small(measure={"recipe": "area"}),
        small(measure={"technology": "fpgen7"}),
        small(measure={"targets": [900]}),
        small(measure={"breakdown": True}),
        small(accuracy={}),
        small(accuracy={"seed": 2}),
        small(measure={"technology": "ecp5"}),
        small(measure={"power": "gaussian"}),
        small(measure={"wire_load": 2}),
        small(measure={"prove": True}),
    ):
        assert job_of(cases(other)[0], other).key != job.key
    same = small(measure={"timeout": 9}, title="other")
    assert job_of(cases(same)[0], same).key == job.key


@pytest.mark.parametrize(
    "measure, part",
    [
        ({"technology": "3nm"}, "3nm"),
        ({"recipe": "magic"}, "magic"),
        ({"power": "loud"}, "loud"),
        ({"technology": ["fpgen45", "ecp5"], "power": "uniform"}, "expected a cell library"),
        ({"liberty": "no.lib"}, "no.lib"),
        ({"engine": "steam"}, "steam"),
        ({"effort": "heroic"}, "heroic"),
        ({"wire_load": "thin"}, "thin"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_runs(bench, tmp_path, measure, part):
    with pytest.raises((UsageError, RunFailure), match=part):
        runner.run_sweep(small(measure=measure), output=tmp_path)
    assert not bench.asked


def kill_first_child():
    for entry in os.listdir("/proc"):
        try:
            place = Path("/proc", entry)
            if (
                entry.isdigit()
                and f"PPid:\t{os.getpid()}\n" in (place / "status").read_text()
                and "spawn_main" in (place / "cmdline").read_text()
            ):
                os.kill(int(entry), signal.SIGKILL)
                return
        except OSError:
            continue
    raise AssertionError("no worker process to kill")


@pytest.mark.full
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_killed_process_costs_nothing(fresh_cache, tmp_path):
    killed = []

    def follow(step):
        if step.measured == 1 and not killed:
            killed.append(True)
            kill_first_child()

    sweep = small(parameters={"format": ["e2m1", "e3m2"], "n": [0, 1]})
    result = runner.run_sweep(sweep, output=tmp_path, jobs=2, progress=follow)
    assert killed and not result.failures
    assert units(store.read(tmp_path / "small")) == [case.unit.text for case in cases(sweep)]


SWEEP = """
unit = "add {format} {format} -> {format} rne"
[parameters]
format = ["e2m1", "e2m2", "e3m1", "e3m2"]
"""


@pytest.mark.parametrize(
    "number, code", [(signal.SIGINT, 130), pytest.param(signal.SIGKILL, -9, marks=pytest.mark.full)]
)
def test_a_stopped_command_resumes(fresh_cache, tmp_path, number, code):
    (tmp_path / "some.toml").write_text(SWEEP)
    command = [sys.executable, "-m", "fpgen", "sweep", "some.toml", "--jobs", "1"]
    # A shell starts background jobs with SIGINT ignored, and what they start inherits that.
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    kept = fresh_cache / "sweeps"
    deadline = time.monotonic() + 120
    while not list(kept.glob("*.json")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert "Traceback" not in told
    if number == signal.SIGINT:
        assert "interrupted" in told and "of 4 points are done and kept" in told
        assert 1 <= len(store.read(tmp_path / "sweep_out" / "some")) < 4
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "4 points" in done.stdout, done.stderr
    known = int(done.stdout.split(" known before")[0].rsplit("(", 1)[1])
    assert 1 <= known < 4
    assert len(store.read(tmp_path / "sweep_out" / "some")) == 4


# ---- the command --------------------------------------------------------------------


def test_the_command_lists_runs_and_prints(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.toml").write_text(SWEEP)
    listed = CliRunner().invoke(cli.main, ["sweep", "some.toml", "--dry-run"])
    assert listed.exit_code == 0 and "4 points; nothing was run" in listed.stdout and "format=e3m2" in listed.stdout
    assert not (tmp_path / "sweep_out").exists() and not bench.asked
    as_json = CliRunner().invoke(cli.main, ["sweep", "some.toml", "--dry-run", "--json"])
    assert len(json.loads(as_json.stdout)) == 4
    ran = CliRunner().invoke(cli.main, ["sweep", "some.toml"])
    assert ran.exit_code == 0 and "4 records with figures" in ran.stdout and "sweep_out/some.csv" in ran.stdout
    bench.fail = {"e": "broken"}
    ran = CliRunner().invoke(cli.main, ["sweep", "some.toml", "--force"])
    assert ran.exit_code == 1 and "and 3 more: broken" in ran.stdout


@pytest.mark.parametrize(
    "options, part",
    [(["--scheduler", "nowhere"], "tcp://host:8786"), (["--jobs", "0"], "--jobs"), (["-o", "some.toml"], "some.toml")],
)
def test_wrong_commands(bench, tmp_path, monkeypatch, options, part):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.toml").write_text(SWEEP)
    ran = CliRunner().invoke(cli.main, ["sweep", "some.toml", *options])
    assert ran.exit_code == 2 and part in ran.stderr and ran.stderr.count("\n") <= 2


def test_no_jobs(bench, tmp_path):
    with pytest.raises(UsageError, match="jobs: got 0"):
        runner.run_sweep(small(), output=tmp_path, jobs=0)
