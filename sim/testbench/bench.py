"""Driver, monitor and scoreboard for one unit, one vector a clock, through cocotb's public API.

Pins change on the falling edge of the clock (the harness sees to it) and are sampled on the rising edge.
"""

import random
from collections import deque
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge, Timer
from cocotb.types import Logic
from cocotb.utils import get_sim_time
from job import PROTOCOLS

PERIOD = 2  # ns
#: Clocks between two heartbeats.
BEAT = 64
#: Clocks after which a unit that accepts nothing will never do so: more than the longest stall of any test.
PATIENCE = 20_000


async def heartbeat():
    """A byte for every `BEAT` clocks, so that the process waiting for this simulation sees that time goes on."""
    with Path("heartbeat").open("ab", buffering=0) as file:
        while True:
            await Timer(BEAT * PERIOD, "ns")
            file.write(b".")


class Bench:
    """A unit's pins.

    Parameters
    ----------
    dut
        The harness.
    number : int
        Which of the job's protocols.
    """

    def __init__(self, dut, number):
        self.spec = PROTOCOLS[number]
        self.handshake = self.spec["handshake"]
        self.latency = self.spec["latency"]
        self.inputs = self.spec["inputs"]
        self.outputs = self.spec["outputs"]
        self.vectors = [tuple(vector) for vector in self.spec["vectors"]]
        self.expected = [tuple(vector) for vector in self.spec["expected"]]
        self.random = random.Random(self.spec["seed"])
        prefix = f"u{self.spec['index']}_"
        names = self.spec["pins"]
        self.pin = {name: getattr(dut, prefix + name) for name in names}
        self.clock = getattr(dut, prefix + "clk")
        self.widths = [self.spec["widths"][name] for name in self.inputs]
        self.paused = 0  # clocks in which the unit stood still
        self.pausing = True  # whether there will be more of them

    @property
    def edge(self):
        """The next clock edge at which the unit runs: each one, or with a clock enable those where that is high."""
        return self._next_edge()

    async def _next_edge(self):
        while True:
            await RisingEdge(self.clock)
            if "enable" not in self.pin or self.bit("enable"):
                return

    @property
    def cycle(self):
        """The number of the current clock, of those in which the unit runs."""
        return int(get_sim_time("ns")) // PERIOD - self.paused

    async def pause(self):
        """Drop the clock enable now and then; meanwhile nothing is accepted and nothing delivered."""
        while True:
            await RisingEdge(self.clock)
            if not self.bit("enable"):
                self.paused += 1
                for name in ("in_ready", "out_valid"):
                    assert name not in self.pin or not self.bit(name), f"{name} is high while enable is low"
            self.pin["enable"].value = int(not self.pausing or self.random.random() < 0.7)

    async def start(self, reset=True):
        """Start the clock, hold the inputs idle, reset."""
        for name, pin in self.pin.items():
            if name in self.inputs or name in ("in_valid", "rst", "flush"):
                pin.value = 0
            if name in ("enable", "rst_n"):
                pin.value = 1
        if "out_ready" in self.pin:
            self.pin["out_ready"].value = 1
        Clock(self.clock, PERIOD, "ns").start()
        cocotb.start_soon(heartbeat())
        if "enable" in self.pin:
            cocotb.start_soon(self.pause())
        if reset:
            await self.reset()
        for _ in range(self.latency):  # flush what the data path held at power-up
            await self.edge

    async def reset(self, clocks=3):
        """A reset, if there is one; the inputs are idle meanwhile."""
        if "in_valid" in self.pin:
            self.pin["in_valid"].value = 0
        self._reset_pin(on=True)
        for _ in range(clocks):
            await self.edge
        self._reset_pin(on=False)
        await self.edge

    async def reset_between_edges(self):
        """Until after the next falling edge, where pins change: no rising edge has met the reset yet."""
        self._reset_pin(on=True)
        await FallingEdge(self.clock)
        await Timer(PERIOD * 250, "ps")

    def _reset_pin(self, on):
        if "rst" in self.pin:
            self.pin["rst"].value = int(on)
        if "rst_n" in self.pin:
            self.pin["rst_n"].value = int(not on)

    def present(self, vector):
        """Put a vector on the pins."""
        for name, value in zip(self.inputs, vector, strict=True):
            self.pin[name].value = value

    def garbage(self):
        """Put random codes on the pins; they must not matter."""
        self.present([self.random.getrandbits(width) for width in self.widths])

    def result(self):
        """What is on the outputs now; an undriven or unknown bit fails here."""
        values = []
        for name in self.outputs:
            value = self.pin[name].value
            assert value.is_resolvable, f"{name} is {value}: undriven or unknown bits"
            values.append(int(value) if isinstance(value, Logic) else value.to_unsigned())  # a pin of one bit
        return tuple(values)

    def bit(self, name):
        """A handshake output as True or False."""
        value = self.pin[name].value
        assert value.is_resolvable, f"{name} is {value}: undriven or unknown"
        return bool(int(value))


class Driver:
    """Sends vectors; on clocks without one (`gap` true) the operands are garbage and in_valid is low."""

    def __init__(self, bench, vectors, gap=lambda: False):
        self.bench = bench
        self.waiting = deque(vectors)
        self.gap = gap
        self.accepted = []  # (clock, vector)

    async def run(self):
        bench = self.bench
        valid = bench.pin.get("in_valid")
        presented, waited = None, 0
        while self.waiting or presented is not None:
            if presented is None and not self.gap():
                presented = self.waiting.popleft()
                bench.present(presented)
            elif presented is None:
                bench.garbage()
            if valid is not None:
                valid.value = int(presented is not None)
            await bench.edge
            if presented is not None and (bench.handshake != "ready" or bench.bit("in_ready")):
                self.accepted.append((bench.cycle, presented))
                presented, waited = None, 0
            waited += 1
            assert waited < PATIENCE, f"nothing accepted for {PATIENCE} clocks; {len(self.accepted)} vectors before"
        if valid is not None:
            valid.value = 0
        bench.garbage()


class Monitor:
    """Collects every transfer on the output side, counts clocks, and applies back-pressure (`stall` true)."""

    def __init__(self, bench, stall=lambda: False):
        self.bench = bench
        self.stall = stall
        self.received = []  # (clock, outputs)

    async def run(self):
        bench = self.bench
        ready = bench.pin.get("out_ready")
        held = None
        while True:
            taking = not self.stall()
            if ready is not None:
                ready.value = int(taking)
            await bench.edge
            if bench.handshake == "none":
                self.received.append((bench.cycle, bench.result()))
                continue
            valid = bench.bit("out_valid")
            if held is not None:
                assert valid and bench.result() == held, (
                    f"the waiting result changed from {held} to {bench.result() if valid else 'nothing'}"
                )
            held = None
            if valid and (taking or ready is None):
                self.received.append((bench.cycle, bench.result()))
            elif valid:
                held = bench.result()


class Scoreboard:
    """Holds what was accepted against what came out."""

    def __init__(self, expected):
        self.expected = expected

    def check(self, received):
        """Everything in order, nothing lost, nothing twice."""
        got = [outputs for _, outputs in received]
        for number, (want, have) in enumerate(zip(self.expected, got, strict=False)):
            assert want == have, (
                f"result {number}: expected {_hex(want)}, got {_hex(have)} "
                "(a value, the order, or a lost or doubled one)"
            )
        assert len(got) == len(self.expected), f"{len(self.expected)} accepted, {len(got)} came out"


def _hex(values):
    return " ".join(f"{value:#x}" for value in values)
