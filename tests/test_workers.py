"""Processes end with their parent, and when they are told to."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fpgen.base import workers

PARENT = """
import time
from tests_workers_job import say_and_wait
from fpgen.base import workers

if __name__ == "__main__":
    with workers.pool(2) as pool:
        for future in [pool.submit(workers.run_task, say_and_wait, where) for where in {places!r}]:
            future.result()
"""
JOB = """
import os, time
from pathlib import Path

def say_and_wait(where):
    Path(where + ".new").write_text(str(os.getpid()))
    os.rename(where + ".new", where)
    try:
        time.sleep(600)
    finally:
        Path(where + ".cleaned").touch()
"""


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as state:
            return state.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent(tmp_path, number):
    places = [str(tmp_path / name) for name in ("first", "second")]
    (tmp_path / "tests_workers_job.py").write_text(JOB)
    (tmp_path / "parent.py").write_text(PARENT.format(places=places))
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    parent = subprocess.Popen(
        [sys.executable, "parent.py"],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        wait_until(lambda: all(os.path.exists(place) for place in places))
        children = [int(Path(place).read_text()) for place in places]
        assert all(alive(child) for child in children)
        parent.send_signal(number)
        parent.wait(60)
        wait_until(lambda: not any(alive(child) for child in children))
    finally:
        parent.kill()
    if number == signal.SIGINT:  # told to end, not killed: their `finally` blocks ran
        assert all(os.path.exists(place + ".cleaned") for place in places)


def test_results_come_back_and_begin_is_called():
    with workers.pool(1, os.putenv, "FPGEN_TEST", "x") as pool:
        assert pool.submit(workers.run_task, divmod, 7, 2).result() == (3, 1)


def test_a_failure_of_the_work_is_the_callers():
    with workers.pool(1) as pool, pytest.raises(ZeroDivisionError):
        pool.submit(workers.run_task, divmod, 7, 0).result()
