"""Reports of odd stores: texts that would be markup, figures that are none, what is no store or cannot be written."""

import json
import re
import sys
import warnings
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fpgen.base.errors import MissingTool, UsageError
from fpgen.command import cli
from fpgen.sweep import store

pytest.importorskip("matplotlib", reason="matplotlib is not installed: the extra report")
from report_cases import record, records

from fpgen.report import page

EVIL = "<script>alert(1)</script>\"'&amp;<b> $x_1$ \\frac"
VOID = {"meta", "input", "br", "link", "img", "hr"}


class Check(HTMLParser):
    """What a page is made of; complains about tags that do not pair and identifiers that occur twice."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.tags, self.attributes, self.texts = [], [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.attributes += found
        if "id" in found:
            assert found["id"] not in self.ids, found["id"]
            self.ids.append(found["id"])
        self.links += [found[name] for name in ("href", "xlink:href") if name in found]
        assert len(attrs) == len(found)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)


def page_of(tmp_path, found, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = page.write(found, tmp_path / "out", store="some.csv", **options)
    text = made.page.read_text(encoding="utf-8")
    return made, text, Check(text)


def test_the_page_is_sound(tmp_path):
    made, text, found = page_of(tmp_path, records())
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert all(link.startswith("#") and link[1:] in found.ids for link in found.links), found.links
    assert not [name for name in found.attributes if name.startswith("on")]
    assert found.tags.count("script") == 1 and found.tags.count("h1") == 1
    assert not {"img", "link", "iframe", "object", "embed", "form"} & set(found.tags)
    assert "target" not in found.attributes  # a mark leads to its line in this window
    places = re.findall(r'<a xlink:href="index\.html#(r\d+)">', (tmp_path / "out" / "area-delay.svg").read_text())
    assert len(places) == 73 and set(places) <= set(found.ids)  # marks of the files beside lead into the page
    assert "#r" not in "".join(
        re.sub(r"index\.html#r", "", path.read_text()) for path in made.files if path.suffix == ".svg"
    )


def test_texts_are_texts(tmp_path):
    some = [
        record(
            P,
            series=f"E={EVIL}",
            compete=f"E={EVIL}",
            unit=EVIL,
            point=EVIL,
            title=EVIL,
            recipe=EVIL,
            technology=EVIL,
            operation=EVIL,
            error_data=EVIL,
            power_stimulus=EVIL,
            param_E=EVIL,
            scale="P",
            sections=f'{{"<script>{P % 2}</script>": 4}}',
            assumptions='{"<script>": "<script>"}',
            versions='{"<script>": "</script>"}',
            library_hash=EVIL,
        )
        for P in (2, 4, 6, 8, 10)
    ]
    some.append(record(12, status=EVIL, reason=EVIL, point=EVIL))
    _, text, found = page_of(tmp_path, some)
    assert found.tags.count("script") == 1 and "<script>alert" not in text
    assert "b" not in found.tags or "<b>Not" not in text
    assert EVIL in found.texts  # the heading, as it is
    assert any("$x_1$" in told for told in found.texts)


def test_a_title_given_is_a_text(tmp_path):
    _, _, found = page_of(tmp_path, [record(2)], title=EVIL)
    assert EVIL in found.texts and found.tags.count("script") == 1


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "area_um2": st.sampled_from([None, 0.0, -1.0, 5.0, 5e9, 1e-9, float("nan"), float("inf")]),
                "delay_ps": st.sampled_from([None, 0.0, -1.0, 5.0, 5e9, float("nan"), float("inf")]),
                "energy_pj": st.sampled_from([None, 0.0, 1.0, 1e-12]),
                "error_rms": st.sampled_from([None, 0.0, 1e-300, 1.0]),
                "latency": st.sampled_from([None, 0, 1, 2, 3]),
                "registers": st.sampled_from([None, 0, 10]),
                "fmax_mhz": st.sampled_from([None, 0.0, 100.0, float("inf")]),
                "sections": st.sampled_from(["", "{", '{"Unpack": 3, "Registers": 1}', '{"Unpack": -1}']),
                "param_P": st.sampled_from([None, 1, 2, 3, 4, 5, 6]),
                "param_E": st.sampled_from([1, 2, "x", None, True]),
            }
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_figures_make_a_page(tmp_path, found):
    page_of(tmp_path, [record(2, **some) for some in found])


def test_no_record_with_figures(tmp_path):
    bad = [
        record(P, status="failed", reason="Yosys: ran out of time", delay_ps=None, point=f"P={P}") for P in range(30)
    ]
    made, text, found = page_of(tmp_path, bad)
    assert made.files == [] and "No record has figures" in text and "assumptions" not in found.ids
    assert text.count("Yosys: ran out of time") == 1 and "and 6 more" in text


def test_a_record_without_delay_is_listed(tmp_path):
    _, text, found = page_of(tmp_path, [record(2), record(4, delay_ps=float("nan"), point="the fourth")])
    assert "no delay" in found.texts and "1 record with figures" in text and "the fourth" in found.texts


def test_what_takes_several_records_says_which(tmp_path):
    rests = {"corner": "typical, 1.1 V", "glitches": "none", "clock": "", "output_load_ff": 4.0, "wire_load": "none"}
    other = {
        "technology": "fpgen7",
        "assumptions": '{"corner": "typical, 0.7 V", "output_load_ff": 4.0}',
        "proof": "proven",
        "key": "a",
        "point_seconds": 3.0,
    }
    some = [
        record(
            2,
            technology="fpgen45",
            power_stimulus="N(0,1) values",
            power_seed=1,
            power_operations=100,
            power_assumptions=json.dumps(rests),
        ),
        record(2, **other),
        record(3, target=1e5, **other),
    ]
    _, text, found = page_of(tmp_path, some)
    for told in (
        "typical, 1.1 V (fpgen45); typical, 0.7 V (fpgen7)",
        "4.0 fF",
        "1, 100000 ps",
        "netlist against its Verilog: proven (2 records)",
        "N(0,1) values, seed 1, 100 operations (fpgen45)",
    ):
        assert any(told in part for part in found.texts), told
    assert "6 s of wall time" in text  # two records of one point are one measurement: 2.5 + 3, rounded


# ---- what is refused ----------------------------------------------------------------


def run(*arguments):
    result = CliRunner().invoke(cli.main, ["report", *map(str, arguments)])
    return result.exit_code, result.stderr, result.exception


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("some.csv", b"", "not a whole CSV file"),
        ("some.csv", b"hello\n", "no records"),
        ("some.csv", b"a,b\n1,2\n", "not a store"),
        ("some.csv", b"\xff\xfe\n", "not CSV in UTF-8"),
        ("some.csv", b"unit,status\nx,ok\n", "no column technology"),
        ("some.csv", b"unit,status,technology\nx,ok,fpgen45\n", "no column delay_ps"),
        ("some.csv", b"unit,status,technology,delay_ps\nx,ok,,5\ny,ok,t,5\n", None),
        ("some.parquet", b"", "not Parquet"),
        ("some.parquet", b"PAR1 no such thing PAR1", "some.parquet"),
        ("some.txt", b"unit,status\n", "not a .parquet or .csv file"),
    ],
)
def test_what_is_no_store(tmp_path, name, content, told):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed: the extra parquet")
    (tmp_path / name).write_bytes(content)
    code, stderr, _ = run(tmp_path / name)
    if told is None:
        assert code == 0
    else:
        assert code in (1, 2) and told in stderr and "Traceback" not in stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_a_store_cut_short(tmp_path):
    for path in store.write(tmp_path / "some", records()):
        path.write_bytes(path.read_bytes()[:-40])
        code, stderr, _ = run(path)
        assert code in (1, 2) and path.name in stderr


def test_a_record_without_technology(tmp_path):
    with pytest.raises(UsageError, match="no technology in the record of"):
        page.write([record(2), record(4, technology=None)], tmp_path / "out", store="some.csv")


def test_a_place_that_cannot_be_written(tmp_path):
    store.write(tmp_path / "some", [record(2)])
    (tmp_path / "file").write_text("here")
    code, stderr, _ = run(tmp_path / "some.csv", "-o", tmp_path / "file")
    assert code == 2 and "is a file" in stderr
    code, stderr, _ = run(tmp_path / "some.csv", "-o", tmp_path / "file" / "below")
    assert code == 2 and "file is a file; expected a directory" in stderr


def test_files_that_no_report_wrote_are_kept(tmp_path):
    where = tmp_path / "taken"
    (where / "index.html").mkdir(parents=True)
    (where / "notes.txt").write_text("mine")
    with pytest.warns(UserWarning, match=r"index\.html: not as fpgen wrote it; kept as index\.html\.kept"):
        made = page.write([record(2)], where, store="some.csv")
    assert (where / "index.html.kept").is_dir() and made.page.is_file()
    (where / made.files[0].name).write_text("edited")
    told = []
    page.write([record(2)], where, store="some.csv", progress=told.append)
    assert told == [f"{where / made.files[0].name}: not as fpgen wrote it; kept as {made.files[0].name}.kept"]
    assert (where / "notes.txt").read_text() == "mine"
    assert not [path for path in tmp_path.iterdir() if path != where], "nothing is left beside it"


@pytest.mark.parametrize("name", ["matplotlib", "jinja2"])
def test_a_library_missing(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingTool, match=r"pip install '\.\[report\]' from a checkout of fpgen"):
        page.write(records(), tmp_path / "out", store="some.csv")
    assert not (tmp_path / "out").exists()
