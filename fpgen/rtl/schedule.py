"""Which stage every step stands in: for a number of stages, or for a clock period.

A schedule gives each node a stage s(v) with s(v) >= s(u) for every argument u
and no path within one stage longer than the period. Inputs stand in stage 0,
outputs are read in stage N. A state, its next value and everything between
stand in one stage.

For ``stages=N`` the smallest feasible period is found by bisection over an
as-soon-as-possible schedule; `registers.place` then takes, among the schedules
that meet it, one with the fewest register bits.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError
from .delays import CLOCK_TO_Q, SETUP, delay, loads_of
from .graph import Graph, Node

#: The bisection ends when the period is known to this fraction.
PRECISION = 0.002
#: Slack given back to the placement of registers, as a fraction of the smallest period.
SLACK = 0.01


@dataclass(frozen=True, eq=False)
class Schedule:
    """Stage of every live node (by index), the number of ranks, and the estimated period in ps."""

    stage: dict[int, int]
    stages: int
    period: float


class Timing:
    """The live nodes of a graph with their delays and loops, ready for scheduling.

    Attributes
    ----------
    nodes : list of Node
        Live, arguments first.
    delays : dict of int to float
        By node index, in ps.
    groups : list of list of int
        Indices of nodes that must share a stage: one list per loop.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self.nodes = graph.live()
        loads = loads_of(self.nodes)
        self.delays = {node.index: delay(node, loads.get(node.index, 1)) for node in self.nodes}
        self.readers: dict[int, list[Node]] = {node.index: [] for node in self.nodes}
        for node in self.nodes:
            for arg in node.args:
                self.readers[arg.index].append(node)
        self.groups = _loops(graph, self.nodes)
        self.group_of = {index: k for k, group in enumerate(self.groups) for index in group}
        self.slowest = max(self.delays.values(), default=0.0)

    def start(self, stage: int, node: Node) -> float:
        """When values are there at the beginning of a stage: inputs at once, registers after the clock."""
        return CLOCK_TO_Q if stage or node.op == "state" else 0.0

    def asap(self, period: float, limit: int) -> dict[int, int] | None:
        """The earliest stage of every node, or None when some node would come after stage `limit`."""
        floor = [0] * len(self.groups)
        while True:
            stage: dict[int, int] = {}
            arrival: dict[int, float] = {}
            late = False
            for node in self.nodes:
                index = node.index
                group = self.group_of.get(index)
                at = floor[group] if group is not None else 0
                for arg in node.args:
                    at = max(at, stage[arg.index])
                when = self.start(at, node)
                for arg in node.args:
                    if stage[arg.index] == at:
                        when = max(when, arrival[arg.index])
                own = self.delays[index]
                # The last stage ends at a pin: no set-up time there.
                if own and when + own > self.end(period, at, limit):
                    at, when = at + 1, CLOCK_TO_Q
                    if when + own > self.end(period, at, limit):
                        return None
                if at > (limit if group is None else limit - 1):
                    return None
                if group is not None and at > floor[group]:
                    floor[group] = at
                    late = True
                stage[index], arrival[index] = at, when + own
            if not late:
                return stage

    def alap(self, period: float, limit: int) -> dict[int, int] | None:
        """The latest stage of every node that still lets all outputs be ready in stage `limit`."""
        ceiling = [limit - 1] * len(self.groups)  # a state is itself the rank at the end of its stage
        while True:
            stage: dict[int, int] = {}
            needed: dict[int, float] = {}  # the latest moment, within its stage, at which the node must be done
            late = False
            for node in reversed(self.nodes):
                index = node.index
                group = self.group_of.get(index)
                at = ceiling[group] if group is not None else limit
                for reader in self.readers[index]:
                    at = min(at, stage[reader.index])
                if node.op in ("input", "const"):
                    stage[index] = 0
                    continue
                by = self.end(period, at, limit)
                for reader in self.readers[index]:
                    if stage[reader.index] == at:
                        by = min(by, needed[reader.index] - self.delays[reader.index])
                own = self.delays[index]
                if own and by - own < self.start(at, node):
                    at -= 1
                    by = self.end(period, at, limit)
                    if at < 0 or by - own < self.start(at, node):
                        return None
                if at < 0:
                    return None
                if group is not None and at < ceiling[group]:
                    ceiling[group] = at
                    late = True
                stage[index], needed[index] = at, by
            if not late:
                return stage

    def end(self, period: float, stage: int, limit: int) -> float:
        """When everything in a stage must be done."""
        return period if stage == limit else period - SETUP

    def longest(self) -> int:
        """The most steps (nodes that take time) on any path."""
        depth: dict[int, int] = {}
        for node in self.nodes:
            depth[node.index] = max((depth[arg.index] for arg in node.args), default=0) + (
                self.delays[node.index] > 0)
        return max(depth.values(), default=0)

    def total(self) -> float:
        """The delay of the longest path, in ps."""
        arrival: dict[int, float] = {}
        for node in self.nodes:
            arrival[node.index] = max((arrival[arg.index] for arg in node.args), default=0.0) + self.delays[node.index]
        return max(arrival.values(), default=0.0)

    def reached(self, stage: dict[int, int], limit: int) -> float:
        """The period that a schedule needs, in ps."""
        arrival: dict[int, float] = {}
        worst = 0.0
        for node in self.nodes:
            at = stage[node.index]
            when = self.start(at, node)
            for arg in node.args:
                if stage[arg.index] == at:
                    when = max(when, arrival[arg.index])
            arrival[node.index] = when + self.delays[node.index]
            worst = max(worst, arrival[node.index] + (0.0 if at == limit else SETUP))
        return worst


def _loops(graph: Graph, nodes: list[Node]) -> list[list[int]]:
    """Sets of nodes that must share a stage: each state with its next value and all that lies between."""
    merged: list[set[int]] = []
    for state, value in graph.states.items():
        after = {state.index}
        for node in nodes:
            if any(arg.index in after for arg in node.args):
                after.add(node.index)
        before = {value.index}
        for node in reversed(nodes):
            if node.index in before:
                before.update(arg.index for arg in node.args)
        group = (after & before) | {state.index}
        if value.op not in ("input", "const"):
            group.add(value.index)
        for other in [other for other in merged if other & group]:
            merged.remove(other)
            group |= other
        merged.append(group)
    return [sorted(group) for group in merged]


def smallest_period(timing: Timing, stages: int) -> float:
    """The shortest period for which `stages` ranks suffice, to within `PRECISION`."""
    low, high = 0.0, timing.total() + CLOCK_TO_Q + SETUP
    while timing.asap(high, stages) is None:  # a loop that starts late
        low, high = high, high * 2
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        if timing.asap(middle, stages) is None:
            low = middle
        else:
            high = middle
    return high


def schedule(graph: Graph, *, stages: int | None = None, period: float | None = None) -> Schedule:
    """Give every live node a stage.

    Parameters
    ----------
    graph : Graph
    stages : int, optional
        Ranks of registers; the period becomes as small as it can.
    period : float, optional
        ps; the ranks become as few as possible. Give one of the two.

    Raises
    ------
    UsageError
        When there are fewer steps than stages, or a step (or loop) that takes longer than the period.
    """
    timing = Timing(graph)
    if stages == 0 and not graph.states:
        return Schedule({node.index: 0 for node in timing.nodes}, 0, timing.total())
    if stages is not None:
        least, most = (1 if graph.states else 0), max(1, timing.longest())
        if not least <= stages <= most:
            raise UsageError(f"stages={stages}; this unit has {most} steps one after the other: "
                             f"{least} to {most} are allowed")
        target = smallest_period(timing, stages) * (1 + SLACK)
    else:
        assert period is not None
        stages, target = _fewest_stages(timing, period), period
    from .registers import place

    placed = place(timing, stages, target)
    return Schedule(placed, stages, timing.reached(placed, stages))


def _fewest_stages(timing: Timing, period: float) -> int:
    most = max(1, timing.longest())
    least = 1 if timing.graph.states else 0
    for stages in range(least, most + 1):
        if stages == 0:
            if timing.total() <= period:
                return 0
        elif timing.asap(period, stages) is not None:
            return stages
    possible = smallest_period(timing, most)
    raise UsageError(f"period={period:g} ps; the smallest possible for this unit is {possible:.0f} ps "
                     f"(estimated, with {most} stages)")
