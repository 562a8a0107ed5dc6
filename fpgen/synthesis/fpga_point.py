"""What one synthesis, placement and routing in an FPGA came to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class FpgaPoint:
    """What one synthesis, placement and routing of one unit came to, or why it failed.

    Attributes
    ----------
    top : str
    target : str
        Family and device, `ecp5:25k`.
    luts : int
        Four-input LUTs of the unit, those that a carry chain takes among them.
    carries, dsps, brams, registers : int
        Carry cells, multiplier blocks, memory blocks and flip-flops of the unit.
    fmax_mhz : float
        Clock rate after routing.
    delay_ps : float
        Its period.
    logic_ps, routing_ps : float
        Parts of the critical path (the rest is clock-to-output and setup).
    logic_depth : int
        LUTs, carry cells and other blocks on it.
    startpoint, endpoint : str
        Registers at its ends.
    critical_path : tuple of mapping
        Its steps: `cell`, `net`, `kind` (`clk-to-q`, `routing`, `logic`, `setup`), `delay_ps`.
    seed : int
        nextpnr's.
    seconds : float
        Wall time of placement and routing.
    tools, assumptions : mapping
    netlist_hash : str
        Content hash of the unit's mapped netlist.
    failure : str or None
        Why there are no figures; they are then NaN or 0.
    """

    top: str
    target: str
    luts: int = 0
    carries: int = 0
    dsps: int = 0
    brams: int = 0
    registers: int = 0
    fmax_mhz: float = float("nan")
    delay_ps: float = float("nan")
    logic_ps: float = float("nan")
    routing_ps: float = float("nan")
    logic_depth: int = 0
    startpoint: str = ""
    endpoint: str = ""
    critical_path: tuple[Mapping[str, Any], ...] = ()
    seed: int = 1
    seconds: float = 0.0
    tools: Mapping[str, str] = field(default_factory=dict)
    netlist_hash: str = ""
    assumptions: Mapping[str, Any] = field(default_factory=dict)
    failure: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The point for JSON: figures of a failed point are null."""
        record = asdict(self)
        record["critical_path"] = [dict(step) for step in self.critical_path]
        return {key: None if isinstance(value, float) and value != value else value for key, value in record.items()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "FpgaPoint":
        """The point that `to_dict` wrote; keys of later versions are passed over."""
        known = {item.name for item in fields(cls)}
        given = {key: value for key, value in record.items() if key in known and value is not None}
        given["critical_path"] = tuple(given.get("critical_path", ()))
        return cls(**given)
