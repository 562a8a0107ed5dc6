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
            f"{what}: got {given!r}; expected a list of one or more values, or {{ from = 2, to = 24, step = 1 }}"
        )
    if len(given) > MOST_VALUES:
        raise UsageError(f"{what}: got {len(given):,} values; expected up to {MOST_VALUES:,}")
    seen: set[tuple[bool, Value]] = set()
    for value in given:
        if not isinstance(value, bool | int | float | str) or _too_large(value):
            raise UsageError(
                f"{what}: got {_short(value)}; expected a number below 10**15, text of up to {_LONGEST} characters in "
                "one line, or true or false"
            )
        if (isinstance(value, bool), value) in seen:  # 2 and 2.0 are one value, 1 and true are two
            raise UsageError(f"{what}: got {value!r} twice; expected it once")
        seen.add((isinstance(value, bool), value))
    return tuple(given)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _too_large(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) > _LONGEST or not value.isprintable()
    return isinstance(value, int | float) and not -LARGEST <= value <= LARGEST  # NaN as well


def _range(what: str, given: Mapping[str, Any]) -> tuple[Value, ...]:
    wanted = "expected { from = 2, to = 24, step = 1 } (step may be left out)"
    if not {"from", "to"} <= set(given) <= {"from", "to", "step"}:
        raise UsageError(f"{what}: got the keys {', '.join(map(str, given)) or '(none)'}; {wanted}")
    first, last, step = given["from"], given["to"], given.get("step", 1)
    for value in (first, last, step):
        if isinstance(value, bool) or not isinstance(value, int | float) or _too_large(value):
            raise UsageError(f"{what}: got {_short(value)}, not a number below 10**15; {wanted}")
    if step <= 0 or last < first:
        raise UsageError(f"{what}: got {first} to {last} by {step}, which has no values; {wanted}")
    steps = (last - first) / step + 1e-9
    if not steps < MOST_VALUES:
        raise UsageError(f"{what}: got {first} to {last} by {step}; expected at most {MOST_VALUES:,} values")
    # 0.1 + 2 * 0.1 is 0.30000000000000004 to a computer, and 0.3 to the user who wrote the range.
    return tuple(
        value if isinstance(value, int) else float(f"{value:.12g}")
        for value in (first + index * step for index in range(math.floor(steps) + 1))
    )
