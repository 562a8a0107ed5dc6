"""Liberty that is legal and odd, or broken in its structure: read as it is meant, or refused in one line."""

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppa_helpers import SMALL_LIBERTY, fresh_cache

from fpgen.base.errors import FpgenError, RunFailure, UsageError
from fpgen.library import liberty, liberty_write, technology
from fpgen.library.liberty_text import LibertyGroup, parse
from fpgen.synthesis import flow, yosys
from fpgen.timing import netlist, sta

__all__ = ["fresh_cache"]

BUFFER = """  cell (BUF) {
    area : 3.0; cell_leakage_power : 0.5;
    pin (A) { direction : input; capacitance : 0.002; }
    pin (Y) {
      direction : output; function : "A";
      timing () {
        related_pin : "A"; timing_sense : positive_unate;
        cell_rise (t22) { values ("0.010, 0.020", "0.030, 0.040"); }
        cell_fall (load) { values ("0.011, 0.031"); }
        rise_transition (scalar) { values ("0.050"); }
        fall_transition (scalar) { values ("0.060"); }
      }
    }
  }
"""
TEXT = SMALL_LIBERTY.rstrip()[:-1] + BUFFER + "}\n"
NET = netlist.from_text("""module t(input a, b, ck, output y, z, q); wire n;
    NAND u1 (.A(a), .B(b), .Y(n)); INV u2 (.A(n), .Y(y)); BUF u3 (.A(n), .Y(z)); DFF u4 (.CK(ck), .D(n), .Q(q));
endmodule""")


def delay(text: str) -> float:
    """Critical delay of NET in ps."""
    return sta.analyse(NET, liberty.from_text(text, "x.lib"), driving_cell="BUF").delay_ps


def changed(old: str, new: str, count: int = 1) -> str:
    """TEXT with a change that really changes it."""
    assert old in TEXT
    return TEXT.replace(old, new, count)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + TEXT,
        TEXT.replace("\n", "\r\n"),
        changed("cell (NAND)", "cell (NAND\r\n)"),
        changed("area : 3.0;", 'area : 3.0; // um2, "drawn'),
        changed("area : 3.0;", '/* 2" { */ area /* ( */ : 3.0;'),
        changed("area : 3.0;", 'comment : "a /* b"; area : 3.0;'),
        changed("area : 3.0;", 'url : "http://a.b"; area : 3.0;'),
        changed("area : 3.0;", 'comment : "größe µm²"; area : 3.0;'),
        changed("area : 3.0;", 'comment : "say \\"hi\\""; area : 3.0;'),
        changed("\\\n", "\\ \t\n"),
        changed("pin (A, B)", "pin (A B)"),
        changed("pin (A, B)", 'pin ("A", "B")'),
        changed("(NAND)", '("NAND")'),
        changed('related_pin : "A B"', 'related_pin : "A, B"'),
        changed("ff (IQ, IQN)", 'ff ("IQ" "IQN")'),
        changed('values ("0.020, 0.040")', "values (0.020 0.040)"),
        changed("1ns", "1NS"),
        TEXT + "// the end",
        changed('values ("0.010, 0.020", \\\n', 'values ( /* two rows */ "0.010, \\\n 0.020", \\\n'),
        changed("dont_use : false", 'dont_use : "FALSE"'),
        changed("library (small)", "library ()"),
        changed("(1, pf)", '("1","pf")'),
        changed("(1, pf)", "(1000, ff)"),
        changed("1ns", "1000ps"),
    ],
    ids=range(24),
)
def test_odd_and_legal_is_read_as_it_is_meant(text):
    assert delay(text) == pytest.approx(delay(TEXT))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "  cell (INV)",
            "  include_file (more.lib);\n  cell (INV)",
            r"line 20: got include_file \(more.lib\); expected a library",
        ),
        ("  cell (INV)", "  /* 1\n2\n3 */ VX = 1.2;\n  cell (INV)", "line 22: cannot read 'VX = 1.2;'"),
        ("cell (BUF)", "cell (NAND)", "cell NAND: got two of that name that differ; expected one"),
        ("area : 3.0", "area : 1.5 * 2", "cell NAND: area: got '1.5 [*] 2'; expected a finite number from 0 on"),
        ("area : 3.0", "area : -3", "cell NAND: area: got '-3'; expected a finite"),
        ("(1, pf)", "(1)", "unit: got '1'; expected a number and one of ff, pf, nf"),
        ("(1, pf)", "(1, mile)", "unit: got '1  mile'"),
        ("(1, pf)", "()", "unit: got ''"),
        ("1ns", "0ns", "unit: got '0ns'; expected more than 0"),
        ("nom_voltage : 1.2", "nom_voltage : VDD", "nom_voltage: got 'VDD'"),
        ("cell_rise (t22)", "cell_rise (t33)", "cell INV: pin Y: table cell_rise follows the template 't33'"),
        ("clock : true;", "clock : true", "line 55: clock: got 'true capacitance : 0.001'; expected one value and a"),
        ('"0.010, 0.020"', '"0.01, 0.02, 0.03"', "cell INV: pin Y: table cell_rise: got rows of 3, 2 values; expected"),
        ('"0.010, 0.020", \\\n', '"0.010", "0.020", ', "pin Y: table cell_rise: got rows of 1, 1, 2 values; expected"),
        ('values ("0.011, 0.031")', 'values ("")', "cell INV: pin Y: table cell_fall has 0 values for 1 x 2 points"),
        ("}\n", "}\nlibrary (two) { }", "2 library groups"),
        ("}\n", "}\nrest", "text after the library's last brace"),
    ],
)
def test_refused_in_one_line_that_says_where(old, new, said):
    text = TEXT[:-2] + TEXT[-2:].replace(old, new) if old == "}\n" else changed(old, new)
    with pytest.raises(UsageError, match=said) as raised:
        liberty.from_text(text, "x.lib")
    assert "\n" not in str(raised.value) and str(raised.value).startswith("x.lib")


@pytest.mark.parametrize(
    ("old", "new", "arcs"),
    [
        ('related_pin : "A B";', "", "from A to Y, from B to Y"),
        ('related_pin : "A B"', 'related_pin : "A C"', "from B to Y"),
        ('related_pin : "A B";', 'related_pin : "A B"; timing_type : three_state_disable;', "from A to Y, from B to Y"),
        ('related_pin : "CK"; timing_type : rising_edge;', "", "to Q"),
    ],
)
def test_a_cell_without_timing_is_no_cell_without_delay(old, new, arcs):
    with pytest.raises(RunFailure, match=f"has no timing of the cell (NAND|DFF) {arcs}; expected tables of delay and"):
        delay(changed(old, new))


def test_gates_need_area_and_timing():
    for text, said in (
        (TEXT.replace("area : 2.0", "area : 0"), "INV has no area"),
        (changed('related_pin : "A B";', ""), "NAND has no timing from A to Y, no timing from B to Y"),
    ):
        with pytest.raises(UsageError, match=said):
            liberty.from_text(text).check_gates()


def test_leakage_and_load_limits():
    text = changed("cell_leakage_power : 0.5;", "").replace(
        "library (small) {", "library (small) {\n  default_cell_leakage_power : 0.25;", 1
    )
    library = liberty.from_text(text.replace('function : "A";', 'function : "A"; max_capacitance : 0.05;'))
    assert library.cells["INV"].leakage == pytest.approx(250) and library.cells["NAND"].leakage == pytest.approx(300)
    assert library.cells["BUF"].pins["Y"].max_cap == pytest.approx(50) and library.cells["INV"].pins["Y"].max_cap == 0


def test_pads_are_not_mapped_to(tmp_path, fresh_cache):
    path = tmp_path / "pads.lib"
    path.write_text(TEXT[:-2] + BUFFER.replace("(BUF) {", "(PAD) { pad_cell : true;").replace("3.0", "0.1") + "}\n")
    tech = technology.from_liberty(path)
    assert tech.driving_cell == "BUF" and '"PAD"' not in tech.liberty.read_text()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "\ufeff" + TEXT,
        TEXT.replace("\n", "\r\n"),
        changed("area : 3.0;", "area : 3.0; // um2\n"),
        changed("area : 3.0;", 'url : "http://a.b"; area : 3.0;'),
    ],
)
def test_yosys_and_abc_map_to_what_they_could_not_read(tmp_path, fresh_cache, text):
    """Scalar tables, two-point axes, the load first, `dont_use : false`, and more of the kind."""
    path = tmp_path / "odd.lib"
    path.write_bytes(text.encode())
    tech = technology.from_liberty(path)
    assert tech.liberty != path and liberty.mapping_file(tech.library) == tech.liberty
    (point,) = flow.measure(
        "module d(input ck, a, b, output reg y); always @(posedge ck) y <= a ^ b; endmodule",
        "d",
        technology=tech,
        engine="auto",
    )
    assert point.failure is None and point.registers == 1 and point.area_um2 > 10
    assert yosys.select("auto").version in point.tools.values()


def test_the_library_for_mapping_is_the_same():
    library = liberty.from_text(TEXT)
    again = liberty.from_text(liberty_write.to_text(library))
    assert list(again.cells) == list(library.cells)
    for name, cell in library.cells.items():
        other = again.cells[name]
        assert (other.area, other.leakage, other.flipflop) == (cell.area, pytest.approx(cell.leakage), cell.flipflop)
        for arc, same in zip(cell.arcs, other.arcs, strict=True):
            assert (arc.related, arc.pin, arc.sense, arc.kind) == (same.related, same.pin, same.sense, same.kind)
            for slew, load in ((0.0, 1.0), (33.0, 2.5), (250.0, 7.0)):
                assert same.rise_delay.at(slew, load) == pytest.approx(arc.rise_delay.at(slew, load), abs=1e-4)
    assert sta.analyse(NET, again, driving_cell="BUF").delay_ps == pytest.approx(delay(TEXT), abs=1e-3)


def written(group: LibertyGroup, rng: random.Random) -> str:
    """A tree as Liberty text, with blanks, comments and line ends thrown in."""
    gap = rng.choice((" ", "\n", "\t", " /* c */ ", " // c\n", "\r\n"))
    lines = [f"{group.name}{gap}({group.args}) {{"]
    for name, value in group.attributes.items():
        values = group.every(name)
        plain = not any(sign in value for sign in '(),"\n')
        lines += (
            [f"{name} : {value};" if plain and rng.random() < 0.3 else f'{name} : "{value}";']
            if plain
            else [f"{name} ({text});" for text in values]
        )
    return gap.join([*lines, *(written(inner, rng) for inner in group.groups), "}"])


def every(group: LibertyGroup) -> list[LibertyGroup]:
    """The group and all inside it."""
    return [group, *(inner for child in group.groups for inner in every(child))]


VALUES = st.one_of(
    st.sampled_from(
        [
            "",
            "A",
            "!A",
            "(A",
            "A B'",
            "IQ",
            "0",
            "-1",
            "1e308",
            "nan",
            "1 2 3",
            "0.1, 0.2",
            "0.2, 0.1",
            "1pf",
            "true",
            "rising_edge",
            "setup_rising",
            "positive_unate",
            "three_state_enable",
            "input",
            "inout",
            "t22",
            "total_output_net_capacitance",
            "input_net_transition",
            "1, ff",
            "2, furlong",
            "µ",
        ]
    ),
    st.floats(width=32).map(str),
    st.text(alphabet="AB!()+*^ 01.,eE-", max_size=8),
)
NAMES = st.sampled_from(
    [
        "pin",
        "timing",
        "cell",
        "ff",
        "latch",
        "ff_bank",
        "bus",
        "bundle",
        "cell_rise",
        "values",
        "internal_power",
        "leakage_power",
        "lu_table_template",
        "test_cell",
        "pg_pin",
        "odd",
    ]
)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_any_structure_is_refused_or_read(data):
    """Groups dropped, doubled, moved, renamed and attributes changed: what is read can be timed and written anew."""
    tree = parse(TEXT, "fuzz")
    for _ in range(data.draw(st.integers(1, 4))):
        groups = every(tree)
        group = groups[data.draw(st.integers(0, len(groups) - 1))]
        inner = data.draw(st.integers(0, len(group.groups) - 1)) if group.groups else None
        key = data.draw(st.sampled_from(sorted(group.attributes))) if group.attributes else None
        match data.draw(st.sampled_from(["drop", "double", "move", "rename", "args", "unset", "set"])):
            case "drop" if inner is not None:
                del group.groups[inner]
            case "double" if inner is not None:
                group.groups.append(copy.deepcopy(group.groups[inner]))
            case "move" if inner is not None:
                groups[data.draw(st.integers(0, len(groups) - 1))].groups.append(copy.deepcopy(group.groups[inner]))
            case "rename" if group is not tree:
                group.name = data.draw(NAMES)
            case "args":
                group.args = data.draw(VALUES).replace("(", "").replace(")", "")
            case "unset" if key is not None:
                del group.attributes[key]
            case _ if key is not None:
                group.attributes[key] = data.draw(VALUES)
    text = written(tree, random.Random(data.draw(st.integers(0, 9))))
    try:
        library = liberty.from_text(text, "fuzz", power=True)
        again = liberty.from_text(liberty_write.to_text(library))
        library.check_gates()
        technology.default_driver(library)
        library.flipflops()
        before = sta.analyse(NET, library, driving_cell="BUF")
    except FpgenError as error:
        assert "\n" not in str(error) and len(str(error)) < 700
        return
    if all(instance.cell in again.cells for instance in NET.instances):
        after = sta.analyse(NET, again, driving_cell="BUF")
        assert after.delay_ps == pytest.approx(before.delay_ps, rel=1e-3, abs=1e-2)


def test_flip_flops_of_several_bits_are_timed():
    """Bundles: what holds for all members, what for one, and arcs from bundle to bundle bit by bit."""
    text = (
        TEXT[:-2]
        + """  cell (DFF2) {
    area : 18; ff_bank (IQ, IQN, 2) { clocked_on : "CK"; next_state : "D"; }
    pin (CK) { direction : input; clock : true; capacitance : 0.001; }
    bundle (D) {
      members (D0, D1); direction : input; capacitance : 0.001; pin (D1) { capacitance : 0.003; }
      timing () { related_pin : "CK"; timing_type : setup_rising;
        rise_constraint (scalar) { values ("0.030"); } fall_constraint (scalar) { values ("0.030"); } }
    }
    bundle (Q) {
      members ("Q0", "Q1"); direction : output; function : "IQ";
      timing () { related_pin : "CK"; timing_type : rising_edge;
        cell_rise (load) { values ("0.100, 0.120"); } cell_fall (load) { values ("0.090, 0.110"); }
        rise_transition (scalar) { values ("0.040"); } fall_transition (scalar) { values ("0.040"); } }
    }
  }
  cell (INV2) {
    area : 3; bundle (A) { members (A0, A1); direction : input; capacitance : 0.002; }
    bundle (Y) {
      members (Y0, Y1); direction : output; function : "A'";
      timing () { related_pin : "A";
        cell_rise (load) { values ("0.020, 0.040"); } cell_fall (load) { values ("0.020, 0.040"); }
        rise_transition (scalar) { values ("0.050"); } fall_transition (scalar) { values ("0.050"); } }
    }
  }
}
"""
    )
    library = liberty.from_text(text)
    pair = library.cells["DFF2"]
    assert {name: pin.rise_cap for name, pin in pair.pins.items() if pin.direction == "input"} == pytest.approx(
        {"CK": 1, "D0": 1, "D1": 3}
    )
    assert [(arc.related, arc.pin) for arc in pair.arcs] == [("CK", "Q0"), ("CK", "Q1")] and pair.latch
    inverters = library.cells["INV2"]
    assert [(arc.related, arc.pin, arc.sense) for arc in inverters.arcs] == [
        ("A0", "Y0", "negative_unate"),
        ("A1", "Y1", "negative_unate"),
    ]
    flat = netlist.from_text("""module t(input ck, d, output q, r); wire [1:0] n, m;
        DFF2 f (.CK(ck), .D0(d), .D1(m[0]), .Q0(n[0]), .Q1(q)); INV2 i (.A0(n[0]), .Y0(m[0]), .A1(d), .Y1(r));
    endmodule""")
    found = sta.analyse(flat, library, driving_cell="BUF", output_load_ff=4)
    assert (found.startpoint, found.endpoint, found.logic_depth) == ("f", "f", 1)
    assert found.delay_ps == pytest.approx(110 + 40 + 30)  # Q0 rises with 2 fF, Y0 falls with 3 fF, setup of D1
    assert [step.pin for step in found.path] == ["Q0", "Y0", "D1"]
