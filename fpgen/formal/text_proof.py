"""Proof that the Verilog text equals the Amaranth design it stands for.

Both carry the same register names, so every register is a cut point: its
output becomes an input and its next value an output of a combinational
comparison, which Yosys proves by SAT after sweeping both sides together. By induction
over the clocks the designs are equal whenever their registers start equal (the
text gives no initial values; reset sets what needs to be known). A `*` of both sides is
brought to the width of its operands first, so that the two multipliers become the same gates.

`fpgen.formal.equivalence` compares netlists, bit by bit after synthesis. Here both sides still
have their words, so registers match as words, however their bits are numbered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fpgen.base.errors import RunFailure

from .proof import LIMIT_S, Proof

if TYPE_CHECKING:
    from fpgen.units.base import Unit

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
opt_clean
tee -o left.txt select -list t:$*ff* t:$*latch*
delete t:$*ff* t:$*latch*
wreduce t:$mul
opt -full
techmap
opt -full
abc -script +strash;ifraig;
opt -full
tee -o proof.txt sat -prove trigger 0 -show-inputs miter
"""


def prove(unit: Unit, text: str | None = None, *, engine: str | None = None, timeout: float = LIMIT_S) -> Proof:
    """Prove the Verilog of a unit equal to its Amaranth design.

    Parameters
    ----------
    unit : Unit
    text : str, optional
        Verilog to compare; default the unit's own.
    engine : str, optional
        See `fpgen.synthesis.yosys.select`.
    timeout : float
        Seconds of processor time.

    Returns
    -------
    Proof
        `status` is ``proven``, ``failed``, ``timed out``, or ``inconclusive`` when registers have no counterpart.

    Raises
    ------
    MissingTool
        When the engine is not installed.
    RunFailure
        When Yosys cannot read or compare the designs (a missing pin, a syntax error).
    """
    from fpgen.rtl import pipeline_for
    from fpgen.rtl.elaboration import to_rtlil
    from fpgen.synthesis import yosys

    pipeline = pipeline_for(unit)
    registers = pipeline.register_bits + (pipeline.stages if unit.handshake.value != "none" else 0)
    files = {"gold.il": to_rtlil(unit), "gate.v": unit.verilog() if text is None else text}
    try:
        run = yosys.run_script(
            yosys.select(engine), _SCRIPT.format(top=unit.name), files, ["left.txt", "proof.txt"], timeout=timeout
        )
    except yosys.Timeout as error:
        return Proof("timed out", registers, timeout, str(error))
    left = run.files["left.txt"].split()
    said = run.files["proof.txt"]
    seconds = run.processor_seconds
    if left:
        return Proof("inconclusive", registers, seconds, f"registers without a counterpart: {', '.join(left[:8])}")
    if "no model found: SUCCESS" in said:
        return Proof("proven", registers, seconds)
    if "model found: FAIL" in said:
        return Proof("failed", registers, seconds, "; ".join(re.findall(r"\\in_\w+ .*", said)[:12]))
    raise RunFailure(f"the comparison of {unit.name} ended without a verdict:\n{said[-1000:]}")
