"""result = round(a) in another format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fpgen.formats import Format

from .rounded import RoundedUnit


@dataclass(frozen=True, kw_only=True)
class Convert(RoundedUnit):
    """`source` rounded once to `out` (IEEE 754-2019, 5.4.2; OFP8 5.2)."""

    operation: ClassVar[str] = "convert"
    operand_names: ClassVar[tuple[str, ...]] = ("source",)
    can_wrap: ClassVar[bool] = True

    source: Format

    @property
    def multiplies(self) -> bool:
        return False
