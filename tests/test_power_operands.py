"""Operands for power: uniform codes, Gaussian tensors in their formats (blocks and scales together), files."""

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

import fpgen
from fpgen.base.errors import UsageError
from fpgen.golden.scalar.decode import float64_values
from fpgen.power import operands
from fpgen.power.operand_kinds import means_stimulus


def codes_of(given, name):
    """Codes of an operand of any shape, shape (clocks, streams, elements)."""
    port = next(port for port in given.operands if port.name == name)
    lanes = np.unpackbits(given.bits[name].view(np.uint8), axis=-1, bitorder="little").astype(np.uint64)
    lanes = lanes.reshape(len(lanes), port.count, port.element_width, -1)
    return (lanes << np.arange(port.element_width, dtype=np.uint64)[:, None]).sum(axis=2).swapaxes(1, 2)


def test_uniform_operands_of_any_width():
    unit = fpgen.parse_unit("dot e4m3fn e4m3fn n=16 + fp32 -> fp32 rne")
    ports = {port.name: port for port in unit.ports if port.is_input}
    given = operands.Operands(unit, operands.load("uniform"), seed=1, clocks=3, words=2)
    clocks = list(given)
    assert len(clocks) == 3 and ports["a"].width == 128
    assert {f"a[{k}]" for k in range(128)} | {f"c[{k}]" for k in range(32)} <= set(clocks[0])
    again = list(operands.Operands(unit, operands.load("uniform"), seed=1, clocks=3, words=2))
    other = list(operands.Operands(unit, operands.load("uniform"), seed=2, clocks=3, words=2))
    assert all((clocks[2][bit] == again[2][bit]).all() for bit in clocks[2])
    assert any((clocks[2][bit] != other[2][bit]).any() for bit in clocks[2])


def test_gaussian_operands_are_converted():
    unit = fpgen.parse_unit("add fp16 fp16 -> fp16 rne")
    given = operands.Operands(unit, operands.load("gaussian"), seed=7, clocks=4, words=8)
    values = np.random.default_rng(7).standard_normal((4, 512, 1))[:, :, 0]
    assert (given.codes("a") == values.astype(np.float16).view(np.uint16)).all()
    elements = operands.Operands(
        fpgen.parse_unit("dot int8 int8 n=2 -> int32"), operands.load("gaussian"), seed=7, clocks=1, words=8
    ).codes("a")[0]
    low = (elements & 0xFF).astype(np.uint8).view(np.int8)
    assert 25 < low.std() < 40 and abs(low.mean()) < 6  # sigma is a quarter of 127


def test_operands_of_a_file(tmp_path):
    unit = fpgen.parse_unit("multiply e4m3fn fp16 -> fp16 rne")
    path = tmp_path / "x.npy"
    np.save(path, np.array([[0x38, 0x3C00], [0x40, 0x0001], [0xFF, 0xFFFF]]))
    given = operands.Operands(unit, operands.load(path), seed=1, clocks=3, words=1)
    assert given.codes("a")[:, 0].tolist() == [0x38, 0x40, 0xFF] and given.codes("b")[1, 0] == 1
    np.save(path, np.array([[1.0, -2.0], [1e9, 0.1]]))
    given = operands.Operands(unit, operands.load(path), seed=1, clocks=2, words=1)
    assert given.codes("a")[:, 0].tolist() == [0x38, 0x7E] and given.codes("b")[0, 0] == 0xC000


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.zeros((4, 3)), ": got 3 columns; expected 2 for multiply"),
        (np.full((4, 2), 256), "expected codes of e4m3fn, 0 to 255"),
        (np.full((4, 2), -1), "a: got -1 to -1; expected codes of e4m3fn, 0 to 255"),
        (np.zeros((1, 2)), "two operations or more"),
        (np.zeros((4, 2), dtype=complex), "complex128 of shape"),
        (np.zeros((4, 2), dtype=bool), "bool of shape"),
        (np.zeros((4, 0)), r"float64 of shape \(4, 0\); expected codes"),
        (np.zeros(()), r"float64 of shape \(\); expected codes"),
        (np.zeros((4, 2, 2)), r"of shape \(4, 2, 2\); expected codes"),
        (np.array([["a", "b"]] * 4), "<U1 of shape"),
        (np.array([[1, 2], [3, None]], dtype=object), r"not a \.npy file of numbers"),
        (np.full((4, 2), 256.0), None),
        (np.full((4, 2), np.nan), None),
        (np.full((4, 2), np.inf), None),
        (np.full((4, 2), 255, dtype=">u2"), None),
        (np.ones((4, 2), dtype=np.float16, order="F"), None),
    ],
)
def test_files_that_do_not_fit(tmp_path, rows, said):
    path = tmp_path / "x.npy"
    np.save(path, rows)
    unit = fpgen.parse_unit("multiply e4m3fn e4m3fn -> fp16 rne")
    with pytest.raises(UsageError, match=said) if said else nullcontext():
        operands.load(path).check(unit)


def test_values_and_integers_that_do_not_fit(tmp_path):
    path = tmp_path / "x.npy"
    unit = fpgen.parse_unit("dot int8 int8 n=1 -> int32")
    np.save(path, np.full((4, 2), -1))
    with pytest.raises(UsageError, match=r"x\.npy: a: got -1 to -1; .* complement, such as 255 for -1"):
        operands.load(path).check(unit)
    np.save(path, np.full((4, 2), np.nan))
    with pytest.raises(UsageError, match="values for int8: got NaN"):
        operands.load(path).check(unit)
    np.save(path, np.array([[-1.0, 1e9], [2.5, -0.5]]))  # values of an integer port: rounded, saturating
    codes = operands.Operands(unit, operands.load(path), seed=0, clocks=2, words=1)
    assert codes.codes("a")[:, 0].tolist() == [255, 2] and codes.codes("b")[:, 0].tolist() == [127, 0]


def test_stimulus_refusals(tmp_path):
    with pytest.raises(
        UsageError, match=r"power stimulus: got 'zipf'; expected uniform, gaussian or a \.npy file, with"
    ):
        operands.load("zipf")
    with pytest.raises(UsageError, match="No such file"):
        operands.load("missing.npy")
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY nonsense")
    with pytest.raises(UsageError, match=r"not a \.npy file of numbers"):
        operands.load(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gaussian:sigma=0", "sigma: got 0; expected a number from 1e-30 to 1e30"),
        ("gaussian:sigma=x", "sigma: got x; expected a number"),
        ("gaussian:sigma=nan", "sigma: got nan; expected a number"),
        ("uniform:sigma=2", "got 'sigma=2'; expected one of seed"),
        ("gaussian:seed=-1", "seed: got -1; expected a whole number from 0"),
        ("gaussian:seed=1.5", "seed: got 1.5; expected a whole number from 0"),
        ("gaussian:operations=0", "operations: got 0; expected a whole number from 1"),
        ("gaussian:", "got ''; expected one of sigma"),
        ("gaussian:seed=1,seed=2", "got seed twice"),
        ("x.npy:seed=2", "got options with a .npy file; expected them only with uniform"),
        ("Gaussian", "power stimulus: got 'Gaussian'; expected uniform"),
        ("", "power stimulus: got ''; expected uniform"),
    ],
)
def test_options_that_do_not_fit(text, said):
    with pytest.raises(UsageError) as caught:
        operands.load(text)
    assert said in str(caught.value)


@settings(deadline=None)
@drawn(st.text(alphabet="gausinform:=,0123456789.e-npy", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        assert operands.load(text).name in operands.KINDS
    except UsageError as error:
        assert "power stimulus" in str(error)


def test_options():
    given = operands.load("gaussian:sigma=2.5,seed=7,operations=100")
    assert (given.sigma, given.seed, given.operations, given.text) == (2.5, 7, 100, "N(0,1) values times 2.5")
    assert operands.load("uniform").text == "uniform codes" and operands.load("gaussian").text == "N(0,1) values"
    unit = fpgen.parse_unit("add fp32 fp32 -> fp32 rne")
    one, two = (
        operands.Operands(unit, operands.load(f"gaussian:sigma={sigma}"), seed=3, clocks=1, words=1).codes("b")
        for sigma in (1, 2)
    )
    assert (two.astype(np.uint32).view(np.float32) == 2 * one.astype(np.uint32).view(np.float32)).all()


@pytest.mark.parametrize(
    ("word", "so"),
    [
        ("uniform", True),
        ("zipf", True),
        ("my data.npy", True),
        ("", True),
        ("multiply", False),
        ("multiply fp16 fp16 -> fp16", False),
        ("multipy fp16 fp16 -> fp16", False),
        ("gaussian:sigma=2", True),
    ],
)
def test_what_may_follow_power(word, so):
    assert means_stimulus(word) == so


# ---- tensors in block formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "blockdot mxfp4 mxfp8e4m3 k=64 + fp32 -> fp32 rne",
        "blockdot nvfp4 nvfp4 k=32 + fp32 -> fp32 rne",
        "tensorcore mxfp4 mxfp4 m=2 n=3 k=64 + fp32 -> fp32 rne",
        "dequantize nvfp4 -> fp32 rne",
        "quantize fp32 -> nvfp4",
    ],
)
def test_gaussian_blocks_have_the_scales_that_quantising_gives(line):
    unit = fpgen.parse_unit(line)
    given = operands.Operands(unit, operands.load("gaussian:sigma=3"), seed=2, clocks=2, words=2)
    shapes = {port.name: port.shape for port in given.operands}
    formats = {port.name: port.format for port in given.operands}
    codes = {name: codes_of(given, name).reshape(2, 128, *shape) for name, shape in shapes.items()}
    values = {name: float64_values(formats[name], found) for name, found in codes.items()}
    if line.startswith("quantize"):  # one tensor scale, with which the largest magnitude is the largest there is
        assert len(np.unique(codes["tensor_scale"])) == 1
        assert values["tensor_scale"].flat[0] == pytest.approx(np.abs(values["source"]).max() / 6 / 448, rel=1e-6)
        return
    for elements, scale in [("elements", "scale")] if "scale" in shapes else [("a", "a_scale"), ("b", "b_scale")]:
        block = getattr(unit, elements, None) or unit.block
        axis = -2 if line.startswith("tensorcore") and elements == "b" else -1
        blocks = np.moveaxis(values[elements], axis, -1)
        blocks = blocks.reshape(*blocks.shape[:-1], -1, block.size)
        scales = np.moveaxis(values[scale], axis, -1).reshape(blocks.shape[:-1])
        tensor = values["tensor_scale"].reshape(2, 128, 1) if "tensor_scale" in values else 1.0
        largest = np.abs(blocks).max(axis=-1)
        if block.power_of_two_scale:  # floor: the largest element is in the format's uppermost binade
            assert (largest >= 2.0**block.element.emax).all() and len(np.unique(scales)) < 6
            assert (blocks * scales[..., None]).std() == pytest.approx(3, rel=0.1)
        else:
            assert (largest >= 5.9 / 1.07).all() and scales.max() == 448
            assert (
                elements == "a"
                or elements == "b"
                or (blocks * (scales * tensor)[..., None]).std() == pytest.approx(3, rel=0.1)
            )


def test_an_addend_is_like_the_sum_it_joins():
    spreads = {}
    for line in (
        "dot fp16 fp16 n=64 + fp32 -> fp32 rne",
        "blockdot mxfp4 mxfp4 k=64 + fp32 -> fp32 rne",
        "fma fp16 fp16 fp32 -> fp32 rne",
        "dot int8 int8 n=4 + int32 -> int32",
    ):
        unit = fpgen.parse_unit(line)
        given = operands.Operands(unit, operands.load("gaussian:sigma=2"), seed=2, clocks=4, words=8)
        spreads[line.split(" -")[0]] = float64_values(unit.c, given.codes("c")).std()
    assert list(spreads.values()) == pytest.approx([4 * 8, 4 * 8, 4, 4 * (127 / 4) ** 2 * 2], rel=0.1), spreads


def test_values_of_a_file_without_scales(tmp_path):
    unit = fpgen.parse_unit("blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 rne")
    path = tmp_path / "x.npy"
    rows = np.random.default_rng(1).standard_normal((64, 65)).astype(np.float32)
    np.save(path, rows)
    given = operands.Operands(unit, operands.load(path), seed=0, clocks=1, words=1)
    wanted = fpgen.emulate.quantize(rows[:, 32:64], "mxfp4")
    assert (codes_of(given, "b")[0] == wanted.codes).all() and (codes_of(given, "b_scale")[0] == wanted.scales).all()
    assert (codes_of(given, "c")[0, :, 0] == rows[:, 64].view(np.uint32)).all()
    np.save(
        path,
        np.concatenate([rows[:, :32], np.ones((64, 1)), rows[:, 32:64], np.full((64, 1), 4.0), rows[:, 64:]], axis=1),
    )  # with scales: as they are
    given = operands.Operands(unit, operands.load(path), seed=0, clocks=1, words=1)
    assert np.unique(codes_of(given, "a_scale")) == [127] and np.unique(codes_of(given, "b_scale")) == [129]
    np.save(path, rows[:, :64])
    with pytest.raises(UsageError, match=r"got 64 columns; expected 67 .* or 65 values without a_scale, b_scale"):
        operands.load(path).check(unit)
