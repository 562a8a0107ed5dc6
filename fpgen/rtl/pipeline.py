"""A scheduled datapath: which step is in which stage, and the registers between.

Stage 0 reads the inputs, stage N delivers the outputs; between stage k-1 and
stage k lies rank k. A value made in stage s and used in stage t passes the
ranks s+1 to t, and each rank holds only the bits that it or a later stage
reads. Constants pass none. Slices and concatenations are wires: registers
sit on what they are made of.

The register of a state is a rank, too: when an accumulator's next value is
made in stage k, stage k+1 reads it from the accumulator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from fpgen.units.register_options import BoundaryRegisters

from .graph import WIRING, Graph, Node
from .naming import Names
from .pack import pack
from .schedule import Schedule, schedule
from .wiring import is_wiring, readers, sources

#: Names of the pins and of the handshake's own signals, which no step may take.
RESERVED_PINS = (
    *("clk", "rst", "rst_n", "enable", "flush"),
    *("in_valid", "in_ready", "out_valid", "out_ready", "unused"),
)


@dataclass(frozen=True)
class Register:
    """One register of a rank: it holds ``source[low:high]`` in stage `rank`."""

    name: str
    source: Node
    low: int
    high: int
    rank: int

    @property
    def width(self) -> int:
        return self.high - self.low


@dataclass(frozen=True)
class Piece:
    """A run of bits where it can be read in some stage: of a register, or of the node itself (a wire or state)."""

    holder: Register | Node
    low: int
    high: int


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A graph with its registers.

    Attributes
    ----------
    graph : Graph
    schedule : Schedule
        Stage of every node, and the period reached.
    ranks : tuple of tuple of Register
        ``ranks[k - 1]`` lies between stage k-1 and stage k.
    names : Names
        The name of every node; the writers share it.
    """

    graph: Graph
    schedule: Schedule
    ranks: tuple[tuple[Register, ...], ...]
    names: Names
    _held: dict[int, tuple[tuple[int, int, Node, int], ...]] = field(repr=False)

    @property
    def stages(self) -> int:
        """Ranks of registers: the latency in clocks."""
        return self.schedule.stages

    @property
    def period_ps(self) -> float:
        """Estimated clock period, registers included, in ps."""
        return self.schedule.period

    @property
    def register_bits(self) -> int:
        """Flip-flops of the datapath: ranks and states, without the handshake's."""
        held = sum(state.width for state in self.graph.states)
        return held + sum(register.width for rank in self.ranks for register in rank)

    def stage_of(self, node: Node) -> int:
        return self.schedule.stage[node.index]

    @cached_property
    def steps(self) -> tuple[tuple[str, ...], ...]:
        """The stage map: the named steps of every stage, 0 to N, in the order in which they were written."""
        found: list[list[str]] = [[] for _ in range(self.stages + 1)]
        for node in self.graph.live():
            if node.name is not None and node.op != "state" and node.op not in WIRING:
                found[self.stage_of(node)].append(self.names.of(node))
        return tuple(tuple(names) for names in found)

    @cached_property
    def _by_place(self) -> dict[tuple[int, int], list[Register]]:
        places: dict[tuple[int, int], list[Register]] = {}
        for rank in self.ranks:
            for register in rank:
                places.setdefault((register.source.index, register.rank), []).append(register)
        return places

    def read(self, node: Node, low: int, high: int, stage: int) -> list[Piece]:
        """Where ``node[low:high]`` is found in `stage`, least significant piece first.

        `node` is a `wiring.sources` node that is not a constant.
        """
        made = self.stage_of(node)
        if stage == made:
            return [Piece(node, low, high)]
        pieces = []
        while low < high:
            piece = self._first_piece(node, low, high, stage, made)
            pieces.append(piece)
            low += piece.high - piece.low
        return pieces

    def _first_piece(self, node: Node, low: int, high: int, stage: int, made: int) -> Piece:
        if stage == made + 1:
            for start, end, state, offset in self._held.get(node.index, ()):
                if start <= low < end:
                    return Piece(state, low - start + offset, min(high, end) - start + offset)
        for register in self._by_place.get((node.index, stage), ()):
            if register.low <= low < register.high:
                return Piece(register, low - register.low, min(high, register.high) - register.low)
        raise AssertionError(f"{node!r}[{low}:{high}] does not reach stage {stage}")


def _state_owns(graph: Graph, plan: Schedule) -> dict[int, tuple[tuple[int, int, Node, int], ...]]:
    """Bits of nodes that states store anyway: node index to (low, high, state, offset in the state)."""
    held: dict[int, list[tuple[int, int, Node, int]]] = {}
    for state, value in graph.states.items():
        offset = 0
        for source, low, high in sources(value):
            if source.op != "const" and plan.stage[source.index] == plan.stage[state.index]:
                held.setdefault(source.index, []).append((low, high, state, offset))
            offset += high - low
    return {index: tuple(sorted(runs, key=lambda run: run[:2])) for index, runs in held.items()}


def build(
    graph: Graph,
    *,
    stages: int | None = None,
    period: float | None = None,
    boundary: BoundaryRegisters = BoundaryRegisters.NONE,
    reserved: Sequence[str] = (),
) -> Pipeline:
    """Schedule a graph and place its registers.

    Parameters
    ----------
    graph : Graph
    stages : int, optional
    period : float, optional
        ps; one of the two.
    boundary : BoundaryRegisters
        Registers at the inputs and outputs; they are among the stages.
    reserved : sequence of str
        Pins of the unit; no step takes their names.

    Raises
    ------
    UsageError
        When there are not that many stages, or no schedule meets the period.
    """
    return _with_registers(graph, schedule(graph, stages=stages, period=period, boundary=boundary), reserved)


def unscheduled(graph: Graph, *, reserved: Sequence[str] = ()) -> Pipeline:
    """All of a graph in stage 0, for a writer of something without clocks; a state is read there before it is loaded.

    Parameters
    ----------
    graph : Graph
    reserved : sequence of str
        Names that no step may take, besides those of the pins.
    """
    stage = {node.index: 0 for node in graph.live() if node.op != "const" and not is_wiring(node)}
    return _with_registers(graph, Schedule(stage, 0, 0.0), reserved)


def _with_registers(graph: Graph, plan: Schedule, reserved: Sequence[str]) -> Pipeline:
    graph, placed = pack(graph, plan.stage)
    plan = Schedule(placed, plan.stages, plan.period)
    beside = (f"{word}_s{k}" for word in ("valid", "ready") for k in range(1, plan.stages + 1))
    names = Names(graph, (*reserved, *RESERVED_PINS, *beside, *graph.outputs))
    for state in graph.states:
        names.of(state)  # registers are known by name when two texts of the unit are compared
    held = _state_owns(graph, plan)
    ranks: list[list[Register]] = [[] for _ in range(plan.stages)]
    for node, uses in _uses(graph, plan).items():
        made = plan.stage[node.index]
        for rank in range(made + 1, max(uses) + 1):
            mask = 0
            for stage, bits in uses.items():
                if stage >= rank:
                    mask |= bits
            if rank == made + 1:
                # A state stores these bits; a later rank takes them from it.
                for low, high, _, _ in held.get(node.index, ()):
                    mask &= ~(((1 << (high - low)) - 1) << low)
            ranks[rank - 1] += _registers(names, node, rank, mask)
    return Pipeline(graph, plan, tuple(tuple(rank) for rank in ranks), names, held)


def _uses(graph: Graph, plan: Schedule) -> dict[Node, dict[int, int]]:
    """For every node that crosses a rank: the stages after its own that read it, with the bits they read."""
    uses: dict[Node, dict[int, int]] = {}
    for reader, arg in readers(graph):
        if isinstance(reader, str):
            stage = plan.stages
        else:
            stage = plan.stage[reader.index]
        for source, low, high in sources(arg):
            if source.op != "const" and stage > plan.stage[source.index]:
                bits = ((1 << (high - low)) - 1) << low
                entry = uses.setdefault(source, {})
                entry[stage] = entry.get(stage, 0) | bits
    return dict(sorted(uses.items(), key=lambda item: item[0].index))


def _registers(names: Names, node: Node, rank: int, mask: int) -> list[Register]:
    """A register for every run of bits; what is not the only run, or a single bit of several, says which."""
    runs = mask_runs(mask)
    found = []
    for low, high in runs:
        if high == low + 1 and node.width > 1:
            place = f"_{low}"
        else:
            place = f"_{high - 1}_{low}" if len(runs) > 1 else ""
        found.append(Register(names.fresh(f"{names.of(node)}{place}_s{rank}"), node, low, high, rank))
    return found


def mask_runs(mask: int) -> list[tuple[int, int]]:
    """The runs of ones of a mask, as (low, high), lowest first."""
    runs, low = [], 0
    while mask >> low:
        if mask >> low & 1:
            high = low + 1
            while mask >> high & 1:
                high += 1
            runs.append((low, high))
            low = high
        else:
            low += 1
    return runs
