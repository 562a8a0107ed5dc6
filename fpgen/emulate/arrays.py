"""Arrays of floats as codes of a format, and codes as the numbers they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.base.memory import check_room
from fpgen.formats import Format, as_format
from fpgen.formats.dtypes import without_tensor
from fpgen.golden.scalar.decode import fits_float64, float64_values, is_binary32
from fpgen.units import Convert
from fpgen.units.options import Overflow


def floats(name: str, given: Any) -> tuple[np.ndarray, str]:
    """Floats as codes, and the name of their format.

    Parameters
    ----------
    name : str
        What messages call the array.
    given : array_like of float32, float16 or bfloat16

    Returns
    -------
    (codes, source) : tuple of (ndarray of uint32 or uint16, str)
        Of the same shape.

    Raises
    ------
    UsageError
    """
    array = array_of(name, given)
    source, dtype = source_of(name, array)
    check_room(name, array.shape, array.dtype.itemsize)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)  # bytes may be swapped (files, networks)
    return np.asarray(native, order="C").view(dtype), source


def array_of(name: str, given: Any) -> np.ndarray:
    """`given` as an array; ragged lists are rejected under the name `name`."""
    try:
        return np.asarray(without_tensor(name, given))
    except ValueError as error:
        raise UsageError(
            f"{name}: {str(error).rstrip('.')}; expected an array of float32, float16 or bfloat16"
        ) from None


def source_of(name: str, array: np.ndarray) -> tuple[str, type]:
    """The format of an array of floats, and the dtype of its codes."""
    formats = {"float32": ("fp32", np.uint32), "float16": ("fp16", np.uint16), "bfloat16": ("bf16", np.uint16)}
    if array.dtype.name not in formats:
        extension = array.dtype.kind == "V" and array.dtype.type is not np.void  # ml_dtypes' floats, all within float32
        hint = (
            f" ({name}.astype(np.float32) holds it)"
            if extension
            else f" ({name}.astype(np.float32) rounds to it)"
            if array.dtype.kind in "fiub"
            else ""
        )
        raise UsageError(f"{name}: got an array of {array.dtype}; expected float32, float16 or bfloat16{hint}")
    return formats[array.dtype.name]


def convert(values: Any, to: Format) -> np.ndarray:
    """Floats as codes of `to`, to nearest even, saturating."""
    codes, source = floats("operand", values)
    if to == as_format(source):
        return codes
    return Convert(source=as_format(source), out=to, overflow=Overflow.SATURATE).compute(codes).codes


def values_of(codes: np.ndarray, fmt: Format) -> np.ndarray:
    """What codes stand for: float32 where every value of the format is one, else float64."""
    if is_binary32(fmt):
        return codes.view(np.float32)
    if not fits_float64(fmt):
        if fmt == as_format("fp64"):
            return codes.view(np.float64)
        raise UsageError(f"out: got {fmt}, whose values are not float64 numbers; expected fp64 or less, or codes")
    values = float64_values(fmt, codes)
    narrow = fmt.significand_bits <= 24 and (fmt.fixed or (fmt.emax <= 127 and fmt.quantum_exponent >= -149))
    return values.astype(np.float32) if narrow else values


def filled(array: np.ndarray, axis: int, length: int) -> np.ndarray:
    """`array` with zeros behind it along `axis`, up to `length`."""
    missing = length - array.shape[axis]
    if not missing:
        return array
    widths = [(0, missing if at == axis else 0) for at in range(array.ndim)]
    return np.pad(array, widths)


def round_up(count: int, step: int) -> int:
    """The least multiple of `step` that is at least `count`."""
    return -(-count // step) * step
