"""From numbers to a block and back: BlockQuantize, BlockDequantize.

The scale
---------
amax is the largest magnitude of the block, M the element format's largest finite value, emax the exponent of M, T the
tensor scale (1 where there is none). Before clamping, the scale is

- ``floor``: 2**(floor(log2 amax) - emax) (OCP MX 1.0, 6.3; microxcaling)
- ``ceil``: 2**(ceil(log2 amax) - emax) (torchao CEIL)
- ``even``: as floor, with amax first rounded to the element's precision, ties to even (torchao EVEN, AMD Quark)
- ``rceil``: the least 2**s with amax <= M * 2**s (NVIDIA ``cvt.rp.ue8m0``, torchao RCEIL)
- ``midmax``: the least 2**s with amax <= (2 - (1 + r) * 2**(-m - 1)) * 2**emax * 2**s, where the elements have m bits
  behind the leading one and r of the 2**m magnitudes of M's binade are not numbers (0 where 2**m - 1 of them are not)
  (Brevitas 0.13, RoundMidMaxSte and get_midmax_mantissa_bit_bias)
- ``round``: 2**(log2(amax / M) rounded to the nearest integer): the s with 2**(s - 1/2) * M < amax < 2**(s + 1/2) * M,
  which decides amax**2 against 2 * M**2 * 2**(2 * s - 2), both rational and never equal (MLX's Metal and CPU back ends
  before mlx#4353)
- ``round-amax``: 2**((log2 amax rounded to the nearest integer) - emax), decided as ``round`` with 2**emax for M
  (Brevitas 0.13, RoundSte with its MX formats)
- ``nearest``: amax / (M * T) rounded to nearest even in the scale format (NVFP4)
- ``up``: amax / (M * T) rounded up in the scale format (NVFP4; cuDNN quantize_round_up)

The first seven belong to scales that are powers of two without a tensor scale, the last two to the others.

`scale_floor` raises smaller scales to the smallest positive or smallest normal number of the scale format
(``nearest`` and ``up`` only: the others never go below it), and `zero_scale` gives blocks of zeros a scale other than
code 0.

1. A scale above the largest of the format becomes the largest, and elements saturate. A power of two below the
   smallest becomes the smallest. ``nearest`` may give the zero of the scale format.
2. A block of zeros has scale code 0: the smallest scale, or zero where there is one; or what `zero_scale` names.
3. Where the scale has a NaN: a NaN or infinity in the block, or a tensor scale that is not positive and finite, makes
   the scale NaN and all element codes 0. Where it has none: amax is that of the finite values, the others are
   converted as they are; and a bad tensor scale gives scale code 0 and element codes 0.
4. An element is v / (scale * T), rounded once by the unit's rounding and overflow (default: saturating). With a zero
   scale it is a zero of v's sign.

Like a library
--------------
`like` replaces all of the above, for elements e2m1, scales ue4m3 and a tensor scale fp32 (or none: 1), by the float32
operations of a library, in its order; fl() rounds to float32 to nearest even, with subnormals, infinities and NaN as
IEEE 754 has them. v are the numbers, amax is a largest magnitude that may be infinite, S the scale, T the tensor scale,
and E the encode scale, which takes its place.

``torchao`` (0.18.0)
    S = fl(fl(amax / 6) / T), at least 2**-6 and at most 448, to nearest even in ue4m3;
    element: fl(v * fl(fl(1 / T) / S)), to nearest even in e2m1, saturating.
    Where the product is NaN (of a NaN, or 0 times an infinite reciprocal) the library's element depends on the sign
    and payload that the processor gives a NaN; the unit's is code 0.
``modelopt`` (0.47.0)
    S = fl(amax / fl(6 * T)), or 1 where that is 0, at least 2**-9 and at most 448, to nearest even in ue4m3;
    element: fl(v / fl(S * T)), to nearest even in e2m1, saturating; code 7 for NaN, and +0 for a quotient of -0.
``transformer-engine`` (2.20.2, kernels without fast math)
    S = fl(amax * fl(E * fl(1 / 6))), to nearest even in ue4m3, saturating, which may give zero;
    element: fl(v * min(fl(1 / fl(S * fl(1 / E))), the largest float32)), to nearest even in e2m1, saturating; code 7
    for NaN. amax is that of the numbers that are not NaN, and min() of NaN and a number is the number.

With the first two a NaN among the numbers makes amax and S NaN; infinities saturate. A tensor (encode) scale that is
not positive and finite makes the scale NaN and all element codes 0, whatever a library makes of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from fpgen.base.errors import UsageError
from fpgen.formats import BlockFormat, Format, as_block, as_format

from .block_operand import BlockOperand
from .options import Overflow, Rounding, Subnormals, as_enum
from .ports import Port, Role
from .rounded import RoundedUnit
from .scaling import (
    POWER_POLICIES,
    RATIO_POLICIES,
    Like,
    ScaleFloor,
    ScalePolicy,
    ZeroScale,
    least_codes,
    one_code,
    policies_of,
)

__all__ = ["POWER_POLICIES", "RATIO_POLICIES", "BlockDequantize", "BlockQuantize", "ScalePolicy", "policies_of"]


@dataclass(frozen=True, kw_only=True)
class BlockQuantize(RoundedUnit):
    """`block.size` numbers become element codes and one scale code.

    Parameters
    ----------
    source : Format or str
        Signed floating point, such as fp32, bf16, fp16.
    block : BlockFormat or str
    policy : ScalePolicy or str, optional
        Default: ``floor`` for scales that are powers of two, else ``nearest``.
    clamp : bool
        Accept a scale format whose largest scale is too small for the largest source values.
    scale_floor : ScaleFloor or str
        ``none``, ``smallest`` or ``normal``: the smallest scale of a block that is not all zeros.
    zero_scale : ZeroScale or str
        ``lowest``, ``smallest``, ``normal`` or ``one``: the scale of a block of zeros.
    like : Like or str
        ``torchao``, ``modelopt`` or ``transformer-engine``: every bit as that library's float32 arithmetic makes it.
        Default: ``none``, the exact definition.
    rounding, overflow
        Of the elements. Overflow: default ``saturate``. Stochastic rounding takes one random number for each element.

    Notes
    -----
    Ports: `source` carries the numbers, `tensor_scale` the tensor scale where the block format has one (with
    ``like=transformer-engine`` `encode_scale`, which numbers are multiplied by: 2688 / the tensor's amax); `result`
    carries the element codes, `scale` the scale code. See `fpgen.units.quantize` for the arithmetic.
    """

    operation: ClassVar[str] = "quantize"
    operand_names: ClassVar[tuple[str, ...]] = ("source",)
    out_name: ClassVar[str] = "block"
    can_flag: ClassVar[bool] = False

    source: Format
    block: BlockFormat
    out: Format = None  # type: ignore[assignment]  # filled in: the element format
    policy: ScalePolicy | None = None
    clamp: bool = False
    scale_floor: ScaleFloor = field(default=ScaleFloor.NONE, metadata={"hashed": "when set"})
    zero_scale: ZeroScale = field(default=ZeroScale.LOWEST, metadata={"hashed": "when set"})
    like: Like = field(default=Like.NONE, metadata={"hashed": "when set"})

    def _prepare(self) -> None:
        self._set("block", as_block(self.block))
        if self.out is not None and as_format(self.out) != self.block.element:
            raise UsageError(
                f"out: got {self.out} with block={self.block}; expected its element format {self.block.element}, "
                "or none given"
            )
        self._set("out", self.block.element)
        if self.policy is None:
            self._set("policy", policies_of(self.block)[0])
        self._set("policy", as_enum("policy", self.policy, ScalePolicy))
        self._set("scale_floor", as_enum("scale_floor", self.scale_floor, ScaleFloor))
        self._set("zero_scale", as_enum("zero_scale", self.zero_scale, ZeroScale))
        self._set("like", as_enum("like", self.like, Like))

    @property
    def _default_overflow(self) -> Overflow:
        return Overflow.SATURATE

    def _default(self, name: str) -> Any:
        return policies_of(self.block)[0] if name == "policy" else super()._default(name)

    def _validate(self) -> None:
        if self.source.fixed or not self.source.signed:
            raise UsageError(f"source: got {self.source}; expected a signed floating-point format")
        if self.subnormals is not Subnormals.FULL:
            raise UsageError(f"subnormals: got {self.subnormals.value} with quantize; expected full (OCP MX 1.0, 5.3)")
        if not isinstance(self.clamp, bool):
            raise UsageError(f"clamp: got {self.clamp!r}; expected True or False")
        allowed = policies_of(self.block)
        if self.policy not in allowed:
            kind = "a power of two" if self.block.power_of_two_scale else "not a power of two"
            tensor = " with a tensor scale" if self.block.tensor_scale else ""
            raise UsageError(
                f"policy: got {self.policy} with scale {self.block.scale}{tensor}, which is {kind}; "
                f"expected one of {', '.join(policy.value for policy in allowed)}"
            )
        self._validate_scales()
        if self.like is not Like.NONE:
            self._validate_like()
        largest = self.source.max_finite / self.block.element.max_finite
        if self.block.tensor_scale is None and not self.clamp and largest >= 2 * self.block.scale.max_finite:
            raise UsageError(
                f"scale: got {self.block.scale}, up to {float(self.block.scale.max_finite):g}, but {self.source} "
                f"in {self.block.element} needs scales up to {float(largest):g}; expected a scale format with that "
                "range, a tensor scale, or clamp=on (larger blocks saturate)"
            )

    def _validate_scales(self) -> None:
        scale, floor, zero = self.block.scale, self.scale_floor, self.zero_scale
        if floor is not ScaleFloor.NONE:
            no_lower = self.policy is ScalePolicy.UP and floor is ScaleFloor.SMALLEST
            if self.policy in POWER_POLICIES or least_codes(scale)[floor.value] == 0 or no_lower:
                raise UsageError(
                    f"scale_floor with policy={self.policy} and scale {scale}, which goes no lower "
                    f"anyway: got {floor.value}; expected none"
                )
        if zero is ZeroScale.ONE:
            if one_code(scale) is None:
                raise UsageError(f"zero_scale: got one; expected lowest, smallest or normal ({scale} has no 1)")
        elif zero is not ZeroScale.LOWEST and least_codes(scale)[zero.value] == 0:
            raise UsageError(f"zero_scale: got {zero.value}; expected lowest (code 0 of {scale} is that) or one")

    def _validate_like(self) -> None:
        like, block = self.like.value, self.block
        for name in ("scale_floor", "zero_scale"):
            value = getattr(self, name)
            if value is not self._default(name):
                raise UsageError(f"{name} with like={like}, which decides it: got {value.value}; expected none given")
        formats = {
            "block's elements": (block.element, "e2m1"),
            "block's scale": (block.scale, "ue4m3"),
            "block's tensor scale": (block.tensor_scale, "fp32"),
        }
        for what, (got, want) in formats.items():
            if got is not None and got != as_format(want):
                raise UsageError(f"{what} with like={like}: got {got}; expected {want}")
        source = self.source
        if source.precision > 24 or source.emax > 127 or source.quantum_exponent < -149:
            raise UsageError(f"source with like={like}: got {source}; expected a format whose values float32 holds")
        if self.policy is not ScalePolicy.NEAREST:
            raise UsageError(f"policy with like={like}: got {self.policy}; expected nearest")
        if self.rounding is not Rounding.RNE or self.overflow is not Overflow.SATURATE:
            raise UsageError(
                f"rounding and overflow with like={like}: got {self.rounding.value}, "
                f"{self._policy.value}; expected rne, saturate"
            )

    @property
    def tensor_operand(self) -> str:
        """The port with the scale of the tensor; empty where the block format has none."""
        if self.block.tensor_scale is None:
            return ""
        return "encode_scale" if self.like.takes_encode_scale else "tensor_scale"

    @property
    def operands(self) -> dict[str, Format]:
        tensor = {self.tensor_operand: self.block.tensor_scale} if self.block.tensor_scale else {}
        return {"source": self.source, **tensor}

    def _operand_ports(self) -> list[Port]:
        shapes = {"source": (self.block.size,)}
        return [Port.of_codes(name, fmt, Role.OPERAND, shapes.get(name, ())) for name, fmt in self.operands.items()]

    def _result_ports(self) -> list[Port]:
        return [
            Port.of_codes("result", self.out, Role.RESULT, (self.block.size,)),
            Port.of_codes("scale", self.block.scale, Role.RESULT),
        ]

    @property
    def nan_text(self) -> str:
        scale = self.block.scale
        if not scale.has_nan:
            return super().nan_text
        return f"A NaN or infinity in the block makes the scale NaN ({scale.nan_code:#x}) and all element codes 0."

    @property
    def _random_shape(self) -> tuple[int, ...]:
        return (self.block.size,)

    @property
    def multiplies(self) -> bool:
        return self.block.tensor_scale is not None or self.like is not Like.NONE  # the scale by it, numbers by a factor

    @property
    def _promise(self) -> str:
        if self.like is not Like.NONE:
            return f"scale and elements as {self.like.value} computes them in float32"
        return f"scale by {self.policy}, elements correctly rounded"

    @property
    def _conditions(self) -> list[str]:
        least = {
            "smallest": f"the smallest positive {self.block.scale}",
            "normal": f"the smallest normal {self.block.scale}",
            "one": "1",
        }
        notes = super()._conditions
        if self.scale_floor is not ScaleFloor.NONE:
            notes.append(f"no scale below {least[self.scale_floor.value]}")
        if self.zero_scale is not ZeroScale.LOWEST:
            notes.append(f"scale of zeros {least[self.zero_scale.value]}")
        return notes


@dataclass(frozen=True, kw_only=True)
class BlockDequantize(RoundedUnit):
    """``element * scale`` (times the tensor scale), exactly, rounded once to `out`; a NaN scale makes all of them NaN.

    Parameters
    ----------
    block : BlockFormat or str
    out : Format or str

    Notes
    -----
    Ports: `elements` and `result` carry `block.size` codes, `scale` one, `tensor_scale` one where the block format
    has it. Products follow IEEE 754-2019: a zero scale times an infinite element is NaN.
    """

    operation: ClassVar[str] = "dequantize"
    operand_names: ClassVar[tuple[str, ...]] = ("block",)
    can_flag: ClassVar[bool] = False

    block: BlockFormat

    def _prepare(self) -> None:
        self._set("block", as_block(self.block))

    @property
    def _format_names(self) -> tuple[str, ...]:
        return ()

    def _validate(self) -> None:
        if self.subnormals is not Subnormals.FULL:
            raise UsageError(
                f"subnormals: got {self.subnormals.value} with dequantize; expected full (OCP MX 1.0, 5.3)"
            )

    @property
    def block_operands(self) -> tuple[BlockOperand, ...]:
        tensor = "tensor_scale" if self.block.tensor_scale is not None else ""
        return (BlockOperand("elements", "scale", tensor, self.block, (self.block.size,), -1),)

    @property
    def operands(self) -> dict[str, Format]:
        tensor = {"tensor_scale": self.block.tensor_scale} if self.block.tensor_scale else {}
        return {"elements": self.block.element, "scale": self.block.scale, **tensor}

    def _operand_ports(self) -> list[Port]:
        shapes = {"elements": (self.block.size,)}
        return [Port.of_codes(name, fmt, Role.OPERAND, shapes.get(name, ())) for name, fmt in self.operands.items()]

    def _result_ports(self) -> list[Port]:
        return [Port.of_codes("result", self.out, Role.RESULT, (self.block.size,))]

    @property
    def multiplies(self) -> bool:
        return not self.block.power_of_two_scale or self.block.tensor_scale is not None

    @property
    def _random_shape(self) -> tuple[int, ...]:
        return (self.block.size,)
