"""Special operands of a sum of many terms.

In the order of precedence: a NaN among terms and addend, or an invalid product, makes NaN; infinities of both signs
do, too (and are invalid, but not where a NaN hides them); one infinity makes infinity.
"""

from __future__ import annotations

from collections.abc import Sequence

from fpgen.rtl.float.rounder import Special
from fpgen.rtl.float.special_operands import of_operand, of_product
from fpgen.rtl.float.unpack import Operand
from fpgen.rtl.graph import Graph, Node

from .inputs import Inputs


def of_terms(g: Graph, terms: Sequence[Special]) -> Special:
    """Of a sum; each term as if it stood alone."""
    nan = g.step("terms_nan", _any(g, [term.nan for term in terms]))
    plus = g.step("terms_plus_infinity", _any(g, [term.infinity & ~term.infinity_sign for term in terms]))
    minus = g.step("terms_minus_infinity", _any(g, [term.infinity & term.infinity_sign for term in terms]))
    invalid = g.step("terms_invalid", _any(g, [term.invalid for term in terms]))
    clash = plus & minus & ~nan
    infinity = (plus ^ minus) & ~nan
    return Special(g.step("result_nan", nan | clash), g.step("result_infinite", infinity), invalid | clash, minus)


def scaled(g: Graph, scale: Special, scale_zero: Node, term: Special, term_zero: Node) -> Special:
    """Of a factor times a term, both with specials and signs of their own."""
    clash = (scale.infinity & term_zero) | (scale_zero & term.infinity)
    nan = scale.nan | term.nan
    hidden = clash & ~nan
    return Special(
        nan | clash,
        (scale.infinity | term.infinity) & ~nan & ~clash,
        scale.invalid | term.invalid | hidden,
        term.infinity_sign ^ scale.infinity_sign,
    )


def product(g: Graph, a: Operand, b: Operand) -> Special:
    """Of one product of elements."""
    return of_product(g, a, b, a.sign ^ b.sign)


def of_scales(g: Graph, scales: Sequence[Operand]) -> tuple[Special, Node]:
    """Of the product of one or two scales, and whether that is zero."""
    if len(scales) == 1:
        return of_operand(g, scales[0]), scales[0].zero
    first, second = scales
    return of_product(g, first, second, first.sign ^ second.sign), first.zero | second.zero


def of_inputs(g: Graph, inputs: Inputs) -> Special:
    """Of everything that a sum of products is made of, scales and addend included."""
    g.section("Special operands")
    terms: list[Special] = []
    size = len(inputs.a) // len(inputs.scales)
    for i, (a, b) in enumerate(zip(inputs.a, inputs.b, strict=True)):
        term = product(g, a, b)
        if scales := inputs.scales[i // size]:
            both, zero = of_scales(g, scales)
            term = scaled(g, both, zero, term, a.zero | b.zero)
        terms.append(term)
    if inputs.c is not None:
        terms.append(of_operand(g, inputs.c))
    return of_terms(g, terms)


def _any(g: Graph, bits: Sequence[Node]) -> Node:
    return g.cat(*bits).any() if bits else g.const(0, 1)
