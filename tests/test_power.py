"""Power: energies worked out by hand, OpenSTA's reports where they are at hand, and units from end to end."""

import json
import re
from functools import lru_cache

import numpy as np
import pytest
from click.testing import CliRunner
from portions import some
from power_cells import TEXT, bits
from ppa_helpers import LIBERTY, TIMING, fresh_cache, needs_timing

import fpgen
from fpgen.base.errors import RunFailure, UsageError
from fpgen.base.resources import resource_dir
from fpgen.command.cli import main
from fpgen.library import celltable, liberty
from fpgen.power import energy, estimate, operands, power, toggles
from fpgen.ppa import measure_unit
from fpgen.synthesis import flow
from fpgen.timing import netlist, sta

__all__ = ["fresh_cache"]


@pytest.fixture(scope="module")
def library():
    return liberty.from_text(TEXT, power=True)


def worked_out(library, text, *clocks, warm_up=1, load=3.0):
    flat = netlist.from_text(text)
    run = toggles.simulate(toggles.Simulator(flat, library, 1), bits(*clocks), warm_up)
    return power.evaluate(flat, library, run.activity, output_load_ff=load), run


def test_two_inverters_by_hand(library):
    text = """module m(a, y); input a; output y; wire n;
      INV u1 (.A(a), .Y(n)); INV u2 (.A(n), .Y(y)); endmodule"""
    found, run = worked_out(library, text, {"a": 0}, {"a": 1}, {"a": 0})
    assert run.operations == 128
    # n rises into 2 fF at slew 0: 1.2; y rises into 3 fF at n's falling slew, 40 + 4 * 2 = 48: 1 + 0.48 * 4 + 0.3.
    # Each falls once as often: 0.5. Half of each an operation.
    assert found.internal_fj == pytest.approx((1.2 + 0.5 + 3.22 + 0.5) / 2)
    assert found.switching_fj == pytest.approx(2 * 2.0 + 2 * 3.0) and found.inputs_fj == pytest.approx(2 * 2.0)
    # Two clocks are counted, a at 1 and at 0: each inverter's input is 1 half of the time.
    assert found.leakage_nw == pytest.approx((3 + 1) / 2 * 2)
    assert found.glitch_fj == found.clock_fj == found.register_internal_fj == 0


def test_tables_by_input_and_condition(library):
    text = "module m(a, b, y); input a, b; output y; NAND u (.A(a), .B(b), .Y(y)); endmodule"
    # A alone falls, then rises: Y rises (2) and falls (4).
    found, _ = worked_out(library, text, {"a": 1, "b": 1}, {"a": 0, "b": 1}, {"a": 1, "b": 1})
    assert found.internal_fj == pytest.approx((2 + 4) / 2)
    # Both fall together, then rise: the mean of both tables; B falls while A becomes 0 (0.75), and rises with A.
    found, _ = worked_out(library, text, {"a": 1, "b": 1}, {"a": 0, "b": 0}, {"a": 1, "b": 1})
    assert found.internal_fj == pytest.approx((5 + 10 + 0.75) / 2)
    # B moves under A = 0: nothing at Y.
    found, _ = worked_out(library, text, {"a": 0, "b": 1}, {"a": 0, "b": 0}, {"a": 0, "b": 1})
    assert found.internal_fj == pytest.approx((0.75 + 0.25) / 2) and found.switching_fj == 0
    # Only "A & B" has a leakage of its own; in other states it is the cell's.
    assert found.leakage_nw == pytest.approx(7)


def test_flipflop_by_hand(library):
    text = "module m(clk, d, q); input clk, d; output q; DFF r (.CK(clk), .D(d), .Q(q)); endmodule"
    found, run = worked_out(library, text, {"d": 0}, {"d": 1}, {"d": 1}, {"d": 1}, {"d": 0}, warm_up=1, load=1.0)
    # Clock by clock, after its rising edge: d 1 1 1 0, q 0 1 1 1. Rising edges see d, q of before: 00 10 11 11.
    assert found.clock_fj == pytest.approx(((1 + 4) + (0 + 2) + (1 + 2) + (1 + 4)) / 4)
    assert found.clock_net_fj == pytest.approx(2 * 2 * 1.0)
    # d rises and falls once each, at 15 as the clock is high or low; q rises once.
    assert found.register_internal_fj == pytest.approx((15 + 15 + 3) / 4)
    assert found.register_switching_fj == pytest.approx(2 * 1.0 / 4)
    assert found.inputs_fj == pytest.approx(2 * 2 * 1.0 / 4)
    assert found.register_leakage_nw == 5 and found.leakage_nw == 0
    assert run.outputs["q"][:, 0].tolist() == [0, 0, 2**64 - 1, 2**64 - 1, 2**64 - 1]


def test_estimate_by_hand(library):
    text = "module m(a, b, y); input a, b; output y; NAND u (.A(a), .B(b), .Y(y)); endmodule"
    flat = netlist.from_text(text)
    activity = estimate.estimate(flat, library, density=0.2, duty=0.25)
    # Each input decides where the other one is 1: y has 2 * 0.25 * 0.2 edges, half of them rising.
    assert activity.toggles[flat.outputs["y"]] == pytest.approx([0.05, 0.05])
    found = power.evaluate(flat, library, activity, output_load_ff=1.0)
    assert found.internal_fj == pytest.approx(0.05 * 5 + 0.05 * 10 + 0.1 * 0.75 * (0.25 + 0.75))
    assert found.switching_fj == pytest.approx(0.1 * 2)
    with pytest.raises(UsageError, match="input duty: got 2; expected 0 to 1"):
        estimate.estimate(flat, library, duty=2)
    with pytest.raises(UsageError, match="input activity: got -1"):
        estimate.estimate(flat, library, density=-1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("module m(y); output y; wire n; INV u (.A(y), .Y(n)); INV v (.A(n), .Y(y)); endmodule", "loop"),
        ("module m(g, d, y); input g, d; output y; LATCH u (.G(g), .D(d), .Y(y)); endmodule", "is a latch"),
        ("module m(a, y); input a; output y; SECRET u (.A(a), .Y(y)); endmodule", "states no function of SECRET/Y"),
        (
            """module m(a, d, q); input a, d; output q; wire c; INV u (.A(a), .Y(c));
      DFF r (.CK(c), .D(d), .Q(q)); endmodule""",
            "comes from gates",
        ),
    ],
)
def test_netlists_that_cannot_be_simulated(library, text, said):
    with pytest.raises(RunFailure, match=said):
        toggles.Simulator(netlist.from_text(text), library, 1)


def test_no_supply_voltage():
    bare = liberty.from_text(TEXT.replace("nom_voltage : 2;", ""), power=True)
    with pytest.raises(RunFailure, match="states no nom_voltage"):
        worked_out(bare, "module m(a, y); input a; output y; INV u (.A(a), .Y(y)); endmodule", {"a": 0}, {"a": 1})


# ---- OpenSTA ----------------------------------------------------------------------------------------------------


def _cases():
    """The reference netlists."""
    return json.loads((TIMING / "index.json").read_text()) if TIMING.is_dir() else []


@lru_cache(maxsize=1)
def _full(name):
    return liberty.load(LIBERTY / name, power=True)


@needs_timing
@pytest.mark.parametrize("case", some(_cases(), 3), ids=lambda case: case["netlist"])
def test_agrees_with_opensta(case):
    """Its reports have an activity of 0.2 at the inputs, propagated, and a clock of 100 ns."""
    full = _full(case["liberty"])
    flat = netlist.read_file(TIMING / case["netlist"], case["top"])
    found = power.evaluate(
        flat,
        full,
        estimate.estimate(flat, full, density=0.2),
        driving_cell=case["driving_cell"],
        output_load_ff=case["output_load_fF"],
    )
    rows = {
        row[0]: [float(text) for text in row[1:]]
        for row in re.findall(
            r"^(Sequential|Combinational)\s+(\S+)\s+(\S+)\s+(\S+)", (TIMING / case["report"]).read_text(), re.MULTILINE
        )
    }
    watts = 1e-15 / 100e-9
    gates = [found.internal_fj * watts, found.switching_fj * watts, found.leakage_nw * 1e-9]
    registers = [
        (found.register_internal_fj + found.clock_fj) * watts,
        found.register_switching_fj * watts,
        found.register_leakage_nw * 1e-9,
    ]
    assert gates == pytest.approx(rows["Combinational"], rel=5e-3)
    assert registers == pytest.approx(rows["Sequential"], rel=5e-3)


# ---- units ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "multiply e4m3fn e4m3fn -> fp16 rne",
        "fma e4m3fn e4m3fn fp16 -> fp16 rne stages=2",
        "add e5m2 e5m2 -> e5m2 rne stages=1 handshake=ready",
    ],
)
def test_unit_from_end_to_end(fresh_cache, line):
    unit = fpgen.parse_unit(line)
    point = measure_unit(unit, prove=False, power="gaussian")[0]
    assert point.failure is None and point.proof["status"] == "not attempted"
    record = point.power
    parts = [record[f"{part}_pj"] for part in ("internal", "switching", "registers", "clock", "glitch")]
    assert record["energy_pj"] == pytest.approx(sum(parts)) and all(parts[:2]) and record["leakage_nw"] > 0
    assert all(parts[2:4]) == unit.clocked
    assert 0 < record["energy_error_pj"] < 0.05 * record["energy_pj"]
    assert record["stimulus"] == "N(0,1) values" and record["operations"] >= energy.OPERATIONS
    assert json.loads(json.dumps(point.to_dict()))["power"]["assumptions"]["driving_cell"] == "buf_x2"
    assert energy.measure_energy(unit, point, "fpgen45", stimulus="gaussian").to_dict() == record  # from the cache
    uniform = energy.measure_energy(unit, point, "fpgen45")
    assert uniform.energy_pj != record["energy_pj"]
    assert uniform.leakage_nw == pytest.approx(record["leakage_nw"], rel=0.2)
    # The netlist computes what the golden model says of these operands: it is the unit that was measured.
    given, result = simulated(unit, point, 12)
    golden = unit.compute(*(given.codes(name) for name in unit.operand_names)).codes
    late = unit.latency
    assert (result[late + 2 :] == golden[2 : 12 - late]).all()


def simulated(unit, point, clocks):
    """Uniform operands, and the results of a unit's netlist, shape (clocks, streams)."""
    flat = netlist.from_text(flow.netlist_text(point.netlist_hash), unit.name)
    library = liberty.load(flow.load_technology("fpgen45").liberty, power=True)
    given = operands.Operands(unit, operands.load("uniform"), seed=3, clocks=clocks, words=4)
    run = toggles.simulate(toggles.Simulator(flat, library, 4), given, unit.latency + 2)
    lanes = [
        np.unpackbits(run.outputs[f"result[{k}]"].view(np.uint8), axis=-1, bitorder="little").astype(np.uint64)
        for k in range(unit.out.bits)
    ]
    return given, sum(lane << np.uint64(k) for k, lane in enumerate(lanes))


def test_an_accumulator_keeps_its_sum(fresh_cache):
    unit = fpgen.parse_unit("mac e2m1 e2m1 -> e4m3fn rne stages=1")
    point = measure_unit(unit, prove=False, power="gaussian")[0]
    assert point.power["registers_pj"] > 0
    clocks = 2 * operands.CLEAR_EVERY
    given, result = simulated(unit, point, clocks)
    clear = (np.arange(256) + np.arange(clocks)[:, None]) % operands.CLEAR_EVERY == 0
    golden = unit.compute(given.codes("a").T, given.codes("b").T, clear=clear.T.astype(int)).codes.T
    first, late = operands.CLEAR_EVERY, unit.latency  # by then every stream has begun a sum
    assert (result[first + late :] == golden[first : clocks - late]).all()


def test_command(fresh_cache, tmp_path):
    line = "multiply e3m2 e3m2 -> e4m3fn"
    done = CliRunner().invoke(main, ["ppa", line, "--power"])
    assert done.exit_code == 0 and "energy pJ/op" in done.output and "uniform codes, seed 1" in done.output
    assert "proven" in done.output
    path = tmp_path / "mine.npy"
    np.save(path, np.random.default_rng(1).integers(0, 64, (500, 2)))
    done = CliRunner().invoke(main, ["ppa", line, "--power", str(path), "--json"])
    assert json.loads(done.output)[0]["power"]["stimulus"] == "codes of mine.npy, 500 rows"
    done = CliRunner().invoke(main, ["ppa", "--power", line, "--json"])  # the unit is not taken for a stimulus
    before = json.loads(done.output)[0]["power"]
    assert before["stimulus"] == "uniform codes" and (before["seed"], before["operations"]) == (1, energy.OPERATIONS)
    done = CliRunner().invoke(main, ["ppa", "--power", "gaussian:sigma=2,seed=3,operations=100", line, "--json"])
    record = json.loads(done.output)[0]["power"]
    assert (record["stimulus"], record["seed"], record["operations"]) == ("N(0,1) values times 2", 3, 128)
    assert record["energy_error_pj"] is None
    done = CliRunner().invoke(main, ["ppa", line, "--power", "--seed", "3"])
    assert done.exit_code == 2 and "--power uniform:seed=N" in done.output
    for given in (["--power", "multipy e3m2 -> e3m2"], ["--power"]):
        assert CliRunner().invoke(main, ["ppa", *given]).exit_code == 2
    done = CliRunner().invoke(main, ["ppa", line, "--power", "zipf"])
    assert done.exit_code == 2 and "power stimulus: got 'zipf'" in done.output


def test_the_standard_error_is_that_of_other_seeds(fresh_cache):
    unit = fpgen.parse_unit("multiply e4m3fn e4m3fn -> fp16 rne")
    point = measure_unit(unit, prove=False)[0]
    found = [
        energy.measure_energy(unit, point, "fpgen45", stimulus="gaussian", seed=seed, vectors=4096)
        for seed in range(16)
    ]
    told = np.sqrt(np.mean([item.energy_error_pj**2 for item in found]))
    assert 0.5 < told / np.std([item.energy_pj for item in found], ddof=1) < 2


def test_a_library_without_energies_is_told(fresh_cache, tmp_path):
    table = celltable.read(resource_dir("synth") / "tech" / "fpgen45.toml")
    path = tmp_path / "bare.lib"
    path.write_text(re.sub(r"internal_power \(\) \{[^{}]*(\{[^{}]*\}[^{}]*)*\}", "", celltable.to_liberty(table)))
    point = measure_unit(fpgen.parse_unit("multiply e2m1 e2m1 -> e4m3fn rne"), liberty=path, power="uniform")[0]
    assert point.power["internal_pj"] == 0 and point.power["switching_pj"] > 0
    used = point.power["assumptions"]["cells_without_energy"]
    assert used and set(used) <= {cell.name for cell in table.cells}
    assert f"no internal energy of {used[0]}" in energy.stimulus_text(point.power)


def test_measure_energy_refusals(fresh_cache):
    unit = fpgen.parse_unit("multiply e2m1 e2m1 -> e4m3fn rne")
    point = measure_unit(unit, prove=False)[0]
    with pytest.raises(UsageError, match="vectors for power: got 0"):
        energy.measure_energy(unit, point, "fpgen45", vectors=0)
    with pytest.raises(UsageError, match="seed: got -1"):
        energy.measure_energy(unit, point, "fpgen45", seed=-1)
    (next((fresh_cache / "netlists").glob("*.gz"))).unlink()
    with pytest.raises(RunFailure, match="the cache has no netlist"):
        energy.measure_energy(unit, point, "fpgen45")
    assert measure_unit(unit, prove=False, power="uniform")[0].power is not None  # measured again


def test_wire_load_costs_energy(library):
    flat = netlist.from_text("module m(a, y); input a; output y; INV u (.A(a), .Y(y)); endmodule")
    activity = estimate.estimate(flat, library)
    bare, wired = (
        power.evaluate(flat, library, activity, output_load_ff=1.0, wire_load=load).switching_fj for load in (None, 2.0)
    )
    assert wired == pytest.approx(3 * bare)
    assert sta.slews(flat, library)[1].shape == (2 * len(flat.net_names),)
