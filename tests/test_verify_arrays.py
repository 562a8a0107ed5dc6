"""Verification of units whose ports carry arrays: rows, held inputs, families, deliberate errors that are caught."""

import math
import re

import numpy as np
import pytest
from portions import some

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import Class
from fpgen.golden.port_outputs import golden_outputs
from fpgen.units import TensorCore
from fpgen.vectors.families_array import families_of
from fpgen.vectors.layout import Layout, join, split
from fpgen.vectors.stimulus import plan
from fpgen.verify import verify, verify_many

#: Every operation, and formats at the extremes.
UNITS = [
    "dot e4m3fn e4m3fn n=5 + fp32 -> fp32 rtz accumulate=aligned:fraction=25",
    "dot uint8 int8 n=3 + int32 -> int32",
    "dot fp64 fp64 n=2 + fp64 -> fp64",
    "dot e8m0 e2m1 n=4 -> fp32",
    "dot e1m1:inf=none,nan=none e2m0:inf=none,nan=none n=4 + e3m4 -> e3m4",
    "dot e5m2 e5m2 n=1 -> e5m2",
    "dot e4m3fnuz e4m3fnuz n=16 + fp32 -> fp32 accumulate=cdna3-fp8",
    "dot fp16 fp16 n=4 + fp32 -> fp32 accumulate=v100",
    "dot e2m1 e2m1 n=4 -> fp16 srb random_bits=3",
    "blockdot mxfp4 mxfp4 k=64 + fp32 -> fp32",
    "blockdot nvfp4 nvfp4 k=64 + fp32 -> fp32 accumulate=blackwell-nvf4",
    "blockdot mxint8 mxfp8e5m2 k=32 -> bf16 port",
    "tensorcore fp16 int8 m=2 n=3 k=4 + fp32 -> fp32",
    "tensorcore mxfp4 mxfp4 m=2 n=1 k=32 -> fp32",
    "quantize fp32 -> mxfp4 policy=rceil",
    "quantize bf16 -> nvfp4 srb random_bits=4",
    "quantize fp16 -> mxint8",
    "quantize fp32 -> int8@e8m0/1",
    "dequantize mxfp4 -> bf16 port",
    "dequantize nvfp4 -> fp16",
]


def family(text, name, count=2000, seed=1):
    """The unit and vectors of one of its families."""
    unit = fpgen.parse_unit(text)
    return unit, plan(unit, seed=seed, exhaustive=False).family(name, count)


def results(unit, inputs):
    return golden_outputs(unit, inputs)["result"]


# ---- rows -------------------------------------------------------------------------------------------


def test_a_row_has_a_field_for_each_element():
    unit = fpgen.parse_unit("tensorcore e2m1 e2m1 m=2 n=1 k=2 + fp16 -> fp16")
    layout = Layout.of(unit, 1)
    inputs = {"a": np.array([[[1, 2], [3, 4]]]), "b": np.array([[[5], [6]]]), "c": np.array([[[0x1234], [0x5678]]])}
    rows = layout.pack(inputs, {"result": np.array([[[0x9ABC], [0xDEF0]]])})
    assert rows.tobytes().hex() == "010203040506123456789abcdef0"
    number = int.from_bytes(rows.tobytes(), "big")
    where = {port.name: lowest for _, port, lowest in layout.slices("in")}
    assert [number >> low & 0xF for low in where["a"]] == [1, 2, 3, 4]
    assert layout.split_outputs(0x9ABCDEF0) == {"result": (0x9ABC, 0xDEF0)}


def test_the_first_element_is_in_the_lowest_bits_of_the_pins():
    port = fpgen.parse_unit("dot e3m2 e3m2 n=3 -> fp16").ports[0]
    assert join(port, [1, 2, 3]) == 1 | 2 << 6 | 3 << 12
    assert split(port, 1 | 2 << 6 | 3 << 12) == [1, 2, 3]


# ---- held inputs ------------------------------------------------------------------------------------


def test_held_inputs_take_their_codes_and_all_others_every_code():
    unit = fpgen.parse_unit("dot e2m1 e2m1 n=2 + fp16 -> fp16")
    whole = plan(unit, fixed={"c": [0, 0x3C00, 0x7BFF]})
    assert whole.vectors == 3 << 16 and whole.method == "exhaustive over a, b; 3 values of c"
    seen = np.concatenate(
        [
            np.concatenate([chunk.inputs["a"], chunk.inputs["b"], chunk.inputs["c"][:, None]], axis=1)
            for chunk in whole.chunks()
        ]
    )
    assert len(np.unique(seen, axis=0)) == 3 << 16 and set(seen[:, 4]) == {0, 0x3C00, 0x7BFF}


def test_part_of_an_array_can_be_held():
    whole = plan(fpgen.parse_unit("quantize fp16 -> e2m1@e8m0/4"), fixed={"source[1]": [1, 2], "source[2:]": [0]})
    assert (
        whole.vectors == 2 << 16
        and whole.method == "exhaustive over source[0]; 2 values of source[1]; source[2:] = 0x0"
    )
    source = np.concatenate([chunk.inputs["source"] for chunk in whole.chunks()])
    assert len(np.unique(source[:, 0])) == 1 << 16 and set(source[:, 1]) == {1, 2} and not source[:, 2:].any()
    index = 0x12345
    assert whole.find(index)[1]["source"].tolist() == [[0x2345, 2, 0, 0]]


@pytest.mark.parametrize(
    ("fixed", "says"),
    [
        ({"d": [0]}, "got d; expected one of a, b, c"),
        ({"c": []}, "at least one code"),
        ({"c": [1 << 16]}, "0 to 0xffff|0xffff"),
        ({"c": "some"}, "corners"),
        ({"a[2]": [0]}, "elements 0 to 1"),
        ({"a": [0], "a[1]": [1]}, "twice; expected it once"),
    ],
)
def test_what_cannot_be_held_is_refused(fixed, says):
    with pytest.raises(UsageError, match=says):
        plan(fpgen.parse_unit("dot e2m1 e2m1 n=2 + fp16 -> fp16"), fixed=fixed)


def test_holding_without_trying_the_others_is_refused():
    with pytest.raises(UsageError, match="without trying all"):
        plan(fpgen.parse_unit("dot e2m1 e2m1 n=2 + fp16 -> fp16"), fixed={"c": [0]}, exhaustive=False)


# ---- families ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", UNITS)
def test_every_family_fills_every_port_the_same_from_the_same_seed(text):
    unit = fpgen.parse_unit(text)
    one, two = (plan(unit, vectors=300, seed=5, exhaustive=False) for _ in range(2))
    total = 0
    for left, right in zip(one.chunks(), two.chunks(), strict=True):
        assert left.start == total
        total += left.count
        for port in one.ports:
            codes = left.inputs[port.name]
            assert codes.shape == (left.count, *port.shape), left.family
            assert int(codes.max()) < 1 << port.element_width, left.family
            assert np.array_equal(codes, right.inputs[port.name])
        name, inputs = one.find(left.start + left.count // 2)
        assert name == left.family
        assert all(np.array_equal(inputs[port.name][0], left.inputs[port.name][left.count // 2]) for port in one.ports)
    assert total == one.vectors


@pytest.mark.parametrize(
    ("text", "other", "name", "least"),
    [
        # Ties go the other way; the last place kept is one higher; what is below it is floored, or leaves a sticky bit.
        ("dot e4m3fn e4m3fn n=4 + fp32 -> fp32 rne", "dot e4m3fn e4m3fn n=4 + fp32 -> fp32 rna", "ties", 0.05),
        ("dot fp16 fp16 n=4 -> fp16 rne", "dot fp16 fp16 n=4 -> fp16 rna", "ties", 0.1),
        ("blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 rne", "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 rna", "ties", 0.05),
        *[
            ("dot fp16 fp16 n=8 + fp32 -> fp32 rtz accumulate=aligned:fraction=25", other, name, 0.02)
            for name in ("one_dominant", "last_place_kept", "addend_distance", "scattered_cancellation")
            for other in (
                "dot fp16 fp16 n=8 + fp32 -> fp32 rtz accumulate=aligned:fraction=24",
                "dot fp16 fp16 n=8 + fp32 -> fp32 rtz accumulate=aligned:fraction=25,treatment=floor",
            )
        ],
        (
            "dot fp16 fp16 n=8 + fp32 -> fp32 rtz accumulate=aligned:fraction=25",
            "dot fp16 fp16 n=8 + fp32 -> fp32 rtz accumulate=aligned:fraction=25,treatment=sticky",
            "scattered_cancellation",
            0.02,
        ),
        (
            "dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=chain",
            "dot fp16 fp16 n=8 + fp32 -> fp32 accumulate=tree",
            "cancellation_across_groups",
            0.05,
        ),
        (
            "dot fp16 fp16 n=4 + fp16 -> fp16 accumulate=v100",
            "dot fp16 fp16 n=4 + fp16 -> fp16 accumulate=aligned:fraction=23,clamp=-18",
            "clamp_boundary",
            0.01,
        ),
        *[
            (
                "quantize bf16 -> mxfp8e4m3 policy=" + one,
                "quantize bf16 -> mxfp8e4m3 policy=" + two,
                "scale_decisions",
                0.1,
            )
            for one, two in (("floor", "even"), ("floor", "rceil"), ("rceil", "midmax"), ("ceil", "midmax"))
        ],
        ("quantize bf16 -> nvfp4 policy=nearest", "quantize bf16 -> nvfp4 policy=up", "scale_decisions", 0.1),
        ("quantize bf16 -> mxfp4 rne", "quantize bf16 -> mxfp4 rna", "element_ties", 0.3),
        ("quantize bf16 -> nvfp4 rne", "quantize bf16 -> nvfp4 rna", "element_ties", 0.1),
        ("dequantize nvfp4 -> bf16 rne", "dequantize nvfp4 -> bf16 rna", "result_boundaries", 0.001),
    ],
)
def test_a_family_tells_neighbouring_rules_apart(text, other, name, least):
    unit, inputs = family(text, name)
    differ = results(unit, inputs) != results(fpgen.parse_unit(other), inputs)
    assert differ.reshape(len(differ), -1).any(1).mean() >= least


@pytest.mark.parametrize(
    "text",
    [
        "dot bf16 bf16 n=4 + fp32 -> fp32",
        "blockdot mxfp8e4m3 mxfp4 k=32 + fp32 -> fp32",
        "dot e5m2 e5m2 n=8 -> fp16",
        "tensorcore fp16 fp16 m=2 n=2 k=4 -> fp16",
    ],
)
def test_overflow_boundary_is_on_both_sides(text):
    unit, inputs = family(text, "overflow_boundary")
    infinite = results(unit, inputs).astype(np.int64) % unit.out.sign_mask == unit.out.infinity_code
    assert 0.05 < infinite.mean() < 0.95


def test_a_nan_scale_makes_every_sum_nan():
    unit, inputs = family("blockdot mxfp4 mxfp8e5m2 k=64 + fp32 -> fp32", "nan_scales")
    assert (results(unit, inputs) == unit.out.nan_code).all()


def test_cancelling_sums_are_often_zero():
    unit, inputs = family("blockdot mxfp4 mxfp4 k=64 -> fp32", "alternating_cancellation")
    assert (results(unit, inputs) == 0).mean() > 0.5


def test_every_value_of_the_source_is_shown_at_some_position_beside_each_maximum():
    unit = fpgen.parse_unit("quantize fp16 -> mxfp4")
    made = families_of(unit)["every_value"]
    blocks = -(-(1 << 16) // 31)
    assert made.exactly == 64 * blocks
    whole = plan(unit, exhaustive=False)
    one = whole._chunk("every_value", 0, 5 * blocks, blocks, np.random.default_rng(0)).inputs["source"]
    assert len(np.unique(one)) == 1 << 16
    peaks = one[np.arange(blocks), np.arange(blocks) % 32]
    assert len(np.unique(peaks)) == 1


def test_dequantize_shows_every_code_under_every_scale_at_every_position():
    unit = fpgen.parse_unit("dequantize mxfp4 -> bf16")
    count = families_of(unit)["every_code_every_scale"].exactly
    _, inputs = family(unit.text, "every_code_every_scale", count)
    for position in (0, 17, 31):
        pairs = inputs["elements"][:, position].astype(int) << 8 | inputs["scale"]
        assert len(np.unique(pairs)) == 1 << 12


def test_zero_blocks_specials_and_both_clamps_of_the_scale_are_reached():
    unit, inputs = family("quantize fp32 -> mxfp4", "every_exponent", 20000)
    scales = golden_outputs(unit, inputs)["scale"]
    assert scales.min() == 0 and scales.max() >= 0xFC
    unit, inputs = family("quantize fp32 -> mxfp4", "specials")
    assert (golden_outputs(unit, inputs)["scale"] == 0xFF).mean() > 0.3
    unit, inputs = family("quantize fp32 -> mxfp4", "zero_blocks")
    assert (results(unit, inputs).reshape(2000, -1) & 7 == 0).all(1).mean() > 0.3


def test_tiles_have_results_of_their_own_and_the_event_in_most_of_them():
    unit, inputs = family("tensorcore fp16 fp16 m=2 n=3 k=4 + fp32 -> fp32 rne", "ties")
    assert isinstance(unit, TensorCore)
    near, away = results(unit, inputs), results(fpgen.parse_unit(unit.text.replace("rne", "rna")), inputs)
    assert (near != away).any(0).all()
    assert (near[:, 0, 0] != near[:, 1, 2]).mean() > 0.2


# ---- in simulation ----------------------------------------------------------------------------------

GOOD = [
    "dot e2m1 e2m1 n=2 -> e5m2 port flags=on",
    "dot int4 int4 n=3 + int16 -> int16 stages=1 handshake=ready",
    "blockdot e2m1@e8m0/2 e2m1@e8m0/2 k=4 + fp16 -> fp16 stages=1 handshake=valid",
    "tensorcore e2m1 e2m1 m=2 n=1 k=2 -> e5m2 stages=1",
    "dequantize e2m1@e8m0/2 -> fp16",
]


def renamed(text, other):
    """The Verilog of another unit under the name of this one."""
    return fpgen.parse_unit(other).verilog().replace(fpgen.parse_unit(other).name, fpgen.parse_unit(text).name)


def changed(text, old, new):
    found, count = re.subn(old, new, fpgen.parse_unit(text).verilog(), count=1)
    assert count, f"{old!r} is not in the Verilog of {text}: the test must follow the generator"
    return found


ALIGNED = "dot e4m3fn e4m3fn n=3 + fp16 -> fp16 rtz accumulate=aligned:fraction=12"
#: (what is wrong, the unit, its Verilog with that error).
BROKEN = [
    ("one fraction bit less", ALIGNED, lambda t: renamed(t, t.replace("fraction=12", "fraction=11"))),
    ("floor for truncate", ALIGNED.replace("rtz", "rup"), lambda t: renamed(t, t + ",treatment=floor")),
    ("sticky for truncate", ALIGNED.replace("rtz", "rdn"), lambda t: renamed(t, t + ",treatment=sticky")),
    ("ties away", "dot e2m1 e2m1 n=2 + fp16 -> fp16 rne", lambda t: renamed(t, t.replace("rne", "rna"))),
    (
        "two terms swapped with c",
        "dot e2m1 e2m1 n=2 + e5m2 -> e5m2 rne accumulate=chain",
        lambda t: renamed(t, t.replace("chain", "tree")),
    ),
    (
        "one element of a tile",
        "tensorcore e2m1 e2m1 m=2 n=1 k=1 -> fp16 rne",
        lambda t: changed(t, r"assign result = ([^;]*);", r"assign result = (\1) ^ (a == 8'h23 ? 32'h10000 : 0);"),
    ),
    ("the scale", "quantize bf16 -> e2m1@e8m0/2 rne policy=rceil", lambda t: renamed(t, t.replace("rceil", "midmax"))),
]


@pytest.fixture(scope="module")
def broken():
    units = [fpgen.parse_unit(text) for _, text, _ in BROKEN]
    return verify_many(units, verilogs=[change(text) for _, text, change in BROKEN], vectors=4000)


@pytest.mark.parametrize("texts", some([GOOD[::2], GOOD[1::2]], 2), ids=["even", "odd"])
def test_right_units_pass(texts):
    for verdict in verify_many([fpgen.parse_unit(text) for text in texts], vectors=2000):
        assert verdict.passed and verdict.vectors, verdict.text()


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=[name.replace(" ", "-") for name, _, _ in BROKEN])
def test_deliberate_errors_are_caught(broken, number):
    verdict = broken[number]
    assert not verdict.passed and verdict.mismatches, BROKEN[number][0]


def test_a_mismatch_names_the_elements_that_are_wrong(broken):
    verdict = broken[[name for name, _, _ in BROKEN].index("one element of a tile")]
    first = verdict.mismatches[0]
    assert verdict.mismatch_count == 16  # every b with the one a
    assert first.expected.startswith("[1] 0x") and first.got.startswith("[1] 0x") and "[0]" not in first.got
    assert first.inputs["a"] == "1.5 (0x3), 1.0 (0x2)" and first.inputs["b"] == "0 (0x0)"
    assert "--replay a=0x23,b=0x0" in first.replay


def test_a_wrong_scale_is_called_that(broken):
    verdict = broken[[name for name, _, _ in BROKEN].index("the scale")]
    assert any(mismatch.rule.startswith("scale, ") and "scale 0x" in mismatch.got for mismatch in verdict.mismatches)


def test_a_vector_of_arrays_is_replayed(tmp_path):
    unit = fpgen.parse_unit("dequantize e2m1@e8m0/2 -> fp16")
    verdict = verify(unit, replay="elements=0x21,scale=0x80", keep=tmp_path)
    assert verdict.passed and verdict.vectors == 1 and verdict.method == "replay"


# ---- headers ----------------------------------------------------------------------------------------


def test_headers_say_what_is_computed():
    text = fpgen.parse_unit("blockdot mxfp4 mxfp4 k=64 + fp32 -> fp32 accumulate=blackwell-mx").verilog()
    assert "sum of a_scale[j] * b_scale[j] * a[i] * b[i] + c, i = 0 to 63, j = i / 32" in text
    assert "// Sum       aligned:fraction=25,group=32\n" in text
    assert "2^(floor(log2 amax) - 2)" in fpgen.parse_unit("quantize bf16 -> mxfp4").verilog()


def test_results_of_finite_sums_are_finite_in_most_random_vectors():
    """Else NaN would hide what the random vectors are for."""
    unit, inputs = family("dot e5m2 e5m2 n=16 + fp32 -> fp32", "random_codes")
    finite = [unit.out.classify(code) is not Class.NAN for code in results(unit, inputs).tolist()]
    assert math.fsum(finite) > 0.6 * len(finite)
