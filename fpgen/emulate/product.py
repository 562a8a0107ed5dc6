"""Matrix products, tile after tile: `matmul`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal, overload

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.base.memory import check_room
from fpgen.formats import Format
from fpgen.formats.dtypes import code_bits, format_of
from fpgen.golden.result import code_dtype
from fpgen.golden.sums import sums, sums_matrix
from fpgen.golden.sums.sums_operands import prepared_operand
from fpgen.units import BlockDot, DotProduct, TensorCore, Unit, parse_unit
from fpgen.units.options import Rounding

from .arrays import array_of, convert, filled, floats, round_up, source_of, values_of
from .quantized import Quantized, quantize

_TILE = 64, 128  # results that are worked out together


@dataclass(frozen=True, eq=False)
class _Operand:
    """A or B as rows along K (whole blocks of it): codes (batch..., rows, K), scales (batch..., rows, blocks)."""

    codes: np.ndarray
    scales: np.ndarray | None
    tensor_scale: np.float32 | None
    k: int


@overload
def matmul(
    a: Any,
    b: Any,
    unit: Unit | str,
    c: Any = None,
    *,
    threads: int = 1,
    codes: Literal[False] = False,
    a_zero: Any = None,
    b_zero: Any = None,
) -> np.ndarray: ...
@overload
def matmul(
    a: Any,
    b: Any,
    unit: Unit | str,
    c: Any = None,
    *,
    threads: int = 1,
    codes: Literal[True],
    a_zero: Any = None,
    b_zero: Any = None,
) -> tuple[np.ndarray, np.ndarray]: ...
@overload
def matmul(
    a: Any,
    b: Any,
    unit: Unit | str,
    c: Any = None,
    *,
    threads: int = 1,
    codes: bool,
    a_zero: Any = None,
    b_zero: Any = None,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]: ...
def matmul(
    a: Any,
    b: Any,
    unit: Unit | str,
    c: Any = None,
    *,
    threads: int = 1,
    codes: bool = False,
    a_zero: Any = None,
    b_zero: Any = None,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """``a @ b (+ c)`` with every bit as the unit delivers it.

    K is cut into pieces of the unit's length, and each piece's result is the addend `c` of the next; the last piece is
    filled up with zeros (zero elements, scale code 0), as software on a machine with that unit does.

    Parameters
    ----------
    a, b : array_like or Quantized
        (..., M, K) and (..., K, N); leading axes broadcast. Floats (float32, float16, bfloat16) are converted to the
        unit's operand format, to nearest even and saturating; for block formats they are quantised along K with the
        block format's default policy. An array of the operand format's own dtype (ml_dtypes' `float8_e4m3fn` for
        `e4m3fn`) is taken as it is, and tensors with ``__dlpack__`` are read on the CPU. Unsigned integers are codes
        of a plain operand format (signed ones are rejected: they may mean numbers). Quantized: blocks along K. One of
        them can be plain and the other in blocks (W4A16: bfloat16 activations, weights quantised to ``mxfp4``).
    unit : DotProduct, BlockDot or TensorCore, or the text of one
        Of a fixed rounding mode. K longer than the unit's length needs an addend of the output's format.
    c : array_like, optional
        Broadcast to (..., M, N); floats or codes, as above. Default: zeros.
    threads : int
        Results do not depend on it.
    codes : bool
        Return (values, codes) instead of the values.
    a_zero, b_zero : array_like of int, optional
        Codes of the zero points, where the unit has them: one for each scale, of the scales' shape. That operand is
        Quantized, its codes those of the stored elements.

    Returns
    -------
    ndarray of float32, shape (..., M, N)
        Values of the result codes; float64 where float32 does not hold all values of the output. Tensor scales (NVFP4)
        are applied to the values, ``value * (scale_a * scale_b)``, each product rounded to the array's precision, that
        of the scales without a limit to its exponent; not to the codes.

    Raises
    ------
    UsageError
    """
    dot = _dot_of(unit)
    left, right = _operand("a", a, dot, a_zero), _operand("b", b, dot, b_zero)
    length, k = dot.products, left.k
    if k != right.k:
        raise UsageError(f"K: got {k} in a and {right.k} in b; expected equal lengths")
    if k > length and dot.c != dot.out:
        raise UsageError(
            f"K: got {k} with `{dot}` of length {length}; expected up to {length}, or a unit with "
            f"`+ {dot.out} -> {dot.out}`, since longer sums are chained through c"
        )
    if k % length and not (_elements(dot)[0].zero and _elements(dot)[1].zero):
        raise UsageError(
            f"K: got {k} with `{dot}`, whose operands have no zero for padding; expected a multiple of {length}"
        )
    scales = [operand.tensor_scale for operand in (left, right) if operand.tensor_scale is not None]
    if scales and c is not None:
        raise UsageError(
            "c: got it with tensor scales, which multiply what the unit delivers; expected c to be added to the result"
        )
    if not (type(threads) is int and threads >= 1):
        raise UsageError(f"threads: got {threads!r}; expected a whole number from 1")
    try:
        batch = np.broadcast_shapes(left.codes.shape[:-2], right.codes.shape[:-2])
    except ValueError:
        raise UsageError(
            f"got a of {left.codes.shape[:-2]} and b of {right.codes.shape[:-2]} matrices; expected shapes that "
            "broadcast to one"
        ) from None
    shape = (*batch, left.codes.shape[-2], right.codes.shape[-2])
    itemsize = np.dtype(code_dtype(dot.out.bits)).itemsize
    check_room("a @ b", shape, 2 * itemsize + (dot.c is not None) * itemsize)  # codes, values, addends
    if not isinstance(codes, bool):
        raise UsageError(f"codes: got {codes!r}; expected True or False")
    found = np.empty(shape, dtype=code_dtype(dot.out.bits))
    start = _addend(c, dot, shape)
    jobs = list(_jobs(dot.reduced if isinstance(dot, BlockDot) else dot, left, right, start, batch, found))
    if threads == 1:
        for job in jobs:
            _tile(*job)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda job: _tile(*job), jobs))
    values = values_of(found, dot.out)
    if scales:
        values = _scaled(values, scales)
    return (values, found) if codes else values


def _scaled(values: np.ndarray, scales: list[np.float32]) -> np.ndarray:
    """``values * (scale_a * scale_b)``; the product of the scales may be beyond the range of float32 either way.

    Bit for bit what float32 arithmetic makes of it wherever the product of the scales is a normal float32.
    """
    factor = np.prod(np.array(scales, dtype=np.float64))  # exact: 48 bits, and exponents from -298 to 256
    if values.dtype == np.float32:
        significand, exponent = np.frexp(factor)
        factor = np.ldexp(np.float64(np.float32(significand)), exponent)
    return (values * factor).astype(values.dtype, copy=False)  # 24 by 24 bits are exact in float64, so rounded once


def _dot_of(unit: Unit | str) -> DotProduct | BlockDot:
    """The unit of one result, without what no result depends on."""
    given = parse_unit(unit) if isinstance(unit, str) else unit
    dot = given.dot if isinstance(given, TensorCore) else given
    if not isinstance(dot, DotProduct | BlockDot):
        raise UsageError(f"unit: got {given}; expected dot, blockdot or tensorcore")
    if dot.rounding is Rounding.PORT or dot.random_bits:
        raise UsageError(
            f"rounding: got {dot.rounding.value} in a matrix product; expected one mode without random bits"
        )
    return replace(dot, flags=False)


def _elements(dot: DotProduct | BlockDot) -> tuple[Format, Format]:
    return (dot.element_of("a"), dot.element_of("b")) if isinstance(dot, BlockDot) else (dot.a, dot.b)


def _operand(name: str, given: Any, dot: DotProduct | BlockDot, zero: Any = None) -> _Operand:
    """An operand as rows along K: elements less their zero points, and a scale for each `size` of them."""
    axis = -1 if name == "a" else -2
    block = dot.block_of(name) if isinstance(dot, BlockDot) else None
    if zero is not None and not (isinstance(dot, BlockDot) and name in dot.zeroed_operands):
        raise UsageError(
            f"{name}_zero: got an array with `{dot}`, which has no zero points for {name}; expected none given"
        )
    if isinstance(dot, BlockDot) and block is not None:
        has_zero = name in dot.zeroed_operands
        if has_zero and not (isinstance(given, Quantized) and zero is not None):
            raise UsageError(
                f"{name}: got {'no ' + name + '_zero' if zero is None else 'floats'} with `{dot}`, which "
                f"subtracts zero points; expected a Quantized and {name}_zero, one for each scale"
            )
        if not isinstance(given, Quantized):
            array = array_of(name, given)
            if array.dtype.kind in "iub":
                raise UsageError(
                    f"{name}: got an array of {array.dtype}; expected floats, or what fpgen.emulate.quantize returns "
                    f"for {block}"
                )
            source_of(name, array)
            _matrix(name, array)
            given = quantize(array, block, axis=axis)
        if given.block != block:
            raise UsageError(f"{name}: got blocks of {given.block}; expected {block} for `{dot}`")
        _matrix(name, given.codes)
        if given.axis != given.codes.ndim + axis:
            raise UsageError(f"{name}: got blocks along axis {given.axis}; expected axis={axis} (along K)")
        arrays = {name: given.codes, f"{name}_scale": given.scales}
        if has_zero:
            points = _codes(f"{name}_zero", zero, dot.operands[f"{name}_zero"])
            if points.shape != given.scales.shape:
                raise UsageError(
                    f"{name}_zero: got shape {points.shape} with scales of {given.scales.shape}; expected "
                    "one for each scale"
                )
            arrays[f"{name}_zero"] = points
        made = prepared_operand(dot, name, arrays, axis)
        elements, k = np.moveaxis(made[name], axis, -1), given.shape[axis]
        if has_zero:
            elements[..., k:] = 0  # the padding of a last block has no value, whatever its zero point
        return _Operand(elements, np.moveaxis(made[f"{name}_scale"], axis, -1), given.tensor_scale, k)
    if isinstance(given, Quantized):
        raise UsageError(f"{name}: got blocks of {given.block}; expected plain {getattr(dot, name)} for `{dot}`")
    codes = _codes(name, given, getattr(dot, name))
    _matrix(name, codes)
    return _Operand(np.moveaxis(codes, axis, -1), None, None, codes.shape[axis])


def _matrix(name: str, array: np.ndarray) -> None:
    if array.ndim < 2:
        raise UsageError(f"{name}: got shape {array.shape}; expected a matrix, or a stack of them")


def _codes(name: str, given: Any, fmt: Format) -> np.ndarray:
    """Floats, codes, or an array of the dtype of `fmt` as codes of `fmt`."""
    array = array_of(name, given)
    dtype = code_dtype(fmt.bits)
    if format_of(array.dtype) == fmt:
        check_room(name, array.shape, array.dtype.itemsize)
        return code_bits(array, fmt)
    if array.dtype.kind in "ib":
        codes = np.dtype(dtype).name
        raise UsageError(
            f"{name}: got {_shown(array)}, which may mean codes of {fmt} or numbers; expected codes as "
            f"unsigned integers, np.asarray({name}, np.{codes}), or numbers as np.float32({name})"
        )
    if array.dtype.kind != "u":
        floats(name, array)
        return convert(array, fmt)
    if array.size and int(array.max()) >= 1 << fmt.bits:
        hint = " (negative ones in two's complement)" if fmt.fixed and fmt.signed else ""
        raise UsageError(
            f"{name}: got integers from {array.min()} to {array.max()}; expected codes of {fmt}, 0 to "
            f"{(1 << fmt.bits) - 1}{hint}"
        )
    return array.astype(dtype)


def _shown(array: np.ndarray) -> str:
    """What was given, in few words."""
    return f"{array.dtype} {array}" if array.ndim == 0 else f"an array of {array.dtype}"


def _addend(c: Any, dot: DotProduct | BlockDot, shape: tuple[int, ...]) -> np.ndarray | None:
    """Codes of the first addend, of `shape`; None for units without."""
    if dot.c is None:
        if c is not None:
            raise UsageError(f"c: got it with `{dot}`, which has no addend; expected none given")
        return None
    codes = _codes("c", np.float32(0) if c is None else c, dot.c)
    try:
        return np.broadcast_to(codes, shape)
    except ValueError:
        raise UsageError(
            f"c: got shape {codes.shape} with a result of {shape}; expected a shape that broadcasts to it"
        ) from None


def _jobs(
    dot: DotProduct | BlockDot,
    left: _Operand,
    right: _Operand,
    start: np.ndarray | None,
    batch: tuple[int, ...],
    found: np.ndarray,
) -> Iterator[
    tuple[DotProduct | BlockDot, dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray | None, np.ndarray]
]:
    """Tiles of the result: their operands' rows, and where they go."""

    def spread(operand: _Operand) -> dict[str, np.ndarray]:
        k = round_up(max(1, operand.codes.shape[-1]), dot.products)
        arrays = {"codes": filled(operand.codes, operand.codes.ndim - 1, k)}
        if operand.scales is not None and isinstance(dot, BlockDot):
            arrays["scales"] = filled(operand.scales, operand.scales.ndim - 1, k // dot.size)
        return {key: np.broadcast_to(array, (*batch, *array.shape[-2:])) for key, array in arrays.items()}

    rows, columns = spread(left), spread(right)
    for index in np.ndindex(batch):
        for top in range(0, found.shape[-2], _TILE[0]):
            for side in range(0, found.shape[-1], _TILE[1]):
                i, j = slice(top, top + _TILE[0]), slice(side, side + _TILE[1])
                yield (
                    dot,
                    {key: array[index][i] for key, array in rows.items()},
                    {key: array[index][j] for key, array in columns.items()},
                    None if start is None else start[index][i, j],
                    found[index][i, j],
                )


def _tile(
    dot: DotProduct | BlockDot,
    rows: dict[str, np.ndarray],
    columns: dict[str, np.ndarray],
    addend: np.ndarray | None,
    found: np.ndarray,
) -> None:
    """Work out one tile, piece of K after piece, into `found`."""
    at_once = sums_matrix.suits(dot)
    for start in range(0, rows["codes"].shape[-1], dot.products):
        part = slice(start, start + dot.products)
        operands = {"a": rows["codes"][:, part], "b": columns["codes"][:, part]}
        if isinstance(dot, BlockDot):
            blocks = slice(start // dot.size, (start + dot.products) // dot.size)
            operands |= {
                f"{name}_scale": some["scales"][:, blocks]
                for name, some in (("a", rows), ("b", columns))
                if "scales" in some
            }
        if addend is not None:
            operands["c"] = addend
        result = sums_matrix.run_matrix(dot, operands) if at_once else None
        if result is None:
            every = {
                name: array if name == "c" else array[:, None] if name.startswith("a") else array[None]
                for name, array in operands.items()
            }
            result = sums.run_sums(
                dot, {name: np.broadcast_to(array, (*found.shape, *array.shape[2:])) for name, array in every.items()}
            ).codes
        addend = result
    found[...] = addend
