"""The exact model of the operations on single numbers: what the card of an operation names as its `exact` layer.

Each function takes a unit and gives a function of one row of codes (`exact_model.Row`). Those of rounded results say
what the exact number is (`rounded`); the one rounding is `exact_round.round_to` for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from fpgen.units.add import Add, Subtract
from fpgen.units.convert import Convert
from fpgen.units.fma import FusedMultiplyAdd
from fpgen.units.mac import MultiplyAccumulate
from fpgen.units.multiply import Multiply
from fpgen.units.options import PORT_MODES, Rounding
from fpgen.units.rounded import RoundedUnit

from .exact_model import Accumulator, Exact, Model, Outcome, Row, decode, negated, product, round_to, total


def mode_of(unit: RoundedUnit, row: Row) -> Rounding:
    """The rounding mode of one operation: the unit's, or what the port says."""
    return PORT_MODES[row["rounding"]] if unit.rounding is Rounding.PORT else unit.rounding


def operand(unit: RoundedUnit, row: Row, name: str) -> Exact:
    """What an operand's code stands for."""
    return decode(row[name], unit.operands[name], unit.semantics.subnormals.flush_inputs)


def rounded(unit: RoundedUnit, exact: Callable[[Row, Rounding], Exact]) -> Model:
    """The model of a unit whose result is `exact(row, mode)`, rounded once."""

    def operate(row: Row) -> Outcome:
        mode = mode_of(unit, row)
        code, flags = round_to(exact(row, mode), unit.out, unit.semantics, mode=mode, random=row.get("random", 0))
        return {"result": code}, flags

    return operate


def multiply(unit: Multiply) -> Model:
    return rounded(unit, lambda row, mode: product(operand(unit, row, "a"), operand(unit, row, "b")))


def add(unit: Add) -> Model:
    def exact(row: Row, mode: Rounding) -> Exact:
        b = operand(unit, row, "b")
        match unit.subtract:
            case Subtract.ON | Subtract.OFF:
                subtract = unit.subtract is Subtract.ON
            case Subtract.PORT:
                subtract = row["subtract"] == 1
            case _:
                assert_never(unit.subtract)
        return total(operand(unit, row, "a"), negated(b) if subtract else b, mode)

    return rounded(unit, exact)


def fma(unit: FusedMultiplyAdd) -> Model:
    def exact(row: Row, mode: Rounding) -> Exact:
        a, b, c = (operand(unit, row, name) for name in "abc")
        return total(product(a, b), c, mode)

    return rounded(unit, exact)


def convert(unit: Convert) -> Model:
    return rounded(unit, lambda row, mode: operand(unit, row, "source"))


def mac(unit: MultiplyAccumulate) -> Model:
    accumulator = Accumulator(unit)

    def operate(row: Row) -> Outcome:
        code, flags = accumulator.step(
            row["a"],
            row["b"],
            clear=bool(row.get("clear", 0)),
            load=bool(row.get("load", 0)),
            c=row.get("c", 0),
            mode=mode_of(unit, row),
            random=row.get("random", 0),
        )
        return {"result": code}, flags

    return operate
