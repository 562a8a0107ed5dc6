"""The main job: every unit of a plan to Verilog, verified in simulation, synthesised, and written as a bundle.

Units are worked on in separate processes. One that fails is reported with its reason and the others continue.
A unit whose parameters, options, tools and whose fpgen are the same as last time, and whose files are
untouched, costs nothing.
"""

from __future__ import annotations

import json
import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from fpgen.base import ownership, workers
from fpgen.base.cache import sweep
from fpgen.base.errors import FpgenError, UsageError
from fpgen.base.fingerprint import fingerprint, tool_versions
from fpgen.base.ownership import RECORD
from fpgen.base.provenance import provenance

from .bundle import cells_name, check_target, mapped_name, withdraw, write_bundle
from .designs import BuildPlan, Design


@dataclass(frozen=True)
class BuildStep:
    """Where a unit is: `what` is being done, the `fraction` of its work behind it, the `seconds` since the start."""

    unit: str
    what: str
    fraction: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What became of one unit.

    Attributes
    ----------
    name, text, contract, latency
        The unit's own.
    passed : bool
        Whether it was verified, synthesised and written.
    reason : str
        Why not; empty when it passed.
    vectors : int
        Vectors compared with the golden model.
    method : str
        ``exhaustive``, ``proven`` or ``sampled``.
    seed : int
        Of the sample.
    area_um2, nand2_eq, delay_ps : float
        Of the point with the smallest product of area and delay.
    technology : str
    directory : str
        Where the files are; empty when nothing was written.
    seconds : float
        What the unit took, 0 when an earlier result still holds.
    reused : bool
        Whether that is so.
    notes : tuple of str
        What of an earlier bundle, or of the user's own, was moved; a line each.
    """

    name: str
    text: str
    contract: str
    latency: int
    passed: bool = False
    reason: str = ""
    vectors: int = 0
    method: str = ""
    seed: int = 0
    area_um2: float = float("nan")
    nand2_eq: float = float("nan")
    delay_ps: float = float("nan")
    technology: str = ""
    directory: str = ""
    seconds: float = 0.0
    reused: bool = False
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON: figures that are not there are null."""
        return {key: None if value != value else value for key, value in asdict(self).items()}


@dataclass(frozen=True)
class BuildJob:
    """One unit's work, as it is sent to a process."""

    design: Design
    output: Path
    seed: int
    technology: str | None
    key: str
    extra: Mapping[str, Any] = field(default_factory=dict)


def build(
    plan: BuildPlan,
    *,
    output: Path | None = None,
    jobs: int = 2,
    force: bool = False,
    progress: Callable[[BuildStep], None] | None = None,
) -> list[Outcome]:
    """Build, verify and cost every unit of `plan`.

    Parameters
    ----------
    plan : BuildPlan
    output : Path, optional
        Where the units' directories go; default `plan.output`.
    jobs : int
        Units worked on at once.
    force : bool
        Do everything again, also where nothing changed.
    progress : callable, optional
        Called in this process with each `BuildStep`.

    Returns
    -------
    list of Outcome
        In the order of the plan.
    """
    if jobs < 1:
        raise UsageError(f"jobs: got {jobs}; expected 1 or more")
    progress = progress or (lambda step: None)
    sweep()
    output = plan.output if output is None else output
    for design in plan.designs:
        check_target(output / design.unit.name)
    same = (fingerprint(), *tool_versions())
    todo = [BuildJob(design, output, plan.seed, plan.technology, _key(design, plan, same)) for design in plan.designs]
    found: dict[int, Outcome] = {}
    for index, job in enumerate(todo):
        earlier = None if force else _earlier(job)
        if earlier is not None:
            progress(BuildStep(job.design.unit.name, "unchanged", 1.0))
            found[index] = earlier
    waiting = {index: job for index, job in enumerate(todo) if index not in found}
    if waiting:
        found.update(_work_through(waiting, min(jobs, len(waiting)), progress))
    return [found[index] for index in range(len(todo))]


def _key(design: Design, plan: BuildPlan, same: Sequence[str]) -> str:
    from fpgen.base.cache import digest

    return digest(
        design.unit.content_hash,
        design.unit.name,
        design.note,
        str(design.vectors),
        str(design.target),
        str(plan.seed),
        str(plan.technology),
        *same,
    )


def _earlier(job: BuildJob) -> Outcome | None:
    """The outcome of an earlier run that still holds: same key, and every file as it was written."""
    directory = job.output / job.design.unit.name
    try:
        record = json.loads((directory / RECORD).read_text())
        if record["key"] != job.key or not ownership.intact(directory, record["files"]):
            return None
        return replace(Outcome(**record["outcome"]), directory=str(directory), seconds=0.0, reused=True, notes=())
    except (OSError, ValueError, KeyError, TypeError):
        return None


# ---- the processes ------------------------------------------------------------------


def _work_through(
    todo: Mapping[int, BuildJob], processes: int, progress: Callable[[BuildStep], None]
) -> dict[int, Outcome]:
    steps: multiprocessing.Queue[BuildStep] = multiprocessing.get_context("spawn").Queue()
    start = time.monotonic()
    threading.Thread(target=_warm_yosys, args=(steps,), daemon=True).start()
    with workers.pool(processes, _report_to, steps) as pool:
        for job in todo.values():
            progress(BuildStep(job.design.unit.name, "waiting", 0.0))
        futures: dict[Future[Outcome], int] = {pool.submit(workers.run_task, _unit, job): i for i, job in todo.items()}
        left = set(futures)
        while left:
            left = wait(left, timeout=0.1).not_done
            _drain(steps, start, progress)
    _drain(steps, start, progress)
    return {index: _outcome(future, todo[index]) for future, index in futures.items()}


def _warm_yosys(steps: multiprocessing.Queue[BuildStep]) -> None:
    """Let Yosys's first start (its WebAssembly is compiled, once on a machine) overlap with the simulations."""
    from fpgen.synthesis import yosys

    with suppress(FpgenError, OSError):  # the step that needs it will report what is wrong
        engine = yosys.select()
        if yosys.is_cold(engine):
            yosys.warm(engine, lambda line: steps.put(BuildStep("Yosys", line, 0.0)))
            steps.put(BuildStep("Yosys", "ready", 1.0))


def _drain(steps: multiprocessing.Queue[BuildStep], start: float, progress: Callable[[BuildStep], None]) -> None:
    while True:
        try:
            step = steps.get_nowait()
        except queue.Empty:
            return
        progress(replace(step, seconds=time.monotonic() - start))


def _outcome(future: Future[Outcome], job: BuildJob) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        return replace(_blank(job), reason="its process was killed (out of memory?); try --jobs 1")
    except Exception as error:  # a fault of fpgen: the other units still count
        return replace(_blank(job), reason=f"fault in fpgen, please report it: {type(error).__name__}: {error}")


_steps: multiprocessing.Queue[BuildStep] | None = None


def _report_to(steps: multiprocessing.Queue[BuildStep]) -> None:
    """In a worker: where its steps are reported."""
    global _steps
    _steps = steps


# ---- one unit -----------------------------------------------------------------------


def _blank(job: BuildJob) -> Outcome:
    unit = job.design.unit
    return Outcome(unit.name, unit.text, unit.contract, unit.latency)


def _say(job: BuildJob, what: str, fraction: float) -> None:
    if _steps is not None:
        _steps.put(BuildStep(job.design.unit.name, what, fraction))


def _unit(job: BuildJob) -> Outcome:
    """Everything for one unit, in a separate process; every failure becomes an outcome."""
    start = time.monotonic()
    blank = _blank(job)
    notes: list[str] = []
    try:
        outcome = _verified_and_costed(job, blank, start, notes.append)
    except FpgenError as error:
        outcome = replace(blank, reason=str(error))
    except OSError as error:
        outcome = replace(blank, reason=f"{error.filename or ''}: {error.strerror or error}".lstrip(": "))
    except MemoryError:
        outcome = replace(blank, reason="out of memory; try --jobs 1")
    if not outcome.passed:
        try:
            withdraw(job.output / job.design.unit.name, "this run failed", notes.append)
        except FpgenError as error:
            notes.append(f"{error}; the files there are from an earlier run")
    _say(job, "done" if outcome.passed else "FAILED", 1.0)
    return replace(outcome, seconds=time.monotonic() - start, notes=tuple(notes))


#: Of a verdict: what does not describe the unit.
_NOT_EVIDENCE = ("evidence", "waveform", "cached")


def _verified_and_costed(job: BuildJob, blank: Outcome, start: float, progress: ownership.Progress) -> Outcome:
    from fpgen.library.technology import DEFAULT
    from fpgen.ppa import measure_unit
    from fpgen.synthesis import flow
    from fpgen.timing import netlist

    from . import cell_models

    design, unit = job.design, job.design.unit
    _say(job, "writing Verilog", 0.05)
    verilog = unit.verilog()
    _say(job, "simulating", 0.1)
    verdict = unit.verify(
        seed=job.seed, vectors=design.vectors, progress=lambda what, fraction: _say(job, what, 0.1 + 0.5 * fraction)
    )
    evidence = {name: value for name, value in verdict.to_dict().items() if name not in _NOT_EVIDENCE}
    if not verdict.passed:
        where = write_bundle(
            unit, job.output, verilog=verilog, note=design.note, evidence=evidence, suffix=".failed", progress=progress
        )
        return replace(blank, reason=verdict.summary, directory=str(where))
    _say(job, "synthesising", 0.6)
    points = measure_unit(unit, technology=job.technology, targets=None if design.target is None else (design.target,))
    good = [point for point in points if point.failure is None]
    if not good:
        failures = sorted({str(point.failure) for point in points})
        return replace(blank, reason="; ".join(failures) or "no synthesis was made")
    best = min(good, key=lambda point: point.adp)
    ordered = [best, *(point for point in points if point is not best)]
    _say(job, "writing files", 0.95)
    outcome = replace(
        blank,
        passed=True,
        vectors=verdict.vectors,
        method=verdict.method,
        seed=job.seed,
        area_um2=best.area_um2,
        nand2_eq=best.nand2_eq,
        delay_ps=best.delay_ps,
        technology=best.technology,
        directory=str(job.output / unit.name),
        seconds=time.monotonic() - start,
    )
    mapped = flow.netlist_text(best.netlist_hash)
    library = flow.load_technology(job.technology or DEFAULT).library
    models = cell_models.models_of(netlist.from_text(mapped, unit.name), library)
    for cell, why in models.left_out:
        progress(f"{cells_name(unit)}: no model of {cell}: {why}")
    write_bundle(
        unit,
        job.output,
        verilog=verilog,
        note=design.note,
        evidence=evidence,
        extra={mapped_name(unit): "\n".join([*provenance(), mapped]), cells_name(unit): models.text},
        points=[point.to_dict() for point in ordered],
        record={
            "command": design.command(job.seed, job.technology),
            "key": job.key,
            "outcome": asdict(outcome),
        },
        progress=progress,
    )
    try:
        ownership.withdraw(job.output / f"{unit.name}.failed")
    except OSError as error:
        progress(f"{job.output / unit.name}.failed: an earlier failure, and cannot be removed: {error.strerror}")
    return outcome
