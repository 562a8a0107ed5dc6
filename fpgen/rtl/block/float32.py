"""Products and quotients rounded to float32, one after another, as software computes them."""

from __future__ import annotations

from fractions import Fraction

from fpgen.formats import as_format
from fpgen.rtl.float import special_operands
from fpgen.rtl.float.cores import operand_alone, product
from fpgen.rtl.float.rounder import Mode, Special, Target, round_and_pack
from fpgen.rtl.float.unpack import Operand, unpack
from fpgen.rtl.graph import Graph, Node
from fpgen.units.options import Overflow, Rounding, Semantics

from .factor import normalise
from .ratio import Quotient, constant, rounded_quotient

FLOAT = as_format("fp32")
_TARGET = Target(FLOAT, Semantics(Rounding.RNE, Overflow.IEEE), False)
#: 1 / 6 in float32.
SIXTH = Fraction(0xAAAAAB, 1 << 26)


def float_product(g: Graph, a: Operand, b: Operand, name: str) -> Operand:
    """a * b in float32."""
    first, second = sorted((a, b), key=lambda operand: -operand.significand.width)
    value = product(g, first, second, _TARGET)
    what = special_operands.of_product(g, a, b, value.sign)
    code, _ = round_and_pack(g, value, what, _mode(g, _TARGET), _TARGET)
    return unpack(g, g.step(name, code), FLOAT, False, name)


def float_quotient(g: Graph, a: Operand, d: Operand, name: str) -> Operand:
    """a / d in float32."""
    sign = a.sign ^ d.sign
    nan = a.nan | d.nan | (a.zero & d.zero) | (a.infinity & d.infinity)
    infinite = (a.infinity | d.zero) & ~nan
    what = Special(g.step(f"{name}_invalid", nan), g.step(f"{name}_infinite", infinite), g.const(0, 1), sign)
    quotient = Quotient(
        name=f"{name}_digits",
        sign=sign,
        dividend=normalise(g, a, f"{name}_dividend"),
        divisor=normalise(g, d, f"{name}_divisor"),
        zero=a.zero | d.infinity,
        network="sklansky",
    )
    code = rounded_quotient(g, quotient, what, _mode(g, _TARGET), _TARGET)
    return unpack(g, g.step(name, code), FLOAT, False, name)


def float_constant(g: Graph, value: Fraction | int) -> Operand:
    """A positive constant that float32 holds."""
    return constant(g, Fraction(value))


def converted(g: Graph, a: Operand, target: Target) -> Node:
    """The code of a number in another format."""
    return round_and_pack(g, operand_alone(g, a, target), special_operands.of_operand(g, a), _mode(g, target), target)[
        0
    ]


def product_in(g: Graph, a: Operand, b: Operand, target: Target) -> tuple[Node, Node]:
    """The code of a * b in another format, and whether the product is NaN."""
    first, second = sorted((a, b), key=lambda operand: -operand.significand.width)
    value = product(g, first, second, target)
    what = special_operands.of_product(g, a, b, value.sign)
    return round_and_pack(g, value, what, _mode(g, target), target)[0], what.nan


def _mode(g: Graph, target: Target) -> Mode:
    return Mode.of(g, target.semantics, None, None)
