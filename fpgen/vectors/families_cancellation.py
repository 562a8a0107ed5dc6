"""Sums in which large products cancel: what is left is small, or nothing."""

from __future__ import annotations

import numpy as np

from .families_array import Setting
from .patterns import fractions, nudge
from .sum_geometry import Sum, negate, sum_of
from .terms import Codes


def _cancelling(s: Sum, partner: np.ndarray, small: np.ndarray, residue: bool) -> Codes:
    """Pairs (i, partner[i]) of opposite products; `small` ones are not part of a pair but far below."""
    top = s.tops()
    exponent = top[:, None] - s.rng.integers(0, 4, (s.count, s.k)) - np.where(small, s.distances(s.k), 0)
    codes = s.terms(s.signs(s.k), exponent, s.styled(), present=~small | s.signs(s.k))
    if s.scale:  # opposite products need equal scales in their blocks
        alike = s.rng.random((s.count, 1)) < 0.8
        for name in s.scale_formats:
            codes[name] = np.where(alike, codes[name][:, :1], codes[name])
    second = partner < np.arange(s.k)
    flip = s.signs(s.k)
    a, b = s.elements
    for name, fmt, flipped in (("a", a, flip | (not b.signed)), ("b", b, ~flip & a.signed | (not a.signed))):
        mirrored = np.take_along_axis(codes[name], partner, axis=1)
        mirrored = np.where(flipped, negate(fmt, mirrored), mirrored)
        if residue:
            mirrored = nudge(
                fmt, mirrored, s.rng.integers(-1, 2, mirrored.shape) * (s.rng.random(mirrored.shape) < 1 / s.k)
            )
        codes[name] = np.where(second & ~small, mirrored, codes[name])
    low = s.addend(s.signs(), top - s.distances(), fractions(s.rng, s.count, 24))
    none = s.no_addend()
    return codes | {name: np.where(s.signs(), low[name], none[name]) for name in low}


def _pairs(s: Sum) -> np.ndarray:
    """A partner for each position, in a random order (of an odd number one is its own)."""
    order = s.shuffled()
    even = s.k // 2 * 2
    partner = np.broadcast_to(np.arange(s.k), (s.count, s.k)).copy()
    left, right = order[:, 0:even:2], order[:, 1:even:2]
    np.put_along_axis(partner, left, right, axis=1)
    np.put_along_axis(partner, right, left, axis=1)
    return partner


def alternating_cancellation(setting: Setting) -> Codes:
    """Neighbours x and -x, all the way: exact zeros, their sign, and a small addend that must survive."""
    s = sum_of(setting)
    there = np.arange(s.k)
    partner = np.minimum(there ^ 1, s.k - 1)
    return _cancelling(s, np.broadcast_to(partner, (s.count, s.k)), np.zeros((s.count, s.k), bool), False)


def scattered_cancellation(setting: Setting) -> Codes:
    """Pairs x and -x in any two places, also of different blocks and groups, and small terms that must survive."""
    s = sum_of(setting)
    partner = _pairs(s)
    small = s.rng.random((s.count, s.k)) < s.rng.choice(np.array([0.0, 0.1, 0.4]), (s.count, 1))
    small |= np.take_along_axis(small, partner, axis=1)
    return _cancelling(s, partner, small, False)


def cancellation_across_groups(setting: Setting) -> Codes:
    """x at one end and -x at the other, small terms between: what a sum on the way has lost stays lost."""
    s = sum_of(setting)
    there = np.arange(s.k)
    few = s.rng.integers(1, max(2, s.k // 4), (s.count, 1))
    small = (there >= few) & (there < s.k - few)
    return _cancelling(s, np.broadcast_to(s.k - 1 - there, (s.count, s.k)), small, False)


def almost_cancellation(setting: Setting) -> Codes:
    """Pairs that miss each other by one code: long normalisation shifts."""
    s = sum_of(setting)
    return _cancelling(s, _pairs(s), np.zeros((s.count, s.k), bool), True)


def cancellation_with_addend(setting: Setting) -> Codes:
    """One product and an addend that nearly or exactly cancel, among small terms."""
    s = sum_of(setting)
    top = s.tops()
    lead = s.at(setting.index)
    fraction, sign = s.styled(), s.signs(s.k)
    present = lead | (s.rng.random((s.count, s.k)) < s.rng.choice(np.array([0.0, 0.2]), (s.count, 1)))
    exponent = np.where(lead, top[:, None], top[:, None] - s.distances(s.k))
    codes = s.terms(sign, exponent, fraction, present=present, exact=True)
    of_lead = np.argmax(lead, axis=1)[:, None]
    negative = ~np.take_along_axis(sign, of_lead, axis=1)[:, 0]
    bits = np.take_along_axis(fraction, of_lead, axis=1)[:, 0]
    return codes | s.addend(negative, top, bits, steps=s.rng.integers(-1, 2, s.count))
