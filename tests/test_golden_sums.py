"""The vectorised sums of products equal the exact model, in any shape, chunk, order and thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from array_cases import check_arrays, draw_record, draw_sum_inputs, split
from golden_cases import EXTREMES, draw_format, draw_options
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import CATALOGUE, as_format
from fpgen.golden.sums import sums, sums_exact, sums_short, sums_split
from fpgen.units import PRESETS
from fpgen.units.options import Rounding

SHORT = [name for name in CATALOGUE if CATALOGUE[name].format.bits <= 9 and CATALOGUE[name].format.signed]


MODES = ["rne", "rtz", "rup", "rdn", "rna", "raz", "rto", "port"]


def engine(unit: fpgen.Unit):
    return sums.engine_for(unit.dot if isinstance(unit, fpgen.TensorCore) else unit)


def drawn_dot(formats: list, n: int, record: dict, rng: np.random.Generator) -> fpgen.DotProduct:
    """A dot product with options drawn; refused ones are not looked at."""
    a, b, c, out = formats
    try:
        accumulation = fpgen.Accumulation(**record)
        options = draw_options(
            as_format(out),
            rng,
            None
            if record["kind"] == "exact"
            else str(rng.choice(["rne", "rtz", "rup", "rdn", "rna", "raz", "rto", "port"])),
        )
        return fpgen.DotProduct(a=a, b=b, n=n, c=c, out=out, accumulate=accumulation, **options)
    except UsageError:
        assume(False)
        raise


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=120, deadline=None)
def test_dots_of_catalogue_formats(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.choice([*SHORT, "fp16", "bf16", "tf32", "fp32"], 2)
    c = rng.choice([None, "fp32", "fp16", "bf16", "e5m2", "int32"])
    out = rng.choice(["fp32", "fp32", "fp16", "bf16", "e4m3fn", "fp64", "int32", "e5m2fnuz"])
    unit = drawn_dot([a, b, c, out], int(rng.choice([1, 2, 4, 8, 16])), draw_record(rng), rng)
    check_arrays(unit, draw_sum_inputs(unit, 24, rng))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_dots_of_odd_formats(seed):
    rng = np.random.default_rng(seed)
    formats = [draw_format(rng) if rng.random() < 0.6 else as_format(str(rng.choice(EXTREMES))) for _ in range(4)]
    if rng.random() < 0.4:
        formats[2] = None
    unit = drawn_dot(formats, int(rng.choice([1, 2, 3, 4, 6])), draw_record(rng), rng)
    check_arrays(unit, draw_sum_inputs(unit, 16, rng))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_block_dots(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.choice(["e2m1", "e4m3fn", "e5m2", "mxint8", "e3m2", "e2m3", "int4", "e4m3fnuz"], 2)
    size = int(rng.choice([2, 4, 16]))
    scales = rng.choice(["e8m0", "e8m0", "ue4m3", "ue5m2:inf=top,nan=allones", "ue4m0:nan=none"], 2)
    try:
        unit = fpgen.BlockDot(
            a=f"{a}@{scales[0]}/{size}",
            b=f"{b}@{scales[1]}/{size}",
            k=size * int(rng.choice([1, 2, 4])),
            c=rng.choice([None, "fp32", "bf16"]),
            out=str(rng.choice(["fp32", "fp16", "bf16"])),
            accumulate=fpgen.Accumulation(**draw_record(rng)),
            rounding=str(rng.choice(["rne", "rtz", "rup", "rdn", "port"])),
        )
    except UsageError:
        assume(False)
        raise
    check_arrays(unit, draw_sum_inputs(unit, 16, rng))


def preset_units() -> list[fpgen.Unit]:
    units = []
    for name, preset in PRESETS.items():
        for case in preset.cases:
            for out in case.outputs:
                group = case.accumulation.group or 32
                first, last = case.operands[0], case.operands[-1]
                if not case.scales:
                    units.append(fpgen.DotProduct(a=first, b=last, n=2 * group, c=out, out=out, accumulate=name))
                    continue
                for scale in case.scales:
                    units.append(
                        fpgen.BlockDot(
                            a=f"{first}@{scale}/16",
                            b=f"{last}@{scale}/16",
                            k=2 * group,
                            c=out,
                            out=out,
                            accumulate=name,
                        )
                    )
    return units


@pytest.mark.parametrize("unit", preset_units(), ids=lambda unit: unit.name)
def test_presets(unit):
    assert engine(unit) is not None, "every preset is vectorised"
    check_arrays(unit, draw_sum_inputs(unit, 60, np.random.default_rng(1)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dot e2m1 e2m1 n=32 + fp32 -> fp32", sums_exact.run_exact),
        ("dot e4m3fn e4m3fn n=32 + fp32 -> fp32", sums_exact.run_exact),
        ("dot int8 int8 n=16 + int32 -> int32", sums_exact.run_exact),
        ("blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32", sums_exact.run_exact),
        ("dot e5m2 e5m2 n=8 + fp32 -> fp32", sums_split.run_split),
        ("dot fp16 fp16 n=16 -> bf16 port", sums_split.run_split),
        ("blockdot mxfp8e5m2 mxfp8e5m2 k=32 + fp32 -> fp32", sums_split.run_split),
        ("blockdot mxfp4 mxint8 k=64 + bf16 -> fp32", sums_split.run_split),
        ("dot bf16 bf16 n=4 + fp32 -> fp32", sums_exact.run_limbs),
        ("dot fp64 fp64 n=2 + fp64 -> fp64", sums_exact.run_limbs),
        ("blockdot mxfp8e5m2 mxfp8e5m2 k=64 + fp32 -> fp32", sums_exact.run_limbs),
        ("blockdot nvfp4 nvfp4 k=64 + fp32 -> fp32", sums_exact.run_limbs),
        ("blockdot nvfp4 nvfp4 k=32 + fp32 -> fp32", sums_split.run_split),
        ("dot e2m1 e2m1 n=32 + fp32 -> fp32 rtz accumulate=aligned:fraction=25", sums_short.run_short),
        ("blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 accumulate=blackwell-mx", sums_short.run_short),
        ("dot e2m1 e2m1 n=16 -> e4m3fn accumulate=aligned:fraction=3", sums_short.run_short),
        ("dot e2m1 int4 n=32 + bf16 -> bf16 accumulate=aligned:fraction=7", sums_short.run_short),
        ("tensorcore mxfp4 mxfp4 m=2 n=3 k=32 + fp32 -> fp32 accumulate=blackwell-mx", sums_short.run_short),
        ("tensorcore e4m3fn e5m2 m=3 n=2 k=4 + fp32 -> fp32 port", sums_exact.run_exact),
        ("dot fp64 fp64 n=2 + fp64 -> fp64 accumulate=chain", None),
    ],
)
def test_engines(text, expected):
    """Which engine a unit goes to, and that it is right."""
    unit = fpgen.parse_unit(text)
    assert engine(unit) is expected
    check_arrays(unit, draw_sum_inputs(unit, 150 if unit.operation != "tensorcore" else 30, np.random.default_rng(2)))


@pytest.mark.full
@pytest.mark.parametrize("accumulate", ["exact", "aligned:fraction=23", "chain"])
def test_every_code_of_a_short_dot_product(accumulate):
    """e2m1, two products: all 65536 codes, with three addends, against the exact model."""
    unit = fpgen.parse_unit(f"dot e2m1 e2m1 n=2 + fp32 -> fp32 accumulate={accumulate}")
    every = np.arange(1 << 16, dtype=np.uint64)
    a, b = (np.stack([(every >> np.uint64(s)) & np.uint64(15) for s in shifts], axis=1) for shifts in ((0, 4), (8, 12)))
    for c in (0x3F800001, 0xC1100000, 0x4B7FFFFF):  # near 1, -9 (cancels), 2**24 - 1
        check_arrays(unit, {"a": a, "b": b, "c": np.full(1 << 16, c, dtype=np.uint64)})


@pytest.mark.parametrize(("name", "top"), [("e4m3fn", 8), ("e5m2", 15), ("fp16", 15), ("bf16", 60)])
@pytest.mark.parametrize("n", [2, 32, 1024])
def test_a_small_product_beside_one_that_the_addend_cancels(name, top, n):
    """2**top squared minus 2**(2 top) leaves the other product, however small: across the whole window nothing is lost.
    The result is the product of two numbers, as float64 has it, rounded by numpy."""
    unit = fpgen.parse_unit(f"dot {name} {name} n={n} + fp32 -> fp32")
    fmt = as_format(name)
    codes = np.arange(fmt.max_finite_code + 1, dtype=np.uint64)
    if n > 32:
        codes = codes[:: max(1, len(codes) // 100)]
    elif len(codes) > 4000:
        codes = codes[::11]
    values = fpgen.Convert(source=fmt, out="fp64").compute(codes).codes.view(np.float64)
    high = fpgen.Convert(source="fp64", out=fmt).compute(np.float64(2.0**top).view(np.uint64)).codes
    for factor in (codes[0], codes[1], codes[len(codes) // 2], codes[-1]):
        a, b = np.zeros((2, len(codes), n), dtype=np.uint64)
        a[:, 0], b[:, 0] = high, high
        a[:, -1], b[:, -1] = codes, factor
        c = (-np.float32(2.0 ** (2 * top))).view(np.uint32)
        found = unit.compute(a, b, c).codes.view(np.float32)
        with np.errstate(over="ignore"):
            assert np.array_equal(found, (values * values[codes == factor]).astype(np.float32))


def test_addend_far_above_near_and_below_short_products():
    """Every distance between the addend and products of e2m1: nothing cut, some cut, all cut."""
    unit = fpgen.parse_unit("dot e2m1 e2m1 n=16 + fp32 -> fp32 rtz accumulate=aligned:fraction=23")
    rng = np.random.default_rng(3)
    exponents = np.arange(90, 170)
    fractions = rng.integers(0, 1 << 23, len(exponents))
    c = (rng.integers(0, 2, len(exponents)) << 31 | exponents << 23 | fractions).astype(np.uint64)
    codes = {name: rng.integers(0, 16, (len(c), 16), dtype=np.uint64) for name in ("a", "b")}
    check_arrays(unit, codes | {"c": c})


def test_an_infinite_scale_reaches_every_term():
    """Infinity times (1 - 2) is no minus infinity: one term is plus infinity, one minus infinity, one (0) invalid."""
    unit = fpgen.parse_unit("blockdot e2m1@ue5m2:inf=top,nan=allones/2 e2m1@e8m0/2 k=2 -> fp32")
    infinity, one = unit.a.scale.infinity_code, 127
    for b, code in (([2, 4], 0x7F800000), ([2, 12], 0x7FC00000), ([2, 0], 0x7FC00000)):
        assert int(unit.compute([2, 2], [infinity], b, [one]).codes) == code


def test_a_largest_value_that_is_subnormal_is_flushed_in_the_end():
    """e1m1: its one finite magnitude is subnormal. A sum of 4 overflows to it (toward zero), and is flushed when the
    sum becomes the result."""
    unit = fpgen.parse_unit("dot e2m1 e2m1 n=16 -> e1m1 rtz subnormals=out accumulate=aligned:fraction=25")
    assert unit.out.value(unit.out.max_finite_code) == 1
    ones = np.full((1, 16), 2, dtype=np.uint64)
    check_arrays(unit, {"a": ones, "b": ones})
    assert unit.compute(ones, ones).codes.tolist() == [0]


# ---- shapes, chunks, threads ---------------------------------------------------------------------

INDEPENDENT = [
    "dot e2m1 e2m1 n=32 + fp32 -> fp32 rtz accumulate=aligned:fraction=25",
    "dot e4m3fn e4m3fn n=32 + fp32 -> fp32",
    "dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=cdna1",
    "blockdot mxfp8e4m3 mxfp4 k=64 + fp32 -> fp32",
    "dot e5m2 e5m2 n=16 + fp32 -> fp32 accumulate=hopper-fp8",
]


@pytest.mark.parametrize("text", INDEPENDENT)
def test_results_depend_on_neither_shape_nor_chunk_nor_thread(text, monkeypatch):
    unit = fpgen.parse_unit(text)
    rng = np.random.default_rng(4)
    operands, _ = split(unit, draw_sum_inputs(unit, 600, rng))
    whole = unit.compute(*operands)
    one_by_one = [unit.compute(*(array[i] for array in operands)) for i in range(40)]
    assert [int(result.codes) for result in one_by_one] == whole.codes[:40].tolist()
    folded = unit.compute(*(array.reshape(4, 3, 50, *array.shape[1:]) for array in operands))
    assert np.array_equal(folded.codes.reshape(-1), whole.codes)
    assert np.array_equal(folded.flags.reshape(-1), whole.flags)
    views = [np.asfortranarray(array)[::-1] for array in operands]
    assert np.array_equal(unit.compute(*views).codes, whole.codes[::-1])
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda part: unit.compute(*(array[part::8] for array in operands)).codes, range(8)))
    assert all(np.array_equal(codes, whole.codes[part::8]) for part, codes in enumerate(parts))
    monkeypatch.setattr(sums, "_ROWS", 7)
    assert np.array_equal(unit.compute(*operands).codes, whole.codes)


def test_a_tile_is_its_dot_products():
    unit = fpgen.parse_unit("tensorcore e4m3fn e4m3fn m=3 n=2 k=8 + fp32 -> fp32 accumulate=blackwell")
    rng = np.random.default_rng(5)
    operands, _ = split(unit, draw_sum_inputs(unit, 50, rng))
    a, b, c = operands
    tile = unit.compute(*operands).codes
    dots = unit.dot.compute(a[:, :, None, :], b.swapaxes(1, 2)[:, None, :, :], c).codes
    assert np.array_equal(tile, dots)


def test_operands_broadcast():
    unit = fpgen.parse_unit("dot e2m1 e2m1 n=4 + fp32 -> fp32")
    a = np.arange(32, dtype=np.uint8).reshape(8, 4) % 16
    result = unit.compute(a[:, None], a[None], 0)
    assert result.codes.shape == (8, 8)
    assert np.array_equal(result.codes, result.codes.T)
    assert unit.compute(np.zeros((0, 4), np.uint8), a[0], 0).codes.shape == (0,)


# ---- order ---------------------------------------------------------------------------------------


def permuted(operands: list[np.ndarray], unit: fpgen.Unit, rng: np.random.Generator) -> list[np.ndarray]:
    """The same products in another order, each row in its own."""
    order = np.argsort(rng.random(operands[0].shape), axis=1)
    return [np.take_along_axis(array, order, axis=1) if array.ndim == 2 else array for array in operands]


@pytest.mark.parametrize(
    "text",
    [
        "dot e4m3fn e4m3fn n=16 + fp32 -> fp32",
        "dot e5m2 e5m2 n=16 + fp32 -> fp32",
        "dot fp16 bf16 n=8 + fp32 -> bf16 rup",
        "dot e4m3fn e4m3fn n=16 + fp32 -> fp32 accumulate=aligned:fraction=25",
        "dot fp16 fp16 n=16 + fp32 -> fp32 accumulate=hopper",
        "dot e4m3fn e4m3fn n=16 + fp32 -> fp32 accumulate=aligned:fraction=24,treatment=sticky",
        "dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=cdna3-fp16",
    ],
)
def test_order_within_a_group_does_not_matter(text):
    unit = fpgen.parse_unit(text)
    rng = np.random.default_rng(6)
    operands, _ = split(unit, draw_sum_inputs(unit, 3000, rng))
    expected = unit.compute(*operands).codes
    for _ in range(3):
        assert np.array_equal(unit.compute(*permuted(operands, unit, rng)).codes, expected)


def test_order_matters_where_sums_are_rounded():
    """chain in fp16 (ulp of 2048: 2): 2048 + 1 = 2049 is a tie, to 2048, twice; 1 + 1 + 2048 = 2050."""
    unit = fpgen.parse_unit("dot fp16 fp16 n=3 -> fp16 accumulate=chain")
    one, big = 0x3C00, 0x6800
    assert unit.compute([big, one, one], [one] * 3).codes == 0x6800
    assert unit.compute([one, one, big], [one] * 3).codes == 0x6801


def test_a_tree_adds_plus_zero_to_its_terms_a_chain_does_not():
    """-0 + +0 = +0, so a tree of products that are all -0 is +0; a chain without an addend is -0 + -0 = -0."""
    minus, one = 0x8000, 0x3C00
    for kind, code in (("tree", 0), ("chain", minus)):
        unit = fpgen.parse_unit(f"dot fp16 fp16 n=2 -> fp16 accumulate={kind}")
        assert int(unit.compute([minus, minus], [one, one]).codes) == code


def test_order_matters_between_groups_of_an_aligned_sum():
    """aligned, F = 10, groups of 2 into fp16: [2048, 1], [1, 0]: 2048 has quantum 2**(11 - 10) = 2, so both ones are
    cut: 2048. [1, 1], [2048, 0]: 1 + 1 = 2 is kept, then 2 + 2048 = 2050."""
    unit = fpgen.parse_unit("dot fp16 fp16 n=4 -> fp16 rtz accumulate=aligned:fraction=10,group=2")
    one, big = 0x3C00, 0x6800
    assert unit.compute([big, one, one, 0], [one] * 4).codes == 0x6800
    assert unit.compute([one, one, big, 0], [one] * 4).codes == 0x6801


# ---- by hand -------------------------------------------------------------------------------------


def test_exact_sum_against_fractions():
    """Random e5m2 dots (64-bit window, in limbs) against fractions of Python, read by the formats' values."""
    unit = fpgen.parse_unit("dot e5m2 e5m2 n=8 -> fp64")
    rng = np.random.default_rng(7)
    fmt = unit.a
    codes = rng.integers(0, fmt.max_finite_code + 1, (2, 200, 8)) | rng.integers(0, 2, (2, 200, 8)) << 7
    found = unit.compute(*codes).codes.view(np.float64)
    for x, y, value in zip(*codes, found, strict=True):
        total = sum(fmt.value(int(p)) * fmt.value(int(q)) for p, q in zip(x, y, strict=True))
        assert float(total) == value  # Python rounds fractions to nearest, ties to even


def odd(value: Fraction) -> float:
    """A fraction cut to 53 bits, everything lost or-ed into the last."""
    if not value:
        return 0.0
    magnitude = abs(value)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    exponent -= magnitude < Fraction(2) ** exponent
    scaled = magnitude / Fraction(2) ** (exponent - 52)
    whole = scaled.numerator // scaled.denominator
    whole |= whole != scaled
    return float((whole if value > 0 else -whole) * Fraction(2) ** (exponent - 52))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_three_numbers_rounded_to_odd(seed):
    """Against fractions: any distances, long and short significands, and sums of two that the third cancels."""
    rng = np.random.default_rng(seed)
    count = 40
    x, y, z = (
        np.ldexp(rng.integers(-(1 << 53), 1 << 53, count) >> rng.integers(0, 53, count), rng.integers(-60, 60, count))
        for _ in range(3)
    )
    z = np.where(rng.random(count) < 0.5, -(x + y), z)
    z = np.where(rng.random(count) < 0.3, np.nextafter(z, np.inf), z)
    order = rng.permutation(3)
    found = sums_split.round_to_odd_sum_of_three(*(np.array([x, y, z])[order]))
    for row in zip(x, y, z, found, strict=True):
        assert odd(sum(map(Fraction, row[:3]))) == row[3], row


def test_a_deliberate_error_in_the_record_shows():
    """Fraction off by one, floor for truncate, a tie rounded away: the draws tell them apart."""
    right = fpgen.parse_unit("dot e4m3fn e4m3fn n=8 + fp32 -> fp32 rne accumulate=aligned:fraction=24")
    rng = np.random.default_rng(8)
    operands, _ = split(right, draw_sum_inputs(right, 4000, rng))
    expected = right.compute(*operands).codes
    for wrong in (
        "rne accumulate=aligned:fraction=25",
        "rne accumulate=aligned:fraction=24,treatment=floor",
        "rne accumulate=aligned:fraction=24,treatment=sticky",
        "rna accumulate=aligned:fraction=24",
    ):
        other = fpgen.parse_unit(f"dot e4m3fn e4m3fn n=8 + fp32 -> fp32 {wrong}")
        assert not np.array_equal(other.compute(*operands).codes, expected), wrong


def test_flags_are_those_of_one_rounding():
    unit = fpgen.DotProduct(a="fp16", b="fp16", n=2, c="fp32", out="fp16", flags=True)
    assert unit.rounding is Rounding.RNE
    one, big, infinity, quiet, signalling = 0x3C00, 0x7BFF, 0x7C00, 0x7E00, 0x7D00
    rows = [
        ([one, one], [one, one], 0, 0x4000, 0),
        ([big, big], [big, big], 0, 0x7C00, 5),
        ([infinity, 0], [0, one], 0, 0x7E00, 16),
        ([infinity, infinity], [one, 0xBC00], 0, 0x7E00, 16),
        ([quiet, infinity], [one, 0], 0x7F800000, 0x7E00, 16),
        ([quiet, infinity], [one, one], 0xFF800000, 0x7E00, 0),
        ([signalling, one], [one, one], 0, 0x7E00, 16),
        ([one, one], [one, one], 0x7F800001, 0x7E00, 16),
    ]
    for a, b, c, code, flags in rows:
        result = unit.compute(a, b, c)
        assert (int(result.codes), int(result.flags)) == (code, flags), (a, b, c)


def test_fraction_exactness_bound():
    """The exactness of a window is a bound from the formats: e4m3fn has steps of 2**-9 below 2**9 (448 < 512)."""
    products = sums.recipe_for(fpgen.parse_unit("dot e4m3fn e4m3fn n=32 -> fp32")).products
    assert products.window(32) == 2 * (9 + 9) + 5
    largest = Fraction(448) ** 2 * 32
    assert largest < Fraction(2) ** (products.window(32) - 18)


@pytest.mark.parametrize("accumulate", ["exact", "aligned:fraction=24", "tree", "chain"])
def test_a_quiet_nan_hides_infinities_of_both_signs(accumulate):
    """Whatever the order: NaN without NV. A signalling NaN raises it, and so do the infinities alone."""
    flags = " flags=on" if accumulate == "exact" else ""  # the others have no one rounding to flag
    unit = fpgen.parse_unit(f"dot fp16 fp16 n=3 -> fp32 accumulate={accumulate}{flags}")
    one, inf, minus, quiet, signaling = 0x3C00, 0x7C00, 0xFC00, 0x7E00, 0x7C01
    rows = [(inf, minus, quiet), (quiet, inf, minus), (inf, quiet, minus), (inf, minus, signaling), (inf, minus, one)]
    found = unit.compute(np.array(rows, dtype=np.uint16), np.full((5, 3), one, dtype=np.uint16))
    assert (found.codes == 0x7FC00000).all()
    if unit.flags:
        assert (found.flags >> 4).tolist() == [0, 0, 0, 1, 1]
