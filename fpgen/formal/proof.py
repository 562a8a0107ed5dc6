"""What a proof found: the record that every proof in this room returns, and the limit that all share."""

from dataclasses import dataclass

#: Seconds of processor time for a proof, when nothing else is said.
LIMIT_S = 300.0


@dataclass(frozen=True)
class Proof:
    """What came of it.

    Attributes
    ----------
    status : str
        `proven`; `failed`; `timed out`; or `inconclusive`, when registers of the two sides do not correspond.
    registers : int
        Register bits that were cut open.
    seconds : float
        Processor time of Yosys; when it timed out, the limit.
    detail : str
        Inputs on which the two differ, the registers without a counterpart, or the limit that was reached; else empty.
    """

    status: str
    registers: int
    seconds: float
    detail: str = ""
