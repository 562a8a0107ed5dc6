"""Checks of what the caller hands to the golden model, in one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.base.memory import check_room
from fpgen.formats.dtypes import code_bits, format_of, without_tensor
from fpgen.units.base import Unit
from fpgen.units.ports import Port, Role

from .result import code_dtype

#: Controls that mean "no" when they are not given; the others decide the result and must be given.
_OPTIONAL = frozenset({"clear", "load", "c", "mask"})


@lru_cache(maxsize=256)
def input_ports(unit: Unit) -> tuple[Port, ...]:
    """Operands, then controls."""
    # Not those of the unit itself: its tag is no business of the model, and the stages of a period take long to find.
    ports = [port for port in unit.behaviour.ports if port.travels_in]
    return tuple(sorted(ports, key=lambda port: port.role is not Role.OPERAND))


def gather(unit: Unit, operands: Sequence[Any], by_name: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Check operands and controls, and bring them to one shape.

    Parameters
    ----------
    unit : Unit
    operands : sequence of array_like of int
        Arrays of codes, in port order; or of the dtype that has the operand's numbers (`fpgen.formats.dtypes`), and
        tensors with ``__dlpack__`` on the CPU.
    by_name : mapping of str to array_like of int
        One array per control port, and per operand that is not among `operands`; `clear`, `load` and `c` of a
        multiply-accumulate, and `mask`, are 0 when not given.

    Returns
    -------
    dict of str to ndarray
        By port name, in port order, of the narrowest unsigned dtype that holds a code of the port. The leading
        axes have one shape (broadcast views where shapes differed), the last ones are those of the port.

    Raises
    ------
    UsageError
        A missing, unknown or doubled operand or control, something that is not an integer, a code out of range,
        an array without the axes of its port, or shapes that do not broadcast.
    """
    ports = input_ports(unit)
    names = [port.name for port in ports if port.role is Role.OPERAND]
    controls = [port.name for port in ports if port.role is Role.CONTROL]
    unknown = [name for name in by_name if name not in (*names, *controls)]
    if unknown:
        raise UsageError(
            f"{unit.operation}: control: got {', '.join(unknown)}; expected for `{unit}`: "
            f"{', '.join(controls) or 'none'}, and the operands {', '.join(names)} in order or by name"
        )
    twice = [name for name in names[: len(operands)] if name in by_name]
    if twice:
        raise UsageError(f"{unit.operation}: got {', '.join(twice)} in order and by name; expected it once")
    count = len(operands) + sum(name in names for name in by_name)
    given = {**dict(zip(names, operands, strict=False)), **by_name}
    if count != len(names):
        absent = [name for name in names if name not in given]
        words = f" ({', '.join(absent)} missing)" if absent else ""
        raise UsageError(f"{unit.operation}: got {count} operands; expected {', '.join(names)}{words}")
    missing = [name for name in controls if name not in by_name and name not in _OPTIONAL]
    if missing:
        raise UsageError(
            f"{unit.operation}: control {', '.join(missing)}: got none; expected an array (or one "
            f"number) for this input of `{unit}`"
        )
    arrays = {port.name: codes_of(port, given[port.name]) for port in ports if port.name in given}
    return _broadcast(unit, {port.name: port.shape for port in ports}, arrays)


def _broadcast(unit: Unit, axes: dict[str, tuple[int, ...]], arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Bring the leading axes of all arrays to one shape; `axes` are the last ones of each."""
    leading = {}
    for name, array in arrays.items():
        split = array.ndim - len(axes[name])
        if split < 0 or array.shape[split:] != axes[name]:
            raise UsageError(
                f"{unit.operation}: {name}: got shape {array.shape}; expected the last axes {axes[name]} for `{unit}`"
            )
        leading[name] = array.shape[:split]
    try:
        common = np.broadcast_shapes(*leading.values())
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise UsageError(f"{unit.operation}: got the shapes {shapes}; expected shapes that broadcast to one") from None
    for name, array in arrays.items():
        check_room(name, (*common, *axes[name]), array.dtype.itemsize)
    return {name: np.broadcast_to(array, (*common, *axes[name])) for name, array in arrays.items()}


def codes_of(port: Port, given: Any) -> np.ndarray:
    """`given` as an array of the narrowest unsigned dtype for the port, every element checked.

    Raises
    ------
    UsageError
    """
    given = without_tensor(port.name, given)
    try:
        array = np.asarray(given)
        if array.dtype.kind == "f" and not hasattr(given, "dtype"):
            array = np.asarray(given, dtype=object)  # numpy makes floats of lists of small and of 64-bit integers
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"{port.name}: {error}; expected an array of integer codes") from None
    top = (1 << port.element_width) - 1
    wanted = f"expected integer codes ({port.format or 'control'}: 0 to {top:#x})"
    dtype = code_dtype(port.element_width)
    check_room(port.name, array.shape, np.dtype(dtype).itemsize)
    if port.format is not None and hasattr(given, "dtype") and format_of(array.dtype) == port.format:
        array = code_bits(array, port.format)
    if array.dtype.kind == "O":
        others = [item for item in array.reshape(-1) if not isinstance(item, int | np.integer)]
        if others:
            raise UsageError(f"{port.name}: got {others[0]!r}; {wanted}")
    elif array.dtype.kind not in "iub":
        raise UsageError(f"{port.name}: got an array of {array.dtype}; {wanted}{_view_hint(port, array)}")
    if (
        array.size == 0
        or array.dtype.kind == "b"
        or (array.dtype.kind == "u" and array.dtype.itemsize * 8 <= port.element_width)
    ):
        return array.astype(dtype, copy=False)
    signed, high = array.dtype.kind != "u", int(array.max())
    if high > top or (signed and int(array.min()) < 0):
        raise UsageError(
            f"{port.name}: got {int(array.min())} to {high}; expected codes of {port.format or 'this control'}, "
            f"0 to {top} ({top:#x}){_view_hint(port, array)}"
        )
    return array.astype(dtype, copy=False)


def _view_hint(port: Port, array: np.ndarray) -> str:
    """How to pass the bits of an array whose elements have the width of the port's codes; or what else to do."""
    width = array.dtype.itemsize * 8
    held = format_of(array.dtype)
    if held is not None:  # of another format, or these would have been read as codes
        return f" or an array of its own dtype; encode(values) of {port.format} rounds to it" if port.format else ""
    fits = width == port.element_width
    if not fits or array.dtype.kind != "i" or width not in (8, 16, 32, 64):
        return ""
    return f"; {port.name}.view(np.uint{width}) has its bits as codes"
