"""The exact model of the units whose ports carry arrays of codes, one operation after another.

What the cards of these operations name as their `exact` layer: from a unit to a function of one row, whose values are
(nested) lists of codes.
"""

from __future__ import annotations

from fpgen.units.accumulation import Kind
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct
from fpgen.units.options import Flags
from fpgen.units.quantize import BlockDequantize, BlockQuantize
from fpgen.units.tensorcore import TensorCore

from . import exact_block, exact_sum
from .exact_model import Model, Outcome, Row
from .exact_scalar import mode_of


def quantize(unit: BlockQuantize) -> Model:
    def operate(row: Row) -> Outcome:
        tensor = row.get(unit.tensor_operand)
        values, scale = exact_block.quantize(
            unit, row["source"], tensor, mode=mode_of(unit, row), random=row.get("random", ())
        )
        return {"result": values, "scale": scale}, Flags(0)

    return operate


def dequantize(unit: BlockDequantize) -> Model:
    def operate(row: Row) -> Outcome:
        values = exact_block.dequantize(
            unit,
            row["elements"],
            row["scale"],
            row.get("tensor_scale"),
            mode=mode_of(unit, row),
            random=row.get("random", ()),
        )
        return {"result": values}, Flags(0)

    return operate


def dot(unit: DotProduct | BlockDot) -> Model:
    rounded_once = unit.accumulate.kind is Kind.EXACT  # flags of several roundings are defined nowhere

    def operate(row: Row) -> Outcome:
        code, raised = _one(unit, row)
        return {"result": code}, raised if rounded_once else Flags(0)

    return operate


def _one(unit: DotProduct | BlockDot, row: Row) -> tuple[int, Flags]:
    mode, random = mode_of(unit, row), row.get("random", 0)
    match unit:
        case BlockDot():
            return exact_sum.block_dot(unit, row, row.get("c"), mode=mode, random=random, mask=row.get("mask"))
        case DotProduct():
            return exact_sum.dot(unit, row["a"], row["b"], row.get("c"), mode=mode, random=random, mask=row.get("mask"))


def tensorcore(unit: TensorCore) -> Model:
    """Every result of a tile is a dot product of a row of A and a column of B."""
    one = unit.dot

    def operands(row: Row, i: int, j: int) -> Row:
        picked = {name: row[name] for name in row if name not in one.operands}
        for name in one.operands:
            matrix = row[name]
            picked[name] = (
                matrix[i] if name.startswith("a") else matrix[i][j] if name == "c" else [line[j] for line in matrix]
            )
        return picked

    def operate(row: Row) -> Outcome:
        codes = [[_one(one, operands(row, i, j))[0] for j in range(unit.n)] for i in range(unit.m)]
        return {"result": codes}, Flags(0)

    return operate
