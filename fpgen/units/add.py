"""result = round(a + b), or a - b."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import ClassVar

from fpgen.formats import Format

from .options import as_enum
from .ports import Port, Role
from .rounded import RoundedUnit


class Subtract(enum.Enum):
    """Whether the unit adds, subtracts, or does what the `subtract` input says."""

    OFF = "off"
    ON = "on"
    PORT = "port"


@dataclass(frozen=True, kw_only=True)
class Add(RoundedUnit):
    """The sum (or difference) of `a` and `b`, rounded once to `out` (IEEE 754-2019, 5.4.1).

    Parameters
    ----------
    a, b : Format or str
    subtract : Subtract or str
        ``on`` computes ``a - b``; ``port`` adds a 1-bit input that does so when high.
        Subtraction negates `b` before adding; NaN has no sign here.
    """

    operation: ClassVar[str] = "add"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    can_wrap: ClassVar[bool] = True

    a: Format
    b: Format
    subtract: Subtract = Subtract.OFF

    @property
    def multiplies(self) -> bool:
        return False

    def _validate(self) -> None:
        self._set("subtract", as_enum("subtract", self.subtract, Subtract))

    def _controls(self) -> list[Port]:
        return [Port("subtract", 1, True, Role.CONTROL)] if self.subtract is Subtract.PORT else []
