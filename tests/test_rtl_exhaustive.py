"""A member added to an enumeration alone is an error in the hardware, never another member's behaviour."""

import enum
from dataclasses import replace
from types import SimpleNamespace

import pytest

from fpgen.formats import as_format
from fpgen.rtl import dot, handshake
from fpgen.rtl.arith import multiplier, prefix
from fpgen.rtl.arith.quantity import Quantity
from fpgen.rtl.block.power_of_two import least_carry
from fpgen.rtl.block.threshold import boundaries
from fpgen.rtl.dot.aligned_window import Summand
from fpgen.rtl.float import rounder_inputs
from fpgen.rtl.float.delivery import overflow_away
from fpgen.rtl.float.increment import increment
from fpgen.rtl.float.rounder import Mode, Target
from fpgen.rtl.graph import Graph
from fpgen.units.accumulation import Kind, Treatment
from fpgen.units.architecture import Adder, Architecture, Multiplier
from fpgen.units.options import Handshake, Overflow, Rounding, Semantics, Tininess
from fpgen.units.scaling import ScalePolicy

FP16 = as_format("fp16")


def another(kind: type[enum.Enum]) -> enum.Enum:
    """A member that no code knows, as one that was added to the class and nowhere else."""
    member = object.__new__(kind)
    member._name_, member._value_ = "ANOTHER", "another"
    member._sort_order_ = len(kind)
    return member


def of(**options) -> Semantics:
    """Semantics that no check has seen."""
    semantics = Semantics()
    for name, value in options.items():
        object.__setattr__(semantics, name, value)
    return semantics


def rounding(g):
    Mode.of(g, of(rounding=another(Rounding)), None, None)


def fraction(g):
    _ = Target(FP16, of(rounding=another(Rounding)), True).fraction


def round_up(g):
    bit = g.input("x", 1)
    mode = replace(Mode.of(g, Semantics(), None, None), semantics=of(rounding=another(Rounding)))
    increment(g, mode, bit, bit, bit, bit)


def toward_zero(g):
    mode = replace(Mode.of(g, Semantics(), None, None), semantics=of(rounding=another(Rounding)))
    _ = mode.negative_toward_zero


def thresholds(g):
    boundaries(as_format("e2m1"), another(Rounding), False)


def overflow(g):
    overflow_away(g, Mode.of(g, Semantics(), None, None), another(Overflow), g.input("x", 1), FP16)


def tininess(g):
    _ = Target(FP16, of(tininess=another(Tininess)), True).looks_below


def multiplication(g):
    g.architecture = Architecture(multiplier=another(Multiplier))
    multiplier.multiply(g, g.input("x", 4), g.input("y", 4))


def addition(g):
    g.architecture = Architecture(adder=another(Adder))
    prefix.add(g, g.input("x", 4), g.input("y", 4))


def flow(g):
    handshake.control(SimpleNamespace(handshake=another(Handshake), enable=False, ports=()), SimpleNamespace(stages=1))


def scale(g):
    least_carry(another(ScalePolicy), as_format("e2m1"), 8)


def accumulation(g):
    dot.builder_of(another(Kind))


def alignment(g):
    word = g.input("x", 8)
    _ = Summand(word[0], word, 4, 255, Quantity.constant(g, 0), 2, another(Treatment), "x").bound


@pytest.mark.parametrize(
    "switch",
    [
        rounding,
        fraction,
        round_up,
        toward_zero,
        thresholds,
        overflow,
        tininess,
        multiplication,
        addition,
        flow,
        scale,
        accumulation,
        alignment,
    ],
)
def test_an_unknown_member_is_an_error(switch):
    with pytest.raises(AssertionError, match="unreachable"):
        switch(Graph())


def test_a_port_code_without_a_signal_is_an_error(monkeypatch):
    """The mode's signals say nothing of it, and what no signal says is to nearest even."""
    monkeypatch.setattr(rounder_inputs, "PORT_MODES", (*rounder_inputs.PORT_MODES[:7], Rounding.SRA))
    g = Graph()
    with pytest.raises(NotImplementedError, match="got a code for sra"):
        Mode.of(g, of(rounding=Rounding.PORT), g.input("rounding", 3), None)
