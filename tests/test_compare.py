"""What moved between two stores, and what is too far."""

import json

import pytest
from click.testing import CliRunner

from fpgen.base.errors import UsageError
from fpgen.command import cli
from fpgen.sweep import store
from fpgen.sweep.compare import Rules, compare, load_rules

RULES = Rules({"area_um2": 2.0, "delay_ps": 5.0, "registers": 0.0, "fmax_mhz": 5.0}, (("mac *", {"area_um2": 50.0}),))


def record(unit="add a", area=100.0, delay=1000.0, **more):
    return {
        "unit": unit,
        "technology": "t",
        "recipe": "r",
        "target_ps": 1.0,
        "status": "ok",
        "reason": "",
        "area_um2": area,
        "delay_ps": delay,
        "fmax_mhz": 1e6 / delay,
        "registers": 0,
        "assumptions": '{"load": 4}',
        **more,
    }


def told(before, after, rules=RULES):
    found = compare(before, after, rules)
    return found.passed, {(change.unit, change.metric): change.regression for change in found.changes}


def test_nothing_moved():
    assert told([record()], [record()]) == (True, {})


def test_within_and_beyond_tolerance():
    assert told([record()], [record(area=102.0)]) == (True, {("add a", "area_um2"): False})
    assert told([record()], [record(area=102.1)]) == (False, {("add a", "area_um2"): True})
    assert told([record("mac a")], [record("mac a", area=140.0)])[0]
    assert told([record()], [record(registers=1)]) == (False, {("add a", "registers"): True})


def test_more_speed_is_better_and_less_is_worse():
    assert told([record()], [record(delay=500.0)])[0]
    passed, moved = told([record()], [record(delay=1200.0)])
    assert not passed and moved == {("add a", "delay_ps"): True, ("add a", "fmax_mhz"): True}
    assert compare([record()], [record(delay=500.0)], RULES).changes[0].percent < 0


def test_worst_comes_first():
    found = compare([record(), record("add b")], [record(area=103.0), record("add b", area=110.0)], RULES)
    assert [change.unit for change in found.changes] == ["add b", "add a"]
    assert [change.percent for change in found.changes] == pytest.approx([10, 3])


def test_records_that_come_go_break_and_mend():
    broken = record(status="failed", reason="Yosys\nfell over", area_um2=None)
    assert compare([record()], [broken], RULES).broken == ["add a, t, r: Yosys"]
    found = compare([broken], [record()], RULES)
    assert found.passed and found.fixed == ["add a, t, r"]
    assert compare([record()], [], RULES).gone == ["add a, t, r"] and not compare([record()], [], RULES).passed
    assert compare([], [record()], RULES).new and compare([], [record()], RULES).passed
    assert compare([broken], [broken], RULES).passed


def test_figures_under_other_assumptions_are_not_compared():
    found = compare([record()], [record(area=1.0, assumptions='{"load": 8}')], RULES)
    assert not found.passed and not found.changes and "load 4 then, 8 now" in found.incomparable[0]


def test_targets_stand_against_each_other_in_order():
    before = [record(target_ps=1.0), record(target_ps=1250.0, area=80.0)]
    after = [record(target_ps=1200.0, area=80.0), record(target_ps=1.0)]
    assert told(before, after) == (True, {})
    assert compare(before, after, RULES).notes == [
        "1 of the records were made for other delay targets; the first 1250 ps then, 1200 ps now: "
        "add a, t, r, target 1250 ps"
    ]


def test_a_target_more_moves_nothing():
    """A sweep at 700 ps against one at 650 and 700 ps: the points at 700 ps are the same, whichever is shorter."""
    one, two = [record(target_ps=700.0)], [record(target_ps=650.0, area=120.0, delay=900.0), record(target_ps=700.0)]
    found = compare(one, two, RULES)
    assert found.passed and not found.changes and not found.notes and found.new == ["add a, t, r, target 650 ps"]
    found = compare(two, one, RULES)
    assert not found.changes and found.gone == ["add a, t, r, target 650 ps"]


def test_equal_targets_of_several_samples_are_not_mixed_up():
    """Three samples of one target (other internal names) stand against three, in their order."""
    samples = [record(target_ps=1.0, area=area) for area in (100.0, 101.0, 102.0)]
    found = compare(samples, samples, RULES)
    assert found.records == 3 and found.passed and not found.changes


def test_the_rules_that_ship():
    rules = load_rules()
    assert rules.of("add a")["registers"] == 0


@pytest.mark.parametrize(
    "text, part",
    [
        ("[tolerance]\narea = 3", "did you mean area_um2?"),
        ("[tolerance]\narea_um2 = -1", "from 0"),
        ("[tolerance]\narea_um2 = 'x'", "got 'x'; expected a number"),
        ("", "got no tolerance"),
        ("[[unit]]\narea_um2 = 1", "match: got none"),
        ("tolerance = 3", "expected a table"),
        ("[[unit]]\nmatch = 3", "expected text"),
        ("x", "not TOML"),
        ("[tolerance]\narea_um2 = nan", "from 0"),
    ],
)
def test_rules_that_are_none(tmp_path, text, part):
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(UsageError) as refused:
        load_rules(tmp_path / "rules.toml")
    assert part in str(refused.value) and "rules.toml" in str(refused.value)


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store.write(tmp_path / "before", [record(), record("add b")])
    store.write(tmp_path / "after", [record(area=101.0), record("add b", area=120.0)])
    result = CliRunner().invoke(cli.main, ["compare", "before.csv", "after"])
    assert result.exit_code == 1
    assert "add b" in result.stdout and "REGRESSION" in result.stdout and "+20.00 %" in result.stdout
    result = CliRunner().invoke(cli.main, ["compare", "before.csv", "before.csv", "--json"])
    assert result.exit_code == 0 and json.loads(result.stdout)["passed"]
    result = CliRunner().invoke(cli.main, ["compare", "before.csv", "nowhere.csv"])
    assert result.exit_code == 2 and "nowhere.csv: not found" in result.stderr


# ---- what else tells records apart, and what figures rest on ------------------------


def test_other_ways_to_measure_are_other_records():
    """A value that is added in front of the others moves nothing."""

    def loads(*given):
        return [record(area=100.0 + load, param_wire_load=load) for load in given]

    assert told(loads(2, 4), loads(2, 4)) == (True, {})
    found = compare(loads(2, 4), loads(0, 2, 4), RULES)
    assert found.passed and not found.changes and found.new == ["add a, t, r, wire_load=0"]
    found = compare(loads(0, 2, 4), loads(4, 2), RULES)
    assert found.gone == ["add a, t, r, wire_load=0"] and not found.changes
    # CSV of a list that has a text in it gives texts; the same value all the same
    assert not compare(
        loads(2, 4), [record(area=104.0, param_wire_load="4"), record(area=102.0, param_wire_load="2")], RULES
    ).changes


def test_one_value_of_measure_tells_nothing_apart():
    before, after = [record(param_wire_load=2)], [record(param_wire_load=4, assumptions='{"load": 5}')]
    assert compare(before, after, RULES).incomparable == ["add a, t, r: load 4 then, 5 now"]


def test_a_point_that_fails_as_a_whole_stands_for_all_its_records():
    good = [record(recipe="area/plain/a", target_ps=target) for target in (1.0, 900.0)]
    for recipe in ("area", "", "effort fair"):
        failed = {
            "unit": "add a",
            "status": "failed",
            "reason": "the disk fell over",
            "recipe": recipe,
            "technology": "t",
        }
        found = compare(good, [failed], RULES)
        assert not found.passed and not found.gone and not found.new
        assert found.broken == [
            "add a, t, area/plain/a, target 1 ps: the disk fell over",
            "add a, t, area/plain/a, target 900 ps: the disk fell over",
        ]
        found = compare([failed], good, RULES)
        assert found.passed and len(found.fixed) == 2 and not found.new and not found.gone
    other = {"unit": "add a", "status": "failed", "reason": "x", "recipe": "are", "technology": "t"}
    assert len(compare(good, [other], RULES).gone) == 2


def test_a_figure_that_vanished_is_told_when_a_rule_is_about_it():
    found = compare([record()], [record(delay_ps=None)], RULES)
    assert not found.passed and found.broken == ["add a, t, r: no delay_ps any more"]
    assert compare([record(energy_pj=1.0)], [record()], RULES).passed
    assert compare([record(delay_ps=None)], [record()], RULES).passed


@pytest.mark.parametrize(
    "metric, basis",
    [
        ("energy_pj", "power_stimulus"),
        ("energy_pj", "power_seed"),
        ("leakage_nw", "power_assumptions"),
        ("error_rms", "error_data"),
    ],
)
def test_figures_on_other_data_are_not_compared(metric, basis):
    before, after = record(**{metric: 1.0, basis: "this"}), record(**{metric: 9.0, basis: "that"})
    found = compare([before], [after], Rules({metric: 1.0}))
    assert not found.passed and not found.regressions
    assert found.incomparable == [f"add a, t, r: {metric}: {basis} this then, that now"]
    assert compare([before], [{**before, metric: 9.0}], Rules({metric: 1.0})).regressions


def test_other_tools_and_libraries_are_told_and_are_no_failure():
    before = [record(versions='{"yosys": "0.69"}', library_hash="a"), record("add b", versions='{"yosys": "0.69"}')]
    after = [record(versions='{"yosys": "0.70"}', library_hash="b"), record("add b", versions='{"yosys": "0.70"}')]
    found = compare(before, after, RULES)
    assert found.passed and found.notes == [
        "tools: yosys 0.69 then, 0.70 now",
        "the library t has another content: a then, b now",
    ]


@pytest.mark.parametrize("tolerance", [0.0, 2.0, 3.0, 33.3])
def test_just_below_and_just_above(tolerance):
    rules = Rules({"area_um2": tolerance, "fmax_mhz": tolerance})
    for sign, metric in ((1, "area_um2"), (-1, "fmax_mhz")):
        limit = 1000.0 * (1 + sign * tolerance / 100)
        at = [record(**{metric: limit + sign * step}) for step in (-1e-4, 0.0, 1e-4)]
        assert [told([record(**{metric: 1000.0})], [item], rules)[0] for item in at] == [True, True, False]


def test_odd_values_neither_crash_nor_pass_for_better():
    for value in (float("inf"), float("-inf"), 0.0, -1.0):
        found = compare([record(area=value)], [record(area=100.0)], RULES)
        assert all(change.percent == change.percent for change in found.changes)
        assert not compare([record(area=100.0)], [record(area=float("inf"))], RULES).passed
    for text in ("x", "[1]", "3", '"a"', None, ""):
        compare([record(assumptions=text, versions=text)], [record(assumptions="[2]", versions=text)], RULES)


def test_stores_of_both_kinds_and_damaged_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store.write(tmp_path / "a", [record(param_wire_load="none"), record(area=103.0, param_wire_load=1.5)])
    pytest.importorskip("pyarrow")
    for pair in (["a.csv", "a.parquet"], ["a.parquet", "a.csv"], ["a", "a"]):
        result = CliRunner().invoke(cli.main, ["compare", *pair])
        assert result.exit_code == 0 and "2 records compared, 0 figures worse" in result.stdout
    whole = (tmp_path / "a.parquet").read_bytes()
    for damaged in (whole[:-40], whole[:100] + b"\xff" * 40 + whole[140:], whole[:8], b""):
        (tmp_path / "b.parquet").write_bytes(damaged)
        result = CliRunner().invoke(cli.main, ["compare", "a.csv", "b.parquet"])
        assert result.exit_code == 2 and "b.parquet: not Parquet" in result.stderr and "Traceback" not in result.stderr
    (tmp_path / "rules.toml").write_text("[tolerance]\nspeed = 3\n")
    result = CliRunner().invoke(cli.main, ["compare", "a", "a", "--rules", "rules.toml"])
    assert result.exit_code == 2 and "key: got speed" in result.stderr


def test_the_command_prints_notes_and_what_is_gone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store.write(tmp_path / "a", [record(versions='{"yosys": "1"}'), record("add b")])
    store.write(tmp_path / "b", [record(versions='{"yosys": "2"}')])
    result = CliRunner().invoke(cli.main, ["compare", "a.csv", "b.csv"])
    assert result.exit_code == 1 and "GONE: add b, t, r" in result.stdout
    assert "note: tools: yosys 1 then, 2 now" in result.stdout
