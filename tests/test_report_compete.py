"""Which units a report compares: those that can be swapped for one another, and no others unless the sweep says so."""

from pathlib import Path

import pytest

import fpgen

pytest.importorskip("matplotlib", reason="matplotlib is not installed: the extra report")
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from fpgen.report import compete, data, pareto, style
from fpgen.sweep import numerical_error as accuracy
from fpgen.sweep import store

RELEASED = Path(__file__).resolve().parent.parent / "synth" / "released.csv"


def point(unit, area, delay, **more):
    """A record without hints of a sweep."""
    return {
        "unit": fpgen.parse_unit(unit).text,
        "operation": unit.split()[0],
        "status": "ok",
        "technology": "fpgen45",
        "area_um2": area,
        "delay_ps": delay,
        **more,
    }


def panels(records, x=data.DELAY, y=data.AREA):
    plot = pareto.pareto(data.View(records), x, y, "some", {})
    return plot, plot.figure.axes


def filled(panel):
    """Places of the marks that are filled, and of the hollow ones with the colour of their outline."""
    full, hollow = set(), {}
    for marks in panel.collections:
        if isinstance(marks, PathCollection):
            for place in map(tuple, marks.get_offsets().tolist()):
                if len(marks.get_facecolors()):
                    full.add(place)
                else:
                    hollow[place] = to_hex(marks.get_edgecolors()[0]).upper()
    return full, hollow


@pytest.mark.parametrize("options", ["stages=3", "stages=2 handshake=ready", "multiplier=booth", "adder=brent-kung"])
def test_what_no_result_depends_on_is_no_function(options):
    plain = point("fma fp16 fp16 fp16 -> fp16 rne flags=on", 1, 1)
    other = point(f"fma fp16 fp16 fp16 -> fp16 rne flags=on {options}", 1, 1)
    assert plain["unit"] != other["unit"] and compete.function_of(plain) == compete.function_of(other) == plain["unit"]


@pytest.mark.parametrize(
    "other",
    [
        "fma fp16 fp16 fp16 -> fp16 rtz",
        "fma bf16 fp16 fp16 -> fp16",
        "multiply fp16 fp16 -> fp16",
        "fma fp16 fp16 fp16 -> fp32",
        "fma fp16 fp16 fp16 -> fp16 subnormals=both",
        "fma fp16 fp16 fp16 -> fp16 saturate",
        "fma fp16 fp16 fp16 -> fp16 flags=on",
    ],
)
def test_another_function_never_competes(other):
    records = [point("fma fp16 fp16 fp16 -> fp16", 9, 9), point(other, 1, 1)]
    kept, beaten = compete.fronts(records, data.DELAY, data.AREA)
    assert [len(front) for front in kept] == [1, 1] and not beaten


def test_the_released_units_do_not_beat_each_other():
    """They were on one front: multiply, fma and convert, joined by a line, five of six dominated."""
    if not RELEASED.is_file():
        pytest.skip("not a checkout")
    records = store.read(RELEASED)
    plot, (panel,) = panels(records)
    full, hollow = filled(panel)
    assert len(full) == len(records) and not hollow and not panel.get_lines()
    assert "no two marks do" in plot.caption and "none is better than another" in plot.caption
    assert len(panel.texts) >= len(records) - 1  # a label that would hide another one is left out


def test_a_sweep_of_formats_dominates_nothing():
    """Eleven of twelve were called dominated by e2m1, and a line joined fp16 and e4m3."""
    formats = ("e2m1", "e4m3fn", "e5m2", "fp16", "bf16")
    records = [
        point(
            f"multiply {name} {name} -> {name}",
            10 * place + target,
            100 * place - 10 * target,
            param_fmt=name,
            target_ps=float(target),
        )
        for place, name in enumerate(formats, 1)
        for target in (1, 2)
    ]
    plot, axes = panels(records)
    assert len(axes) == len(formats) and "its own panel, with its own axes" in plot.caption
    for name, panel in zip(formats, axes, strict=True):
        assert fpgen.parse_unit(f"multiply {name} {name} -> {name}").text in panel.get_title(loc="left")
        full, hollow = filled(panel)
        assert len(full) == 2 and not hollow


def test_equal_functions_in_another_architecture_do_compete():
    text = "multiply fp16 fp16 -> fp16 rne"
    records = [
        point(text, 10, 100),
        point(f"{text} multiplier=booth", 12, 120),
        point(f"{text} adder=brent-kung", 9, 130),
    ]
    plot, (panel,) = panels(records)
    full, hollow = filled(panel)
    assert full == {(100, 10), (130, 9)} and set(hollow) == {(120, 12)}
    assert "equal function" not in plot.caption and "the same function (operation, formats, contract)" in plot.caption
    assert "dominated (1 of 3)" in plot.caption


def test_a_dominated_mark_keeps_the_colour_that_the_legend_names():
    records = [
        point("multiply fp16 fp16 -> fp16", 10, 100, series="good"),
        point("multiply fp16 fp16 -> fp16 stages=1", 11, 110, series="bad"),
    ]
    _, (panel,) = panels(records)
    assert filled(panel)[1] == {(110, 11): style.looks(["good", "bad"])["bad"].colour}


def test_the_sweep_may_choose():
    records = [
        point("multiply e2m1 e2m1 -> e2m1", 1, 1, compete="target=1"),
        point("multiply fp16 fp16 -> fp16", 9, 9, compete="target=1"),
    ]
    plot, (panel,) = panels(records)
    assert filled(panel) == ({(1, 1)}, {(9, 9): filled(panel)[1][(9, 9)]})
    assert "units of equal target (the sweep's choice)" in plot.caption


def test_against_the_error_of_the_unit_accumulators_compete_but_not_formats():
    def dot(fmt, how, area, error):
        return point(f"dot {fmt} {fmt} n=4 + fp32 -> fp32 rtz accumulate={how}", area, 1, error_rms=error)

    records = [
        dot("e4m3fn", "exact", 9, 0.0),
        dot("e4m3fn", "aligned:fraction=24", 10, 0.1),
        dot("e5m2", "exact", 99, 0.2),
    ]
    kept, beaten = compete.fronts(records, data.ERROR, data.AREA)
    assert beaten == [records[1]] and sorted(map(len, kept)) == [1, 1]


def test_against_the_error_on_unrounded_data_formats_compete():
    records = [
        point("dot e4m3fn e4m3fn n=4 + fp32 -> fp32", 9, 1, error_total_rms=0.03),
        point("dot e3m4 e3m4 n=4 + fp32 -> fp32", 9, 1, error_total_rms=0.01),
        point("dot e3m4 e3m4 n=8 + fp32 -> fp32", 19, 1, error_total_rms=0.02),
    ]
    kept, beaten = compete.fronts(records, data.TOTAL, data.AREA)
    assert beaten == [records[0]] and sorted(map(len, kept)) == [1, 1]
    caption = pareto.pareto(data.View(records), data.TOTAL, data.AREA, "some", {}).caption
    assert "rounding the operands is part of it" in caption


# ---- the error that says which format is better -------------------------------------


def test_the_two_errors_differ_by_the_rounding_of_the_operands():
    """Given rounded operands, products of e4m3 and of e3m4 into fp32 look alike; on the data they do not."""
    alone, total = {}, {}
    for name in ("e4m3fn", "e3m4"):
        found = accuracy.measure(fpgen.parse_unit(f"dot {name} {name} n=16 + fp32 -> fp32"), accuracy.Accuracy())
        alone[name], total[name] = found["error_rms"], found["error_total_rms"]
    assert alone["e4m3fn"] == pytest.approx(alone["e3m4"], rel=0.05) and alone["e4m3fn"] < 1e-7
    assert 1.8 < total["e4m3fn"] / total["e3m4"] < 2.2  # one significand bit is a factor of two
    assert 0.01 < total["e3m4"] < 0.02


def test_a_unit_whose_operands_nearly_hold_the_data_has_one_error():
    found = accuracy.measure(fpgen.parse_unit("convert fp32 -> e4m3fn"), accuracy.Accuracy(vectors=500))
    for name in ("rms", "max", "sum"):
        assert found[f"error_{name}"] > 0.01
        assert found[f"error_total_{name}"] == pytest.approx(found[f"error_{name}"], rel=1e-6)


def test_products_are_exact():
    """Dekker's product against Python's fractions."""
    from fractions import Fraction

    import numpy as np

    source = np.random.default_rng(3)
    a, b = source.standard_normal(500) * 2.0 ** source.integers(-300, 300, 500), source.standard_normal(500)
    high, low = accuracy._product(a, b)
    assert all(
        Fraction(x) * Fraction(y) == Fraction(h) + Fraction(t)
        for x, y, h, t in zip(a.tolist(), b.tolist(), high.tolist(), low.tolist(), strict=True)
    )
    assert np.count_nonzero(low) > 400
