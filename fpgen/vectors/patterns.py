"""Arrays of operand codes with a wanted sign, exponent and significand, for every format.

The building blocks of the directed families. Approximate on purpose where noted:
a stimulus need not be exact, only near the place where units go wrong.
"""

from __future__ import annotations

import numpy as np

from fpgen.formats import Class, Format

U64 = np.uint64


def exponents_of(fmt: Format) -> tuple[int, int]:
    """floor(log2) of the smallest positive and of the largest finite magnitude."""
    low = fmt.quantum_exponent if (fmt.fixed or fmt.subnormals) else fmt.emin
    return low, fmt.emax


def encode(fmt: Format, negative: np.ndarray, exponent: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """Codes of ``+-2**exponent * 1.fraction``, truncated; out of range goes to the nearest end.

    Parameters
    ----------
    negative : ndarray of bool
        Ignored by unsigned formats.
    exponent : ndarray of int64
    fraction : ndarray of uint64
        Bits below the leading one, the first of them in bit 63.

    Returns
    -------
    ndarray of uint64
    """
    exponent = np.asarray(exponent, np.int64)
    if fmt.fixed:
        position = exponent - fmt.scale
        width = fmt.precision
        shift = np.clip(position, 0, width - 1).astype(U64)
        below = np.where(shift > 0, fraction >> np.where(shift > 0, U64(64) - shift, U64(0)), U64(0))
        magnitude = (U64(1) << shift) | below
        magnitude = np.where(position < 0, U64(0), np.where(position >= width, U64((1 << width) - 1), magnitude))
        if not fmt.signed:
            return magnitude
        return np.where(negative, (U64(0) - magnitude) & U64((1 << fmt.bits) - 1), magnitude)
    trailing_bits = fmt.trailing_bits
    trailing = fraction >> U64(64 - trailing_bits) if trailing_bits else np.zeros_like(fraction)
    lowest = 1 if fmt.zero else 0
    field = exponent + fmt.bias
    top_field = fmt.max_finite_code >> trailing_bits
    normal = (np.clip(field, lowest, top_field).astype(U64) << U64(trailing_bits)) | trailing
    shift = np.clip(lowest - field, 0, 63).astype(U64)
    subnormal = (U64(1 << trailing_bits) | trailing) >> shift
    magnitude = np.where(field >= lowest, normal, subnormal if fmt.zero else normal)
    magnitude = np.where(field > top_field, U64(fmt.max_finite_code), np.minimum(magnitude, U64(fmt.max_finite_code)))
    return magnitude | np.where(negative, U64(fmt.sign_mask), U64(0))


def nudge(fmt: Format, codes: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Codes moved by `steps` codes away from zero (toward it where negative), staying finite, sign kept."""
    if fmt.fixed:
        low, high = (-(1 << fmt.bits - 1), (1 << fmt.bits - 1) - 1) if fmt.signed else (0, (1 << fmt.bits) - 1)
        if fmt.bits > 62:
            return (codes + steps.astype(U64)) & U64((1 << fmt.bits) - 1)
        value = codes.astype(np.int64)
        if fmt.signed:
            value = np.where(value >> (fmt.bits - 1), value - (1 << fmt.bits), value)
        moved: np.ndarray = np.clip(value + steps, low, high).astype(U64) & U64((1 << fmt.bits) - 1)
        return moved
    sign = codes & U64(fmt.sign_mask)
    magnitude = (codes & ~U64(fmt.sign_mask)).astype(np.int64) + steps
    signed: np.ndarray = np.clip(magnitude, 0, fmt.max_finite_code).astype(U64) | sign
    return signed


def measure(fmt: Format, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(negative, exponent, mantissa) of finite codes: ``mantissa`` is a float64 in [1, 2), or 0 for zero.

    Exact for significands of up to 53 bits.
    """
    if fmt.fixed:
        negative = (codes & U64(fmt.sign_mask)) != 0
        significand = np.where(negative, (U64(0) - codes) & U64((1 << fmt.bits) - 1), codes)
        unit = np.full(codes.shape, fmt.scale, np.int64)
    else:
        negative = (codes & U64(fmt.sign_mask)) != 0
        magnitude = codes & ~U64(fmt.sign_mask)
        field = (magnitude >> U64(fmt.trailing_bits)).astype(np.int64)
        trailing = magnitude & U64((1 << fmt.trailing_bits) - 1)
        hidden = (field > 0) | (not fmt.zero)
        significand = trailing | np.where(hidden, U64(1 << fmt.trailing_bits), U64(0))
        unit = np.where(hidden, field, 1) - fmt.bias - fmt.trailing_bits
    mantissa, shift = np.frexp(significand.astype(np.float64))
    return negative, unit + shift - 1, mantissa * 2


def fraction_of(mantissa: np.ndarray) -> np.ndarray:
    """The fraction (first bit in bit 63) of a float64 mantissa in [1, 2)."""
    return ((mantissa - 1) * 2.0**52).astype(U64) << U64(12)


def fractions(rng: np.random.Generator, count: int, precision: int) -> np.ndarray:
    """Fractions in many styles: uniform, one or two bits set, one or two clear, short, all zeros, all ones."""
    bits = max(1, min(precision - 1, 63))
    uniform = rng.integers(0, 1 << 64, count, U64)
    one = U64(1) << (U64(63) - rng.integers(0, bits, count, U64))
    two = one | (U64(1) << (U64(63) - rng.integers(0, bits, count, U64)))
    kept = rng.integers(0, bits + 1, count, U64)
    short = uniform & ~(~U64(0) >> kept)
    ones = ~U64(0)
    style = rng.integers(0, 8, count)
    return np.select(
        [style <= 1, style == 2, style == 3, style == 4, style == 5, style == 6],
        [uniform, one, two, ~one, ~two, short],
        np.where(rng.random(count) < 0.5, U64(0), ones),
    )


def corner_codes(fmt: Format) -> np.ndarray:
    """Every kind of code that units go wrong at: the ends of every range, one, powers of two, all NaNs' kinds."""
    found: set[int] = set()
    top = (1 << fmt.bits) - 1
    if fmt.fixed:
        for bit in range(fmt.bits):
            found |= {1 << bit, (1 << bit) - 1, (1 << bit) + 1}
        magnitudes = found | {fmt.max_finite_code, fmt.max_finite_code - 1}
        found = magnitudes | {-code for code in magnitudes} | {fmt.sign_mask, fmt.sign_mask + 1}
        return np.array(sorted({code & top for code in found}), U64)
    trailing, hidden = (1 << fmt.trailing_bits) - 1, 1 << fmt.trailing_bits
    found = {
        0,
        1,
        2,
        3,
        trailing - 1,
        trailing,
        hidden,
        hidden + 1,
        2 * hidden - 1,
        2 * hidden,
        fmt.max_finite_code,
        fmt.max_finite_code - 1,
        fmt.max_finite_code + 1,
        fmt.max_finite_code + 2,
        fmt.max_finite_code + 3,
        (1 << fmt.magnitude_bits) - 1,
    }
    one = fmt.bias << fmt.trailing_bits
    found |= {one, one + 1, one - 1, one + hidden, one - hidden, one + (hidden >> 1)}
    for step in (fmt.precision, fmt.precision - 1, fmt.precision + 1):
        found |= {one + step * hidden, one - step * hidden, hidden + step * hidden}
    if fmt.has_infinity:
        found.add(fmt.infinity_code)
    if fmt.has_nan:
        found |= {fmt.nan_code & ~fmt.sign_mask, fmt.nan_code}
        if fmt.quiet_bit:
            found |= {fmt.infinity_code + 1, fmt.infinity_code | (fmt.quiet_bit >> 1), fmt.infinity_code | trailing}
    found = {code for code in found if 0 <= code <= top}
    return np.array(sorted({code | sign for code in found for sign in (0, fmt.sign_mask)}), U64)


def special_codes(fmt: Format) -> np.ndarray:
    """The corners that are zeros, infinities or NaNs (empty for formats with none)."""
    kinds = (Class.ZERO, Class.INFINITY, Class.NAN)
    return np.array([code for code in corner_codes(fmt).tolist() if fmt.classify(code) in kinds], U64)


def subnormal_codes(fmt: Format, rng: np.random.Generator, count: int) -> np.ndarray:
    """Codes of the lowest binade (small integers for fixed point), of both signs."""
    limit = 1 << (min(3, fmt.bits - 1) if fmt.fixed else max(fmt.trailing_bits, 1))
    negative = rng.random(count) < 0.5
    codes = rng.integers(0, limit, count, U64)
    if fmt.fixed:
        return np.where(negative & fmt.signed, (U64(0) - codes) & U64((1 << fmt.bits) - 1), codes)
    return codes | np.where(negative, U64(fmt.sign_mask), U64(0))


def uniform_codes(fmt: Format, rng: np.random.Generator, count: int) -> np.ndarray:
    """Every code equally likely."""
    return rng.integers(0, (1 << fmt.bits) - 1, count, U64, endpoint=True)
