"""Faults planted in mapped netlists: each is found by the proof, or is none.

What the proof says is held against a simulation of both netlists, which shares nothing with it.
"""

import random
import re

import numpy as np
import pytest
from ppa_helpers import fresh_cache

import fpgen
from fpgen.formal.equivalence import prove_equal
from fpgen.library import liberty, technology
from fpgen.power import operands, toggles
from fpgen.ppa import measure_unit
from fpgen.synthesis import flow
from fpgen.timing import netlist

__all__ = ["fresh_cache"]

INSTANCE = re.compile(r"^  (\w+) +(\\\S+ |\S+) *\((.*?)\);", re.DOTALL | re.MULTILINE)
PORT = re.compile(r"\.(\w+)\(([^()]*)\)")


class Mapped:
    """A unit's netlist, its cells, and what proof and simulation say of it with a fault."""

    def __init__(self, line):
        self.unit = fpgen.parse_unit(line)
        self.verilog = self.unit.verilog()
        point = measure_unit(self.unit, prove=False)[0]
        self.text = flow.netlist_text(point.netlist_hash)
        self.tech = technology.load("fpgen45")
        self.cells = liberty.load(self.tech.liberty, power=True).cells
        self.instances = [found for found in INSTANCE.finditer(self.text) if found[1] in self.cells]
        self.good = self.simulated(self.text)

    def status(self, text):
        return prove_equal(self.verilog, text, self.unit.name, liberty=self.tech.liberty).status

    def simulated(self, text):
        """Outputs of 40 clocks of uniform operands and random controls, 512 streams."""
        given = operands.Operands(self.unit, operands.load("uniform"), seed=1, clocks=40, words=8)
        source = np.random.default_rng(2)
        clocks = [
            {
                bit: source.integers(0, 1 << 64, 8, dtype=np.uint64)
                if bit in ("in_valid", "out_ready", "clear")
                else value
                for bit, value in clock.items()
            }
            for clock in given
        ]
        library = liberty.load(self.tech.liberty, power=True)
        found = toggles.simulate(toggles.Simulator(netlist.from_text(text, self.unit.name), library, 8), clocks, 1)
        return found.outputs

    def behaves(self, text):
        found = self.simulated(text)
        return all((found[bit] == value).all() for bit, value in self.good.items())

    def mutants(self, seed):
        """Netlists with one fault each: (text, what it is)."""
        source = random.Random(seed)
        while True:
            made = self.mutant(source)
            if made is not None and made[0] != self.text:
                yield made

    def mutant(self, source):
        place = source.choice(self.instances)
        cell = self.cells[place[1]]
        nets = dict(PORT.findall(place[3]))
        pins = [cell.flipflop.next_state] if cell.flipflop else cell.inputs
        pin = source.choice(pins)
        kind = source.choice(["stuck", "inverted", "other net", "swapped" if len(pins) > 1 else "other net", "gate"])
        new = place[0]
        if kind == "gate":
            alike = (
                [
                    other.name
                    for other in self.cells.values()
                    if other.flipflop is None
                    and not other.latch
                    and (other.inputs, other.outputs) == (cell.inputs, cell.outputs)
                    and other.pins["y"].function != cell.pins["y"].function
                ]
                if cell.flipflop is None
                else []
            )
            if not alike:
                return None
            new = new.replace(cell.name, source.choice(alike), 1)
        elif kind == "swapped":
            one, other = source.sample(pins, 2)
            new = new.replace(f".{one}({nets[one]})", f".{one}(@)").replace(
                f".{other}({nets[other]})", f".{other}({nets[one]})"
            )
            new = new.replace("@", nets[other])
        else:
            net = {
                "stuck": source.choice(["1'h0", "1'h1"]),
                "inverted": "planted",
                "other net": source.choice(PORT.findall(source.choice(self.instances)[3]))[1],
            }[kind]
            if net in ("clk", nets.get(cell.outputs[0])):
                return None
            new = new.replace(f".{pin}({nets[pin]})", f".{pin}({net})")
            if kind == "inverted":
                new = f"  wire planted;\n  inv_x1 planted_gate (.a({nets[pin]}), .y(planted));\n{new}"
        return self.text.replace(place[0], new), f"{kind}: {' '.join(new.split())}"


def check(line, count, seed):
    mapped = Mapped(line)
    assert mapped.status(mapped.text) == "proven"
    found = {"failed": 0, "proven": 0}
    for text, what in mapped.mutants(seed):
        try:
            behaves = mapped.behaves(text)
        except fpgen.base.errors.RunFailure as error:
            assert "loop" in str(error)  # the other net came from behind: no netlist that can be simulated
            continue
        status = mapped.status(text)
        assert status in found, what
        assert status == "failed" or behaves, what  # what is proven equal does the same
        found[status] += 1
        if sum(found.values()) == count:
            break
    assert found["failed"] >= count // 2


@pytest.mark.parametrize("line", ["fma e2m1 e2m1 e2m1 -> e2m1 rne stages=1"])
def test_planted_faults(fresh_cache, line):
    check(line, 6, 1)


@pytest.mark.full
@pytest.mark.parametrize(
    "line",
    [
        "multiply e4m3fn e4m3fn -> fp16 rne",
        "mac e2m1 e2m1 -> e4m3fn rne stages=1",
        "add e5m2 e5m2 -> e5m2 rne stages=1 handshake=ready",
        "tensorcore e2m1 e2m1 m=2 n=1 k=2 -> fp16 rne stages=1",
    ],
)
def test_many_planted_faults(fresh_cache, line):
    check(line, 12, 2)


def test_a_control_that_is_not_looked_at(fresh_cache):
    mapped = Mapped("add e2m1 e2m1 -> e2m1 rne stages=1 handshake=ready")
    for port, value in (("rst", 0), ("out_ready", 1), ("in_valid", 1)):
        text = re.sub(rf"\.(\w+)\({port}\)", rf".\1(1'h{value})", mapped.text)
        assert text != mapped.text and mapped.status(text) == "failed"
