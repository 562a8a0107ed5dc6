"""The C++ files of a bundle, for units of a size that C++ compilers take in seconds."""

from __future__ import annotations

from fpgen.rtl import graph_of
from fpgen.units import Reset, ResetActive, Unit

from .cpp_dpi import cpp_dpi
from .cpp_model import cpp_model
from .cpp_systemc import cpp_systemc

#: Nodes of the largest graph that becomes a model. g++ -O1 takes half a second for a thousand: 15 s for this many.
LARGEST_GRAPH = 30_000


def cpp_files(unit: Unit) -> dict[str, str]:
    """Name to text of the model, its DPI wrapper and the SystemC example; none where `why_no_model` says why."""
    if why_no_model(unit):
        return {}
    return {
        f"{unit.name}_model.h": cpp_model(unit),
        f"{unit.name}_dpi.cpp": cpp_dpi(unit),
        **({f"{unit.name}_systemc.cpp": cpp_systemc(unit)} if has_systemc(unit) else {}),
    }


def has_systemc(unit: Unit) -> bool:
    """Whether there is an example for SystemC: it has a reset that is synchronous and active high, and no enable."""
    plain = unit.reset is Reset.SYNC and unit.reset_active is ResetActive.HIGH
    return plain and not (unit.enable or unit.flush)


def why_no_model(unit: Unit) -> str:
    """A sentence for the datasheet where the unit is too large for a C++ model; empty where it is not."""
    nodes = len(graph_of(unit).live())
    if nodes <= LARGEST_GRAPH:
        return ""
    return (
        f"There is no C++ model: the unit's graph has {nodes:,} nodes, and above {LARGEST_GRAPH:,} compilers take too "
        "long. `compute` of fpgen is its model in Python."
    )
