"""Families for block dequantisers, each named after the class of bugs it guards against."""

from __future__ import annotations

import numpy as np

from fpgen.units import BlockDequantize

from .families_array import Family, Setting
from .patterns import U64, corner_codes, encode, exponents_of, fractions, measure, uniform_codes
from .terms import Codes


def _dequantizer(setting: Setting) -> BlockDequantize:
    assert isinstance(setting.unit, BlockDequantize)
    return setting.unit


def _tensor(setting: Setting, shown: np.ndarray | None = None) -> Codes:
    """Tensor scales: ordinary ones, and one in eight a corner; nothing where the block has none."""
    unit, rng, count = _dequantizer(setting), setting.rng, setting.count
    fmt = unit.block.tensor_scale
    if fmt is None:
        return {}
    if shown is None:
        exponent = np.where(
            rng.random(count) < 0.5, rng.integers(-12, 4, count), rng.integers(*exponents_of(fmt), count)
        )
        shown = encode(fmt, rng.random(count) < 0.1, exponent, fractions(rng, count, fmt.precision))
        shown = np.where(rng.random(count) < 0.125, rng.choice(corner_codes(fmt), count), shown)
    return {"tensor_scale": shown}


def every_code_every_scale(setting: Setting) -> Codes:
    """Every element code at every position under every scale code: 2**(element and scale bits) blocks show them all."""
    unit = _dequantizer(setting)
    element, scale = unit.block.element, unit.block.scale
    index = setting.index.astype(U64)
    place = np.arange(unit.block.size, dtype=U64)
    codes = (index[:, None] + place) & U64((1 << element.bits) - 1)
    scales = (index >> U64(element.bits)) & U64((1 << scale.bits) - 1)
    return {"elements": codes, "scale": scales, **_tensor(setting)}


def result_boundaries(setting: Setting) -> Codes:
    """Products around the output's largest and smallest values, by the scale or by the tensor scale: one rounding."""
    unit, rng, count = _dequantizer(setting), setting.rng, setting.count
    block, out = unit.block, unit.out
    low, high = exponents_of(out)
    ends = np.array([high + 1, high, high - 1, out.emin + 1, out.emin, out.emin - 1, low + 1, low, low - 1, low - 2])
    target = rng.choice(ends, count) + rng.integers(-2, 3, count)
    elements = uniform_codes(block.element, rng, count * block.size).reshape(count, block.size)
    exponent = block.element.emax - rng.integers(0, 4, count)
    zeros = np.zeros(count, bool)
    fmt = block.tensor_scale
    if fmt is None:
        scales = encode(block.scale, zeros, target - exponent, fractions(rng, count, block.scale.precision))
        return {"elements": elements, "scale": scales}
    scales = uniform_codes(block.scale, rng, count)
    _, of_scale, _ = measure(block.scale, scales)
    tensor = encode(fmt, rng.random(count) < 0.2, target - exponent - of_scale, fractions(rng, count, fmt.precision))
    return {"elements": elements, "scale": scales, "tensor_scale": tensor}


def corners(setting: Setting) -> Codes:
    """Corner codes of elements, scale and tensor scale against each other: zero times infinity, NaN, signs of zero."""
    unit, rng, count = _dequantizer(setting), setting.rng, setting.count
    found = {
        "elements": rng.choice(corner_codes(unit.block.element), (count, unit.block.size)),
        "scale": rng.choice(corner_codes(unit.block.scale), count),
    }
    fmt = unit.block.tensor_scale
    return found if fmt is None else found | _tensor(setting, rng.choice(corner_codes(fmt), count))


def any_codes(setting: Setting) -> Codes:
    """Every code equally likely; a NaN scale no more often than any other."""
    unit, rng, count = _dequantizer(setting), setting.rng, setting.count
    return {
        "elements": uniform_codes(unit.block.element, rng, count * unit.block.size).reshape(count, -1),
        "scale": uniform_codes(unit.block.scale, rng, count),
        **_tensor(setting),
    }


def dequantize_families(unit: BlockDequantize) -> dict[str, Family]:
    """The families of a block dequantiser."""
    bits = unit.block.element.bits + unit.block.scale.bits
    return {
        "every_code_every_scale": Family(every_code_every_scale, exactly=1 << bits if bits <= 20 else 0),
        "result_boundaries": Family(result_boundaries),
        "corners": Family(corners),
        "random_codes": Family(any_codes, 1.0),
    }
