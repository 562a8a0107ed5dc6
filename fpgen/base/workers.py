"""Processes that work on many things at once, and that end with the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from . import cache

T = TypeVar("T")


@contextmanager
def pool(processes: int, begin: Callable[..., None] | None = None, *arguments: Any) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes; submit work to it as ``workers.submit(run, function, ...)``.

    When the block ends with an exception (Ctrl-C too), the processes are asked to end and waited for; their `finally`
    blocks run, so simulators and Yosys are stopped and scratch files go. When this process is killed, they end too.

    Parameters
    ----------
    processes : int
    begin : callable, optional
        Called in each process before any work, with `arguments`.
    """
    cache.sweep()
    # Fresh ones: a fork of a threaded parent (progress display) may hang.
    workers = ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(begin, arguments)
    )
    try:
        yield workers
    except BaseException:
        for process in list((workers._processes or {}).values()):
            process.terminate()
        workers.shutdown(wait=True, cancel_futures=True)
        raise
    workers.shutdown()


def run_task(function: Callable[..., T], *arguments: Any) -> T:
    """``function(*arguments)`` in a worker; when asked to end, the process ends here.

    Left to itself the pool takes the SystemExit for a result and continues, and its parent waits forever.
    """
    try:
        return function(*arguments)
    except SystemExit:
        os._exit(128 + signal.SIGTERM)


def _begin(begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Set up a worker: end quietly when asked to, and with the parent."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(128 + signal.SIGINT))
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    if begin:
        begin(*arguments)
