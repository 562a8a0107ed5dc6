"""`handshake=axis`: a wrapper of wires with the signals of AXI4-Stream, through which everything is verified."""

from __future__ import annotations

import re

import pytest
from handoff_cases import by_icarus, copied_bundle, last_line, name_in, run, verilated
from test_handoff_lint import check, files_of, icarus, slang, verible, verilator

import fpgen
from fpgen import UsageError
from fpgen.synthesis import yosys
from fpgen.units.axis import axis_module, axis_pins

PLAIN = "multiply e2m1 e3m2 -> e4m3fn stages=2 handshake=axis"
FULL = (
    "fma e4m3fn e5m2 fp16 -> fp16 port stages=3 handshake=axis flags=on tag=3 enable=on flush=on reset=async "
    "reset_active=low"
)
MASKED = "dot e2m1 e2m1 n=3 + fp16 -> fp16 stages=1 handshake=axis mask=on"


def layout(unit):
    return {
        pin.name: [(field.port.name if field.port else None, field.low, field.width) for field in pin.fields]
        for pin in axis_pins(unit)
    }


def test_where_the_ports_lie():
    found = layout(fpgen.parse_unit(FULL))
    assert found == {
        "aclk": [("clk", 0, 1)],
        "aresetn": [("rst_n", 0, 1)],
        "aclken": [("enable", 0, 1)],
        "flush": [("flush", 0, 1)],
        "s_axis_tvalid": [("in_valid", 0, 1)],
        "s_axis_tready": [("in_ready", 0, 1)],
        "s_axis_tdata": [("a", 0, 8), ("b", 8, 8), ("c", 16, 16)],
        "s_axis_tuser": [("rounding", 0, 3), ("tag", 3, 3)],
        "m_axis_tvalid": [("out_valid", 0, 1)],
        "m_axis_tready": [("out_ready", 0, 1)],
        "m_axis_tdata": [("result", 0, 16)],
        "m_axis_tuser": [("flags", 0, 5), ("out_tag", 5, 3)],
    }
    assert layout(fpgen.parse_unit(PLAIN))["s_axis_tdata"] == [
        ("a", 0, 4),
        (None, 4, 4),
        ("b", 8, 6),
        (None, 14, 2),
    ]
    for text in (PLAIN, FULL, MASKED):  # tdata is bytes (IHI 0051A, 2.1)
        assert all(pin.width % 8 == 0 for pin in axis_pins(fpgen.parse_unit(text)) if pin.name.endswith("tdata"))


@pytest.mark.turns(2)
@pytest.mark.parametrize("text", [PLAIN, FULL, MASKED])
def test_the_simulation_goes_through_the_wrapper(text, monkeypatch):
    unit = fpgen.parse_unit(text)
    assert unit.verify(vectors=2000, exhaustive=False).passed
    monkeypatch.setattr(type(unit), "wrapper_verilog", lambda self: wrong_wrapper(self, text))
    assert not unit.verify(vectors=2000, exhaustive=False, force=True).passed


def wrong_wrapper(unit, text):
    """One bit of a result inverted on the way out."""
    from fpgen.verilog.axis_wrapper import axis_wrapper

    right = axis_wrapper(fpgen.parse_unit(text))
    wrong, count = re.subn(r"(assign m_axis_tdata = )", r"\1~", right)
    assert count == 1
    return wrong


@pytest.mark.turns(2)
@pytest.mark.parametrize("text", [PLAIN, FULL])
def test_the_bundle_s_testbench_goes_through_the_wrapper(text, tmp_path):
    where = copied_bundle(text, tmp_path)
    code, said = run([str(verilated(where))], where)
    assert code == 0 and last_line(said).startswith("PASS"), said
    code, said = by_icarus(where)
    assert code == 0, said
    wrapper = where / f"{name_in(where)}_axis.v"
    right = wrapper.read_text()
    for good, bad in (
        (r"\.b\(s_axis_tdata\[(\d+):8\]\)", r".b(~s_axis_tdata[\1:8])"),
        (r"\.in_valid\(s_axis_tvalid\)", ".in_valid(1'b1)"),
        (r"\.out_ready\(m_axis_tready\)", ".out_ready(1'b1)"),
    ):
        wrong, count = re.subn(good, bad, right)
        assert count == 1
        wrapper.write_text(wrong)
        code, said = by_icarus(where)
        assert code == 1 and last_line(said).startswith("FAIL"), (good, said)
        (where / "sim.vvp").unlink()


@pytest.mark.turns(2)
@pytest.mark.parametrize("text", [PLAIN, FULL, MASKED])
def test_no_linter_finds_anything(text, tmp_path):
    unit = fpgen.parse_unit(text)
    names = [*files_of(unit, tmp_path), f"{axis_module(unit)}.v"]
    design = [names[0], names[-1]]
    assert verible(tmp_path, names) == ""
    accepted, said = slang(tmp_path, names, f"{unit.name}_tb")
    assert accepted, said
    assert icarus(tmp_path, [*design, names[1]], f"{unit.name}_tb") == ""
    assert verilator(tmp_path, names, f"{unit.name}_tb") == ""
    assert verilator(tmp_path, design, axis_module(unit)) == ""
    check(unit.verilog() + unit.wrapper_verilog(), axis_module(unit))


def test_it_is_wires_only():
    """But for the inverter of a reset that is active high inside."""
    for text, cells in ((PLAIN, 1), (FULL, 0)):
        unit = fpgen.parse_unit(text)
        top = axis_module(unit)
        counts = [f"select -assert-count {cells} {top}/t:$not", f"select -assert-count {cells + 1} {top}/c:*"]
        script = ["read_verilog unit.v", f"hierarchy -top {top}", "proc", *counts]
        yosys.run_script(yosys.select(), script, {"unit.v": unit.verilog() + unit.wrapper_verilog()}, [])


@pytest.mark.parametrize("more", ["stages=0", "stages=2 reset=none"])
def test_what_axi_has_no_place_for(more):
    with pytest.raises(UsageError, match=r"^handshake=axis: got .*; expected stages of 1 or more and a reset"):
        fpgen.parse_unit(f"multiply e2m1 e2m1 -> e2m1 handshake=axis {more}")


def test_no_wrapper_without_it(tmp_path):
    unit = fpgen.parse_unit("multiply e2m1 e2m1 -> e2m1 stages=1 handshake=ready")
    assert unit.wrapper_verilog() == "" and axis_pins(unit) == ()
