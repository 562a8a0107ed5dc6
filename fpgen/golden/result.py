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
        Codes of the output format, in the narrowest of these dtypes; the broadcast shape of the operands (their
        leading axes, where ports carry arrays), followed by the shape of the `result` port.
    flags : ndarray of uint8
        `fpgen.units.Flags` of every operation, of the broadcast shape without the elements of array ports.
    scales : ndarray, optional
        Scale codes of the blocks, where the unit makes blocks (`BlockQuantize`); the shape of `flags`.
    """

    codes: np.ndarray
    flags: np.ndarray
    scales: np.ndarray | None = None
