"""Everything that can be varied: each parameter of a unit, and each key of [measure]."""

import json
from pathlib import Path

import pytest
from ppa_helpers import LIBERTY, fresh_cache, needs_liberty
from sweep_cases import small

from fpgen.base.errors import UsageError
from fpgen.sweep import local, spec, store
from fpgen.sweep import sweep_run as run
from fpgen.sweep.cases import cases, check_measure
from fpgen.sweep.job import job_of
from fpgen.sweep.measure import measure
from fpgen.sweep.plan import AXES, KEYS, Measure

__all__ = ["fresh_cache"]

ADD = "add fp16 fp16 -> fp16 rne"
VARIED = {
    "formats": ("add {x} {x} -> {x} rne", ["fp16", "bf16", "e4m3fn", "e5m7"]),
    "precision": ("fma e5m{x - 1} e5m{x - 1} e5m{x - 1} -> e5m{x - 1} rne", {"from": 2, "to": 24}),
    "stages": (ADD + " stages={x}", {"from": 0, "to": 6}),
    "period": (ADD + " period={x}", {"from": 400, "to": 1000, "step": 200}),
    "rounding": ("add fp16 fp16 -> fp16 {x}", ["rne", "rna", "rtz", "rup", "rdn", "raz", "rto"]),
    "a switch": (ADD + " flags={x}", [True, False]),
    "architecture of multipliers": ("multiply fp16 fp16 -> fp16 rne multiplier={x}", ["array", "booth"]),
    "architecture of adders": (ADD + " adder={x}", ["sklansky", "kogge-stone"]),
    "architecture of sums": (
        "dot e4m3fn e4m3fn n=8 + fp32 -> fp32 accumulate={x}",
        ["exact", "tree", "chain", "aligned:fraction=26"],
    ),
    "accumulator width F": (
        "dot e4m3fn e4m3fn n=32 + fp32 -> fp32 rtz accumulate=aligned:fraction={x}",
        {"from": 24, "to": 40, "step": 4},
    ),
    "block size": ("quantize fp32 -> e4m3fn@e8m0/{x}", [8, 16, 32, 64]),
    "elements": ("blockdot mxfp4 mxfp4 k={x} + fp32 -> fp32", [32, 64]),
}


def read(unit, values, **more):
    return spec.from_data({"unit": unit, "parameters": {"x": values}, **more}, Path("some.toml"))


@pytest.mark.parametrize("unit, values", VARIED.values(), ids=list(VARIED))
def test_a_parameter_of_the_unit(unit, values):
    """Every value is another unit, and is measured for itself."""
    sweep = read(unit, values)
    found = cases(sweep)
    assert [case.rejection for case in found] == [""] * len(sweep.parameters["x"])
    assert len({case.unit for case in found}) == len({job_of(case, sweep).key for case in found}) == len(found) > 1


MEASURED = {
    "technology": ["fpgen45", "fpgen7"],
    "recipe": ["area", "balanced", "direct"],
    "effort": [0, "fair", 2],
    "wire_load": ["none", 1.5, 3],
    "power": ["uniform", "gaussian"],
    "prove": [True, False],
    "breakdown": [True, False],
}


@pytest.mark.parametrize("key", MEASURED)
def test_a_list_under_measure_is_a_parameter(key):
    sweep = small(measure={key: MEASURED[key]})
    found = cases(sweep)
    check_measure(sweep, found)
    assert len(found) == 6 * len(MEASURED[key])
    assert [getattr(case.measure, key) for case in found[: len(MEASURED[key])]] == MEASURED[key]
    assert len({job_of(case, sweep).key for case in found}) == len(found)
    one = small(measure={key: MEASURED[key][:1]}, where=[f"{key} == {MEASURED[key][0]!r}"])
    assert [job_of(case, one).key for case in cases(one)] == [
        job_of(case, sweep).key for case in found if case.parameters[key] == MEASURED[key][0]
    ]


def test_one_value_is_the_same_point_as_a_list_of_it():
    for key, values in MEASURED.items():
        plain, listed = small(measure={key: values[0]}), small(measure={key: values[:1]})
        assert job_of(cases(plain)[0], plain).key == job_of(cases(listed)[0], listed).key


def test_every_key_is_covered():
    assert set(MEASURED) | {"liberty", "driving_cell", "engine"} == set(AXES)
    assert set(KEYS) == set(Measure.__dataclass_fields__)


@needs_liberty
def test_libraries_of_ones_own_and_their_drivers(fresh_cache):
    files = {"nangate45_typ": "BUF_X2", "ihp_sg13g2_typ": "sg13g2_buf_2"}
    paths = {
        str(path): next(cell for name, cell in files.items() if name in path.name)
        for path in sorted(LIBERTY.iterdir())
        if any(name in path.name for name in files)
    }
    if len(paths) < 2:
        pytest.skip("other libraries than expected")
    pairs = " or ".join(f"liberty == {path!r} and driving_cell == {cell!r}" for path, cell in paths.items())
    sweep = small(measure={"liberty": list(paths), "driving_cell": list(paths.values())}, where=[pairs])
    found = cases(sweep)
    check_measure(sweep, found)
    assert len(found) == 6 * 2 and len({job_of(case, sweep).key for case in found}) == 12
    crossed = small(measure={"liberty": list(paths), "driving_cell": list(paths.values())})
    with pytest.raises(UsageError, match="expected a cell of the library"):
        check_measure(crossed, cases(crossed))


def test_ranges_under_measure():
    sweep = small(
        measure={"wire_load": {"from": 0, "to": 0.4, "step": 0.1}, "targets": {"from": 500, "to": 1000, "step": 250}}
    )
    assert sweep.parameters["wire_load"] == (0, 0.1, 0.2, 0.3, 0.4)
    assert sweep.measure.targets == (500, 750, 1000)


def test_constraints_and_templates_know_them():
    sweep = read(
        "add e2m{x} e2m{x} -> e2m{x} rne stages={1 if technology == 'fpgen7' else 0}",
        [1, 2],
        measure={"technology": ["fpgen45", "fpgen7"], "wire_load": [0, 2]},
        where=["technology == 'fpgen45' or wire_load == 0"],
        report={"series": ["wire_load"]},
    )
    assert [(case.unit.latency, case.measure.technology, case.measure.wire_load) for case in cases(sweep)] == 2 * [
        (0, "fpgen45", 0),
        (0, "fpgen45", 2),
        (1, "fpgen7", 0),
    ]


@pytest.mark.parametrize(
    "measure, part",
    [
        ({"wire_load": []}, "one or more values"),
        ({"wire_load": [1, True]}, "a number or text"),
        ({"wire_load": [1, 1.0]}, "1.0 twice"),
        ({"technology": ["fpgen45", 7]}, "text, or a list"),
        ({"technology": [["fpgen45"]]}, "a number below"),
        ({"prove": ["yes"]}, "true or false"),
        ({"prove": [True, 1]}, "true or false"),
        ({"effort": [0.5]}, "a whole number or text"),
        ({"effort": {"from": 2, "to": 1}}, "has no values"),
        ({"recipe": ["area"], "effort": [1]}, "got recipe and effort"),
        ({"technology": ["fpgen7"], "liberty": ["a.lib"]}, "got technology and liberty"),
        ({"driving_cell": ["BUF_X1"]}, "driving_cell without liberty"),
        ({"targets": [1, "x"]}, "numbers of ps from 1 on"),
        ({"targets": 5}, "a list of one or more"),
        ({"targets": [True]}, "numbers of ps from 1 on"),
        ({"timeout": [1, 2]}, "1 to 86,400 seconds of processor time"),
        ({"timeout": True}, "got True; expected 1"),
        ({"power": 3}, "text"),
        ({"engine": ["yowasp", "steam"]}, "steam"),
        ({"effort": ["fair", "heroic"]}, "heroic"),
        ({"power": ["uniform", "loud"]}, "loud"),
        ({"wire_load": [1, "thin"]}, "thin"),
        ({"liberty": ["no.lib"]}, "no.lib"),
        ({"recipe": ["area", "magic"]}, "magic"),
        ({"technology": ["fpgen45", "ecp5"], "wire_load": [1]}, "expected a cell library"),
    ],
)
def test_what_cannot_be_measured(measure, part):
    with pytest.raises(UsageError) as refused:
        sweep = small(measure=measure)
        check_measure(sweep, cases(sweep))
    assert part in str(refused.value) and "small.toml" in str(refused.value)


def test_keys_of_measure_are_no_names_for_parameters():
    for name in KEYS:
        with pytest.raises(UsageError, match=r"a key of \[measure\]; expected"):
            read(f"add e2m{{{name}}} e2m1 -> e2m1 rne", [1], parameters={name: [1, 2]})


def test_no_parameters_but_ways_to_measure():
    sweep = spec.from_data(
        {"unit": "add e2m1 e2m1 -> e2m1 rne", "measure": {"recipe": ["area", "direct"]}}, Path("some.toml")
    )
    assert [case.label for case in cases(sweep)] == ["recipe=area", "recipe=direct"]


def test_measured_records_follow_their_parameters(fresh_cache, tmp_path, monkeypatch):
    """The real thing, tiny, in this process: technology x recipe x wire load."""
    monkeypatch.setattr(local, "each", lambda todo, processes: map(measure, todo))
    sweep = read(
        "add e2m1 e2m1 -> e2m1 {x}",
        ["rtz"],
        measure={
            "technology": ["fpgen45", "fpgen7"],
            "recipe": ["area", "direct"],
            "wire_load": ["none", 2],
            "targets": [1],
            "prove": False,
        },
        where=[
            "recipe == 'direct' or technology == 'fpgen45' and wire_load == 'none'",
            "wire_load == 'none' or technology == 'fpgen7'",
        ],
    )
    result = run.run_sweep(sweep, output=tmp_path, jobs=1)
    records = store.read(tmp_path / "some.csv")
    assert not result.failures and len({record["point"] for record in records}) == len(cases(sweep)) == 4
    for record in records:
        assert record["technology"] == record["param_technology"]
        assert record["recipe"].startswith(record["param_recipe"] + "/")
        assumed = json.loads(record["assumptions"])
        assert assumed["wire_load"] == {"none": "none", "2": "2 fF per fanout"}[record["param_wire_load"]]
    loaded = {record["param_wire_load"]: record for record in records if record["param_technology"] == "fpgen7"}
    assert loaded["2"]["delay_ps"] > loaded["none"]["delay_ps"]
