"""`<unit>.ipxact-2014.xml` and `<unit>.ipxact-2022.xml`: the unit as an IP-XACT component (IEEE 1685).

There are no busInterfaces: each refers to a bus definition that the reading tool must have, and the standard itself has
none for a clock, a reset or a valid/ready pair. Those of vendors would tie the file to a tool. What each pin is for is
in its description, and from 2022 on in its qualifier.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Collection

from fpgen.units import Port, Role, Unit

from .core_file import plain_version

#: FuseSoC's names may lack vendor and library, IP-XACT's may not.
_VENDOR, _LIBRARY = "fpgen", "units"
_NAMESPACE = "http://www.accellera.org/XMLSchema/IPXACT/1685-"
_EDITIONS = (2014, 2022)
_PARAMETER = "EXPECTED_LATENCY"

#: Name and description of each set of files, and the files with IP-XACT's types of them.
_FILE_SETS = (
    ("rtl", "The Verilog of the unit", (("{unit}.v", "verilogSource-2001"), ("{unit}_axis.v", "verilogSource-2001"))),
    (
        "testbench",
        "A self-checking testbench, run where its vectors are",
        (
            ("{unit}_tb.v", "verilogSource-2001"),
            ("vectors.hex", "user"),
            ("{unit}_sva.sv", "systemVerilogSource"),
            ("test_{unit}.py", "user"),
        ),
    ),
    ("constraints", "Clock, inputs and outputs", (("{unit}.sdc", "SDC"),)),
    (
        "model",
        "A bit-exact model in C++17 and its wrappers",
        (("{unit}_model.h", "cppSource"), ("{unit}_dpi.cpp", "cppSource"), ("{unit}_systemc.cpp", "systemCSource")),
    ),
)

#: What files are that IP-XACT has no type for, by the end of their names.
_USER_TYPES = {"hex": "hexadecimal vectors", ".py": "cocotb test"}

#: View, the tools it is for, and its sets of files.
_VIEWS = (
    ("simulation", "verilogSource:*Simulation:", ("rtl",)),
    ("synthesis", "verilogSource:*Synthesis:", ("rtl", "constraints")),
)


def ipxact_files(unit: Unit, bundle: Collection[str]) -> dict[str, str]:
    """Name to text of the component, once per edition of the standard that tools read.

    Parameters
    ----------
    unit : Unit
    bundle : collection of str
        The names of the bundle's other files: those that a component can list are listed.
    """
    return {f"{unit.name}.ipxact-{edition}.xml": _component(unit, bundle, edition) for edition in _EDITIONS}


def _component(unit: Unit, bundle: Collection[str], edition: int) -> str:
    namespace = f"{_NAMESPACE}{edition}"
    root = ET.Element(
        "ipxact:component",
        {
            "xmlns:ipxact": namespace,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{namespace} {namespace}/index.xsd",
        },
    )
    for tag, text in (
        ("vendor", _VENDOR),
        ("library", _LIBRARY),
        ("name", unit.name),
        ("version", plain_version()),
    ):
        _add(root, tag, text)
    if edition == 2022:
        _add(root, "description", unit.text)
    _add_model(root, unit, edition)
    _add_file_sets(root, unit, bundle)
    if edition == 2014:
        _add(root, "description", unit.text)
    _add_parameters(root, unit)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, f"ipxact:{tag}", attributes)
    child.text = text
    return child


# ---- views and pins -----------------------------------------------------------------


def _add_model(root: ET.Element, unit: Unit, edition: int) -> None:
    model = _add(root, "model")
    views = _add(model, "views")
    for name, tools, _ in _VIEWS:
        view = _add(views, "view")
        _add(view, "name", name)
        _add(view, "envIdentifier", tools)
        _add(view, "componentInstantiationRef", name)
    instantiations = _add(model, "instantiations")
    for name, _, file_sets in _VIEWS:
        instantiation = _add(instantiations, "componentInstantiation")
        _add(instantiation, "name", name)
        _add(instantiation, "language", "verilog")
        _add(instantiation, "moduleName", unit.name)
        # Its value is an expression: the parameter of the component with that identifier.
        parameter = _add(_add(instantiation, "moduleParameters"), "moduleParameter", usageType="nontyped", type="int")
        _add(parameter, "name", _PARAMETER)
        _add(parameter, "value", _PARAMETER)
        for file_set in file_sets:
            _add(_add(instantiation, "fileSetRef"), "localName", file_set)
    ports = _add(model, "ports")
    for port in unit.ports:
        _add_port(ports, unit, port, edition)


def _add_port(ports: ET.Element, unit: Unit, port: Port, edition: int) -> None:
    pin = _add(ports, "port")
    _add(pin, "name", port.name)
    if port.meaning:
        _add(pin, "description", port.meaning)
    wire = _add(pin, "wire")
    _add(wire, "direction", "in" if port.is_input else "out")
    if edition == 2022:
        _add_qualifier(wire, port)
    if port.width > 1:
        vector = _add(_add(wire, "vectors"), "vector")
        _add(vector, "left", str(port.width - 1))
        _add(vector, "right", "0")
    if port.role is Role.CLOCK and unit.period is not None:
        _add_clock(wire, unit.period)


def _add_qualifier(wire: ET.Element, port: Port) -> None:
    """What the pin is for, in the words of the edition of 2022; controls, flags and tags have none there."""
    tag, attributes = {
        Role.CLOCK: ("isClock", {}),
        Role.RESET: ("isReset", {"level": "low" if port.active_low else "high"}),
        Role.ENABLE: ("isClockEn", {"level": "high"}),
        Role.OPERAND: ("isData", {}),
        Role.RESULT: ("isData", {}),
        Role.HANDSHAKE: (("isValid", {}) if port.name.endswith("_valid") else ("isFlowControl", {"flowType": "ready"})),
    }.get(port.role, ("", {}))
    if tag:
        _add(_add(wire, "qualifier"), tag, "true", **attributes)


def _add_clock(wire: ET.Element, period_ps: float) -> None:
    """The clock that the unit was made for. A period that was measured or estimated is in the constraints only."""
    clock = _add(_add(_add(wire, "drivers"), "driver"), "clockDriver")
    half = _number(period_ps / 2)
    _add(clock, "clockPeriod", _number(period_ps), units="ps")
    _add(clock, "clockPulseOffset", half, units="ps")
    _add(clock, "clockPulseValue", "1")
    _add(clock, "clockPulseDuration", half, units="ps")


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


# ---- files and parameters -----------------------------------------------------------


def _add_file_sets(root: ET.Element, unit: Unit, bundle: Collection[str]) -> None:
    file_sets = _add(root, "fileSets")
    for name, description, files in _FILE_SETS:
        named = [(file.format(unit=unit.name), kind) for file, kind in files]
        there = [(file, kind) for file, kind in named if file in bundle]
        if not there:
            continue
        file_set = _add(file_sets, "fileSet")
        _add(file_set, "name", name)
        _add(file_set, "description", description)
        for file, kind in there:
            entry = _add(file_set, "file")
            _add(entry, "name", file)
            _add(entry, "fileType", kind, **({"user": _USER_TYPES[file[-3:]]} if kind == "user" else {}))
            if file.endswith(".h"):
                _add(entry, "isIncludeFile", "true")


def _add_parameters(root: ET.Element, unit: Unit) -> None:
    """The latency, as a fact and as what an integrator may set: another value stops elaboration (see the Verilog)."""
    parameters = _add(root, "parameters")
    for name, description, resolve in (
        ("LATENCY", "Clocks from operands to result", "immediate"),
        (_PARAMETER, "The latency that the surroundings rely on; another than LATENCY stops elaboration", "user"),
    ):
        parameter = _add(parameters, "parameter", parameterId=name, resolve=resolve, type="int")
        _add(parameter, "name", name)
        _add(parameter, "description", description)
        _add(parameter, "value", str(unit.latency))
