"""Dot products, block dot products and tensor cores, many at once: rows of codes in, codes out.

A tile becomes rows, one for each of its results. Rows are worked out in chunks by one of these, the first that suits:

- `sums_exact`, `sums_split`, `sums_short`, `sums_aligned`, `sums_rounded`: terms are binary64 numbers; see there for
  what fits;
- `sums_exact.run_limbs` for exact sums of wider formats;
- the exact model, one row after another, for what is left: scaled products of more than 53 bits, aligned sums of
  more than 53 bits (``fraction`` above 40 or so), and rounded sums in formats of more than 51 bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, assert_never

import numpy as np

from fpgen.formats.descriptor import Format
from fpgen.golden.result import Result, code_dtype
from fpgen.golden.scalar.decode import EXPONENT_LIMIT, fits_float64
from fpgen.golden.scalar.deliver import OutputLine, target
from fpgen.golden.scalar.modes import Modes, select_modes
from fpgen.golden.scalar.products import Products, high, low, products_for
from fpgen.units.accumulation import Accumulation, Addend, Kind
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct
from fpgen.units.options import Overflow, Semantics
from fpgen.units.tensorcore import TensorCore

from .sums_operands import prepared, with_masked

_CODES = 1 << 17  # of one operand in a chunk: few enough for everything derived from them to stay in the caches
_ROWS = 1 << 12


class SumRecipe(NamedTuple):
    """What the engines need to know of a unit.

    Attributes
    ----------
    products : Products
    scales : dict of str to Format
        By port; empty without.
    length, size : int
        Products in a sum, and those that share scales (`length` without scales).
    presum : int
        Products summed exactly into one term.
    c : Format or None
    out, intermediate : OutputLine
    """

    products: Products
    scales: dict[str, Format]
    length: int
    size: int
    presum: int
    c: Format | None
    out: OutputLine
    intermediate: OutputLine
    record: Accumulation
    semantics: Semantics

    @property
    def terms(self) -> int:
        return self.length // self.presum

    @property
    def group(self) -> int:
        """Terms in a group."""
        return min(self.record.group or self.record.span or self.length, self.length) // self.presum

    @property
    def span(self) -> int:
        """Terms in a span."""
        return min(self.record.span or self.length, self.length) // self.presum

    @property
    def after(self) -> bool:
        """Whether the addend is added to the rounded sum of a span."""
        match self.record.addend:
            case Addend.AFTER:
                return True
            case Addend.INSIDE | Addend.OUTSIDE:
                return False
            case _:
                assert_never(self.record.addend)

    def groups(self) -> tuple[np.ndarray, list[int]]:
        """Terms of a span in the order in which its groups consume them, and where each group ends."""
        record, places = self.record, np.arange(self.span)
        if record.interleave is None:
            return places, list(range(self.group, self.span + 1, self.group))
        assert record.span is not None and record.group is not None
        group = places * self.presum // record.interleave % (record.span // record.group)
        ends = np.cumsum(np.bincount(group))
        return np.argsort(group, kind="stable"), sorted(set(ends.tolist()) - {0})

    @property
    def converts(self) -> bool:
        """Whether the last sum changes when it becomes a code of `out`.

        Also where it has that format: with flushed outputs a largest value that is subnormal is flushed then.
        """
        flushed = self.semantics.subnormals.flush_outputs and self.out.fmt.max_finite_code < self.out.unit
        return self.intermediate is not self.out or flushed

    @property
    def term_bits(self) -> int:
        """Significand bits of a term, scales and all."""
        own = self.products.a.significand_bits + self.products.b.significand_bits
        if self.presum > 1:
            own = self.products.window(self.presum)
        return own + sum(scale.significand_bits for scale in self.scales.values())

    @property
    def term_low(self) -> int:
        """log2 of the step of the terms."""
        return self.products.low + sum(low(scale) for scale in self.scales.values())

    @property
    def term_high(self) -> int:
        """log2 of a power of two that no term exceeds."""
        most = self.products.high + sum(high(scale) for scale in self.scales.values())
        return most + (self.presum - 1).bit_length()

    @property
    def wraps(self) -> bool:
        """Whether results wrap around, so that no bit of a sum may be lost, however large it is."""
        return self.semantics.overflow is Overflow.WRAP

    @property
    def window(self) -> int:
        """Bits of a fixed-point number that holds every exact sum and the output's last place."""
        lows = [self.term_low, self.out.fmt.scale, *([low(self.c)] if self.c else [])]
        highs = [self.term_high + (self.terms - 1).bit_length(), *([high(self.c)] if self.c else [])]
        return max(highs) + 1 - min(lows)

    @property
    def binary64_terms(self) -> bool:
        """Whether every term, and everything that the rounder makes of it, is a binary64 number."""
        a, b = self.products.a, self.products.b
        formats = (a, b, *self.scales.values(), self.intermediate.fmt, self.out.fmt, *([self.c] if self.c else []))
        return (
            all(fits_float64(fmt) for fmt in formats)
            and Products.suit(a, b)
            and self.term_bits <= 53
            and (self.presum == 1 or self.products.sums_suit(self.presum))
            and self.out.fmt.bits <= 62
            and self.intermediate.fmt.bits <= 62
            and self.term_low >= -EXPONENT_LIMIT
            and self.term_high + (self.terms - 1).bit_length() <= EXPONENT_LIMIT
        )


@lru_cache(maxsize=256)
def recipe_for(unit: DotProduct | BlockDot) -> SumRecipe:
    """The `SumRecipe` of a unit."""
    flush = unit.subnormals.flush_inputs
    a, b, _ = unit._formats()
    presum = unit.presum
    if unit.accumulate.kind is Kind.EXACT:
        presum = 1
    return SumRecipe(
        products_for(a, b, flush),
        unit.scale_formats,
        unit.products,
        unit.size,
        presum,
        unit.c,
        target(unit.out),
        target(unit.intermediate),
        unit.accumulate,
        unit.semantics,
    )


#: Works out rows: (recipe, inputs, modes) to codes and flags.
Engine = Callable[[SumRecipe, dict[str, np.ndarray], Modes], tuple[np.ndarray, np.ndarray]]


@lru_cache(maxsize=256)
def engine_for(unit: DotProduct | BlockDot) -> Engine | None:
    """The engine that a unit goes to; None for the exact model."""
    recipe = recipe_for(unit)
    if unit.out.bits == 64 and not unit.out.zero:  # its line of codes (see `rounder`) does not fit into 64 bits
        return None
    return next((run for suits, run in _engines(unit.accumulate.kind) if suits(recipe, unit.random_bits)), None)


def _engines(kind: Kind) -> list[tuple[Callable[[SumRecipe, int], bool], Engine]]:
    """The engines of a kind, each with the sums it can do, fastest first."""
    from . import sums_aligned, sums_exact, sums_rounded, sums_short, sums_split

    match kind:
        case Kind.EXACT:
            return [
                (sums_exact.suits, sums_exact.run_exact),
                (sums_split.suits, sums_split.run_split),
                (sums_exact.limbs_suit, sums_exact.run_limbs),
            ]
        case Kind.ALIGNED:
            return [(sums_short.suits, sums_short.run_short), (sums_aligned.suits, sums_aligned.run_aligned)]
        case Kind.TREE:
            return [(sums_rounded.suits, sums_rounded.run_tree)]
        case Kind.CHAIN:
            return [(sums_rounded.suits, sums_rounded.run_chain)]
        case _:
            assert_never(kind)


def run_sums(unit: DotProduct | BlockDot | TensorCore, inputs: dict[str, np.ndarray]) -> Result:
    """Results of checked inputs.

    Parameters
    ----------
    unit : DotProduct, BlockDot or TensorCore
    inputs : dict of str to ndarray
        As `arguments.gather` returns them.

    Returns
    -------
    Result
        Flags are those of the one rounding of ``accumulate=exact``; of other sums, and of tiles, 0.
    """
    dot, grid = unit.one_sum, unit.grid
    engine = engine_for(dot)
    if engine is None:
        from fpgen.golden.exact.exact_model import compute_exactly

        return compute_exactly(unit, inputs)
    inputs = prepared(unit, with_masked(unit, inputs))
    own = dict.fromkeys(("a", "b", "a_scale", "b_scale"), 2 if grid else 1)
    own["c"] = len(grid)
    batch = inputs["a"].shape[: -own["a"]]
    count = int(np.prod(batch))
    flat = {name: array.reshape(count, *array.shape[array.ndim - own.get(name, 0) :]) for name, array in inputs.items()}
    results = math.prod(grid)
    recipe = recipe_for(dot)
    step = max(1, min(_ROWS, _CODES // recipe.length) // results)
    codes = np.empty(count * results, dtype=code_dtype(unit.out.bits))
    flags = np.zeros(count, dtype=np.uint8)
    for start in range(0, count, step):
        part = {name: array[start : start + step] for name, array in flat.items()}
        found, raised = run_rows(recipe, engine, rows_of_tiles(part) if grid else part)
        codes[start * results : start * results + len(found)] = found
        if not grid:
            flags[start : start + step] = raised
    return Result({"result": codes.reshape((*batch, *grid))}, flags.reshape(batch))


def run_rows(recipe: SumRecipe, engine: Engine, rows: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Codes and flags of a chunk of rows."""
    rows = {name: np.ascontiguousarray(array) for name, array in rows.items()}
    rounding, random_bits = recipe.semantics.rounding, recipe.semantics.random_bits
    modes = select_modes(rounding, rows.get("rounding"), rows.get("random"), random_bits)
    with np.errstate(all="ignore"):
        return engine(recipe, rows, modes)


def rows_of_tiles(tiles: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """One row for each result: row i of A with column j of B.

    Parameters
    ----------
    tiles : dict of str to ndarray
        a (tiles, m, k), b (tiles, k, n), their scales (tiles, m, blocks) and (tiles, blocks, n), c (tiles, m, n),
        rounding (tiles,).

    Returns
    -------
    dict of str to ndarray
        Of shapes (tiles * m * n, k), and so on.
    """
    count, m, _ = tiles["a"].shape
    n = tiles["b"].shape[-1]
    rows = {}
    for name, array in tiles.items():
        if name in ("a", "a_scale"):
            spread = np.broadcast_to(array[:, :, None, :], (count, m, n, array.shape[-1]))
        elif name in ("b", "b_scale"):
            spread = np.broadcast_to(array.swapaxes(1, 2)[:, None, :, :], (count, m, n, array.shape[1]))
        else:
            spread = np.broadcast_to(array.reshape(count, *(array.shape[1:] or (1, 1))), (count, m, n))
        rows[name] = spread.reshape(count * m * n, *spread.shape[3:])
    return rows
