"""How tools find the files of a unit: `<unit>.core` for FuseSoC, `<unit>.f` and `<unit>_tb.f` for simulators."""

from __future__ import annotations

import re

from fpgen.base.text_template import filled, template_beside
from fpgen.base.version import __version__
from fpgen.units import Unit
from fpgen.units.axis import axis_module, axis_pins


def core_file(unit: Unit) -> str:
    """A CAPI2 core of the unit and its testbench, with the targets lint, sim and synth."""
    return filled(
        template_beside(__file__, "core.tmpl"),
        unit=unit.name,
        top=_sources(unit)[-1],
        sources="\n".join(f"      - {name}.v" for name in _sources(unit)),
        version=plain_version(),
        description=unit.text.replace('"', ""),
    )


def rtl_list(unit: Unit) -> str:
    """`<unit>.f`: the Verilog of the unit."""
    return f"// {unit.text}\n" + "".join(f"{name}.v\n" for name in _sources(unit))


def simulation_list(unit: Unit) -> str:
    """`<unit>_tb.f`: the Verilog of the unit and its testbench."""
    files = "".join(f"{name}.v\n" for name in (*_sources(unit), f"{unit.name}_tb"))
    return f"// Top module {unit.name}_tb; run it where vectors.hex is\n{files}"


def _sources(unit: Unit) -> list[str]:
    """The modules that are handed over, a file each, the top one last."""
    return [unit.name, *([axis_module(unit)] if axis_pins(unit) else [])]


def plain_version() -> str:
    """The leading numbers of fpgen's: FuseSoC orders versions, and does not know Python's marks of development ones."""
    found = re.match(r"\d+(\.\d+)*", __version__)
    assert found is not None, __version__
    return found[0]
