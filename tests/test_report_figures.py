"""What a report computes, against other ways to it: fronts, fits, shares; and where labels stand."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("matplotlib", reason="matplotlib is not installed: the extra report")
from report_cases import record, records

from fpgen.report import compete, data, fits, labels, pareto, plots, style

FIGURE = st.one_of(st.integers(0, 6).map(float), st.floats(0, 1e6), st.sampled_from([None, float("nan"), float("inf")]))
POINT = st.builds(
    lambda x, y, technology, compete: {"delay_ps": x, "area_um2": y, "technology": technology, "compete": compete},
    FIGURE,
    FIGURE,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["", "P=1"]),
)


def beaten_by(one, other):
    """Whether `other` is as good in both figures and better in one, and competes."""
    return (
        all(one[name] == other[name] for name in ("technology", "compete"))
        and other["delay_ps"] <= one["delay_ps"]
        and other["area_um2"] <= one["area_um2"]
        and (other["delay_ps"], other["area_um2"]) != (one["delay_ps"], one["area_um2"])
    )


@settings(deadline=None, max_examples=300)
@given(st.lists(POINT, max_size=30))
def test_fronts_against_every_pair(points):
    kept, beaten = compete.fronts(points, data.DELAY, data.AREA)
    drawn = [
        point
        for point in points
        if all(point[name] is not None and np.isfinite(point[name]) for name in ("delay_ps", "area_um2"))
    ]
    wanted = {id(one) for one in drawn if not any(beaten_by(one, other) for other in drawn)}
    assert {id(point) for front in kept for point in front} == wanted
    assert {id(point) for point in beaten} == {id(point) for point in drawn} - wanted
    for front in kept:
        assert [point["delay_ps"] for point in front] == sorted(point["delay_ps"] for point in front)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.integers(0, 64), min_size=5, max_size=30, unique=True),
    st.tuples(*[st.floats(-1e4, 1e4)] * 3),
    st.integers(0, 2**32 - 1),
)
def test_fits_against_polyfit(P, coefficients, seed):
    x = np.array(sorted(P), dtype=float)
    y = np.polynomial.Polynomial(coefficients)(x) + np.random.default_rng(seed).normal(size=len(x))
    found = fits.fit(x, y, series="s", parameter="P", axis=data.AREA)
    c, b, a = np.polyfit(x, y, 2)
    size = np.abs(y).max() + 1
    assert np.allclose(found.at(x), a + b * x + c * x**2, atol=1e-6 * size)
    assert np.allclose(found.residuals, y - np.polyval([c, b, a], x), atol=1e-6 * size)
    assert found.r2 == pytest.approx(1 - np.sum(found.residuals**2) / np.sum((y - y.mean()) ** 2), abs=1e-9)
    for ours, theirs, scale in ((found.a, a, 1), (found.b, b, x.max()), (found.c, c, x.max() ** 2)):
        assert abs(ours - theirs) * scale <= 1e-5 * size
    if (y != 0).all():
        assert found.worst_percent == pytest.approx(100 * np.max(np.abs(found.residuals / y)))


def test_a_fit_of_a_large_parameter():
    x = np.array([1e6, 2e6, 3e6, 4e6, 5e6, 6e6])
    found = fits.fit(x, 3 + 2 * x + 1e-6 * x**2, series="", parameter="k", axis=data.AREA)
    assert (found.b, found.c) == pytest.approx((2, 1e-6), rel=1e-6) and found.worst_percent < 1e-6


def test_a_fit_through_zeros():
    found = fits.fit([0, 1, 2, 3, 4], [0, 0, 1, 0, 0], series="", parameter="P", axis=data.AREA)
    assert np.isnan(found.percent).tolist() == [True, True, False, True, True]
    assert np.isfinite(found.worst_percent) and 0 < found.r2 < 1
    level = fits.fit([0, 1, 2, 3, 4], [0, 0, 0, 0, 0], series="", parameter="P", axis=data.AREA)
    assert (level.rms_percent, level.worst_percent, level.r2) == (0, 0, 1) and level.text == "0 + 0·P + 0·P²"


def test_shares_of_the_area():
    plot = plots.breakdown(
        data.View(
            [
                record(2, sections=json.dumps({"Unpack": 1, "Round and pack": 3})),
                record(4, sections=json.dumps({"Registers": 2, "Unpack": 6})),
            ]
        )
    )
    assert plot.shares == (("Unpack", 50, 25, 75), ("Round and pack", 37.5, 0, 75), ("Registers", 12.5, 0, 25))
    assert sum(mean for _, mean, _, _ in plot.shares) == pytest.approx(100)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", '{"a": "x"}', '{"a": null}', '{"a": -1}', '{"a": 1e999}', '{"a": 0}', None]
)
def test_sections_that_are_none(text):
    assert data.sections_of({"sections": text}) == {}


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -float("inf"), "12", True])
def test_what_is_no_figure(value):
    assert data.AREA.of({"area_um2": value}) is None and data.AREA.text_of({"area_um2": value}) == ""


# ---- axes and labels ----------------------------------------------------------------


def drawn_with(**figures):
    """The panel of area against delay, of records with these figures."""
    several = [dict(zip(figures, values, strict=True)) for values in zip(*figures.values(), strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot = pareto.pareto(
            data.View([record(index, **some) for index, some in enumerate(several)]), data.DELAY, data.AREA, "some", {}
        )
        style.png(plot.figure)
    return plot.figure.axes[0]


def test_axes_are_logarithmic_beyond_a_decade():
    assert drawn_with(area_um2=[1.0, 9.0], delay_ps=[1.0, 11.0]).get_xscale() == "log"
    assert drawn_with(area_um2=[1.0, 9.0], delay_ps=[1.0, 11.0]).get_yscale() == "linear"


def test_zeros_stay_on_a_logarithmic_axis():
    panel = drawn_with(area_um2=[0.0, 3.0, 400.0], delay_ps=[0.0, 0.0, 0.0])
    assert panel.get_yscale() == "symlog" and panel.get_xscale() == "linear"
    assert [text.get_text() for text in panel.get_yticklabels()] == ["0", "1", "10", "100", "1000"]
    places = panel.transData.transform([(0, value) for value in (0, 3, 400)])[:, 1]
    assert panel.bbox.y0 <= places[0] < places[1] < places[2] <= panel.bbox.y1


def test_three_hundred_decades_beside_a_zero():
    """Matplotlib overflowed, now and then in a test that draws its figures."""
    panel = drawn_with(area_um2=[0.0, 1e-300, 1.0], delay_ps=[5.0, 5.0, 5.0])
    assert panel.get_yscale() == "symlog" and panel.get_yticklabels()[-1].get_text() == "1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1, "1"),
        (0.5, "0.5"),
        (0.05, "0.05"),
        (1e-3, "10⁻³"),
        (2e-7, "2·10⁻⁷"),
        (1e12, "10¹²"),
        (35_000, "35000"),
        (1_000_000, "1000000"),
        (2.5e7, "2.5·10⁷"),
        (-20, "−20"),
        (-1e-9, "−1·10⁻⁹"),
    ],
)
def test_numbers_at_ticks(value, text):
    assert style.plain(value) == text


def test_marks_on_one_place_have_one_label():
    """Two delay targets that give the same netlist: `1` beside the mark, not `1 1` around it."""
    _, panel = style.figure()
    panel.plot([1, 2], [1, 2])
    same = labels.Label(1.0, 1.0, "1", "#000000")
    labels.place(panel, [same, same, labels.Label(2.0, 2.0, "1", "#000000")], [(1, 1), (2, 2)])
    assert len(panel.texts) == 2


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=30))
def test_labels_stand_apart_and_inside(points):
    drawn, panel = style.figure()
    panel.scatter(*zip(*points, strict=True))
    labels.place(
        panel,
        [labels.Label(x, y, f"{x * y}", "#000000") for x, y in points],
        points,
        [([x for x, _ in points], [y for _, y in points])],
    )
    drawn.canvas.draw()
    boxes = [text.get_window_extent() for text in panel.texts]
    assert boxes
    for index, box in enumerate(boxes):
        assert box.x0 >= panel.bbox.x0 and box.y0 >= panel.bbox.y0
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_every_curve_is_in_the_legend_whether_beaten_or_not():
    some = [record(2, 3, compete="P"), record(9, 8, compete="P")]
    panel = pareto.pareto(data.View(some), data.DELAY, data.AREA, "some", {}).figure.axes[0]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["3", "8", "hollow: dominated"]
    assert panel.get_legend().get_title().get_text() == "E"


def test_pipelines_in_two_technologies_look_different():
    plot = plots.depth(data.View(records()))
    told = [text.get_text() for text in plot.figure.axes[0].get_legend().get_texts()]
    assert told == [f"{E}, {technology}" for technology in ("fpgen45", "fpgen7") for E in (3, 5, 8)]
    lines = plot.figure.axes[0].get_lines()
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == len(told)


def test_a_line_joins_pipelines_of_one_function():
    latencies = {
        "multiply fp16 fp16 -> fp16 rne": 0,
        "multiply e4m3fn e4m3fn -> bf16 rne": 0,
        "multiply fp16 fp16 -> fp16 rne stages=1": 1,
        "multiply fp16 fp16 -> fp16 rne stages=2": 2,
    }
    some = [
        {
            "status": "ok",
            "technology": "fpgen45",
            "operation": "multiply",
            "unit": unit,
            "latency": latency,
            "registers": 40 * latency,
            "area_um2": 100.0,
            "delay_ps": 500.0 - 100 * latency,
            "fmax_mhz": 2000.0,
        }
        for unit, latency in latencies.items()
    ]
    panel = plots.depth(data.View(some)).figure.axes[0]
    assert sorted(len(line.get_xdata()) for line in panel.get_lines()) == [1, 3]
    assert len({(line.get_color(), line.get_marker()) for line in panel.get_lines()}) == 1
    chosen = plots.depth(data.View([{**one, "series": "all"} for one in some])).figure.axes[0]
    assert [len(line.get_xdata()) for line in chosen.get_lines()] == [4]


def test_curves_without_hints_do_not_say_the_technology():
    plain = [
        {name: value for name, value in record(P, E, technology).items() if name not in ("series", "scale")}
        for technology in ("fpgen45", "fpgen7")
        for E in (3, 5)
        for P in (2, 4, 8, 11)
    ]
    assert data.View(plain).series == ["E=3", "E=5"]
