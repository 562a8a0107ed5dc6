"""Many points in processes of this machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool

from fpgen.base import workers

from .job import Job
from .measure import Done, failed, measure


def each(todo: Sequence[Job], processes: int) -> Iterator[Done]:
    """Measure all jobs, `processes` at once; results come as they are ready.

    A process that dies (the system ran out of memory, someone killed it) takes the others of its pool along. The
    jobs that were running are tried again one by one, and the one whose process dies again is a failed point.
    """
    waiting = deque(todo)
    alone: deque[Job] = deque()
    while waiting or alone:
        if alone:
            job = alone.popleft()
            lost = yield from _pool(deque([job]), 1)
            if lost:
                yield Done(job.key, [failed("its process was killed twice (out of memory?); try --jobs 1")], False)
        else:
            alone.extend((yield from _pool(waiting, min(processes, len(waiting)))))


def _pool(waiting: deque[Job], processes: int) -> Generator[Done, None, list[Job]]:
    """Work through `waiting` until it is empty or a process dies; returns the jobs that were running then."""
    running: dict[Future[Done], Job] = {}
    with workers.pool(processes) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < processes:
                    running[pool.submit(workers.run_task, measure, waiting[0])] = waiting[0]
                    waiting.popleft()
                for future in wait(running, timeout=0.5, return_when=FIRST_COMPLETED).done:
                    done = future.result()
                    del running[future]
                    yield done
        except BrokenProcessPool:
            for future in list(running):
                if future.done() and future.exception() is None:
                    del running[future]
                    yield future.result()
            return list(running.values())
    return []
