"""The scheduler: legal, tight, frugal with registers, and clear about what it cannot do."""

import itertools
import random

import pytest

from fpgen.base.errors import UsageError
from fpgen.rtl import graph_of, pipeline_for
from fpgen.rtl.delays import SETUP
from fpgen.rtl.graph import WIRING, Graph
from fpgen.rtl.pipeline import build, mask_runs
from fpgen.rtl.registers import place
from fpgen.rtl.schedule import alap, asap, reached, schedule, smallest_period
from fpgen.rtl.steps import Steps
from fpgen.rtl.trim import trim
from fpgen.rtl.wiring import readers, sources
from fpgen.units.add import Add
from fpgen.units.fma import FusedMultiplyAdd
from fpgen.units.multiply import Multiply


def chain(length: int, width: int = 8) -> Graph:
    g = Graph()
    x = g.input("x", width)
    for i in range(length):
        x = g.step(f"step_{i}", g.add(x, g.input(f"y{i}", width)))
    g.output("result", x)
    return g


def random_graph(seed: int, size: int) -> Graph:
    rng = random.Random(seed)
    g = Graph()
    values = [g.input(name, rng.randint(1, 6)) for name in "abcd"]
    for _ in range(size):
        x, y = rng.choice(values), rng.choice(values)
        width = min(x.width, y.width)
        x, y = x[:width], y[x.width - width if y.width > x.width else 0 :][:width].fit(width)
        kind = rng.randrange(8)
        if kind == 0:
            value = g.add(x, y)
        elif kind == 1:
            value = x & y
        elif kind == 2:
            value = x ^ ~y
        elif kind == 3:
            value = g.mux(rng.choice(values)[0], x, y)
        elif kind == 4:
            value = g.cat(x, y)[: min(6, 2 * width)]
        elif kind == 5:
            value = x | y
        elif kind == 6:
            value = x & rng.randrange(1 << width)
        else:
            value = x | rng.randrange(1 << width)
        values.append(value)
    g.output("result", g.cat(*values[-4:]))
    return g


def bits(steps: Steps, stage: list[int], stages: int) -> int:
    total = 0
    for net in steps.nets:
        last = stages if net.to_output else max(stage[i] for i in net.readers)
        total += net.width * max(0, last - stage[net.driver] - net.held)
    return total


def legal(steps: Steps, stage: list[int], stages: int, period: float) -> bool:
    forward = all(stage[j] <= stage[i] for i, edges in enumerate(steps.preds) for j, _ in edges)
    inside = all(0 <= s <= stages for s in stage)
    pins = all(stage[i] == 0 for i in range(len(stage)) if steps.is_input[i])
    return forward and inside and pins and reached(steps, stage, stages) <= period


def test_stages_0_is_combinational():
    plan = schedule(chain(4), stages=0)
    assert plan.stages == 0 and set(plan.stage.values()) == {0}


@pytest.mark.parametrize("stages", [1, 2, 3, 5])
def test_balanced_over_a_chain(stages):
    pipeline = build(chain(6, width=200), stages=stages)  # steps that take longer than registers do
    per_stage = [len(steps) for steps in pipeline.steps]
    assert sum(per_stage) == 6 and max(per_stage) - min(per_stage) <= 1


@pytest.mark.parametrize("seed", range(12))
def test_fewest_bits_of_all_legal_schedules(seed):
    """Against every assignment of stages, tried one by one."""
    g = random_graph(seed, 7)
    steps, stages = Steps(g), 2
    period = smallest_period(steps, stages) * 1.01
    free = [i for i in range(len(steps.nodes)) if not steps.is_input[i]]
    best = None
    for choice in itertools.product(range(stages + 1), repeat=len(free)):
        stage = [0] * len(steps.nodes)
        for i, s in zip(free, choice, strict=True):
            stage[i] = s
        if legal(steps, stage, stages, period):
            cost = bits(steps, stage, stages)
            best = cost if best is None else min(best, cost)
    found = place(steps, stages, period)
    assert legal(steps, found, stages, period)
    assert bits(steps, found, stages) == best


@pytest.mark.parametrize("stages", [1, 2, 4, 6])
@pytest.mark.parametrize(
    "unit",
    [
        Multiply(a="fp16", b="fp16", out="fp16"),
        Add(a="bf16", b="bf16", out="bf16", flags=True),
        FusedMultiplyAdd(a="fp32", b="fp32", c="fp32", out="fp32"),
    ],
    ids=lambda unit: unit.name,
)
def test_real_units_meet_the_period_with_fewer_bits_than_asap(unit, stages):
    steps = Steps(graph_of(unit))
    period = smallest_period(steps, stages) * 1.01
    found, earliest, latest = place(steps, stages, period), asap(steps, period, stages), alap(steps, period, stages)
    assert legal(steps, found, stages, period)
    assert legal(steps, earliest, stages, period)
    assert all(low <= s <= high for low, s, high in zip(earliest, found, latest, strict=True))
    assert bits(steps, found, stages) < bits(steps, earliest, stages)


def test_condensed_steps_reach_the_same_period(monkeypatch):
    from fpgen.rtl import steps as module

    graph = graph_of(FusedMultiplyAdd(a="fp32", b="fp32", c="fp32", out="fp32"))
    monkeypatch.setattr(module, "CONDENSE_ABOVE", 0)
    condensed = Steps(graph)
    monkeypatch.setattr(module, "CONDENSE_ABOVE", 10**9)
    fine = Steps(graph)
    assert len(condensed.nodes) < 0.9 * len(fine.nodes)
    for stages in (1, 3):
        assert smallest_period(condensed, stages) < 1.06 * smallest_period(fine, stages)


def test_register_bits_are_those_that_are_read_later():
    g = Graph()
    a, b = g.input("a", 16), g.input("b", 16)
    product = g.step("product", a.mul(b))
    g.output("result", g.step("total", g.add(product[8:20], a[:12])))
    pipeline = build(g, stages=1, period=None)
    held = {(register.source.name, register.low, register.high) for register in pipeline.ranks[0]}
    assert held == {("total", 0, 12)} or held == {("product", 8, 20), ("a", 0, 12)}
    assert pipeline.register_bits == sum(high - low for _, low, high in held)


def test_constants_and_wires_take_no_registers():
    g = Graph()
    x = g.input("x", 4)
    y = g.step("y", g.add(x, g.const(5, 4)))
    g.output("result", g.cat(g.const(3, 2), y[2:], y[:2]))
    pipeline = build(g, stages=1)
    assert pipeline.register_bits == 4


def test_every_read_finds_its_bits():
    pipeline = pipeline_for(FusedMultiplyAdd(a="fp16", b="fp16", c="fp32", out="fp32", stages=4, flags=True))
    for reader, arg in readers(pipeline.graph):
        stage = pipeline.stages if isinstance(reader, str) else pipeline.stage_of(reader)
        for source, low, high in sources(arg):
            if source.op != "const":
                pieces = pipeline.read(source, low, high, stage)
                assert sum(piece.high - piece.low for piece in pieces) == high - low


def accumulator(length: int) -> Graph:
    """acc = acc + f(x), with work before and after the loop."""
    g = Graph()
    x = g.input("x", 8)
    for i in range(length):
        x = g.step(f"before_{i}", g.add(x, g.input(f"y{i}", 8)))
    acc = g.state("acc", 8)
    total = g.step("total", g.add(acc, x))
    g.next_state(acc, total)
    for i in range(length):
        total = g.step(f"after_{i}", g.add(total, total))
    g.output("result", total)
    return g


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_a_loop_stands_in_one_stage_and_its_state_is_the_rank(stages):
    pipeline = build(accumulator(3), stages=stages)
    nodes = {node.name: node for node in pipeline.graph.live() if node.name}
    loop = pipeline.stage_of(nodes["total"])
    assert pipeline.stage_of(nodes["acc"]) == loop < stages
    assert all(register.source.name != "total" for register in pipeline.ranks[loop])
    if stages == 1:
        assert pipeline.register_bits == 8  # the accumulator is the only rank


def test_next_state_straight_from_an_input():
    g = Graph()
    x = g.input("x", 4)
    state = g.state("held", 4)
    g.next_state(state, x)
    y = g.step("y", g.add(state, x))
    g.output("result", g.step("z", g.add(y, y)))
    pipeline = build(g, stages=2)
    assert pipeline.stages == 2


def test_period_takes_the_fewest_stages():
    graph = chain(6, width=200)
    steps = Steps(graph)
    for stages in (1, 2, 3):
        period = smallest_period(steps, stages)
        assert schedule(graph, period=period).stages <= stages
        assert schedule(graph, period=period - SETUP).stages > stages
    assert schedule(graph, period=10**6).stages == 0


def test_an_impossible_period_says_what_is_possible():
    with pytest.raises(
        UsageError, match=r"period: got 50; expected at least \d+ ps, the smallest possible for this unit"
    ):
        schedule(chain(6), period=50)


def test_more_stages_than_steps():
    with pytest.raises(UsageError, match=r"stages: got 7; expected 0 to 6, since this unit has 6 steps in sequence"):
        schedule(chain(6), stages=7)


def test_a_state_needs_a_stage():
    with pytest.raises(UsageError, match=r"stages: got 0; expected 1 to 3"):
        schedule(accumulator(1), stages=0)


def test_mask_runs():
    assert mask_runs(0b1101110) == [(1, 4), (5, 7)]
    assert mask_runs(0) == []


@pytest.mark.parametrize("seed", range(40))
def test_trim_keeps_the_function(seed):
    from fpgen.rtl.evaluate import evaluate

    g = random_graph(100 + seed, 25)
    g.output("result", g.outputs["result"][1:3])
    trimmed = trim(g)
    rng = random.Random(seed)
    inputs = {name: [rng.randrange(1 << node.width) for _ in range(200)] for name, node in g.inputs.items()}
    assert (evaluate(g, **inputs)["result"] == evaluate(trimmed, **inputs)["result"]).all()
    sizes = [sum(n.width for n in graph.live() if n.op not in WIRING) for graph in (trimmed, g)]
    assert sizes[0] <= sizes[1]
