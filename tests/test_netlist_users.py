"""Proofs, toggles and power of netlists with power pins, supplies and physical cells: as without them."""

from pathlib import Path

import numpy as np
import pytest
from ppa_helpers import fresh_cache

from fpgen.formal.equivalence import prove_equal
from fpgen.library import liberty
from fpgen.power import power, toggles
from fpgen.power.estimate import estimate
from fpgen.timing import netlist, sta
from fpgen.timing.structural_write import signals_only

__all__ = ["fresh_cache"]

TINY = Path(__file__).with_name("tiny.lib")

# y[0] is not a, y[1] is q: b of the clock before; the AND2 is blocked by VSS and so z is 0.
RTL = """module m(input clk, a, b, output [1:0] y, output z); reg q; always @(posedge clk) q <= b;
  assign y = {q, ~a}; assign z = 1'b0; endmodule"""
PLAIN = """module m(clk, a, b, y, z); input clk, a, b; output [1:0] y; output z; wire q;
  INV g (.A(a), .Y(y[0])); DFF \\q_reg[0] (.CK(clk), .D(b), .Q(q)); BUF h (.A(q), .Y(y[1]));
  AND2 i (.A(a), .B(1'b0), .Y(z)); endmodule"""
POWERED = """module inv(i, o, VDD, VSS); input i; output o; inout VDD, VSS;
    INV g (.A(i), .Y(o), .VDD(VDD), .VSS(VSS)); TAP t (.VSS(VSS)); endmodule
  module m(clk, a, b, y, z, VDD, VSS); input clk, a, b; output [1:0] y; output z; wire q; inout VDD, VSS;
    inv g (.i(a), .o(y[0]), .VDD(VDD), .VSS(VSS)); DFF \\q_reg[0] (.CK(clk), .D(b), .Q(q));
    BUF h[0:0] (.A(q), .Y(y[1]), .VDD(VDD)); AND2 i (a, VSS, z); FILL f (); endmodule
  (* blackbox *) module INV(A, Y); input A; output Y; endmodule"""


@pytest.fixture(scope="module")
def tiny():
    return liberty.from_text(TINY.read_text(), power=True)


def test_signals_only_keeps_what_has_no_others(tiny):
    assert signals_only(PLAIN, "m", tiny) is PLAIN
    text = signals_only(POWERED, "m", tiny)
    flat = netlist.from_text(text, "m", library=tiny)
    assert not flat.notes and list(flat.inputs) == ["clk", "a", "b"] and list(flat.outputs) == ["y[0]", "y[1]", "z"]
    assert sta.analyse(flat, tiny).delay_ps == pytest.approx(130)  # clock to q 100, BUF 30


def test_proof_of_a_powered_netlist(fresh_cache, tmp_path):
    head, *cells = TINY.read_text().split("\n  cell ")
    plain = [cell for cell in cells if cell.startswith(("(INV)", "(BUF)", "(AND2)", "(DFF)"))]  # Yosys takes no buses
    library = tmp_path / "four.lib"
    library.write_text("\n  cell ".join([head, *plain]) + "\n}\n")
    assert prove_equal(RTL, PLAIN, "m", liberty=library).status == "proven"
    assert prove_equal(RTL, POWERED, "m", liberty=library).status == "proven"
    other = POWERED.replace("AND2 i (a, VSS, z)", "AND2 i (a, VDD, z)")
    assert prove_equal(RTL, other, "m", liberty=library).status == "failed"


def test_power_of_a_powered_netlist(tiny):
    found = []
    for text in (PLAIN, POWERED):
        flat = netlist.from_text(text, "m", library=tiny)
        simulator = toggles.Simulator(flat, tiny, 1)
        words = np.random.default_rng(1).integers(0, 1 << 63, (12, 2, 1), dtype=np.uint64)
        run = toggles.simulate(simulator, ({"a": a, "b": b} for a, b in words), 2)
        assert not run.outputs["z"].any() and (run.outputs["y[1]"][1:] == words[:-1, 1]).all()
        found.append((power.evaluate(flat, tiny, run.activity), power.evaluate(flat, tiny, estimate(flat, tiny))))
    for plain, powered in zip(*found, strict=True):
        assert powered.switching_fj == pytest.approx(plain.switching_fj) and plain.switching_fj > 0
        assert powered.register_switching_fj == pytest.approx(plain.register_switching_fj)
