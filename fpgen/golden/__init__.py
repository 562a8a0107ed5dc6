"""The software model of every unit: arrays of codes in, arrays of codes and flags out.

Two models, independent of each other and of the hardware: `exact`, Python
integers, the definition; and the vectorised one behind `compute`, equal to it
on everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .result import Result

if TYPE_CHECKING:
    from fpgen.units.base import Unit

__all__ = ["Result", "compute"]


def compute(unit: Unit, *operands: Any, **by_name: Any) -> Result:
    """The golden result of arrays of codes, by the vectorised model.

    Parameters
    ----------
    unit : Unit
        Of formats of up to 64 bits.
    *operands : array_like of int
        One array of codes per operand, in port order; broadcast against each other and the controls.
    **by_name : array_like of int
        One array (or number) per control port: `rounding` (codes of `PORT_CODES`) with ``rounding=port``,
        `random` (0 to 2**random_bits - 1) with the stochastic modes, `subtract` with ``subtract=port``;
        of a multiply-accumulate `clear`, `load` and `c`, and `mask`, which are 0 when not given. Operands may be given
        by the name of their port, too.

    Returns
    -------
    Result
        `.codes` of the narrowest of uint8, uint16, uint32 and uint64 that holds `out`, `.flags` uint8;
        of the broadcast shape. A multiply-accumulate takes the last axis as time, one accepted product
        after another from reset, and the others as independent units.

    Raises
    ------
    UsageError
        Missing, unknown or doubled operands or controls, codes out of range, not integers, shapes
        that do not broadcast, formats of more than 64 bits.
    """
    from .arguments import gather
    from .fast import run_fast

    return run_fast(unit, gather(unit, operands, by_name))
