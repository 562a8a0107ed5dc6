"""Whole matrices through a unit: equal to the unit, one result at a time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpgen
from fpgen import emulate
from fpgen.base.errors import UsageError
from fpgen.emulate import product
from fpgen.golden.sums import sums_matrix


def matrices(m: int, k: int, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((m, k)), rng.standard_normal((k, n)) * 2.0 ** rng.integers(-8, 8, (k, n))
    return a.astype(np.float32), b.astype(np.float32)


def to_codes(x: np.ndarray, fmt) -> np.ndarray:
    return fpgen.Convert(source="fp32", out=fmt, overflow="saturate").compute(x.view(np.uint32)).codes


# ---- quantize and dequantize ---------------------------------------------------------------------


@pytest.mark.parametrize("name", list(fpgen.BLOCKS))
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_quantize_is_the_unit_along_an_axis(name, axis):
    block = fpgen.BLOCKS[name].format
    x, _ = matrices(2 * block.size, 3 * block.size, 1)
    q = emulate.quantize(x, name, axis=axis)
    assert q.codes.shape == q.shape == x.shape and q.axis == axis % 2 and q.block == block
    unit = fpgen.BlockQuantize(source="fp32", block=block, out=block.element)
    rows = np.ascontiguousarray(x if axis else x.T)
    operands = [rows.view(np.uint32).reshape(len(rows), -1, block.size)]
    if block.tensor_scale:
        expected = np.float32(np.abs(x).max().astype(np.float64) / (6 * 448))
        assert q.tensor_scale == expected
        operands.append(expected.view(np.uint32))
    result = unit.compute(*operands)
    codes, scales = result.codes.reshape(rows.shape), result.scales
    assert np.array_equal(q.codes, codes if axis else codes.T)
    assert np.array_equal(q.scales, scales if axis else scales.T)
    back = emulate.dequantize(q)
    table = {int(code): float(block.element.value(int(code))) for code in np.unique(codes)}
    values = np.vectorize(table.__getitem__, otypes=[float])(codes)
    scale = np.repeat([[float(block.scale.value(int(c))) for c in row] for row in scales], block.size, axis=1)
    exact = values * scale * (float(q.tensor_scale) if block.tensor_scale else 1)
    assert back.dtype == np.float32 and back.shape == x.shape
    assert np.array_equal(back if axis else back.T, exact.astype(np.float32))


def test_a_part_of_a_block_is_filled_up_with_zeros():
    x, _ = matrices(3, 40, 1)
    q = emulate.quantize(x, "mxfp4", policy="rceil")
    assert q.codes.shape == (3, 64) and q.scales.shape == (3, 2) and q.shape == (3, 40)
    whole = emulate.quantize(np.pad(x, ((0, 0), (0, 24))), "mxfp4", policy="rceil")
    assert np.array_equal(q.codes, whole.codes) and np.array_equal(q.scales, whole.scales)
    assert emulate.dequantize(q).shape == (3, 40)


def test_sources_and_outputs():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x, _ = matrices(2, 64, 1)
    for kind in (np.float16, ml_dtypes.bfloat16):
        narrow = x.astype(kind)
        q, wide = emulate.quantize(narrow, "mxfp8e4m3"), emulate.quantize(narrow.astype(np.float32), "mxfp8e4m3")
        assert np.array_equal(q.codes, wide.codes) and np.array_equal(q.scales, wide.scales)
    q = emulate.quantize(x, "mxfp8e4m3")
    assert np.array_equal(emulate.dequantize(q, "bf16"), emulate.dequantize(q).astype(ml_dtypes.bfloat16).astype("f4"))
    assert emulate.dequantize(q, "fp64").dtype == np.float64


def test_stochastic_rounding_is_unbiased_and_repeatable():
    x = np.full((1, 32), 0.3, dtype=np.float32)
    x[0, 0] = 4  # scale 1: 0.3 lies between 0 and 0.5
    draws = np.repeat(x, 4000, axis=0)
    options = {"rounding": "sra", "random_bits": 8}
    q = emulate.quantize(draws, "mxfp4", random=np.random.default_rng(1), **options)
    again = emulate.quantize(draws, "mxfp4", random=np.random.default_rng(1), **options)
    assert np.array_equal(q.codes, again.codes)
    values = emulate.dequantize(q)[:, 1:]
    assert set(np.unique(values)) == {0.0, 0.5}
    # StochasticA: floor(0.6 * 256) + R >= 256 for 153 of 256 R: 0.5 * 153 / 256 = 0.2988; 4 sigma of 124000 draws
    assert abs(values.mean() - 0.5 * 153 / 256) < 4 * 0.25 / np.sqrt(values.size)


def test_tensor_scales():
    x, _ = matrices(2, 32, 1)
    assert emulate.quantize(x, "nvfp4", tensor_scale=None).tensor_scale == 1
    assert emulate.quantize(x, "nvfp4", tensor_scale=0.5).tensor_scale == 0.5
    assert emulate.quantize(0 * x, "nvfp4").tensor_scale == 1
    x[0, 0] = np.inf  # of the finite numbers
    assert emulate.quantize(x, "nvfp4").tensor_scale == np.float32(np.abs(x[x < 1e9]).max().astype(np.float64) / 2688)


# ---- matmul --------------------------------------------------------------------------------------


def by_hand(a: np.ndarray, b: np.ndarray, unit, c: np.ndarray) -> np.ndarray:
    """One result at a time, of plain codes: `c` chained through pieces of the unit's length."""
    found = np.empty((len(a), b.shape[1]), dtype=np.uint64)
    for i in range(len(a)):
        for j in range(b.shape[1]):
            total = int(c[i, j])
            for start in range(0, a.shape[1], unit.n):
                total = int(unit.compute(a[i, start : start + unit.n], b[start : start + unit.n, j], total).codes)
            found[i, j] = total
    return found


PLAIN = [
    "dot e4m3fn e4m3fn n=8 + fp32 -> fp32",
    "dot e2m1 e2m1 n=16 + fp32 -> fp32 rtz accumulate=aligned:fraction=25",
    "dot fp16 fp16 n=8 + fp16 -> fp16 accumulate=chain",
    "dot e5m2 e4m3fn n=8 + bf16 -> bf16",
    "tensorcore bf16 bf16 m=2 n=2 k=4 + fp32 -> fp32 accumulate=tree",
    "dot int8 int8 n=4 + int32 -> int32",
]


@pytest.mark.parametrize("text", PLAIN)
def test_matmul_is_the_unit(text):
    unit = fpgen.parse_unit(text)
    dot = unit.dot if unit.operation == "tensorcore" else unit
    a, b = matrices(5, 32, 4)
    c = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)
    expected = by_hand(to_codes(a, dot.a), to_codes(b, dot.b), dot, to_codes(c, dot.c))
    values, codes = emulate.matmul(a, b, text, c, codes=True)
    assert np.array_equal(codes, expected)
    exact = [[float(dot.out.value(int(code))) for code in row] for row in codes]
    assert np.array_equal(values, exact) and values.dtype == (np.float64 if text.endswith("int32") else np.float32)
    given = emulate.matmul(to_codes(a, dot.a), to_codes(b, dot.b), unit, to_codes(c, dot.c))
    assert np.array_equal(given, values)


@pytest.mark.parametrize(
    "text",
    [
        "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32",
        "blockdot mxfp8e4m3 mxfp4 k=32 + fp32 -> fp32 accumulate=blackwell-mx",
        "blockdot nvfp4 nvfp4 k=64 + fp32 -> fp32 accumulate=blackwell-nvf4",
    ],
)
def test_matmul_of_blocks_is_the_unit(text):
    unit = fpgen.parse_unit(text)
    a, b = matrices(5, 100, 3)
    qa, qb = emulate.quantize(a, unit.a), emulate.quantize(b, unit.b, axis=0)
    values, codes = emulate.matmul(qa, qb, text, codes=True)
    assert np.array_equal(values, emulate.matmul(a, b, text))
    k, size = unit.k, unit.size
    fill = -qa.codes.shape[1] % k  # to whole lengths of the unit, with zeros
    ca, cb = np.pad(qa.codes, ((0, 0), (0, fill))), np.pad(qb.codes, ((0, fill), (0, 0)))
    sa, sb = np.pad(qa.scales, ((0, 0), (0, fill // size))), np.pad(qb.scales, ((0, fill // size), (0, 0)))
    for i in range(5):
        for j in range(3):
            total = 0
            for at in range(0, ca.shape[1], k):
                part, blocks = slice(at, at + k), slice(at // size, (at + k) // size)
                total = int(unit.compute(ca[i, part], sa[i, blocks], cb[part, j], sb[blocks, j], total).codes)
            assert total == codes[i, j]
    scale = qa.tensor_scale * qb.tensor_scale if unit.a.tensor_scale else np.float32(1)
    assert np.array_equal(values, codes.view(np.float32) * scale)


@pytest.mark.parametrize("text", [*PLAIN[:3], "blockdot mxfp8e5m2 mxfp4 k=64 + fp32 -> fp32"])
def test_neither_threads_nor_tiles_nor_stacking_matter(text, monkeypatch):
    rng = np.random.default_rng(2)
    a = rng.standard_normal((3, 1, 70, 64)).astype(np.float32)
    b = rng.standard_normal((2, 64, 130)).astype(np.float32)
    whole = emulate.matmul(a, b, text)
    assert whole.shape == (3, 2, 70, 130)
    assert np.array_equal(emulate.matmul(a, b, text, threads=3), whole)
    assert np.array_equal(emulate.matmul(a[2, 0, 7:9], b[1, :, 60:], text), whole[2, 1, 7:9, 60:])
    monkeypatch.setattr(product, "_TILE", (11, 17))
    assert np.array_equal(emulate.matmul(a, b, text, threads=2), whole)


@pytest.mark.parametrize(
    "text",
    [
        "dot e4m3fn e4m3fn n=32 + fp32 -> fp32",
        "dot e2m1 int4 n=8 + bf16 -> bf16 rup",
        "blockdot mxfp4 mxfp6e3m2 k=32 + fp32 -> fp32 rdn",
        "dot int8 uint8 n=64 -> int32",
    ],
)
def test_the_product_of_matrices_is_that_of_rows(text):
    """Exact sums go through a matrix product of numpy: equal to the unit on all pairs, with NaN among them too."""
    unit = fpgen.parse_unit(text)
    assert sums_matrix.suits(unit)
    rng = np.random.default_rng(3)
    operands = {}
    for name, fmt in unit.operands.items():
        rows = 9 if name[0] == "a" else 7
        shape = (9, 7) if name == "c" else (rows, 1 if name.endswith("scale") else unit.products)
        codes = rng.integers(0, fmt.max_finite_code + 1, shape)
        operands[name] = codes.astype(np.uint32 if fmt.bits > 16 else np.uint16)
    spread = [x if n == "c" else x[:, None] if n[0] == "a" else x[None] for n, x in operands.items()]
    expected = unit.compute(*spread).codes
    assert np.array_equal(sums_matrix.run_matrix(unit, operands), expected)
    if text.startswith("dot e4m3fn"):
        operands["a"][4, 3] = 0x7F
        assert sums_matrix.run_matrix(unit, operands) is None
        found = emulate.matmul(operands["a"], operands["b"].T, unit, operands["c"])
        assert np.isnan(found[4]).all() and not np.isnan(found[:4]).any()


def test_exact_sums_need_no_order():
    """Whatever the order along K: with one piece the bits are the same; numpy's float32 sums are not."""
    a, b = matrices(6, 64, 5, seed=4)
    order = np.random.default_rng(5).permutation(64)
    unit = "dot fp16 fp16 n=64 -> fp32"
    assert np.array_equal(emulate.matmul(a, b, unit), emulate.matmul(a[:, order], b[order], unit))


@pytest.mark.parametrize(("size_a", "size_b"), [(-70, 90), (-80, -50), (-100, -45)])
def test_tensor_scales_together_may_be_smaller_than_any_float32(size_a, size_b):
    """Their product is some 7e6 times smaller than the result. It was once made in float32, where the second was off by
    15 % and the third 0."""
    a, b = np.zeros((2, 32), dtype=np.float32), np.zeros((32, 1), dtype=np.float32)
    a[:, :2], b[:2, 0] = [[6, 1], [-3, 0.5]], [6, 1]  # elements as they stand, under a scale of 448
    size_a, size_b = np.float32(2.0**size_a), np.float32(2.0**size_b)
    found = emulate.matmul(a * size_a, b * size_b, "blockdot nvfp4 nvfp4 k=32 + fp32 -> fp32")
    assert np.allclose(found, np.float64([[37], [-17.5]]) * size_a * size_b, rtol=1e-6, atol=2.0**-149)


def test_tensor_scales_together_may_be_larger_than_any_float32():
    """The largest numbers meet zeros, so the result is 2**127, but the product of the scales some 2**137."""
    a, b = np.zeros((1, 32), dtype=np.float32), np.zeros((32, 1), dtype=np.float32)
    a[0, [0, 16]], b[[1, 16], 0] = [2.0**120, 2.0**104], [2.0**40, 2.0**23]
    found = emulate.matmul(a, b, "blockdot nvfp4 nvfp4 k=32 + fp32 -> fp32")
    assert np.allclose(found, 2.0**127, rtol=0.1)  # 2**104 is not far above the smallest scale of a block


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-60, 60), st.integers(-60, 60))
def test_tensor_scales_are_applied_as_float32_would(seed, up, down):
    """Where the product of the scales is a normal float32, the bits are those of ``value * (scale_a * scale_b)``."""
    rng = np.random.default_rng(seed)
    values = (rng.standard_normal(200) * 2.0 ** rng.integers(-40, 40, 200)).astype(np.float32)
    first, second = (np.float32((1 + rng.random()) * 2.0**power) for power in (up, down))
    with np.errstate(all="ignore"):
        assert np.array_equal(product._scaled(values, [first, second]), values * (first * second))
        assert np.array_equal(product._scaled(values, [first]), values * first)
        wide = values.astype(np.float64)
        assert np.array_equal(product._scaled(wide, [first, second]), wide * (np.float64(first) * np.float64(second)))


def test_empty_matrices():
    unit = "dot e4m3fn e4m3fn n=8 + fp32 -> fp32"
    assert emulate.matmul(np.zeros((0, 8), "f4"), np.zeros((8, 3), "f4"), unit).shape == (0, 3)
    assert np.array_equal(emulate.matmul(np.zeros((2, 0), "f4"), np.zeros((0, 3), "f4"), unit), np.zeros((2, 3)))


# ---- what is rejected ----------------------------------------------------------------------------

E4M3 = "dot e4m3fn e4m3fn n=8 + fp32 -> fp32"
X, W = matrices(4, 16, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: emulate.matmul(X, W, "dot e4m3fn e4m3fn n=8 -> fp32"), "K: got 16 .* chained through c"),
        (lambda: emulate.matmul(X, W, "dot e4m3fn e4m3fn n=8 + fp32 -> bf16"), r"\+ bf16 -> bf16"),
        (lambda: emulate.matmul(X, W[:8], E4M3), "K: got 16 in a and 8 in b; expected equal lengths"),
        (lambda: emulate.matmul(X[0], W, E4M3), r"a: got shape \(16,\); expected a matrix"),
        (lambda: emulate.matmul(X.astype(np.float64), W, E4M3), "array of float64; expected float32"),
        (lambda: emulate.matmul(X, W, "multiply fp32 fp32 -> fp32"), "dot, blockdot or tensorcore"),
        (lambda: emulate.matmul(X, W, E4M3 + " port"), "rounding: got port"),
        (lambda: emulate.matmul(X, W, "dot e4m3fn e4m3fn n=16 -> fp32", X[:, :4]), "no addend"),
        (lambda: emulate.matmul(X, W, E4M3, X), r"c: got shape \(4, 16\)"),
        (lambda: emulate.matmul(X, W, E4M3, threads=0), "threads: got 0"),
        (lambda: emulate.matmul(np.full((4, 16), 256, np.uint16), W, E4M3), "256 to 256; exp"),
        (lambda: emulate.matmul(emulate.quantize(X, "mxfp4"), W, E4M3), "plain e4m3fn"),
        (
            lambda: emulate.matmul(emulate.quantize(X, "mxfp4"), W, "blockdot mxint8 mxint8 k=32 -> fp32"),
            "expected mxint8",
        ),
        (
            lambda: emulate.matmul(emulate.quantize(X, "mxfp4", axis=0), W, "blockdot mxfp4 mxfp4 k=32 -> fp32"),
            "axis 0",
        ),
        (lambda: emulate.matmul(X.astype(int), W, "blockdot mxfp4 mxfp4 k=32 -> fp32"), "fpgen.emulate.quantize"),
        (
            lambda: emulate.matmul(X, W, "blockdot nvfp4 nvfp4 k=16 + fp32 -> fp32", X[:, :4]),
            "c: got it with tensor scales",
        ),
        (lambda: emulate.matmul(np.stack([X] * 2), np.stack([W] * 3), E4M3), "broadcast"),
        (lambda: emulate.quantize(X, "mxfp4", tensor_scale=2), "has none"),
        (lambda: emulate.quantize(X, "nvfp4", tensor_scale=-1), "positive"),
        (lambda: emulate.quantize(X, "nvfp4", tensor_scale="best"), "auto"),
        (lambda: emulate.quantize(X, "mxfp4", axis=2), "axis: got 2 "),
        (lambda: emulate.quantize(np.float32(1), "mxfp4"), "single number"),
        (lambda: emulate.quantize(X, "mxfp4", rounding="sra", random_bits=4), "without random"),
        (lambda: emulate.quantize(X, "mxfp4", rounding="port"), "rounding: got port"),
        (lambda: emulate.quantize([1, 2], "mxfp4"), "int64"),
        (lambda: emulate.quantize(None, "mxfp4"), "array of object; expected float32, float16 or bfloat16$"),
        (lambda: emulate.quantize([[1.0], [1.0, 2.0]], "mxfp4"), "x: .*an array of float32"),
        (lambda: emulate.quantize(X, "nvfp4", tensor_scale=(1, 2)), r"array of shape \(2,\); expected one num"),
        (lambda: emulate.quantize(X, "nvfp4", tensor_scale={}), "tensor_scale: got {}; expected one number"),
        (
            lambda: emulate.quantize(X, "mxfp4", rounding="sra", random_bits=4, random=5),
            "random=5; expected a numpy random Gen",
        ),
        (lambda: emulate.dequantize(X), "q: got ndarray; expected what fpgen.emulate.quantize returns"),
        (lambda: emulate.matmul(X.tolist(), W, "blockdot mxfp4 mxfp4 k=32 -> fp32"), "a: got an array of float64"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(UsageError, match=message):
        call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block": "e2m1"}, "block format: got e2m1, a plain format"),
        ({"axis": 2}, r"axis: got 2 with shape \(4, 40\); expected 0 to 1"),
        ({"shape": (4, 80)}, r"codes: got uint8 of \(4, 64\) for .*; expected .* of \(4, 96\)"),
        ({"scales": np.zeros((4, 1), np.uint8)}, r"scales: got uint8 of \(4, 1\) for .*; expected .* of \(4, 2\)"),
        ({"codes": [[0] * 64] * 4}, "codes: got list "),
        ({"codes": np.zeros((4, 64))}, "codes: got float64 of"),
        ({"codes": np.full((4, 64), 16, np.uint8)}, "got codes up to 16; expected codes of e2m1, 0 to 15"),
        ({"tensor_scale": np.float32(2)}, "tensor_scale with mxfp4, which has none: got float32"),
    ],
)
def test_quantized_arrays_put_together_by_hand(change, message):
    """As somebody does who has stored the codes."""
    x, _ = matrices(4, 40, 1)
    q = emulate.quantize(x, "mxfp4")
    again = dataclasses.replace(q, block="mxfp4")
    assert again.block == q.block and np.array_equal(emulate.dequantize(again), emulate.dequantize(q))
    with pytest.raises(UsageError, match=message):
        dataclasses.replace(q, **change)


@pytest.mark.parametrize("block", ["mxfp4", "nvfp4"])
def test_swapped_bytes_are_the_same_numbers(block):
    x = np.random.default_rng(3).standard_normal((4, 64)).astype(np.float32)
    unit = "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32"
    assert np.array_equal(emulate.quantize(x, block).codes, emulate.quantize(x.astype(">f4"), block).codes)
    assert np.array_equal(emulate.quantize(x, block).scales, emulate.quantize(x.astype(">f4"), block).scales)
    assert np.array_equal(emulate.matmul(x, x.T, unit), emulate.matmul(x.astype(">f4"), x.T.astype(">f4"), unit))


@pytest.mark.parametrize(
    ("a", "b", "result"),
    [
        ((0, 64), (64, 3), (0, 3)),
        ((2, 64), (64, 0), (2, 0)),
        ((0, 2, 64), (64, 3), (0, 2, 3)),
        ((2, 0), (0, 3), (2, 3)),
    ],
)
def test_empty_matrices_in_blocks(a, b, result):
    for unit in ("blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32", "blockdot nvfp4 nvfp4 k=16 + fp32 -> fp32"):
        assert emulate.matmul(np.zeros(a, np.float32), np.zeros(b, np.float32), unit).shape == result
    empty = emulate.quantize(np.zeros((0, 40), np.float32), "mxfp4")
    assert empty.scales.shape == (0, 2) and emulate.dequantize(empty).shape == (0, 40)
