"""The one rounder: every positioned significand, in every mode, against the exact definition of rounding."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from portions import some
from rtl_cases import every, policies

from fpgen.formats import Class, parse
from fpgen.golden.exact.exact_round import Exact, finite, round_to
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.float.rounder import Mode, Positioned, Special, Target, round_and_pack
from fpgen.rtl.graph import Graph
from fpgen.units.options import PORT_CODES, PORT_MODES, Flags, Rounding, Semantics, Subnormals, Tininess

#: The sticky bit stands for this many places below the fraction.
BELOW = 40


def round_everything(out, semantics: Semantics, steps_bits: int, sign: bool = True):
    """Inputs and outputs (code, flags) of the rounder for every positioned value of a format."""
    target = Target(out, semantics, True)
    widths = {
        "steps": steps_bits,
        "kept": target.kept,
        "fraction": target.fraction,
        "sticky": 1,
        "sign": 1,
        "rounding": 3 if semantics.rounding is Rounding.PORT else 0,
        "random": semantics.random_bits,
    }
    widths = {name: width for name, width in widths.items() if width}
    g = Graph()
    node = {name: g.input(name, width) for name, width in widths.items()}
    mode = Mode.of(g, semantics, node.get("rounding"), node.get("random"))
    never = g.const(0, 1)
    value = Positioned(node["sign"], Quantity.of(node["steps"]), node["kept"], node["fraction"], node["sticky"])
    code, flags = round_and_pack(g, value, Special(never, never, never, never), mode, target)
    g.output("code", code)
    g.output("flags", flags)
    inputs = every(widths)
    # Positioned: the leading one at the top, or as low as the exponent goes.
    leads = inputs["kept"] >> np.uint64(target.kept - 1) == 1
    sensible = leads | (inputs["steps"] == 0)
    inputs = {name: array[sensible] for name, array in inputs.items()}
    found = evaluate(g, **inputs)
    count = len(inputs["kept"])
    return target, inputs, {name: np.broadcast_to(array, count).tolist() for name, array in found.items()}


def compare(target: Target, inputs, found):
    columns = {name: array.tolist() for name, array in inputs.items()}
    lowest = target.emin - target.kept + 1 - target.fraction - BELOW
    assert len(columns["kept"]) > 50
    for at in range(len(columns["kept"])):
        significand = (columns["kept"][at] << target.fraction | columns["fraction"][at]) << BELOW | columns["sticky"][
            at
        ]
        value = finite(columns["sign"][at], significand, lowest + columns["steps"][at])
        mode = PORT_MODES[columns["rounding"][at]] if "rounding" in columns else None
        random = columns["random"][at] if "random" in columns else 0
        want = round_to(value, target.out, target.semantics, mode=mode, random=random)
        given = {name: column[at] for name, column in columns.items()}
        assert (found["code"][at], Flags(found["flags"][at])) == want, given


FORMATS = [
    "e2m1",
    "e3m2",
    "e3m2:inf=ieee,nan=ieee",
    "e2m2:inf=none,nan=allones",
    "e2m2:bias=2,inf=top,nan=negzero",
    "e3m0",
    "e1m1",
    "ue3m0:zero=no,subnormals=no",
    "ue2m1:inf=none,nan=allones",
    "e3m1:subnormals=no",
    "int4",
    "uint3",
    "int4:symmetric=yes",
    "int3:scale=-5",
]


@pytest.mark.turns(2)
@pytest.mark.parametrize("tininess", Tininess)
@pytest.mark.parametrize("subnormals", [Subnormals.FULL, Subnormals.OUT])
@pytest.mark.parametrize("name", some(FORMATS, 2))
def test_every_positioned_value_in_every_mode(name, subnormals, tininess):
    out = parse(name)
    for policy in policies(out):
        semantics = Semantics(Rounding.PORT, policy, tininess, subnormals)
        compare(*round_everything(out, semantics, 4 if out.bits < 6 else 3))


@pytest.mark.turns(2)
@pytest.mark.parametrize("bits", [1, 3])
@pytest.mark.parametrize("mode", [Rounding.SRA, Rounding.SRB, Rounding.SRC])
@pytest.mark.parametrize("name", ["e2m1", "e3m0", "int3", "e2m1:inf=ieee,nan=ieee"])
def test_stochastic_rounding_of_every_value(name, mode, bits):
    out = parse(name)
    semantics = Semantics(mode, next(policies(out)), random_bits=bits)
    compare(*round_everything(out, semantics, 3))


@pytest.mark.parametrize("mode", list(PORT_CODES))
@pytest.mark.parametrize("name", ["e2m1", "e3m2:inf=ieee,nan=ieee", "ue3m0:zero=no,subnormals=no", "int4"])
def test_a_fixed_mode_is_the_port_at_its_code(name, mode):
    out = parse(name)
    for policy in policies(out):
        compare(*round_everything(out, Semantics(mode, policy), 3))


@pytest.mark.parametrize("name", [*FORMATS, "fp16", "e4m3fn", "e8m0", "e4m3fnuz", "int8"])
def test_special_results(name):
    """NaN and infinities of both signs override whatever number stands beside them."""
    out = parse(name)
    for policy, flush in itertools.product(policies(out), (Subnormals.FULL, Subnormals.OUT)):
        semantics = Semantics(Rounding.PORT, policy, subnormals=flush)
        target = Target(out, semantics, True)
        widths = {"nan": 1, "infinity": 1, "invalid": 1, "infinity_sign": 1, "sign": 1, "rounding": 3}
        g = Graph()
        node = {key: g.input(key, width) for key, width in widths.items()}
        number = {"steps": 5, "kept": target.kept, "fraction": target.fraction, "sticky": 1}
        node |= {key: g.input(key, width) for key, width in number.items()}
        special = Special(node["nan"], node["infinity"] & ~node["nan"], node["invalid"], node["infinity_sign"])
        value = Positioned(node["sign"], Quantity.of(node["steps"]), node["kept"], node["fraction"], node["sticky"])
        code, flags = round_and_pack(g, value, special, Mode.of(g, semantics, node["rounding"], None), target)
        g.output("code", code)
        g.output("flags", flags)
        inputs = every(widths)
        rng = np.random.default_rng(1)
        beside = {
            key: rng.integers(0, 1 << width, len(inputs["nan"]), dtype=np.uint64) for key, width in number.items()
        }
        beside["kept"] |= np.uint64(1 << (target.kept - 1))
        found = evaluate(g, **inputs, **beside)
        for at in np.flatnonzero(inputs["nan"] | inputs["infinity"]):
            given = {key: int(array[at]) for key, array in inputs.items()}
            kind = Class.NAN if given["nan"] else Class.INFINITY
            exact = Exact(kind, 0 if given["nan"] else given["infinity_sign"], 0, 0, bool(given["invalid"]))
            want = round_to(exact, out, semantics, mode=PORT_MODES[given["rounding"]])
            assert (int(found["code"][at]), Flags(int(found["flags"][at]))) == want, given


@pytest.mark.parametrize(
    ("out", "options", "bits"),
    [
        ("fp16", {}, 1),
        ("fp16", {"flags": True}, 2),
        ("fp16", {"flags": True, "tininess": Tininess.BEFORE}, 1),
        ("fp16", {"subnormals": Subnormals.OUT}, 2),
        ("int8", {"flags": True}, 1),
        ("fp16", {"rounding": Rounding.SRA, "random_bits": 8}, 8),
        ("fp16", {"rounding": Rounding.SRB, "random_bits": 8}, 9),
        ("fp16", {"rounding": Rounding.SRC, "random_bits": 8, "flags": True}, 10),
    ],
)
def test_how_many_bits_rounding_looks_at(out, options, bits):
    """One for the guard, one more where tininess is judged after rounding, N (or N + 1) for stochastic modes."""
    semantics = Semantics(**{name: value for name, value in options.items() if name != "flags"})
    target = Target(parse(out), semantics, "flags" in options)
    assert target.fraction == bits
    assert target.kept == (11 if out == "fp16" else 8)


def test_without_flags_and_flushing_nothing_is_computed_for_them():
    g = Graph()
    target = Target(parse("fp16"), Semantics(), False)
    never = g.const(0, 1)
    value = Positioned(
        never, Quantity.of(g.input("steps", 5)), g.input("kept", 11), g.input("fraction", 1), g.input("sticky", 1)
    )
    special, mode = Special(never, never, never, never), Mode.of(g, Semantics(), None, None)
    code, flags = round_and_pack(g, value, special, mode, target)
    assert flags.constant == 0
    g.output("code", code)
    names = {node.name for node in g.live()}
    assert "round_up" in names and not names & {"tiny", "flushed", "flag_nx", "overflow"}
