"""Proofs of RTL against RTL: equal, unequal, hopeless, and registers that do not correspond."""

import pytest
from ppa_helpers import fresh_cache

from fpgen.base.errors import RunFailure, UsageError
from fpgen.formal.equivalence import prove_equal

__all__ = ["fresh_cache"]

GOLD = """module m(input clk, input [3:0] a, b, output [3:0] y);
  reg [3:0] r; always @(posedge clk) r <= a + b; assign y = r ^ b; endmodule"""
RTLIL = """attribute \\top 1
module \\m
  wire width 4 input 0 \\a
  wire width 4 input 1 \\b
  wire width 4 output 2 \\y
  cell $add $1
    parameter \\A_SIGNED 0
    parameter \\B_SIGNED 0
    parameter \\A_WIDTH 4
    parameter \\B_WIDTH 4
    parameter \\Y_WIDTH 4
    connect \\A \\a
    connect \\B \\b
    connect \\Y \\y
  end
end
"""


def test_equal_registered(fresh_cache):
    other = GOLD.replace("a + b", "b - (~a) - 4'd1").replace("r ^ b", "(r & ~b) | (~r & b)")
    proof = prove_equal(GOLD, other, "m")
    assert (proof.status, proof.registers) == ("proven", 4)


def test_unequal_says_where(fresh_cache):
    proof = prove_equal(GOLD, GOLD.replace("r ^ b", "(r ^ b) ^ (b == 4'd9 && r == 4'd6)"), "m")
    assert proof.status == "failed" and "b = 1001" in proof.detail and "cut_q_r[1] = 1" in proof.detail


def test_unequal_next_state(fresh_cache):
    assert prove_equal(GOLD, GOLD.replace("a + b", "a | b"), "m").status == "failed"


def test_rtlil_against_verilog(fresh_cache):
    same = "module m(input [3:0] a, b, output [3:0] y); assign y = b + a; endmodule"
    assert prove_equal(RTLIL, same, "m").status == "proven"
    assert prove_equal(RTLIL, same.replace("+", "-"), "m", gold_format="rtlil").status == "failed"


def test_other_registers(fresh_cache):
    proof = prove_equal(
        GOLD, GOLD.replace("reg [3:0] r", "reg [3:0] s").replace("r <=", "s <=").replace("r ^", "s ^"), "m"
    )
    assert proof.status == "inconclusive" and "s[0]" in proof.detail


def test_time_limit(fresh_cache):
    wide = "module m(input [31:0] a, b, output [63:0] y); assign y = {}; endmodule"
    assert prove_equal(wide.format("a * b"), wide.format("b * (a + 1) - b"), "m", timeout=4).status == "timed out"


def test_refusals(fresh_cache):
    with pytest.raises(UsageError, match="format: got 'vhdl'; expected one of verilog, rtlil"):
        prove_equal(GOLD, GOLD, "m", gold_format="vhdl")
    with pytest.raises(RunFailure, match="failed"):
        prove_equal(GOLD, "module other; endmodule", "m")
