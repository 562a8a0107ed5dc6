"""The Liberty reader: figures in one set of units, and a clear word for every kind of bad file."""

import contextlib
import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ppa_helpers import LIBERTY, SMALL_LIBERTY, fresh_cache, needs_liberty

from benchmarks import liberty_figures
from fpgen.base.errors import UsageError
from fpgen.library import liberty, technology
from fpgen.library.liberty_text import parse

__all__ = ["fresh_cache"]


def test_units_are_made_one():
    library = liberty.from_text(SMALL_LIBERTY)
    inv = library.cells["INV"]
    assert library.corner == "process 1, 1.2 V, 25 C"
    assert inv.area == 2.0 and inv.leakage == pytest.approx(500.0)
    assert (inv.pins["A"].rise_cap, inv.pins["A"].fall_cap) == pytest.approx((2.5, 2.0))
    assert library.cells["NAND"].leakage == pytest.approx(300.0)


def test_axes_follow_the_template_not_their_order():
    arc = liberty.from_text(SMALL_LIBERTY).cells["INV"].arcs[0]
    np.testing.assert_allclose(arc.rise_delay.x, [0, 100])
    np.testing.assert_allclose(arc.rise_delay.y, [1, 3])
    np.testing.assert_allclose(arc.rise_delay.values, [[10, 30], [20, 40]])
    assert arc.rise_delay.at(50, 2) == pytest.approx(25)
    assert arc.rise_delay.at(0, 5) == pytest.approx(50)  # beyond the axis: extended
    assert arc.fall_delay.at(77, 2) == pytest.approx(21)
    assert arc.rise_slew.at(1, 1) == pytest.approx(50)


def test_related_pins_and_sense_from_the_function():
    arcs = liberty.from_text(SMALL_LIBERTY).cells["NAND"].arcs
    assert [(arc.related, arc.sense) for arc in arcs] == [("A", "negative_unate"), ("B", "negative_unate")]


def test_flipflop_and_setup():
    dff = liberty.from_text(SMALL_LIBERTY).cells["DFF"]
    assert (dff.flipflop.clocked_on, dff.flipflop.next_state) == ("CK", "D")
    (setup,) = dff.setups
    assert setup.edge == "rising" and setup.rise.at(100, 0) == pytest.approx(50)  # x is the data's slew


def test_nand2_and_buffers():
    library = liberty.from_text(SMALL_LIBERTY)
    assert library.nand2_area == 3.0
    assert library.buffers() == []


def test_power_tables_only_when_asked_for():
    assert liberty.from_text(SMALL_LIBERTY).cells["INV"].power == ()
    (power,) = liberty.from_text(SMALL_LIBERTY, power=True).cells["INV"].power
    assert power.rise.at(0, 0) == pytest.approx(1.0) and power.fall is None  # 0.001 pF V^2 = 1 fJ


def test_no_flipflops_is_said_when_they_are_needed():
    cut = SMALL_LIBERTY[: SMALL_LIBERTY.index("  cell (DFF)")] + "}"
    with pytest.raises(UsageError, match="has no usable flip-flop"):
        liberty.from_text(cut).flipflops()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('next_state : "D";', ""),
        ('next_state : "D"', 'next_state : "Q9"'),
        ('next_state : "D"', 'next_state : "(D"'),
        ('clocked_on : "CK";', ""),
        ("ff (IQ, IQN)", "ffs (IQ, IQN)"),
    ],
)
def test_flipflops_that_keep_nothing_do_not_count(old, new):
    assert SMALL_LIBERTY.count(old) == 1
    with pytest.raises(UsageError, match="has no usable flip-flop"):
        liberty.from_text(SMALL_LIBERTY.replace(old, new)).flipflops()


def test_no_functions_is_said_when_they_are_needed():
    bare = SMALL_LIBERTY.replace('function : "!A";', "").replace('function : "(A B)\'";', "")
    with pytest.raises(UsageError, match="no usable two-input NAND whose function it states"):
        _ = liberty.from_text(bare).nand2_area


@pytest.mark.parametrize("text", ["", "hello", "module m; endmodule", "{", "cell (x) { }", "\x00\x01", "library"])
def test_not_liberty(text):
    with pytest.raises(UsageError, match="not a Liberty file"):
        liberty.from_text(text, "x.lib")


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_cut_short(part):
    with pytest.raises(UsageError, match="cut short"):
        liberty.from_text(SMALL_LIBERTY.rstrip()[: int(part * len(SMALL_LIBERTY.rstrip()))], "x.lib")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("area : 2.0", "area : two", "cell INV"),
        ('"0.011, 0.031"', '"0.011"', "1 values for 1 x 2"),
        ('index_1 ("0, 0.1")', 'index_1 ("0.1, 0")', "does not rise"),
        ('time_unit : "1ns"', 'time_unit : "1 furlong"', "unit"),
        ('function : "!A"', 'function : "!(A"', "parenthesis"),
        ("area : 2.0", "area : nan", "area: got .nan.; expected a finite number from 0 on"),
        ('"0.011, 0.031"', '"0.011, inf"', "not finite"),
        ('index_1 ("0.001, 0.003"); }', 'index_1 ("0.001, nan"); }', "not finite"),
    ],
)
def test_nonsense_inside(old, new, said):
    with pytest.raises(UsageError, match=said):
        liberty.from_text(SMALL_LIBERTY.replace(old, new))


def test_file_gzip_and_cache(tmp_path, fresh_cache):
    packed, plain = tmp_path / "a.lib.gz", tmp_path / "a.lib"
    packed.write_bytes(gzip.compress(SMALL_LIBERTY.encode()))
    plain.write_text(SMALL_LIBERTY)
    first = liberty.load(packed)
    assert list(first.cells) == ["INV", "NAND", "DFF"] == list(liberty.load(plain).cells)
    again = liberty.load(packed)
    assert again.content_hash == first.content_hash and again.nand2_area == 3.0
    assert 'function : "!(A & B)"' in liberty.functions_file(packed).read_text()
    for kept in (fresh_cache / "liberty").glob("*.pickle"):
        kept.write_bytes(b"half a fi")  # a damaged cache is not believed
    assert liberty.load(packed).nand2_area == 3.0


def test_unreadable_files(tmp_path, fresh_cache):
    with pytest.raises(UsageError, match="not found; expected a Liberty file"):
        liberty.load(tmp_path / "none.lib")
    with pytest.raises(UsageError, match="got a directory; expected a Liberty file"):
        liberty.load(tmp_path)
    packed = gzip.compress(SMALL_LIBERTY.encode())
    damaged = tmp_path / "d.lib.gz"
    for data in (packed[:200], packed[:9], packed[:40] + bytes(40) + packed[80:], packed[:-8] + bytes(8)):
        damaged.write_bytes(data)
        for read in (liberty.load, liberty.functions_file):
            with pytest.raises(UsageError, match="damaged or cut short"):
                read(damaged)
    damaged.write_bytes(gzip.compress(b"hello"))
    with pytest.raises(UsageError, match="not a Liberty file"):
        liberty.load(damaged)
    damaged.write_bytes(b"\x7fELF" + bytes(range(256)))
    with pytest.raises(UsageError, match="not a Liberty file"):
        liberty.load(damaged)


def test_a_gzip_bomb_is_refused(tmp_path, fresh_cache, monkeypatch):
    monkeypatch.setattr(liberty, "_LARGEST", 1 << 20)
    bomb = tmp_path / "b.lib.gz"
    bomb.write_bytes(gzip.compress(bytes(3 << 20)))
    with pytest.raises(UsageError, match="more than 1 MiB unpacked"):
        liberty.load(bomb)


def test_wire_load_models():
    text = SMALL_LIBERTY.replace(
        "  cell (INV)",
        """  pulling_resistance_unit : "10ohm";
      wire_load ("thin") { capacitance : 0.0001; resistance : 5; slope : 2;
                           fanout_length (4, 40); fanout_length (1, 10); fanout_length (2, 16); }
      wire_load (empty) { capacitance : 1; }
      cell (INV)""",
        1,
    )
    (model,) = liberty.from_text(text).wire_loads.values()
    assert (model.name, model.cap_ff, model.res_kohm) == ("thin", pytest.approx(0.1), pytest.approx(0.05))
    np.testing.assert_allclose(model.length(np.array([0, 1, 2, 3, 4, 7])), [0, 10, 16, 28, 40, 46])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_is_refused_or_read(data):
    text = SMALL_LIBERTY
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        drop = data.draw(st.integers(0, 40))
        text = text[:at] + data.draw(st.text(alphabet='{}();:"\\, \n01.eE-abz', max_size=6)) + text[at + drop :]
    with contextlib.suppress(UsageError):
        library = liberty.from_text(text, power=True)
        library.check_gates()
        library.flipflops()
        technology.default_driver(library)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='library(){};:"\\, \n01', max_size=300))
def test_any_text_is_refused_or_read(text):
    with contextlib.suppress(UsageError):
        parse("library (x) {" + text, "fuzz")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda tail: b"\x1f\x8b\x08" + tail),
        st.binary(max_size=60).map(lambda data: gzip.compress(b"library (x) { cell (a) {" + data)),
    )
)
def test_any_file_is_refused_or_read(tmp_path, fresh_cache, data):
    path = tmp_path / "fuzz.lib"
    path.write_bytes(data)
    with contextlib.suppress(UsageError):
        liberty.load(path)


@pytest.mark.parametrize(
    "text",
    [
        "{" * 50_000,
        "a(" * 50_000,
        'a("' * 50_000,
        "a:" * 50_000,
        "cell(x){" * 20_000,
        "/*" * 50_000,
        "\\\n" * 50_000,
        "}" * 50_000,
        "a " * 50_000,
        '"' * 50_001,
    ],
)
def test_no_text_hangs_it(text):
    for skip in ((), ("cell", "a")):
        with pytest.raises(UsageError):
            parse("library (x) { " + text, "long", skip=skip)


@needs_liberty
@pytest.mark.parametrize(
    ("name", "cells", "flipflops"),
    [
        ("nangate45_typ", 134, 16),
        ("sky130hd_tt", 428, 45),
        ("asap7_rvt_tt", 202, 17),
        ("ihp_sg13g2_typ_1p20V_25C", 78, 3),
    ],
)
def test_full_libraries(name, cells, flipflops):
    library = liberty.load(LIBERTY / f"{name}.lib.gz")
    assert len(library.cells) == cells and len(library.flipflops()) == flipflops
    assert library.nand2_area > 0 and library.buffers()


def test_figures_command(tmp_path, fresh_cache, capsys):
    path = tmp_path / "small.lib.gz"
    path.write_bytes(gzip.compress(SMALL_LIBERTY.encode()))
    assert liberty_figures.main([str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["small.lib.gz", "0.0", "3"]
    assert liberty_figures.main([str(tmp_path)]) == 2 and liberty_figures.main([]) == 2
