"""Codes at which arithmetic goes wrong, for any format, and random ones spread over its classes."""

from __future__ import annotations

import numpy as np

from fpgen.formats import Class, Format


def corners(fmt: Format) -> list[int]:
    """Codes at and next to every boundary of the format, with both signs, ascending and without repeats.

    Zeros, the smallest and largest subnormals and normals, 1 and its neighbours, all-ones and single-bit
    significands, the largest finite values, infinities, quiet and signalling NaNs. Every code up to 6 bits.
    """
    if fmt.bits <= 6:
        return list(range(1 << fmt.bits))
    top = (1 << fmt.magnitude_bits) - 1
    edges = [0, fmt.max_finite_code, top]
    if fmt.fixed:
        edges += [1 << fmt.magnitude_bits // 2]
    else:
        trailing = fmt.trailing_bits
        one = fmt.bias << trailing if 0 < fmt.bias < 1 << fmt.exponent_bits else 1 << fmt.magnitude_bits - 1
        edges += [
            1 << trailing,
            2 << trailing,
            one,
            one + (1 << trailing),
            one - (3 << trailing),
            one + (1 << trailing) // 2,
            (fmt.nan_code & top) if fmt.has_nan else top,
        ]
        if fmt.has_infinity:
            edges.append(fmt.infinity_code)
    near = {edge + step for edge in edges for step in (-2, -1, 0, 1, 2)}
    magnitudes = {code for code in near if 0 <= code <= top}
    return sorted({code | sign for code in magnitudes for sign in (0, fmt.sign_mask)})


def spread(fmt: Format, count: int, rng: np.random.Generator) -> np.ndarray:
    """Random codes: a third uniform, a third near 1, a third with few bits set or clear; uint64 (count,)."""

    def uniform():
        return (
            rng.integers(0, 1 << fmt.bits, count, dtype=np.uint64, endpoint=False)
            if fmt.bits < 64
            else rng.integers(0, 1 << 63, count, dtype=np.uint64) * np.uint64(2)
            + rng.integers(0, 2, count, dtype=np.uint64)
        )

    codes = uniform()
    kind = rng.integers(0, 3, count)
    if not fmt.fixed and fmt.trailing_bits:
        middle = max(1, min(fmt.bias, (1 << fmt.exponent_bits) - 2))
        width = min(fmt.trailing_bits + 2, middle, (1 << fmt.exponent_bits) - 1 - middle)
        field = (middle + rng.integers(-width, width + 1, count)).astype(np.uint64)
        keep = np.uint64(fmt.sign_mask | ((1 << fmt.trailing_bits) - 1))
        codes = np.where(kind == 1, (uniform() & keep) | (field << np.uint64(fmt.trailing_bits)), codes)
    sparse = uniform() & uniform() & uniform()
    dense = uniform() | uniform() | uniform()
    return np.where(kind == 2, np.where(rng.integers(0, 2, count) == 1, sparse, dense), codes).astype(np.uint64)


def same(fmt: Format, left: int, right: int) -> bool:
    """Whether two codes are equal, or both NaN (whose payload nobody defines)."""
    return left == right or (fmt.classify(left) is Class.NAN and fmt.classify(right) is Class.NAN)
