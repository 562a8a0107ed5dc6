"""Exact sums of up to about a hundred bits, as two binary64 numbers.

Either the products of one block are cut at a fixed place and both parts are summed, exactly::

    bits    high ........ middle ........ low
    product   xxxxxxxxxxxxxx|yyyyyyyyyyyyy         at most 2**(middle - 1) below
    sums    XXXXXXXXXXXXXXXX|
                          YYYYYYYYYYYYYYY

or there are two blocks, each with a sum that fits. Together with the addend they are three numbers, whose exact sum is
rounded to odd: with (u, u') = y + z and (t, t') = x + u, both without error (TwoSum), the sum is t + (t' + u'). When t'
is not zero then u is at most twice t (otherwise the subtraction is exact), so t' + u' is below 2**-51 t, and its
rounding to odd keeps all that the next one looks at; when t' is zero nothing is rounded before the last step.
(As in Boldo and Melquiond, IEEE TC 57(4), 2008, where the last rounding is to nearest.)
"""

from __future__ import annotations

import numpy as np

from fpgen.golden.scalar.decode import float64_values, power_of_two
from fpgen.golden.scalar.deliver import deliver
from fpgen.golden.scalar.float64_engine import locate, round_to_odd_sum
from fpgen.golden.scalar.modes import Modes
from fpgen.golden.scalar.products import Products, scratch

from .sums import SumRecipe
from .sums_exact import addend_values, by_blocks, scaled_sums, specials


def suits(recipe: SumRecipe, random_bits: int) -> bool:
    """Whether `run` is exact for this unit."""
    if recipe.out.fmt.significand_bits + random_bits + 2 > 53 or recipe.wraps:
        return False
    blocks = recipe.length // recipe.size
    if blocks == 2 and by_blocks(recipe):
        return True
    lower = _middle(recipe) - 1 + (recipe.length - 1).bit_length() - recipe.products.low
    return (
        blocks == 1
        and Products.suit(recipe.products.a, recipe.products.b)
        and recipe.binary64_terms
        and not any(scale.has_infinity for scale in recipe.scales.values())
        and lower + _scale_bits(recipe) <= 53
    )


def _scale_bits(recipe: SumRecipe) -> int:
    return sum(scale.significand_bits for scale in recipe.scales.values())


def _middle(recipe: SumRecipe) -> int:
    """log2 of the step of the upper parts: their sum has 52 bits at most, times the scales."""
    return recipe.products.high + (recipe.length - 1).bit_length() - 51 + _scale_bits(recipe)


def run_split(recipe: SumRecipe, rows: dict[str, np.ndarray], modes: Modes) -> tuple[np.ndarray, np.ndarray]:
    """Codes and flags of rows."""
    if recipe.length == recipe.size:
        x, y = _cut_sums(recipe, rows)
    else:
        both = scaled_sums(recipe, rows)
        x, y = np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1])
    if recipe.c is None:
        plain, total = x + y, round_to_odd_sum(x, y)
    else:
        c = addend_values(recipe, rows)
        plain, total = x + y + c, round_to_odd_sum_of_three(x, y, c)
    total += 0.0  # a sum of zero is +0
    if not np.isfinite(plain).all():
        total = np.where(np.isfinite(plain), total, plain)
    shadow, invalid = specials(recipe, rows, total)
    return deliver(recipe.out, recipe.semantics, modes, locate(total, recipe.out), shadow, invalid)


def _cut_sums(recipe: SumRecipe, rows: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the upper and of the lower parts, each times the scales."""
    values = recipe.products.values(rows["a"], rows["b"])
    # a number so large that its last bit is the middle: adding it rounds to that place, taking it away is exact
    anchor = 1.5 * power_of_two(52 + _middle(recipe))
    upper = scratch("upper parts", values.shape, np.float64)
    np.add(values, anchor, out=upper)
    upper -= anchor
    values -= upper
    ones = np.ones(recipe.length)
    x, y = upper @ ones, values @ ones
    finite = np.isfinite(x)
    if not finite.all():
        y = np.where(finite, y, 0.0)
    for name, fmt in recipe.scales.items():
        scale = float64_values(fmt, rows[name][:, 0])
        x, y = x * scale, y * scale
    return x, y


def round_to_odd_sum_of_three(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """x + y + z of finite binary64 numbers, as `round_to_odd_sum` has it for two."""
    upper, u_error = _two_sum(y, z)
    top, t_error = _two_sum(x, upper)
    return round_to_odd_sum(top, round_to_odd_sum(t_error, u_error))


def _two_sum(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x + y, and the error of that (Knuth)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)
