"""One operation, ``product (+ addend)`` rounded once, on flat arrays of codes.

A conversion is a product of one factor, an addition one factor and an addend.
Whether the binary64 engine or the one of big integers works out the exact
result is decided here; the rules for NaN, infinities and the sign of zero are
those of IEEE 754 binary64 itself, applied to the operands' shadows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from fpgen.formats.descriptor import Format
from fpgen.units.options import Overflow, Rounding, Semantics

from . import float64_engine, limb_engine
from .decode import float64_values, signaling, unpack
from .deliver import LinePoint, OutputLine, deliver, target
from .modes import Modes
from .products import high, low


class Fused(NamedTuple):
    """``product[0] (* product[1]) (+ addend)``, rounded to `out`.

    `binary64` says that the binary64 engine is exact for it.
    """

    product: tuple[Format, ...]
    addend: Format | None
    out: OutputLine
    semantics: Semantics
    binary64: bool

    @property
    def operands(self) -> tuple[Format, ...]:
        return (*self.product, self.addend) if self.addend else self.product


@lru_cache(maxsize=256)
def fused_operation(product: tuple[Format, ...], addend: Format | None, out: Format, semantics: Semantics) -> Fused:
    """The `Fused` operation on these formats."""
    suits = (
        float64_engine.suits(product, addend, out, semantics.random_bits) and semantics.overflow is not Overflow.WRAP
    )
    return Fused(product, addend, target(out), semantics, suits)


def evaluate(
    operation: Fused, operands: list[np.ndarray], modes: Modes, negate: np.ndarray | bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Results of flat arrays of codes.

    Parameters
    ----------
    operation : Operation
    operands : list of ndarray of unsigned int, shape (n,)
    modes : Modes
    negate : ndarray of bool, or bool
        Subtract the addend instead.

    Returns
    -------
    codes : ndarray of the narrowest unsigned dtype, shape (n,)
    flags : ndarray of uint8, shape (n,)
    """
    engine = _by_binary64 if operation.binary64 else _by_limbs
    point, shadows, total = engine(operation, operands, modes, negate)
    if np.isfinite(total).all():
        return deliver(operation.out, operation.semantics, modes, point, None, None)
    invalid = invalid_operations(operation, operands, shadows, total)
    return deliver(operation.out, operation.semantics, modes, point, total, invalid)


def _by_binary64(
    operation: Fused, operands: list[np.ndarray], modes: Modes, negate: np.ndarray | bool
) -> tuple[LinePoint, list[np.ndarray], np.ndarray]:
    flush = operation.semantics.subnormals.flush_inputs
    shadows = [float64_values(fmt, codes, flush) for fmt, codes in zip(operation.operands, operands, strict=True)]
    total = shadows[0] if len(operation.product) == 1 else shadows[0] * shadows[1]
    if operation.addend:
        addend = _negated(shadows[-1], negate)
        product, total = total, float64_engine.round_to_odd_sum(total, addend)
        down = modes.where(Rounding.RDN)
        if down is not False:
            zero = (total == 0) & down & (np.signbit(product) | np.signbit(addend))
            total = np.where(zero, -0.0, total)
    return float64_engine.locate(total, operation.out), shadows, total


def _by_limbs(
    operation: Fused, operands: list[np.ndarray], modes: Modes, negate: np.ndarray | bool
) -> tuple[LinePoint, list[np.ndarray], np.ndarray]:
    flush = operation.semantics.subnormals.flush_inputs
    terms = [unpack(fmt, codes, flush) for fmt, codes in zip(operation.operands, operands, strict=True)]
    shadows = [term.shadow for term in terms]
    widths = [fmt.significand_bits for fmt in operation.product]
    exact, top = limb_engine.product(terms[: len(widths)], widths)
    total = shadows[0] if len(widths) == 1 else shadows[0] * shadows[1]
    if not operation.addend:
        return limb_engine.locate(exact, operation.out)[0], shadows, total
    shadow = _negated(terms[-1].shadow, negate)
    addend = terms[-1]._replace(negative=terms[-1].negative ^ negate)
    kept = operation.out.fmt.significand_bits + modes.random_bits
    if operation.semantics.overflow is Overflow.WRAP:  # every bit counts, however far below the top
        kept += _reach(operation)
    exact = limb_engine.add(exact, top, sum(widths), addend, operation.addend.significand_bits, kept)
    point, zero = limb_engine.locate(exact, operation.out)
    if zero.any():
        minus = (np.signbit(total), np.signbit(shadow))
        negative = (minus[0] & minus[1]) | (modes.where(Rounding.RDN) & (minus[0] | minus[1]))
        point = point._replace(negative=np.where(zero, negative, point.negative))
    return point, shadows, total + shadow


def _reach(operation: Fused) -> int:
    """Bits from the lowest step of all terms (or the output's, if lower) to the top of the largest."""
    assert operation.addend is not None
    lows = (sum(low(fmt) for fmt in operation.product), low(operation.addend), operation.out.fmt.scale)
    highs = (sum(high(fmt) for fmt in operation.product), high(operation.addend))
    return max(highs) - min(lows) + 1


def _negated(x: np.ndarray, negate: np.ndarray | bool) -> np.ndarray:
    if isinstance(negate, np.ndarray):
        return np.where(negate, -x, x)
    return -x if negate else x


def invalid_operations(
    operation: Fused, operands: list[np.ndarray], shadows: list[np.ndarray], total: np.ndarray
) -> np.ndarray:
    """Invalid operations (IEEE 754-2019, 7.2): infinity times zero, infinity minus infinity, signalling NaNs.

    All of them make a NaN, so only those of `total` are looked at.
    """
    index = np.flatnonzero(np.isnan(total))
    invalid = np.zeros(total.shape, dtype=bool)
    if not len(index):
        return invalid
    terms = [x[index] for x in shadows]
    found = ~np.logical_or.reduce([np.isnan(x) for x in terms])
    if len(operation.product) == 2:
        a, b = terms[0], terms[1]
        found |= (np.isinf(a) & (b == 0)) | (np.isinf(b) & (a == 0))  # also when the addend is NaN
    for fmt, codes in zip(operation.operands, operands, strict=True):
        mask = signaling(fmt, codes[index])
        if mask is not None:
            found |= mask
    invalid[index] = found
    return invalid
