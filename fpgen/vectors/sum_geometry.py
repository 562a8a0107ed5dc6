"""From wanted terms of a sum to operands: the tool of the families of sums.

A family chooses sign, exponent and fraction of the terms (n vectors, k terms each); `Sum` finds the operands, scales
included, that make them. What cannot be reached is clipped to what can: a stimulus need not be exact, only near the
place where units go wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fpgen.formats import Format
from fpgen.units import BlockDot, DotProduct

from .families_array import Setting
from .patterns import U64, encode, fractions, measure, nudge, uniform_codes
from .terms import Codes, Product, Single, Term, Value


def negate(fmt: Format, codes: np.ndarray) -> np.ndarray:
    """Codes of the opposite values; unsigned ones stay."""
    if not fmt.signed:
        return codes
    if fmt.fixed:
        return (U64(0) - codes) & U64((1 << fmt.bits) - 1)
    zero_has_sign = fmt.has_negative_zero
    flipped = codes ^ U64(fmt.sign_mask)
    return flipped if zero_has_sign else np.where(codes & ~U64(fmt.sign_mask), flipped, codes)


@dataclass(frozen=True)
class Sum:
    """The places of a sum of products, and how to get there."""

    unit: DotProduct | BlockDot
    rng: np.random.Generator
    count: int

    # ---- what is summed --------------------------------------------------------------------------

    @property
    def k(self) -> int:
        return self.unit.products

    @property
    def elements(self) -> tuple[Format, Format]:
        a, b, _ = self.unit._formats()
        return a, b

    @cached_property
    def product(self) -> Product:
        a, b = self.elements
        return Product(Single("a", a), Single("b", b))

    @property
    def scale_formats(self) -> dict[str, Format]:
        """The scales' ports; none in plain dot products."""
        return self.unit.scale_formats

    @cached_property
    def scale(self) -> Term | None:
        """The scales that a product has: of a block of a and of b, as a product, or of one of them."""
        singles = [Single(name, fmt) for name, fmt in self.scale_formats.items()]
        return None if not singles else singles[0] if len(singles) == 1 else Product(*singles)

    def repeats(self, scale: str) -> int:
        """How many runs of `size` products have the same code of this scale."""
        return self.unit.repeats(scale[0])

    @property
    def size(self) -> int:
        """Products that share a scale."""
        return self.unit.size

    @property
    def blocks(self) -> int:
        return self.k // self.size

    @property
    def range(self) -> tuple[int, int]:
        """Exponents that terms reach."""
        low, high = self.product.range
        if self.scale:
            low, high = low + self.scale.range[0], high + self.scale.range[1]
        return low, high

    @cached_property
    def edges(self) -> list[int]:
        """Distances below the top at which something ends: what is kept, and the output's last places."""
        record, precision = self.unit.accumulate, self.unit.out.significand_bits
        kept = [record.fraction, record.sum_fraction, record.addend_fraction, record.addend_reach]
        kept += [precision, precision - 1, self.unit.intermediate.significand_bits]
        return sorted({place for place in kept if place is not None})

    @property
    def reach(self) -> int:
        return self.edges[-1] + 4

    # ---- drawing ---------------------------------------------------------------------------------

    def signs(self, *shape: int) -> np.ndarray:
        return self.rng.random((self.count, *shape)) < 0.5

    def tops(self, *, margin: int = 2) -> np.ndarray:
        """An exponent for each vector: one that terms reach and at which the output has something to round."""
        low, high = self.range
        out = self.unit.out
        low, high = max(low, out.quantum_exponent - margin), min(high, out.emax + margin)
        return self.rng.integers(min(low, high), max(low, high) + 1, self.count)

    def distances(self, *shape: int) -> np.ndarray:
        """Distances of exponents: around an edge, or any within reach."""
        shape = (self.count, *shape)
        near = self.rng.choice(np.array(self.edges), shape) + self.rng.integers(-3, 4, shape)
        return np.where(self.rng.random(shape) < 0.6, np.maximum(near, 0), self.rng.integers(0, self.reach + 1, shape))

    def styled(self) -> np.ndarray:
        """Fractions of terms in every style."""
        return fractions(self.rng, self.count * self.k, self.product.precision).reshape(self.count, self.k)

    def shuffled(self) -> np.ndarray:
        """For each vector, the positions of its terms in a random order."""
        return np.argsort(self.rng.random((self.count, self.k)), axis=1)

    # ---- making terms ----------------------------------------------------------------------------

    def terms(
        self,
        negative: np.ndarray,
        exponent: np.ndarray,
        fraction: np.ndarray | None = None,
        *,
        present: np.ndarray | None = None,
        exact: bool = False,
    ) -> Codes:
        """Operands (and scales) whose products have these signs, exponents and fractions, shapes ``(count, k)``.

        Parameters
        ----------
        present : ndarray of bool, optional
            The other products are zero.
        exact : bool
            Exactly these values, where one factor can carry the fraction.
        """
        shape = (self.count, self.k)
        present = np.ones(shape, bool) if present is None else present
        fraction = np.zeros(shape, U64) if fraction is None else fraction
        exponent = np.broadcast_to(exponent, shape)
        codes, below = self._scales(exponent, present, exact)
        wanted = (exponent - below).reshape(-1)
        sign = np.broadcast_to(negative, shape).reshape(-1)
        if exact:
            found, _ = self.product.exactly(self.rng, sign, wanted, fraction.reshape(-1))
        else:
            value = Value(sign, wanted, 1 + (fraction.reshape(-1) >> U64(12)) * 2.0**-52)
            found, _ = self.product.near(self.rng, value, np.zeros(len(wanted), np.int64))
        return codes | self.without({name: array.reshape(shape) for name, array in found.items()}, ~present)

    def without(self, codes: Codes, absent: np.ndarray) -> Codes:
        """Zero products there: one factor code 0 (a zero in all formats that have one) of either sign, or both."""
        which = self.rng.integers(0, 3, absent.shape)
        found = {}
        for number, (name, fmt) in enumerate(zip("ab", self.elements, strict=True)):
            zero = self.zeros(fmt, absent.shape)
            found[name] = np.where(absent & (which != number), zero, codes[name])
        return found

    def zeros(self, fmt: Format, shape: tuple[int, ...]) -> np.ndarray:
        mask = U64(fmt.sign_mask if fmt.has_negative_zero else 0)
        return np.where(self.rng.random(shape) < 0.5, mask, U64(0))

    def _scales(self, exponent: np.ndarray, present: np.ndarray, exact: bool) -> tuple[Codes, np.ndarray]:
        """Scales that bring the terms into the elements' range, and the exponents that they add to the terms."""
        if self.scale is None:
            return {}, np.zeros(exponent.shape, np.int64)
        blocks = (self.count, self.blocks, self.size)
        there = present.reshape(blocks)
        e = exponent.reshape(blocks)
        top = np.where(there, e, -(1 << 20)).max(2)
        bottom = np.where(there, e, 1 << 20).min(2)
        none = ~there.any(2)
        middle = sum(self.scale.range) // 2
        top, bottom = np.where(none, middle, top), np.where(none, middle, bottom)
        low_e, high_e = self.product.range
        high_e -= 1  # the product of two largest significands: not every exponent has it
        low, high = top - high_e, bottom - low_e
        s = self.rng.integers(np.minimum(low, high), np.maximum(low, high) + 1)
        s = np.where(low > high, low, s).reshape(-1)
        zeros = np.zeros(len(s), U64)
        fraction = zeros if exact or self.rng.random() < 0.5 else fractions(self.rng, len(s), 4)
        codes, value = self.scale.exactly(self.rng, zeros != 0, np.clip(s, *self.scale.range), fraction)
        found = {name: array.reshape(self.count, self.blocks) for name, array in codes.items()}
        added = value.exponent
        if any(self.repeats(name) > 1 for name in found):
            found, added = self._shared(found, s)
        below = np.broadcast_to(added.reshape(self.count, self.blocks, 1), blocks).reshape(exponent.shape)
        return found, below

    def _shared(self, codes: Codes, wanted: np.ndarray) -> tuple[Codes, np.ndarray]:
        """Scales of which one belongs to several runs of products, as near as they come to the `wanted` exponents.

        The scale of the larger blocks is that of its first run; the other one compensates.
        """
        coarse, fine = sorted(codes, key=self.repeats, reverse=True)
        often = self.repeats(coarse)
        found = {coarse: codes[coarse][:, ::often]}
        spread = np.repeat(found[coarse], often, axis=1).reshape(-1)
        exponent = measure(self.scale_formats[coarse], spread)[1]
        other = Single(fine, self.scale_formats[fine])
        zeros = np.zeros(len(spread), U64)
        low, high = other.range
        made, _ = other.exactly(self.rng, zeros != 0, np.clip(wanted - exponent, low, high), zeros)
        found[fine] = made[fine].reshape(self.count, self.blocks)[:, :: self.repeats(fine)]
        spread = np.repeat(found[fine], self.repeats(fine), axis=1).reshape(-1)
        return {name: found[name] for name in codes}, exponent + measure(self.scale_formats[fine], spread)[1]

    def addend(
        self,
        negative: np.ndarray,
        exponent: np.ndarray,
        fraction: np.ndarray | None = None,
        *,
        steps: np.ndarray | None = None,
    ) -> Codes:
        """Codes of `c` of these values, `steps` codes off; nothing where the unit has no addend."""
        fmt = self.unit.c
        if fmt is None:
            return {}
        fraction = np.zeros(self.count, U64) if fraction is None else fraction
        codes = encode(fmt, negative, exponent, fraction)
        return {"c": codes if steps is None else nudge(fmt, codes, steps)}

    def some_addend(self, exponent: np.ndarray) -> Codes:
        """An addend near this exponent; a quarter of them zeros."""
        fmt = self.unit.c
        if fmt is None:
            return {}
        away = self.rng.integers(-3, 4, self.count)
        codes = self.addend(self.signs(), exponent + away, fractions(self.rng, self.count, fmt.significand_bits))["c"]
        zero = self.zeros(fmt, (self.count,))
        return {"c": np.where(self.rng.random(self.count) < 0.25, zero, codes)}

    def no_addend(self) -> Codes:
        """Zeros of either sign."""
        return {} if self.unit.c is None else {"c": self.zeros(self.unit.c, (self.count,))}

    def uniform(self) -> Codes:
        """Every code of every operand equally likely."""
        return {
            port.name: uniform_codes(port.format, self.rng, self.count * port.count).reshape(self.count, *port.shape)
            for port in self.unit._operand_ports()
            if port.format
        }

    def calm(self) -> Codes:
        """Ordinary operands: every fraction, exponents close together, nothing special."""
        top = self.tops()
        exponent = top[:, None] - self.rng.integers(0, 6, (self.count, self.k))
        return self.terms(self.signs(self.k), exponent, self.styled()) | self.some_addend(top)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """A mask (count, k) of one position a vector."""
        mask: np.ndarray = np.arange(self.k) == (positions % self.k)[:, None]
        return mask


def sum_of(setting: Setting) -> Sum:
    """The sum that a setting is for."""
    assert isinstance(setting.unit, DotProduct | BlockDot)
    return Sum(setting.unit, setting.rng, setting.count)
