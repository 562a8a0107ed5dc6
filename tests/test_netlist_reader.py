"""Netlists in the forms that tools write, each timed with a figure worked out by hand (see sta_reader_cases.py)."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sta_reader_cases import CASES

from fpgen.library import liberty
from fpgen.timing import netlist, sta

TINY = Path(__file__).with_name("tiny.lib")


@pytest.fixture(scope="module")
def tiny():
    return liberty.from_text(TINY.read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_by_hand(tiny, case):
    report = sta.analyse(netlist.from_text(case.text, "m", "n.v", tiny), tiny)
    assert report.delay_ps == pytest.approx(case.delay)


# All that an escaped name may have: every printable ASCII character but blanks.
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@given(st.lists(names, min_size=2, max_size=6, unique=True))
def test_any_escaped_name(tiny, nets):
    """A chain over nets and instances of any names, with a concatenation over all: 30 for each BUF."""
    escaped = [f"\\{net} " for net in nets]
    chain = "".join(f"BUF {to}(.A({of}),.Y({to}));" for of, to in pairwise(escaped))
    text = (
        f"module m({escaped[0]}, \\//y ); input {escaped[0]}; output [{len(nets) - 1}:0] \\//y ; {chain}"
        f"assign \\//y = {{{','.join(escaped)}}}; endmodule"
    )
    if any(net.startswith("//y") for net in nets):
        return
    flat = netlist.from_text(text, "m", "n.v", tiny)
    assert sta.analyse(flat, tiny).delay_ps == pytest.approx(30 * (len(nets) - 1))
    assert flat.outputs["//y[0]"] == flat.instances[-1].pins["Y"] and flat.instances[-1].name == nets[-1]
