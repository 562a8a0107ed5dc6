"""Arrays of values to codes of a format, and back: `Format.encode`, `Format.decode`, `Format.typed`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.formats import as_format
from fpgen.formats.descriptor import Format
from fpgen.formats.dtypes import code_bits, format_of, with_dtype, without_tensor
from fpgen.units.convert import Convert
from fpgen.units.options import Overflow, Rounding, as_enum
from fpgen.units.ports import Port, Role

from . import compute
from .arguments import codes_of
from .scalar.decode import fits_float64, float64_values, unpack

#: Largest magnitude up to which every integer is a binary64 number.
_WHOLE = 1 << 53


def encode(
    fmt: Format,
    values: Any,
    *,
    rounding: Rounding | str = Rounding.RNE,
    overflow: Overflow | str | None = None,
    random_bits: int = 0,
    random: np.random.Generator | None = None,
) -> np.ndarray:
    """Values as codes, rounded once by the golden model of `convert`; see `Format.encode`."""
    array = _numbers(values)
    source = format_of(array.dtype)
    assert source is not None
    mode: Rounding = as_enum("rounding", rounding, Rounding)
    if mode is Rounding.PORT:
        raise UsageError("rounding: got port; expected one mode for the whole array")
    options = {} if overflow is None else {"overflow": as_enum("overflow", overflow, Overflow)}
    unit = Convert(source=source, out=fmt, rounding=mode, random_bits=random_bits, **options)
    controls: dict[str, Any] = {}
    if random_bits:
        if not isinstance(random, np.random.Generator):
            raise UsageError(
                f"random: got {type(random).__name__} with rounding={mode.value}; expected a numpy Generator, such as "
                "np.random.default_rng(0)"
            )
        controls["random"] = random.integers(0, 1 << random_bits, array.shape, dtype=np.uint64)
    elif random is not None:
        raise UsageError(f"random: got {type(random).__name__} with rounding={mode.value}; expected none given")
    return compute(unit, code_bits(array, source), **controls).codes


def _numbers(values: Any) -> np.ndarray:
    """`values` as an array of floats, without losing a bit."""
    given = without_tensor("values", values)
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"values: got {str(error).rstrip('.')}; expected an array of floats") from None
    source = format_of(array.dtype)
    if source is not None and not source.fixed:
        return array
    small = source is not None or (array.dtype.kind in "iu" and array.dtype.itemsize < 8)
    if not small and array.dtype.kind not in "iu":
        raise UsageError(f"values: got an array of {array.dtype}; expected floats of up to 64 bits, or integers")
    if not small and array.size:
        worst = max(abs(int(array.min())), abs(int(array.max())))
        if worst > _WHOLE:
            raise UsageError(f"values: got an integer of magnitude {worst}; expected up to 2**53, or floats")
    return array.astype(np.float64)


def decode(fmt: Format, codes: Any) -> np.ndarray:
    """Codes as binary64 numbers; see `Format.decode`."""
    if not _fits_binary64(fmt):
        raise UsageError(
            f"format {fmt}: got values that binary64 does not hold; expected a format of up to 53 significant bits, "
            "with exponents of binary64 (value(code) is exact)"
        )
    array = codes_of(Port.of_codes("codes", fmt, Role.OPERAND), codes)
    if fmt == as_format("fp64"):
        return array.view(np.float64)
    if fits_float64(fmt):
        return np.asarray(float64_values(fmt, array))
    parts = unpack(fmt, array)
    magnitude = np.ldexp(parts.significand.astype(np.float64), parts.exponent)
    finite = np.where(parts.negative, -magnitude, magnitude)
    return np.where(np.isfinite(parts.shadow), finite, parts.shadow)


def _fits_binary64(fmt: Format) -> bool:
    """Whether every value of `fmt` is a binary64 number, and every code fits into 64 bits."""
    return fmt.bits <= 64 and fmt.precision <= 53 and fmt.emax <= 1023 and fmt.quantum_exponent >= -1074


def typed(fmt: Format, codes: Any) -> np.ndarray:
    """Codes as an array of the dtype that has the format's numbers; see `Format.typed`."""
    return with_dtype(fmt, codes_of(Port.of_codes("codes", fmt, Role.OPERAND), codes))
