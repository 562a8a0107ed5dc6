"""`round_to` against a second definition: neighbours on the line of codes, in fractions.

The definition here knows nothing of significands: it lists the values of the codes, finds the two
between which a number lies, and chooses by distance and by the code's last bit.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portions import portions

from fpgen import UsageError
from fpgen.formats import Class, Format, Infinity, NaN, parse
from fpgen.golden.exact.exact_round import Exact, finite, round_to
from fpgen.units import Flags, Overflow, Rounding, Semantics, Subnormals, Tininess

MODES = [mode for mode in Rounding if mode is not Rounding.PORT]
NAMES = [
    "e5m2",
    "e4m3fn",
    "e4m3",
    "e3m4",
    "e4m3fnuz",
    "e3m2",
    "e2m1",
    "binary8p3se",
    "binary8p1se",
    "binary4p2sf",
    "binary8p1uf",
    "binary8p7se",
    "e8m0",
    "ue4m3",
    "int4",
    "uint8",
    "mxint8",
    "uint6:scale=-3",
    "int3:scale=2",
    "e1m1",
    "e1m2:inf=ieee,nan=ieee",
    "e1m3:inf=none,nan=none",
    "e1m1:inf=top,nan=negzero",
    "e2m0",
    "e3m0:bias=-5",
    "e5m0:inf=top,nan=none",
    "e2m1:bias=9,inf=ieee,nan=ieee",
    "e4m3:subnormals=no",
    "e3m2:subnormals=no",
    "ue3m2:subnormals=no,zero=no",
    "ue3m2:subnormals=no",
    "ue2m0:inf=none,nan=none,subnormals=yes,zero=yes",
    "binary3p1se",
]


# ---- the second definition -----------------------------------------------------------------------


@lru_cache
def line(fmt: Format, extra: int = 40) -> tuple[list[int], list[Fraction]]:
    """Non-negative places on the line of codes and their values, going on past the largest finite code."""
    if fmt.fixed:
        return list(range((1 << fmt.bits) + extra)), [
            Fraction(2) ** fmt.scale * code for code in range((1 << fmt.bits) + extra)
        ]
    places, values = [], []
    for code in range(fmt.max_finite_code + extra):
        field, trailing = code >> fmt.trailing_bits, code & ((1 << fmt.trailing_bits) - 1)
        step = Fraction(2) ** (max(field, 1 if fmt.zero else 0) - fmt.bias - fmt.trailing_bits)
        hidden = 0 if fmt.zero and field == 0 else 1 << fmt.trailing_bits
        places.append(code)
        values.append((hidden + trailing) * step)
    if not fmt.zero:  # zero stands below code 0, as if it were an even code
        places, values = [-2, *places], [Fraction(0), *values]
    return places, values


def goes_up(mode: Rounding, negative: bool, odd: bool, nu: Fraction, n: int, r: int) -> bool:
    """The modes as the standards write them, with nu the fraction of the gap."""
    half = Fraction(1, 2)
    return {
        Rounding.RNE: nu > half or (nu == half and odd),
        Rounding.RNA: nu >= half,
        Rounding.RTZ: False,
        Rounding.RUP: nu > 0 and not negative,
        Rounding.RDN: nu > 0 and negative,
        Rounding.RAZ: nu > 0,
        Rounding.RTO: nu > 0 and not odd,
        Rounding.SRA: nu * 2**n // 1 + r >= 2**n,
        Rounding.SRB: nu * 2 ** (n + 1) // 1 + 2 * r + 1 >= 2 ** (n + 1),
        Rounding.SRC: round(nu * 2**n) + r >= 2**n,  # Python rounds to nearest even
    }[mode]


def place(fmt: Format, magnitude: Fraction, negative: bool, mode: Rounding, n: int, r: int) -> tuple[int, bool]:
    """(place on the line after rounding, inexact)."""
    places, values = line(fmt)
    below = bisect_right(values, magnitude) - 1
    if below + 1 >= len(values):
        return places[-1], True  # far beyond
    nu = (magnitude - values[below]) / (values[below + 1] - values[below])
    return places[below + goes_up(mode, negative, places[below] % 2 == 1, nu, n, r)], nu != 0


def is_tiny(fmt: Format, magnitude: Fraction, negative: bool, semantics: Semantics, r: int) -> bool:
    """Below the smallest normal, or after rounding in a format whose exponent goes much further down."""
    least = Fraction(2) ** fmt.emin
    if magnitude >= least:
        return False
    if semantics.tininess is Tininess.BEFORE:
        return True
    return rounded_in(fmt, magnitude, negative, semantics, r) < least


def rounded_in(fmt: Format, magnitude: Fraction, negative: bool, semantics: Semantics, r: int) -> Fraction:
    """Rounded to P bits with an exponent unbounded below: scale by 2**2k into the normal range, round, scale back."""
    k = 0
    while magnitude * 4**k < Fraction(2) ** (fmt.emin + 2):
        k += 1
    values = []
    step = Fraction(2) ** (fmt.emin - fmt.trailing_bits)
    for field in range(8):
        values += [((1 << fmt.trailing_bits) + t) * step * 2**field for t in range(1 << fmt.trailing_bits)]
    scaled = magnitude * 4**k
    below = bisect_right(values, scaled) - 1
    nu = (scaled - values[below]) / (values[below + 1] - values[below])
    first = 1 << fmt.trailing_bits if fmt.zero else 0
    odd = (first + below) % 2 == 1
    up = goes_up(semantics.rounding, negative, odd, nu, semantics.random_bits, r)
    return values[below + up] / 4**k


def expected(value: Fraction, fmt: Format, semantics: Semantics, r: int) -> tuple[int, Flags]:
    """The rules of `fpgen.units.options` for a finite non-zero value, on top of the line of codes."""
    mode, negative, magnitude = semantics.rounding, value < 0, abs(value)
    sign = fmt.sign_mask if negative else 0
    at, inexact = place(fmt, magnitude, negative, mode, semantics.random_bits, r)
    nx = Flags.NX if inexact else Flags(0)
    if fmt.fixed:
        integer = -at if negative else at
        lowest = (-(1 << fmt.bits - 1) + fmt.symmetric) if fmt.signed else 0
        highest = (1 << fmt.bits - fmt.signed) - 1
        if not lowest <= integer <= highest:
            return min(max(integer, lowest), highest) % (1 << fmt.bits), Flags.NV
        return integer % (1 << fmt.bits), nx
    tiny = is_tiny(fmt, magnitude, negative, semantics, r)
    zero = (sign if fmt.has_negative_zero else 0) if fmt.zero else 0
    if tiny and (semantics.subnormals in (Subnormals.OUT, Subnormals.BOTH) or not fmt.subnormals):
        return zero, Flags.UF | Flags.NX
    if negative and not fmt.signed and line(fmt)[1][line(fmt)[0].index(at)] != 0:
        lowest = fmt.nan_code if fmt.has_nan and semantics.overflow is Overflow.IEEE else 0
        return lowest, Flags.NV
    if at > fmt.max_finite_code:
        nearest = mode in (Rounding.RNE, Rounding.RNA, Rounding.SRA, Rounding.SRB, Rounding.SRC)
        away = nearest or mode in (Rounding.RAZ, Rounding.RDN if negative else Rounding.RUP)
        if semantics.overflow is not Overflow.IEEE or not away:
            return sign | fmt.max_finite_code, Flags.OF | Flags.NX
        return (sign | fmt.infinity_code if fmt.has_infinity else fmt.nan_code), Flags.OF | Flags.NX
    flags = nx | (Flags.UF if tiny and inexact else Flags(0))
    return (zero if at <= 0 and fmt.zero else max(at, 0) | sign), flags


# ---- values and options --------------------------------------------------------------------------


def interesting(fmt: Format) -> list[Fraction]:
    """Every value up to past the largest, the points between, and their close neighbours."""
    _, values = line(fmt, 4)
    values = values[:: max(1, len(values) // 96)] + values[:6] + values[-10:]
    low = min(value for value in values if value)
    points = {
        value + gap * part
        for value, after in zip(sorted(set(values)), sorted(set(values))[1:], strict=False)
        for gap in [after - value]
        for part in (
            0,
            Fraction(1, 16),
            Fraction(1, 2),
            Fraction(1, 2) - Fraction(1, 2**30),
            Fraction(1, 2) + Fraction(1, 2**30),
            Fraction(31, 32),
        )
    }
    points |= {low / 2**k * m for k in range(1, 6) for m in (1, Fraction(3, 4), Fraction(5, 4))}
    if not fmt.fixed:
        least = Fraction(2) ** fmt.emin
        points |= {least * (1 - Fraction(m, 1 << fmt.precision + 2)) for m in range(1, 9)}
    points |= {max(values) * 1000}
    return sorted(point for point in points if point)


def as_exact(value: Fraction) -> Exact:
    return finite(int(value < 0), abs(value.numerator), -(value.denominator.bit_length() - 1))


def policies(fmt: Format) -> list[Overflow]:
    found = [Overflow.SATURATE]
    if fmt.has_infinity or fmt.has_nan:
        found.append(Overflow.IEEE)
    if fmt.has_infinity:
        found.append(Overflow.PROPAGATE)
    return found


@pytest.mark.turns(2)
@pytest.mark.parametrize("step", portions(5))
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", NAMES)
def test_gaps_of_the_format(name, mode, step):
    """Both signs, both tininess rules, flushing or not, every policy; codes and flags."""
    fmt = parse(name)
    random_bits = 3 if mode.stochastic else 0
    combinations = [
        Semantics(mode, policy, tininess, subnormals, random_bits)
        for policy in policies(fmt)
        for tininess in Tininess
        for subnormals in (Subnormals.FULL, Subnormals.OUT)
    ]
    for index, magnitude in enumerate(interesting(fmt)[::step]):
        for value in (magnitude, -magnitude):
            semantics = combinations[index % len(combinations)]
            for random in range(8) if mode.stochastic and index % 7 == 0 else [index * 5 % (1 << random_bits)]:
                ours = round_to(as_exact(value), fmt, semantics, random=random)
                assert ours == expected(value, fmt, semantics, random), (value, semantics, random)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_format_and_value(data):
    """Formats from the whole parameter space, values with any number of bits."""
    fmt = data.draw(formats())
    mode = data.draw(st.sampled_from(MODES))
    random_bits = data.draw(st.integers(1, 8)) if mode.stochastic else 0
    random = data.draw(st.integers(0, (1 << random_bits) - 1))
    semantics = Semantics(
        mode,
        data.draw(st.sampled_from(policies(fmt))),
        data.draw(st.sampled_from(list(Tininess))),
        data.draw(st.sampled_from(list(Subnormals))),
        random_bits,
    )
    _, values = line(fmt)
    middle = data.draw(st.sampled_from(values))
    value = middle * (1 + Fraction(data.draw(st.integers(-64, 64)), 1 << data.draw(st.integers(6, 40))))
    if value == 0:
        value = Fraction(data.draw(st.integers(1, 99))) * Fraction(2) ** (fmt.quantum_exponent - 7)
    value *= data.draw(st.sampled_from([1, -1]))
    assert round_to(as_exact(value), fmt, semantics, random=random) == expected(value, fmt, semantics, random)


@st.composite
def formats(draw) -> Format:
    """Any floating-point format with up to 5 exponent and 5 trailing bits."""
    exponent_bits, trailing = draw(st.integers(1, 5)), draw(st.integers(0, 5))
    signed = draw(st.booleans())
    specials = [
        (Infinity.NONE, NaN.NONE),
        (Infinity.TOP, NaN.NONE),
        (Infinity.NONE, NaN.ALL_ONES),
        (Infinity.TOP, NaN.ALL_ONES),
    ]
    if trailing:
        specials.append((Infinity.IEEE, NaN.IEEE))
    if signed:
        specials += [(Infinity.NONE, NaN.NEGATIVE_ZERO), (Infinity.TOP, NaN.NEGATIVE_ZERO)]
    infinity, nan = draw(st.sampled_from(specials))
    parameters = {
        "bits": exponent_bits + trailing + signed,
        "precision": trailing + 1,
        "signed": signed,
        "bias": draw(st.integers(-20, 40)),
        "infinity": infinity,
        "nan": nan,
    }
    try:
        return Format(**parameters, subnormals=draw(st.booleans()))
    except UsageError:
        return Format(bits=6, precision=3, bias=parameters["bias"])


# ---- properties that need no second definition ---------------------------------------------------


@pytest.mark.parametrize("bits", [1, 2, 5])
@pytest.mark.parametrize("mode", [Rounding.SRA, Rounding.SRB, Rounding.SRC], ids=lambda mode: mode.value)
def test_stochastic_modes_go_up_as_often_as_the_fraction_says(mode, bits):
    """Of all R, the share that rounds up is nu cut (A), or rounded up or down at the next bit (B, C) to N bits."""
    fmt = parse("e4m3fn")
    for numerator in range(64):
        nu = Fraction(numerator, 64)
        semantics = Semantics(mode, random_bits=bits)
        ups = sum(round_to(as_exact(1 + nu / 8), fmt, semantics, random=r)[0] == 0x39 for r in range(1 << bits))
        share = {
            Rounding.SRA: nu * 2**bits // 1,
            Rounding.SRB: (nu * 2**bits + Fraction(1, 2)) // 1,
            Rounding.SRC: round(nu * 2**bits),
        }[mode]
        assert ups == share, (nu, bits)


@settings(max_examples=500, deadline=None)
@given(st.integers(1, 1 << 60), st.integers(-30, 10), st.sampled_from(["e5m2", "e4m3fn", "fp16", "e2m1"]))
def test_rounding_to_odd_first_is_harmless(significand, exponent, name):
    """Boldo and Melquiond 2008: to odd with two more bits, then to nearest, is one rounding to nearest."""
    fmt = parse(name)
    wide = Format(bits=fmt.bits + 10, precision=fmt.precision + 2, bias=fmt.bias + 500)
    middle, _ = round_to(finite(0, significand, exponent - 60), wide, Semantics(Rounding.RTO))
    if wide.classify(middle) is not Class.FINITE:
        return
    twice, _ = round_to(as_exact(wide.value(middle)), fmt, Semantics(overflow=Overflow.SATURATE))
    once, _ = round_to(finite(0, significand, exponent - 60), fmt, Semantics(overflow=Overflow.SATURATE))
    assert twice == once
