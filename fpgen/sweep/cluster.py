"""Many points on a Dask cluster that is there already: `fpgen sweep FILE --scheduler tcp://host:8786`.

The scheduler hands each job to one worker and, when that worker is lost, to another one. Results come back here:
the cache and the store of the machine that asked are the only ones that count, so nothing is lost or doubled.
"""

from __future__ import annotations

import importlib.util
import queue
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..errors import MissingTool, RunFailure, UsageError
from .job import Job
from .measure import Done, failed, measure

#: How long a scheduler may take to answer.
_ANSWER = "10s"


def each(todo: Sequence[Job], address: str, say: Callable[[str], None]) -> Iterator[Done]:
    """Measure all jobs on the cluster at `address`; results come as they are ready.

    Parameters
    ----------
    todo : sequence of Job
    address : str
        ``tcp://host:port``.
    say : callable
        Told how many workers there are whenever that changes: with none, the sweep waits for them.

    Raises
    ------
    UsageError
        For an address that is none.
    MissingTool
        Without Dask.
    RunFailure
        When the scheduler does not answer, or is lost.
    """
    if importlib.util.find_spec("distributed") is None:
        raise MissingTool("a sweep on a cluster needs Dask: pip install 'fpgen[cluster]'")
    if "://" not in address:
        raise UsageError(f"scheduler {address!r}; an address such as tcp://host:8786 is allowed")
    from distributed import Client

    try:
        client = Client(address, timeout=_ANSWER, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise RunFailure(f"no Dask scheduler answers at {address} ({type(error).__name__})") from None
    except (ValueError, TypeError) as error:
        raise UsageError(f"scheduler {address!r}: {error}; an address such as tcp://host:8786 is allowed") from None
    finished: queue.Queue[Any] = queue.Queue()
    run = secrets.token_hex(4)  # results of an earlier run that the scheduler still holds are not taken
    futures = {}
    workers = -1
    try:
        for job in todo:
            future = client.submit(measure, job, key=f"fpgen-{job.key}-{run}", pure=False)
            futures[future.key] = (future, job)
            future.add_done_callback(finished.put)
        while futures:
            try:
                future = finished.get(timeout=1)
            except queue.Empty:
                if client.status != "running":
                    raise _lost(address) from None
                now = len(client.scheduler_info(n_workers=-1).get("workers", {}))
                if now != workers:
                    workers = now
                    say(f"{workers} workers" if workers else "no workers: waiting for some to join the scheduler")
                continue
            _, job = futures.pop(future.key)
            yield _done(future, job, address)
            future.release()
    finally:
        client.cancel([future for future, _ in futures.values()], force=True) if client.status == "running" else None
        client.close(timeout=5)


def _lost(address: str) -> RunFailure:
    return RunFailure(f"the Dask scheduler at {address} is gone; the points that were done are kept, "
                      "so the same command goes on where this one stopped")


def _done(future: Any, job: Job, address: str) -> Done:
    if future.status == "finished":
        return future.result()
    if future.status == "error":
        error = future.exception()
        what = "the workers it ran on died, one after another (out of memory?)" \
            if type(error).__name__ == "KilledWorker" else f"{type(error).__name__}: {error}"
        return Done(job.key, [failed(f"on the cluster: {what}")], False)
    raise _lost(address)  # cancelled or lost: nobody holds it any more
