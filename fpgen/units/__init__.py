"""One parameter object per operation; its golden model, hardware, tests and cost all derive from it."""

from .add import Add, Subtract
from .base import Unit
from .convert import Convert
from .fma import FusedMultiplyAdd
from .mac import Accumulate, MultiplyAccumulate
from .multiply import Multiply
from .options import (
    FLAG_BITS,
    PORT_CODES,
    PORT_MODES,
    Flags,
    Handshake,
    Overflow,
    Rounding,
    Semantics,
    Subnormals,
    Tininess,
)
from .ports import Port, Role
from .text import OPERATIONS, parse_unit, unit_from_dict

__all__ = [
    "FLAG_BITS",
    "OPERATIONS",
    "PORT_CODES",
    "PORT_MODES",
    "Accumulate",
    "Add",
    "Convert",
    "Flags",
    "FusedMultiplyAdd",
    "Handshake",
    "Multiply",
    "MultiplyAccumulate",
    "Overflow",
    "Port",
    "Role",
    "Rounding",
    "Semantics",
    "Subnormals",
    "Subtract",
    "Tininess",
    "Unit",
    "parse_unit",
    "unit_from_dict",
]
