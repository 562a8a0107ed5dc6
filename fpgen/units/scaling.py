"""How the scale of a block is chosen: the names of the choices. `fpgen.units.quantize` is the text that defines them."""

from __future__ import annotations

import enum
from fractions import Fraction

from ..formats import BlockFormat, Format


class ScalePolicy(enum.Enum):
    FLOOR = "floor"
    CEIL = "ceil"
    EVEN = "even"
    RCEIL = "rceil"
    MIDMAX = "midmax"
    ROUND = "round"
    ROUND_AMAX = "round-amax"
    NEAREST = "nearest"
    UP = "up"

    def __str__(self) -> str:
        return self.value


RATIO_POLICIES = (ScalePolicy.NEAREST, ScalePolicy.UP)
POWER_POLICIES = tuple(policy for policy in ScalePolicy if policy not in RATIO_POLICIES)


def policies_of(block: BlockFormat) -> tuple[ScalePolicy, ...]:
    """The policies that a block format takes, its default first."""
    return POWER_POLICIES if block.power_of_two_scale and block.tensor_scale is None else RATIO_POLICIES


def midmax_limit(element: Format) -> Fraction:
    """The largest amax that ``midmax`` leaves under a scale of 1: (2 - 2**(-m - 1 + b)) * 2**emax.

    Of the 2**m magnitudes in the top binade of `element` the format reserves r for NaN and infinity: b = log2(r + 1)
    bits, or none where the power of two is the only number of that binade (Brevitas 0.13.4,
    brevitas/function/ops.py: calculate_midmax_bias; utils/float_quant_utils.py: get_midmax_mantissa_bit_bias).
    """
    trailing = element.emax - element.scale if element.fixed else element.precision - 1
    numbers = int(element.max_finite * Fraction(2) ** (trailing - element.emax)) - (1 << trailing) + 1
    lost = (1 << trailing) - numbers + 1 if numbers > 1 else 1
    return (2 - Fraction(lost, 2 << trailing)) * Fraction(2) ** element.emax
