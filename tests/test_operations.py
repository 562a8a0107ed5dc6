"""Every card of the table of operations has every layer, and the layers agree with each other."""

import dataclasses
import enum
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import fpgen
from fpgen.formats import Class, Format
from fpgen.golden.exact import exact_model, exact_round
from fpgen.golden.exact.exact_scalar import operand, rounded
from fpgen.golden.result import Result
from fpgen.handoff.datasheet import datasheet_files
from fpgen.rtl import graph_of
from fpgen.rtl.evaluate import evaluate
from fpgen.rtl.float import boundary, scalar_datapaths, special_operands
from fpgen.rtl.float.cores import operand_alone
from fpgen.rtl.float.rounder import round_and_pack
from fpgen.units import OPERATIONS, Operation, Port, Role, Rounding, Unit, card_of, layer
from fpgen.units.operations import Terms, card_named
from fpgen.units.options import Flags
from fpgen.verify import model_check

#: A small unit of each operation, and one with more of its options.
EXAMPLES = {
    "multiply": ["multiply e4m3fn e5m2 -> fp16", "multiply int8 e4m3fn -> e5m2 port tininess=before"],
    "add": ["add e5m2 e4m3fn -> e5m2", "add fp16 bf16 -> bf16 sra random_bits=4 subtract=port"],
    "fma": ["fma e4m3fn e4m3fn fp16 -> fp16", "fma e2m1 e3m2 int8 -> e4m3fn port subnormals=both"],
    "mac": ["mac e4m3fn e4m3fn -> fp16 loadable=on", "mac int8 e4m3fn -> fp32 accumulate=exact terms=16"],
    "convert": ["convert fp32 -> e4m3fn", "convert fp64 -> int16 port saturate"],
    "dot": ["dot e4m3fn e4m3fn n=4 + fp32 -> fp32", "dot fp16 fp16 n=4 + fp32 -> fp32 accumulate=hopper"],
    "blockdot": ["blockdot mxfp4 mxfp4 k=32 -> fp32", "blockdot bf16 mxfp4 k=32 + fp32 -> fp32 accumulate=chain"],
    "quantize": ["quantize bf16 -> mxfp4", "quantize fp32 -> nvfp4 rtz"],
    "dequantize": ["dequantize mxfp4 -> bf16", "dequantize nvfp4 -> e5m2 port"],
    "tensorcore": ["tensorcore e2m1 e2m1 m=2 n=3 k=4 -> fp16", "tensorcore mxfp4 mxfp4 m=1 n=2 k=32 + fp32 -> fp32"],
}
TEXTS = [text for texts in EXAMPLES.values() for text in texts]


def test_every_card_has_examples():
    assert set(EXAMPLES) == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_card_is_whole(name):
    card = OPERATIONS[name]
    assert card.summary and card.group and card.unit.__doc__
    assert getattr(fpgen, card.unit.__name__) is card.unit and card.unit.__name__ in fpgen.__all__
    for place in ("exact", "fast", "hardware"):
        assert callable(layer(card.unit, place))
    assert isinstance(card.families, Terms) or callable(layer(card.unit, "families"))
    if card.reference:
        assert callable(layer(card.unit, "reference"))


@pytest.mark.turns(2)
@pytest.mark.parametrize("text", TEXTS)
def test_the_models_agree_on_drawn_codes(text):
    found = model_check._compare(fpgen.parse_unit(text).behaviour, 600, seed=7)
    assert found.results >= 600 and not found.different, found.example


@pytest.mark.turns(2)
@pytest.mark.parametrize("text", TEXTS)
def test_the_hardware_agrees_on_drawn_codes(text):
    unit = fpgen.parse_unit(text)
    if unit.stateful:
        pytest.skip("the graph of a unit with state is one step (tests/test_rtl_mac.py)")
    graph = graph_of(unit)
    for _, inputs in model_check._drawn(unit, 300, seed=3):
        operands = {name: inputs[name] for name in unit.operands}
        controls = {name: array for name, array in inputs.items() if name not in operands}
        expected = unit.compute(**operands, **controls)
        packed = {port.name: packed_codes(port, inputs[port.name]) for port in unit.ports if port.travels_in}
        found = evaluate(graph, **packed)
        for port in unit.ports:
            if port.role is Role.RESULT:
                wanted = packed_codes(port, expected.outputs[port.name])
                assert [int(code) for code in found[port.name]] == wanted.tolist()


def packed_codes(port: Port, codes: np.ndarray) -> np.ndarray:
    """Arrays of codes as the numbers on the pins."""
    rows = codes.reshape(len(codes), -1).tolist()
    width = port.element_width
    numbers = [sum(code << width * index for index, code in enumerate(row)) for row in rows]
    return np.array(numbers, dtype=np.uint64 if port.width <= 63 else object)


@pytest.mark.turns(2)
@pytest.mark.parametrize("text", TEXTS)
def test_header_and_datasheet_have_the_formula(text):
    unit = fpgen.parse_unit(text)
    formula = card_of(unit).formula(unit)
    assert formula and formula[0][0] == "Result"
    head = unit.verilog().split("module ")[0].replace("\n//           ", " ")
    sheet = datasheet_files(unit)["datasheet.md"]
    for _, line in formula:
        assert line in sheet
        assert line in head


@pytest.mark.turns(2)
@pytest.mark.parametrize("mode", [mode for mode in Rounding if mode is not Rounding.PORT], ids=lambda mode: mode.value)
@pytest.mark.parametrize("text", ["multiply e3m2 e2m3 -> e2m1", "add e3m2 e2m3 -> e3m2", "convert fp16 -> e4m3fn"])
def test_every_rounding_mode_in_every_model_and_in_hardware(text, mode):
    random = " random_bits=3" if mode.stochastic else ""
    unit = fpgen.parse_unit(f"{text} {mode.value}{random} flags=on")
    grids = np.meshgrid(*(np.arange(0, 1 << fmt.bits, 1 + fmt.bits // 16) for fmt in unit.operands.values()))
    codes = {name: grid.reshape(-1) for name, grid in zip(unit.operands, grids, strict=True)}
    count = len(next(iter(codes.values())))
    if mode.stochastic:
        codes["random"] = np.random.default_rng(2).integers(0, 8, count)
    operands = {name: codes[name] for name in unit.operands}
    exact = exact_model.compute(unit, operands, {name: codes[name] for name in codes if name not in operands})
    fast = unit.compute(**codes)
    made = evaluate(graph_of(unit), **{name: array.astype(np.uint64) for name, array in codes.items()})
    np.testing.assert_array_equal(fast.codes, exact.codes)
    np.testing.assert_array_equal(fast.flags, exact.flags)
    np.testing.assert_array_equal(made["result"], exact.codes)
    np.testing.assert_array_equal(made["flags"], exact.flags)


@pytest.mark.parametrize(("place", "what"), Operation.LAYERS.items())
def test_a_card_without_a_layer_says_so(place, what, monkeypatch):
    monkeypatch.setitem(OPERATIONS, "add", dataclasses.replace(OPERATIONS["add"], **{place: ""}))
    with pytest.raises(fpgen.UsageError, match=f"^add has no {what}$"):
        layer(fpgen.Add, place)


def test_a_layer_that_cannot_be_imported_says_what_its_card_names(monkeypatch):
    monkeypatch.setitem(OPERATIONS, "add", dataclasses.replace(OPERATIONS["add"], exact="fpgen.nowhere:add"))
    with pytest.raises(fpgen.RunFailure, match=r"add has no exact model: its card names fpgen\.nowhere:add"):
        layer(fpgen.Add, "exact")


def test_unknown_operations():
    with pytest.raises(fpgen.UsageError, match="did you mean multiply"):
        card_named("multipy")
    with pytest.raises(fpgen.UsageError, match="which has no card"):
        card_of(Unit)


# ---- results that are no rounded number, and more than one of them -----------------------------------------------


class Kind(enum.IntEnum):
    ZERO = 0
    FINITE = 1
    INFINITE = 2
    NAN = 3


@dataclass(frozen=True, kw_only=True)
class Inspect(Unit):
    """The class of `a` as a 2-bit code, its sign, and whether it is below `b` in magnitude of code."""

    operation: ClassVar[str] = "inspect"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")

    a: Format
    b: Format

    @property
    def multiplies(self) -> bool:
        return False

    def _result_ports(self) -> list[Port]:
        return [Port("kind", 2, False, Role.RESULT), Port("negative", 1, False, Role.RESULT)]


def inspect_exactly(unit):
    def operate(row):
        fmt = unit.a
        kinds = {Class.ZERO: Kind.ZERO, Class.FINITE: Kind.FINITE, Class.INFINITY: Kind.INFINITE, Class.NAN: Kind.NAN}
        return {
            "kind": int(kinds[fmt.classify(row["a"])]),
            "negative": int(row["a"] >> fmt.bits - 1),
        }, Flags(0)

    return operate


def inspect_fast(unit, inputs):
    a, fmt = inputs["a"].astype(np.uint64), unit.a
    magnitude = a & np.uint64(fmt.sign_mask - 1)
    kind = np.where(magnitude == 0, 0, np.where(magnitude <= fmt.max_finite_code, 1, 3))
    kind = np.where(magnitude == fmt.infinity_code, 2, kind)
    outputs = {"kind": kind.astype(np.uint8), "negative": (a >> np.uint64(fmt.bits - 1)).astype(np.uint8)}
    return Result(outputs, np.zeros(a.shape, np.uint8))


def inspect_hardware(g, unit):
    a, fmt = g.inputs["a"], unit.a
    field = a[fmt.trailing_bits : fmt.bits - 1]
    special, fraction = field.all(), a[: fmt.trailing_bits].any()
    nan, infinite = special & fraction, special & ~fraction
    finite = (field.any() | fraction) & ~special
    return {
        "kind": g.step("kind_code", g.cat(finite | nan, infinite | nan)),
        "negative": g.step("sign", a[fmt.bits - 1]),
    }


@pytest.fixture
def inspecting(monkeypatch):
    here = __name__
    card = Operation(
        unit=Inspect,
        group="test",
        summary="what a number is",
        formula=lambda unit: [("Result", "kind of a, sign of a")],
        exact=f"{here}:inspect_exactly",
        fast=f"{here}:inspect_fast",
        hardware=f"{here}:inspect_hardware",
        families=Terms(("a",), "b"),
    )
    monkeypatch.setitem(OPERATIONS, "inspect", card)


def test_several_results_that_are_no_numbers(inspecting):
    unit = fpgen.parse_unit("inspect e5m2 e4m3fn stages=1 handshake=valid")
    assert unit == fpgen.parse_unit(unit.text) == fpgen.unit_from_dict(unit.to_dict())
    assert unit.name == "inspect_e5m2_e4m3fn_stages_1_handshake_valid" and "flags" not in [p.name for p in unit.ports]
    result = unit.compute([0x00, 0x01, 0x7C, 0xFF], 0)
    assert result.outputs["kind"].tolist() == [0, 1, 2, 3] and result.outputs["negative"].tolist() == [0, 0, 0, 1]
    with pytest.raises(fpgen.UsageError, match="got a unit with the results kind, negative"):
        _ = result.codes
    assert "Rounding" not in unit.verilog() and "kind of a, sign of a" in datasheet_files(unit)["datasheet.md"]
    verdict = unit.verify()
    assert verdict.passed and verdict.vectors == 65536 and verdict.model_results >= 10_000, verdict.reason


def test_an_arrow_is_rejected_where_no_format_follows(inspecting):
    with pytest.raises(fpgen.UsageError, match=r"got an arrow; expected inspect A B \[options\]"):
        fpgen.parse_unit("inspect e5m2 e4m3fn -> fp16")


def test_a_datapath_with_other_outputs_is_rejected(inspecting, monkeypatch):
    card = dataclasses.replace(OPERATIONS["inspect"], hardware=f"{__name__}:half_of_it")
    monkeypatch.setitem(OPERATIONS, "inspect", card)
    with pytest.raises(fpgen.UsageError, match="the datapath of inspect: got outputs"):
        graph_of(fpgen.parse_unit("inspect fp16 e4m3fn"))


def half_of_it(g, unit):
    return {"kind": inspect_hardware(g, unit)["kind"]}


# ---- division by zero, and a remainder -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Guard(fpgen.units.RoundedUnit):
    """`a`, but infinite with DZ where `b` is zero and `a` finite and not zero: what a division does with its flags."""

    operation: ClassVar[str] = "guard"
    operand_names: ClassVar[tuple[str, ...]] = ("a", "b")

    a: Format
    b: Format


def guard_exactly(unit):
    def exact(row, mode):
        a, b = (operand(unit, row, name) for name in "ab")
        if b.is_zero and a.kind is Class.FINITE:
            return exact_model.Exact(Class.INFINITY, a.sign, divides_by_zero=True)
        return a

    return rounded(unit, exact)


def guard_fast(unit, inputs):
    from fpgen.golden.scalar import deliver
    from fpgen.golden.scalar.decode import float64_values, signaling
    from fpgen.golden.scalar.float64_engine import locate
    from fpgen.golden.scalar.modes import select_modes

    a, b = (float64_values(unit.operands[name], inputs[name].reshape(-1), False) for name in "ab")
    divided = (b == 0) & np.isfinite(a) & (a != 0)
    a = np.where(divided, np.copysign(np.inf, a), a)
    target = deliver.target(unit.out)
    shadow = None if np.isfinite(a).all() else a
    modes = select_modes(unit.rounding, None, None, 0)
    invalid = signaling(unit.a, inputs["a"].reshape(-1))
    with np.errstate(all="ignore"):
        codes, flags = deliver.deliver(target, unit.semantics, modes, locate(a, target), shadow, invalid, divided)
    return Result({"result": codes.reshape(inputs["a"].shape)}, flags.reshape(inputs["a"].shape))


def guard_hardware(g, unit):
    mode, target = boundary.rounding_of(g, unit)
    a, b = scalar_datapaths.operand(g, unit, "a"), scalar_datapaths.operand(g, unit, "b")
    value, what = operand_alone(g, a, target), special_operands.of_operand(g, a)
    divided = b.zero & ~(a.nan | a.infinity | a.zero)
    what = dataclasses.replace(what, infinity=what.infinity | divided, divides_by_zero=divided)
    return boundary.delivered(g, unit, *round_and_pack(g, value, what, mode, target))


@pytest.mark.parametrize(
    "formats", ["e5m2 e5m2 -> e5m2", "e3m2 e2m1 -> e4m3fn", "e4m3 e3m2 -> int8", "e3m2 e3m2 -> e2m1"]
)
def test_division_by_zero_in_every_layer(formats, monkeypatch):
    here = __name__
    card = Operation(
        unit=Guard,
        group="test",
        summary="a",
        formula=lambda unit: [("Result", "a")],
        exact=f"{here}:guard_exactly",
        fast=f"{here}:guard_fast",
        hardware=f"{here}:guard_hardware",
        families=Terms(("a",), "b"),
    )
    monkeypatch.setitem(OPERATIONS, "guard", card)
    unit = fpgen.parse_unit(f"guard {formats} flags=on")
    a, b = np.meshgrid(np.arange(1 << unit.a.bits), np.arange(1 << unit.b.bits), indexing="ij")
    codes = {"a": a.reshape(-1), "b": b.reshape(-1)}
    exact, fast = exact_model.compute(unit, codes), unit.compute(**codes)
    made = evaluate(graph_of(unit), **{name: array.astype(np.uint64) for name, array in codes.items()})
    for codes_found, flags in ((fast.codes, fast.flags), (made["result"], made["flags"])):
        np.testing.assert_array_equal(codes_found, exact.codes)
        np.testing.assert_array_equal(flags, exact.flags)
    raised = exact.flags & Flags.DZ != 0
    assert raised.any() and not raised.all()
    divided = exact.flags[raised]
    assert (divided == (Flags.DZ if unit.out.has_infinity else Flags.DZ | Flags.NV)).all()


def test_a_remainder_decides_what_a_tie_would():
    """1/3 is above 0.01010101 in binary, and its remainder says so however few bits are kept."""
    out = fpgen.parse_format("e4m3fn")
    semantics = fpgen.parse_unit("convert fp16 -> e4m3fn").semantics
    tie = exact_round.finite(0, (0b1001 << 8) | 0x80, -8)  # 9.5: a tie between 9 and 10 with 4 bits
    above = exact_round.finite(0, (0b1001 << 8) | 0x80, -8, sticky=True)
    assert out.value(exact_round.round_to(tie, out, semantics)[0]) == 10  # to even
    low = exact_round.finite(0, (0b1000 << 8) | 0x80, -8)  # 8.5
    assert out.value(exact_round.round_to(low, out, semantics)[0]) == 8
    assert out.value(exact_round.round_to(dataclasses.replace(low, sticky=True), out, semantics)[0]) == 9
    assert exact_round.round_to(above, out, semantics)[1] == Flags.NX
    whole = exact_round.finite(0, 0b1000 << 8, -8)
    assert exact_round.round_to(whole, out, semantics)[1] == 0
    assert exact_round.round_to(dataclasses.replace(whole, sticky=True), out, semantics)[1] == Flags.NX
    with pytest.raises(ValueError, match="a remainder 0 places below the last bit"):
        exact_round.round_to(exact_round.finite(0, 0b1001, 0, sticky=True), out, semantics)
    with pytest.raises(ValueError, match="a division by zero is infinite"):
        exact_round.Exact(Class.FINITE, 0, 1, 0, divides_by_zero=True)
