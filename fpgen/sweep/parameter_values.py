"""The values of a parameter: a list, or a range ``{ from = 2, to = 24, step = 1 }``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fpgen.base.errors import UsageError

from .formula import LARGEST, Value

MOST_VALUES = 10_000
_LONGEST = 300


def spread(what: str, given: Any) -> tuple[Value, ...]:
    """All values, in the order given; `what` they are of goes into messages.

    Raises
    ------
    UsageError
        For no values, too many, one twice, and anything but numbers, texts, true and false.
    """
    if isinstance(given, Mapping):
        return _range(what, given)
    if not isinstance(given, list) or not given:
        raise UsageError(
            f"{what} = {given!r}; a list of one or more values, or {{ from = 2, to = 24, step = 1 }} is allowed"
        )
    if len(given) > MOST_VALUES:
        raise UsageError(f"{what} has {len(given):,} values; up to {MOST_VALUES:,} are allowed")
    seen: set[tuple[bool, Value]] = set()
    for value in given:
        if not isinstance(value, bool | int | float | str) or _too_large(value):
            raise UsageError(
                f"{what}: {_short(value)}; numbers below 10**15, texts of up to {_LONGEST} characters in "
                "one line and true or false are allowed"
            )
        if (isinstance(value, bool), value) in seen:  # 2 and 2.0 are one value, 1 and true are two
            raise UsageError(f"{what}: {value!r} twice; once is allowed")
        seen.add((isinstance(value, bool), value))
    return tuple(given)


def _short(value: Any) -> str:
    told = repr(value)
    return told if len(told) <= 60 else f"{told[:60]}..."


def _too_large(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > _LONGEST or not value.isprintable()
    return isinstance(value, int | float) and not -LARGEST <= value <= LARGEST  # NaN as well


def _range(what: str, given: Mapping[str, Any]) -> tuple[Value, ...]:
    allowed = f"{what}: {{ from = 2, to = 24, step = 1 }} is allowed (step may be left out)"
    if not {"from", "to"} <= set(given) <= {"from", "to", "step"}:
        raise UsageError(f"{allowed}; given: {', '.join(map(str, given)) or 'nothing'}")
    first, last, step = given["from"], given["to"], given.get("step", 1)
    for value in (first, last, step):
        if isinstance(value, bool) or not isinstance(value, int | float) or _too_large(value):
            raise UsageError(f"{allowed}; {_short(value)} is no number below 10**15")
    if step <= 0 or last < first:
        raise UsageError(f"{allowed}; from {first} to {last} by {step} has no values")
    steps = (last - first) / step + 1e-9
    if not steps < MOST_VALUES:
        raise UsageError(f"{allowed}; from {first} to {last} by {step} has more than {MOST_VALUES:,} values")
    # 0.1 + 2 * 0.1 is 0.30000000000000004 to a computer, and 0.3 to whoever wrote the range.
    return tuple(
        value if isinstance(value, int) else float(f"{value:.12g}")
        for value in (first + index * step for index in range(math.floor(steps) + 1))
    )
