"""result = round(a * b + c), one rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fpgen.formats import Format

from .rounded import RoundedUnit


@dataclass(frozen=True, kw_only=True)
class FusedMultiplyAdd(RoundedUnit):
    """``a * b + c`` rounded once to `out` (IEEE 754-2019, 5.4.1); all four formats are free."""

    operation: ClassVar[str] = "fma"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b", "c")
    can_wrap: ClassVar[bool] = True

    a: Format
    b: Format
    c: Format
