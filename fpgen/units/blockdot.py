"""result = sum of products of block-scaled (or plain) elements, with all scales and zero points applied (+ c)."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fpgen.base.errors import UsageError
from fpgen.formats import BlockFormat, Format, as_format, as_plain_or_block

from .accumulation import Kind
from .block_operand import BlockOperand
from .dot import LARGEST_SUM, SumOfProducts
from .machines import LIKE, nearest_case
from .ports import Port, Role
from .presets import Case


@dataclass(frozen=True, kw_only=True)
class ScaledProducts(SumOfProducts):
    """What sums of products of block-scaled operands have in common.

    Parameters
    ----------
    a, b : Format, BlockFormat or str
        Blocks run along k. (``mxint8``, which names a format of either kind, means the block format.)
    a_zero, b_zero : Format or str, optional
        Integer format of a zero point for each block of `a` or `b`, whose elements are integers with the same step:
        an element then stands for ``(element - zero point) * scale`` (GPTQ, AWQ; ONNX QuantizeLinear).
    """

    a: Format | BlockFormat
    b: Format | BlockFormat
    a_zero: Format | None = field(default=None, metadata={"hashed": "when set"})
    b_zero: Format | None = field(default=None, metadata={"hashed": "when set"})

    def _prepare_operands(self) -> None:
        for name in "ab":
            self._set(name, as_plain_or_block(getattr(self, name)))
            zero = self.zero_format(name)
            if zero is not None:
                self._set(f"{name}_zero", as_format(zero))

    # ---- what an operand is made of -----------------------------------------------------

    def block_of(self, name: str) -> BlockFormat | None:
        """The block format of operand `name` ("a" or "b"); None where it is plain."""
        given = getattr(self, name)
        return given if isinstance(given, BlockFormat) else None

    def zero_format(self, name: str) -> Format | None:
        """The format of the zero points of operand `name`."""
        zero: Format | None = getattr(self, f"{name}_zero")
        return zero

    def element_of(self, name: str) -> Format:
        """The format of the codes of operand `name`."""
        block = self.block_of(name)
        return block.element if block else getattr(self, name)

    def factor_of(self, name: str) -> Format:
        """The format of the multiplier's input: an element, or its difference from the zero point.

        Those are exact: two's complement, as many bits as they need.
        """
        element, zero = self.element_of(name), self.zero_format(name)
        return element if zero is None else difference(element, zero)

    @property
    def scaled_operands(self) -> tuple[str, ...]:
        return tuple(name for name in "ab" if self.block_of(name))

    @property
    def zeroed_operands(self) -> tuple[str, ...]:
        return tuple(name for name in "ab" if self.zero_format(name) is not None)

    @property
    def scale_formats(self) -> dict[str, Format]:
        return {f"{name}_scale": block.scale for name in "ab" if (block := self.block_of(name))}

    @property
    def size(self) -> int:
        sizes = [block.size for name in "ab" if (block := self.block_of(name))]
        return math.gcd(*sizes) if sizes else self.products

    @property
    def block_operands(self) -> tuple[BlockOperand, ...]:
        shapes = {port.name: port.shape for port in self._operand_ports()}
        return tuple(
            BlockOperand(
                elements=name,
                scale=f"{name}_scale",
                tensor_scale="",
                block=block,
                shape=shapes[name],
                axis=self.axis(name),
                zero=f"{name}_zero" if name in self.zeroed_operands else "",
                zero_format=self.zero_format(name),
            )
            for name in "ab"
            if (block := self.block_of(name))
        )

    def repeats(self, name: str) -> int:
        block = self.block_of(name)
        return block.size // self.size if block else 1

    def _formats(self) -> tuple[Format, Format, tuple[Format, ...]]:
        return self.factor_of("a"), self.factor_of("b"), tuple(self.scale_formats.values())

    # ---- checks -------------------------------------------------------------------------

    def _case(self, name: str) -> Case:
        sizes = {block.size for name in "ab" if (block := self.block_of(name))}
        if self.zeroed_operands:
            raise UsageError(
                f"accumulate={name} with {self.a} and {self.b}: got zero points, which no machine here "
                "multiplies; expected operands without, or another accumulate="
            )
        if not sizes or (len(self.scaled_operands) == 2 and len(sizes) == 1):  # a tile may have no blocks at all
            return super()._case(name)
        if name.startswith(LIKE):  # never an exact match: no machine takes such operands, whatever their formats
            a, b, scales = self._formats()
            return nearest_case(name, a, b, self.out, scales)
        what = "blocks of two sizes" if len(sizes) > 1 else "a plain and a block format"
        raise UsageError(
            f"accumulate={name} with {self.a} and {self.b}: got {what}, which this machine does not "
            f"multiply; expected two block formats of one size, or accumulate={LIKE}{name} for the "
            "nearest of what it has"
        )

    def _check_operands(self) -> None:
        for name in "ab":
            self._check_zero(name)
            block = self.block_of(name)
            if block and self.products % block.size:
                every = math.lcm(*(other.size for each in "ab" if (other := self.block_of(each))))
                raise UsageError(
                    f"k: got {self.products} with {name} in blocks of {block.size}; expected a multiple of {every}"
                )
        for port, fmt in self.operands.items():
            if fmt.bits > 64:
                raise UsageError(f"{port}: got {fmt}, which has {fmt.bits} bits; expected up to 64")

    def _check_zero(self, name: str) -> None:
        zero, given, element = self.zero_format(name), getattr(self, name), self.element_of(name)
        if zero is None:
            return
        if not self.block_of(name):
            raise UsageError(
                f"{name}_zero: got {zero} with {name}={given}, which has no blocks; expected a block "
                f"format of integers, such as uint4@fp16/32"
            )
        if not element.fixed:
            raise UsageError(
                f"{name}_zero: got {zero} with elements in {element}, which is floating point; expected "
                "integer elements, such as uint4@fp16/32"
            )
        if not zero.fixed or zero.scale != element.scale:
            raise UsageError(
                f"{name}_zero: got {zero} with elements in {element}; expected an integer format with the "
                f"same step, 2**{element.scale}"
            )
        if self.factor_of(name).bits > 64:
            raise UsageError(
                f"{name}_zero: got {zero} with elements in {element}, whose differences have "
                f"{self.factor_of(name).bits} bits; expected up to 64"
            )


def difference(element: Format, zero: Format) -> Format:
    """The integer format of ``element - zero``, for any codes of these integer formats."""
    (low, high), (least, most) = (_range(fmt) for fmt in (element, zero))
    bits = max((most - low - 1).bit_length(), (high - least).bit_length()) + 1
    return Format(bits=bits, precision=bits - 1, fixed=True, scale=element.scale)


def _range(fmt: Format) -> tuple[int, int]:
    """Lowest and highest integer of the codes: also the lowest of a symmetric format, which may be given."""
    return (-(1 << fmt.bits - 1), (1 << fmt.bits - 1) - 1) if fmt.signed else (0, (1 << fmt.bits) - 1)


@dataclass(frozen=True, kw_only=True)
class BlockDot(ScaledProducts):
    """The dot product of two vectors of k elements, of which one or both are block-scaled, with all scales applied.

    Parameters
    ----------
    a, b : Format, BlockFormat or str
        At least one block format; the other may be plain (``bf16`` with ``mxfp4``: W4A16). Elements, scales and block
        sizes may differ (``mxfp8e4m3`` with ``nvfp4``).
    k : int
        Elements, a multiple of both block sizes.
    a_zero, b_zero : Format or str, optional
        See `ScaledProducts`.
    c, accumulate, rounding, overflow, subnormals
        See `SumOfProducts`.

    Notes
    -----
    Ports `a` and `b` carry k element codes; `a_scale` (and `a_zero`) one code for each block of `a`, `b_scale` and
    `b_zero` those of `b`; a plain operand has none. Each product is multiplied by the scales of its own two elements. A
    tensor scale (NVFP4) is not a port: it is a factor of the whole matrix product and applied after it, as the machines
    do.

    A NaN scale makes the result NaN, whatever the elements; otherwise specials are those of the elements and of `c` (a
    zero scale times an infinite element is invalid). Zero points are subtracted exactly. With ``tree`` and ``chain`` a
    term is the products that share their scales, summed exactly (OCP MX 1.0, 6.1 and 6.2).
    """

    operation: ClassVar[str] = "blockdot"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    size_names: ClassVar[tuple[str, ...]] = ("k",)

    k: int

    @property
    def products(self) -> int:
        return self.k

    @property
    def blocks(self) -> int:
        """Runs of `size` products."""
        return self.k // self.size

    @property
    def one_sum(self) -> BlockDot:
        return self

    @property
    def presum(self) -> int:
        rounded = self.accumulate.kind in (Kind.TREE, Kind.CHAIN)
        return self.accumulate.presum or (self.size if rounded else 1)

    def _validate(self) -> None:
        if not self.scaled_operands:
            raise UsageError(
                f"blockdot: got the plain formats {self.a} and {self.b}; expected at least one block "
                f"format, such as mxfp4 or int8@e8m0/16 (dot {self.a} {self.b} is for two plain ones)"
            )
        if not (type(self.k) is int and 1 <= self.k <= LARGEST_SUM):
            raise UsageError(f"k: got {self.k!r}; expected a whole number from 1 to {LARGEST_SUM}")
        self._check_operands()
        if self.size % self.presum:
            raise UsageError(
                f"accumulate={self.accumulate}: got presum={self.presum} with scales that change every "
                f"{self.size} products; expected a divisor"
            )
        self._check_sum(self.k)
        self._check_window(tuple(self.scale_formats.values()))

    @property
    def operands(self) -> dict[str, Format]:
        found = {}
        for name in "ab":
            found[name] = self.element_of(name)
            if block := self.block_of(name):
                found[f"{name}_scale"] = block.scale
            if (zero := self.zero_format(name)) is not None:
                found[f"{name}_zero"] = zero
        return found | ({"c": self.c} if self.c is not None else {})

    def blocks_of(self, name: str) -> int:
        """Blocks of operand `name`."""
        block = self.block_of(name)
        return self.k // block.size if block else 0

    def _operand_ports(self) -> list[Port]:
        shapes: dict[str, tuple[int, ...]] = {"c": ()}
        for name in "ab":
            shapes[name] = (self.k,)
            shapes[f"{name}_scale"] = shapes[f"{name}_zero"] = (self.blocks_of(name),)
        return [Port.of_codes(name, fmt, Role.OPERAND, shapes[name]) for name, fmt in self.operands.items()]

    def with_length(self, k: int) -> BlockDot:
        """The same unit for vectors of another length."""
        return dataclasses.replace(self, k=k)

    @property
    def without_zero_points(self) -> BlockDot:
        """The unit of the same sums that takes differences from the zero points as its elements."""
        changed: dict[str, Any] = {}
        for name in self.zeroed_operands:
            block = self.block_of(name)
            assert block is not None
            changed[name] = BlockFormat(self.factor_of(name), block.scale, block.size)
            changed[f"{name}_zero"] = None
        return dataclasses.replace(self, **changed)

    @property
    def reduced(self) -> BlockDot:
        """The unit of the same sums that takes differences as elements, and a scale for each `size` of them."""
        plain = self.without_zero_points
        changed: dict[str, Any] = {
            name: BlockFormat(block.element, block.scale, self.size)
            for name in "ab"
            if self.repeats(name) > 1 and (block := plain.block_of(name))
        }
        return dataclasses.replace(plain, **changed)
