"""How tools find the files of a unit: `<unit>.core` for FuseSoC, `<unit>.f` and `<unit>_tb.f` for simulators."""

from __future__ import annotations

import re

from fpgen.base.text_template import filled, template_beside
from fpgen.base.version import __version__
from fpgen.units import Unit


def core_file(unit: Unit) -> str:
    """A CAPI2 core of the unit and its testbench, with the targets lint, sim and synth."""
    return filled(
        template_beside(__file__, "core.tmpl"),
        unit=unit.name,
        version=plain_version(),
        description=unit.text.replace('"', ""),
    )


def rtl_list(unit: Unit) -> str:
    """`<unit>.f`: the Verilog of the unit."""
    return f"// {unit.text}\n{unit.name}.v\n"


def simulation_list(unit: Unit) -> str:
    """`<unit>_tb.f`: the Verilog of the unit and its testbench."""
    return f"// Top module {unit.name}_tb; run it where vectors.hex is\n{unit.name}.v\n{unit.name}_tb.v\n"


def plain_version() -> str:
    """The leading numbers of fpgen's: FuseSoC orders versions, and does not know Python's marks of development ones."""
    found = re.match(r"\d+(\.\d+)*", __version__)
    assert found is not None, __version__
    return found[0]
