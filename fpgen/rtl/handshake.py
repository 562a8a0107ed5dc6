"""The control of a pipeline, as data: both writers build their registers from it.

With ``valid``, a bit travels beside the data. With ``ready``, rank k loads
when it is empty or when what it holds moves on
(``ready_k = ~valid_sk | ready_{k+1}``, and ``out_ready`` after the last), so
bubbles close up, every clock can take an operation, and nothing is lost. The
data registers have no reset; valid bits and states do.

A clock enable stops every register and takes part in every transfer; a flush
clears the valid bits, and with them what they say of the data beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from fpgen.units.options import Handshake
from fpgen.units.ports import Port
from fpgen.units.register_options import reset_port

from .pipeline import Pipeline

if TYPE_CHECKING:
    from fpgen.units.base import Unit


@dataclass(frozen=True)
class Control:
    """The control signals.

    Attributes
    ----------
    valid : tuple of str
        Name of the valid bit in stage 0, 1, ... N; empty without a handshake.
    ready : tuple of str
        Name of the signal that lets rank 1, ... N move on; empty unless the handshake is ``ready``.
    wires : tuple of (str, tuple of str)
        Name of every wire and the terms whose sum (or) it is, ``~`` before one that is inverted; each reads only
        earlier ones.
    pins : dict of str to tuple of str
        Output pin to the terms whose product (and) drives it.
    enable, flush : bool
        Whether there are pins of these names.
    reset : Port or None
        The reset pin, where valid bits and states have one.
    """

    valid: tuple[str, ...]
    ready: tuple[str, ...]
    wires: tuple[tuple[str, tuple[str, ...]], ...]
    pins: dict[str, tuple[str, ...]]
    enable: bool
    flush: bool
    reset: Port | None

    def load(self, rank: int) -> tuple[str, ...]:
        """The signals that must be high for a rank to load; none when it always loads."""
        moves = (self.ready[rank - 1],) if self.ready else ()
        return (*moves, "enable") if self.enable else moves


def control(unit: Unit, pipeline: Pipeline) -> Control:
    """The control signals of a unit."""
    stages = pipeline.stages
    valid = ("in_valid", *(f"valid_s{k}" for k in range(1, stages + 1)))
    enable = ("enable",) if unit.enable else ()
    reset = reset_port(unit)
    pins = {"out_valid": (valid[-1], *enable)}
    handshake: Handshake = unit.handshake
    match handshake:
        case Handshake.NONE:
            return Control((), (), (), {}, unit.enable, unit.flush, reset)
        case Handshake.VALID:
            return Control(valid, (), (), pins, unit.enable, unit.flush, reset)
        case Handshake.READY | Handshake.AXIS:
            pass
        case unknown:
            assert_never(unknown)
    ready = tuple(f"ready_s{k}" for k in range(1, stages + 1))
    after = (*ready[1:], "out_ready")
    wires = [(ready[k], (f"~{valid[k + 1]}", after[k])) for k in range(stages - 1, -1, -1)]
    pins["in_ready"] = (ready[0] if ready else "out_ready", *enable, *(("~flush",) if unit.flush else ()))
    return Control(valid, ready, tuple(wires), pins, unit.enable, unit.flush, reset)
