"""Normalising and denormalising by one left shift: kept bits, fraction, sticky and steps."""

from __future__ import annotations

import numpy as np
import pytest
from rtl_cases import every

from fpgen.formats import parse
from fpgen.rtl.arith.count import leading_zeros
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.float.float_position import position_counted, position_known
from fpgen.rtl.float.rounder import Target
from fpgen.rtl.graph import Graph
from fpgen.units.options import Rounding, Semantics

TARGETS = {
    "rne": Target(parse("e4m3"), Semantics(), False),  # 4 kept bits, 1 of fraction
    "flags": Target(parse("e3m2"), Semantics(), True),  # 3 and 2
    "stochastic": Target(parse("e3m0"), Semantics(Rounding.SRB, random_bits=3), False),  # 1 and 4
    "fixed": Target(parse("int4"), Semantics(), False),
}


def expected(window: int, width: int, t: int, target: Target) -> tuple[int, int, int]:
    """(kept and fraction as one number, sticky, steps) by the definition, for a non-zero window.

    The window's top bit weighs 2**(emin + t); the leading one goes to the top unless that takes the
    exponent below emin.
    """
    leading = t - (width - window.bit_length())
    steps = max(leading, 0)
    wanted = target.kept + target.fraction
    # The last wanted bit weighs 2**(emin + steps - wanted + 1), the window's last bit 2**(emin + t - width + 1).
    drop = (steps - wanted + 1) - (t - width + 1)
    if drop <= 0:
        return window << -drop, 0, steps
    return window >> drop, int(window & ((1 << drop) - 1) != 0), steps


def positioned(build, widths: dict[str, int]):
    """Evaluate ``build(g, window, t_node) -> Positioned`` on every input."""
    g = Graph()
    value = build(g, *[g.input(name, width) for name, width in widths.items()])
    for name in ("kept", "fraction", "sticky"):
        g.output(name, getattr(value, name))
    g.output("steps", value.steps.settled().node)
    inputs = every(widths)
    found = evaluate(g, **inputs)
    count = len(inputs["window"])
    return value, inputs, {name: np.broadcast_to(array, count).tolist() for name, array in found.items()}


def compare(value, inputs, found, width: int, offset: int, target: Target):
    assert (value.kept.width, value.fraction.width) == (target.kept, target.fraction)
    checked = 0
    for at, (window, place) in enumerate(zip(inputs["window"].tolist(), inputs["t"].tolist(), strict=True)):
        got = (found["kept"][at] << target.fraction | found["fraction"][at], found["sticky"][at], found["steps"][at])
        if window == 0:
            assert got[:2] == (0, 0)
            continue
        want = expected(window, width, place + offset, target)
        if not want[0] >> (target.kept + target.fraction - 1):
            assert want[2] == 0
        # Bits that fell out far below the last wanted one are all in the sticky bit.
        assert got == want, (window, place + offset)
        checked += 1
    assert checked >= 100


@pytest.mark.parametrize("offset", [-20, -9, -3, -1, 0, 1, 6])
@pytest.mark.parametrize("width", [3, 5, 8])
@pytest.mark.parametrize("name", TARGETS)
def test_counting_the_zeros_of_the_window(name, width, offset):
    """Every window at places from far below to above the smallest exponent; the marker stops the count there."""
    target = TARGETS[name]

    def build(g, window, t):
        return position_counted(g, g.const(0, 1), window, Quantity.of(t) + offset, target)

    compare(*positioned(build, {"window": width, "t": 5}), width, offset, target)


@pytest.mark.parametrize("offset", [-20, -9, -3, -1, 0, 1, 6])
@pytest.mark.parametrize("slack", [0, 1])
@pytest.mark.parametrize("name", TARGETS)
def test_zeros_known_beforehand(name, slack, offset):
    """The count is given: exact, or possibly one too small (the product of two normalised significands)."""
    target, width = TARGETS[name], 6

    def build(g, window, t, *less):
        zeros, _ = leading_zeros(g, window)
        count = Quantity(zeros, 0, width - 1)
        if less:  # one too small, where it can be
            count = Quantity(g.mux(less[0] & zeros.any(), zeros.sub(1, zeros.width), zeros), 0, width - 1)
        return position_known(g, g.const(0, 1), window, Quantity.of(t) + offset, count, slack, target)

    widths = {"window": width, "t": 5, **({"less": 1} if slack else {})}
    value, inputs, found = positioned(build, widths)
    some = inputs["window"] > 0  # without a leading one there is nothing to count
    inputs = {key: array[some] for key, array in inputs.items()}
    found = {key: np.array(array)[some].tolist() for key, array in found.items()}
    compare(value, inputs, found, width, offset, target)


def test_where_no_exponent_is_too_small_there_is_no_marker():
    target = TARGETS["rne"]
    g = Graph()
    position_counted(g, g.const(0, 1), g.input("x", 6), Quantity.of(g.input("t", 3)) + 6, target)
    assert not any(node.name == "marked" for node in g.nodes)
    g = Graph()
    position_counted(g, g.const(0, 1), g.input("x", 6), Quantity.of(g.input("t", 3)) + 4, target)
    assert any(node.name == "marked" for node in g.nodes)
