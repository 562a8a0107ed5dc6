"""The vectorised model of a unit: by table where it has one, else by the engines, in chunks that fit the cache."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from fpgen.units.add import Add, Subtract
from fpgen.units.base import Unit
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct
from fpgen.units.mac import MultiplyAccumulate
from fpgen.units.options import Handshake
from fpgen.units.quantize import BlockDequantize, BlockQuantize
from fpgen.units.tensorcore import TensorCore

from .blocks import block_model
from .exact import exact_model
from .result import Result, code_dtype
from .scalar import tables
from .scalar.fused import Operation, evaluate, operation_for
from .scalar.modes import select_modes
from .sums import sums

_CHUNK = 1 << 14  # elements: few enough for arrays to stay in the caches, enough to hide the calls


def run(unit: Unit, inputs: dict[str, np.ndarray]) -> Result:
    """Results of checked inputs.

    Parameters
    ----------
    unit : Unit
    inputs : dict of str to ndarray
        As `arguments.gather` returns them.

    Returns
    -------
    Result
    """
    unit = behaviour(unit)
    if isinstance(unit, DotProduct | BlockDot | TensorCore):
        return sums.run(unit, inputs)
    if isinstance(unit, BlockQuantize):
        return block_model.quantize(unit, inputs)
    if isinstance(unit, BlockDequantize):
        return block_model.dequantize(unit, inputs)
    shape = next(iter(inputs.values())).shape
    if unit.out.bits == 64 and not unit.out.zero:  # its line of codes (see `rounder`) does not fit into 64 bits
        return exact_model.compute(
            unit,
            {name: inputs[name] for name in unit.operand_names},
            {name: array for name, array in inputs.items() if name not in unit.operand_names},
        )
    if isinstance(unit, MultiplyAccumulate):
        from .accumulate.accumulate_float import run_accumulate

        return run_accumulate(unit, inputs)
    flat = {name: array.reshape(-1) for name, array in inputs.items()}
    count = len(next(iter(flat.values())))
    table = tables.find(unit, count, lambda every: run_by_engine(unit, every))
    if table is None:
        codes, flags = run_by_engine(unit, flat)
    else:
        codes, flags = np.empty(count, dtype=code_dtype(unit.out.bits)), np.empty(count, dtype=np.uint8)
        table.look_up(flat, codes, flags)
    return Result(codes.reshape(shape), flags.reshape(shape))


@lru_cache(maxsize=1024)
def behaviour(unit: Unit) -> Unit:
    """The unit without the options that no result depends on, so that equal behaviour is computed once."""
    plain = Handshake.VALID if isinstance(unit, MultiplyAccumulate) else Handshake.NONE
    return replace(unit, flags=False, stages=None, period=None, handshake=plain)


def run_by_engine(
    unit: Unit, inputs: dict[str, np.ndarray], operation: Operation | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Codes and flags of flat arrays, chunk by chunk; `operation` in place of the unit's own."""
    operation = operation or operation_for(unit)
    count = len(next(iter(inputs.values())))
    codes, flags = np.empty(count, dtype=code_dtype(unit.out.bits)), np.empty(count, dtype=np.uint8)
    always = isinstance(unit, Add) and unit.subtract is Subtract.ON
    for start in range(0, count, _CHUNK):
        part = slice(start, start + _CHUNK)
        operands = [inputs[name][part] for name in unit.operand_names]
        port = inputs["rounding"][part] if "rounding" in inputs else None
        random = inputs["random"][part] if "random" in inputs else None
        negate = inputs["subtract"][part] != 0 if "subtract" in inputs else always
        modes = select_modes(unit.rounding, port, random, unit.random_bits)
        with np.errstate(all="ignore"):
            codes[part], flags[part] = evaluate(operation, operands, modes, negate)
    return codes, flags
