"""What the rounder is given: the mode as signals, the target, the positioned value and what overrides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from fpgen.formats.descriptor import Format
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.graph import Graph, Node
from fpgen.units.options import PORT_CODES, PORT_MODES, Overflow, Rounding, Semantics, Tininess

#: Modes of the `rounding` port that have a signal; the other codes, RNE's and the reserved ones, are to nearest even.
_PORT_SIGNALS = (Rounding.RUP, Rounding.RDN, Rounding.RTO, Rounding.RTZ, Rounding.RNA)


@dataclass(frozen=True)
class Mode:
    """The rounding mode as signals; constants where it is fixed.

    Attributes
    ----------
    nearest : Node
        1 for RNE, RNA and the stochastic modes.
    nearest_away, odd, up, down, away : Node
        1 for RNA, RTO, RUP, RDN, RAZ.
    random : Node or None
    """

    semantics: Semantics
    nearest: Node
    nearest_away: Node
    odd: Node
    up: Node
    down: Node
    away: Node
    random: Node | None

    @staticmethod
    def of(g: Graph, semantics: Semantics, port: Node | None, random: Node | None) -> Mode:
        nearest = nearest_away = odd = up = down = away = g.const(0, 1)
        match semantics.rounding:
            case Rounding.RNE | Rounding.SRA | Rounding.SRB | Rounding.SRC:
                nearest = g.const(1, 1)
            case Rounding.RNA:
                nearest = nearest_away = g.const(1, 1)
            case Rounding.RTO:
                odd = g.const(1, 1)
            case Rounding.RUP:
                up = g.const(1, 1)
            case Rounding.RDN:
                down = g.const(1, 1)
            case Rounding.RAZ:
                away = g.const(1, 1)
            case Rounding.RTZ:
                pass
            case Rounding.PORT:
                assert port is not None
                return _by_port(g, semantics, port)
            case unknown:
                assert_never(unknown)
        return Mode(semantics, nearest, nearest_away, odd, up, down, away, random)

    def away_from_zero(self, sign: Node) -> Node:
        """1 when a directed mode moves a number of this sign away from zero."""
        return (self.up & ~sign) | (self.down & sign) | self.away

    @property
    def negative_toward_zero(self) -> Node:
        """1 when the mode moves every negative number toward zero (RTZ, RUP)."""
        g = self.nearest.graph
        match self.semantics.rounding:
            case Rounding.RTZ | Rounding.RUP:
                return g.const(1, 1)
            case (
                Rounding.RNE
                | Rounding.RNA
                | Rounding.RDN
                | Rounding.RAZ
                | Rounding.RTO
                | Rounding.SRA
                | Rounding.SRB
                | Rounding.SRC
            ):
                return g.const(0, 1)
            case Rounding.PORT:
                return ~(self.nearest | self.odd | self.down)
            case unknown:
                assert_never(unknown)


def _by_port(g: Graph, semantics: Semantics, port: Node) -> Mode:
    """The mode that the `rounding` port chooses, operation by operation."""
    missing = set(PORT_MODES) - {Rounding.RNE, *_PORT_SIGNALS}
    if missing:  # "nearest" below is what no signal says, so a mode without one would be rounded to nearest even
        raise NotImplementedError(
            f"rounding=port: got a code for {', '.join(sorted(mode.value for mode in missing))}; expected only modes "
            "that the rounder has a signal for"
        )
    up, down, odd, toward_zero, nearest_away = (
        g.step(f"round_{mode.value}", port.equals(PORT_CODES[mode])) for mode in _PORT_SIGNALS
    )
    return Mode(semantics, ~(up | down | odd | toward_zero), nearest_away, odd, up, down, g.const(0, 1), None)


@dataclass(frozen=True)
class Target:
    """How many bits the output keeps and how many more its rounding looks at.

    Attributes
    ----------
    kept : int
        Significand bits of the output; for fixed point one more than its magnitude needs, so that
        everything above is overflow.
    emin : int
        Exponent of the top kept bit at `steps` = 0.
    fraction : int
        Bits below that must be exact (the rest may be a sticky bit).
    """

    out: Format
    semantics: Semantics
    flags: bool

    @property
    def kept(self) -> int:
        return self.out.bits if self.out.fixed else self.out.precision

    @property
    def wraps(self) -> bool:
        """Whether results are taken modulo the output's range: then nothing of them may be lost at the top."""
        return self.semantics.overflow is Overflow.WRAP

    @property
    def emin(self) -> int:
        return self.out.scale + self.kept - 1 if self.out.fixed else self.out.emin

    @property
    def flushes(self) -> bool:
        """Whether tiny results become zero.

        Where there is no zero, the least value, which rounding makes of them anyway; but a flushed
        negative result is not an invalid one.
        """
        return not self.out.fixed and (self.semantics.subnormals.flush_outputs or not self.out.subnormals)

    @property
    def looks_below(self) -> bool:
        """Whether tininess is judged on the result rounded one place lower."""
        match self.semantics.tininess:
            case Tininess.AFTER:
                return (self.flags or self.flushes) and not self.out.fixed
            case Tininess.BEFORE:
                return False
            case unknown:
                assert_never(unknown)

    @property
    def fraction(self) -> int:
        n = self.semantics.random_bits
        match self.semantics.rounding:
            case Rounding.SRA:
                bits = n
            case Rounding.SRB | Rounding.SRC:
                bits = n + 1
            case (
                Rounding.RNE
                | Rounding.RNA
                | Rounding.RTZ
                | Rounding.RUP
                | Rounding.RDN
                | Rounding.RAZ
                | Rounding.RTO
                | Rounding.PORT
            ):
                bits = 1
            case unknown:
                assert_never(unknown)
        return bits + int(self.looks_below)


@dataclass(frozen=True)
class Positioned:
    """A value ready to round (see the module's picture); `kept` and `fraction` as in `Target`."""

    sign: Node
    steps: Quantity
    kept: Node
    fraction: Node
    sticky: Node


@dataclass(frozen=True)
class Special:
    """What overrides the number: NaN, infinity (of the value's sign, or `infinity_sign`), and the operation's flags.

    `invalid` raises NV. `divides_by_zero` raises DZ: an infinity from finite operands (IEEE 754-2019, 7.3); None where
    the operation has none.
    """

    nan: Node
    infinity: Node
    invalid: Node
    infinity_sign: Node
    divides_by_zero: Node | None = None

    @property
    def dz(self) -> Node:
        """DZ as a signal."""
        return self.nan.graph.const(0, 1) if self.divides_by_zero is None else self.divides_by_zero
