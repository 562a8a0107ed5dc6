"""Block dot products of a plain with a block format, of blocks of two sizes, with zero points and signed scales."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from block_cases import hardware
from sum_cases import draw_sum, draw_unit, mismatch

import fpgen
from fpgen import emulate
from fpgen.base.errors import UsageError
from fpgen.formats import BlockFormat, Class, Format, parse, parse_block
from fpgen.golden.exact import exact_model as exact
from fpgen.golden.sums import sums
from fpgen.units import BlockDot, Unit, card_of
from fpgen.units.blockdot import difference
from fpgen.units.options import Flags

W4A16 = "blockdot bf16 mxfp4 k=32 + fp32 -> fp32"
TWO_SIZES = "blockdot mxfp8e4m3 nvfp4 k=32 + fp32 -> fp32"
ZERO_POINTS = "blockdot bf16 uint4@fp16/32 k=64 + fp32 -> fp32 b_zero=uint4"

UNITS = [
    "blockdot bf16 e2m1@e8m0/4 k=8 + fp32 -> fp32",
    "blockdot e2m1@e8m0/4 bf16 k=4 + fp32 -> fp32 port",
    "blockdot e2m1@ue4m3/4 fp16 k=8 + fp32 -> fp32 rtz accumulate=aligned:fraction=25,group=4",
    "blockdot fp16 e4m3fn@e8m0/4 k=8 + fp32 -> bf16 accumulate=tree",
    "blockdot e4m3fn e2m1@fp16/4 k=8 -> fp16 rdn accumulate=chain",
    "blockdot e4m3fn e2m1@fp16/4 k=8 -> fp16 accumulate=chain:presum=1",
    "blockdot int8 e2m1@e8m0/4 k=8 + fp32 -> bf16 flags=on",
    "blockdot fp32 e2m1@e8m0/4 k=4 + fp32 -> fp32 flags=on",
    "blockdot e4m3fn@e8m0/8 e2m1@ue4m3/4 k=16 + fp32 -> fp32 flags=on",
    "blockdot e4m3fn@e8m0/8 e2m1@ue4m3/4 k=16 + fp32 -> fp32 rtz accumulate=aligned:fraction=25",
    "blockdot e4m3fn@e8m0/4 e2m1@ue4m3/6 k=12 + fp32 -> fp32 rup accumulate=tree",
    "blockdot bf16 uint4@fp16/4 k=8 + fp32 -> fp32 b_zero=uint4",
    "blockdot bf16 uint4@bf16/8 k=8 + fp32 -> fp32 rtz accumulate=aligned:fraction=25 b_zero=uint4",
    "blockdot int8@fp16/8 uint4@fp16/4 k=8 + fp32 -> fp32 a_zero=int8 b_zero=int4 flags=on",
    "blockdot int8@fp16/4 int8@bf16/4 k=8 -> fp16 accumulate=chain a_zero=uint8",
    "blockdot int8@fp16/4 uint4@e8m0/4 k=8 + fp32 -> fp32 accumulate=aligned:fraction=24,presum=2 b_zero=uint4",
    "blockdot e2m1@fp16/4 e5m2@bf16/4 k=8 + fp32 -> fp32 rdn accumulate=tree",
    "blockdot int4@fp16/2 int4@fp16/2 k=4 -> int16 port flags=on",
    "blockdot e3m4@e4m3fn/2 e2m1@e8m0/4 k=4 + bf16 -> e5m2 srb random_bits=4",
]


# ---- a definition of its own -----------------------------------------------------------------------


def values(fmt: Format) -> list[Fraction]:
    """The value of every finite code; others are not looked at."""
    return [fmt.value(code) if fmt.classify(code) <= Class.FINITE else Fraction(0) for code in range(1 << fmt.bits)]


def drawn(unit: BlockDot, count: int, seed: int) -> dict[str, np.ndarray]:
    """Finite codes, all equally likely; drawn again where they are not, since no wide format can be listed."""
    rng = np.random.default_rng(seed)
    found = {}
    for port in unit.ports:
        if port.is_input:
            codes = rng.integers(0, 1 << port.format.bits, (count, *port.shape), dtype=np.uint64)
            for at in np.ndindex(codes.shape):
                while port.format.classify(int(codes[at])) > Class.FINITE:
                    codes[at] = rng.integers(0, 1 << port.format.bits, dtype=np.uint64)
            found[port.name] = codes
    return found


def by_fractions(unit: BlockDot, codes: dict[str, np.ndarray]) -> list[float]:
    """The sums as exact fractions, each rounded by CPython to the nearest binary64, ties to even."""
    table = {name: values(fmt) for name, fmt in unit.operands.items()}
    found = []
    for row in range(len(codes["a"])):
        total = Fraction(0)
        for i in range(unit.k):
            term = Fraction(1)
            for name in "ab":
                value = table[name][int(codes[name][row, i])]
                given = getattr(unit, name)
                if isinstance(given, BlockFormat):
                    if f"{name}_zero" in table:
                        value -= table[f"{name}_zero"][int(codes[f"{name}_zero"][row, i // given.size])]
                    value *= table[f"{name}_scale"][int(codes[f"{name}_scale"][row, i // given.size])]
                term *= value
            total += term
        found.append(float(total))
    return found


@pytest.mark.turns(2)
@pytest.mark.parametrize(
    "text",
    [
        "blockdot bf16 mxfp4 k=64 -> fp64",
        "blockdot mxfp4 fp16 k=32 -> fp64",
        "blockdot int8 nvfp4 k=32 -> fp64",
        "blockdot mxfp8e4m3 nvfp4 k=64 -> fp64",
        "blockdot e4m3fn@ue4m3/4 e2m1@e4m3fn/6 k=12 -> fp64",
        "blockdot bf16 uint4@fp16/32 k=64 -> fp64 b_zero=uint4",
        "blockdot uint4@bf16/16 bf16 k=32 -> fp64 a_zero=int4",
        "blockdot int8@fp16/16 uint4@fp16/32 k=32 -> fp64 a_zero=int8 b_zero=uint4",
        "blockdot mxint8 int8@e8m0/16 k=32 -> fp64 b_zero=uint8",
        "blockdot e2m1@fp16/8 e4m3fn@bf16/8 k=16 -> fp64",
    ],
)
def test_every_product_has_the_scales_and_zero_points_of_its_elements(text):
    unit = fpgen.parse_unit(text)
    codes = drawn(unit, 60, 5)
    expected = by_fractions(unit, codes)
    assert len(set(expected)) > 50
    assert unit.compute(**codes).codes.view(np.float64).tolist() == [value + 0.0 for value in expected]
    assert exact.compute(unit, codes).codes.view(np.float64).tolist() == [value + 0.0 for value in expected]


def test_every_code_of_e2m1_with_int4_and_its_zero_point():
    """16 elements, 16 elements, 16 zero points and 16 scales of either sign, in the models and in the hardware."""
    unit = fpgen.parse_unit("blockdot e2m1 int4@e2m1/1 k=1 -> fp16 b_zero=uint4")
    a, b, zero, scale = (axis.reshape(-1).astype(np.uint64) for axis in np.meshgrid(*[np.arange(16)] * 4))
    float4 = np.array([float(value) for value in values(parse("e2m1"))])
    integer = np.where(b.astype(int) > 7, b.astype(int) - 16, b.astype(int))
    expected = (float4[a] * (integer - zero.astype(int)) * float4[scale] + 0.0).astype(np.float16)  # exact: 11 bits
    codes = {"a": a[:, None], "b": b[:, None], "b_scale": scale[:, None], "b_zero": zero[:, None]}
    assert (unit.compute(**codes).codes == expected.view(np.uint16)).all()
    assert (hardware(unit, codes)["result"] == expected.view(np.uint16)).all()


def test_every_code_of_two_e2m1_with_two_int4():
    unit = fpgen.parse_unit("blockdot e2m1 int4@e8m0/2 k=2 -> fp16")
    every = np.arange(1 << 16, dtype=np.uint64)
    codes = {"a": np.stack([every & 15, every >> 4 & 15], 1), "b": np.stack([every >> 8 & 15, every >> 12], 1)}
    float4 = np.array([float(value) for value in values(parse("e2m1"))])
    integer = np.where(codes["b"].astype(int) > 7, codes["b"].astype(int) - 16, codes["b"].astype(int))
    sums_ = (float4[codes["a"]] * integer).sum(1) + 0.0
    for scale in (126, 127, 130):
        codes["b_scale"] = np.full((len(every), 1), scale, np.uint64)
        expected = (sums_ * 2.0 ** (scale - 127)).astype(np.float16).view(np.uint16)  # exact
        assert (unit.compute(**codes).codes == expected).all()
    assert (hardware(unit, codes)["result"] == expected).all()


# ---- the models and the hardware agree -----------------------------------------------------------------


@pytest.mark.turns(2)
@pytest.mark.parametrize("text", UNITS)
def test_models_and_hardware_agree(text):
    unit = fpgen.parse_unit(text)
    inputs = draw_sum(unit, 160, 3)
    operands = {name: inputs[name] for name in unit.operands}
    controls = {name: inputs[name] for name in inputs if name not in operands}
    slow, fast = exact.compute(unit, operands, controls), unit.compute(**inputs)
    assert (slow.codes == fast.codes).all() and (slow.flags == fast.flags).all()
    found = hardware(unit, inputs)
    assert (found["result"] == fast.codes).all()
    if unit.flags:
        assert (found["flags"] == fast.flags).all()


@pytest.mark.parametrize("kind", ["aligned", "tree", "chain"])
def test_units_at_random(kind):
    rng = np.random.default_rng(17)
    units: list[Unit] = []
    while len(units) < 6:
        unit = draw_unit(kind, rng)
        if isinstance(unit, BlockDot) and unit.a != unit.b:
            units.append(unit)
    for number, unit in enumerate(units):
        assert not (text := mismatch(unit, draw_sum(unit, 120, number))), text


@pytest.mark.parametrize(
    "text",
    [
        "tensorcore bf16 e2m1@e8m0/4 m=2 n=3 k=8 + fp32 -> fp32 rtz accumulate=aligned:fraction=25",
        "tensorcore e2m1@e8m0/4 e4m3fn m=2 n=1 k=4 -> fp16",
        "tensorcore int8@e8m0/8 uint4@fp16/4 m=2 n=3 k=8 + fp32 -> fp32 a_zero=int8 b_zero=uint4",
    ],
)
def test_tiles(text):
    """Each result of a tile is that of the dot product of its row and column, in the models and in the hardware."""
    unit = fpgen.parse_unit(text)
    rng = np.random.default_rng(9)
    codes = {
        port.name: rng.integers(0, 1 << port.element_width, (40, *port.shape), dtype=np.uint64)
        for port in unit.ports
        if port.travels_in
    }
    found = unit.compute(**codes).codes
    assert (exact.compute(unit, codes).codes == found).all()
    got = hardware(unit, {name: array.reshape(40, -1) for name, array in codes.items()})["result"]
    assert (got.reshape(found.shape) == found).all()
    for i in range(unit.m):
        for j in range(unit.n):
            one = {
                name: array[:, i, j] if name == "c" else array[:, i] if name[0] == "a" else array[:, :, j]
                for name, array in codes.items()
            }
            assert (unit.dot.compute(**one).codes == found[:, i, j]).all()


def test_the_order_of_the_operands_does_not_matter():
    codes = drawn(fpgen.parse_unit(ZERO_POINTS), 50, 1)
    other = {"a": codes["b"], "a_scale": codes["b_scale"], "a_zero": codes["b_zero"], "b": codes["a"], "c": codes["c"]}
    for how in ("", "rtz accumulate=aligned:fraction=25 "):
        one = fpgen.parse_unit(f"blockdot bf16 uint4@fp16/32 k=64 + fp32 -> fp32 {how}b_zero=uint4")
        swapped = fpgen.parse_unit(f"blockdot uint4@fp16/32 bf16 k=64 + fp32 -> fp32 {how}a_zero=uint4")
        assert (one.compute(**codes).codes == swapped.compute(**other).codes).all()


# ---- specials, zeros, signs ----------------------------------------------------------------------------

BF16 = {"1": 0x3F80, "-1": 0xBF80, "inf": 0x7F80, "nan": 0x7FC0, "0": 0x0000}
FP16 = {"1": 0x3C00, "-1": 0xBC00, "-2": 0xC000, "inf": 0x7C00, "nan": 0x7E00, "0": 0x0000, "-0": 0x8000}


@pytest.mark.parametrize(
    ("a", "b", "zero", "scale", "result", "flags"),
    [
        (["1", "1"], [9, 4], 3, "1", 7.0, 0),
        (["1", "1"], [9, 4], 3, "-2", -14.0, 0),
        (["1", "-1"], [0, 15], 15, "1", -15.0, 0),
        (["1", "1"], [7, 7], 7, "nan", np.nan, 0),  # a NaN scale, whatever the elements
        (["1", "1"], [7, 7], 7, "inf", np.nan, Flags.NV),  # infinity times zero
        (["inf", "1"], [7, 0], 7, "1", np.nan, Flags.NV),
        (["inf", "1"], [8, 0], 7, "1", np.inf, 0),
        (["inf", "1"], [8, 0], 7, "-1", -np.inf, 0),
        (["inf", "1"], [8, 0], 7, "0", np.nan, Flags.NV),
        (["nan", "1"], [8, 0], 7, "1", np.nan, 0),
        (["1", "1"], [7, 7], 7, "-1", 0.0, 0),  # a sum of zero is +0
        (["1", "1"], [9, 5], 7, "-0", 0.0, 0),
    ],
)
def test_specials_and_signs(a, b, zero, scale, result, flags):
    unit = fpgen.parse_unit("blockdot bf16 uint4@fp16/2 k=2 -> fp32 b_zero=uint4 flags=on")
    codes = {
        "a": np.array([[BF16[x] for x in a]], np.uint64),
        "b": np.array([b], np.uint64),
        "b_scale": np.array([[FP16[scale]]], np.uint64),
        "b_zero": np.array([[zero]], np.uint64),
    }
    wanted = np.array([result], np.float32)
    code = 0x7FC00000 if np.isnan(result) else int(wanted.view(np.uint32)[0])
    for found in (unit.compute(**codes), exact.compute(unit, codes)):
        assert (int(found.codes[0]), int(found.flags[0])) == (code, int(flags))
    got = hardware(unit, codes)
    assert (int(got["result"][0]), int(got["flags"][0])) == (code, int(flags))


def test_a_difference_is_aligned_as_an_integer_of_its_format():
    """uint4 less uint4 is an int5: exponent 4 whatever its value, so under F = 23 the last place kept is 2**-19."""
    unit = fpgen.parse_unit("blockdot bf16 uint4@e8m0/2 k=2 -> fp32 rtz accumulate=aligned:fraction=23 b_zero=uint4")
    for exponent, kept in ((-19, 1), (-20, 0)):
        small = 127 + exponent << 7
        codes = {
            "a": np.array([[0x3F80, small]], np.uint64),
            "b": np.array([[4, 4]], np.uint64),
            "b_scale": np.array([[127]], np.uint64),
            "b_zero": np.array([[3]], np.uint64),
        }
        value = unit.compute(**codes).codes.view(np.float32)[0]
        assert value == 1 + kept * 2.0**exponent
        assert hardware(unit, codes)["result"].astype(np.uint32).view(np.float32)[0] == value


def test_the_format_of_a_difference_holds_all_of_them():
    for element, zero, bits in (
        ("uint4", "uint4", 5),
        ("int4", "int4", 5),
        ("uint4", "int4", 6),
        ("int4", "uint4", 6),
        ("int8", "uint2", 9),
        ("uint2", "int8", 9),
        ("mxint8", "mxint8", 9),
    ):
        first, second = parse(element), parse(zero)
        fmt = difference(first, second)
        ends = [x.value(code) / Fraction(2) ** x.scale for x in (first, second) for code in range(1 << x.bits)]
        lows = [min(part) for part in (ends[: 1 << first.bits], ends[1 << first.bits :])]
        highs = [max(part) for part in (ends[: 1 << first.bits], ends[1 << first.bits :])]
        assert (fmt.bits, fmt.signed, fmt.scale) == (bits, True, first.scale)
        assert -(1 << bits - 1) <= lows[0] - highs[1] and highs[0] - lows[1] < 1 << bits - 1
        assert not (-(1 << bits - 2) <= lows[0] - highs[1] and highs[0] - lows[1] < 1 << bits - 2), "a bit too many"


# ---- as parameters ----------------------------------------------------------------------------------------


def test_ports():
    shapes = {port.name: (port.shape, port.format.name) for port in fpgen.parse_unit(ZERO_POINTS).ports}
    assert shapes == {
        "a": ((64,), "bf16"),
        "b": ((64,), "uint4"),
        "b_scale": ((2,), "fp16"),
        "b_zero": ((2,), "uint4"),
        "c": ((), "fp32"),
        "result": ((), "fp32"),
    }
    shapes = {port.name: port.shape for port in fpgen.parse_unit(TWO_SIZES).ports}
    assert shapes == {"a": (32,), "a_scale": (1,), "b": (32,), "b_scale": (2,), "c": (), "result": ()}
    tile = fpgen.parse_unit("tensorcore bf16 uint4@fp16/4 m=2 n=3 k=8 -> fp32 b_zero=uint4")
    shapes = {port.name: port.shape for port in tile.ports}
    assert shapes == {"a": (2, 8), "b": (8, 3), "b_scale": (2, 3), "b_zero": (2, 3), "result": (2, 3)}


@pytest.mark.parametrize(
    "text",
    [
        *UNITS,
        W4A16,
        TWO_SIZES,
        ZERO_POINTS,
        "blockdot int8:scale=-6,symmetric=yes mxint8 k=32 -> fp32",
        "tensorcore int8:scale=-6,symmetric=yes int8 m=1 n=1 k=2 -> fp32",
        "tensorcore bf16 uint4@fp16/4 m=2 n=3 k=8 -> fp32 b_zero=uint4",
    ],
)
def test_text_and_tables_are_read_back(text):
    unit = fpgen.parse_unit(text)
    again = fpgen.parse_unit(unit.text)
    assert again == unit and again.text == unit.text and again.content_hash == unit.content_hash
    assert fpgen.unit_from_dict(unit.to_dict()) == unit


def test_zero_points_change_the_name_and_the_hash():
    plain, other = (fpgen.parse_unit(ZERO_POINTS.replace("b_zero=uint4", zero)) for zero in ("", "b_zero=uint4"))
    assert plain != other and plain.name != other.name and plain.content_hash != other.content_hash


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        (W4A16, "sum of b_scale[j] * a[i] * b[i] + c, i = 0 to 31, j = i / 32"),
        (TWO_SIZES, "sum of a_scale[i / 32] * b_scale[i / 16] * a[i] * b[i] + c, i = 0 to 31"),
        (ZERO_POINTS, "sum of b_scale[j] * a[i] * (b[i] - b_zero[j]) + c, i = 0 to 63, j = i / 32"),
        ("blockdot mxfp4 mxfp4 k=64 -> fp32", "sum of a_scale[j] * b_scale[j] * a[i] * b[i], i = 0 to 63, j = i / 32"),
        (
            "tensorcore bf16 uint4@fp16/4 m=2 n=3 k=8 -> fp32 b_zero=uint4",
            "result[i][j] = sum of b_scale[s][j] * a[i][l] * (b[l][j] - b_zero[s][j]), l = 0 to 7, s = l / 4",
        ),
    ],
)
def test_what_headers_say(text, formula):
    assert dict(card_of(unit := fpgen.parse_unit(text)).formula(unit))["Result"] == formula


def test_the_fast_model_is_not_the_slow_one():
    for text in (
        W4A16,
        TWO_SIZES,
        ZERO_POINTS,
        "blockdot bf16 mxfp4 k=32 + fp32 -> fp32 accumulate=chain:presum=1",
        "blockdot bf16 mxfp4 k=64 + fp32 -> fp32 rtz accumulate=aligned:fraction=25",
    ):
        assert sums.engine_for(fpgen.parse_unit(text)) is not None


# ---- matrices ---------------------------------------------------------------------------------------------


def test_matmul_of_bf16_activations_with_mxfp4_weights():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((5, 80)).astype(ml_dtypes.bfloat16)
    w = emulate.quantize(rng.standard_normal((80, 7)).astype(np.float32), "mxfp4", axis=0)
    exactly = x.astype(np.float64) @ emulate.dequantize(w).astype(np.float64)
    one = emulate.matmul(x, w, "blockdot bf16 mxfp4 k=96 -> fp64")
    assert one.shape == (5, 7) and np.array_equal(one, exactly)  # 80 products of 10 bits: exact in binary64
    chained = emulate.matmul(x, w, "blockdot bf16 mxfp4 k=32 + fp32 -> fp32")
    assert np.allclose(chained, exactly, rtol=0, atol=1e-5) and chained.dtype == np.float32
    floats = emulate.matmul(x, emulate.dequantize(w), "blockdot bf16 mxfp4 k=32 + fp32 -> fp32")
    assert floats.shape == (5, 7)
    swapped = emulate.matmul(
        emulate.quantize(np.ascontiguousarray(emulate.dequantize(w).T), "mxfp4"),
        np.ascontiguousarray(x.T),
        "blockdot mxfp4 bf16 k=96 -> fp64",
    )
    again = emulate.matmul(
        x, emulate.quantize(emulate.dequantize(w), "mxfp4", axis=0), "blockdot bf16 mxfp4 k=96 -> fp64"
    )
    assert np.array_equal(swapped.T, again)


def quantized(rng: np.random.Generator, block: str, shape: tuple[int, int], axis: int):
    """Random elements, fp16 scales and zero points, and the values that they stand for."""
    form = parse_block(block)
    k = shape[axis]
    whole = [*shape]
    whole[axis] = -(-k // form.size) * form.size
    few = [*whole]
    few[axis] //= form.size
    codes = rng.integers(0, 1 << form.element.bits, whole).astype(np.uint8)
    scales = rng.choice(np.array([0.25, 0.5, -1, 1.5, 3], np.float16), few)
    points = rng.integers(0, 1 << form.element.bits, few).astype(np.uint8)
    table = np.array([float(form.element.value(code)) for code in range(1 << form.element.bits)])
    of_element = np.repeat(table[points], form.size, axis), np.repeat(scales.astype(float), form.size, axis)
    stands = (table[codes] - of_element[0]) * of_element[1]
    codes[(slice(None),) * axis + (slice(k, None),)] = 0  # what fills up a block
    made = emulate.Quantized(codes, scales.view(np.uint16), None, form, shape, axis)
    return made, points, np.take(stands, np.arange(k), axis)


@pytest.mark.parametrize("how", ["", "accumulate=tree"])
def test_matmul_with_zero_points_and_a_block_that_is_not_full(how):
    rng = np.random.default_rng(4)
    x, x_zero, left = quantized(rng, "int8@fp16/16", (4, 40), 1)
    w, w_zero, right = quantized(rng, "uint4@fp16/32", (40, 6), 0)
    unit = f"blockdot int8@fp16/16 uint4@fp16/32 k=32 + fp64 -> fp64 {how} a_zero=int8 b_zero=uint4"
    found = emulate.matmul(x, w, unit, a_zero=x_zero, b_zero=w_zero)
    assert np.array_equal(found, left @ right)  # small integers times quarters: exact


def test_what_matmul_refuses():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((4, 32)).astype(ml_dtypes.bfloat16)
    w, zero, _ = quantized(rng, "uint4@fp16/32", (32, 6), 0)
    with pytest.raises(UsageError, match=r"b: got no b_zero with .*; expected a Quantized and b_zero"):
        emulate.matmul(x, w, "blockdot bf16 uint4@fp16/32 k=32 -> fp32 b_zero=uint4")
    with pytest.raises(UsageError, match=r"b_zero: got an array with .*, which has no zero points for b"):
        emulate.matmul(x, w, "blockdot bf16 uint4@fp16/32 k=32 -> fp32", b_zero=zero)
    with pytest.raises(UsageError, match=r"b_zero: got shape \(6,\) with scales of \(1, 6\)"):
        emulate.matmul(x, w, "blockdot bf16 uint4@fp16/32 k=32 -> fp32 b_zero=uint4", b_zero=zero[0])
    with pytest.raises(UsageError, match=r"a: got blocks of uint4@fp16/32; expected plain bf16"):
        emulate.matmul(quantized(rng, "uint4@fp16/32", (4, 32), 1)[0], w, "blockdot bf16 uint4@fp16/32 k=32 -> fp32")
