"""Real numbers as the codes of a unit's operand ports: what a layer's tensors become before they reach the unit.

Plain operands are rounded to their format. Operands in a block format are quantised (`fpgen.emulate.quantize`), so
that elements and scales belong together, as they do in a tensor; a tensor scale is worked out once for all of them.
The addend of a product or of a sum of products has the spread of that sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpgen.base.errors import UsageError

if TYPE_CHECKING:
    from fpgen.formats import BlockFormat, Format
    from fpgen.units.base import Unit
    from fpgen.units.block_operand import BlockOperand

Codes = NDArray[np.uint64]
Values = NDArray[np.float64]


def derived_ports(unit: Unit) -> set[str]:
    """Operand ports that values need not be given for: scales, which follow from the numbers they scale."""
    found = {name for item in unit.block_operands for name in item.derived}
    return found | ({unit.tensor_operand} - {""})


def encode(unit: Unit, values: Mapping[str, Values]) -> dict[str, Codes]:
    """Codes of all operand ports.

    Parameters
    ----------
    unit : Unit
    values : mapping of str to array of shape (..., elements)
        Port -> what it stands for. Without the `derived_ports`: they are worked out. With them: every port is
        converted by itself.

    Raises
    ------
    UsageError
        As `convert`.
    """
    found: dict[str, Codes] = {}
    for item in unit.block_operands:
        if not item.derived & set(values):
            found |= quantised(item, values[item.elements])[0]
    return found | _plain(unit, {name: given for name, given in values.items() if name not in found})


def quantised(item: BlockOperand, values: Values) -> tuple[dict[str, Codes], float]:
    """Codes of an operand in a block format, by port; and its tensor scale, 1 where there is none.

    With zero points, numbers are quantised symmetrically around one in the middle of the elements' range.

    Parameters
    ----------
    item : BlockOperand
    values : array of shape (..., elements)
        In the port's order; all of it is one tensor.
    """
    from fpgen.emulate import quantize

    leading = values.shape[:-1]
    single = values.reshape(*leading, *item.shape).astype(np.float32)
    made = quantize(single, _around_zero(item), axis=item.axis)
    codes = made.codes.reshape(*leading, -1).astype(np.uint64)
    found = {item.elements: codes, item.scale: made.scales.reshape(*leading, -1).astype(np.uint64)}
    if item.zero_format is not None:
        middle = _middle(item)
        found[item.elements] = (codes + np.uint64(middle)) & np.uint64((1 << item.block.element.bits) - 1)
        found[item.zero] = np.full(found[item.scale].shape, middle, np.uint64)
    tensor = 1.0 if made.tensor_scale is None else float(made.tensor_scale)
    if item.tensor_scale:
        assert item.block.tensor_scale is not None
        code = convert(np.array([tensor]), item.block.tensor_scale)
        found[item.tensor_scale] = np.broadcast_to(code, (*leading, 1))
    return found, tensor


def _middle(item: BlockOperand) -> int:
    """The zero point of an operand: half the range of unsigned elements, as far as its format reaches; else 0."""
    assert item.zero_format is not None
    element = item.block.element
    return 0 if element.signed else min(1 << element.bits - 1, item.zero_format.max_finite_code)


def _around_zero(item: BlockOperand) -> BlockFormat:
    """The block format whose elements are the differences from `_middle` that elements reach on both sides."""
    from dataclasses import replace

    element = item.block.element
    if item.zero_format is None or element.signed or not _middle(item):
        return item.block
    bits = max(2, _middle(item).bit_length())
    return replace(item.block, element=replace(element, bits=bits, precision=bits - 1, signed=True, name=""), name="")


def normal(unit: Unit, sigma: float, random: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Codes]:
    """Codes of Gaussian operands.

    Parameters
    ----------
    unit : Unit
    sigma : float
        Standard deviation; of fixed-point formats in quarters of their largest value, so that 4 is full scale. An
        addend's is that of the sum it joins: the products of its operands' times the root of their number.
    random : numpy.random.Generator
    shape : tuple of int
        Leading axes.

    Raises
    ------
    UsageError
        As `encode`.
    """
    derived, blocks = derived_ports(unit), {item.elements: item for item in unit.block_operands}
    found: dict[str, Codes] = {}
    values: dict[str, Values] = {}
    spread = math.sqrt(getattr(unit, "products", 1))
    for port in unit.ports:
        if not port.is_input or port.role.value != "operand" or port.name in derived:
            continue
        assert port.format is not None
        drawn = random.standard_normal((*shape, port.count))
        if port.name == "c":
            values["c"] = drawn * spread
        elif port.name in blocks:
            codes, tensor = quantised(blocks[port.name], drawn * sigma)
            found |= codes
            spread *= sigma / tensor
        else:
            unity = sigma * _unity(port.format)
            values[port.name] = drawn * unity
            spread *= unity
    return found | _plain(unit, values)


def convert(values: Values, fmt: Format) -> Codes:
    """Codes of the values nearest to `values`, ties to even, saturating; unsigned formats take the magnitude.

    Parameters
    ----------
    values : array
    fmt : Format

    Raises
    ------
    UsageError
        When the format has more than 64 bits, or no code for a NaN among the values.
    """
    from fpgen.units import parse_unit

    if np.isnan(values).any() and not fmt.has_nan:
        raise UsageError(f"values for {fmt}: got NaN, which it does not have; expected numbers")
    if fmt.bits > 64:
        raise UsageError(
            f"operand format: got {fmt}, of {fmt.bits} bits; expected up to 64 bits for values "
            "(uniform codes work for every format)"
        )
    if not fmt.signed:
        values = np.abs(values)
    unit = parse_unit(f"convert fp64 -> {fmt.spelling} rne saturate")
    codes = unit.compute(np.ascontiguousarray(values, dtype=np.float64).reshape(-1).view(np.uint64)).codes
    return np.asarray(codes).astype(np.uint64).reshape(values.shape)


def _unity(fmt: Format) -> float:
    """What 1 stands for in a format: of fixed point, a quarter of its largest value."""
    return float(2**fmt.magnitude_bits - 1) * 2.0**fmt.scale / 4 if fmt.fixed else 1.0


def _plain(unit: Unit, values: Mapping[str, Values]) -> dict[str, Codes]:
    """`encode` of ports whose codes do not depend on others, and of a quantiser's tensor scale."""
    formats = {port.name: port.format for port in unit.ports if port.format is not None}
    found = {name: convert(given, formats[name]) for name, given in values.items()}
    given = unit.tensor_operand
    if given and given not in values:
        found[given] = _tensor_scale(unit, values["source"])
    return found


def _tensor_scale(unit: Unit, source: Values) -> Any:
    """Codes of the tensor scale that a quantiser is given with its numbers, shape (..., 1)."""
    from fpgen.emulate import quantize
    from fpgen.units import BlockQuantize

    assert isinstance(unit, BlockQuantize) and unit.block.tensor_scale is not None
    made = quantize(source.astype(np.float32), unit.block).tensor_scale
    assert made is not None
    scale = 1 / float(made) if unit.like.takes_encode_scale else float(made)
    return np.broadcast_to(convert(np.array([scale]), unit.block.tensor_scale), (*source.shape[:-1], 1))
