"""Many points on a Dask cluster that is already running: `fpgen sweep FILE --scheduler tcp://host:8786`.

The scheduler hands each job to one worker and, when that worker is lost, to another one. Results come back here:
the cache and the store of the machine that asked are the only ones that count, so nothing is lost or doubled.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib.util
import logging
import pickle
import queue
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fpgen.base.distribution import install_extra
from fpgen.base.errors import MissingTool, RunFailure, UsageError

from .job import Job
from .measure import Done, failed

#: How long a scheduler may take to answer, in s of wall time: a silent network uses no processor time to count.
_ANSWER = 5.0
#: What a worker does. A task that names fpgen's own functions would be unpacked before it runs, and a worker of an
#: existing cluster that has no fpgen, or a broken one, dies of that, one after another; this fails and says why.
_TASK = "__import__('fpgen.sweep.measure', fromlist=['measure_packed']).measure_packed(packed)"
_EXPECTED = "expected an address such as tcp://host:8786"


def each(todo: Sequence[Job], address: str, say: Callable[[str], None]) -> Iterator[Done]:
    """Measure all jobs on the cluster at `address`; results come as they are ready.

    Parameters
    ----------
    todo : sequence of Job
    address : str
        ``tcp://host:port``.
    say : callable
        Called with the number of workers whenever that changes: with none, the sweep waits for them.

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
        raise MissingTool(f"a sweep on a cluster needs Dask: {install_extra('cluster')}")
    from distributed import Client

    _check(address)
    with _quiet():
        client = Client(address, timeout=10 * _ANSWER, set_as_default=False)
        yield from _measured(client, todo, address, say)


def _check(address: str) -> None:
    """Reject what is not an address, and report at once when nothing, or something else, answers there.

    Dask's own client would try for a minute, and leave tracebacks of its threads behind.
    """
    from distributed.comm.addressing import parse_address
    from distributed.comm.registry import backends
    from distributed.security import Security

    try:
        if "://" not in address:
            raise ValueError("no protocol")
        scheme, place = parse_address(address, strict=True)
        known = sorted(set(backends) - {"inproc"})
        if scheme not in known:
            raise ValueError(f"{scheme}:// is none of {', '.join(f'{name}://' for name in known)}")
        host, _, port = place.rpartition(":")
        if not (host and port.isdecimal() and 0 < int(port) < 65_536):
            raise ValueError("no host with a port from 1 to 65535")
        connection = Security().get_connection_args("client")
        if scheme == "tls" and connection.get("ssl_context") is None:
            raise ValueError("Dask's configuration names no certificates (distributed.comm.tls)")
    except ValueError as error:
        raise UsageError(f"scheduler: got {address!r} ({error}); {_EXPECTED}") from None
    try:
        if scheme in ("tcp", "tls"):  # Dask tries again until its time is up, and then says only that
            socket.create_connection((host.strip("[]"), int(port)), _ANSWER).close()
        who = asyncio.run(asyncio.wait_for(_identity(address, connection), _ANSWER + 1))
    except Exception as error:  # Dask wraps what the network says in errors of many kinds
        raise RunFailure(f"no Dask scheduler answers at {address} ({_plainly(error)})") from None
    if who != "Scheduler":
        raise RunFailure(f"no Dask scheduler answers at {address} (there is a {who or 'something else'})")


def _plainly(error: BaseException) -> str:
    """What the operating system said, below what Dask made of it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno is not None and found.strerror:
            return found.strerror
        if isinstance(found, TimeoutError):
            return "no answer"
        found = found.__cause__ or found.__context__
    return "what answers does not speak Dask's protocol"


async def _identity(address: str, connection: dict[str, Any]) -> str:
    """What answers at an address: a Scheduler, Worker, Nanny."""
    from distributed.comm import connect

    comm = await connect(address, timeout=_ANSWER, **connection)
    try:
        await comm.write({"op": "identity", "reply": True})
        found = await comm.read()
    finally:
        comm.abort()
    return str(found.get("type", "")) if isinstance(found, dict) else ""


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tracebacks that Dask's threads log when a scheduler goes away off the terminal; we say it in a line."""
    loggers = [logging.getLogger(name) for name in ("distributed.client", "distributed.core", "distributed.comm")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _measured(client: Any, todo: Sequence[Job], address: str, say: Callable[[str], None]) -> Iterator[Done]:
    """Hand all jobs to the scheduler, and yield what comes back until everything has."""
    finished: queue.Queue[Any] = queue.Queue()
    run = secrets.token_hex(4)  # results of an earlier run that the scheduler still holds are not taken
    futures = {}
    workers = -1
    try:
        for job in todo:
            future = client.submit(eval, _TASK, {"packed": pickle.dumps(job)}, key=f"fpgen-{job.key}-{run}", pure=False)
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
    except OSError:  # a connection that closed under a request
        raise _lost(address) from None
    finally:
        client.cancel([future for future, _ in futures.values()], force=True) if client.status == "running" else None
        client.close(timeout=5)


def _lost(address: str) -> RunFailure:
    return RunFailure(
        f"the Dask scheduler at {address} is gone; finished points are kept, "
        "so the same command resumes where this one stopped"
    )


def _done(future: Any, job: Job, address: str) -> Done:
    if future.status == "finished":
        done: Done = future.result()
        return done
    if future.status == "error":
        error = future.exception()
        # Of the connection, not of the work.
        if isinstance(error, OSError | asyncio.CancelledError | concurrent.futures.CancelledError):
            raise _lost(address)
        if type(error).__name__ != "KilledWorker":  # `measure` itself raises nothing
            raise RunFailure(
                f"a worker cannot run this fpgen ({type(error).__name__}: {error}); install the same one on "
                "every machine, with what `fpgen doctor` asks for"
            )
        reason = "on the cluster: the workers it ran on died, one after another (out of memory?)"
        return Done(job.key, [failed(reason)], False)
    raise _lost(address)  # cancelled or lost: nobody holds it any more
