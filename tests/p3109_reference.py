"""P3109's projection as its text has it, in fractions: rounding to a precision, saturation, encoding.

Written from the draft, line by line, and from nothing of fpgen: it is what the golden models and the hardware
are compared with. SatNone exists in two drafts that differ (`JUNE`, `D1`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

INF = math.inf
JUNE, D1 = "June 2026", "D1, July 2026"


@dataclass(frozen=True)
class P3109:
    """K bits, precision P, signed or not, with infinities ("extended") or finite."""

    bits: int
    precision: int
    signed: bool
    extended: bool

    @property
    def name(self) -> str:
        return f"binary{self.bits}p{self.precision}{'s' if self.signed else 'u'}{'e' if self.extended else 'f'}"

    @property
    def bias(self) -> int:
        return 2 ** (self.bits - self.precision - 1) if self.signed else 2 ** (self.bits - self.precision)

    @property
    def nan(self) -> int:
        return 2 ** (self.bits - 1) if self.signed else 2**self.bits - 1

    @property
    def largest_code(self) -> int:
        """MaxFiniteOf: below infinity, and in an unsigned format below NaN."""
        return (2 ** (self.bits - 1) if self.signed else 2**self.bits - 1) - 1 - self.extended

    def decode(self, code: int) -> Fraction | float:
        half = 2 ** (self.bits - 1)
        if code == self.nan:
            return math.nan
        if self.signed and code > half:
            return -self.decode(code - half)
        if self.extended and code == self.largest_code + 1:
            return INF
        trailing, field = code % 2 ** (self.precision - 1), code // 2 ** (self.precision - 1)
        fraction = Fraction(trailing, 2 ** (self.precision - 1))
        return (
            fraction * Fraction(2) ** (1 - self.bias)
            if field == 0
            else (1 + fraction) * Fraction(2) ** (field - self.bias)
        )

    @property
    def high(self) -> Fraction:
        return Fraction(self.decode(self.largest_code))

    @property
    def low(self) -> Fraction:
        return -self.high if self.signed else Fraction(0)

    # ---- omega functions of the draft ------------------------------------------------

    def project(self, x: Fraction | float, mode: str, saturation: str, draft: str = JUNE) -> int:
        """Round, saturate, encode; `mode` is fpgen's word (not a stochastic one), `saturation` P3109's."""
        if x != x:
            return self.nan
        rounded = x if x in (0, INF, -INF) else self.round(Fraction(x), mode)
        return self.encode(self.saturate(rounded, mode, saturation, draft))

    def round(self, x: Fraction, mode: str, n: int = 0, r: int = 0) -> Fraction:
        """`n` and `r`: random bits, and their number R, of the stochastic modes."""
        p, bias = self.precision, self.bias
        quantum = max(floor_log2(abs(x)), 1 - bias) - p + 1
        scaled = abs(x) / Fraction(2) ** quantum
        whole = math.floor(scaled)
        nu = scaled - whole
        even = whole % 2 == 0 if p > 1 else whole == 0 or (quantum + bias) % 2 == 0
        half = Fraction(1, 2)
        away = {
            "rtz": False,
            "rup": nu > 0 and x > 0,
            "rdn": nu > 0 and x < 0,
            "rna": nu >= half,
            "rne": nu > half or (nu == half and not even),
            "rto": nu > 0 and even,
            "sra": math.floor(nu * 2**n) + r >= 2**n,
            "srb": math.floor(nu * 2 ** (n + 1)) + 2 * r + 1 >= 2 ** (n + 1),
            "src": round(nu * 2**n) + r >= 2**n,  # Python rounds halves to even, as RNITE
        }[mode]
        return (1 if x > 0 else -1) * (whole + away) * Fraction(2) ** quantum

    def saturate(self, x: Fraction | float, mode: str, saturation: str, draft: str) -> Fraction | float:
        low, high, extended, signed = self.low, self.high, self.extended, self.signed
        if low <= x <= high:
            return x
        if saturation == "satfinite":
            return high if x > high else low
        if saturation == "satpropagate":
            if x == INF and extended:
                return INF
            if x == -INF and signed and extended:
                return -INF
            return high if x > high else low
        assert saturation == "satnone"
        if mode in ("rtz", "rdn") and x > high and x != INF:
            return high
        if mode in ("rtz", "rup") and x < low and x != -INF:
            return low
        if draft == D1:
            if not extended:
                return math.nan
            return (-INF if signed else math.nan) if x < low else INF
        if x < low:  # June: an unsigned format has NaN for what is negative, in either domain
            return math.nan if not signed else -INF if extended else low
        if x != INF and mode == "rto" and not signed:
            return high
        return INF if extended else high

    def encode(self, x: Fraction | float) -> int:
        if x != x:
            return self.nan
        if x in (INF, -INF):
            return self.largest_code + 1 + (2 ** (self.bits - 1) if x < 0 else 0)
        if x < 0:
            return self.encode(-x) + 2 ** (self.bits - 1)
        if x == 0:
            return 0
        exponent = max(floor_log2(x), 1 - self.bias)
        significand = Fraction(x) / Fraction(2) ** (exponent + 1 - self.precision)
        assert significand.denominator == 1
        hidden = 2 ** (self.precision - 1)
        if significand < hidden:
            return int(significand)
        return int(significand) - hidden + (exponent + self.bias) * hidden


def floor_log2(x: Fraction) -> int:
    guess = x.numerator.bit_length() - x.denominator.bit_length()
    return guess if x >= Fraction(2) ** guess else guess - 1


#: Every 8-bit format that has a non-zero finite value.
EIGHT_BITS = [
    P3109(8, precision, signed, extended)
    for signed in (True, False)
    for extended in (True, False)
    for precision in range(1, 8 if signed else 9)
]
