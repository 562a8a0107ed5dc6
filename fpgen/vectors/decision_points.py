"""The places at which a block quantiser decides, computed from its formats: the tool of its families."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from fpgen.formats import Class, Format
from fpgen.units import BlockQuantize
from fpgen.units.scaling import midmax_limit

from .patterns import U64, encode, exponents_of, fraction_of, fractions, measure, nudge
from .terms import Codes


def values_to_codes(fmt: Format, values: np.ndarray) -> np.ndarray:
    """Codes of float64 values, truncated; beyond the range the nearest end."""
    mantissa, exponent = np.frexp(np.abs(values))
    fraction = fraction_of(np.where(mantissa == 0, 1.0, mantissa * 2))
    codes = encode(fmt, np.signbit(values), exponent.astype(np.int64) - 1, fraction)
    zero = np.where(np.signbit(values), U64(fmt.sign_mask if fmt.has_negative_zero else 0), U64(0))
    return np.where(mantissa == 0, zero, codes)


def codes_to_values(fmt: Format, codes: np.ndarray) -> np.ndarray:
    """float64 values of finite codes: exact for the formats of blocks."""
    negative, exponent, mantissa = measure(fmt, codes)
    value = np.ldexp(mantissa, np.clip(exponent, -1070, 1023).astype(np.int32))
    signed: np.ndarray = np.where(negative, -value, value)
    return signed


def finite_values(fmt: Format) -> list[Fraction]:
    """All positive finite values of a format of up to 8 bits, ascending."""
    codes = range(1 << fmt.bits)
    return sorted({abs(fmt.value(code)) for code in codes if fmt.classify(code) in (Class.FINITE, Class.ZERO)} - {0})


@dataclass(frozen=True)
class Quantizer:
    """The places of a block quantiser."""

    unit: BlockQuantize
    rng: np.random.Generator
    count: int

    @property
    def size(self) -> int:
        return self.unit.block.size

    @property
    def source(self) -> Format:
        return self.unit.source

    @property
    def element(self) -> Format:
        return self.unit.block.element

    @property
    def power(self) -> bool:
        """Whether scales are powers of two without a tensor scale: policies floor to midmax."""
        return self.unit.block.power_of_two_scale and self.unit.block.tensor_scale is None

    def signs(self, *shape: int) -> np.ndarray:
        return self.rng.random((self.count, *shape)) < 0.5

    def at(self, positions: np.ndarray) -> np.ndarray:
        mask: np.ndarray = np.arange(self.size) == (positions % self.size)[:, None]
        return mask

    @cached_property
    def midpoints(self) -> np.ndarray:
        """Where elements round: between neighbouring values of the element format, and the values themselves."""
        values = [Fraction(0), *finite_values(self.element)] if self.element.bits <= 8 else [Fraction(0), Fraction(1)]
        between = [(low + high) / 2 for low, high in itertools.pairwise(values)]
        return np.array([float(value) for value in [*between, *between, *values[1:]]])

    @cached_property
    def steps_of_scale(self) -> np.ndarray:
        """Largest magnitudes, over a power of two (or over the tensor scale), at which some policy's scale steps."""
        top, precision = self.element.max_finite, self.element.precision
        if self.power:
            half = Fraction(2) ** (self.element.scale if self.element.fixed else self.element.emax - precision + 1) / 2
            ends = [
                Fraction(1),
                top,
                top + half,
                midmax_limit(self.element),
                2 - Fraction(2) ** -precision,
                2 - Fraction(2) ** (1 - precision),
            ]
            return np.array([*map(float, ends), math.sqrt(2), float(top) * math.sqrt(2)])
        scales = finite_values(self.unit.block.scale)
        between = [(low + high) / 2 for low, high in itertools.pairwise([Fraction(0), *scales])]
        beyond = [scales[-1] * 2, scales[0] / 4]
        return np.array([float(scale * top) for scale in [*scales, *between, *beyond]])

    def tensor_values(self) -> np.ndarray:
        """Tensor scales (1 where the block has none): powers of two, short and long significands."""
        fmt = self.unit.block.tensor_scale
        if fmt is None:
            return np.ones(self.count)
        low, high = exponents_of(fmt)
        low_s, high_s = exponents_of(self.source)
        middle = (exponents_of(self.unit.block.scale)[0] + exponents_of(self.unit.block.scale)[1]) // 2
        reach = max(low, low_s - middle), min(high, high_s - middle - self.element.emax)
        exponent = self.rng.integers(min(reach), max(reach) + 1, self.count)
        near = self.rng.integers(-12, 4, self.count)
        exponent = np.where(self.signs(), np.clip(near, min(reach), max(reach)), exponent)
        style = self.rng.integers(0, 3, self.count)
        fraction = np.select(
            [style == 0, style == 1],
            [U64(0), self.rng.integers(0, 4, self.count, U64) << U64(62)],
            fractions(self.rng, self.count, fmt.precision),
        )
        return codes_to_values(fmt, encode(fmt, np.zeros(self.count, bool), exponent, fraction))

    def maxima(self) -> tuple[np.ndarray, np.ndarray]:
        """(largest magnitudes, tensor scales): at every step of the scale, for every exponent of the source."""
        tensor = self.tensor_values()
        step = self.rng.choice(self.steps_of_scale, self.count)
        low, high = exponents_of(self.source)
        exponent = self.rng.integers(low, high + 1, self.count) if self.power else np.zeros(self.count, np.int64)
        return np.ldexp(step, exponent.astype(np.int32)) * tensor, tensor

    def block(self, magnitudes: np.ndarray, values: np.ndarray, index: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Sources of which the one at `index` has this magnitude, `steps` codes off; the others `values`, not above."""
        codes = values_to_codes(self.source, values)
        peak = nudge(self.source, values_to_codes(self.source, magnitudes * np.where(self.signs(), 1, -1)), steps)
        return np.where(self.at(index), peak[:, None], codes)

    def below(self, magnitudes: np.ndarray) -> np.ndarray:
        """Values of either sign up to these magnitudes: uniform, or over many binades."""
        uniform = self.rng.uniform(-1, 1, (self.count, self.size))
        binades = np.ldexp(uniform, -self.rng.integers(0, 12, (self.count, self.size)).astype(np.int32))
        values = np.where(self.signs()[:, None], uniform, binades) * magnitudes[:, None]
        return np.where(self.rng.random((self.count, self.size)) < 0.05, 0.0, values)

    def codes(self, source: np.ndarray, tensor: np.ndarray) -> Codes:
        found = {"source": source}
        fmt = self.unit.block.tensor_scale
        if fmt is None:
            return found
        given = 1 / tensor if self.unit.like.takes_encode_scale else tensor
        return found | {self.unit.tensor_operand: values_to_codes(fmt, given)}
