"""Masked lanes of sums of products add exactly nothing: models, hardware, and what stops toggling."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from portions import some
from test_operations import packed_codes

import fpgen
from fpgen import UsageError
from fpgen.rtl import graph_of
from fpgen.rtl.evaluate import evaluate
from fpgen.units import Role
from fpgen.units.lane_mask import masked_codes
from fpgen.verify import model_check

UNITS = some(
    [
        "dot e4m3fn e4m3fn n=4 + fp32 -> fp32",
        "dot e5m2 e5m2 n=4 + e5m2 -> e5m2 accumulate=chain port",
        "blockdot mxfp4 mxfp4 k=32 -> fp32",
        "dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=hopper",
        "dot e4m3fnuz e4m3fnuz n=3 + fp16 -> fp16 accumulate=chain rdn",
        "tensorcore e2m1 e2m1 m=2 n=3 k=4 -> fp16",
        "dot e4m3fnuz int8 n=3 + fp16 -> fp16 accumulate=chain port",
        "dot e4m3 e4m3 n=4 -> fp16 accumulate=tree port",
        "blockdot mxfp4 bf16 k=64 + fp32 -> fp32 accumulate=chain",
        "tensorcore mxfp4 mxfp4 m=1 n=2 k=32 + fp32 -> fp32",
        "dot int8 int8 n=4 -> int32 flags=on",
        "dot fp16 fp16 n=6 -> fp32 accumulate=aligned:fraction=25,group=3",
    ],
    every=3,
)


@pytest.mark.parametrize("text", UNITS)
def test_both_models_and_the_hardware_agree(text):
    unit = fpgen.parse_unit(f"{text} mask=on")
    found = model_check._compare(unit.behaviour, 1000, seed=7)
    assert found.results >= 1000 and not found.different, found.example
    graph, masked = graph_of(unit), 0
    for _, inputs in model_check._drawn(unit, 400, seed=5):
        expected = unit.compute(**inputs)
        packed = {port.name: packed_codes(port, inputs[port.name]) for port in unit.ports if port.travels_in}
        got = evaluate(graph, **packed)["result"]
        result = next(port for port in unit.ports if port.role is Role.RESULT)
        assert [int(code) for code in got] == packed_codes(result, expected.outputs["result"]).tolist()
        masked += int(inputs["mask"].any(-1).sum())
    assert masked > 100


def drawn(unit, count, seed=1):
    rng = np.random.default_rng(seed)
    return {
        port.name: rng.integers(0, 1 << port.element_width, (count, *port.shape), np.uint64)
        for port in unit.ports
        if port.role is Role.OPERAND
    }


@pytest.mark.parametrize("accumulate", ["exact", "chain", "aligned:fraction=25"])
@pytest.mark.parametrize("formats", ["e5m2 e5m2", "e4m3fnuz e5m2", "e4m3fnuz int8", "e2m1 e4m3fn"])
@pytest.mark.parametrize("addend", ["", " + e5m2"])
@pytest.mark.parametrize("mode", ["rne", "rdn"])
def test_a_masked_sum_is_the_sum_of_the_other_lanes(accumulate, formats, addend, mode):
    """Whatever is in the masked lanes, NaN and infinities included; every code can be there."""
    out = "fp32" if accumulate.startswith("aligned") else "e5m2"
    text = f"dot {formats} n={{}}{addend} -> {out} {mode} accumulate={accumulate}"
    unit = fpgen.parse_unit(text.format(6) + " mask=on")
    operands = drawn(unit, 400)
    for mask in ([0, 0, 0, 0, 0, 1], [1, 0, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1]):
        kept = np.flatnonzero(np.array(mask) == 0)
        shorter = fpgen.parse_unit(text.format(len(kept)))
        found = unit.compute(**operands, mask=np.array(mask))
        expected = shorter.compute(
            **{name: codes[:, kept] if codes.ndim > 1 else codes for name, codes in operands.items()}
        )
        assert np.array_equal(found.codes, expected.codes)


def test_what_is_masked_by_name():
    """One vector for each thing that a lane could still do: NaN, infinity times zero, alignment, the sign of zero."""
    exact = fpgen.parse_unit("dot fp16 fp16 n=2 + fp32 -> fp32 mask=on")
    fp16, fp32 = exact.a, exact.out
    one, nan, inf = fp16.encode(1.0), fp16.nan_code, fp16.infinity_code
    for bad, other in ((nan, one), (inf, 0), (inf, one)):
        assert int(exact.compute([one, bad], [one, other], c=0, mask=[0, 1]).codes) == fp32.encode(1.0)
    aligned = fpgen.parse_unit("dot fp16 fp16 n=2 -> fp32 accumulate=aligned:fraction=23 mask=on")
    tiny = 1  # its square is far below the last place of 65504 * 65504
    assert int(aligned.compute([tiny, 0x7BFF], [tiny, 0x7BFF], mask=[0, 1]).codes) == fp32.encode(2.0**-48)
    for mode, minus_zero in (("rne", 0x8000), ("rdn", 0x8000), ("rtz", 0x8000)):
        chain = fpgen.parse_unit(f"dot fp16 fp16 n=2 + fp16 -> fp16 {mode} accumulate=chain mask=on")
        assert int(chain.compute([one, one], [one, one], c=minus_zero, mask=[1, 1]).codes) == minus_zero
        assert int(chain.compute([one, one], [one, one], c=0, mask=[1, 1]).codes) == 0


def test_no_mask_is_no_lane_masked():
    unit = fpgen.parse_unit("dot e4m3fn e4m3fn n=4 -> fp32 mask=on")
    operands = drawn(unit, 50)
    plain = fpgen.parse_unit("dot e4m3fn e4m3fn n=4 -> fp32").compute(**operands)
    assert np.array_equal(unit.compute(**operands).codes, plain.codes)
    assert np.array_equal(unit.compute(**operands, mask=0 * operands["a"]).codes, plain.codes)


@pytest.mark.parametrize("text", ["dot fp16 fp16 n=3 + fp32 -> fp32", "tensorcore e4m3 e4m3 m=2 n=2 k=3 -> fp16"])
def test_nothing_toggles_in_masked_lanes(text):
    """With every lane masked no node behind the mask changes, whatever the operands do."""
    unit = fpgen.parse_unit(f"{text} mask=on")
    graph = copy.copy(graph_of(unit))
    graph.outputs = {str(node.index): node for node in graph.live()}
    operands = drawn(unit, 40) | ({"c": np.zeros(40, np.uint64)} if unit.c else {})
    packed = {port.name: packed_codes(port, operands[port.name]) for port in unit.ports if port.name in operands}
    moving = {}
    for mask in (0, 0b111):
        found = evaluate(graph, **packed, mask=mask)
        moving[mask] = {name for name, values in found.items() if np.any(values != np.asarray(values).reshape(-1)[0])}
    of_operands = {name for name in moving[0b111] if graph.outputs[name].op in ("input", "slice")}
    assert moving[0b111] == of_operands
    assert len(moving[0]) > 3 * len(of_operands)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("dot ue8m0 fp16 n=2 -> fp32", "got on with a in e8m0, which has no zero"),
        ("blockdot uint4@fp16/32 bf16 k=32 -> fp32 a_zero=uint4", "got on with a_zero"),
    ],
)
def test_masks_that_cannot_be(text, part):
    with pytest.raises(UsageError, match=f"^mask: {part}"):
        fpgen.parse_unit(f"{text} mask=on")
    with pytest.raises(UsageError, match="mask"):
        fpgen.parse_unit("multiply e2m1 e2m1 -> e2m1 mask=on")


def test_masked_codes_are_zero_products():
    for text in ("dot e4m3fnuz int8 n=2 -> fp16", "dot e5m2 e5m2 n=2 -> fp16", "dot uint8 int8 n=2 -> fp16"):
        unit = fpgen.parse_unit(f"{text} accumulate=chain mask=on")
        one = fpgen.parse_unit(f"multiply {unit.a} {unit.b} -> fp16")
        product = one.compute(*masked_codes(unit, down=False).values())
        assert int(product.codes) == 0x8000
        assert int(one.compute(*masked_codes(unit, down=True).values()).codes) == 0


def test_the_line_says_what_is_masked():
    unit = fpgen.parse_unit("dot e4m3fn e4m3fn n=4 -> fp32 mask=on")
    assert fpgen.parse_unit(unit.text) == unit and unit.name.endswith("_mask")
    plain = fpgen.parse_unit("dot e4m3fn e4m3fn n=4 -> fp32")
    assert unit.content_hash != plain.content_hash
    head = unit.verilog().split("module ")[0]
    assert "i = 0 to 3 where mask[i] is 0" in head and "the product of this place adds nothing" in head
