"""Static timing: figures worked out by hand, and OpenSTA's reports where they are at hand."""

import json

import pytest
from portions import some
from ppa_helpers import LIBERTY, SMALL_LIBERTY, TIMING, fresh_cache, needs_timing

from fpgen.base.errors import RunFailure, UsageError
from fpgen.library import liberty
from fpgen.library.wireload import WireLoad
from fpgen.timing import netlist, sta

__all__ = ["fresh_cache"]


@pytest.fixture(scope="module")
def library():
    return liberty.from_text(SMALL_LIBERTY)


def time(text, library, **options):
    return sta.analyse(netlist.from_text(text), library, **options)


def test_two_inverters_by_hand(library):
    text = """module m(a, y); input a; output y; wire n;
      INV u1 (.A(a), .Y(n)); INV u2 (.A(n), .Y(y)); endmodule"""
    report = time(text, library, output_load_ff=3.0)
    # a falls, n rises into 2.5 fF from slew 0: 10 + 20 * 0.75 = 25, slew 50; y falls into 3 fF: 31.  56 in all.
    # a rises, n falls into 2.0 fF: 11 + 10 = 21, slew 60; y rises into 3 fF at slew 60: 30 + 6 = 36.  57 in all.
    assert report.delay_ps == pytest.approx(57.0)
    assert (report.startpoint, report.endpoint, report.logic_depth) == ("a", "y", 2)
    assert [step.edge for step in report.path] == ["rise", "fall", "rise"]
    assert [step.net for step in report.path] == ["a", "n", "y"]
    assert [step.delay_ps for step in report.path] == pytest.approx([0, 21, 36])
    assert report.path[1].load_ff == pytest.approx(2.0) and report.path[2].slew_ps == pytest.approx(50)
    assert json.loads(json.dumps(report.to_dict()))["delay_ps"] == report.delay_ps


def test_driving_cell_counts_beyond_its_unloaded_delay(library):
    text = "module m(a, y); input a; output y; INV u (.A(a), .Y(y)); endmodule"
    ideal = time(text, library, output_load_ff=1.0)
    driven = time(text, library, output_load_ff=1.0, driving_cell="INV")
    # a rises into 2.5 fF: 10 * 2.5 beyond unloaded; slew 50; y falls into 1 fF: 11.
    assert ideal.delay_ps == pytest.approx(11) and driven.delay_ps == pytest.approx(25 + 11)


def test_register_to_register(library):
    text = """module m(clk, a, q); input clk, a; output q; wire d, r;
      DFF first (.CK(clk), .D(a), .Q(r)); INV u (.A(r), .Y(d)); DFF second (.CK(clk), .D(d), .Q(q)); endmodule"""
    report = time(text, library, output_load_ff=1.0)
    # first/Q falls into 2 fF: 100; d rises into 1 fF at slew 40: 10 + 4 = 14; setup at slew 50: 40.  154.
    # first/Q rises into 2.5 fF: 115; d falls into 1 fF: 11; setup at slew 60: 42.  168.
    assert report.delay_ps == pytest.approx(168)
    assert (report.startpoint, report.endpoint) == ("first", "second")
    assert report.path[-1].cell == "setup" and report.path[-1].delay_ps == pytest.approx(42)
    assert report.logic_depth == 1


def test_constants_stop_arcs(library):
    text = """module m(a, b, y); input a, b; output y; wire n;
      INV u1 (.A(a), .Y(n)); NAND u2 (.A(n), .B(1'b0), .Y(y)); endmodule"""
    assert time(text, library).delay_ps == 0.0
    alive = time(text.replace("1'b0", "1'b1"), library)
    assert alive.startpoint == "a" and alive.logic_depth == 2


def test_no_path(library):
    report = time("module m(a, y); input a; output y; assign y = 1'b0; endmodule", library)
    assert report.delay_ps == 0.0 and report.path == ()


def test_wire_load_by_hand(library):
    text = """module m(a, y, z); input a; output y, z; wire n;
      INV u1 (.A(a), .Y(n)); INV u2 (.A(n), .Y(y)); INV u3 (.A(n), .Y(z)); endmodule"""
    # 0.5 fF per fanout. a rises, n falls into 2 * 2.0 + 2 * 0.5 = 5 fF: 11 + 10 * 4 = 51, slew 60;
    # y rises into 1 + 0.5 fF from slew 60: 10 + 20 * 0.25 = 15, and 10 * 0.6 more for the slew.  72 in all.
    # a falls, n rises into 2 * 2.5 + 1 = 6 fF: 10 + 20 * 2.5 = 60; y falls into 1.5 fF: 11 + 5 = 16.  76.
    report = time(text, library, output_load_ff=1.0, wire_load=0.5)
    assert report.delay_ps == pytest.approx(76) and report.path[1].load_ff == pytest.approx(6)
    assert report.assumptions["wire_load"] == "0.5 fF per fanout"
    assert time(text, library, output_load_ff=1.0).assumptions["wire_load"] == "none"


def test_wire_resistance_by_hand(library):
    text = "module m(a, y); input a; output y; wire n; INV u1 (.A(a), .Y(n)); INV u2 (.A(n), .Y(y)); endmodule"
    plain = time(text, library, output_load_ff=3.0)
    model = WireLoad("resistive", ((1.0, 2.0),), 2.0, 0.0, 1.5)
    report = time(text, library, output_load_ff=3.0, wire_load=model)
    # 3 kOhm on each net, no capacitance: into the 2.5 fF that a rises into 7.5 ps, the 2.0 fF that n falls into 6 ps,
    # the port 9 ps; the rest as in test_two_inverters_by_hand.
    assert report.delay_ps == pytest.approx(plain.delay_ps + 7.5 + 6 + 9)
    assert (report.path[-1].cell, report.path[-1].delay_ps) == ("wire", pytest.approx(9))
    assert [step.arrival_ps for step in report.path][-1] == report.delay_ps and report.logic_depth == 2


@pytest.mark.parametrize("given", ["thick", "-1", "1e9", "", -3.0, float("nan")])
def test_no_such_wire_load(library, given):
    with pytest.raises(UsageError, match="expected 0 or more fF for each pin that a net drives"):
        time("module m(a, y); input a; output y; INV u (.A(a), .Y(y)); endmodule", library, wire_load=given)


@needs_timing
def test_wire_load_of_a_library():
    case = next(item for item in _cases() if item["netlist"] == "fp16add.n45.v")
    options = {"top": case["top"], "driving_cell": case["driving_cell"], "output_load_ff": case["output_load_fF"]}
    plain, loaded, named = (
        sta.run(TIMING / case["netlist"], LIBERTY / case["liberty"], wire_load=wire, **options)
        for wire in (None, "1.5 fF", "1K_hvratio_1_1")
    )
    assert plain.delay_ps < named.delay_ps < 1.5 * plain.delay_ps and plain.delay_ps < loaded.delay_ps
    assert named.assumptions["wire_load"] == "1K_hvratio_1_1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("module m(y); output y; wire n; INV u (.A(y), .Y(n)); INV v (.A(n), .Y(y)); endmodule", "loop"),
        ("module m(a, y); input a; output y; XOR9 u (.A(a), .Y(y)); endmodule", "has no cell 'XOR9'"),
        ("module m(a, y); input a; output y; INV u (.I(a), .Y(y)); endmodule", "got pin I of the cell INV"),
        ("module m(a, y); input a; output y; assign y = ~a; endmodule", "not structural Verilog"),
        ("module m(a, y); input a; output y;", "cut short"),
        ("hello", "not structural Verilog"),
        ("", "has no module"),
    ],
)
def test_bad_netlists(library, text, said):
    with pytest.raises(RunFailure, match=said):
        time(text, library)


def test_refusals(library):
    text = "module m(a, y); input a; output y; INV u (.A(a), .Y(y)); endmodule"
    with pytest.raises(UsageError, match="driving cell: got 'BUF'; expected a cell of the library"):
        time(text, library, driving_cell="BUF")
    with pytest.raises(UsageError, match="output load: got -1"):
        time(text, library, output_load_ff=-1)


def test_unknown_top(library):
    with pytest.raises(UsageError, match="top module: got 'x'; expected one of m"):
        netlist.from_text("module m(a); input a; endmodule", "x")


def _cases():
    return json.loads((TIMING / "index.json").read_text()) if TIMING.is_dir() else []


@needs_timing
@pytest.mark.parametrize("case", some(_cases(), 2), ids=lambda case: case["netlist"])
def test_agrees_with_opensta(case):
    report = sta.run(
        TIMING / case["netlist"],
        LIBERTY / case["liberty"],
        top=case["top"],
        driving_cell=case["driving_cell"],
        output_load_ff=case["output_load_fF"],
    )
    assert report.delay_ps == pytest.approx(case["critical_delay_ps"], rel=1e-4)
    assert (report.startpoint, report.endpoint) == (case["startpoint"], case["endpoint"])


@needs_timing
def test_path_agrees_with_opensta_step_by_step():
    case = next(item for item in _cases() if item["netlist"] == "fp32mul.s130.v")
    report = sta.run(
        TIMING / case["netlist"],
        LIBERTY / case["liberty"],
        driving_cell=case["driving_cell"],
        output_load_ff=case["output_load_fF"],
    )
    rows = [line.split() for line in (TIMING / case["report"]).read_text().splitlines()]
    steps = [row for row in rows if len(row) == 8 and row[5] in "^v" and "/" in row[6]]
    assert [f"{step.instance}/{step.pin}" for step in report.path[1:]] == [row[6] for row in steps]
    for step, row in zip(report.path[1:], steps, strict=True):
        assert (step.fanout, step.edge) == (int(row[0]), "rise" if row[5] == "^" else "fall")
        assert (step.load_ff, step.slew_ps, step.arrival_ps) == pytest.approx(
            (float(row[1]), float(row[2]), float(row[4])), rel=1e-4, abs=0.02
        )
