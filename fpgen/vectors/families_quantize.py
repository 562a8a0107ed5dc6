"""Families for block quantisers, each named after the class of bugs it guards against.

`blocks.Quantizer` knows where a policy's scale steps and where an element rounds.
"""

from __future__ import annotations

import numpy as np

from fpgen.units import BlockQuantize
from fpgen.units.scaling import Like

from .decision_points import Quantizer, codes_to_values, finite_values, values_to_codes
from .families_array import Family, Setting
from .patterns import (
    U64,
    corner_codes,
    encode,
    exponents_of,
    fractions,
    nudge,
    special_codes,
    subnormal_codes,
    uniform_codes,
)
from .terms import Codes


def _quantizer(setting: Setting) -> Quantizer:
    assert isinstance(setting.unit, BlockQuantize)
    return Quantizer(setting.unit, setting.rng, setting.count)


def scale_decisions(setting: Setting) -> Codes:
    """The largest magnitude on, just below and just above every value at which a policy's scale steps (class 16)."""
    q = _quantizer(setting)
    magnitudes, tensor = q.maxima()
    steps = q.rng.integers(-2, 3, q.count)
    return q.codes(q.block(magnitudes, q.below(magnitudes * 0.999), setting.index, steps), tensor)


def every_exponent(setting: Setting) -> Codes:
    """The largest magnitude in every binade of the source, at each position: shift ranges, scales at both clamps."""
    q = _quantizer(setting)
    low, high = exponents_of(q.source)
    exponent = (low + setting.index // q.size % (high - low + 1)).astype(np.int32)
    tensor = q.tensor_values()
    magnitudes = np.ldexp(q.rng.uniform(1, 2, q.count), exponent)
    return q.codes(q.block(magnitudes, q.below(magnitudes * 0.999), setting.index, np.zeros(q.count, np.int64)), tensor)


def element_ties(setting: Setting) -> Codes:
    """Elements exactly between two codes, and one source code beside it, under a scale that is known (classes 14, 15).

    The largest element is M * 2**s (every policy then takes 2**s, or 2**(s+1)), or M * scale * tensor scale.
    """
    q = _quantizer(setting)
    top = float(q.element.max_finite)
    if q.power:
        low, high = exponents_of(q.source)
        exponent = q.rng.integers(low - 1, high - q.element.emax + 1, q.count)
        factor = np.ldexp(1.0, exponent.astype(np.int32))
        tensor = np.ones(q.count)
    else:
        tensor = q.tensor_values()
        scales = np.array([float(scale) for scale in finite_values(q.unit.block.scale)])
        factor = q.rng.choice(scales, q.count) * tensor
    twice = np.where(q.power & q.signs(), 2.0, 1.0)[:, None]  # for policies that take the next power
    ties = q.rng.choice(q.midpoints, (q.count, q.size)) * twice
    values = np.where(ties <= top, ties, top) * factor[:, None] * np.where(q.signs(q.size), 1, -1)
    codes = values_to_codes(q.source, values)
    beside = q.rng.integers(-1, 2, codes.shape) * (q.rng.random(codes.shape) < 0.5)
    codes = nudge(q.source, codes, beside)
    peak = values_to_codes(q.source, top * factor * np.where(q.signs(), 1, -1))
    return q.codes(np.where(q.at(setting.index), peak[:, None], codes), tensor)


def saturation(setting: Setting) -> Codes:
    """Elements around the element format's largest value times the scale: what rounds to it, what saturates."""
    q = _quantizer(setting)
    magnitudes, tensor = q.maxima()
    near = magnitudes[:, None] * q.rng.choice(np.array([1.0, 1.0, 0.5, 0.875, 0.9375, 0.75]), (q.count, q.size))
    codes = values_to_codes(q.source, near * np.where(q.signs(q.size), 1, -1))
    codes = nudge(q.source, codes, q.rng.integers(-3, 4, codes.shape))
    return q.codes(codes, tensor)


def float32_ties(setting: Setting) -> Codes:
    """Elements between two codes under the scale that the block gets, by its library's float32 factor, and the source
    codes beside them: a factor that float32 rounds moves ties (class 14)."""
    q = _quantizer(setting)
    magnitudes, tensor = q.maxima()
    magnitudes = magnitudes * q.rng.uniform(0.5, 1, q.count)
    steps = np.zeros(q.count, np.int64)
    found = q.codes(q.block(magnitudes, q.below(magnitudes * 0.999), setting.index, steps), tensor)
    source = found["source"]
    amax = np.abs(codes_to_values(q.source, source)).max(axis=1)
    scales = np.array([float(scale) for scale in finite_values(q.unit.block.scale)])
    wanted = amax / tensor / float(q.element.max_finite)
    factor = scales[np.abs(scales[None, :] - wanted[:, None]).argmin(axis=1)] * tensor
    ties = q.rng.choice(q.midpoints, source.shape) * factor[:, None] * np.where(q.signs(q.size), 1, -1)
    ties = nudge(q.source, values_to_codes(q.source, ties), q.rng.integers(-1, 2, ties.shape))
    return found | {"source": np.where(q.at(setting.index), source, ties)}


def zero_blocks(setting: Setting) -> Codes:
    """All zeros of either sign; all but one, which is the smallest or an ordinary value."""
    q = _quantizer(setting)
    zero = U64(q.source.sign_mask if q.source.has_negative_zero else 0)
    codes = np.where(q.signs(q.size) & q.signs()[:, None], zero, U64(0))
    pool = np.array([1, 2, q.source.sign_mask | 1, (1 << q.source.trailing_bits) - 1], U64)
    one = np.where(q.signs(), q.rng.choice(pool, q.count), uniform_codes(q.source, q.rng, q.count))
    there = q.at(setting.index) & (q.rng.random((q.count, 1)) < 0.6)
    return q.codes(np.where(there, one[:, None], codes), q.tensor_values())


def specials(setting: Setting) -> Codes:
    """An infinity or a NaN (quiet, signalling) at each position, alone or several, over ordinary and zero blocks."""
    q = _quantizer(setting)
    magnitudes, tensor = q.maxima()
    codes = q.block(magnitudes, q.below(magnitudes), setting.index + 1, np.zeros(q.count, np.int64))
    codes = np.where(q.rng.random((q.count, 1)) < 0.2, U64(0), codes)
    pool = special_codes(q.source)
    there = q.at(setting.index) | (q.rng.random((q.count, q.size)) < q.rng.choice(np.array([0, 0.1]), (q.count, 1)))
    return q.codes(np.where(there, q.rng.choice(pool, codes.shape), codes), tensor)


def subnormal_sources(setting: Setting) -> Codes:
    """Blocks of subnormal sources only, and mixed with normal ones of the lowest binades: the lower clamp."""
    q = _quantizer(setting)
    tiny = subnormal_codes(q.source, q.rng, q.count * q.size).reshape(q.count, q.size)
    low = q.source.emin + q.rng.integers(0, 6, (q.count, 1))
    fraction = fractions(q.rng, q.count * q.size, q.source.precision).reshape(q.count, q.size)
    normal = encode(q.source, q.signs(q.size), np.broadcast_to(low, tiny.shape), fraction)
    share = q.rng.choice(np.array([0.0, 0.05, 0.5]), (q.count, 1))
    return q.codes(np.where(q.rng.random(tiny.shape) < share, normal, tiny), q.tensor_values())


def largest_sources(setting: Setting) -> Codes:
    """Sources within a few codes of the largest: the upper clamp, elements that saturate."""
    q = _quantizer(setting)
    peak = np.full((q.count, q.size), U64(q.source.max_finite_code))
    codes = nudge(
        q.source, peak, -q.rng.integers(0, 1 << q.rng.integers(1, q.source.trailing_bits + 2), (q.count, q.size))
    )
    sign = np.where(q.signs(q.size), U64(q.source.sign_mask), U64(0))
    return q.codes(codes | sign, q.tensor_values())


def tensor_scales(setting: Setting) -> Codes:
    """Tensor scales at every corner: zeros, infinities, NaN, negative, subnormal, the largest; blocks of every kind."""
    q = _quantizer(setting)
    fmt = q.unit.block.tensor_scale
    assert fmt is not None
    magnitudes, tensor = q.maxima()
    codes = q.block(magnitudes, q.below(magnitudes * 0.999), setting.index, q.rng.integers(-1, 2, q.count))
    codes = np.where(q.rng.random((q.count, 1)) < 0.1, U64(0), codes)
    wild = uniform_codes(q.source, q.rng, q.count * q.size).reshape(q.count, q.size)
    codes = np.where(q.rng.random((q.count, 1)) < 0.3, wild, codes)
    found = q.codes(codes, tensor)
    corner = q.rng.choice(corner_codes(fmt), q.count)
    tiny = subnormal_codes(fmt, q.rng, q.count)
    name = q.unit.tensor_operand
    found[name] = np.where(q.signs(), corner, np.where(q.signs(), tiny, found[name]))
    return found


def _sweep(unit: BlockQuantize) -> int:
    """Blocks that show every source code once beside one largest value."""
    return -(-(1 << unit.source.bits) // max(1, unit.block.size - 1))


SWEPT_MAXIMA = 64


def every_value(setting: Setting) -> Codes:
    """Every source code as an element of a block, for each of 64 largest values: decisions of scales and elements.

    Block j of a sweep has the largest value at position j and, at the others, the codes from j * (size - 1) on.
    """
    q = _quantizer(setting)
    unit, size = q.unit, q.size
    blocks = _sweep(unit)
    sweep, block = np.divmod(setting.index, blocks)
    place = np.arange(size)[None, :]
    number = block[:, None] * max(1, size - 1) + np.where(place > (block % size)[:, None], place - 1, place)
    if size == 1:
        return q.codes(number.astype(U64) & U64((1 << q.source.bits) - 1), q.tensor_values())
    codes = number.astype(U64) & U64((1 << q.source.bits) - 1)
    # The same maxima in every chunk: they belong to the sweep, not to the chunk.
    fixed = np.random.default_rng(SWEPT_MAXIMA)
    few = Quantizer(unit, fixed, SWEPT_MAXIMA)
    magnitudes, tensor = few.maxima()
    peaks = nudge(q.source, values_to_codes(q.source, magnitudes), fixed.integers(-1, 2, SWEPT_MAXIMA))
    chosen = sweep % SWEPT_MAXIMA
    return q.codes(np.where(place == (block % size)[:, None], peaks[chosen][:, None], codes), tensor[chosen])


def random_blocks(setting: Setting) -> Codes:
    """Largest magnitudes of any exponent, elements over many binades below them."""
    q = _quantizer(setting)
    low, high = exponents_of(q.source)
    tensor = q.tensor_values()
    exponent = q.rng.integers(low, high + 1, q.count)
    if not q.power:  # mostly where the scale format reaches
        near = np.log2(tensor) + q.element.emax + q.rng.integers(*exponents_of(q.unit.block.scale), q.count)
        exponent = np.where(q.rng.random(q.count) < 0.8, np.clip(near, low, high).astype(np.int64), exponent)
    magnitudes = np.ldexp(q.rng.uniform(1, 2, q.count), exponent.astype(np.int32))
    fraction = fractions(q.rng, q.count * q.size, q.source.precision).reshape(q.count, q.size)
    spread = q.rng.choice(np.array([1, 3, 8, 30]), (q.count, 1))
    away = q.rng.integers(0, spread + 1, (q.count, q.size))
    codes = encode(q.source, q.signs(q.size), exponent[:, None] - away, fraction)
    peak = values_to_codes(q.source, magnitudes * np.where(q.signs(), 1, -1))
    return q.codes(np.where(q.at(setting.index) & q.signs()[:, None], peak[:, None], codes), tensor)


def random_gaussian(setting: Setting) -> Codes:
    """Normally distributed blocks of any standard deviation, as activations and weights are."""
    q = _quantizer(setting)
    tensor = q.tensor_values()
    deviation = np.ldexp(1.0, q.rng.integers(-12, 6, (q.count, 1)).astype(np.int32))
    values = q.rng.standard_normal((q.count, q.size)) * deviation
    return q.codes(values_to_codes(q.source, values), tensor)


def random_codes(setting: Setting) -> Codes:
    """Every code equally likely; in seven of eight blocks no NaN and no infinity."""
    q = _quantizer(setting)
    codes = uniform_codes(q.source, q.rng, q.count * q.size).reshape(q.count, q.size)
    magnitude = codes & ~U64(q.source.sign_mask)
    special = magnitude > U64(q.source.max_finite_code)
    kept = q.rng.random((q.count, 1)) < 0.125
    return q.codes(np.where(special & ~kept, magnitude >> U64(1), codes), q.tensor_values())


def quantize_families(unit: BlockQuantize) -> dict[str, Family]:
    """The families of a block quantiser."""
    chosen = [
        scale_decisions,
        every_exponent,
        element_ties,
        saturation,
        zero_blocks,
        subnormal_sources,
        largest_sources,
    ]
    if len(special_codes(unit.source)):
        chosen.append(specials)
    if unit.block.tensor_scale is not None:
        chosen.append(tensor_scales)
    if unit.like is not Like.NONE:
        chosen.append(float32_ties)
    families = {family.__name__: Family(family) for family in chosen}
    if unit.source.bits <= 16:
        families["every_value"] = Family(every_value, exactly=SWEPT_MAXIMA * _sweep(unit))
    return families | {
        "random_blocks": Family(random_blocks, 0.5),
        "random_gaussian": Family(random_gaussian, 0.3),
        "random_codes": Family(random_codes, 0.2),
    }
