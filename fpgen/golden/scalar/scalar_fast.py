"""The vectorised model of the operations on single numbers: what the card of an operation names as its `fast` layer.

Each function takes a unit and checked inputs. An operation that is a product of operands, an addend or both is one
call of `fused`: by table where the unit has one, else by the engines, in chunks that fit the cache.
"""

from __future__ import annotations

from typing import assert_never

import numpy as np

from fpgen.golden.exact.exact_model import compute_exactly
from fpgen.golden.result import Result, code_dtype
from fpgen.units.add import Add, Subtract
from fpgen.units.convert import Convert
from fpgen.units.fma import FusedMultiplyAdd
from fpgen.units.mac import MultiplyAccumulate
from fpgen.units.multiply import Multiply
from fpgen.units.rounded import RoundedUnit

from . import tables
from .fused import Fused, evaluate, fused_operation
from .modes import select_modes

Inputs = dict[str, np.ndarray]

_CHUNK = 1 << 14  # elements: few enough for arrays to stay in the caches, enough to hide the calls


def multiply(unit: Multiply, inputs: Inputs) -> Result:
    return fused(unit, inputs, ("a", "b"))


def add(unit: Add, inputs: Inputs) -> Result:
    match unit.subtract:
        case Subtract.PORT:
            return fused(unit, inputs, ("a",), "b", negate="subtract")
        case Subtract.ON | Subtract.OFF:
            return fused(unit, inputs, ("a",), "b", negate=unit.subtract is Subtract.ON)
    assert_never(unit.subtract)


def fma(unit: FusedMultiplyAdd, inputs: Inputs) -> Result:
    return fused(unit, inputs, ("a", "b"), "c")


def convert(unit: Convert, inputs: Inputs) -> Result:
    return fused(unit, inputs, ("source",))


def step_of(unit: MultiplyAccumulate) -> Fused:
    """One step of a multiply-accumulate with a float accumulator."""
    return fused_operation((unit.a, unit.b), unit.out, unit.out, unit.semantics)


def beyond_the_line(unit: RoundedUnit) -> bool:
    """Whether the output's line of codes (see `deliver`) does not fit into 64 bits, so that the exact model answers."""
    return unit.out.bits == 64 and not unit.out.zero


def fused(
    unit: RoundedUnit,
    inputs: Inputs,
    product: tuple[str, ...],
    addend: str | None = None,
    *,
    negate: str | bool = False,
) -> Result:
    """``round(product (+ addend))`` of these operands; those that are named twice count twice.

    Parameters
    ----------
    unit : RoundedUnit
    inputs : dict of str to ndarray
        As `arguments.gather` returns them.
    product : tuple of str
        One or two operands.
    addend : str, optional
    negate : str or bool
        Subtract the addend: always, never, or where this control is not 0.
    """
    if beyond_the_line(unit):
        return compute_exactly(unit, inputs)
    names = (*product, addend) if addend else product
    formats = [unit.operands[name] for name in names]
    split = len(product)
    operation = fused_operation(tuple(formats[:split]), formats[split] if addend else None, unit.out, unit.semantics)
    shape = next(iter(inputs.values())).shape
    flat = {name: array.reshape(-1) for name, array in inputs.items()}
    count = len(next(iter(flat.values())))

    def by_engine(every: Inputs) -> tuple[np.ndarray, np.ndarray]:
        return run_by_engine(unit, operation, names, every, every[negate] != 0 if isinstance(negate, str) else negate)

    table = tables.find(unit, count, by_engine, only_rounds=len(names) == 1)
    if table is None:
        codes, flags = by_engine(flat)
    else:
        codes, flags = np.empty(count, dtype=code_dtype(unit.out.bits)), np.empty(count, dtype=np.uint8)
        table.look_up(flat, codes, flags)
    return Result({"result": codes.reshape(shape)}, flags.reshape(shape))


def run_by_engine(
    unit: RoundedUnit, operation: Fused, names: tuple[str, ...], inputs: Inputs, negate: np.ndarray | bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Codes and flags of flat arrays, chunk by chunk; `names` are the inputs in the order of the operation."""
    count = len(next(iter(inputs.values())))
    codes, flags = np.empty(count, dtype=code_dtype(unit.out.bits)), np.empty(count, dtype=np.uint8)
    for start in range(0, count, _CHUNK):
        part = slice(start, start + _CHUNK)
        operands = [inputs[name][part] for name in names]
        port = inputs["rounding"][part] if "rounding" in inputs else None
        random = inputs["random"][part] if "random" in inputs else None
        flip = negate[part] if isinstance(negate, np.ndarray) else negate
        modes = select_modes(unit.rounding, port, random, unit.random_bits)
        with np.errstate(all="ignore"):
            codes[part], flags[part] = evaluate(operation, operands, modes, flip)
    return codes, flags
