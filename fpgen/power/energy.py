"""Energy per operation of a unit's mapped netlist, under a declared stimulus.

The netlist of a measured point is simulated (`toggles`, and `glitches` for the edges before it settles) with operands
of the unit (`operands`); `power` makes energies of the edges. Everything a figure rests on is part of the record.
"""

import itertools
import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fpgen.base.cache import cache_dir, digest, write_whole
from fpgen.base.errors import RunFailure, UsageError
from fpgen.library import liberty
from fpgen.library.cells import Library
from fpgen.library.technology import Technology
from fpgen.synthesis import flow
from fpgen.synthesis.point import Point
from fpgen.timing import netlist, sta
from fpgen.timing.netlist import Netlist

from . import glitches, operands, power, toggles
from .operands import Operands, Stimulus

if TYPE_CHECKING:
    from fpgen.units.base import Unit

# A new number when a figure's meaning changes.
_VERSION = "4"
OPERATIONS = 16384
# Clocks that each stream is counted for, and clocks whose glitches are counted.
_CLOCKS, _GLITCH_CLOCKS = 16, 2
# Bytes of the values of all nets: larger netlists get fewer and longer streams.
_LARGEST = 1 << 26


@dataclass(frozen=True)
class Energy:
    """What one operation takes. Energies in pJ per operation, one operation a clock.

    Attributes
    ----------
    stimulus : str
        Which operands, in words.
    seed : int
    operations, glitch_operations : int
        Operations whose edges, and whose glitches, were counted.
    energy_pj : float
        Sum of the five below the next.
    energy_error_pj : float or None
        Standard error of `energy_pj` because the operations are a sample: another seed's is within twice that 19 times
        of 20. None for up to 1,024 operations. It does not cover the other assumptions.
    internal_pj, switching_pj : float
        Inside the gates, and charging the nets they drive (output loads among them).
    registers_pj : float
        Inside the flip-flops, their clock pins left out, and charging the nets they drive.
    clock_pj : float
        At the flip-flops' clock pins: inside them, and charging the clock net (no clock tree).
    glitch_pj : float
        Further edges before the nets settle.
    inputs_pj : float
        Charging the nets of the unit's inputs: spent by the circuit that drives them, not part of the sum.
    leakage_nw : float
        Power in nW, whether or not anything moves.
    assumptions : mapping
    seconds : float
        Wall time.
    """

    stimulus: str
    seed: int
    operations: int
    glitch_operations: int
    energy_pj: float
    energy_error_pj: float | None
    internal_pj: float
    switching_pj: float
    registers_pj: float
    clock_pj: float
    glitch_pj: float
    inputs_pj: float
    leakage_nw: float
    assumptions: Mapping[str, Any]
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The record for JSON."""
        return asdict(self)


def measure_energy(
    unit: "Unit",
    point: Point,
    technology: Technology | str,
    *,
    stimulus: str | Stimulus = "uniform",
    seed: int | None = None,
    vectors: int | None = None,
    cached: bool = True,
) -> Energy:
    """Energy per operation and leakage of a measured point of a unit.

    Parameters
    ----------
    unit : Unit
    point : Point
        From `fpgen.ppa.measure_unit` or `fpgen.synthesis.flow.measure`, without a failure; its netlist is in the cache.
    technology : Technology or str
        The one the point was made with.
    stimulus : str or Stimulus
        `uniform`, `gaussian`, or a `.npy` file (see `fpgen.power.operand_kinds` and `fpgen.power.operands`).
    seed, vectors : int, optional
        Of the operands; and operations to count, rounded up to whole words of streams. Default: as the stimulus says,
        else 1 and `OPERATIONS`.
    cached : bool
        Whether a figure known from earlier may be returned.

    Raises
    ------
    UsageError
        For a stimulus that does not fit the unit, or an impossible count.
    RunFailure
        When the point has failed or its netlist is gone, or the library does not say enough.
    """
    if point.failure is not None:
        raise RunFailure(f"{point.top} has no netlist to work power out for: {point.failure}")
    tech = flow.load_technology(technology)
    source = operands.load(stimulus) if isinstance(stimulus, str) else stimulus
    vectors = next(given for given in (vectors, source.operations, OPERATIONS) if given is not None)
    seed = next(given for given in (seed, source.seed, 1) if given is not None)
    if isinstance(vectors, bool) or not isinstance(vectors, int) or not 0 < vectors <= 1 << 30:
        raise UsageError(f"vectors for power: got {vectors!r}; expected a whole number from 1 to 2**30")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed: got {seed!r}; expected a whole number from 0")
    given = {key: point.assumptions.get(key) for key in ("driving_cell", "output_load_ff", "wire_load")}
    rows = "" if source.rows is None else digest(source.rows.tobytes(), str(source.rows.dtype), str(source.rows.shape))
    key = digest(
        _VERSION,
        point.netlist_hash,
        tech.library.content_hash,
        json.dumps(given, sort_keys=True),
        unit.content_hash,
        source.text,
        rows,
        str(seed),
        str(vectors),
    )
    path = cache_dir("power") / f"{key}.json"
    if cached and (known := _read(path)) is not None:
        return known
    start = time.monotonic()
    library = _library(tech.source or tech.liberty, tech.library.content_hash)
    flat = netlist.from_text(
        flow.netlist_text(point.netlist_hash), point.top, f"mapped netlist of {point.top}", library
    )
    found = _measure(unit, flat, library, source, given, seed, vectors)
    found = replace(found, seconds=time.monotonic() - start)
    write_whole(path, json.dumps(found.to_dict()))
    return found


def with_energy(
    unit: "Unit",
    point: Point,
    technology: Technology | str,
    stimulus: str | Stimulus = "uniform",
    *,
    seed: int | None = None,
    vectors: int | None = None,
    cached: bool = True,
) -> Point:
    """The point with its record of power (`Energy.to_dict`); a failed point as it is.

    Raises
    ------
    UsageError, RunFailure
        As `measure_energy`.
    """
    if point.failure is not None:
        return point
    found = measure_energy(unit, point, technology, stimulus=stimulus, seed=seed, vectors=vectors, cached=cached)
    return replace(point, power=found.to_dict())


def stimulus_text(record: Mapping[str, Any]) -> str:
    """What a record of power rests on, in one line."""
    given = record["assumptions"]
    parts = [
        record["stimulus"],
        f"seed {record['seed']}",
        f"{record['operations']} operations",
        f"glitches of {record['glitch_operations']} ({given['glitches']})",
    ]
    parts += [f"{name} {given[name]}" for name in ("controls", "clock") if given[name]]
    if given["cells_without_energy"]:
        parts.append(f"no internal energy of {', '.join(given['cells_without_energy'])}: the library states none")
    return f"power: {', '.join(parts)}; charging the input nets ({record['inputs_pj']:.3g} pJ) not counted"


@lru_cache(maxsize=2)
def _library(path: Path, content_hash: str) -> Library:
    """A library with its power tables: of a large one they take seconds to come from the cache."""
    return liberty.load(path, power=True)


def _read(path: Path) -> Energy | None:
    try:
        return Energy(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _measure(
    unit: "Unit", flat: Netlist, library: Library, source: Stimulus, given: Mapping[str, Any], seed: int, vectors: int
) -> Energy:
    wires = given["wire_load"]
    timing: dict[str, Any] = {
        "driving_cell": given["driving_cell"] if given["driving_cell"] != "ideal" else None,
        "output_load_ff": given["output_load_ff"],
        "wire_load": wires and wires.removesuffix(" per fanout"),
    }
    words = max(1, min(-(-vectors // (64 * _CLOCKS)), _LARGEST // (8 * len(flat.net_names))))
    counted = -(-vectors // (64 * words))
    summing = any(port.name == "clear" for port in unit.ports)  # by then every stream has begun a sum
    warm_up = unit.latency + 2 + (operands.CLEAR_EVERY if summing else 0)
    stream = Operands(unit, source, seed=seed, clocks=warm_up + counted + _GLITCH_CLOCKS, words=words)
    clocks = iter(stream)
    simulator = toggles.Simulator(flat, library, words)
    run = toggles.simulate(simulator, itertools.islice(clocks, warm_up + counted), warm_up)
    graph, slews = sta.slews(flat, library, **timing)
    steps = glitches.gate_steps(graph, slews)
    glitch_operations = 64 * words * _GLITCH_CLOCKS
    further = sum((glitches.count(simulator, steps, inputs) for inputs in clocks), np.zeros(simulator.values.shape))
    activity = replace(
        run.activity,
        glitches=further.sum(axis=1) / glitch_operations,
        glitch_batches=further / (glitch_operations / words),
    )
    parts = power.evaluate(flat, library, activity, **timing)
    silent = sorted({item.group.cell.name for item in run.activity.cells if not item.group.cell.power})
    clock = parts.clock_fj + parts.clock_net_fj
    registers = parts.register_internal_fj + parts.register_switching_fj
    total = parts.internal_fj + parts.switching_fj + registers + clock + parts.glitch_fj
    controlled = any(port.role.value != "clock" for port in stream.others)
    assumptions = {
        "corner": library.corner,
        **given,
        "clock": "ideal, without a tree" if unit.clocked else "",
        "controls": operands.CONTROLS if controlled else "",
        "glitches": "one inertial delay a gate",
        "cells_without_energy": silent,
    }
    return Energy(
        source.text,
        seed,
        run.operations,
        glitch_operations,
        total / 1e3,
        None if math.isnan(parts.error_fj) else parts.error_fj / 1e3,
        parts.internal_fj / 1e3,
        parts.switching_fj / 1e3,
        registers / 1e3,
        clock / 1e3,
        parts.glitch_fj / 1e3,
        parts.inputs_fj / 1e3,
        parts.leakage_nw + parts.register_leakage_nw,
        assumptions,
    )
