"""What is rejected in a netlist, with what and where; and what is noted."""

import gzip
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from ppa_helpers import LIBERTY, TIMING, fresh_cache, needs_timing

from fpgen.base.errors import RunFailure, UsageError
from fpgen.command.cli import main
from fpgen.library import liberty
from fpgen.timing import netlist, sta

__all__ = ["fresh_cache"]

TINY = Path(__file__).with_name("tiny.lib")


@pytest.fixture(scope="module")
def tiny():
    return liberty.from_text(TINY.read_text())


def read(text, library, **options):
    return netlist.from_text(text, "m", "n.v", library, **options)


def inside(body):
    return f"module m(a, y);\ninput [1:0] a; output y;\n{body}\nendmodule\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("always @(posedge a) y <= a;", "n.v:3: module m: not structural Verilog: got 'always', behaviour"),
        ("generate if (1) BUF g (.A(a[0]), .Y(y)); endgenerate", "got 'generate', behaviour"),
        ("and g (y, a[0], a[1]);", "got 'and', a gate of Verilog's own, which no library times"),
        ("wand w;", "got a wand net; expected wire"),
        ("input wor w;", "got a wor net; expected wire"),
        ("tri1 w;", "got a tri1 net; expected wire"),
        (
            "assign y = ~a[0];",
            "not structural Verilog: got '~'; expected a net, a select, a concatenation or a constant",
        ),
        ("assign y = a[0] & a[1];", "not structural Verilog: got '&'"),
        ("assign y = a[0] ? 1'b0 : 1'b1;", "got '?'"),
        ("assign #1 y = a[0];", "an assign with a delay or strength"),
        ("assign 1'b0 = a[0];", "an assign to a constant"),
        ("\n\nassign y = a[2];", r"n.v:5: module m: a\[2\] is outside the net's declaration: got a net of \[1:0\]"),
        ("assign y = a[0:1];", r"got the order of the bits reversed; expected that of \[1:0\]"),
        ("assign y = y[0];", "outside the net's declaration: got y without a range"),
        ("assign y = q[0];", "got no declaration of q"),
        ("assign y = a[0][0];", "got a second select"),
        ("assign y = a[0 +: 0];", "got a width of 0"),
        ("assign y = u.w;", "a name inside an instance"),
        ("assign y = {2{a[0]};", "expected"),
        ("assign y = {0{a[0]}};", "a replication: got 0 times 1 bits"),
        ("assign y = {9999999{a}};", "a replication: got 9999999 times"),
        ("assign y = {'b0, a};", "got 'b0 without a width"),
        ("assign y = 2'b2;", "got the digit '2'; expected digits of its base"),
        ("assign y = 0'b1;", "got a width of 0"),
        ("wire [1:W] w;", "a constant expression: got 'W'; expected numbers, parameters of the module"),
        ("wire [1/0:0] w;", "got a division by 0"),
        ("wire [99999999:0] w;", "got 100000000 bits; expected at most 1048576"),
        ("wire [1:0] w [3:0];", "w: got an array of nets"),
        ("wire [1:0][3:0] w;", "an array of vectors"),
        ("wire #3 w;", "a declaration with a delay or strength"),
        ("wire [1:0] w; wire [2:0] w;", r"w: got the ranges \[1:0\] and \[2:0\]"),
        ("assign y = w; wire [1:0] w;", "w: got its declaration with a range after its use"),
        ("output [1:0] a;", "a: got input and output; expected one direction"),
        ("reg w = a[0];", "w: got nets as the value that a variable begins with"),
        ("BUF (.A(a[0]), .Y(y));", "expected the name of an instance of BUF"),
        ("BUF g (.A(a[0]), .A(a[1]), .Y(y));", "the port A: got two connections"),
        ("BUF g (.A(a[0]), .Y(y)); INV g (.A(a[0]), .Y());", "the instance g: got a second one of that name"),
        ("BUF g (.*);", "got .*; expected the ports by name"),
        ("BUF g (.A(a), .Y(y));", "n.v:3: instance g: got 2 bits at pin A of the cell BUF; expected one"),
        ("BUF g (.I(a[0]), .Y(y));", "n.v:3: instance g: got pin I of the cell BUF; expected one of A, Y"),
        ("BUF g (a[0], y, y);", "got 3 ports by position; expected at most 2, the pins A, Y of BUF"),
        (
            "BUF g[2:0] (.A(a), .Y(y));",
            "the array g: got 2 bits at the port A; expected 1 for all of them, or 3 in all",
        ),
        ("buf_ g (.A(a[0]), .Y(y));", "n.v:3: instance g: the library tiny .* has no cell 'buf_'; .*--black-box buf_"),
        ("Buf g (.A(a[0]), .Y(y));", "has no cell 'Buf'"),
        ("part p (.i(a[0]), .x(y));", "got port x of the module part; expected one of i, o"),
        ("part p (a[0], y, y);", "got 3 ports by position; expected at most 2, those of the module part"),
        ("sized #(.W(3)) p (.i(a[0]), .o(y));", "instance p: got parameters for the module sized"),
        ("defparam p.W = 3; sized p (.i(a[0]), .o(y));", "instance p: got parameters for the module sized"),
        ("box p (.i(a[0]), .o(y));", "the module box has no contents and no Liberty, so paths through o would vanish"),
        ("stub p (.i(a[0]), .o(y));", "n.v:3: instance p: the module stub has no contents and no Liberty"),
        ("assign y = 1'b0; assign y = 1'b1;", "the net y: got both constants, 0 and 1"),
        ('`include "x.v"', 'n.v:3: got `include "x.v"; expected a netlist that is all in one text'),
        ("`CELL g (.A(a[0]), .Y(y));", "the macro `CELL: got no definition"),
        ("`define C(x) BUF\n`C(1) g (.A(a[0]), .Y(y));", "the macro `C: got one with arguments"),
        ("`define C `C\n`C", "grows without end"),
        ("`ifdef X", "a condition is not closed"),
        ("`else", "got `else; expected `ifdef or `ifndef before it"),
        ("/* never closed", "a comment is not closed"),
        ('(* a = "never closed *) wire w;', "an attribute is not closed"),
        ('wire w = "text";', "not structural Verilog: got '\"text\"'"),
        ("endmodule : n", "endmodule : n; expected endmodule : m"),
        ("endmodule module m(a); input a;", "the module m: got a second one, the first is in line 1"),
    ],
)
def test_rejected_with_place(tiny, body, said):
    more = """module part(i, o); input i; output o; BUF g (.A(i), .Y(o)); endmodule
      module sized(i, o); parameter W = 2; input i; output o; BUF g (.A(i), .Y(o)); endmodule
      module box(i, o); input i; output o; endmodule
      (* blackbox *) module stub(i, o); input i; output o; BUF g (.A(i), .Y(o)); endmodule"""
    with pytest.raises(RunFailure, match=said) as caught:
        read(inside(body) + more, tiny)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", range(20, 120, 7))
def test_cut_short_anywhere(tiny, cut):
    text = "module m(a, y); input a; output [3:0] y; BUF g (.A(a), .Y(y[1])); assign y[0] = {a}; " + " " * 60
    with pytest.raises(RunFailure, match="cut short"):
        read(text[:cut], tiny)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        (
            inside("BUF #(3) g (.A(a[0]), .Y(y));"),
            [
                "parameters of instances are ignored: g",
            ],
        ),
        (
            inside("wire [1:0] w; assign w = a[0], y = a;"),
            ["assigns of more or fewer bits than the net has: cut, or filled with 0 (signed: the top bit): w, y"],
        ),
        (inside("wire [1:0] w; assign w = 'b1; BUF g (.A(a[0]), .Y(y));"), []),
        (inside("BUF g (a[0], y);"), ["cells connected by position: their pins are taken in the library's order: BUF"]),
        (
            inside("BUF g (.A(a[0]), .Y(y)); BUF h (.A(a[1]), .Y(y));"),
            ["nets of several drivers, each timed as if it were alone: y (g/Y, h/Y)"],
        ),
        (
            inside("AND2 g (.A(a[0]), .B(w), .Y(y)); BUF h (.A(a[1]), .Y());"),
            ["nets that nothing drives, and no path begins at: w"],
        ),
        (
            inside("BUF g (.A(1'b0), .Y(w)); assign w = 1'b1; INV h (.A(a[0]), .Y(y));"),
            ["nets of several drivers, each timed as if it were alone: 1'b1 (g/Y)"],
        ),
        (
            inside("BUF g (.A(a[0]), .Y(y)); TAP t (); TAP u (.VDD(v));"),
            ["left out: cells TAP without Liberty and without signal pins: t, u"],
        ),
        (
            inside("part p (.i(a), .o(y));") + "module part(i, o); input i; output o; BUF g (.A(i), .Y(o)); endmodule",
            ["ports with more or fewer bits than are connected: the lowest are joined: p.i (2 bits at 1)"],
        ),
        (
            inside("BUF g (.A(a[0]), .Y(y));") + "(* blackbox *) module BUF(A, Y); input A; output Y; endmodule",
            ["modules that are library cells too: the library's timing is used: BUF"],
        ),
        (
            inside("LATCH g (.EN(a[0]), .D(a[1]), .Q(y));"),
            ["latches (or flip-flops of several bits) are timed as their arcs say, without borrowing: g"],
        ),
        (
            "`unconnected_drive pull1\n" + inside("BUF g (.A(a[0]), .Y(y));"),
            ["`unconnected_drive is ignored: unconnected inputs have no value"],
        ),
        (
            inside("BUF g (.A(a[0]), .Y(y), .VDD(VDD)); inout VDD;").replace("(a, y)", "(a, y, VDD)"),
            ["ports that are a supply or tied to a constant are not inputs: VDD"],
        ),
        (inside("EBUF g (.A(a[0]), .E(a[1]), .Y(y)); EBUF h (.A(a[1]), .E(a[0]), .Y(y));"), []),
    ],
)
def test_notes(tiny, text, notes):
    found = [
        note
        for note in sta.analyse(read(text, tiny), tiny).notes
        if not note.startswith("nets that nothing") or note in notes
    ]
    assert found == notes


def test_wells_say_nothing_of_levels(tiny):
    """Libraries are about that call the well of a ground net an nwell: the net stays the ground."""
    text = TINY.read_text().replace(
        "pg_pin (VSS) { pg_type : primary_ground; }",
        "pg_pin (VSS) { pg_type : primary_ground; } pg_pin (VNB) { pg_type : nwell; }",
    )
    library = liberty.from_text(text)
    flat = read(
        """module m(a, y, z, VSS); input a; output y, z; inout VSS; wire w; AND2 g (.A(a), .B(VSS), .Y(w));
      BUF h (.A(w), .Y(y), .VSS(VSS), .VNB(VSS)); INV i (.A(a), .Y(z)); endmodule""",
        library,
    )
    assert sta.analyse(flat, library).delay_ps == pytest.approx(10)
    assert flat.notes == ("ports that are a supply or tied to a constant are not inputs: VSS",)


def test_power_pins_that_the_library_does_not_state(tiny):
    library = liberty.from_text(re.sub(r"pg_pin \(\w+\) \{[^}]*\}", "", TINY.read_text()))
    text = "module m(a, y, VDD); input a; output y; inout VDD; BUF g (.A(a), .Y(y), .VDD(VDD)); endmodule"
    report = sta.analyse(read(text, library), library)
    assert report.delay_ps == pytest.approx(30)
    assert report.notes[0] == "power pins, by their names, of a library that states none are left out: VDD"
    with pytest.raises(RunFailure, match="instance g: got pin VPP of the cell BUF"):
        read(text.replace(".VDD", ".VPP"), library)
    with pytest.raises(RunFailure, match="instance g: got pin VCC of the cell BUF"):
        read(text.replace(".VDD", ".VCC"), tiny)  # that one says which it has


def test_packed_files(tiny, tmp_path):
    (tmp_path / "m.v.gz").write_bytes(gzip.compress(inside("BUF g (.A(a[0]), .Y(y));").encode()))
    assert sta.analyse(netlist.read_file(tmp_path / "m.v.gz", library=tiny), tiny).delay_ps == pytest.approx(30)
    (tmp_path / "cut.v.gz").write_bytes((tmp_path / "m.v.gz").read_bytes()[:40])
    with pytest.raises(RunFailure, match=r"cannot read the netlist .*cut.v.gz: Compressed file ended"):
        netlist.read_file(tmp_path / "cut.v.gz")


def test_names_that_look_alike(tiny):
    flat = read(
        r"""module m(a, \a[0] , y, \y[0] ); input [1:0] a; input \a[0] ; output [0:0] y; output \y[0] ;
      INV g (.A(\a[0] ), .Y(y[0])); BUF h (.A(a[0]), .Y(\y[0] )); endmodule""",
        tiny,
    )
    assert list(flat.inputs) == ["a[0]", "a[1]", "\\a[0]"] and list(flat.outputs) == ["y[0]", "\\y[0]"]
    report = sta.analyse(flat, tiny)
    assert (report.startpoint, report.endpoint, report.delay_ps) == ("a[0]", "\\y[0]", pytest.approx(30))


def test_ports_keep_their_outer_names(tiny):
    flat = read("module m(.p({a, b}), {c}, .q(y)); input a, b, c; output y; INV g (.A(a), .Y(y)); endmodule", tiny)
    assert list(flat.inputs) == ["p[0]", "p[1]", "c"] and list(flat.outputs) == ["q"]
    assert sta.analyse(flat, tiny).startpoint == "p[1]"


def test_top_is_the_module_that_no_other_contains(tiny):
    text = """module part(i, o); input i; output o; BUF g (.A(i), .Y(o)); endmodule
      module m(a, y); input a; output y; part p (.i(a), .o(y)); endmodule
      (* blackbox *) module BUF(A, Y); input A; output Y; endmodule"""
    assert netlist.from_text(text, library=tiny).top == "m"
    with pytest.raises(UsageError, match="top module: got several modules; expected the name of one: m, n"):
        netlist.from_text(text + "\n" + text[: text.index("module m")].replace("part", "n"), library=tiny)


BOXED = (
    inside("SRAM u (.A(a[0]), .Q(w)); BUF g (.A(w), .Y(y)); INV h (.A(a[1]), .Y(z));")
    .replace("y;", "y, z;")
    .replace("(a, y)", "(a, y, z)")
)
BOX = "(* blackbox *) module SRAM(A, Q); input A; output Q; endmodule"


def command(tmp_path, text, *options):
    (tmp_path / "m.v").write_text(text)
    return CliRunner().invoke(main, ["sta", str(tmp_path / "m.v"), "--liberty", str(TINY), *options])


@pytest.mark.parametrize(
    ("text", "options", "delay", "note"),
    [
        (BOXED, ["--black-box", "SRAM"], 10, "left out: cells SRAM without Liberty, with the paths through them: u"),
        (BOXED, ["--black-box", "X", "--black-box", "SR*"], 10, "left out: cells SRAM without Liberty"),
        (BOXED, ["--ignore-missing"], 10, "left out: cells SRAM without Liberty"),
        (BOXED + BOX, ["--black-box", "SRAM"], 10, "left out: black boxes SRAM, with the paths through them: u"),
    ],
)
def test_black_boxes_on_request(fresh_cache, tmp_path, text, options, delay, note):
    done = command(tmp_path, text, "--top", "m", *options)
    assert done.exit_code == 0 and f"critical delay {delay:.1f} ps" in done.output and f"note: {note}" in done.output
    record = json.loads(command(tmp_path, text, "--top", "m", *options, "--json").output)
    assert record["delay_ps"] == delay and any(item.startswith(note) for item in record["notes"])


@pytest.mark.parametrize(
    ("text", "options"),
    [(BOXED, []), (BOXED + BOX, []), (BOXED + BOX, ["--ignore-missing"]), (BOXED, ["--black-box", "sram"])],
)
def test_black_boxes_are_not_silent(fresh_cache, tmp_path, text, options):
    done = command(tmp_path, text, "--top", "m", *options)
    assert done.exit_code == 1 and "instance u: the" in done.output and "--black-box SRAM" in done.output


def test_no_path_is_an_error(fresh_cache, tmp_path):
    text = "module m(a, y, z); input a; output y, z; assign y = 1'b0; INV g (.A(w), .Y(z)); endmodule"
    done = command(tmp_path, text)
    assert done.exit_code == 1 and "got no path" in done.output
    assert "of 2 output bits, 1 are constant and 0 are driven by nothing" in done.output
    done = command(tmp_path, "module m(p, y); inout p; output y; endmodule")
    assert done.exit_code == 1 and "1 are driven by nothing" in done.output
    allowed = command(tmp_path, inside("SRAM u (.A(a[0]), .Q(y));"), "--black-box", "SRAM")
    assert allowed.exit_code == 0 and "no path;" in allowed.output and "critical delay" not in allowed.output


@needs_timing
def test_power_pins_and_physical_cells_change_nothing():
    case = next(item for item in json.loads((TIMING / "index.json").read_text()) if item["netlist"] == "fp16addp.n45.v")
    text = (TIMING / case["netlist"]).read_text()
    library = liberty.load(LIBERTY / case["liberty"])
    cells = "  FILL_X9 fill[99:0] ();\n  TAP t (.VDD(VDD), .VSS(VSS));\n"
    powered = text.replace("\nendmodule", f"\n{cells}endmodule")
    powered = powered.replace(" (\n    .", " (\n    .VDD(VDD), .VSS(VSS),\n    .")
    powered = powered.replace("(b, clk, rst, y, a);", "(b, clk, rst, y, a, VDD, VSS);\n  inout VDD, VSS;")
    assert powered.count(".VDD(VDD)") > 500 and "FILL_X9" in powered
    options = {"driving_cell": case["driving_cell"], "output_load_ff": case["output_load_fF"]}
    plain, report = (
        sta.analyse(netlist.from_text(item, case["top"], library=library), library, **options)
        for item in (text, powered)
    )
    assert report.delay_ps == plain.delay_ps == pytest.approx(case["critical_delay_ps"], rel=1e-4)
    assert report.path == plain.path and not plain.notes and len(report.notes) == 3
