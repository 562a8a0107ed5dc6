"""Stand-alone cocotb test of fma_bf16.

Needs Python 3.9 or later with cocotb 2 and pytest, and Icarus Verilog (or another simulator that cocotb knows, by the
environment variable SIM). In the directory of this file:

    pytest test_*.py

It shows the unit the vectors of vectors.hex in order: once at full rate, and once with gaps and stalls where the unit
has a handshake. A mismatch is reported with operands, what was expected, and the family of the vector.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import cocotb
from cocotb.triggers import Timer
from cocotb_tools.runner import get_runner

HERE = Path(__file__).resolve().parent
TOP = "fma_bf16"
SOURCES = ["fma_bf16.v"]
LATENCY = 3
#: Ports that travel with an operation, and their widths, in the order of the vectors.
INPUTS = {"a": 16, "b": 16, "c": 16}
OUTPUTS = {"result": 16, "flags": 5}
#: Whether there are in_valid and out_valid, in_ready and out_ready, and registers.
VALID, READY, CLOCKED = True, True, True
#: The reset and its level, and inputs that stay at one level.
RESET = ("rst", 1)
HELD = {}
#: A result depends on earlier ones, so that vectors are one sequence from reset on.
STATEFUL = False
STUCK = 256 + 32 * LATENCY


def read_vectors() -> tuple[dict[int, str], list[list[int]]]:
    """Names of the families by number, and the vectors: the family, inputs, outputs."""
    families, vectors = {}, []
    for line in (HERE / "vectors.hex").read_text().splitlines():
        words = line.split()
        if not line.startswith("//"):
            vectors.append([int(word, 16) for word in line.split("_")])
        elif len(words) > 2 and words[2].endswith(":") and words[1].isalnum() and len(words[1]) == 2:
            families[int(words[1], 16)] = words[2][:-1]
    assert vectors, "vectors.hex: got no vectors; expected at least one"
    return families, vectors


class Bench:
    """Drives the pins clock by clock, and compares what comes out."""

    def __init__(self, dut, seed=None):
        self.dut = dut
        self.random = random.Random(seed) if seed is not None else None
        self.families, self.vectors = read_vectors()
        self.sent = self.taken = self.idle = 0
        self.due = []  # clocks until a result, without a handshake
        self.stall = 0

    def at(self, name):
        return getattr(self.dut, name)

    async def start(self):
        for name, level in HELD.items():
            self.at(name).value = level
        for name in INPUTS:
            self.at(name).value = 0
        if VALID:
            self.dut.in_valid.value = 0
        if READY:
            self.dut.out_ready.value = 0
        if CLOCKED:
            self.dut.clk.value = 0
        if RESET:
            pin, level = RESET
            self.at(pin).value = level
            await self.rise()
            await self.rise()
            self.at(pin).value = 1 - level
        await Timer(1, "ns")

    async def rise(self):
        if CLOCKED:
            self.dut.clk.value = 1
            await Timer(1, "ns")
            self.dut.clk.value = 0
        await Timer(1, "ns")

    def pauses(self, chance):
        return self.random is not None and self.random.random() < chance

    async def clock(self):
        """One clock: inputs while it is low, outputs just before it rises."""
        offered = self.sent < len(self.vectors) and not (VALID and self.pauses(0.3))
        vector = self.vectors[min(self.sent, len(self.vectors) - 1)]
        for (name, width), word in zip(INPUTS.items(), vector[1:]):
            self.at(name).value = word if offered else word ^ ((1 << width) - 1)
        if VALID:
            self.dut.in_valid.value = int(offered)
        wanted = True
        if READY:
            self.stall = self.stall - 1 if self.stall else LATENCY + 4 if self.pauses(0.02) else 0
            wanted = not self.stall and not self.pauses(0.3)
            self.dut.out_ready.value = int(wanted)
        await Timer(1, "ns")
        accepted = offered and (not READY or self.bit("in_ready"))
        self.sent += accepted
        if accepted and not VALID:
            self.due.append(LATENCY)
        there = self.bit("out_valid") if VALID else bool(self.due) and self.due[0] == 0
        self.idle += 1
        if there and wanted and (CLOCKED or accepted):
            assert self.taken < self.sent, "a result without operands"
            self.compare(self.vectors[self.taken])
            self.taken += 1
            self.idle = 0
            self.due = self.due[1:]
        self.due = [left - 1 for left in self.due]
        await self.rise()

    def bit(self, name):
        value = self.at(name).value
        assert value.is_resolvable, f"{name} is unknown"
        return bool(int(value))

    def compare(self, vector):
        expected = dict(zip(OUTPUTS, vector[1 + len(INPUTS) :]))
        for name, code in expected.items():
            value = self.at(name).value
            got = int(value) if value.is_resolvable else None
            if got != code:
                family = self.families.get(vector[0], "unknown")
                operands = " ".join(f"{port}={word:x}" for port, word in zip(INPUTS, vector[1:]))
                shown = "x" if got is None else f"{got:x}"
                raise AssertionError(
                    f"vector {self.taken}, family {family}: {operands}; {name}: expected {code:x}, got {shown}"
                )

    async def run(self):
        await self.start()
        while self.taken < len(self.vectors):
            await self.clock()
            assert self.idle < STUCK, f"no result for {STUCK} clocks; {self.taken} of {len(self.vectors)} came"
        for _ in range(LATENCY + 4):
            before = self.taken
            await self.clock()
            assert self.taken == before


@cocotb.test()
async def full_rate(dut):
    """A vector every clock."""
    await Bench(dut).run()


# A sum starts from its reset value, and without a reset that comes only once.
@cocotb.test(skip=not VALID or (STATEFUL and not RESET))
async def with_pauses(dut):
    """Gaps of in_valid with other operands in them, and stalls by out_ready."""
    await Bench(dut, seed=1).run()


def test_unit(tmp_path):
    """Build the unit and run the tests above in the simulator."""
    runner = get_runner(os.environ.get("SIM", "icarus"))
    sources = [HERE / name for name in SOURCES]
    runner.build(
        sources=sources, hdl_toplevel=TOP, build_dir=tmp_path, always=True, timescale=("1ns", "1ps")
    )
    runner.test(hdl_toplevel=TOP, test_module=Path(__file__).stem, build_dir=tmp_path, test_dir=tmp_path)
