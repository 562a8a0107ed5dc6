"""Multiply-accumulate with a float accumulator: steps of all running sums side by side.

A clear or a load starts a new sum that knows nothing of the one before, so a
stream falls into independent sums. Those of all streams advance together, one
step of all of them at a time; the longest sum decides how many steps there are.
"""

from __future__ import annotations

from typing import assert_never

import numpy as np

from fpgen.golden.exact.exact_model import compute_exactly
from fpgen.golden.result import Result, code_dtype
from fpgen.golden.scalar.fused import evaluate
from fpgen.golden.scalar.modes import select_modes
from fpgen.golden.scalar.scalar_fast import beyond_the_line, step_of
from fpgen.units.mac import Accumulate, MultiplyAccumulate

from .accumulate_exact import run_exact
from .accumulate_guess import can_guess, run_long

_CHUNK = 1 << 13  # sums that advance together
_FEW, _LONG = 64, 64  # so few sums with so many steps to go are finished one by one


def run_accumulate(unit: MultiplyAccumulate, inputs: dict[str, np.ndarray]) -> Result:
    """Results of every step.

    Parameters
    ----------
    unit : MultiplyAccumulate
    inputs : dict of str to ndarray
        As `arguments.gather` returns them; the last axis is time, the others are independent streams.

    Returns
    -------
    Result
    """
    if beyond_the_line(unit):
        return compute_exactly(unit, inputs)
    shape = inputs["a"].shape
    flat = {name: array.reshape(-1) for name, array in inputs.items()}
    count = len(flat["a"])
    starts = np.zeros(count, dtype=bool)
    starts[:: shape[-1] if shape else 1] = True  # as after reset
    for control in ("clear", "load"):
        if control in flat:
            starts |= flat[control] != 0
    codes, flags = np.empty(count, dtype=code_dtype(unit.out.bits)), np.empty(count, dtype=np.uint8)
    if count:
        with np.errstate(all="ignore"):
            match unit.accumulate:
                case Accumulate.EXACT:
                    run_exact(unit, flat, starts, codes, flags)
                case Accumulate.FLOAT:
                    _run_float(unit, flat, starts, codes, flags)
                case _:
                    assert_never(unit.accumulate)
    return Result({"result": codes.reshape(shape)}, flags.reshape(shape))


def _run_float(
    unit: MultiplyAccumulate, flat: dict[str, np.ndarray], starts: np.ndarray, codes: np.ndarray, flags: np.ndarray
) -> None:
    """Fill `codes` and `flags`, flat arrays of all steps; `starts` tells where sums begin."""
    first = np.flatnonzero(starts)
    length = np.diff(first, append=len(starts))
    order = np.argsort(-length, kind="stable")  # so that the sums still running are always the first ones
    first, length = first[order], length[order]
    base = np.zeros(len(first), dtype=codes.dtype)
    if "load" in flat and "c" in flat:
        base = np.where(flat["load"][first] != 0, flat["c"][first], base)
    for start in range(0, len(first), _CHUNK):
        part = slice(start, start + _CHUNK)
        _advance(unit, flat, first[part], length[part], base[part], codes, flags)


def _advance(
    unit: MultiplyAccumulate,
    flat: dict[str, np.ndarray],
    first: np.ndarray,
    length: np.ndarray,
    held: np.ndarray,
    codes: np.ndarray,
    flags: np.ndarray,
) -> None:
    """Run sums that begin at `first` with `held`, the longest first, to their ends."""
    operation, guessing = step_of(unit), can_guess(unit)
    for step in range(int(length[0])):
        running = int(np.searchsorted(-length, -step))  # how many are longer than `step`
        if running <= _FEW and length[0] - step > _LONG and guessing:
            for sum_ in range(running):
                _finish(unit, flat, slice(first[sum_] + step, first[sum_] + length[sum_]), held[sum_], codes, flags)
            return
        now = first[:running] + step
        port = flat["rounding"][now] if "rounding" in flat else None
        random = flat["random"][now] if "random" in flat else None
        modes = select_modes(unit.rounding, port, random, unit.random_bits)
        held, raised = evaluate(operation, [flat["a"][now], flat["b"][now], held[:running]], modes)
        codes[now], flags[now] = held, raised


def _finish(
    unit: MultiplyAccumulate,
    flat: dict[str, np.ndarray],
    part: slice,
    held: np.integer,
    codes: np.ndarray,
    flags: np.ndarray,
) -> None:
    """Run one sum to its end, over the steps `part`."""
    inputs = {name: array[part] for name, array in flat.items()}
    run_long(unit, inputs, int(held), codes[part], flags[part])
