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


_MEANINGS = {
    "in_valid": "operands are there",
    "in_ready": "operands are taken at the next clock edge",
    "out_valid": "a result is there",
    "out_ready": "the result is taken at the next clock edge",
    "rounding": "rounding mode",
    "random": "random bits, uniform",
    "subtract": "1: subtract b",
    "clear": "1: start a new sum with this product",
    "load": "1: start a new sum from c with this product",
}


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

    @property
    def meaning(self) -> str:
        """What it is for, in a few words: the same in the Verilog header and in the datasheet."""
        if self.role is Role.CLOCK:
            return "clock, rising edge"
        if self.role is Role.RESET:
            return "reset, synchronous, active high (valid bits and accumulators only)"
        if self.role is Role.FLAGS:
            return "exceptions {NV, DZ, OF, UF, NX}"
        if self.format is not None:
            what = {Role.RESULT: "result", Role.OPERAND: "operand"}.get(self.role, "value")
            spelled = "" if self.format.name == self.format.spelling else f": {self.format.spelling}"
            return f"{what}, {self.format.name}{spelled}"
        return _MEANINGS.get(self.name, "")
