"""Results of blocks and sums that were once wrong in hardware, or easily are, each with its arithmetic."""

import numpy as np
import pytest

import fpgen
from fpgen.golden.port_outputs import golden_outputs
from fpgen.rtl.datapath import datapath
from fpgen.rtl.evaluate import evaluate
from fpgen.vectors.layout import join, words

#: (unit, inputs, outputs); the codes of an array in order.
VECTORS = {
    # The first subnormal, 2**-24. emax of int8 (127) is 6, so the scale is 2**-30, code 127 - 30 = 97; the element is
    # 2**-24 / 2**-30 = 64. It came out as 0: the significand was cut at the place of the smallest normal.
    "smallest fp16 under int8": ("quantize fp16 -> int8@e8m0/1", {"source": [0x0001]}, {"result": [64], "scale": 97}),
    # 3 * 2**-24 = 1.5 * 2**-23: the scale is 2**-29, code 98; 3 * 2**-24 / 2**-29 = 96.
    "third fp16 under int8": ("quantize fp16 -> int8@e8m0/1", {"source": [0x0003]}, {"result": [96], "scale": 98}),
    # amax = 2**-24; the least 2**s with 2**-24 <= 6 * 2**s is 2**-26 (6 * 2**-27 = 0.75 * 2**-24), code 101;
    # -2**-24 / 2**-26 = -4.
    "smallest fp16 under e2m1, rceil": (
        "quantize fp16 -> e2m1@e8m0/4 policy=rceil",
        {"source": [0, 0x8001, 0, 0]},
        {"result": [0, 0xE, 0, 0], "scale": 101},
    ),
    # -11 * 2**-24 = -1.375 * 2**-21: 11 * 2**-24 <= 6 * 2**s first for s = -23 (12 * 2**-24), code 104; the element
    # is -5.5, nearer to 6 than to 4 and no tie (which is at 5): -6.
    "fp16 subnormal that rounds up": (
        "quantize fp16 -> e2m1@e8m0/4 policy=rceil",
        {"source": [0x8000, 0x800B, 0, 0x8000]},
        {"result": [0x8, 0xF, 0, 0x8], "scale": 104},
    ),
    # amax = 0x31 = 49 * 2**-24 <= 6 * 2**-20 = 96 * 2**-24, and more than 48: the scale is 2**-20, code 107.
    # -49/16 = -3.0625 -> -3; -20/16 = -1.25 is half way between -1 and -1.5: even is -1.
    "fp16 subnormals with a tie": (
        "quantize fp16 -> e2m1@e8m0/4 policy=rceil",
        {"source": [0, 0x8000, 0x8031, 0x8014]},
        {"result": [0, 0x8, 0xD, 0xA], "scale": 107},
    ),
    # The tie that half of the field's encoders get wrong: amax 6 gives scale 1; 0.25, 1.25, 2.5, 5 are half way and go
    # to the even code: 0, 1, 2, 4 (0.75, 1.75, 3.5 to 1, 2, 4).
    "ties of e2m1": (
        "quantize bf16 -> e2m1@e8m0/8",
        {"source": [0x40C0, 0x3E80, 0x3FA0, 0x4020, 0x40A0, 0x3F40, 0x3FE0, 0x4060]},
        {"result": [0x7, 0x0, 0x2, 0x4, 0x6, 0x2, 0x4, 0x6], "scale": 127},
    ),
    # 2**24 * 1 + 1 - 2**24: exact is 1; a chain in fp32 rounds 2**24 + 1 to even, 2**24, and loses it.
    "what a chain loses": (
        "dot fp32 fp32 n=3 -> fp32 accumulate=chain",
        {"a": [0x4B800000, 0x3F800000, 0xCB800000], "b": [0x3F800000] * 3},
        {"result": 0},
    ),
    "what an exact sum keeps": (
        "dot fp32 fp32 n=3 -> fp32",
        {"a": [0x4B800000, 0x3F800000, 0xCB800000], "b": [0x3F800000] * 3},
        {"result": 0x3F800000},
    ),
    # 1 * 1 + 2**-12 * 2**-12 with 23 fraction bits: 2**-24 lies below the last place and is truncated, for -2**-24
    # toward zero as well: 1, where the exact sum 1 - 2**-24 would be 0x3F7FFFFF.
    "below the last place kept": (
        "dot fp16 fp16 n=4 + fp32 -> fp32 accumulate=v100",
        {"a": [0x3C00, 0x8C00, 0, 0], "b": [0x3C00, 0x0C00, 0, 0], "c": 0},
        {"result": 0x3F800000},
    ),
    "below the last place kept, exact": (
        "dot fp16 fp16 n=4 + fp32 -> fp32 rtz",
        {"a": [0x3C00, 0x8C00, 0, 0], "b": [0x3C00, 0x0C00, 0, 0], "c": 0},
        {"result": 0x3F7FFFFF},
    ),
    # Two blocks of one element, 6 * 2**127 and -6 * 2**127: they vanish, and the addend 1 stays.
    "opposite blocks": (
        "blockdot e2m1@e8m0/1 e2m1@e8m0/1 k=2 + fp32 -> fp32",
        {"a": [0x7, 0xF], "a_scale": [0xFE, 0xFE], "b": [0x2, 0x2], "b_scale": [0x7F, 0x7F], "c": 0x3F800000},
        {"result": 0x3F800000},
    ),
    # A NaN scale over zero elements is still NaN.
    "NaN scale over zeros": (
        "blockdot e2m1@e8m0/1 e2m1@e8m0/1 k=2 + fp32 -> fp32",
        {"a": [0, 0], "a_scale": [0x7F, 0xFF], "b": [0, 0], "b_scale": [0x7F, 0x7F], "c": 0},
        {"result": 0x7FC00000},
    ),
    # amax 0: scale code 0, elements keep their signs.
    "minus zeros": ("quantize bf16 -> e2m1@e8m0/2", {"source": [0x8000, 0x0000]}, {"result": [0x8, 0x0], "scale": 0}),
    # An infinity makes the scale NaN and all elements 0.
    "infinity in a block": (
        "quantize bf16 -> e2m1@e8m0/2",
        {"source": [0x7F80, 0x3F80]},
        {"result": [0, 0], "scale": 0xFF},
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_named_vectors(name):
    text, inputs, expected = VECTORS[name]
    unit = fpgen.parse_unit(text)
    ports = {port.name: port for port in unit.ports}
    arrays = {key: np.array(codes, np.uint64).reshape(1, *ports[key].shape) for key, codes in inputs.items()}
    wanted = {key: join(ports[key], codes) if isinstance(codes, list) else codes for key, codes in expected.items()}
    golden = {key: words(ports[key], array)[0] for key, array in golden_outputs(unit, arrays).items() if key in wanted}
    assert golden == wanted
    pins = {
        key: np.array(words(ports[key], array), object if ports[key].width > 63 else np.uint64)
        for key, array in arrays.items()
    }
    found = evaluate(datapath(unit), **pins)
    assert {key: int(np.ravel(found[key])[0]) for key in wanted} == wanted
