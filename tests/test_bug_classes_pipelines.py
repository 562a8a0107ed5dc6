"""Bugs of pipelines and of tools that shipped elsewhere (classes 19 and 20), on the component and its Verilog.

The classes of arithmetic are in `test_bug_classes.py`.
"""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest
from amaranth.sim import Simulator
from rtl_cases import draw_inputs

import fpgen
from fpgen.base.errors import RunFailure
from fpgen.rtl import component
from fpgen.synthesis import yosys

# ---- 19: pipelines -------------------------------------------------------------------------------

PIPELINED = "add e5m2 e5m2 -> e5m2 port subtract=port stages=3 handshake=ready flags=on"


def simulate(text: str | None = None):
    """The Verilog of a pipelined unit (or another text for it) in cocotb; the mode changes with every operation."""
    return fpgen.parse_unit(PIPELINED).verify(vectors=2000, exhaustive=False, verilog=text, force=True)


def test_19_pipeline_keeps_operations_and_their_modes_together():
    verdict = simulate()
    assert verdict.passed, verdict.reason
    assert verdict.vectors > 2000 and {test.name.split()[0] for test in verdict.protocol} >= {
        "latency_is_exact",
        "reset_empties_the_pipeline",
        "back_pressure_loses_nothing",
    }


@pytest.mark.turns(2)
@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (r"rounding_s\d ==", "rounding =="),
        (r"(\w+_s2) <= (?!valid)(\w+)_s1;", r"\1 <= \2;"),
        pytest.param(r"if \(ready_s2\) begin(\n +(?!valid)\w+ <=)", r"if (1'b1) begin\1", marks=pytest.mark.full),
        pytest.param(r"valid_s2 <= valid_s1;", "valid_s2 <= 1'b1;", marks=pytest.mark.full),
        (r"end else if \(ready_s3\) begin(\n +valid_s3)", r"end else begin\1"),
    ],
    ids=[
        "mode_not_pipelined",
        "signal_from_the_stage_before",
        "overwritten_while_stalled",
        "operation_from_nowhere",
        "operation_lost_while_stalled",
    ],
)
def test_19_pipeline_bugs_are_found(good, bad):
    """FPnew 029dc52, b697764, #90, 330ebfa; YunSuan be02028, 9ae8dc5, each planted in the Verilog."""
    text, count = re.subn(good, bad, fpgen.parse_unit(PIPELINED).verilog(), count=1)
    assert count == 1
    assert not simulate(text).passed


@pytest.mark.parametrize("stages", [1, 2, 5])
@pytest.mark.parametrize(
    "text",
    [
        "fma e4m3fn e4m3fn fp16 -> fp16 port flags=on",
        "convert fp16 -> e3m2 sra random_bits=4",
        "multiply e4m3 int4 -> e5m2 port",
    ],
)
def test_19_a_different_operation_every_clock(text, stages):
    """Every operation with its own mode and random number, in the pipeline's own arithmetic model."""
    unit = dataclasses.replace(fpgen.parse_unit(text), stages=stages)
    inputs = draw_inputs(unit, 60, np.random.default_rng(stages))
    columns = {name: array[:60].tolist() for name, array in inputs.items()}
    dut, found = component(unit), []

    async def bench(ctx):
        for clock in range(60 + stages):
            for name, column in columns.items():
                ctx.set(getattr(dut, name), column[clock % 60])
            await ctx.delay(1e-9)
            found.append(ctx.get(dut.result))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    operands = [inputs[name][:60] for name in unit.operands]
    controls = {name: array[:60] for name, array in inputs.items() if name not in unit.operands}
    assert found[stages:] == unit.compute(*operands, **controls).codes.tolist()


# ---- 20: tools -----------------------------------------------------------------------------------

CHECK = """
read_verilog gate.v
hierarchy -check -top {top}
proc
select -assert-none t:$*latch*
check -assert
opt_clean
write_json netlist.json
"""


def unknown_bits(unit, text: str) -> list[str]:
    """Constants that are not 0 or 1 in the design that Yosys reads; raises when bits have no driver or several."""
    run = yosys.run_script(yosys.select(), CHECK.format(top=unit.name), {"gate.v": text}, ["netlist.json"], timeout=100)
    module = json.loads(run.files["netlist.json"])["modules"][unit.name]
    return [
        f"{name}.{port}"
        for name, cell in module["cells"].items()
        for port, bits in cell["connections"].items()
        if set(bits) & {"x", "z"}
    ]


@pytest.mark.parametrize(
    "text",
    [
        PIPELINED,
        "fma e4m3fn e4m3fn fp32 -> fp32 port flags=on",
        "mac e5m2 e5m2 -> fp32 loadable=on stages=3",
        "mac e4m3fn e4m3fn -> fp32 accumulate=exact terms=16",
        "multiply e2m0 e1m1 -> int8 flags=on",
        "convert fp32 -> e8m0 srb random_bits=7",
    ],
)
def test_20_nothing_is_undriven_or_unknown(text):
    """FPnew 8f8a7bf, 1def7bb, #24: undriven bits, latches and X mean one thing in simulation, another in synthesis."""
    unit = fpgen.parse_unit(text)
    assert unknown_bits(unit, unit.verilog()) == []


def test_20_undriven_and_unknown_bits_are_found():
    unit = fpgen.parse_unit("multiply e4m3fn e4m3fn -> fp16 flags=on")
    text = unit.verilog()
    undriven, count = re.subn(r"wire sign = .*?;", "wire sign;", text, count=1, flags=re.S)
    assert count == 1
    with pytest.raises(RunFailure):
        unknown_bits(unit, undriven)
    unknown, count = re.subn(r"wire sign = ", "wire sign = (a[0] & 1'bx) | ", text, count=1)
    assert count == 1
    assert unknown_bits(unit, unknown)


def test_20_registers_without_reset_do_not_show_through():
    """What a register held before reset, whatever it was, leaves no trace: FPnew #128.

    Verilator starts registers at random values; the first results after the latency are the golden ones.
    """
    unit = fpgen.parse_unit("mac e5m2 e5m2 -> fp16 stages=2 handshake=ready flags=on")
    verdict = unit.verify(vectors=1000, force=True)
    assert verdict.passed, verdict.reason
