"""Netlists in the forms that tools write, each timed with a figure worked out by hand (see sta_reader_cases.py)."""

from pathlib import Path

import pytest
from sta_reader_cases import CASES

from fpgen.ppa import liberty, netlist, sta

TINY = Path(__file__).with_name("tiny.lib")


@pytest.fixture(scope="module")
def tiny():
    return liberty.from_text(TINY.read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_by_hand(tiny, case):
    report = sta.analyse(netlist.from_text(case.text, "m", "n.v", tiny), tiny)
    assert report.delay_ps == pytest.approx(case.delay)
