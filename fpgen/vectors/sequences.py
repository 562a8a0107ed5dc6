"""Vectors for accumulators: many sums side by side, each a sequence of accepted products.

A directed family of the fused operation (product plus addend) becomes a pair of
steps: the first brings the accumulator to the addend (by `load`, or by a product
after `clear`), the second adds the product. Longer random sums follow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fpgen.units import Unit

from .draft import Draft
from .families import RANDOM, directed, random_codes
from .patterns import U64, measure, special_codes
from .terms import Product, Single, Term, Value, aim_of, terms_of, wraps_around

if TYPE_CHECKING:
    from .stimulus import Inputs, Plan

_STEPS = 16  # of a sum in the families
_DIRECTED = 1 << 15


def sum_length(unit: Unit, family: str) -> int:
    """Steps of one sequence: all that the register must hold, within reason, in the families made for that."""
    terms = getattr(unit, "terms", 0)
    return min(terms or 256, 4096) if family in ("long_sums", "full_register") else _STEPS


def sequence_sizes(plan: Plan) -> list[tuple[str, int]]:
    """Families with their numbers of steps."""
    from .stimulus import LANES_MOST

    unit, random = plan.unit, plan.random_vectors
    wanted = [(name, _DIRECTED) for name in directed(terms_of(unit), aim_of(unit), wraps_around(unit))]
    wanted += [(name, math.ceil(random * share)) for name, (_, share) in RANDOM.items()]
    wanted += [("long_sums", max(1, random // 10)), ("full_register", 1)]
    whole = {name: LANES_MOST * sum_length(unit, name) for name, _ in wanted}
    return [(name, -(-count // whole[name]) * whole[name]) for name, count in wanted]


def sequences(plan: Plan, family: str, size: int, rng: np.random.Generator) -> Inputs:
    """`size` steps of `family`, shape ``(sums, steps)``; the number of sums is a multiple of the lanes."""
    unit, length = plan.unit, sum_length(plan.unit, family)
    terms = terms_of(unit)
    if family in ("long_sums", "full_register"):
        make = _extremes if family == "full_register" else _mostly_finite
        codes = make(Draft(terms, unit.operands, aim_of(unit), rng, size))
        return _starting(plan, {name: codes[name].reshape(-1, length) for name in unit.operands}, rng, p_clear=0.0)
    pairs = size // 2
    wraps = wraps_around(unit)
    family_of = RANDOM[family][0] if family in RANDOM else directed(terms, aim_of(unit), wraps)[family]
    drawn = family_of(Draft(terms, {**unit.operands, "c": aim_of(unit)}, aim_of(unit), rng, pairs))
    order = rng.permutation(pairs)
    after = {name: np.resize(array, pairs)[order] for name, array in drawn.items()}
    before = _reaching(terms[0], Value(*measure(aim_of(unit), after["c"])), rng, pairs)
    steps = {name: _interleave(before[name], after[name], length) for name in unit.operands}
    if "c" in {port.name for port in plan.ports}:
        # Half of the second steps load the addend themselves: one step then shows the whole operation.
        special = special_codes(aim_of(unit))
        steps["c"] = _interleave(np.resize(special, pairs) if len(special) else after["c"], after["c"], length)
        steps["load"] = np.tile(np.array([0, 1], U64), (size // length, length // 2))
        steps["load"] &= rng.integers(0, 2, steps["load"].shape, U64)
    return _starting(plan, steps, rng, p_clear=0.5)


def _interleave(first: np.ndarray, second: np.ndarray, length: int) -> np.ndarray:
    return np.stack([first, second], 1).reshape(-1, length)


def _reaching(product: Term, value: Value, rng: np.random.Generator, count: int) -> Inputs:
    """Factors whose product is about `value`; one in twenty has an infinity or a NaN instead."""
    assert isinstance(product, Product)
    codes, _ = product.near(rng, value, np.zeros(count, np.int64))
    special = special_codes(product.first.format)
    if len(special):
        name = product.first.name
        codes[name] = np.where(rng.random(count) < 0.05, rng.choice(special, count), codes[name])
    return codes


def _starting(plan: Plan, steps: Inputs, rng: np.random.Generator, p_clear: float) -> Inputs:
    """The controls: the first step clears, later even steps with this probability, and none is beyond `terms`."""
    shape = steps["a"].shape
    time = np.arange(shape[1])
    clear = (rng.random(shape) < p_clear) & (time % 2 == 0)
    clear |= time % (getattr(plan.unit, "terms", 0) or shape[1]) == 0
    steps = {**steps, "clear": clear.astype(U64)}
    if "load" in {port.name for port in plan.ports}:
        steps.setdefault("load", np.zeros(shape, U64))
    return plan.with_controls(steps, rng)


def _extremes(draft: Draft) -> Inputs:
    """The largest products only, a sequence of each combination of signs: the register's guard bits."""
    steps = draft.count // 16
    lane = np.arange(16).repeat(steps)
    found = {}
    for number, (name, fmt) in enumerate(draft.operands.items()):
        pool = np.array([fmt.max_finite_code, fmt.min_finite_code], U64)
        found[name] = pool[(lane >> number) & 1]
    return found


def _mostly_finite(draft: Draft) -> Inputs:
    """Ordinary codes with any code one time in a thousand, so that most long sums stay finite."""
    found = random_codes(draft)
    for name, fmt in draft.operands.items():
        single = Single(name, fmt)
        low, high = single.range
        value = draft.value(single, draft.rng.integers(low, high + 1, draft.count))
        codes, _ = single.near(draft.rng, value, draft.steps(1))
        found[name] = np.where(draft.rng.random(draft.count) < 0.001, found[name], codes[name])
    return found
