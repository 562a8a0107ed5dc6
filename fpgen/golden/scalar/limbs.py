"""Arrays of big integers: fixed numbers of 32-bit limbs, least significant first.

A number is a column of an array of int64 of shape (limbs, n); every limb is
0 to 2**32 - 1 except inside a sum before `carry`. The top bit of the highest
limb is the sign where a number is two's complement.
"""

from __future__ import annotations

import numpy as np

LIMB = 32
_MASK = np.int64((1 << LIMB) - 1)
_MASK_U = np.uint64((1 << LIMB) - 1)
_HALF = np.uint64(LIMB)


def limbs_for(bits: int) -> int:
    """Limbs that hold `bits` bits."""
    return -(-bits // LIMB)


def split(words: np.ndarray) -> np.ndarray:
    """uint64 words as two limbs: shape (n,) to (2, n)."""
    return np.stack([words & _MASK_U, words >> _HALF]).view(np.int64)


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products of uint64 words as four limbs: shape (n,) to (4, n)."""
    a0, a1, b0, b1 = a & _MASK_U, a >> _HALF, b & _MASK_U, b >> _HALF
    low, cross, high = a0 * b0, a0 * b1, a1 * b1
    cross += low >> _HALF
    middle = a1 * b0 + (cross & _MASK_U)
    high += (cross >> _HALF) + (middle >> _HALF)
    return np.stack([low & _MASK_U, middle & _MASK_U, high & _MASK_U, high >> _HALF]).view(np.int64)


def place(limbs: np.ndarray, offset: np.ndarray, rows: int, negative: np.ndarray | None = None) -> np.ndarray:
    """``+-limbs * 2**offset``, without borrows: every limb of a negative number is 0 or negative.

    Parameters
    ----------
    limbs : ndarray of int64, shape (k, n)
    offset : ndarray of int64, shape (n,)
        Not negative; what is moved beyond the top of the result is lost.
    rows : int
        Limbs of the result.
    negative : ndarray of bool, shape (n,), optional
        Which ones to negate.

    Returns
    -------
    ndarray of int64, shape (rows, n)
    """
    height, count = limbs.shape
    shift = offset & (LIMB - 1)
    # the number moved within its limbs, between two rows of zeros
    moved = np.zeros((height + 3, count), dtype=np.int64)
    np.left_shift(limbs, shift, out=moved[1:-2])  # below 2**63: by at most 31
    over = moved[1:-2] >> LIMB
    moved[1:-2] &= _MASK
    moved[2:-1] |= over
    if negative is not None:
        moved *= np.where(negative, np.int64(-1), np.int64(1))
    # row r of the result is row r - offset // 32 of that
    result = np.empty((rows, count), dtype=np.int64)
    flat, column = moved.reshape(-1), np.arange(count)
    index = column + count - (offset >> 5) * count
    for row in result:
        flat.take(np.maximum(index, column), out=row, mode="clip")  # clipped to the last zero of them
        index += count
    return result


def carry(limbs: np.ndarray) -> np.ndarray:
    """Make every limb 0 to 2**32 - 1, in place; returns the carry out of the top, shape (n,)."""
    over = np.zeros(limbs.shape[1], dtype=np.int64)
    for limb in limbs:
        limb += over
        np.right_shift(limb, LIMB, out=over)
        limb &= _MASK
    return over


def negate_where(limbs: np.ndarray, mask: np.ndarray) -> None:
    """Two's complement of the columns in `mask`, in place."""
    flip = np.where(mask, _MASK, np.int64(0))
    limbs ^= flip
    limbs[0] += mask
    carry(limbs)


def bit_length(words: np.ndarray) -> np.ndarray:
    """Bit lengths of non-negative int64 words below 2**53; 0 for 0."""
    exponent = words.astype(np.float64).view(np.int64) >> 52
    lengths: np.ndarray = np.maximum(exponent - 1022, 0)
    return lengths


def bit_length_64(words: np.ndarray) -> np.ndarray:
    """Bit lengths of uint64 words; 0 for 0."""
    high = (words >> _HALF).view(np.int64)
    return np.where(high != 0, bit_length(high) + LIMB, bit_length((words & _MASK_U).view(np.int64)))


def span(limbs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the ones of non-negative numbers are.

    Returns
    -------
    length : ndarray of int64, shape (n,)
        Bit length; 0 for 0.
    lowest : ndarray of int64, shape (n,)
        Index of the lowest one; a large number for 0.
    """
    count = limbs.shape[1]
    length = np.zeros(count, dtype=np.int64)
    lowest = np.full(count, 1 << 40, dtype=np.int64)
    for position in range(len(limbs)):
        limb = limbs[position]
        np.copyto(length, bit_length(limb) + position * LIMB, where=limb != 0)
    for position in reversed(range(len(limbs))):
        limb = limbs[position]
        np.copyto(lowest, bit_length(limb & -limb) + (position * LIMB - 1), where=limb != 0)
    return length, lowest


def extract(limbs: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Bits offset to offset + 63 of non-negative numbers, as uint64; bits outside are zeros.

    Parameters
    ----------
    limbs : ndarray of int64, shape (m, n)
    offset : ndarray of int64, shape (n,)
        May be negative or beyond the top.
    """
    rows, count = limbs.shape
    padded = np.zeros((rows + 5, count), dtype=np.uint64)  # two rows of zeros below, three above
    padded[2:-3] = limbs.view(np.uint64)
    flat = padded.reshape(-1)
    offset = np.clip(offset, -2 * LIMB, rows * LIMB)
    shift = (offset & (LIMB - 1)).view(np.uint64)
    index = ((offset >> 5) + 2) * count + np.arange(count)
    low = flat[index]
    low |= flat[index + count] << _HALF
    high = flat[index + 2 * count] << _HALF
    words: np.ndarray = (low >> shift) | (high << (_HALF - shift))
    return words
