"""Trees and chains: every sum of two rounded, as one step over all rows."""

from __future__ import annotations

from functools import reduce
from typing import assert_never

import numpy as np

from fpgen.golden.scalar.decode import float64_values
from fpgen.golden.scalar.deliver import OutputLine, deliver
from fpgen.golden.scalar.float64_engine import locate, round_to_odd_sum
from fpgen.golden.scalar.modes import Modes, select_modes
from fpgen.units.accumulation import Split
from fpgen.units.options import Rounding

from .sums import SumRecipe
from .sums_exact import addend_values


def suits(recipe: SumRecipe, random_bits: int) -> bool:
    """Whether `run_tree` and `run_chain` are exact for this unit."""
    # a sum is rounded to odd at 53 bits: two bits below the last that matters are needed
    return recipe.binary64_terms and recipe.intermediate.fmt.significand_bits + 2 <= 53 and not random_bits


def term_values(recipe: SumRecipe, rows: dict[str, np.ndarray]) -> np.ndarray:
    """Terms, float64 of shape (rows, terms)."""
    a, b = rows["a"], rows["b"]
    if recipe.presum > 1:
        values = recipe.products.sums(a, b, recipe.presum) + 0.0  # an exact sum of zero is +0
    else:
        values = recipe.products.values(a, b)
    if recipe.scales:
        scale = reduce(np.multiply, (float64_values(fmt, rows[name]) for name, fmt in recipe.scales.items()))
        per_scale = recipe.size // recipe.presum
        if per_scale == 1:
            values *= scale
        else:
            values.reshape(*scale.shape, per_scale)[...] *= scale[..., None]
    return values


def rounded(recipe: SumRecipe, out: OutputLine, modes: Modes, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes and flags of exact (or rounded to odd) numbers."""
    shadow = None if np.isfinite(value).all() else value
    return deliver(out, recipe.semantics, modes, locate(value, out), shadow, None)


def _sum(recipe: SumRecipe, modes: Modes, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x + y rounded to the intermediate format, as a number."""
    return rounded_sum(recipe, modes, x, y)[0]


def rounded_sum(recipe: SumRecipe, modes: Modes, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x + y rounded to the intermediate format, as numbers and as codes."""
    total = round_to_odd_sum(x, y)
    down = modes.where(Rounding.RDN)
    if down is not False:
        zero = (total == 0) & down & (np.signbit(x) | np.signbit(y))
        total = np.where(zero, -0.0, total)
    codes, _ = rounded(recipe, recipe.intermediate, modes, total)
    return float64_values(recipe.intermediate.fmt, codes), codes


def addition_modes(recipe: SumRecipe, modes: Modes) -> Modes:
    """The rounding modes of the addition of an addend."""
    own = recipe.record.addend_rounding
    return modes if own is None else select_modes(own, None, None, 0)


def _kept(recipe: SumRecipe, modes: Modes, value: np.ndarray) -> np.ndarray:
    return float64_values(recipe.intermediate.fmt, rounded(recipe, recipe.intermediate, modes, value)[0])


def _delivered(recipe: SumRecipe, modes: Modes, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last sum as a code of `out`, without flags."""
    codes, _ = rounded(recipe, recipe.out, modes, value)
    return codes, np.zeros(codes.shape, dtype=np.uint8)


def run_chain(recipe: SumRecipe, rows: dict[str, np.ndarray], modes: Modes) -> tuple[np.ndarray, np.ndarray]:
    """Codes of rows whose terms are added to the addend one by one, or in spans beside it."""
    terms = np.ascontiguousarray(term_values(recipe, rows).T)
    total = None if recipe.c is None else addend_values(recipe, rows)
    if not recipe.after:
        return _delivered(recipe, modes, _chained(recipe, modes, terms, total))
    nothing = np.zeros(terms.shape[1])
    for start in range(0, len(terms), recipe.span):
        part = terms[start : start + recipe.span]
        match recipe.record.split:
            case Split.NONE:
                chains = [part]
            case Split.ODD_EVEN:
                chains = [part[0::2], part[1::2]] if len(part) > 1 else [part]
            case _:
                assert_never(recipe.record.split)
        sums = [_chained(recipe, modes, chain, nothing) for chain in chains]
        found = sums[0] if len(sums) == 1 else _sum(recipe, modes, *sums)
        total = found if total is None else _sum(recipe, addition_modes(recipe, modes), found, total)
    assert total is not None
    return _delivered(recipe, modes, total)


def _chained(recipe: SumRecipe, modes: Modes, terms: np.ndarray, total: np.ndarray | None) -> np.ndarray:
    if total is None:
        total = _kept(recipe, modes, terms[0])
        terms = terms[1:]
    for term in terms:
        total = _sum(recipe, modes, term, total)
    return total


def run_tree(recipe: SumRecipe, rows: dict[str, np.ndarray], modes: Modes) -> tuple[np.ndarray, np.ndarray]:
    """Codes of rows whose groups are summed in pairs, then with the addend."""
    terms = np.ascontiguousarray(term_values(recipe, rows).T)
    total = None if recipe.c is None else addend_values(recipe, rows)
    nothing = np.zeros(terms.shape[1])
    for start in range(0, len(terms), recipe.group):
        group = [_sum(recipe, modes, term, nothing) for term in terms[start : start + recipe.group]]
        pairs = _pairwise(recipe, modes, group)
        total = pairs if total is None else _sum(recipe, modes, pairs, total)
    assert total is not None
    return _delivered(recipe, modes, total)


def _pairwise(recipe: SumRecipe, modes: Modes, values: list[np.ndarray]) -> np.ndarray:
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return _sum(recipe, modes, _pairwise(recipe, modes, values[:half]), _pairwise(recipe, modes, values[half:]))
