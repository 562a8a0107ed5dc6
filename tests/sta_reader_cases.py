"""Small netlists over tests/tiny.lib in the forms that tools write, each with its delay worked out by hand.

`a` to `y` over INV is 10, over BUF 30; what is read wrongly joins another net and gives another sum. Delays and the
meaning of `opensta` as in sta_cases.py.
"""

from sta_cases import Case

# Three bits through three gates of their own: w's lowest bit comes over INV, its highest over BUF.
_SENDER = """module send(i, o); input [2:0] i; output [2:0] o;
  INV u0 (.A(i[0]), .Y(o[0])); INV u1 (.A(i[1]), .Y(o[1])); BUF u2 (.A(i[2]), .Y(o[2])); endmodule
module receive(i, o); input [2:0] i; output [2:0] o;
  INV u0 (.A(i[0]), .Y(o[0])); INV u1 (.A(i[1]), .Y(o[1])); BUF u2 (.A(i[2]), .Y(o[2])); endmodule
"""


def joined(declaration: str) -> str:
    """Sender and receiver over a net of three bits."""
    return (
        f"{_SENDER} module m(a, y); input [2:0] a; output [2:0] y; {declaration} "
        "send s (.i(a), .o(w)); receive r (.i(w), .o(y)); endmodule"
    )


def inside(body: str, ports: str = "a, b, y, z", declared: str = "input a, b; output y, z;") -> str:
    return f"module m({ports}); {declared} {body} endmodule"


RANGES = [
    # The highest bit: BUF 30 + BUF 30. Read as one bit, only INV 10 + INV 10 is found.
    *(
        Case(f"range {text}", joined(f"wire {text} w;"), 60, opensta)
        for text, opensta in (
            ("[2:0]", True),
            ("[1:-1]", True),
            ("[3-1:0]", False),
            ("[0:2]", True),
            ("[7:5]", True),
            ("[-3:-1]", True),
            ("[(1+1)*1:0]", False),
            ("[2'd2:'b0]", False),
            ("[4/2:5%5]", False),
            ("[1<<1:0]", False),
            ("[ 2 : 0 ]", True),
            ("[2**1:0]", False),
            ("signed [2:0]", False),
        )
    ),
    Case("range of a parameter", joined("parameter W = 3; localparam L = 0; wire [W-1:L] w;"), 60, False),
    # BUF is the highest bit, over which b comes: 30; from a 10.
    Case(
        "select of a range with an expression",
        inside("BUF g (.A(a[2-1]), .Y(y)); INV h (.A(a[0]), .Y(z));", "a, y, z", "input [2-1:0] a; output y, z;"),
        30,
        False,
    ),
    # The parts of a reversed range: bits 1 and 2 of [0:3] go to [1:0] of t, t[1] is a[1] (BUF 30 + INV 10).
    Case(
        "part of a reversed range",
        """module m(a, y); input [0:3] a; output y; wire [0:3] w; wire [1:0] t;
      BUF g (.A(a[1]), .Y(w[1])); INV h (.A(a[2]), .Y(w[2])); assign t = w[1:2]; INV i (.A(t[1]), .Y(y)); endmodule""",
        40,
    ),
    # w[3 -: 2] is w[3:2], w[1 +: 2] is w[2:1]: t[0] is w[2] (INV), s[1] is w[2] too; 10 + 30 = 40 both ways.
    Case(
        "indexed selects",
        """module m(a, y, z); input a; output y, z; wire [3:0] w; wire [1:0] s, t;
      INV g (.A(a), .Y(w[2])); assign t = w[3 -: 2]; assign s = w[1 +: 2];
      BUF h (.A(t[0]), .Y(y)); BUF i (.A(s[1]), .Y(z)); endmodule""",
        40,
        False,
    ),
    # In [0:3], w[1 +: 2] is w[1:2]: its lowest bit is w[2].
    Case(
        "indexed select of a reversed range",
        """module m(a, y); input a; output y; wire [0:3] w; wire [1:0] t;
      INV g (.A(a), .Y(w[2])); assign t = w[1 +: 2]; BUF h (.A(t[0]), .Y(y)); endmodule""",
        40,
        False,
    ),
    # A port of the other direction of numbers: positions count. w[0] of [0:2] is the highest: BUF 30 + BUF 30.
    Case("whole net of the other direction", joined("wire [0:2] w;"), 60),
    Case(
        "range declared twice",
        """module m(a, y); input a; output y; wire a; wire y; input [1:0] b;
      INV g (.A(a), .Y(y)); endmodule""".replace("input [1:0] b;", ""),
        10,
    ),
    Case(
        "ports with ranges again",
        """module m(a, y); input [1:0] a; wire [1:0] a; output y; reg y;
      BUF g (.A(a[1]), .Y(y)); endmodule""",
        30,
        False,
    ),
]

NAMES = [
    # s is `\\u,x ` (BUF 30 + INV 10 = 40), r is a over nothing: split at the comma r would be x.
    Case(
        "comma in a name",
        inside(
            r"wire \u,x ; wire [1:0] w; BUF g (.A(a), .Y(\u,x )); assign w = {\u,x ,a};"
            " INV h (.A(w[1]), .Y(y)); INV i (.A(w[0]), .Y(z));"
        ),
        40,
    ),
    Case(
        "comma in a name, left and right",
        inside(
            r"wire \p,q ; wire s, r; BUF g (.A(a), .Y(\p,q )); assign {s,r} = {\p,q ,b};"
            " INV h (.A(s), .Y(y)); INV i (.A(r), .Y(z));"
        ),
        40,
        False,
    ),
    Case(
        "comma in the name of a port",
        r"module m(\a,b , y); input \a,b ; output y; INV g (.A(\a,b ), .Y(y)); "
        "endmodule",
        10,
    ),
    Case("slashes in a name", inside(r"wire \u//x ; BUF g (.A(a), .Y(\u//x )); INV h (.A(\u//x ), .Y(y));"), 40),
    Case(
        "start of a comment in a name",
        inside(
            r"wire \u/*x ; BUF g (.A(a), .Y(\u/*x )); INV h (.A(\u/*x ), .Y(y));"
            "/* */"
        ),
        40,
    ),
    Case(
        "directive in a name",
        inside(
            r"wire \u`timescale ; BUF g (.A(a), .Y(\u`timescale ));"
            "\n"
            r"INV h (.A(\u`timescale ), .Y(y));"
        ),
        40,
    ),
    Case(
        "brackets in a name",
        inside(
            r"wire \u)({}[;"
            "\n"
            r"; BUF g (.A(a), .Y(\u)({}[; ));"
            r" INV \h;i (.A(\u)({}[; ), .Y(y));"
        ),
        40,
    ),
    Case(
        "keyword as a name", inside(r"wire \wire ; BUF \endmodule (.A(a), .Y(\wire )); INV h (.A(\wire ), .Y(y));"), 40
    ),
    # `\w[0] ` is not the bit w[0]: INV 10 after BUF 30 through the bit, INV + INV through the name.
    Case(
        "name like a bit",
        inside(
            r"wire [1:0] w; wire \w[0] ; BUF g (.A(a), .Y(w[0])); INV h (.A(a), .Y(\w[0] ));"
            r" INV i (.A(w[0]), .Y(y)); INV j (.A(\w[0] ), .Y(z));"
        ),
        40,
    ),
    Case("escaped without need", inside(r"wire \w ; BUF g (.A(a), .Y(w)); INV h (.A(\w ), .Y(y));"), 40),
    Case(
        "case of letters",
        inside("wire w, W; BUF g (.A(a), .Y(w)); INV h (.A(a), .Y(W)); INV i (.A(W), .Y(y)); INV j (.A(w), .Y(z));"),
        40,
    ),
    Case("dollar in a name", inside("wire w$1; BUF g (.A(a), .Y(w$1)); INV h (.A(w$1), .Y(y));"), 40),
    Case(
        "strings in attributes",
        '(* src = "f(*)g.v:1" *) '
        + inside('(* src = "x*);" , keep *) wire w; (* a = "\\"*)" *) BUF g (.A(a), .Y(w)); INV h (.A(w), .Y(y));'),
        40,
        False,
    ),
    Case(
        "attributes between",
        inside("wire w; BUF (* x *) g ((* y = 1 *) .A(a), .Y((* z *) w)); INV h (.A(w), .Y(y));"),
        40,
    ),
    Case("comments everywhere", inside("wire/**/w;//;\nBUF/* ) */g(.A(/* b */a),//)\n.Y(w));INV h(.A(w),.Y(y));"), 40),
]

STATEMENTS = [
    Case("several instances", inside("wire w; BUF g (.A(a), .Y(w)), h (.A(w), .Y(y));"), 60, False),
    Case("several assigns", inside("wire v, w; BUF g (.A(a), .Y(v)); assign w = v, y = w;"), 30),
    Case(
        "by position",
        inside("wire w; part g (a, w); part h (w, y);")
        + """
      module part(i, o); input i; output o; BUF u (.A(i), .Y(o)); endmodule""",
        60,
    ),
    Case(
        "by position, some open",
        inside("wire w; part g (a, , w); part h (w, b, y);")
        + """
      module part(i, j, o); input i, j; output o; BUF u (.A(i), .Y(o)); endmodule""",
        60,
        False,
    ),
    Case("cell by position", inside("wire w; BUF g (a, w); INV h (w, y);"), 40),
    Case(
        "literals", inside("wire w; AND2 g (.A('b1), .B(a), .Y(w)); MUX2 h (.A(w), .B(w), .S(1), .Y(y));"), 110, False
    ),
    # Sized constants as bits of buses: 4'hA is 1010, so S of the third from the right is 0 and of the second is 1.
    Case("hexadecimal constant", inside("wire [3:0] c; assign c = 4'hA; MUX2 g (.A(a), .B(b), .S(c[2]), .Y(y));"), 60),
    Case("decimal constant", inside("wire [3:0] c; assign c = 4'd10; MUX2 g (.A(a), .B(b), .S(c[2]), .Y(y));"), 60),
    Case(
        "signed constant",
        inside(
            "wire [3:0] c; assign c = 2'sb10; MUX2 g (.A(a), .B(1'b0), .S(c[3]), .Y(y)); AND2 h (.A(b), .B(a), .Y(z));"
        ),
        45,
        False,
    ),
    Case("octal constant", inside("wire [5:0] c; assign c = 6'o5_2; MUX2 g (.A(a), .B(b), .S(c[2]), .Y(y));"), 60),
    # 1'bz and an x are extended as they are: no bit of c is a constant, and S to Y counts.
    Case("x in front", inside("wire [3:0] c; assign c = 4'bx1; MUX2 g (.A(a), .B(c[0]), .S(b), .Y(y));"), 70),
    Case(
        "repetition",
        """module m(a, y); input a; output y; wire [5:0] w; wire v; BUF g (.A(a), .Y(v));
      assign w = {2{v, {2{a}}}}; INV h (.A(w[5]), .Y(y)); endmodule""",
        40,
        False,
    ),
    Case(
        "repetition, other bit",
        """module m(a, y); input a; output y; wire [5:0] w; wire v; BUF g (.A(a), .Y(v));
      assign w = {2{v, {2{a}}}}; INV h (.A(w[4]), .Y(y)); endmodule""",
        10,
        False,
    ),
    Case(
        "declaration with a value", inside("wire v; BUF g (.A(a), .Y(v)); wire w = v, x = w; INV h (.A(x), .Y(y));"), 40
    ),
    Case("tri", inside("tri w; BUF g (.A(a), .Y(w)); INV h (.A(w), .Y(y));"), 40),
    Case(
        "a register without behaviour", inside("reg w = 1'b0; BUF g (.A(a), .Y(w)); INV h (.A(w), .Y(y));"), 40, False
    ),
    Case("parentheses", inside("wire w; BUF g (.A((a)), .Y(w)); assign y = ((w));"), 30, False),
    Case("empty statements", inside(";; BUF g (.A(a), .Y(y));;"), 30, False),
    Case(
        "parameters of cells",
        inside(
            'wire w; BUF #(.X(4\'d3), .Y("z")) g (.A(a), .Y(w)); INV #3 h (.A(w), .Y(y));'
            " defparam g.W = 3, h.Z = {2'b0, 1'b1};"
        ),
        40,
        False,
    ),
    # g[1] has the bits w[1], y[1]: BUF 30 + BUF 30.
    Case(
        "array of instances",
        """module m(a, y); input [1:0] a; output [1:0] y; wire [1:0] w;
      BUF g[1:0] (.A(a), .Y(w)); BUF h[1:0] (.A(w), .Y(y)); endmodule""",
        60,
        False,
    ),
    # g[0] is the first of [0:1] and so the highest: y[1] comes over w[1], both of a.
    Case(
        "array over one net",
        """module m(a, y); input a; output [1:0] y; wire [1:0] w;
      BUF g[0:1] (.A(a), .Y(w)); INV h[1:0] (.A(w), .Y(y)); endmodule""",
        40,
        False,
    ),
    Case(
        "array of modules",
        """module part(i, o); input [1:0] i; output o; AND2 u (.A(i[0]), .B(i[1]), .Y(o));
      endmodule
      module m(a, y); input [3:0] a; output [1:0] y; part g[1:0] (a, y); endmodule""",
        45,
        False,
    ),
    Case("end label", inside("BUF g (.A(a), .Y(y));") + " : m", 30),
    Case(
        "header with types",
        "module m(input wire [1:0] a, b, output y, output wire z); BUF g (.A(b[1]), .Y(y)); "
        "INV h (.A(a[0]), .Y(z)); endmodule",
        30,
    ),
    Case("inout port", "module m(a, y); inout a; output y; BUF g (.A(a), .Y(y)); endmodule", 30),
    Case("no ports", "module part(); endmodule " + inside("BUF g (.A(a), .Y(y));"), 30),
]

PORTS = [
    Case("port expression", "module m({a}, z); input a; output z; INV g (.A(a), .Y(z)); endmodule", 10, False),
    # p is {a, b}: bit 1 is a. Over the module: BUF for a and INV for b.
    Case(
        "named port expression",
        """module part(.p({a, b}), .o({y, z})); input a, b; output y, z;
      BUF g (.A(a), .Y(y)); INV h (.A(b), .Y(z)); endmodule
      module m(a, y); input [1:0] a; output [1:0] y; wire [1:0] w; part p (.p(a), .o(w));
      BUF i (.A(w[1]), .Y(y[1])); INV j (.A(w[0]), .Y(y[0])); endmodule""",
        60,
    ),
    Case("renamed ports of the top", "module m(.i(a), .o(y)); input a; output y; INV g (.A(a), .Y(y)); endmodule", 10),
    Case(
        "parts of a net as ports",
        """module part(w[0], w[1], o); input [1:0] w; output o; BUF g (.A(w[1]), .Y(o));
      endmodule
      module m(a, b, y); input a, b; output y; wire c; INV h (.A(b), .Y(c)); part p (a, c, y); endmodule""",
        40,
    ),
    Case(
        "bus of a cell",
        """module m(a, y); input [3:0] a; output [3:0] y; wire [3:0] w;
      BUF4 g (.A(a), .Y(w)); INV h (.A(w[3]), .Y(y[3])); endmodule""",
        42,
    ),
    Case(
        "bus of a cell, concatenation",
        """module m(a, y); input a; output y; wire [2:0] w; wire v;
      BUF h (.A(a), .Y(v)); BUF4 g (.A({1'b0, v, a, 1'b1}), .Y({w[2], y, w[1:0]})); endmodule""",
        62,
    ),
    # D1 is the first of the bundle and so the highest: BUF 30 + setup 9; clock to Q1 95 + BUF 30.
    Case(
        "bundle of a cell",
        """module m(clk, a, y); input clk; input [1:0] a; output [1:0] y; wire [1:0] q;
      DFF2 r (.CK(clk), .D(a), .Q(q)); BUF g (.A(q[1]), .Y(y[1])); endmodule""",
        125,
    ),
    Case(
        "pins of a bundle",
        """module m(clk, a, y); input clk; input [1:0] a; output y; wire q;
      DFF2 r (.CK(clk), .D1(a[1]), .D0(a[0]), .Q1(q)); BUF g (.A(q), .Y(y)); endmodule""",
        125,
    ),
]

POWER = [
    Case(
        "power pins",
        """module m(a, y, VDD, VSS); input a; output y; inout VDD, VSS; wire w;
      BUF g (.A(a), .Y(w), .VDD(VDD), .VSS(VSS)); INV h (.A(w), .VDD(VDD), .VSS(VSS), .Y(y)); endmodule""",
        40,
    ),
    # VSS is at ground pins, so B is 0 for good: INV 10, not AND2 + BUF. (OpenSTA times a path from the port VSS.)
    Case(
        "input tied to a supply port",
        """module m(a, y, z, VDD, VSS); input a; output y, z; inout VDD, VSS; wire w;
      AND2 g (.A(a), .B(VSS), .Y(w)); BUF h (.A(w), .Y(y), .VDD(VDD), .VSS(VSS)); INV i (.A(a), .Y(z));
      endmodule""",
        10,
        False,
    ),
    Case(
        "supplies through modules",
        """module part(a, y, VDD, VSS); input a, VDD, VSS; output y;
      BUF g (.A(a), .Y(y), .VDD(VDD), .VSS(VSS)); endmodule
      module m(a, y); input a; output y; supply1 VDD; supply0 VSS; part p (.a(a), .y(y), .VDD(VDD), .VSS(VSS));
      endmodule""",
        30,
    ),
    Case("cells without signal pins", inside("BUF g (.A(a), .Y(y)); TAP t1 (); FILL f (.VDD(v), .VSS(s));"), 30),
]

DIRECTIVES = [
    Case(
        "directives",
        '`timescale 1ns / 1ps\n`default_nettype none\n`line 1 "x.v" 0\n`celldefine\n'
        + inside("wire w; BUF g (.A(a), .Y(w)); `resetall\n INV h (.A(w), .Y(y));")
        + "\n`endcelldefine\n",
        40,
        False,
    ),
    Case("timescale and module in one line", "`timescale 1 ns/ 1ps " + inside("BUF g (.A(a), .Y(y));"), 30, False),
    Case(
        "macros",
        "`define CELL BUF // a comment\n`define TWICE `CELL \\\n g (.A(a), \\\n .Y(w));\n"
        + inside("wire w; `TWICE INV h (.A(w), .Y(y));"),
        40,
        False,
    ),
    Case(
        "power pins on a condition",
        inside("BUF g (\n`ifdef USE_POWER_PINS\n .VDD(VDD), .VSS(VSS),\n`endif\n .A(a), .Y(y));"),
        30,
        False,
    ),
    Case(
        "lines that end as Windows' do",
        ("`define CELL \\\n BUF\n// c\n" + inside("`CELL \\g;\n (.A(a), .Y(y));")).replace("\n", "\r\n"),
        30,
        False,
    ),
    # Of the branches only the one that is taken: BUF, 30 (not INV 10, and not both).
    *(
        Case(f"condition {number}", inside(f"wire w; {text}"), 30, False)
        for number, text in enumerate(
            (
                "`ifdef FAST\n INV g (.A(a), .Y(y));\n`else\n BUF g (.A(a), .Y(y));\n`endif",
                "`ifndef FAST\n BUF g (.A(a), .Y(y));\n`endif",
                "`define SLOW\n`ifdef FAST\n INV g (.A(a), .Y(y));\n`elsif SLOW\n BUF g (.A(a), .Y(y));\n"
                "`else\n bad\n`endif",
                '`ifdef FAST\n`ifndef X\n bad `include "x" \n`else\n`endif\n`else\n BUF g (.A(a), .Y(y));\n`endif',
                "`define SLOW\n`undef SLOW\n`ifdef SLOW\n bad\n`endif\n BUF g (.A(a), .Y(y));",
            )
        )
    ),
]

CASES = [*RANGES, *NAMES, *STATEMENTS, *PORTS, *POWER, *DIRECTIVES]
