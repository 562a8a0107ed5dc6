"""Before a unit is checked against its golden model: the model itself, on a drawn slice, against the exact one.

The hardware is compared with the vectorised model, on millions of vectors. That one is defined by the exact model
(`fpgen.golden.exact`), which is too slow for so many, and equal to it by the tests of this project. Here the equality
is checked again for the unit at hand, with vectors of every directed family and of every random one.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from fpgen.base.cache import cache_dir, digest, write_whole
from fpgen.golden.arguments import gather
from fpgen.golden.exact.exact_model import compute_exactly
from fpgen.golden.fast import run_fast
from fpgen.units import Unit
from fpgen.vectors.stimulus import LANES_MOST, STIMULUS_VERSION, Plan, plan

#: Results that are compared at least, where the unit has so many.
SLICE = 10_000


@dataclass(frozen=True)
class ModelCheck:
    """What came of it.

    Attributes
    ----------
    results : int
        Results (and their flags) that were compared.
    different : int
    example : str
        The first that differs: family, operands, both results; empty where there is none.
    """

    results: int
    different: int = 0
    example: str = ""


def check_model(unit: Unit, *, results: int = SLICE, seed: int = 1) -> ModelCheck:
    """Compare the vectorised model of a unit with the exact one.

    Parameters
    ----------
    unit : Unit
    results : int
        At least so many are compared; all where the unit has no more codes.
    seed : int

    Returns
    -------
    ModelCheck
        From the cache where this behaviour was checked before, by this very code.

    Raises
    ------
    UsageError
        When the operation has no exact model, no vectorised model or no families.
    """
    unit = unit.behaviour
    key = digest(unit.content_hash, f"{results} {seed} {STIMULUS_VERSION}", _code())
    path = cache_dir("models") / f"{key}.json"
    try:
        return ModelCheck(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        found = _compare(unit, results, seed)
    write_whole(path, json.dumps(dataclasses.asdict(found)).encode())
    return found


def _compare(unit: Unit, results: int, seed: int) -> ModelCheck:
    compared = different = 0
    example = ""
    for family, inputs in _drawn(unit, results, seed):
        arrays = gather(unit, [inputs[name] for name in unit.operands], _controls(unit, inputs))
        exact, fast = compute_exactly(unit, arrays), run_fast(unit, arrays)
        wrong = exact.flags != fast.flags
        for name, codes in exact.outputs.items():
            other = (codes != fast.outputs[name]).reshape(*wrong.shape, -1)
            wrong = wrong | other.any(axis=-1)
            compared += codes.size if name == next(iter(exact.outputs)) else 0
        if wrong.any() and not example:
            at = tuple(int(axis[0]) for axis in np.nonzero(wrong))
            example = f"{family}: " + ", ".join(
                [f"{name}={array[at].tolist()}" for name, array in arrays.items()]
                + [f"{name} {codes[at].tolist()}, exactly {exact.outputs[name][at].tolist()}"
                   for name, codes in fast.outputs.items()]
                + [f"flags {int(fast.flags[at])}, exactly {int(exact.flags[at])}"]
            )  # fmt: skip
        different += int(np.count_nonzero(wrong))
    return ModelCheck(compared, different, example)


def _controls(unit: Unit, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array for name, array in inputs.items() if name not in unit.operands}


def _drawn(unit: Unit, results: int, seed: int) -> list[tuple[str, dict[str, np.ndarray]]]:
    """Families with their vectors: of every family the same number, or all codes where they are few."""
    whole = plan(unit, seed=seed)
    if whole.exhaustive and whole.vectors <= results:
        return [("exhaustive", next(iter(whole.chunks())).inputs)]
    drawn = plan(unit, seed=seed, exhaustive=None if unit.stateful else False)
    families = [name for name, _ in drawn.sizes]
    each = -(-results // (len(families) * _results_each(unit)))
    return [(name, drawn.family(name, _count(drawn, name, max(each, LANES_MOST)))) for name in families]


def _results_each(unit: Unit) -> int:
    """Results of one vector: those of all places of the first result port."""
    return next(port.count for port in unit.ports if port.travels_out)


def _count(drawn: Plan, name: str, wanted: int) -> int:
    """Vectors of a family: of an accumulator whole sequences."""
    if not drawn.unit.stateful:
        return wanted
    from fpgen.vectors.sequences import sum_length

    length = sum_length(drawn.unit, name)
    return max(-(-wanted // length), LANES_MOST) * length


@lru_cache(maxsize=1)
def _code() -> str:
    """Hash of the code that the two models, the families and the parameter objects consist of."""
    package = Path(__file__).resolve().parents[1]
    files = sorted(
        path for name in ("formats", "units", "golden", "vectors") for path in (package / name).rglob("*.py")
    )
    return digest(*(path.read_text() for path in files), Path(__file__).read_text())
