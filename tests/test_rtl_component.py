"""The Amaranth component: its pins, its arithmetic, its handshake."""

import random

import pytest
from amaranth.sim import Simulator

from fpgen.rtl import component
from fpgen.rtl.datapath import datapath
from fpgen.rtl.elaboration import to_rtlil
from fpgen.rtl.evaluate import evaluate
from fpgen.units.add import Add
from fpgen.units.convert import Convert
from fpgen.units.fma import FusedMultiplyAdd
from fpgen.units.multiply import Multiply

UNITS = [
    Multiply(a="e4m3", b="e5m2", out="fp16", flags=True),
    Add(a="bf16", b="bf16", out="bf16", subtract="port", rounding="port"),
    FusedMultiplyAdd(a="e4m3fn", b="e4m3fn", c="fp16", out="fp16"),
    Convert(source="fp16", out="e4m3fn", rounding="sra", random_bits=5),
]


def with_options(unit, **options):
    import dataclasses

    return dataclasses.replace(unit, **options)


def stimulus(unit, count: int, seed: int = 1) -> list[dict[str, int]]:
    rng = random.Random(seed)
    pins = [port for port in unit.ports if port.travels_in]
    return [{port.name: rng.randrange(1 << port.width) for port in pins} for _ in range(count)]


def expected(unit, vectors) -> list[dict[str, int]]:
    columns = {name: [vector[name] for vector in vectors] for name in vectors[0]}
    outputs = evaluate(datapath(unit), **columns)
    return [{name: int(values[i]) for name, values in outputs.items()} for i in range(len(vectors))]


def results(ctx, dut, unit):
    return {port.name: ctx.get(getattr(dut, port.name)) for port in unit.ports if port.travels_out}


def drive(ctx, dut, vector):
    for name, value in vector.items():
        ctx.set(getattr(dut, name), value)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_combinational(unit):
    vectors = stimulus(unit, 200)
    want = expected(unit, vectors)
    dut = component(unit)
    found = []

    async def bench(ctx):
        for vector in vectors:
            drive(ctx, dut, vector)
            await ctx.delay(1e-9)
            found.append(results(ctx, dut, unit))

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
    assert found == want


@pytest.mark.parametrize("stages", [1, 2, 4])
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_one_result_a_clock_after_the_latency(unit, stages):
    unit = with_options(unit, stages=stages)
    vectors = stimulus(unit, 60)
    want = expected(unit, vectors)
    dut = component(unit)
    found = []

    async def bench(ctx):
        for vector in vectors + [vectors[0]] * stages:
            drive(ctx, dut, vector)
            await ctx.delay(1e-9)
            found.append(results(ctx, dut, unit))
            await ctx.tick()

    run(dut, bench)
    assert found[stages:] == want


def run(dut, bench):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("stages", [0, 1, 3])
@pytest.mark.parametrize("busy", [1.0, 0.6, 0.2])
def test_back_pressure_loses_nothing(stages, busy):
    unit = with_options(UNITS[0], stages=stages, handshake="ready")
    vectors = stimulus(unit, 80)
    want = expected(unit, vectors)
    rng = random.Random(repr((stages, busy)))
    dut = component(unit)
    found, clocks = [], 0

    async def bench(ctx):
        nonlocal clocks
        sent = 0
        while len(found) < len(vectors) and clocks < 3000:
            offered = sent < len(vectors) and rng.random() < busy
            ctx.set(dut.in_valid, int(offered))
            if offered:
                drive(ctx, dut, vectors[sent])
            ctx.set(dut.out_ready, int(rng.random() < busy))
            await ctx.delay(1e-9)
            if offered and ctx.get(dut.in_ready):
                sent += 1
            if ctx.get(dut.out_valid) and ctx.get(dut.out_ready):
                found.append(results(ctx, dut, unit))
            clocks += 1
            if stages:
                await ctx.tick()

    if stages:
        run(dut, bench)
    else:
        simulator = Simulator(dut)
        simulator.add_testbench(bench)
        simulator.run()
    assert found == want
    if busy == 1.0:
        assert clocks == len(vectors) + stages  # full throughput


def test_bubbles_collapse():
    unit = with_options(UNITS[0], stages=3, handshake="ready")
    dut = component(unit)
    taken = 0

    async def bench(ctx):
        nonlocal taken
        ctx.set(dut.out_ready, 0)
        for clock in range(12):
            ctx.set(dut.in_valid, int(clock % 3 == 0))
            await ctx.delay(1e-9)
            taken += clock % 3 == 0 and ctx.get(dut.in_ready)
            await ctx.tick()

    run(dut, bench)
    assert taken == 3  # one operation in each rank, with nothing leaving


def test_valid_travels_with_the_data():
    unit = with_options(UNITS[2], stages=3, handshake="valid")
    vectors = stimulus(unit, 40)
    want = expected(unit, vectors)
    rng = random.Random(5)
    dut = component(unit)
    found = []

    async def bench(ctx):
        pending = list(vectors)
        for _ in range(200):
            offered = bool(pending) and rng.random() < 0.5
            ctx.set(dut.in_valid, int(offered))
            if offered:
                drive(ctx, dut, pending.pop(0))
            await ctx.delay(1e-9)
            if ctx.get(dut.out_valid):
                found.append(results(ctx, dut, unit))
            await ctx.tick()

    run(dut, bench)
    assert found == want


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stages": 2},
        {"stages": 2, "handshake": "valid"},
        {"stages": 1, "handshake": "ready"},
        {"stages": 0, "handshake": "ready"},
    ],
    ids=str,
)
def test_rtlil_has_exactly_the_pins(options):
    unit = with_options(UNITS[0], **options)
    text = to_rtlil(unit)
    assert f"module \\{unit.name}\n" in text
    found = {}
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["wire"] and ("input" in words or "output" in words):
            found[words[-1].lstrip("\\")] = (int(words[words.index("width") + 1]), "input" in words)
    assert found == {port.name: (port.width, port.is_input) for port in unit.ports}
