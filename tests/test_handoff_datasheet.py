"""The datasheet: the same in Markdown and in HTML, whole, self-contained, and true."""

import html
import re

import numpy as np
import pytest
from report_cases import CHROMIUM, browse
from sheet_cases import EVERYTHING, OF_OPERATION

import fpgen
from fpgen.formats import as_format
from fpgen.golden.arguments import gather, input_ports
from fpgen.golden.exact.exact_model import compute_exactly
from fpgen.handoff.datapath_groups import flow_of
from fpgen.handoff.datasheet import datasheet, datasheet_files
from fpgen.handoff.operand_classes import number_text, operand_classes
from fpgen.handoff.sheet_model import Figure, SheetTable
from fpgen.handoff.sheet_specials import specials
from fpgen.rtl import pipeline_for
from fpgen.rtl.wiring import is_wiring
from fpgen.units import Handshake, Role, Unit
from fpgen.units.operations import OPERATIONS, layer
from fpgen.units.options import Flags

SECTIONS = [
    "Ports", "Timing", "Datapath", "Numbers", "Special values", "C++ model", "Verification", "Cost", "Known limits",
]  # fmt: skip
EVIDENCE = {
    "passed": True, "vectors": 70000, "method": "sampled", "seed": 3, "families": {"one": 3, "two": 4},
}  # fmt: skip
POINT = {
    "recipe": "r", "area_um2": 12.0, "nand2_eq": 15.0, "delay_ps": 99.0, "cells": 9, "registers": 0, "logic_depth": 4,
    "technology": "fpgen45", "assumptions": {"wire_load": "none"}, "failure": None,
}  # fmt: skip


def parsed(text):
    """The HTML as XML, which is stricter."""
    etree = pytest.importorskip("lxml.etree", reason="lxml is not installed: the extra test")
    return etree.fromstring(text.encode())


def plain(text):
    return re.sub(r"`|\*\*", "", text).replace("\\|", "|").strip()


def markdown_tables(text):
    found, rows = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("| "):
            rows.append([plain(cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif not line.startswith("|---") and rows:
            found.append(rows)
            rows = []
    return found


def html_tables(tree):
    return [
        [["".join(cell.itertext()).strip() for cell in row] for row in table.iter("tr")] for table in tree.iter("table")
    ]


def part_of(unit, title, kind):
    section = next(section for section in datasheet(unit).sections if section.title == title)
    return [part for part in section.parts if isinstance(part, kind)]


# ---- form ---------------------------------------------------------------------------


def test_every_operation_has_its_unit_here():
    assert set(OF_OPERATION) == set(OPERATIONS)
    assert all(fpgen.parse_unit(text).operation == name for name, text in OF_OPERATION.items())


@pytest.mark.turns(3)
@pytest.mark.parametrize("text", EVERYTHING)
def test_both_files_say_the_same(text):
    unit = fpgen.parse_unit(text)
    files = datasheet_files(unit, note="a <note> & more", evidence=EVIDENCE, points=[POINT])
    assert files == datasheet_files(unit, note="a <note> & more", evidence=EVIDENCE, points=[POINT])
    markdown, page = files["datasheet.md"], files["datasheet.html"]
    tree = parsed(page)
    assert [title.text for title in tree.iter("h2")] == re.findall("^## (.*)$", markdown, re.M) == SECTIONS
    assert [title.text for title in tree.iter("h3")] == re.findall("^### (.*)$", markdown, re.M)
    tables = markdown_tables(markdown)
    assert tables == html_tables(tree) and len(tables) >= 6
    assert all(len(row) == len(table[0]) for table in tables for row in table)
    sources = re.findall(r"```json\n(.*?)\n```", markdown, re.S)
    assert sources == ["".join(pre.itertext()) for pre in tree.xpath("//details/pre")] and sources
    text_of_page = re.sub(r"\s+", " ", html.unescape("".join(tree.itertext())))
    for sentence in re.findall(r"^- (.*)$", markdown, re.M):
        assert re.sub(r"\s+", " ", plain(sentence)) in text_of_page
    assert unit.contract in text_of_page and unit.text in text_of_page and "a <note> & more" in text_of_page
    assert len(list(tree.iter("svg"))) == len(list(tree.iter("figure"))) == len(sources) + 1


@pytest.mark.parametrize("text", EVERYTHING)
def test_nothing_is_loaded(text):
    page = datasheet_files(fpgen.parse_unit(text))["datasheet.html"]
    assert "http:" not in page and "https:" not in page and "//" not in page and "url(" not in page
    tree = parsed(page)
    tags = {element.tag for element in tree.iter()}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "image", "use"}
    for element in tree.iter():
        assert not {name for name in element.attrib if name.startswith("on") or name in ("src", "style", "xlink")}
        assert element.get("href", "#").startswith("#")
    names = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(names) == len(set(names))
    assert {element.get("href")[1:] for element in tree.iter("a")} == set(names)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_it_opens_from_disk(tmp_path):
    unit = fpgen.parse_unit(OF_OPERATION["fma"])
    page = tmp_path / "datasheet.html"
    page.write_text(datasheet_files(unit)["datasheet.html"])
    seen = browse(tmp_path, "--dump-dom", page.as_uri())
    assert unit.contract in seen and seen.count("<svg") == 5 and seen.count("<h2") == len(SECTIONS)
    browse(tmp_path, f"--screenshot={tmp_path / 'page.png'}", page.as_uri())
    image = pytest.importorskip("matplotlib.image", reason="matplotlib is not installed: the extra report")
    pixels = image.imread(tmp_path / "page.png")[..., :3]
    bars = (np.abs(pixels - np.array([0x2F, 0x4B, 0x66]) / 255).max(axis=2) < 0.02).sum(axis=1) > 600
    assert (bars[1:] & ~bars[:-1]).sum() == unit.latency, "a bar of registers before every stage but the first"


# ---- special values -----------------------------------------------------------------


def exactly(unit, codes):
    """The cell that one row of codes must have, by the exact model."""
    ports = [port for port in input_ports(unit) if port.format is not None]
    row = {port.name: 0 for port in input_ports(unit)} | dict(zip((port.name for port in ports), codes, strict=True))
    outputs, flags = layer(unit, "exact")(unit)(row)
    port = next(port for port in unit.ports if port.role is Role.RESULT)
    cell = number_text(port.format, port.width, outputs[port.name])
    if any(port.role is Role.FLAGS for port in unit.ports):
        cell += "".join(f" {flag.name}" for flag in sorted(Flags, reverse=True) if flag in flags)
    return cell


@pytest.mark.parametrize("text", [text for text in EVERYTHING if text.split()[0] in ("multiply", "add", "convert")])
def test_entries_of_one_or_two_operands_are_the_exact_model_s(text):
    unit = fpgen.parse_unit(text)
    classes = [operand_classes(fmt) for fmt in unit.operands.values()]
    _, table = part_of(unit, "Special values", SheetTable)
    if len(classes) == 1:
        for name, cell in table.rows:
            assert cell == exactly(unit, [classes[0][name]])
        assert [name for name, _ in table.rows] == list(classes[0])
        return
    assert list(table.heads[1:]) == list(classes[1]) and [row[0] for row in table.rows] == list(classes[0])
    for name, *cells in table.rows:
        for other, cell in zip(table.heads[1:], cells, strict=True):
            assert cell == exactly(unit, [classes[0][name], classes[1][other]]), (name, other)


def test_entries_of_three_operands_are_the_exact_model_s():
    unit = fpgen.parse_unit(OF_OPERATION["fma"])
    classes = operand_classes(unit.a)
    _, table = part_of(unit, "Special values", SheetTable)
    seen = set()
    for firsts, seconds, *cells in table.rows:
        names = [[name for name in classes if name != "largest"] if some == "any" else some.split(", ")
                 for some in (firsts, seconds)]  # fmt: skip
        for first in names[0]:
            for second in names[1]:
                for head, cell in zip(table.heads[2:], cells, strict=True):
                    third = head.removeprefix("c ")
                    assert (first, second, third) not in seen
                    seen.add((first, second, third))
                    assert cell == exactly(unit, [classes[first], classes[second], classes[third]])
    assert len(seen) == (len(classes) - 1) ** 3


def test_blocks_say_what_special_scales_and_elements_do():
    _, table = part_of(fpgen.parse_unit("quantize bf16 -> nvfp4"), "Special values", SheetTable)
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["`source` NaN"] == ("all 0 (0x0)", "NaN (0x7f)")
    assert rows["`source` largest"] == ("1 times 6 (0x7), 15 times 0 (0x0)", "448 (0x7e)")
    _, table = part_of(fpgen.parse_unit("dequantize mxfp4 -> bf16"), "Special values", SheetTable)
    assert {row[0]: row[1:] for row in table.rows}["`scale` NaN"] == ("all NaN (0x7fc0)",)
    _, table = part_of(fpgen.parse_unit(OF_OPERATION["dot"].replace("e4m3fn", "e5m2")), "Special values", SheetTable)
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["nothing special"] == ("4 (0x40800000)", "-") and rows["`a` +inf"] == ("inf (0x7f800000)", "-")
    assert rows["`a` +inf, `a` -inf"] == rows["`a` +inf, `b` +0"] == ("NaN (0x7fc00000)", "NV")


@pytest.mark.parametrize("text", EVERYTHING)
def test_by_the_exact_model_the_section_is_the_same(text, monkeypatch):
    unit = fpgen.parse_unit(text)
    found = specials(unit)
    asked = []

    def exact(unit, **codes):
        asked.append(unit)
        return compute_exactly(unit, gather(unit, (), codes))

    monkeypatch.setattr(Unit, "compute", exact)
    assert specials(unit) == found and asked == [unit]


def test_an_accumulator_starts_from_what_it_loads():
    _, table = part_of(fpgen.parse_unit(OF_OPERATION["mac"]), "Special values", SheetTable)
    row = next(row for row in table.rows if row[:2] == ("normal", "normal"))
    assert row[2 + table.heads[2:].index("c normal")] == "2 (0x40000000)"


@pytest.mark.parametrize(
    "name", ["fp16", "e4m3fn", "e2m1", "e8m0", "int8", "uint4", "ue4m3", "e4m3fnuz", "binary8p3se"]
)
def test_the_code_of_a_class_is_of_that_class(name):
    fmt = as_format(name)
    found = operand_classes(fmt)
    assert len(set(found.values())) == len(found)
    assert fmt.value(found["normal"]) == 1 and fmt.value(found["largest"]) == fmt.max_finite
    if "subnormal" in found:
        assert 0 < fmt.value(found["subnormal"]) < fmt.min_normal
    assert ("NaN" in found, "-0" in found) == (fmt.has_nan, fmt.has_negative_zero)


# ---- the rest -----------------------------------------------------------------------


def test_the_formats_are_described():
    (table,) = part_of(fpgen.parse_unit("multiply e4m3fn fp16 -> fp16"), "Numbers", SheetTable)
    assert table.heads == ("", "e4m3fn", "fp16")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["ports"] == ("`a`", "`b`, `result`") and rows["bias"] == ("7", "15")
    assert rows["largest"] == ("448", "65504") and rows["smallest positive"] == ("0.001953125", "2^-24")
    assert rows["infinities"] == ("none", "0x7c00, 0xfc00") and rows["NaNs"][0] == "0x7f, 0xff"


@pytest.mark.parametrize("text", EVERYTHING)
def test_the_picture_shows_every_operation_and_register(text):
    unit = fpgen.parse_unit(text)
    pipeline = pipeline_for(unit)
    flow = flow_of(pipeline)
    live = [node for node in pipeline.graph.live() if node.op not in ("input", "const") and not is_wiring(node)]
    states = sum(node.op == "state" for node in live)
    assert sum(group.operations for group in flow.groups) == len(live) - states
    assert sum(group.width for group in flow.groups) == sum(state.width for state in pipeline.graph.states)
    for first, second in flow.within:
        assert first.stage == second.stage and first != second
    (figure,) = part_of(unit, "Datapath", Figure)
    for group in flow.groups:
        assert figure.svg.count(f">{html.escape(group.title)}<") >= 1 and f"    {group.title}: " in figure.text
    for number, rank in enumerate(pipeline.ranks, 1):
        bits = sum(register.width for register in rank)
        assert f"rank {number}: {bits} bit" in figure.text
    assert figure.svg.count(' height="26"') == unit.latency + 2
    stages, *ranks = part_of(unit, "Datapath", SheetTable)
    assert len(stages.rows) == unit.latency + 1
    if unit.clocked:
        states = sum(state.width for state in pipeline.graph.states)
        assert sum(int(row[2]) for row in ranks[0].rows) + states == pipeline.register_bits


@pytest.mark.parametrize("text", EVERYTHING)
def test_limits_are_those_of_the_unit(text):
    unit = fpgen.parse_unit(text)
    limits = datasheet_files(unit)["datasheet.md"].partition("## Known limits")[2]
    has_flags = any(port.role is Role.FLAGS for port in unit.ports)
    assert ("no traps" in limits) == has_flags and ("not reported" in limits) != has_flags
    assert ("no back-pressure" in limits) == (unit.clocked and unit.handshake is Handshake.VALID)
    assert ("Reset clears" in limits) == any(port.role is Role.RESET for port in unit.ports)
