"""Runs one program for `fpgen.base.processes`, and leaves nothing of it behind.

    python -I -S supervisor.py STATUS LIMIT PROGRAM [ARGUMENT ...]

The program and all that it starts end when standard input closes (the process that asked has ended, however), when
they have used LIMIT seconds of processor time together (`-`: no limit), when this process gets a signal to end, and
when the program itself ends. An `r` on standard input releases them: from then on the process that asked may end first.

STATUS is an open file with one line of 64 characters: the program's process group, processor seconds so far, and the
state: `running`, `ended`, `limit`, `stopped`, or `unstartable` with the system's error number. The exit code is the
program's; where a signal ended the program, it ends this process.

This is a script: it imports nothing of fpgen, so that it starts in 20 ms and holds next to no memory.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable

_TICKS = os.sysconf("SC_CLK_TCK")
_CORES = os.cpu_count() or 1
#: How often the processor time is looked at, in s.
_SHORTEST, _LONGEST = 0.02, 1.0
#: What cannot be killed in so long, in s, is left to the system.
_KILLING = 10.0


class Program:
    """The program and its descendants."""

    def __init__(self, command: list[str]) -> None:
        self.code: int | None = None
        self.is_tree = _sees_trees()
        self.prctl = _prctl()
        if self.prctl:
            self.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans below stay below
        self.pid, self.error = self._start(command)

    def _start(self, command: list[str]) -> tuple[int, int]:
        """Start it in its own process group; returns its number, and the system's error number or 0."""
        answer, tell = os.pipe()  # not inherited by what is executed, so that a success closes it
        me = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                os.setpgid(0, 0)
                if self.prctl:
                    self.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG: this process may be killed, too
                if os.getppid() == me:
                    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
                        signal.signal(number, signal.SIG_DFL)
                    os.execvp(command[0], command)
            except OSError as error:
                os.write(tell, str(error.errno).encode())
            finally:
                os._exit(127)
        os.close(tell)
        said = os.read(answer, 16)
        os.close(answer)
        return pid, int(said or 0)

    def reap(self) -> bool:
        """Take leave of processes that have ended; whether any is left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return True
                if pid == self.pid:
                    self.code = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            return False

    def spent(self) -> float:
        """Processor seconds of the whole tree, of the living and of the dead."""
        done = resource.getrusage(resource.RUSAGE_CHILDREN)
        return done.ru_utime + done.ru_stime + sum(_ticks(pid) for pid in self._living()) / _TICKS

    def kill(self) -> None:
        """End all of them, whatever groups and sessions they have made."""
        until = time.monotonic() + _KILLING
        while time.monotonic() < until:
            _signal(os.killpg, self.pid)
            for pid in self._living():
                _signal(os.kill, pid)
            if not self.reap():
                return
            time.sleep(0.002)

    def _living(self) -> list[int]:
        found: list[int] = []
        look = [os.getpid()] if self.is_tree else []
        while look:
            below = _children(look.pop())
            found += below
            look += below
        return found


def _sees_trees() -> bool:
    return os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def _limit_each(seconds: float) -> None:
    """Where no tree of processes can be looked into: the limit holds for each process alone."""
    whole = max(1, int(-(-seconds // 1)))
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 5))


def _signal(send: Callable[[int, int], None], number: int) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself
        send(number, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found += map(int, file.read().split())
    except OSError:
        pass  # it has ended meanwhile
    return found


def _ticks(pid: int) -> int:
    """Its own time, and that of children it has waited for."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
    except (OSError, ValueError):
        return 0


def _prctl() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        import ctypes

        return ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None


def main(status: int, limit: float | None, command: list[str]) -> int:
    """Run the program; returns its exit code."""
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    asked: list[bool] = []
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: asked.append(True))
    if limit is not None and not _sees_trees():
        _limit_each(limit)  # inherited by all that is started
    program = Program(command)

    def say(state: str) -> None:
        os.pwrite(status, f"{program.pid} {program.spent():.2f} {state}".ljust(64).encode(), 0)

    if program.error:
        say(f"unstartable {program.error}")
        return 127
    say("running")
    state = _follow(program, limit, wake, asked, say)
    program.kill()
    if state == "ended" and program.code == -signal.SIGXCPU:
        state = "limit"
    say(state)
    return program.code if state == "ended" and program.code is not None else 125


def _follow(program: Program, limit: float | None, wake: int, asked: list[bool], say: Callable[[str], None]) -> str:
    """Wait for the end; returns why it came."""
    listening = [wake, 0]
    while True:
        used = program.spent() if limit is not None else 0.0
        if limit is not None and used >= limit and program.is_tree:
            return "limit"
        pause = _LONGEST if limit is None else min(max((limit - used) / _CORES, _SHORTEST), _LONGEST)
        ready = select.select(listening, [], [], pause)[0]
        if wake in ready:
            os.read(wake, 4096)
        program.reap()
        if program.code is not None:
            return "ended"
        if asked:
            return "stopped"
        if 0 in ready:
            said = os.read(0, 16)
            if said:  # released
                listening.remove(0)
            else:
                return "stopped"
        say("running")


if __name__ == "__main__":
    number = int(sys.argv[1])
    os.set_inheritable(number, False)
    code = main(number, None if sys.argv[2] == "-" else float(sys.argv[2]), sys.argv[3:])
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), -code)
    sys.exit(code)
