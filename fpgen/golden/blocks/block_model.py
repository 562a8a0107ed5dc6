"""BlockQuantize and BlockDequantize, many blocks at once.

Blocks of numbers that are binary32 numbers go through `block_elements`. The others, blocks that hold NaN or infinity,
and blocks so small that subnormal numbers count go through binary64: a quotient of at most 51 bits on either side of
the division is never rounded onto an edge that it did not lie on, nor across one: two different numbers of so few bits
differ by more than one part in 2**52. What does not fit binary64 either goes to the exact model.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from fpgen.formats.descriptor import Format
from fpgen.golden.result import Result, code_dtype
from fpgen.golden.scalar.decode import EXPONENT_LIMIT, fits_float64, float64_values, is_binary32
from fpgen.golden.scalar.deliver import deliver, target
from fpgen.golden.scalar.float64_engine import locate
from fpgen.golden.scalar.modes import Modes, select_modes
from fpgen.golden.scalar.products import high, low, row_maximum, scratch
from fpgen.units.options import Overflow, Rounding
from fpgen.units.quantize import POWER_POLICIES, BlockDequantize, BlockQuantize
from fpgen.units.scaling import Like

from . import block_elements, block_like, block_scale

_CHUNK = 1 << 16  # elements
_SIGNLESS = np.uint32(0x7FFFFFFF)
_INFINITY = 0x7F800000
_DIVISOR_LIMIT = 2.0**100


def _within_binary32(fmt: Format) -> bool:
    """Whether every value is one of binary32."""
    return not fmt.fixed and fmt.signed and fmt.precision <= 24 and fmt.emax <= 127 and fmt.quantum_exponent >= -149


@lru_cache(maxsize=64)
def _quantize_suits(unit: BlockQuantize) -> bool:
    """Whether binary64 holds everything."""
    block, source, element = unit.block, unit.source, unit.block.element
    parts = [block.scale, *([block.tensor_scale] if block.tensor_scale else [])]
    if not all(fits_float64(fmt) for fmt in (source, element, *parts)) or not block_scale.suits(unit):
        return False
    divisor = sum(fmt.significand_bits for fmt in parts) + element.significand_bits + unit.random_bits + 2
    return (
        max(source.significand_bits, divisor) <= 51
        and high(source) - sum(low(fmt) for fmt in parts) <= EXPONENT_LIMIT
        and low(source) - sum(high(fmt) for fmt in parts) >= -EXPONENT_LIMIT
    )


def quantize(unit: BlockQuantize, inputs: dict[str, np.ndarray]) -> Result:
    """Element and scale codes of checked inputs."""
    source = inputs["source"]
    if not _quantize_suits(unit):
        from fpgen.golden.exact.exact_model import compute_exactly

        return compute_exactly(unit, inputs)
    batch, size = source.shape[:-1], unit.block.size
    count = int(np.prod(batch))
    flat = {name: array.reshape(count, *array.shape[len(batch) :]) for name, array in inputs.items()}
    codes = np.empty((count, size), dtype=code_dtype(unit.out.bits))
    scales = np.empty(count, dtype=code_dtype(unit.block.scale.bits))
    step = max(1, _CHUNK // size)
    with np.errstate(all="ignore"):
        for start in range(0, count, step):
            part = slice(start, start + step)
            _quantize_blocks(unit, {name: array[part] for name, array in flat.items()}, codes[part], scales[part])
    outputs = {"result": codes.reshape(*batch, size), "scale": scales.reshape(batch)}
    return Result(outputs, np.zeros(batch, dtype=np.uint8))


def _quantize_blocks(unit: BlockQuantize, rows: dict[str, np.ndarray], codes: np.ndarray, scales: np.ndarray) -> None:
    if unit.like is not Like.NONE:
        block_like.quantize(unit, binary32(unit.source, rows["source"]), rows.get(unit.tensor_operand), codes, scales)
        return
    cells = block_elements.cells_for(unit.out, unit.semantics)
    if cells is None or not _within_binary32(unit.source):
        codes[...], scales[...] = _by_binary64(unit, rows)
        return
    bits = binary32(unit.source, rows["source"])
    magnitude = np.bitwise_and(bits, _SIGNLESS, out=scratch("magnitude", bits.shape, np.uint32))
    amax_bits = row_maximum(magnitude)
    amax = amax_bits.view(np.float32).astype(np.float64)
    again = amax_bits >= _INFINITY
    tensor = None
    if unit.block.tensor_scale is not None:
        tensor = float64_values(unit.block.tensor_scale, rows["tensor_scale"])
        again |= ~((tensor > 0) & (tensor < np.inf))
        tensor = np.where(again, 1.0, tensor)
    amax[again] = 1.0
    scales[...] = block_scale.scale_codes(unit, amax, tensor)
    value = float64_values(unit.block.scale, scales)
    if unit.policy in POWER_POLICIES:
        exponent = np.where(amax == 0, 0, (value.view(np.int64) >> 52) - 1023)
        again |= -126 - exponent > cells.lowest  # subnormal numbers count
        moved = (exponent << 23) + cells.base
        again |= (np.abs(moved) >= 1 << 31) | (amax_bits - moved >= 1 << 31)  # 32 bits hold the place of every number
        block_elements.by_power(cells, bits, np.where(again, 0, exponent).astype(np.int32), codes)
    else:
        divisor = value if tensor is None else value * tensor
        again |= (divisor < 1 / _DIVISOR_LIMIT) | (divisor > _DIVISOR_LIMIT)
        divisor = np.where(again, 1.0, divisor)
        near = block_elements.by_ratio(cells, bits, divisor, codes)
        if len(near):
            x = bits.reshape(-1)[near].view(np.float32).astype(np.float64)
            modes = select_modes(unit.rounding, None, None, 0)
            codes.reshape(-1)[near] = _elements(unit, x, divisor[near // bits.shape[1]], modes)
    if again.any():
        index = np.flatnonzero(again)
        codes[index], scales[index] = _by_binary64(unit, {name: array[index] for name, array in rows.items()})


def binary32(fmt: Format, codes: np.ndarray) -> np.ndarray:
    """Codes as bits of binary32, uint32 of the same shape."""
    if is_binary32(fmt):
        return np.ascontiguousarray(codes)
    if fmt.bits <= 16:
        return _binary32_table(fmt).take(codes)
    return float64_values(fmt, codes).astype(np.float32).view(np.uint32)


@lru_cache(maxsize=16)
def _binary32_table(fmt: Format) -> np.ndarray:
    codes = np.arange(1 << fmt.bits, dtype=np.uint64)
    return float64_values(fmt, codes).astype(np.float32).view(np.uint32)


def _by_binary64(unit: BlockQuantize, rows: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Element and scale codes of any blocks."""
    block = unit.block
    values = float64_values(unit.source, rows["source"])
    finite = np.isfinite(values)
    amax = np.where(finite, np.abs(values), 0.0).max(axis=1)
    bad = np.zeros(len(values), dtype=bool)
    tensor = None
    if block.tensor_scale is not None:
        tensor = float64_values(block.tensor_scale, rows["tensor_scale"])
        bad = ~((tensor > 0) & (tensor < np.inf))
        tensor = np.where(bad, 1.0, tensor)
    if block.scale.has_nan:
        bad |= ~finite.all(axis=1)
    scales = block_scale.scale_codes(unit, amax, tensor)
    divisor = float64_values(block.scale, scales)
    if tensor is not None:
        divisor = divisor * tensor
    port = rows.get("rounding")
    modes = select_modes(
        unit.rounding,
        None if port is None else np.repeat(port, block.size),
        rows["random"].reshape(-1) if "random" in rows else None,
        unit.random_bits,
    )
    codes = _elements(unit, values.reshape(-1), np.repeat(divisor, block.size), modes).reshape(values.shape)
    codes[bad] = 0
    scales[bad] = block.scale.nan_code if block.scale.has_nan else 0
    return codes, scales


def _elements(unit: BlockQuantize, x: np.ndarray, divisor: np.ndarray, modes: Modes) -> np.ndarray:
    """Codes of x / divisor, flat; of zeros where the divisor is zero."""
    quotient = np.where(np.isfinite(x), np.where(divisor == 0, np.copysign(0.0, x), x / divisor), x)
    shadow = None if np.isfinite(quotient).all() else quotient
    to = target(unit.out)
    return deliver(to, unit.semantics, modes, locate(quotient, to), shadow, None)[0]


# ---- and back ------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _dequantize_suits(unit: BlockDequantize) -> bool:
    """Whether every product is a binary64 number."""
    factors = list(unit.operands.values())
    return (
        all(fits_float64(fmt) for fmt in (*factors, unit.out))
        and unit.out.bits <= 62
        and sum(fmt.significand_bits for fmt in factors) <= 53
        and sum(low(fmt) for fmt in factors) >= -EXPONENT_LIMIT
        and sum(high(fmt) for fmt in factors) <= EXPONENT_LIMIT
    )


def dequantize(unit: BlockDequantize, inputs: dict[str, np.ndarray]) -> Result:
    """Codes of checked inputs."""
    if not _dequantize_suits(unit):
        from fpgen.golden.exact.exact_model import compute_exactly

        return compute_exactly(unit, inputs)
    elements = inputs["elements"]
    batch, size = elements.shape[:-1], unit.block.size
    count = int(np.prod(batch))
    flat = {name: array.reshape(count, *array.shape[len(batch) :]) for name, array in inputs.items()}
    codes = np.empty((count, size), dtype=code_dtype(unit.out.bits))
    step = max(1, _CHUNK // size)
    with np.errstate(all="ignore"):
        for start in range(0, count, step):
            part = slice(start, start + step)
            rows = {name: array[part] for name, array in flat.items()}
            codes[part] = _dequantize_by_multiplying(unit, rows) if _multiplies(unit) else _dequantize(unit, rows)
    return Result({"result": codes.reshape(*batch, size)}, np.zeros(batch, dtype=np.uint8))


def _multiplies(unit: BlockDequantize) -> bool:
    """Whether one binary32 multiplication is the definition."""
    return (
        is_binary32(unit.out)
        and unit.rounding is Rounding.RNE
        and unit.overflow in (Overflow.IEEE, Overflow.INFINITE)
        and not unit.block.tensor_scale
        and all(
            high(fmt) <= 128 and low(fmt) >= -149 and fmt.significand_bits <= 24 and fmt.bits <= 16
            for fmt in unit.operands.values()
        )
    )


def _dequantize_by_multiplying(unit: BlockDequantize, rows: dict[str, np.ndarray]) -> np.ndarray:
    found = scratch("found", rows["elements"].shape, np.float32)
    _value_table(unit.block.element).take(rows["elements"], mode="clip", out=found)
    found *= _value_table(unit.block.scale).take(rows["scale"])[:, None]
    codes = found.view(np.uint32)
    codes[np.isnan(found)] = unit.out.nan_code
    return codes


@lru_cache(maxsize=64)
def _value_table(fmt: Format) -> np.ndarray:
    return float64_values(fmt, np.arange(1 << fmt.bits, dtype=np.uint64)).astype(np.float32)


def _dequantize(unit: BlockDequantize, rows: dict[str, np.ndarray]) -> np.ndarray:
    factor = float64_values(unit.block.scale, rows["scale"])
    if unit.block.tensor_scale is not None:
        factor = factor * float64_values(unit.block.tensor_scale, rows["tensor_scale"])
    product = (float64_values(unit.block.element, rows["elements"]) * factor[:, None]).reshape(-1)
    port = rows.get("rounding")
    modes = select_modes(
        unit.rounding,
        None if port is None else np.repeat(port, unit.block.size),
        rows["random"].reshape(-1) if "random" in rows else None,
        unit.random_bits,
    )
    shadow = None if np.isfinite(product).all() else product
    to = target(unit.out)
    codes, _ = deliver(to, unit.semantics, modes, locate(product, to), shadow, None)
    return codes.reshape(rows["elements"].shape)
