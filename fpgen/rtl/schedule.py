"""Which stage every step is in: for a number of stages, or for a clock period.

A schedule gives each step a stage s with s(v) >= s(u) for every u that v
reads, and no path within one stage longer than the period. Inputs are in
stage 0, outputs are read in stage N. A state, its next value and everything
between are in one stage, and the state is itself the rank at its end.

For ``stages=N`` the smallest feasible period is found by bisection over an
as-soon-as-possible schedule; `registers.place` then takes, among the schedules
that meet it, one with the fewest register bits.
"""

from __future__ import annotations

from dataclasses import dataclass

from fpgen.base.errors import UsageError
from fpgen.units.register_options import BoundaryRegisters

from .delays import CLOCK_TO_Q, SETUP
from .graph import Graph
from .steps import Steps

#: The bisection ends when the period is known to this fraction.
PRECISION = 0.002
#: Slack given back to the placement of registers, as a fraction of the smallest period.
SLACK = 0.03


@dataclass(frozen=True, eq=False)
class Schedule:
    """Stage of every node that is not wiring or a constant (by index), ranks, and the estimated period in ps."""

    stage: dict[int, int]
    stages: int
    period: float


def schedule(
    graph: Graph,
    *,
    stages: int | None = None,
    period: float | None = None,
    boundary: BoundaryRegisters = BoundaryRegisters.NONE,
) -> Schedule:
    """Give every node a stage.

    Parameters
    ----------
    graph : Graph
    stages : int, optional
        Ranks of registers; the period becomes as small as it can.
    period : float, optional
        ps; the ranks become as few as possible. Give one of the two.
    boundary : BoundaryRegisters
        Ranks with nothing before them (at the inputs) or after them (at the outputs), among the stages.

    Raises
    ------
    UsageError
        When there are fewer steps than stages, or a step (or loop) that takes longer than the period.
    """
    steps = Steps(graph, boundary)
    if stages is not None:
        least, most = (1 if graph.states else 0), max(1, longest(graph))
        stages -= boundary.ranks
        if not least <= stages <= most:
            around = f" and registers={boundary.value}" if boundary.ranks else ""
            raise UsageError(
                f"stages: got {stages + boundary.ranks}; expected {least + boundary.ranks} to {most + boundary.ranks}, "
                f"since this unit has {most} step{'s' if most > 1 else ''} in sequence{around}"
            )
        target = smallest_period(steps, stages) * (1 + SLACK) if stages else 0.0
    elif period is not None:
        stages, target = _fewest_stages(steps, period, max(1, longest(graph))), period
    else:
        raise UsageError("got neither stages nor period; expected one of them")
    if stages:
        from .registers import place  # brings in scipy, which combinational units do not need

        found = place(steps, stages, target)
    else:
        found = [0] * len(steps.nodes)
    first = int(boundary.at_inputs)
    stage = {index: found[i] + (0 if steps.is_input[i] else first) for index, i in steps.head.items()}
    return Schedule(stage, stages + boundary.ranks, reached(steps, found, stages))


def longest(graph: Graph) -> int:
    """The most operations one after the other."""
    depth: dict[int, int] = {}
    for node in graph.live():
        depth[node.index] = max((depth[arg.index] for arg in node.args), default=0) + (
            node.op not in ("input", "state", "const", "slice", "cat", "not")
        )
    return max(depth.values(), default=0)


def end(steps: Steps, period: float, stage: int, limit: int) -> float:
    """When everything in a stage must be done: before the next edge, or at the pins after the last rank."""
    return period if stage == limit and not steps.boundary.at_outputs else period - SETUP


def _begin(steps: Steps, i: int, stage: int) -> float:
    """When a step without arguments is there."""
    return CLOCK_TO_Q if stage or steps.is_state[i] or steps.boundary.at_inputs else 0.0


def asap(steps: Steps, period: float, limit: int) -> list[int] | None:
    """The earliest stage of every step, or None when some step would come after stage `limit`."""
    floor = [0] * len(steps.loops)
    loop_of = steps.loop_of
    while True:
        stage = [0] * len(steps.nodes)
        arrival = [0.0] * len(steps.nodes)
        moved = False
        for i, edges in enumerate(steps.preds):
            loop = loop_of.get(i)
            at = 0 if loop is None else floor[loop]
            for j, _ in edges:
                if stage[j] > at:
                    at = stage[j]
            when = _begin(steps, i, at)
            for j, time in edges:
                when = max(when, (arrival[j] if stage[j] == at else CLOCK_TO_Q) + time)
            if edges and when > end(steps, period, at, limit):
                at += 1
                when = CLOCK_TO_Q + max(time for _, time in edges)
                if when > end(steps, period, at, limit):
                    return None
            if at > (limit if loop is None else limit - 1):
                return None
            if loop is not None and at > floor[loop]:
                floor[loop] = at
                moved = True
            stage[i], arrival[i] = at, when
        if not moved:
            return stage


def alap(steps: Steps, period: float, limit: int) -> list[int] | None:
    """The latest stage of every step that still lets all outputs be ready in stage `limit`."""
    ceiling = [limit - 1] * len(steps.loops)
    while True:
        stage = [limit] * len(steps.nodes)
        needed = [0.0] * len(steps.nodes)  # the latest moment, within its stage, at which a step must be done
        moved = False
        for i in range(len(steps.nodes) - 1, -1, -1):
            if steps.is_input[i]:
                stage[i] = 0
                continue
            loop = steps.loop_of.get(i)
            at = limit if loop is None else ceiling[loop]
            for j, _ in steps.succs[i]:
                at = min(at, stage[j])
            by = end(steps, period, at, limit)
            for j, time in steps.succs[i]:
                if stage[j] == at:
                    by = min(by, needed[j] - time)
            own = max((time for _, time in steps.preds[i]), default=0.0)
            # Even from registers it would come too late, so this stage is too late.
            if by < _begin(steps, i, at) + own:
                at -= 1
                by = end(steps, period, at, limit)
            if at < 0:
                return None
            if loop is not None and at < ceiling[loop]:
                ceiling[loop] = at
                moved = True
            stage[i], needed[i] = at, by
        if not moved:
            return stage


def arrivals(steps: Steps, stage: list[int]) -> tuple[list[float], list[int]]:
    """When every step is done within its stage, and the step in the same stage that made it wait (-1: none)."""
    arrival = [0.0] * len(steps.nodes)
    cause = [-1] * len(steps.nodes)
    for i, edges in enumerate(steps.preds):
        at = stage[i]
        when, why = _begin(steps, i, at), -1
        for j, time in edges:
            same = stage[j] == at
            then = (arrival[j] if same else CLOCK_TO_Q) + time
            if then > when:
                when, why = then, j if same else -1
        arrival[i], cause[i] = when, why
    return arrival, cause


def reached(steps: Steps, stage: list[int], limit: int) -> float:
    """The period that a schedule needs, in ps."""
    arrival, _ = arrivals(steps, stage)
    return max((when - end(steps, 0.0, at, limit) for when, at in zip(arrival, stage, strict=True)), default=0.0)


def smallest_period(steps: Steps, stages: int) -> float:
    """The shortest period for which `stages` ranks suffice, to within `PRECISION`."""
    low = CLOCK_TO_Q + SETUP
    if asap(steps, low, stages) is not None:
        return low
    high = low + reached(steps, [0] * len(steps.nodes), 1)
    while asap(steps, high, stages) is None:
        low, high = high, high * 2
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        if asap(steps, middle, stages) is None:
            low = middle
        else:
            high = middle
    return high


def _fewest_stages(steps: Steps, period: float, most: int) -> int:
    if not steps.loops and reached(steps, [0] * len(steps.nodes), 0) <= period:
        return 0
    for stages in range(1, most + 1):
        if asap(steps, period, stages) is not None:
            return stages
    raise UsageError(
        f"period: got {period:g}; expected at least "
        f"{smallest_period(steps, most):.0f} ps, the smallest possible for this unit (estimated, with {most} stages)"
    )
