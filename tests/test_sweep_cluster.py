"""A sweep on a real Dask scheduler with two worker processes, one of which is killed in the middle."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from ppa_helpers import fresh_cache
from sweep_cases import small

from fpgen.base.cache import cache_dir
from fpgen.base.errors import RunFailure, UsageError
from fpgen.sweep import cluster, store
from fpgen.sweep import sweep_run as run
from fpgen.sweep.cases import cases

__all__ = ["fresh_cache"]

pytest.importorskip("distributed", reason="Dask is not installed: the extra cluster")


def start(*arguments, log, path=None):
    """A Dask process, its output in a file; with the fpgen that stands at `path`, or ours."""
    environment = dict(os.environ, DASK_DISTRIBUTED__DIAGNOSTICS__NVML="False")
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=log.parent,
            start_new_session=True,
        )


def wait_for(log, pattern, process):
    """The match of `pattern` in a log, as soon as it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(pattern, log.read_text())
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture
def scheduler(fresh_cache, tmp_path):
    """Address, and the worker processes, each with one thread and no one who would start it again."""
    log = tmp_path / "scheduler.log"
    processes = [start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", log=log)]
    try:
        address = wait_for(log, r"tcp://127\.0\.0\.1:\d+", processes[0])[0]
        for number in range(2):
            log = tmp_path / f"worker{number}.log"
            processes.append(
                start(
                    "worker",
                    address,
                    "--no-nanny",
                    "--nthreads",
                    "1",
                    "--no-dashboard",
                    "--local-directory",
                    str(tmp_path),
                    log=log,
                )
            )
        for number in range(2):
            wait_for(tmp_path / f"worker{number}.log", "Registered to", processes[1 + number])
        yield address, processes[1:], processes[0]
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.full
def test_a_worker_that_is_killed_costs_nothing(scheduler, tmp_path):
    address, workers, _ = scheduler
    steps = []

    def follow(step):
        if step.measured == 1 and workers[0].poll() is None:
            os.killpg(workers[0].pid, signal.SIGKILL)
        steps.append(step)

    sweep = small(
        parameters={"format": ["e2m1", "e3m2", "e2m2"], "n": [0, 1]}, measure={"recipe": "direct", "targets": [1]}
    )
    result = run.run_sweep(sweep, output=tmp_path / "out", scheduler=address, progress=follow)
    assert workers[0].wait(10) == -signal.SIGKILL and workers[1].poll() is None
    assert not result.failures
    expected = [case.unit.text for case in cases(sweep)]
    for suffix in (".csv", ".parquet"):
        assert [record["unit"] for record in store.read(tmp_path / "out" / f"small{suffix}")] == expected
    assert [step.measured for step in steps if step.last] == list(range(1, len(expected) + 1))
    again = run.run_sweep(sweep, output=tmp_path / "out", scheduler=address)
    assert again.reused == len(expected) and again.records == result.records


@pytest.mark.full
def test_a_scheduler_that_goes_away_is_told(scheduler, tmp_path):
    address, _, process = scheduler

    def follow(step):
        if step.measured == 1 and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    with pytest.raises(RunFailure, match=r"scheduler at .* is gone"):
        run.run_sweep(small(), output=tmp_path / "out", scheduler=address, progress=follow)
    assert len(store.read(tmp_path / "out" / "small")) >= 1


@pytest.mark.full
def test_nobody_left_behind_a_word(scheduler, tmp_path):
    """The command says in one line that its scheduler died; Dask's own tracebacks stay off the terminal."""
    address, _, process = scheduler
    (tmp_path / "some.toml").write_text(
        'unit = "add {f} {f} -> {f} rne"\n[parameters]\n'
        'f = ["e2m1", "e3m2", "e2m2", "e3m1", "e2m3"]\n[measure]\nprove = false\n'
    )
    command = subprocess.Popen(
        [sys.executable, "-m", "fpgen", "sweep", "some.toml", "--scheduler", address],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    kept = cache_dir("sweeps")
    deadline = time.monotonic() + 120
    while not list(kept.glob("*.json")) and command.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    _, told = command.communicate(timeout=60)
    assert command.returncode == 1, told
    assert "is gone; finished points are kept" in told and "Traceback" not in told and "ERROR" not in told
    assert store.read(tmp_path / "sweep_out" / "some")


@pytest.mark.full
def test_a_connection_that_closes_under_a_result(scheduler, monkeypatch):
    """A scheduler that dies between saying that a result is there and handing it over is a scheduler that is gone."""
    from distributed.comm import CommClosedError

    def closed(*_):
        raise CommClosedError("in <TCP (closed)>: Stream is closed")

    monkeypatch.setattr(cluster, "_done", closed)
    sweep = small(parameters={"format": ["e2m1"], "n": [1]}, measure={"recipe": "direct", "prove": False})
    with pytest.raises(RunFailure, match="is gone; finished points are kept"):
        run.run_sweep(sweep, scheduler=scheduler[0])


def test_the_same_figures_as_here(scheduler, tmp_path, monkeypatch):
    """Column for column what this machine's own processes give; only wall times differ."""
    address, _, _ = scheduler
    sweep = small(
        parameters={"format": ["e2m1", "e3m2"], "n": [1]}, measure={"recipe": "direct", "targets": [1], "prove": False}
    )
    there = run.run_sweep(sweep, output=tmp_path / "there", scheduler=address).records
    monkeypatch.setenv("FPGEN_CACHE_DIR", str(tmp_path / "another"))
    here = run.run_sweep(sweep, output=tmp_path / "here", jobs=1).records
    for suffix in (".csv", ".parquet"):
        tables = [
            [
                {name: value for name, value in record.items() if not name.endswith("seconds")}
                for record in store.read(tmp_path / place / f"small{suffix}")
            ]
            for place in ("here", "there")
        ]
        assert tables[0] == tables[1] and len(tables[0]) == 2
    assert [record["netlist_hash"] for record in here] == [record["netlist_hash"] for record in there]


@pytest.mark.parametrize(
    "file, text, part",
    [
        ("fpgen/units/__init__.py", "# a change\n", "a worker runs another fpgen"),
        ("fpgen/sweep/measure.py", "import nothing_of_this_name\n", "cannot run this fpgen.*nothing_of_this_name"),
    ],
    ids=["another", "broken"],
)
def test_a_worker_with_another_fpgen_is_refused(fresh_cache, tmp_path, file, text, part):
    """A worker whose code is another one measures nothing, and the command says why."""
    there = tmp_path / "other"
    home = Path(run.__file__).parents[2]
    shutil.copytree(home / "fpgen", there / "fpgen", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("synth", "sim", "designs", "pyproject.toml"):
        (there / name).symlink_to(home / name)
    with (there / file).open("a") as changed:
        changed.write(text)
    processes = [start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", log=tmp_path / "s.log")]
    try:
        address = wait_for(tmp_path / "s.log", r"tcp://127\.0\.0\.1:\d+", processes[0])[0]
        processes.append(
            start(
                "worker",
                address,
                "--no-nanny",
                "--nthreads",
                "1",
                "--no-dashboard",
                "--local-directory",
                str(tmp_path),
                log=tmp_path / "w.log",
                path=there,
            )
        )
        wait_for(tmp_path / "w.log", "Registered to", processes[1])
        with pytest.raises(RunFailure, match=part):
            run.run_sweep(small(), output=tmp_path / "out", scheduler=address)
        assert not list((fresh_cache / "sweeps").glob("*.json"))
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize(
    "address, part",
    [
        ("", "no protocol"),
        ("localhost", "no protocol"),
        ("smoke://signals:1", "smoke:// is none of"),
        ("tcp://", "port from 1"),
        ("tcp://host", "port from 1"),
        ("tcp://host:x", "port from 1"),
        ("tcp://host:99999", "port from 1"),
        ("inproc://x", "is none of"),
        ("tls://127.0.0.1:9", "certificates"),
    ],
)
def test_addresses_that_are_none(address, part):
    with pytest.raises(UsageError, match=r"expected an address such as tcp://host:8786") as refused:
        list(cluster.each([], address, print))
    assert part in str(refused.value) and repr(address) in str(refused.value)


def test_no_scheduler(monkeypatch):
    monkeypatch.setattr(cluster, "_ANSWER", 1.0)
    with pytest.raises(RunFailure, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 \(Connection refused\)"):
        list(cluster.each([], "tcp://127.0.0.1:9", print))


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.0 400 Bad Request\r\n\r\n" * 9, b"\xff" * 64, None],
    ids=["hangs up", "speaks HTTP", "speaks noise", "says nothing"],
)
def test_something_else_answers(monkeypatch, answer):
    monkeypatch.setattr(cluster, "_ANSWER", 1.0)
    held = []

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            held.append(connection)
            if answer is not None:
                connection.sendall(answer)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(RunFailure, match="no Dask scheduler answers at"):
            list(cluster.each([], f"tcp://127.0.0.1:{server.getsockname()[1]}", print))
        server.shutdown(socket.SHUT_RDWR)


def test_a_worker_is_no_scheduler(scheduler, tmp_path):
    worker = re.search(r"Start worker at: *(tcp://\S+)", (tmp_path / "worker0.log").read_text())[1]
    with pytest.raises(RunFailure, match="there is a Worker"):
        list(cluster.each([], worker, print))
