"""`mask=on`: a pin with a bit for each product of a sum; the products whose bit is 1 add nothing.

A masked lane is a zero: it has no exponent that others are aligned to, no special value, and no sign that a sum could
take over. Its operands are replaced by constants in front of everything else, so that nothing toggles in it. Scales and
zero points belong to blocks, not to lanes, and count whatever is masked: a NaN scale makes the result NaN.

Where products are added one by one (``accumulate=chain`` of plain operands) the sign of a zero can be seen. There a
masked product is -0, and +0 under RDN: adding that changes nothing (IEEE 754-2019, 6.3). Elsewhere sums of zero are +0
by definition, and both operands are +0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpgen.base.errors import UsageError

from .accumulation import Kind
from .ports import Port, Role

if TYPE_CHECKING:
    from .dot import SumOfProducts


def mask_port(unit: SumOfProducts) -> Port:
    """The pin: bit i is of product i."""
    return Port("mask", unit.products, True, Role.CONTROL, None, (unit.products,))


def signs_show(unit: SumOfProducts) -> bool:
    """Whether the sign of a product that is zero can change a result."""
    return unit.accumulate.kind is Kind.CHAIN and not unit.scaled_operands and unit.presum == 1


def masked_codes(unit: SumOfProducts, *, down: bool) -> dict[str, int]:
    """By operand, `a` and `b`, the code that takes the place of a masked one; `down` under RDN."""
    a, b, _ = unit._formats()
    if down or not signs_show(unit):
        return {"a": 0, "b": 0}
    if a.has_negative_zero:
        return {"a": a.sign_mask, "b": 0}
    if b.has_negative_zero:
        return {"a": 0, "b": b.sign_mask}
    # Without a zero of that sign: a negative number times zero.
    if a.signed:
        return {"a": a.min_finite_code, "b": 0}
    return {"a": 0, "b": b.min_finite_code if b.signed else 0}


def check_mask(unit: SumOfProducts) -> None:
    """Reject masks of operands that cannot be made zero by their codes.

    Raises
    ------
    UsageError
    """
    if not isinstance(unit.mask, bool):
        raise UsageError(f"mask: got {unit.mask!r}; expected on or off")
    if not unit.mask:
        return
    if unit.zeroed_operands:
        names = " and ".join(f"{name}_zero" for name in unit.zeroed_operands)
        raise UsageError(f"mask: got on with {names}; expected operands without zero points, whose code 0 is zero")
    a, b, _ = unit._formats()
    for name, fmt in (("a", a), ("b", b)):
        if not fmt.zero:
            raise UsageError(f"mask: got on with {name} in {fmt}, which has no zero; expected formats with one")
