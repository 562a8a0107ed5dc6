"""Dot products, block units and tiles as parameter objects: ports, defaults, refusals."""

import pytest

import fpgen
from fpgen import UsageError, parse_unit
from fpgen.units import Overflow, Role, Rounding, Subnormals


def shapes(text):
    return {port.name: (port.shape, port.width) for port in parse_unit(text).ports}


def test_ports_of_a_dot():
    assert shapes("dot e4m3fn int8 n=4 + fp16 -> fp32") == {
        "a": ((4,), 32),
        "b": ((4,), 32),
        "c": ((), 16),
        "result": ((), 32),
    }


def test_ports_of_a_block_dot():
    assert shapes("blockdot mxfp4 mxfp8e4m3 k=64 -> fp32 stages=2 handshake=valid") == {
        "clk": ((), 1),
        "rst": ((), 1),
        "in_valid": ((), 1),
        "a": ((64,), 256),
        "a_scale": ((2,), 16),
        "b": ((64,), 512),
        "b_scale": ((2,), 16),
        "out_valid": ((), 1),
        "result": ((), 32),
    }


def test_ports_of_a_tile():
    assert shapes("tensorcore mxfp4 mxfp4 m=2 n=3 k=32 + fp32 -> fp32") == {
        "a": ((2, 32), 256),
        "a_scale": ((2, 1), 16),
        "b": ((32, 3), 384),
        "b_scale": ((1, 3), 24),
        "c": ((2, 3), 192),
        "result": ((2, 3), 192),
    }


def test_ports_of_quantize_and_dequantize():
    assert shapes("quantize bf16 -> nvfp4 sra random_bits=4") == {
        "source": ((16,), 256),
        "tensor_scale": ((), 32),
        "random": ((16,), 64),
        "result": ((16,), 64),
        "scale": ((), 7),
    }
    assert shapes("dequantize nvfp4 -> bf16") == {
        "elements": ((16,), 64),
        "scale": ((), 7),
        "tensor_scale": ((), 32),
        "result": ((16,), 256),
    }
    assert [port.role for port in parse_unit("quantize bf16 -> mxfp4").ports][-2:] == [Role.RESULT, Role.RESULT]


def test_scalar_ports_have_no_shape():
    assert all(
        port.shape == () and port.element_width == port.width for port in parse_unit("fma fp16 fp16 fp32 -> fp32").ports
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dot fp16 fp16 n=4 -> fp32", (Rounding.RNE, Overflow.IEEE, Subnormals.FULL)),
        ("dot fp16 fp16 n=4 -> fp32 accumulate=a100", (Rounding.RTZ, Overflow.INFINITE, Subnormals.FULL)),
        ("dot fp16 fp16 n=4 -> fp32 rne accumulate=a100", (Rounding.RNE, Overflow.INFINITE, Subnormals.FULL)),
        ("dot fp16 fp16 n=4 -> fp32 accumulate=cdna2", (Rounding.RNE, Overflow.IEEE, Subnormals.BOTH)),
        ("quantize fp32 -> mxfp8e4m3", (Rounding.RNE, Overflow.SATURATE, Subnormals.FULL)),
    ],
)
def test_defaults(text, expected):
    unit = parse_unit(text)
    assert (unit.rounding, unit.overflow, unit.subnormals) == expected
    assert parse_unit(unit.text) == unit


def test_exact_span_is_kulischs():
    """fp16: products from 2**-48 to below 2**32; of 8 of them the sum stays below 2**35, and a bit to spare."""
    assert parse_unit("dot fp16 fp16 n=8 -> fp32").exact_span() == (-48, 36)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("dot fp16 fp16 -> fp32", "got no n; expected a, b, n, out"),
        ("dot fp16 fp16 n=0 -> fp32", "n: got 0; expected a whole number from 1 to 1024"),
        ("dot fp16 fp16 n=4 n=4 -> fp32", "got n twice"),
        ("dot fp16 n=4 -> fp32", "got 1 operands; expected dot A B n=N"),
        ("dot fp16 fp16 k=4 -> fp32", "got k=4 before '->'; expected dot A B n=N"),
        ("dot mxfp4 mxfp4 n=4 -> fp32", "format: got mxfp4, a block format .blockdot"),
        ("dot fp16 fp16 n=4 + -> fp32", r"got \+; expected dot A B n=N \[\+ C\] -> OUT"),
        ("multiply fp16 fp16 + fp16 -> fp32", r"got \+ fp16; expected multiply A B -> OUT"),
        ("dot fp16 fp16 n=4 -> fp32 accumulate=fast", "expected one of exact, aligned, tree, chain"),
        ("dot fp16 fp16 n=4 -> fp32 accumulate=aligned", "got no fraction; expected one, as in aligned:fraction=25"),
        ("dot fp16 fp16 n=4 -> fp32 accumulate=aligned:fraction=13", "at least fraction=23, or intermediate=e8m13"),
        ("dot fp16 fp16 n=4 -> fp32 accumulate=exact:fraction=13", "got fraction; expected it only with aligned"),
        (
            "dot fp16 fp16 n=4 -> fp32 accumulate=aligned:fraction=25,sum_fraction=3",
            "expected it only with addend=outside",
        ),
        (
            "dot fp16 fp16 n=4 -> fp32 accumulate=aligned:fraction=25,split=odd-even",
            "expected it only with addend=outside",
        ),
        ("dot fp16 fp16 n=4 -> fp32 accumulate=aligned:fraction=x", "fraction: got x; expected a whole number"),
        ("dot fp16 fp16 n=4 -> fp32 accumulate=aligned:frac=25", "expected one of fraction"),
        ("dot fp16 fp16 n=12 -> fp32 accumulate=aligned:fraction=25,group=8", "groups of 8 with 12 products"),
        ("dot fp16 fp16 n=6 -> fp32 accumulate=aligned:fraction=25,presum=4", "presum=4 with n=6"),
        ("dot fp16 fp16 n=8 -> fp32 accumulate=aligned:fraction=25,presum=4,group=2", "presum=4 in groups of 2"),
        ("blockdot nvfp4 nvfp4 k=32 -> fp32 accumulate=tree:group=4", "presum=16 in groups of 4"),
        ("dot fp16 fp16 n=6 -> fp32 accumulate=chain:intermediate=e4m0", "overflow: got ieee with output .*e4m0"),
        (
            "dot fp16 fp16 n=4 -> fp32 accumulate=chain:intermediate=e8m0",
            "sums in e8m0, which has no zero; expected an intermediate= with zero, or accumulate=exact",
        ),
        ("dot uint8 uint8 n=4 -> e8m0 accumulate=tree", "sums in e8m0, which has no zero"),
        (
            "tensorcore fp16 fp16 m=2 n=2 k=4 -> fp32 accumulate=aligned:fraction=13,intermediate=e8m0",
            "which has no zero",
        ),
        (
            "dot fp16 fp16 n=4 -> fp32 accumulate=tree:intermediate=ue5m3",
            "got signed operands with sums in ue5m3, which is unsigned; expected a signed intermediate=",
        ),
        ("dot uint8 int8 n=4 -> ue4m3 accumulate=chain", "sums in ue4m3, which is unsigned"),
        ("dot uint8 uint8 n=4 + fp32 -> fp32 accumulate=chain:intermediate=ue5m3", "which is unsigned"),
        (
            "blockdot mxfp4 mxfp4 k=64 -> fp16 accumulate=aligned:fraction=25,group=32,intermediate=ue8m13",
            "which is unsigned",
        ),
        ("dot fp16 fp16 n=4 -> fp32 flags accumulate=chain", "expected accumulate=exact"),
        ("dot fp16 fp16 n=4 -> fp32 sra random_bits=4 accumulate=chain", "rounds more than once"),
        ("dot fp16 fp16 n=4 -> int8 accumulate=chain", "which is fixed point"),
        ("blockdot mxfp4 mxfp4 k=48 -> fp32", "k: got 48 with a in blocks of 32; expected a multiple of 32"),
        ("blockdot mxfp4 nvfp4 k=16 -> fp32", "k: got 16 with a in blocks of 32; expected a multiple of 32"),
        ("blockdot e2m1@e8m0/4 e2m1@e8m0/6 k=18 -> fp32", "k: got 18 with a in blocks of 4; expected a multiple of 12"),
        ("blockdot e2m1 e2m1 k=32 -> fp32", "got the plain formats e2m1 and e2m1; expected at least one block format"),
        ("blockdot bf16 mxfp44 k=32 -> fp32", "format: got mxfp44 .did you mean mxfp4"),
        (
            "blockdot bf16 mxfp4 k=32 + fp32 -> fp32 accumulate=blackwell-mx",
            "got a plain and a block format, .* or accumulate=like:blackwell-mx for",
        ),
        ("blockdot mxfp8e4m3 nvfp4 k=32 + fp32 -> fp32 accumulate=blackwell-mx", "got blocks of two sizes"),
        ("blockdot mxint8 mxint8 k=32 + fp32 -> fp32 accumulate=blackwell-mx a_zero=mxint8", "got zero points"),
        ("blockdot bf16 uint4@fp16/32 k=32 + fp32 -> fp32 accumulate=like:h100 b_zero=uint4", "got zero points"),
        ("blockdot bf16 mxfp4 k=32 -> fp32 b_zero=uint4", "elements in e2m1, which is floating point"),
        ("blockdot bf16 uint4@fp16/8 k=8 -> fp32 a_zero=uint4", "a=bf16, which has no blocks"),
        ("blockdot bf16 uint4@fp16/8 k=8 -> fp32 b_zero=fp16", "b_zero: got fp16 .*; expected an integer format"),
        ("blockdot bf16 mxint8 k=32 -> fp32 b_zero=int8", "expected an integer format with the same step, 2\\*\\*-6"),
        ("blockdot bf16 int64@fp16/8 k=8 -> fp32 b_zero=int64", "whose differences have 65 bits"),
        ("blockdot int8@bf16/8 uint4@ue4m3/8 k=16 -> ue8m7 accumulate=chain:intermediate=ue8m13", "which is unsigned"),
        ("tensorcore int8 int8 m=2 n=2 k=4 -> int32 a_zero=uint8", "a=int8, which has no blocks"),
        ("tensorcore fp16 fp16 m=32 n=32 k=4 -> fp32", "got 1024 results; expected up to 256"),
        ("tensorcore fp16 fp16 m=2 n=2 k=4 -> fp32 flags", "no one operation to flag"),
        ("quantize fp32 -> e2m1", "block format: got e2m1, a plain format"),
        ("quantize int8 -> mxfp4", "expected a signed floating-point format"),
        (
            "quantize fp32 -> mxfp4 policy=nearest",
            "which is a power of two; expected one of floor, ceil, even, rceil, midmax",
        ),
        ("quantize fp32 -> nvfp4 policy=floor", "expected one of nearest, up"),
        ("quantize fp32 -> e2m1@ue4m3/16", "needs scales up to .* or clamp=on"),
        ("quantize fp32 -> mxfp4 subnormals=in", "expected full"),
        ("quantize fp32 -> mxfp4 flags", "off"),
        ("dequantize mxfp8 -> bf16", "means several"),
    ],
)
def test_refusals(text, advice):
    with pytest.raises(UsageError, match=advice):
        parse_unit(text)


@pytest.mark.parametrize(
    "text",
    [
        "dot fp16 fp16 n=4 -> e8m0 accumulate=aligned:fraction=25",
        "dot fp16 fp16 n=4 -> ue4m3",
        "dot fp16 fp16 n=4 -> ue4m3 accumulate=chain:intermediate=fp32",
        "dot uint8 uint8 n=4 -> ue5m3 accumulate=tree",
        "blockdot uint4@e8m0/4 uint4@e8m0/4 k=8 -> fp32 accumulate=chain:intermediate=ue5m10",
    ],
)
def test_only_sums_that_go_on_need_a_zero_and_a_sign(text):
    """One rounding to the output may be to any format, and sums of unsigned products may be unsigned."""
    assert parse_unit(text).accumulate


def test_windows_have_a_limit():
    """2 * (2**14 + ...) bits: far beyond 8192."""
    with pytest.raises(UsageError, match=r"accumulate=exact: got a sum of .* bits; expected up to 8192"):
        parse_unit("dot e14m4 e14m4 n=2 -> fp32")


def test_tiles_are_made_of_dots():
    tile = parse_unit("tensorcore mxfp4 mxfp8e4m3 m=2 n=2 k=32 + fp32 -> fp32 accumulate=blackwell-mx stages=3")
    assert tile.dot == parse_unit("blockdot mxfp4 mxfp8e4m3 k=32 + fp32 -> fp32 accumulate=blackwell-mx")
    assert isinstance(parse_unit("tensorcore fp16 fp16 m=2 n=2 k=4 -> fp32").dot, fpgen.DotProduct)


def test_names_are_identifiers_and_differ():
    texts = [
        "dot fp16 fp16 n=16 + fp32 -> fp32 accumulate=hopper",
        "dot fp16 fp16 n=16 -> fp32 accumulate=hopper",
        "dot fp16 fp16 n=16 + fp32 -> fp32",
        "blockdot nvfp4 nvfp4 k=64 -> fp32 accumulate=blackwell-nvf4",
        "quantize fp32 -> int8@e8m0/16",
        "dequantize int8@e8m0/16 -> fp32",
        "dot fp16 fp16 n=4 -> fp32 accumulate=aligned:fraction=25,clamp=-19",
        "dot fp16 fp16 n=4 -> fp32 accumulate=aligned:fraction=25,clamp=19",
    ]
    names = [parse_unit(text).name for text in texts]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
