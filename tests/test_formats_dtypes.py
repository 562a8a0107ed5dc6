"""Arrays of ml_dtypes, numpy's floats and tensors of other libraries as operands, and results as such arrays."""

from __future__ import annotations

import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import as_format
from fpgen.formats.dtypes import dtype_of, format_of, without_tensor

FLOATS = [
    "bfloat16",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "float6_e2m3fn",
    "float6_e3m2fn",
    "float4_e2m1fn",
]


class Tensor:
    """What a library of tensors offers: no ndarray, no ``__array__``, but DLPack."""

    def __init__(self, array, device=1):
        self.array, self.device = array, device

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device, 0


@pytest.mark.parametrize("name", FLOATS)
def test_a_float_of_ml_dtypes_is_a_code_of_its_format(name):
    """Every code: the format's value is what ml_dtypes reads there, and the array goes there and back."""
    dtype = np.dtype(getattr(ml_dtypes, name))
    fmt = format_of(dtype)
    assert fmt is not None and dtype_of(fmt) == dtype
    codes = np.arange(1 << fmt.bits).astype(f"u{dtype.itemsize}")
    array = fmt.typed(codes)
    assert array.dtype == dtype and np.array_equal(array.view(codes.dtype), codes)
    with np.errstate(invalid="ignore"):  # signalling NaNs
        read = array.astype(np.float64)
    assert np.array_equal(read, fmt.decode(codes), equal_nan=True)
    assert np.array_equal(fmt.decode(array), fmt.decode(codes), equal_nan=True)


@pytest.mark.parametrize(
    ("name", "dtype"), [("int4", "int4"), ("uint4", "uint4"), ("int2", "int2"), ("uint2", "uint2")]
)
def test_small_integers(name, dtype):
    fmt, dtype = as_format(name), np.dtype(getattr(ml_dtypes, dtype))
    codes = np.arange(1 << fmt.bits)
    array = fmt.typed(codes)
    assert array.dtype == dtype and format_of(dtype) == fmt
    assert array.astype(int).tolist() == [int(fmt.value(code)) for code in codes.tolist()]
    assert fmt.decode(array).tolist() == array.astype(float).tolist()


@pytest.mark.parametrize("name", ["fp16", "fp32", "fp64", "int8", "uint8", "int32", "uint64"])
def test_what_numpy_has_itself(name):
    fmt = as_format(name)
    array = fmt.typed([0, 1, 3])
    assert array.dtype == np.dtype(CATALOGUE_NAMES.get(name, name)) and array.view(f"u{fmt.bits // 8}").tolist() == [
        0,
        1,
        3,
    ]


CATALOGUE_NAMES = {"fp16": "float16", "fp32": "float32", "fp64": "float64"}


def test_integers_and_foreign_types_have_no_format():
    for dtype in ("u1", "i8", "c8", "U3", "O", "V1", "M8[s]", [("float32", "f4")], np.longdouble):
        assert format_of(np.dtype(dtype)) is None
    with pytest.raises(UsageError, match="format e5m7: got no dtype of numpy or ml_dtypes with its numbers; expected"):
        as_format("e5m7").typed([0])
    with pytest.raises(UsageError, match="format mxint8: got no dtype"):
        as_format("mxint8").typed([0])


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("e4m3fn", "float8_e4m3fn"), ("bf16", "bfloat16"), ("e2m1", "float4_e2m1fn"), ("fp32", "float32"), ("fp64", "f8")],
)
def test_compute_takes_and_gives_arrays_of_the_operands_type(name, dtype):
    fmt = as_format(name)
    dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    unit = fpgen.Multiply(a=name, b=name, out=name, overflow="saturate")
    values = np.array([[1.0, 1.5, -2.0]]).astype(dtype)
    result = unit.compute(values, values)
    assert np.array_equal(result.codes, unit.compute(fmt.encode(values), fmt.encode(values)).codes)
    product = unit.out.typed(result.codes)
    assert product.dtype == dtype and product.astype(float).tolist() == [[1.0, 2.0 if name == "e2m1" else 2.25, 4.0]]
    swapped = values.astype(dtype.newbyteorder(">")) if dtype.kind == "f" else values
    assert np.array_equal(unit.compute(swapped, b=values).codes, result.codes)


def test_an_array_of_another_format_is_rejected():
    unit = fpgen.parse_unit("multiply e4m3fn e5m2 -> fp32")
    right = np.ones(2, ml_dtypes.float8_e5m2)
    with pytest.raises(
        UsageError, match=r"^a: got an array of float8_e5m2; expected integer codes \(e4m3fn: 0 to 0xff\)"
    ):
        unit.compute(right, right)
    with pytest.raises(UsageError, match=r"or an array of its own dtype; encode\(values\) of e4m3fn rounds to it$"):
        unit.compute(np.ones(2, np.float32), right)
    left = right.astype(ml_dtypes.float8_e4m3fn)
    assert unit.compute(left, right).codes.view(np.float32).tolist() == [1, 1]


def test_a_list_of_floats_is_no_array_of_codes():
    """numpy makes float64 of a list of floats, which is not what the caller chose."""
    with pytest.raises(UsageError, match=r"a: got 1\.0; expected integer codes"):
        fpgen.parse_unit("add fp64 fp64 -> fp64").compute([1.0], [2.0])


def test_small_signed_integers_of_ml_dtypes_are_numbers():
    unit = fpgen.parse_unit("multiply int4 int4 -> int8")
    array = np.array([-8, 7, -1], ml_dtypes.int4)
    assert unit.out.decode(unit.compute(array, array).codes).tolist() == [64, 49, 1]


def test_tensors_come_through_dlpack():
    unit = fpgen.parse_unit("multiply fp32 fp32 -> fp32")
    values = np.array([1.5, -2.0], np.float32)
    wanted = unit.compute(values, values).codes
    assert np.array_equal(unit.compute(Tensor(values), Tensor(values.view(np.uint32))).codes, wanted)
    assert np.array_equal(as_format("fp32").encode(Tensor(values)), values.view(np.uint32))
    assert np.array_equal(as_format("fp32").decode(Tensor(values.view(np.uint32))), values)
    assert without_tensor("x", Tensor(values)) is not values and without_tensor("x", values) is values


def test_tensors_that_numpy_does_not_read():
    class Odd(Tensor):
        def __dlpack__(self, **options):
            raise BufferError("Can't export tensors that require gradient.\nUse tensor.detach()")

    unit = fpgen.parse_unit("multiply fp32 fp32 -> fp32")
    values = np.ones(2, np.float32)
    with pytest.raises(UsageError, match=r"^a: got a tensor on DLPack device 2; expected one on the CPU$"):
        unit.compute(Tensor(values, device=2), values)
    with pytest.raises(
        UsageError, match=r"^a: got a tensor that numpy does not read \(Can't export tensors .*\); exp.*$"
    ):
        unit.compute(Odd(values), values)


def test_small_floats_come_as_an_array_where_dlpack_has_none():
    """As JAX's arrays do: numpy rejects bfloat16 from DLPack, and reads the array that the object makes of itself."""

    class Exporter(Tensor):
        def __dlpack__(self, **options):
            raise BufferError("Unsupported dtype in DLTensor")

        def __array__(self, dtype=None, copy=None):
            return self.array

    unit = fpgen.parse_unit("multiply e4m3fn e4m3fn -> bf16")
    values = np.array([1.5, -2.0], ml_dtypes.float8_e4m3fn)
    assert unit.out.decode(unit.compute(Exporter(values), Exporter(values)).codes).tolist() == [2.25, 4.0]


def test_ml_dtypes_is_imported_only_to_make_an_array():
    check = (
        "import sys, numpy as np, fpgen; u = fpgen.parse_unit('multiply fp16 fp16 -> e4m3fn'); "
        "r = u.compute(np.ones(1, np.float16), [1]); u.out.decode(r.codes); assert 'ml_dtypes' not in sys.modules; "
        "u.out.typed(r.codes); assert 'ml_dtypes' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


def test_without_ml_dtypes_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(
        fpgen.MissingTool, match="got no package ml_dtypes for its dtype float8_e4m3fn; expected it: pip"
    ):
        as_format("e4m3fn").typed([0])


# ---- matrices ------------------------------------------------------------------------------------


def test_matrices_of_the_operands_type():
    """The very codes, where conversion through float32 would have quietened NaNs or lost what float32 cannot hold."""
    values = np.random.default_rng(1).standard_normal((4, 16))
    a = values.astype(ml_dtypes.float8_e4m3fn)
    unit = "dot e4m3fn e4m3fn n=4 + fp32 -> fp32"
    wanted = fpgen.emulate.matmul(a.view(np.uint8), a.view(np.uint8).T, unit)
    assert np.array_equal(fpgen.emulate.matmul(a, a.T, unit), wanted)
    assert np.array_equal(fpgen.emulate.matmul(Tensor(a.view(np.uint8)), a.T, unit), wanted)
    half = values.astype(np.float16)
    assert np.array_equal(
        fpgen.emulate.matmul(Tensor(half), half.T, "dot fp16 fp16 n=4 + fp32 -> fp32"),
        fpgen.emulate.matmul(half.view(np.uint16), half.view(np.uint16).T, "dot fp16 fp16 n=4 + fp32 -> fp32"),
    )
    wide = fpgen.emulate.matmul(values, values.T, "dot fp64 fp64 n=4 + fp64 -> fp64")
    assert wide.dtype == np.float64 and np.allclose(wide, values @ values.T)
    with pytest.raises(UsageError, match="a: got an array of float8_e5m2; expected float32, float16 or bfloat16"):
        fpgen.emulate.matmul(a.astype(ml_dtypes.float8_e5m2), a.T, unit)


def test_blocks_of_the_elements_type():
    x = np.random.default_rng(2).standard_normal((3, 64)).astype(np.float32)
    q = fpgen.emulate.quantize(Tensor(x), "mxfp4")
    block = q.block
    typed = fpgen.emulate.Quantized(
        block.element.typed(q.codes), block.scale.typed(q.scales), None, block, q.shape, q.axis
    )
    assert np.array_equal(typed.codes, q.codes) and np.array_equal(typed.scales, q.scales)
    assert np.array_equal(fpgen.emulate.dequantize(typed), fpgen.emulate.dequantize(q))
    with pytest.raises(UsageError, match=r"codes: got float8_e4m3fn of .* for mxfp4 along axis 1"):
        fpgen.emulate.Quantized(q.codes.astype(ml_dtypes.float8_e4m3fn), q.scales, None, block, q.shape, q.axis)
