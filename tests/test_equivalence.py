"""Proofs of mapped netlists: equal, broken, with registers that mapping dropped or merged; and what a point says."""

import gzip
import json
import re

import pytest
from click.testing import CliRunner
from ppa_helpers import fresh_cache

import fpgen
from fpgen.base.errors import RunFailure, UsageError
from fpgen.command import show_points
from fpgen.command.cli import main
from fpgen.formal import netlist_proof as prove
from fpgen.formal.equivalence import prove_equal
from fpgen.library import technology
from fpgen.ppa import measure_unit
from fpgen.synthesis import flow

__all__ = ["fresh_cache"]

SMALL = "multiply e2m1 e2m1 -> e4m3fn rne"


def check(gold, gate, **options):
    return prove_equal(gold, gate, "m", liberty=technology.load("fpgen45").liberty, **options)


def flipflop(name, data, output):
    return f"dff_x1 \\{name} (.ck(clk), .d({data}), .q({output}));"


def test_a_point_is_proven_and_a_swapped_cell_is_found(fresh_cache):
    unit = fpgen.parse_unit("fma e2m1 e2m1 e2m1 -> e2m1 rne stages=2")
    point = measure_unit(unit)[0]
    assert point.proof["status"] == "proven" and point.proof["registers"] == point.registers > 0
    text = flow.netlist_text(point.netlist_hash)
    cells = re.findall(r"(nand2_x\d)( +)(_\d+_)", text)
    assert cells
    for kind, space, name in cells[:1] + cells[-1:]:
        broken = text.replace(f"{kind}{space}{name}", f"{kind.replace('nand', 'nor')}{space}{name}")
        found = prove_equal(unit.verilog(), broken, unit.name, liberty=technology.load("fpgen45").liberty)
        assert found.status == "failed" and " = " in found.detail


def test_a_broken_netlist_fails_the_command(fresh_cache, monkeypatch):
    point = measure_unit(fpgen.parse_unit(SMALL), prove=False)[0]
    path = fresh_cache / "netlists" / f"{point.netlist_hash}.v.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(re.sub(r"\bnand2_x", "nor2_x", text, count=1).encode()))
    done = CliRunner().invoke(main, ["ppa", SMALL])
    assert done.exit_code == 1 and "not equivalent to the Verilog" in done.output and "failed" in done.output


def test_registers_with_a_range_and_single_ones(fresh_cache):
    gold = """module m(input clk, a, b, output y); reg [7:6] r; reg s;
      always @(posedge clk) begin r <= {a & b, a}; s <= r[7]; end assign y = s ^ r[6]; endmodule"""
    gate = f"""module m(clk, a, b, y); input clk, a, b; output y; wire [7:6] r; wire s, n;
      and2_x1 g (.a(a), .b(b), .y(n)); {flipflop("r[7]_reg ", "n", "r[7]")} {flipflop("r[6]_reg ", "a", "r[6]")}
      {flipflop("s_reg ", "r[7]", "s")} xor2_x1 x (.a(s), .b(r[6]), .y(y)); endmodule"""
    found = check(gold, gate)
    assert (found.status, found.registers) == ("proven", 3)
    assert check(gold, gate.replace(".d(r[7])", ".d(r[6])")).status == "failed"


def test_a_constant_register_that_mapping_dropped(fresh_cache):
    gold = """module m(input clk, a, b, output y); reg r, s;
      always @(posedge clk) begin r <= a & b & (a ^ b); s <= a; end assign y = r | s; endmodule"""
    gate = f"""module m(clk, a, b, y); input clk, a, b; output y; wire r, s; assign r = 1'b0; assign y = s;
      {flipflop("s_reg ", "a", "s")} endmodule"""
    found = check(gold, gate)
    assert (found.status, found.registers) == ("proven", 2)
    # With a register that is not constant, the same netlist is wrong.
    assert check(gold.replace("a & b & (a ^ b)", "a & b"), gate).status == "failed"
    # Without even its name.
    bare = gate.replace("wire r, s; assign r = 1'b0;", "wire s;")
    assert check(gold, bare).status == "proven"
    assert check(gold.replace("a & b & (a ^ b)", "a & b"), bare).status == "inconclusive"
    # Where the netlist keeps a register whose data are constant, it is matched like any other.
    kept = gate.replace(
        "assign r = 1'b0; assign y = s;", flipflop("r_reg ", "1'b0", "r") + " or2_x1 g (.a(r), .b(s), .y(y));"
    )
    assert check(gold, kept).status == "proven"


def test_registers_that_one_side_has_merged(fresh_cache):
    gold = """module m(input clk, a, b, output y, z); reg r, s;
      always @(posedge clk) begin r <= ~(a & b); s <= ~a | ~b; end assign y = r; assign z = ~s; endmodule"""
    gate = f"""module m(clk, a, b, y, z); input clk, a, b; output y, z; wire r, s, n; assign s = r; assign y = r;
      nand2_x1 g (.a(a), .b(b), .y(n)); {flipflop("r_reg ", "n", "r")} inv_x1 i (.a(r), .y(z)); endmodule"""
    assert (check(gold, gate).status, check(gold.replace("~a | ~b", "~a"), gate).status) == ("proven", "failed")
    # The other way round: the netlist has two registers where the RTL has one under both names.
    gold = """module m(input clk, a, b, output y); reg r; wire s = r;
      always @(posedge clk) r <= a; assign y = r ^ (s & b); endmodule"""
    gate = f"""module m(clk, a, b, y); input clk, a, b; output y; wire r, s, n; {flipflop("r_reg ", "a", "r")}
      {flipflop("s_reg ", "a", "s")} and2_x1 f (.a(s), .b(b), .y(n)); xor2_x1 g (.a(r), .b(n), .y(y)); endmodule"""
    assert check(gold, gate).status == "proven"
    assert check(gold, gate.replace("s_reg  (.ck(clk), .d(a)", "s_reg  (.ck(clk), .d(b)")).status == "failed"


def test_a_register_kept_inverted(fresh_cache):
    gold = "module m(input clk, a, output y); reg r; always @(posedge clk) r <= a; assign y = r; endmodule"
    gate = f"""module m(clk, a, y); input clk, a; output y; wire r, n, q; inv_x1 i (.a(a), .y(n));
      {flipflop("k ", "n", "q")} inv_x1 j (.a(q), .y(r)); assign y = r; endmodule"""
    assert check(gold, gate).status == "proven"
    assert check(gold, gate.replace(".d(n)", ".d(a)")).status == "failed"


def test_a_register_too_many_is_no_proof(fresh_cache):
    gold = "module m(input clk, a, output y); reg r; always @(posedge clk) r <= a; assign y = r; endmodule"
    gate = f"""module m(clk, a, y); input clk, a; output y; wire r, t; {flipflop("t_reg ", "a", "t")}
      {flipflop("r_reg ", "t", "r")} assign y = r; endmodule"""
    found = check(gold, gate)
    assert found.status == "inconclusive" and "t[0]" in found.detail


def test_booth_recipes_are_proven_against_alike_rtl(fresh_cache):
    text = "module m(input [5:0] a, b, output [11:0] y); assign y = a * b; endmodule"
    tech = technology.load("fpgen45")
    points = flow.measure(text, "m", technology=tech, recipe="area", targets=[1.0])
    assert any("/booth/" in point.recipe for point in points)
    for point in points:
        assert prove.with_proof(text, point, tech).proof["status"] == "proven"


def test_what_the_record_says(fresh_cache, monkeypatch):
    unit = fpgen.parse_unit(SMALL)
    point = measure_unit(unit, prove=False)[0]
    assert point.proof == {"status": "not attempted", "seconds": 0.0, "registers": 0, "detail": "not asked for"}
    given = (unit.verilog(), point, "fpgen45")
    monkeypatch.setattr(prove, "MOST_CELLS", 3)
    large = prove.with_proof(*given).proof
    assert large["status"] == "not attempted"
    assert large["detail"] == f"{point.cells} cells; up to 3 are proven without --prove"
    late = prove.with_proof(*given, wanted=True, timeout=0.01).proof
    assert late["status"] == "timed out" and late["seconds"] == pytest.approx(0.01)
    assert "the proof was stopped at its limit of 0.01 s of processor time; --timeout" in late["detail"]
    proven = prove.with_proof(*given, wanted=True).proof
    assert proven["status"] == "proven" and proven["seconds"] > 0
    assert prove.with_proof(*given, wanted=True).proof == proven  # from the cache
    assert json.loads(json.dumps(prove.with_proof(*given).to_dict()))["proof"]["status"] == "not attempted"
    with pytest.raises(UsageError, match="timeout: got 0; expected a positive number"):
        prove.prove_point(*given, timeout=0)


def test_several_points_share_the_cells(fresh_cache, monkeypatch):
    """The time that was shared was that of the wall: on a busy machine the same points were not proven."""
    unit = fpgen.parse_unit(SMALL)
    points = measure_unit(unit, recipe="reference", prove=False)
    assert len(points) > 1
    given = (unit.verilog(), points, "fpgen45")
    proven = prove.with_proofs(*given)
    assert [point.proof["status"] for point in proven] == ["proven"] * len(points)
    assert [point.target_ps for point in proven] == [point.target_ps for point in points]
    smallest, second, *_ = sorted(points, key=lambda point: point.cells)
    monkeypatch.setattr(prove, "ALL_CELLS", smallest.cells + second.cells - 1)
    some = prove.with_proofs(*given)
    assert sorted(point.proof["status"] for point in some) == ["not attempted"] * (len(points) - 1) + ["proven"]
    assert next(point for point in some if point.proof["status"] == "proven").cells == smallest.cells
    assert f"{prove.ALL_CELLS} cells of all points" in max(some, key=lambda point: point.cells).proof["detail"]
    assert prove.with_proofs(*given, wanted=True) == proven  # asked for: all of them
    monkeypatch.setattr(prove, "QUICK_S", 0.01)
    late = sorted(prove.with_proofs(*given, cached=False), key=lambda point: point.cells)
    assert late[0].proof["status"] == "timed out" and late[0].cells == smallest.cells
    assert {point.proof["status"] for point in late[1:]} == {"not attempted"}
    assert "timed out at 0.01 s of processor time" in late[1].proof["detail"]
    assert {point.proof["detail"] for point in prove.with_proofs(*given, wanted=False)} == {"not asked for"}


def test_nothing_to_prove(fresh_cache):
    unit = fpgen.parse_unit(SMALL)
    point = measure_unit(unit, prove=False)[0]
    next((fresh_cache / "netlists").glob("*.gz")).unlink()
    assert prove.with_proof(unit.verilog(), point, "fpgen45").proof["status"] == "not attempted"
    with pytest.raises(RunFailure, match="the cache has no netlist"):
        prove.with_proof(unit.verilog(), point, "fpgen45", wanted=True)
    found = prove.with_proof("module other; endmodule", measure_unit(unit, prove=False)[0], "fpgen45", wanted=True)
    assert found.proof["status"] == "inconclusive" and "failed" in found.proof["detail"]


def test_a_proof_that_timed_out_says_so(fresh_cache, capsys):
    unit = fpgen.parse_unit(SMALL)
    point = measure_unit(unit, prove=False)[0]
    late = prove.with_proof(unit.verilog(), point, "fpgen45", wanted=True, timeout=0.01)
    show_points.points([late])
    out = capsys.readouterr().out
    assert "timed out (0.01 s)" in out and "not attempted" not in out
    assert "no proof: the proof was stopped at its limit of 0.01 s of processor time; --timeout" in out
    assert late.to_dict()["proof"]["status"] == "timed out"
    again = measure_unit(unit, prove=True)[0]  # the usual limit
    assert again.proof["status"] == "proven"


def test_the_command_names_its_limit(fresh_cache):
    def said(code, *words):
        done = CliRunner().invoke(main, list(words))
        assert done.exit_code == code, done.output
        return done.stdout, done.stderr

    out, _ = said(1, "ppa", "multiply fp16 fp16 -> fp16", "--timeout", "0.05")
    wanted = r"failed: Yosys .* was stopped at its limit of 0\.05 s of processor time; --timeout raises it"
    assert re.search(wanted, " ".join(out.split()))
    for words in (
        ["ppa", SMALL, "--timeout", "0"],
        ["ppa", SMALL, "--target", "ice40", "--timeout", "nan"],
        ["generate", SMALL, "--prove", "--timeout", "-1", "--stdout"],
    ):
        _, told = said(2, *words)
        assert re.search(r"timeout: got \S+; expected a positive number of seconds of processor time", told)
    _, told = said(2, "generate", SMALL, "--timeout", "5", "--stdout")
    assert "--timeout: got 5 without --prove; expected both" in told
    out, told = said(1, "generate", SMALL, "--prove", "--timeout", "0.05", "--stdout")
    assert "limit of 0.05 s of processor time; --timeout" in told and "endmodule" not in out
