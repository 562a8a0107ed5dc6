"""Dot products that real GPUs delivered, against every model of the preset that names the machine's instruction.

The recordings are model validation data of MATLAB-tensor-core (F. A. Khattak and M. Mikaitis, 2025), converted to
codes; they stand beside the repository, in ``../shared/gpu``, and where they are absent these tests are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from portions import some
from sum_cases import golden, hardware

import fpgen
from fpgen.units import DotProduct

RECORDS = Path(__file__).resolve().parents[2] / "shared" / "gpu"
INDEX = RECORDS / "index.json"
FILES = json.loads(INDEX.read_text()) if INDEX.exists() else []
pytestmark = pytest.mark.skipif(not FILES, reason="no recorded dot products in ../shared/gpu")

#: What fp8 through ``mma.sync`` does on the GPUs whose index entry names no preset.
MMA_SYNC_FP8 = "hopper-fp8-mma"

#: Dots of each file for the models that work them out one by one, or as a graph.
FEW = 60


def recorded_unit(entry: dict) -> DotProduct:
    return DotProduct(
        a=entry["a"],
        b=entry["b"],
        n=entry["k"],
        c=entry["c"],
        out=entry["out"],
        accumulate=entry["preset"] or MMA_SYNC_FP8,
    )


def recorded(entry: dict) -> dict[str, np.ndarray]:
    with np.load(RECORDS / entry["file"]) as arrays:
        found = {name: arrays[name] for name in "abcd"}
    assert len(found["d"]) == entry["dots"] > 0
    return found


def slice_of(arrays: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    chosen = np.random.default_rng(seed).choice(len(arrays["d"]), FEW, replace=False)
    return {name: array[chosen].astype(np.uint64) for name, array in arrays.items()}


def name_of(entry: dict) -> str:
    return entry["file"].removesuffix(".npz")


@pytest.mark.parametrize("entry", FILES, ids=name_of)
def test_every_recorded_dot(entry):
    unit, arrays = recorded_unit(entry), recorded(entry)
    codes = unit.compute(arrays["a"], arrays["b"], arrays["c"]).codes
    assert np.array_equal(codes, arrays["d"]), f"{np.count_nonzero(codes != arrays['d'])} of {len(codes)} differ"


@pytest.mark.turns(2)
@pytest.mark.parametrize("entry", some(FILES, 2), ids=name_of)
def test_a_slice_through_the_exact_model_and_the_hardware(entry):
    unit, arrays = recorded_unit(entry), slice_of(recorded(entry), entry["k"])
    wanted = arrays.pop("d")
    assert np.array_equal(golden(unit, arrays), wanted)
    assert np.array_equal(hardware(unit, arrays), wanted)


def test_another_machine_is_noticed():
    """The recordings tell machines apart: Hopper's figures are not those of the A100, and the other way round."""
    entries = {entry["file"]: entry for entry in FILES}
    for file, other in (("a100_fp16_fp32.npz", "hopper"), ("h100_fp16_fp32.npz", "a100")):
        entry = entries[file]
        arrays = recorded(entry)
        unit = fpgen.parse_unit(f"dot fp16 fp16 n={entry['k']} + fp32 -> fp32 accumulate={other}")
        assert (unit.compute(arrays["a"], arrays["b"], arrays["c"]).codes != arrays["d"]).any()
