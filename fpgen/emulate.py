"""Whole float32 matrices through exactly the bits of a unit: `quantize`, `dequantize`, `matmul`.

    q = fpgen.emulate.quantize(x, "mxfp4")
    y = fpgen.emulate.dequantize(q)
    z = fpgen.emulate.matmul(x, w, "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 accumulate=blackwell-mx")

Results are those of `unit.compute`, whatever the shapes, the chunks and the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .errors import UsageError
from .formats import BlockFormat, Format, as_block, as_format
from .golden import sums, sums_matrix
from .golden.decode import fits_float64, float64_values, is_binary32
from .golden.result import code_dtype
from .units import BlockDequantize, BlockDot, BlockQuantize, Convert, DotProduct, TensorCore, Unit, parse_unit
from .units.options import Overflow, Rounding

_TILE = 64, 128  # results that are worked out together


@dataclass(frozen=True, eq=False)
class Quantized:
    """An array in a block format.

    Parameters
    ----------
    codes : ndarray of unsigned int
        Element codes, of `shape`, but for `axis`, which is filled up with zeros to whole blocks.
    scales : ndarray of unsigned int
        Scale codes: one per block along `axis`.
    tensor_scale : float32, optional
        Where the block format has one.
    block : BlockFormat
    shape : tuple of int
        Of the array that was quantised.
    axis : int
        The one that blocks run along, from 0.
    """

    codes: np.ndarray
    scales: np.ndarray
    tensor_scale: np.float32 | None
    block: BlockFormat
    shape: tuple[int, ...]
    axis: int


# ---- arrays --------------------------------------------------------------------------------------


def _floats(name: str, given: Any) -> tuple[np.ndarray, str]:
    """An array of float32 or float16 as codes, and their format."""
    array = _array(name, given)
    source, dtype = _source(name, array)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)  # bytes may be swapped (files, networks)
    return np.asarray(native, order="C").view(dtype), source


def _array(name: str, given: Any) -> np.ndarray:
    try:
        return np.asarray(given)
    except ValueError as error:
        raise UsageError(f"{name}: {str(error).rstrip('.')}; an array of float32, float16 or bfloat16 is "
                         "allowed") from None


def _source(name: str, array: np.ndarray) -> tuple[str, type]:
    """The format of an array of floats, and the dtype of its codes."""
    formats = {"float32": ("fp32", np.uint32), "float16": ("fp16", np.uint16), "bfloat16": ("bf16", np.uint16)}
    if array.dtype.name not in formats:
        raise UsageError(f"{name} is an array of {array.dtype}; float32, float16 or bfloat16 is allowed "
                         f"({name}.astype(np.float32) rounds to it)")
    return formats[array.dtype.name]


def _axis(axis: int, dimensions: int) -> int:
    if not (isinstance(axis, int | np.integer) and -dimensions <= axis < dimensions):
        raise UsageError(f"axis={axis} of an array of {dimensions} dimensions; {-dimensions} to {dimensions - 1} is "
                         "allowed")
    return int(axis) % dimensions


def _filled(array: np.ndarray, axis: int, length: int) -> np.ndarray:
    """`array` with zeros behind it along `axis`, up to `length`."""
    missing = length - array.shape[axis]
    if not missing:
        return array
    widths = [(0, missing if at == axis else 0) for at in range(array.ndim)]
    return np.pad(array, widths)


def _round_up(count: int, step: int) -> int:
    return max(1, -(-count // step)) * step


def quantize(x: Any, block: BlockFormat | str, *, policy: str | None = None, rounding: str = "rne", axis: int = -1,
             tensor_scale: Any = "auto", overflow: str | None = None, random_bits: int = 0,
             random: np.random.Generator | None = None) -> Quantized:
    """An array as element and scale codes, as `BlockQuantize` makes them.

    Parameters
    ----------
    x : array_like of float32, float16 or bfloat16
    block : BlockFormat or str
    policy : str, optional
        How scales are chosen (`fpgen.units.quantize`); default: that of the block format.
    rounding, overflow : str, optional
        Of the elements; default: to nearest even, saturating.
    axis : int
        That blocks run along. A last block that is not full is filled up with zeros, which change nothing.
    tensor_scale : float or "auto" or None
        Where the block format has one: its value; "auto": the float32 nearest to amax / (largest element * largest
        scale), of the finite numbers; None: 1.
    random_bits, random : int, Generator
        With stochastic rounding.

    Raises
    ------
    UsageError
    """
    block = as_block(block)
    codes, source = _floats("x", x)
    if codes.ndim == 0:
        raise UsageError("x is a single number; an array is allowed")
    axis = _axis(axis, codes.ndim)
    options: dict[str, Any] = {"clamp": True, "policy": policy, "rounding": rounding, "random_bits": random_bits}
    unit = BlockQuantize(source=as_format(source), block=block, out=block.element,
                         **options | ({} if overflow is None else {"overflow": overflow}))
    length = codes.shape[axis]
    blocks = np.moveaxis(_filled(codes, axis, _round_up(length, block.size)), axis, -1)
    last = blocks.shape
    blocks = np.ascontiguousarray(blocks).reshape(*last[:-1], last[-1] // block.size, block.size)
    operands, scale = [blocks], None
    if block.tensor_scale is not None:
        scale = _tensor_scale(np.asarray(x), block, tensor_scale)
        operands.append(_convert(np.float32(scale), block.tensor_scale))
        scale = np.float32(float64_values(block.tensor_scale, operands[-1]))
    elif not (tensor_scale is None or (isinstance(tensor_scale, str) and tensor_scale == "auto")):
        raise UsageError(f"tensor_scale={tensor_scale} with {block}, which has none; leave it out")
    controls: dict[str, Any] = {}
    if unit.random_bits:
        if not isinstance(random, np.random.Generator):
            what = "without random" if random is None else f"with random={random!r}"
            raise UsageError(f"rounding={unit.rounding.value} {what}; a numpy random Generator is allowed, such as "
                             "np.random.default_rng(0)")
        controls["random"] = random.integers(0, 1 << unit.random_bits, blocks.shape, dtype=np.uint64)
    elif unit.rounding is Rounding.PORT:
        raise UsageError("rounding=port; one mode for the whole array is allowed")
    result = unit.compute(*operands, **controls)
    assert result.scales is not None
    return Quantized(np.moveaxis(result.codes.reshape(last), -1, axis), np.moveaxis(result.scales, -1, axis), scale,
                     block, codes.shape, axis)


def _tensor_scale(x: np.ndarray, block: BlockFormat, given: Any) -> np.float32:
    if given is None:
        return np.float32(1)
    if isinstance(given, str):
        if given != "auto":
            raise UsageError(f'tensor_scale={given!r}; a number, "auto" or None is allowed')
        magnitude = np.abs(x.astype(np.float32))
        amax = np.max(magnitude, initial=0, where=np.isfinite(magnitude))
        auto = np.float32(np.float64(amax) / float(block.element.max_finite * block.scale.max_finite))
        return auto if auto > 0 else np.float32(1)
    try:
        with np.errstate(over="ignore"):
            scale = np.float32(given)
    except (TypeError, ValueError):
        raise UsageError(f"tensor_scale={given!r}; a number, \"auto\" or None is allowed") from None
    if np.ndim(scale):
        raise UsageError(f"tensor_scale of shape {np.shape(scale)}; one number for the whole tensor is allowed")
    if not (np.isfinite(scale) and scale > 0):
        raise UsageError(f"tensor_scale={given}; a positive number that float32 holds is allowed")
    return scale


def _convert(values: Any, to: Format) -> np.ndarray:
    """Floats as codes of `to`, to nearest even, saturating."""
    codes, source = _floats("operand", values)
    if to == as_format(source):
        return codes
    return Convert(source=as_format(source), out=to, overflow=Overflow.SATURATE).compute(codes).codes


def _values(codes: np.ndarray, fmt: Format) -> np.ndarray:
    """What codes stand for: float32 where every value of the format is one, else float64."""
    if is_binary32(fmt):
        return codes.view(np.float32)
    if not fits_float64(fmt):
        if fmt == as_format("fp64"):
            return codes.view(np.float64)
        raise UsageError(f"values of {fmt} are no float64 numbers; out=fp64 or less is allowed, or codes")
    values = float64_values(fmt, codes)
    narrow = fmt.significand_bits <= 24 and (fmt.fixed or (fmt.emax <= 127 and fmt.quantum_exponent >= -149))
    return values.astype(np.float32) if narrow else values


def dequantize(q: Quantized, out: Format | str = "fp32") -> np.ndarray:
    """Element times scale (times tensor scale), rounded once to `out`: `BlockDequantize`.

    Returns
    -------
    ndarray of float32 (float64, where `out` has values that are no float32), shape `q.shape`
    """
    if not isinstance(q, Quantized):
        raise UsageError(f"q is of type {type(q).__name__}; what fpgen.emulate.quantize returns is allowed")
    unit = BlockDequantize(block=q.block, out=as_format(out))
    codes = np.moveaxis(q.codes, q.axis, -1)
    last = codes.shape
    blocks = np.ascontiguousarray(codes).reshape(*last[:-1], last[-1] // q.block.size, q.block.size)
    operands = [blocks, np.moveaxis(q.scales, q.axis, -1)]
    if q.block.tensor_scale is not None:
        operands.append(_convert(np.float32(1 if q.tensor_scale is None else q.tensor_scale), q.block.tensor_scale))
    values = _values(unit.compute(*operands).codes.reshape(last), unit.out)
    whole = np.moveaxis(values, -1, q.axis)
    return np.ascontiguousarray(whole[tuple(slice(length) for length in q.shape)])


# ---- matrix products -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Operand:
    """A or B as rows along K (whole blocks of it): codes (batch..., rows, K), scales (batch..., rows, blocks)."""

    codes: np.ndarray
    scales: np.ndarray | None
    tensor_scale: np.float32 | None
    k: int


def matmul(a: Any, b: Any, unit: Unit | str, c: Any = None, *, threads: int = 1, codes: bool = False):
    """``a @ b (+ c)`` with every bit as the unit delivers it.

    K is cut into pieces of the unit's length, and each piece's result is the addend `c` of the next; the last piece is
    filled up with zeros (zero elements, scale code 0), as software on a machine with that unit does.

    Parameters
    ----------
    a, b : array_like or Quantized
        (..., M, K) and (..., K, N); leading axes broadcast. Floats (float32, float16, bfloat16) are converted to the
        unit's operand format, to nearest even and saturating; for block formats they are quantised along K with the
        block format's default policy. Integers are codes of a plain operand format. Quantized: blocks along K.
    unit : DotProduct, BlockDot or TensorCore, or the text of one
        Of a fixed rounding mode. K longer than the unit's length needs an addend of the output's format.
    c : array_like, optional
        Broadcast to (..., M, N); floats or codes, as above. Default: zeros.
    threads : int
        Results do not depend on it.
    codes : bool
        Return (values, codes) instead of the values.

    Returns
    -------
    ndarray of float32, shape (..., M, N)
        Values of the result codes; float64 where the output has values that are no float32. Tensor scales (NVFP4) are
        applied to the values, ``value * (scale_a * scale_b)`` in the array's precision; not to the codes.

    Raises
    ------
    UsageError
    """
    dot = _dot_of(unit)
    left, right = _operand("a", a, dot), _operand("b", b, dot)
    length, k = dot.products, left.k
    if k != right.k:
        raise UsageError(f"a with K={k}, b with K={right.k}; equal lengths are allowed")
    if k > length and dot.c != dot.out:
        raise UsageError(f"K={k} with `{dot}` of length {length}: longer sums are chained through c, so a unit with "
                         f"`+ {dot.out} -> {dot.out}` is allowed, or K up to {length}")
    if k % length and not (_elements(dot)[0].zero and _elements(dot)[1].zero):
        raise UsageError(f"K={k} with `{dot}`, whose operands have no zero to fill up with; a multiple of {length} is "
                         "allowed")
    scales = [operand.tensor_scale for operand in (left, right) if operand.tensor_scale is not None]
    if scales and c is not None:
        raise UsageError("c with tensor scales, which multiply what the unit delivers; add c to the result")
    if not (type(threads) is int and threads >= 1):
        raise UsageError(f"threads={threads!r}; a whole number from 1 is allowed")
    try:
        batch = np.broadcast_shapes(left.codes.shape[:-2], right.codes.shape[:-2])
    except ValueError:
        raise UsageError(f"a of {left.codes.shape[:-2]} and b of {right.codes.shape[:-2]} matrices; shapes that "
                         "broadcast to one are allowed") from None
    shape = (*batch, left.codes.shape[-2], right.codes.shape[-2])
    found = np.empty(shape, dtype=code_dtype(dot.out.bits))
    start = _addend(c, dot, shape)
    jobs = list(_jobs(dot, left, right, start, batch, found))
    if threads == 1:
        for job in jobs:
            _tile(*job)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda job: _tile(*job), jobs))
    values = _values(found, dot.out)
    if scales:
        values = values * np.prod(np.array(scales, dtype=values.dtype))
    return (values, found) if codes else values


def _dot_of(unit: Unit | str) -> DotProduct | BlockDot:
    """The unit of one result, without what no result depends on."""
    given = parse_unit(unit) if isinstance(unit, str) else unit
    dot = given.dot if isinstance(given, TensorCore) else given
    if not isinstance(dot, DotProduct | BlockDot):
        raise UsageError(f"unit={given}; dot, blockdot or tensorcore is allowed")
    if dot.rounding is Rounding.PORT or dot.random_bits:
        raise UsageError(f"rounding={dot.rounding.value} in a matrix product; one mode without random bits is allowed")
    return replace(dot, flags=False)


def _elements(dot: DotProduct | BlockDot) -> tuple[Format, Format]:
    return (dot.a.element, dot.b.element) if isinstance(dot, BlockDot) else (dot.a, dot.b)


def _operand(name: str, given: Any, dot: DotProduct | BlockDot) -> _Operand:
    """An operand as rows along K."""
    axis = -1 if name == "a" else -2
    if isinstance(dot, BlockDot):
        block = dot.a if name == "a" else dot.b
        if not isinstance(given, Quantized):
            array = _array(name, given)
            if array.dtype.kind in "iub":
                raise UsageError(f"{name} is an array of {array.dtype}; floats, or what fpgen.emulate.quantize returns "
                                 f"for {block}, are allowed")
            _source(name, array)
            _matrix(name, array)
            given = quantize(array, block, axis=axis)
        if given.block != block:
            raise UsageError(f"{name} is quantised to {given.block}; `{dot}` takes {block}")
        _matrix(name, given.codes)
        if given.axis != given.codes.ndim + axis:
            raise UsageError(f"{name} has blocks along axis {given.axis}; axis={axis} (along K) is allowed")
        return _Operand(np.moveaxis(given.codes, axis, -1), np.moveaxis(given.scales, axis, -1), given.tensor_scale,
                        given.shape[axis])
    if isinstance(given, Quantized):
        raise UsageError(f"{name} is quantised to {given.block}; `{dot}` takes plain {getattr(dot, name)}")
    codes = _codes(name, given, getattr(dot, name))
    _matrix(name, codes)
    return _Operand(np.moveaxis(codes, axis, -1), None, None, codes.shape[axis])


def _matrix(name: str, array: np.ndarray):
    if array.ndim < 2:
        raise UsageError(f"{name} has shape {array.shape}; a matrix, or a stack of them, is allowed")


def _codes(name: str, given: Any, fmt: Format) -> np.ndarray:
    """Floats or codes as codes of `fmt`."""
    array = _array(name, given)
    if array.dtype.kind not in "iub":
        _floats(name, array)
        return _convert(array, fmt)
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < 1 << fmt.bits:
        hint = " (negative ones in two's complement)" if fmt.fixed and fmt.signed else ""
        raise UsageError(f"{name} from {array.min()} to {array.max()}; integers are codes, and those of {fmt} are 0 to "
                         f"{(1 << fmt.bits) - 1}{hint}")
    return array.astype(code_dtype(fmt.bits))


def _addend(c: Any, dot: DotProduct | BlockDot, shape: tuple[int, ...]) -> np.ndarray | None:
    """Codes of the first addend, of `shape`; None for units without."""
    if dot.c is None:
        if c is not None:
            raise UsageError(f"c with `{dot}`, which has no addend; leave it out")
        return None
    codes = _codes("c", np.float32(0) if c is None else c, dot.c)
    try:
        return np.broadcast_to(codes, shape)
    except ValueError:
        raise UsageError(f"c of shape {codes.shape} with a result of {shape}; a shape that broadcasts to it is "
                         "allowed") from None


def _jobs(dot: DotProduct | BlockDot, left: _Operand, right: _Operand, start: np.ndarray | None,
          batch: tuple[int, ...], found: np.ndarray) -> Iterator[tuple]:
    """Tiles of the result: their operands' rows, and where they go."""

    def spread(operand: _Operand) -> dict[str, np.ndarray]:
        k = _round_up(operand.codes.shape[-1], dot.products)
        arrays = {"codes": _filled(operand.codes, operand.codes.ndim - 1, k)}
        if operand.scales is not None and isinstance(dot, BlockDot):
            arrays["scales"] = _filled(operand.scales, operand.scales.ndim - 1, k // dot.size)
        return {key: np.broadcast_to(array, (*batch, *array.shape[-2:])) for key, array in arrays.items()}

    rows, columns = spread(left), spread(right)
    for index in np.ndindex(batch):
        for top in range(0, found.shape[-2], _TILE[0]):
            for side in range(0, found.shape[-1], _TILE[1]):
                i, j = slice(top, top + _TILE[0]), slice(side, side + _TILE[1])
                yield (dot, {key: array[index][i] for key, array in rows.items()},
                       {key: array[index][j] for key, array in columns.items()},
                       None if start is None else start[index][i, j], found[index][i, j])


def _tile(dot: DotProduct | BlockDot, rows: dict[str, np.ndarray], columns: dict[str, np.ndarray],
          addend: np.ndarray | None, found: np.ndarray):
    """Work out one tile, piece of K after piece, into `found`."""
    at_once = sums_matrix.suits(dot)
    for start in range(0, rows["codes"].shape[-1], dot.products):
        part = slice(start, start + dot.products)
        operands = {"a": rows["codes"][:, part], "b": columns["codes"][:, part]}
        if isinstance(dot, BlockDot):
            blocks = slice(start // dot.size, (start + dot.products) // dot.size)
            operands |= {"a_scale": rows["scales"][:, blocks], "b_scale": columns["scales"][:, blocks]}
        if addend is not None:
            operands["c"] = addend
        result = sums_matrix.run(dot, operands) if at_once else None
        if result is None:
            every = {name: array if name == "c" else array[:, None] if name.startswith("a") else array[None]
                     for name, array in operands.items()}
            result = sums.run(dot, {name: np.broadcast_to(array, (*found.shape, *array.shape[2:]))
                                    for name, array in every.items()}).codes
        addend = result
    found[...] = addend
