"""The handshake of a pipeline, as data: both writers build their registers from it.

With ``valid``, a bit travels beside the data. With ``ready``, rank k loads
when it is empty or when what it holds moves on
(``ready_k = ~valid_sk | ready_{k+1}``, and ``out_ready`` after the last), so
bubbles close up, every clock can take an operation, and nothing is lost. The
data registers have no reset; valid bits and states do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from fpgen.units.options import Handshake

from .pipeline import Pipeline

if TYPE_CHECKING:
    from fpgen.units.base import Unit


@dataclass(frozen=True)
class Control:
    """The handshake's signals.

    Attributes
    ----------
    valid : tuple of str
        Name of the valid bit in stage 0, 1, ... N; empty without a handshake.
    ready : tuple of str
        Name of the load enable of rank 1, ... N; empty unless the handshake is ``ready``.
    wires : tuple of (str, str)
        Name and expression of every wire, in an order in which each reads only earlier ones.
    pins : dict of str to str
        Output pin to the signal that drives it.
    """

    valid: tuple[str, ...]
    ready: tuple[str, ...]
    wires: tuple[tuple[str, str], ...]
    pins: dict[str, str]

    def load(self, rank: int) -> str:
        """The enable of a rank; empty when it always loads."""
        return self.ready[rank - 1] if self.ready else ""


def control(unit: Unit, pipeline: Pipeline) -> Control:
    """The handshake of a unit."""
    stages = pipeline.stages
    valid = ("in_valid", *(f"valid_s{k}" for k in range(1, stages + 1)))
    pins = {"out_valid": valid[-1]}
    handshake: Handshake = unit.handshake
    match handshake:
        case Handshake.NONE:
            return Control((), (), (), {})
        case Handshake.VALID:
            return Control(valid, (), (), pins)
        case Handshake.READY:
            pass
        case unknown:
            assert_never(unknown)
    ready = tuple(f"ready_s{k}" for k in range(1, stages + 1))
    after = (*ready[1:], "out_ready")
    wires = [(ready[k], f"~{valid[k + 1]} | {after[k]}") for k in range(stages - 1, -1, -1)]
    pins["in_ready"] = ready[0] if ready else "out_ready"
    return Control(valid, ready, tuple(wires), pins)
