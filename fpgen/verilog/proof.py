"""Proof that the Verilog text equals the Amaranth design.

Both carry the same register names, so every register is a cut point: its
output becomes an input and its next value an output of a combinational
comparison, which Yosys proves by SAT after sweeping both sides together.
Registers that match by name, pins that match by name, equal next values and
equal outputs: by induction over the clocks the designs are equal whenever their
registers start equal. (The text gives no initial values; reset sets what needs to be known.)
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import RunFailure
from . import write

if TYPE_CHECKING:
    from ..units.base import Unit


class Verdict(enum.Enum):
    PROVEN = "proven"
    FAILED = "failed"
    TIMED_OUT = "timed out"


@dataclass(frozen=True)
class Proof:
    """Outcome of a comparison.

    Attributes
    ----------
    verdict : Verdict
    detail : str
        What Yosys said when it is not proven.
    seconds : float
    tool : str
        Yosys and its version.
    """

    verdict: Verdict
    detail: str
    seconds: float
    tool: str


_SCRIPT = """
read_rtlil gold.il
proc
rename {top} gold
read_verilog gate.v
proc
rename {top} gate
opt_expr
opt_clean
dffunmap
opt_clean
expose -evert-dff -shared gold gate
miter -equiv -flatten -make_outputs gold gate miter
hierarchy -top miter
select -assert-none t:$*ff* t:$_*FF* t:$*latch*
techmap
opt -full
abc -script +strash;ifraig;
opt -full
tee -o proof.txt sat -prove trigger 0 miter
"""


def prove(unit: Unit, text: str | None = None, *, engine: str | None = None, timeout: float = 300.0) -> Proof:
    """Prove the Verilog of a unit equal to its Amaranth design.

    Parameters
    ----------
    unit : Unit
    text : str, optional
        Verilog to compare; default the unit's own.
    engine : str, optional
        See `fpgen.ppa.yosys.select`.
    timeout : float
        Seconds.

    Raises
    ------
    MissingTool
        When the engine is not installed.
    RunFailure
        When Yosys cannot read or compare the designs (a missing pin or register, a syntax error).
    """
    from ..ppa import yosys
    from ..rtl.component import to_rtlil

    tool = yosys.select(engine)
    files = {"gold.il": to_rtlil(unit), "gate.v": write(unit) if text is None else text}
    try:
        run = yosys.run(tool, _SCRIPT.format(top=unit.name), files, ["proof.txt"], timeout=timeout)
    except yosys.Timeout as error:
        return Proof(Verdict.TIMED_OUT, str(error), timeout, tool.version)
    said = run.files["proof.txt"]
    if "no model found: SUCCESS" in said:
        return Proof(Verdict.PROVEN, "", run.seconds, tool.version)
    if "model found: FAIL" in said:
        return Proof(Verdict.FAILED, said[said.index("Signal Name"):] if "Signal Name" in said else said, run.seconds,
                     tool.version)
    raise RunFailure(f"the comparison of {unit.name} ended without a verdict:\n{said[-1000:]}")
