"""The comment above the module: what the unit is, what it promises, its pins, its stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpgen.rtl.pipeline import Pipeline
from fpgen.units import BlockDequantize, BlockDot, BlockQuantize, DotProduct, TensorCore
from fpgen.units.architecture import DEFAULT
from fpgen.units.blockdot import ScaledProducts
from fpgen.units.dot import SumOfProducts
from fpgen.units.options import PORT_CODES, Handshake, Rounding
from fpgen.units.scaling import Like, ScalePolicy, midmax_limit

from .line_breaks import COLUMNS, comment

if TYPE_CHECKING:
    from fpgen.units.base import Unit


def header(unit: Unit, pipeline: Pipeline) -> list[str]:
    """The lines of the header; nothing in it depends on when, where or with which fpgen it was written."""
    rule = "// " + "-" * (COLUMNS - 3)
    lines = [
        rule,
        f"// {unit.name}",
        "//",
        *comment(unit.text),
        "//",
        *_field("Contract", unit.contract),
        *(line for title, text in formulas(unit) for line in _field(title, text)),
        *_field("Latency", _latency(unit, pipeline)),
        *_field("Rounding", _rounding(unit)),
        *_field(
            "Options",
            f"overflow {_value(unit.overflow)}, tininess {unit.tininess.value} rounding, "
            f"subnormals {unit.subnormals.value}, flags {'on' if unit.flags else 'off'}, "
            f"handshake {unit.handshake.value}",
        ),
        *(line for title, text in built_of(unit) for line in _field(title, text)),
        "//",
        *_table(unit),
    ]
    if pipeline.stages:
        lines += ["//", f"// Stages ({pipeline.register_bits} register bits in the datapath):"]
        for stage, steps in enumerate(pipeline.steps):
            lines += _stage(stage, steps)
    return [line.rstrip() for line in [*lines, rule]]


def built_of(unit: Unit) -> list[tuple[str, str]]:
    """The architecture, where it is not the default, as (title, text)."""
    if unit.architecture == DEFAULT:
        return []
    return [("Built of", str(unit.architecture) if unit.multiplies else f"adder {unit.adder.value}")]


def formulas(unit: Unit) -> list[tuple[str, str]]:
    """What a unit with array ports computes, and all parameters of how, as (title, text); nothing for other units."""
    record = [("Sum", unit.accumulate.spelling)] if isinstance(unit, SumOfProducts) and unit.accumulate.name else []
    addend = " + c" if getattr(unit, "c", None) else ""
    tensor = " * tensor_scale" if "tensor_scale" in unit.operands else ""
    if isinstance(unit, DotProduct):
        return [("Result", f"sum of a[i] * b[i], i = 0 to {unit.n - 1}{addend}"), *record]
    if isinstance(unit, BlockDot):
        where = f"i = 0 to {unit.k - 1}{_block_index(unit, 'j', 'i')}"
        return [("Result", f"sum of {_scaled_products(unit)}{addend}, {where}"), *record]
    if isinstance(unit, TensorCore):
        addend = addend and " + c[i][j]"
        where = f"l = 0 to {unit.k - 1}{_block_index(unit, 's', 'l')}"
        return [("Result", f"result[i][j] = sum of {_scaled_products(unit)}{addend}, {where}"), *record]
    if isinstance(unit, BlockQuantize) and unit.like is not Like.NONE:
        return _float32_steps(unit)
    if isinstance(unit, BlockQuantize):
        divisor = f"(scale{tensor})" if tensor else "scale"
        return [("Result", f"source[i] / {divisor}"), ("Scale", _scale(unit, tensor))]
    if isinstance(unit, BlockDequantize):
        return [("Result", f"elements[i] * scale{tensor}")]
    return []


def _float32_steps(unit: BlockQuantize) -> list[tuple[str, str]]:
    """The operations of a library; fl rounds to float32, S is the scale."""
    given = unit.tensor_operand
    match unit.like:
        case Like.TORCHAO:
            wanted, inverse = (
                ("fl(fl(amax / 6) / tensor_scale)", "fl(1 / tensor_scale)") if given else ("fl(amax / 6)", "1")
            )
            return [
                ("Result", f"fl(source[i] * fl({inverse} / S)), fl: to nearest even in float32"),
                ("Scale", f"S = {wanted}, at least 2^-6, to nearest even in ue4m3"),
            ]
        case Like.MODELOPT:
            wanted, divisor = (
                ("fl(amax / fl(6 * tensor_scale))", "fl(S * tensor_scale)") if given else ("fl(amax / 6)", "S")
            )
            return [
                ("Result", f"fl(source[i] / {divisor}), fl: to nearest even in float32"),
                ("Scale", f"S = {wanted} (1 where that is 0), at least 2^-9, to nearest even in ue4m3"),
            ]
    wanted, divisor = (
        ("fl(amax * fl(encode_scale * fl(1 / 6)))", "fl(S * fl(1 / encode_scale))")
        if given
        else ("fl(amax * fl(1 / 6))", "S")
    )
    return [
        (
            "Result",
            f"fl(source[i] * fl(1 / {divisor})), an infinite reciprocal the largest float32; "
            "fl: to nearest even in float32",
        ),
        ("Scale", f"S = {wanted}, to nearest even in ue4m3"),
    ]


def _block_index(unit: ScaledProducts, letter: str, element: str) -> str:
    """Where one letter stands for the block of an element: what it is."""
    sizes = {block.size for name in unit.scaled_operands if (block := unit.block_of(name))}
    return f", {letter} = {element} / {sizes.pop()}" if len(sizes) == 1 else ""


def _scaled_products(unit: ScaledProducts) -> str:
    """The products of a block dot product or of one result of a tile, scales and zero points applied."""
    tile = isinstance(unit, TensorCore)
    letter, element = ("s", "l") if tile else ("j", "i")
    one_size = bool(_block_index(unit, letter, element))

    def at(name: str, index: str) -> str:
        return f"{name}[{index}]" if not tile else f"{name}[i][{index}]" if name[0] == "a" else f"{name}[{index}][j]"

    scales, factors = [], []
    for name in "ab":
        block = unit.block_of(name)
        own = letter if one_size or block is None else f"{element} / {block.size}"
        if block is not None:
            scales.append(at(f"{name}_scale", own))
        factor = at(name, element)
        factors.append(f"({factor} - {at(f'{name}_zero', own)})" if unit.zero_format(name) is not None else factor)
    return " * ".join([*scales, *factors])


def _scale(unit: BlockQuantize, tensor: str) -> str:
    """The scale of a block before clamping, amax being its largest magnitude."""
    element = unit.block.element
    emax, top = element.emax, f"{float(element.max_finite):g}"
    ratio = f"amax / ({top}{tensor})" if tensor else f"amax / {top}"
    match unit.policy:
        case ScalePolicy.FLOOR:
            return f"2^(floor(log2 amax) - {emax})"
        case ScalePolicy.CEIL:
            return f"2^(ceil(log2 amax) - {emax})"
        case ScalePolicy.EVEN:
            return f"2^(floor(log2 r) - {emax}), r = amax rounded to {element.precision} bits, ties to even"
        case ScalePolicy.RCEIL:
            return f"the least power of two that is at least {ratio}"
        case ScalePolicy.MIDMAX:
            return f"the least power of two that is at least amax / {float(midmax_limit(element)):g} (Brevitas' midmax)"
        case ScalePolicy.ROUND:
            return f"2^(log2({ratio}) rounded to the nearest integer)"
        case ScalePolicy.ROUND_AMAX:
            return f"2^((log2 amax rounded to the nearest integer) - {emax})"
        case ScalePolicy.NEAREST:
            return f"{ratio} rounded to the nearest {unit.block.scale}, ties to even"
    return f"{ratio} rounded up to {unit.block.scale}"


def _value(option) -> str:
    return getattr(option, "value", str(option))


def _latency(unit: Unit, pipeline: Pipeline) -> str:
    if not pipeline.stages:
        return "0 (combinational)"
    clocks = f"{pipeline.stages} clock{'s' if pipeline.stages > 1 else ''}, one operation every clock"
    if unit.handshake is Handshake.READY:
        return clocks + ", more while out_ready is low"
    return clocks


def _rounding(unit: Unit) -> str:
    if unit.rounding is Rounding.PORT:
        codes = ", ".join(f"{code} {mode.value}" for mode, code in sorted(PORT_CODES.items(), key=lambda item: item[1]))
        return f"by the port: {codes}; others as rne"
    if unit.rounding.stochastic:
        return f"{unit.rounding.value}, {unit.random_bits} random bits"
    return unit.rounding.value


def _field(title: str, text: str) -> list[str]:
    first, *more = comment(text, " " * 11)
    return [f"// {title:<9} {first.strip()[3:]}", *(f"//           {line.strip()[3:]}" for line in more)]


def _table(unit: Unit) -> list[str]:
    rows = [(port.name, "in" if port.is_input else "out", str(port.width), port.meaning) for port in unit.ports]
    wide = max(len(row[0]) for row in rows)
    return [
        f"// {'Port':<{wide}}  Dir  Bits  Meaning",
        *(f"// {name:<{wide}}  {way:<3}  {width:>4}  {meaning}" for name, way, width, meaning in rows),
    ]


def stage_text(steps: tuple[str, ...]) -> str:
    """The first and last few steps of a stage: a map, not a list."""
    if not steps:
        return "(wires)"
    if len(steps) <= 8:
        return ", ".join(steps)
    return f"{', '.join(steps[:4])}, ... {', '.join(steps[-3:])} ({len(steps)} steps)"


def _stage(stage: int, steps: tuple[str, ...]) -> list[str]:
    first, *more = comment(stage_text(steps), " " * 6)
    return [f"//   {stage:>2}  {first.strip()[3:]}", *(f"//       {line.strip()[3:]}" for line in more)]
