"""Families for sums of products by the classes of their operands; those by what happens in the sum: `families_sum`."""

from __future__ import annotations

import numpy as np

from fpgen.formats import Format

from .families_array import Setting
from .patterns import U64, encode, fraction_of, fractions, special_codes, subnormal_codes
from .sum_geometry import sum_of
from .terms import Codes


def subnormals(setting: Setting) -> Codes:
    """Elements of the lowest binade in a, in b or in both, in some or in all terms; scales as they come."""
    s = sum_of(setting)
    codes = s.calm()
    some = s.rng.random((s.count, 1)) < 0.5
    which = s.rng.integers(0, 3, (s.count, 1))
    for number, (name, fmt) in enumerate(zip("ab", s.elements, strict=True)):
        tiny = subnormal_codes(fmt, s.rng, s.count * s.k).reshape(s.count, s.k)
        there = (which != number) & (~some | s.signs(s.k))
        codes[name] = np.where(there, tiny, codes[name])
    if s.unit.c is not None:
        tiny = subnormal_codes(s.unit.c, s.rng, s.count)
        codes["c"] = np.where(s.rng.random(s.count) < 0.3, tiny, codes["c"])
    return codes


def zeros(setting: Setting) -> Codes:
    """Zeros of both signs everywhere, in whole blocks, or everywhere but in one place or in the addend."""
    s = sum_of(setting)
    codes = s.calm()
    kind = s.rng.integers(0, 4, (s.count, 1))
    block = np.arange(s.k) // s.size == s.rng.integers(0, s.blocks, (s.count, 1))
    absent = np.select(
        [kind == 0, kind == 1, kind == 2], [np.ones((s.count, s.k), bool), ~s.at(setting.index), block], s.signs(s.k)
    )
    codes |= s.without(codes, absent)
    if s.unit.c is not None:
        small = subnormal_codes(s.unit.c, s.rng, s.count)
        c = np.where(s.rng.random(s.count) < 0.2, small, codes["c"])
        codes["c"] = np.where(s.signs(), s.zeros(s.unit.c, (s.count,)), c)
    return codes


def _pool(fmt: Format) -> np.ndarray:
    """Scale codes at the ends, around one, and NaN."""
    one = fmt.bias << fmt.trailing_bits
    pool = {
        0,
        1,
        2,
        (1 << fmt.trailing_bits) - 1,
        1 << fmt.trailing_bits,
        one,
        one - 1,
        one + 1,
        fmt.max_finite_code,
        fmt.max_finite_code - 1,
    }
    codes = sorted(code for code in pool if 0 <= code <= fmt.max_finite_code)
    signed = [code | fmt.sign_mask for code in codes if code or fmt.has_negative_zero] if fmt.signed else []
    return np.array([*codes, *signed], U64)


def scale_ends(setting: Setting) -> Codes:
    """Scales at both ends, subnormal, zero and one, of either sign, in every block; elements as they come."""
    s = sum_of(setting)
    codes = s.calm()
    for name, fmt in s.scale_formats.items():
        drawn = s.rng.choice(_pool(fmt), codes[name].shape)
        codes[name] = np.where(s.rng.random(codes[name].shape) < 0.8, drawn, codes[name])
    return codes


def nan_scales(setting: Setting) -> Codes:
    """A NaN scale in one block of a or of b, over ordinary, zero and infinite elements."""
    s = sum_of(setting)
    codes = s.calm()
    codes |= s.without(codes, s.rng.random((s.count, s.k)) < s.rng.choice(np.array([0.0, 1.0]), (s.count, 1)))
    scales = [(name, fmt) for name, fmt in s.scale_formats.items() if fmt.has_nan]
    which = s.rng.integers(0, len(scales), (s.count, 1))
    for number, (name, fmt) in enumerate(scales):
        blocks = codes[name].shape[1]
        there = (np.arange(blocks) == (setting.index % blocks)[:, None]) & (which == number)
        codes[name] = np.where(there, U64(fmt.nan_code), codes[name])
    return codes


def one_special(setting: Setting) -> Codes:
    """One infinity, NaN or zero at each place in turn, among ordinary numbers; also infinity times zero."""
    s = sum_of(setting)
    codes = s.calm()
    place = setting.index % (2 * s.k + 1)  # the places of a, those of b, and c
    for number, (name, fmt) in enumerate(zip("ab", s.elements, strict=True)):
        special = special_codes(fmt)
        if len(special):
            there = np.arange(s.k) == (place - number * s.k)[:, None]
            codes[name] = np.where(there, s.rng.choice(special, s.count)[:, None], codes[name])
            partner = there & (s.rng.random((s.count, 1)) < 0.3)
            other = "b" if name == "a" else "a"
            codes[other] = np.where(partner, U64(0), codes[other])
    if s.unit.c is not None and len(special_codes(s.unit.c)):
        codes["c"] = np.where(place == 2 * s.k, s.rng.choice(special_codes(s.unit.c), s.count), codes["c"])
    return codes


def infinities_meet(setting: Setting) -> Codes:
    """Two infinities, of equal or opposite signs, in two terms or in a term and the addend; with a NaN elsewhere."""
    s = sum_of(setting)
    codes = s.calm()
    rank = np.argsort(s.shuffled(), axis=1)
    for name, fmt in zip("ab", s.elements, strict=True):
        if fmt.has_infinity:
            infinite = U64(fmt.infinity_code) | np.where(s.signs(s.k), U64(fmt.sign_mask), U64(0))
            codes[name] = np.where((rank < 2) & s.signs(s.k), infinite, codes[name])
        if fmt.has_nan:
            codes[name] = np.where((rank == 2) & (s.rng.random((s.count, 1)) < 0.1), U64(fmt.nan_code), codes[name])
    c = s.unit.c
    if c is not None and c.has_infinity:
        infinite = U64(c.infinity_code) | np.where(s.signs(), U64(c.sign_mask), U64(0))
        codes["c"] = np.where(s.rng.random(s.count) < 0.6, infinite, codes["c"])
    return codes


# ---- random -----------------------------------------------------------------------------------------


def random_terms(setting: Setting) -> Codes:
    """Exponents drawn so that terms meet each other, the addend and the output's last places."""
    s = sum_of(setting)
    top = s.tops(margin=3)
    spread = s.rng.choice(np.array([1, 2, 4, 8, s.reach]), (s.count, 1))
    exponent = top[:, None] - s.rng.integers(0, spread + 1, (s.count, s.k))
    codes = s.terms(s.signs(s.k), exponent, s.styled(), present=s.rng.random((s.count, s.k)) < 0.95)
    return codes | s.addend(
        s.signs(),
        top + s.rng.integers(-s.reach, s.reach + 1, s.count),
        fractions(s.rng, s.count, s.unit.out.significand_bits),
    )


def random_gaussian(setting: Setting) -> Codes:
    """Normally distributed tensors as they are quantised: the largest element of a block near its format's top."""
    s = sum_of(setting)
    found: Codes = {}
    a, b = s.elements
    for name, fmt in (("a", a), ("b", b)):
        values = s.rng.standard_normal((s.count, s.blocks, s.size))
        largest = np.abs(values).max(2, keepdims=True)
        top = fmt.emax if f"{name}_scale" in s.scale_formats else min(fmt.emax - 1, 4)
        mantissa, exponent = np.frexp(values / largest * 1.5)
        exponent = exponent.astype(np.int64) + top - 1
        fraction = fraction_of(np.where(mantissa == 0, 1.0, np.abs(mantissa) * 2))
        found[name] = encode(fmt, values < 0, exponent, fraction).reshape(s.count, s.k)
    for name, fmt in s.scale_formats.items():
        near = s.rng.normal(
            fmt.bias << fmt.trailing_bits, 3 << fmt.trailing_bits, (s.count, s.blocks // s.repeats(name))
        )
        found[name] = np.clip(np.rint(near), 0, fmt.max_finite_code).astype(U64)
    if s.unit.c is not None:
        mantissa, exponent = np.frexp(
            s.rng.standard_normal(s.count) * 2.0 ** (a.emax + b.emax - 2)
            if max(a.emax, b.emax) < 60
            else s.rng.standard_normal(s.count)
        )
        fraction = fraction_of(np.where(mantissa == 0, 1.0, np.abs(mantissa) * 2))
        found["c"] = encode(s.unit.c, mantissa < 0, exponent.astype(np.int64) - 1, fraction)
    return found


def random_codes(setting: Setting) -> Codes:
    """Every code equally likely; in seven of eight vectors without NaNs and infinities, which would hide the rest."""
    s = sum_of(setting)
    codes = s.uniform()
    keep = s.rng.random(s.count) < 0.125
    for port in s.unit._operand_ports():
        fmt = port.format
        assert fmt is not None
        if fmt.fixed:
            continue
        magnitude = codes[port.name] & ~U64(fmt.sign_mask)
        special = magnitude > U64(fmt.max_finite_code)
        if fmt.has_nan:
            special |= codes[port.name] == U64(fmt.nan_code)
        kept = keep.reshape(-1, *(1 for _ in port.shape))
        codes[port.name] = np.where(special & ~kept, magnitude >> U64(1), codes[port.name])
    return codes
