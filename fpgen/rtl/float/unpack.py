"""From a code to sign, exponent, significand and class.

Subnormals are not normalised: their exponent reads as that of the lowest
normal binade and their significand has leading zeros. Cores count those where
it matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from fpgen.formats.code_classes import Infinity, NaN
from fpgen.formats.descriptor import Format
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.graph import Graph, Node


@dataclass(frozen=True)
class Operand:
    """A decoded operand: ``(-1)**sign * significand * 2**exponent``.

    Attributes
    ----------
    sign : Node
    exponent : Quantity
        Exponent of the significand's last bit.
    significand : Node
        `format.significand_bits` bits.
    normalised : Node
        1 when the top bit of the significand is known to be set (0: it may have leading zeros).
    zero, infinity, nan, signaling : Node
    code : Node or None
        What was decoded.
    name : str
        What it is known as: the start of the names of its steps.
    """

    format: Format
    sign: Node
    exponent: Quantity
    significand: Node
    normalised: Node
    infinity: Node
    nan: Node
    signaling: Node
    code: Node | None = None
    name: str = ""

    @property
    def zero(self) -> Node:
        if self.format.fixed and self.code is not None:
            return self.code.none()
        return self.significand.none()

    @property
    def top_exponent(self) -> Quantity:
        """Exponent of the significand's top bit."""
        return self.exponent + (self.significand.width - 1)

    @property
    def least_bits(self) -> list[tuple[int, int, int]]:
        """(fewest significant bits, lowest exponent, highest exponent of the last bit) for each kind of value."""
        low, high = self.exponent.low, self.exponent.high
        if self.format.fixed:
            return [(1, low, high)]
        kinds = [(self.significand.width, low, high)]
        if self.format.zero and self.format.precision > 1 and self.normalised.constant != 1:
            kinds.append((1, low, low))
        return kinds


def unpack(g: Graph, code: Node, fmt: Format, flush: bool, name: str, section: str = "") -> Operand:
    """Decode `code`; with `flush`, subnormals read as zero. `section` is a heading for one of many operands."""
    g.section(section or f"Unpack {name}: {fmt}")
    if fmt.fixed:
        return _unpack_fixed(g, code, fmt, name)
    fraction_bits = fmt.trailing_bits
    field = code[fraction_bits : fmt.magnitude_bits]
    fraction = code[:fraction_bits] if fraction_bits else None
    low_field = 1 if fmt.zero else 0
    off = -fmt.bias - fraction_bits
    highest = fmt.max_finite_code >> fraction_bits
    # The exponent field read as a binade: field 0 shares the exponent of field 1.
    if fmt.zero:
        normal = g.step(f"{name}_normal", field.any())
        lowest = g.step(f"{name}_exponent_lsb", field[0] | ~normal)
        binade = g.cat(lowest, field[1:]) if field.width > 1 else g.const(1, 1)
    else:
        normal, binade = g.const(1, 1), field
    top = max(highest, low_field)
    if top == low_field:  # one binade only
        exponent = Quantity.constant(g, low_field + off)
    else:
        exponent = Quantity(binade, low_field + off, top + off, off)
    if fraction is None:
        significand = normal
    else:
        if flush or not fmt.subnormals:
            fraction = fraction & normal.repeat(fraction_bits) if fmt.zero else fraction
        significand = g.cat(fraction, normal)
    sign = code[-1] if fmt.signed else g.const(0, 1)
    infinity, nan, signaling = _specials(g, code, field, fmt, name)
    return Operand(
        format=fmt,
        sign=sign,
        exponent=exponent,
        significand=significand,
        normalised=normal,
        infinity=infinity,
        nan=nan,
        signaling=signaling,
        code=code,
        name=name,
    )


def _specials(g: Graph, code: Node, field: Node, fmt: Format, name: str) -> tuple[Node, Node, Node]:
    never = g.const(0, 1)
    infinity = nan = signaling = never
    magnitude = code[: fmt.magnitude_bits]
    match fmt.nan:
        case NaN.NONE:
            pass
        case NaN.IEEE:
            top = g.step(f"{name}_top_binade", field.all())
            fraction = code[: fmt.trailing_bits]
            some = fraction.any()
            infinity, nan = top & ~some, top & some
            if fmt.has_signaling_nan:
                signaling = nan & ~fraction[-1]
        case NaN.ALL_ONES:
            nan = magnitude.all()
        case NaN.NEGATIVE_ZERO:
            nan = code.equals(fmt.sign_mask)
        case unknown:
            assert_never(unknown)
    match fmt.infinity:
        case Infinity.NONE | Infinity.IEEE:  # (IEEE: found above, with the NaN)
            pass
        case Infinity.TOP:
            infinity = magnitude.equals(fmt.infinity_code)
        case other:
            assert_never(other)
    return (g.step(f"{name}_infinite", infinity), g.step(f"{name}_nan", nan), g.step(f"{name}_signaling", signaling))


def _unpack_fixed(g: Graph, code: Node, fmt: Format, name: str) -> Operand:
    never = g.const(0, 1)
    sign = code[-1] if fmt.signed else never
    magnitude = code
    if fmt.signed:
        flipped = code ^ sign.repeat(code.width)
        magnitude = g.add(flipped, sign.zext(code.width))
    g.step(f"{name}_magnitude", magnitude)
    return Operand(
        format=fmt,
        sign=sign,
        exponent=Quantity.constant(g, fmt.scale),
        significand=magnitude,
        normalised=never,
        infinity=never,
        nan=never,
        signaling=never,
        code=code,
        name=name,
    )
