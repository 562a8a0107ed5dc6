"""The exact model of the units whose ports carry arrays of codes, one operation after another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fpgen.golden.result import Result, code_dtype
from fpgen.units.accumulation import Kind
from fpgen.units.base import Unit
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct, SumOfProducts
from fpgen.units.options import PORT_MODES, Flags, Rounding
from fpgen.units.quantize import BlockDequantize, BlockQuantize
from fpgen.units.tensorcore import TensorCore

from . import exact_block, exact_sum

#: Units that this module knows.
ARRAY_UNITS = (DotProduct, BlockDot, TensorCore, BlockQuantize, BlockDequantize)


def compute_arrays(unit: Unit, arrays: Mapping[str, np.ndarray]) -> Result:
    """Results of inputs that `arguments.gather` has checked and broadcast."""
    result_port = next(port for port in unit.ports if port.name == "result")
    inputs = {port.name: port for port in unit.ports if port.travels_in}
    first = next(iter(arrays))
    batch = arrays[first].shape[: arrays[first].ndim - len(inputs[first].shape)]
    codes = np.zeros((*batch, *result_port.shape), dtype=code_dtype(unit.out.bits))
    flags = np.zeros(batch, dtype=np.uint8)
    scales = None
    if isinstance(unit, BlockQuantize):
        scales = np.zeros(batch, dtype=code_dtype(unit.block.scale.bits))
    for index in np.ndindex(batch):
        row = {name: array[index].tolist() for name, array in arrays.items()}
        value, raised, scale = _operate(unit, row)
        codes[index], flags[index] = np.array(value, dtype=codes.dtype), int(raised)
        if scales is not None:
            scales[index] = scale
    return Result(codes, flags, scales)


def _operate(unit: Unit, row: dict) -> tuple[object, Flags, int]:
    """(result code or codes, flags, scale code) of one operation on plain numbers and lists of them."""
    mode = PORT_MODES[row.get("rounding", 0)] if unit.rounding is Rounding.PORT else None
    if isinstance(unit, BlockQuantize):
        values, scale = exact_block.quantize(
            unit, row["source"], row.get(unit.tensor_operand), mode=mode, random=row.get("random", ())
        )
        return values, Flags(0), scale
    if isinstance(unit, BlockDequantize):
        values = exact_block.dequantize(
            unit, row["elements"], row["scale"], row.get("tensor_scale"), mode=mode, random=row.get("random", ())
        )
        return values, Flags(0), 0
    if isinstance(unit, TensorCore):
        return _tile(unit, row, mode), Flags(0), 0
    code, raised = _dot(unit, row, mode, row.get("random", 0))
    assert isinstance(unit, SumOfProducts)
    rounded_once = unit.accumulate.kind is Kind.EXACT  # of several roundings nobody says what the flags are
    return code, raised if rounded_once else Flags(0), 0


def _dot(unit: Unit, row: dict, mode: Rounding | None, random: int) -> tuple[int, Flags]:
    if isinstance(unit, BlockDot):
        return exact_sum.block_dot(unit, row, row.get("c"), mode=mode, random=random)
    assert isinstance(unit, DotProduct)
    return exact_sum.dot(unit, row["a"], row["b"], row.get("c"), mode=mode, random=random)


def _tile(unit: TensorCore, row: dict, mode: Rounding | None) -> list[list[int]]:
    """Every result of a tile is a dot product of a row of A and a column of B."""
    dot = unit.dot

    def operands(i: int, j: int) -> dict:
        picked = {}
        for name in dot.operands:
            matrix = row[name]
            picked[name] = (
                matrix[i] if name.startswith("a") else matrix[i][j] if name == "c" else [line[j] for line in matrix]
            )
        return picked

    return [[_dot(dot, operands(i, j), mode, 0)[0] for j in range(unit.n)] for i in range(unit.m)]
