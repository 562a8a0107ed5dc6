"""Many blocks as a library quantises them: numpy's float32 operations in its order, and tables.

The arithmetic is that of `fpgen.units.quantize`, "Like a library"; numpy's float32 is IEEE 754's, subnormals included.
"""

from __future__ import annotations

from typing import assert_never

import numpy as np

from fpgen.golden.result import code_dtype
from fpgen.golden.scalar.decode import float64_values
from fpgen.golden.scalar.deliver import deliver, target
from fpgen.golden.scalar.float64_engine import locate
from fpgen.golden.scalar.modes import select_modes
from fpgen.units.options import Overflow, Rounding, Semantics
from fpgen.units.quantize import BlockQuantize
from fpgen.units.scaling import Like

from . import block_elements

_NEAREST = Semantics(Rounding.RNE, Overflow.SATURATE)
_ONE, _SIX = np.float32(1), np.float32(6)
_LARGEST = np.finfo(np.float32).max
_SIGNLESS = np.uint32(0x7FFFFFFF)
_INFINITY = np.uint32(0x7F800000)
_LARGEST_ELEMENT = 7


def quantize(
    unit: BlockQuantize, bits: np.ndarray, given: np.ndarray | None, codes: np.ndarray, scales: np.ndarray
) -> None:
    """Element and scale codes, written into `codes` and `scales`.

    Parameters
    ----------
    unit : BlockQuantize
    bits : ndarray of uint32, shape (blocks, size)
        The numbers as binary32.
    given : ndarray of uint32, shape (blocks,), optional
        Tensor scales, or encode scales.
    """
    x = bits.view(np.float32)
    tensor = np.ones(len(x), np.float32) if given is None else np.ascontiguousarray(given).view(np.float32)
    bad = ~((tensor > 0) & (tensor < np.inf))
    tensor = np.where(bad, _ONE, tensor)
    magnitude = np.abs(x)
    is_nan = np.isnan(x)
    nan = is_nan.any(axis=1)
    # Codes of magnitudes are ordered as numbers, NaN above infinity.
    amax = np.where(is_nan, np.float32(0), magnitude).max(axis=1)
    if unit.like.spoilt_by_nan:
        amax[nan] = np.nan
    match unit.like:
        case Like.TORCHAO:
            scales[...] = _scale_codes(unit, amax / _SIX / tensor, 2.0**-6)
            reciprocal = _ONE / tensor / _scale_values(unit, scales)
            scaled = x * reciprocal[:, None]
        case Like.MODELOPT:
            wanted = amax / (_SIX * tensor)
            scales[...] = _scale_codes(unit, np.where(wanted == 0, _ONE, wanted), 2.0**-9)
            scaled = x / (_scale_values(unit, scales) * tensor)[:, None]
        case Like.TRANSFORMER_ENGINE:
            wanted = np.fmin(amax * (tensor * (_ONE / _SIX)), _LARGEST)
            scales[...] = _scale_codes(unit, wanted, 0.0)
            reciprocal = np.fmin(_ONE / (_scale_values(unit, scales) * (_ONE / tensor)), _LARGEST)
            scaled = x * reciprocal[:, None]
        case Like.NONE:
            raise ValueError("like: got none; expected a library")
        case _:
            assert_never(unit.like)
    _elements(unit, scaled, codes)
    codes[bad] = 0
    scales[bad] = unit.block.scale.nan_code


def _scale_values(unit: BlockQuantize, codes: np.ndarray) -> np.ndarray:
    return float64_values(unit.block.scale, codes).astype(np.float32)


def _scale_codes(unit: BlockQuantize, wanted: np.ndarray, least: float) -> np.ndarray:
    fmt = unit.block.scale
    values = np.minimum(np.maximum(wanted, np.float32(least)), np.float32(fmt.max_finite)).astype(np.float64)
    nan = np.isnan(values)
    to = target(fmt)
    codes, _ = deliver(
        to, _NEAREST, select_modes(Rounding.RNE, None, None, 0), locate(np.where(nan, 0.0, values), to), None, None
    )
    return np.where(nan, fmt.nan_code, codes).astype(code_dtype(fmt.bits))


def _elements(unit: BlockQuantize, scaled: np.ndarray, codes: np.ndarray) -> None:
    cells = block_elements.cells_for(unit.out, unit.semantics)
    assert cells is not None
    bits = np.ascontiguousarray(scaled).view(np.uint32)
    nan = (bits & _SIGNLESS) > _INFINITY
    some = nan.any()
    if some:
        bits = np.where(nan, np.uint32(0), bits)
    block_elements.by_power(cells, bits, np.zeros(len(bits), np.int32), codes)
    match unit.like:
        case Like.TORCHAO:
            of_nan = 0
        case Like.MODELOPT:
            of_nan = _LARGEST_ELEMENT
            codes[scaled == 0] = 0
        case Like.TRANSFORMER_ENGINE:
            of_nan = _LARGEST_ELEMENT
        case Like.NONE:
            raise ValueError("like: got none; expected a library")
        case _:
            assert_never(unit.like)
    if some:
        codes[nan] = of_nan
