"""What a format's methods derive from it by means of rooms above this one.

The contract of the floors (pyproject.toml) has an exception for this file, as it has for what a unit's methods derive:
rounding is defined once, in the golden model, and a value is encoded by the same `convert` that the hardware is checked
against. Everything is imported on first use, so a format costs no more to load than its parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import numpy as np

    from fpgen.units.options import Overflow, Rounding

    from .descriptor import Format


class FormatMethods:
    """Methods of `Format`: values to codes and codes to values in arrays, and what a notebook shows."""

    def encode(
        self,
        values: Any,
        *,
        rounding: Rounding | str = "rne",
        overflow: Overflow | str | None = None,
        random_bits: int = 0,
        random: np.random.Generator | None = None,
    ) -> np.ndarray:
        """Values as codes of this format, rounded once: what the unit ``convert fp64 -> format`` delivers.

        Parameters
        ----------
        values : array_like of float
            Floats of up to 64 bits (numpy's, or those of ml_dtypes), or integers of a magnitude of up to 2**53.
        rounding : Rounding or str
            Any mode but ``port``.
        overflow : Overflow or str, optional
            Default: ``ieee`` where the format has an infinity or NaN, else ``saturate``. What becomes of infinities,
            NaN and negative numbers in an unsigned format is in `fpgen.units.options`, rules 4 to 8.
        random_bits : int
            Of the stochastic modes; 0 for the others.
        random : numpy.random.Generator, optional
            Where the stochastic modes take their bits from.

        Returns
        -------
        ndarray of uint8, uint16, uint32 or uint64
            The narrowest that holds a code; the shape of `values`.

        Raises
        ------
        UsageError
            For what is not a number, a policy that the format does not have, or a format of more than 64 bits.
        """
        from fpgen.golden.value_arrays import encode

        return encode(
            cast("Format", self), values, rounding=rounding, overflow=overflow, random_bits=random_bits, random=random
        )

    def decode(self, codes: Any) -> np.ndarray:
        """Codes of this format as the numbers they stand for.

        Parameters
        ----------
        codes : array_like of int
            0 to 2**bits - 1; or an array of the format's own dtype (ml_dtypes, numpy).

        Returns
        -------
        ndarray of float64
            Exact; infinities and NaN are those of binary64, zeros have their sign. The shape of `codes`.

        Raises
        ------
        UsageError
            For what is no code, and for a format with values that binary64 does not hold (`Format.value` is exact for
            every format).
        """
        from fpgen.golden.value_arrays import decode

        return decode(cast("Format", self), codes)

    def typed(self, codes: Any) -> np.ndarray:
        """Codes of this format as an array of the dtype that has its numbers.

        Parameters
        ----------
        codes : array_like of int

        Returns
        -------
        ndarray
            Of a float or integer type of numpy (``fp16``, ``int8``), or of ml_dtypes (``e4m3fn``: `float8_e4m3fn`).

        Raises
        ------
        UsageError
            For what is no code, or a format without such a dtype.
        MissingTool
            When ml_dtypes has to be installed for it.
        """
        from fpgen.golden.value_arrays import typed

        return typed(cast("Format", self), codes)

    def _repr_html_(self) -> str:
        from fpgen.base.html import pairs

        from .describe import describe

        return pairs(describe(cast("Format", self)).rows)
