"""The choices that every unit shares: rounding, overflow, subnormals, flags, handshake.

Their meaning is stated once, here; the golden model and the hardware both read it.

Exact result to delivered result
--------------------------------
1. An operand flushed by `subnormals` (``in``/``both``) is a zero of the same sign.
2. The exact result is rounded once, to the output's precision or, below the normal range, to its
   smallest step. "Even" and "odd" are those of the code; that is the last bit of the significand,
   except with precision 1, where it is the last bit of the exponent field (P3109's CodeIsEven).
   *Overflow* is judged after rounding as if the exponent had no upper end (OFP8 5.2; 754-2019, 7.4).
3. *Tininess* (7.5) is judged after rounding with an unbounded exponent, or before
   rounding. UF is raised for a tiny AND inexact result. With `subnormals`
   ``out``/``both``, and for formats without subnormals, every non-zero tiny result becomes a zero
   of its sign, with UF and NX, whatever the rounding mode.
4. On overflow, `Overflow` says what is delivered, with OF and NX:

   - ``ieee``: infinity, or NaN where the format has no infinity, when the rounding mode
     rounds away from zero there (RNE, RNA, RAZ, stochastic, RUP of positive, RDN of negative);
     otherwise (RTZ, RTO, ...) the largest finite value of that sign.
   - ``infinite``: as ``ieee``, but away from zero in every rounding mode, as tensor cores do that
     truncate their results.
   - ``saturate``: the largest finite value of that sign, also for an infinite exact result.
   - ``propagate``: the largest finite value, but an infinite exact result stays infinite where the
     format has an infinity. P3109 defines that for its finite formats too; elsewhere it is rejected.
   - ``satnone``, ``satnone_d1``: P3109's SatNone in two drafts; see below.

5. An infinite exact result that is not delivered as an infinity raises NV.
   A NaN result is the one canonical quiet NaN of the output; where the output has no NaN
   it is the largest finite positive value and raises NV (as PTX ``cvt.satfinite`` delivers it).
   A signalling NaN operand raises NV; so do inf*0, inf-inf (7.2). fma(0, inf, qNaN) raises NV.
6. A negative non-zero rounded result (minus infinity too) in an unsigned output is an invalid
   operation, NV alone: NaN under ``ieee`` where the output has one, else the lowest value (0, or the
   smallest positive value in formats without zero). Rounding, or being flushed, to zero from below is not.
   The two ``satnone`` deliver NaN as ``ieee`` does, but the lowest value for a finite one under RTZ and RUP.
7. An output without a zero (E8M0) delivers its smallest value in place of a zero: for an exact zero
   with NX, for a tiny result (rule 3) with UF and NX.
8. Fixed-point outputs saturate, or with ``wrap`` deliver the rounded result modulo 2**bits steps, as integer adders
   and the integer accumulators of matrix engines do. Out of range is NV alone either way (IEEE 754-2019, 5.8): no OF,
   no UF, no NX. NaN and infinite results have no residue: with ``wrap`` too they deliver what rule 5 and the range say
   (the largest value for NaN and plus infinity, the lowest for minus infinity) and raise NV.
9. The sign of an exact zero sum follows 6.3: +0, or -0 under RDN; x + x keeps its sign.
   Formats without minus zero deliver +0.

P3109
-----
The clauses, named here for all of fpgen: 4.7.2 decoding, 4.7.4 rounding to a precision (its stochastic modes and
CodeIsEven are there), 4.7.5 saturation, 5.3.2 dot product. Its three saturation modes, for every rounding mode:

- SatFinite, ``satfinite``: another name of ``saturate``.
- SatPropagate, ``satpropagate``: another name of ``propagate``.
- SatNone, ``satnone``: as ``ieee``, but for three rules of the draft of June 2026. (1) RTO of a number that is too
  large: infinity in a signed format with one, the largest finite value in an unsigned one. (2) A format without
  infinity delivers the largest finite value of the sign for whatever is too large, an infinity too.
  (3) Negative results in an unsigned output, in rule 6 above.
- SatNone in draft D1 (July 2026), ``satnone_d1``: as ``ieee`` too, so NaN in a format without infinity, but RTO is
  rounded away from zero wherever a number is too large; and (3).

``ieee`` itself does not depend on whose format it is: AMD's E5M2 FNUZ and P3109's Binary8p3sf are one format.
"""

from __future__ import annotations

import difflib
import enum
from dataclasses import dataclass
from typing import Any, assert_never

from fpgen.base.errors import UsageError
from fpgen.formats.catalogue import is_p3109
from fpgen.formats.descriptor import Format


def as_enum(option: str, given: Any, kind: type[enum.Enum]) -> Any:
    """The member of `kind` that `given` (a member or its value) names.

    Raises
    ------
    UsageError
    """
    if isinstance(given, kind):
        return given
    try:
        return kind(given)
    except ValueError:
        allowed = [*(member.value for member in kind), *getattr(kind, "other_names", dict)()]
        close = difflib.get_close_matches(str(given).lower(), allowed, n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        expected = ", ".join(allowed)
        raise UsageError(f"{option}: got {given or repr(given)}{meant}; expected one of {expected}") from None


class Rounding(enum.Enum):
    """Rounding modes. `PORT` takes one of those of `PORT_CODES` at run time."""

    RNE = "rne"  # to nearest, ties to even
    RNA = "rna"  # to nearest, ties away from zero
    RTZ = "rtz"  # toward zero
    RUP = "rup"  # toward plus infinity
    RDN = "rdn"  # toward minus infinity
    RAZ = "raz"  # away from zero (MPFR's RNDA): inexact results get the larger of the two magnitudes
    RTO = "rto"  # to odd (von Neumann): inexact results get an odd last bit
    SRA = "sra"  # P3109 StochasticA, N random bits
    SRB = "srb"  # P3109 StochasticB
    SRC = "src"  # P3109 StochasticC
    PORT = "port"

    @property
    def stochastic(self) -> bool:
        match self:
            case Rounding.SRA | Rounding.SRB | Rounding.SRC:
                return True
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
                return False
        assert_never(self)


#: Code of each mode on the `rounding` input port (3 bits): RISC-V frm, and 6 for odd as HardFloat has it.
#: The reserved codes 5 and 7 act as RNE. The other modes are fixed when a unit is made.
PORT_CODES = {
    Rounding.RNE: 0,
    Rounding.RTZ: 1,
    Rounding.RDN: 2,
    Rounding.RUP: 3,
    Rounding.RNA: 4,
    Rounding.RTO: 6,
}
PORT_MODES = tuple({code: mode for mode, code in PORT_CODES.items()}.get(code, Rounding.RNE) for code in range(8))


class Overflow(enum.Enum):
    """What is delivered for a result that is too large; rule 4 and "P3109" of this module."""

    IEEE = "ieee"
    INFINITE = "infinite"
    SATURATE = "saturate"
    PROPAGATE = "propagate"
    SATNONE = "satnone"
    SATNONE_D1 = "satnone_d1"
    WRAP = "wrap"  # fixed point only: rule 8

    @staticmethod
    def other_names() -> dict[str, str]:
        """P3109's name of a policy to the value of the member."""
        return {"satfinite": "saturate", "satpropagate": "propagate"}

    @classmethod
    def _missing_(cls, value: object) -> Overflow | None:
        other = cls.other_names().get(value) if isinstance(value, str) else None
        return None if other is None else cls(other)

    @property
    def sat_none(self) -> bool:
        """Whether it is SatNone of one of P3109's drafts."""
        match self:
            case Overflow.SATNONE | Overflow.SATNONE_D1:
                return True
            case Overflow.IEEE | Overflow.INFINITE | Overflow.SATURATE | Overflow.PROPAGATE | Overflow.WRAP:
                return False
        assert_never(self)

    @property
    def says_not_a_value(self) -> bool:
        """Whether a result that the output has no value for may become an infinity or NaN."""
        match self:
            case Overflow.IEEE | Overflow.INFINITE | Overflow.SATNONE | Overflow.SATNONE_D1:
                return True
            case Overflow.SATURATE | Overflow.PROPAGATE | Overflow.WRAP:
                return False
        assert_never(self)

    def gives_infinity(self, out: Format) -> bool:
        """Whether a number that is too large may become an infinity of `out`, or NaN where there is none."""
        return self.says_not_a_value and (self is not Overflow.SATNONE or out.has_infinity)


class Tininess(enum.Enum):
    """Whether tininess is judged after or before rounding; rule 3 of this module (IEEE 754-2019, 7.5)."""

    AFTER = "after"
    BEFORE = "before"


class Subnormals(enum.Enum):
    """Which side flushes subnormals to zero."""

    FULL = "full"
    IN = "in"
    OUT = "out"
    BOTH = "both"

    @property
    def flush_inputs(self) -> bool:
        match self:
            case Subnormals.IN | Subnormals.BOTH:
                return True
            case Subnormals.FULL | Subnormals.OUT:
                return False
        assert_never(self)

    @property
    def flush_outputs(self) -> bool:
        match self:
            case Subnormals.OUT | Subnormals.BOTH:
                return True
            case Subnormals.FULL | Subnormals.IN:
                return False
        assert_never(self)


class Handshake(enum.Enum):
    """How operands and results are accompanied by valid and ready."""

    NONE = "none"  # a result every clock, `latency` later
    VALID = "valid"  # in_valid travels along and comes out as out_valid
    READY = "ready"  # valid/ready on both sides, with back-pressure
    AXIS = "axis"  # the same, and a wrapper with the signals of AXI4-Stream around it: units/axis.py

    @property
    def back_pressure(self) -> bool:
        """Whether there are in_ready and out_ready."""
        match self:
            case Handshake.NONE | Handshake.VALID:
                return False
            case Handshake.READY | Handshake.AXIS:
                return True
            case _:
                assert_never(self)


class Flags(enum.IntFlag):
    """Exception flags; the bit order is RISC-V's fflags."""

    NX = 1
    UF = 2
    OF = 4
    DZ = 8
    NV = 16


FLAG_BITS = 5


@dataclass(frozen=True)
class Semantics:
    """How an exact result becomes a code of `out`: everything the golden model needs besides the operation.

    Parameters
    ----------
    rounding : Rounding
    overflow : Overflow
    tininess : Tininess
    subnormals : Subnormals
    random_bits : int
        N of the stochastic modes (1 to 32); 0 otherwise.
    """

    rounding: Rounding = Rounding.RNE
    overflow: Overflow = Overflow.IEEE
    tininess: Tininess = Tininess.AFTER
    subnormals: Subnormals = Subnormals.FULL
    random_bits: int = 0

    def __post_init__(self) -> None:
        if type(self.random_bits) is not int:
            raise UsageError(f"random_bits: got {self.random_bits!r}; expected a whole number")
        if self.rounding.stochastic and not 1 <= self.random_bits <= 32:
            raise UsageError(
                f"random_bits: got {self.random_bits} with rounding={self.rounding.value}; expected 1 to 32"
            )
        if not self.rounding.stochastic and self.random_bits:
            raise UsageError(
                f"random_bits: got {self.random_bits} with rounding={self.rounding.value}; "
                "expected them only with sra, srb and src"
            )


def default_overflow(out: Format) -> Overflow:
    """`ieee` where the format can say "too large" (infinity or NaN), else `saturate`."""
    return Overflow.IEEE if out.has_infinity or out.has_nan else Overflow.SATURATE


def check_overflow(out: Format, overflow: Overflow) -> None:
    """Reject a policy that the output format cannot express.

    Raises
    ------
    UsageError
    """
    if overflow is Overflow.WRAP:
        if not out.fixed:
            raise UsageError(
                f"overflow=wrap: got output {out}, which is floating point; expected an integer or fixed-point output"
            )
        if out.symmetric:
            raise UsageError(
                f"overflow=wrap: got output {out}, which never delivers its lowest code; expected an "
                "output with symmetric=no"
            )
        return
    others = f"{'ieee, infinite, ' if out.has_infinity or out.has_nan else ''}saturate"
    if overflow is Overflow.PROPAGATE and not (out.has_infinity or is_p3109(out)):
        raise UsageError(f"overflow: got propagate with output {out}, which has no infinity; expected {others}")
    if overflow.sat_none and not (out.has_infinity or is_p3109(out)):
        raise UsageError(
            f"overflow: got {overflow.value} with output {out}, a format without infinity that P3109 "
            f"does not define; expected {others}"
        )
    if overflow.says_not_a_value and not (out.has_infinity or out.has_nan):
        raise UsageError(
            f"overflow: got {overflow.value} with output {out}, which has neither infinity nor NaN; expected saturate"
        )
