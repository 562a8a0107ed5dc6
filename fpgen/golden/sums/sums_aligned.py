"""Aligned sums: terms brought to a common quantum, in binary64.

A term divided by the quantum is below 2**(fraction + a few), so the integers that it is cut to, and their sum, are
exact binary64 numbers; dividing is multiplying by a power of two, which loses nothing.

    exponent   e            e - fraction
    term       xxxxxxxxxxxxx|yyyyyyy        x: kept, an integer; y: as `treatment` says
    addend         xxxxxxxxx|yyyyyyyyyyyy
"""

from __future__ import annotations

from typing import assert_never

import numpy as np

from fpgen.golden.scalar.decode import EXPONENT_LIMIT, float64_values
from fpgen.golden.scalar.deliver import deliver
from fpgen.golden.scalar.float64_engine import locate
from fpgen.golden.scalar.modes import Modes
from fpgen.golden.scalar.products import NONE, REAL, alignment_codes, high, low, row_maximum
from fpgen.units.accumulation import Addend, Split, Treatment

from .sums import SumRecipe
from .sums_exact import addend_values
from .sums_rounded import addition_modes, rounded, rounded_sum, term_values

_LIMIT = 1000  # exponents of quotients and quanta stay within plus or minus this


def suits(recipe: SumRecipe, random_bits: int) -> bool:
    """Whether `run` is exact for this unit."""
    record = recipe.record
    if not recipe.binary64_terms:
        return False
    assert record.fraction is not None
    places = max(record.fraction, record.sum_fraction or 0, record.addend_fraction or 0)
    formats = [fmt for fmt in (recipe.c, recipe.intermediate.fmt) if fmt]
    lowest_align, highest_align = _align_range(recipe)
    lowest_align = min([lowest_align, *(fmt.emin for fmt in formats)])
    highest_align = max([highest_align, *(high(fmt) for fmt in formats), record.clamp or -_LIMIT])
    lowest = min([recipe.term_low, *(low(fmt) for fmt in formats)])
    # a group's sum and its addend, below 2**(e + excess), in steps of 2**(e - places)
    width = places + _excess(recipe) + recipe.group.bit_length() + 1
    if recipe.after and recipe.intermediate.fmt.significand_bits + 2 > 53:  # `rounded_sum` is rounded to odd at 53 bits
        return False
    return (
        width <= 53
        and highest_align <= EXPONENT_LIMIT
        and lowest_align - places >= -EXPONENT_LIMIT
        and highest_align - lowest <= _LIMIT
    )


def _align_range(recipe: SumRecipe) -> tuple[int, int]:
    """Lowest and highest alignment exponent of a term."""
    formats = (
        (*recipe.scales.values(),)
        if recipe.presum > 1
        else (recipe.products.a, recipe.products.b, *recipe.scales.values())
    )
    ends = [(fmt.emin + 1, fmt.emin + 1) if fmt.fixed else (fmt.emin, fmt.emax) for fmt in formats]
    return sum(end[0] for end in ends), sum(end[1] for end in ends)


def _excess(recipe: SumRecipe) -> int:
    """Terms are below 2**(alignment exponent + this)."""
    if recipe.presum == 1:
        return 2 + len(recipe.scales)  # significands are below 2
    products = recipe.products.high + (recipe.presum - 1).bit_length()
    return max(1, products + len(recipe.scales))


def run_aligned(recipe: SumRecipe, rows: dict[str, np.ndarray], modes: Modes) -> tuple[np.ndarray, np.ndarray]:
    """Codes of rows; flags are 0."""
    terms = term_values(recipe, rows)
    aligns = term_aligns(recipe, rows)
    addend = align = None
    if recipe.c is not None:
        addend = addend_values(recipe, rows)
        align = alignment_codes(recipe.c, rows["c"], addend, recipe.semantics.subnormals.flush_inputs)
    codes = None
    kept = recipe.intermediate
    order, ends = recipe.groups()
    for start in range(0, recipe.terms, recipe.span):
        here = slice(start, start + recipe.span)
        some, places = terms[:, here], aligns[:, here]
        if recipe.record.interleave is not None:
            some, places = some[:, order], places[:, order]
        whole, running, running_align = addend, addend, align
        if recipe.after:
            running = running_align = None
        for begin, end in zip([0, *ends], ends, strict=False):
            value = group_value(recipe, some[:, begin:end], places[:, begin:end], running, running_align)
            shadow = None if np.isfinite(value).all() else value
            codes, _ = deliver(kept, recipe.semantics, modes, locate(value, kept), shadow, None)
            if end < recipe.span or here.stop < recipe.terms or recipe.converts or recipe.after:
                running = float64_values(kept.fmt, codes)
                running_align = alignment_codes(kept.fmt, codes, running, False)
        if recipe.after and whole is not None:
            assert running is not None
            running, codes = rounded_sum(recipe, addition_modes(recipe, modes), running, whole)
        addend, align = running, running_align
    if recipe.converts:
        assert addend is not None
        codes, _ = rounded(recipe, recipe.out, modes, addend)
    assert codes is not None
    return codes, np.zeros(codes.shape, dtype=np.uint8)


def term_aligns(recipe: SumRecipe, rows: dict[str, np.ndarray]) -> np.ndarray:
    """Alignment exponents of terms, of shape (rows, terms); below `REAL` where there is none."""
    if recipe.presum > 1:
        found = np.zeros((len(rows["a"]), recipe.terms), dtype=np.int16)
    else:
        found = recipe.products.aligns(rows["a"], rows["b"])
    if not recipe.scales:
        return found
    scale = sum(
        alignment_codes(fmt, rows[name], float64_values(fmt, rows[name]), False) for name, fmt in recipe.scales.items()
    )
    each = recipe.size // recipe.presum
    return found + (scale if each == 1 else np.repeat(scale, each, axis=1))


def group_value(
    recipe: SumRecipe, terms: np.ndarray, aligns: np.ndarray, addend: np.ndarray | None, align: np.ndarray | None
) -> np.ndarray:
    """The exact value of one group before its rounding, float64 of shape (rows,)."""
    record = recipe.record
    assert record.fraction is not None
    match record.addend:
        case Addend.INSIDE | Addend.AFTER:
            inside, outside = addend, None
        case Addend.OUTSIDE:
            inside, outside = None, addend
        case _:
            assert_never(record.addend)
    match record.split:
        case Split.ODD_EVEN:
            parts = [
                _align(recipe, terms[:, odd::2], aligns[:, odd::2], None, None)
                for odd in (0, 1)
                if odd < terms.shape[1]
            ]  # of a single term there is no odd one
            top = np.maximum.reduce([align for _, align in parts])
            down, up = _powers(recipe, top, record.fraction)
            total = sum(_cut(part * down, record.join) for part, _ in parts) * up
        case Split.NONE:
            total, top = _align(recipe, terms, aligns, inside, align if inside is not None else None)
        case _:
            assert_never(record.split)
    if outside is not None:
        assert align is not None
        total = _join(recipe, total, top, outside, align)
    return total + 0.0  # a sum of zero is +0


def _align(
    recipe: SumRecipe, terms: np.ndarray, aligns: np.ndarray, addend: np.ndarray | None, align: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Steps 1 to 3: sums, and the exponents that their terms were aligned to."""
    record = recipe.record
    assert record.fraction is not None
    top = row_maximum(aligns).astype(np.int32)
    if align is not None:
        top = np.maximum(top, align)
    top = np.where(top < REAL, NONE, top if record.clamp is None else np.maximum(top, record.clamp))
    down, up = _powers(recipe, top, record.fraction)
    terms *= down[:, None]  # in place: every term is looked at once
    cut = _cut(terms, record.treatment, terms)
    total = cut @ np.ones(cut.shape[1])
    if addend is not None:
        total += _cut(addend * down, record.treatment)
    return total * up, top


def _join(recipe: SumRecipe, summed: np.ndarray, top: np.ndarray, addend: np.ndarray, align: np.ndarray) -> np.ndarray:
    """Step 4 with the addend outside."""
    record = recipe.record
    assert record.fraction is not None
    most = np.maximum(top, align)
    parts = []
    for value, places in ((summed, record.sum_fraction), (addend, record.addend_fraction)):
        down, up = _powers(recipe, most, record.fraction if places is None else places)
        parts.append(_cut(value * down, record.join) * up)
    if record.addend_reach is not None:
        parts[1] = np.where((align > REAL) & (align < most - record.addend_reach), 0.0, parts[1])
    joined: np.ndarray = parts[0] + parts[1]
    return joined


def _powers(recipe: SumRecipe, top: np.ndarray, places: int) -> tuple[np.ndarray, np.ndarray]:
    """2**(places - top) and 2**(top - places); where there is no top, everything aligned is zero (or special)."""
    quantum = np.where(top < REAL, 0, top).astype(np.int64) - places
    return ((1023 - quantum) << 52).view(np.float64), ((1023 + quantum) << 52).view(np.float64)


def _cut(x: np.ndarray, treatment: Treatment, out: np.ndarray | None = None) -> np.ndarray:
    """Integers, as `treatment` says, into `out` where it is given; infinities and NaNs stay."""
    cut: np.ndarray
    match treatment:
        case Treatment.FLOOR:
            cut = np.floor(x, out=out)
        case Treatment.TRUNCATE:
            cut = np.trunc(x, out=out)
        case Treatment.STICKY:
            whole = np.trunc(x)
            half = whole * 0.5
            missing = (whole != x) & (np.trunc(half) == half)  # inexact, and even
            cut = np.where(missing, whole + np.copysign(1.0, x), whole)
        case _:
            assert_never(treatment)
    return cut
