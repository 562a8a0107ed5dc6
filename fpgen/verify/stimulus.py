"""Which vectors a unit is shown: all of them where that is possible, otherwise families and constrained random.

A plan is reproducible from its seed alone, in chunks, so that the vectors of a
run need never exist all at once and any one of them can be made again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..units import Port, Unit
from .families import RANDOM, Draft, directed
from .patterns import U64
from .terms import terms_of

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
        One array per travelling input port, in port order, shape ``(n,)``; for an accumulator ``(sums, steps)``, each
        row a sequence that begins with a clear or a load.
    """

    family: str
    start: int
    inputs: Inputs

    @property
    def count(self) -> int:
        return next(iter(self.inputs.values())).size


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
    """

    unit: Unit
    exhaustive: bool
    seed: int
    random_vectors: int

    @property
    def ports(self) -> tuple[Port, ...]:
        return tuple(port for port in self.unit.ports if port.travels_in)

    @property
    def method(self) -> str:
        return "exhaustive" if self.exhaustive else "sampled"

    @property
    def stateful(self) -> bool:
        return self.unit.operation == "mac"

    @property
    def sizes(self) -> list[tuple[str, int]]:
        """Families with their numbers of vectors, in order."""
        if self.exhaustive:
            return [("exhaustive", 1 << sum(port.width for port in self.ports))]
        from .sequences import sequence_sizes

        if self.stateful:
            return sequence_sizes(self)
        unit = self.unit
        families = directed(terms_of(unit), unit.out)
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
                yield self._chunk(family, start + offset, size, np.random.default_rng([self.seed, number, part]))
            start += count

    def _chunk_size(self, family: str) -> int:
        if not self.stateful:
            return CHUNK
        from .sequences import sum_length

        whole = LANES_MOST * sum_length(self.unit, family)
        return max(1, CHUNK // whole) * whole

    def _chunk(self, family: str, start: int, size: int, rng: np.random.Generator) -> Chunk:
        if self.exhaustive:
            return Chunk(family, start, self._codes_of(start, size))
        if self.stateful:
            from .sequences import sequences

            return Chunk(family, start, sequences(self, family, size, rng))
        unit = self.unit
        terms = terms_of(unit)
        out, operands = unit.out, unit.operands
        make = RANDOM[family][0] if family in RANDOM else directed(terms, out)[family]
        codes = make(Draft(terms, operands, out, rng, size))
        # A family may be finite (all corners): it is shown again, with other controls.
        return Chunk(family, start, self.with_controls({name: np.resize(a, size) for name, a in codes.items()}, rng))

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
            raise UsageError(f"vector {index}; this run has vectors 0 to {self.vectors - 1}")
        ends = np.cumsum([count for _, count in self.sizes])
        number = int(np.searchsorted(ends, index, side="right"))
        family, count = self.sizes[number]
        start = int(ends[number]) - count
        step = self._chunk_size(family)
        part = (index - start) // step
        size = min(step, count - part * step)
        chunk = self._chunk(family, start + part * step, size, np.random.default_rng([self.seed, number, part]))
        at = index - chunk.start
        if not self.stateful:
            return family, {name: array[at : at + 1] for name, array in chunk.inputs.items()}
        row, last = divmod(at, next(iter(chunk.inputs.values())).shape[1])
        return family, {name: array[row : row + 1, : last + 1] for name, array in chunk.inputs.items()}

    def _codes_of(self, start: int, size: int) -> Inputs:
        """Vectors `start`... of the exhaustive order: the first port in the lowest bits."""
        number = np.arange(start, start + size, dtype=U64)
        found: Inputs = {}
        for port in self.ports:
            found[port.name] = (number & U64((1 << port.width) - 1)).astype(smallest(port.width))
            number = number >> U64(port.width)
        return found

    def with_controls(self, codes: Inputs, rng: np.random.Generator) -> Inputs:
        """Operand codes completed by random controls (extremes of the random bits among them), narrowed."""
        shape = next(iter(codes.values())).shape
        found: Inputs = {}
        for port in self.ports:
            array = codes.get(port.name)
            if array is None:
                top = (1 << port.width) - 1
                array = rng.integers(0, top, shape, U64, endpoint=True)
                if port.name == "random":
                    extreme = rng.integers(0, 8, shape)
                    array = np.where(extreme == 0, U64(0), np.where(extreme == 1, U64(top), array))
            found[port.name] = array.astype(smallest(port.width))
        return found


def smallest(width: int) -> type:
    """The narrowest unsigned numpy type for `width` bits."""
    return np.uint8 if width <= 8 else np.uint16 if width <= 16 else np.uint32 if width <= 32 else np.uint64


def plan(unit: Unit, *, vectors: int | None = None, seed: int = 1, exhaustive: bool | None = None) -> Plan:
    """Decide how to show `unit`.

    Parameters
    ----------
    vectors : int, optional
        Constrained random vectors on top of the directed families; default 10**6.
    seed : int
    exhaustive : bool, optional
        Default: whether all input codes together are at most 2**24 and there is no state.

    Raises
    ------
    UsageError
    """
    if vectors is not None and vectors < 1:
        raise UsageError(f"vectors={vectors}; at least 1 is needed: a run of 0 vectors shows nothing")
    if seed < 0:
        raise UsageError(f"seed={seed}; 0 or a positive whole number is allowed")
    bits = sum(port.width for port in unit.ports if port.travels_in)
    stateful = unit.operation == "mac"
    if exhaustive and stateful:
        raise UsageError("exhaustive with an accumulator, whose states cannot all be visited; leave it out")
    if exhaustive and bits > 32:
        raise UsageError(f"exhaustive over 2**{bits} vectors; at most 2**32 are allowed")
    if exhaustive and vectors is not None:
        raise UsageError(f"exhaustive with vectors={vectors}; one of them is allowed")
    if exhaustive is None:
        exhaustive = not stateful and 1 << bits <= EXHAUSTIVE_LIMIT
    return Plan(unit, exhaustive, seed, vectors if vectors is not None else RANDOM_VECTORS)
