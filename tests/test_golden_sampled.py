"""The fast model equals the exact one where there are too many codes: corners, directed and random operands.

Every format of the catalogue and the extremes stand as operands and as output of
every operation, under options drawn anew for each unit. Both engines are checked.
"""

from __future__ import annotations

import numpy as np
import pytest
from golden_cases import EXTREMES, catalogue_names, check, draw_controls, draw_format, draw_operands, draw_unit
from hypothesis import given, settings
from hypothesis import strategies as st
from portions import some

import fpgen
from fpgen.formats import as_format
from fpgen.units.options import Rounding

OPERATIONS = ["multiply", "add", "fma", "convert"]
WIDE = ["fp64", "fp32", "tf32", "fp24", "fp16", "bf16"]
COUNT = 250


def run(operation: str, formats: list[str], seed: int, rounding: str | None = None, count: int = COUNT):
    rng = np.random.default_rng(seed)
    unit = draw_unit(operation, formats, rng, rounding)
    check(unit, draw_operands(unit, count, rng), draw_controls(unit, (count,), rng))


@pytest.mark.turns(3)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", catalogue_names())
def test_catalogue(name, operation):
    rng = np.random.default_rng(len(name) + 100 * OPERATIONS.index(operation))
    others = [str(other) for other in rng.choice([*WIDE, *catalogue_names()], 3)]
    run(operation, [name, *others], 1)  # as operand
    run(operation, [*others[:2], name] if operation != "fma" else [*others, name], 2)  # as output
    run(operation, [name] * 4, 3)


@pytest.mark.turns(3)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", EXTREMES)
def test_extremes(name, operation):
    rng = np.random.default_rng(len(name) + 100 * OPERATIONS.index(operation))
    others = [str(other) for other in rng.choice([*EXTREMES, *WIDE], 3)]
    run(operation, [name, *others], 1)
    run(operation, [*others[:2], name] if operation != "fma" else [*others, name], 2)
    run(operation, [name] * 4, 3)


@pytest.mark.turns(3)
@pytest.mark.parametrize("mode", [mode.value for mode in Rounding])
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", ["fp32", "fp64", "bf16", "e5m2"])
def test_every_mode(name, operation, mode):
    for seed in range(2):
        run(operation, [name] * 4, seed, mode)


@pytest.mark.parametrize("mode", ["rne", "rna", "rup", "rdn", "rto", "srb"])
def test_conversion_by_leading_bits_and_sticky(mode):
    """The short index of wide sources: codes around every boundary of the narrow format, one unit apart."""
    rng = np.random.default_rng(5)
    for source, out in [("fp32", "e4m3fn"), ("fp32", "e8m0"), ("fp64", "e5m2"), ("tf32", "e2m1"), ("fp24", "int8")]:
        wide, narrow = as_format(source), as_format(out)
        bits = 2 if mode == "srb" else 0
        unit = fpgen.Convert(source=source, out=out, rounding=mode, random_bits=bits)
        exact = fpgen.Convert(source=out, out=source).compute(rng.integers(0, 1 << narrow.bits, 300, dtype=np.uint64))
        step = np.uint64(1) << rng.integers(0, wide.trailing_bits, 300).astype(np.uint64)
        codes = exact.codes.astype(np.uint64) + step * rng.integers(0, 3, 300).astype(np.uint64)
        codes = (codes + rng.integers(-1, 2, 300).astype(np.uint64)) & np.uint64((1 << wide.bits) - 1)
        controls = {"random": rng.integers(0, 4, 300, dtype=np.uint64)} if bits else {}
        check(unit, {"source": codes}, controls)
        repeat = 1 << 10  # enough elements for the table to be built
        many = unit.compute(np.tile(codes, repeat), **{name: np.tile(x, repeat) for name, x in controls.items()})
        few = unit.compute(codes, **controls)
        assert (many.codes == np.tile(few.codes, repeat)).all() and (many.flags == np.tile(few.flags, repeat)).all()
        check(unit, {"source": codes}, controls)  # now by table


formats = st.sampled_from([*EXTREMES, *catalogue_names()])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(OPERATIONS), st.lists(formats, min_size=4, max_size=4), st.integers(0, 2**32 - 1))
def test_any_unit(operation, names, seed):
    count = {"multiply": 3, "add": 3, "fma": 4, "convert": 2}[operation]
    run(operation, names[:count], seed, count=60)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.sampled_from(OPERATIONS), st.booleans(), st.integers(0, 2**32 - 1))
def test_any_formats(operation, alike, seed):
    """Formats drawn from everything that the descriptor accepts; all different or all the same."""
    rng = np.random.default_rng(seed)
    count = {"multiply": 3, "add": 3, "fma": 4, "convert": 2}[operation]
    drawn = [draw_format(rng) for _ in range(count)]
    run(operation, drawn[:1] * count if alike else drawn, seed, count=60)


def wide_code(significand: int, exponent: int, sign: int = 0) -> int:
    """The code of ``significand * 2**exponent`` in e15m48."""
    wide = as_format("e15m48")
    top = significand.bit_length() - 1
    trailing = (significand << (48 - top)) & ((1 << 48) - 1)
    return (sign << 63) | ((exponent + top + wide.bias) << 48) | trailing


@pytest.mark.turns(3)
@pytest.mark.parametrize(
    "name",
    some(
        [
            name
            for name in [*EXTREMES, *catalogue_names()]
            if as_format(name).exponent_bits <= 11  # the source is e15m48
        ],
        2,
    ),
)
def test_sixteenths_of_a_step_at_both_ends(name):
    """Around zero, the smallest step, the smallest normal and the largest value, in every mode, under both rules."""
    out = as_format(name)
    _, largest, exponent = out.decompose(out.max_finite_code)
    steps = range(1, 49)
    points = [(k, out.quantum_exponent - 4) for k in steps]
    points += [(16 * largest + k - 24, exponent - 4) for k in steps if 16 * largest + k > 24]
    if not out.fixed:
        points += [((16 << out.precision) + k - 24, out.emin - out.precision - 4) for k in steps]
        points += [(16 + k, out.emin - 5) for k in range(16)]
    points = [(n, x) for n, x in points if n.bit_length() <= 49]
    codes = np.array([wide_code(n, x, sign) for n, x in points for sign in (0, 1)], dtype=np.uint64)
    port = np.arange(8, dtype=np.uint64)
    operands = {"source": np.repeat(codes, 8)}
    controls = {"rounding": np.tile(port, len(codes))}
    for tininess in ("after", "before"):
        check(fpgen.Convert(source="e15m48", out=out, rounding="port", tininess=tininess), operands, controls)
    check(fpgen.Convert(source="e15m48", out=out, rounding="port", subnormals="out"), operands, controls)
