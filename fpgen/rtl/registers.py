"""Among the schedules that meet a period: one with the fewest register bits.

With x(v, k) = 1 when step v is in stage k or later, the bits that rank k
holds for a net of width w are ``w * (max over readers of x(reader, k) - x(driver, k))``,
and every rule of a schedule says that some x is at least another. So the
minimum is a minimum cut. The rules "a path longer than the period spans two stages"
are too many to list: the cut is found without them, the paths that it leaves too long are
added, and again, until none is left. The cut nearest the source is unique,
so the result does not depend on how the flow was found.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from .delays import CLOCK_TO_Q
from .schedule import alap, arrivals, asap, end
from .steps import Steps

#: Rounds of adding paths before the as-soon-as-possible schedule is taken instead.
MOST_ROUNDS = 60
_INFINITE = 1 << 26
_ONE, _ZERO = 0, 1  # source: x = 1; sink: x = 0


def place(steps: Steps, stages: int, period: float) -> list[int]:
    """Stage of every step.

    Parameters
    ----------
    steps : Steps
    stages : int
        Ranks, at least 1; feasible with `period`.
    period : float
        ps.
    """
    earliest, latest = asap(steps, period, stages), alap(steps, period, stages)
    assert earliest is not None
    if latest is None:
        return earliest
    latest = [max(low, high) for low, high in zip(earliest, latest, strict=True)]
    paths = _Paths(steps, period, stages)
    cut = _Cut(steps, stages, earliest, latest)
    for _ in range(MOST_ROUNDS):
        stage = cut.solve()
        if stage is None:
            return earliest
        late = paths.too_long(stage)
        if not late:
            return stage
        cut.separate(late)
    return earliest


class _Paths:
    """What a schedule must not keep in one stage."""

    def __init__(self, steps: Steps, period: float, stages: int) -> None:
        self.steps, self.period, self.stages = steps, period, stages
        self.at_once, _ = arrivals(steps, [0] * len(steps.nodes))

    def too_long(self, stage: list[int]) -> list[tuple[int, int, list[int]]]:
        """Paths that are too long in a schedule: first step, last step, the stages that cannot hold both."""
        arrival, cause = arrivals(self.steps, stage)
        late = [when > end(self.steps, self.period, at, self.stages) for when, at in zip(arrival, stage, strict=True)]
        found = []
        for last, why in enumerate(cause):
            if not late[last] or (why >= 0 and late[why] and cause[why] >= 0):
                continue  # where its predecessor is too late already, that one is reported
            # Back along the path, only as far as needed.
            first, length = last, 0.0
            while cause[first] >= 0 and not self._exceeds(first, length, stage[last]):
                before = cause[first]
                length += next(time for j, time in self.steps.preds[first] if j == before)
                first = before
            found.append((first, last, [k for k in range(self.stages + 1) if self._exceeds(first, length, k)]))
        return found

    def _exceeds(self, first: int, length: float, stage: int) -> bool:
        """Whether a path of `length` after `first` is too long in `stage`, everything before it being early."""
        if stage == 0:
            start = self.at_once[first]
        else:
            start = CLOCK_TO_Q + max((time for _, time in self.steps.preds[first]), default=0.0)
        return start + length > end(self.steps, self.period, stage, self.stages)


class _Cut:
    """The minimum cut: variables x(step, rank) that the windows leave open, and the rules between them."""

    def __init__(self, steps: Steps, stages: int, earliest: list[int], latest: list[int]) -> None:
        self.steps, self.stages = steps, stages
        self.earliest, self.latest = earliest, latest
        # Steps of a loop share their variables.
        self.same = list(range(len(steps.nodes)))
        for loop in steps.loops:
            for i in loop:
                self.same[i] = loop[0]
            low, high = max(earliest[i] for i in loop), min(latest[i] for i in loop)
            for i in loop:
                earliest[i], latest[i] = low, max(low, high)
        self.variables: dict[tuple[int, int], int] = {}
        for i in range(len(steps.nodes)):
            if self.same[i] == i:
                for k in range(earliest[i] + 1, latest[i] + 1):
                    self.variables[i, k] = len(self.variables) + 2
        self.count = len(self.variables) + 2
        self.implied: set[tuple[int, int]] = set()
        self.costs: dict[tuple[int, int], int] = {}
        self._rules()
        self._nets()

    def x(self, i: int, k: int) -> int:
        """The variable "step i is in stage k or later", or the constant that it is."""
        i = self.same[i]
        if k <= self.earliest[i]:
            return _ONE
        if k > self.latest[i]:
            return _ZERO
        return self.variables[i, k]

    def _imply(self, one: int, other: int) -> None:
        """If `one` is 1, so is `other`."""
        if one != other and one != _ZERO and other != _ONE:
            self.implied.add((one, other))

    def _rules(self) -> None:
        for i, k in self.variables:
            self._imply(self.x(i, k + 1), self.x(i, k))
        for i, edges in enumerate(self.steps.preds):
            for j, _ in edges:
                for k in range(self.earliest[i] + 1, self.latest[j] + 1):
                    self._imply(self.x(j, k), self.x(i, k))

    def _nets(self) -> None:
        for net in self.steps.nets:
            late = self.stages if net.to_output else max(self.latest[i] for i in net.readers)
            for k in range(self.earliest[net.driver] + 1, late + 1):
                driver = self.x(net.driver, k - 1 if net.held else k)
                if driver == _ONE:
                    continue
                readers = {self.x(i, k) for i in net.readers} - {_ZERO}
                if net.to_output or _ONE in readers:
                    end_of_use = _ONE
                elif not readers:
                    continue
                elif len(readers) == 1:
                    end_of_use = readers.pop()
                else:
                    end_of_use = self.count
                    self.count += 1
                    for reader in readers:
                        self._imply(reader, end_of_use)
                if end_of_use != driver:
                    key = (end_of_use, driver)
                    self.costs[key] = self.costs.get(key, 0) + net.width

    def separate(self, paths: list[tuple[int, int, list[int]]]) -> None:
        """Forbid the first and the last step of a path to share any of the stages given."""
        for first, last, stages in paths:
            for k in stages:
                self._imply(self.x(first, k), self.x(last, k + 1))

    def solve(self) -> list[int] | None:
        """The stage of every step, or None when the rules contradict each other."""
        edges = dict(self.costs)
        for edge in self.implied:
            edges[edge] = _INFINITE
        if not edges:
            return self._stages(np.zeros(self.count, dtype=bool))
        ordered = sorted(edges.items())
        rows = np.array([edge[0] for edge, _ in ordered])
        columns = np.array([edge[1] for edge, _ in ordered])
        capacity = np.array([limit for _, limit in ordered], dtype=np.int32)
        matrix = csr_matrix(coo_matrix((capacity, (rows, columns)), shape=(self.count, self.count)))
        result = maximum_flow(matrix, _ONE, _ZERO)
        if result.flow_value >= _INFINITE:
            return None
        residual = matrix - result.flow
        residual.data = (residual.data > 0).astype(np.int32)
        residual.eliminate_zeros()
        reachable = np.zeros(self.count, dtype=bool)
        reachable[breadth_first_order(residual, _ONE, return_predecessors=False)] = True
        return self._stages(reachable)

    def _stages(self, ones: np.ndarray) -> list[int]:
        stage = [self.earliest[self.same[i]] for i in range(len(self.steps.nodes))]
        for (i, k), variable in self.variables.items():
            if ones[variable]:
                stage[i] = max(stage[i], k)
        return [stage[self.same[i]] for i in range(len(stage))]
