"""Position a significand of which the rounder sees little: what it never sees is one sticky bit before any shift.

An element keeps few bits, so most of a source's significand only decides ties. A right shift can lose no more
than the sticky bit, and a left shift is only needed for subnormals, by a known number of places at most::

    normal      | 1 x x x x|j           j: OR of what lies below
    subnormal   | 0 0 1 x x x|j         `lift` more places, for what a left shift brings in
"""

from __future__ import annotations

import dataclasses

from ..arith import count
from ..arith.quantity import Quantity
from ..float.position import position_known
from ..float.rounder import Positioned, Target
from ..graph import Graph, Node


def position_short(g: Graph, sign: Node, significand: Node, t: Quantity, lift: int, highest: int,
                   target: Target) -> Positioned:
    """Position ``significand`` whose top bit weighs ``2**(target.emin + t)``.

    Parameters
    ----------
    lift : int
        The largest `t` with which the top bit can be clear (in a number that is not zero); 0 or less if that never
        matters.
    highest : int
        The largest exponent of a number, above ``target.emin``: no more than `t` reaches, and less where the numbers
        with the largest `t` are subnormal.
    """
    lift = max(0, min(lift, significand.width - 1))
    seen = target.kept + target.fraction + lift
    if significand.width > seen + 1:
        jam = significand[: significand.width - seen].any()
        significand = g.cat(jam, significand[significand.width - seen:])
    zeros = Quantity.constant(g, 0)
    if lift:
        top = significand[significand.width - lift:]
        # A one behind the places that count stops the count there.
        number, _ = count.leading_zeros(g, g.cat(g.const(1, 1), top), "source_zeros")
        zeros = Quantity(number, 0, lift)
    value = position_known(g, sign, significand, t, zeros, 0, target)
    most = max(0, min(value.steps.high, highest))
    steps = Quantity(value.steps.node.fit(max(1, most.bit_length())), 0, most)
    return dataclasses.replace(value, steps=steps)
