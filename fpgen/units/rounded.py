"""Units whose result is a number, rounded once to a format: the options of rounding, overflow, subnormals and flags."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from fpgen.base.errors import UsageError
from fpgen.formats import Format, as_format

from .base import MAX_BITS, Unit
from .options import (
    FLAG_BITS,
    Overflow,
    Rounding,
    Semantics,
    Subnormals,
    Tininess,
    as_enum,
    check_overflow,
    default_overflow,
)
from .ports import Port, Role

#: Widest fixed-point number from which ``overflow=wrap`` takes its residues.
MAX_WRAP_BITS = 8192


@dataclass(frozen=True, kw_only=True)
class RoundedUnit(Unit):
    """Options of a result that is rounded; operations add their operands in front.

    Parameters
    ----------
    out : Format or str
        Format of the result.
    rounding : Rounding or str
        A mode, or ``port`` for a 3-bit input.
    overflow : Overflow or str, optional
        Default: ``ieee`` where the output can say "too large", else ``saturate``.
    tininess : Tininess or str
    subnormals : Subnormals or str
        ``full``, or flushed on the way ``in``, ``out`` or ``both``.
    random_bits : int
        Width of the `random` input of the stochastic modes; 0 for the others.
    flags : bool
        Whether the unit has the 5-bit `flags` output {NV, DZ, OF, UF, NX}.
    """

    out_name: ClassVar[str] = "out"
    #: Whether results in fixed point can wrap around (``overflow=wrap``).
    can_wrap: ClassVar[bool] = False
    #: Whether there can be a `flags` output.
    can_flag: ClassVar[bool] = True
    _leading: ClassVar[tuple[str, ...]] = (
        "out",
        "rounding",
        "overflow",
        "tininess",
        "subnormals",
        "random_bits",
        "flags",
    )

    out: Format
    rounding: Rounding = Rounding.RNE
    overflow: Overflow | None = None
    tininess: Tininess = Tininess.AFTER
    subnormals: Subnormals = Subnormals.FULL
    random_bits: int = 0
    flags: bool = False

    # ---- construction ---------------------------------------------------------------

    def _check_results(self) -> None:
        out = as_format(self.out)
        if out.bits > MAX_BITS:
            raise UsageError(f"out: got {out}, which has {out.bits} bits; expected up to {MAX_BITS}")
        self._set("out", out)
        self._set("rounding", as_enum("rounding", self.rounding, Rounding))
        if self.overflow is None:
            self._set("overflow", self._default_overflow)
        self._set("overflow", as_enum("overflow", self.overflow, Overflow))
        self._set("tininess", as_enum("tininess", self.tininess, Tininess))
        self._set("subnormals", as_enum("subnormals", self.subnormals, Subnormals))
        check_overflow(self.out, self._policy)
        if self._policy is Overflow.WRAP and not self.can_wrap:
            raise UsageError(
                f"overflow=wrap: got {self.operation}; expected multiply, add, fma, mac, convert, dot, "
                "blockdot or tensorcore"
            )
        _ = self.semantics  # rejects contradictory random_bits
        if not isinstance(self.flags, bool):
            raise UsageError(f"flags: got {self.flags!r}; expected True or False")
        if self.flags and not self.can_flag:
            raise UsageError(
                f"flags: got on with {self.operation}, whose results have no one operation to flag; expected off"
            )

    def _check_whole(self) -> None:
        if self._policy is Overflow.WRAP:
            self._check_wrapping()

    def _check_wrapping(self) -> None:
        """Reject operands whose sums and products span more bits than a fixed-point window has."""
        formats = self.operands.values()
        lows = [self.out.scale, *(fmt.quantum_exponent for fmt in formats)]
        highs = [fmt.scale + fmt.bits if fmt.fixed else fmt.emax + 1 for fmt in formats]
        window = max(*highs, sum(highs)) - min(*lows, sum(lows[1:]))
        if window > MAX_WRAP_BITS:
            raise UsageError(
                f"overflow=wrap: got operands {', '.join(map(str, formats))}, whose exact results span "
                f"{window} bits; expected up to {MAX_WRAP_BITS}, so formats with less range"
            )

    @property
    def _default_overflow(self) -> Overflow:
        return default_overflow(self.out)

    # ---- what it is -----------------------------------------------------------------

    @property
    def semantics(self) -> Semantics:
        """How the exact result becomes a code of `out`."""
        return Semantics(self.rounding, self._policy, self.tininess, self.subnormals, self.random_bits)

    @property
    def _policy(self) -> Overflow:
        """`overflow`, which is only None before the default is known."""
        return self.overflow or self._default_overflow

    @property
    def _promise(self) -> str:
        return "correctly rounded"

    @property
    def _conditions(self) -> list[str]:
        """The rounding mode, and the options that change a result and are not the default."""
        notes = ["rounding port" if self.rounding is Rounding.PORT else self.rounding.value.upper()]
        if self._policy is Overflow.WRAP:
            notes.append(f"wrapping modulo 2^{self.out.bits + self.out.scale}")
        elif self.overflow is not self._default_overflow:
            notes.append(
                {  # every policy but `wrap`, which is described separately
                    Overflow.SATURATE: "saturating",
                    Overflow.PROPAGATE: "saturating, infinities kept",
                    Overflow.IEEE: "ieee overflow",
                    Overflow.INFINITE: "overflow to infinity",
                    Overflow.SATNONE: "P3109 SatNone",
                    Overflow.SATNONE_D1: "P3109/D1 SatNone",
                }[self._policy]
            )
        if self.subnormals is not Subnormals.FULL:
            notes.append(
                {
                    "in": "subnormal operands read as zero",
                    "out": "tiny results flushed",
                    "both": "subnormals flushed in and out",
                }[self.subnormals.value]
            )
        return notes

    @property
    def nan_text(self) -> str:
        if self.out.has_nan:
            return f"NaN results are the one canonical quiet NaN ({self.out.nan_code:#x})."
        return f"{self.out} has no NaN: its largest value is delivered in place of one."

    # ---- pins -----------------------------------------------------------------------

    def _rounding_ports(self) -> list[Port]:
        pins = []
        if self.rounding is Rounding.PORT:
            pins.append(Port("rounding", 3, True, Role.CONTROL))
        if self.random_bits:
            shape = self._random_shape
            pins.append(Port("random", self.random_bits * math.prod(shape), True, Role.CONTROL, None, shape))
        return pins

    @property
    def _random_shape(self) -> tuple[int, ...]:
        """Independent random numbers that the stochastic modes need."""
        return ()

    def _result_ports(self) -> list[Port]:
        return [Port.of_codes("result", self.out, Role.RESULT)]

    def _flag_ports(self) -> list[Port]:
        return [Port("flags", FLAG_BITS, False, Role.FLAGS)] if self.flags else []

    # ---- spelling -------------------------------------------------------------------

    @property
    def _unspelled(self) -> frozenset[str]:
        return super()._unspelled | {"out", "rounding", "overflow"}

    @property
    def _right(self) -> list[str]:
        words = [getattr(self, self.out_name).name, self.rounding.value]
        return words if self.overflow is self._default_overflow else [*words, self._policy.value]
