"""result = sum over blocks of scale_a * scale_b * (sum of products) (+ c)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from ..errors import UsageError
from ..formats import BlockFormat, Format, as_block
from .accumulation import Kind
from .dot import LARGEST_SUM, SumOfProducts
from .ports import Port, Role


@dataclass(frozen=True, kw_only=True)
class BlockDot(SumOfProducts):
    """The dot product of two vectors of k block-scaled elements (OCP MX 1.0, 6.1 and 6.2), with both scales applied.

    Parameters
    ----------
    a, b : BlockFormat or str
        Of equal block size; elements and scales may differ (``mxfp8e4m3`` with ``mxfp4``).
    k : int
        Elements, a multiple of the block size.
    c, accumulate, rounding, overflow, subnormals
        See `SumOfProducts`.

    Notes
    -----
    Ports `a` and `b` carry k element codes, `a_scale` and `b_scale` k / size scale codes. A tensor scale (NVFP4) is
    not a port: it is a factor of the whole matrix product and applied after it, as the machines do.

    A NaN scale makes the result NaN; otherwise specials are those of the elements and of `c` (a zero scale times an
    infinite element is invalid). With ``tree`` and ``chain`` a term is a block, summed exactly.
    """

    operation: ClassVar[str] = "blockdot"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    size_names: ClassVar[tuple[str, ...]] = ("k",)

    a: BlockFormat
    b: BlockFormat
    k: int

    def _prepare_operands(self):
        self._set("a", as_block(self.a))
        self._set("b", as_block(self.b))

    def _formats(self):
        return self.a.element, self.b.element, (self.a.scale, self.b.scale)

    @property
    def size(self) -> int:
        """Elements that share a scale."""
        return self.a.size

    @property
    def blocks(self) -> int:
        return self.k // self.size

    @property
    def products(self) -> int:
        return self.k

    @property
    def presum(self) -> int:
        """Products summed exactly into one term."""
        rounded = self.accumulate.kind in (Kind.TREE, Kind.CHAIN)
        return self.accumulate.presum or (self.size if rounded else 1)

    def _validate(self):
        if self.a.size != self.b.size:
            raise UsageError(f"blocks of {self.a.size} ({self.a}) with blocks of {self.b.size} ({self.b}); "
                             "equal sizes are allowed")
        if not (type(self.k) is int and 1 <= self.k <= LARGEST_SUM):
            raise UsageError(f"k={self.k!r}; a whole number from 1 to {LARGEST_SUM} is allowed")
        if self.k % self.size:
            raise UsageError(f"k={self.k} with blocks of {self.size}; a multiple of {self.size} is allowed")
        if self.size % self.presum:
            raise UsageError(f"accumulate={self.accumulate}: presum={self.presum} with blocks of {self.size}; "
                             "a divisor of the block size is allowed")
        self._check_sum(self.k)
        self._check_window((self.a.scale, self.b.scale))

    @property
    def operands(self) -> dict[str, Format]:
        addend = {"c": self.c} if self.c is not None else {}
        return {"a": self.a.element, "a_scale": self.a.scale, "b": self.b.element, "b_scale": self.b.scale, **addend}

    def _operand_ports(self) -> list[Port]:
        elements, scales = (self.k,), (self.blocks,)
        shapes = {"a": elements, "b": elements, "a_scale": scales, "b_scale": scales}
        return [Port.of_codes(name, fmt, Role.OPERAND, shapes.get(name, ())) for name, fmt in self.operands.items()]

    def with_length(self, k: int) -> BlockDot:
        """The same unit for vectors of another length."""
        return dataclasses.replace(self, k=k)
