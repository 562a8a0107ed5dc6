"""What a golden model returns: arrays of codes and of flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fpgen.base.errors import UsageError


def code_dtype(bits: int) -> np.dtype:
    """The narrowest unsigned dtype that holds codes of `bits` bits (1 to 64)."""
    return np.dtype(next(t for t in (np.uint8, np.uint16, np.uint32, np.uint64) if np.dtype(t).itemsize * 8 >= bits))


@dataclass(frozen=True, eq=False)
class Result:
    """Results of one operation on arrays of codes.

    Parameters
    ----------
    outputs : mapping of str to ndarray of uint8, uint16, uint32 or uint64
        By result port: codes, in the narrowest of these dtypes; the broadcast shape of the operands (their
        leading axes, where ports carry arrays), followed by the shape of the port.
    flags : ndarray of uint8
        `fpgen.units.Flags` of every operation, of the broadcast shape without the elements of array ports.
    """

    outputs: Mapping[str, np.ndarray]
    flags: np.ndarray

    @property
    def codes(self) -> np.ndarray:
        """The codes of the port `result`.

        Raises
        ------
        UsageError
            For a unit whose results have other names.
        """
        if "result" not in self.outputs:
            raise UsageError(f"codes: got a unit with the results {', '.join(self.outputs)}; expected .outputs[name]")
        return self.outputs["result"]

    @property
    def scales(self) -> np.ndarray | None:
        """Scale codes of the blocks, where the unit makes blocks (`BlockQuantize`); the shape of `flags`."""
        return self.outputs.get("scale")
