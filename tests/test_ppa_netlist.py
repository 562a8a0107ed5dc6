"""Structural Verilog in the forms that tools write it in."""

import pytest

from fpgen.base.errors import RunFailure
from fpgen.timing import netlist


def pins(text, top=None):
    found = netlist.from_text(text, top)
    return found, [{pin: found.net_names[net] for pin, net in item.pins.items()} for item in found.instances]


def test_vectors_selects_concatenations_constants():
    found, (one, two, three) = pins(
        """
      // written by hand
      module m(a, y);
        input [3:0] a; wire [3:0] a; output [2:0] y; wire [0:1] up; (* keep = "x" *) wire t;
        assign { up, t } = { a[2:1], a[3] };
        C u1 (.A(up[0]), .Y(y[0]));
        C u2 (.A(t), .B(1'h1), .Y(y[1]));
        C u3 (.A({a[0]}), .B(4'b0x10), .Y(), .Z(y[2]));
      endmodule""".replace("4'b0x10", "1'bx")
    )
    assert one == {"A": "a[2]", "Y": "y[0]"}
    assert two == {"A": "a[3]", "B": "1'b1", "Y": "y[1]"}
    assert three == {"A": "a[0]", "B": "1'bx", "Z": "y[2]"}
    assert list(found.inputs) == ["a[0]", "a[1]", "a[2]", "a[3]"] and len(found.outputs) == 3


def test_escaped_names():
    found, (one,) = pins("""module \\top+1 (\\a[0] , y); input \\a[0] ; output y;
      INV \\u/1;x  (.A(\\a[0] ), .Y(y)); endmodule""")
    assert found.top == "top+1" and found.instances[0].name == "u/1;x" and one == {"A": "a[0]", "Y": "y"}


def test_escaped_scalar_is_not_a_bit_of_the_vector():
    found, _ = pins("""module m(a, y); input [1:0] a; output [1:0] y; wire \\a[0] ;
      INV u (.A(a[0]), .Y(\\a[0] )); INV v (.A(\\a[0] ), .Y(y[0])); endmodule""")
    assert found.instances[0].pins["A"] != found.instances[0].pins["Y"] == found.instances[1].pins["A"]


def test_ansi_header():
    found, (one,) = pins("module m(input wire [1:0] a, b, output y); NAND u (.A(a[1]), .B(b[0]), .Y(y)); endmodule")
    assert list(found.inputs) == ["a[0]", "a[1]", "b[0]", "b[1]"] and one["B"] == "b[0]"


def test_hierarchy_is_flattened():
    text = """module pair(i, o); input i; output o; wire n; INV a (.A(i), .Y(n)); INV b (.A(n), .Y(o)); endmodule
      module top(x, y); input x; output y; wire m; pair p (.i(x), .o(m)); pair q (.i(m), .o(y)); endmodule"""
    found, cells = pins(text, "top")
    assert [item.name for item in found.instances] == ["p.a", "p.b", "q.a", "q.b"]
    assert cells[1]["Y"] == cells[2]["A"] and cells[3]["Y"] == "y"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("always @(posedge a) y <= a;", "not structural Verilog"),
        ("INV u (a, y);", "got ports by position; expected them by name, or a module or library with INV"),
        ("INV u (.A(a[7]), .Y(y));", "outside the net's declaration"),
        ("INV u (.A({a, a}), .Y(y));", "2 bits at pin A"),
        ("assign y = a + a;", "not structural Verilog"),
        ("m u (.a(a), .y(y));", "contains itself"),
    ],
)
def test_refusals(body, said):
    with pytest.raises(RunFailure, match=said):
        netlist.from_text(f"module m(a, y); input a; output y; {body} endmodule")


def test_an_inout_port_is_both():
    found, _ = pins("module m(inout [1:0] p, output y); INV u (.A(p[0]), .Y(y)); endmodule")
    assert list(found.inputs) == ["p[0]", "p[1]"] and list(found.outputs) == ["y", "p[0]", "p[1]"]


def test_hierarchy_that_doubles_is_refused(monkeypatch):
    monkeypatch.setattr("fpgen.timing.flatten._MOST_PLACED", 1000)
    text = "".join(f"module m{i}(a); input a; m{i + 1} u (.a(a)), v (.a(a)); endmodule\n" for i in range(60))
    with pytest.raises(RunFailure, match=r"netlist:\d+: instance .*: got more than 1000 instances of modules"):
        netlist.from_text(text + "module m60(a); input a; INV u (.A(a)); endmodule", "m0")


def test_very_deep_hierarchy_is_refused():
    deep = "".join(f"module m{i}(a); input a; m{i + 1} u (.a(a)); endmodule\n" for i in range(1500))
    with pytest.raises(RunFailure, match="module m200: got it 200 modules deep below m0; expected less than 200"):
        netlist.from_text(deep + "module m1500(a); input a; endmodule", "m0")
