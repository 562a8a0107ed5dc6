"""A running sum of products, one product a clock."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import ClassVar

from fpgen.base.errors import UsageError
from fpgen.formats import Format

from .options import Handshake, as_enum
from .ports import Port, Role
from .rounded import RoundedUnit

#: Products after a clear that an exact accumulator holds, where nothing is said.
DEFAULT_TERMS = 1024
#: Widest register of an exact accumulator: twice what the products of two fp64 operands need.
MAX_REGISTER_BITS = 8192


class Accumulate(enum.Enum):
    """What the accumulator register holds."""

    FLOAT = "float"  # a code of `out`: every product is fused-multiply-added into it
    EXACT = "exact"  # a fixed-point sum that loses no bit, rounded once at the output


@dataclass(frozen=True, kw_only=True)
class MultiplyAccumulate(RoundedUnit):
    """``acc = base + a * b`` for every accepted pair, where the result of each step comes out.

    `base` is the accumulator; zero when `clear` is high; the code `c` (of `out`)
    when `load` is high (`load` wins over `clear`). So a new sum starts in the same
    clock as its first product, and sums follow each other without a gap.

    Parameters
    ----------
    a, b : Format or str
    accumulate : Accumulate or str
        ``float``: the accumulator is a value of `out`, rounded after every product.
        ``exact``: a two's-complement fixed-point register over the whole range of
        the products, and the result is its value rounded once.
    terms : int
        ``exact`` only: the number of products after a clear or load for which the register
        cannot overflow; beyond it the sum wraps. Default: 1024.
    loadable : bool
        Whether there are `load` and `c` inputs. With ``exact``, a loaded `c` must be a multiple of the
        register's unit (the product of the smallest steps of `a` and `b`); so `loadable` needs
        ``accumulate=float`` there.
    handshake
        ``valid`` (default) or ``ready``: the register must know which clocks carry a product.

    Notes
    -----
    Flags are those of the step's operation (``float``) or of the rounding of the
    sum and of the newest product's invalid operation (``exact``).

    An infinity or a NaN in an ``exact`` sum stays until the next clear; infinities of both signs make
    it NaN, with NV in the step where they meet. The fixed-point register has no minus zero: a sum of
    zero reads as +0 in every mode.
    """

    operation: ClassVar[str] = "mac"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    can_wrap: ClassVar[bool] = True
    stateful: ClassVar[bool] = True
    least_stages: ClassVar[int] = 1  # the accumulator itself is a register

    a: Format
    b: Format
    accumulate: Accumulate = Accumulate.FLOAT
    terms: int | None = None
    loadable: bool = False
    handshake: Handshake = Handshake.VALID

    def _validate(self) -> None:
        self._set("accumulate", as_enum("accumulate", self.accumulate, Accumulate))
        if self.handshake is Handshake.NONE:
            raise UsageError(
                "handshake: got none for a multiply-accumulate; expected valid or ready "
                "(the accumulator must know which clocks carry a product)"
            )
        if not isinstance(self.loadable, bool):
            raise UsageError(f"loadable: got {self.loadable!r}; expected True or False")
        if self.accumulate is Accumulate.FLOAT:
            if self.terms is not None:
                raise UsageError(
                    f"terms: got {self.terms} with accumulate=float; expected it only with accumulate=exact"
                )
            if not self.out.zero:
                raise UsageError(
                    f"out: got {self.out}, which has no zero for the accumulator; expected a format with zero"
                )
        else:
            if self.loadable:
                raise UsageError("loadable: got on with accumulate=exact; expected it only with accumulate=float")
            if self.terms is None:
                self._set("terms", DEFAULT_TERMS)
            if not (type(self.terms) is int and 1 <= self.terms <= 1 << 30):
                raise UsageError(f"terms: got {self.terms}; expected a whole number from 1 to 2**30")
            if self.register_bits > MAX_REGISTER_BITS:
                raise UsageError(
                    f"accumulate=exact with {self.a} and {self.b}: got a register of "
                    f"{self.register_bits} bits; expected up to {MAX_REGISTER_BITS}, so formats with "
                    "less range, or accumulate=float"
                )

    @property
    def register_exponent(self) -> int:
        """``exact``: log2 of the register's last place, the product of the smallest steps of `a` and `b`."""
        return self.a.quantum_exponent + self.b.quantum_exponent

    @property
    def register_bits(self) -> int:
        """``exact``: width of the register, for `terms` products of the largest magnitude and a sign."""
        largest = _steps_to_largest(self.a) * _steps_to_largest(self.b)
        return ((self.terms or DEFAULT_TERMS) * largest).bit_length() + 1

    def _controls(self) -> list[Port]:
        pins = [Port("clear", 1, True, Role.CONTROL)]
        if self.loadable:
            pins += [Port("load", 1, True, Role.CONTROL), Port("c", self.out.bits, True, Role.CONTROL, self.out)]
        return pins

    @property
    def _has_reset(self) -> bool:
        return True

    @property
    def _promise(self) -> str:
        if self.accumulate is Accumulate.EXACT:
            return f"exact sum of up to {self.terms} products, rounded once"
        return f"fused multiply-add into {self.out}, rounded every step"


def _steps_to_largest(fmt: Format) -> int:
    """The largest magnitude of a format in units of its smallest step."""
    if fmt.fixed:
        return fmt.significand_max
    _, significand, exponent = fmt.decompose(fmt.max_finite_code)
    return significand << (exponent - fmt.quantum_exponent)
