"""The hardware of BlockQuantize and BlockDequantize equals the exact model."""

from __future__ import annotations

import numpy as np
import pytest

import fpgen
from fpgen.rtl.datapath import datapath
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.trim import trim
from fpgen.units import Unit


def packed(codes: np.ndarray, width: int) -> np.ndarray:
    """Codes along the last axis as one word, the first in the lowest bits (object)."""
    words = np.zeros(codes.shape[:-1], dtype=object)
    for i in range(codes.shape[-1]):
        words |= codes[..., i].astype(object) << (i * width)
    return words


def hardware(unit: Unit, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outputs of the graph, arrays unpacked along the last axis."""
    ports = {port.name: port for port in unit.ports}
    words = {name: packed(array, ports[name].element_width) if ports[name].shape else array
             for name, array in arrays.items()}
    found = {}
    for name, value in evaluate(trim(datapath(unit)), **words).items():
        port = ports[name]
        if port.shape:
            mask = (1 << port.element_width) - 1
            found[name] = np.stack([(value.astype(object) >> (i * port.element_width) & mask).astype(np.uint64)
                                    for i in range(port.count)], axis=-1)
        else:
            found[name] = value.astype(np.uint64)
    return found


def mismatch(unit: Unit, arrays: dict[str, np.ndarray]) -> str:
    """The first block that differs from the exact model, in words; empty when there is none."""
    got = hardware(unit, arrays)
    operands = [arrays[name] for name in unit.operands]
    want = unit.compute(*operands, **{name: array for name, array in arrays.items() if name not in unit.operands})
    wrong = (got["result"] != want.codes).any(axis=-1)
    if want.scales is not None:
        wrong |= got["scale"] != want.scales
    if not wrong.any():
        return ""
    i = int(np.flatnonzero(wrong)[0])
    given = {name: array[i].tolist() for name, array in arrays.items()}
    scales = "" if want.scales is None else f" scale {got['scale'][i]} for {want.scales[i]}"
    return (f"{unit}: {given}: {got['result'][i].tolist()} for {want.codes[i].tolist()}{scales}; "
            f"{wrong.sum()} blocks differ")


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
        elif port.name == "tensor_scale":
            assert port.format is not None
            fmt = port.format
            near_one = (fmt.bias << fmt.trailing_bits) + rng.integers(-20 << fmt.trailing_bits,
                                                                     20 << fmt.trailing_bits, size=count)
            usual = near_one.clip(0, fmt.max_finite_code).astype(np.uint64)
            codes = np.where(rng.random(count) < 0.8, usual, codes)
        arrays[port.name] = codes
    return arrays


@pytest.mark.parametrize("policy", ["floor", "ceil", "even", "rceil", "midmax"])
@pytest.mark.parametrize("source", ["fp16", "bf16", "e4m3fn"])
def test_scales_that_are_powers_of_two(source, policy):
    for block in ("e2m1@e8m0/4", "mxint8", "e4m3fn@e8m0/5"):
        unit = fpgen.parse_unit(f"quantize {source} -> {block} policy={policy}")
        assert not (text := mismatch(unit, blocks(unit, 40, 1))), text


@pytest.mark.parametrize("block", ["e2m1@e8m0/4", "mxint8", "e5m2@e8m0/3", "nvfp4", "e3m4@ue5m2/8",
                                   "e2m1@binary8p1uf/4", "e4m3fnuz@e8m0/4", "int4@ue4m3/3", "e2m1@e8m0/3/fp32"])
@pytest.mark.parametrize("out", ["bf16", "fp16", "fp32", "int8"])
def test_dequantize(block, out):
    unit = fpgen.parse_unit(f"dequantize {block} -> {out}")
    assert not (text := mismatch(unit, blocks(unit, 40, 1))), text
