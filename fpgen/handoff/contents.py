"""The files of a bundle that follow from the unit alone: the same bytes, whatever was verified or measured."""

from __future__ import annotations

import tomli_w

from fpgen.units import Unit
from fpgen.units.axis import axis_module

from .assertions import unit_assertions
from .cocotb_test import cocotb_test
from .core_file import core_file, rtl_list, simulation_list
from .cpp_files import cpp_files
from .handoff_vectors import vectors_hex
from .ipxact import ipxact_files
from .testbench import unit_testbench


def unit_files(unit: Unit, verilog: str) -> dict[str, str]:
    """Name to text, in the order in which a reader needs them.

    Parameters
    ----------
    unit : Unit
    verilog : str
        The unit's Verilog.
    """
    wrapper = unit.wrapper_verilog()
    files = {
        f"{unit.name}.v": verilog,
        **({f"{axis_module(unit)}.v": wrapper} if wrapper else {}),
        "unit.toml": f"# {unit.text}\n" + tomli_w.dumps(unit.to_dict()),
        **cpp_files(unit),
        f"{unit.name}.f": rtl_list(unit),
        f"{unit.name}_tb.v": unit_testbench(unit),
        "vectors.hex": vectors_hex(unit),
        f"{unit.name}_tb.f": simulation_list(unit),
        f"{unit.name}_sva.sv": unit_assertions(unit),
        f"test_{unit.name}.py": cocotb_test(unit),
        f"{unit.name}.core": core_file(unit),
    }
    return {**files, **ipxact_files(unit, {*files, f"{unit.name}.sdc"})}
