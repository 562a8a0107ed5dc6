"""What a notebook shows: whole tables, everything escaped, and what was asked about in them."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

import fpgen
from fpgen.base import html
from fpgen.formats.describe import describe
from fpgen.sweep.store import Store
from fpgen.synthesis.point import Point, Points
from fpgen.units.unit_html import unit_html
from fpgen.verify.verdict import Mismatch, ProtocolTest, Verdict


class Cells(HTMLParser):
    """The text of every cell, row by row; fails on tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.captions = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        else:
            assert self.open[-1] == "caption", (self.open, data)
            self.captions.append(data)


def cells(shown):
    return Cells(shown if isinstance(shown, str) else shown._repr_html_())


ODD = "<script>alert(\"x\")</script> & 'y'"


def test_text_is_escaped_wherever_it_stands():
    for text in (html.pairs([(ODD, ODD)], title=ODD), html.records([{ODD: ODD}], [ODD], title=ODD)):
        assert "<script" not in text
        found = Cells(text)
        assert found.captions == [ODD] and all(cell == ODD for row in found.rows for cell in row)


def test_numbers_and_what_is_missing():
    given = {"a": 1.23456, "b": float("nan"), "c": None, "d": True, "e": 12345.678, "f": 7}
    found = Cells(html.records([given], list(given)))
    assert found.rows[1] == ["1.235", "", "", "yes", "12346", "7"]
    assert html.records([{"a": 2, "b": "2"}], ["a", "b"]).count("text-align:right") == 1


def test_a_long_table_says_what_it_leaves_out():
    found = Cells(html.records([{"n": number} for number in range(100)], ["n"]))
    assert len(found.rows) == 1 + html.SHOWN_ROWS + 1 and found.rows[-1] == [f"and {100 - html.SHOWN_ROWS} more"]
    assert "more" not in html.records([{"n": 1}] * html.SHOWN_ROWS, ["n"])


@pytest.mark.parametrize("name", [*fpgen.CATALOGUE, "e5m7", "int12:scale=-4", "e15m112"])
def test_formats(name):
    fmt = fpgen.parse_format(name)
    assert [tuple(row) for row in cells(fmt).rows] == list(describe(fmt).rows)
    whole = cells(describe(fmt)).rows
    assert len(whole) == len(describe(fmt).rows) + (1 + (1 << fmt.bits) if fmt.bits <= 8 else 0)


@pytest.mark.parametrize("name", [*fpgen.BLOCKS, "int8@fp16/16"])
def test_block_formats(name):
    block = fpgen.parse_block(name)
    found = dict(cells(block).rows)
    assert found["name"] == block.name and found["elements"] == f"{block.size} of {block.element}"
    assert ("tensor scale" in found) == (block.tensor_scale is not None)


@pytest.mark.parametrize(
    "text",
    [
        "fma e4m3fn e4m3fn fp32 -> fp32 rne flags=on stages=3 handshake=ready",
        "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32",
    ],
)
def test_units(text):
    unit = fpgen.parse_unit(text)
    found = cells(unit_html(unit))
    assert found.captions == [unit.text] and ["contract", unit.contract] in found.rows
    pins = found.rows[found.rows.index(["pin", "direction", "bits", "meaning"]) + 1 :]
    assert [(pin[0], int(pin[2])) for pin in pins] == [(port.name, port.width) for port in unit.ports]


POINT = Point(
    "top", "fpgen45", "balanced/plain/dch-map", 100.0, 1461.0, 1831.0, 1212.0, cells=5, assumptions={"corner": "tt"}
)


def test_points():
    found = dict(cells(POINT).rows)
    assert found["area um2"] == "1461" and found["assumptions"] == "corner tt, before placement"
    failed = replace(POINT, failure=ODD, area_um2=float("nan"), delay_ps=float("nan"))
    assert dict(cells(failed).rows)["failure"] == ODD and "area um2" not in dict(cells(failed).rows)
    several = cells(Points([POINT, failed]))
    assert several.captions == ["top"] and len(several.rows) == 3
    assert several.rows[0][-1] == "failure" and several.rows[1][-1] == "" and several.rows[2][-1] == ODD
    assert cells(Points()).rows == [[]]


def test_verdicts():
    passed = Verdict("add a a -> a", True, "", "exhaustive", 65536, 1, protocol=(ProtocolTest("reset", ""),))
    found = cells(passed)
    assert found.captions == ["add a a -> a"] and ["verdict", passed.summary] in found.rows
    assert ["protocol", "reset: passed"] in found.rows and "waveform" not in dict(found.rows)
    wrong = Mismatch(7, "ties", {"a": ODD}, "1", "2", "rounding", "fpgen verify ...")
    failed = cells(replace(passed, passed=False, reason="1 wrong", mismatch_count=1, mismatches=(wrong,)))
    assert ["verdict", "FAILED: 1 wrong"] in failed.rows and ["a", ODD] in failed.rows
    assert failed.captions == ["add a a -> a", "vector 7"]


def test_stores(tmp_path):
    rows = [
        {"sweep": "s", "point": "P=1", "unit": "u", "status": "ok", "area_um2": 12.5, "reason": None},
        {"sweep": "s", "point": "P=2", "unit": "u", "status": "failed", "area_um2": None, "reason": ODD},
    ]
    fpgen.write_store(tmp_path / "some", rows)
    store = fpgen.read_store(str(tmp_path / "some.csv"))
    assert isinstance(store, Store) and isinstance(store, list) and store[0]["area_um2"] == 12.5
    found = cells(store)
    assert found.captions == ["s: 2 records, 1 of them without figures"]
    assert found.rows == [
        ["point", "status", "area_um2", "reason"],
        ["P=1", "ok", "12.5", ""],
        ["P=2", "failed", "", ODD],
    ]
    assert cells(Store()).captions == ["store: 0 records"]
