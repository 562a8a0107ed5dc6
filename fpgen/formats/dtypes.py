"""Arrays whose elements already are numbers of a format: numpy's floats, those of ml_dtypes, tensors through DLPack.

An array of ``ml_dtypes.float8_e4m3fn`` is an array of codes of `e4m3fn` under a name that numpy can calculate with. The
dtype is recognised by its name, which is an alias of the format in the catalogue, so ml_dtypes is imported only where
such an array has to be made. Tensors come through DLPack (``__dlpack__``), so no library of tensors is imported at all.
"""

from __future__ import annotations

import importlib
import re
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from fpgen.base.errors import MissingTool, UsageError

from .catalogue import ALIASES, CATALOGUE
from .descriptor import Format
from .grammar import as_format

#: Device of memory that numpy can read (DLPack, kDLCPU).
_CPU = 1

_FLOATS = re.compile(r"b?float\d+(_\w+)?")
_SMALL_INTEGERS = re.compile(r"u?int[1-7]")
_ORDINARY = (8, 16, 32, 64)


@lru_cache(maxsize=256)
def format_of(dtype: np.dtype) -> Format | None:
    """The format whose numbers an array of `dtype` holds; None where its elements are not such numbers.

    Parameters
    ----------
    dtype : numpy.dtype
        numpy's floats, or a type of ml_dtypes. Ordinary integers hold codes, so they have no format here.
    """
    extension = dtype.type.__module__.partition(".")[0] == "ml_dtypes"
    named = _FLOATS.fullmatch(dtype.name) or (extension and _SMALL_INTEGERS.fullmatch(dtype.name))
    if not named or not (extension or dtype.kind == "f"):
        return None
    try:
        return as_format(dtype.name)
    except UsageError:  # longdouble, int1
        return None


def code_bits(array: np.ndarray, fmt: Format) -> np.ndarray:
    """The codes in an array that `format_of` recognises.

    Parameters
    ----------
    array : ndarray
        Of the dtype of `fmt`, in either byte order.
    fmt : Format

    Returns
    -------
    ndarray of unsigned int
        Of the same shape, as wide as the elements of `array`.
    """
    native = np.asarray(array.astype(array.dtype.newbyteorder("="), copy=False), order="C")
    codes = native.view(np.dtype(f"u{native.dtype.itemsize}"))
    if fmt.bits < 8 * codes.dtype.itemsize:  # int4 is stored in a byte with its sign repeated
        codes = codes & codes.dtype.type((1 << fmt.bits) - 1)
    return codes


def dtype_of(fmt: Format) -> np.dtype:
    """The dtype of numpy or ml_dtypes whose elements are numbers of `fmt`.

    Raises
    ------
    UsageError
        When neither has such a dtype.
    MissingTool
        When only ml_dtypes has it, and is not installed.
    """
    if fmt.fixed and fmt.scale == 0 and not fmt.symmetric:
        name = f"{'' if fmt.signed else 'u'}int{fmt.bits}"
        ordinary = fmt.bits in _ORDINARY
    else:
        aliases = [alias for alias, entry in ALIASES.items() if CATALOGUE[entry].format == fmt]
        name = next((alias for alias in aliases if _FLOATS.fullmatch(alias)), "")
        ordinary = name in ("float16", "float32", "float64")
    if ordinary:
        return np.dtype(name)
    if name:
        try:
            extension: Any = importlib.import_module("ml_dtypes")
        except ImportError:
            raise MissingTool(
                f"format {fmt}: got no package ml_dtypes for its dtype {name}; expected it: pip install ml_dtypes"
            ) from None
        if hasattr(extension, name):
            dtype: np.dtype[Any] = np.dtype(getattr(extension, name))
            return dtype
    raise UsageError(
        f"format {fmt}: got no dtype of numpy or ml_dtypes with its numbers; expected a format that has one, "
        "or decode(codes) for the values"
    )


def with_dtype(fmt: Format, codes: np.ndarray) -> np.ndarray:
    """Codes (unsigned integers, already checked) as an array of `dtype_of` the format."""
    dtype = dtype_of(fmt)
    whole = codes.astype(np.dtype(f"u{dtype.itemsize}"), copy=False)
    if fmt.fixed and fmt.signed and fmt.bits < 8:
        unused = 8 - fmt.bits
        return ((whole << unused).view(np.int8) >> unused).astype(dtype)
    return np.asarray(whole, order="C").view(dtype)


def without_tensor(name: str, given: Any) -> Any:
    """`given`, or the same memory as an ndarray where it is a tensor of another library.

    Parameters
    ----------
    name : str
        What messages call it.
    given : object
        Anything; converted where it has ``__dlpack__`` and is no ndarray.

    Raises
    ------
    UsageError
        For a tensor that is not in the memory of the processor, or of a type that numpy does not read.
    """
    if isinstance(given, np.ndarray | np.generic) or not hasattr(given, "__dlpack__"):
        return given
    device = given.__dlpack_device__() if hasattr(given, "__dlpack_device__") else (_CPU, 0)
    if int(device[0]) != _CPU:
        raise UsageError(f"{name}: got a tensor on DLPack device {int(device[0])}; expected one on the CPU")
    try:
        return np.from_dlpack(given)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        # DLPack as numpy reads it has no small floats; JAX gives them as an array of ml_dtypes' types all the same.
        if hasattr(given, "__array__"):
            with suppress(TypeError, ValueError, RuntimeError):
                return np.asarray(given)
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise UsageError(
            f"{name}: got a tensor that numpy does not read ({reason}); expected codes: the tensor's bits viewed as "
            "unsigned integers"
        ) from None
