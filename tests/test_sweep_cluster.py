"""A sweep on a real Dask scheduler with two worker processes, one of which is killed in the middle."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from ppa_helpers import fresh_cache
from sweep_cases import small

from fpgen.errors import RunFailure, UsageError
from fpgen.sweep import cluster, run, store
from fpgen.sweep.cases import cases

__all__ = ["fresh_cache"]

pytest.importorskip("distributed", reason="Dask is not installed: fpgen[cluster]")


def start(*arguments, log):
    """A Dask process, its output in a file."""
    environment = dict(os.environ, DASK_DISTRIBUTED__DIAGNOSTICS__NVML="False")
    with log.open("wb") as file:
        return subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
                                stdout=file, stderr=subprocess.STDOUT, env=environment, cwd=log.parent,
                                start_new_session=True)


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
            processes.append(start("worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard",
                                   "--local-directory", str(tmp_path), log=log))
        for number in range(2):
            wait_for(tmp_path / f"worker{number}.log", "Registered to", processes[1 + number])
        yield address, processes[1:], processes[0]
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_worker_that_is_killed_costs_nothing(scheduler, tmp_path):
    address, workers, _ = scheduler
    steps = []

    def tell(step):
        if step.measured == 1 and workers[0].poll() is None:
            os.killpg(workers[0].pid, signal.SIGKILL)
        steps.append(step)

    sweep = small(parameters={"format": ["e2m1", "e3m2", "e2m2"], "n": [0, 1]})
    result = run.run(sweep, output=tmp_path / "out", scheduler=address, tell=tell)
    assert workers[0].wait(10) == -signal.SIGKILL and workers[1].poll() is None
    assert not result.failures
    expected = [case.unit.text for case in cases(sweep)]
    for suffix in (".csv", ".parquet"):
        assert [record["unit"] for record in store.read(tmp_path / "out" / f"small{suffix}")] == expected
    assert [step.measured for step in steps if step.last] == list(range(1, len(expected) + 1))
    again = run.run(sweep, output=tmp_path / "out", scheduler=address)
    assert again.reused == len(expected) and again.records == result.records


def test_a_scheduler_that_goes_away_is_told(scheduler, tmp_path):
    address, _, process = scheduler

    def tell(step):
        if step.measured == 1 and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    with pytest.raises(RunFailure, match=r"scheduler at .* is gone"):
        run.run(small(), output=tmp_path / "out", scheduler=address, tell=tell)
    assert len(store.read(tmp_path / "out" / "small")) >= 1


def test_no_scheduler(monkeypatch):
    monkeypatch.setattr(cluster, "_ANSWER", "1s")
    with pytest.raises(UsageError, match="tcp://host:8786"):
        list(cluster.each([], "localhost", print))
    with pytest.raises(UsageError, match="tcp://host:8786"):
        list(cluster.each([], "smoke://signals:1", print))
    with pytest.raises(RunFailure, match="no Dask scheduler answers"):
        list(cluster.each([], "tcp://127.0.0.1:9", print))
