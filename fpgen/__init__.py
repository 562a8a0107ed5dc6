"""fpgen: floating-point units from one description: golden model, Verilog, verification, cost.

import fpgen
unit = fpgen.FusedMultiplyAdd(a="e4m3fn", b="e4m3fn", c="fp32", out="fp32", rounding="rne")
unit.compute(a, b, c)   # arrays of codes in, codes and flags out
unit.verilog()          # readable Verilog with exactly that behaviour

What is listed here is the interface that docs/api-stability.md covers.
"""

from typing import TYPE_CHECKING

from .base.errors import FpgenError, MissingTool, RunFailure, UsageError
from .base.lazy import offer
from .base.version import __version__
from .formats import BLOCKS, CATALOGUE, BlockFormat, Class, Format, parse_block
from .formats import parse as parse_format
from .units import (
    OPERATIONS,
    PORT_CODES,
    Accumulation,
    Add,
    Adder,
    BlockDequantize,
    BlockDot,
    BlockQuantize,
    Convert,
    DotProduct,
    Flags,
    FusedMultiplyAdd,
    Handshake,
    Multiplier,
    Multiply,
    MultiplyAccumulate,
    Overflow,
    Rounding,
    ScalePolicy,
    Subnormals,
    Subtract,
    TensorCore,
    Tininess,
    Unit,
    parse_accumulation,
    parse_unit,
    unit_from_dict,
)

if TYPE_CHECKING:
    from . import emulate, verify
    from .command.doctor import examine
    from .formats.describe import describe
    from .golden.result import Result
    from .handoff.build import build
    from .handoff.designs import load as load_designs
    from .ppa import measure_fpga
    from .ppa import measure_unit as measure
    from .report.page import write as write_report
    from .sweep.compare import compare as compare_stores
    from .sweep.compare import load_rules
    from .sweep.spec import load as load_sweep
    from .sweep.store import Store
    from .sweep.store import read as read_store
    from .sweep.store import write as write_store
    from .sweep.sweep_run import run_sweep
    from .synthesis.point import Point, pareto
    from .timing.sta import TimingReport
    from .timing.sta import run as sta
    from .verify.regression import run_regression
    from .verify.verdict import Verdict
    from .verify.verify import verify_many

#: Imported on first use, so that `fpgen --help` waits neither for numpy nor for the tools.
_LATER = {
    "Point": "fpgen.synthesis.point:Point",
    "Result": "fpgen.golden.result:Result",
    "Store": "fpgen.sweep.store:Store",
    "TimingReport": "fpgen.timing.sta:TimingReport",
    "Verdict": "fpgen.verify.verdict:Verdict",
    "build": "fpgen.handoff.build:build",
    "compare_stores": "fpgen.sweep.compare:compare",
    "describe": "fpgen.formats.describe:describe",
    "emulate": "fpgen.emulate",
    "examine": "fpgen.command.doctor:examine",
    "load_rules": "fpgen.sweep.compare:load_rules",
    "load_designs": "fpgen.handoff.designs:load",
    "load_sweep": "fpgen.sweep.spec:load",
    "measure": "fpgen.ppa:measure_unit",
    "measure_fpga": "fpgen.ppa:measure_fpga",
    "pareto": "fpgen.synthesis.point:pareto",
    "read_store": "fpgen.sweep.store:read",
    "run_regression": "fpgen.verify.regression:run_regression",
    "run_sweep": "fpgen.sweep.sweep_run:run_sweep",
    "sta": "fpgen.timing.sta:run",
    "verify": "fpgen.verify",
    "verify_many": "fpgen.verify.verify:verify_many",
    "write_report": "fpgen.report.page:write",
    "write_store": "fpgen.sweep.store:write",
}

__all__ = [
    "BLOCKS",
    "CATALOGUE",
    "OPERATIONS",
    "PORT_CODES",
    "Accumulation",
    "Add",
    "Adder",
    "BlockDequantize",
    "BlockDot",
    "BlockFormat",
    "BlockQuantize",
    "Class",
    "Convert",
    "DotProduct",
    "Flags",
    "Format",
    "FpgenError",
    "FusedMultiplyAdd",
    "Handshake",
    "MissingTool",
    "Multiplier",
    "Multiply",
    "MultiplyAccumulate",
    "Overflow",
    "Point",
    "Result",
    "Rounding",
    "RunFailure",
    "ScalePolicy",
    "Store",
    "Subnormals",
    "Subtract",
    "TensorCore",
    "TimingReport",
    "Tininess",
    "Unit",
    "UsageError",
    "Verdict",
    "__version__",
    "build",
    "compare_stores",
    "describe",
    "emulate",
    "examine",
    "load_designs",
    "load_rules",
    "load_sweep",
    "measure",
    "measure_fpga",
    "pareto",
    "parse_accumulation",
    "parse_block",
    "parse_format",
    "parse_unit",
    "read_store",
    "run_regression",
    "run_sweep",
    "sta",
    "unit_from_dict",
    "verify",
    "verify_many",
    "write_report",
    "write_store",
]

# The class of every operation, also of one that is only in the table.
_UNITS = {card.unit.__name__: card.unit for card in OPERATIONS.values()}
globals().update(_UNITS)
__all__ += [name for name in _UNITS if name not in __all__]

__getattr__, __dir__ = offer(__name__, globals(), _LATER)
