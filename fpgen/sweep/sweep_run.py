"""A sweep from its file to its store: what is known comes from the cache, the rest is measured."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fpgen.base.cache import cache_dir, write_whole
from fpgen.base.errors import FpgenError, RunFailure, UsageError

from . import local, plan, store
from .cases import SweepCase, cases, check_measure
from .columns import PARAMETER
from .job import Job, job_of
from .measure import Done, failed
from .spec import Hints, Sweep

OUTPUT = Path("sweep_out")
#: The store is brought up to date this often while a sweep runs, in s.
_CHECKPOINT_SECONDS = 20.0
_FULL_BYTES = 8 << 20


@dataclass(frozen=True)
class Progress:
    """Where a sweep is.

    Attributes
    ----------
    done, total, reused, failed, measured : int
        Points; `reused` ones came from the cache, `measured` ones are of this run, and the rejected are neither.
    last : str
        The point that was finished last.
    notice : str
        Something else to report, about the cluster.
    """

    done: int
    total: int
    reused: int = 0
    failed: int = 0
    measured: int = 0
    last: str = ""
    notice: str = ""


@dataclass(frozen=True)
class SweepResult:
    """What a sweep came to.

    Attributes
    ----------
    records : list of dict
        As they are in the store.
    paths : list of Path
        The store's files.
    points, reused, seconds
        Points in all, of these from the cache, and wall time in s.
    """

    sweep: Sweep
    records: list[dict[str, Any]]
    paths: list[Path]
    points: int
    reused: int
    seconds: float
    failures: list[dict[str, Any]] = field(default_factory=list)


Follower = Callable[[Progress], None]


def run_sweep(
    sweep: Sweep,
    *,
    output: Path = OUTPUT,
    jobs: int = 2,
    full: bool = False,
    scheduler: str | None = None,
    force: bool = False,
    progress: Follower | None = None,
) -> SweepResult:
    """Measure every point of a sweep and write its store.

    Parameters
    ----------
    sweep : Sweep
    output : Path
        Directory of the store, `<output>/<name>.parquet` and `.csv`.
    jobs : int
        Points measured at once on this machine.
    full : bool
        The whole grid, not the slice.
    scheduler : str, optional
        A Dask scheduler's address; the points are then measured by its workers.
    force : bool
        Measure again what is known.
    progress : callable, optional
        Called with a `Progress` after each point.

    Returns
    -------
    SweepResult

    Raises
    ------
    UsageError
        When the sweep makes no sense.
    RunFailure
        When the store or the cache cannot be written, or the scheduler is gone. Points measured so far are in
        the cache, and the next run takes them from there.
    """
    if jobs < 1:
        raise UsageError(f"jobs: got {jobs}; expected 1 or more")
    start = time.monotonic()
    found = cases(sweep, full=full)
    check_measure(sweep, found)
    store.prepare(output / sweep.name)
    state = _SweepState(sweep, found, output / sweep.name, progress or (lambda step: None))
    state.known(force)
    try:
        if state.todo:
            todo = [replace(job, fresh=True) for job in state.todo.values()] if force else list(state.todo.values())
            for done in _each(todo, jobs, scheduler, state):
                state.take(done)
    except BaseException:
        state.save_quietly()  # the first error is the one to report
        raise
    paths = state.save()
    records = state.records()
    return SweepResult(
        sweep,
        records,
        paths,
        len(found),
        state.reused,
        time.monotonic() - start,
        [record for record in records if record["status"] != "ok"],
    )


def _each(todo: Sequence[Job], jobs: int, scheduler: str | None, state: _SweepState) -> Iterator[Done]:
    from fpgen.synthesis import fpga, fpga_families, yosys

    if scheduler is None:
        for name, target in {(job.measure.engine, str(job.measure.technology)) for job in todo}:
            known = target in fpga_families.targets()
            for engine in fpga.engines(target, name) if known else [yosys.select(name)]:
                yosys.warm(engine, state.notice)
        return local.each(todo, jobs)
    from . import cluster

    return cluster.each(todo, scheduler, state.notice)


class _SweepState:
    """The points of a run and what is known of them; the only writer of cache and store."""

    def __init__(self, sweep: Sweep, found: list[SweepCase], path: Path, progress: Follower) -> None:
        self.sweep, self.cases, self.path, self.progress = sweep, found, path, progress
        self.jobs = [None if case.unit is None else job_of(case, sweep) for case in found]
        self.results: dict[str, list[dict[str, Any]]] = {}
        self.todo: dict[str, Job] = {}
        self.places: dict[str, list[int]] = {}
        self.reused = self.failed = self.measured = 0
        self.written = time.monotonic()
        for index, job in enumerate(self.jobs):
            if job is not None:
                self.places.setdefault(job.key, []).append(index)

    def known(self, force: bool) -> None:
        """Take what the cache has; the rest is `todo`, each content once."""
        for key, places in self.places.items():
            records = None if force else _cached(key)
            if records is None:
                job = self.jobs[places[0]]
                assert job is not None
                self.todo[key] = job
            else:
                self.results[key] = records
                self.reused += len(places)
                self.failed += len(places) * any(record["status"] != "ok" for record in records)
        self._report("")

    def take(self, done: Done) -> None:
        """Keep a result, in the cache if it would be the same again, and bring the store up to date now and then."""
        if done.key in self.results:
            return
        if done.stale:
            raise RunFailure(
                "a worker runs another fpgen (other code, recipes or technologies) than this command; "
                "install the same one everywhere, and do not change it while a sweep runs"
            )
        if done.lasting:
            write_whole(_cache_path(done.key), json.dumps(done.records))
        elif _disk_is_full():
            raise RunFailure(
                "the disk is full; finished points are kept, so the same command resumes where this one stopped"
            )
        self.results[done.key] = done.records
        places = self.places[done.key]
        self.measured += len(places)
        self.failed += len(places) * any(record["status"] != "ok" for record in done.records)
        self._report(self.cases[places[0]].text)
        if time.monotonic() - self.written > _CHECKPOINT_SECONDS:
            self.save()

    def notice(self, text: str) -> None:
        self._report("", text)

    def _report(self, last: str, notice: str = "") -> None:
        rejected = self.jobs.count(None)
        self.progress(
            Progress(
                self.reused + self.measured + rejected,
                len(self.cases),
                self.reused,
                self.failed + rejected,
                self.measured,
                last,
                notice,
            )
        )

    def records(self) -> list[dict[str, Any]]:
        """The store's records: every finished point, in the order of the sweep."""
        found = []
        for case, job in zip(self.cases, self.jobs, strict=True):
            measured = [failed(case.rejection, "rejected")] if job is None else self.results.get(job.key, [])
            for record in measured:
                found.append({**described(self.sweep, case), "key": "" if job is None else job.key, **record})
        return found

    def save(self) -> list[Path]:
        self.written = time.monotonic()
        return store.write(self.path, self.records())

    def save_quietly(self) -> None:
        """Save what there is when something else has gone wrong already."""
        if self.results:
            with suppress(FpgenError, OSError):
                self.save()


def described(sweep: Sweep, case: SweepCase) -> dict[str, Any]:
    """The columns that every record has, with figures or without: which point it is of, and how that is measured."""
    unit = case.unit
    varied = [name for name, values in sweep.parameters.items() if len(values) > 1]
    hints: Hints = sweep.hints
    return {
        "sweep": sweep.name,
        "title": sweep.title,
        "point": _together(case, varied or list(case.parameters)),
        **{PARAMETER + name: value for name, value in case.parameters.items()},
        "series": _together(case, hints.series),
        "scale": hints.scale,
        "compete": _together(case, hints.compete),
        "unit": case.text if unit is None else unit.text,
        "name": "" if unit is None else unit.name,
        "operation": "" if unit is None else unit.operation,
        "unit_hash": "" if unit is None else unit.content_hash,
        **plan.described(case.measure),
    }


def _together(case: SweepCase, names: Sequence[str]) -> str:
    return ", ".join(f"{name}={case.parameters[name]}" for name in names)


def _cache_path(key: str) -> Path:
    return cache_dir("sweeps") / f"{key}.json"


def _cached(key: str) -> list[dict[str, Any]] | None:
    """The records of an earlier run, or None when they are not there or not whole."""
    try:
        records = json.loads(_cache_path(key).read_bytes())
        return records if isinstance(records, list) and records and all("status" in item for item in records) else None
    except (OSError, ValueError, TypeError):
        return None


def _disk_is_full() -> bool:
    try:
        return shutil.disk_usage(cache_dir()).free < _FULL_BYTES
    except OSError:
        return True
