"""Blocks to quantise and dequantise, after what goes wrong in them, and their hardware held against the exact model."""

from __future__ import annotations

import numpy as np
from sum_cases import packed

from fpgen.golden.exact import exact_block
from fpgen.rtl.datapath import datapath
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.graph import Graph
from fpgen.rtl.trim import trim
from fpgen.units import BlockDequantize, BlockQuantize, Unit
from fpgen.units.options import PORT_MODES


def hardware(unit: Unit, arrays: dict[str, np.ndarray], graph: Graph | None = None) -> dict[str, np.ndarray]:
    """Outputs of the unit's graph (or of another one with the same pins), arrays unpacked along the last axis."""
    ports = {port.name: port for port in unit.ports}
    words = {
        name: packed(array, ports[name].element_width) if ports[name].shape else array for name, array in arrays.items()
    }
    found = {}
    count = len(next(iter(arrays.values())))
    for name, outcome in evaluate(graph or trim(datapath(unit)), **words).items():
        port = ports[name]
        value = np.broadcast_to(np.asarray(outcome), count)
        if port.shape:
            mask = (1 << port.element_width) - 1
            found[name] = np.stack(
                [
                    (value.astype(object) >> (i * port.element_width) & mask).astype(np.uint64)
                    for i in range(port.count)
                ],
                axis=-1,
            )
        else:
            found[name] = value.astype(np.uint64)
    return found


def exact(unit: Unit, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outputs of the exact model, block by block."""
    results, scales = [], []
    for i in range(len(next(iter(arrays.values())))):
        row = {name: array[i].tolist() for name, array in arrays.items()}
        mode = PORT_MODES[row["rounding"]] if "rounding" in row else None
        random = row.get("random", ())
        if isinstance(unit, BlockQuantize):
            codes, scale = exact_block.quantize(
                unit, row["source"], row.get(unit.tensor_operand), mode=mode, random=random
            )
            scales.append(scale)
        else:
            assert isinstance(unit, BlockDequantize)
            codes = exact_block.dequantize(
                unit, row["elements"], row["scale"], row.get("tensor_scale"), mode=mode, random=random
            )
        results.append(codes)
    found = {"result": np.array(results, dtype=np.uint64)}
    return found | ({"scale": np.array(scales, dtype=np.uint64)} if scales else {})


def mismatch(
    unit: Unit, arrays: dict[str, np.ndarray], want: dict[str, np.ndarray] | None = None, graph: Graph | None = None
) -> str:
    """The first block that differs from `want` (default: the exact model), in words; empty when there is none."""
    got = hardware(unit, arrays, graph)
    want = want or exact(unit, arrays)
    assert len(got["result"])
    wrong = (got["result"] != want["result"]).any(axis=-1)
    if "scale" in want:
        wrong |= got["scale"] != want["scale"]
    if not wrong.any():
        return ""
    i = int(np.flatnonzero(wrong)[0])
    given = {name: array[i].tolist() for name, array in arrays.items()}
    found = ", ".join(f"{name} {got[name][i].tolist()} for {want[name][i].tolist()}" for name in want)
    return f"{unit}: {given}: {found}; {wrong.sum()} blocks differ"


def blocks(unit: Unit, count: int, seed: int) -> dict[str, np.ndarray]:
    """Random blocks: magnitudes close together or apart, with few or many fraction bits, at the ends of the range."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for port in unit.ports:
        if not port.travels_in:
            continue
        codes = rng.integers(0, 1 << port.element_width, size=(count, *port.shape), dtype=np.uint64)
        if port.name == "source":
            assert port.format is not None
            fmt, shape = port.format, codes.shape
            anywhere = codes.astype(np.int64) & ((1 << fmt.magnitude_bits) - 1)
            step = rng.choice([1, 4, 1 << fmt.trailing_bits, 3 << fmt.trailing_bits], size=(count, 1))
            near = anywhere[:, :1] + rng.integers(-8, 9, size=shape) * step // 4 + rng.integers(-3, 4, size=shape)
            magnitudes = np.where(rng.random((count, 1)) < 0.8, near, anywhere).clip(0, (1 << fmt.magnitude_bits) - 1)
            finite = np.minimum(magnitudes, fmt.max_finite_code)
            magnitudes = np.where(rng.random((count, 1)) < 0.9, finite, magnitudes)
            cleared = 1 << rng.integers(0, fmt.trailing_bits + 1, size=(count, 1))
            magnitudes = np.where(rng.random((count, 1)) < 0.4, magnitudes & -cleared, magnitudes)
            magnitudes[rng.random(count) < 0.03] = 0
            signs = rng.integers(0, 2, size=shape) << fmt.magnitude_bits
            codes = (magnitudes | signs).astype(np.uint64)
        elif port.name in ("tensor_scale", "encode_scale"):
            assert port.format is not None
            fmt = port.format
            near_one = (fmt.bias << fmt.trailing_bits) + rng.integers(
                -20 << fmt.trailing_bits, 20 << fmt.trailing_bits, size=count
            )
            usual = near_one.clip(0, fmt.max_finite_code).astype(np.uint64)
            codes = np.where(rng.random(count) < 0.8, usual, codes)
        arrays[port.name] = codes
    return arrays
