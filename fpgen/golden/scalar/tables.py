"""Whole operations as lookup tables, filled by the engines.

A unit whose inputs have up to `INDEX_BITS` bits together (two 8-bit operands
and a rounding port, say) is a table. So is a conversion of a wide IEEE format
to a narrow one: its result depends on the leading bits of the code and on
whether any bit below them is set, which makes a short index of a long code.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fpgen.formats.code_classes import NaN
from fpgen.formats.descriptor import Format
from fpgen.golden.arguments import input_ports
from fpgen.units.rounded import RoundedUnit

INDEX_BITS = 20
_CHUNK = 1 << 15
_KEPT = 24  # tables; at most 9 MB each

#: Evaluates flat arrays of inputs by port name into codes and flags.
Evaluate = Callable[[dict[str, np.ndarray]], tuple[np.ndarray, np.ndarray]]


class Field(NamedTuple):
    """One input in the index: its `width` there, and the low bits of its codes that are only or-ed (`dropped`)."""

    name: str
    width: int
    dropped: int


@dataclass(frozen=True)
class LookupTable:
    """Codes and flags by index; in one word of 16 bits where the codes have 8."""

    fields: tuple[Field, ...]
    codes: np.ndarray
    flags: np.ndarray
    packed: np.ndarray | None

    def look_up(self, inputs: dict[str, np.ndarray], codes: np.ndarray, flags: np.ndarray) -> None:
        """Results of flat arrays of inputs, written into flat `codes` and `flags`."""
        for start in range(0, len(codes), _CHUNK):
            part = slice(start, start + _CHUNK)
            index = _index(self.fields, inputs, part)
            if self.packed is None:
                codes[part] = self.codes.take(index, mode="clip")
                flags[part] = self.flags.take(index, mode="clip")
            else:
                found = self.packed.take(index, mode="clip")
                codes[part] = found
                found >>= 8
                flags[part] = found


def _index(fields: tuple[Field, ...], inputs: dict[str, np.ndarray], part: slice) -> np.ndarray:
    dtype = np.uint16 if sum(field.width for field in fields) <= 16 else np.uint32
    index: np.ndarray | None = None
    for field in fields:
        values = inputs[field.name][part]
        if field.dropped:
            mask = values.dtype.type((1 << field.dropped) - 1)
            lost = ((values & mask) + mask) >> field.dropped  # 1 where a dropped bit is set
            values = ((values >> field.dropped) << 1) | lost
        if index is None:
            index = values.astype(dtype)
        else:
            index <<= field.width
            index |= values.astype(dtype, copy=False)
    assert index is not None
    return index


def _representatives(fields: tuple[Field, ...]) -> dict[str, np.ndarray]:
    """One input of every index."""
    index = np.arange(1 << sum(field.width for field in fields), dtype=np.uint64)
    inputs = {}
    for field in reversed(fields):
        values = index & np.uint64((1 << field.width) - 1)
        if field.dropped:
            values = ((values >> np.uint64(1)) << np.uint64(field.dropped)) | (values & np.uint64(1))
        inputs[field.name] = values
        index >>= np.uint64(field.width)
    return inputs


# ---- which units are tables ----------------------------------------------------------------------


def layout(unit: RoundedUnit, only_rounds: bool) -> tuple[Field, ...] | None:
    """The index of a unit's table; None where it would be too long.

    Where the unit `only_rounds` its one operand, the lowest bits of a long one can be one sticky bit.
    """
    fields = [Field(port.name, port.width, 0) for port in input_ports(unit)]
    if only_rounds and fields[0].width > 16:
        (source,) = unit.operands.values()
        kept = _kept_bits(source, unit.out, unit.random_bits)
        if kept is None:
            return None
        dropped = source.bits - kept
        fields[0] = Field(fields[0].name, kept + 1, dropped)
    return tuple(fields) if sum(field.width for field in fields) <= INDEX_BITS else None


def _kept_bits(source: Format, out: Format, random_bits: int) -> int | None:
    """Leading bits of a code of `source` that, with a sticky bit, decide its conversion; None: no saving.

    The significand needs the output's precision, the random bits and one bit more (a half, for "to
    nearest"; also of the smaller step that tininess is judged by). The truncated codes of subnormals
    keep fewer significant bits, so there the outputs' finest distinction must not be below their step.
    An IEEE NaN stays one (quiet or signalling) when it is truncated this way.
    """
    if source.nan is not NaN.IEEE:
        return None
    trailing = out.significand_bits + random_bits
    if trailing > source.trailing_bits - 2:
        return None
    if source.subnormals and out.quantum_exponent - random_bits - 2 < source.emin - trailing:
        return None
    return source.bits - source.trailing_bits + trailing


# ---- the cache -----------------------------------------------------------------------------------

_tables: OrderedDict[RoundedUnit, LookupTable] = OrderedDict()


def find(unit: RoundedUnit, count: int, evaluate: Evaluate, *, only_rounds: bool) -> LookupTable | None:
    """The table of a unit, built when `count` results are worth it; None where there is none (yet)."""
    table = _tables.get(unit)
    if table is not None:
        _tables.move_to_end(unit)
        return table
    fields = layout(unit, only_rounds)
    if fields is None or count < 1 << max(sum(field.width for field in fields) - 2, 0):
        return None
    codes, flags = evaluate(_representatives(fields))
    packed = codes | (flags.astype(np.uint16) << 8) if unit.out.bits <= 8 else None
    table = _tables[unit] = LookupTable(fields, codes, flags, packed)
    if len(_tables) > _KEPT:
        _tables.popitem(last=False)
    return table
