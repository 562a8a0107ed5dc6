"""Products of arrays of codes as binary64 numbers, by table where the codes are short.

Two operands of up to 16 bits together are one index, of up to 8 bits two neighbouring products are. Sums of
neighbours are dot products with a vector of ones: exact in any order while the window of the sum fits the
significand, so it does not matter how the linear algebra library goes about it.
"""

from __future__ import annotations

import threading
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import DTypeLike

from fpgen.formats.descriptor import Format

from .decode import fits_float64, float64_values

#: Alignment exponent of a zero: below every real one, also after scales are added.
NONE = -20000
#: Alignment exponents above this are real.
REAL = -10000

_WINDOW32, _WINDOW64 = 24, 53
_EXPONENT32 = 120  # values within 2**-120 to 2**120 and their sums are normal in binary32

_local = threading.local()


def scratch(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """An uninitialised array that the next call with this name (in this thread) hands out again.

    Fresh arrays of more than about 100 KB come from the operating system page by page, which costs several times
    what is done with them.
    """
    buffers: dict[str, np.ndarray] = _local.__dict__.setdefault("buffers", {})
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if name not in buffers or buffers[name].nbytes < size:
        buffers[name] = np.empty(size, dtype=np.uint8)
    return buffers[name][:size].view(dtype).reshape(shape)


def row_maximum(array: np.ndarray) -> np.ndarray:
    """The largest of each row of an array of shape (rows, n).

    One reduction over segments of the flat array is several times faster than one along short rows.
    """
    rows, length = array.shape
    return np.maximum.reduceat(array.reshape(-1), _row_starts(rows, length))


@lru_cache(maxsize=64)
def _row_starts(rows: int, length: int) -> np.ndarray:
    return np.arange(0, rows * length, length)


def low(fmt: Format) -> int:
    """log2 of the step that all values of `fmt` are multiples of."""
    return fmt.quantum_exponent


@lru_cache(maxsize=1024)
def high(fmt: Format) -> int:
    """log2 of a power of two that no magnitude exceeds (only -2**(K-1) of fixed point reaches it)."""
    return fmt.scale + fmt.bits if fmt.fixed else fmt.emax + 1


def alignments(values: np.ndarray, fmt: Format) -> np.ndarray:
    """Alignment exponents (see `units.accumulation`) of values of `fmt`; int32, `NONE` for zeros."""
    if fmt.fixed:
        found: np.ndarray | int = fmt.scale + fmt.significand_bits - 1
    else:
        found = ((values.view(np.int64) >> 52) & 0x7FF) - 1023
        found = np.maximum(found, fmt.emin)
    return np.where((values == 0) | ~np.isfinite(values), NONE, found).astype(np.int32)


def alignment_codes(fmt: Format, codes: np.ndarray, values: np.ndarray, flush: bool) -> np.ndarray:
    """Alignment exponents of codes, whose values are known already."""
    if fmt.bits <= 16:
        return _alignment_table(fmt, flush).take(codes, mode="clip")
    return alignments(values, fmt)


@lru_cache(maxsize=256)
def _alignment_table(fmt: Format, flush: bool) -> np.ndarray:
    return alignments(float64_values(fmt, np.arange(1 << fmt.bits, dtype=np.uint64), flush), fmt)


class Products:
    """Products of codes of two formats whose values, and products, are binary64 numbers.

    Parameters
    ----------
    a, b : Format
    flush : bool
        Read subnormals as zeros.
    """

    def __init__(self, a: Format, b: Format, flush: bool) -> None:
        self.a, self.b, self.flush = a, b, flush
        self.joined = a.bits + b.bits <= 16
        self.paired = a.bits + b.bits <= 8

    @staticmethod
    def suit(a: Format, b: Format) -> bool:
        """Whether every product is a binary64 number."""
        return fits_float64(a) and fits_float64(b) and a.significand_bits + b.significand_bits <= _WINDOW64

    @property
    def low(self) -> int:
        """log2 of the step that all products are multiples of."""
        return low(self.a) + low(self.b)

    @property
    def high(self) -> int:
        """log2 of a power of two that no product exceeds."""
        return high(self.a) + high(self.b)

    def window(self, count: int) -> int:
        """Bits of a sum of `count` products, in a fixed-point register that loses none."""
        return self.high - self.low + (count - 1).bit_length()

    def sums_suit(self, count: int) -> bool:
        """Whether sums of `count` products are exact in binary64, in any order."""
        return self.window(count) <= _WINDOW64

    # ---- indices ---------------------------------------------------------------------------------

    def index(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """One index per product, of shape (rows, n): uint8 where `paired`, else uint16."""
        shape = a.shape
        if not self.paired:
            index = scratch("index16", shape, np.uint16)
            np.multiply(a, np.uint16(1 << self.b.bits), out=index)
            index |= b
            return index
        index = scratch("index8", shape, np.uint8)
        if index.nbytes % 8 == 0 and a.flags.c_contiguous and b.flags.c_contiguous:
            # eight codes at once: with at most 8 bits together nothing is shifted into a neighbour
            words = index.reshape(-1).view(np.uint64)
            np.left_shift(a.reshape(-1).view(np.uint64), np.uint64(self.b.bits), out=words)
            words |= b.reshape(-1).view(np.uint64)
        else:
            np.multiply(a, np.uint8(1 << self.b.bits), out=index)
            index |= b
        return index

    @cached_property
    def _codes(self) -> tuple[np.ndarray, np.ndarray]:
        """The codes of every index."""
        every = np.arange(1 << (self.a.bits + self.b.bits), dtype=np.uint64)
        return every >> np.uint64(self.b.bits), every & np.uint64((1 << self.b.bits) - 1)

    @cached_property
    def value_table(self) -> np.ndarray:
        """float64 product by index."""
        a, b = self._codes
        with np.errstate(all="ignore"):
            found: np.ndarray = float64_values(self.a, a, self.flush) * float64_values(self.b, b, self.flush)
        return found

    @cached_property
    def align_table(self) -> np.ndarray:
        """int16 alignment exponent by index."""
        a, b = (
            _alignment_table(fmt, self.flush).take(codes)
            for fmt, codes in zip((self.a, self.b), self._codes, strict=True)
        )
        found: np.ndarray = np.where((a < REAL) | (b < REAL), NONE, a + b).astype(np.int16)
        return found

    @cached_property
    def pair_table(self) -> np.ndarray:
        """Sum of two products by a pair of indices (the second in the high byte), of `sum_dtype`."""
        values = np.full(256, np.nan)
        values[: len(self.value_table)] = self.value_table
        with np.errstate(all="ignore"):
            found: np.ndarray = (values[:, None] + values).reshape(-1).astype(self.sum_dtype(2))
        return found

    def sum_dtype(self, count: int) -> np.dtype:
        """float32 where sums of `count` products are exact in it, else float64."""
        lowest, highest = self.low, self.high + (count - 1).bit_length()
        small = self.window(count) <= _WINDOW32 and lowest >= -_EXPONENT32 and highest <= _EXPONENT32
        return np.dtype(np.float32 if small else np.float64)

    @lru_cache(maxsize=16)  # noqa: B019  # `products_for` keeps the objects anyway
    def _table_of(self, dtype: np.dtype, pairs: bool) -> np.ndarray:
        with np.errstate(all="ignore"):
            return (self.pair_table if pairs else self.value_table).astype(dtype)

    # ---- what is asked for -----------------------------------------------------------------------

    def values(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Products, float64 of shape (rows, n)."""
        found = scratch("values", a.shape, np.float64)
        if self.joined:
            self.value_table.take(self.index(a, b), mode="clip", out=found)
        else:
            np.multiply(float64_values(self.a, a, self.flush), float64_values(self.b, b, self.flush), out=found)
        return found

    def aligns(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Alignment exponents of the products, int16 or int32 of shape (rows, n); below `REAL` for zeros."""
        if self.joined:
            found = scratch("aligns", a.shape, np.int16)
            return self.align_table.take(self.index(a, b), mode="clip", out=found)
        first = alignment_codes(self.a, a, float64_values(self.a, a, self.flush), self.flush)
        second = alignment_codes(self.b, b, float64_values(self.b, b, self.flush), self.flush)
        total: np.ndarray = first + second
        return total

    def pair_index(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Where `paired`: one index per two neighbouring products, intp of shape (rows, n / 2)."""
        pairs = self.index(a, b).view(np.uint16)
        index = scratch("pair index", pairs.shape, np.intp)  # what `take` would make of it every time
        index[...] = pairs
        return index

    def sums(self, a: np.ndarray, b: np.ndarray, count: int, pairs: np.ndarray | None = None) -> np.ndarray:
        """Exact sums of `count` neighbouring products, where `sums_suit`: float64 of shape (rows, n / count).

        NaN and infinite products make sums what IEEE 754-2019 makes them. The sign of a zero is not defined.
        `pairs` is `pair_index`, where the caller has it already.
        """
        rows, length = a.shape
        dtype = self.sum_dtype(count)
        if self.paired and count % 2 == 0:
            index = self.pair_index(a, b) if pairs is None else pairs
            table, each = self._table_of(dtype, True), count // 2
        elif self.joined:
            index, table, each = self.index(a, b), self._table_of(dtype, False), count
        else:
            first, second = float64_values(self.a, a, self.flush), float64_values(self.b, b, self.flush)
            shape = (rows, length // count, count)
            summed: np.ndarray = np.einsum("ijk,ijk->ij", first.reshape(shape), second.reshape(shape))
            return summed
        found = table.take(index, mode="clip", out=scratch("pairs", index.shape, dtype))
        total = found.reshape(-1, each) @ np.ones(each, dtype=dtype)
        return total.astype(np.float64).reshape(rows, length // count)


@lru_cache(maxsize=64)
def products_for(a: Format, b: Format, flush: bool) -> Products:
    """The (cached) `Products` of two formats."""
    return Products(a, b, flush)
