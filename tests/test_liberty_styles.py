"""What Yosys and ABC get does not depend on the style that a library is written in, only on what it says."""

import random
import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppa_helpers import LIBERTY, TIMING, fresh_cache, needs_liberty, needs_timing
from test_liberty_odd import BUFFER, TEXT, changed

from fpgen.base.errors import RunFailure, UsageError
from fpgen.formal.equivalence import prove_equal
from fpgen.library import liberty, liberty_functions, liberty_write, technology
from fpgen.library.liberty_text import LibertyGroup, parse
from fpgen.synthesis import flow, yosys
from fpgen.timing import netlist, sta

__all__ = ["fresh_cache"]

MODULE = "module d(input ck, a, b, output reg y); always @(posedge ck) y <= a ^ b; endmodule"


def for_mapping(text: str) -> str:
    return liberty_write.to_text(liberty.from_text(text, "x.lib"))


def for_proofs(text: str) -> str:
    return liberty_functions.to_text(parse(text, "x.lib", skip=liberty_functions.SKIP))


def with_statement(text: str) -> str:
    """TEXT with one more statement in the library group."""
    return changed("  cell (INV)", f"  {text}\n  cell (INV)")


STYLES = {
    "brace of the library on the next line": changed("library (small) {", "library(small)\n{"),
    "brace of a cell on the next line": changed("cell (INV) {", 'cell ("INV")\n\n{'),
    "pins one by one": re.sub(r"pin \(A, B\) (\{[^}]*\})", r"pin (A) \1 pin (B) \1", TEXT),
    "unquoted function": changed('function : "(A B)\'"', "function : !(A & B) "),
    "unquoted function in parentheses": changed('function : "(A B)\'"', "function : (!(A*B))"),
    "unquoted function with a prime": changed('function : "(A B)\'"', "function : (A B)'"),
    "function in parentheses": changed('function : "IQ"', 'function : "(IQN)\'"'),
    "clock in parentheses": changed('clocked_on : "CK"', "clocked_on : (CK)"),
    "voltage_map": with_statement("voltage_map(vdd!, 1.55);"),
    "voltage_map with an expression": with_statement('voltage_map ("VDD", VDD + 0.5); vih : 0.7 * VDD + 0.1;'),
    "user_parameters": with_statement("user_parameters (a:b) {}"),
    "operating_conditions": with_statement("operating_conditions (typ:1) { process : 1; }"),
    "operating_conditions without a body": with_statement("operating_conditions (typ:1);"),
    "type": with_statement("type ($v) {}"),
    "define": with_statement('define (mine, cell, string)\n define_group("g", library); define("a" "b" "c");'),
    "%s[%d]": with_statement("bus_naming_style : %s[%d] ; date : Fri Nov 27 12:11:00 2020; k (1%);"),
    "load unit in fF": changed("capacitive_load_unit (1, pf)", "capacitive_load_unit (1000.0, FF)"),
    "load unit over two lines": changed("capacitive_load_unit (1, pf);", "capacitive_load_unit\\\n  (1,\n pf) ;"),
    "load unit in quotes": changed("(1, pf)", '("1.0000000000", "pf")'),
    "time unit with a blank": changed('time_unit : "1ns"', 'time_unit : "1 ns"'),
    "time unit of 1000 ps": changed('time_unit : "1ns"', "time_unit : 1000 ps"),
    "time unit at the end": changed('time_unit : "1ns";', "")[:-2] + 'time_unit : "1ns"; }\n',
    "power unit": changed('"1uW"', "1000nW"),
    "no semicolon": changed("area : 3.0;", "area : 3.0\n"),
    "semicolon after a brace": TEXT.replace("}\n", "};\n"),
    "names in quotes": changed("area : 3.0;", '"area" : "3.0";').replace("cell (BUF)", '"cell" ("BUF")'),
    "E notation": changed("area : 3.0", "area : 0.30E+01"),
    "CRLF": TEXT.replace("\n", "\r\n"),
    "CR": TEXT.replace("\n", "\r"),
    "byte order mark": "\ufeff" + TEXT,
    "Latin-1": changed("round figures", "größe").encode("latin-1").decode("utf-8", errors="replace"),
    "comments": changed("area : 3.0;", '// } "\n /* // " { */ area /* : 4 */ : 3.0; // x /* y\n'),
    "timing with a name": TEXT.replace("timing () {", 'timing ("a_b") {', 1).replace("timing () {", "timing (a, b) {"),
    "related pins with a comma": changed('related_pin : "A B"', 'related_pin : "A,B"'),
    "values in one row": re.sub(r'"0.010, 0.020", \\\s+"0.030', r'"0.010, 0.020, \\\n 0.030', TEXT),
    "values each in quotes": changed('"0.011, 0.031"', '"0.011", "0.031"'),
    "values without quotes": changed('("0.011, 0.031")', "(0.011,0.031)"),
    "a comma at the end": changed('("0.011, 0.031")', '("0.011, 0.031,",)'),
    "a cell twice": TEXT[:-2] + BUFFER.replace("area : 3.0;", "area  :  3 ;") + "}\n",
}


@pytest.mark.parametrize("style", STYLES)
def test_a_legal_style_changes_nothing(style):
    assert for_mapping(STYLES[style]) == for_mapping(TEXT)


@pytest.mark.parametrize("style", [style for style in STYLES if style not in ("function in parentheses",)])
def test_a_legal_style_changes_no_proof(style):
    assert for_proofs(STYLES[style]) == for_proofs(TEXT)


# What each number of the small library is measured in: as a power of ten of its unit's size.
_TIMES = {"1ns": 0, "1 ps": 3, "10ps": 2, "100 PS": 1, "1000ps": 0, '"1 ns"': 0, "0.001 ns": 3}
_LOADS = {"1, pf": 0, '"1","ff"': 3, "0.001,pf": 3, "1000 ,\n fF": 0, "1.0000000000, PF": 0, "10.0,ff": 2}
_WATTS = {"1uW": 0, "1 nW": 3, "10nw": 2, "0.001mW": 0}
_CAPS = ("capacitance", "rise_capacitance", "fall_capacitance", "max_capacitance")


class Restyle:
    """A library's tree as text in a style drawn at random, units with scaled numbers included."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.time, self.load, self.watt = (rng.choice(sorted(units)) for units in (_TIMES, _LOADS, _WATTS))
        self.exponents = {"time": _TIMES[self.time], "load": _LOADS[self.load], "watt": _WATTS[self.watt], "": 0}
        self.line_end = rng.choice(("\n", "\n", "\r\n"))

    def text(self, tree: LibertyGroup) -> str:
        self.templates = {
            word: item.attributes for item in tree.groups for word in item.words() if item.name == "lu_table_template"
        }
        text = self.group(tree, "")
        return self.rng.choice(("", "\ufeff", '\n\n /* a " { */')) + text.replace("\n", self.line_end) + self.gap()

    def gap(self, least: str = "") -> str:
        return self.rng.choice((least, least, " ", "\t", "\n", " \\\n ", "  \\ \n", ' /* } " */ ', '\n// { " x\n'))

    def number(self, word: str, kind: str) -> str:
        value = Decimal(word).scaleb(self.exponents[kind])
        return self.rng.choice(
            (
                f"{value:f}",
                f"{value:.12e}",
                f"{value:.3E}",
                f"{value:f}0000" if "." in f"{value:f}" else f"{value:f}.000",
            )
        )

    def list(self, text: str, kind: str) -> str:
        """The rows of a table or the points of an axis."""
        rows = [
            [self.number(word, kind) for word in row.replace(",", " ").split()]
            for row in text.split('"')
            if row.replace(",", " ").split()
        ]
        match self.rng.choice(("rows", "one row", "bare")):
            case "one row":
                rows = [[word for row in rows for word in row]]
            case "bare":
                return self.rng.choice((" ", ",", " , ")).join(word for row in rows for word in row)
        sign = self.rng.choice((", ", " ", ",", ", \\\n"))
        return self.gap() + f",{self.gap()}".join(f'"{sign.join(row)}"' for row in rows) + self.gap()

    def function(self, text: str) -> str:
        if text.isidentifier():
            text = self.rng.choice((text, f"({text})", f"!!{text}", f"({text}')'"))
        else:
            text = self.rng.choice(
                {
                    "!A": ("!A", "A'", "(!A)", "! ( A )"),
                    "(A B)'": ("(A B)'", "!(A & B)", "!(A*B)", "((A B))'", "!!!(A  B)", "((A)&(B))'"),
                }[text]
            )
        bare = self.rng.random() < 0.5 and '"' not in text
        return text if bare else f'"{text}"'

    def attribute(self, group: LibertyGroup, name: str, value: str) -> str:
        head = self.rng.choice((name, name, f'"{name}"'))
        if name in ("values", "index_1", "index_2"):
            return f"{head}{self.gap()}({self.list(value, self.kind(group, name))}){self.gap()};"
        if name == "capacitive_load_unit":
            return f"{head}{self.gap()}({self.load}){self.rng.choice((';', self.line_end))}"
        if name in ("function", "clocked_on", "next_state"):
            text = self.function(value)
        elif name in ("time_unit", "leakage_power_unit"):
            unit = self.time if name == "time_unit" else self.watt
            text = unit if '"' in unit or self.rng.random() < 0.3 else f'"{unit}"'
        elif re.fullmatch(r"[\d.]+", value):
            kind = "load" if name in _CAPS else "watt" if name in ("cell_leakage_power", "value") else ""
            number = self.number(value, kind)
            text = number if self.rng.random() < 0.7 else f'"{number}"'
        else:
            text = value if value.isidentifier() and self.rng.random() < 0.5 else f'"{value}"'
        return f"{head}{self.gap()}:{self.gap(' ')}{text}{self.rng.choice((';', ' ;', self.line_end))}"

    def kind(self, group: LibertyGroup, name: str) -> str:
        if name == "values":
            return "load" if group.name.endswith("_power") else "time"
        variable = self.templates[group.words()[0]][name.replace("index", "variable")]
        return "load" if variable == "total_output_net_capacitance" else "time"

    def group(self, group: LibertyGroup, indent: str) -> str:
        bare = [self.attribute(group, name, text) for name in group.attributes for text in group.every(name)]
        if group.name == "library":
            bare += [
                'comment : "a } b // c";',
                "voltage_map(vdd!, 1.55);",
                "user_parameters (a:b) {}",
                "type ($v) {}",
                "operating_conditions (typ:1)",
                "define(x, cell, string);",
            ]
        self.rng.shuffle(bare)
        words = group.words()
        sets = [[word] for word in words] if group.name == "pin" and self.rng.random() < 0.5 else [words]
        inner = [self.group(item, indent + " ") for item in group.groups]
        mixed = bare + inner if self.rng.random() < 0.5 or group.name == "library" else inner + bare
        return "\n".join(
            f"{indent}{group.name}{self.gap()}({', '.join(self.name(word) for word in some)}){self.gap()}{{"
            f"{self.gap()}" + self.rng.choice(("\n", " \n")).join(mixed) + f"\n{indent}}}{self.rng.choice(('', ';'))}"
            for some in sets
        )

    def name(self, word: str) -> str:
        return self.rng.choice((word, f'"{word}"', f" {word} "))


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**9))
def test_any_mixture_of_styles_and_units_gives_the_same_bytes(seed):
    text = Restyle(random.Random(seed)).text(parse(TEXT, "small"))
    assert for_mapping(text) == SMALL
    assert for_proofs(text) == PROOFS


SMALL, PROOFS = for_mapping(TEXT), for_proofs(TEXT)


def test_it_is_in_one_set_of_units_and_written_once():
    text = for_mapping(TEXT)
    assert text.startswith(
        'library ("small") {\n  delay_model : "table_lookup";\n  time_unit : "1ps";\n  capacitive_load_unit (1, ff);\n'
    )
    assert re.search(r'cell \("INV"\) \{\n    area : 2.0;\n    cell_leakage_power : 500;', text)
    assert "rise_capacitance : 2.5;\n      fall_capacitance : 2;" in text and 'function : "!(A & B)"' in text
    assert for_mapping(text) == text


def test_limits_of_transition_are_kept():
    text = changed("  cell (INV)", "  default_max_transition : 0.4;\n  cell (INV)").replace(
        'function : "!A";', 'function : "!A"; max_transition : 0.25; max_capacitance : 0.01;', 1
    )
    found = for_mapping(text)
    assert "  default_max_transition : 400;" in found
    assert "      max_capacitance : 10;\n      max_transition : 250;" in found


def test_a_range_of_capacitance_is_for_timing_alone():
    library = liberty.from_text(
        changed("rise_capacitance : 0.0025;", "rise_capacitance : 0.0025; rise_capacitance_range (0.001, 0.004);")
    )
    assert library.cells["INV"].pins["A"].rise_cap == pytest.approx(4)
    assert "rise_capacitance : 2.5;" in liberty_write.to_text(library)


def test_cells_that_are_equal_count_once_and_are_noted(tmp_path, fresh_cache):
    library = liberty.from_text(STYLES["a cell twice"])
    assert library.notes == ("the library has the cell BUF more than once, with the same content; it counts once",)
    assert [cell.name for cell in library.buffers()] == ["BUF"]
    path = tmp_path / "twice.lib"
    path.write_text(STYLES["a cell twice"])
    (point,) = flow.measure(MODULE, "d", technology=technology.from_liberty(path), engine="auto")
    assert point.failure is None and point.assumptions["note"] == library.notes[0]
    for old, new in (
        ("area : 3.0", "area : 3.1"),
        ("0.010, 0.020", "0.010, 0.021"),
        ("0.002", "0.0021"),
        ('"A"', '"!!A"'),
        ("positive_unate", "non_unate"),
    ):
        with pytest.raises(UsageError, match="cell BUF: got two of that name that differ; expected one"):
            liberty.from_text(TEXT[:-2] + BUFFER.replace(old, new, 1) + "}\n")


@pytest.mark.parametrize(
    ("old", "new", "odd"),
    [
        ("cell (NAND)", 'cell ("NA ND")', "NA ND"),
        ("cell (NAND)", "cell (NA#ND)", "NA#ND"),
        ("pin (D)", 'pin ("D;")', "D;"),
    ],
)
def test_a_name_that_abc_dies_of_is_left_alone_and_noted(old, new, odd):
    library = liberty.from_text(changed(old, new))
    (note,) = library.notes
    assert note.endswith(f"because of the name {odd!r}") and odd not in liberty_write.to_text(library)


@pytest.mark.parametrize("direction", ["inout", "internal", "", "sideways"])
@pytest.mark.parametrize(("cell", "pin"), [("NAND", "A, B"), ("DFF", "CK"), ("DFF", "D"), ("DFF", "Q")])
def test_a_cell_without_its_inputs_and_output_is_not_mapped_to(cell, pin, direction):
    start = TEXT.index(f"cell ({cell})")
    place = TEXT.index("direction :", TEXT.index(f"pin ({pin})", start))
    text = TEXT[:place] + re.sub(r"(?<=direction : )\w+", f'"{direction}"', TEXT[place:], count=1)
    library = liberty.from_text(text)
    assert cell in library.cells
    assert cell not in [found.name for found in liberty_write.mapped_to(library)]


@pytest.mark.parametrize("engine", ["yowasp", "native"])
def test_figures_do_not_depend_on_the_style(tmp_path, fresh_cache, engine):
    """Units that ABC reads as others, functions that Yosys cannot read, and the rest of a mixture."""
    if engine == "native" and yosys._find("native") is None:
        pytest.skip("no native Yosys")
    rng = random.Random(5)
    other = Restyle(rng)
    other.time, other.load = "1 ps", "10.0,ff"
    other.exponents |= {"time": 3, "load": 2}
    texts = {"plain": TEXT, "other": other.text(parse(TEXT, "small"))}
    figures = []
    for name, text in texts.items():
        path = tmp_path / f"{name}.lib"
        path.write_text(text, newline="")
        (point,) = flow.measure(MODULE, "d", technology=technology.from_liberty(path), engine=engine)
        assert point.failure is None, point.failure
        figures.append((point.area_um2, point.delay_ps, point.netlist_hash))
        assert (
            prove_equal(MODULE, flow.netlist_text(point.netlist_hash), "d", liberty=path, engine=engine).status
            == "proven"
        )
    assert figures[0] == (pytest.approx(figures[1][0]), pytest.approx(figures[1][1]), figures[1][2])


def test_a_built_in_technology_given_as_a_file_gives_the_same_figures(fresh_cache):
    built_in = technology.load("fpgen45")
    same = technology.from_liberty(
        built_in.liberty, driving_cell=built_in.driving_cell, output_load_ff=built_in.output_load_ff
    )
    assert same.liberty != built_in.liberty
    one, other = (flow.measure(MODULE, "d", technology=tech, engine="auto")[0] for tech in (built_in, same))
    assert (one.netlist_hash, one.area_um2, one.delay_ps) == (other.netlist_hash, other.area_um2, other.delay_ps)


def test_latches_and_what_yosys_cannot_read_in_proofs(tmp_path, fresh_cache):
    """Latches are there; a bus, or a function of states that Yosys does not know, stops nothing but its own cell."""
    text = (
        TEXT[:-2]
        + """
      type ($v) { } type (two) { base_type : array; data_type : bit; bit_from : 1; bit_to : 0; }
      cell (LAT) { area : 1; latch (IQ, IQN) { enable : (G); data_in : (D); }
        pin (D, G) { direction : input; } pin (Q) { direction : output; function : IQ; } }
      cell (PAIR) { area : 1; bus (A) { bus_type : two; direction : input; }
        pin (Y) { direction : output; function : A[0]&A[1]; } }
      cell (BANK) { area : 1; ff_bank (IQ, IQN, 2) { clocked_on : CK; next_state : D; }
        pin (CK, D) { direction : input; } pin (Q) { direction : output; function : IQ; } }
      cell (MIX) { area : 1; ff (Q1, QN1) { clocked_on : CK; next_state : "Q2"; } latch (Q2, QN2) { enable : CK;
        data_in : "Q1"; } pin (CK) { direction : input; } pin (Q) { direction : output; function : "Q1"; } }
    }
    """
    )
    path = tmp_path / "more.lib"
    path.write_text(text)
    gold = "module t(input a, b, output y, z); assign y = a & b; assign z = ~a; endmodule"
    gate = (
        "module t(input a, b, output y, z); wire n; NAND u (.A(a), .B(b), .Y(n)); INV w (.A(n), .Y(y)); "
        "INV v (.A(a), .Y(z)); endmodule"
    )
    assert prove_equal(gold, gate, "t", liberty=path, engine="auto").status == "proven"
    with pytest.raises(RunFailure, match="PAIR"):
        prove_equal(gold, gate.replace("NAND u (.A(a), .B(b)", "PAIR u (.A({a, b})"), "t", liberty=path, engine="auto")
    found = liberty.functions_file(path).read_text()
    assert 'latch ("IQ", "IQN") { enable : "G"; data_in : "D"; }' in found
    assert '    pin ("Q") { direction : "output"; }' in found


@needs_liberty
@needs_timing
def test_a_full_library_stays_what_it_is():
    library = liberty.load(LIBERTY / "nangate45_typ.lib.gz")
    text = liberty_write.to_text(library)
    again = liberty.from_text(text)
    assert liberty_write.to_text(again) == text
    assert list(again.cells) == [cell.name for cell in liberty_write.mapped_to(library)]
    flat = netlist.read_file(TIMING / "mul11.n45.v", "mul11")
    assert sta.analyse(flat, again, driving_cell="BUF_X1").delay_ps == pytest.approx(
        sta.analyse(flat, library, driving_cell="BUF_X1").delay_ps, rel=1e-5
    )
    for name, cell in again.cells.items():
        for arc, same in zip(cell.arcs, library.cells[name].arcs, strict=True):
            if arc.rise_delay is not None:
                np.testing.assert_allclose(arc.rise_delay.values, same.rise_delay.values, rtol=1e-8)
