"""`<unit>.sdc`: the clock, the inputs and outputs, and what the figures of the datasheet rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fpgen.base.text_template import filled, lines_for, template_beside
from fpgen.library import technology
from fpgen.rtl import pipeline_for
from fpgen.units import Port, Role, Unit


def constraints(unit: Unit, points: Sequence[Mapping[str, Any]] = ()) -> str:
    """The constraints as SDC.

    Parameters
    ----------
    unit : Unit
    points : sequence of mapping
        The points of `ppa.json`: the first that did not fail gives the period, the driving cell and the load. Without
        one the period is the unit's own, or estimated, and the others are those of the built-in technology.
    """
    point = next((item for item in points if not item.get("failure")), None)
    period, source = period_of(unit, point)
    cell, load, library = _surroundings(point)
    return filled(
        lines_for({"clock" if unit.clocked else "comb"}, template_beside(__file__, "sdc.tmpl")),
        unit=unit.name,
        text=unit.text,
        source=source,
        period=f"{period:.1f}",
        library=library,
        driving_cell=cell,
        output_load=load,
        inputs=_names([port for port in unit.ports if port.is_input and port.role is not Role.CLOCK]),
        outputs=_names([port for port in unit.ports if not port.is_input]),
        clock="clk" if unit.clocked else "virtual_clk",
    )


def period_of(unit: Unit, point: Mapping[str, Any] | None = None) -> tuple[float, str]:
    """The period in ps that a unit is constrained to, and a sentence that says where it is from."""
    what = "Clock period" if unit.clocked else "Largest delay from inputs to outputs"
    if point is not None:
        return point[
            "delay_ps"
        ], f"{what} in ps: as measured, with the recipe {point['recipe']} in {point['technology']}."
    if unit.period is not None:
        return unit.period, f"{what} in ps: the unit's own, for which its registers were placed."
    return (
        pipeline_for(unit).period_ps,
        f"{what} in ps: an estimate for a 45 nm class, nothing was measured (`fpgen ppa` does).",
    )


def _surroundings(point: Mapping[str, Any] | None) -> tuple[str, float, str]:
    """Driving cell, output load in fF, and the library that they are of."""
    assumed = point.get("assumptions", {}) if point is not None else {}
    if "driving_cell" in assumed and "output_load_ff" in assumed:
        library = f"{assumed.get('library', '-')}, {assumed.get('corner', '-')}"
        return assumed["driving_cell"], assumed["output_load_ff"], library
    built_in = technology.load()
    return built_in.driving_cell, built_in.output_load_ff, f"{built_in.library.name}, {built_in.library.corner}"


def _names(ports: Sequence[Port]) -> str:
    return " ".join(f"{port.name}[*]" if port.width > 1 else port.name for port in ports)
