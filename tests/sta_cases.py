"""Small netlists over tests/tiny.lib with the delay that each has, worked out by hand: what constants do to it.

Delays of the library, in ps: INV 10, BUF 30, AND2 40 from A and 45 from B, XOR2 50 from A and 55 from B, MUX2 60 from
A, 65 from B, 70 from S; DFF 100 from clock to output, setup 7. `opensta` is False where OpenSTA 2.0 (Debian's) does not
take the netlist, or reads it otherwise as said there; everywhere else it gives the same figure (test_sta_opensta.py).
"""

from typing import NamedTuple


class Case(NamedTuple):
    """A netlist with the module `m`, its critical delay in ps, and whether OpenSTA reads it."""

    name: str
    text: str
    delay: float
    opensta: bool = True


# From a: INV 10 to z. The path over AND2 and BUF, 40 + 30, is none where B is 0: the AND2's output never changes.
_GATED = "AND2 g (.A(a), .B(low), .Y(w)); BUF h (.A(w), .Y(y)); INV i (.A(a), .Y(z));"
# From a: over BUF to A of MUX2 30 + 60, straight to B 65; where S is 1, A is not let through.
_CHOSEN = "BUF h (.A(a), .Y(w)); MUX2 g (.A(w), .B(a), .S(high), .Y(y));"

CONSTANTS = [
    Case("supply0", f"module m(a, y, z); input a; output y, z; wire w; supply0 low; {_GATED} endmodule", 10),
    Case("supply1", f"module m(a, y); input a; output y; wire w; supply1 high; {_CHOSEN} endmodule", 65),
    Case("supply1 after its use", f"module m(a, y); input a; output y; wire w; {_CHOSEN} supply1 high; endmodule", 65),
    Case(
        "tied by assign",
        f"""module m(a, y, z); input a; output y, z; wire w, low; assign low = 1'b0;
      {_GATED} endmodule""",
        10,
    ),
    Case(
        "tied by assign of a supply",
        f"""module m(a, y, z); input a; output y, z; wire w, low; supply0 VGND;
      assign low = VGND; {_GATED} endmodule""",
        10,
    ),
    Case(
        "tied in its declaration",
        f"""module m(a, y, z); input a; output y, z; wire w; wire low = 1'b0;
      {_GATED} endmodule""",
        10,
    ),
    # Inside of a module: BUF before it and the INV beside it, 30 + 10.
    Case(
        "supply0 inside a module",
        f"""module part(a, y, z); input a; output y, z; wire w; supply0 low;
      {_GATED} endmodule
      module m(a, y, z); input a; output y, z; wire b; BUF f (.A(a), .Y(b)); part p (.a(b), .y(y), .z(z));
      endmodule""",
        40,
    ),
    Case(
        "supply0 through a port",
        f"""module part(a, low, y, z); input a, low; output y, z; wire w;
      {_GATED} endmodule
      module m(a, y, z); input a; output y, z; supply0 VGND; part p (.a(a), .low(VGND), .y(y), .z(z));
      endmodule""",
        10,
    ),
    Case(
        "constant through a port",
        f"""module part(a, low, y, z); input a, low; output y, z; wire w;
      {_GATED} endmodule
      module m(a, y, z); input a; output y, z; part p (.a(a), .low(1'b0), .y(y), .z(z)); endmodule""",
        10,
    ),
    Case(
        "constant out of a module",
        f"""module zero(o); output o; supply0 o; endmodule
      module m(a, y, z); input a; output y, z; wire w, low; zero t (.o(low)); {_GATED} endmodule""",
        10,
    ),
    Case(
        "tie cell",
        f"""module m(a, y, z); input a; output y, z; wire w, low; TIE0 t (.Y(low)); {_GATED}
      endmodule""",
        10,
    ),
    Case(
        "constant through gates",
        f"""module m(a, y, z); input a; output y, z; wire w, low, one;
      TIE1 t (.Y(one)); INV n (.A(one), .Y(low)); {_GATED} endmodule""",
        10,
    ),
    # A constant that the AND2 lets through: B to Y, 45 + 30.
    Case(
        "constant that does not block",
        """module m(a, y); input a; output y; wire w;
      AND2 g (.A(1'b1), .B(a), .Y(w)); BUF h (.A(w), .Y(y)); endmodule""",
        75,
    ),
    # The select goes through where both inputs are not the same: 70.  With both at 1 nothing switches: INV 10
    # (an OpenSTA that was built without decision diagrams, as Debian's is, counts S to Y all the same).
    Case(
        "select between two constants",
        """module m(a, y); input a; output y;
      MUX2 g (.A(1'b0), .B(1'b1), .S(a), .Y(y)); endmodule""",
        70,
    ),
    Case(
        "select between equal constants",
        """module m(a, y, z); input a; output y, z; wire w;
      MUX2 g (.A(1'b1), .B(1'b1), .S(a), .Y(w)); BUF h (.A(w), .Y(y)); INV i (.A(a), .Y(z)); endmodule""",
        10,
        False,
    ),
    # Not a constant: data that are tied. Clock to Q 100, BUF 30.
    Case(
        "tied data of a flip-flop",
        """module m(clk, y); input clk; output y; wire q;
      DFF r (.CK(clk), .D(1'b0), .Q(q)); BUF h (.A(q), .Y(y)); endmodule""",
        130,
    ),
    # Q rises after 120 only while D is 1, falls after 100 only while it is 0; XOR2 from B 55.
    Case(
        "clock to output, D at 0",
        """module m(clk, a, y); input clk, a; output y; wire q;
      DFFW r (.CK(clk), .D(1'b0), .Q(q)); XOR2 g (.A(a), .B(q), .Y(y)); endmodule""",
        155,
    ),
    Case(
        "clock to output, D at 1",
        """module m(clk, a, y); input clk, a; output y; wire q;
      DFFW r (.CK(clk), .D(1'b1), .Q(q)); XOR2 g (.A(a), .B(q), .Y(y)); endmodule""",
        175,
    ),
    Case(
        "clock to output, D free",
        """module m(clk, a, y); input clk, a; output y; wire q;
      DFFW r (.CK(clk), .D(a), .Q(q)); XOR2 g (.A(a), .B(q), .Y(y)); endmodule""",
        175,
    ),
    # Clock to Q 100, INV 10, setup of SDFF: 7 while SE is 0, 170 while it is 1.
    *(
        Case(
            f"scan flip-flop, SE {se}",
            f"""module m(clk, se, y); input clk, se; output y; wire q, d;
      DFF r (.CK(clk), .D(1'b0), .Q(q)); INV i (.A(q), .Y(d));
      SDFF s (.CK(clk), .D(d), .SI(1'b0), .SE({se}), .Q(y)); endmodule""",
            delay,
        )
        for se, delay in (("1'b0", 117), ("1'b1", 280), ("se", 280))
    ),
    # SO is IQ & SE: with SE at 0 it is 0, and clock to SO 110, BUF 30 is no path; clock to Q 100 is.
    Case(
        "gated scan output",
        """module m(clk, a, y, z); input clk, a; output y, z; wire so;
      SDFF s (.CK(clk), .D(a), .SI(1'b0), .SE(1'b0), .Q(y), .SO(so)); BUF h (.A(so), .Y(z)); endmodule""",
        100,
    ),
    # XORW from B: 55 where A is 0, 58 where A is 1, 90 (an arc without a condition) where neither is certain.
    *(
        Case(
            f"state-dependent gate, A {given}",
            f"""module m(a, b, y); input a, b; output y;
      XORW g (.A({given}), .B(b), .Y(y)); endmodule""",
            delay,
        )
        for given, delay in (("1'b0", 55), ("1'b1", 58), ("a", 90))
    ),
    # No clock, no launch: INV 10.
    Case(
        "clock tied",
        """module m(a, y, z); input a; output y, z;
      DFF r (.CK(1'b0), .D(a), .Q(y)); INV i (.A(a), .Y(z)); endmodule""",
        10,
    ),
    # The loop over A of the multiplexer is cut where S is 1: B to Y 65.
    Case(
        "loop that a constant cuts",
        """module m(a, y); input a; output y; wire w;
      MUX2 g (.A(w), .B(a), .S(1'b1), .Y(y)); BUF h (.A(y), .Y(w)); endmodule""",
        65,
    ),
    # Enabled for good: a constant 0 comes out, so AND2 is blocked. INV 10.
    Case(
        "constant through a three-state buffer",
        f"""module m(a, y, z); input a; output y, z; wire w, low;
      EBUF e (.A(1'b0), .E(1'b1), .Y(low)); {_GATED} endmodule""",
        10,
    ),
    # Enabled by a: what is on the net is not known, so a goes through AND2 40 + BUF 30.
    Case(
        "three-state buffer that is not always on",
        f"""module m(a, b, y, z); input a, b; output y, z; wire w, low;
      EBUF e (.A(1'b0), .E(b), .Y(low)); {_GATED} endmodule""",
        70,
    ),
    # A latch lets through, D to Q 80 + BUF 30, and opens at the clock's edge, EN to Q 90 + 30; nothing is borrowed.
    Case(
        "latch",
        """module m(en, a, y); input en, a; output y; wire q; LATCH l (.EN(en), .D(a), .Q(q));
      BUF h (.A(q), .Y(y)); endmodule""",
        120,
    ),
    # x and z are no constants: from B 45. (OpenSTA 2.0 takes them for 0 and finds no path.)
    Case(
        "unknown constant", "module m(a, y); input a; output y; AND2 g (.A(1'bx), .B(a), .Y(y)); endmodule", 45, False
    ),
    Case(
        "floating constant", "module m(a, y); input a; output y; AND2 g (.A(1'bz), .B(a), .Y(y)); endmodule", 45, False
    ),
    # Nothing leads from an output without a net to an input without one: INV 10, not BUF 30 + 30.
    Case(
        "pins without nets",
        """module m(a, y, z); input a; output y, z;
      BUF f (.A(a), .Y()); BUF g (.A(), .Y(y)); INV i (.A(a), .Y(z)); endmodule""",
        10,
    ),
    Case(
        "pins at x",
        """module m(a, y, z); input a; output y, z;
      BUF f (.A(a), .Y(1'bx)); BUF g (.A(1'bx), .Y(y)); INV i (.A(a), .Y(z)); endmodule""",
        10,
    ),
]
