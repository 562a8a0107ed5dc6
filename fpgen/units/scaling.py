"""How the scale of a block is chosen: the names of the choices, which `fpgen.units.quantize` defines."""

from __future__ import annotations

import enum
from fractions import Fraction
from typing import assert_never

from fpgen.formats import BlockFormat, Format


class ScalePolicy(enum.Enum):
    """How the scale of a block is chosen from its numbers; defined in docs/blocks.md."""

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


class ScaleFloor(enum.Enum):
    """The smallest scale of a block that is not all zeros."""

    NONE = "none"
    SMALLEST = "smallest"  # of the scale format, above zero
    NORMAL = "normal"  # the smallest normal number of the scale format


class ZeroScale(enum.Enum):
    """The scale of a block of zeros."""

    LOWEST = "lowest"  # code 0: the smallest scale, or zero where there is one
    SMALLEST = "smallest"
    NORMAL = "normal"
    ONE = "one"


class Like(enum.Enum):
    """Whose float32 arithmetic a unit repeats, bit for bit, instead of the exact definition."""

    NONE = "none"
    TORCHAO = "torchao"  # 0.18.0, prototype/mx_formats/nvfp4_tensor.py, nvfp4_quantize, on a CPU
    MODELOPT = "modelopt"  # 0.47.0, torch/quantization/qtensor/nvfp4_tensor.py, NVFP4QTensor.quantize
    TRANSFORMER_ENGINE = "transformer-engine"  # 2.20.2, common/cast/nvfp4/quantize_transpose_nvfp4.cuh

    @property
    def takes_encode_scale(self) -> bool:
        """Whether the tensor's scale is given as what numbers are multiplied by, 1 / T."""
        match self:
            case Like.TRANSFORMER_ENGINE:
                return True
            case Like.NONE | Like.TORCHAO | Like.MODELOPT:
                return False
            case _:
                assert_never(self)

    @property
    def spoilt_by_nan(self) -> bool:
        """Whether a NaN makes the scale of its block NaN."""
        match self:
            case Like.TRANSFORMER_ENGINE:
                return False
            case Like.NONE | Like.TORCHAO | Like.MODELOPT:
                return True
            case _:
                assert_never(self)


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


def one_code(fmt: Format) -> int | None:
    """The code of 1 in an unsigned format, if it has one."""
    field = fmt.bias << fmt.trailing_bits
    return field if 0 <= field <= fmt.max_finite_code and fmt.value(field) == 1 else None


def least_codes(fmt: Format) -> dict[str, int]:
    """Codes of the smallest positive and of the smallest normal number of an unsigned floating-point format."""
    normal = 1 << fmt.trailing_bits if fmt.zero else 0
    return {"smallest": 1 if fmt.zero and fmt.subnormals and fmt.trailing_bits else normal, "normal": normal}


def floor_code(floor: ScaleFloor, fmt: Format) -> int:
    """The code below which no block that is not all zeros has its scale."""
    match floor:
        case ScaleFloor.NONE:
            return 0
        case ScaleFloor.SMALLEST | ScaleFloor.NORMAL:
            return least_codes(fmt)[floor.value]
        case _:
            assert_never(floor)


def zero_code(zero: ZeroScale, fmt: Format) -> int:
    """The scale code of a block of zeros."""
    match zero:
        case ZeroScale.LOWEST:
            return 0
        case ZeroScale.SMALLEST | ZeroScale.NORMAL:
            return least_codes(fmt)[zero.value]
        case ZeroScale.ONE:
            code = one_code(fmt)
            assert code is not None
            return code
        case _:
            assert_never(zero)
