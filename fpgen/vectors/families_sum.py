"""Families for sums of products, plain and block-scaled, each named after the class of bugs it guards against.

`sum_geometry.Sum` knows the places that they aim at, and makes operands from the terms that they want.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

import numpy as np

from fpgen.units import BlockDot, DotProduct
from fpgen.units.accumulation import Addend, Kind, Split
from fpgen.units.options import Overflow

from .families_array import Family, Setting
from .families_cancellation import (
    almost_cancellation,
    alternating_cancellation,
    cancellation_across_groups,
    cancellation_with_addend,
    scattered_cancellation,
)
from .families_operands import (
    infinities_meet,
    nan_scales,
    one_special,
    random_codes,
    random_gaussian,
    random_terms,
    scale_ends,
    subnormals,
    zeros,
)
from .patterns import U64, fractions, nudge
from .sum_geometry import sum_of
from .terms import Codes

# ---- carries and sizes ------------------------------------------------------------------------------


def all_equal(setting: Setting) -> Codes:
    """All products alike: carries all the way up the adder tree; c of either sign about as large as their sum."""
    s = sum_of(setting)
    top = s.tops()
    sign, fraction = s.signs(), fractions(s.rng, s.count, s.product.precision)
    codes = s.terms(sign[:, None], top[:, None], np.broadcast_to(fraction[:, None], (s.count, s.k)))
    for name in codes:  # the very same codes
        codes[name] = np.broadcast_to(codes[name][:, :1], codes[name].shape)
    return codes | s.addend(s.signs(), top + s.k.bit_length() - 1, fraction, steps=s.rng.integers(-2, 3, s.count))


def largest(setting: Setting) -> Codes:
    """The largest times the largest in every term, of one sign or of both: the widest sum, overflow on the way."""
    s = sum_of(setting)
    alike = s.rng.random((s.count, 1)) < 0.5
    found = {}
    for port in s.unit._operand_ports():
        fmt = port.format
        assert fmt is not None
        shape = (s.count, *port.shape)
        ends = np.array([fmt.max_finite_code, fmt.min_finite_code], U64)
        one_sign = s.rng.integers(0, 2, (s.count, *(1 for _ in port.shape)))
        many = s.rng.integers(0, 2, shape)
        pick = np.where(alike, one_sign, many) if port.shape else many
        if port.name in ("a_scale", "b_scale"):  # together with an ordinary one, that the result stays finite
            one = fmt.bias << fmt.trailing_bits
            pool = np.array([fmt.max_finite_code, fmt.max_finite_code - 1, one, one], U64)
            found[port.name] = s.rng.choice(pool, shape)
        else:
            found[port.name] = np.broadcast_to(ends[pick], shape)
    for name in "ab":
        steps = s.rng.integers(-2, 1, found[name].shape) * (s.rng.random(found[name].shape) < 0.1)
        found[name] = nudge(dict(zip("ab", s.elements, strict=True))[name], found[name], steps)
    return found


# ---- alignment --------------------------------------------------------------------------------------


def one_dominant(setting: Setting) -> Codes:
    """One large term at each position and every other at one distance below it, which goes around every edge."""
    s = sum_of(setting)
    top = s.tops()
    span = s.reach + 1
    away = np.where(s.rng.random(s.count) < 0.5, s.distances(), setting.index // s.k % span)
    lead = s.at(setting.index)
    exponent = np.where(lead, top[:, None], (top - away)[:, None] + s.rng.integers(0, 2, (s.count, s.k)))
    sign = np.where(s.signs()[:, None], s.signs(s.k), s.signs()[:, None])
    far = s.rng.random(s.count) < 0.5
    return s.terms(sign, exponent, s.styled()) | (
        s.addend(
            s.signs(),
            np.where(far, top - away, top - s.distances()),
            fractions(s.rng, s.count, s.unit.out.significand_bits),
        )
    )


def last_place_kept(setting: Setting) -> Codes:
    """A large term and one to three single bits around the last place that is kept: F, one more, one less; signs."""
    s = sum_of(setting)
    top = s.tops()
    order = s.shuffled()
    rank = np.argsort(order, axis=1)
    few = s.rng.integers(2, 5, (s.count, 1))
    away = s.distances(s.k)
    exponent = np.where(rank == 0, top[:, None], top[:, None] - away)
    fraction = np.where(rank == 0, s.styled(), np.where(s.signs(s.k), U64(0), s.styled()))
    return s.terms(s.signs(s.k), exponent, fraction, present=rank < few, exact=True) | s.no_addend()


def addend_distance(setting: Setting) -> Codes:
    """The addend at every distance above and below the products' top: who aligns to whom, what is left out."""
    s = sum_of(setting)
    top = s.tops()
    span = 2 * s.reach + 1
    away = np.where(
        s.rng.random(s.count) < 0.4, s.distances() * np.where(s.signs(), 1, -1), setting.index % span - s.reach
    )
    exponent = top[:, None] - s.rng.integers(0, s.reach, (s.count, s.k)) * (s.rng.random((s.count, s.k)) < 0.5)
    precision = s.unit.c.significand_bits if s.unit.c else 1
    return s.terms(s.signs(s.k), exponent, s.styled()) | s.addend(
        s.signs(), top + away, fractions(s.rng, s.count, precision)
    )


def clamp_boundary(setting: Setting) -> Codes:
    """The largest exponent around the lowest one that is aligned to, and single bits around the last place kept then.

    Half of the vectors: an output's lowest place or half of it, and one to three bits that tip it if they are kept.
    """
    s = sum_of(setting)
    record, out = s.unit.accumulate, s.unit.out
    assert record.clamp is not None and record.fraction is not None
    top = record.clamp + s.rng.integers(-6, 4, s.count)
    exponent = top[:, None] - s.rng.integers(0, s.edges[-1], (s.count, s.k)) * (s.rng.random((s.count, s.k)) < 0.5)
    rank = np.argsort(s.shuffled(), axis=1)
    tipping = s.signs()[:, None]
    lowest = np.minimum(out.quantum_exponent + s.rng.integers(-1, 3, s.count), record.clamp)[:, None]
    last = record.clamp - record.fraction + s.rng.integers(-3, 2, (s.count, s.k))
    exponent = np.where(tipping, np.where(rank == 0, lowest, last), exponent)
    fraction = np.where(tipping, U64(0), s.styled())
    codes = s.terms(
        s.signs(s.k), exponent, fraction, present=~tipping | (rank < s.rng.integers(2, 5, (s.count, 1))), exact=True
    )
    low = s.addend(s.signs(), top - s.distances() * s.rng.integers(0, 2, s.count), fractions(s.rng, s.count, 24))
    none = s.no_addend()
    return codes | {name: np.where(tipping[:, 0], none[name], low[name]) for name in low}


def odd_against_even(setting: Setting) -> Codes:
    """Products of even and of odd index at every distance from each other: two sums that are aligned apart."""
    s = sum_of(setting)
    top = s.tops()
    odd = (np.arange(s.k) % 2 == 1) ^ s.signs()[:, None]
    away = np.where(s.signs(), s.distances(), setting.index % (s.reach + 1))
    exponent = top[:, None] - np.where(odd, away[:, None], 0) - s.rng.integers(0, 3, (s.count, s.k))
    present = ~odd | (s.rng.random((s.count, 1)) < 0.9)
    return s.terms(s.signs(s.k), exponent, s.styled(), present=present) | s.addend(
        s.signs(), top - s.distances() * s.rng.integers(-1, 2, s.count), fractions(s.rng, s.count, 24)
    )


def group_against_group(setting: Setting) -> Codes:
    """Products of one group at every distance from those of the others, where groups are dealt out in turns.

    Half of the vectors: a large product, its opposite and a small one, in any groups: what is cut depends on which two
    meet first.
    """
    s = sum_of(setting)
    record = s.unit.accumulate
    assert record.interleave is not None and record.span is not None and record.group is not None
    top = s.tops()
    of = np.arange(s.k) % record.span // record.interleave % (record.span // record.group)
    lead = s.rng.choice(of, (s.count, 1))
    away = np.where(s.signs(), s.distances(), setting.index % (s.reach + 1))[:, None]
    exponent = top[:, None] - np.where(of == lead, 0, away) - s.rng.integers(0, 3, (s.count, s.k))
    few, rank = s.signs()[:, None], np.argsort(s.shuffled(), axis=1)
    exponent = np.where(few, np.where(rank < 2, top[:, None], top[:, None] - away), exponent)
    fraction = np.where(few & (rank < 2), U64(0), s.styled())
    sign = np.where(few & (rank < 2), rank == 0, s.signs(s.k))
    codes = s.terms(sign, exponent, fraction, present=~few | (rank < 3), exact=True)
    low = s.addend(s.signs(), top - s.distances() * s.rng.integers(-1, 2, s.count), fractions(s.rng, s.count, 24))
    none = s.no_addend()
    return codes | {name: np.where(few[:, 0], none[name], low[name]) for name in low}


def addend_ties(setting: Setting) -> Codes:
    """A sum of half a step of the addend, or a little more or less: how the addition of the addend rounds."""
    s = sum_of(setting)
    kept = s.unit.intermediate
    top = s.tops()
    half = np.maximum(top - kept.significand_bits, s.range[0])
    rank = np.argsort(s.shuffled(), axis=1)
    exponent = np.where(rank == 0, half[:, None], half[:, None] - s.distances(s.k))
    codes = s.terms(
        s.signs(s.k),
        exponent,
        np.zeros((s.count, s.k), U64),
        present=rank < s.rng.integers(1, 3, (s.count, 1)),
        exact=True,
    )
    return codes | s.addend(s.signs(), top, fractions(s.rng, s.count, kept.significand_bits))


# ---- rounding ---------------------------------------------------------------------------------------


def ties(setting: Setting) -> Codes:
    """Exactly half a step of the output, from one term (or two halves of it), and one distant bit to either side."""
    s = sum_of(setting)
    out = s.unit.out
    top = s.tops()
    last = np.maximum(top - out.significand_bits + 1, out.quantum_exponent)
    halves = s.rng.random(s.count) < 0.3  # the half itself in two quarters
    rank = np.argsort(s.shuffled(), axis=1)
    far = last - 1 - s.rng.integers(1, max(2, s.edges[-1] // 2), s.count)
    lead_is_c = s.signs() if s.unit.c is not None else np.zeros(s.count, bool)
    exponents = np.stack([top, last, last - 1 - halves, last - 2, far], 1)
    present = np.stack([~lead_is_c, s.signs(), s.signs() | s.signs(), halves, s.rng.random(s.count) < 0.4], 1)
    sign = s.signs(5)
    sign[:, 2:4] = sign[:, 2:3]
    index = np.minimum(rank, 4)
    chosen = [np.take_along_axis(array, index, axis=1) for array in (sign, exponents, present)]
    fraction = s.styled() & ~(~U64(0) >> U64(min(out.significand_bits - 1, 63)))
    fraction = np.where(rank == 0, fraction, U64(0))
    codes = s.terms(chosen[0], chosen[1], fraction, present=chosen[2] & (rank < 5), exact=True)
    kept = np.clip(top - last, 0, 63).astype(U64)
    bits = fractions(s.rng, s.count, out.significand_bits) & ~(~U64(0) >> kept)
    c, none = s.addend(s.signs(), top, bits), s.no_addend()
    return codes | {name: np.where(lead_is_c, c[name], none[name]) for name in c}


def overflow_boundary(setting: Setting) -> Codes:
    """Around the largest finite output, by the addend or by the products: eighths of a step on either side."""
    s = sum_of(setting)
    out = s.unit.out
    step = out.emax - out.significand_bits + 1
    sign = s.signs()
    rank = np.argsort(s.shuffled(), axis=1)
    by_addend = (s.signs() if s.unit.c is not None else np.zeros(s.count, bool))[:, None]
    # By the products: all ones of the largest value as a staircase of terms, or 1, 2 or 4 shares of about its size;
    # small change beside them.
    width = min(s.product.first.precision, s.product.second.precision)
    ones = ~U64(0) << U64(65 - width) if width > 1 else U64(0)
    stairs = s.signs()[:, None]
    shares = s.rng.integers(0, min(2, (s.k - 1).bit_length()) + 1, (s.count, 1))
    over = s.rng.random((s.count, 1)) < 0.2
    lead = np.where(stairs, rank < -(-out.significand_bits // width), rank < 1 << shares) & ~by_addend
    place = np.where(stairs, out.emax - width * rank, out.emax - shares + over)
    change = step + s.rng.integers(-3, 2, (s.count, s.k))
    exponent = np.where(lead, np.maximum(place, step - 1), change)
    present = np.where(by_addend, rank < s.rng.integers(1, 5, (s.count, 1)), lead | (rank < s.k // 2) & s.signs(s.k))
    fraction = np.where(lead, np.where(stairs | s.signs(s.k), ones, s.styled()), U64(0))
    with_sign = np.where(lead | (s.rng.random((s.count, s.k)) < 0.7), sign[:, None], ~sign[:, None])
    codes = s.terms(with_sign, exponent, fraction, present=present, exact=True)
    top = s.addend(sign, np.full(s.count, out.emax), np.full(s.count, ~U64(0)), steps=s.rng.integers(-2, 1, s.count))
    low = s.addend(sign, np.full(s.count, step), fractions(s.rng, s.count, 3))
    return codes | {name: np.where(by_addend[:, 0], top[name], low[name]) for name in top}


def underflow_boundary(setting: Setting) -> Codes:
    """Around the smallest normal output and below: subnormal ties, what is flushed, the smallest value."""
    s = sum_of(setting)
    out = s.unit.out
    bottom = out.quantum_exponent
    low, high = s.range
    span = max(low, bottom - 4), min(high, bottom + out.significand_bits + 2)
    exponent = s.rng.integers(min(span), max(span) + 1, (s.count, s.k))
    rank = np.argsort(s.shuffled(), axis=1)
    fraction = np.where(s.signs(s.k), U64(0), s.styled())
    codes = s.terms(s.signs(s.k), exponent, fraction, present=rank < s.rng.integers(1, 5, (s.count, 1)), exact=True)
    c = s.addend(
        s.signs(),
        s.rng.integers(bottom - 2, bottom + out.significand_bits + 1, s.count),
        fractions(s.rng, s.count, out.significand_bits),
    )
    none = s.no_addend()
    return codes | {name: np.where(s.signs(), c[name], none[name]) for name in c}


def wraps_around(setting: Setting) -> Codes:
    """Sums around multiples of the range of an output that wraps around, up to many times that, and small change."""
    s = sum_of(setting)
    out = s.unit.out
    turn = out.scale + out.bits - s.signs()  # the range, or half of it: where the sign changes
    rank = np.argsort(s.shuffled(), axis=1)
    times = np.where(s.signs(), 0, s.rng.integers(0, 4, s.count))
    lead = rank < s.rng.integers(1, 4, (s.count, 1))
    change = out.scale + s.rng.integers(-2, 3, (s.count, s.k))
    exponent = np.where(lead, (turn + times)[:, None], change)
    codes = s.terms(
        s.signs(s.k), exponent, np.where(s.signs(s.k), U64(0), s.styled()), present=lead | s.signs(s.k), exact=True
    )
    c, none = s.addend(s.signs(), turn - s.rng.integers(0, 2, s.count), fractions(s.rng, s.count, 3)), s.no_addend()
    return codes | {name: np.where(s.signs(), c[name], none[name]) for name in c}


def sum_families(unit: DotProduct | BlockDot) -> dict[str, Family]:
    """The families that apply to a sum of products."""
    if unit.zeroed_operands:
        assert isinstance(unit, BlockDot)
        from .families_zero import with_zero_points, zero_point_families

        found = {
            name: replace(family, make=with_zero_points(family.make))
            for name, family in sum_families(unit.without_zero_points).items()
        }
        return zero_point_families() | found
    record = unit.accumulate
    chosen = [
        all_equal,
        largest,
        one_dominant,
        last_place_kept,
        alternating_cancellation,
        scattered_cancellation,
        almost_cancellation,
        ties,
        overflow_boundary,
        underflow_boundary,
        subnormals,
        zeros,
        one_special,
    ]
    if unit.overflow is Overflow.WRAP:
        chosen.append(wraps_around)
    if unit.products > 2 and (record.kind is not Kind.EXACT or unit.scaled_operands):
        chosen.append(cancellation_across_groups)
    if unit.c is not None:
        chosen += [addend_distance, cancellation_with_addend]
    if record.clamp is not None:
        chosen.append(clamp_boundary)
    if unit.scaled_operands:
        chosen.append(scale_ends)
        if any(fmt.has_nan for fmt in unit.scale_formats.values()):
            chosen.append(nan_scales)
    formats = [*unit.operands.values()]
    if any(fmt.has_infinity for fmt in formats) and unit.products > 1:
        chosen.append(infinities_meet)
    match record.split:
        case Split.NONE:
            pass
        case Split.ODD_EVEN:
            chosen.append(odd_against_even)
        case _:
            assert_never(record.split)
    if record.interleave is not None:
        chosen.append(group_against_group)
    match record.addend:
        case Addend.INSIDE | Addend.OUTSIDE:
            pass
        case Addend.AFTER:
            if unit.c is not None:
                chosen.append(addend_ties)
        case _:
            assert_never(record.addend)
    directed = {family.__name__: Family(family) for family in chosen}
    return directed | {
        "random_terms": Family(random_terms, 0.5),
        "random_gaussian": Family(random_gaussian, 0.3),
        "random_codes": Family(random_codes, 0.2),
    }
