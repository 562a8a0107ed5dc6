"""Inputs for the hardware of a unit, and its comparison with the golden model.

The hardware is the dataflow graph, trimmed as the pipeline gets it, evaluated by numpy: whole 8-bit x
8-bit spaces in well under a second. That the Verilog equals the graph is tested elsewhere.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np
from golden_cases import draw_controls, draw_operands, draw_options

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import CATALOGUE, Format
from fpgen.rtl.datapath import datapath
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.graph import Graph, Node
from fpgen.rtl.trim import trim
from fpgen.units import Overflow, Unit
from fpgen.units.architecture import DEFAULT, Architecture

#: Vectors evaluated at a time: the arrays of a chunk stay in the cache.
CHUNK = 1 << 15

#: Catalogue formats of at most 8 bits, by name.
SMALL = [name for name, entry in CATALOGUE.items() if entry.format.bits <= 8]

#: Formats from which mixed units are drawn: famous ones, and the ends of every parameter.
MIXED = [
    *SMALL,
    "fp16",
    "bf16",
    "fp32",
    "tf32",
    "fp24",
    "e1m1:inf=none,nan=none",
    "e1m1",
    "e1m3",
    "e1m6",
    "e2m0",
    "e2m0:nan=allones",
    "e2m0:inf=top,nan=negzero",
    "e3m0",
    "ue1m1:inf=none,nan=none",
    "ue2m0:inf=none,nan=allones",
    "ue3m2",
    "ue3m0:zero=no,subnormals=no",
    "ue1m3:zero=no,subnormals=no,inf=none,nan=none",
    "ue2m0:zero=no,subnormals=no,inf=none,nan=none",
    "ue4m2:zero=no,subnormals=no,inf=none,nan=none",
    "ue5m2:inf=top,nan=none",
    "e5m0:bias=3",
    "e5m0:bias=-7",
    "e2m3:bias=5",
    "e3m4:bias=40",
    "e6m9:bias=7",
    "e6m9:bias=-30",
    "e5m3:subnormals=no",
    "e4m3:subnormals=no,bias=20",
    "e5m10:inf=none,nan=negzero",
    "e2m13",
    "int2",
    "int3",
    "int12:scale=-5",
    "uint2",
    "uint6:scale=3",
    "int10:symmetric=yes",
]


def graph_of(
    inputs: dict[str, int], build: Callable[..., Node | tuple[Node, ...]], architecture: Architecture = DEFAULT
) -> Graph:
    """A graph with inputs of these widths whose outputs ``y0``, ``y1``... are what `build(g, *inputs)` returns."""
    g = Graph(architecture)
    nodes = [g.input(name, width) for name, width in inputs.items()]
    built = build(g, *nodes)
    for i, node in enumerate(built if isinstance(built, tuple) else (built,)):
        g.output(f"y{i}", node)
    return g


def every(widths: dict[str, int]) -> dict[str, np.ndarray]:
    """Every combination of values of these widths, as flat uint64 arrays."""
    index = np.arange(1 << sum(widths.values()), dtype=np.uint64)
    found, low = {}, 0
    for name, width in widths.items():
        found[name] = (index >> np.uint64(low)) & np.uint64((1 << width) - 1)
        low += width
    return found


def every_input(unit: Unit) -> dict[str, np.ndarray]:
    """Every combination of operand codes and controls."""
    return every({port.name: port.width for port in unit.ports if port.travels_in})


def draw_inputs(unit: Unit, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Operands and controls: everything where that is no more than `count`, else corners and directed families."""
    if sum(port.width for port in unit.ports if port.travels_in) <= math.log2(count):
        return every_input(unit)
    return draw_operands(unit, count, rng) | draw_controls(unit, (count,), rng)


def hardware(unit: Unit, inputs: dict[str, np.ndarray], graph: Graph | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Codes and flags (zeros where the unit has none) of the unit's graph, evaluated in chunks.

    Returns
    -------
    (codes, flags) : tuple of ndarray
        uint64, of the inputs' common length.
    """
    graph = graph or trim(datapath(unit))
    count = len(next(iter(inputs.values())))
    codes, flags = np.empty(count, np.uint64), np.zeros(count, np.uint64)
    for low in range(0, count, CHUNK):
        part = slice(low, low + CHUNK)
        found = evaluate(graph, **{name: array[part] for name, array in inputs.items()})
        codes[part] = found["result"].astype(np.uint64)
        if unit.flags:
            flags[part] = found["flags"].astype(np.uint64)
    return codes, flags


def mismatch(unit: Unit, inputs: dict[str, np.ndarray], graph: Graph | None = None) -> str:
    """Where the hardware differs from `unit.compute`, as text for an assertion; empty where it does not."""
    count = len(next(iter(inputs.values())))
    assert count
    codes, flags = hardware(unit, inputs, graph)
    operands = [inputs[name] for name in unit.operands]
    golden = unit.compute(*operands, **{name: array for name, array in inputs.items() if name not in unit.operands})
    wrong = codes != golden.codes
    if unit.flags:
        wrong |= flags != golden.flags
    if not wrong.any():
        return ""
    at = int(np.flatnonzero(wrong)[0])
    given = " ".join(f"{name}={int(array[at]):#x}" for name, array in inputs.items())
    return (
        f"{unit}: {int(wrong.sum())} of {count} differ; first {given}: hardware {int(codes[at]):#x} flags "
        f"{int(flags[at])}, golden {int(golden.codes[at]):#x} flags {int(golden.flags[at])}"
    )


def assert_equals_golden(unit: Unit, inputs: dict[str, np.ndarray]):
    """The hardware equals the golden model on these inputs, with flags and without (they prune different logic)."""
    text = mismatch(unit, inputs)
    assert not text, text
    if unit.flags:
        text = mismatch(dataclasses.replace(unit, flags=False), inputs)
        assert not text, text


def draw_mixed_unit(operation: str, formats: list[str], rng: np.random.Generator) -> Unit:
    """A unit of `operation` on formats drawn from `formats`, with options drawn, flags on in two of three."""
    classes = {"multiply": fpgen.Multiply, "add": fpgen.Add, "fma": fpgen.FusedMultiplyAdd, "convert": fpgen.Convert}
    kind = classes[operation]
    names = kind.operand_names
    chosen = [str(name) for name in rng.choice(formats, len(names))]
    if rng.random() < 0.3:
        chosen = chosen[:1] * len(names)
    out = str(rng.choice(formats)) if rng.random() < 0.75 else chosen[0]
    options = draw_options(fpgen.formats.parse(out), rng, "port" if rng.random() < 0.4 else None)
    if operation == "add":
        options["subtract"] = str(rng.choice(["off", "on", "port"]))
    return kind(**dict(zip(names, chosen, strict=True)), out=out, flags=bool(rng.random() < 0.67), **options)


def policies(out: Format) -> Iterator[Overflow]:
    """The overflow policies that an output allows, but `wrap`: its rounder takes whole windows (tests/test_wrap.py)."""
    for policy in (policy for policy in Overflow if policy is not Overflow.WRAP):
        try:
            fpgen.Convert(source="e2m1", out=out, overflow=policy)
        except UsageError:
            continue
        yield policy
