"""Arrays in a block format: `quantize` and `dequantize`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from fpgen.base.errors import UsageError
from fpgen.base.memory import check_room
from fpgen.formats import BlockFormat, Format, as_block, as_format
from fpgen.formats.dtypes import code_bits, format_of
from fpgen.golden.result import code_dtype
from fpgen.golden.scalar.decode import float64_values
from fpgen.units import BlockDequantize, BlockQuantize
from fpgen.units.options import Rounding
from fpgen.units.scaling import Like, ScaleFloor, ZeroScale

from .arrays import convert, filled, floats, round_up, values_of


@dataclass(frozen=True, eq=False)
class Quantized:
    """An array in a block format.

    Parameters
    ----------
    codes : ndarray of unsigned int
        Element codes, of `shape`, but for `axis`, which is padded with zeros to whole blocks. An array of the
        element's own dtype (ml_dtypes' `float4_e2m1fn` for `e2m1`) becomes codes.
    scales : ndarray of unsigned int
        Scale codes: one per block along `axis`; or an array of the scale's own dtype.
    tensor_scale : float32, optional
        Where the block format has one.
    block : BlockFormat
    shape : tuple of int
        Of the array that was quantised.
    axis : int
        The one that blocks run along, from 0.

    Raises
    ------
    UsageError
        Parts that do not fit together, or codes that their formats do not have.
    """

    codes: np.ndarray
    scales: np.ndarray
    tensor_scale: np.float32 | None
    block: BlockFormat
    shape: tuple[int, ...]
    axis: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "block", as_block(self.block))
        object.__setattr__(self, "shape", _shape(self.shape))
        if not (_is_whole(self.axis) and 0 <= self.axis < len(self.shape)):
            raise UsageError(f"axis: got {self.axis!r} with shape {self.shape}; expected 0 to {len(self.shape) - 1}")
        object.__setattr__(self, "axis", int(self.axis))
        size, length = self.block.size, round_up(self.shape[self.axis], self.block.size)
        for name, fmt, along in (("codes", self.block.element, length), ("scales", self.block.scale, length // size)):
            array = getattr(self, name)
            if isinstance(array, np.ndarray) and format_of(array.dtype) == fmt:
                array = code_bits(array, fmt)
                object.__setattr__(self, name, array)
            wanted = (*self.shape[: self.axis], along, *self.shape[self.axis + 1 :])
            if not (isinstance(array, np.ndarray) and array.dtype.kind == "u" and array.shape == wanted):
                what = f"{array.dtype} of {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
                raise UsageError(
                    f"{name}: got {what} for {self.block} along axis {self.axis} of {self.shape}; expected an array of "
                    f"unsigned integers of {wanted}"
                )
            if array.size and int(array.max()) >> fmt.bits:
                raise UsageError(
                    f"{name}: got codes up to {array.max()}; expected codes of {fmt}, 0 to {(1 << fmt.bits) - 1}"
                )
        if self.tensor_scale is not None:
            if self.block.tensor_scale is None:
                raise UsageError(
                    f"tensor_scale with {self.block}, which has none: got "
                    f"{type(self.tensor_scale).__name__}; expected none given"
                )
            object.__setattr__(self, "tensor_scale", _positive(self.tensor_scale))


def quantize(
    x: Any,
    block: BlockFormat | str,
    *,
    policy: str | None = None,
    rounding: str = "rne",
    axis: int = -1,
    tensor_scale: Any = "auto",
    overflow: str | None = None,
    random_bits: int = 0,
    random: np.random.Generator | None = None,
    scale_floor: ScaleFloor | str = ScaleFloor.NONE,
    zero_scale: ZeroScale | str = ZeroScale.LOWEST,
    like: Like | str = Like.NONE,
) -> Quantized:
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
    scale_floor, zero_scale, like : str, optional
        As `BlockQuantize` has them. With ``like="transformer-engine"`` the encode scale is 2688 / amax in float32 for
        the tensor scale "auto", as that library computes it (the largest float32 where that is infinite), else 1 / the
        given value in float32; `Quantized.tensor_scale` is what multiplies, as ever.

    Raises
    ------
    UsageError
    """
    block = as_block(block)
    codes, source = floats("x", x)
    if codes.ndim == 0:
        raise UsageError("x: got a single number; expected an array")
    axis = _axis(axis, codes.ndim)
    options: dict[str, Any] = {
        "clamp": True,
        "policy": policy,
        "rounding": rounding,
        "random_bits": random_bits,
        "scale_floor": scale_floor,
        "zero_scale": zero_scale,
        "like": like,
    }
    unit = BlockQuantize(
        source=as_format(source),
        block=block,
        out=block.element,
        **options | ({} if overflow is None else {"overflow": overflow}),
    )
    length = codes.shape[axis]
    blocks, last = _in_blocks(filled(codes, axis, round_up(length, block.size)), axis, block.size)
    operands, scale = [blocks], None
    if block.tensor_scale is not None:
        scale, encode = _tensor_scale(np.asarray(x), block, tensor_scale)
        code = convert(scale, block.tensor_scale)
        scale = np.float32(float64_values(block.tensor_scale, code))
        operands.append(convert(encode, block.tensor_scale) if unit.like.takes_encode_scale else code)
    elif not (tensor_scale is None or (isinstance(tensor_scale, str) and tensor_scale == "auto")):
        raise UsageError(
            f"tensor_scale with {block}, which has none: got {type(tensor_scale).__name__}; expected none given"
        )
    controls: dict[str, Any] = {}
    if unit.random_bits:
        if not isinstance(random, np.random.Generator):
            what = "without random" if random is None else f"with random={random!r}"
            raise UsageError(
                f"rounding={unit.rounding.value}: got it {what}; expected a numpy random Generator, such as "
                "np.random.default_rng(0)"
            )
        controls["random"] = random.integers(0, 1 << unit.random_bits, blocks.shape, dtype=np.uint64)
    elif random is not None:
        raise UsageError(
            f"random with rounding={unit.rounding.value}: got {type(random).__name__}; expected none given"
        )
    elif unit.rounding is Rounding.PORT:
        raise UsageError("rounding: got port; expected one mode for the whole array")
    result = unit.compute(*operands, **controls)
    assert result.scales is not None
    return Quantized(
        np.moveaxis(result.codes.reshape(last), -1, axis),
        np.moveaxis(result.scales, -1, axis),
        scale,
        block,
        codes.shape,
        axis,
    )


def _is_whole(given: Any) -> bool:
    return isinstance(given, int | np.integer) and not isinstance(given, bool)


def _shape(given: Any) -> tuple[int, ...]:
    """The shape of an array, from what somebody has stored."""
    try:
        lengths = tuple(given)
    except TypeError:
        lengths = (given,)
    if not lengths or isinstance(given, str) or not all(_is_whole(length) and length >= 0 for length in lengths):
        raise UsageError(f"shape: got {given!r}; expected whole numbers from 0, one for each axis")
    return tuple(int(length) for length in lengths)


def _axis(axis: int, dimensions: int) -> int:
    if not (_is_whole(axis) and -dimensions <= axis < dimensions):
        raise UsageError(
            f"axis: got {axis!r} for an array of {dimensions} dimensions; expected {-dimensions} to {dimensions - 1}"
        )
    return int(axis) % dimensions


def _in_blocks(codes: np.ndarray, axis: int, size: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """Codes as (..., blocks, size), whole blocks along `axis`, and their shape with that axis last."""
    along = np.moveaxis(codes, axis, -1)
    last = along.shape
    return np.ascontiguousarray(along).reshape(*last[:-1], last[-1] // size, size), last


def _tensor_scale(x: np.ndarray, block: BlockFormat, given: Any) -> tuple[np.float32, np.float32]:
    """The tensor scale, and its counterpart that numbers are multiplied by."""
    if isinstance(given, str):
        if given != "auto":
            raise UsageError(f'tensor_scale: got {given!r}; expected a number, "auto" or None')
        magnitude = np.abs(x.astype(np.float32))
        amax = np.max(magnitude, initial=0, where=np.isfinite(magnitude))
        most = float(block.element.max_finite * block.scale.max_finite)
        auto = np.float32(np.float64(amax) / most)
        if not auto > 0:
            return np.float32(1), np.float32(1)
        with np.errstate(over="ignore"):
            encode = np.float32(most) / amax
        return auto, min(encode, np.finfo(np.float32).max)
    scale = np.float32(1) if given is None else _positive(given)
    with np.errstate(over="ignore"):
        return scale, min(np.float32(1) / scale, np.finfo(np.float32).max)


def _positive(given: Any) -> np.float32:
    """A tensor scale that somebody gives, as float32."""
    array = np.asarray(given)
    number = array.dtype.kind in "fiu" or isinstance(given, Fraction | Decimal)
    if not number or array.ndim:
        what = f"an array of shape {array.shape}" if array.ndim else f"{given!r:.60}"
        raise UsageError(f"tensor_scale: got {what}; expected one number")
    with np.errstate(over="ignore"):
        scale = np.float32(given)
    if not (np.isfinite(scale) and scale > 0):
        raise UsageError(f"tensor_scale: got {scale}; expected a positive number that float32 holds")
    return scale


def dequantize(q: Quantized, out: Format | str = "fp32") -> np.ndarray:
    """Element times scale (times tensor scale), rounded once to `out`: `BlockDequantize`.

    Returns
    -------
    ndarray of float32 (float64, where `out` has values that float32 does not hold), shape `q.shape`
    """
    if not isinstance(q, Quantized):
        raise UsageError(f"q: got {type(q).__name__}; expected what fpgen.emulate.quantize returns")
    unit = BlockDequantize(block=q.block, out=as_format(out))
    blocks, last = _in_blocks(q.codes, q.axis, q.block.size)
    operands = [blocks, np.moveaxis(q.scales, q.axis, -1)]
    if q.block.tensor_scale is not None:
        operands.append(convert(np.float32(1 if q.tensor_scale is None else q.tensor_scale), q.block.tensor_scale))
    check_room("q", q.codes.shape, np.dtype(code_dtype(unit.out.bits)).itemsize)
    values = values_of(unit.compute(*operands).codes.reshape(last), unit.out)
    whole = np.moveaxis(values, -1, q.axis)
    return np.ascontiguousarray(whole[tuple(slice(length) for length in q.shape)])
