"""Exact sums, rounded once.

One block (or a plain dot product) whose window fits 53 bits is a binary64 number; the addend joins it by rounding to
odd, as in `float64_engine`. All others are added in big integers: block sums where those fit binary64, else products.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from fpgen.formats.descriptor import Format
from fpgen.golden.scalar import limb_engine
from fpgen.golden.scalar.decode import float64_values, signaling, unpack
from fpgen.golden.scalar.deliver import deliver
from fpgen.golden.scalar.float64_engine import locate, round_to_odd_sum
from fpgen.golden.scalar.limbs import carry, limbs_for, negate_where, place, split
from fpgen.golden.scalar.modes import Modes
from fpgen.golden.scalar.products import high, low

from .sums import SumRecipe

_MANTISSA = np.int64((1 << 52) - 1)


def suits(recipe: SumRecipe, random_bits: int) -> bool:
    """Whether `run` is exact for this unit."""
    if recipe.wraps and recipe.window > 53:
        return False
    return (
        recipe.length == recipe.size
        and by_blocks(recipe)
        and (recipe.c is None or recipe.out.fmt.significand_bits + random_bits + 2 <= 53)
    )


def run_exact(recipe: SumRecipe, rows: dict[str, np.ndarray], modes: Modes) -> tuple[np.ndarray, np.ndarray]:
    """Codes and flags of rows."""
    total = with_addend(recipe, rows, scaled_sums(recipe, rows)[:, 0])
    shadow, invalid = specials(recipe, rows, total)
    return deliver(recipe.out, recipe.semantics, modes, locate(total, recipe.out), shadow, invalid)


def with_addend(recipe: SumRecipe, rows: dict[str, np.ndarray], total: np.ndarray) -> np.ndarray:
    """Exact sums and the addend, rounded to odd; changes `total`."""
    total += 0.0  # a sum of zero is +0
    return total if recipe.c is None else round_to_odd_sum(total, addend_values(recipe, rows) + 0.0)


def addend_values(recipe: SumRecipe, rows: dict[str, np.ndarray]) -> np.ndarray:
    """The addend as binary64 numbers."""
    assert recipe.c is not None
    return float64_values(recipe.c, rows["c"], recipe.semantics.subnormals.flush_inputs)


def scaled_sums(recipe: SumRecipe, rows: dict[str, np.ndarray], pairs: np.ndarray | None = None) -> np.ndarray:
    """Exact sums of blocks times their scales, float64 of shape (rows, blocks); `pairs` as in `Products.sums`."""
    sums = recipe.products.sums(rows["a"], rows["b"], recipe.size, pairs)
    for name, fmt in recipe.scales.items():
        sums *= float64_values(fmt, rows[name])
    return sums


def specials(
    recipe: SumRecipe, rows: dict[str, np.ndarray], total: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """(shadow, invalid) as `deliver` takes them; `total` has the class of the result."""
    finite = np.isfinite(total)
    if finite.all():
        return None, None
    index = np.flatnonzero(~finite)
    invalid = np.zeros(total.shape, dtype=bool)
    invalid[index] = _invalid({name: array[index] for name, array in rows.items()}, recipe, total[index])
    return total, invalid


def _invalid(rows: dict[str, np.ndarray], recipe: SumRecipe, total: np.ndarray) -> np.ndarray:
    """Which NaN results come of invalid operations: an invalid term, or infinities of both signs and no NaN."""
    flush = recipe.semantics.subnormals.flush_inputs
    term = _multiplied(_class(recipe.products.a, rows["a"], flush), _class(recipe.products.b, rows["b"], flush))
    if recipe.scales:
        scales = [_class(fmt, np.repeat(rows[name], recipe.size, axis=1), False) for name, fmt in recipe.scales.items()]
        term = _multiplied(reduce(_multiplied, scales), term)
    invalid, nan = term[1].any(axis=1), np.isnan(term[0]).any(axis=1)
    if recipe.c is not None:
        shadow, signal = _class(recipe.c, rows["c"], flush)
        invalid, nan = invalid | signal, nan | np.isnan(shadow)
    found: np.ndarray = np.isnan(total) & (invalid | ~nan)
    return found


def _multiplied(x: tuple[np.ndarray, np.ndarray], y: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The product of two (shadow, invalid)."""
    created = (np.isinf(x[0]) & (y[0] == 0)) | (np.isinf(y[0]) & (x[0] == 0))
    return x[0] * y[0], x[1] | y[1] | created


def _class(fmt: Format, codes: np.ndarray, flush: bool) -> tuple[np.ndarray, np.ndarray]:
    """(shadow, invalid) of codes: a number of the same class and sign, and whether it is a signalling NaN."""
    found = signaling(fmt, codes)
    return unpack(fmt, codes, flush).shadow, np.zeros(codes.shape, dtype=bool) if found is None else found


# ---- big integers --------------------------------------------------------------------------------


def limbs_suit(recipe: SumRecipe, random_bits: int) -> bool:
    """Whether `run_limbs` is exact for this unit."""
    if not recipe.scales:
        return True
    return by_blocks(recipe) or recipe._replace(presum=1).binary64_terms


def by_blocks(recipe: SumRecipe) -> bool:
    """Whether sums of blocks are binary64 numbers, and can be scaled instead of their terms.

    An infinite scale makes every term infinite, or NaN where it is zero: that is not seen in a sum.
    """
    infinite = any(scale.has_infinity for scale in recipe.scales.values())
    return recipe._replace(presum=recipe.size).binary64_terms and not infinite


def run_limbs(recipe: SumRecipe, rows: dict[str, np.ndarray], modes: Modes) -> tuple[np.ndarray, np.ndarray]:
    """Codes and flags of rows, for windows of any width."""
    flush = recipe.semantics.subnormals.flush_inputs
    terms: list[limb_engine.LimbNumber] = []
    if recipe.scales or by_blocks(recipe):
        if by_blocks(recipe):
            values = scaled_sums(recipe, rows)
        else:
            values = recipe.products.values(rows["a"], rows["b"])
            for name, fmt in recipe.scales.items():
                values *= np.repeat(float64_values(fmt, rows[name]), recipe.size, axis=1)
        shadow = np.where(np.isfinite(values), 0.0, values).sum(axis=1)
        terms += [_as_integers(np.ascontiguousarray(column)) for column in values.T]
    else:
        a, b = recipe.products.a, recipe.products.b
        shadow = np.zeros(len(rows["a"]))
        for x, y in zip(rows["a"].T, rows["b"].T, strict=True):
            factors = [unpack(a, x, flush), unpack(b, y, flush)]
            terms.append(limb_engine.product(factors, [a.significand_bits, b.significand_bits])[0])
            product = factors[0].shadow * factors[1].shadow
            shadow += np.where(np.isfinite(product), 0.0, product)
    lowest = recipe.term_low
    highest = recipe.term_high + (recipe.length - 1).bit_length()
    if recipe.c is not None:
        c = unpack(recipe.c, rows["c"], flush)
        shadow = shadow + np.where(np.isfinite(c.shadow), 0.0, c.shadow)
        terms.append(
            limb_engine.LimbNumber(split(c.significand)[: limbs_for(recipe.c.significand_bits)], c.exponent, c.negative)
        )
        lowest, highest = min(lowest, low(recipe.c)), max(highest, high(recipe.c))
    # lowest ........ every term stands at its place in here ........ highest, a carry, a sign
    total = np.zeros((limbs_for(highest - lowest + 2), len(shadow)), dtype=np.int64)
    for term in terms:
        used = term.limbs.any(axis=0)  # the place of a zero says nothing
        total += place(term.limbs, np.where(used, term.base - lowest, 0), len(total), term.negative)
    below = carry(total) < 0
    negate_where(total, below)
    exact = limb_engine.LimbNumber(total, np.full(len(shadow), lowest, dtype=np.int64), below)
    point, _ = limb_engine.locate(exact, recipe.out)
    finite = np.isfinite(shadow)
    invalid = None
    if not finite.all():
        index = np.flatnonzero(~finite)
        invalid = np.zeros(shadow.shape, dtype=bool)
        invalid[index] = _invalid({name: array[index] for name, array in rows.items()}, recipe, shadow[index])
    return deliver(recipe.out, recipe.semantics, modes, point, None if finite.all() else shadow, invalid)


def _as_integers(values: np.ndarray) -> limb_engine.LimbNumber:
    """Binary64 numbers (none of them subnormal) as integers and exponents; infinities and NaNs as 0."""
    bits = values.view(np.int64)
    field = (bits >> 52) & 0x7FF
    real = (field != 0) & (field != 0x7FF)
    significand = np.where(real, (bits & _MANTISSA) | (_MANTISSA + 1), 0)
    trailing = _trailing_zeros(significand)
    # the last one at the bottom, so that no term reaches below the window
    return limb_engine.LimbNumber(
        split((significand >> trailing).view(np.uint64)), np.where(real, field - (1023 + 52) + trailing, 0), bits < 0
    )


def _trailing_zeros(words: np.ndarray) -> np.ndarray:
    """Zeros below the lowest one of positive int64 words below 2**53; 0 for 0."""
    lowest = (words & -words).astype(np.float64).view(np.int64) >> 52
    return np.where(words == 0, 0, lowest - 1023)
