"""Synthesis to points: figures that hang together, the cache, failures as records, and the proof of netlists."""

import json
import re

import pytest
from ppa_helpers import fresh_cache

from benchmarks import reference_flow as reference
from fpgen.base.errors import UsageError
from fpgen.formal.equivalence import prove_equal
from fpgen.library import technology
from fpgen.synthesis import flow, yosys
from fpgen.synthesis.point import Point, pareto

__all__ = ["fresh_cache"]

MAC = """module mac(input clk, rst, input [3:0] a, b, output reg [9:0] y);
  reg [7:0] p;
  always @(posedge clk) begin p <= a * b; y <= rst ? 10'd0 : y + p; end
endmodule"""
MUL = "module mul(input [3:0] a, b, output [7:0] y); assign y = a * b; endmodule"


@pytest.mark.parametrize("name", ["fpgen45", "fpgen7"])
def test_quick_point(fresh_cache, name):
    (point,) = flow.measure(MAC, "mac", technology=name)
    tech = technology.load(name)
    assert point.failure is None and point.registers == 18 and point.cells > 50
    assert point.nand2_eq == pytest.approx(point.area_um2 / tech.library.nand2_area)
    assert point.delay_source == "sta" and point.delay_ps == point.sta_delay_ps > 0
    assert point.critical_path[-1]["arrival_ps"] == pytest.approx(point.delay_ps)
    assert point.assumptions["driving_cell"] == tech.driving_cell and "yowasp" in point.tools["yosys"]
    assert point.startpoint.endswith("_reg") or point.startpoint[0] in "abr"
    proof = prove_equal(MAC, flow.netlist_text(point.netlist_hash), "mac", liberty=tech.liberty)
    assert (proof.status, proof.registers) == ("proven", 18), proof.detail


def test_cached_point_is_the_same_without_yosys(fresh_cache, monkeypatch):
    first = flow.measure(MUL, "mul")
    with monkeypatch.context() as patch:
        patch.setattr(yosys, "run_script", lambda *_, **__: pytest.fail("Yosys was run for a known point"))
        assert flow.measure(MUL, "mul") == first
    for kept in (fresh_cache / "points").glob("*.json"):
        kept.write_text(kept.read_text()[:100])  # a damaged record is not believed
    again = flow.measure(MUL, "mul")
    assert (again[0].area_um2, again[0].delay_ps, again[0].netlist_hash) == (
        first[0].area_um2,
        first[0].delay_ps,
        first[0].netlist_hash,
    )


def test_recipes_targets_and_pareto(fresh_cache):
    seen: list[Point] = []
    kept = flow.measure(MUL, "mul", effort="pareto", progress=seen.append)
    assert kept == pareto(seen) and len(seen) > len(kept) >= 2
    assert {point.recipe.split("/")[0] for point in seen} == {"area", "balanced", "direct", "speed"}
    two = flow.measure(MUL, "mul", recipe="balanced", targets=[1, 500])
    assert [point.target_ps for point in two] == [1, 500, 1, 500] and json.dumps([point.to_dict() for point in two])


def test_failures_are_records(fresh_cache):
    (point,) = flow.measure("module mul(; endmodule", "mul")
    assert "syntax error" in point.failure and point.to_dict()["area_um2"] is None
    (again,) = flow.measure("module mul(; endmodule", "mul")
    assert again.to_dict() == point.to_dict()
    (short,) = flow.measure(MUL, "mul", timeout=0.05)
    assert "limit of 0.05 s of processor time" in short.failure and "--timeout" in short.failure
    (good,) = flow.measure(MUL, "mul")
    assert good.failure is None  # a run that was stopped is tried again


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"technology": "tsmc3"}, "technology: got 'tsmc3'; expected one of fpgen45, fpgen7"),
        ({"recipe": "magic"}, "recipe: got 'magic'"),
        ({"effort": "heroic"}, "effort: got 'heroic'; expected one of 0 .quick., 1 .fair., 2"),
        ({"effort": True}, "effort: got True"),
        ({"effort": 4}, "effort: got 4"),
        ({"wire_load": "thick"}, "wire load: got 'thick'"),
        ({"recipe": "area", "effort": "pareto"}, "recipe: got area and effort pareto; expected one of them"),
        ({"targets": [0]}, "numbers of ps from 1 on"),
        ({"targets": []}, "numbers of ps from 1 on"),
        ({"targets": 700}, "delay targets: got 700; expected one"),
        ({"targets": [0.5]}, "delay targets: got .0.5.; expected one or more numbers of ps from 1 on"),
        ({"targets": ["x"]}, "numbers of ps from 1 on"),
        ({"targets": "7"}, "numbers of ps from 1 on"),
        ({"engine": "x"}, "Yosys engine: got 'x'"),
    ],
)
def test_refusals(options, said):
    with pytest.raises(UsageError, match=said):
        flow.measure(MUL, "mul", **options)


def test_efforts(fresh_cache):
    runs = {}
    for level in (0, "1", "pareto"):
        seen: list[Point] = []
        kept = flow.measure(MUL, "mul", effort=level, engine="auto", progress=seen.append)
        assert not any(point.failure for point in seen) and all(point in seen for point in kept)
        assert kept == (pareto(seen) if level else seen)
        runs[level] = {(point.recipe, point.target_ps) for point in seen}
    assert len(runs[0]) == 1 and len(runs["1"]) == 4 and runs[0] < runs["1"] < runs["pareto"]
    assert flow.measure(MUL, "mul", effort=2, engine="auto") == kept


def test_wire_load_reaches_mapping_and_timing(fresh_cache):
    (plain,) = flow.measure(MUL, "mul")
    (loaded,) = flow.measure(MUL, "mul", wire_load="3 fF")
    assert loaded.assumptions["wire_load"] == "3 fF per fanout" and plain.assumptions["wire_load"] == "none"
    assert loaded.delay_ps > plain.delay_ps and loaded.area_um2 > plain.area_um2  # gates were enlarged for the wires


def test_registers_need_a_library_with_flipflops(fresh_cache, tmp_path):
    text = technology.load().liberty.read_text()
    path = tmp_path / "comb.lib"
    path.write_text(re.sub(r"  cell \([^)]*\) \{(?:(?!\n  \}).)*?\bff \(IQ.*?\n  \}\n", "", text, flags=re.DOTALL))
    tech = technology.from_liberty(path)
    with pytest.raises(UsageError, match="has no usable flip-flop, which the design needs"):
        flow.measure(MAC, "mac", technology=tech)
    (point,) = flow.measure(MUL, "mul", technology=tech)
    assert point.failure is None


def test_reference_says_whose_delay_it_is(fresh_cache):
    liberty = technology.load().liberty
    by_sta = reference.run(MUL, "mul", liberty, engine=None, quick=True)
    assert {point.delay_source for point in by_sta} == {"sta"} and len(by_sta) == 3
    pytest.importorskip("pyosys")
    by_abc = reference.run(MUL, "mul", liberty, engine="native", quick=True)
    assert {point.delay_source for point in by_abc} == {"abc"}
    for point in by_abc:
        assert point.delay_ps == pytest.approx(point.sta_delay_ps, rel=0.15)


def test_booth_is_not_run_twice_for_nothing(fresh_cache):
    adder = "module add(input [3:0] a, b, output [4:0] y); assign y = a + b; endmodule"
    variants = {point.recipe.split("/")[1] for point in flow.measure(adder, "add", recipe="area")}
    assert variants == {"plain"}


def test_reference_command(fresh_cache, tmp_path, capsys):
    source = tmp_path / "mul.v"
    source.write_text(MUL)
    liberty = str(technology.load().liberty)
    assert (
        reference.main([str(source), "--top", "mul", "--liberty", liberty, "--quick", "--engine", "yowasp", "--path"])
        == 0
    )
    assert "best ADP" in capsys.readouterr().out
    assert reference.main([str(source), "--top", "mul", "--liberty", str(tmp_path / "none.lib")]) == 2
    assert "none.lib: not found; expected a Liberty file" in capsys.readouterr().err
