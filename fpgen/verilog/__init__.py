"""Units as Verilog-2001 that people can read; the same bytes every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpgen.units.base import Unit

__all__ = ["write"]


def write(unit: Unit) -> str:
    """The unit as Verilog text, top module `unit.name`.

    Raises
    ------
    UsageError
        When the unit's stages or period are out of reach.
    """
    from .module import module

    return module(unit)
