"""The report in a real browser: what it looks like, how its table and its marks behave, that it fits narrow screens."""

import html
import json
import re

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed: the extra report")
from matplotlib import image
from report_cases import CHROMIUM, browse, records

from fpgen.report import page, style

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return page.write(records(), tmp_path_factory.mktemp("report") / "out", store="some.csv")


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
type("area ≤ 100 P == 4"); told.spaced = rows().length;
type("P!=4 technology=fpgen7 status=ok"); told.unequal = [rows().length, values("P").includes("4")];
type("nothing-like-this"); told.none = rows().length;
type("wattage<3"); told.unknown = document.getElementById("count").textContent;
type("area<many"); told.word = document.getElementById("count").textContent;
type("");
const select = document.querySelector('select[data-name="E"]');
select.value = "8"; select.dispatchEvent(new Event("change")); told.chosen = [rows().length, new Set(values("E")).size];
told.count = document.getElementById("count").textContent;
const marks = Array.from(document.querySelectorAll("#area-delay svg a"));
const stops = () => marks.filter((mark) => mark.getAttribute("tabindex") === "0");
told.marks = [marks.length, stops().length, marks[0].querySelector("title").textContent];
marks[0].focus();
const left = (mark) => { const box = mark.getBoundingClientRect(); return box.left + box.right; };
const key = (name) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true}));
const before = left(document.activeElement); key("ArrowLeft"); const between = left(document.activeElement);
key("ArrowLeft"); key("ArrowRight");
told.arrow = [between < before && left(document.activeElement) === between, document.activeElement === stops()[0],
              stops().length];
const hidden = rows().length && Array.from(document.querySelectorAll("#records tbody tr[hidden]"))[0];
const arrived = new Promise((done) => addEventListener("hashchange", () => setTimeout(done, 50), {once: true}));
const mark = marks.find((mark) => mark.getAttribute("href") === `#${hidden.id}`);
mark.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
const seen = () => {
  const place = hidden.getBoundingClientRect();
  return [hidden.hidden, place.top >= 0 && place.bottom <= innerHeight, document.activeElement === hidden,
          hidden.matches(":target"), select.value];
};
const frames = [400, 800].map((width) => {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:900px;border:0;position:absolute;left:-9999px;top:0`;
  frame.srcdoc = source;
  document.body.append(frame);
  return frame;
});
const loaded = frames.map((frame) => new Promise((done) => { frame.onload = done; }));
Promise.all([arrived, ...loaded]).then(() => {
  told.target = seen();
  told.widths = frames.map((frame) => [frame.contentWindow.innerWidth,
                                       frame.contentDocument.documentElement.scrollWidth]);
  told.widths.push([document.documentElement.clientWidth, document.documentElement.scrollWidth]);
  document.body.append(Object.assign(document.createElement("pre"), {id: "told", textContent: JSON.stringify(told)}));
});
</script>
"""


def test_the_table_sorts_and_filters_in_a_browser(written, tmp_path):
    driven = tmp_path / "driven.html"
    text = written.page.read_text()
    source = json.dumps(text).replace("</", "<\\/")
    driven.write_text(text.replace("</body>", f"<script>const source = {source};</script>{DRIVE}</body>"))
    text = browse(tmp_path, "--dump-dom", driven.as_uri())
    told = json.loads(html.unescape(re.search(r'<pre id="told">(.*?)</pre>', text, re.S)[1]))
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
    assert told["spaced"] == 12 and told["unequal"] == [30, False]
    assert told["unknown"] == "0 of 74 records: no column wattage"
    assert told["word"] == "0 of 74 records: many is no number"
    assert told["marks"][:2] == [73, 1]
    assert re.fullmatch(
        r"P=\d+, E=\d, fpgen\w+, area [\d.]+ µm², delay \d+ ps, energy .* pJ, rms error .*", told["marks"][2]
    )
    assert told["arrow"] == [True, True, 1]
    assert told["target"] == [False, True, True, True, ""]  # filters give way to the line that a mark leads to
    assert [width for width, _ in told["widths"][:2]] == [400, 800]
    assert all(needed <= width for width, needed in told["widths"]), told["widths"]
