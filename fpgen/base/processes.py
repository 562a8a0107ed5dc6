"""Programs that fpgen starts: compilers, simulators, Yosys, nextpnr. All of them are started here.

None outlives fpgen, whatever ends fpgen (`kill -9`, too), nor does anything that they have started themselves: each
has a supervisor (`fpgen/base/supervisor.py`) at its side, which ends them when the pipe to fpgen closes.

Limits are in seconds of processor time, those of a program and of all that it starts counted together. A busy
machine makes a run longer and stops nothing. (Where there is no `/proc` to look into, each process is counted alone.)
"""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .errors import RunFailure

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
#: How often the processor time is reported, in s.
_TELL = 1.0
_POLL = 0.02
_STOPPED = "was stopped at its limit of"


class OutOfTime(RunFailure):
    """A program was stopped at its limit of processor time."""

    def __init__(self, what: str, limit: float, remedy: str = "") -> None:
        super().__init__(f"{what} {_STOPPED} {limit:g} s of processor time{'; ' if remedy else ''}{remedy}")


def is_out_of_time(failure: str | None) -> bool:
    """Whether the reason of a failure is such a limit, which may be raised."""
    return failure is not None and _STOPPED in failure


@dataclass(frozen=True)
class Ended:
    """A program that has ended: its exit code (negative: the signal), what it wrote, processor seconds of its tree."""

    code: int
    output: str
    processor_seconds: float


class Process(subprocess.Popen[bytes]):
    """A program in progress; what `subprocess.Popen` offers, with all its descendants included.

    Parameters
    ----------
    command : sequence of str
    output : file
        Where standard output and standard error go.
    cwd, env
        As for `subprocess.Popen`.
    limit : float, optional
        Seconds of processor time.
    pass_fds : sequence of int
        Open files that the program inherits.

    Raises
    ------
    OSError
        When there is no such program.
    """

    def __init__(
        self,
        command: Sequence[str],
        output: IO[Any] | int,
        *,
        cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        limit: float | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._status = _memory()
        self.limit = limit
        if shutil.which(command[0], path=(os.environ if env is None else env).get("PATH")) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
        super().__init__(
            [
                sys.executable,
                "-I",
                "-S",
                str(_SUPERVISOR),
                str(self._status.fileno()),
                "-" if limit is None else repr(limit),
                *command,
            ],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            start_new_session=True,
            bufsize=0,
            pass_fds=(self._status.fileno(), *pass_fds),
        )

    @property
    def asleep(self) -> bool:
        """Whether the program sleeps, rather than runs or waits for a processor; False where that cannot be seen."""
        with suppress(OSError, IndexError):
            return Path(f"/proc/{self._reported()[0]}/stat").read_text().rpartition(")")[2].split()[0] == "S"
        return False

    @property
    def processor_seconds(self) -> float:
        """Of the whole tree, so far."""
        return float(self._reported()[1])

    @property
    def out_of_time(self) -> bool:
        """Whether it was stopped at its limit."""
        return self._reported()[2] == "limit"

    @property
    def unstartable(self) -> int:
        """The system's error number when the program could not be executed, else 0."""
        reported = self._reported()
        return int(reported[3]) if reported[2] == "unstartable" else 0

    def poll(self) -> int | None:
        found = super().poll()
        if found is not None:
            self._settle()
        return found

    def wait(self, timeout: float | None = None) -> int:
        found = super().wait(timeout)
        self._settle()
        return found

    def kill(self) -> None:
        """Have the whole tree killed."""
        if self.stdin is not None:
            self.stdin.close()

    def release(self) -> None:
        """Let it continue to its end when this process ends first."""
        if self.stdin is not None and not self.stdin.closed:
            with suppress(OSError):
                self.stdin.write(b"r")

    def _reported(self) -> list[str]:
        return os.pread(self._status.fileno(), 64, 0).decode().split() or ["0", "0", "starting"]

    def _settle(self) -> None:
        """The supervisor has ended; where it was killed itself, the program's group is ended from here."""
        reported = self._reported()
        if reported[2] == "running" and int(reported[0]) > 0:
            with suppress(OSError):
                os.killpg(int(reported[0]), 9)
        if self.stdin is not None:
            self.stdin.close()


def _memory() -> IO[bytes]:
    """An unnamed file that two processes share."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("fpgen"), "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


_may_finish: dict[Process, str] = {}


@atexit.register
def _release_all() -> None:
    """The end of this process is a polite one, or this is not called."""
    for process, what in list(_may_finish.items()):
        if process.poll() is None:
            process.release()
            print(f"fpgen: {what} continues in the background until it ends", file=sys.stderr)


@contextmanager
def started(
    command: Sequence[str], output: IO[Any] | int, *, may_finish: str = "", **options: Any
) -> Iterator[Process]:
    """A `Process` (of these parameters) that is ended with the block.

    Parameters
    ----------
    command, output, options
        See `Process`.
    may_finish : str
        What it is, when an exception in the block shall not end it; see `run_program`.

    Raises
    ------
    OSError
        When there is no such program.
    """
    process = Process(command, output, **options)
    if may_finish:
        _may_finish[process] = may_finish
    try:
        yield process
    finally:
        if process.poll() is not None:
            _may_finish.pop(process, None)
        elif not may_finish:
            process.kill()
            process.wait()


def run_program(
    command: Sequence[str],
    *,
    what: str,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    limit: float | None = None,
    remedy: str = "",
    progress: Callable[[float], None] | None = None,
    pass_fds: Sequence[int] = (),
    may_finish: str = "",
) -> Ended:
    """Run a program to its end.

    Parameters
    ----------
    command : sequence of str
    what : str
        What messages call it.
    cwd, env, limit, pass_fds
        See `Process`.
    remedy : str
        What to do about the limit, for the message.
    progress : callable, optional
        Called every second with the processor seconds so far.
    may_finish : str
        What it is, if it is to continue to its end although this process ends politely before (which says so then);
        killed, this process takes it along.

    Raises
    ------
    OutOfTime
        At the limit.
    RunFailure
        When it cannot be started.
    """
    with tempfile.TemporaryFile() as output:
        try:
            with started(
                command, output, may_finish=may_finish, cwd=cwd, env=env, limit=limit, pass_fds=pass_fds
            ) as process:
                wait(process, progress)
        except OSError as error:
            raise RunFailure(f"{what}: cannot be started ({error.strerror})") from None
        return _ended(process, output, what, remedy)


def wait(process: Process, progress: Callable[[float], None] | None = None) -> int:
    """Wait for the end, and report the processor seconds every second; returns the exit code."""
    if progress is None:
        return process.wait()
    while True:
        try:
            return process.wait(_TELL)
        except subprocess.TimeoutExpired:
            progress(process.processor_seconds)


def run_all(commands: Sequence[Sequence[str]], *, what: str, most: int, **options: Any) -> list[Ended]:
    """Run programs to their ends, `most` at once; an exception (Ctrl-C too) ends those that run.

    Parameters
    ----------
    commands : sequence of sequence of str
    what : str
        What messages call each of them.
    most : int
    options
        `cwd`, `env` and `limit` of `Process`.

    Returns
    -------
    list of Ended
        In the order of `commands`.

    Raises
    ------
    OutOfTime, RunFailure
        As `run_program`; for the first of them, when all have ended.
    """
    with ExitStack() as stack:
        running: list[tuple[Process, IO[bytes]]] = []
        for command in commands:
            while sum(process.poll() is None for process, _ in running) >= most:
                time.sleep(_POLL)
            output = stack.enter_context(tempfile.TemporaryFile())
            try:
                running.append((stack.enter_context(started(command, output, **options)), output))
            except OSError as error:
                raise RunFailure(f"{what}: cannot be started ({error.strerror})") from None
        for process, _ in running:
            process.wait()
        return [_ended(process, output, what) for process, output in running]


def _ended(process: Process, output: IO[bytes], what: str, remedy: str = "") -> Ended:
    if process.unstartable:
        raise RunFailure(f"{what}: cannot be started ({os.strerror(process.unstartable)})")
    if process.out_of_time:
        raise OutOfTime(what, process.limit or 0.0, remedy)
    output.seek(0)
    return Ended(process.returncode, output.read().decode(errors="replace"), process.processor_seconds)
