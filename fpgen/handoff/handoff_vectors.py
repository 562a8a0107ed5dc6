"""The vectors of a bundle: some of every directed family of the regression, random ones, and what comes out.

They find a wrong connection, a wrong tool or an edit in seconds, and name what was hit. The evidence of correctness is
the regression, with a thousand times as many.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fpgen.golden.port_outputs import golden_outputs
from fpgen.units import Port, Unit
from fpgen.vectors.families import RANDOM
from fpgen.vectors.families_array import families_of
from fpgen.vectors.layout import words
from fpgen.vectors.sequences import sum_length
from fpgen.vectors.stimulus import LANES_MOST, Inputs, Plan, plan

#: Of each directed family; a unit with few families gets more of each, so that there are `LEAST` in all.
EACH = 160
EACH_OF_ARRAYS = 48
LEAST = 2048
#: Constrained random ones, together.
RANDOM_ONES = 1024
#: Inputs with no more codes than this together are shown all of them as well.
ALL_CODES = 1 << 12
#: A family of arrays may be complete only after this many; some of them are then picked from all.
_WHOLE_FAMILY = 4096
#: Of an accumulator's long sums: how many, and the steps that are kept.
_LONG_SUMS = {"long_sums": (2, 512), "full_register": (2, 1024)}

#: The name of the first sum of an accumulator, which starts from its reset value.
AFTER_RESET = "after_reset"
FAMILY_DIGITS = 2


@dataclass(frozen=True)
class HandoffVectors:
    """Vectors in the order in which they are shown.

    Attributes
    ----------
    families : tuple of (str, int)
        Name and number of vectors, in order.
    columns : dict of str to list of int
        For each port that travels with them, inputs first: the numbers on the pins.
    first_random : int
        Index of the first constrained random one; those of the directed families are before it.
    """

    families: tuple[tuple[str, int], ...]
    columns: dict[str, list[int]]
    first_random: int

    @property
    def count(self) -> int:
        return sum(count for _, count in self.families)


def travelling(unit: Unit) -> list[Port]:
    """The ports of a vector: inputs, then what is expected."""
    ports = unit.ports
    return [*(port for port in ports if port.travels_in), *(port for port in ports if port.travels_out)]


def digits_of(port: Port) -> int:
    """Hexadecimal digits of a port in a line of `vectors_hex`."""
    return -(-port.width // 4)


@functools.lru_cache(maxsize=4)  # two files of a bundle are made of them
def handoff_vectors(unit: Unit) -> HandoffVectors:
    """The vectors of a unit; the same ones every time."""
    columns: dict[str, list[int]] = {port.name: [] for port in travelling(unit)}
    families: list[tuple[str, int]] = []
    for name, inputs in _sums(unit) if unit.stateful else _singles(unit):
        everything = {**inputs, **golden_outputs(unit, inputs)}
        for port in travelling(unit):
            columns[port.name] += words(port, everything[port.name].reshape(-1, *port.shape))
        families.append((name, len(next(iter(columns.values()))) - sum(count for _, count in families)))
    random = _random_shares(plan(unit, exhaustive=False))
    first_random = sum(count for _, count in itertools.takewhile(lambda family: family[0] not in random, families))
    return HandoffVectors(tuple(families), columns, first_random)


def vectors_hex(unit: Unit) -> str:
    """`vectors.hex`: what `$readmemh` reads, with a comment before each family."""
    found = handoff_vectors(unit)
    ports = travelling(unit)
    head = [
        f"// {found.count} vectors of {unit.name}, for its testbench",
        f"// Hexadecimal digits between the underscores: family, {', '.join(port.name for port in ports)}",
    ]
    numbers = [
        f"{number:0{FAMILY_DIGITS}x}" for number, (_, count) in enumerate(found.families, 1) for _ in range(count)
    ]
    cells = [[f"{code:0{digits_of(port)}x}" for code in found.columns[port.name]] for port in ports]
    lines = ["_".join(line) for line in zip(numbers, *cells, strict=True)]
    text, start = head, 0
    for number, (name, count) in enumerate(found.families, 1):
        text += [f"// {number:0{FAMILY_DIGITS}x} {name}: {count} from vector {start}", *lines[start : start + count]]
        start += count
    return "\n".join(text) + "\n"


# ---- single vectors -----------------------------------------------------------------


def _singles(unit: Unit) -> Iterator[tuple[str, Inputs]]:
    whole = plan(unit, vectors=_WHOLE_FAMILY, exhaustive=False)
    shares = _random_shares(whole)
    directed = [(name, count) for name, count in whole.sizes if name not in shares]
    each = max(EACH_OF_ARRAYS if whole.own_families else EACH, -(-(LEAST - RANDOM_ONES) // max(1, len(directed))))
    picks = np.random.default_rng(1)
    for name, count in directed:
        if whole.own_families:  # some go through positions and distances in turn: not only the first of them
            drawn = whole.family(name, max(each, min(count, 4 * _WHOLE_FAMILY)))
            kept = np.sort(picks.permutation(len(next(iter(drawn.values()))))[:each])
            yield name, {port: array[kept] for port, array in drawn.items()}
        else:
            yield name, whole.family(name, each)
    for name, share in shares.items():
        yield name, whole.family(name, math.ceil(RANDOM_ONES * share / sum(shares.values())))
    if sum(port.width for port in whole.ports) <= ALL_CODES.bit_length() - 1:
        for chunk in plan(unit, exhaustive=True).chunks():
            yield chunk.family, chunk.inputs


def _random_shares(whole: Plan) -> dict[str, float]:
    """The constrained random families, and how much of the random vectors each of them is."""
    if whole.own_families:
        return {name: family.share for name, family in families_of(whole.unit).items() if family.share}
    return {name: share for name, (_, share) in RANDOM.items()}


# ---- sums ---------------------------------------------------------------------------


def _sums(unit: Unit) -> Iterator[tuple[str, Inputs]]:
    """Sequences, each of which begins with a clear or a load, but for the first: it starts from the reset value."""
    whole = plan(unit, vectors=RANDOM_ONES, exhaustive=False)
    first = {name: array[:1].copy() for name, array in _sequences(whole, "random_near", 1).items()}
    for name in {"clear", "load"} & first.keys():
        first[name][0, 0] = 0
    yield AFTER_RESET, first
    for name, count in whole.sizes:
        if name in _LONG_SUMS:
            sums, steps = _LONG_SUMS[name]
            yield name, {port: array[:sums, :steps] for port, array in _sequences(whole, name, sums).items()}
        else:
            length = sum_length(unit, name)
            yield name, _sequences(whole, name, -(-(count if name in RANDOM else EACH) // length))


def _sequences(whole: Plan, family: str, sums: int) -> Inputs:
    lanes = -(-sums // LANES_MOST) * LANES_MOST
    drawn = whole.family(family, lanes * sum_length(whole.unit, family))
    return {name: array[:sums] for name, array in drawn.items()}
