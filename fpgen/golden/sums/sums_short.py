"""Aligned sums of very short formats, where usually no bit is cut.

Products of 4-bit formats span few binades, so as long as the addend is not far above them they all lie above the
quantum, and their sum is the exact one. What is still needed is the largest alignment exponent: each product is a
single bit for its exponent (so are the two of a pair, or-ed), and a row is the OR of its words::

    classes   emax ... emin           bit i: there is a product with alignment exponent lowest + i
    pair      0 0 0 0 1 0 1 0
    word      pair|pair|pair|...      eight (or four) pairs, or-ed with the other words, then folded

Rows with an addend so far above that every product is cut to zero are simple too; those between go to `sums_aligned`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from fpgen.formats.descriptor import Format
from fpgen.golden.scalar.decode import float64_values
from fpgen.golden.scalar.deliver import deliver
from fpgen.golden.scalar.float64_engine import locate
from fpgen.golden.scalar.modes import Modes
from fpgen.golden.scalar.products import NONE, REAL, Products, alignment_codes, products_for, scratch
from fpgen.units.accumulation import Addend, Split, Treatment

from . import sums_aligned
from .sums import SumRecipe
from .sums_exact import addend_values, scaled_sums


def suits(recipe: SumRecipe, random_bits: int) -> bool:
    """Whether `run` is exact for this unit."""
    record, products = recipe.record, recipe.products
    return (
        sums_aligned.suits(recipe, random_bits)
        and recipe.length == recipe.size == recipe.group
        and record.addend is Addend.INSIDE
        and record.split is Split.NONE
        and record.treatment is Treatment.TRUNCATE
        and record.clamp is None
        and not recipe.converts
        and recipe.presum == 1
        and all(scale.precision == 1 and not scale.has_infinity for scale in recipe.scales.values())
        and products.sums_suit(recipe.size)
        and products.paired
        and _classes(products) <= 16
        and recipe.length % (64 // _one_hot(products).itemsize // 4) == 0
    )


def _lowest(products: Products) -> int:
    """The lowest alignment exponent of a product."""
    return int(products.align_table[products.align_table > REAL].min())


def _classes(products: Products) -> int:
    """How many alignment exponents products have."""
    return int(products.align_table.max()) - _lowest(products) + 1


def _one_hot(products: Products) -> np.ndarray:
    return _tables(products.a, products.b, products.flush)[0]


@lru_cache(maxsize=16)
def _tables(a: Format, b: Format, flush: bool) -> tuple[np.ndarray, np.ndarray]:
    """Bits by a pair of indices, and the alignment exponent of the highest bit (int32) by their OR."""
    products = products_for(a, b, flush)
    dtype = np.uint8 if _classes(products) <= 8 else np.uint16
    lowest, aligns = _lowest(products), products.align_table.astype(np.int64)
    bits: np.ndarray = np.zeros(256, dtype=dtype)
    bits[: len(aligns)] = np.where(aligns > REAL, 1 << np.maximum(aligns - lowest, 0), 0)
    every = np.arange(1 << 8 * np.dtype(dtype).itemsize)
    highest = np.frexp(every)[1] - 1 + lowest
    return np.bitwise_or.outer(bits, bits).reshape(-1), np.where(every == 0, NONE, highest).astype(np.int32)


def _top(products: Products, pairs: np.ndarray) -> np.ndarray:
    """The largest alignment exponent of each row's products, int32; `NONE` where all are zero."""
    table, highest = _tables(products.a, products.b, products.flush)
    bits = table.take(pairs, mode="clip", out=scratch("bits", pairs.shape, table.dtype))
    words = bits.view(np.uint64)
    found = words[:, 0].copy()
    for column in range(1, words.shape[1]):
        found |= words[:, column]
    shift = 32
    while shift >= 8 * table.itemsize:
        found |= found >> np.uint64(shift)
        shift //= 2
    return highest.take(found.astype(table.dtype))


def run_short(recipe: SumRecipe, rows: dict[str, np.ndarray], modes: Modes) -> tuple[np.ndarray, np.ndarray]:
    """Codes of rows; flags are 0."""
    products, fraction = recipe.products, recipe.record.fraction
    assert fraction is not None
    pairs = products.pair_index(rows["a"], rows["b"])
    total = scaled_sums(recipe, rows, pairs)[:, 0]
    top = _top(products, pairs)
    scale: np.ndarray | int = 0
    if recipe.scales:
        scale = sum(
            alignment_codes(fmt, rows[name][:, 0], float64_values(fmt, rows[name][:, 0]), False)
            for name, fmt in recipe.scales.items()
        )
        top = top + scale
    addend = None
    if recipe.c is not None:
        addend = addend_values(recipe, rows)
        align = alignment_codes(recipe.c, rows["c"], addend, recipe.semantics.subnormals.flush_inputs)
        top = np.maximum(top, align)
    quantum = np.where(top < REAL, 0, top - fraction)
    between = None
    cut = quantum > products.low + scale
    if cut.any():
        gone = cut & (quantum >= products.high + scale)  # only the addend is so high
        total[gone & np.isfinite(total)] = 0.0
        between = np.flatnonzero(cut & ~gone)
    if addend is not None:
        exponent = quantum.astype(np.int64) << 52
        whole = np.trunc(addend * ((1023 << 52) - exponent).view(np.float64))
        total += whole * ((1023 << 52) + exponent).view(np.float64)
    total += 0.0  # a sum of zero is +0
    shadow = None if np.isfinite(total).all() else total
    codes, flags = deliver(recipe.out, recipe.semantics, modes, locate(total, recipe.out), shadow, None)
    if between is not None and len(between):
        some = {name: array[between] for name, array in rows.items()}
        codes[between] = sums_aligned.run_aligned(recipe, some, modes.take(between))[0]
    flags[:] = 0
    return codes, flags
