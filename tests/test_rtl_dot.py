"""Exact dot products and tiles: the graph against the exact model, and errors that must be noticed."""

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sum_cases import packed

from fpgen import parse_unit
from fpgen.base.errors import UsageError
from fpgen.formats.code_classes import Class
from fpgen.golden.exact.exact_model import compute_exactly
from fpgen.rtl.datapath import datapath
from fpgen.rtl.dot import dot_terms as terms
from fpgen.rtl.dot import exact_anchored
from fpgen.rtl.dot.inputs import single
from fpgen.rtl.dot.scaled_dot import Block, blocks_of
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.graph import Graph
from fpgen.rtl.trim import trim


def run(unit, codes):
    """Result words and flags of the hardware's graph, for codes by port name, each (batch, *shape)."""
    widths = {port.name: port.element_width for port in unit.ports}
    batch = len(next(iter(codes.values())))
    words = {name: packed(np.asarray(array).reshape(batch, -1), widths[name]) for name, array in codes.items()}
    out = evaluate(trim(datapath(unit)), **words)
    flags = np.broadcast_to(out["flags"], (batch,)).astype(int) if unit.flags else np.zeros(batch, dtype=int)
    return np.broadcast_to(out["result"], (batch,)), flags


def wanted(unit, codes):
    """The same of the exact model."""
    result = compute_exactly(unit, {name: np.asarray(array, dtype=np.uint64) for name, array in codes.items()})
    batch = len(next(iter(codes.values())))
    flags = result.flags.astype(int) if unit.flags else np.zeros(batch, dtype=int)
    return packed(result.codes.reshape(batch, -1), unit.out.bits), flags


def differences(unit, codes):
    """Indices at which hardware and model differ."""
    got, want = run(unit, codes), wanted(unit, codes)
    return [i for i in range(len(want[0])) if (int(got[0][i]), got[1][i]) != (int(want[0][i]), want[1][i])]


def a_code(rng, fmt):
    """A code, most often a finite one, and at the ends of the range more often than not."""
    sign = 0 if fmt.fixed else rng.choice((0, fmt.sign_mask))
    kind = rng.random()
    if kind < 0.04:
        return rng.randrange(1 << fmt.bits)  # also NaN and infinity
    if kind < 0.2:
        return rng.choice((fmt.max_finite_code | sign, fmt.min_finite_code))
    if kind < 0.45:
        return rng.randrange(min(4, 1 << fmt.magnitude_bits)) | sign
    while True:
        code = rng.randrange(1 << fmt.bits)
        if fmt.classify(code) <= Class.FINITE:
            return code


def draw(unit, count, seed):
    """Operands by port name; some of them cancel in pairs, some come close to the addend."""
    rng = random.Random(seed)
    codes = {}
    for port in unit.ports:
        if not port.travels_in:
            continue
        if port.format is None:
            codes[port.name] = np.array(
                [rng.randrange(5 if port.name == "rounding" else 1 << port.width) for _ in range(count)]
            )
            continue
        rows = [[a_code(rng, port.format) for _ in range(port.count)] for _ in range(count)]
        codes[port.name] = np.array(rows, dtype=np.uint64).reshape(count, *port.shape)
    a, b = codes["a"], codes["b"]
    signed = unit.operands["a"].signed and not unit.operands["a"].fixed
    if a.ndim == 2 and a.shape[1] > 1 and signed:
        for i in range(0, count, 3):  # the second half takes the first half away
            half = a.shape[1] // 2
            a[i, half : 2 * half] = a[i, :half] ^ np.uint64(unit.operands["a"].sign_mask)
            b[i, half : 2 * half] = b[i, :half]
    return codes


# ---- every code ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, addends",
    [
        ("dot e2m1 e2m1 n=2 + fp16 -> fp16 flags=on", (0x0000, 0x8000, 0x0001, 0xD480, 0x7BFF, 0x7C00, 0x7E01)),
        ("dot e2m1 e2m1 n=2 + fp32 -> fp32", (0x00000000, 0x80000001, 0x3E800001, 0xC2900000, 0x7F7FFFFF, 0xFF800000)),
        ("dot e2m1 e2m1 n=2 + e4m3fn -> e4m3fn rup flags=on", (0x00, 0x80, 0x01, 0xC9, 0x7E, 0x7F)),
    ],
)
def test_every_code_of_a_dot_of_two(text, addends):
    """65,536 operands a fixed addend. The model's result depends on the exact sum only, so one of each sum is asked."""
    unit = parse_unit(text)
    every = np.stack([axis.ravel() for axis in np.meshgrid(*[np.arange(16)] * 4, indexing="ij")], axis=1)
    a, b = every[:, :2], every[:, 2:]
    quarters = np.array([int(unit.a.value(code) * 2) for code in range(16)])
    sums = (quarters[a] * quarters[b]).sum(axis=1)
    _, first, which = np.unique(sums, return_index=True, return_inverse=True)
    for c in addends:
        got = run(unit, {"a": a, "b": b, "c": np.full(len(a), c)})
        want = wanted(unit, {"a": a[first], "b": b[first], "c": np.full(len(first), c)})
        assert np.array_equal(got[0].astype(np.uint64), want[0].astype(np.uint64)[which]), hex(c)
        assert np.array_equal(got[1], want[1][which]), hex(c)


# ---- corners and odd formats ---------------------------------------------------------------------

UNITS = [
    "dot e4m3fn e4m3fn n=4 + fp32 -> fp32 flags=on",
    "dot e5m2 e4m3fn n=3 -> bf16 rdn flags=on",
    "dot e5m2 e5m2 n=2 + e8m2 -> e8m2 flags=on",
    "dot int8 int8 n=4 + int32 -> int32 flags=on",
    "dot uint4 int8 n=5 -> int9 flags=on",
    "dot mxint8 e3m2 n=3 + bf16 -> bf16",
    "dot int4 int4 n=1 + e4m3fn -> fp16",  # the addend's last place is below the products'
    "dot bf16 bf16 n=2 + fp32 -> fp32",
    "dot fp16 fp16 n=4 -> fp32 port flags=on",
    "dot e2m1 e2m1 n=32 -> int14:scale=-2 flags=on",
    "dot e2m1 e2m1 n=8 -> int7:scale=-2 flags=on",
    "dot e4m3fn e4m3fn n=2 -> uint6:scale=-1 flags=on",
    "dot e4m3fnuz e5m2fnuz n=3 + fp16 -> fp16 subnormals=both flags=on",
    "dot e4m3fn e2m1 n=2 -> e4m3fn sra random_bits=5",
    "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 flags=on",
    "blockdot mxfp8e4m3 mxfp4 k=32 -> bf16 flags=on",
    "blockdot nvfp4 nvfp4 k=16 + fp32 -> fp32 flags=on",
    "blockdot nvfp4 nvfp4 k=32 + fp32 -> fp32 flags=on",
    "blockdot mxint8 mxint8 k=32 + bf16 -> bf16",
    "tensorcore e2m1 e2m1 m=2 n=3 k=4 + fp16 -> fp16",
    "tensorcore int8 int8 m=2 n=2 k=2 + int32 -> int32",
    "tensorcore nvfp4 nvfp4 m=2 n=1 k=16 -> fp32",
]


@pytest.mark.turns(2)
@pytest.mark.parametrize("text", UNITS)
def test_corners(text):
    unit = parse_unit(text)
    count = 60 if "blockdot" in text or "tensorcore" in text else 200
    assert not differences(unit, draw(unit, count, seed=text))


@pytest.mark.full
@pytest.mark.parametrize(
    "text",
    [
        "blockdot mxfp4 mxfp4 k=64 + fp32 -> fp32 flags=on",
        "blockdot mxfp8e4m3 mxfp8e4m3 k=64 + fp32 -> fp32",
        "blockdot mxfp8e5m2 mxfp8e4m3 k=128 + fp32 -> fp32",
        "blockdot mxfp6e3m2 mxfp6e2m3 k=32 + fp32 -> fp32",
        "tensorcore mxfp4 mxfp4 m=2 n=2 k=32 + fp32 -> fp32",
        *UNITS,
    ],
)
def test_corners_at_length(text):
    unit = parse_unit(text)
    assert not differences(unit, draw(unit, 500, seed=text + " at length"))


ELEMENTS = [
    "e2m1",
    "e1m2",
    "e3m0",
    "e2m3",
    "e3m2",
    "e4m3fn",
    "e4m3fnuz",
    "e5m2",
    "p3109_k4p2sf",
    "e4m1:bias=3",
    "int4",
    "uint3",
    "int5:scale=-2",
    "e2m2:sub=no",
    "ue3m2",
]
SCALES = ["e8m0", "ue4m3", "ue3m2", "ue4m0", "e3m0"]
OUTS = ["fp16", "bf16", "e4m3fn", "e3m4", "e6m3", "int12:scale=-2", "e5m2fnuz", "e8m7"]


def _parsed(text):
    try:
        return parse_unit(text)
    except UsageError:
        return None


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_odd_formats(data):
    """Mixtures of formats and scales, with and without an addend."""
    pick = data.draw
    a, b, out = pick(st.sampled_from(ELEMENTS)), pick(st.sampled_from(ELEMENTS)), pick(st.sampled_from(OUTS))
    c = pick(st.sampled_from(["", *(f" + {name}" for name in OUTS)]))
    mode = pick(st.sampled_from(["rne", "rtz", "rup", "rdn", "rna", "raz", "rto"]))
    flags = pick(st.sampled_from(["", " flags=on"]))
    size = pick(st.integers(1, 5))
    if pick(st.booleans()):
        first, second = pick(st.sampled_from(SCALES)), pick(st.sampled_from(SCALES))
        blocks = pick(st.integers(1, 2))
        text = f"blockdot {a}@{first}/{size} {b}@{second}/{size} k={blocks * size}{c} -> {out} {mode}{flags}"
    else:
        text = f"dot {a} {b} n={size}{c} -> {out} {mode}{flags}"
    unit = _parsed(text)
    if unit is None:
        return
    assert not differences(unit, draw(unit, 60, seed=text)), text


def test_most_mixtures_of_odd_formats_make_units():
    """Otherwise the test above would not test much."""
    texts = [f"dot {a} {b} n=2 -> fp16 rne" for a in ELEMENTS for b in ELEMENTS]
    texts += [f"blockdot {a}@{s}/4 e2m1@{s}/4 k=8 -> fp16 rne" for a in ELEMENTS for s in SCALES]
    assert sum(_parsed(text) is not None for text in texts) > 0.6 * len(texts)


def test_special_operands_by_hand():
    """The rules of `special`, each with its case; e5m2: 0x7C infinity, 0xFC minus infinity, 0x7F NaN, 0x3C one."""
    unit = parse_unit("dot e5m2 e5m2 n=2 + fp32 -> fp32 flags=on")
    nan, inf, one = 0x7FC00000, 0x7F800000, 0x3C
    cases = [  # a, b, c, result, flags
        ((0x7C, 0xFC), (one, one), 0, nan, 16),  # infinities of both signs
        ((0x7C, 0x7C), (one, one), 0xFF800000, nan, 16),  # also one of the addend
        ((0x7C, 0), (0, one), 0, nan, 16),  # infinity times zero
        ((0x7C, one), (one, one), 0, inf, 0),
        ((0x7F, 0x7C), (one, one), 0xFF800000, nan, 0),  # a NaN hides the clash
        ((0x7F, 0x7C), (one, 0), 0, nan, 16),  # but not infinity times zero
        ((one, one), (one, 0x80 | one), 0x80000000, 0, 0),  # a sum of zero is +0
        ((0, 0), (one, 0x80 | one), 0x80000000, 0, 0),
    ]
    for a, b, c, result, flags in cases:
        got = run(unit, {"a": np.array([a]), "b": np.array([b]), "c": np.array([c])})
        assert (int(got[0][0]), int(got[1][0])) == (result, flags), (a, b, c)


def test_scales_that_are_nan_zero_or_extreme():
    unit = parse_unit("blockdot e5m2@ue4m3/2 e5m2@ue4m3/2 k=2 + fp32 -> fp32 flags=on")
    one = 0x38
    cases = [((0x3C, 0x3C), 0x7F), ((0x7C, 0x3C), 0), ((0x7C, 0x3C), one), ((0x3C, 0x3C), 0), ((0x3C, 0x3C), 0x7E)]
    codes = {
        "a": np.array([a for a, _ in cases]),
        "a_scale": np.array([[s] for _, s in cases]),
        "b": np.array([(0x3C, 0x3C)] * len(cases)),
        "b_scale": np.array([[one]] * len(cases)),
        "c": np.full(len(cases), 0x3F800000),
    }
    assert not differences(unit, codes)
    results = [int(code) for code in run(unit, codes)[0]]
    assert results[:4] == [0x7FC00000, 0x7FC00000, 0x7F800000, 0x3F800000]


# ---- properties ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["dot e4m3fn e5m2 n=6 + fp32 -> fp32", "dot e2m1 int4 n=5 -> e4m3fn flags=on", "dot fp16 bf16 n=3 + fp16 -> fp16"],
)
def test_the_order_does_not_matter(text):
    unit = parse_unit(text)
    codes = draw(unit, 200, seed=7)
    straight = run(unit, codes)
    order = np.random.default_rng(1).permutation(unit.n)
    turned = run(unit, codes | {"a": codes["a"][:, order], "b": codes["b"][:, order]})
    assert all(np.array_equal(x, y) for x, y in zip(straight, turned, strict=True))


def test_wide_fixed_point_has_no_rounder():
    """What only saturates or rounds is not there where the sum fits, bit for bit."""
    wide = trim(datapath(parse_unit("dot e2m1 e2m1 n=32 -> int14:scale=-2")))
    names = {node.name for node in wide.live()}
    assert not names & {"round_up", "rounded", "out_of_range", "steps", "shift", "to_highest"}
    narrow = trim(datapath(parse_unit("dot e2m1 e2m1 n=32 -> int13:scale=-2")))
    assert "out_of_range" in {node.name for node in narrow.live()}


def test_a_tile_decodes_each_operand_once():
    """Every element is unpacked once, whatever the number of results that read it."""
    nodes = {}
    for n in (1, 4):
        graph = trim(datapath(parse_unit(f"tensorcore e4m3fn e4m3fn m=1 n={n} k=4 -> fp32")))
        nodes[n] = [node.name for node in graph.live() if node.name and node.name.startswith("a_")]
    assert nodes[1] == nodes[4] and len(nodes[1]) == len(set(nodes[1])) > 0


# ---- deliberate errors ---------------------------------------------------------------------------


def _anchored_everything():
    """Every e6m3 addend with sums of two e2m1 products that are 0, small and large."""
    unit = parse_unit("dot e2m1 e2m1 n=2 + e6m3 -> e6m3 rne")
    pairs = [
        ((1, 0), (1, 0)),
        ((9, 0), (1, 0)),
        ((1, 9), (1, 1)),
        ((7, 7), (7, 7)),
        ((15, 15), (7, 7)),
        ((2, 3), (3, 5)),
        ((5, 13), (5, 3)),
        ((0, 0), (8, 8)),
        ((3, 11), (2, 3)),
    ]
    codes = [(a, b, c) for a, b in pairs for c in range(1 << unit.c.bits)]
    return unit, {
        "a": np.array([a for a, _, _ in codes]),
        "b": np.array([b for _, b, _ in codes]),
        "c": np.array([c for _, _, c in codes]),
    }


@pytest.fixture(scope="module")
def anchored():
    unit, codes = _anchored_everything()
    return unit, codes, wanted(unit, codes)


def _wrong(anchored):
    unit, codes, want = anchored
    got = run(unit, codes)
    return sum(int(x) != int(y) for x, y in zip(got[0], want[0], strict=True)) + int((got[1] != want[1]).sum())


def test_the_anchored_window_is_right_and_used(anchored, monkeypatch):
    assert _wrong(anchored) == 0
    called = []
    monkeypatch.setattr(exact_anchored, "anchored", lambda *given: called.append(given) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        datapath(anchored[0])
    assert called


@pytest.mark.parametrize("name", ["bits_below", "gap_above"])
def test_a_window_one_bit_shorter_is_noticed(anchored, monkeypatch, name):
    right = getattr(exact_anchored, name)
    monkeypatch.setattr(exact_anchored, name, lambda *given: right(*given) - 1)
    assert _wrong(anchored)


def test_a_sum_of_zero_that_is_not_looked_for_is_noticed(anchored, monkeypatch):
    """Then the addend is lost where it lies below the window."""
    right = Graph.step
    monkeypatch.setattr(
        Graph, "step", lambda g, name, node: g.const(0, 1) if name == "sum_is_zero" else right(g, name, node)
    )
    assert _wrong(anchored)


def test_a_dropped_sign_constant_is_noticed(monkeypatch):
    unit = parse_unit("dot e2m1 e2m1 n=4 -> int12:scale=-2")
    codes = draw(unit, 50, seed=3)
    assert not differences(unit, codes)
    right, count = terms.Rows.add_constant, []

    def drop_one(rows, value):
        count.append(value)
        if len(count) != 2:
            right(rows, value)

    monkeypatch.setattr(terms.Rows, "add_constant", drop_one)
    assert differences(unit, codes)


def test_a_window_without_headroom_is_noticed(monkeypatch):
    unit = parse_unit("dot e2m1 e2m1 n=4 -> fp16")
    extremes = {"a": np.array([[7] * 4, [15] * 4]), "b": np.array([[7] * 4, [7] * 4])}
    assert not differences(unit, extremes)
    monkeypatch.setattr(Block, "sum_window", property(lambda block: terms.Window(-2, -144, 144)))
    assert differences(unit, extremes)


@pytest.mark.parametrize(
    "text",
    [
        "dot mxint8 mxint8 n=4 -> fp32",
        "dot mxint8 mxint8 n=4 -> int20:scale=-12",
        "dot mxint8 mxint8 n=4 + mxint8 -> fp32",
        "blockdot mxint8 mxint8 k=32 + fp32 -> fp32",
    ],
)
def test_the_code_that_a_symmetric_format_does_not_produce(text):
    """0x80 stands for -2 in MXINT8: the sum of such squares is the largest."""
    unit = parse_unit(text)
    codes = {
        port.name: np.full((1, *port.shape), 0x80 if port.format.fixed else 0x7F)
        for port in unit.ports
        if port.travels_in
    }
    assert not differences(unit, codes)


def test_two_blocks_that_cancel_leave_the_addend():
    """2**200 - 2**200 + 1: no bit is lost however far apart the blocks' scales are from the addend."""
    unit = parse_unit("blockdot e2m1@e8m0/1 e2m1@e8m0/1 k=2 + fp32 -> fp32 flags=on")
    assert sum(1 for _ in blocks_of(_inputs(unit))) == 2
    scale = 127 + 100
    codes = {
        "a": np.array([[2, 10]]),
        "b": np.array([[2, 2]]),
        "a_scale": np.array([[scale, scale]]),
        "b_scale": np.array([[scale, scale]]),
        "c": np.array([0x3F800000]),
    }
    assert [int(value[0]) for value in run(unit, codes)] == [0x3F800000, 0]


def _inputs(unit):
    g = Graph()
    for port in unit.ports:
        g.input(port.name, port.width)
    return single(g, unit)
