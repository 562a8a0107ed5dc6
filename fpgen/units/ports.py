"""The pins of a unit, as data: the Verilog writer, the testbench and the datasheet all read this list."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from fpgen.formats.descriptor import Format


class Role(enum.Enum):
    """What a pin is for."""

    CLOCK = "clock"
    RESET = "reset"
    ENABLE = "enable"  # the clock's
    FLUSH = "flush"  # drops the operations inside
    OPERAND = "operand"  # a code of `format`
    CONTROL = "control"  # travels with the operands: subtract, clear, load, rounding mode, random bits
    RESULT = "result"  # a code of `format`
    FLAGS = "flags"  # travels with the result: {NV, DZ, OF, UF, NX}
    HANDSHAKE = "handshake"
    TAG = "tag"  # travels with an operation, unchanged


_MEANINGS = {
    "enable": "0: the unit stands still, as if the clock had stopped",
    "flush": "1: all operations inside are dropped at the next clock edge",
    "tag": "travels with the operation",
    "out_tag": "tag of the operation",
    "in_valid": "operands are there",
    "in_ready": "operands are taken at the next clock edge",
    "out_valid": "a result is there",
    "out_ready": "the result is taken at the next clock edge",
    "rounding": "rounding mode",
    "random": "random bits, uniform",
    "subtract": "1: subtract b",
    "mask": "1: the product of this place adds nothing",
    "clear": "1: start a new sum with this product",
    "load": "1: start a new sum from c with this product",
}

#: Operands and results whose role is more than "operand".
_PARTS = {
    "a_scale": "scale of each block of a",
    "b_scale": "scale of each block of b",
    "c": "addend",
    "a_zero": "zero point of each block of a",
    "b_zero": "zero point of each block of b",
    "tensor_scale": "scale of the whole tensor",
    "encode_scale": "1 / scale of the whole tensor",
    "scale": "scale of the block",
    "elements": "elements",
}


@dataclass(frozen=True)
class Port:
    """One pin.

    Parameters
    ----------
    name : str
    width : int
        In bits, all elements together.
    is_input : bool
    role : Role
    format : Format, optional
        Of the codes it carries, if it carries any.
    shape : tuple of int
        Of the array of codes that it carries; ``()`` for a single one. Elements lie in row-major order,
        the first in the lowest bits.
    asynchronous : bool
        Of a reset: whether it works without a clock edge.
    """

    name: str
    width: int
    is_input: bool
    role: Role
    format: Format | None = None
    shape: tuple[int, ...] = ()
    asynchronous: bool = False

    @staticmethod
    def of_codes(name: str, fmt: Format, role: Role, shape: tuple[int, ...] = ()) -> Port:
        """A pin with codes of `fmt`, an operand, control or result."""
        return Port(name, fmt.bits * math.prod(shape), role is not Role.RESULT, role, fmt, shape)

    @property
    def count(self) -> int:
        """Elements it carries."""
        return math.prod(self.shape)

    @property
    def element_width(self) -> int:
        """Bits of one element."""
        return self.width // self.count

    @property
    def active_low(self) -> bool:
        """Of a reset: whether it resets at level 0, as its name says."""
        return self.role is Role.RESET and self.name.endswith("_n")

    @property
    def travels_in(self) -> bool:
        """Whether it is sampled together with the operands (operands, controls, a tag)."""
        return self.role in (Role.OPERAND, Role.CONTROL) or (self.role is Role.TAG and self.is_input)

    @property
    def travels_out(self) -> bool:
        """Whether it is valid together with the result."""
        return self.role in (Role.RESULT, Role.FLAGS) or (self.role is Role.TAG and not self.is_input)

    @property
    def meaning(self) -> str:
        """What it is for, in a few words: the same in the Verilog header and in the datasheet."""
        if self.role is Role.CLOCK:
            return "clock, rising edge"
        if self.role is Role.RESET:
            style = "asynchronous" if self.asynchronous else "synchronous"
            level = "low" if self.active_low else "high"
            return f"reset, {style}, active {level} (valid bits and accumulators only)"
        if self.role is Role.FLAGS:
            return "exceptions {NV, DZ, OF, UF, NX}"
        if self.format is not None:
            what = _PARTS.get(self.name) if self.role is not Role.CONTROL else None
            what = what or {Role.RESULT: "result", Role.OPERAND: "operand"}.get(self.role, "value")
            if self.shape:
                order = "row-major, " if len(self.shape) > 1 else ""
                what += f", {' x '.join(map(str, self.shape))} code{'' if self.count == 1 else 's'}"
                what += f", {order}lowest first" if self.count > 1 else ""
            spelled = "" if self.format.name == self.format.spelling else f": {self.format.spelling}"
            return f"{what}, {self.format.name}{spelled}"
        meaning = _MEANINGS.get(self.name, "")
        if self.shape:
            each = "bits" if self.element_width == 1 else f"numbers of {self.element_width} bits"
            meaning += f", {self.count} {each}, lowest first"
        return meaning
