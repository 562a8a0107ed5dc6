"""The waves of a datasheet are those of the Verilog, pin by pin and clock by clock."""

import json
import re

import numpy as np
import pytest
from handoff_cases import run
from sheet_cases import EVERYTHING

import fpgen
from fpgen.base.errors import MissingTool
from fpgen.golden.port_outputs import golden_outputs
from fpgen.handoff.sheet_model import Figure
from fpgen.handoff.sheet_timing import scenarios, timing
from fpgen.handoff.timing_waves import waves
from fpgen.handoff.wave_svg import wave_svg
from fpgen.simulate.tools import find_icarus
from fpgen.units import Role
from fpgen.vectors.layout import words

TITLES = ("Latency", "Handshake", "Stall", "Clock enable", "Flush", "Reset")


def operations(unit, count, seed=1):
    """For each port that travels: what is on its pins, operation by operation, and one that is of none."""
    rng = np.random.default_rng(seed)
    inputs = {}
    for port in unit.ports:
        if port.travels_in:
            shape = (count + 1, *((1,) if unit.stateful else ()), *port.shape)
            inputs[port.name] = rng.integers(0, 1 << port.element_width, shape, dtype=np.uint64)
    if "clear" in inputs:  # so that a result follows from its own operands
        inputs["clear"][:] = 1
    if "load" in inputs:
        inputs["load"][:] = 0
    everything = {**inputs, **golden_outputs(unit, inputs)}
    return {
        port.name: words(port, everything[port.name].reshape(-1, *port.shape))
        for port in unit.ports
        if port.travels_in or port.travels_out
    }


def bench(unit, lanes, numbers, clocks):
    """A testbench that shows the inputs of the lanes and prints the outputs at the end of every clock."""
    ports = unit.ports
    lines = ["module tb;"]
    lines += [f"{'reg' if port.is_input else 'wire'} [{port.width - 1}:0] {port.name};" for port in ports]
    lines.append(f"{unit.name} dut ({', '.join(f'.{port.name}({port.name})' for port in ports)});")
    lines += ["initial begin"]
    idle = {Role.CLOCK: 0, Role.ENABLE: 1, Role.FLUSH: 0, Role.HANDSHAKE: 0}
    for port in ports:
        if port.is_input:
            active = int(not port.active_low) if port.role is Role.RESET else idle.get(port.role, 0)
            lines.append(f"{port.name} = {int(port.name == 'out_ready') or active};")
    edge = ["#1 clk = 1;", "#1 clk = 0;"] if unit.clocked else ["#1;"]
    lines += edge * 2
    outputs = [port for port in ports if not port.is_input]
    for clock in range(clocks):
        for lane in lanes:
            if lane.port.is_input:
                value = lane.values[clock]
                if lane.carries:
                    value = numbers[lane.port.name][-1 if value is None else value - 1]
                lines.append(f"{lane.port.name} = {lane.port.width}'h{value:x};")
        lines.append(f'#1 $display("{" ".join("%h" for _ in outputs)}", {", ".join(port.name for port in outputs)});')
        lines += edge
    return "\n".join([*lines, "end", "endmodule", ""])


@pytest.mark.turns(3)
@pytest.mark.parametrize("text", EVERYTHING)
def test_waves_are_those_of_the_verilog(text, tmp_path):
    try:
        icarus = find_icarus()
    except MissingTool as error:
        pytest.skip(str(error))
    unit = fpgen.parse_unit(text)
    (tmp_path / "unit.v").write_text(unit.verilog())
    for scenario in scenarios(unit):
        lanes, clocks = waves(unit, scenario.around), scenario.around.clocks
        numbers = operations(unit, clocks)
        (tmp_path / "tb.v").write_text(bench(unit, lanes, numbers, clocks))
        code, said = run([icarus.compiler, "-g2001", "-o", "sim.vvp", "unit.v", "tb.v"], tmp_path)
        assert (code, said) == (0, ""), said
        code, said = run([icarus.runtime, "sim.vvp"], tmp_path)
        got = [line.split() for line in said.splitlines()]
        assert code == 0 and len(got) == clocks, said
        outputs = [lane for lane in lanes if not lane.port.is_input]
        for clock, row in enumerate(got):
            for lane, seen in zip(outputs, row, strict=True):
                value = lane.values[clock]
                if lane.carries and value is None:
                    continue
                expected = numbers[lane.port.name][value - 1] if lane.carries else value
                assert int(seen, 16) == expected, (scenario.title, clock, lane.port.name, value)


@pytest.mark.parametrize("text", EVERYTHING)
def test_wave_json_says_what_the_lanes_do(text):
    unit = fpgen.parse_unit(text)
    figures = [part for part in timing(unit).parts if isinstance(part, Figure)]
    drawn = list(scenarios(unit))
    assert [figure.title for figure in figures] == [scenario.title for scenario in drawn]
    for figure, scenario in zip(figures, drawn, strict=True):
        signals = json.loads(figure.source)["signal"]
        lanes = waves(unit, scenario.around)
        assert [signal["name"] for signal in signals] == [port.name for port in unit.ports]
        assert len({len(signal["wave"]) for signal in signals}) == 1
        for lane, signal in zip(lanes, signals[unit.clocked :], strict=True):
            wave, data = signal["wave"], iter(signal.get("data", ()))
            assert re.fullmatch(r"[x3-9|.]+" if lane.carries else r"[01|.]+", wave)
            boxes = [int(next(data)) for char in wave if char in "3456789"]
            assert next(data, None) is None and boxes == sorted(set(boxes))
            if "|" not in wave:
                assert set(boxes) == {value for value in lane.values if value is not None} or not lane.carries


def waves_of(text, title):
    unit = fpgen.parse_unit(text)
    scenario = next(scenario for scenario in scenarios(unit) if scenario.title == title)
    return {lane.port.name: lane.values for lane in waves(unit, scenario.around)}


def test_each_drawing_shows_what_it_is_about():
    text = "add fp16 fp16 -> fp16 stages=3 handshake=ready enable=on flush=on"
    unit = fpgen.parse_unit(text)
    assert tuple(scenario.title for scenario in scenarios(unit)) == TITLES
    shown = waves_of(text, "Latency")
    assert shown["a"][:4] == (1, 2, 3, None) and shown["result"] == (None, None, None, 1, 2, 3, None)
    shown = waves_of(text, "Stall")
    assert shown["in_ready"] == (1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1) and shown["result"][3:9] == (1, 2, 2, 2, 2, 3)
    assert shown["a"][4:9] == (5, 5, 5, 5, 6)
    shown = waves_of(text, "Clock enable")
    assert shown["out_valid"] == (0, 0, 0, 0, 0, 1, 1, 1, 0) and shown["in_ready"][2:4] == (0, 0)
    assert [value for value in waves_of(text, "Flush")["result"] if value] == [3]
    assert [value for value in waves_of(text, "Reset")["result"] if value] == [3]
    plain = fpgen.parse_unit("add fp16 fp16 -> fp16 stages=3")
    assert [scenario.title for scenario in scenarios(plain)] == ["Latency"]


def test_long_pipelines_leave_clocks_out():
    unit = fpgen.parse_unit("add e4m3fn e4m3fn -> fp16 stages=12 handshake=valid")
    figure = next(part for part in timing(unit).parts if isinstance(part, Figure))
    signals = {signal["name"]: signal for signal in json.loads(figure.source)["signal"]}
    assert signals["clk"]["wave"] == "p.....|....." and signals["result"]["wave"] == "x.....|.345x"
    assert "..." in figure.text and figure.text.splitlines()[0].split()[-5:] == ["11", "12", "13", "14", "15"]


def test_the_drawing_has_every_lane_and_box():
    source = '{"signal": [{"name": "clk", "wave": "p.|."}, {"name": "<a>", "wave": "x3|.", "data": ["7&8"]}]}'
    drawn = wave_svg(source, "T")
    assert "&lt;a&gt;" in drawn and "7&amp;8" in drawn and "<title>T</title>" in drawn
    assert "id=" not in drawn, "several drawings stand in one file"
