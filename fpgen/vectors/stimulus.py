"""Which vectors a unit gets: all of them where that is possible, otherwise families and constrained random.

A plan is reproducible from its seed alone, in chunks, so that the vectors of a
run need never exist all at once and any one of them can be made again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fpgen.base.errors import UsageError, short_text
from fpgen.units import Port, Unit, card_of

from .draft import Draft
from .families import RANDOM, directed
from .held import Digit, Held, digits_of, held_text, read_held
from .layout import batch_shape
from .patterns import U64
from .terms import aim_of, terms_of, wraps_around

#: Counts as part of every cached verdict: change it whenever the vectors change.
STIMULUS_VERSION = 1

EXHAUSTIVE_LIMIT = 1 << 24
RANDOM_VECTORS = 1_000_000
DIRECTED_VECTORS = 1 << 16
CHUNK = 1 << 17
LANES_MOST = 16  # families come in multiples of this, so that they fill whole rows

Inputs = dict[str, np.ndarray]


@dataclass(frozen=True)
class Chunk:
    """Consecutive vectors of one family.

    Parameters
    ----------
    family : str
    start : int
        Index of the first vector in the plan.
    inputs : dict of str to ndarray
        One array per travelling input port, in port order, shape ``(n, *port.shape)``; for an accumulator
        ``(sums, steps)``, each row a sequence that begins with a clear or a load.
    shape : tuple of int
        ``(n,)`` or ``(sums, steps)``.
    """

    family: str
    start: int
    inputs: Inputs
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        return math.prod(self.shape)


#: In one run, drawn or counted through.
MOST_VECTORS = 1 << 32


@dataclass(frozen=True)
class Plan:
    """The vectors for one unit.

    Parameters
    ----------
    unit
    exhaustive : bool
    seed : int
    random_vectors : int
        Constrained random ones, on top of the families.
    held : tuple of (str, tuple of int)
        Where exhaustive: inputs that take these codes only, as `held.read_held` returns them.
    """

    unit: Unit
    exhaustive: bool
    seed: int
    random_vectors: int
    held: Held = ()

    @property
    def ports(self) -> tuple[Port, ...]:
        return tuple(port for port in self.unit.ports if port.travels_in)

    @property
    def method(self) -> str:
        if self.held:
            return f"exhaustive over {held_text(self.ports, self.held)}"
        return "exhaustive" if self.exhaustive else "sampled"

    @property
    def stateful(self) -> bool:
        return self.unit.stateful

    @property
    def own_families(self) -> bool:
        """Whether the operation has separate families, as operations on arrays of codes do."""
        return isinstance(card_of(self.unit).families, str)

    @cached_property
    def _digits(self) -> list[Digit]:
        return digits_of(self.ports, self.held)

    @property
    def sizes(self) -> list[tuple[str, int]]:
        """Families with their numbers of vectors, in order."""
        if self.exhaustive:
            return [("exhaustive", math.prod(digit.radix for digit in self._digits))]
        if self.stateful:
            from .sequences import sequence_sizes

            return sequence_sizes(self)
        if self.own_families:
            from .families_array import family_sizes

            return [
                (name, -(-count // LANES_MOST) * LANES_MOST)
                for name, count in family_sizes(self.unit, self.random_vectors, DIRECTED_VECTORS)
            ]
        unit = self.unit
        families = directed(terms_of(unit), aim_of(unit), wraps_around(unit))
        shares = [(name, math.ceil(self.random_vectors * share)) for name, (_, share) in RANDOM.items()]
        if len(terms_of(unit)) == 1 and len(unit.operands) == 1:
            scale = min(1.0, 2.0 ** (self.ports[0].width - 18))  # few codes: do not show them a hundred times
        else:
            scale = 1.0
        sizes = [(name, max(1024, int(DIRECTED_VECTORS * scale))) for name in families] + shares
        return [(name, -(-count // LANES_MOST) * LANES_MOST) for name, count in sizes]

    @property
    def vectors(self) -> int:
        return sum(count for _, count in self.sizes)

    def chunks(self) -> Iterator[Chunk]:
        """All vectors, in order."""
        start = 0
        for number, (family, count) in enumerate(self.sizes):
            step = self._chunk_size(family)
            for part, offset in enumerate(range(0, count, step)):
                size = min(step, count - offset)
                yield self._chunk(family, start, offset, size, np.random.default_rng([self.seed, number, part]))
            start += count

    def family(self, name: str, count: int) -> Inputs:
        """`count` vectors of a family, however many the plan has."""
        number = [family for family, _ in self.sizes].index(name)
        return self._chunk(name, 0, 0, count, np.random.default_rng([self.seed, number])).inputs

    def _chunk_size(self, family: str) -> int:
        if not self.stateful:
            if not self.own_families:
                return CHUNK
            elements = sum(port.count for port in self.ports)
            return max(CHUNK * 16 // elements, LANES_MOST) // LANES_MOST * LANES_MOST
        from .sequences import sum_length

        whole = LANES_MOST * sum_length(self.unit, family)
        return max(1, CHUNK // whole) * whole

    def _chunk(self, family: str, first: int, offset: int, size: int, rng: np.random.Generator) -> Chunk:
        """Vectors `offset`... of a family whose first one is vector `first` of the plan."""
        start = first + offset
        if self.exhaustive:
            return Chunk(family, start, self._codes_of(start, size), (size,))
        if self.stateful:
            from .sequences import sequences

            inputs = sequences(self, family, size, rng)
            return Chunk(family, start, inputs, next(iter(inputs.values())).shape)
        unit = self.unit
        if self.own_families:
            from .families_array import draw

            return Chunk(family, start, self.with_controls(draw(unit, family, rng, offset, size), rng), (size,))
        terms = terms_of(unit)
        out, operands = aim_of(unit), unit.operands
        make = RANDOM[family][0] if family in RANDOM else directed(terms, out, wraps_around(unit))[family]
        codes = make(Draft(terms, operands, out, rng, size))
        # A family may be finite (all corners): it is shown again, with other controls.
        inputs = self.with_controls({name: np.resize(a, size) for name, a in codes.items()}, rng)
        return Chunk(family, start, inputs, (size,))

    def find(self, index: int) -> tuple[str, Inputs]:
        """The vector with this index and its family; of a sequence, all steps up to it.

        Returns
        -------
        (family, inputs)
            Arrays of shape ``(1,)``, or ``(1, steps)``.

        Raises
        ------
        UsageError
            When the plan has no such vector.
        """
        if not 0 <= index < self.vectors:
            raise UsageError(f"vector: got {index}; expected 0 to {self.vectors - 1}, those of this run")
        ends = np.cumsum([count for _, count in self.sizes])
        number = int(np.searchsorted(ends, index, side="right"))
        family, count = self.sizes[number]
        start = int(ends[number]) - count
        step = self._chunk_size(family)
        part = (index - start) // step
        size = min(step, count - part * step)
        chunk = self._chunk(family, start, part * step, size, np.random.default_rng([self.seed, number, part]))
        at = index - chunk.start
        if not self.stateful:
            return family, {name: array[at : at + 1] for name, array in chunk.inputs.items()}
        row, last = divmod(at, chunk.shape[1])
        return family, {name: array[row : row + 1, : last + 1] for name, array in chunk.inputs.items()}

    def _codes_of(self, start: int, size: int) -> Inputs:
        """Vectors `start`... of the exhaustive order: the first element of the first port in the lowest bits."""
        number = np.arange(start, start + size, dtype=U64)
        found: Inputs = {port.name: np.empty((size, port.count), smallest(port.element_width)) for port in self.ports}
        for digit in self._digits:
            number, code = number // U64(digit.radix), number % U64(digit.radix)
            found[digit.port][:, digit.element] = code if digit.codes is None else np.array(digit.codes, U64)[code]
        return {port.name: found[port.name].reshape(size, *port.shape) for port in self.ports}

    def with_controls(self, codes: Inputs, rng: np.random.Generator) -> Inputs:
        """Operand codes completed by random controls (extremes of the random bits among them), narrowed."""
        first = next(port for port in self.ports if port.name in codes)
        batch = batch_shape(first, codes[first.name])
        found: Inputs = {}
        for port in self.ports:
            array = codes.get(port.name)
            if array is None:
                top = (1 << port.element_width) - 1
                shape = (*batch, *port.shape)
                array = rng.integers(0, top, shape, U64, endpoint=True)
                if port.name == "mask":
                    array = _masks(rng, shape)
                if port.name == "random":
                    extreme = rng.integers(0, 8, shape)
                    array = np.where(extreme == 0, U64(0), np.where(extreme == 1, U64(top), array))
            found[port.name] = array.astype(smallest(port.element_width))
        return found


def _masks(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Lane masks of shape (..., lanes): of half the vectors none, of the others one lane, all but one, all, or any."""
    *batch, lanes = shape
    kind = rng.integers(0, 8, (*batch, 1))
    one = np.arange(lanes) == rng.integers(0, lanes, (*batch, 1))
    drawn = rng.integers(0, 2, shape).astype(bool)
    chosen = np.where(kind == 0, one, np.where(kind == 1, ~one, np.where(kind == 2, drawn, kind == 3)))
    return chosen.astype(np.uint64)


def smallest(width: int) -> type:
    """The narrowest unsigned numpy type for `width` bits."""
    return np.uint8 if width <= 8 else np.uint16 if width <= 16 else np.uint32 if width <= 32 else np.uint64


def plan(
    unit: Unit,
    *,
    vectors: int | None = None,
    seed: int = 1,
    exhaustive: bool | None = None,
    fixed: Mapping[str, Sequence[int] | str] | None = None,
) -> Plan:
    """Decide how to show `unit`.

    Parameters
    ----------
    vectors : int, optional
        Constrained random vectors on top of the directed families; default 10**6.
    seed : int
    exhaustive : bool, optional
        Default: whether all input codes together are at most 2**24 and there is no state, or some are `fixed`.
    fixed : mapping, optional
        Inputs that take some codes only while the others take all: a port (every element of it), or elements as in
        ``source[0]`` or ``source[1:]``; and a list of codes, or ``corners``.

    Raises
    ------
    UsageError
    """
    if vectors is not None and not isinstance(vectors, int):
        raise UsageError(f"vectors: got {short_text(vectors)}; expected a whole number")
    if vectors is not None and vectors < 1:
        raise UsageError(f"vectors: got {vectors}; expected at least 1: a run of 0 vectors shows nothing")
    if vectors is not None and vectors > MOST_VECTORS:
        raise UsageError(f"vectors: got {vectors}; expected at most 2**32, which take hours")
    if not isinstance(seed, int):
        raise UsageError(f"seed: got {short_text(seed)}; expected a whole number of 0 or more")
    if seed < 0:
        raise UsageError(f"seed: got {seed}; expected 0 or a positive whole number")
    stateful = unit.stateful
    if exhaustive and stateful:
        raise UsageError(
            "exhaustive: got it with an accumulator, whose states cannot all be visited; expected none given"
        )
    ports = [port for port in unit.ports if port.travels_in]
    held = read_held(ports, fixed or {})
    if held and (stateful or exhaustive is False):
        raise UsageError(f"fixed: got {', '.join(fixed or {})} without trying all other codes; expected none given")
    total = math.prod(digit.radix for digit in digits_of(ports, held))
    if held:
        exhaustive = True
    if exhaustive and total > MOST_VECTORS:
        raise UsageError(f"exhaustive: got 2**{math.log2(total):.4g} vectors; expected at most 2**32")
    if exhaustive and vectors is not None:
        raise UsageError(f"exhaustive: got vectors={vectors} with it; expected one of them")
    if exhaustive is None:
        exhaustive = not stateful and total <= EXHAUSTIVE_LIMIT
    return Plan(unit, exhaustive, seed, vectors if vectors is not None else RANDOM_VECTORS, held)
