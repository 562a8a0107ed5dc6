"""Whether a magnitude moves to the next code above, in every rounding mode."""

from __future__ import annotations

from typing import Literal, assert_never

from fpgen.rtl.graph import Graph, Node
from fpgen.units.options import Rounding

from .rounder_inputs import Mode


def increment(g: Graph, mode: Mode, sign: Node, last: Node, fraction: Node, sticky: Node) -> Node:
    """1 when the magnitude moves to the next code above; `last` is the code's last bit."""
    match mode.semantics.rounding:
        case Rounding.SRA | Rounding.SRB | Rounding.SRC as stochastic:
            assert mode.random is not None
            return _stochastic(g, stochastic, mode.semantics.random_bits, mode.random, fraction, sticky)
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
            pass
        case unknown:
            assert_never(unknown)
    guard, below = fraction[-1], sticky
    if fraction.width > 1:
        below = fraction[:-1].any() | sticky
    inexact = guard | below
    # Nearest: more than half; or exactly half, and the last bit odd or ties going away.
    nearest = mode.nearest & guard & (below | last | mode.nearest_away)
    return nearest | (mode.odd & inexact & ~last) | (mode.away_from_zero(sign) & inexact)


def _stochastic(
    g: Graph,
    mode: Literal[Rounding.SRA, Rounding.SRB, Rounding.SRC],
    n: int,
    random: Node,
    fraction: Node,
    sticky: Node,
) -> Node:
    """P3109's stochastic modes: carry out of the fraction plus the random number R of N bits."""
    match mode:
        case Rounding.SRA:  # floor(v 2^N) + R >= 2^N
            return fraction[-n:].add(random, n + 1)[n]
        case Rounding.SRB:  # floor(v 2^(N+1)) + 2R + 1 >= 2^(N+1)
            doubled = g.cat(g.const(1, 1), random)
            return fraction[-(n + 1) :].add(doubled, n + 2)[n + 1]
        case Rounding.SRC:  # RNE(v 2^N) + R >= 2^N
            upper, half = fraction[-n:], fraction[-(n + 1)]
            below = sticky if fraction.width == n + 1 else fraction[: -(n + 1)].any() | sticky
            up = half & (below | upper[0])
            return upper.add(random, n + 1, up)[n]
        case unknown:
            assert_never(unknown)
