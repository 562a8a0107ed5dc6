"""All results of a row of A with a column of B at once, where every one is an exact sum of one block.

The sums are then a matrix product of numbers whose window fits the significand, so the linear algebra library's is
exact whatever its order; what follows is that of `sums_exact.run_exact`.
"""

from __future__ import annotations

import numpy as np

from fpgen.golden.scalar.decode import float64_values
from fpgen.golden.scalar.deliver import deliver
from fpgen.golden.scalar.float64_engine import locate
from fpgen.golden.scalar.modes import select_modes
from fpgen.units.accumulation import Kind
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct

from . import sums_exact
from .sums import recipe_for


def suits(unit: DotProduct | BlockDot) -> bool:
    """Whether `run` is exact for this unit."""
    return unit.accumulate.kind is Kind.EXACT and not unit.random_bits and sums_exact.suits(recipe_for(unit), 0)


def run_matrix(unit: DotProduct | BlockDot, operands: dict[str, np.ndarray]) -> np.ndarray | None:
    """Codes of all pairs of rows.

    Parameters
    ----------
    unit : DotProduct or BlockDot
        Of a fixed rounding mode.
    operands : dict of str to ndarray
        Codes: a (m, n), b (columns, n), their scales (m, 1) and (columns, 1), and c (m, columns).

    Returns
    -------
    ndarray of codes, shape (m, columns), or None
        None where an operand is infinite or NaN: libraries promise nothing there.
    """
    recipe = recipe_for(unit)
    products = recipe.products
    dtype = products.sum_dtype(recipe.size)
    a = float64_values(products.a, operands["a"], products.flush).astype(dtype)
    b = float64_values(products.b, operands["b"], products.flush).astype(dtype)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    with np.errstate(all="ignore"):
        total = (a @ b.T).astype(np.float64)
        if recipe.scales:
            for name, fmt in recipe.scales.items():
                scale = float64_values(fmt, operands[name])
                total *= scale if name == "a_scale" else scale.T
        rows = {"c": operands["c"].reshape(-1)} if recipe.c is not None else {}
        total = sums_exact.with_addend(recipe, rows, total.reshape(-1))
        shadow = None if np.isfinite(total).all() else total
        modes = select_modes(unit.rounding, None, None, 0)
        codes, _ = deliver(recipe.out, recipe.semantics, modes, locate(total, recipe.out), shadow, None)
    return codes.reshape(len(a), len(b))
