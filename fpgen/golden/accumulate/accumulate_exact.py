"""Multiply-accumulate with an exact fixed-point accumulator: cumulative sums of limbs.

Every product is written out as limbs of the register, without carries; the
register after each step is the difference of two cumulative sums, of which
the carries are taken once. Nothing depends on the step before, so a single
stream is as fast as many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fpgen.golden.scalar.decode import Unpacked, unpack
from fpgen.golden.scalar.deliver import deliver
from fpgen.golden.scalar.fused import Fused, invalid_operations
from fpgen.golden.scalar.limb_engine import LimbNumber, locate, product
from fpgen.golden.scalar.limbs import LIMB, carry, limbs_for, negate_where, place
from fpgen.golden.scalar.modes import select_modes
from fpgen.golden.scalar.scalar_fast import step_of
from fpgen.units.mac import MultiplyAccumulate

_ELEMENTS = 1 << 16  # limbs per chunk
_SHORTEST = 64  # steps per chunk, however long the register is


class _State(NamedTuple):
    """The register after a step: limbs (m, 1), and how many NaNs and infinities of each sign the sum has met."""

    limbs: np.ndarray
    nans: int
    infinities: tuple[int, int]


def run_exact(
    unit: MultiplyAccumulate, flat: dict[str, np.ndarray], starts: np.ndarray, codes: np.ndarray, flags: np.ndarray
) -> None:
    """Fill `codes` and `flags`, flat arrays of all steps.

    Parameters
    ----------
    unit : MultiplyAccumulate
    flat : dict of str to ndarray
        Operands and controls, all streams one after another.
    starts : ndarray of bool
        Where sums begin.
    codes, flags : ndarray
    """
    bits, exponent = unit.register_bits, unit.register_exponent
    rows = limbs_for(bits)
    operation = step_of(unit)._replace(addend=None)
    state = _State(np.zeros((rows, 1), dtype=np.int64), 0, (0, 0))
    chunk = max(_ELEMENTS // rows, _SHORTEST)
    for begin in range(0, len(starts), chunk):
        part = slice(begin, begin + chunk)
        inputs = {name: array[part] for name, array in flat.items()}
        codes[part], flags[part], state = _chunk(unit, operation, inputs, starts[part], bits, exponent, state)


def _chunk(
    unit: MultiplyAccumulate,
    operation: Fused,
    inputs: dict[str, np.ndarray],
    starts: np.ndarray,
    bits: int,
    exponent: int,
    state: _State,
) -> tuple[np.ndarray, np.ndarray, _State]:
    flush = unit.semantics.subnormals.flush_inputs
    operands = [inputs["a"], inputs["b"]]
    terms = [unpack(fmt, codes, flush) for fmt, codes in zip(operation.product, operands, strict=True)]
    shadow = terms[0].shadow * terms[1].shadow
    count = len(starts)
    # the last start at or before each step; -1 for the sum that continues from the previous chunk
    since = np.maximum.accumulate(np.where(starts, np.arange(count), -1))

    register = _running(_products(operation, terms, limbs_for(bits), exponent), since, state.limbs)
    carry(register)
    _wrap(register, bits)
    held = register[:, -1:].copy()
    negative = register[-1] < 0
    register[-1] &= (1 << LIMB) - 1
    negate_where(register, negative)
    point, zero = locate(LimbNumber(register, np.full(count, exponent), negative), operation.out)
    point = point._replace(negative=negative & ~zero)

    total = invalid = None
    nans, infinities = state.nans, state.infinities
    if nans or any(infinities) or not np.isfinite(shadow).all():
        total, invalid, nans, infinities = _specials(shadow, since, state)
        invalid |= invalid_operations(operation, operands, [term.shadow for term in terms], shadow)
    modes = select_modes(unit.rounding, inputs.get("rounding"), inputs.get("random"), unit.random_bits)
    codes, flags = deliver(operation.out, unit.semantics, modes, point, total, invalid)
    return codes, flags, _State(held, nans, infinities)


def _products(operation: Fused, terms: list[Unpacked], rows: int, exponent: int) -> np.ndarray:
    """Signed limbs of the products in units of the register, not carried: (rows, n), modulo its size."""
    exact, _ = product(terms, [fmt.significand_bits for fmt in operation.product])
    offset = np.maximum(exact.base - exponent, 0)  # less than 0 only for zeros
    return place(exact.limbs, offset, rows, exact.negative)


def _running(terms: np.ndarray, since: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Sums of `terms` (m, n) from each step's start to the step; `before` (m, 1) is what the first sum brings along."""
    sums = np.zeros((len(terms), terms.shape[1] + 1), dtype=np.int64)
    np.cumsum(terms, axis=1, out=sums[:, 1:])
    base = sums[:, since]  # the sum before the start; for -1, the last column, which is replaced
    base[:, since < 0] = -before
    return sums[:, 1:] - base


def _wrap(limbs: np.ndarray, bits: int) -> None:
    """Two's complement of `bits` bits: extend the sign into the highest limb, which becomes signed."""
    lost = 64 - ((bits - 1) % LIMB + 1)
    limbs[-1] = (limbs[-1] << lost) >> lost


def _specials(
    shadow: np.ndarray, since: np.ndarray, state: _State
) -> tuple[np.ndarray, np.ndarray, int, tuple[int, int]]:
    """What infinities and NaNs among the products make of the sums.

    Returns
    -------
    total : ndarray of float64
        NaN, infinity, or 0 for sums that are finite.
    invalid : ndarray of bool
        The steps in which infinities of both signs meet.
    nans, infinities
        As in `_State`.
    """
    kinds = np.stack([np.isnan(shadow), shadow == np.inf, shadow == -np.inf]).astype(np.int64)
    before = np.array([[state.nans], *([number] for number in state.infinities)], dtype=np.int64)
    nans, plus, minus = now = _running(kinds, since, before)
    _, was_plus, was_minus = now - kinds
    both = (plus > 0) & (minus > 0)
    meet = both & (nans == 0) & ~((was_plus > 0) & (was_minus > 0))
    total = np.where(plus > 0, np.inf, np.where(minus > 0, -np.inf, 0.0))
    total = np.where((nans > 0) | both, np.nan, total)
    return total, meet, int(nans[-1]), (int(plus[-1]), int(minus[-1]))
