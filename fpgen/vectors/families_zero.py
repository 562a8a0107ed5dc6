"""Zero points for vectors of block dot products: families of differences, and of zero points themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fpgen.formats import Format
from fpgen.units import BlockDot

from .families_array import Family, Make, Setting
from .patterns import U64, uniform_codes
from .sum_geometry import sum_of
from .terms import Codes


def with_zero_points(make: Make) -> Make:
    """A family of the unit without zero points, whose elements are differences from some now.

    Each block has a zero point under which its differences are in the elements' range, where there is one; what is not
    in range goes to its end.
    """

    def drawn(setting: Setting) -> Codes:
        unit, rng = setting.unit, setting.rng
        assert isinstance(unit, BlockDot)
        codes = make(replace(setting, unit=unit.without_zero_points))
        for name in unit.zeroed_operands:
            codes |= _split(unit, name, codes[name], rng)
        return {port: codes[port] for port in unit.operands}

    return drawn


def _ends(fmt: Format) -> tuple[int, int]:
    return (-(1 << fmt.bits - 1), (1 << fmt.bits - 1) - 1) if fmt.signed else (0, (1 << fmt.bits) - 1)


def _integers(fmt: Format, codes: np.ndarray) -> np.ndarray:
    """Codes of up to 62 bits as int64."""
    value = codes.astype(np.int64)
    return np.where(value >> (fmt.bits - 1), value - (1 << fmt.bits), value) if fmt.signed else value


def _codes(fmt: Format, values: np.ndarray) -> np.ndarray:
    return values.astype(U64) & U64((1 << fmt.bits) - 1)


def _split(unit: BlockDot, name: str, differences: np.ndarray, rng: np.random.Generator) -> Codes:
    """Elements and zero points for `differences`, codes of shape (count, k)."""
    block, zero, difference = unit.block_of(name), unit.zero_format(name), unit.factor_of(name)
    assert block is not None and zero is not None
    if difference.bits > 62:
        count = len(differences)
        return {
            name: uniform_codes(block.element, rng, differences.size).reshape(differences.shape),
            f"{name}_zero": uniform_codes(zero, rng, count * unit.blocks_of(name)).reshape(count, -1),
        }
    wanted = _integers(difference, differences).reshape(len(differences), -1, block.size)
    (low, high), (least, most) = _ends(block.element), _ends(zero)
    first = np.clip(low - wanted.min(2), least, most)
    last = np.clip(high - wanted.max(2), least, most)
    points = rng.integers(np.minimum(first, last), np.maximum(first, last) + 1)
    elements = np.clip(wanted + points[..., None], low, high)
    return {name: _codes(block.element, elements).reshape(differences.shape), f"{name}_zero": _codes(zero, points)}


def zero_point_ends(setting: Setting) -> Codes:
    """Zero points and elements at both ends of their ranges, in the middle and next to them: the widest differences."""
    s = sum_of(setting)
    unit = s.unit
    assert isinstance(unit, BlockDot)
    codes = _ordinary(setting)
    for name in unit.zeroed_operands:
        for port in (name, f"{name}_zero"):
            fmt = unit.operands[port]
            low, high = _ends(fmt)
            middle = (low + high + 1) // 2
            pool = np.array([low, high, low + 1, high - 1, middle, 0, min(1, high)], object)
            pool = np.array([int(value) & ((1 << fmt.bits) - 1) for value in pool], U64)
            drawn = s.rng.choice(pool, codes[port].shape)
            codes[port] = np.where(s.rng.random((s.count, 1)) < 0.8, drawn, codes[port])
    return codes


def equal_to_zero_points(setting: Setting) -> Codes:
    """Elements that are their zero points, all of a block, all but one, or some: exact zeros, also under odd scales."""
    s = sum_of(setting)
    unit = s.unit
    assert isinstance(unit, BlockDot)
    codes = _ordinary(setting)
    share = s.rng.choice(np.array([0.3, 0.9, 1.0]), (s.count, 1))
    for name in unit.zeroed_operands:
        block, zero = unit.block_of(name), unit.zero_format(name)
        assert block is not None and zero is not None
        low, high = (
            max(ends) if which == 0 else min(ends)
            for which, ends in enumerate(zip(_ends(block.element), _ends(zero), strict=True))
        )
        if zero.bits > 62 or block.element.bits > 62:
            continue
        points = s.rng.integers(low, high + 1, codes[f"{name}_zero"].shape)
        alike = np.repeat(_codes(block.element, points), block.size, axis=1)
        codes[f"{name}_zero"] = _codes(zero, points)
        codes[name] = np.where(s.rng.random((s.count, s.k)) < share, alike, codes[name])
    return codes


def _ordinary(setting: Setting) -> Codes:
    """Ordinary operands with zero points."""
    return with_zero_points(lambda inner: sum_of(inner).calm())(setting)


def zero_point_families() -> dict[str, Family]:
    """The families that only units with zero points have."""
    return {family.__name__: Family(family) for family in (zero_point_ends, equal_to_zero_points)}
