"""What a golden model returns: arrays of codes and of flags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def code_dtype(bits: int) -> np.dtype:
    """The narrowest unsigned dtype that holds codes of `bits` bits (1 to 64)."""
    return np.dtype(next(t for t in (np.uint8, np.uint16, np.uint32, np.uint64) if np.dtype(t).itemsize * 8 >= bits))


@dataclass(frozen=True, eq=False)
class Result:
    """Results of one operation on arrays of codes.

    Parameters
    ----------
    codes : ndarray of uint8, uint16, uint32 or uint64
        Codes of the output format, in the narrowest of these dtypes; the broadcast shape of the operands.
    flags : ndarray of uint8
        `fpgen.units.Flags` of every element, the same shape.
    """

    codes: np.ndarray
    flags: np.ndarray
