"""Alignment: the largest exponent, each term's distance from it, the shift into a short window, the signed sum.

::

    e = 2**largest exponent   |
    window           | i i | F fraction bits |
    term               | i i | f f f f f f f f |    shifted right by e - its exponent
                                             ^^^    lost: truncated, floored, or jammed into the last bit kept
    sum        | g g g i i | F fraction bits |      sign and magnitude; g: growth
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from fpgen.rtl.arith import shift
from fpgen.rtl.arith.largest import largest
from fpgen.rtl.arith.quantity import Quantity, bits_for
from fpgen.rtl.graph import Graph, Node
from fpgen.units.accumulation import Treatment

from .aligned_terms import SignedRow, TermFamily, signed_sum


@dataclass(frozen=True)
class Top:
    """An alignment exponent, where `none` is not 1."""

    exponent: Quantity
    none: Node

    def at_least(self, clamp: int | None) -> Top:
        """Not below `clamp`."""
        if clamp is None or self.exponent.low >= clamp:
            return self
        own, g = self.exponent, self.none.graph
        place = clamp - own.offset
        width = bits_for(place, place)
        floor = Quantity(g.const(place % (1 << width), width), clamp, clamp, own.offset)
        larger = floor.choose(own.less(clamp), own)
        return Top(Quantity(larger.node, clamp, max(own.high, clamp), own.offset), self.none)

    def beside(self, other: Top) -> Top:
        """With the other's offset, so that both compare as they are: the constant is added here, where it is early."""
        offset = other.exponent.offset
        node = (self.exponent - offset).settled().node
        return Top(Quantity(node, self.exponent.low, self.exponent.high, offset), self.none)

    def above(self, other: Top) -> Node:
        """1 when this one decides the larger of both."""
        return (other.exponent.less(self.exponent) | other.none) & ~self.none

    def join(self, other: Top, above: Node) -> Top:
        """The larger of both."""
        return Top(self.exponent.choose(above, other.exponent), self.none & other.none)


def own_top(g: Graph, family: TermFamily) -> Top:
    """The largest exponent of the terms that have one, without the family's.

    Exponents are compared as they come, with their offsets left out. A term without one reads as 0 there, which is
    not above any other.
    """
    nodes = []
    first = family.terms[0].exponent
    for term in family.terms:
        exponent = term.exponent
        assert exponent.offset == first.offset and exponent.low >= exponent.offset
        nodes.append(g.step(f"{term.name}_place", exponent.node & (~term.zero).repeat(exponent.node.width)))
    top = largest(g, nodes, name="largest_exponent")
    if first.low > first.offset:
        none = top.none()
    else:
        none = g.cat(*[term.zero for term in family.terms]).all()
    return Top(Quantity(top, first.low, first.high, first.offset), g.step("no_exponent", none))


@dataclass(frozen=True)
class Aligned:
    """Families with the largest exponent of all their terms, and of each family by itself."""

    families: tuple[TermFamily, ...]
    own: tuple[Top, ...]
    top: Top

    @staticmethod
    def of(g: Graph, families: Sequence[TermFamily], clamp: int | None) -> Aligned:
        """Find the largest exponent, not below `clamp` where there is one."""
        own = tuple(own_top(g, family) for family in families)
        tops = [Top(each.exponent + family.shared, each.none) for each, family in zip(own, families, strict=True)]
        while len(tops) > 1:
            tops = [
                tops[i].join(tops[i + 1], tops[i].above(tops[i + 1])) if i + 1 < len(tops) else tops[i]
                for i in range(0, len(tops), 2)
            ]
        return Aligned(tuple(families), own, tops[0].at_least(clamp))

    def summands(self, keep: int, treatment: Treatment, addend: tuple[Top, Node] | None = None) -> list[Summand]:
        """Every term, at its distance below the window's exponent.

        Parameters
        ----------
        keep : int
            Places kept.
        addend : tuple of (Top, Node), optional
            Another exponent, and whether that decides the window's.

        Notes
        -----
        The window's exponent is first brought to the family's own scale and limited to where every term is shifted
        out: once for the family, and for both candidates side by side. So each term has a short subtraction only.
        """
        found = []
        for family, own in zip(self.families, self.own, strict=True):
            first = family.terms[0].exponent
            most = first.high - first.offset + keep + max(term.integer for term in family.terms)
            if len(self.families) == 1 and self.top.exponent.low == (own.exponent + family.shared).low:
                base = own.exponent - first.offset
            else:
                base = _relative(self.top.exponent, family, most)
            if addend is not None:
                other, leads = addend
                base = _relative(other.exponent, family, most).choose(leads, base)
            for term in family.terms:
                difference = base - (term.exponent - first.offset)
                # Negative only for a term that is zero, and that may be shifted anywhere.
                high = max(difference.high, 0)
                distance = Quantity(difference.bits(max(1, high.bit_length())), 0, high)
                found.append(
                    Summand(
                        term.sign, term.magnitude, term.fraction, term.largest, distance, keep, treatment, term.name
                    )
                )
        return found


def _relative(exponent: Quantity, family: TermFamily, most: int) -> Quantity:
    """An exponent on the scale of a family's own, from 0 to `most`."""
    own = exponent - family.shared - family.terms[0].exponent.offset
    return own.floored().saturated(most)


@dataclass(frozen=True)
class Summand:
    """A number and how it enters a window.

    Attributes
    ----------
    magnitude : Node
        With `fraction` bits below the place of its exponent.
    largest : int
        Bound of the magnitude.
    distance : Quantity
        Its exponent's distance below that of the window.
    keep : int
        Places kept below the window's exponent.
    treatment : Treatment
    name : str
        The start of the names of its steps.
    """

    sign: Node
    magnitude: Node
    fraction: int
    largest: int
    distance: Quantity
    keep: int
    treatment: Treatment
    name: str

    @property
    def integer(self) -> int:
        return self.magnitude.width - self.fraction

    @property
    def bound(self) -> int:
        """Of what it has in the window, in units of the last place kept."""
        spare = self.keep - self.fraction
        if spare >= 0 and self.distance.high <= spare:
            return self.largest << spare
        kept = self.largest << spare if spare >= 0 else self.largest >> -spare
        match self.treatment:
            case Treatment.TRUNCATE:
                return kept
            case Treatment.STICKY:
                return kept | 1
            case Treatment.FLOOR:
                return kept + 1
            case unknown:
                assert_never(unknown)

    def shifted(self, g: Graph) -> tuple[Node, Node]:
        """The magnitude in the window, truncated, and whether a bit was lost."""
        size = self.integer + self.keep
        width = max(size, self.magnitude.width)
        most = min(self.distance.high, size)
        amount = self.distance.saturated(most)
        window, lost = shift.shift_right_sticky(
            g, self.magnitude, g.step(f"{self.name}_distance", amount.node), width, most, f"{self.name}_aligned"
        )
        if width > size:
            lost = lost | window[: width - size].any()
            window = window[width - size :]
        elif self.distance.high <= self.keep - self.fraction:
            lost = g.const(0, 1)
        return window, lost


@dataclass(frozen=True)
class WindowSum:
    """``(-1)**sign * magnitude * 2**(exponent - places)``, with the exponent of the window it was made in."""

    sign: Node
    magnitude: Node
    places: int
    largest: int
    top: Top


def add_up(g: Graph, summands: Sequence[Summand], top: Top, name: str) -> WindowSum:
    """The sum of what the summands have in the window of `top`."""
    places = max(summand.keep for summand in summands)
    rows, bound = [], 0
    for summand in summands:
        weight = places - summand.keep
        bound += summand.bound << weight
        window, lost = summand.shifted(g)
        one = summand.sign
        match summand.treatment:
            case Treatment.TRUNCATE:
                pass
            case Treatment.STICKY:
                if lost.constant != 0:
                    window = g.cat(window[0] | lost, window[1:]) if window.width > 1 else window | lost
            case Treatment.FLOOR:
                one = summand.sign & ~lost
            case unknown:
                assert_never(unknown)
        rows.append(SignedRow(summand.sign, window, one, weight, summand.name))
    if len(rows) == 1 and (rows[0].one is rows[0].sign or rows[0].sign.constant == 0):
        only = rows[0]
        return WindowSum(only.sign & only.word.any(), only.word, places, bound, top)
    sign, magnitude = signed_sum(g, rows, bound, name)
    return WindowSum(sign, magnitude, places, bound, top)
