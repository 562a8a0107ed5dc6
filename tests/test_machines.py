"""Machines by product, `like:` for formats that they lack, and instructions as their manuals define them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sum_cases import draw_sum, mismatch

import fpgen
from fpgen import emulate
from fpgen.base.errors import UsageError
from fpgen.units import ALIASES, PRESETS
from fpgen.units.options import Overflow, Rounding, Subnormals
from fpgen.units.presets import records
from fpgen.vectors.families_array import Setting
from fpgen.vectors.families_sum import sum_families

FP8 = "dot e4m3fn e5m2 n=32 + {out} -> {out} accumulate={name}"
FP16 = "dot fp16 fp16 n=16 + fp32 -> fp32 accumulate={name}"
BF16 = "dot bf16 bf16 n=4 + fp32 -> fp32 accumulate={name}"


@pytest.mark.parametrize(
    ("text", "preset"),
    [
        (FP16.format(name="h100"), "hopper"),
        (FP8.format(name="h100", out="fp32"), "hopper-fp8"),
        (FP8.format(name="gh200", out="fp16"), "hopper-fp8"),
        (FP8.format(name="b200", out="fp32"), "blackwell"),
        ("blockdot mxfp8e4m3 mxfp4 k=32 + fp32 -> fp32 accumulate=b200", "blackwell-mx"),
        ("blockdot mxfp4 mxfp4 k=64 + fp32 -> fp32 accumulate=b200", "blackwell-nvf4"),
        ("blockdot nvfp4 nvfp4 k=64 + fp32 -> fp32 accumulate=b200", "blackwell-nvf4"),
        ("dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=t4", "turing"),
        (BF16.format(name="mi250x"), "cdna2"),
        ("dot tf32 tf32 n=4 + fp32 -> fp32 accumulate=mi300x", "cdna3-xf32"),
        ("tensorcore e4m3fn e4m3fn m=2 n=2 k=16 + fp32 -> fp32 accumulate=l40s", "ada-fp8"),
    ],
)
def test_a_product_is_resolved_by_its_formats(text, preset):
    unit = fpgen.parse_unit(text)
    assert unit.accumulate.name == preset and f"accumulate={preset}" in unit.text
    assert unit == fpgen.parse_unit(text[: text.rindex("=") + 1] + preset)


@pytest.mark.parametrize("alias", ALIASES)
def test_products_stand_for_presets_and_are_listed(alias):
    assert set(ALIASES[alias]) <= set(PRESETS) and alias not in PRESETS
    assert {item["name"] for item in records(alias)} == set(ALIASES[alias])
    assert all(alias in item["aliases"] for item in records(alias))


@pytest.mark.turns(2)
@pytest.mark.parametrize(
    ("text", "case", "rounding"),
    [
        ("dot e3m4 e3m4 n=32 + fp32 -> fp32 accumulate=like:hopper-fp8", ("hopper-fp8", "fp32"), Rounding.RTZ),
        ("dot e3m4 e3m4 n=32 + fp32 -> fp32 accumulate=like:h100", ("hopper-fp8", "fp32"), Rounding.RTZ),
        ("dot e3m4 e5m2 n=32 + bf16 -> bf16 accumulate=like:h100", ("hopper-fp8", "fp16"), Rounding.RNE),
        ("dot e5m9 e5m9 n=16 + fp32 -> fp32 accumulate=like:h100", ("hopper", "fp32"), Rounding.RTZ),
        ("dot e8m9 e8m9 n=8 + fp32 -> fp32 accumulate=like:a100", ("a100", "fp32"), Rounding.RTZ),
        ("dot e2m1 e2m1 n=32 + fp32 -> fp32 accumulate=like:mi300x", ("cdna3-fp8", "fp32"), Rounding.RNE),
        (
            "blockdot mxfp8e4m3 mxfp8e4m3 k=32 + fp32 -> fp32 accumulate=like:hopper-fp8",
            ("hopper-fp8", "fp32"),
            Rounding.RTZ,
        ),
        ("dot bf16 e2m1 n=8 + fp32 -> fp32 accumulate=like:h100", ("hopper", "fp32"), Rounding.RTZ),
        ("blockdot bf16 mxfp4 k=32 + fp32 -> fp32 accumulate=like:h100", ("hopper", "fp32"), Rounding.RTZ),
        ("blockdot mxfp8e4m3 bf16 k=32 + fp32 -> fp32 accumulate=like:amx-bf16", ("amx-bf16", "fp32"), Rounding.RNE),
        ("blockdot e4m3fn mxfp4 k=32 + fp32 -> fp32 accumulate=like:b200", ("blackwell-mx", "fp32"), Rounding.RTZ),
        ("blockdot mxfp4 nvfp4 k=32 + fp32 -> fp32 accumulate=like:b200", ("blackwell-nvf4", "fp32"), Rounding.RTZ),
    ],
)
def test_like_takes_the_nearest_case_and_says_which(text, case, rounding):
    unit = fpgen.parse_unit(text)
    preset, out = case
    assert unit.accumulate.name == f"like:{preset}" and unit.rounding is rounding
    nearest = [one for one in PRESETS[preset].cases if one.accumulation == unit.accumulate and out in one.outputs]
    assert any(f"(like:{preset}, its {one})" in unit.contract for one in nearest)
    again = fpgen.parse_unit(unit.text)
    assert again == unit and again.text == unit.text
    assert unit.accumulate.spelling in unit.verilog()
    spelled = dataclasses.replace(unit, accumulate=dataclasses.replace(unit.accumulate, name=""))
    inputs = draw_sum(unit, 40, 1)
    assert np.array_equal(unit.compute(**inputs).codes, spelled.compute(**inputs).codes)


def test_like_formats_that_the_machine_has_is_the_machine():
    unit = fpgen.parse_unit(FP16.format(name="like:h100"))
    assert unit.accumulate.name == "hopper"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("dot e3m4 e3m4 n=32 -> fp32 accumulate=hopper-fp8", "or accumulate=like:hopper-fp8 for the nearest"),
        ("dot e3m4 e3m4 n=32 -> fp32 accumulate=h100", "of its presets hopper, hopper-fp8 .* or accumulate=like:h100"),
        ("dot int8 int8 n=32 -> fp32 accumulate=like:h100", "int8, which is fixed point"),
        ("dot fp16 fp16 n=16 -> fp32 accumulate=like:hoper", "did you mean hopper"),
        ("dot fp16 fp16 n=16 -> fp32 accumulate=h10", "did you mean h100"),
        ("dot bf16 bf16 n=8 -> fp32 accumulate=t4", "this machine has|turing"),
        ("dot bf16 bf16 n=48 -> fp32 accumulate=amx-bf16", "spans of 32 with 48 products"),
    ],
)
def test_rejections(text, match):
    with pytest.raises(UsageError, match=match):
        fpgen.parse_unit(text)


@pytest.mark.parametrize(
    ("spelling", "match"),
    [
        ("aligned:fraction=25,span=32", "span=32 with addend=inside and no interleave"),
        ("aligned:fraction=25,interleave=2", "interleave=2 without group and span"),
        ("aligned:fraction=25,group=16,span=24,interleave=2", "span=24 with group=16"),
        ("aligned:fraction=25,group=16,span=32,interleave=3", "interleave=3 with group=16"),
        ("aligned:fraction=25,group=16,span=32,interleave=2,presum=4", "interleave=2 with presum=4"),
        ("aligned:fraction=25,addend_rounding=rne", "addend_rounding with addend=inside"),
        ("aligned:fraction=25,addend=after,addend_rounding=port", "addend_rounding: got port"),
        ("aligned:fraction=25,addend=after,addend_rounding=sra", "addend_rounding: got sra"),
        ("aligned:fraction=25,addend=after,split=odd-even", "expected it only with addend=outside"),
        ("aligned:fraction=25,addend=after,addend_reach=3", "addend_reach with addend=after"),
        ("chain:split=odd-even", "expected it only with addend=after"),
        ("chain:addend=outside", "expected inside or after"),
        ("chain:interleave=2", "got interleave; expected it only with aligned"),
        ("tree:addend=after", "got addend; expected it only with aligned, chain"),
        ("exact:span=32", "got span; expected it only with aligned, chain"),
    ],
)
def test_options_that_make_no_sense_together(spelling, match):
    with pytest.raises(UsageError, match=match):
        fpgen.parse_unit(f"dot fp16 fp16 n=64 + fp32 -> fp32 accumulate={spelling}")


# ---- as the manuals have it ----------------------------------------------------------------------


class Single:
    """fp32 arithmetic of SoftFloat, subnormals flushed on both sides."""

    def __init__(self, odd: bool):
        self.sf = pytest.importorskip("softfloatpy")
        self.odd = odd

    def flushed(self, code: int) -> int:
        return code & 0x80000000 if not code & 0x7F800000 else code

    def call(self, name: str, *codes: int) -> int:
        sf = self.sf
        sf.set_tininess_mode(sf.TininessMode.AFTER_ROUNDING)
        sf.set_rounding_mode(sf.RoundingMode.MIN_MAG if self.odd else sf.RoundingMode.NEAR_EVEN)
        sf.set_exception_flags(0)
        values = [sf.Float32.from_bytes(self.flushed(code).to_bytes(4, "big")) for code in codes]
        code = int.from_bytes(getattr(sf, name)(*values).to_bytes(), "big")
        flags = sf.get_exception_flags()
        if flags & sf.ExceptionFlag.OVERFLOW:
            return code & 0x80000000 | 0x7F800000
        if flags & sf.ExceptionFlag.UNDERFLOW:
            return code & 0x80000000
        if self.odd and flags & sf.ExceptionFlag.INEXACT:
            code |= 1  # truncated, and the last bit of an inexact result is 1
        return self.flushed(code)


def bf16_inputs(unit: fpgen.DotProduct, count: int) -> dict[str, np.ndarray]:
    inputs = draw_sum(unit, count, 7)
    normal = np.random.default_rng(8).standard_normal
    some = {"a": normal((count // 2, unit.n)), "b": normal((count // 2, unit.n)), "c": normal(count // 2)}
    near = {
        name: array.astype(np.float32).view(np.uint32) >> (16 if name in "ab" else 0) for name, array in some.items()
    }
    return {name: np.concatenate([inputs[name], near[name].astype(np.uint64)]) for name in "abc"}


def check(unit: fpgen.DotProduct, reference, zero_signs: bool):
    inputs = bf16_inputs(unit, 600)
    codes = unit.compute(**inputs).codes
    for row, code in enumerate(codes.tolist()):
        a, b = ([int(x) << 16 for x in inputs[name][row]] for name in "ab")
        wanted = reference(a, b, int(inputs["c"][row]))
        if wanted & 0x7FFFFFFF > 0x7F800000:
            assert code & 0x7FFFFFFF > 0x7F800000
        elif not zero_signs and not wanted & 0x7FFFFFFF:
            assert not code & 0x7FFFFFFF
        else:
            assert code == wanted, (row, hex(code), hex(wanted))


@pytest.mark.parametrize("n", [2, 8, 32, 64])
def test_tdpbf16ps_as_intel_has_it(n):
    """Intel SDM vol. 2, TDPBF16PS, Operation: two sums of fused multiply-adds from 0, their sum, added to the tile."""
    single = Single(odd=False)

    def tile(a, b, c):
        for start in range(0, n, 32):
            even = odd = 0
            for k in range(start, min(start + 32, n), 2):
                even = single.call("f32_mul_add", a[k], b[k], even)
                odd = single.call("f32_mul_add", a[k + 1], b[k + 1], odd)
            c = single.call("f32_add", c, single.call("f32_add", even, odd))
        return c

    check(fpgen.parse_unit(f"dot bf16 bf16 n={n} + fp32 -> fp32 accumulate=amx-bf16"), tile, True)


@pytest.mark.parametrize("n", [2, 4])
def test_bfdot_as_arm_has_it(n):
    """Arm ARM, BFDOT with FPCR.EBF = 0: products, their sum and its sum with the addend rounded to odd.

    The signs of zeros are not compared: a product of -0 counts as +0 here (docs/accumulators.md).
    """
    single = Single(odd=True)

    def dot(a, b, c):
        for k in range(0, n, 2):
            first, second = (single.call("f32_mul", a[i], b[i]) for i in (k, k + 1))
            c = single.call("f32_add", c, single.call("f32_add", first, second))
        return c

    check(fpgen.parse_unit(f"dot bf16 bf16 n={n} + fp32 -> fp32 accumulate=arm-bfdot"), dot, False)


def test_options_of_the_flushing_machines():
    unit = fpgen.parse_unit("dot bf16 bf16 n=2 + fp32 -> fp32 accumulate=arm-bfdot")
    assert (unit.rounding, unit.overflow, unit.subnormals) == (Rounding.RTO, Overflow.INFINITE, Subnormals.BOTH)
    other = fpgen.parse_unit("dot bf16 bf16 n=2 + fp32 -> fp32 accumulate=amx-bf16")
    assert (other.rounding, other.overflow, other.subnormals) == (Rounding.RNE, Overflow.IEEE, Subnormals.BOTH)


# ---- whole matrices ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "dot e4m3fn e4m3fn n=32 + fp32 -> fp32 accumulate=hopper-fp8-mma",
        "dot bf16 bf16 n=32 + fp32 -> fp32 accumulate=amx-bf16",
        "dot bf16 bf16 n=4 + fp32 -> fp32 accumulate=arm-bfdot",
        "dot bf16 bf16 n=8 + fp32 -> fp32 accumulate=cdna2-bf16",
        "dot e3m4 e3m4 n=32 + fp32 -> fp32 accumulate=like:h100",
        "dot fp16 bf16 n=16 + fp32 -> fp32 accumulate=b200",
    ],
)
def test_matrix_products(text):
    """K of 40: pieces of the unit's length chained through c, the last one filled up with zeros."""
    unit = fpgen.parse_unit(text)
    rng = np.random.default_rng(2)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((5, 40), (40, 7)))
    values, codes = emulate.matmul(a, b, unit, codes=True)
    left, right = (
        fpgen.Convert(source="fp32", out=fmt, overflow="saturate").compute(x.view(np.uint32)).codes
        for fmt, x in ((unit.a, a), (unit.b, b))
    )
    length = unit.n * -(-40 // unit.n)
    left = np.pad(left, ((0, 0), (0, length - 40)))
    right = np.pad(right, ((0, length - 40), (0, 0)))
    for i, j in np.ndindex(5, 7):
        c = 0
        for k in range(0, length, unit.n):
            c = int(unit.compute(left[i, k : k + unit.n], right[k : k + unit.n, j], c).codes)
        assert codes[i, j] == c
    left, right = (
        fpgen.Convert(source=fmt, out="fp64").compute(codes).codes.view(np.float64)
        for fmt, codes in ((unit.a, left), (unit.b, right))
    )
    assert np.allclose(values, left @ right, atol=0.05)


# ---- what is wrong is noticed --------------------------------------------------------------------

MMA = "aligned:fraction=25,group=4,span=8,interleave=2,addend=after,addend_rounding=rne"
WRONG = [
    (f"dot e4m3fn e5m2 n=8 + fp32 -> fp32 rtz accumulate={MMA}", {"interleave": 1}),
    (f"dot e4m3fn e5m2 n=8 + fp32 -> fp32 rtz accumulate={MMA}", {"interleave": 4}),
    (f"dot e4m3fn e5m2 n=8 + fp32 -> fp32 rtz accumulate={MMA}", {"addend_rounding": None}),
    (f"dot e4m3fn e5m2 n=8 + fp32 -> fp32 rtz accumulate={MMA}", {"addend": "inside", "addend_rounding": None}),
    (f"dot e4m3fn e5m2 n=16 + fp32 -> fp32 rtz accumulate={MMA}", {"span": 16}),
    (f"dot e4m3fn e5m2 n=8 + fp32 -> fp32 rtz accumulate={MMA}", {"fraction": 24}),
    ("dot bf16 bf16 n=4 + fp32 -> fp32 accumulate=amx-bf16", {"split": "none"}),
    ("dot bf16 bf16 n=4 + fp32 -> fp32 accumulate=chain:addend=after", {"addend": "inside"}),
    ("dot bf16 bf16 n=4 + fp32 -> fp32 accumulate=chain:split=odd-even,addend=after", {"span": 2}),
    (
        "dot bf16 bf16 n=4 + fp32 -> fp32 rtz accumulate=chain:addend=after,addend_rounding=rne",
        {"addend_rounding": "rna"},
    ),
]


def wrong_unit(text: str, change: dict) -> tuple[fpgen.DotProduct, fpgen.DotProduct]:
    unit = fpgen.parse_unit(text)
    return unit, dataclasses.replace(unit, accumulate=dataclasses.replace(unit.accumulate, **change))


@pytest.mark.turns(2)
@pytest.mark.parametrize(("text", "change"), WRONG)
def test_wrong_records_are_noticed_in_the_hardware(text, change):
    unit, wrong = wrong_unit(text, change)
    assert mismatch(unit, draw_sum(unit, 800, 1), wrong)


@pytest.mark.parametrize(("text", "change"), WRONG)
def test_the_families_of_verify_notice_wrong_records(text, change):
    unit, wrong = wrong_unit(text, change)
    found = set()
    for name, family in sum_families(unit).items():
        inputs = family.make(Setting(unit, np.random.default_rng(1), 2000))
        if (unit.compute(**inputs).codes != wrong.compute(**inputs).codes).any():
            found.add(name)
    assert found, "no family sees the difference"
    if "interleave" in change:
        assert "group_against_group" in found
    if "addend_rounding" in change:
        assert "addend_ties" in found
