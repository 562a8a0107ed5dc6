"""result = sum of n products (+ c): exact, or as a named machine accumulates."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from fpgen.base.errors import UsageError
from fpgen.formats import Format, as_format

from .accumulation import EXACT, Accumulation, Addend, Kind, parse_accumulation
from .lane_mask import check_mask, mask_port
from .machines import LIKE, is_machine, machine_case
from .options import Overflow, Rounding, Subnormals, as_enum, check_overflow, default_overflow
from .ports import Port, Role
from .presets import Case
from .rounded import RoundedUnit

if TYPE_CHECKING:
    from .blockdot import BlockDot

LARGEST_SUM = 1024
#: Widest fixed-point sum of ``exact``: the products of fp64 operands fit, with room.
MAX_WINDOW_BITS = 8192


@dataclass(frozen=True, kw_only=True)
class SumOfProducts(RoundedUnit):
    """What units that sum products have in common.

    Parameters
    ----------
    c : Format or str, optional
        Format of an addend.
    accumulate : Accumulation or str
        How the sum is made: a record, its spelling such as ``aligned:fraction=25,group=8``, or the name of a preset
        (`fpgen.units.PRESETS`) or product (`fpgen.units.ALIASES`), or ``like:`` and such a name for formats that the
        machine lacks. Default: ``exact``.
    rounding, overflow, subnormals
        As in `Unit`; where not given, those of the preset.
    mask : bool
        A pin with a bit for each product, 1 for those that add nothing; see `fpgen.units.lane_mask`.
    """

    takes_addend: ClassVar[bool] = True
    can_wrap: ClassVar[bool] = True

    c: Format | None = None
    accumulate: Accumulation = EXACT
    rounding: Rounding = None  # type: ignore[assignment]  # filled in: RNE, or the preset's
    subnormals: Subnormals = None  # type: ignore[assignment]  # filled in: FULL, or the preset's
    mask: bool = field(default=False, metadata={"hashed": "when set"})

    def _prepare(self) -> None:
        if self.c is not None:
            self._set("c", as_format(self.c))
        self._set("out", as_format(self.out))
        self._prepare_operands()
        if isinstance(self.accumulate, str):
            name = self.accumulate.strip().lower()
            if is_machine(name):
                self._set("accumulate", self._case(name).accumulation)
            else:
                self._set("accumulate", parse_accumulation(name))
        if not isinstance(self.accumulate, Accumulation):
            raise UsageError(
                f"accumulate: got {self.accumulate!r}; expected a spelling, the name of a preset or an Accumulation"
            )
        if self.accumulate.name and self.accumulate != self._case(self.accumulate.name).accumulation:
            self._set("accumulate", dataclasses.replace(self.accumulate, name=""))  # no longer that machine's
        for option in ("rounding", "subnormals"):
            if getattr(self, option) is None:
                self._set(option, self._default(option))

    def _prepare_operands(self) -> None:
        """Bring the operands' formats into their canonical form."""

    # ---- what a sum consists of: defaults for plain operands and one result -----------------

    @property
    def products(self) -> int:
        """Products in one sum."""
        raise NotImplementedError

    @property
    def presum(self) -> int:
        """Products summed exactly into one term."""
        return self.accumulate.presum or 1

    @property
    def scaled_operands(self) -> tuple[str, ...]:
        """The operands that have blocks."""
        return ()

    @property
    def zeroed_operands(self) -> tuple[str, ...]:
        """The operands that have zero points."""
        return ()

    @property
    def scale_formats(self) -> dict[str, Format]:
        """Port name to format of the scales."""
        return {}

    @property
    def size(self) -> int:
        """Neighbouring products that share their scales (and zero points): all of them where nothing is scaled."""
        return self.products

    def repeats(self, name: str) -> int:
        """How many times `size` the blocks of operand `name` have."""
        return 1

    @property
    def grid(self) -> tuple[int, ...]:
        """Results side by side: none for one sum, (m, n) for a tile."""
        return ()

    def axis(self, name: str) -> int:
        """Along which of its last axes the products of one sum take operand `name`."""
        return -1

    @property
    def one_sum(self) -> DotProduct | BlockDot:
        """The unit of one result, combinational in a tile."""
        raise NotImplementedError

    def _formats(self) -> tuple[Format, Format, tuple[Format, ...]]:
        """Element formats of a and b, and the formats of the scales."""
        raise NotImplementedError

    def _case(self, name: str) -> Case:
        a, b, scales = self._formats()
        return machine_case(name, a, b, self.out, scales)

    @property
    def _format_names(self) -> tuple[str, ...]:
        return ("c",) if self.c is not None else ()

    def _default(self, name: str) -> Any:
        if name in ("rounding", "subnormals"):
            if self.accumulate.name:
                return getattr(self._case(self.accumulate.name), name)
            return Rounding.RNE if name == "rounding" else Subnormals.FULL
        return super()._default(name)

    @property
    def _default_overflow(self) -> Overflow:
        preset = self.accumulate.name
        return self._case(preset).overflow if preset else default_overflow(self.out)

    @property
    def intermediate(self) -> Format:
        """What sums are rounded to on the way."""
        return self.accumulate.intermediate or self.out

    @property
    def _promise(self) -> str:
        name = self.accumulate.name
        if name.startswith(LIKE):
            name = f"{name}, its {self._case(name)}"
        return self.accumulate.promise + (f" ({name})" if name else "")

    def _controls(self) -> list[Port]:
        return [mask_port(self)] if self.mask else []

    def _check_sum(self, products: int) -> None:
        """Reject parameters that do not fit together in a sum of this many products."""
        check_mask(self)
        record = self.accumulate
        if self.flags and record.kind is not Kind.EXACT:
            raise UsageError(f"flags: got on with accumulate={record}; expected accumulate=exact, which rounds once")
        if as_enum("rounding", self.rounding, Rounding).stochastic and not self._one_rounding(products):
            raise UsageError(
                f"rounding: got {self.rounding.value} with accumulate={record}, which rounds more than once; "
                "expected accumulate=exact"
            )
        intermediate = self.intermediate
        if intermediate.fixed and record.kind is not Kind.EXACT:
            raise UsageError(
                f"accumulate={record}: got sums in {intermediate}, which is fixed point; "
                "expected floating point, or accumulate=exact"
            )
        if not self._one_rounding(products):
            self._check_running_sum()
        check_overflow(intermediate, self._policy)  # every sum is rounded under the same policy
        if (
            record.kind is Kind.ALIGNED
            and record.fraction is not None
            and (record.fraction < intermediate.precision - 1)
        ):
            raise UsageError(
                f"accumulate: got fraction={record.fraction} with sums rounded to {intermediate}, which has "
                f"{intermediate.precision - 1} fraction bits, so the last ones would always be 0; expected at least "
                f"fraction={intermediate.precision - 1}, or intermediate=e{intermediate.exponent_bits}m"
                f"{record.fraction} to say what the sum holds"
            )
        span = min(record.span or products, products)
        group = min(record.group or span, span)
        if products % span:
            raise UsageError(
                f"accumulate={record}: got spans of {span} with {products} products; expected a whole number of spans"
            )
        if span % group and record.interleave is None:
            raise UsageError(
                f"accumulate={record}: got groups of {group} with {span} products; expected a whole number of groups"
            )
        presum = self.presum
        if group % presum:
            raise UsageError(f"accumulate={record}: got presum={presum} in groups of {group}; expected a divisor")
        if span % presum:
            raise UsageError(f"accumulate={record}: got presum={presum} in spans of {span}; expected a divisor")

    def _check_running_sum(self) -> None:
        """Reject sums that continue from a format that cannot hold them: no zero, or no negative numbers."""
        kept, (a, b, scales) = self.intermediate, self._formats()
        if not kept.zero:
            raise UsageError(
                f"accumulate={self.accumulate}: got sums in {kept}, which has no zero; "
                "expected an intermediate= with zero, or accumulate=exact"
            )
        if not kept.signed and any(fmt.signed for fmt in (a, b, *scales, self.c) if fmt is not None):
            raise UsageError(
                f"accumulate={self.accumulate}: got signed operands with sums in {kept}, which is unsigned; "
                "expected a signed intermediate=, or accumulate=exact"
            )

    def _one_rounding(self, products: int) -> bool:
        record = self.accumulate
        if record.kind is Kind.ALIGNED and record.addend is Addend.AFTER and self.c is not None:
            return False
        several = record.interleave is not None and record.span != record.group
        one_group = record.interleave if several else record.group or products
        return record.kind is Kind.EXACT or (
            record.kind is Kind.ALIGNED
            and self.intermediate == self.out
            and one_group is not None
            and one_group >= products
        )

    def exact_span(self, scales: tuple[Format, ...] = ()) -> tuple[int, int]:
        """``exact``: (lowest, highest): terms, `c` and sum are multiples of 2**lowest with magnitudes below 2**highest.

        Kulisch's accumulator, for these formats; `scales` are those that multiply every product.
        """
        a, b, _ = self._formats()
        low = sum(fmt.quantum_exponent for fmt in (a, b, *scales))
        high = sum(_ceiling(fmt) for fmt in (a, b, *scales)) + (self.products - 1).bit_length()
        if self.c is not None:
            low, high = min(low, self.c.quantum_exponent), max(high, _ceiling(self.c))
        return low, high + 1

    def _check_window(self, scales: tuple[Format, ...] = ()) -> None:
        low, high = self.exact_span(scales)
        if self.accumulate.kind is Kind.EXACT and high - low + 1 > MAX_WINDOW_BITS:
            raise UsageError(
                f"accumulate=exact: got a sum of {high - low + 1} bits; expected up to {MAX_WINDOW_BITS}, so "
                "formats with less range, or accumulate=aligned"
            )


def _ceiling(fmt: Format) -> int:
    """log2 of a power of two above (or at) the largest magnitude."""
    return fmt.scale + fmt.significand_bits if fmt.fixed else fmt.emax + 1


@dataclass(frozen=True, kw_only=True)
class DotProduct(SumOfProducts):
    """``sum(a[i] * b[i]) (+ c)``.

    Parameters
    ----------
    a, b : Format or str
        Free, also fixed point.
    n : int
        Number of products, 1 to 1024.
    c, accumulate, rounding, overflow, subnormals
        See `SumOfProducts`.

    Notes
    -----
    Ports `a` and `b` carry n codes. NaN operands, infinity times zero and infinities of both signs make the
    result NaN. ``exact`` and ``aligned`` sums of zero are +0; ``tree`` and ``chain`` follow IEEE 754-2019, 6.3.
    """

    operation: ClassVar[str] = "dot"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    size_names: ClassVar[tuple[str, ...]] = ("n",)

    a: Format
    b: Format
    n: int

    def _prepare_operands(self) -> None:
        self._set("a", as_format(self.a))
        self._set("b", as_format(self.b))

    def _formats(self) -> tuple[Format, Format, tuple[Format, ...]]:
        return self.a, self.b, ()

    @property
    def _format_names(self) -> tuple[str, ...]:
        return (*self.operand_names, *super()._format_names)

    @property
    def products(self) -> int:
        return self.n

    @property
    def one_sum(self) -> DotProduct:
        return self

    def _validate(self) -> None:
        if not (type(self.n) is int and 1 <= self.n <= LARGEST_SUM):
            raise UsageError(f"n: got {self.n!r}; expected a whole number from 1 to {LARGEST_SUM}")
        presum = self.accumulate.presum or 1
        if presum > 1 and self.accumulate.kind in (Kind.TREE, Kind.CHAIN, Kind.ALIGNED) and self.n % presum:
            raise UsageError(f"accumulate={self.accumulate}: got presum={presum} with n={self.n}; expected a divisor")
        self._check_sum(self.n)
        self._check_window()

    @property
    def operands(self) -> dict[str, Format]:
        addend = {"c": self.c} if self.c is not None else {}
        return {"a": self.a, "b": self.b, **addend}

    def _operand_ports(self) -> list[Port]:
        shapes = {"a": (self.n,), "b": (self.n,)}
        return [Port.of_codes(name, fmt, Role.OPERAND, shapes.get(name, ())) for name, fmt in self.operands.items()]
