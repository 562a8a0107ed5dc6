"""A simulation that hangs is ended; one that is slow, starved or merely long is not."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import fpgen
from fpgen.errors import RunFailure
from fpgen.verify import verify, watch

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
        process = subprocess.Popen([sys.executable, "-c", text], cwd=tmp_path)
        started.append(process)
        return SimpleNamespace(process=process, where=tmp_path, log=tmp_path / "simulation.log", stop=process.kill,
                               tail=lambda: "the log's end")

    yield begin
    for process in started:
        process.kill()
        process.wait()


def use(pid):
    return watch.processor_use(pid)[0]


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
    before = use(running.process.pid)
    with pytest.raises(RunFailure, match=r"no progress in 0 s of processor time[^\n]*; log:\nthe log's end"):
        while True:
            watcher.look()
            assert use(running.process.pid) < before + 5.0, "not ended"
    assert running.process.wait() == -signal.SIGKILL


def test_one_that_beats_is_not_ended(start):
    running = start(BEAT)
    watcher = watch.Watch(running, limit=0.1)
    while use(running.process.pid) < 1.0:
        watcher.look()
        time.sleep(0.05)
    assert running.process.poll() is None


def test_one_that_reads_its_vectors_is_not_ended(start):
    running = start(SPIN)
    watcher = watch.Watch(running, limit=0.1)
    for unread in range(10_000):
        watcher.look(unread)
        time.sleep(0.01)
        if use(running.process.pid) > 1.0:
            break
    assert use(running.process.pid) > 1.0 and running.process.poll() is None


def test_one_that_gets_no_processor_is_not_ended(start):
    """A stopped process stands for one that a busy machine does not run: it uses nothing and does not sleep."""
    running = start(SPIN)
    running.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    watcher = watch.Watch(running, limit=0.0)
    watcher.look()
    for _ in range(3 * watch._ASLEEP):
        watcher.look()
    assert running.process.poll() is None


def test_one_that_sleeps_for_ever_is_ended(start, monkeypatch):
    monkeypatch.setattr(watch, "_ASLEEP", 10)
    running = start(SLEEP)
    wait_for(lambda: watch.processor_use(running.process.pid)[1])
    watcher = watch.Watch(running)
    with pytest.raises(RunFailure, match="sleeps with work to do"):
        for _ in range(10_000):
            watcher.look()
            time.sleep(0.001)


def test_ps_agrees_with_proc(start):
    """The way of platforms without /proc."""
    if shutil.which("ps") is None:
        pytest.skip("no ps")
    running = start(SPIN)
    wait_for(lambda: use(running.process.pid) > 1.5)
    assert watch._from_ps(running.process.pid)[0] == pytest.approx(use(running.process.pid), abs=1.5)


def test_a_unit_that_never_accepts_is_reported():
    """in_ready stuck at 0: the driver gives up after so many clocks, not after a time; the stream has its own check."""
    unit = fpgen.parse_unit("add e2m1 e2m1 -> e3m2 stages=1 handshake=ready")
    broken, count = re.subn(r"assign in_ready = [^;]*;", "assign in_ready = 1'b0;", unit.verilog())
    assert count == 1
    verdict = verify(unit, verilog=broken, force=True)
    assert not verdict.passed and verdict.vectors < 256
    failures = {test.name: test.failure for test in verdict.protocol}
    assert "nothing accepted for 20000 clocks; 0 vectors before" in failures["latency_is_exact"]
