"""The public face of the golden model: shapes, dtypes, what it refuses, and laws that any model must keep."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from golden_cases import check, draw_codes, draw_controls, draw_operands, draw_options
from hypothesis import given, settings
from hypothesis import strategies as st

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import CATALOGUE, as_format
from fpgen.golden import Result, compute
from fpgen.golden.scalar import tables
from fpgen.units.options import Flags, Rounding

MULTIPLY = fpgen.Multiply(a="e4m3fn", b="e4m3fn", out="e4m3fn")


# ---- shapes and dtypes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "out, dtype",
    [
        ("e2m1", np.uint8),
        ("fp16", np.uint16),
        ("tf32", np.uint32),
        ("fp64", np.uint64),
    ],
)
def test_narrowest_dtype(out, dtype):
    result = fpgen.Convert(source="fp32", out=out).compute([0, 0x3F800000])
    assert isinstance(result, Result)
    assert result.codes.dtype == dtype and result.flags.dtype == np.uint8 and result.codes.shape == (2,)


def test_broadcasting():
    result = MULTIPLY.compute(np.arange(256).reshape(256, 1), np.arange(256))
    assert result.codes.shape == (256, 256)
    assert (result.codes[3] == MULTIPLY.compute(3, np.arange(256)).codes).all()
    assert MULTIPLY.compute(0x38, 0x38).codes.shape == ()
    port = fpgen.Multiply(a="e4m3fn", b="e4m3fn", out="e4m3fn", rounding="port")
    assert port.compute(0x3B, 0x3B, rounding=np.arange(8)).codes.shape == (8,)


def test_empty():
    assert MULTIPLY.compute([], []).codes.shape == (0,)
    assert MULTIPLY.compute(np.zeros((3, 0), dtype=np.uint8), 1).flags.shape == (3, 0)
    mac = fpgen.MultiplyAccumulate(a="e5m2", b="e5m2", out="fp32")
    assert mac.compute(np.zeros((0, 4), dtype=int), 0).codes.shape == (0, 4)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint64, object, bool])
def test_any_integer_dtype(dtype):
    codes = np.array([0, 1, 1, 0]).astype(dtype)
    assert (MULTIPLY.compute(codes, codes).codes == MULTIPLY.compute([0, 1, 1, 0], [0, 1, 1, 0]).codes).all()


def test_codes_of_64_bits_from_python_integers():
    unit = fpgen.Convert(source="fp64", out="fp64")
    codes = [0xBFF0000000000000, 0x8000000000000000, 1, (1 << 64) - 1]
    assert [int(x) for x in unit.compute(codes).codes] == [*codes[:3], 0x7FF8000000000000]


def test_no_input_is_changed_and_views_are_read():
    codes = np.arange(256, dtype=np.uint8)
    MULTIPLY.compute(codes[::-1], codes)
    assert (codes == np.arange(256)).all()
    assert (MULTIPLY.compute(codes[::2], 0x38).codes[1:4] == [2, 4, 6]).all()


@pytest.mark.parametrize(
    "text",
    [
        "multiply fp16 fp16 -> fp16 rne",
        "fma e4m3fn e4m3fn fp32 -> fp32 port",
        "add fp64 fp32 -> fp64 rdn",
        "convert fp32 -> e4m3fn srb random_bits=3",
        "multiply e4m3fn e5m2 -> e4m3fn rna",
        "add e2m1 e2m1 -> e2m1 port",
    ],
)
def test_result_depends_on_no_chunking(text):
    """Element by element, in one piece longer than a chunk, reshaped and by table: the same."""
    unit = fpgen.parse_unit(text)
    rng = np.random.default_rng(0)
    operands = draw_operands(unit, 40000, rng)
    controls = draw_controls(unit, (40000,), rng)
    whole = unit.compute(*operands.values(), **controls)
    for cut in (slice(0, 1), slice(16380, 16389), slice(32760, 32780), slice(39999, 40000), slice(100, 30001)):
        part = unit.compute(*(x[cut] for x in operands.values()), **{name: x[cut] for name, x in controls.items()})
        assert (part.codes == whole.codes[cut]).all() and (part.flags == whole.flags[cut]).all()
    shaped = unit.compute(
        *(x.reshape(4, 100, 100) for x in operands.values()),
        **{name: x.reshape(4, 100, 100) for name, x in controls.items()},
    )
    assert (shaped.codes.reshape(-1) == whole.codes).all()


def test_tables_are_kept_within_bounds():
    for name in list(CATALOGUE)[:40]:
        if CATALOGUE[name].format.bits <= 8:
            for mode in ("rne", "rtz"):
                fpgen.Convert(source=name, out="fp16", rounding=mode).compute(np.zeros(1 << 9, dtype=np.uint8))
    assert len(tables._tables) <= tables._KEPT


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operands, controls, message",
    [
        ([[1]], {}, "got 1 operands; expected a, b"),
        ([[1], [2], [3]], {}, "got 3 operands; expected a, b"),
        ([[1], [256]], {}, "b: got 256 to 256; expected codes of e4m3fn, 0 to 255 (0xff)"),
        ([[-1], [2]], {}, "a: got -1 to -1"),
        ([[1.0], [2]], {}, "a: got 1.0; expected integer codes"),
        ([np.array([1.0]), [2]], {}, "a: got an array of float64; expected integer codes"),
        ([["x"], [2]], {}, "expected integer codes"),
        ([[1 << 70], [2]], {}, "expected codes of e4m3fn, 0 to 255"),
        ([[None], [2]], {}, "a: got None; expected integer codes"),
        ([[[1], [1, 2]], [2]], {}, "expected an array of integer codes"),
        ([[1, 2, 3], [2, 3]], {}, "got the shapes a (3,), b (2,); expected shapes that broadcast"),
        (
            [[1], [2]],
            {"rounding": 0},
            "control: got rounding; expected for `multiply e4m3fn e4m3fn -> e4m3fn rne`: none",
        ),
        ([[1], [2]], {"carry": 0}, "control: got carry"),
        (
            [[1]],
            {"x": [2]},
            "control: got x; expected for `multiply e4m3fn e4m3fn -> e4m3fn rne`: none, and the operands a, b in "
            "order or by name",
        ),
        ([], {"b": [2]}, "got 1 operands; expected a, b (a missing)"),
        ([[1]], {"a": [2]}, "got a in order and by name; expected it once"),
        ([[1], [2]], {"b": [2]}, "got b in order and by name; expected it once"),
        ([], {"a": [1], "b": [256]}, "b: got 256 to 256"),
    ],
)
def test_refusals(operands, controls, message):
    with pytest.raises(UsageError) as caught:
        MULTIPLY.compute(*operands, **controls)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("fma e4m3fn e4m3fn fp32 -> fp32 port", {"a": [0x38, 0x41], "b": 0x3C, "c": 0x3F80_0000, "rounding": [2, 3]}),
        ("mac e5m2 e5m2 -> fp32 loadable=on", {"a": [0x3C, 0x3D], "b": [0x3C, 0x40], "load": [1, 0], "c": 0x4000_0000}),
        (
            "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32",
            {"a": [3] * 32, "a_scale": [127], "b": [5] * 32, "b_scale": [126], "c": 0x3F80_0000},
        ),
        ("quantize fp32 -> nvfp4", {"source": [0x3F80_0000] * 16, "tensor_scale": 0x3F80_0000}),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else "",
)
def test_operands_by_name(text, inputs):
    """In any order, all or only the last ones: the same as in the order of the ports."""
    unit = fpgen.parse_unit(text)
    names = list(unit.operands)
    controls = {name: codes for name, codes in inputs.items() if name not in names}
    expected = unit.compute(*(inputs[name] for name in names), **controls)
    for first in range(len(names)):
        by_name = {name: inputs[name] for name in reversed(inputs) if name not in names[:first]}
        found = unit.compute(*(inputs[name] for name in names[:first]), **by_name)
        assert (found.codes == expected.codes).all() and (found.flags == expected.flags).all()


def test_refusals_of_controls():
    port = fpgen.Multiply(a="e4m3fn", b="e4m3fn", out="e4m3fn", rounding="port")
    with pytest.raises(UsageError, match="control rounding: got none"):
        port.compute(1, 1)
    with pytest.raises(UsageError, match="rounding: got 8 to 8"):
        port.compute(1, 1, rounding=8)
    stochastic = fpgen.Multiply(a="e4m3fn", b="e4m3fn", out="e4m3fn", rounding="sra", random_bits=4)
    with pytest.raises(UsageError, match="random: got 16 to 16"):
        stochastic.compute(1, 1, random=16)
    with pytest.raises(UsageError, match=r"expected for .*: random"):
        stochastic.compute(1, 1, subtract=1)
    with pytest.raises(UsageError, match="which has 128 bits; expected up to 64"):
        fpgen.Convert(source="e15m112", out="fp64").compute(0)


def test_importing_the_golden_model_is_light():
    code = (
        "import sys, fpgen.golden; heavy = {'amaranth', 'cocotb', 'scipy', 'fpgen.rtl'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_options_without_influence_do_not_matter():
    plain = fpgen.Multiply(a="fp16", b="fp16", out="fp16")
    built = fpgen.Multiply(a="fp16", b="fp16", out="fp16", stages=3, flags=True, handshake="valid")
    codes = np.arange(0, 65536, 7)
    assert (plain.compute(codes, codes).codes == built.compute(codes, codes).codes).all()
    assert (compute(built, codes, codes).flags == plain.compute(codes, codes).flags).all()


# ---- laws ----------------------------------------------------------------------------------------

floats = st.sampled_from([name for name, entry in CATALOGUE.items() if not entry.format.fixed])
signed = st.sampled_from(
    [name for name, entry in CATALOGUE.items() if not entry.format.fixed and entry.format.has_negative_zero]
)
seeds = st.integers(0, 2**32 - 1)
law = settings(max_examples=60, deadline=None, derandomize=True)


@law
@given(st.sampled_from(list(CATALOGUE)), seeds)
def test_converting_a_format_to_itself_changes_nothing(name, seed):
    rng = np.random.default_rng(seed)
    fmt = as_format(name)
    codes = draw_codes(fmt, 400, rng)
    mode = str(rng.choice(["rne", "rna", "rtz", "rup", "rdn", "raz", "rto"]))
    result = fpgen.Convert(source=fmt, out=fmt, rounding=mode).compute(codes)
    kinds = np.array([fmt.classify(int(code)) < 3 for code in codes])
    kept = kinds if not fmt.symmetric else kinds & (codes != fmt.sign_mask)
    assert (result.codes[kept] == codes[kept]).all() and not result.flags[kept].any()


@law
@given(floats, floats, floats, seeds)
def test_multiplication_and_addition_commute(a, b, out, seed):
    rng = np.random.default_rng(seed)
    options = draw_options(as_format(out), rng, "port")
    first = fpgen.Multiply(a=a, b=b, out=out, **options)
    operands, controls = draw_operands(first, 400, rng), draw_controls(first, (400,), rng)
    for operation in (fpgen.Multiply, fpgen.Add):
        x = operation(a=a, b=b, out=out, **options).compute(operands["a"], operands["b"], **controls)
        y = operation(a=b, b=a, out=out, **options).compute(operands["b"], operands["a"], **controls)
        assert (x.codes == y.codes).all() and (x.flags == y.flags).all()


@law
@given(signed, seeds)
def test_rounding_up_mirrors_rounding_down(name, seed):
    """-round_up(a * b + c) = round_down(-a * b + -c), NaNs and exact zero sums aside."""
    rng = np.random.default_rng(seed)
    fmt = as_format(name)
    up, down = (fpgen.FusedMultiplyAdd(a=fmt, b=fmt, c=fmt, out=fmt, rounding=mode) for mode in ("rup", "rdn"))
    operands = draw_operands(up, 400, rng)
    sign = np.uint64(fmt.sign_mask)
    x = up.compute(*operands.values())
    y = down.compute(operands["a"] ^ sign, operands["b"], operands["c"] ^ sign)
    compared = np.array([fmt.classify(int(code)) in (1, 2) for code in x.codes], dtype=bool)
    assert (x.codes[compared] == (y.codes[compared] ^ sign)).all()
    assert (x.flags[compared] == y.flags[compared]).all()


@law
@given(floats, floats, seeds)
def test_directed_results_enclose_the_others(source, out, seed):
    """In the order of values: down <= nearest <= up; and exact results are the same in every mode."""
    rng = np.random.default_rng(seed)
    fmt = as_format(out)
    codes = draw_codes(as_format(source), 400, rng)
    results = {
        mode: fpgen.Convert(source=source, out=out, rounding=mode, overflow="saturate").compute(codes)
        for mode in ("rdn", "rne", "rna", "rto", "rtz", "rup")
    }
    ok = ~np.any([[fmt.classify(int(code)) >= 2 for code in result.codes] for result in results.values()], axis=0)
    place = {mode: np.array([fmt.value(int(code)) for code in result.codes[ok]]) for mode, result in results.items()}
    for mode in ("rne", "rna", "rto", "rtz"):
        assert (place["rdn"] <= place[mode]).all() and (place[mode] <= place["rup"]).all()
    exact = (results["rne"].flags[ok] & (Flags.NX | Flags.NV)) == 0
    assert (place["rdn"][exact] == place["rup"][exact]).all()


@pytest.mark.parametrize("mode", [Rounding.SRA, Rounding.SRB, Rounding.SRC], ids=lambda mode: mode.value)
def test_stochastic_rounding_goes_up_as_often_as_far(mode):
    """Over all random numbers, 3/16 of the way up is taken 3 times in 16."""
    unit = fpgen.Convert(source="fp32", out="bf16", rounding=mode, random_bits=4)
    code = 0x3F800000 + 3 * (1 << 12)
    result = unit.compute(code, random=np.arange(16))
    assert (result.codes == 0x3F81).sum() == 3 and (result.codes == 0x3F80).sum() == 13


def test_random_bits_below_binary64():
    """1 + (2**23 + 1) * 2**-55 with 32 random bits: the lowest of them is beyond the 53 bits of a float sum."""
    unit = fpgen.Add(a="fp32", b="fp32", out="fp32", rounding="sra", random_bits=32)
    up = (1 << 32) - (1 << 23) - 1  # the smallest random number that rounds up
    random = np.array([up - 8, up - 1, up, up + 1], dtype=np.uint64)
    operands = {"a": np.full(4, 0x3F800000), "b": np.full(4, 0x2F800001)}
    check(unit, operands, {"random": random})
    assert list(unit.compute(*operands.values(), random=random).codes - 0x3F800000) == [0, 0, 1, 1]


# ---- named vectors: found wrong once -------------------------------------------------------------

NAMED = {
    "zero with a large exponent is no overflow": ("multiply e2m1 fp32 -> int8 rdn", [0x0, 0x78AB7916]),
    "largest delivered where codes have 64 bits": ("convert e5m0:bias=-7 -> e2m61 rdn", [0x9]),
    "flushed although no normal number is finite": ("convert e5m2 -> e1m1 rdn propagate subnormals=out", [0xBE]),
    "overflow where the code line ends with 64 bits": (
        "multiply e6m9:bias=-300 e11m20:bias=-5 -> ue11m53:inf=none,nan=none rne",
        [0x7AF3, 0x292BA9B0],
    ),
    "all ones and rounded up leaves 64 bits": ("add uint64 fp32 -> uint64 rup", [0xFFFFFFFFFFFFFFFF, 0x3F000000]),
    "the largest code of 64 bits is rounded up": (
        "add ue11m53:inf=none,nan=none fp64 -> ue11m53:inf=none,nan=none rup",
        [0xFFFFFFFFFFFFFFFF, 0x3FF0000000000000],
    ),
    "the same below zero": (
        "add fp64 ue11m53:inf=none,nan=none -> ue11m53:inf=none,nan=none rdn subtract=on",
        [0xBFF0000000000000, 0xFFFFFFFFFFFFFFFF],
    ),
    "small integer far above a subnormal": ("fma e6m9:bias=-300 uint64 e1m6 -> e2m1 rtz", [0x7000, 0x1, 0x1]),
}


@pytest.mark.parametrize("name", NAMED)
def test_named_vector(name):
    text, codes = NAMED[name]
    unit = fpgen.parse_unit(text)
    check(unit, {port: np.array([code], dtype=np.uint64) for port, code in zip(unit.operands, codes, strict=True)})
