"""Stimulus: reproducible, complete where it says so, and aimed where units go wrong."""

import numpy as np
import pytest

import fpgen
from fpgen.base.errors import UsageError
from fpgen.golden.port_outputs import golden_outputs
from fpgen.units import Flags
from fpgen.vectors.layout import Layout
from fpgen.vectors.patterns import corner_codes, encode, fraction_of, measure
from fpgen.vectors.stimulus import plan

EXTREMES = [
    "e2m0:inf=none,nan=none",
    "e1m1:inf=none,nan=none",
    "e7m0:inf=top,nan=negzero",
    "e2m7:inf=ieee,nan=ieee",
    "e8m0",
    "ue4m3",
    "int4",
    "uint8",
    "mxint8",
    "fp64",
    "int32",
]


def test_exhaustive_is_every_code_once():
    whole = plan(fpgen.parse_unit("multiply e2m1 e2m1 -> e2m1 port"))
    assert whole.method == "exhaustive" and whole.vectors == 1 << 11
    seen = [
        sum(chunk.inputs[p.name].astype(int) << s for p, s in zip(whole.ports, (0, 4, 8), strict=True))
        for chunk in whole.chunks()
    ]
    assert sorted(np.concatenate(seen).tolist()) == list(range(1 << 11))


def test_the_limit_of_exhaustive_is_2_to_the_24():
    assert plan(fpgen.parse_unit("fma e4m3fn e4m3fn e4m3fn -> e4m3fn")).method == "exhaustive"
    assert plan(fpgen.parse_unit("fma e4m3fn e4m3fn e4m3fn -> e4m3fn port")).method == "sampled"


@pytest.mark.parametrize(
    "text",
    [
        "fma fp32 fp32 fp32 -> fp32 port flags=on",
        "add bf16 int8 -> fp32 subtract=port",
        "mac e5m2 e5m2 -> fp16 loadable=on",
        "mac int8 int8 -> fp32 accumulate=exact terms=5",
    ],
)
def test_vectors_are_the_same_from_the_same_seed_and_found_by_index(text):
    one, two = (plan(fpgen.parse_unit(text), vectors=5000, seed=7) for _ in range(2))
    total = 0
    for left, right in zip(one.chunks(), two.chunks(), strict=True):
        assert left.start == total
        total += left.count
        for name in left.inputs:
            assert np.array_equal(left.inputs[name], right.inputs[name])
        index = left.start + left.count // 3
        family, inputs = one.find(index)
        assert family == left.family
        for name, array in inputs.items():
            assert array.ravel()[-1] == left.inputs[name].ravel()[left.count // 3]
    assert total == one.vectors


def test_another_seed_gives_other_vectors():
    unit = fpgen.parse_unit("multiply fp32 fp32 -> fp32")
    one, two = ([chunk.inputs["a"] for chunk in plan(unit, seed=seed, vectors=2000).chunks()][-1] for seed in (1, 2))
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("vectors", [0, -1])
def test_zero_vectors_are_refused(vectors):
    with pytest.raises(UsageError, match="at least 1"):
        plan(fpgen.parse_unit("multiply fp32 fp32 -> fp32"), vectors=vectors)


def test_an_accumulator_cannot_be_exhaustive():
    with pytest.raises(UsageError, match="accumulator"):
        plan(fpgen.parse_unit("mac e2m1 e2m1 -> fp16"), exhaustive=True)
    with pytest.raises(UsageError, match="one of them"):
        plan(fpgen.parse_unit("add e2m1 e2m1 -> e2m1"), exhaustive=True, vectors=10)


@pytest.mark.turns(2)
@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize(
    "pattern",
    [
        "multiply {f} {f} -> {f}",
        "add {f} fp16 -> {f}",
        "fma {f} {f} fp16 -> fp16",
        "convert {f} -> fp32",
        "convert fp32 -> {f}",
    ],
)
def test_every_family_gives_codes_for_every_kind_of_format(name, pattern):
    unit = fpgen.parse_unit(pattern.format(f=name))
    for chunk in plan(unit, vectors=2000, exhaustive=False).chunks():
        for port in unit.operands:
            assert int(chunk.inputs[port].max()) < 1 << unit.operands[port].bits


def test_directed_families_reach_the_events_they_are_named_after():
    unit = fpgen.parse_unit("fma fp32 fp32 fp32 -> fp32 port flags=on")
    raised = {}
    for chunk in plan(unit, vectors=2000).chunks():
        flags = golden_outputs(unit, chunk.inputs)["flags"]
        total, count = raised.get(chunk.family, (np.zeros(5), 0))
        raised[chunk.family] = (
            total + [(flags & flag != 0).sum() for flag in (Flags.NX, Flags.UF, Flags.OF, Flags.DZ, Flags.NV)],
            count + flags.size,
        )
    share = {name: total / count for name, (total, count) in raised.items()}
    assert 0.2 < share["overflow_boundary"][2] < 0.8
    assert 0.1 < share["underflow_boundary"][1] < 0.9
    assert share["subnormal_results"][1] > 0.5
    assert 0.1 < share["cancellation"][0] < 0.9
    assert share["specials_cross"][4] > 0.1


def test_ties_are_ties():
    """Of the halfway family of a conversion, many results change when ties go the other way."""
    near = fpgen.parse_unit("convert fp32 -> fp16 rne")
    away = fpgen.parse_unit("convert fp32 -> fp16 rna")
    whole = plan(near, vectors=1000)
    ties = np.concatenate([c.inputs["source"] for c in whole.chunks() if c.family == "halfway_ties"])
    assert (near.compute(ties).codes != away.compute(ties).codes).mean() > 0.1


def test_product_ties_are_ties():
    near, away = (fpgen.parse_unit(f"multiply fp32 fp32 -> fp32 {mode}") for mode in ("rne", "rna"))
    chunk = next(c for c in plan(near, vectors=1000).chunks() if c.family == "product_ties")
    operands = chunk.inputs["a"], chunk.inputs["b"]
    assert (near.compute(*operands).codes != away.compute(*operands).codes).mean() > 0.005


@pytest.mark.parametrize("name", ["fp32", "e4m3fn", "e8m0", "int8", "uint8", "binary8p1se", "fp64"])
def test_encode_and_measure_agree(name):
    fmt = fpgen.parse_format(name)
    codes = np.array([c for c in corner_codes(fmt).tolist() if fmt.classify(c) <= 1], np.uint64)
    negative, exponent, mantissa = measure(fmt, codes)
    for code, sign, e, m in zip(codes.tolist(), negative, exponent.tolist(), mantissa.tolist(), strict=True):
        assert float(fmt.value(code)) == (-1) ** int(sign) * m * 2.0**e
    finite = mantissa > 0
    back = encode(fmt, negative[finite], exponent[finite], fraction_of(mantissa[finite]))
    fits = (codes[finite] == back) | (fmt.fixed and fmt.symmetric)
    assert fits.mean() > 0.95  # all but the lowest integer, whose magnitude has one bit more


def test_rows_keep_sums_in_their_lanes():
    unit = fpgen.parse_unit("mac e5m2 e5m2 -> fp16")
    layout = Layout.of(unit, 4)
    sums = np.arange(8 * 3, dtype=np.uint8).reshape(8, 3)
    rows = layout.pack({"a": sums, "b": sums, "clear": sums * 0}, {"result": sums})
    assert rows["in"]["a"][:3, 1].tolist() == sums[1].tolist()
    for position in range(24):
        row, lane = divmod(position, 4)
        assert rows["in"]["a"][row, lane] == sums.ravel()[layout.index(position, sums.shape)]


def test_accumulator_sequences_begin_a_sum_and_stay_within_its_terms():
    whole = plan(fpgen.parse_unit("mac int8 int8 -> fp32 accumulate=exact terms=5"), vectors=3000)
    for chunk in whole.chunks():
        clear = chunk.inputs["clear"]
        assert clear[:, 0].all() and len(clear) % 16 == 0
        running = np.zeros(len(clear), int)
        for step in clear.T:
            running = np.where(step, 1, running + 1)
            assert running.max() <= 5
