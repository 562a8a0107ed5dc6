"""Special operands: which results are NaN, infinite or invalid, before any arithmetic."""

from __future__ import annotations

from fpgen.rtl.graph import Graph, Node

from .rounder import Special
from .unpack import Operand


def of_product(g: Graph, a: Operand, b: Operand, sign: Node) -> Special:
    """inf * 0 is invalid (IEEE 754-2019, 7.2 b)."""
    infinity = a.infinity | b.infinity
    clash = (a.infinity & b.zero) | (b.infinity & a.zero)
    nan = a.nan | b.nan | clash
    invalid = a.signaling | b.signaling | (clash & ~a.nan & ~b.nan)
    return Special(g.step("product_nan", nan), g.step("product_infinite", infinity & ~nan), invalid, sign)


def of_operand(g: Graph, a: Operand) -> Special:
    return Special(a.nan, a.infinity, a.signaling, a.sign)


def of_sum(g: Graph, x: Special, y: Special) -> Special:
    """inf - inf is invalid (7.2 d)."""
    opposite = x.infinity & y.infinity & (x.infinity_sign ^ y.infinity_sign)
    nan = x.nan | y.nan
    clash = opposite & ~nan
    infinity = (x.infinity | y.infinity) & ~nan & ~clash
    sign = g.mux(x.infinity, x.infinity_sign, y.infinity_sign)
    return Special(
        g.step("result_nan", nan | clash), g.step("result_infinite", infinity), x.invalid | y.invalid | clash, sign
    )
