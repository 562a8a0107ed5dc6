"""What each operation computes, as text: for the header of the Verilog and for the datasheet.

Each function gives (title, text) pairs; the first is the result, others are parameters of how it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

from .add import Add, Subtract
from .blockdot import BlockDot, ScaledProducts
from .dot import DotProduct, SumOfProducts
from .mac import Accumulate, MultiplyAccumulate
from .quantize import BlockDequantize, BlockQuantize
from .scaling import Like, ScalePolicy, midmax_limit
from .tensorcore import TensorCore

Lines = list[tuple[str, str]]


def result(text: str) -> Callable[[Any], Lines]:
    """The formula of an operation that has only one."""
    return lambda unit: [("Result", text)]


def add(unit: Add) -> Lines:
    match unit.subtract:
        case Subtract.OFF:
            return [("Result", "a + b")]
        case Subtract.ON:
            return [("Result", "a - b")]
        case Subtract.PORT:
            return [("Result", "subtract ? a - b : a + b")]
    assert_never(unit.subtract)


def mac(unit: MultiplyAccumulate) -> Lines:
    base = "load ? c : clear ? 0 : accumulator" if unit.loadable else "clear ? 0 : accumulator"
    kept = "accumulator" if unit.accumulate is Accumulate.FLOAT else "the accumulator, rounded"
    return [("Result", f"{kept} = ({base}) + a * b")]


def dot(unit: DotProduct) -> Lines:
    return [("Result", f"sum of a[i] * b[i]{_addend(unit)}, i = 0 to {unit.n - 1}{_masked(unit, 'i')}"), *_record(unit)]


def blockdot(unit: BlockDot) -> Lines:
    where = f"i = 0 to {unit.k - 1}{_masked(unit, 'i')}{_block_index(unit, 'j', 'i')}"
    return [("Result", f"sum of {_scaled_products(unit, tile=False)}{_addend(unit)}, {where}"), *_record(unit)]


def tensorcore(unit: TensorCore) -> Lines:
    addend = " + c[i][j]" if unit.c else ""
    where = f"l = 0 to {unit.k - 1}{_masked(unit, 'l')}{_block_index(unit, 's', 'l')}"
    return [("Result", f"result[i][j] = sum of {_scaled_products(unit, tile=True)}{addend}, {where}"), *_record(unit)]


def quantize(unit: BlockQuantize) -> Lines:
    if unit.like is not Like.NONE:
        return _float32_steps(unit)
    tensor = _tensor(unit)
    divisor = f"(scale{tensor})" if tensor else "scale"
    return [("Result", f"source[i] / {divisor}"), ("Scale", _scale(unit, tensor))]


def dequantize(unit: BlockDequantize) -> Lines:
    return [("Result", f"elements[i] * scale{_tensor(unit)}")]


def _record(unit: SumOfProducts) -> Lines:
    return [("Sum", unit.accumulate.spelling)] if unit.accumulate.name else []


def _masked(unit: SumOfProducts, index: str) -> str:
    return f" where mask[{index}] is 0" if unit.mask else ""


def _addend(unit: SumOfProducts) -> str:
    return " + c" if unit.c else ""


def _tensor(unit: BlockQuantize | BlockDequantize) -> str:
    return " * tensor_scale" if "tensor_scale" in unit.operands else ""


def _float32_steps(unit: BlockQuantize) -> Lines:
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
        case Like.TRANSFORMER_ENGINE:
            return _transformer_engine(bool(given))
        case Like.NONE:
            raise ValueError("like=none has no float32 steps")
    assert_never(unit.like)


def _transformer_engine(given: bool) -> Lines:
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
    """Where one letter means the block of an element: its definition."""
    sizes = {block.size for name in unit.scaled_operands if (block := unit.block_of(name))}
    return f", {letter} = {element} / {sizes.pop()}" if len(sizes) == 1 else ""


def _scaled_products(unit: ScaledProducts, *, tile: bool) -> str:
    """The products of a block dot product or of one result of a tile, scales and zero points applied."""
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
        case ScalePolicy.UP:
            return f"{ratio} rounded up to {unit.block.scale}"
        case None:
            raise ValueError("the policy is filled in when the unit is made")
    assert_never(unit.policy)
