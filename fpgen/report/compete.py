"""Which records of a store compete: by default only units of equal function.

An area-delay front means something among units that a designer could swap for one another. Units that differ in stages,
handshake or architecture compute the same, so they compete; a narrower format is always smaller, and beats nothing by
it. What a figure measures need not be equal: against a unit's own error, its rounding and its accumulator may differ;
against the error on the unrounded data, its operand formats as well.

`compete` under `[report]` of a sweep names parameters instead; then records with equal values of those compete.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .data import ERROR, TOTAL, Axis, Record

#: Options of a unit's line that change no result.
_BUILD = re.compile(
    r"\s+(?:stages|period|handshake|multiplier|adder|reset|reset_active|enable|flush|tag|registers|module_name|prefix)=\S+"
)
#: Operation, operands and result format.
_INTERFACE = re.compile(r".*->\s*\S+")
_SIZE = re.compile(r"\b[a-z]+=\d+")


def function_of(record: Record) -> str:
    """The unit's line of text without what no result depends on: operation, formats, and everything of its contract."""
    return _BUILD.sub("", str(record.get("unit") or ""))


def group_of(record: Record, x: Axis, y: Axis) -> str:
    """Text that records must have in common to compete in these two figures (besides the technology)."""
    if record.get("compete"):
        return str(record["compete"])
    function = function_of(record)
    if TOTAL in (x, y):
        left = function.partition("->")[0]
        return " ".join([str(record.get("operation") or ""), *_SIZE.findall(left)])
    if ERROR in (x, y):
        found = _INTERFACE.match(function)
        return found[0] if found else function
    return function


def among(records: Sequence[Record], x: Axis, y: Axis) -> str:
    """What competing records have in common, in words for a caption."""
    chosen = sorted({str(record.get("compete") or "") for record in records} - {""})
    if chosen:
        names = ", ".join(re.findall(r"(?:^|, )(\w+)=", chosen[0])) or "kind"
        return f"units of equal {names} (the sweep's choice)"
    if TOTAL in (x, y):
        return "units of the same operation and size, in whatever formats"
    if ERROR in (x, y):
        return "units of the same operation, operand formats and result format"
    return "units of the same function (operation, formats, contract)"


def fronts(records: Sequence[Record], x: Axis, y: Axis) -> tuple[list[list[Record]], list[Record]]:
    """The records that no other one beats, and the rest.

    A record is beaten by one that competes with it (`group_of`, and the same technology), is as good in both figures
    and better in at least one; smaller is better. Of records equal in both none beats the other.

    Returns
    -------
    (list of list of record, list of record)
        Each group's front in the order of `x`; the dominated records.
    """
    groups: dict[tuple[str, str], list[tuple[float, float, Record]]] = {}
    for record in records:
        left, right = x.of(record), y.of(record)
        if left is not None and right is not None:
            key = (str(record["technology"]), group_of(record, x, y))
            groups.setdefault(key, []).append((left, right, record))
    kept, beaten = [], []
    for group in groups.values():
        front: list[Record] = []
        last = (-math.inf, math.inf)
        for left, right, record in sorted(group, key=lambda item: item[:2]):
            if right < last[1] or (left, right) == last:
                last = (left, right)
                front.append(record)
            else:
                beaten.append(record)
        kept.append(front)
    return kept, beaten
