"""The accumulators of known machines, by examples whose answers follow from the table by hand.

The table is that of MMA-Sim (arXiv 2511.10909) and Khattak and Mikaitis (2025); F is the number of fraction bits kept
below the largest exponent. Every example says its arithmetic.
"""

from fractions import Fraction

import numpy as np
import pytest

import fpgen
from fpgen.formats import as_format
from fpgen.golden.exact import exact_model as exact
from fpgen.units import PRESETS, Kind

FP16 = "dot fp16 fp16 n={n} + {c} -> {c} accumulate={preset}"
BF16 = "dot bf16 bf16 n={n} + fp32 -> fp32 accumulate={preset}"
TF32 = "dot tf32 tf32 n={n} + fp32 -> fp32 accumulate={preset}"
FP8 = "dot e5m2 e5m2 n={n} + fp32 -> fp32 accumulate={preset}"
FP8_HALF = "dot e5m2 e5m2 n={n} + {c} -> {c} accumulate={preset}"
FNUZ = "dot e5m2fnuz e5m2fnuz n={n} + fp32 -> fp32 accumulate={preset}"


def two(exponent, significand=1):
    return significand * Fraction(2) ** exponent


def code_of(value, fmt):
    """The code of a value that the format holds, by looking at all of a binade's neighbours (no rounding used)."""
    fmt = as_format(fmt)
    value = Fraction(value)
    magnitude = abs(value)
    low, high = 0, fmt.max_finite_code
    while low < high:  # positive codes are ordered as their values
        middle = (low + high) // 2
        low, high = (middle + 1, high) if fmt.value(middle) < magnitude else (low, middle)
    assert fmt.value(low) == magnitude, f"{value} is no value of {fmt}"
    return low | (fmt.sign_mask if value < 0 else 0)


def products(unit, pairs):
    """Codes of n pairs; zeros where no pair is given."""
    pairs = [*pairs, *[(0, 0)] * (unit.n - len(pairs))]
    return [[code_of(pair[i], fmt) for pair in pairs] for i, fmt in enumerate((unit.a, unit.b))]


def check(unit, operands, expected):
    for model in (
        lambda: unit.compute(*operands),
        lambda: exact.compute(unit, dict(zip(unit.operands, operands, strict=True))),
    ):
        found = int(np.asarray(model().codes))
        shown = float(unit.out.value(found)) if unit.out.classify(found) < 2 else hex(found)
        assert found == expected, f"{shown} instead of {expected:#x}"


ONE = (1, 1)
MINUS_ONE = (1, -1)

EXAMPLES = {
    # ---- V100: groups of 4, F = 23, truncated to fp32 -------------------------------------------------------
    "v100 keeps F=23: 1 + 2^-23 - 1": (FP16, "v100", 4, "fp32", [ONE, (two(-12), two(-11)), MINUS_ONE], 0, two(-23)),
    "v100 loses 2^-24: 1 + (2^-24 cut to 0) - 1": (
        FP16,
        "v100",
        4,
        "fp32",
        [ONE, (two(-12), two(-12)), MINUS_ONE],
        0,
        0,
    ),
    "v100 truncates toward zero: -3*2^-24 becomes -2^-23, not -2^-22": (
        FP16,
        "v100",
        4,
        "fp32",
        [ONE, (two(-12), two(-12, -3)), MINUS_ONE],
        0,
        -two(-23),
    ),
    "v100 aligns c inside: c = 2^-24 lies below 2^-23 and is cut": (
        FP16,
        "v100",
        4,
        "fp32",
        [ONE, MINUS_ONE],
        two(-24),
        0,
    ),
    "v100 does not normalise products: 1.5*1.5 = 2.25 aligns as 2^0, so 2^-23 stays": (
        FP16,
        "v100",
        4,
        "fp32",
        [(1.5, 1.5), (two(-12), two(-11)), (1.5, -1.5)],
        0,
        two(-23),
    ),
    "v100 chains groups of 4: 2^-24 alone is exact, then 1 - 1 + 2^-24 cuts it": (
        FP16,
        "v100",
        8,
        "fp32",
        [(two(-12), two(-12)), (0, 0), (0, 0), (0, 0), ONE, MINUS_ONE],
        0,
        0,
    ),
    "v100 into fp16 rounds to nearest: 2048 + 1 is a tie, to even 2048": (
        FP16,
        "v100",
        4,
        "fp16",
        [(2048, 1), ONE],
        0,
        2048,
    ),
    "v100 into fp16, 2048 + 3 is a tie between 2050 and 2052, to even 2052": (
        FP16,
        "v100",
        4,
        "fp16",
        [(2048, 1), (3, 1)],
        0,
        2052,
    ),
    "v100 into fp16 aligns to 2^-19 at least: 2^-43 is cut at 2^-42, leaving the tie 2^-25, to even 0": (
        FP16,
        "v100",
        4,
        "fp16",
        [(two(-12), two(-13)), (two(-24), two(-19))],
        0,
        0,
    ),
    # ---- Turing: fp16 as the A100 ----------------------------------------------------------------------------
    "turing keeps F=24": (FP16, "turing", 8, "fp32", [ONE, (two(-12), two(-12)), MINUS_ONE], 0, two(-24)),
    "turing loses 2^-25": (FP16, "turing", 8, "fp32", [ONE, (two(-12), two(-13)), MINUS_ONE], 0, 0),
    "turing truncates the sum: 1 + 2^-24 is 1": (FP16, "turing", 8, "fp32", [ONE, (two(-12), two(-12))], 0, 1),
    # ---- A100: groups of 8 (TF32: 4), F = 24 -----------------------------------------------------------------
    "a100 keeps F=24: 1 + 2^-24 - 1": (FP16, "a100", 8, "fp32", [ONE, (two(-12), two(-12)), MINUS_ONE], 0, two(-24)),
    "a100 loses 2^-25": (FP16, "a100", 8, "fp32", [ONE, (two(-12), two(-13)), MINUS_ONE], 0, 0),
    "a100 truncates the sum: 1 + 2^-24 is 1": (FP16, "a100", 8, "fp32", [ONE, (two(-12), two(-12))], 0, 1),
    "a100 sums before truncating: 1 + 2^-24 + 2^-24 = 1 + 2^-23": (
        FP16,
        "a100",
        8,
        "fp32",
        [ONE, (two(-12), two(-12)), (two(-12), two(-12))],
        0,
        1 + two(-23),
    ),
    "a100 tf32 has groups of 4: the fifth product comes after 2^-25 survived alone, and 1 - 1 cuts it": (
        TF32,
        "a100",
        8,
        "fp32",
        [(two(-12), two(-13)), (0, 0), (0, 0), (0, 0), ONE, MINUS_ONE],
        0,
        0,
    ),
    "a100 goes to infinity though it truncates: 2^127 + 2^127": (
        BF16,
        "a100",
        8,
        "fp32",
        [(two(127), 1), (two(127), 1)],
        0,
        "inf",
    ),
    "a100 aligns to 2^-132 at least: -2^-157 is cut at 2^-156, so 2^-149 stays": (
        BF16,
        "a100",
        8,
        "fp32",
        [(two(-75), two(-74)), (two(-78), -two(-79))],
        0,
        two(-149),
    ),
    # ---- Ada, 16 and 19 bits as A100; FP8: F = 13, sums in e8m13 ---------------------------------------------
    "ada keeps F=24": (FP16, "ada", 8, "fp32", [ONE, (two(-12), two(-12)), MINUS_ONE], 0, two(-24)),
    "ada loses 2^-25": (FP16, "ada", 8, "fp32", [ONE, (two(-12), two(-13)), MINUS_ONE], 0, 0),
    "ada truncates toward zero: -3*2^-25 becomes -2^-24": (
        FP16,
        "ada",
        8,
        "fp32",
        [ONE, (two(-12), two(-13, -3)), MINUS_ONE],
        0,
        -two(-24),
    ),
    "ada-fp8 keeps F=13": (FP8, "ada-fp8", 16, "fp32", [ONE, (two(-7), two(-6)), MINUS_ONE], 0, two(-13)),
    "ada-fp8 loses 2^-14": (FP8, "ada-fp8", 16, "fp32", [ONE, (two(-7), two(-7)), MINUS_ONE], 0, 0),
    "ada-fp8 cuts c to 13 bits: 1 + 2^-20 is 1": (FP8, "ada-fp8", 16, "fp32", [(0, 0)], 1 + two(-20), None),
    "ada-fp8 delivers 13 fraction bits: 16 + 2^-9 + 2^-10 is 16 + 2^-9": (
        FP8,
        "ada-fp8",
        16,
        "fp32",
        [(4, 4), (two(-4), two(-5)), (two(-5), two(-5))],
        0,
        16 + two(-9),
    ),
    "ada-fp8 has groups of 16: 2^-14 alone is exact, then 1 - 1 cuts it": (
        FP8,
        "ada-fp8",
        32,
        "fp32",
        [(two(-7), two(-7)), *[(0, 0)] * 15, ONE, MINUS_ONE],
        0,
        0,
    ),
    # ---- Hopper: groups of 16 (TF32: 8, FP8: 32), F = 25; FP8: F = 13, sums in e8m13 -------------------------
    "hopper keeps F=25": (FP16, "hopper", 16, "fp32", [ONE, (two(-12), two(-13)), MINUS_ONE], 0, two(-25)),
    "hopper loses 2^-26": (FP16, "hopper", 16, "fp32", [ONE, (two(-13), two(-13)), MINUS_ONE], 0, 0),
    "hopper truncates toward zero: -3*2^-26 becomes -2^-25": (
        FP16,
        "hopper",
        16,
        "fp32",
        [ONE, (two(-13), two(-13, -3)), MINUS_ONE],
        0,
        -two(-25),
    ),
    "hopper tf32 has groups of 8: the ninth comes after": (
        TF32,
        "hopper",
        16,
        "fp32",
        [(two(-13), two(-13)), *[(0, 0)] * 7, ONE, MINUS_ONE],
        0,
        0,
    ),
    "hopper fp16 has groups of 16: seven places on it is still the same group, and is cut there": (
        FP16,
        "hopper",
        16,
        "fp32",
        [(two(-12), two(-13)), *[(0, 0)] * 7, ONE, MINUS_ONE],
        0,
        two(-25),
    ),
    "hopper-fp8 keeps F=13": (FP8, "hopper-fp8", 32, "fp32", [ONE, (two(-7), two(-6)), MINUS_ONE], 0, two(-13)),
    "hopper-fp8 loses 2^-14": (FP8, "hopper-fp8", 32, "fp32", [ONE, (two(-7), two(-7)), MINUS_ONE], 0, 0),
    "hopper-fp8 delivers 13 fraction bits: 2 + 2^-13 is 2": (
        FP8,
        "hopper-fp8",
        32,
        "fp32",
        [ONE, ONE, (two(-7), two(-6))],
        0,
        2,
    ),
    # ---- FP8 through mma.sync on Hopper and Blackwell: k mod 4 in {0, 1}, then {2, 3}; c added to nearest ----
    "hopper-fp8-mma keeps F=25: 2^-25 beside 1 - 1, all of k mod 4 in {0, 1}": (
        FP8,
        "hopper-fp8-mma",
        32,
        "fp32",
        [ONE, (two(-12), two(-13)), (0, 0), (0, 0), MINUS_ONE],
        0,
        two(-25),
    ),
    "hopper-fp8-mma loses 2^-26": (
        FP8,
        "hopper-fp8-mma",
        32,
        "fp32",
        [ONE, (two(-13), two(-13)), (0, 0), (0, 0), MINUS_ONE],
        0,
        0,
    ),
    "hopper-fp8-mma deals out in turns: k = 2 comes after k = 0, 1, 4, 5, so 1 - 1 leaves 2^-26 whole": (
        FP8,
        "hopper-fp8-mma",
        32,
        "fp32",
        [ONE, (0, 0), (two(-13), two(-13)), (0, 0), (0, 0), MINUS_ONE],
        0,
        two(-26),
    ),
    "hopper-fp8-mma: k = 16 is in the first group (16 mod 4 = 0), with k = 0": (
        FP8,
        "hopper-fp8-mma",
        32,
        "fp32",
        [ONE, (two(-13), two(-13)), *[(0, 0)] * 14, MINUS_ONE],
        0,
        0,
    ),
    "hopper-fp8-mma, a short sum is the first of the 32: k = 2 of 8 comes after, too": (
        FP8,
        "hopper-fp8-mma",
        8,
        "fp32",
        [ONE, (0, 0), (two(-13), two(-13)), (0, 0), (0, 0), MINUS_ONE],
        0,
        two(-26),
    ),
    "hopper-fp8-mma truncates the first group to fp32: 2 + 2^-23 is 2, then - 2": (
        FP8,
        "hopper-fp8-mma",
        32,
        "fp32",
        [ONE, (two(-12), two(-11)), (2, -1), (0, 0), ONE],
        0,
        0,
    ),
    "hopper-fp8-mma adds c to nearest: 1 + 3*2^-24 is a tie, to even 1 + 2^-22 (truncated, 1 + 2^-23)": (
        FP8,
        "hopper-fp8-mma",
        32,
        "fp32",
        [(two(-12), two(-12, 3))],
        1,
        1 + two(-22),
    ),
    "hopper-fp8-mma adds c after the products: 1 - 1 + c keeps c = 2^-60": (
        FP8,
        "hopper-fp8-mma",
        32,
        "fp32",
        [ONE, MINUS_ONE],
        two(-60),
        two(-60),
    ),
    "hopper-fp8-mma, the next 32 begin at zero again: 1 of 32, then -2^-30 of 32 to nearest": (
        FP8,
        "hopper-fp8-mma",
        64,
        "fp32",
        [ONE, *[(0, 0)] * 31, (two(-15), -two(-15))],
        0,
        1,
    ),
    "hopper-fp8-mma into fp16 adds c to nearest: 2048 + 3 is a tie, to even 2052": (
        FP8_HALF,
        "hopper-fp8-mma",
        32,
        "fp16",
        [(3, 1)],
        2048,
        2052,
    ),
    # ---- Blackwell: as Hopper, FP8 too with F = 25 -----------------------------------------------------------
    "blackwell keeps F=25 for FP8": (FP8, "blackwell", 32, "fp32", [ONE, (two(-12), two(-13)), MINUS_ONE], 0, two(-25)),
    "blackwell loses 2^-26 for FP8": (FP8, "blackwell", 32, "fp32", [ONE, (two(-13), two(-13)), MINUS_ONE], 0, 0),
    "blackwell truncates to 23 fraction bits: 2 + 2^-23 is 2": (
        FP8,
        "blackwell",
        32,
        "fp32",
        [ONE, ONE, (two(-12), two(-11))],
        0,
        2,
    ),
    "blackwell fp16 as hopper": (FP16, "blackwell", 16, "fp32", [ONE, (two(-12), two(-13)), MINUS_ONE], 0, two(-25)),
    # ---- CDNA1: pairs, every sum rounded to nearest fp32 ------------------------------------------------------
    "cdna1 (2^24 + 1) + (1 + 1): the first tie falls to 2^24, then + 2": (
        FP16,
        "cdna1",
        4,
        "fp32",
        [(4096, 4096), ONE, ONE, ONE],
        0,
        2**24 + 2,
    ),
    "cdna1 adds c last: ((1 + 0) + (1 + 0)) + 2^24 = 2^24 + 2": (
        FP16,
        "cdna1",
        4,
        "fp32",
        [ONE, (0, 0), ONE, (0, 0)],
        2**24,
        2**24 + 2,
    ),
    "cdna1 bf16 has groups of 2: 2^24 + 1 is a tie to 2^24, twice": (
        BF16,
        "cdna1",
        4,
        "fp32",
        [ONE, (0, 0), ONE, (0, 0)],
        2**24,
        2**24,
    ),
    "cdna1 keeps subnormals: 2^-70 * 2^-70": (BF16, "cdna1", 2, "fp32", [(two(-70), two(-70))], 0, two(-140)),
    # ---- CDNA2: the same, subnormals flushed ------------------------------------------------------------------
    "cdna2 flushes operands: fp16 2^-15 is subnormal": (FP16, "cdna2", 4, "fp32", [(two(-15), two(15))], 0, 0),
    "cdna2 flushes products: 2^-140 is subnormal in fp32": (BF16, "cdna2", 4, "fp32", [(two(-70), two(-70))], 0, 0),
    "cdna2 flushes c: 2^-130 is subnormal": (FP16, "cdna2", 4, "fp32", [(0, 0)], two(-130), 0),
    "cdna2 sums as cdna1: (2^24 + 1) + (1 + 1)": (
        FP16,
        "cdna2",
        4,
        "fp32",
        [(4096, 4096), ONE, ONE, ONE],
        0,
        2**24 + 2,
    ),
    # ---- CDNA2 bf16 without _1k: pairs ------------------------------------------------------------------------
    "cdna2-bf16 has groups of 2: 2^24 + 1 is a tie to 2^24, twice": (
        BF16,
        "cdna2-bf16",
        4,
        "fp32",
        [ONE, (0, 0), ONE, (0, 0)],
        2**24,
        2**24,
    ),
    "cdna2-bf16 sums a pair before c: (1 + 1) + 2^24 = 2^24 + 2": (
        BF16,
        "cdna2-bf16",
        2,
        "fp32",
        [ONE, ONE],
        2**24,
        2**24 + 2,
    ),
    "cdna2-bf16 flushes products: 2^-140 is subnormal in fp32": (
        BF16,
        "cdna2-bf16",
        2,
        "fp32",
        [(two(-70), two(-70))],
        0,
        0,
    ),
    # ---- CDNA3 fp16: products truncated at F = 24, c joined by floor, rounded to nearest ----------------------
    "cdna3-fp16 keeps F=24": (FP16, "cdna3-fp16", 8, "fp32", [ONE, (two(-12), two(-12)), MINUS_ONE], 0, two(-24)),
    "cdna3-fp16 truncates products toward zero: -3*2^-25 becomes -2^-24": (
        FP16,
        "cdna3-fp16",
        8,
        "fp32",
        [ONE, (two(-12), two(-13, -3)), MINUS_ONE],
        0,
        -two(-24),
    ),
    "cdna3-fp16 floors c: 1 + floor(-2^-25) = 1 - 2^-24 (exactly, it would be a tie to 1)": (
        FP16,
        "cdna3-fp16",
        8,
        "fp32",
        [ONE],
        -two(-25),
        1 - two(-24),
    ),
    "cdna3-fp16 floors a small positive c away": (FP16, "cdna3-fp16", 8, "fp32", [ONE], two(-25), 1),
    "cdna3-fp16 rounds to nearest: 2^24 + 1 + 1 + 1 = 2^24 + 3 is a tie, to even 2^24 + 4": (
        FP16,
        "cdna3-fp16",
        8,
        "fp32",
        [(4096, 4096), ONE, ONE, ONE],
        0,
        2**24 + 4,
    ),
    # ---- CDNA3 xf32: as its fp16, in groups of 4 --------------------------------------------------------------
    "cdna3-xf32 keeps F=24": (TF32, "cdna3-xf32", 4, "fp32", [ONE, (two(-12), two(-12)), MINUS_ONE], 0, two(-24)),
    "cdna3-xf32 has groups of 4: 2^-25 alone is exact, then 1 - 1 joins it, floored at 2^-24": (
        TF32,
        "cdna3-xf32",
        8,
        "fp32",
        [(two(-12), two(-13)), (0, 0), (0, 0), (0, 0), ONE, MINUS_ONE],
        0,
        0,
    ),
    "cdna3-xf32 floors c: 1 + floor(-2^-25) = 1 - 2^-24": (
        TF32,
        "cdna3-xf32",
        4,
        "fp32",
        [ONE],
        -two(-25),
        1 - two(-24),
    ),
    # ---- CDNA3 FP8: odd and even products apart, floored together; c more than 25 places down left out -------
    "cdna3-fp8 floors the odd sum: 1 - 1 even, -2^-30 odd, floored at 2^-24": (
        FNUZ,
        "cdna3-fp8",
        16,
        "fp32",
        [ONE, (two(-15), -two(-15)), MINUS_ONE],
        0,
        -two(-24),
    ),
    "cdna3-fp8 floors a positive odd sum away": (
        FNUZ,
        "cdna3-fp8",
        16,
        "fp32",
        [ONE, (two(-15), two(-15)), MINUS_ONE],
        0,
        0,
    ),
    "cdna3-fp8 truncates within the even sum: 1 - 2^-30 - 1, all even": (
        FNUZ,
        "cdna3-fp8",
        16,
        "fp32",
        [ONE, (0, 0), (two(-15), -two(-15)), (0, 0), MINUS_ONE],
        0,
        0,
    ),
    "cdna3-fp8 leaves out c = -2^-30": (FNUZ, "cdna3-fp8", 16, "fp32", [ONE], -two(-30), 1),
    "cdna3-fp8 floors c = -2^-25, which is within reach": (
        FNUZ,
        "cdna3-fp8",
        16,
        "fp32",
        [ONE],
        -two(-25),
        1 - two(-24),
    ),
    # ---- Arm BFDOT: products and sums rounded to odd, subnormals flushed, too large is infinite ----------------
    "arm-bfdot rounds to odd: (2^24 + 2^-24) to 2^24 + 2, though it lies far below": (
        BF16,
        "arm-bfdot",
        2,
        "fp32",
        [(4096, 4096), (two(-12), two(-12))],
        0,
        2**24 + 2,
    ),
    "arm-bfdot adds pairs before c: (1 + 2^-24 to odd, 1 + 2^-23) - 1 = 2^-23": (
        BF16,
        "arm-bfdot",
        2,
        "fp32",
        [ONE, (two(-12), two(-12))],
        -1,
        two(-23),
    ),
    "arm-bfdot has groups of 2 (BFMMLA has two): 1 - 1, then 2^-130 flushed": (
        BF16,
        "arm-bfdot",
        4,
        "fp32",
        [ONE, MINUS_ONE, (two(-65), two(-65))],
        0,
        0,
    ),
    "arm-bfdot goes to infinity though it rounds to odd": (
        BF16,
        "arm-bfdot",
        2,
        "fp32",
        [(two(127), 1), (two(127), 1)],
        0,
        "inf",
    ),
    # ---- Intel AMX: fused multiply-adds over even and over odd k, their sum, then c; subnormals flushed --------
    "amx-bf16 has two chains: even 2^24 + 1 ties to 2^24; odd 1 + 1 = 2; 2^24 + 2": (
        BF16,
        "amx-bf16",
        4,
        "fp32",
        [(4096, 4096), ONE, ONE, ONE],
        0,
        2**24 + 2,
    ),
    "amx-bf16 is no tree: even 1 + 2^24 ties to 2^24, + 1 again; a tree would keep 2": (
        BF16,
        "amx-bf16",
        6,
        "fp32",
        [(4096, 4096), (0, 0), ONE, (0, 0), ONE, (0, 0)],
        0,
        2**24,
    ),
    "amx-bf16 adds c last: (1 + 0) + 0 + (1) = 2, + 2^24": (BF16, "amx-bf16", 2, "fp32", [ONE, ONE], 2**24, 2**24 + 2),
    "amx-bf16 has fused multiply-adds: 2^-140 + 2^-120 keeps the product's subnormal exactly": (
        BF16,
        "amx-bf16",
        4,
        "fp32",
        [(two(-60), two(-60)), (0, 0), (two(-70), two(-70))],
        0,
        two(-120) + two(-140),
    ),
    "amx-bf16 flushes operands": (BF16, "amx-bf16", 2, "fp32", [(two(-130), two(100))], 0, 0),
    "amx-bf16 flushes sums: 2^-130": (BF16, "amx-bf16", 2, "fp32", [(two(-65), two(-65))], 0, 0),
    "amx-bf16 takes 32 at a time: 2^24 of the first 32, then 1 + 1 of the next": (
        BF16,
        "amx-bf16",
        64,
        "fp32",
        [(4096, 4096), *[(0, 0)] * 31, ONE, (0, 0), ONE],
        0,
        2**24 + 2,
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_by_hand(name):
    text, preset, n, c, pairs, addend, expected = EXAMPLES[name]
    unit = fpgen.parse_unit(text.format(n=n, c=c, preset=preset))
    if expected is None:  # the addend alone, aligned to itself
        expected = 1
    code = unit.out.infinity_code if expected == "inf" else code_of(expected, unit.out)
    check(unit, [*products(unit, pairs), code_of(addend, unit.c)], code)


# ---- block-scaled ----------------------------------------------------------------------------------------------


def block_operands(unit, pairs, scales, addend):
    """`pairs` by index, the others zero; `scales` are (a, b) for each block, 1 where not given."""
    a, b = [0] * unit.k, [0] * unit.k
    for index, (x, y) in pairs.items():
        a[index], b[index] = code_of(x, unit.a.element), code_of(y, unit.b.element)
    a_scale = [code_of(scales.get(i, (1, 1))[0], unit.a.scale) for i in range(unit.blocks)]
    b_scale = [code_of(scales.get(i, (1, 1))[1], unit.b.scale) for i in range(unit.blocks)]
    return [a, a_scale, b, b_scale, code_of(addend, unit.c)]


MX = "blockdot mxfp8e5m2 mxfp8e5m2 k={k} + fp32 -> fp32 accumulate=blackwell-mx"
MX4 = "blockdot mxfp4 mxfp4 k={k} + fp32 -> fp32 accumulate=blackwell-nvf4"
NV4 = "blockdot nvfp4 nvfp4 k={k} + fp32 -> fp32 accumulate=blackwell-nvf4"

BLOCK_EXAMPLES = {
    "blackwell-mx keeps F=25": (MX, 32, {0: ONE, 1: (two(-12), two(-13)), 2: MINUS_ONE}, {}, 0, two(-25)),
    "blackwell-mx loses 2^-26": (MX, 32, {0: ONE, 1: (two(-13), two(-13)), 2: MINUS_ONE}, {}, 0, 0),
    "blackwell-mx aligns with the scales: 2^6 * (1 + 2^-25 - 1)": (
        MX,
        32,
        {0: ONE, 1: (two(-12), two(-13)), 2: MINUS_ONE},
        {0: (two(8), two(-2))},
        0,
        two(-19),
    ),
    "blackwell-mx, c = 2^-19 beside 2^6 - 2^6 stays (25 places), c = 2^-20 would not": (
        MX,
        32,
        {0: ONE, 2: MINUS_ONE},
        {0: (two(8), two(-2))},
        two(-19),
        two(-19),
    ),
    "blackwell-mx, c = 2^-20 is cut": (MX, 32, {0: ONE, 2: MINUS_ONE}, {0: (two(8), two(-2))}, two(-20), 0),
    # mxf4: terms are exact sums of 16 products, aligned at the exponent of their scales with F = 35.
    "blackwell-nvf4 keeps F=35: 1 (16 products), -1 (16 products), and 2^-35 in the second block": (
        MX4,
        64,
        {0: ONE, 16: MINUS_ONE, 32: ONE},
        {1: (two(-20), two(-15))},
        0,
        two(-35),
    ),
    "blackwell-nvf4 loses 2^-36": (MX4, 64, {0: ONE, 16: MINUS_ONE, 32: ONE}, {1: (two(-20), two(-16))}, 0, 0),
    "blackwell-nvf4 sums 16 exactly: 16 * 0.25 * 2^-37 = 2^-35, though each is 2^-39": (
        MX4,
        64,
        {0: ONE, 16: MINUS_ONE, **dict.fromkeys(range(32, 48), (0.5, 0.5))},
        {1: (two(-20), two(-17))},
        0,
        two(-35),
    ),
    "blackwell-nvf4 aligns to the scales of a zero sum too: 2^10 * 0, so 2^-26 lies below 2^(10-35)": (
        MX4,
        64,
        {32: ONE},
        {0: (two(10), 1), 1: (two(-13), two(-13))},
        0,
        0,
    ),
    "blackwell-nvf4, 2^-25 does not": (MX4, 64, {32: ONE}, {0: (two(10), 1), 1: (two(-13), two(-12))}, 0, two(-25)),
    "nvfp4 multiplies the scales' significands: 1.5 * 1.5 * (6 * 6) = 81": (
        NV4,
        16,
        {0: (6, 6)},
        {0: (1.5, 1.5)},
        0,
        81,
    ),
    "nvfp4 has a scale every 16: 2 * 3 * (1) + 0.5 * 0.5 * (1) = 6.25": (
        NV4,
        32,
        {0: ONE, 16: ONE},
        {0: (2, 3), 1: (0.5, 0.5)},
        0,
        6.25,
    ),
    "nvfp4 truncates the result: 81 + 2^-18 has its last place at 2^-17": (
        NV4,
        16,
        {0: (6, 6)},
        {0: (1.5, 1.5)},
        two(-18),
        81,
    ),
}


@pytest.mark.parametrize("name", BLOCK_EXAMPLES)
def test_block_by_hand(name):
    text, k, pairs, scales, addend, expected = BLOCK_EXAMPLES[name]
    unit = fpgen.parse_unit(text.format(k=k))
    check(unit, block_operands(unit, pairs, scales, addend), code_of(expected, unit.out))


# ---- the table itself -------------------------------------------------------------------------------------------


def test_every_preset_has_examples():
    """At least three each."""
    named = [name.split()[0].rstrip(",") for name in [*EXAMPLES, *BLOCK_EXAMPLES]]
    for preset in PRESETS:
        assert sum(name == preset for name in named) >= 3, preset


@pytest.mark.parametrize("preset", PRESETS)
def test_text_round_trip_and_defaults(preset):
    for case in PRESETS[preset].cases:
        for operand in case.operands:
            scaled = bool(case.scales)
            size = 32 if scaled and preset == "blackwell-mx" else case.accumulation.span or case.accumulation.group
            block = {"e8m0": f"{operand}@e8m0/32", "ue4m3": f"{operand}@ue4m3/16"}
            for out in case.outputs:
                for scale in case.scales or ("",):
                    left = (
                        f"blockdot {block[scale]} {block[scale]} k={size}"
                        if scaled
                        else f"dot {operand} {operand} n={size}"
                    )
                    unit = fpgen.parse_unit(f"{left} + fp32 -> {out} accumulate={preset}")
                    assert unit.accumulate == case.accumulation
                    assert unit.rounding is case.rounding and unit.overflow is case.overflow
                    assert f"accumulate={preset}" in unit.text
                    again = fpgen.parse_unit(unit.text)
                    assert again == unit and again.text == unit.text


def test_a_preset_that_does_not_fit_says_what_does():
    with pytest.raises(fpgen.UsageError, match="expected one of fp16"):
        fpgen.parse_unit("dot int8 int8 n=4 -> fp32 accumulate=v100")
    with pytest.raises(fpgen.UsageError, match="did you mean hopper"):
        fpgen.parse_unit("dot fp16 fp16 n=4 -> fp32 accumulate=hoper")
    with pytest.raises(fpgen.UsageError, match="groups of 8 with 12 products"):
        fpgen.parse_unit("dot fp16 fp16 n=12 -> fp32 accumulate=a100")


def test_changing_a_preset_takes_its_name_away():
    unit = fpgen.parse_unit("dot fp16 fp16 n=16 -> fp32 accumulate=hopper")
    other = fpgen.DotProduct(
        a="fp16",
        b="fp16",
        n=16,
        out="fp32",
        accumulate=fpgen.Accumulation(
            **{
                **{field: getattr(unit.accumulate, field) for field in unit.accumulate.__dataclass_fields__},
                "fraction": 26,
            }
        ),
    )
    assert other.accumulate.name == "" and other.accumulate.kind is Kind.ALIGNED
    assert "fraction=26" in other.text
