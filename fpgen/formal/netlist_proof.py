"""Proof of a measured point: its mapped netlist against the Verilog that it came from, and what the record says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fpgen.base.cache import cache_dir, digest, write_whole
from fpgen.base.errors import RunFailure
from fpgen.base.provenance import without_provenance
from fpgen.library.technology import Technology
from fpgen.synthesis import flow, recipe, yosys
from fpgen.synthesis.point import Point
from fpgen.synthesis.recipe import Recipe

from . import equivalence
from .proof import LIMIT_S, Proof

# A new number when a proof's meaning changes.
_VERSION = "2"
# Without --prove, netlists of up to so many cells are proven, and so many cells of all points together: about a
# millisecond of processor time each (docs/power.md). Counted in cells, so that a busy machine proves the same ones.
MOST_CELLS = 4000
ALL_CELLS = 30_000
# And so many seconds of processor time are spent on one of them.
QUICK_S = 30.0


_ASK = "without --prove"


def prove_point(
    verilog: str,
    point: Point,
    technology: Technology | str,
    *,
    chosen: Recipe | str | None = None,
    engine: str | None = None,
    timeout: float = LIMIT_S,
    cached: bool = True,
) -> Proof:
    """Prove a point's netlist equal to its Verilog.

    Parameters
    ----------
    verilog : str
        What the point was made from.
    point : Point
        Without a failure; its netlist is in the cache.
    technology : Technology or str
        The one the point was made with.
    chosen : Recipe or str, optional
        Where the point's recipe is not a built-in one. It says how the Verilog's multipliers were built: the proof
        builds them alike.
    engine : str, optional
        See `fpgen.synthesis.yosys.select`.
    timeout : float
        Seconds of processor time.
    cached : bool
        Whether an answer known from earlier may be returned.

    Returns
    -------
    Proof
        `inconclusive` also when Yosys could not read or compare the two; `detail` says why.

    Raises
    ------
    UsageError
        When the limit is not positive.
    RunFailure
        When the point has failed, or its netlist is gone.
    """
    yosys.check_limit(timeout)
    if point.failure is not None:
        raise RunFailure(f"{point.top} has no netlist to prove: {point.failure}")
    tech = flow.load_technology(technology)
    verilog = without_provenance(verilog)
    options = _options(point, chosen)
    key = digest(_VERSION, verilog, point.netlist_hash, tech.library.content_hash, options)
    path = cache_dir("proofs") / f"{key}.json"
    known = _read(path) if cached else None
    if known is not None and (known.status != "timed out" or known.seconds >= timeout):
        return known
    tool = yosys.select(engine)  # a missing tool is not an answer, nor is a missing netlist
    text = flow.netlist_text(point.netlist_hash)
    try:
        found = equivalence.prove_equal(
            verilog, text, point.top, liberty=tech.liberty, gold_options=options, engine=tool.name, timeout=timeout
        )
    except RunFailure as error:
        return Proof("inconclusive", 0, 0.0, str(error))
    write_whole(path, json.dumps(asdict(found)))
    return found


def with_proof(
    verilog: str,
    point: Point,
    technology: Technology | str,
    *,
    wanted: bool | None = None,
    chosen: Recipe | str | None = None,
    engine: str | None = None,
    timeout: float | None = None,
    cached: bool = True,
) -> Point:
    """The point with its record of proof.

    Parameters
    ----------
    wanted : bool, optional
        True: prove. False: do not. Default: prove where it takes seconds, see `MOST_CELLS` and `QUICK_S`.
    timeout : float, optional
        Seconds of processor time; default `LIMIT_S` when wanted, else `QUICK_S`.
    verilog, point, technology, chosen, engine, cached
        See `prove_point`.

    Raises
    ------
    UsageError, RunFailure
        As `prove_point`.
    """
    if point.failure is not None:
        return point
    if wanted is False:
        return replace(point, proof=record(None, "not asked for"))
    if wanted is None and point.cells > MOST_CELLS:
        return replace(point, proof=record(None, f"{point.cells} cells; up to {MOST_CELLS} are proven {_ASK}"))
    limit = timeout if timeout is not None else LIMIT_S if wanted else QUICK_S
    try:
        found = prove_point(verilog, point, technology, chosen=chosen, engine=engine, timeout=limit, cached=cached)
    except RunFailure as error:
        if wanted:
            raise
        return replace(point, proof=record(None, str(error)))
    return replace(point, proof=record(found))


def with_proofs(
    verilog: str,
    points: Sequence[Point],
    technology: Technology | str,
    *,
    wanted: bool | None = None,
    chosen: Recipe | str | None = None,
    engine: str | None = None,
    timeout: float | None = None,
    cached: bool = True,
) -> list[Point]:
    """The points with their records of proof: `with_proof` of each.

    Where proofs are not asked for, the smallest netlists come first, up to `ALL_CELLS` cells together; and none larger
    than one that has timed out.

    Parameters
    ----------
    timeout : float, optional
        Seconds of processor time for each proof that is asked for; others have `QUICK_S`.
    verilog, points, technology, wanted, chosen, engine, cached
        See `with_proof`.

    Raises
    ------
    UsageError, RunFailure
        As `prove_point`.
    """
    found: dict[int, Point] = {}
    cells, given_up = 0, False
    for number in sorted(range(len(points)), key=lambda item: (points[item].cells, item)):
        point = points[number]
        if wanted is None and point.failure is None and point.cells <= MOST_CELLS:
            cells += point.cells
            reason = (
                f"a netlist no larger timed out at {QUICK_S:g} s of processor time"
                if given_up
                else f"{ALL_CELLS} cells of all points together are proven {_ASK}"
                if cells > ALL_CELLS
                else None
            )
            if reason is not None:
                found[number] = replace(point, proof=record(None, reason))
                continue
        found[number] = with_proof(
            verilog,
            point,
            technology,
            wanted=wanted,
            chosen=chosen,
            engine=engine,
            timeout=timeout if wanted else None,
            cached=cached,
        )
        given_up = given_up or found[number].proof["status"] == "timed out"
    return [found[number] for number in range(len(points))]


def record(proof: Proof | None, detail: str = "") -> Mapping[str, Any]:
    """What a point says of its proof: status, seconds, registers cut open, and a detail."""
    if proof is None:
        return {"status": "not attempted", "seconds": 0.0, "registers": 0, "detail": detail}
    return {
        "status": proof.status,
        "seconds": round(proof.seconds, 2),
        "registers": proof.registers,
        "detail": proof.detail,
    }


def _options(point: Point, chosen: Recipe | str | None) -> str:
    """Options of Yosys' `synth` that the point was made with."""
    name, variant = point.recipe.split("/")[:2]
    if chosen is None and name in recipe.names():
        chosen = name
    if chosen is None:
        return "-flatten"
    known = recipe.load(chosen) if isinstance(chosen, str) else chosen
    return dict(known.synth).get(variant, "-flatten")


def _read(path: Path) -> Proof | None:
    try:
        return Proof(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
