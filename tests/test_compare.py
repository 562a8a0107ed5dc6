"""What moved between two stores, and what is too far."""

import json

import pytest
from click.testing import CliRunner

from fpgen import cli
from fpgen.errors import UsageError
from fpgen.sweep import store
from fpgen.sweep.compare import Rules, compare, load_rules

RULES = Rules({"area_um2": 2.0, "delay_ps": 5.0, "registers": 0.0, "fmax_mhz": 5.0}, (("mac *", {"area_um2": 50.0}),))


def record(unit="add a", area=100.0, delay=1000.0, **more):
    return {"unit": unit, "technology": "t", "recipe": "r", "target_ps": 1.0, "status": "ok", "reason": "",
            "area_um2": area, "delay_ps": delay, "fmax_mhz": 1e6 / delay, "registers": 0, "assumptions": '{"load": 4}',
            **more}


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
    assert found.passed and found.mended == ["add a, t, r"]
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


def test_the_rules_that_ship():
    rules = load_rules()
    assert rules.of("add a")["registers"] == 0


@pytest.mark.parametrize("text, part", [
    ("[tolerance]\narea = 3", "did you mean area_um2?"), ("[tolerance]\narea_um2 = -1", "from 0"),
    ("[tolerance]\narea_um2 = 'x'", "a number is allowed"), ("", "no tolerance"),
    ("[[unit]]\narea_um2 = 1", "no match"),
    ("tolerance = 3", "a table is allowed"), ("[[unit]]\nmatch = 3", "text is allowed"), ("x", "not TOML"),
    ("[tolerance]\narea_um2 = nan", "from 0"),
])
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
