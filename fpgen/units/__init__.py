"""One parameter object per operation; its golden model, hardware, tests and cost all derive from it."""

from .accumulation import Accumulation, Addend, Kind, Split, Treatment, parse_accumulation
from .add import Add, Subtract
from .architecture import Adder, Architecture, Multiplier
from .base import Unit
from .blockdot import BlockDot
from .convert import Convert
from .dot import DotProduct, SumOfProducts
from .fma import FusedMultiplyAdd
from .mac import Accumulate, MultiplyAccumulate
from .machines import ALIASES
from .multiply import Multiply
from .operations import OPERATIONS, Operation, card_of, layer
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
from .presets import PRESETS, Case, Preset, find_case
from .quantize import BlockDequantize, BlockQuantize, ScalePolicy
from .register_options import BoundaryRegisters, Reset, ResetActive
from .rounded import RoundedUnit
from .tensorcore import TensorCore
from .text import parse_unit, unit_from_dict

__all__ = [
    "ALIASES",
    "FLAG_BITS",
    "OPERATIONS",
    "PORT_CODES",
    "PORT_MODES",
    "PRESETS",
    "Accumulate",
    "Accumulation",
    "Add",
    "Addend",
    "Adder",
    "Architecture",
    "BlockDequantize",
    "BlockDot",
    "BlockQuantize",
    "BoundaryRegisters",
    "Case",
    "Convert",
    "DotProduct",
    "Flags",
    "FusedMultiplyAdd",
    "Handshake",
    "Kind",
    "Multiplier",
    "Multiply",
    "MultiplyAccumulate",
    "Operation",
    "Overflow",
    "Port",
    "Preset",
    "Reset",
    "ResetActive",
    "Role",
    "RoundedUnit",
    "Rounding",
    "ScalePolicy",
    "Semantics",
    "Split",
    "Subnormals",
    "Subtract",
    "SumOfProducts",
    "TensorCore",
    "Tininess",
    "Treatment",
    "Unit",
    "card_of",
    "find_case",
    "layer",
    "parse_accumulation",
    "parse_unit",
    "unit_from_dict",
]
