"""Logarithmic shifters.

Each stage is one row of multiplexers; `amount` bit k moves the word by 2**k
places, the largest move first, so that the words stay as narrow as they can be.
"""

from __future__ import annotations

from fpgen.rtl.graph import Graph, Node


def shift_left(g: Graph, x: Node, amount: Node, most: int | None = None, name: str = "shifted") -> Node:
    """``x << amount`` within the width of `x`; what leaves at the top is lost.

    Parameters
    ----------
    most : int, optional
        The largest amount that occurs. Higher bits of `amount` are not looked at.
    """
    most = (1 << amount.width) - 1 if most is None else most
    for k in range(min(amount.width, max(most, 1).bit_length()) - 1, -1, -1):
        places = 1 << k
        if places >= x.width:
            moved = g.const(0, x.width)
        else:
            moved = g.cat(g.const(0, places), x[: x.width - places])
        x = g.step(f"{name}_{places}", g.mux(amount[k], moved, x))
    return x


def place_left(g: Graph, x: Node, amount: Node, most: int, signed: bool = False, name: str = "placed") -> Node:
    """``x << amount``, no bit lost; ``x.width + most`` bits wide.

    The smallest move first: a word that starts narrow grows late, and most of what grows is gates, not multiplexers.

    Parameters
    ----------
    most : int
        The largest amount that occurs.
    signed : bool
        `x` is in two's complement.
    """
    full = x.width + most
    for k in range(min(amount.width, max(most, 1).bit_length())):
        places, select = 1 << k, amount[k]
        width = min(full, x.width + places)
        stay = x.sext(width) if signed else x.zext(width)
        moved = x.shifted(places).fit(width)
        fixed, first = min(places, x.width), min(max(places, x.width), width)
        parts = [stay[:fixed] & (~select).repeat(fixed)]
        if first > fixed and places > x.width:  # between the two places
            parts.append((stay[fixed] & ~select).repeat(first - fixed))
        elif first > fixed:
            parts.append(g.mux(select, moved[fixed:first], stay[fixed:first]))
        if width > first:
            parts.append(g.mux(select, moved[first:], stay[first:]))
        x = g.step(f"{name}_{places}", g.cat(*parts))
    return x.sext(full) if signed else x.zext(full)


def shift_right_sticky(
    g: Graph, x: Node, amount: Node, width: int, most: int | None = None, name: str = "aligned"
) -> tuple[Node, Node]:
    """``x >> amount`` in a window that starts at the top of `x`, and the OR of what falls out of it.

    Parameters
    ----------
    x : Node
        Its top bit is the top bit of the window.
    width : int
        Width of the window, at least that of `x`.
    most : int, optional
        The largest amount that occurs.

    Returns
    -------
    (window, sticky) : tuple of Node
        `width` bits and 1 bit.
    """
    most = (1 << amount.width) - 1 if most is None else most
    sticky = g.const(0, 1)
    for k in range(min(amount.width, max(most, 1).bit_length()) - 1, -1, -1):
        places = 1 << k
        # ``x`` keeps its top at the top of the window and grows downwards until it fills it.
        grown = min(width, x.width + places)
        here = x.shifted(grown - x.width)
        lost = x.width + places - grown
        if lost >= x.width:
            moved, dropped = g.const(0, grown), x.any()
        else:
            moved = g.cat(x[lost:], g.const(0, grown - x.width + lost))
            dropped = x[:lost].any() if lost else g.const(0, 1)
        sticky = sticky | (amount[k] & dropped)
        x = g.step(f"{name}_{places}", g.mux(amount[k], moved, here))
    return x.shifted(width - x.width), g.step(f"{name}_sticky", sticky)
