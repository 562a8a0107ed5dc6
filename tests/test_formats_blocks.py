"""Block formats: names, grammar, refusals."""

from fractions import Fraction

import block_cases
import numpy as np
import pytest
from block_cases import mismatch

import fpgen
from fpgen import BLOCKS, BlockFormat, UsageError
from fpgen.formats import as_block, parse_block
from fpgen.formats.blocks import is_block

#: OCP MX 1.0, table 1; NVIDIA PTX ISA: element, scale, elements to a scale, largest element.
PUBLISHED = {
    "mxfp8e4m3": ("e4m3fn", "e8m0", 32, 448),
    "mxfp8e5m2": ("e5m2", "e8m0", 32, 57344),
    "mxfp6e3m2": ("e3m2", "e8m0", 32, 28),
    "mxfp6e2m3": ("e2m3", "e8m0", 32, Fraction(15, 2)),
    "mxfp4": ("e2m1", "e8m0", 32, 6),
    "mxint8": ("mxint8", "e8m0", 32, Fraction(127, 64)),
    "nvfp4": ("e2m1", "ue4m3", 16, 6),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_catalogue(name):
    block = BLOCKS[name].format
    element, scale, size, largest = PUBLISHED[name]
    assert (block.element.name, block.scale.name, block.size) == (element, scale, size)
    assert block.element.max_finite == largest
    assert (block.tensor_scale is not None) == (name == "nvfp4")
    assert parse_block(name) == parse_block(block.spelling) == block
    assert parse_block(block.spelling).name == name


def test_catalogue_is_the_published_list():
    assert set(BLOCKS) == set(PUBLISHED)


def test_storage():
    assert parse_block("mxfp4").bits_per_element == 4.25
    assert parse_block("nvfp4").bits_per_element == 4 + 7 / 16


@pytest.mark.parametrize("text", ["int8@e8m0/16", "e2m1@ue4m3/16", "e3m2:bias=2@e8m0/8", "e2m1@ue5m3/16/bf16"])
def test_grammar_reads_back(text):
    block = parse_block(text)
    assert parse_block(block.name) == block
    assert as_block(BlockFormat(block.element, block.scale, block.size, block.tensor_scale)) == block


def test_is_block():
    assert is_block("MXFP4") and is_block("int8@e8m0/16") and is_block("mxfp8")
    assert not is_block("e2m1") and not is_block("e3m2:bias=2")


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("mxfp8", "got mxfp8, which means several; expected mxfp8e4m3, mxfp8e5m2"),
        ("mxfp5", "did you mean"),
        ("e2m1@e8m0", "got e2m1@e8m0; expected .*ELEMENT@SCALE/SIZE"),
        ("e2m1@e8m0/0", "expected 1 to 1024"),
        ("e2m1@e8m0/2000", "expected 1 to 1024"),
        ("e2m1@e4m0/16", "got e4m0, which is a signed power of two; expected floating point"),
        ("e2m1@uint8/16", "got uint8, which is fixed point"),
        ("e2m1@ue4m3/16/int8", "tensor scale: got int8, which is fixed point"),
        ("e2m9x@e8m0/16", "got e2m9x"),
        (None, "got None; expected a name"),
    ],
)
def test_refusals(text, advice):
    with pytest.raises(UsageError, match=advice):
        parse_block(text)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("e2m1", "e8m0", "4"), "block size: got '4' elements; expected 1 to 1024"),
        (("e2m1", "e8m0", True), "got True elements"),
        (("e2m1", "e8m0", 10**90), r"got 1000.*\.\.\. elements"),
        ((3, "e8m0", 4), "format: got 3; expected"),
        (("e2m1", None, 4), "format: got None; expected"),
        ((None, "e8m0", 4), "format: got None; expected"),
        (("e2m1", "e8m0", 4, 5), "format: got 5; expected"),
        (("e2m1", "e8m0", 4, None, 3), "block format name: got 3; expected text"),
    ],
)
def test_wrong_types_are_rejected_in_one_line(parts, message):
    with pytest.raises(UsageError, match=message) as caught:
        BlockFormat(*parts)
    assert "\n" not in str(caught.value)


def test_a_size_of_any_length_gets_its_range():
    with pytest.raises(UsageError, match="got 10000000000000 elements; expected 1 to 1024"):
        parse_block("e2m1@e8m0/10000000000000")


@pytest.mark.parametrize("policy", ["nearest", "up"])
def test_blocks_with_ue5m3_scales_work_end_to_end(policy):
    """The scale that PTX, CUTLASS and TransformerEngine call UE5M3: to 114688, one NaN, no infinity."""
    scale = parse_block("e2m1@ue5m3/16").scale
    assert (scale.max_finite, scale.nan_code, scale.has_infinity, scale.bits) == (114688, 0xFF, False, 8)
    down = fpgen.parse_unit(f"quantize fp32 -> e2m1@ue5m3/16 policy={policy} clamp=on")
    values = np.zeros((7, 16), dtype=np.float32)
    values[:, 0] = [6.0, 6 * 114688.0, 1e30, 6 * 61440.0, 6 * 2.0**-17, 3.0, np.inf]
    values[:, 1] = [1.5, 114688.0 * 1.5, 0, 61440.0, 0, -0.5, 1]
    found = down.compute(values.view(np.uint32))
    given = {"source": values.view(np.uint32).astype(np.uint64)}
    assert not (difference := mismatch(down, given)), difference  # hardware and exact model
    assert (block_cases.exact(down, given)["result"] == found.codes).all()
    assert found.scales is not None and found.scales.tolist() == [15 << 3, 0xFE, 0xFE, 30 << 3 | 7, 1, 14 << 3, 0xFF]
    up = fpgen.parse_unit("dequantize e2m1@ue5m3/16 -> fp32")
    back = up.compute(found.codes[:2], found.scales[:2]).codes.view(np.float32)
    assert (back == values[:2]).all()
    dot = fpgen.parse_unit("blockdot e2m1@ue5m3/16 e2m1@ue5m3/16 k=16 -> fp32")
    a, s = found.codes[:2], found.scales[:2].reshape(2, 1)
    sums = dot.compute(a, s, a, s).codes.view(np.float32)
    assert sums.tolist() == [36 + 2.25, float(np.float32((36 + 2.25) * 114688.0**2))]
    assert np.isnan(dot.compute(a, np.full_like(s, 0xFF), a, s).codes.view(np.float32)).all()
    for unit in (down, up, dot):
        assert fpgen.parse_unit(unit.text) == unit and "ue5m3" in unit.verilog()
