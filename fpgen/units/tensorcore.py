"""result = A B (+ C) for small matrices: the tile of a matrix engine."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from ..errors import UsageError
from ..formats import BlockFormat, Format, as_block, as_format
from ..formats.blocks import is_block
from .blockdot import BlockDot
from .dot import DotProduct, SumOfProducts
from .options import Rounding, as_enum
from .ports import Port, Role

LARGEST_TILE = 256


@dataclass(frozen=True, kw_only=True)
class TensorCore(SumOfProducts):
    """An m x n tile of dot products of length k; every operand is decoded once and shared.

    Parameters
    ----------
    a, b : Format, BlockFormat or str
        Both plain or both block formats. (``mxint8`` is the block format here.)
    m, n, k : int
        A is m x k, B is k x n; at most 256 results.
    c, accumulate, rounding, overflow, subnormals
        See `SumOfProducts`; each result is that of `dot`.

    Notes
    -----
    Ports carry matrices in row-major order: `a` (m, k), `b` (k, n), `c` and `result` (m, n), and with block formats
    `a_scale` (m, k / size) and `b_scale` (k / size, n): blocks run along k.
    """

    operation: ClassVar[str] = "tensorcore"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    size_names: ClassVar[tuple[str, ...]] = ("m", "n", "k")
    can_flag: ClassVar[bool] = False

    a: Format | BlockFormat
    b: Format | BlockFormat
    m: int
    n: int
    k: int

    def _prepare_operands(self):
        for name in self.operand_names:
            given = getattr(self, name)
            block = isinstance(given, BlockFormat) or (isinstance(given, str) and is_block(given))
            self._set(name, as_block(given) if block else as_format(given))
        if isinstance(self.a, BlockFormat) != isinstance(self.b, BlockFormat):
            raise UsageError(f"a={self.a} with b={self.b}; two plain or two block formats are allowed")

    @property
    def scaled(self) -> bool:
        """Whether the operands are block-scaled."""
        return isinstance(self.a, BlockFormat)

    def _formats(self):
        if isinstance(self.a, BlockFormat) and isinstance(self.b, BlockFormat):
            return self.a.element, self.b.element, (self.a.scale, self.b.scale)
        return self.a, self.b, ()

    @property
    def products(self) -> int:
        return self.k

    @property
    def dot(self) -> DotProduct | BlockDot:
        """The unit of one result, combinational."""
        shared = {spec.name: getattr(self, spec.name) for spec in dataclasses.fields(SumOfProducts)
                  if spec.name not in ("stages", "period", "handshake")}
        if isinstance(self.a, BlockFormat) and isinstance(self.b, BlockFormat):
            return BlockDot(a=self.a, b=self.b, k=self.k, **shared)
        assert isinstance(self.a, Format) and isinstance(self.b, Format)
        return DotProduct(a=self.a, b=self.b, n=self.k, **shared)

    def _validate(self):
        for name in ("m", "n"):
            value = getattr(self, name)
            if not (type(value) is int and 1 <= value <= LARGEST_TILE):
                raise UsageError(f"{name}={value!r}; a whole number from 1 to {LARGEST_TILE} is allowed")
        if self.m * self.n > LARGEST_TILE:
            raise UsageError(f"m={self.m}, n={self.n}: {self.m * self.n} results; up to {LARGEST_TILE} are allowed")
        if as_enum("rounding", self.rounding, Rounding).stochastic:
            raise UsageError(f"rounding={self.rounding.value} with tensorcore; a mode without random bits is allowed")
        if self.c is not None and self.c.bits > 64:
            raise UsageError(f"c={self.c} has {self.c.bits} bits; up to 64 are allowed")
        _ = self.dot  # refuses the rest

    @property
    def operands(self) -> dict[str, Format]:
        return self.dot.operands

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Matrix shapes of the ports."""
        found = {"a": (self.m, self.k), "b": (self.k, self.n), "c": (self.m, self.n), "result": (self.m, self.n)}
        if isinstance(self.a, BlockFormat):
            blocks = self.k // self.a.size
            found |= {"a_scale": (self.m, blocks), "b_scale": (blocks, self.n)}
        return found

    def _operand_ports(self) -> list[Port]:
        return [Port.of_codes(name, fmt, Role.OPERAND, self.shapes[name]) for name, fmt in self.operands.items()]

    def _result_ports(self) -> list[Port]:
        return [Port.of_codes("result", self.out, Role.RESULT, self.shapes["result"])]
