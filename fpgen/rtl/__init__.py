"""The hardware of a unit: its datapath as a graph, scheduled, and as an Amaranth component."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..units.base import Unit
    from .graph import Graph
    from .pipeline import Pipeline

__all__ = ["component", "pipeline_for"]


@lru_cache(maxsize=32)
def pipeline_for(unit: Unit) -> Pipeline:
    """The unit's datapath with every step in its stage and every register in its place.

    Raises
    ------
    UsageError
        When the unit's stages or period are out of reach; the message says what is possible.
    """
    from .pipeline import build

    graph = _graph(dataclasses.replace(unit, stages=0, period=None))
    return build(graph, stages=unit.stages, period=unit.period)


@lru_cache(maxsize=8)
def _graph(unit: Unit) -> Graph:
    """The datapath without the bits that nothing reads; it does not depend on the stages."""
    from .datapath import datapath
    from .trim import trim

    return trim(datapath(unit))


def component(unit: Unit):
    """The unit as an `amaranth.lib.wiring.Component` whose members are its pins.

    Clock and reset are those of the ``sync`` domain.
    """
    from .component import UnitComponent

    return UnitComponent(unit)
