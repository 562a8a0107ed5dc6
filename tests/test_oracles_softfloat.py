"""The exact model against Berkeley SoftFloat (softfloatpy): results and flags, every mode, both tininess rules.

SoftFloat is scalar here, so operands are sampled: all pairs of a few corners, and random ones.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from corner_codes import corners, same, spread

import fpgen
from fpgen.formats import Class
from fpgen.golden.exact import exact_model as exact
from fpgen.units import Flags, Rounding, Semantics, Tininess

sf = pytest.importorskip("softfloatpy")

MODES = {
    Rounding.RNE: sf.RoundingMode.NEAR_EVEN,
    Rounding.RNA: sf.RoundingMode.NEAR_MAX_MAG,
    Rounding.RTZ: sf.RoundingMode.MIN_MAG,
    Rounding.RUP: sf.RoundingMode.MAX,
    Rounding.RDN: sf.RoundingMode.MIN,
}
TININESS = {
    Tininess.AFTER: sf.TininessMode.AFTER_ROUNDING,
    Tininess.BEFORE: sf.TininessMode.BEFORE_ROUNDING,
}
FLAGS = {
    sf.ExceptionFlag.INEXACT: Flags.NX,
    sf.ExceptionFlag.UNDERFLOW: Flags.UF,
    sf.ExceptionFlag.OVERFLOW: Flags.OF,
    sf.ExceptionFlag.INFINITE: Flags.DZ,
    sf.ExceptionFlag.INVALID: Flags.NV,
}
TYPES = {
    "fp16": (sf.Float16, "f16"),
    "fp32": (sf.Float32, "f32"),
    "fp64": (sf.Float64, "f64"),
    "bf16": (sf.BFloat16, "bf16"),
    "int32": (sf.Int32, "i32"),
    "int64": (sf.Int64, "i64"),
    "uint32": (sf.UInt32, "ui32"),
    "uint64": (sf.UInt64, "ui64"),
}
FLOATS = ["fp16", "fp32", "fp64"]
each_mode = pytest.mark.parametrize("mode", list(MODES), ids=lambda mode: mode.value)
each_tininess = pytest.mark.parametrize("tininess", list(TININESS), ids=lambda rule: rule.value)


def soft(function: str, codes, names, out: str, mode: Rounding, tininess: Tininess) -> tuple[int, Flags]:
    """Call SoftFloat on integer codes; returns the code and the flags that it raised."""
    sf.set_tininess_mode(TININESS[tininess])
    sf.set_rounding_mode(MODES[mode])
    sf.set_exception_flags(0)
    arguments = [
        TYPES[name][0].from_bytes(int(code).to_bytes(fpgen.parse_format(name).bits // 8, "big"))
        for code, name in zip(codes, names, strict=True)
    ]
    result = getattr(sf, function)(*arguments)
    raised = sf.get_exception_flags()
    flags = Flags(0)
    for theirs, ours in FLAGS.items():
        if raised & theirs:
            flags |= ours
    assert isinstance(result, TYPES[out][0])
    return int.from_bytes(result.to_bytes(), "big"), flags


def tuples(names: list[str], count: int, seed: int):
    """Operand codes: random corners against each other, random codes, and random ones near the corners."""
    rng = np.random.default_rng(seed)
    formats = [fpgen.parse_format(name) for name in names]
    edge = [rng.choice(np.array(corners(fmt), dtype=np.uint64), count) for fmt in formats]
    wide = [spread(fmt, count, rng) for fmt in formats]
    mixed = [np.where(rng.integers(0, 2, count) == 1, e, w) for e, w in zip(edge, wide, strict=True)]
    return [tuple(int(x) for x in row) for columns in (edge, wide, mixed) for row in zip(*columns, strict=True)]


def check(function, rows, names, out, mode, tininess, model):
    target = fpgen.parse_format(out)
    semantics = Semantics(rounding=mode, tininess=tininess)
    wrong = []
    for codes in rows:
        theirs, their_flags = soft(function, codes, names, out, mode, tininess)
        ours, our_flags = model(codes, semantics)
        if not same(target, ours, theirs) or our_flags != their_flags:
            wrong.append(([hex(code) for code in codes], hex(ours), our_flags, hex(theirs), their_flags))
    assert not wrong, f"{len(wrong)} of {len(rows)} differ: {wrong[:5]}"
    return len(rows)


@pytest.mark.turns(3)
@each_tininess
@each_mode
@pytest.mark.parametrize("name", FLOATS)
def test_multiply_and_its_flags(name, mode, tininess):
    fmt = fpgen.parse_format(name)
    rows = tuples([name, name], 1500, 1)
    check(
        f"{TYPES[name][1]}_mul",
        rows,
        [name, name],
        name,
        mode,
        tininess,
        lambda codes, semantics: exact.multiply(*codes, fmt, fmt, fmt, semantics),
    )


@pytest.mark.turns(3)
@each_tininess
@each_mode
@pytest.mark.parametrize("subtract", [False, True], ids=["add", "sub"])
@pytest.mark.parametrize("name", FLOATS)
def test_add_and_its_flags(name, subtract, mode, tininess):
    fmt = fpgen.parse_format(name)
    rows = tuples([name, name], 1000, 2)
    check(
        f"{TYPES[name][1]}_{'sub' if subtract else 'add'}",
        rows,
        [name, name],
        name,
        mode,
        tininess,
        lambda codes, semantics: exact.add(*codes, fmt, fmt, fmt, semantics, subtract=subtract),
    )


@pytest.mark.turns(3)
@each_tininess
@each_mode
@pytest.mark.parametrize("name", FLOATS)
def test_fma_and_its_flags(name, mode, tininess):
    fmt = fpgen.parse_format(name)
    rows = tuples([name] * 3, 2000, 3)
    check(
        f"{TYPES[name][1]}_mul_add",
        rows,
        [name] * 3,
        name,
        mode,
        tininess,
        lambda codes, semantics: exact.fma(*codes, fmt, fmt, fmt, fmt, semantics),
    )


@pytest.mark.turns(3)
@each_tininess
@each_mode
@pytest.mark.parametrize("name", FLOATS)
def test_fma_cancellation_and_its_flags(name, mode, tininess):
    """c close to -(a * b): massive cancellation, exact zeros, subnormal differences."""
    fmt = fpgen.parse_format(name)
    rows = []
    for a, b, _ in tuples([name] * 3, 250, 4):
        near, _ = exact.multiply(a, b, fmt, fmt, fmt, Semantics())
        if fmt.classify(near) is Class.NAN:
            continue
        opposite = near ^ fmt.sign_mask
        rows += [(a, b, min(max(opposite + step, 0), (1 << fmt.bits) - 1)) for step in (-1, 0, 1)]
    check(
        f"{TYPES[name][1]}_mul_add",
        rows,
        [name] * 3,
        name,
        mode,
        tininess,
        lambda codes, semantics: exact.fma(*codes, fmt, fmt, fmt, fmt, semantics),
    )


CONVERSIONS = [*itertools.permutations(FLOATS, 2), ("fp32", "bf16"), ("bf16", "fp32")]


@pytest.mark.turns(3)
@each_tininess
@each_mode
@pytest.mark.parametrize(("source", "out"), CONVERSIONS, ids=lambda name: name)
def test_convert_and_its_flags(source, out, mode, tininess):
    start, end = fpgen.parse_format(source), fpgen.parse_format(out)
    rows = [*((code,) for code in corners(start)), *tuples([source], 1000, 5)]
    rng = np.random.default_rng(6)
    if start.bits > end.bits:  # codes of the source at and beside values and midpoints of the output
        for code in [*corners(end), *(int(x) for x in spread(end, 300, rng))]:
            wide, _ = exact.convert(code, end, start, Semantics())
            half = 1 << max(start.trailing_bits - end.trailing_bits - 1, 0)
            rows += [((wide + step) % (1 << start.bits),) for step in (-1, 0, 1, half - 1, half, half + 1)]
    check(
        f"{TYPES[source][1]}_to_{TYPES[out][1]}",
        rows,
        [source],
        out,
        mode,
        tininess,
        lambda codes, semantics: exact.convert(*codes, start, end, semantics),
    )


@each_mode
@pytest.mark.parametrize("integer", ["int32", "int64", "uint32", "uint64"])
@pytest.mark.parametrize("name", FLOATS)
def test_convert_from_integer(name, integer, mode):
    start, end = fpgen.parse_format(integer), fpgen.parse_format(name)
    rows = [*((code,) for code in corners(start)), *tuples([integer], 300, 7)]
    check(
        f"{TYPES[integer][1]}_to_{TYPES[name][1]}",
        rows,
        [integer],
        name,
        mode,
        Tininess.AFTER,
        lambda codes, semantics: exact.convert(*codes, start, end, semantics),
    )


@pytest.mark.turns(3)
@each_mode
@pytest.mark.parametrize("integer", ["int32", "int64", "uint32", "uint64"])
@pytest.mark.parametrize("name", FLOATS)
def test_convert_to_integer(name, integer, mode):
    """Codes where the conversion is valid, flags everywhere: an invalid one may deliver anything (754-2019, 7.2)."""
    start, end = fpgen.parse_format(name), fpgen.parse_format(integer)
    semantics = Semantics(rounding=mode)
    valid = 0
    for (code,) in [*((code,) for code in corners(start)), *tuples([name], 700, 8)]:
        theirs, their_flags = soft(
            f"{TYPES[name][1]}_to_{TYPES[integer][1]}", [code], [name], integer, mode, Tininess.AFTER
        )
        ours, our_flags = exact.convert(code, start, end, semantics)
        assert our_flags == their_flags, (hex(code), our_flags, their_flags)
        if not our_flags & Flags.NV:
            assert ours == theirs, (hex(code), ours, theirs)
            valid += 1
    assert valid > 100
