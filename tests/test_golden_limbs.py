"""Limb arithmetic against Python integers; rounding to odd and the code line against fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fpgen.formats import as_format
from fpgen.golden.scalar import limbs
from fpgen.golden.scalar.deliver import target
from fpgen.golden.scalar.float64_engine import locate, round_to_odd_sum

words = st.lists(
    st.one_of(
        st.integers(0, 2**64 - 1),
        st.integers(0, 64).map(lambda n: (1 << n) - 1),
        st.integers(0, 63).map(lambda n: 1 << n),
    ),
    min_size=1,
    max_size=20,
)
quick = settings(max_examples=100, deadline=None, derandomize=True)


def value(columns: np.ndarray) -> list[int]:
    """Python integers of (m, n) limbs."""
    return [sum(int(limb) << (32 * row) for row, limb in enumerate(column)) for column in columns.T]


def array(integers: list[int], rows: int) -> np.ndarray:
    return np.array([[(x >> (32 * row)) & 0xFFFFFFFF for x in integers] for row in range(rows)], dtype=np.int64)


@quick
@given(words, words)
def test_products(a, b):
    count = min(len(a), len(b))
    a, b = a[:count], b[:count]
    found = limbs.multiply(np.array(a, dtype=np.uint64), np.array(b, dtype=np.uint64))
    assert value(found) == [x * y for x, y in zip(a, b, strict=True)]


@quick
@given(words, st.data())
def test_placed_sums_and_negation(a, data):
    count = len(a)
    offsets = [data.draw(st.lists(st.integers(0, 120), min_size=count, max_size=count)) for _ in range(2)]
    signs = data.draw(st.lists(st.sampled_from([1, -1]), min_size=count, max_size=count))
    a64 = limbs.split(np.array(a, dtype=np.uint64))
    total = limbs.place(a64, np.array(offsets[0]), 6)
    total += limbs.place(a64, np.array(offsets[1]), 6, np.array(signs) < 0)
    over = limbs.carry(total)
    exact = [(x << i) + s * (x << j) for x, i, j, s in zip(a, *offsets, signs, strict=True)]
    assert [x + (int(o) << 192) for x, o in zip(value(total), over, strict=True)] == exact
    limbs.negate_where(total, over < 0)
    assert value(total) == [abs(x) for x in exact]


@quick
@given(words, st.integers(-100, 200))
def test_span_and_extract(a, offset):
    shifted = [x << 37 for x in a]
    columns = array(shifted, 4)
    length, lowest = limbs.span(columns)
    assert list(length) == [x.bit_length() for x in shifted]
    assert all(not x or low == (x & -x).bit_length() - 1 for x, low in zip(shifted, lowest, strict=True))
    found = limbs.extract(columns, np.full(len(a), offset))
    if offset >= -64:
        mask = (1 << 64) - 1
        assert [int(x) for x in found] == [(x >> offset if offset >= 0 else x << -offset) & mask for x in shifted]
    assert list(limbs.bit_length_64(np.array(a, dtype=np.uint64))) == [x.bit_length() for x in a]


ordinary = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e100, max_value=1e100)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(ordinary, ordinary, st.integers(-60, 60))
def test_round_to_odd(x, y, scale):
    """Exact sums stay; others are the neighbour of the sum with an odd last bit."""
    y = math.ldexp(math.copysign(1, y) * math.frexp(y)[0], math.frexp(x)[1] + scale)
    found = float(round_to_odd_sum(np.array([x]), np.array([y]))[0])
    exact = Fraction(x) + Fraction(y)
    if Fraction(found) == exact:
        return
    assert np.array([found]).view(np.int64)[0] & 1
    assert min(math.nextafter(found, -math.inf), found) < exact < max(math.nextafter(found, math.inf), found)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(["fp16", "e4m3fn", "e2m1", "e5m0", "int8", "mxint8"]), st.floats(-1e6, 1e6))
def test_places_on_the_code_line(name, x):
    fmt = as_format(name)
    if abs(x) >= fmt.max_finite:
        return
    point = locate(np.array([x]), target(fmt))
    low = fmt.value(int(point.below[0]))
    high = fmt.value(int(point.below[0]) + 1) if int(point.below[0]) < fmt.max_finite_code else None
    assert low <= abs(Fraction(x))
    if high is not None:
        assert low + Fraction(float(point.frac[0])) * (high - low) == abs(Fraction(x))
