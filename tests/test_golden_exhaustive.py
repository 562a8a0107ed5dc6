"""The fast model equals the exact one on every pair of codes of small formats, under every option."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from golden_cases import check
from portions import portions

import fpgen
from fpgen.formats import as_format
from fpgen.units.options import Overflow, Rounding, Subnormals, Tininess

DETERMINISTIC = [mode for mode in Rounding if not mode.stochastic and mode is not Rounding.PORT]
STOCHASTIC = [mode for mode in Rounding if mode.stochastic]


def policies(out: str) -> list[Overflow]:
    fmt = as_format(out)
    return [
        policy
        for policy, allowed in [
            (Overflow.SATURATE, True),
            (Overflow.IEEE, fmt.has_infinity or fmt.has_nan),
            (Overflow.PROPAGATE, fmt.has_infinity),
        ]
        if allowed
    ]


def every(*formats: str) -> dict[str, np.ndarray]:
    """Every combination of codes, by a, b, c."""
    grids = np.meshgrid(*(np.arange(1 << as_format(fmt).bits, dtype=np.uint64) for fmt in formats), indexing="ij")
    return {name: grid.reshape(-1) for name, grid in zip("abc", grids, strict=False)}


PAIRS = [  # operands and output, at most 2**8 pairs, so that every option can be crossed with every pair
    ("e2m1", "e2m1", "e2m1"),
    ("e2m1", "e2m1", "e1m1"),
    ("e2m1", "e2m0", "e2m2"),
    ("binary4p2sf", "binary4p2sf", "binary4p2sf"),
    ("e1m1", "e2m1", "e3m0:inf=top,nan=negzero"),
    ("int4", "e2m1", "int4"),
    ("e2m1", "e3m0:bias=4", "ue2m2:inf=none,nan=allones"),
    ("e2m1", "e2m1:bias=3", "ue4m0:zero=no,subnormals=no,nan=allones"),
    ("e3m0:inf=top,nan=negzero", "e2m1", "e2m2:subnormals=no"),
]


@pytest.mark.turns(2)
@pytest.mark.parametrize("step", portions(5))
@pytest.mark.parametrize("formats", PAIRS, ids="-".join)
@pytest.mark.parametrize("operation", [fpgen.Multiply, fpgen.Add], ids=["multiply", "add"])
def test_every_pair_of_codes_under_every_option(operation, formats, step):
    a, b, out = formats
    operands = every(a, b)
    options = list(itertools.product(policies(out), Tininess, Subnormals))
    for index, (overflow, tininess, subnormals) in enumerate(options):
        for mode in DETERMINISTIC[index % step :: step]:  # a part of the modes with each combination, in turn
            check(
                operation(
                    a=a, b=b, out=out, rounding=mode, overflow=overflow, tininess=tininess, subnormals=subnormals
                ),
                operands,
            )


@pytest.mark.parametrize("mode", STOCHASTIC, ids=lambda mode: mode.value)
@pytest.mark.parametrize("formats", [PAIRS[0], PAIRS[4], PAIRS[7]], ids="-".join)
def test_every_pair_of_codes_with_every_random_number(formats, mode):
    a, b, out = formats
    for bits in (1, 3):
        operands = every(a, b)
        random = np.tile(np.arange(1 << bits, dtype=np.uint64), len(operands["a"]))
        operands = {name: np.repeat(codes, 1 << bits) for name, codes in operands.items()}
        check(fpgen.Multiply(a=a, b=b, out=out, rounding=mode, random_bits=bits), operands, {"random": random})


@pytest.mark.turns(2)
@pytest.mark.parametrize("mode", DETERMINISTIC, ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", ["e3m2", "e2m3"])
def test_every_pair_of_fp6(name, mode):
    operands = every(name, name)
    check(fpgen.Multiply(a=name, b=name, out=name, rounding=mode), operands)
    check(fpgen.Add(a=name, b=name, out=name, rounding=mode, subtract="on"), operands)


@pytest.mark.parametrize(
    "formats",
    [
        ("e2m1", "e2m1", "e2m1", "e2m1"),
        ("e2m0", "e2m1", "e1m1", "e3m2:inf=ieee,nan=ieee"),
        ("int4", "e1m1", "e2m1", "e4m0:inf=top,nan=negzero"),
    ],
    ids="-".join,
)
def test_every_triple_of_codes(formats):
    a, b, c, out = formats
    operands = every(a, b, c)
    port = np.arange(len(operands["a"]), dtype=np.uint64) * 5 % 8
    for tininess in Tininess:
        check(
            fpgen.FusedMultiplyAdd(a=a, b=b, c=c, out=out, rounding="port", tininess=tininess),
            operands,
            {"rounding": port},
        )
    check(fpgen.FusedMultiplyAdd(a=a, b=b, c=c, out=out, rounding="rdn", subnormals="both"), operands)


@pytest.mark.parametrize("out", ["e2m1", "e4m3fn", "e5m2", "e8m0", "int8", "e4m3fnuz", "fp16", "ue4m3"])
@pytest.mark.parametrize("source", ["e4m3fn", "e5m2", "binary8p3se", "binary8p1se", "e8m0", "mxint8"])
def test_every_code_converted_in_every_mode(source, out):
    codes = np.repeat(np.arange(1 << as_format(source).bits, dtype=np.uint64), 8)
    port = np.tile(np.arange(8, dtype=np.uint64), 1 << as_format(source).bits)
    check(fpgen.Convert(source=source, out=out, rounding="port"), {"source": codes}, {"rounding": port})
