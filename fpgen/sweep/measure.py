"""One point, from the unit's line to its records; runs in a separate process, here or on another machine."""

from __future__ import annotations

import json
import pickle
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fpgen.base.errors import FpgenError, RunFailure, UsageError
from fpgen.base.processes import is_out_of_time

from .job import Job, code_hash, is_fpga
from .plan import library_of

if TYPE_CHECKING:
    from fpgen.library.technology import Technology
    from fpgen.synthesis.yosys import Engine
    from fpgen.units import Unit

    from .numerical_error import Accuracy

#: Less free space than this in the cache, in bytes, and a failure is not the point's fault.
_FULL_BYTES = 8 << 20


@dataclass(frozen=True)
class Done:
    """What became of one job.

    Attributes
    ----------
    key : str
        The job's.
    records : list of dict
        Measured columns, one record for each delay target; one with a `reason` when the point failed.
    lasting : bool
        Whether the same would happen again: such results are kept in the cache. A killed process, a full disk or
        a limit of processor time is not lasting.
    stale : bool
        Whether the worker runs another fpgen than who asked, so that nothing was measured.
    """

    key: str
    records: list[dict[str, Any]]
    lasting: bool
    stale: bool = False


def measure(job: Job) -> Done:
    """Measure a point; every failure becomes a record."""
    start = time.monotonic()
    if job.code != code_hash():
        return Done(job.key, [], False, stale=True)
    try:
        records, lasting = _records(job)
    except UsageError as error:
        records, lasting = [failed(str(error))], True
    except FpgenError as error:
        records, lasting = [failed(str(error))], False
    except OSError as error:
        records, lasting = [failed(f"{error.filename or 'cannot write'}: {error.strerror or error}")], False
    except MemoryError:
        records, lasting = [failed("out of memory; try fewer jobs at once")], False
    except Exception as error:  # a fault of fpgen: the other points still count
        records, lasting = [failed(f"fault in fpgen, please report it: {type(error).__name__}: {error}")], False
    seconds = round(time.monotonic() - start, 3)
    for record in records:
        record["point_seconds"] = seconds
    if not lasting or all(record["status"] == "ok" for record in records):
        return Done(job.key, records, lasting)
    return Done(job.key, records, not _disk_is_full())


def measure_packed(packed: bytes) -> Done:
    """`measure` of a pickled job: what a worker of a cluster is asked for."""
    return measure(pickle.loads(packed))


def failed(reason: str, status: str = "failed") -> dict[str, Any]:
    """The record of a point without figures."""
    return {"status": status, "reason": reason.strip()}


def _disk_is_full() -> bool:
    from fpgen.base.cache import cache_dir

    try:
        return shutil.disk_usage(cache_dir()).free < _FULL_BYTES
    except (FpgenError, OSError):
        return True


def _records(job: Job) -> tuple[list[dict[str, Any]], bool]:
    """The records of a job, and whether none of them would come out otherwise next time."""
    from fpgen.base.provenance import without_provenance
    from fpgen.formal.netlist_proof import with_proofs
    from fpgen.power.energy import with_energy
    from fpgen.synthesis import flow, yosys
    from fpgen.units import parse_unit

    unit = parse_unit(job.unit)
    plan = job.measure
    if is_fpga(plan.technology):
        return _fpga_records(unit, job)
    tech = library_of(plan)
    verilog = without_provenance(unit.verilog())
    points = flow.measure(
        verilog,
        unit.name,
        technology=tech,
        recipe=plan.recipe,
        effort=plan.effort,
        targets=plan.targets,
        wire_load=plan.wire_load,
        engine=plan.engine,
        timeout=plan.timeout or yosys.LIMIT_S,
        cached=not job.fresh,
    )
    points = with_proofs(
        verilog,
        points,
        tech,
        wanted=plan.prove,
        chosen=plan.recipe,
        engine=plan.engine,
        timeout=plan.timeout,
        cached=not job.fresh,
    )
    if plan.power is not None:
        points = [with_energy(unit, point, tech, plan.power, cached=not job.fresh) for point in points]
    common = {"library_hash": tech.library.content_hash, **_of_unit(unit, job)}
    records = []
    for point in points:
        record = {**common, **_columns(point.to_dict())}
        if point.failure is None and plan.breakdown:
            record |= _sections(
                verilog, unit.name, plan.recipe, record, tech, yosys.select(plan.engine), plan.timeout or yosys.LIMIT_S
            )
        records.append(record)
    timed_out = any(
        is_out_of_time(point.failure) or (plan.prove and point.proof["status"] == "timed out") for point in points
    )
    return records, not timed_out


def _fpga_records(unit: Unit, job: Job) -> tuple[list[dict[str, Any]], bool]:
    """The same for an FPGA, by Yosys and nextpnr."""
    from fpgen.synthesis import fpga

    common = _of_unit(unit, job)
    points = fpga.measure(
        unit.verilog(),
        unit.name,
        str(job.measure.technology),
        engine=job.measure.engine,
        timeout=job.measure.timeout or fpga.LIMIT_S,
        cached=not job.fresh,
    )
    records = []
    for point in points:
        plain = point.to_dict()
        plain |= {"technology": plain.pop("target"), "recipe": f"nextpnr/seed {plain['seed']}"}
        records.append({**common, **_columns(plain)})
    return records, not any(is_out_of_time(point.failure) for point in points)


def _of_unit(unit: Unit, job: Job) -> dict[str, Any]:
    """Columns that do not come from a synthesis."""
    return {
        "latency": unit.latency,
        "contract": unit.contract,
        **({} if job.accuracy is None else _accuracy(unit, job.accuracy)),
    }


def _sections(
    verilog: str, top: str, recipe: str | None, record: dict[str, Any], tech: Technology, engine: Engine, timeout: float
) -> dict[str, Any]:
    """The area of each section, as columns; the flat figures are kept even if that synthesis fails."""
    from .breakdown import by_section

    try:
        areas = by_section(
            verilog, top, record["recipe"], record["target_ps"], tech, engine, recipe_file=recipe, timeout=timeout
        )
    except RunFailure as error:
        return {"sections": "", "sections_reason": str(error).splitlines()[0]}
    return {"sections": json.dumps(areas)}


def _accuracy(unit: Unit, accuracy: Accuracy) -> dict[str, Any]:
    from .numerical_error import measure as errors_of

    return errors_of(unit, accuracy)


def _columns(point: dict[str, Any]) -> dict[str, Any]:
    """A point's own columns: every plain value as it is, what has parts as JSON text."""
    failure = point.pop("failure", None)
    proof, power = point.pop("proof", None) or {}, point.pop("power", None) or {}
    for name in ("critical_path", "top"):
        point.pop(name, None)
    if proof.get("status") == "failed":
        failure = f"the mapped netlist is not equivalent to the Verilog: {proof.get('detail') or 'disproved'}"
    columns: dict[str, Any] = failed(failure) if failure is not None else {"status": "ok", "reason": ""}
    plain = {
        **point,
        "proof": proof.get("status"),
        "proof_detail": proof.get("detail"),
        "proof_seconds": proof.get("seconds"),
        **{name if name.endswith(("_pj", "_nw")) else f"power_{name}": value for name, value in power.items()},
    }
    for name, value in plain.items():
        name = "versions" if name == "tools" else name
        if isinstance(value, dict | list | tuple):
            value = json.dumps(value, sort_keys=True)
        columns[name] = value
    if failure is None:
        if "area_um2" in point:
            columns["adp"] = point["area_um2"] * point["delay_ps"] / 1e6
        columns["fmax_mhz"] = 1e6 / point["delay_ps"] if point["delay_ps"] else None
    return columns
