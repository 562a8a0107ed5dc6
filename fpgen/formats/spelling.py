"""A format as text that `fpgen.formats.parse` reads back, without looking at any catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .descriptor import Format


def default_bias(exponent_bits: int) -> int:
    """The IEEE 754 bias for a field of `exponent_bits` bits (754-2019, 3.4)."""
    return (1 << (exponent_bits - 1)) - 1


def spell(fmt: Format) -> str:
    """A format in the grammar of `fpgen.formats.parse`, every non-default option written out.

    Precision 1 writes the sign (``s`` or ``u``) and the unsigned options too, so that it is
    never mistaken for the scale that OCP calls E8M0.
    """
    options = []
    if fmt.fixed:
        if fmt.scale:
            options.append(f"scale={fmt.scale}")
        if fmt.symmetric:
            options.append("symmetric=yes")
        head = f"{'' if fmt.signed else 'u'}int{fmt.bits}"
    else:
        bare_power = fmt.precision == 1
        if fmt.bias != default_bias(fmt.exponent_bits):
            options.append(f"bias={fmt.bias}")
        options.append(f"inf={fmt.infinity.value}")
        options.append(f"nan={fmt.nan.value}")
        if not fmt.subnormals or (bare_power and not fmt.signed):
            options.append(f"subnormals={'yes' if fmt.subnormals else 'no'}")
        if not fmt.zero or (bare_power and not fmt.signed):
            options.append(f"zero={'yes' if fmt.zero else 'no'}")
        sign = ("s" if bare_power else "") if fmt.signed else "u"
        head = f"{sign}e{fmt.exponent_bits}m{fmt.trailing_bits}"
    return head + (":" + ",".join(options) if options else "")
