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

#: A register's own delay: clock to output, and set-up before the next edge.
CLOCK_TO_Q = 95.0
SETUP = 45.0

# Less than the cells' own delays: the synthesiser merges neighbours into complex gates and shortens what is late.
_INVERTER = 6.0
_GATE = {"and": 18.0, "or": 19.0, "xor": 31.0, "not": _INVERTER}
_MUX = 30.0
#: One level of an and/or tree, two-input equivalent.
_TREE_LEVEL = 15.0
_PARITY_LEVEL = 29.0
#: A parallel-prefix carry network: propagate/generate and sum, and one prefix level.
_ADD_ENDS = 52.0
_ADD_LEVEL = 21.0
#: A multiplier besides its final adder: partial products, and one 3:2 level.
_MUL_START = 55.0
_MUL_LEVEL = 50.0
#: Driving several loads: a buffer level per factor of four.
_FANOUT_LEVEL = 12.0


def _levels(width: float) -> float:
    return log2(width) if width > 1 else 0.0


def delay(node: Node, loads: int = 1) -> float:
    """Estimated delay of one node from its arguments to its output.

    Parameters
    ----------
    node : Node
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
        own = _MUX + _FANOUT_LEVEL * _levels(node.width) / 2  # the select drives every bit
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
            return node.width - ((arg.value & -arg.value).bit_length() - 1)
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
