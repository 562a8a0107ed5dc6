"""Directed families of operands, each named after the class of bugs it guards against.

A family is a function of a `Draft`; it returns one array of codes per operand. All
places it aims at (overflow, smallest normal, half a step) are computed from the formats.
The classes are those of the field: CVFPU, Berkeley HardFloat and SoftFloat trackers, and
IBM's FPgen suite (Aharoni et al. 2008), whose models the names follow.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fpgen.formats import Format

from .draft import Draft, Family, in_pieces
from .patterns import (
    U64,
    corner_codes,
    encode,
    fractions,
    measure,
    nudge,
    special_codes,
    subnormal_codes,
    uniform_codes,
)
from .terms import Codes, Product, Single, Square, Term, Value

# ---- places in the output's range ---------------------------------------------------------------------


def _points(draft: Draft, wanted: list[Fraction]) -> Codes:
    """Exact results at and around `wanted` (magnitudes): one term there, or two that sum to it."""
    spots = [(value.numerator.bit_length() - value.denominator.bit_length(), value) for value in wanted if value > 0]
    spots = [(e if value >= Fraction(2) ** e else e - 1, value) for e, value in spots]
    chosen = draft.rng.integers(0, len(spots), draft.count)
    exponent = np.array([e for e, _ in spots], np.int64)[chosen]
    fraction = np.array([int((value / Fraction(2) ** e - 1) * 2**64) for e, value in spots], U64)[chosen]
    negative = draft.signs
    there = Value(negative, exponent, 1 + (fraction >> U64(12)) * 2.0**-52)
    if len(draft.terms) == 1:
        term = draft.terms[0]
        if draft.rng.random() < 0.5:
            return term.near(draft.rng, there, draft.steps(2))[0]
        return term.exactly(draft.rng, negative, exponent, fraction)[0]
    lead, other = draft.ordered()
    if draft.rng.random() < 0.5:  # one term there, the other only decides to which side
        codes, _ = lead.near(draft.rng, there, draft.steps(1))
        away = draft.rng.integers(0, draft.out.precision + other.precision + 4, draft.count)
        rest, _ = other.near(draft.rng, draft.value(other, exponent - away), draft.steps(0))
        return codes | rest
    beside = draft.value(lead, exponent + draft.rng.integers(-2, 3, draft.count))
    codes, value = lead.near(draft.rng, beside, draft.steps(0))
    rest, _ = other.near(draft.rng, there.minus(value), draft.steps(2))
    return codes | rest


@in_pieces
def overflow_boundary(draft: Draft) -> Codes:
    """Around the largest finite value, in eighths of a step: OF, NX, what saturates (classes 3, 6, 17)."""
    out = draft.out
    top = abs(out.max_finite)
    step = Fraction(2) ** (out.scale if out.fixed else out.emax - out.precision + 1)
    bottom = abs(out.min_finite) if out.fixed else top
    return _points(draft, [end + step * k / 8 for end in {top, bottom} for k in range(-20, 36) if end])


@in_pieces
def underflow_boundary(draft: Draft) -> Codes:
    """Around the smallest normal value, in eighths of a step: tininess, UF (classes 1, 2, 13)."""
    step = Fraction(2) ** draft.out.quantum_exponent
    return _points(draft, [draft.out.min_normal + step * k / 8 for k in range(-20, 36)])


@in_pieces
def subnormal_results(draft: Draft) -> Codes:
    """From far below half the smallest value up into the normals, in eighths: subnormal ties (classes 1, 10, 15)."""
    step = Fraction(2) ** draft.out.quantum_exponent
    deep = [step / 2**k for k in (4, 5, 8, 16)]
    most = min(1 << draft.out.precision, 64)
    halves = [step * (k + Fraction(1, 2)) for k in range(most)]
    return _points(draft, deep + halves + [step * k / 8 for k in range(1, 33)])


@in_pieces
def carry_into_exponent(draft: Draft) -> Codes:
    """Significands of all ones: rounding up reaches the next binade, or must not (class 12)."""
    term = draft.terms[0]
    exponent = int(draft.exponents(term)[0])
    ulp = Fraction(2) ** (1 - draft.out.significand_bits)
    ones = [2 - ulp / 2**k for k in range(4)] + [2 - ulp * k / 8 for k in range(1, 16)]
    return _points(draft, [one * Fraction(2) ** exponent for one in ones if one > 0])


# ---- ties ------------------------------------------------------------------------------------------


@in_pieces
def halfway_ties(draft: Draft) -> Codes:
    """Exactly half a step, and one operand step to either side: ties, double rounding (classes 10, 14)."""
    precision = draft.out.significand_bits
    lead = draft.terms[int(draft.rng.integers(len(draft.terms)))]
    exponent = draft.exponents(lead)
    # Bits that survive in the output: fewer for subnormals and integers, whose step does not shrink.
    kept = np.minimum(precision - 1, exponent - draft.out.quantum_exponent)
    kept = np.where(draft.rng.random(draft.count) < 0.2, draft.rng.integers(0, precision + 1, draft.count), kept)
    kept = np.clip(kept, 0, 62).astype(U64)
    random = draft.rng.integers(0, 1 << 64, draft.count, U64)
    fraction = random & ~(~U64(0) >> kept)
    half = U64(1) << (U64(63) - kept)
    if len(draft.terms) == 1 or draft.rng.random() < 0.3:
        codes, _ = lead.exactly(draft.rng, draft.signs, exponent, fraction | half)
        for other in draft.terms:
            if other is not lead:  # nothing, or next to nothing, on top of the tie
                far = exponent - draft.rng.integers(precision, 3 * precision + other.precision + 4, draft.count)
                codes |= other.near(draft.rng, _or_zero(draft, draft.value(other, far)), draft.steps(0))[0]
        moved = next(reversed(lead.names))
        codes[moved] = nudge(draft.operands[moved], codes[moved], np.where(draft.signs, 0, draft.steps(1)))
        return codes
    other = next(term for term in draft.terms if term is not lead)
    codes, _ = lead.exactly(draft.rng, draft.signs, exponent, fraction)
    rest, _ = other.exactly(draft.rng, draft.signs, exponent - kept.astype(np.int64) - 1, np.zeros(draft.count, U64))
    moved = next(reversed(other.names))
    rest[moved] = nudge(draft.operands[moved], rest[moved], np.where(draft.signs, 0, draft.steps(1)))
    return codes | rest


def product_ties(draft: Draft) -> Codes:
    """Full-width factors whose product ends in 0..0, 10..0 or one off it, by inverses modulo 2**k (classes 10, 11)."""
    product = next(term for term in draft.terms if isinstance(term, Product))
    first, second = product.first.format, product.second.format
    p, q = first.precision, second.precision
    rng, count = draft.rng, draft.count
    a = rng.integers(1 << (p - 1), 1 << p, count, U64) | U64(1)
    # A product has p+q-1 or p+q bits; so many of them fall to rounding.
    below = np.clip(p + q - draft.out.significand_bits - rng.integers(0, 2, count), 1, min(q, 63)).astype(U64)
    inverse = a.copy()
    for _ in range(6):
        inverse *= U64(2) - a * inverse
    target = (U64(1) << (below - U64(1))) * rng.integers(0, 2, count, U64) + rng.integers(-1, 2, count).astype(U64)
    b = (inverse * target) & ((U64(1) << below) - U64(1))
    b |= (rng.integers(0, 1 << 64, count, U64) << below) & U64((1 << q) - 1) | U64(1 << (q - 1))
    exponent = draft.exponents(product)
    codes, value = product._first(rng, draft.signs, exponent, a << U64(64 - (p - 1)) if p > 1 else a * U64(0))
    codes |= {
        product.second.name: encode(
            second, draft.signs, exponent - value.exponent, b << U64(64 - (q - 1)) if q > 1 else b * U64(0)
        )
    }
    for other in draft.terms:
        if other is not product:
            far = exponent - rng.integers(0, 2 * draft.out.precision + other.precision + 4, count)
            codes |= other.near(rng, _or_zero(draft, draft.value(other, far)), draft.steps(0))[0]
    return codes


def _or_zero(draft: Draft, value: Value) -> Value:
    return Value(value.negative, value.exponent, np.where(draft.rng.random(draft.count) < 0.3, 0.0, value.mantissa))


@in_pieces
def square_ties(draft: Draft) -> Codes:
    """Roots with trailing zeros, whose squares end in 10..0 or one code off it (class 10)."""
    square = next(term for term in draft.terms if isinstance(term, Square))
    fmt, rng, count = square.root.format, draft.rng, draft.count
    p = fmt.significand_bits
    # A square has 2p-1 or 2p bits, an even number of trailing zeros, and so many bits fall to rounding.
    below = np.clip(2 * p - draft.out.significand_bits - rng.integers(0, 2, count), 1, 2 * p - 1)
    zeros = np.minimum((below - 1) // 2, p - 1).astype(U64)
    root = ((rng.integers(1 << (p - 1), 1 << p, count, U64) >> zeros) | U64(1)) << zeros
    fraction = (root << U64(64 - (p - 1))) if p > 1 else root * U64(0)
    codes, _ = square.root.exactly(rng, draft.signs & fmt.signed, draft.exponents(square) // 2, fraction)
    codes[square.root.name] = nudge(fmt, codes[square.root.name], np.where(draft.signs, 0, draft.steps(1)))
    for other in draft.terms:
        if other is not square:
            codes |= other.near(rng, draft.value(other, draft.exponents(other)), draft.steps(0))[0]
    return codes


# ---- sums ------------------------------------------------------------------------------------------


@in_pieces
def cancellation(draft: Draft) -> Codes:
    """Two terms that nearly or exactly annihilate: normalisation, sign of zero (classes 4, 11)."""
    lead, other = draft.ordered()
    exponent = draft.exponents(lead)
    codes, value = lead.near(draft.rng, draft.value(lead, exponent), draft.steps(0))
    beside = (draft.rng.random(draft.count) < 0.15) * draft.steps(1)
    near = Value(~value.negative, value.exponent + beside, value.mantissa)
    small = np.where(draft.signs, draft.steps(3), (1 << draft.rng.integers(0, 12, draft.count)) * draft.steps(1))
    return codes | other.near(draft.rng, near, small)[0]


@in_pieces
def alignment(draft: Draft) -> Codes:
    """Every distance of the two terms' exponents: shift amounts, their widths, sticky (classes 8, 9, 11)."""
    lead, other = draft.ordered()
    reach = draft.out.precision + lead.precision + other.precision + 6
    exponent = draft.exponents(lead, margin=4)
    codes, value = lead.near(draft.rng, draft.value(lead, exponent), draft.steps(0))
    away = draft.rng.integers(-reach, reach + 1, draft.count)
    return codes | other.near(draft.rng, draft.value(other, value.exponent - away), draft.steps(0))[0]


@in_pieces
def sticky(draft: Draft) -> Codes:
    """A representable or tied sum with one distant bit added or taken away: lost sticky bits (classes 2, 11)."""
    lead, other = draft.ordered()
    precision = draft.out.significand_bits
    exponent = draft.exponents(lead)
    kept = np.clip(precision - 1 + draft.rng.integers(-1, 3, draft.count), 1, 63).astype(U64)
    random = fractions(draft.rng, draft.count, precision)
    codes, value = lead.exactly(draft.rng, draft.signs, exponent, random & ~(~U64(0) >> kept))
    away = draft.rng.integers(precision - 2, 2 * precision + lead.precision + other.precision + 4, draft.count)
    bit = np.zeros(draft.count, U64)
    return codes | other.exactly(draft.rng, draft.signs, value.exponent - away, bit)[0]


# ---- classes of operands ---------------------------------------------------------------------------


def specials_cross(draft: Draft) -> Codes:
    """Every corner code against every other: zeros, infinities, NaNs of all kinds, range ends (classes 4, 5, 6, 18)."""
    corners = [corner_codes(fmt) for fmt in draft.operands.values()]
    total = int(np.prod([len(codes) for codes in corners]))
    number = np.arange(total) if total <= draft.count else draft.rng.choice(total, draft.count, replace=False)
    found = {}
    for name, codes in zip(draft.operands, corners, strict=True):
        found[name] = codes[number % len(codes)]
        number = number // len(codes)
    return found


def one_special(draft: Draft) -> Codes:
    """One zero, infinity or NaN among ordinary operands: shortcuts taken too early (classes 5, 9, 18)."""
    found = {name: uniform_codes(fmt, draft.rng, draft.count) for name, fmt in draft.operands.items()}
    which = draft.rng.integers(0, len(found), draft.count)
    for number, (name, fmt) in enumerate(draft.operands.items()):
        special = special_codes(fmt)
        if len(special):
            found[name] = np.where(which == number, draft.rng.choice(special, draft.count), found[name])
    return found


def zero_signs(draft: Draft) -> Codes:
    """Zeros of both signs, smallest values and exact opposites: the sign of a zero result (class 4)."""
    found = {}
    for name, fmt in draft.operands.items():
        pool = np.unique(np.array([0, fmt.sign_mask, 1, fmt.sign_mask | 1, corner_codes(fmt)[-1]], U64))
        found[name] = draft.rng.choice(pool, draft.count)
    return found


def subnormal_operands(draft: Draft) -> Codes:
    """Operands from the lowest binade, alone and together with larger ones (classes 8, 11, 13, 15)."""
    found = {}
    for name, fmt in draft.operands.items():
        ordinary = uniform_codes(fmt, draft.rng, draft.count)
        found[name] = np.where(draft.signs, subnormal_codes(fmt, draft.rng, draft.count), ordinary)
    return found


@in_pieces
def subnormal_factor(draft: Draft) -> Codes:
    """A subnormal factor against one that brings the product back into range (classes 1, 11)."""
    product = next(term for term in draft.terms if isinstance(term, Product))
    small, large = (product.first, product.second) if draft.rng.random() < 0.5 else (product.second, product.first)
    codes = {small.name: subnormal_codes(small.format, draft.rng, draft.count)}
    exponent = measure(small.format, codes[small.name])[1]
    wanted = draft.value(large, draft.exponents(product) - exponent)
    codes |= large.near(draft.rng, wanted, draft.steps(1))[0]
    for other in draft.terms:
        if other is not product:
            addend = draft.value(other, draft.exponents(other))
            codes |= other.near(draft.rng, _or_zero(draft, addend), draft.steps(0))[0]
    return codes


def largest_times_largest(draft: Draft) -> Codes:
    """Operands within a few codes of the largest and smallest magnitudes: the widest exponents (classes 3, 8, 17)."""
    found = {}
    for name, fmt in draft.operands.items():
        ends = np.array([fmt.max_finite_code, fmt.min_finite_code, 1, fmt.sign_mask | 1], U64)
        found[name] = nudge(fmt, draft.rng.choice(ends, draft.count), draft.steps(3))
    return found


# ---- random ----------------------------------------------------------------------------------------


def random_codes(draft: Draft) -> Codes:
    """Every code of every operand equally likely."""
    return {name: uniform_codes(fmt, draft.rng, draft.count) for name, fmt in draft.operands.items()}


@in_pieces
def random_near(draft: Draft) -> Codes:
    """Exponents drawn so that terms meet and the result is in range; significands in every style."""
    lead, *others = draft.ordered() if len(draft.terms) == 2 else draft.terms
    codes, value = lead.near(draft.rng, draft.value(lead, draft.exponents(lead, margin=3)), draft.steps(1))
    for other in others:
        reach = draft.out.precision + 3
        away = draft.rng.integers(-reach, reach + 1, draft.count)
        codes |= other.near(draft.rng, draft.value(other, value.exponent - away), draft.steps(1))[0]
    return codes


@in_pieces
def random_classes(draft: Draft) -> Codes:
    """Each operand of a different class: uniform, subnormal, corner, or any exponent with a styled significand."""
    found = {}
    for name, fmt in draft.operands.items():
        single = Single(name, fmt)
        low, high = single.range
        anywhere = draft.value(single, draft.rng.integers(low, high + 1, draft.count))
        styled, _ = single.near(draft.rng, anywhere, draft.steps(1))
        kind = draft.rng.integers(0, 8, draft.count)
        found[name] = np.select(
            [kind == 0, kind == 1, kind == 2],
            [
                uniform_codes(fmt, draft.rng, draft.count),
                subnormal_codes(fmt, draft.rng, draft.count),
                draft.rng.choice(corner_codes(fmt), draft.count),
            ],
            styled[name],
        )
    return found


@in_pieces
def wraps_around(draft: Draft) -> Codes:
    """Results around multiples of half the range of an output that wraps around, up to eight times it."""
    turn = Fraction(2) ** (draft.out.scale + draft.out.bits - 1)
    step = Fraction(2) ** draft.out.scale
    return _points(draft, [turn * times + step * off for times in (1, 2, 3, 4, 5, 8, 16) for off in (-1, 0, 1)])


def directed(terms: list[Term], out: Format, wraps: bool = False) -> dict[str, Family]:
    """The directed families that apply to an operation with these terms; `wraps`: whose results wrap around."""
    chosen: list[Family] = [
        specials_cross,
        one_special,
        zero_signs,
        overflow_boundary,
        underflow_boundary,
        subnormal_results,
        subnormal_operands,
        largest_times_largest,
        carry_into_exponent,
        halfway_ties,
    ]
    products = [term for term in terms if isinstance(term, Product)]
    if products:
        chosen.append(subnormal_factor)
        fixed = products[0].first.format.fixed or products[0].second.format.fixed
        if not fixed and products[0].precision > out.significand_bits:
            chosen.append(product_ties)
    if any(isinstance(term, Square) and term.precision > out.significand_bits for term in terms):
        chosen.append(square_ties)
    if len(terms) == 2:
        chosen += [cancellation, alignment, sticky]
    if wraps:
        chosen.append(wraps_around)
    return {family.__name__: family for family in chosen}


#: Constrained random, with the share of each.
RANDOM: dict[str, tuple[Family, float]] = {
    "random_near": (random_near, 0.6),
    "random_classes": (random_classes, 0.25),
    "random_codes": (random_codes, 0.15),
}
