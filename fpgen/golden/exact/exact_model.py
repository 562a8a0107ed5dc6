"""The definition of every operation: Python integers, one element at a time.

``decode`` the operands, do the arithmetic without rounding, ``round_to`` once.
This is what "correct" means in fpgen; the vectorised model and the hardware are
checked against it, and it shares no code and no method with either.
Source: IEEE 754-2019, 5.4.1 (operations), 6.1 to 6.3 (infinities, NaNs, signs), 7 (exceptions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, assert_never

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.formats.code_classes import Class
from fpgen.formats.descriptor import Format
from fpgen.golden.arguments import gather
from fpgen.golden.result import Result, code_dtype
from fpgen.units.base import Unit
from fpgen.units.mac import Accumulate, MultiplyAccumulate
from fpgen.units.operations import layer
from fpgen.units.options import Flags, Rounding, Semantics
from fpgen.units.ports import Role

from .exact_round import Exact, finite, round_to

__all__ = ["Accumulator", "Exact", "add", "compute", "convert", "decode", "fma", "multiply", "round_to"]

ZERO = Exact(Class.ZERO)
INVALID = Exact(Class.NAN, invalid=True)


# ---- operands and exact arithmetic ---------------------------------------------------------------


@lru_cache(maxsize=1 << 16)
def decode(code: int, fmt: Format, flush: bool = False) -> Exact:
    """What a code stands for; a signalling NaN is already an invalid one.

    Parameters
    ----------
    code : int
    fmt : Format
    flush : bool
        Read subnormals as zeros of their sign (`Subnormals.IN`).
    """
    kind = fmt.classify(code)
    if kind is Class.NAN:
        return Exact(Class.NAN, invalid=fmt.is_signaling(code))
    if kind is Class.INFINITY:
        return Exact(Class.INFINITY, int(fmt.is_negative(code)))
    sign, significand, exponent = fmt.decompose(code)
    if flush and not fmt.fixed and significand * 2 < 1 << fmt.precision:
        significand = 0
    return finite(sign, significand, exponent)


def product(x: Exact, y: Exact) -> Exact:
    """x * y, exact."""
    if x.is_nan or y.is_nan:
        return Exact(Class.NAN, invalid=x.invalid or y.invalid)
    sign = x.sign ^ y.sign
    if x.is_infinite or y.is_infinite:
        return INVALID if x.is_zero or y.is_zero else Exact(Class.INFINITY, sign)
    return finite(sign, x.significand * y.significand, x.exponent + y.exponent)


def total(x: Exact, y: Exact, mode: Rounding) -> Exact:
    """x + y, exact; the mode decides the sign of an exact zero sum (IEEE 754-2019, 6.3)."""
    if x.is_nan or y.is_nan:
        return Exact(Class.NAN, invalid=x.invalid or y.invalid)
    if x.is_infinite or y.is_infinite:
        if x.is_infinite and y.is_infinite and x.sign != y.sign:
            return INVALID
        return x if x.is_infinite else y
    exponent = min((term.exponent for term in (x, y) if not term.is_zero), default=0)
    amount = sum(
        (-1) ** term.sign * (term.significand << term.exponent - exponent) for term in (x, y) if not term.is_zero
    )
    if amount:
        return finite(int(amount < 0), abs(amount), exponent)
    if x.is_zero and y.is_zero and x.sign == y.sign:
        return x
    return Exact(Class.ZERO, int(mode is Rounding.RDN))


def negated(x: Exact) -> Exact:
    """-x; a NaN is unchanged."""
    return x if x.is_nan else replace(x, sign=1 - x.sign)


# ---- operations on codes -------------------------------------------------------------------------


def multiply(
    a: int,
    b: int,
    fa: Format,
    fb: Format,
    out: Format,
    semantics: Semantics,
    *,
    mode: Rounding | None = None,
    random: int = 0,
) -> tuple[int, Flags]:
    """``round(a * b)`` of the codes `a` of `fa` and `b` of `fb`, as a code of `out`, and flags."""
    flush = semantics.subnormals.flush_inputs
    return round_to(product(decode(a, fa, flush), decode(b, fb, flush)), out, semantics, mode=mode, random=random)


def add(
    a: int,
    b: int,
    fa: Format,
    fb: Format,
    out: Format,
    semantics: Semantics,
    *,
    subtract: bool = False,
    mode: Rounding | None = None,
    random: int = 0,
) -> tuple[int, Flags]:
    """``round(a + b)``, or ``round(a - b)``."""
    flush = semantics.subnormals.flush_inputs
    x, y = decode(a, fa, flush), decode(b, fb, flush)
    exact = total(x, negated(y) if subtract else y, mode or semantics.rounding)
    return round_to(exact, out, semantics, mode=mode, random=random)


def fma(
    a: int,
    b: int,
    c: int,
    fa: Format,
    fb: Format,
    fc: Format,
    out: Format,
    semantics: Semantics,
    *,
    mode: Rounding | None = None,
    random: int = 0,
) -> tuple[int, Flags]:
    """``round(a * b + c)``, one rounding; inf * 0 is invalid whatever `c` is."""
    flush = semantics.subnormals.flush_inputs
    exact = total(product(decode(a, fa, flush), decode(b, fb, flush)), decode(c, fc, flush), mode or semantics.rounding)
    return round_to(exact, out, semantics, mode=mode, random=random)


def convert(
    code: int,
    source: Format,
    out: Format,
    semantics: Semantics,
    *,
    mode: Rounding | None = None,
    random: int = 0,
) -> tuple[int, Flags]:
    """``round(code)``: a code of `source` as a code of `out`."""
    return round_to(decode(code, source, semantics.subnormals.flush_inputs), out, semantics, mode=mode, random=random)


# ---- multiply-accumulate -------------------------------------------------------------------------


@dataclass
class Accumulator:
    """A multiply-accumulate unit, one accepted product at a time; starts as after reset.

    Parameters
    ----------
    unit : MultiplyAccumulate

    Attributes
    ----------
    code : int
        ``float``: the register, a code of ``unit.out``.
    held : Exact
        ``exact``: the register. Infinities and NaN stay until the next clear.
    """

    unit: MultiplyAccumulate
    code: int = 0
    held: Exact = ZERO

    def step(
        self,
        a: int,
        b: int,
        *,
        clear: bool = False,
        load: bool = False,
        c: int = 0,
        mode: Rounding | None = None,
        random: int = 0,
    ) -> tuple[int, Flags]:
        """Accept one product and return what comes out for it."""
        unit, semantics = self.unit, self.unit.semantics
        mode = mode or semantics.rounding
        flush = semantics.subnormals.flush_inputs
        times = product(decode(a, unit.a, flush), decode(b, unit.b, flush))
        match unit.accumulate:
            case Accumulate.EXACT:
                self.held = self._wrap(total(ZERO if clear else self.held, times, mode))
                code, flags = round_to(self.held, unit.out, semantics, mode=mode, random=random)
                self.held = replace(self.held, invalid=False)
                return code, flags
            case Accumulate.FLOAT:
                base = c if load else 0 if clear else self.code
                exact = total(times, decode(base, unit.out, flush), mode)
                self.code, flags = round_to(exact, unit.out, semantics, mode=mode, random=random)
                return self.code, flags
            case _:
                assert_never(unit.accumulate)

    def _wrap(self, x: Exact) -> Exact:
        """What the fixed-point register makes of a sum: wrapped to its width, a zero without a sign."""
        if x.is_zero:
            return ZERO
        if x.kind is not Class.FINITE:
            return x
        bits, exponent = self.unit.register_bits, self.unit.register_exponent
        count = (-1) ** x.sign * (x.significand << x.exponent - exponent)
        half = 1 << bits - 1
        count = (count + half) % (2 * half) - half
        return finite(int(count < 0), abs(count), exponent)


# ---- units ---------------------------------------------------------------------------------------

#: One operation's inputs: by port a code, or nested lists of codes.
Row = Mapping[str, Any]
#: One operation's results by port, of the same kinds, and its flags.
Outcome = tuple[dict[str, Any], Flags]
#: What the `exact` layer of an operation makes of a unit; of one with state, one that starts as after reset.
Model = Callable[[Row], Outcome]


def compute(unit: Unit, operands: Mapping[str, Any], controls: Mapping[str, Any] | None = None) -> Result:
    """The exact model of a unit on arrays of codes.

    Parameters
    ----------
    unit : Unit
    operands : mapping of str to array_like of int
        One array of codes per operand, broadcast against each other and the controls.
    controls : mapping of str to array_like of int, optional
        One array per control port: `rounding`, `random`, `subtract` where the unit has them; `clear`, `load`
        and `c` of a multiply-accumulate are 0 when not given.

    Returns
    -------
    Result
        Of the broadcast shape. A multiply-accumulate takes the last axis as time, one accepted product
        after another from reset, and the others as independent units.

    Raises
    ------
    UsageError
        Missing or unknown arrays, codes out of range, formats beyond 64 bits; an operation without an exact model.
    """
    missing = [name for name in unit.operands if name not in operands]
    if missing or len(operands) != len(unit.operands):
        raise UsageError(
            f"{unit.operation}: got operands {', '.join(operands) or 'none'}; expected {', '.join(unit.operands)}"
        )
    return compute_exactly(unit, gather(unit, [operands[name] for name in unit.operands], controls or {}))


def compute_exactly(unit: Unit, arrays: Mapping[str, np.ndarray]) -> Result:
    """Results of inputs that `arguments.gather` has checked and broadcast."""
    start: Callable[[Unit], Model] = layer(unit, "exact")
    shapes = {port.name: port.shape for port in unit.ports if port.travels_in}
    results = [port for port in unit.ports if port.role is Role.RESULT]
    first = next(iter(arrays))
    batch = arrays[first].shape[: arrays[first].ndim - len(shapes[first])]
    columns = {name: array.reshape(-1, *shapes[name]).tolist() for name, array in arrays.items()}
    length = batch[-1] if batch else 1
    step = start(unit)
    outcomes = []
    for index, values in enumerate(zip(*columns.values(), strict=True)):
        if unit.stateful and index % length == 0:
            step = start(unit)
        outcomes.append(step(dict(zip(columns, values, strict=True))))
    outputs = {}
    for port in results:
        codes = np.zeros((len(outcomes), *port.shape), dtype=code_dtype(port.element_width))
        for index, (found, _) in enumerate(outcomes):
            codes[index] = np.array(found[port.name], dtype=codes.dtype)
        outputs[port.name] = codes.reshape((*batch, *port.shape))
    flags = np.array([int(raised) for _, raised in outcomes], dtype=np.uint8).reshape(batch)
    return Result(outputs, flags)
