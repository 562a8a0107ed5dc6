"""Multiply-accumulate: the graph, stepped through streams of products, equals the golden model at every step."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from golden_cases import EXTREMES, draw_codes, draw_controls, draw_options
from portions import some
from rtl_cases import SMALL, every

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import Class, Format, parse
from fpgen.rtl.datapath import datapath
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.trim import trim
from fpgen.units import MultiplyAccumulate
from fpgen.units.options import Flags

SHORT_EXTREMES = [name for name in EXTREMES if parse(name).bits <= 14 and parse(name).exponent_bits <= 7]


def step_through(unit: MultiplyAccumulate, inputs: dict[str, np.ndarray], start: dict[str, int] | None = None):
    """Results and flags of the graph for streams of shape (streams, steps), the registers 0 before the first."""
    graph = trim(datapath(unit))
    streams, steps = next(iter(inputs.values())).shape
    state = {str(node.value): np.full(streams, (start or {}).get(str(node.value), 0), object) for node in graph.states}
    codes, flags = np.zeros((streams, steps), np.uint64), np.zeros((streams, steps), np.uint64)
    for step in range(steps):
        found = evaluate(graph, **{name: array[:, step] for name, array in inputs.items()}, **state)
        state = {name: np.broadcast_to(found[f"next_{name}"], streams) for name in state}
        codes[:, step] = found["result"].astype(np.uint64)
        if unit.flags:
            flags[:, step] = found["flags"].astype(np.uint64)
    return codes, flags


def assert_equals_golden(unit: MultiplyAccumulate, inputs: dict[str, np.ndarray]):
    codes, flags = step_through(unit, inputs)
    operands = [inputs[name] for name in unit.operands]
    golden = unit.compute(*operands, **{name: array for name, array in inputs.items() if name not in unit.operands})
    wrong = codes != golden.codes
    if unit.flags:
        wrong |= flags != golden.flags
    assert not wrong.any(), f"{unit}: {wrong.sum()} of {wrong.size} differ; first " + _describe(
        inputs, codes, flags, golden, tuple(np.argwhere(wrong)[0])
    )


def _describe(inputs, codes, flags, golden, at) -> str:
    stream, step = at
    given = {
        name: [hex(int(code)) for code in array[stream, max(0, step - 1) : step + 1]] for name, array in inputs.items()
    }
    return (
        f"at {at} {given}: hardware {int(codes[at]):#x} flags {int(flags[at])}, "
        f"golden {int(golden.codes[at]):#x} flags {int(golden.flags[at])}"
    )


def tame(fmt: Format, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Most infinities and NaNs, which end every sum, replaced."""
    special = np.array([fmt.classify(int(code)) >= Class.INFINITY for code in codes.reshape(-1)]).reshape(codes.shape)
    return np.where(special & (rng.random(codes.shape) < 0.97), np.uint64(1), codes)


def draw(accumulate: str, names: list[str], seed: int, shape=(40, 12)):
    """A unit on formats `names` (a, b, out) with options drawn, and streams for it."""
    rng = np.random.default_rng(seed)
    out = parse(names[-1])
    options = draw_options(out, rng, "port" if rng.random() < 0.5 else None)
    options["flags"] = bool(rng.random() < 0.7)
    if accumulate == "exact":
        options["terms"] = int(rng.choice([1, 3, 60, 1024]))
    else:
        options["loadable"] = bool(rng.integers(2))
    unit = MultiplyAccumulate(a=names[0], b=names[1], out=out, accumulate=accumulate, **options)
    count = shape[0] * shape[1]
    inputs = {name: tame(fmt, draw_codes(fmt, count, rng).reshape(shape), rng) for name, fmt in unit.operands.items()}
    inputs |= draw_controls(unit, shape, rng, clear=float(rng.choice([0.02, 0.1, 0.4])))
    if "c" in inputs:
        inputs["c"] = tame(out, inputs["c"], rng)
    return unit, inputs


@pytest.mark.turns(2)
@pytest.mark.parametrize("accumulate", ["float", "exact"])
@pytest.mark.parametrize("name", some(SMALL, 3))
def test_streams_of_the_catalogue(name, accumulate):
    """Every small format as operand and as accumulator, with clear and load; some streams run without a clear."""
    others = ["fp32", "e5m2", "int8", "fp16"]
    for seed, names in enumerate(([name, name, name], [name, others[len(name) % 4], "fp32"])):
        try:
            unit, inputs = draw(accumulate, names, seed)
        except UsageError as error:
            assert "no zero" in str(error)
            continue
        assert_equals_golden(unit, inputs)


@pytest.mark.turns(3)
@pytest.mark.parametrize("accumulate", ["float", "exact"])
@pytest.mark.parametrize("name", SHORT_EXTREMES)
def test_streams_of_extreme_formats(name, accumulate):
    for seed, names in enumerate(([name, "e2m1", "fp16"], ["e4m3", "int4", name])):
        try:
            unit, inputs = draw(accumulate, names, seed, (20, 10))
        except UsageError as error:
            assert "no zero" in str(error)
            continue
        assert_equals_golden(unit, inputs)


@pytest.mark.full
@pytest.mark.parametrize("accumulate", ["float", "exact"])
@pytest.mark.parametrize("block", range(10))
def test_many_streams(block, accumulate):
    pool = [*SMALL, "fp16", "bf16", "fp32", "int12:scale=-5", *SHORT_EXTREMES]
    for seed in range(40 * block, 40 * block + 40):
        rng = np.random.default_rng(seed)
        names = [str(name) for name in rng.choice(pool, 3)]
        if accumulate == "float" and not parse(names[-1]).zero:
            continue
        assert_equals_golden(*draw(accumulate, names, seed, (60, 20)))


@pytest.mark.parametrize(
    "text",
    [
        "mac e5m2 e5m2 -> fp32 accumulate=float",
        "mac e4m3fn e4m3fn -> fp32 accumulate=exact terms=64",
        "mac bf16 bf16 -> fp32 loadable=on",
        "mac int8 int8 -> int32 accumulate=exact",
        "mac fp16 fp16 -> fp32",
        "mac e2m1 e2m1 -> fp16 accumulate=exact terms=32",
        "mac fp32 fp32 -> fp32",
    ],
)
def test_famous_units(text):
    rng = np.random.default_rng(17)
    unit = dataclasses.replace(fpgen.parse_unit(text), rounding="port", flags=True)
    shape = (60, 14) if unit.a.bits < 20 else (30, 8)
    inputs = {
        name: tame(fmt, draw_codes(fmt, shape[0] * shape[1], rng).reshape(shape), rng)
        for name, fmt in unit.operands.items()
    } | draw_controls(unit, shape, rng)
    assert_equals_golden(unit, inputs)


@pytest.mark.parametrize("accumulate", ["float", "exact"])
def test_every_pair_of_products(accumulate):
    """Two steps of E2M1 on all codes, cleared before, between or never: the second result sees the first."""
    inputs = every({"a0": 4, "b0": 4, "a1": 4, "b1": 4, "clear": 1})
    unit = MultiplyAccumulate(a="e2m1", b="e2m1", out="e3m2", accumulate=accumulate, flags=True)
    count = len(inputs["clear"])
    streams = {
        "a": np.stack([inputs["a0"], inputs["a1"]], axis=1),
        "b": np.stack([inputs["b0"], inputs["b1"]], axis=1),
        "clear": np.stack([np.ones(count, np.uint64), inputs["clear"]], axis=1),
    }
    assert_equals_golden(unit, streams)


# ---- the controls --------------------------------------------------------------------------------


def run(text: str, *steps: dict[str, int], start: dict[str, int] | None = None) -> list[tuple[int, Flags]]:
    """(code, flags) after each step; controls that are not given are 0."""
    unit = dataclasses.replace(fpgen.parse_unit(text), flags=True)
    ports = [port.name for port in unit.ports if port.travels_in]
    inputs = {name: np.array([[step.get(name, 0) for step in steps]], np.uint64) for name in ports}
    codes, flags = step_through(unit, inputs, start)
    return [(int(code), Flags(int(flag))) for code, flag in zip(codes[0], flags[0], strict=True)]


ONE, TWO = 0x3C, 0x40  # e5m2


@pytest.mark.parametrize("accumulate", ["float", "exact"])
def test_clear_starts_a_sum_with_its_product(accumulate):
    """`base` is zero when `clear` is high: the old sum is gone and the product counts."""
    results = run(
        f"mac e5m2 e5m2 -> fp16 accumulate={accumulate}",
        {"a": ONE, "b": ONE},
        {"a": ONE, "b": ONE},
        {"a": TWO, "b": TWO, "clear": 1},
        {"a": ONE, "b": TWO},
    )
    assert [code for code, _ in results] == [0x3C00, 0x4000, 0x4400, 0x4600]


def test_load_starts_a_sum_from_c_and_wins_over_clear():
    results = run(
        "mac e5m2 e5m2 -> fp16 loadable=on",
        {"a": ONE, "b": ONE, "load": 1, "c": 0x4400, "clear": 1},
        {"a": ONE, "b": ONE, "load": 1, "c": 0x3C00},
        {"a": ONE, "b": ONE, "c": 0x7C00},
    )
    assert [code for code, _ in results] == [0x4500, 0x4000, 0x4200]


def test_an_exact_sum_keeps_what_a_float_accumulator_loses():
    """2**15 + 2**-16 - 2**15 in E5M2 products: the exact register returns the small one."""
    big, small, one = 0x78, 0x01, ONE
    steps = ({"a": big, "b": one, "clear": 1}, {"a": small, "b": one}, {"a": big | 0x80, "b": one})
    assert run("mac e5m2 e5m2 -> fp16 accumulate=exact", *steps)[-1] == (0x0100, Flags(0))
    assert run("mac e5m2 e5m2 -> fp16 accumulate=float", *steps)[-1] == (0x0000, Flags(0))
    assert run("mac e5m2 e5m2 -> fp16 accumulate=float", *steps)[1] == (0x7800, Flags.NX)


def test_an_exact_register_holds_as_many_largest_products_as_it_says():
    """`terms` products of the largest magnitude, of either sign, and not one bit more than needed."""
    for terms in (1, 5, 7, 8):
        unit = MultiplyAccumulate(a="e2m1", b="int4", out="fp32", accumulate="exact", terms=terms)
        largest = 6 * 8  # 6 and -8; one unit of the register is 0.5
        assert (1 << (unit.register_bits - 1)) > terms * largest * 2 >= (1 << (unit.register_bits - 2))
        for sign in (0x7, 0xF):
            steps = [{"a": sign, "b": 0x8, "clear": int(i == 0)} for i in range(terms)]
            code, _ = run(unit.text, *steps)[-1]
            assert float(parse("fp32").value(code)) == (-1 if sign == 0x7 else 1) * terms * largest


@pytest.mark.parametrize("accumulate", ["float", "exact"])
def test_infinity_and_nan_stay_until_the_next_clear(accumulate):
    inf = 0x7C
    results = run(
        f"mac e5m2 e5m2 -> fp16 accumulate={accumulate}",
        {"a": inf, "b": ONE, "clear": 1},
        {"a": ONE, "b": ONE},
        {"a": inf, "b": ONE | 0x80},
        {"a": ONE, "b": ONE},
        {"a": ONE, "b": ONE, "clear": 1},
    )
    assert results == [
        (0x7C00, Flags(0)),
        (0x7C00, Flags(0)),
        (0x7E00, Flags.NV),
        (0x7E00, Flags(0)),
        (0x3C00, Flags(0)),
    ]


@pytest.mark.parametrize("accumulate", ["float", "exact"])
def test_a_clear_forgets_whatever_the_registers_held(accumulate):
    """The first clear after power-up makes the sum right, whatever was in the registers before."""
    text = f"mac e5m2 e5m2 -> fp16 accumulate={accumulate}"
    states = [(str(node.value), node.width) for node in datapath(fpgen.parse_unit(text)).states]
    rng = np.random.default_rng(0)
    steps = ({"a": ONE, "b": TWO, "clear": 1}, {"a": ONE, "b": ONE})
    for _ in range(20):
        start = {name: int(rng.integers(0, 1 << min(width, 62))) for name, width in states}
        assert [code for code, _ in run(text, *steps, start=start)] == [0x4000, 0x4200]
