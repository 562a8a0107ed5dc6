"""The unit as an Amaranth component, built from the same pipeline as the Verilog."""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import TYPE_CHECKING

from amaranth.back import rtlil
from amaranth.hdl import Cat, ClockDomain, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from fpgen.units.ports import Port, Role
from fpgen.units.register_options import reset_port

from . import pipeline_for
from .graph import Node
from .handshake import control
from .pipeline import Pipeline, Register
from .wiring import is_wiring, readers, sources

if TYPE_CHECKING:
    from amaranth.hdl._ast import Statement

    from fpgen.units.base import Unit


class UnitComponent(wiring.Component):
    """A unit whose members are its pins, except `clk` and `rst`: those are the ``sync`` domain's.

    With `rst_n` both are members and the domain is the unit's own, since the reset of a domain is active high.

    Parameters
    ----------
    unit : Unit
    """

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        super().__init__({port.name: (In if port.is_input else Out)(port.width) for port in _members(unit)})

    def elaborate(self, platform: object) -> Module:
        pipeline = pipeline_for(self.unit)
        m = Module()
        reset = reset_port(self.unit)
        if reset is not None and reset.active_low:
            m.domains.sync = sync = ClockDomain("sync", async_reset=reset.asynchronous)
            m.d.comb += [sync.clk.eq(self.clk), sync.rst.eq(~self.rst_n)]
        logic = _Logic(m, pipeline, {port.name: getattr(self, port.name) for port in _members(self.unit)})
        rules = control(self.unit, pipeline)
        valid = [self.in_valid if k == 0 else Signal(name=name) for k, name in enumerate(rules.valid)]
        ready = [Signal(name=name) for name in rules.ready]
        for k, load in enumerate(ready):
            m.d.comb += load.eq(~valid[k + 1] | (ready[k + 1] if k + 1 < len(ready) else self.out_ready))
        enable = self.enable if rules.enable else Const(1)
        for rank, registers in enumerate(pipeline.ranks, start=1):
            moving = enable & ready[rank - 1] if ready else enable
            with m.If(moving):
                m.d.sync += [logic.load(register) for register in registers]
            with m.If(self.flush if rules.flush else Const(0)):
                m.d.sync += valid[rank].eq(0) if valid else []
            with m.Elif(moving):
                m.d.sync += valid[rank].eq(valid[rank - 1]) if valid else []
                with m.If(valid[rank - 1] if valid else Const(0)):
                    m.d.sync += logic.updates(rank)
        for name, node in pipeline.graph.outputs.items():
            if hasattr(self, name):
                m.d.comb += getattr(self, name).eq(logic.value(node, pipeline.stages))
        if valid:
            m.d.comb += self.out_valid.eq(valid[-1] & enable)
        if "in_ready" in rules.pins:
            open_for_more = ~self.flush if rules.flush else Const(1)
            m.d.comb += self.in_ready.eq((ready[0] if ready else self.out_ready) & enable & open_for_more)
        return m


def _members(unit: Unit) -> list[Port]:
    reset = reset_port(unit)
    if reset is not None and reset.active_low:
        return list(unit.ports)
    return [port for port in unit.ports if port.role not in (Role.CLOCK, Role.RESET)]


class _Logic:
    """Amaranth values for the nodes of a pipeline, in whichever stage they are read."""

    def __init__(self, m: Module, pipeline: Pipeline, pins: dict[str, Signal]) -> None:
        self.m = m
        self.pipeline = pipeline
        self._made: dict[int, Value] = {}
        self._registers: dict[str, Signal] = {}
        for rank in pipeline.ranks:
            for register in rank:
                self._registers[register.name] = Signal(register.width, name=register.name, reset_less=True)
        count: dict[int, int] = {}
        for _, arg in readers(pipeline.graph):
            for source, _, _ in sources(arg):
                count[source.index] = count.get(source.index, 0) + 1
        for node in pipeline.graph.live():
            if node.op == "input":
                self._made[node.index] = pins[str(node.value)]
            elif node.op == "state":
                self._made[node.index] = Signal(node.width, name=pipeline.names.of(node))
            elif node.op != "const" and not is_wiring(node):
                stage = pipeline.stage_of(node)
                value = _operation(node, [self.value(arg, stage) for arg in node.args])
                if node.name is not None or count.get(node.index, 0) > 1:
                    # A step without a name stays without: a made-up one might be that of another step in the Verilog.
                    wire = Signal(node.width, name=pipeline.names.of(node) if node.name is not None else "")
                    m.d.comb += wire.eq(value)
                    value = wire
                self._made[node.index] = value

    def value(self, node: Node, stage: int) -> Value:
        """A node as seen in `stage`."""
        parts = []
        for source, low, high in sources(node):
            if source.op == "const":
                parts.append(Const(source.value >> low & ((1 << (high - low)) - 1), high - low))
            else:
                parts += self.pieces(source, low, high, stage)
        return parts[0] if len(parts) == 1 else Cat(*parts)

    def pieces(self, source: Node, low: int, high: int, stage: int) -> list[Value]:
        found = []
        for piece in self.pipeline.read(source, low, high, stage):
            whole = (
                self._registers[piece.holder.name]
                if isinstance(piece.holder, Register)
                else self._made[piece.holder.index]
            )
            found.append(whole[piece.low : piece.high])
        return found

    def load(self, register: Register) -> Statement:
        """The assignment that fills a register at the clock edge."""
        before = self.pieces(register.source, register.low, register.high, register.rank - 1)
        return self._registers[register.name].eq(Cat(*before))

    def updates(self, rank: int) -> list[Statement]:
        """The assignments to the states that belong to a rank."""
        return [
            self._made[state.index].eq(self.value(value, rank - 1))
            for state, value in self.pipeline.graph.states.items()
            if self.pipeline.stage_of(state) == rank - 1
        ]


def _operation(node: Node, args: list[Value]) -> Value:
    op, width = node.op, node.width
    if op == "not":
        return ~args[0]
    if op == "and":
        return args[0] & args[1]
    if op == "or":
        return args[0] | args[1]
    if op == "xor":
        return args[0] ^ args[1]
    if op == "mux":
        return Mux(args[0], args[1], args[2])
    if op == "add":
        return reduce(lambda x, y: x + y, args)[:width]
    if op == "sub":
        return (args[0] - args[1])[:width]
    if op == "mul":
        args = [arg.as_signed() for arg in args] if node.value == "signed" else args
        return (args[0] * args[1])[:width]
    if op == "eq":
        return args[0] == args[1]
    if op == "ult":
        return args[0] < args[1]
    if op == "any":
        return args[0].any()
    if op == "all":
        return args[0].all()
    if op == "parity":
        return reduce(xor, args[0])
    raise ValueError(f"unknown operation {op}")


def to_rtlil(unit: Unit) -> str:
    """The Amaranth design as RTLIL text: module `unit.name` with the unit's pins, `clk` and `rst` among them."""
    reset = reset_port(unit)
    text: str = rtlil.convert(
        UnitComponent(unit),
        name=unit.name,
        emit_src=False,
        missing_domain=lambda name: ClockDomain(
            name, reset_less=reset is None, async_reset=reset is not None and reset.asynchronous
        ),
    )
    return text
