"""What the emulation and the golden model are given by hand: nothing is guessed, and errors are one line."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

import fpgen
from fpgen import emulate
from fpgen.base.errors import UsageError

DOT = "dot e4m3fn e4m3fn n=8 + fp32 -> fp32"
X = np.ones((4, 16), np.float32)
HUGE = np.broadcast_to(np.float32(1), (1 << 21, 1 << 19))


def quantized(**change):
    return dataclasses.replace(emulate.quantize(X, "nvfp4"), **change)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quantized(shape=[1.5]), r"shape: got \[1.5\]; expected whole numbers"),
        (lambda: quantized(shape=[-1]), r"shape: got \[-1\]; expected whole numbers"),
        (lambda: quantized(shape=None), "shape: got None; expected whole numbers"),
        (lambda: quantized(shape="ab"), "shape: got 'ab'; expected whole numbers"),
        (lambda: quantized(shape=()), r"shape: got \(\); expected whole numbers"),
        (lambda: quantized(axis="a"), r"axis: got 'a' with shape \(4, 16\); expected 0 to 1"),
        (lambda: quantized(axis=None), "axis: got None"),
        (lambda: quantized(axis=True), "axis: got True"),
        (lambda: quantized(axis=1.0), "axis: got 1.0"),
        (lambda: quantized(tensor_scale=np.nan), "tensor_scale: got nan; expected a positive number"),
        (lambda: quantized(tensor_scale=0), "tensor_scale: got 0.0; expected a positive number"),
        (lambda: quantized(tensor_scale="auto"), "tensor_scale: got 'auto'; expected one number"),
        (lambda: quantized(tensor_scale=1j), "tensor_scale: got 1j; expected one number"),
        (lambda: emulate.quantize(X, "nvfp4", tensor_scale=1 + 2j), r"got \(1\+2j\); expected one number"),
        (lambda: emulate.quantize(X, "nvfp4", tensor_scale=np.complex64(1)), "expected one number"),
        (lambda: emulate.quantize(X, "nvfp4", tensor_scale=True), "got True; expected one number"),
        (lambda: emulate.quantize(X, "nvfp4", tensor_scale=b"2"), "expected one number"),
        (lambda: emulate.quantize(X, "nvfp4", tensor_scale=np.nan), "got nan; expected a positive number"),
        (lambda: emulate.quantize(X, "nvfp4", tensor_scale=10**400), "tensor_scale: got 1000"),
        (lambda: emulate.quantize(X, "mxfp4", tensor_scale=X), "which has none: got ndarray; expected none given"),
        (lambda: emulate.quantize(X, "nvfp4", axis=True), "axis: got True"),
        (lambda: emulate.quantize(X, "nvfp4", axis="a"), "axis: got 'a'"),
        (lambda: emulate.quantize(X, "nvfp4", random=3), "random with rounding=rne: got int; expected none given"),
        (lambda: emulate.quantize(X * 1j, "nvfp4"), "x: got an array of complex"),
        (
            lambda: emulate.quantize(X.astype(ml_dtypes.float8_e4m3fn), "nvfp4"),
            r"x: got an array of float8_e4m3fn; expected .* \(x\.astype\(np\.float32\) holds it\)$",
        ),
        (
            lambda: emulate.quantize(X.astype([("a", np.float32)]), "nvfp4"),
            r"x: got an array of \[.*; expected float32, float16 or bfloat16$",
        ),
        (
            lambda: emulate.quantize(HUGE, "mxfp4"),
            r"x: got an array of \(2097152, 524288\), 4,096 GiB; expected at most",
        ),
        (
            lambda: emulate.matmul(HUGE[:, :8], HUGE[:8], DOT),
            r"a @ b: got an array of \(2097152, 524288\), .* expected",
        ),
        (
            lambda: emulate.matmul(X, X.T, DOT, 1),
            r"c: got int64 1, which may mean codes of fp32 or numbers; expected codes "
            r"as unsigned integers, np.asarray\(c, np.uint32\), or numbers as",
        ),
        (lambda: emulate.matmul(X, X.T, DOT, np.ones((4, 4), int)), "c: got an array of int64, which may mean"),
        (lambda: emulate.matmul(X, X.T, DOT, True), "c: got bool True, which may mean"),
        (lambda: emulate.matmul([[1, 2]], [[1], [2]], DOT), "a: got an array of int64, which may mean codes of e4m3fn"),
        (lambda: emulate.matmul(X, X.T, DOT, 1j), "c: got an array of complex128"),
        (lambda: emulate.matmul(X, X.T, DOT, codes="x"), "codes: got 'x'; expected True or False"),
    ],
)
def test_rejected(call, message):
    with pytest.raises(UsageError, match=message) as found:
        call()
    assert "\n" not in str(found.value)


def test_values_and_codes_of_an_addend():
    plain = emulate.matmul(X, X.T, DOT)
    assert (emulate.matmul(X, X.T, DOT, np.float32(1)) == plain + 1).all()
    assert (emulate.matmul(X, X.T, DOT, np.uint32(0x3F800000)) == plain + 1).all()
    assert (emulate.matmul(X, X.T, DOT, np.uint32(1)) == plain).all()  # 2**-149
    integers = np.array([[1, 2], [3, 250]], np.uint8)  # of int8, 250 is -6
    assert emulate.matmul(integers, integers.T, "dot int8 int8 n=2 + int32 -> int32").tolist() == [[5, -9], [-9, 45]]


def test_numbers_of_any_kind_are_tensor_scales():
    for half in (0.5, Fraction(1, 2), Decimal("0.5"), np.float16(0.5), np.array(0.5)):
        assert emulate.quantize(X, "nvfp4", tensor_scale=half).tensor_scale == 0.5
        assert quantized(tensor_scale=half).tensor_scale == 0.5
    assert emulate.quantize(X, "nvfp4", tensor_scale=2).tensor_scale == 2


@pytest.mark.parametrize("block", ["mxfp4", "nvfp4"])
def test_nothing_along_the_axis_is_no_block(block):
    q = emulate.quantize(np.zeros((3, 0), np.float32), block)
    assert q.codes.shape == q.scales.shape == q.shape == (3, 0)
    assert emulate.dequantize(q).shape == (3, 0)
    unit = f"blockdot {block} {block} k=32 + fp32 -> fp32"
    other = emulate.quantize(np.zeros((0, 2), np.float32), block, axis=0)
    assert emulate.matmul(q, other, unit).tolist() == [[0, 0]] * 3


@pytest.mark.parametrize(
    ("unit", "array", "hint"),
    [
        ("add fp64 fp64 -> fp64", np.array([-1.5]).view(np.int64), "np.uint64"),
        ("multiply e4m3fn e4m3fn -> e4m3fn", np.array([-1], np.int8), "np.uint8"),
    ],
)
def test_signed_integers_of_the_width_of_the_codes_are_viewed(unit, array, hint):
    unit = fpgen.parse_unit(unit)
    with pytest.raises(UsageError, match=rf"; a\.view\({hint}\) has its bits as codes$"):
        unit.compute(array, array)
    codes = array.view(getattr(np, hint.split(".")[1]))
    assert unit.compute(codes, codes).codes.shape == array.shape


def test_no_hint_where_the_bits_are_no_codes():
    unit = fpgen.parse_unit("multiply e4m3fn e4m3fn -> e4m3fn")
    for array in (
        np.ones(1, np.float32),
        np.array([300]),
        np.ones(1, np.complex64),
        np.array(["a"]),
        np.ones(1, ml_dtypes.bfloat16),
    ):
        with pytest.raises(UsageError) as found:
            unit.compute(array, array)
        assert "view" not in str(found.value)
