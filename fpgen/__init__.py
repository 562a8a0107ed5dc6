"""fpgen: floating-point units from one description: golden model, Verilog, verification, cost.

import fpgen
unit = fpgen.FusedMultiplyAdd(a="e4m3fn", b="e4m3fn", c="fp32", out="fp32", rounding="rne")
unit.compute(a, b, c)   # arrays of codes in, codes and flags out
unit.verilog()          # readable Verilog with exactly that behaviour
"""

import importlib
from typing import TYPE_CHECKING, Any

from .base.errors import FpgenError, MissingTool, RunFailure, UsageError
from .base.version import __version__
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

if TYPE_CHECKING:
    from . import emulate

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


def __getattr__(name: str) -> Any:
    """`emulate` on first use: it loads numpy and the golden model, which `fpgen --help` must not wait for (PEP 562)."""
    if name == "emulate":
        return importlib.import_module(".emulate", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
