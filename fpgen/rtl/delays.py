"""How long each step of a datapath takes: the scheduler's estimates, in ps.

They stand for a 45 nm class standard-cell technology at typical conditions,
synthesised for speed. The scheduler needs only proportions to balance stages,
and a scale to relate `period` to; the figures that count come from
`fpgen.ppa`, which times the mapped netlist.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2

from .graph import WIRING, Node

#: A register's own delay: clock to output, and set-up before the next edge; each with its half of what a stage takes
#: besides the gates on its longest path.
CLOCK_TO_Q = 145.0
SETUP = 85.0

# Less than the cells' own delays: the synthesiser merges neighbours into complex gates and shortens what is late.
_INVERTER = 2.5
_GATE = {"and": 8.5, "or": 17.0, "xor": 31.0, "not": _INVERTER}
#: From the data of a choice; from its select, which drives every bit through a tree of buffers.
_MUX_DATA = 21.5
_MUX_SELECT = 13.0
_SELECT_LEVEL = 26.5
#: One level of an and/or tree, two-input equivalent.
_TREE_LEVEL = 7.0
_PARITY_LEVEL = 29.0
#: A parallel-prefix carry network: propagate/generate and sum, and one prefix level.
_ADD_ENDS = 19.0
_ADD_LEVEL = 28.0
#: A multiplier besides its final adder: partial products, and one 3:2 level.
_MUL_START = 55.0
_MUL_LEVEL = 50.0
#: Driving several loads: a buffer level per factor of four.
_FANOUT_LEVEL = 9.5


def _levels(width: float) -> float:
    return log2(width) if width > 1 else 0.0


def delay(node: Node, loads: int = 1) -> float:
    """Estimated delay of one node from its slowest argument to its output; otherwise as `delay_from`."""
    return max(delay_from(node, position, loads) for position in range(max(1, len(node.args))))


def delay_from(node: Node, position: int, loads: int = 1) -> float:
    """Estimated delay of one node from one of its arguments to its output.

    Parameters
    ----------
    node : Node
    position : int
        Which argument; a choice is slower from its select (0).
    loads : int
        Gate inputs driven by each bit (the most loaded bit).

    Returns
    -------
    float
        ps; 0 for wiring, inputs and states.
    """
    op = node.op
    if op in WIRING or op == "state":
        return 0.0
    width = node.args[0].width
    if op in _GATE:
        own = _GATE[op]
    elif op == "mux":
        own = _MUX_DATA if position else _MUX_SELECT + _SELECT_LEVEL * _levels(node.width) / 2
    elif op in ("any", "all"):
        own = _TREE_LEVEL * _levels(width)
    elif op == "parity":
        own = _PARITY_LEVEL * _levels(width)
    elif op in ("add", "sub"):
        own = _ADD_ENDS + _ADD_LEVEL * _levels(_carry_span(node))
    elif op == "eq":
        own = _GATE["xor"] + _TREE_LEVEL * _levels(width)
    elif op == "ult":
        own = _GATE["xor"] + _ADD_LEVEL * _levels(width)
    elif op == "mul":
        rows = min(_own_width(arg) for arg in node.args)
        own = _MUL_START + _MUL_LEVEL * _levels(max(rows / 2, 1)) * 1.2 + _ADD_ENDS + _ADD_LEVEL * _levels(node.width)
    else:
        raise ValueError(f"unknown operation {op}")
    return own + _FANOUT_LEVEL * _levels(max(loads, 1)) / 2


def _carry_span(node: Node) -> int:
    """Bits over which a carry can run: a constant's trailing zeros generate none."""
    for arg in node.args[:2]:
        if arg.op == "const" and arg.value and len(node.args) == 2:
            value: int = arg.value
            return node.width - ((value & -value).bit_length() - 1)
    return node.width


def _own_width(factor: Node) -> int:
    """Bits of a factor besides its sign extension."""
    if factor.op != "cat":
        return factor.width
    ends = factor.args[-1]
    return factor.width - sum(part.width for part in factor.args[1:] if part is ends)


def loads_of(nodes: list[Node]) -> Mapping[int, int]:
    """Gate inputs that each node drives (per bit, roughly), through the wiring, by node index."""
    drives: dict[int, int] = {}
    for node in reversed(nodes):
        through = drives.get(node.index, 0) if node.op in ("slice", "cat") else 1
        for arg in node.args:
            drives[arg.index] = drives.get(arg.index, 0) + through
    return drives
