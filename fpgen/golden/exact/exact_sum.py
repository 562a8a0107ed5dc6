"""The definition of sums of products: Python integers and fractions, one sum at a time.

It follows the text of `fpgen.units.accumulation`, step by step; a group is a list of terms and an addend.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from typing import assert_never

from fpgen.formats.code_classes import Class
from fpgen.formats.descriptor import Format
from fpgen.units.accumulation import Accumulation, Addend, Kind, Split, Treatment
from fpgen.units.blockdot import BlockDot
from fpgen.units.dot import DotProduct
from fpgen.units.options import Flags, Rounding

from .exact_model import INVALID, ZERO, decode, negated, product, total
from .exact_round import Exact, finite, round_to


@dataclass(frozen=True)
class Term:
    """One summand.

    Parameters
    ----------
    value : Exact
    align : int or None
        Alignment exponent; None where it has none.
    """

    value: Exact
    align: int | None


def alignment_exponent(code: int, fmt: Format, value: Exact) -> int | None:
    """Exponent of the leading place of the significand of `code`, as it is encoded; None for a zero."""
    if value.kind is not Class.FINITE:
        return None
    _, _, exponent = fmt.decompose(code)
    return exponent + fmt.significand_bits - 1


def dot(
    unit: DotProduct,
    a: Sequence[int],
    b: Sequence[int],
    c: int | None = None,
    *,
    mode: Rounding | None = None,
    random: int = 0,
    mask: Sequence[int] | None = None,
) -> tuple[int, Flags]:
    """The result of one dot product, of n codes of `a` and of `b`, and a code of `c` where the unit has it.

    Where `mask` has a 1 the product is zero, whatever its operands.
    """
    flush = unit.subnormals.flush_inputs
    products = [_times(_factor(x, unit.a, flush), _factor(y, unit.b, flush)) for x, y in zip(a, b, strict=True)]
    products = _unmasked(
        products, mask, mode or unit.semantics.rounding, can_be_negative=unit.a.signed or unit.b.signed
    )
    presum = unit.accumulate.presum or 1
    if presum > 1 and unit.accumulate.kind is not Kind.EXACT:
        products = [Term(_sum([term.value for term in part]), 0) for part in _parts(products, presum)]
    return _accumulate(unit, products, presum, c, mode, random)


def block_dot(
    unit: BlockDot,
    codes: Mapping[str, Sequence[int]],
    c: int | None = None,
    *,
    mode: Rounding | None = None,
    random: int = 0,
    mask: Sequence[int] | None = None,
) -> tuple[int, Flags]:
    """The result of one block dot product.

    Parameters
    ----------
    unit : BlockDot
    codes : mapping of str to sequence of int
        By port: k codes of `a` and of `b`, and of their scales and zero points, where the unit has them, one for each
        of their blocks.
    c : int, optional
        A code of the addend, where the unit has it.
    mask : sequence of int, optional
        1 for products that are zero, whatever their elements.
    """
    terms = []
    presum = unit.presum
    for start in range(0, unit.k, unit.size):
        scales = [
            _factor(codes[f"{name}_scale"][start // block.size], block.scale, False)
            for name in "ab"
            if (block := unit.block_of(name))
        ]
        scale = reduce(_times, scales)
        products = [
            _times(_element(unit, "a", codes, i), _element(unit, "b", codes, i))
            for i in range(start, start + unit.size)
        ]
        products = _unmasked(products, mask and mask[start : start + unit.size], Rounding.RDN, can_be_negative=False)
        if presum > 1:
            products = [Term(_sum([term.value for term in some]), 0) for some in _parts(products, presum)]
        terms += [_times(scale, term) for term in products]
    return _accumulate(unit, terms, presum, c, mode, random)


def _unmasked(products: list[Term], mask: Sequence[int] | None, mode: Rounding, *, can_be_negative: bool) -> list[Term]:
    """The products, with the zero that no sum changes for in the place of masked ones.

    That is -0, or +0 under RDN (IEEE 754-2019, 6.3); products without a sign have +0 only.
    """
    zero = Term(Exact(Class.ZERO, int(can_be_negative and mode is not Rounding.RDN)), None)
    return [zero if masked else term for term, masked in zip(products, mask or [0] * len(products), strict=True)]


@lru_cache(maxsize=1 << 16)
def _factor(code: int, fmt: Format, flush: bool) -> Term:
    """A code with its alignment exponent."""
    value = decode(code, fmt, flush)
    return Term(value, alignment_exponent(code, fmt, value))


def _times(x: Term, y: Term) -> Term:
    """x * y, with the sum of their alignment exponents."""
    return Term(product(x.value, y.value), _total([x.align, y.align]))


def _element(unit: BlockDot, name: str, codes: Mapping[str, Sequence[int]], i: int) -> Term:
    """Element `i` of an operand less the zero point of its block, whose alignment exponent is that of an integer."""
    code, zero = codes[name][i], unit.zero_format(name)
    if zero is None:
        return _factor(code, unit.element_of(name), unit.subnormals.flush_inputs)
    block, fmt = unit.block_of(name), unit.factor_of(name)
    assert block is not None
    point = decode(codes[f"{name}_zero"][i // block.size], zero)
    value = total(decode(code, block.element), negated(point), Rounding.RNE)
    return Term(value, None if value.is_zero else fmt.scale + fmt.significand_bits - 1)


def _total(aligns: Sequence[int | None]) -> int | None:
    """The sum of alignment exponents; None where one is."""
    found = [align for align in aligns if align is not None]
    return sum(found) if len(found) == len(aligns) else None


def _parts(terms: Sequence[Term], size: int) -> list[Sequence[Term]]:
    return [terms[start : start + size] for start in range(0, len(terms), size)]


def _sum(values: Sequence[Exact]) -> Exact:
    """An exact sum, independent of the order; a sum of zero is +0.

    A NaN among the values hides infinities of opposite signs (as it does in a sum of two, IEEE 754-2019, 6.2).
    """
    if any(value.is_nan for value in values):
        return Exact(Class.NAN, invalid=any(value.invalid for value in values))
    signs = {value.sign for value in values if value.is_infinite}
    if signs:
        return INVALID if len(signs) == 2 else Exact(Class.INFINITY, signs.pop())
    terms = [value for value in values if not value.is_zero]
    lowest = min((term.exponent for term in terms), default=0)
    amount = sum((-1) ** term.sign * (term.significand << term.exponent - lowest) for term in terms)
    return finite(int(amount < 0), abs(amount), lowest)


def _accumulate(
    unit: DotProduct | BlockDot, terms: list[Term], presum: int, c: int | None, mode: Rounding | None, random: int
) -> tuple[int, Flags]:
    """Groups of terms one after another, and the last result as a code of `out`."""
    record, out, semantics = unit.accumulate, unit.out, unit.semantics
    mode = mode or semantics.rounding
    addend = None
    if unit.c is not None:
        assert c is not None
        value = decode(c, unit.c, semantics.subnormals.flush_inputs)
        addend = Term(value, alignment_exponent(c, unit.c, value))
    if record.kind is Kind.EXACT:
        everything = [term.value for term in terms] + ([addend.value] if addend else [])
        return round_to(_sum(everything), out, semantics, mode=mode, random=random)

    intermediate = unit.intermediate

    def rounded(value: Exact, mode: Rounding = mode) -> Term:
        """A sum as it stands between two steps."""
        code, _ = round_to(value, intermediate, semantics, mode=mode, random=random)
        # A result that was just delivered is not flushed again; with flushed outputs there is nothing to flush.
        again = decode(code, intermediate)
        return Term(again, alignment_exponent(code, intermediate, again))

    add_mode = record.addend_rounding or mode
    for span in _spans(record, terms, presum):
        match record.addend:
            case Addend.INSIDE | Addend.OUTSIDE:
                found = _summed(record, span, addend, rounded, mode)
            case Addend.AFTER:
                found = _summed(record, span, None, rounded, mode)
                if addend:
                    found = rounded(total(found.value, addend.value, add_mode), add_mode)
            case _:
                assert_never(record.addend)
        addend = found
    assert addend is not None
    return round_to(addend.value, out, semantics, mode=mode, random=random)


def _spans(record: Accumulation, terms: Sequence[Term], presum: int) -> list[list[Sequence[Term]]]:
    """The terms of each span, in groups."""
    products = len(terms) * presum
    span = min(record.span or products, products) // presum
    group = min(record.group or products, products) // presum  # in a shorter span all of it
    if record.interleave is None:
        return [_parts(part, group) for part in _parts(terms, span)]
    assert record.span is not None and record.group is not None
    groups = record.span // record.group
    found: list[list[Sequence[Term]]] = []
    for part in _parts(terms, span):
        dealt: list[list[Term]] = [[] for _ in range(groups)]
        for index, term in enumerate(part):
            dealt[index * presum // record.interleave % groups].append(term)
        found.append([group for group in dealt if group])
    return found


def _summed(
    record: Accumulation,
    groups: Sequence[Sequence[Term]],
    addend: Term | None,
    rounded: Callable[[Exact], Term],
    mode: Rounding,
) -> Term:
    """The groups of a span, one after another."""
    match record.kind:
        case Kind.CHAIN:
            (terms,) = groups
            return _chain(record, terms, addend, rounded, mode)
        case Kind.ALIGNED:
            for part in groups:
                addend = rounded(_aligned(record, part, addend))
        case Kind.TREE:
            for part in groups:
                pairs = _pairwise([rounded(total(term.value, ZERO, mode)).value for term in part], rounded, mode)
                addend = rounded(total(pairs, addend.value, mode)) if addend else Term(pairs, None)
        case Kind.EXACT:
            raise ValueError("accumulate: got exact; expected a kind that sums in groups")
        case _:
            assert_never(record.kind)
    assert addend is not None
    return addend


def _chain(
    record: Accumulation,
    terms: Sequence[Term],
    addend: Term | None,
    rounded: Callable[[Exact], Term],
    mode: Rounding,
) -> Term:
    """The terms of a span as a chain onto the addend, or as one or two beside it."""
    match record.addend:
        case Addend.INSIDE:
            return _chained(terms, addend, rounded, mode)
        case Addend.AFTER:
            zero = Term(ZERO, None)
        case Addend.OUTSIDE:
            raise ValueError("accumulate=chain with addend=outside; expected inside or after")
        case _:
            assert_never(record.addend)
    match record.split:
        case Split.NONE:
            return _chained(terms, zero, rounded, mode)
        case Split.ODD_EVEN:
            if len(terms) == 1:
                return _chained(terms, zero, rounded, mode)
            even, odd = (_chained(terms[start::2], zero, rounded, mode) for start in (0, 1))
            return rounded(total(even.value, odd.value, mode))
        case _:
            assert_never(record.split)


def _chained(terms: Sequence[Term], addend: Term | None, rounded: Callable[[Exact], Term], mode: Rounding) -> Term:
    """The terms added one by one."""
    for term in terms:
        addend = rounded(total(term.value, addend.value, mode) if addend else term.value)
    assert addend is not None
    return addend


def _pairwise(values: Sequence[Exact], rounded: Callable[[Exact], Term], mode: Rounding) -> Exact:
    """Sums of halves, every one rounded."""
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    left, right = _pairwise(values[:half], rounded, mode), _pairwise(values[half:], rounded, mode)
    return rounded(total(left, right, mode)).value


# ---- aligned -------------------------------------------------------------------------------------


def _aligned(record: Accumulation, terms: Sequence[Term], addend: Term | None) -> Exact:
    """The exact value of an aligned group before its rounding."""
    everything = [term.value for term in terms] + ([addend.value] if addend else [])
    special = _sum([value for value in everything if value.is_nan or value.is_infinite])
    if special.is_nan or special.is_infinite:
        return special
    assert record.fraction is not None
    match record.addend:
        case Addend.INSIDE | Addend.AFTER:  # after: of a span, this is what its earlier groups made
            inside, outside = [addend] if addend else [], None
        case Addend.OUTSIDE:
            inside, outside = [], addend
        case _:
            assert_never(record.addend)
    match record.split:
        case Split.ODD_EVEN:
            parts = [_align(record, [*terms[0::2], *inside]), _align(record, terms[1::2])]
            top = _largest([align for _, align in parts])
            summed = (
                sum((_to_multiple(part, top - record.fraction, record.join) for part, _ in parts), Fraction(0))
                if top is not None
                else Fraction(0)
            )
        case Split.NONE:
            summed, top = _align(record, [*terms, *inside])
        case _:
            assert_never(record.split)
    if outside:
        summed = _join(record, summed, top, outside)
    return _exact(summed)


def _align(record: Accumulation, terms: Sequence[Term]) -> tuple[Fraction, int | None]:
    """Steps 1 to 3: the sum, and the exponent that its terms were aligned to."""
    top = _largest([term.align for term in terms])
    if top is None:
        return Fraction(0), None
    if record.clamp is not None:
        top = max(top, record.clamp)
    assert record.fraction is not None
    quantum = top - record.fraction
    return sum((_to_multiple(_fraction(term.value), quantum, record.treatment) for term in terms), Fraction(0)), top


def _join(record: Accumulation, summed: Fraction, top: int | None, addend: Term) -> Fraction:
    """Step 4 with the addend outside."""
    most = _largest([top, addend.align])
    if most is None:
        return Fraction(0)
    keep_sum = record.fraction if record.sum_fraction is None else record.sum_fraction
    keep_addend = record.fraction if record.addend_fraction is None else record.addend_fraction
    assert keep_sum is not None and keep_addend is not None
    other = _fraction(addend.value)
    if addend.align is not None and record.addend_reach is not None and addend.align < most - record.addend_reach:
        other = Fraction(0)
    return _to_multiple(summed, most - keep_sum, record.join) + _to_multiple(other, most - keep_addend, record.join)


def _largest(aligns: Sequence[int | None]) -> int | None:
    return max((align for align in aligns if align is not None), default=None)


def _to_multiple(value: Fraction, quantum: int, treatment: Treatment) -> Fraction:
    """`value` brought to a multiple of 2**quantum."""
    unit = Fraction(2) ** quantum
    whole = abs(value) // unit
    match treatment:
        case Treatment.FLOOR:
            return value // unit * unit
        case Treatment.TRUNCATE:
            pass
        case Treatment.STICKY:
            if whole * unit != abs(value):
                whole |= 1
        case _:
            assert_never(treatment)
    return (whole if value >= 0 else -whole) * unit


def _fraction(value: Exact) -> Fraction:
    magnitude = value.significand * Fraction(2) ** value.exponent
    return -magnitude if value.sign else magnitude


def _exact(value: Fraction) -> Exact:
    """A dyadic fraction as an `Exact`; zero is +0."""
    if value == 0:
        return ZERO
    return finite(int(value < 0), abs(value.numerator), 1 - value.denominator.bit_length())
