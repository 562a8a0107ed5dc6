"""result = round(a * b)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fpgen.formats import Format

from .rounded import RoundedUnit


@dataclass(frozen=True, kw_only=True)
class Multiply(RoundedUnit):
    """The product of `a` and `b`, rounded once to `out` (IEEE 754-2019, 5.4.1).

    `a`, `b` and `out` may be any formats, integers included.
    """

    operation: ClassVar[str] = "multiply"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    can_wrap: ClassVar[bool] = True

    a: Format
    b: Format
