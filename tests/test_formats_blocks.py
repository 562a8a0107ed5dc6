"""Block formats: names, grammar, refusals."""

from fractions import Fraction

import pytest

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


@pytest.mark.parametrize(("text", "advice"), [
    ("mxfp8", "means several; allowed: mxfp8e4m3, mxfp8e5m2"),
    ("mxfp5", "did you mean"),
    ("e2m1@e8m0", "unknown; .*ELEMENT@SCALE/SIZE"),
    ("e2m1@e8m0/0", "1 to 1024 are allowed"),
    ("e2m1@e8m0/2000", "1 to 1024 are allowed"),
    ("e2m1@e4m0/16", "got e4m0, which is a signed power of two; expected floating point"),
    ("e2m1@uint8/16", "got uint8, which is fixed point"),
    ("e2m1@ue4m3/16/int8", "tensor scale int8 is fixed point"),
    ("e2m9x@e8m0/16", "unknown"),
    (None, "is allowed|allowed:"),
])
def test_refusals(text, advice):
    with pytest.raises(UsageError, match=advice):
        parse_block(text)
