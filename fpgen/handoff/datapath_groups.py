"""What a pipeline does in which stage: operations by the heading under which they were built, and the bits between."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fpgen.rtl.graph import Node
from fpgen.rtl.pipeline import Pipeline
from fpgen.rtl.wiring import is_wiring, readers, sources

#: Operations of a graph by what a reader calls them.
_KINDS = {
    "mul": "multiply", "add": "add", "sub": "add", "eq": "compare", "ult": "compare", "mux": "select",
}  # fmt: skip
_LOGIC = "logic"
_NO_HEADING = "Other"


@dataclass(frozen=True)
class DatapathGroup:
    """The operations under one heading in one stage, or a register of the operation itself (an accumulator).

    Attributes
    ----------
    title : str
    stage : int
    kinds : tuple of (str, int)
        What they are, and how many of each; empty for a register.
    width : int
        Bits of the register; else 0.
    """

    title: str
    stage: int
    kinds: tuple[tuple[str, int], ...]
    width: int = 0

    @property
    def operations(self) -> int:
        return sum(count for _, count in self.kinds)


@dataclass(frozen=True)
class Flow:
    """Groups, and how many bits go from one to another.

    Attributes
    ----------
    groups : tuple of DatapathGroup
        In the order in which they were built.
    within : dict of (DatapathGroup, DatapathGroup) to int
        Bits that a group reads of another in the same stage.
    reads, writes : dict of DatapathGroup to int
        Bits that come from the pins or registers before its stage, and go to those after it.
    """

    groups: tuple[DatapathGroup, ...]
    within: dict[tuple[DatapathGroup, DatapathGroup], int]
    reads: dict[DatapathGroup, int]
    writes: dict[DatapathGroup, int]


def flow_of(pipeline: Pipeline) -> Flow:
    """The groups of a pipeline."""
    members: dict[tuple[int, str, bool], list[Node]] = {}
    for node in pipeline.graph.live():
        if node.op not in ("input", "const") and not is_wiring(node):
            held = node.op == "state"
            title = str(node.value) if held else node.section or _NO_HEADING
            members.setdefault((pipeline.stage_of(node), title, held), []).append(node)
    group_of: dict[int, DatapathGroup] = {}
    for (stage, title, held), nodes in members.items():
        kinds = Counter(_KINDS.get(node.op, _LOGIC) for node in nodes)
        width = sum(node.width for node in nodes) if held else 0
        group = DatapathGroup(title, stage, () if held else tuple(sorted(kinds.items())), width)
        group_of.update({node.index: group for node in nodes})
    return Flow(tuple(dict.fromkeys(group_of.values())), *_edges(pipeline, group_of))


def _edges(
    pipeline: Pipeline, group_of: dict[int, DatapathGroup]
) -> tuple[dict[tuple[DatapathGroup, DatapathGroup], int], dict[DatapathGroup, int], dict[DatapathGroup, int]]:
    masks: dict[tuple[str, DatapathGroup, DatapathGroup | None, int], int] = {}

    def note(kind: str, group: DatapathGroup, other: DatapathGroup | None, source: Node, low: int, high: int) -> None:
        key = kind, group, other, source.index
        masks[key] = masks.get(key, 0) | ((1 << (high - low)) - 1) << low

    for reader, arg in readers(pipeline.graph):
        target = None if isinstance(reader, str) else group_of[reader.index]
        stage = pipeline.stages if target is None else target.stage
        for source, low, high in sources(arg):
            if source.op == "const":
                continue
            before = group_of.get(source.index)
            if target is not None and target.width:  # the next value of a state, which is a register at the stage's end
                if before is not None:
                    note("writes", before, None, source, low, high)
            elif before is None or pipeline.stage_of(source) < stage:
                if target is not None:
                    note("reads", target, None, source, low, high)
                if before is not None:
                    note("writes", before, None, source, low, high)
            elif target is None:
                note("writes", before, None, source, low, high)
            elif before != target:
                note("within", before, target, source, low, high)
    within: dict[tuple[DatapathGroup, DatapathGroup], int] = {}
    reads: dict[DatapathGroup, int] = {}
    writes: dict[DatapathGroup, int] = {}
    for (kind, group, other, _), mask in masks.items():
        if other is not None:
            within[group, other] = within.get((group, other), 0) + mask.bit_count()
        else:
            table = reads if kind == "reads" else writes
            table[group] = table.get(group, 0) + mask.bit_count()
    return within, reads, writes
