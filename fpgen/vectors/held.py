"""Inputs that are restricted to a few codes while all others take every code.

An input is a port (all its elements, each by itself) or a part of an array port: ``c``, ``source[0]``, ``a[2:]``;
elements are counted in row-major order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fpgen.base.errors import UsageError
from fpgen.units.ports import Port

from .patterns import corner_codes

#: (the input as spelled, its codes), in the order given.
Held = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Digit:
    """One digit of a vector's number: an element of a port, and its codes (None: every one)."""

    port: str
    element: int
    radix: int
    codes: tuple[int, ...] | None = None


def read_held(ports: Sequence[Port], fixed: Mapping[str, Sequence[int] | str]) -> Held:
    """Check which inputs are to be held, and to which codes.

    Parameters
    ----------
    ports : sequence of Port
        The inputs of the unit.
    fixed : mapping of str to (sequence of int or str)
        Codes, or ``corners`` for the corner codes of the port's format.

    Raises
    ------
    UsageError
    """
    found = []
    for spelled, choice in fixed.items():
        port, _ = _elements(ports, spelled)
        if choice == "corners" and port.format is not None:
            codes = corner_codes(port.format).tolist()
        elif isinstance(choice, str) or not all(type(code) is int for code in choice):
            raise UsageError(
                f"fixed {spelled}: got {choice!r}; expected a list of codes{', or corners' if port.format else ''}"
            )
        else:
            codes = list(dict.fromkeys(choice))
        wrong = [code for code in codes if not 0 <= code < 1 << port.element_width]
        if wrong or not codes:
            raise UsageError(
                f"fixed {spelled}: got {wrong[0] if wrong else 'no code'}; expected at least one code from 0 to "
                f"{(1 << port.element_width) - 1:#x}"
            )
        found.append((spelled, tuple(codes)))
    return tuple(found)


def _elements(ports: Sequence[Port], spelled: str) -> tuple[Port, range]:
    """The port and the elements of it that are meant."""
    match = re.fullmatch(r"(\w+)(?:\[(\d*)(:?)(\d*)\])?", spelled.replace(" ", ""))
    port = next((port for port in ports if match and port.name == match[1]), None)
    if match is None or port is None:
        raise UsageError(
            f"fixed: got {spelled}; expected one of {', '.join(port.name for port in ports)} (of arrays also "
            "parts, as in a[0] or a[1:])"
        )
    if "[" not in spelled:
        return port, range(port.count)
    low = int(match[2] or 0)
    high = int(match[4] or port.count) if match[3] else low + 1
    if not low < high <= port.count:
        raise UsageError(f"fixed: got {spelled}; expected elements 0 to {port.count - 1} of {port.name}")
    return port, range(low, high)


def digits_of(ports: Sequence[Port], held: Held) -> list[Digit]:
    """The digits of a vector's number, the lowest first.

    Raises
    ------
    UsageError
        When two inputs that are held overlap.
    """
    codes: dict[tuple[str, int], tuple[int, ...]] = {}
    for spelled, values in held:
        port, elements = _elements(ports, spelled)
        for element in elements:
            if (port.name, element) in codes:
                raise UsageError(f"fixed {spelled}: got {port.name}[{element}] twice; expected it once")
            codes[port.name, element] = values
    found = []
    for port in ports:
        for element in range(port.count):
            few = codes.get((port.name, element))
            radix = 1 << port.element_width if few is None else len(few)
            found.append(Digit(port.name, element, radix, few))
    return found


def held_text(ports: Sequence[Port], held: Held) -> str:
    """Which inputs take every code and which do not: ``a, b; 40 values of c``."""
    taken = {
        (port.name, element) for spelled, _ in held for port, part in [_elements(ports, spelled)] for element in part
    }
    free = []
    for port in ports:
        left = [element for element in range(port.count) if (port.name, element) not in taken]
        if len(left) == port.count:
            free.append(port.name)
        elif left:
            free.append(f"{port.name}[{', '.join(map(str, left))}]")
    said = [
        f"{spelled} = {codes[0]:#x}" if len(codes) == 1 else f"{len(codes)} values of {spelled}"
        for spelled, codes in held
    ]
    return "; ".join([", ".join(free) or "nothing", *said])
