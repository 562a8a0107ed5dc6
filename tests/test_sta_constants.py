"""What constants do to timing, worked out by hand (see sta_cases.py)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sta_cases import CONSTANTS

from fpgen.base.errors import RunFailure
from fpgen.library import liberty
from fpgen.timing import constants, netlist, sta

TINY = Path(__file__).with_name("tiny.lib")


@pytest.fixture(scope="module")
def tiny():
    return liberty.from_text(TINY.read_text())


def time(text, library, **options):
    return sta.analyse(netlist.from_text(text, "m", "n.v", library, **options), library)


@pytest.mark.parametrize("case", CONSTANTS, ids=lambda case: case.name)
def test_by_hand(tiny, case):
    assert time(case.text, tiny).delay_ps == pytest.approx(case.delay)


def test_a_loop_that_no_constant_cuts(tiny):
    text = """module m(a, s, y); input a, s; output y; wire w;
      MUX2 g (.A(w), .B(a), .S(s), .Y(y)); BUF h (.A(y), .Y(w)); endmodule"""
    with pytest.raises(RunFailure, match="gates form a loop through the nets y, w"):
        time(text, tiny)


WIDE = [f"A{k}" for k in range(14)]


@pytest.mark.parametrize(
    ("function", "fixed", "found"),
    [
        ("&".join(WIDE), {}, (True, True)),
        ("&".join(WIDE), {"A3": 0}, (True, False)),
        ("&".join(WIDE), dict.fromkeys(WIDE, 1), (False, True)),
        ("|".join(WIDE), {"A3": 1}, (False, True)),
        ("^".join(WIDE), {"A3": 1}, (True, True)),
        ("!(" + "|".join(WIDE) + ")", {"A0": 1}, (True, False)),
        ("A & !A", {}, (True, False)),
        ("not a function (", {}, (True, True)),
        ("1", {}, (False, True)),
    ],
)
def test_values_of_functions(function, fixed, found):
    assert constants.values(function, fixed) == found


expressions = st.recursive(
    st.sampled_from(["A", "B", "C", "D", "0", "1"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("&|^"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda text: f"!{text}"),
    ),
    max_leaves=12,
)


@given(expressions, st.dictionaries(st.sampled_from("ABCD"), st.integers(0, 1)))
def test_three_values_never_miss_what_a_truth_table_finds(text, fixed):
    exact = constants.values(text, fixed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "_MOST_PINS", -1)
        rough = constants.values(text, fixed)
    assert all(may or not can for can, may in zip(exact, rough, strict=True))
    if len(fixed) == 4:
        assert rough == exact


def test_open_pins_are_said_and_join_nothing(tiny):
    """An output without a net drives nothing: not even an input without one."""
    flat = netlist.from_text(
        """module m(a, y, z); input a; output y, z;
      BUF f (.A(a), .Y()); BUF g (.A(), .Y(y)); INV i (.A(a), .Y(z)); endmodule""",
        library=tiny,
    )
    report = sta.analyse(flat, tiny)
    assert (report.startpoint, report.endpoint) == ("a", "z")
    assert report.notes == ("input pins without a net, and no path begins at: g/A",)
