"""The pins of a unit, as data: the Verilog writer, the testbench and the datasheet all read this list."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..formats.descriptor import Format


class Role(enum.Enum):
    """What a pin is for."""

    CLOCK = "clock"
    RESET = "reset"  # synchronous, active high
    OPERAND = "operand"  # a code of `format`
    CONTROL = "control"  # travels with the operands: subtract, clear, load, rounding mode, random bits
    RESULT = "result"  # a code of `format`
    FLAGS = "flags"  # travels with the result: {NV, DZ, OF, UF, NX}
    HANDSHAKE = "handshake"


@dataclass(frozen=True)
class Port:
    """One pin: `name`, `width` in bits, `is_input`, its `role`, and the `format` of its codes, if it carries any."""

    name: str
    width: int
    is_input: bool
    role: Role
    format: Format | None = None

    @property
    def travels_in(self) -> bool:
        """Whether it is sampled together with the operands (operands and controls)."""
        return self.role in (Role.OPERAND, Role.CONTROL)

    @property
    def travels_out(self) -> bool:
        """Whether it is valid together with the result."""
        return self.role in (Role.RESULT, Role.FLAGS)
