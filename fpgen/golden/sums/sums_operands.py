"""Operands of block dot products in the one form that the engines know.

Zero points are subtracted, so that elements are codes of the format of the differences; and where operands have blocks
of different sizes, scales are repeated, so that a pair of scales belongs to `BlockDot.size` products of both.
"""

from __future__ import annotations

import numpy as np

from fpgen.formats.descriptor import Format
from fpgen.golden.result import code_dtype
from fpgen.units.blockdot import ScaledProducts
from fpgen.units.dot import SumOfProducts
from fpgen.units.lane_mask import masked_codes, signs_show
from fpgen.units.options import PORT_CODES, Rounding


def with_masked(unit: SumOfProducts, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inputs without the mask: masked elements are the codes that `lane_mask` defines."""
    found = dict(inputs)
    mask = found.pop("mask", None)
    if mask is None or not mask.any():
        return found
    down = unit.rounding is Rounding.RDN
    if unit.rounding is Rounding.PORT and signs_show(unit):
        down = found["rounding"] == PORT_CODES[Rounding.RDN]
    codes, codes_down = masked_codes(unit, down=False), masked_codes(unit, down=True)
    for name in ("a", "b"):
        array = found[name]
        own = array.ndim - (mask.ndim - 1)  # axes of the operand beside the batch's
        axis = unit.axis(name)
        lanes = mask.reshape(*mask.shape[:-1], *(mask.shape[-1] if at == own + axis else 1 for at in range(own)))
        code = np.where(down, codes_down[name], codes[name]).astype(array.dtype)
        found[name] = np.where(lanes != 0, code.reshape(code.shape + (1,) * (own if code.ndim else 0)), array)
    return found


def prepared(unit: SumOfProducts, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inputs without zero points, and with a scale for every `size` products.

    Parameters
    ----------
    unit : DotProduct, BlockDot or TensorCore
    inputs : dict of str to ndarray
        By port, with the axes of the port last.
    """
    found = dict(inputs)
    for name in unit.scaled_operands:
        assert isinstance(unit, ScaledProducts)
        arrays = {port: array for port, array in inputs.items() if port[0] == name}
        found |= prepared_operand(unit, name, arrays, unit.axis(name))
        found.pop(f"{name}_zero", None)
    return found


def prepared_operand(
    unit: ScaledProducts, name: str, arrays: dict[str, np.ndarray], axis: int
) -> dict[str, np.ndarray]:
    """`prepared` for the ports of one operand, along whose `axis` its blocks run."""
    block, zero = unit.block_of(name), unit.zero_format(name)
    assert block is not None
    found = {name: arrays[name], f"{name}_scale": arrays[f"{name}_scale"]}
    if zero is not None:
        points = np.repeat(arrays[f"{name}_zero"], block.size, axis=axis)
        codes = _integers(block.element, arrays[name]) - _integers(zero, points)
        fmt = unit.factor_of(name)
        found[name] = (codes & np.uint64((1 << fmt.bits) - 1)).astype(code_dtype(fmt.bits))
    if unit.repeats(name) > 1:
        found[f"{name}_scale"] = np.repeat(found[f"{name}_scale"], unit.repeats(name), axis=axis)
    return found


def _integers(fmt: Format, codes: np.ndarray) -> np.ndarray:
    """Integer codes, their sign extended to 64 bits of two's complement; uint64."""
    wide = codes.astype(np.uint64)
    if not fmt.signed:
        return wide
    sign = np.uint64(fmt.sign_mask)
    return (wide ^ sign) - sign
