"""Units and operands at which the golden models are compared, and the comparison."""

from __future__ import annotations

import contextlib
from unittest import mock

import numpy as np
from corner_codes import corners, spread

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import CATALOGUE, Format, Infinity, NaN, as_format
from fpgen.golden import Result
from fpgen.golden.exact import exact_model as exact
from fpgen.golden.scalar import scalar_fast
from fpgen.units import Unit
from fpgen.units.mac import MultiplyAccumulate
from fpgen.units.options import Overflow, Rounding, Subnormals, Tininess

#: Formats at the ends of every parameter.
EXTREMES = [
    "e1m1:inf=none,nan=none",
    "e1m1",
    "e1m2:inf=none,nan=allones",
    "e2m0",
    "e2m0:inf=top,nan=negzero",
    "e3m0",
    "e1m6",
    "ue1m1:inf=none,nan=none",
    "ue2m0:inf=none,nan=allones",
    "ue3m0:zero=no,subnormals=no",
    "ue4m2:zero=no,subnormals=no,inf=none,nan=none",
    "ue5m2:inf=top,nan=none",
    "e5m0:bias=3",
    "e5m0:bias=-7",
    "e4m3:subnormals=no",
    "e5m2:subnormals=no,bias=20",
    "e5m10:inf=none,nan=negzero",
    "e3m4:bias=200",
    "e6m9:bias=-300",
    "e2m13",
    "e8m27",
    "e8m30:inf=top,nan=allones",
    "e11m20:bias=-5",
    "e11m52:bias=3000",
    "ue8m56:zero=no,subnormals=no,inf=none,nan=none",
    "ue7m56:zero=no,subnormals=no,inf=none,nan=none",
    "e15m16",
    "e15m48",
    "e20m11",
    "ue15m49",
    "ue11m53:inf=none,nan=none",
    "e2m61",
    "int3",
    "uint2",
    "int16:scale=-20",
    "int32",
    "int64",
    "uint64",
    "int64:scale=-40",
    "uint53:scale=300",
    "int48:symmetric=yes",
]


@contextlib.contextmanager
def engines_only(limbs: bool = False):
    """The fast model without its tables; `limbs` asks for the engine of big integers whatever the formats."""
    made = scalar_fast.fused_operation

    def chosen(*arguments):
        operation = made(*arguments)
        return operation._replace(binary64=False) if limbs else operation

    with (
        mock.patch.object(scalar_fast.tables, "find", lambda *_, **__: None),
        mock.patch.object(scalar_fast, "fused_operation", chosen),
    ):
        yield


def draw_codes(fmt: Format, count: int, rng: np.random.Generator) -> np.ndarray:
    """A third corners, the rest spread; uint64 (count,)."""
    chosen = rng.choice(np.array(corners(fmt), dtype=np.uint64), count)
    return np.where(rng.random(count) < 0.35, chosen, spread(fmt, count, rng))


def draw_operands(unit: Unit, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Operands, a part of them directed: results at the ends of the output's range, and cancellation."""
    operands = {name: draw_codes(fmt, count, rng) for name, fmt in unit.operands.items()}
    names = unit.operand_names
    if len(names) == 1 or isinstance(unit, MultiplyAccumulate):
        return operands
    a, b = unit.operands[names[0]], unit.operands[names[1]]
    some = rng.random(count) < 0.3
    if unit.operation == "add":  # b near the nearest to -a
        near = fpgen.Convert(source=a, out=b, overflow=None).compute(operands["a"]).codes.astype(np.uint64)
        operands["b"] = np.where(some, _nudge(near ^ np.uint64(0 if b.fixed else b.sign_mask), b, rng), operands["b"])
        return operands
    if not a.fixed and not b.fixed and not unit.out.fixed:  # exponents that add up to an end of the range
        ends = rng.choice([unit.out.emin - unit.out.precision, unit.out.emin - 1, unit.out.emax], count)
        field = (operands["a"] & np.uint64(~a.sign_mask & ((1 << a.bits) - 1))) >> np.uint64(a.trailing_bits)
        other = ends + rng.integers(-2, 2, count) - (field.astype(np.int64) - a.bias) + b.bias
        other = np.clip(other, 0, (1 << b.exponent_bits) - 1).astype(np.uint64)
        keep = np.uint64(((1 << b.trailing_bits) - 1) | b.sign_mask)
        operands["b"] = np.where(some, (operands["b"] & keep) | (other << np.uint64(b.trailing_bits)), operands["b"])
    if unit.operation == "fma":  # c near the nearest to -(a * b)
        c = unit.c
        near = fpgen.Multiply(a=a, b=b, out=c).compute(operands["a"], operands["b"]).codes.astype(np.uint64)
        cancel = rng.random(count) < 0.3
        operands["c"] = np.where(cancel, _nudge(near ^ np.uint64(0 if c.fixed else c.sign_mask), c, rng), operands["c"])
    return operands


def _nudge(codes: np.ndarray, fmt: Format, rng: np.random.Generator) -> np.ndarray:
    """Codes moved by at most two, within the format."""
    return (codes + rng.integers(-2, 3, len(codes)).astype(np.uint64)) & np.uint64((1 << fmt.bits) - 1)


def draw_controls(
    unit: Unit, shape: tuple[int, ...], rng: np.random.Generator, clear: float = 0.1
) -> dict[str, np.ndarray]:
    """Arrays for the control ports of a unit."""
    controls: dict[str, np.ndarray] = {}
    if unit.rounding is Rounding.PORT:
        controls["rounding"] = rng.integers(0, 8, shape, dtype=np.uint8)
    if unit.random_bits:
        controls["random"] = rng.integers(0, 1 << unit.random_bits, shape, dtype=np.uint64)
    if getattr(unit, "subtract", None) is not None and unit.subtract.value == "port":
        controls["subtract"] = rng.integers(0, 2, shape, dtype=np.uint8)
    if isinstance(unit, MultiplyAccumulate):
        controls["clear"] = (rng.random(shape) < clear).astype(np.uint8)
        if unit.loadable:
            controls["load"] = (rng.random(shape) < 0.1).astype(np.uint8)
            controls["c"] = draw_codes(unit.out, int(np.prod(shape)), rng).reshape(shape)
    return controls


def draw_options(out: Format, rng: np.random.Generator, rounding: str | None = None) -> dict:
    """Options of `Unit` that the output format allows."""
    mode = Rounding(rounding or str(rng.choice([mode.value for mode in Rounding])))
    policies = [Overflow.SATURATE]
    if out.has_infinity or out.has_nan:
        policies.append(Overflow.IEEE)
    if out.has_infinity:
        policies.append(Overflow.PROPAGATE)
    return {
        "rounding": mode,
        "random_bits": int(rng.choice([1, 2, 3, 8, 17, 32])) if mode.stochastic else 0,
        "overflow": policies[rng.integers(len(policies))],
        "tininess": list(Tininess)[rng.integers(2)],
        "subnormals": list(Subnormals)[rng.choice([0, 0, 0, 1, 2, 3])],
    }


def draw_format(rng: np.random.Generator) -> Format:
    """Any format of up to 64 bits and 16 exponent bits that the descriptor accepts."""
    while True:
        bits = int(rng.integers(2, 65 if rng.random() < 0.5 else 17))
        signed = bool(rng.random() < 0.8)
        try:
            if rng.random() < 0.15:
                symmetric = signed and bool(rng.integers(2))
                return Format(
                    bits,
                    bits - signed,
                    signed=signed,
                    fixed=True,
                    scale=int(rng.integers(-70, 70)),
                    symmetric=symmetric,
                )
            exponent = int(rng.integers(1, max(min(bits - signed, 16), 1) + 1))
            middle = 1 << (exponent - 1)
            zero = signed or bool(rng.integers(3))
            bias = int(rng.choice([0, 1, middle - 1, middle, int(rng.integers(-300, 300))]))
            return Format(
                bits,
                bits - signed - exponent + 1,
                bias,
                signed,
                list(Infinity)[rng.integers(3)],
                list(NaN)[rng.integers(4)],
                subnormals=zero and bool(rng.integers(4)),
                zero=zero,
            )
        except UsageError:
            continue


def draw_unit(
    operation: str, formats: list[str | Format], rng: np.random.Generator, rounding: str | None = None
) -> Unit:
    """A unit of `operation` on formats taken in turn (operands, then the output) with options drawn."""
    out = as_format(formats[-1])
    options = draw_options(out, rng, rounding)
    if operation == "multiply":
        return fpgen.Multiply(a=formats[0], b=formats[1], out=out, **options)
    if operation == "add":
        subtract = str(rng.choice(["off", "on", "port"]))
        return fpgen.Add(a=formats[0], b=formats[1], out=out, subtract=subtract, **options)
    if operation == "fma":
        return fpgen.FusedMultiplyAdd(a=formats[0], b=formats[1], c=formats[2], out=out, **options)
    return fpgen.Convert(source=formats[0], out=out, **options)


def catalogue_names() -> list[str]:
    return list(CATALOGUE)


def differences(
    unit: Unit, operands: dict[str, np.ndarray], controls: dict[str, np.ndarray], result: Result, expected: Result
) -> str:
    """What differs, as text for an assertion; empty where nothing does."""
    wrong = np.argwhere((result.codes != expected.codes) | (result.flags != expected.flags))
    if not len(wrong):
        return ""
    at = tuple(wrong[0])
    given = {name: hex(array[at]) for name, array in {**operands, **controls}.items()}
    return (
        f"{unit}: {len(wrong)} of {result.codes.size} differ; first {at} {given}: fast {result.codes[at]:#x} flags "
        f"{result.flags[at]}, exact {expected.codes[at]:#x} flags {expected.flags[at]}"
    )


def check(unit: Unit, operands: dict[str, np.ndarray], controls: dict[str, np.ndarray] | None = None):
    """Assert that the public model and both engines, where they apply, equal the exact model."""
    controls = controls or {}
    expected = exact.compute(unit, operands, controls)
    found = unit.compute(*operands.values(), **controls)
    assert found.codes.dtype == expected.codes.dtype and found.flags.dtype == np.uint8
    text = differences(unit, operands, controls, found, expected)
    assert not text, text
    if isinstance(unit, MultiplyAccumulate) or (unit.out.bits == 64 and not unit.out.zero):
        return
    for limbs in (False, True):
        with engines_only(limbs):
            result = unit.compute(*operands.values(), **controls)
        text = differences(unit, operands, controls, result, expected)
        assert not text, f"{'limbs' if limbs else 'engine'}: {text}"
