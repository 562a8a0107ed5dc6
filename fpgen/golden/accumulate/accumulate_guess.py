"""One long running sum: guess all its steps, then check them all at once.

A single sum cannot be vectorised along time, since each step needs the rounded
one before. But a step can be *checked* without waiting: given a guess of the
register before every step, the engine computes all steps side by side, and
what comes out is right up to and including the first step whose result is not
what was guessed. From there the guessing starts again. So the guess decides
how fast this is, and nothing else; it is a loop over Python floats that
rounds nearly as the unit does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import assert_never

import numpy as np

from fpgen.golden.scalar.decode import float64_values
from fpgen.golden.scalar.deliver import deliver
from fpgen.golden.scalar.float64_engine import locate
from fpgen.golden.scalar.fused import Fused, evaluate
from fpgen.golden.scalar.modes import Modes, select_modes
from fpgen.golden.scalar.scalar_fast import step_of
from fpgen.units.mac import MultiplyAccumulate
from fpgen.units.options import PORT_MODES, Overflow, Rounding

_LONGEST = 1 << 13  # steps that are guessed at once


def can_guess(unit: MultiplyAccumulate) -> bool:
    """Whether guesses are likely to be right: everything is a binary64 number."""
    return step_of(unit).binary64 and not unit.out.fixed


def run_long(
    unit: MultiplyAccumulate, inputs: dict[str, np.ndarray], held: int, codes: np.ndarray, flags: np.ndarray
) -> None:
    """Fill `codes` and `flags` with the steps of one sum that starts with the code `held`.

    Parameters
    ----------
    unit : MultiplyAccumulate
        One that `can_guess`.
    inputs : dict of str to ndarray
        Operands `a`, `b`, and `rounding` or `random`, shape (n,).
    held : int
    codes, flags : ndarray, shape (n,)
    """
    operation = step_of(unit)
    register = np.empty(_LONGEST, dtype=codes.dtype)
    done, length = 0, 256
    while done < len(codes):
        part = slice(done, done + min(length, len(codes) - done))
        now = {name: array[part] for name, array in inputs.items()}
        count = len(now["a"])
        modes = select_modes(unit.rounding, now.get("rounding"), now.get("random"), unit.random_bits)
        guessed = _guess(unit, operation, now, held)
        register[0] = held
        register[1:count] = guessed[:-1]
        found, raised = evaluate(operation, [now["a"], now["b"], register[:count]], modes)
        wrong = np.flatnonzero(found != guessed)
        right = int(wrong[0]) + 1 if len(wrong) else count
        codes[done : done + right], flags[done : done + right] = found[:right], raised[:right]
        held = int(found[right - 1])
        done += right
        length = min(2 * right + 16, _LONGEST)


def _guess(unit: MultiplyAccumulate, operation: Fused, inputs: dict[str, np.ndarray], held: int) -> np.ndarray:
    """Codes that the register is likely to hold after each step."""
    flush = unit.semantics.subnormals.flush_inputs
    a, b = (float64_values(fmt, inputs[name], flush) for name, fmt in unit.operands.items())
    start = float64_values(unit.out, np.array([held], dtype=np.uint64))[0]
    random = inputs["random"].tolist() if "random" in inputs else None
    port = inputs["rounding"].tolist() if "rounding" in inputs else None
    sums = np.array(_sums(unit, (a * b).tolist(), float(start), port, random))
    special = None if np.isfinite(sums).all() else sums
    exact = Modes(Rounding.RTZ)
    return deliver(operation.out, unit.semantics, exact, locate(sums, operation.out), special, None)[0]


def _sums(
    unit: MultiplyAccumulate, products: list[float], total: float, port: list[int] | None, random: list[int] | None
) -> list[float]:
    """Values after each step, rounded to the output as nearly as plain floats allow."""
    out = unit.out
    precision, lowest, largest = out.precision, out.emin + 1, float(out.max_finite)
    by_code = [_stepper(mode, unit.random_bits) for mode in PORT_MODES]
    step = _stepper(unit.rounding, unit.random_bits) if port is None else by_code[0]
    beyond = _beyond(unit)
    found = []
    for index, product in enumerate(products):
        total += product
        if total - total == 0.0:  # neither infinite nor NaN
            unit_exponent = max(math.frexp(total)[1], lowest) - precision
            if port is not None:
                step = by_code[port[index]]
            scaled = math.ldexp(total, -unit_exponent)
            whole = step(scaled, random[index] if random is not None else 0)
            if whole != scaled:
                total = math.copysign(math.ldexp(whole, unit_exponent), total)
            if total > largest or total < -largest:
                total = math.copysign(beyond, total)
        found.append(total)
    return found


def _beyond(unit: MultiplyAccumulate) -> float:
    """What an overflow most likely delivers."""
    largest = float(unit.out.max_finite)
    match unit.semantics.overflow:
        case Overflow.IEEE:
            if unit.rounding in (Rounding.RTZ, Rounding.RTO):
                return largest
            return math.inf if unit.out.has_infinity else math.nan
        case (
            Overflow.INFINITE
            | Overflow.SATURATE
            | Overflow.PROPAGATE
            | Overflow.SATNONE
            | Overflow.SATNONE_D1
            | Overflow.WRAP
        ):
            return largest
        case _:
            assert_never(unit.semantics.overflow)


def _stepper(mode: Rounding, random_bits: int) -> Callable[[float, int], float]:
    """Rounding of a float, with a random number, to an integer."""
    ones = 1 << random_bits

    def odd(x: float, _: int) -> float:
        whole = math.trunc(x)
        return whole if whole == x else math.copysign(abs(whole) | 1, x)

    def stochastic(x: float, r: int) -> float:
        return math.copysign((int(abs(x) * ones) + r) >> random_bits, x)

    def finer(x: float, r: int) -> float:
        return math.copysign((int(abs(x) * 2 * ones) + 2 * r + 1) >> (random_bits + 1), x)

    def nearest(x: float, r: int) -> float:
        return math.copysign((round(abs(x) * ones) + r) >> random_bits, x)

    match mode:
        case Rounding.RNE:
            return lambda x, _: round(x)
        case Rounding.RNA:
            return lambda x, _: math.copysign(math.floor(abs(x) + 0.5), x)
        case Rounding.RTZ:
            return lambda x, _: math.trunc(x)
        case Rounding.RUP:
            return lambda x, _: math.ceil(x)
        case Rounding.RDN:
            return lambda x, _: math.floor(x)
        case Rounding.RAZ:
            return lambda x, _: math.copysign(math.ceil(abs(x)), x)
        case Rounding.RTO:
            return odd
        case Rounding.SRA:
            return stochastic
        case Rounding.SRB:
            return finer
        case Rounding.SRC:
            return nearest
        case Rounding.PORT:
            raise ValueError("rounding: got port; expected one mode")
        case _:
            assert_never(mode)
