"""The decoded operands of one sum of products, and how they are cut out of the input ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fpgen.rtl.arith import prefix
from fpgen.rtl.float.unpack import Operand, unpack
from fpgen.rtl.graph import Graph, Node
from fpgen.units.blockdot import BlockDot, ScaledProducts
from fpgen.units.dot import DotProduct, SumOfProducts
from fpgen.units.lane_mask import masked_codes
from fpgen.units.options import PORT_CODES, Rounding
from fpgen.units.ports import Port, Role


@dataclass(frozen=True)
class Inputs:
    """What one sum of products is made of.

    Attributes
    ----------
    a, b : tuple of Operand
        The elements, in order, less their zero points.
    a_scale, b_scale : tuple of Operand
        One for each run of products that share scales; empty where the operand has no scales.
    c : Operand or None
    c_negated : bool
        `c` may be the negative of a code of its format.
    """

    a: tuple[Operand, ...]
    b: tuple[Operand, ...]
    a_scale: tuple[Operand, ...] = ()
    b_scale: tuple[Operand, ...] = ()
    c: Operand | None = None
    c_negated: bool = False

    @property
    def scales(self) -> list[tuple[Operand, ...]]:
        """The scales of each run of products: none, one or two."""
        found = [some for some in (self.a_scale, self.b_scale) if some]
        return list(zip(*found, strict=True)) if found else [()]

    @staticmethod
    def of(unit: SumOfProducts, parts: Mapping[str, Sequence[Operand]], c: Operand | None) -> Inputs:
        """From decoded elements and scales of one sum, by port."""
        found = {name: tuple(some) for name, some in parts.items() if some}
        for name in unit.scaled_operands:
            scales = found[f"{name}_scale"]
            found[f"{name}_scale"] = tuple(scale for scale in scales for _ in range(unit.repeats(name)))
        return Inputs(found["a"], found["b"], found.get("a_scale", ()), found.get("b_scale", ()), c)


def elements(word: Node, bits: int) -> list[Node]:
    """The codes of `bits` bits that lie in a port's word, the first one lowest."""
    return [word[low : low + bits] for low in range(0, word.width, bits)]


def decoded(g: Graph, unit: SumOfProducts) -> dict[str, list[Operand]]:
    """Every element of every operand port, by the port's name, in the order of the port.

    Elements with a zero point are their differences from it; the zero points are not among the operands.
    """
    found: dict[str, list[Operand]] = {}
    masked = _masked_words(g, unit)
    for port in unit.ports:
        if port.role is not Role.OPERAND or port.format is None or port.name.endswith("_zero"):
            continue
        if port.name in unit.zeroed_operands:
            assert isinstance(unit, ScaledProducts)
            found[port.name] = _differences(g, unit, port)
            continue
        flush = unit.subnormals.flush_inputs and not port.name.endswith("_scale")
        codes = elements(g.inputs[port.name], port.format.bits)
        if port.name in masked:
            codes = _behind_mask(g, unit, port, codes, masked[port.name])
        places = ["".join(f"_{k}" for k in index) for index in np.ndindex(port.shape)]
        section = f"Unpack {port.name}: {port.count} codes of {port.format}" if port.count > 1 else ""
        found[port.name] = [
            unpack(g, code, port.format, flush, port.name + place, section)
            for code, place in zip(codes, places, strict=True)
        ]
    return found


def _masked_words(g: Graph, unit: SumOfProducts) -> dict[str, Node]:
    """By operand, `a` and `b`, the code of a masked element; none without a mask."""
    if not unit.mask:
        return {}
    always, down = masked_codes(unit, down=False), masked_codes(unit, down=True)
    found = {}
    for name, bits in (("a", unit._formats()[0].bits), ("b", unit._formats()[1].bits)):
        up, low = g.const(always[name], bits), g.const(down[name], bits)
        if always[name] == down[name] or unit.rounding is not Rounding.PORT:
            found[name] = low if unit.rounding is Rounding.RDN else up
        else:
            toward_minus = g.step("masked_under_rdn", g.inputs["rounding"].equals(PORT_CODES[Rounding.RDN]))
            found[name] = (low & toward_minus.repeat(bits)) | (up & ~toward_minus.repeat(bits))
    return found


def _behind_mask(g: Graph, unit: SumOfProducts, port: Port, codes: list[Node], masked: Node) -> list[Node]:
    """The codes of a port's elements, or the `masked` one in the place of those whose lane is masked."""
    g.section(f"Mask {port.name}")
    mask, along = g.inputs["mask"], len(port.shape) + unit.axis(port.name)
    found = []
    for index, code in zip(np.ndindex(port.shape), codes, strict=True):
        off = mask[index[along]].repeat(code.width)
        place = "".join(f"_{k}" for k in index)
        found.append(g.step(f"{port.name}{place}_unmasked", (code & ~off) | (masked & off)))
    return found


def _differences(g: Graph, unit: ScaledProducts, port: Port) -> list[Operand]:
    """``element - zero point`` for every element of a port."""
    name, fmt = port.name, unit.factor_of(port.name)
    block, zero = unit.block_of(name), unit.zero_format(name)
    assert block is not None and zero is not None
    section = f"Unpack {name}: {port.count} codes of {block.element} less their zero points"
    g.section(section)
    shape = list(port.shape)
    along = len(shape) + unit.axis(name)
    shape[along] //= block.size
    points = dict(zip(np.ndindex(*shape), elements(g.inputs[f"{name}_zero"], zero.bits), strict=True))
    found = []
    for index, code in zip(np.ndindex(port.shape), elements(g.inputs[name], block.element.bits), strict=True):
        place = "".join(f"_{k}" for k in index)
        of_block = tuple(at // block.size if axis == along else at for axis, at in enumerate(index))
        point = _widened(points[of_block], zero.signed, fmt.bits)
        element = _widened(code, block.element.signed, fmt.bits)
        less = prefix.add(g, element, ~point, g.const(1, 1), name=f"{name}{place}_less_zero")[: fmt.bits]
        found.append(unpack(g, g.step(f"{name}{place}_difference", less), fmt, False, f"{name}{place}", section))
    return found


def _widened(code: Node, signed: bool, width: int) -> Node:
    return code.sext(width) if signed else code.zext(width)


def single(g: Graph, unit: DotProduct | BlockDot) -> Inputs:
    """The operands of a unit that has one sum."""
    parts = decoded(g, unit)
    (c,) = parts.pop("c", [None])
    return Inputs.of(unit, parts, c)
