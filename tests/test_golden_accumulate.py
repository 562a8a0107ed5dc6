"""Multiply-accumulate: the fast model equals the exact one, however the stream is cut."""

from __future__ import annotations

import numpy as np
import pytest
from golden_cases import EXTREMES, check, draw_codes, draw_controls, draw_options

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import CATALOGUE, as_format
from fpgen.golden.accumulate import accumulate_exact
from fpgen.golden.accumulate import accumulate_float as accumulate
from fpgen.units.options import Flags, Rounding

SMALL = [name for name, entry in CATALOGUE.items() if entry.format.bits <= 16]


def tame(fmt, codes):
    """The same without infinities and NaNs, which would end every sum."""
    kinds = np.array([fmt.classify(int(code)) < 2 for code in codes])
    return np.where(kinds, codes, np.uint64(1))


def draw(accumulate: str, names, seed: int, shape=(3, 60), rounding=None, wild=False):
    """A unit on formats `names` (a, b, out), operands and controls."""
    rng = np.random.default_rng(seed)
    out = as_format(names[-1])
    options = draw_options(out, rng, rounding)
    if accumulate == "exact":
        options["terms"] = int(rng.choice([1, 3, 60, 1024]))
    else:
        options["loadable"] = bool(rng.integers(2))
    unit = fpgen.MultiplyAccumulate(a=names[0], b=names[1], out=out, accumulate=accumulate, **options)
    operands = {}
    for name, fmt in unit.operands.items():
        codes = draw_codes(fmt, int(np.prod(shape)), rng)
        operands[name] = (codes if wild else tame(fmt, codes)).reshape(shape)
    return unit, operands, draw_controls(unit, shape, rng, clear=float(rng.choice([0, 0.05, 0.3])))


@pytest.mark.turns(3)
@pytest.mark.parametrize("wild", [False, True], ids=["finite", "specials"])
@pytest.mark.parametrize("accumulate", ["float", "exact"])
@pytest.mark.parametrize("name", SMALL)
def test_catalogue(name, accumulate, wild):
    rng = np.random.default_rng(len(name))
    for seed in range(3):
        names = [name, *(str(x) for x in rng.choice([*SMALL, "fp32"], 2))]
        try:
            case = draw(accumulate, names[seed:] + names[:seed], seed, wild=wild)
        except UsageError as error:
            assert "no zero" in str(error)
            continue
        check(*case)


@pytest.mark.parametrize("accumulate", ["float", "exact"])
@pytest.mark.parametrize("name", EXTREMES)
def test_extremes(name, accumulate):
    if as_format(name).exponent_bits > 11 and accumulate == "exact":
        pytest.skip("a register of more than 8000 bits")
    others = ["e5m2", "fp32"] if as_format(name).zero else ["e5m2", "fp16"]
    check(*draw(accumulate, [name, *others], 1, (2, 30)))
    if as_format(name).zero or accumulate == "exact":
        check(*draw(accumulate, ["e4m3", "int8", name], 2, (2, 30)))


@pytest.mark.parametrize("mode", [mode.value for mode in Rounding])
@pytest.mark.parametrize("accumulate", ["float", "exact"])
@pytest.mark.parametrize(
    "names", [("e5m2", "e5m2", "fp32"), ("fp32", "fp32", "fp32"), ("fp64", "fp64", "fp64")], ids=lambda names: names[0]
)
def test_every_mode(names, accumulate, mode):
    check(*draw(accumulate, names, 3, (2, 40), mode))


@pytest.mark.turns(2)
@pytest.mark.parametrize("mode", [mode.value for mode in Rounding])
@pytest.mark.parametrize(
    "names",
    [
        ("e4m3fn", "bf16", "fp32"),
        ("e5m2", "e5m2", "e5m2"),
        ("int8", "e4m3", "bf16"),
        ("fp16", "fp16", "binary8p1se"),
        ("fp32", "fp32", "fp32"),
    ],
    ids="-".join,
)
def test_long_sums(names, mode):
    """A few long sums are guessed and checked; wrong guesses (overflow, flushing, double rounding) do no harm."""
    for seed in range(2):
        unit, operands, controls = draw("float", names, seed, (2, 400), mode)
        controls["clear"] = np.zeros((2, 400), dtype=np.uint8)
        if unit.loadable:
            controls["load"] = controls["clear"]
        check(unit, operands, controls)


@pytest.mark.parametrize("accumulate", ["float", "exact"])
def test_one_long_stream_without_a_clear(accumulate):
    check(*draw(accumulate, ("e4m3fn", "bf16", "fp32"), 7, (3000,), "rne"))


def test_shape_does_not_matter():
    """A stream is the same alone, among others, and cut into rows at its clears."""
    for kind in ("float", "exact"):
        unit = fpgen.MultiplyAccumulate(a="e5m2", b="e4m3fn", out="fp32", accumulate=kind)
        rng = np.random.default_rng(1)
        a, b = (tame(fmt, rng.integers(0, 256, 1200, dtype=np.uint64)) for fmt in unit.operands.values())
        clear = np.arange(1200) % 40 == 0
        alone = unit.compute(a, b, clear=clear)
        rows = unit.compute(a.reshape(30, 40), b.reshape(30, 40))
        assert (alone.codes == rows.codes.reshape(-1)).all() and (alone.flags == rows.flags.reshape(-1)).all()
        stacked = unit.compute(np.stack([a, b]), np.stack([b, b]), clear=clear)
        assert (stacked.codes[0] == alone.codes).all()
        single = unit.compute(a[0], b[0])
        assert single.codes.shape == () and single.codes == alone.codes[0]


@pytest.mark.parametrize("wild", [False, True], ids=["finite", "specials"])
@pytest.mark.parametrize("seed", range(6))
def test_chunks_carry_the_register_on(monkeypatch, seed, wild):
    """With chunks of a few steps, or a few sums, nothing changes."""
    monkeypatch.setattr(accumulate_exact, "_ELEMENTS", 1)
    monkeypatch.setattr(accumulate_exact, "_SHORTEST", 7)
    monkeypatch.setattr(accumulate, "_CHUNK", 3)
    for kind in ("exact", "float"):
        check(*draw(kind, ("e5m2", "fp16", "fp32"), seed, (3, 70), wild=wild))


def test_exact_register_wraps_beyond_its_terms():
    unit = fpgen.MultiplyAccumulate(a="int4", b="int4", out="int16", accumulate="exact", terms=1)
    eight = np.full(8, 8)  # -8 * -8 = 64 needs eight bits, with the sign: the register holds -128 to 127
    result = unit.compute(eight, eight)
    assert [int(code) for code in result.codes.astype(np.int16)] == [64, -128, -64, 0] * 2
    check(unit, {"a": eight, "b": eight})


def test_infinities_of_both_signs_meet_once():
    unit = fpgen.MultiplyAccumulate(a="e5m2", b="e5m2", out="fp32", accumulate="exact")
    one, infinity, minus = 0x3C, 0x7C, 0xFC
    a = [one, infinity, one, minus, one, infinity, minus, one]
    result = unit.compute(a, [one] * 8, clear=[0, 0, 0, 0, 0, 0, 0, 1])
    assert [int(flag) for flag in result.flags] == [0, 0, 0, Flags.NV, 0, 0, 0, 0]
    assert result.codes[1] == 0x7F800000 and result.codes[3] == 0x7FC00000 and result.codes[7] == 0x3F800000


def test_sum_of_a_hundred_ones():
    """In E4M3: 96 when the sum is rounded once (100 is a tie), 16 when every step is (FACTS.md 1, class 22)."""
    one = np.full(100, 0x38)
    exact = fpgen.MultiplyAccumulate(a="e4m3fn", b="e4m3fn", out="e4m3fn", accumulate="exact").compute(one, one)
    stepwise = fpgen.MultiplyAccumulate(a="e4m3fn", b="e4m3fn", out="e4m3fn").compute(one, one)
    fmt = as_format("e4m3fn")
    assert fmt.value(int(exact.codes[-1])) == 96
    assert fmt.value(int(stepwise.codes[-1])) == 16
