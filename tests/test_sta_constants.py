"""What constants do to timing, worked out by hand (see sta_cases.py)."""

from pathlib import Path

import pytest
from sta_cases import CONSTANTS

from fpgen.ppa import liberty, netlist, sta

TINY = Path(__file__).with_name("tiny.lib")


@pytest.fixture(scope="module")
def tiny():
    return liberty.from_text(TINY.read_text())


def time(text, library, **options):
    return sta.analyse(netlist.from_text(text, "m", "n.v", library, **options), library)


@pytest.mark.parametrize("case", CONSTANTS, ids=lambda case: case.name)
def test_by_hand(tiny, case):
    assert time(case.text, tiny).delay_ps == pytest.approx(case.delay)
