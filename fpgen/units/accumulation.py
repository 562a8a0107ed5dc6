"""How a sum of many products is made: one record that covers exact sums, tensor cores and chains of roundings.

A dot product is worked out in *groups* of products, one after another; the result of a group is the
addend of the next, and the addend `c` that of the first.

With ``addend=after`` there are *spans* of `span` products around the groups (one span, where it is not given): what one
instruction of a machine takes. The first group of a span has no addend. The span's result and the addend (`c`, or the
sum so far) are then added as any two numbers are, rounded in the mode `addend_rounding` (the unit's own, where it is
not given), with signs of zeros as in IEEE 754-2019, 6.3. Without `c` the first span's result is the sum so far.

With `interleave` the products of a span are dealt out to its groups, so many neighbours at a time: product i of the
span belongs to group ``(i // interleave) mod (span / group)``. A sum that is shorter than the span is what the
instruction makes of its first products, the others being left out; groups that get none are left out, too.

Terms
-----
A term is one product, ``significand * 2**exponent`` exactly. Its *alignment exponent* is the sum of its operands'
exponents, each that of the leading place of the significand as it is encoded: a subnormal has the exponent of the
smallest normal, the product is not normalised. A block scale adds its exponent (and, where it is no power of two,
multiplies its significand). A fixed-point operand's exponent is that of its format's top magnitude bit, whatever the
value: 7 for int8 (symmetric or not) and uint8. A zero has no alignment exponent. With `presum`, so many neighbouring
products are first summed exactly into one term, whose alignment exponent is that of its scales (0 without scales)
whatever the sum is; only a zero scale leaves it without one.

Kinds
-----
``exact``
    All terms and `c` are summed without losing a bit, and the sum is rounded once (P3109, 5.3.2 BlockDotProduct).
    A sum of zero is +0.
``aligned``
    1. e = the largest alignment exponent of the group's terms (with ``addend=inside``, of its addend too), and at
       least `clamp`.
    2. Every term (and addend) is brought to a multiple of 2**(e - `fraction`) as `treatment` says.
    3. They are summed exactly.
    4. ``addend=inside``: that sum is rounded. ``addend=outside``: with m = max(e, the addend's exponent), the sum is
       brought to a multiple of 2**(m - `sum_fraction`) and the addend to one of 2**(m - `addend_fraction`), both as
       `join` says; an addend with an exponent below m - `addend_reach` is left out; their sum is rounded.

    With ``split=odd-even`` steps 1 to 3 are done for the products of even and of odd index by themselves; the two sums
    are then brought to multiples of 2**(max(e_even, e_odd) - `fraction`) as `join` says, and added.
    A sum of zero is +0.
``chain``
    The terms are added to the addend one by one, rounded every time: fused multiply-adds. Without `c` the
    first term is rounded by itself. With ``addend=after`` a span's chain begins at +0. With ``split=odd-even`` (and
    ``addend=after``) a span has two chains, over its terms of even and of odd index, each beginning at +0; their sum is
    rounded. A span of a single term has the even one only.
``tree``
    The terms of a group are rounded (after adding +0) and summed in pairs, halves first, every sum rounded; the
    addend is added last.

Every rounding is to `intermediate` (the output, where that is not given), in the unit's rounding mode. The last
result is converted to the output. Where sums go on from a rounded one, that format has a zero, and a sign if an operand
has one.

Sources: Hickmann and Bradford, ARITH 2019; Fasi, Higham, Mikaitis and Pranesh, PeerJ CS 7:e330 (2021); Khattak and
Mikaitis, "Accurate Models of NVIDIA Tensor Cores" (2025); MMA-Sim (arXiv 2511.10909), whose functions the steps follow;
``interleave`` and ``addend=after``: recorded GPU dot products (docs/accumulators.md); chains of two halves: Intel SDM
vol. 2, TDPBF16PS.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import re
from dataclasses import dataclass, field
from typing import Any

from fpgen.base.errors import UsageError
from fpgen.formats import Format, as_format

from .options import Rounding, as_enum


class Kind(enum.Enum):
    """See the module."""

    EXACT = "exact"
    ALIGNED = "aligned"
    TREE = "tree"
    CHAIN = "chain"


class Treatment(enum.Enum):
    """What happens to the bits below the last one kept."""

    TRUNCATE = "truncate"  # toward zero
    FLOOR = "floor"  # toward minus infinity: two's complement, cut
    STICKY = "sticky"  # truncated, and their OR is or-ed into the magnitude's last bit kept


class Addend(enum.Enum):
    """Where the addend joins the products."""

    INSIDE = "inside"  # among them
    OUTSIDE = "outside"  # aligned with their sum, before that is rounded
    AFTER = "after"  # by an ordinary addition to their rounded sum


class Split(enum.Enum):
    """Whether a group (of a chain: a span) is summed in one piece."""

    NONE = "none"
    ODD_EVEN = "odd-even"


@dataclass(frozen=True, kw_only=True)
class Accumulation:
    """How products become a sum; the fields are explained in the module.

    Parameters
    ----------
    kind : Kind or str
    fraction : int, optional
        F, places kept below the alignment exponent: ``aligned`` only, and needed there.
    treatment : Treatment or str
        ``aligned``: of every term.
    addend : Addend or str
        ``aligned``; ``chain`` has ``inside`` and ``after``.
    group : int, optional
        Products in a group (``aligned``, ``tree``); default: all of them.
    presum : int, optional
        Products summed exactly into one term; default 1, and for block products with ``tree`` or ``chain`` a block.
    split : Split or str
        ``aligned`` with ``addend=outside``, ``chain`` with ``addend=after``.
    clamp : int, optional
        ``aligned``: the lowest exponent to align to.
    sum_fraction, addend_fraction : int, optional
        ``aligned`` with ``addend=outside``; default: `fraction`.
    addend_reach : int, optional
        ``aligned`` with ``addend=outside``; default: no limit.
    join : Treatment or str
        ``aligned`` with ``addend=outside`` or ``split=odd-even``: how sums are aligned with each other.
    span : int, optional
        Products that one instruction takes; ``aligned`` and ``chain``, with ``addend=after`` or `interleave`.
    interleave : int, optional
        ``aligned``, with `group` and `span`: neighbours that go to the same group, one group after another.
    addend_rounding : Rounding or str, optional
        ``addend=after``: of the addition of the addend; one mode, without random bits. Default: the unit's.
    intermediate : Format or str, optional
        What sums are rounded to; default: the output.
    name : str
        Of the preset it comes from; not part of equality.

    Raises
    ------
    UsageError
    """

    kind: Kind = Kind.EXACT
    fraction: int | None = None
    treatment: Treatment = Treatment.TRUNCATE
    addend: Addend = Addend.INSIDE
    group: int | None = None
    presum: int | None = None
    split: Split = Split.NONE
    clamp: int | None = None
    sum_fraction: int | None = None
    addend_fraction: int | None = None
    addend_reach: int | None = None
    join: Treatment = Treatment.FLOOR
    span: int | None = None
    interleave: int | None = None
    addend_rounding: Rounding | None = None
    intermediate: Format | None = None
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for option, kind in (
            ("kind", Kind),
            ("treatment", Treatment),
            ("addend", Addend),
            ("split", Split),
            ("join", Treatment),
        ):
            object.__setattr__(self, option, as_enum(f"accumulate: {option}", getattr(self, option), kind))
        if self.addend_rounding is not None:
            object.__setattr__(
                self, "addend_rounding", as_enum("accumulate: addend_rounding", self.addend_rounding, Rounding)
            )
        if self.intermediate is not None:
            object.__setattr__(self, "intermediate", as_format(self.intermediate))
        for option, (low, high) in _RANGES.items():
            value = getattr(self, option)
            if value is not None and not (type(value) is int and low <= value <= high):
                raise UsageError(f"accumulate: {option}: got {value!r}; expected a whole number from {low} to {high}")
        self._validate()

    def _validate(self) -> None:
        for spec in dataclasses.fields(self):
            belongs = _BELONGS.get(spec.name)
            if belongs and self.kind not in belongs and getattr(self, spec.name) != spec.default:
                kinds = ", ".join(kind.value for kind in belongs)
                raise UsageError(f"accumulate={self.kind.value}: got {spec.name}; expected it only with {kinds}")
        if self.kind is Kind.ALIGNED and self.fraction is None:
            raise UsageError("accumulate=aligned: got no fraction; expected one, as in aligned:fraction=25")
        self._validate_addend()
        self._validate_span()

    def _validate_addend(self) -> None:
        given, chain = self.addend.value, self.kind is Kind.CHAIN
        if chain and self.addend is Addend.OUTSIDE:
            raise UsageError("accumulate=chain: got addend=outside; expected inside or after")
        if self.addend is not Addend.OUTSIDE:
            if self.split is not Split.NONE and not (chain and self.addend is Addend.AFTER):
                where = "addend=after" if chain else "addend=outside"
                raise UsageError(f"accumulate: got split=odd-even with addend={given}; expected it only with {where}")
            for option in ("sum_fraction", "addend_fraction", "addend_reach"):
                if getattr(self, option) is not None:
                    raise UsageError(
                        f"accumulate: got {option} with addend={given}; expected it only with addend=outside"
                    )
        if self.addend_rounding is not None:
            if self.addend is not Addend.AFTER:
                raise UsageError(
                    f"accumulate: got addend_rounding with addend={given}; expected it only with addend=after"
                )
            if self.addend_rounding.stochastic or self.addend_rounding is Rounding.PORT:
                raise UsageError(
                    f"accumulate: addend_rounding: got {self.addend_rounding.value}; expected one fixed mode"
                )

    def _validate_span(self) -> None:
        if self.span is not None and self.addend is not Addend.AFTER and self.interleave is None:
            raise UsageError(
                f"accumulate: got span={self.span} with addend={self.addend.value} and no interleave, where "
                "it would change nothing; expected it only with addend=after or interleave"
            )
        if self.span is not None and self.span % (self.group or 1):
            raise UsageError(f"accumulate: got span={self.span} with group={self.group}; expected a multiple of it")
        if self.interleave is None:
            return
        if self.group is None or self.span is None:
            raise UsageError(
                f"accumulate: got interleave={self.interleave} without group and span; expected both, as in "
                "group=16,span=32,interleave=2"
            )
        if self.group % self.interleave:
            raise UsageError(
                f"accumulate: got interleave={self.interleave} with group={self.group}; expected a divisor"
            )
        if self.interleave % (self.presum or 1):
            raise UsageError(
                f"accumulate: got interleave={self.interleave} with presum={self.presum}; expected a multiple of it"
            )

    @property
    def spelling(self) -> str:
        """Text that `parse_accumulation` reads back, without the name of a preset."""
        options = []
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            if spec.name in ("kind", "name") or value == spec.default:
                continue
            shown = value.value if isinstance(value, enum.Enum) else value.name if isinstance(value, Format) else value
            options.append(f"{spec.name}={shown}")
        return self.kind.value + (":" + ",".join(options) if options else "")

    def __str__(self) -> str:
        return self.name or self.spelling

    @property
    def remarks(self) -> str:
        """The promise without the numbers that tables show in separate columns."""
        if self.kind is Kind.CHAIN:
            how = "odd and even apart, " if self.split is Split.ODD_EVEN else ""
            return "; ".join([f"{how}one after another, every sum rounded", *self._after()])
        if self.kind is not Kind.ALIGNED:
            return {Kind.EXACT: "one rounding", Kind.TREE: "pairs, every sum rounded"}[self.kind]
        words = [self.treatment.value]
        if (self.presum or 1) > 1:
            words.append(f"exact sums of {self.presum} first")
        if self.interleave:
            words.append(f"dealt out by {self.interleave} in {self.span}")
        if self.split is Split.ODD_EVEN:
            words.append(f"odd and even apart, then {self.join.value}")
        if self.addend is Addend.OUTSIDE:
            words.append(f"addend outside, {self.join.value}")
        words += self._after()
        if self.intermediate:
            words.append(f"sums in {self.intermediate}")
        return "; ".join(words)

    def _after(self) -> list[str]:
        """What is said about ``addend=after``; nothing otherwise."""
        if self.addend is not Addend.AFTER:
            return []
        spans = f" for every {self.span} products" if self.span else ""
        mode = f", rounded {self.addend_rounding.value}" if self.addend_rounding else ""
        return [f"addend added after{spans}{mode}"]

    @property
    def promise(self) -> str:
        """What is promised about the sum, in a few words."""
        steps = f"every sum rounded to {self.intermediate}" if self.intermediate else "every sum rounded"
        if self.kind is Kind.EXACT:
            return "exact sum, rounded once"
        if self.kind is Kind.CHAIN:
            two = "odd and even terms apart, each " if self.split is Split.ODD_EVEN else "terms "
            return ", ".join([f"{two}added one after another, {steps}", *self._after()])
        groups = "" if self.group is None else f" in groups of {self.group}"
        if self.kind is Kind.TREE:
            return f"terms summed in pairs{groups}, {steps}"
        cut = {Treatment.TRUNCATE: "truncated", Treatment.FLOOR: "floored", Treatment.STICKY: "with sticky bit"}
        if self.interleave:
            groups += f" (dealt out by {self.interleave} in {self.span})"
        words = [f"aligned{groups}, {self.fraction} fraction bits kept, {cut[self.treatment]}"]
        if self.split is Split.ODD_EVEN:
            words.append("odd and even products apart")
        if self.addend is Addend.OUTSIDE:
            words.append("addend joined after")
        words += self._after()
        if self.intermediate:
            words.append(f"sums rounded to {self.intermediate}")
        return ", ".join(words)


_ALIGNED = (Kind.ALIGNED,)
_BELONGS: dict[str, tuple[Kind, ...]] = {
    **dict.fromkeys(
        ("fraction", "treatment", "clamp", "sum_fraction", "addend_fraction", "addend_reach", "join", "interleave"),
        _ALIGNED,
    ),
    **dict.fromkeys(("addend", "split", "span", "addend_rounding"), (Kind.ALIGNED, Kind.CHAIN)),
    "group": (Kind.ALIGNED, Kind.TREE),
    "presum": (Kind.ALIGNED, Kind.TREE, Kind.CHAIN),
    "intermediate": (Kind.ALIGNED, Kind.TREE, Kind.CHAIN),
}
_RANGES = {
    "fraction": (1, 256),
    "group": (1, 1024),
    "presum": (1, 1024),
    "span": (1, 1024),
    "interleave": (1, 1024),
    "clamp": (-4096, 4096),
    "sum_fraction": (1, 256),
    "addend_fraction": (1, 256),
    "addend_reach": (0, 1024),
}


#: No bit is lost: the default.
EXACT = Accumulation()


def parse_accumulation(text: str) -> Accumulation:
    """The accumulation that ``exact``, ``chain`` or ``aligned:fraction=25,group=8`` spells (no preset names here).

    Raises
    ------
    UsageError
    """
    head, colon, tail = text.strip().lower().partition(":")
    kinds = [kind.value for kind in Kind]
    if head not in kinds:
        from .machines import ALIASES
        from .presets import PRESETS

        close = difflib.get_close_matches(head, [*kinds, *PRESETS, *ALIASES], n=2)
        suggestion = f" (did you mean {', '.join(close)}?)" if close else ""
        raise UsageError(
            f"accumulate: got {text}{suggestion}; expected one of {', '.join(kinds)} (with options as in "
            f"aligned:fraction=25), or a preset: {', '.join(PRESETS)}; or a "
            "product (fpgen accumulators)"
        )
    given: dict[str, Any] = {"kind": head}
    options = [spec.name for spec in dataclasses.fields(Accumulation) if spec.name not in ("kind", "name")]
    for word in tail.split(",") if colon else []:
        option, equals, value = (part.strip() for part in word.partition("="))
        if not equals or option not in options:
            raise UsageError(
                f"accumulate={text}: option: got {word.strip() or repr(word)}; expected one of "
                f"{', '.join(options)}, each with =value"
            )
        if option in given:
            raise UsageError(f"accumulate={text}: got {option} twice; expected it once")
        if option in _RANGES:
            if not re.fullmatch(r"[+-]?\d{1,6}", value):
                raise UsageError(f"accumulate={text}: {option}: got {value or repr(value)}; expected a whole number")
            given[option] = int(value)
        else:
            given[option] = value
    return Accumulation(**given)
