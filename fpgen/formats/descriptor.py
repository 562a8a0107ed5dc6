"""One descriptor for every number format that fpgen knows.

A format is a set of parameters, not a class hierarchy: the floating-point
families of IEEE 754-2019 (3.4), OCP OFP8 and MX, the FNUZ variants and IEEE
P3109, and two's-complement or unsigned fixed point. Everything else (ranges,
special codes, the value of a code) is derived from the parameters here, and
only here.

Positive finite codes are ordered as integers in every format: code 0 is zero
(or the smallest value, where there is no zero) and `max_finite_code` is the
largest magnitude. Special codes, where they exist, are above it or at the
code of minus zero.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cached_property
from typing import Any

from fpgen.base.errors import UsageError, short_text

from .code_classes import Class, Infinity, NaN
from .format_check import check_format
from .format_methods import FormatMethods
from .spelling import spell


@dataclass(frozen=True)
class Format(FormatMethods):
    """A number format.

    Parameters
    ----------
    bits : int
        Width K of a code, 2 to 128.
    precision : int
        Significand length P including the hidden bit, for floating point.
        For fixed point, the number of magnitude bits (`bits - signed`).
    bias : int
        Exponent bias (floating point); a normal code with exponent field e
        stands for ``2**(e - bias) * 1.f``. 0 for fixed point.
    signed : bool
        Whether the most significant bit is a sign (two's complement for fixed point).
    infinity : Infinity
    nan : NaN
    subnormals : bool
        False: codes with exponent field 0 and a non-zero trailing significand
        read as zero, and results below the smallest normal are flushed.
    zero : bool
        False (unsigned scales such as E8M0): exponent field 0 is an ordinary binade.
    fixed : bool
        Fixed point: a code stands for ``integer * 2**scale``.
    scale : int
        log2 of the unit in the last place, fixed point only.
    symmetric : bool
        Fixed point, signed: never produce the most negative code (OCP MXINT8).
    name : str
        What to call it; derived from the parameters when empty. Not part of equality.

    Raises
    ------
    UsageError
        When the parameters contradict each other.
    """

    bits: int
    precision: int
    bias: int = 0
    signed: bool = True
    infinity: Infinity = Infinity.NONE
    nan: NaN = NaN.NONE
    subnormals: bool = True
    zero: bool = True
    fixed: bool = False
    scale: int = 0
    symmetric: bool = False
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        check_format(self)
        if not self.name:
            object.__setattr__(self, "name", self.spelling)

    def __str__(self) -> str:
        return self.name

    def __hash__(self) -> int:
        """That of all parameters but the name, kept: formats are keys of every cache of the golden models."""
        found: int | None = self.__dict__.get("_hash")
        if found is None:
            found = hash(tuple(getattr(self, spec.name) for spec in fields(self) if spec.compare))
            self.__dict__["_hash"] = found
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Without the hash, which is another one in another process."""
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}

    # ---- layout ---------------------------------------------------------------------

    @property
    def trailing_bits(self) -> int:
        """Width of the trailing significand field (0 for fixed point)."""
        return 0 if self.fixed else self.precision - 1

    @property
    def exponent_bits(self) -> int:
        """Width of the exponent field (0 for fixed point)."""
        return 0 if self.fixed else self.bits - self.signed - self.trailing_bits

    @property
    def sign_mask(self) -> int:
        """The sign bit as a mask; 0 for an unsigned format."""
        return (1 << (self.bits - 1)) if self.signed else 0

    @property
    def magnitude_bits(self) -> int:
        """Bits of a code below the sign."""
        return self.bits - self.signed

    @property
    def significand_bits(self) -> int:
        """Width that holds any unpacked significand (P; K for fixed point, whose -2**(K-1) needs it)."""
        return self.bits if self.fixed else self.precision

    @property
    def significand_max(self) -> int:
        """Largest unpacked integer significand."""
        if self.fixed:
            return 1 << (self.bits - 1) if self.signed else (1 << self.bits) - 1
        return (1 << self.precision) - 1

    # ---- special codes --------------------------------------------------------------

    @property
    def has_infinity(self) -> bool:
        return self.infinity is not Infinity.NONE

    @property
    def has_nan(self) -> bool:
        return self.nan is not NaN.NONE

    @property
    def has_negative_zero(self) -> bool:
        return self.signed and not self.fixed and self.nan is not NaN.NEGATIVE_ZERO

    @property
    def has_signaling_nan(self) -> bool:
        """IEEE NaNs with at least two trailing bits: a clear top trailing bit means signalling (754-2019, 6.2.1)."""
        return self.nan is NaN.IEEE and self.precision >= 3

    @property
    def quiet_bit(self) -> int:
        """Mask of the bit that marks a quiet NaN (IEEE NaNs only), else 0."""
        return 1 << (self.trailing_bits - 1) if self.nan is NaN.IEEE else 0

    @property
    def nan_code(self) -> int:
        """The one canonical (quiet, positive where there is a choice) NaN.

        Raises
        ------
        UsageError
            If the format has no NaN.
        """
        if self.nan is NaN.IEEE:
            return self.infinity_code | self.quiet_bit
        if self.nan is NaN.ALL_ONES:
            return (1 << self.magnitude_bits) - 1
        if self.nan is NaN.NEGATIVE_ZERO:
            return self.sign_mask
        raise UsageError(f"format {self}: has no NaN")

    @property
    def infinity_code(self) -> int:
        """The code of +infinity.

        Raises
        ------
        UsageError
            If the format has no infinity.
        """
        if self.infinity is Infinity.IEEE:
            return ((1 << self.exponent_bits) - 1) << self.trailing_bits
        if self.infinity is Infinity.TOP:
            return (1 << self.magnitude_bits) - 1 - (self.nan is NaN.ALL_ONES)
        raise UsageError(f"format {self}: has no infinity")

    @property
    def max_finite_code(self) -> int:
        """The code of the largest finite value; also the largest finite magnitude where signed."""
        if self.has_infinity:
            return self.infinity_code - 1
        return (1 << self.magnitude_bits) - 1 - (self.nan is NaN.ALL_ONES)

    @property
    def min_finite_code(self) -> int:
        """The code of the lowest finite value: most negative where signed, else 0."""
        if not self.signed:
            return 0
        if self.fixed:
            return self.sign_mask | int(self.symmetric)
        return self.sign_mask | self.max_finite_code

    # ---- ranges ---------------------------------------------------------------------

    @property
    def emin(self) -> int:
        """Exponent of the smallest normal binade; for fixed point, of the top of its single range."""
        if self.fixed:
            return self.scale + self.precision - 1
        return 1 - self.bias if self.zero else -self.bias

    @property
    def emax(self) -> int:
        """floor(log2) of the largest finite magnitude."""
        top = self.max_finite
        exponent = top.numerator.bit_length() - top.denominator.bit_length()
        return exponent if top >= Fraction(2) ** exponent else exponent - 1

    @property
    def quantum_exponent(self) -> int:
        """log2 of the smallest positive step: ulp of the lowest binade (the subnormals' where they exist)."""
        return self.scale if self.fixed else self.emin - self.precision + 1

    @cached_property
    def max_finite(self) -> Fraction:
        return self.value(self.max_finite_code)

    @cached_property
    def min_finite(self) -> Fraction:
        """Lowest finite value (negative of the largest where signed)."""
        return self.value(self.min_finite_code)

    @property
    def min_normal(self) -> Fraction:
        return Fraction(2) ** (self.scale if self.fixed else self.emin)

    @property
    def min_positive(self) -> Fraction:
        """The smallest positive value."""
        if self.fixed or self.subnormals:
            return Fraction(2) ** self.quantum_exponent
        return Fraction(2) ** self.emin

    # ---- codes and values -----------------------------------------------------------

    def _check_code(self, code: int) -> None:
        """Reject what is not a code of this format."""
        try:
            inside = not isinstance(code, bool) and 0 <= operator.index(code) < 1 << self.bits
        except TypeError:
            inside = False
        if not inside:
            given = f"{code:#x}" if type(code) is int and abs(code) < 1 << 128 else short_text(code)
            raise UsageError(f"format {self}: code: got {given}; expected 0 to {(1 << self.bits) - 1:#x}")

    def classify(self, code: int) -> Class:
        """What `code` (0 <= code < 2**bits) stands for.

        Raises
        ------
        UsageError
            If it is not such a number. The methods below have the same domain and the same error.
        """
        self._check_code(code)
        return self._classify(int(code))

    def _classify(self, code: int) -> Class:
        if self.fixed:
            return Class.FINITE if code else Class.ZERO
        if self.nan is NaN.NEGATIVE_ZERO and code == self.sign_mask:
            return Class.NAN
        magnitude = code & ~self.sign_mask
        if magnitude > self.max_finite_code:
            return Class.INFINITY if self.has_infinity and magnitude == self.infinity_code else Class.NAN
        if not self.zero:
            return Class.FINITE
        if magnitude == 0 or (not self.subnormals and magnitude >> self.trailing_bits == 0):
            return Class.ZERO
        return Class.FINITE

    def is_negative(self, code: int) -> bool:
        """Whether the sign bit of `code` is set (of a NaN too)."""
        self._check_code(code)
        return bool(int(code) & self.sign_mask)

    def is_signaling(self, code: int) -> bool:
        """Whether `code` is a signalling NaN."""
        return self.classify(code) is Class.NAN and self.has_signaling_nan and not int(code) & self.quiet_bit

    def decompose(self, code: int) -> tuple[int, int, int]:
        """Split a finite code.

        Returns
        -------
        (sign, significand, exponent)
            With value ``(-1)**sign * significand * 2**exponent``; the significand is an
            integer of at most `significand_bits` bits, not normalised.

        Raises
        ------
        UsageError
            If the code is an infinity or a NaN, or out of range.
        """
        if self.classify(code) >= Class.INFINITY:
            raise UsageError(f"format {self}: got code {code:#x}, {self.classify(code).name}; expected a finite code")
        code = int(code)
        sign = int(bool(code & self.sign_mask))
        if self.fixed:
            return sign, (1 << self.bits) - code if sign else code, self.scale
        magnitude = code & ~self.sign_mask
        exponent_field = magnitude >> self.trailing_bits
        trailing = magnitude & ((1 << self.trailing_bits) - 1)
        if exponent_field == 0 and self.zero:
            return sign, trailing if self.subnormals else 0, self.quantum_exponent
        significand = trailing | (1 << self.trailing_bits)
        return sign, significand, exponent_field - self.bias - self.trailing_bits

    def value(self, code: int) -> Fraction:
        """The exact value of a finite code.

        Raises
        ------
        UsageError
            If the code is an infinity or a NaN, or out of range.
        """
        sign, significand, exponent = self.decompose(code)
        return (-significand if sign else significand) * Fraction(2) ** exponent

    # ---- spelling -------------------------------------------------------------------

    @property
    def spelling(self) -> str:
        """The format in the grammar of `fpgen.formats.parse`, every non-default option written out."""
        return spell(self)
