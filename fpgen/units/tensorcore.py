"""result = A B (+ C) for small matrices: the tile of a matrix engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fpgen.base.errors import UsageError
from fpgen.formats import Format

from .blockdot import BlockDot, ScaledProducts
from .dot import DotProduct, SumOfProducts
from .options import Rounding, as_enum
from .ports import Port, Role

LARGEST_TILE = 256


@dataclass(frozen=True, kw_only=True)
class TensorCore(ScaledProducts):
    """An m x n tile of dot products of length k; every operand is decoded once and shared.

    Parameters
    ----------
    a, b : Format, BlockFormat or str
        Plain or block formats, or one of each. (``mxint8`` is the block format here.)
    m, n, k : int
        A is m x k, B is k x n; at most 256 results.
    a_zero, b_zero : Format or str, optional
        See `ScaledProducts`.
    c, accumulate, rounding, overflow, subnormals
        See `SumOfProducts`; each result is that of `dot`.

    Notes
    -----
    Ports carry matrices in row-major order: `a` (m, k), `b` (k, n), `c` and `result` (m, n), and with block formats
    `a_scale` and `a_zero` (m, k / size), `b_scale` and `b_zero` (k / size, n): blocks run along k.
    """

    operation: ClassVar[str] = "tensorcore"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")
    size_names: ClassVar[tuple[str, ...]] = ("m", "n", "k")
    can_flag: ClassVar[bool] = False

    m: int
    n: int
    k: int

    @property
    def products(self) -> int:
        return self.k

    @property
    def grid(self) -> tuple[int, ...]:
        return self.m, self.n

    def axis(self, name: str) -> int:
        return -2 if name == "b" else -1

    @property
    def one_sum(self) -> DotProduct | BlockDot:
        return self.dot

    @property
    def scaled(self) -> bool:
        """Whether an operand is block-scaled."""
        return bool(self.scaled_operands)

    @property
    def dot(self) -> DotProduct | BlockDot:
        """The unit of one result, combinational."""
        shared = {
            spec.name: getattr(self, spec.name)
            for spec in SumOfProducts.parameters()
            if spec.name not in ("stages", "period", "handshake")
        }
        if self.scaled:
            return BlockDot(a=self.a, b=self.b, k=self.k, a_zero=self.a_zero, b_zero=self.b_zero, **shared)
        assert isinstance(self.a, Format) and isinstance(self.b, Format)
        return DotProduct(a=self.a, b=self.b, n=self.k, **shared)

    def _validate(self) -> None:
        for name in ("m", "n"):
            value = getattr(self, name)
            if not (type(value) is int and 1 <= value <= LARGEST_TILE):
                raise UsageError(f"{name}: got {value!r}; expected a whole number from 1 to {LARGEST_TILE}")
        if self.m * self.n > LARGEST_TILE:
            raise UsageError(f"m={self.m}, n={self.n}: got {self.m * self.n} results; expected up to {LARGEST_TILE}")
        if as_enum("rounding", self.rounding, Rounding).stochastic:
            raise UsageError(
                f"rounding: got {self.rounding.value} with tensorcore; expected a mode without random bits"
            )
        if self.c is not None and self.c.bits > 64:
            raise UsageError(f"c: got {self.c}, which has {self.c.bits} bits; expected up to 64")
        for name in "ab":
            self._check_zero(name)
        _ = self.dot  # rejects the rest

    @property
    def operands(self) -> dict[str, Format]:
        return self.dot.operands

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Matrix shapes of the ports."""
        found = {"a": (self.m, self.k), "b": (self.k, self.n), "c": (self.m, self.n), "result": (self.m, self.n)}
        if block := self.block_of("a"):
            found["a_scale"] = found["a_zero"] = (self.m, self.k // block.size)
        if block := self.block_of("b"):
            found["b_scale"] = found["b_zero"] = (self.k // block.size, self.n)
        return found

    def _operand_ports(self) -> list[Port]:
        return [Port.of_codes(name, fmt, Role.OPERAND, self.shapes[name]) for name, fmt in self.operands.items()]

    def _result_ports(self) -> list[Port]:
        return [Port.of_codes("result", self.out, Role.RESULT, self.shapes["result"])]
