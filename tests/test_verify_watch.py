"""A simulation that hangs is ended; one that is slow, starved or merely long is not."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import fpgen
from fpgen.base import processes
from fpgen.base.errors import RunFailure
from fpgen.simulate import watch
from fpgen.verify import verify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

SPIN = "while True: pass"
BEAT = "import time\nfile = open('heartbeat', 'ab', buffering=0)\nwhile True: file.write(b'.')"
SLEEP = "import time; time.sleep(1000)"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a stand-in for a simulator; it is killed at the end of the test."""
    monkeypatch.setattr(watch, "_LOOK_S", 0.0)
    started = []

    def begin(text):
        (tmp_path / "simulation.log").write_text("the log's end\n")
        process = processes.Process([sys.executable, "-c", text], subprocess.DEVNULL, cwd=tmp_path)
        started.append(process)
        wait_for(lambda: program(process))
        return SimpleNamespace(
            process=process,
            where=tmp_path,
            log=tmp_path / "simulation.log",
            stop=process.kill,
            tail=lambda: "the log's end",
        )

    yield begin
    for process in started:
        process.kill()
        process.wait()


def program(process):
    """Process number of the program beside its supervisor; 0 before it is there."""
    return int(process._reported()[0])


def state(process):
    return Path(f"/proc/{program(process)}/stat").read_text().rpartition(")")[2].split()[0]


def wait_for(condition):
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to it")


def test_one_that_spins_is_ended_after_its_processor_time(start):
    running = start(SPIN)
    watcher = watch.Watch(running, limit=0.5)
    watcher.look()
    before = running.process.processor_seconds
    with pytest.raises(RunFailure, match=r"no progress in 0 s of processor time[^\n]*; log:\nthe log's end"):
        while True:
            watcher.look()
            assert running.process.processor_seconds < before + 5.0, "not ended"
    assert running.process.wait() != 0


def test_one_that_beats_is_not_ended(start):
    running = start(BEAT)
    watcher = watch.Watch(running, limit=0.1)
    while running.process.processor_seconds < 1.0:
        watcher.look()
        time.sleep(0.05)
    assert running.process.poll() is None


def test_one_that_reads_its_vectors_is_not_ended(start):
    running = start(SPIN)
    watcher = watch.Watch(running, limit=0.1)
    for unread in range(10_000):
        watcher.look(unread)
        time.sleep(0.01)
        if running.process.processor_seconds > 1.0:
            break
    assert running.process.processor_seconds > 1.0 and running.process.poll() is None


def test_one_that_gets_no_processor_is_not_ended(start):
    """A stopped process stands for one that a busy machine does not run: it uses nothing and does not sleep."""
    running = start(SPIN)
    os.kill(program(running.process), signal.SIGSTOP)
    wait_for(lambda: state(running.process) == "T")
    watcher = watch.Watch(running, limit=0.0)
    watcher.look()
    for _ in range(3 * watch._ASLEEP):
        watcher.look()
    assert running.process.poll() is None


def test_one_that_sleeps_for_ever_is_ended(start, monkeypatch):
    monkeypatch.setattr(watch, "_ASLEEP", 10)
    running = start(SLEEP)
    wait_for(lambda: running.process.asleep)
    watcher = watch.Watch(running)
    with pytest.raises(RunFailure, match="sleeps with work to do"):
        for _ in range(10_000):
            watcher.look()
            time.sleep(0.001)


def test_a_unit_that_never_accepts_is_reported():
    """in_ready stuck at 0: the driver gives up after so many clocks, not after a time; the stream has its own check."""
    unit = fpgen.parse_unit("add e2m1 e2m1 -> e3m2 stages=1 handshake=ready")
    broken, count = re.subn(r"assign in_ready = [^;]*;", "assign in_ready = 1'b0;", unit.verilog())
    assert count == 1
    verdict = verify(unit, verilog=broken, force=True)
    assert not verdict.passed and verdict.vectors < 256
    failures = {test.name: test.failure for test in verdict.protocol}
    assert "nothing accepted for 20000 clocks; 0 vectors before" in failures["latency_is_exact"]
