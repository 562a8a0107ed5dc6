"""fpgen: floating-point units from one description: golden model, Verilog, verification, cost.

    import fpgen
    unit = fpgen.FusedMultiplyAdd(a="e4m3fn", b="e4m3fn", c="fp32", out="fp32", rounding="rne")
    unit.compute(a, b, c)   # arrays of codes in, codes and flags out
    unit.verilog()          # readable Verilog with exactly that behaviour
"""

from . import emulate
from .errors import FpgenError, MissingTool, RunFailure, UsageError
from .formats import BLOCKS, CATALOGUE, BlockFormat, Format
from .formats import parse as parse_format
from .units import (
    Accumulation,
    Add,
    BlockDequantize,
    BlockDot,
    BlockQuantize,
    Convert,
    DotProduct,
    FusedMultiplyAdd,
    Multiply,
    MultiplyAccumulate,
    TensorCore,
    Unit,
    parse_unit,
    unit_from_dict,
)

__version__ = "0.1.0"

__all__ = [
    "BLOCKS",
    "CATALOGUE",
    "Accumulation",
    "Add",
    "BlockDequantize",
    "BlockDot",
    "BlockFormat",
    "BlockQuantize",
    "Convert",
    "DotProduct",
    "Format",
    "FpgenError",
    "FusedMultiplyAdd",
    "MissingTool",
    "Multiply",
    "MultiplyAccumulate",
    "RunFailure",
    "TensorCore",
    "Unit",
    "UsageError",
    "__version__",
    "emulate",
    "parse_format",
    "parse_unit",
    "unit_from_dict",
]
