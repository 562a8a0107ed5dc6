"""The hardware of a unit: its datapath as a graph, scheduled, and as an Amaranth component."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpgen.units.base import Unit

    from .elaboration import UnitComponent
    from .graph import Graph
    from .pipeline import Pipeline

__all__ = ["component", "forget", "graph_of", "pipeline_for"]


@lru_cache(maxsize=32)
def pipeline_for(unit: Unit) -> Pipeline:
    """The unit's datapath with every step in its stage and every register in its place.

    Raises
    ------
    UsageError
        When the unit's stages or period are out of reach; the message says what is possible.
    """
    from .pipeline import build

    return build(graph_of(unit), stages=unit.stages, period=unit.period, boundary=unit.registers)


def graph_of(unit: Unit) -> Graph:
    """The unit's datapath before scheduling, without the bits that nothing reads."""
    return _graph(unit.without_pipeline)


def forget() -> None:
    """Drop what is cached, to measure the time it takes."""
    pipeline_for.cache_clear()
    _graph.cache_clear()


@lru_cache(maxsize=8)
def _graph(unit: Unit) -> Graph:
    """As `graph_of`; units that differ only in stages share it."""
    from .datapath import datapath
    from .trim import trim

    return trim(datapath(unit))


def component(unit: Unit) -> UnitComponent:
    """The unit as an `amaranth.lib.wiring.Component` whose members are its pins.

    Clock and reset are those of the ``sync`` domain.
    """
    from .elaboration import UnitComponent

    return UnitComponent(unit)
