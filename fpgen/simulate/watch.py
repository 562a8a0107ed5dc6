"""Distinguishing a simulation that hangs from one that is slow: by the processor time it uses without progress.

Progress is a byte read from the stream of vectors, a line in the simulator's log, or a clock of a protocol test (their
heartbeat, `sim/testbench/bench.py`). Wall time decides nothing, since a busy
machine stretches it without bound; but a simulator that sleeps all the time has no work left, and what it waits for is
here at once. Where there is no /proc (macOS) neither can be seen, and a simulation that hangs has to
be interrupted.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NoReturn

from fpgen.base.errors import RunFailure

from .simulator import Running

#: Processor seconds of the simulator without progress after which it hangs: a thousand times what a large unit needs
#: for a row in the slowest simulator.
LIMIT_S = 300.0
#: Looks in a row at a simulator that sleeps (half a second each) after which it waits for something that never comes.
_ASLEEP = 1200
_LOOK_S = 0.5


class Watch:
    """Watches one running simulation; `look` is called whenever this process waits for it.

    Parameters
    ----------
    running : Running
    limit : float, optional
        Processor seconds without progress; default `LIMIT_S`.
    """

    def __init__(self, running: Running, limit: float | None = None) -> None:
        self.running = running
        self.limit = LIMIT_S if limit is None else limit
        self._files = (running.log, running.where / "heartbeat")
        self._seen: tuple[int, ...] = ()
        self._used = 0.0
        self._asleep = 0
        self._last = 0.0

    def look(self, unread: int = 0) -> None:
        """Note progress, and end a simulation that makes none.

        Parameters
        ----------
        unread : int
            Bytes that lie in the FIFO; any other number than before is progress.

        Raises
        ------
        RunFailure
            After `limit` processor seconds without progress.
        """
        now = time.monotonic()
        if now - self._last < _LOOK_S:
            return
        self._last = now
        used = self.running.process.processor_seconds
        seen = (unread, *(_size(path) for path in self._files))
        if seen != self._seen:
            self._seen, self._used, self._asleep = seen, used, 0
            return
        self._asleep = self._asleep + 1 if self.running.process.asleep else 0
        if used - self._used > self.limit:
            self._end(f"made no progress in {self.limit:.0f} s of processor time")
        if self._asleep > _ASLEEP:
            self._end("sleeps with work to do")

    def _end(self, what: str) -> NoReturn:
        self.running.stop()
        raise RunFailure(f"simulation: {what} and was ended; log:\n{self.running.tail()}")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
