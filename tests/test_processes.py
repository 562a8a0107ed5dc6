"""Programs that fpgen starts end with it, and at limits of processor time that a busy machine does not reach."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from process_cases import LINUX, environment, marked, until

from fpgen.base import processes
from fpgen.base.errors import RunFailure

PYTHON = sys.executable
BUSY = [PYTHON, "-c", "while True: pass"]
BUSY_CHILD = [PYTHON, "-c", f"import subprocess; subprocess.run({BUSY!r})"]
#: Starts a process in a session of its own that ignores polite signals, as a stubborn tool might.
STUBBORN = [
    PYTHON,
    "-c",
    """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print("up", flush=True)
time.sleep(600)
""",
]
PARENT = """
import sys
from fpgen.base import processes
processes.run_program({command!r}, what="a compiler", may_finish={may_finish!r})
"""


def test_what_a_program_says_and_how_it_ends():
    done = processes.run_program(["sh", "-c", "echo out; echo err >&2; exit 3"], what="sh")
    assert (done.code, done.output) == (3, "out\nerr\n")
    assert processes.run_program(["sh", "-c", "kill -SEGV $$"], what="sh").code == -signal.SIGSEGV
    assert processes.run_program(["cat"], what="cat").output == ""  # there is nothing to read, and no waiting for it


def test_many_run_side_by_side():
    commands = [["sh", "-c", f"sleep 0.{wait}; echo {wait}"] for wait in (3, 1, 2)]
    assert [done.output for done in processes.run_all(commands, what="sh", most=2)] == ["3\n", "1\n", "2\n"]


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(RunFailure, match=r"the compiler: cannot be started \(No such file"):
        processes.run_program(["fpgen-no-such-program"], what="the compiler")
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF and no more")
    broken.chmod(0o755)
    with pytest.raises(RunFailure, match=r"the compiler: cannot be started \(Exec format error\)"):
        processes.run_program([str(broken)], what="the compiler")


@LINUX
@pytest.mark.parametrize("command", [BUSY, BUSY_CHILD], ids=["itself", "a child of it"])
def test_a_busy_program_is_stopped_at_its_limit(command):
    mark = f"FPGEN_TEST={os.urandom(8).hex()}"
    env = {**os.environ, "FPGEN_TEST": mark.partition("=")[2]}
    with pytest.raises(processes.OutOfTime, match=r"^yosys was stopped at its limit of 0\.5 s of processor time; --x$"):
        processes.run_program(command, what="yosys", limit=0.5, env=env, remedy="--x")
    assert not marked(mark)


def test_the_times_of_several_children_count_together():
    two = f"import subprocess, sys; [p.wait() for p in [subprocess.Popen({BUSY!r}) for _ in range(2)]]"
    start = os.times()
    with pytest.raises(processes.OutOfTime):
        processes.run_program([PYTHON, "-c", two], what="yosys", limit=1.0)
    end = os.times()
    used = end.children_user + end.children_system - start.children_user - start.children_system
    assert used < 1.9  # two limits, were each counted alone


def test_those_that_have_ended_count_too():
    one = [PYTHON, "-c", "import time\nwhile time.process_time() < 0.2: pass"]
    many = f"import subprocess\nwhile True: subprocess.run({one!r})"
    with pytest.raises(processes.OutOfTime):
        processes.run_program([PYTHON, "-c", many], what="yosys", limit=1.0)


def test_waiting_costs_nothing():
    """A busy machine makes a program wait; a limit of wall time stopped it then."""
    told: list[float] = []
    done = processes.run_program(
        [PYTHON, "-c", "import time; time.sleep(2.5)"], what="yosys", limit=1.0, progress=told.append
    )
    assert done.code == 0 and len(told) >= 2 and max(told) < 1.0


@LINUX
def test_a_stopped_program_is_not_at_its_limit():
    """Suspended for longer than its limit, as by a machine that has no time for it, then let go on."""
    work = "import time\nwhile time.process_time() < 0.6: pass\nprint('done')"
    mark = os.urandom(8).hex()
    with (
        open(os.devnull, "wb") as sink,
        processes.started([PYTHON, "-c", work], sink, limit=1.2, env={**os.environ, "FPGEN_TEST": mark}) as process,
    ):
        until(lambda: int(process._reported()[0]) > 0)
        os.killpg(int(process._reported()[0]), signal.SIGSTOP)
        time.sleep(2.0)
        assert process.poll() is None
        os.killpg(int(process._reported()[0]), signal.SIGCONT)
        assert process.wait() == 0 and not process.out_of_time


def test_without_a_look_into_proc_each_process_is_limited():
    """Where the times of a tree cannot be read, the system's own limit holds."""
    blind = (
        "import os, runpy, sys; os.path.exists = lambda path: False; "
        f"sys.argv = sys.argv[1:]; runpy.run_path({str(processes._SUPERVISOR)!r}, run_name='__main__')"
    )
    with processes._memory() as status:
        done = subprocess.Popen(
            [PYTHON, "-c", blind, "supervisor", str(status.fileno()), "1", *BUSY],
            stdin=subprocess.PIPE,
            pass_fds=[status.fileno()],
        )
        done.wait(60)
        said = os.pread(status.fileno(), 64, 0).split()
    assert done.returncode == 125 and said[2] == b"limit" and 0.5 < float(said[1]) < 3


@LINUX
def test_kill_ends_the_whole_tree(tmp_path):
    mark = os.urandom(8).hex()
    with (
        (tmp_path / "log").open("wb") as log,
        processes.started(STUBBORN, log, env={**os.environ, "FPGEN_TEST": mark}) as process,
    ):
        until(lambda: (tmp_path / "log").read_text() == "up\n")
        assert len(marked(mark)) >= 3
        process.kill()
        process.wait()
    assert not marked(mark)


@LINUX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_its_parent(number):
    """`kill -9` of a run left its compilers running."""
    mark = os.urandom(8).hex()
    parent = subprocess.Popen(
        [PYTHON, "-c", PARENT.format(command=STUBBORN, may_finish="")],
        env=environment(FPGEN_TEST=mark),
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        until(lambda: len(marked(mark)) >= 4)  # this one, its supervisor, the program, and what that has started
        parent.send_signal(number)
        parent.wait(60)
        until(lambda: not marked(mark), 20)
    finally:
        parent.kill()


@LINUX
def test_a_killed_supervisor_takes_the_program_along():
    mark = os.urandom(8).hex()
    with (
        open(os.devnull, "wb") as sink,
        processes.started(BUSY_CHILD, sink, env={**os.environ, "FPGEN_TEST": mark}) as process,
    ):
        until(lambda: len(marked(mark)) >= 3)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        until(lambda: not marked(mark), 20)


@LINUX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_what_may_finish_does_so_after_a_polite_end_only(tmp_path, number):
    place = tmp_path / "made"
    go = tmp_path / "go"
    text = "import os, time\nwhile not os.path.exists({go!r}): time.sleep(0.05)\nopen({place!r}, 'w').close()"
    slow = [PYTHON, "-c", text.format(go=str(go), place=str(place))]
    mark = os.urandom(8).hex()
    parent = subprocess.Popen(
        [PYTHON, "-c", PARENT.format(command=slow, may_finish="the first start")],
        env=environment(FPGEN_TEST=mark),
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: len(marked(mark)) >= 3)
    parent.send_signal(number)
    parent.wait(timeout=60)
    if number == signal.SIGKILL:
        until(lambda: not marked(mark), 20)
    go.touch()
    _, told = parent.communicate(timeout=60)  # the supervisor has the other end of the pipe, too
    until(lambda: not marked(mark), 20)
    assert place.exists() == (number == signal.SIGINT)
    assert ("the first start continues in the background" in told) == (number == signal.SIGINT)


def test_programs_are_started_in_one_place():
    """What is started elsewhere has no limit that counts and does not end with its parent."""
    package = Path(processes.__file__).parent
    starts = re.compile(
        r"\bsubprocess\.(run|Popen|call|check_\w+|getoutput)\("
        r"|\bos\.(system|popen|spawn\w+|posix_spawn\w*)\("
    )
    found = {path.name for path in package.rglob("*.py") if starts.search(path.read_text())}
    assert found <= {"processes.py"}
    limits = re.compile(r"\bTimeoutExpired\b")
    assert {path.name for path in package.rglob("*.py") if limits.search(path.read_text())} <= {
        "processes.py",
        "simulator.py",
    }
