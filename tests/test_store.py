"""The store: what goes in comes out, from Parquet and from CSV; and files that are no store."""

import csv
import errno
import math
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fpgen.base.errors import RunFailure, UsageError
from fpgen.sweep import store
from fpgen.sweep.columns import COLUMNS

RECORDS = [
    {
        "sweep": "s",
        "point": "P=3",
        "param_P": 3,
        "param_kind": "exact",
        "param_fast": True,
        "unit": "add a a -> a",
        "status": "ok",
        "reason": "",
        "area_um2": 0.1 + 0.2,
        "delay_ps": 1e-300,
        "registers": 0,
        "key": "123e45",
        "energy_pj": 1.25,
        "assumptions": '{"corner": "typical, 25 C"}',
    },
    {
        "sweep": "s",
        "point": "P=4",
        "param_P": 4,
        "param_kind": "aligned",
        "param_fast": False,
        "unit": "add b b -> b",
        "status": "failed",
        "reason": 'a "quoted", two-line\nreason',
        "area_um2": None,
        "delay_ps": None,
        "registers": None,
        "key": "007",
        "energy_pj": None,
        "assumptions": "",
    },
]


@pytest.fixture(params=[".csv", ".parquet"])
def suffix(request):
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return request.param


def test_what_goes_in_comes_out(tmp_path, suffix):
    store.write(tmp_path / "some", RECORDS)
    assert store.read(tmp_path / f"some{suffix}") == RECORDS


def test_both_files_say_the_same_to_pandas_and_others(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    store.write(tmp_path / "some", RECORDS)
    table = pyarrow.parquet.read_table(tmp_path / "some.parquet")
    assert table.column_names[:4] == ["sweep", "point", "param_P", "param_kind"]
    assert table.schema.field("area_um2").type == pyarrow.float64()
    assert table.schema.field("area_um2").metadata[b"meaning"] == b"cell area, um2"
    assert (tmp_path / "some.csv").read_text().splitlines()[0].split(",") == table.column_names


def test_figures_that_are_none(tmp_path, suffix):
    store.write(tmp_path / "some", [{**RECORDS[0], "area_um2": math.nan, "cells": 3.0}])
    assert store.read(tmp_path / f"some{suffix}")[0]["area_um2"] is None
    assert store.read(tmp_path / f"some{suffix}")[0]["cells"] == 3


def test_without_pyarrow_there_is_csv(tmp_path, monkeypatch):
    monkeypatch.setattr(store.importlib.util, "find_spec", lambda name: None)
    assert [path.name for path in store.write(tmp_path / "some", RECORDS)] == ["some.csv"]
    assert store.read(tmp_path / "some") == RECORDS
    (tmp_path / "some.parquet").write_bytes(b"PAR1")
    with pytest.raises(Exception, match="pyarrow"):
        store.read(tmp_path / "some.parquet")


def test_an_empty_store(tmp_path, suffix):
    store.write(tmp_path / "none", [])
    if suffix == ".parquet":
        assert store.read(tmp_path / "none.parquet") == []


@pytest.mark.parametrize(
    "name, content",
    [
        ("x.csv", b"\xff\xfe"),
        ("x.csv", b""),
        ("x.csv", b"a,b\n1\n"),
        ("x.csv", b"a,b\n1,2\n"),
        ("x.csv", b'unit,"sta'),
        ("x.parquet", b"PAR1"),
        ("x.parquet", b""),
        ("x.txt", b"unit,status\n"),
    ],
)
def test_files_that_are_no_store(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=str(tmp_path / name)):
        store.read(tmp_path / name)


def test_no_such_store(tmp_path):
    for name in ("x.csv", "x", "x.parquet", "x.html"):
        with pytest.raises(UsageError, match="not found"):
            store.read(tmp_path / name)


def test_a_store_that_cannot_be_written(tmp_path, monkeypatch):
    store.write(tmp_path / "some", RECORDS)
    before = (tmp_path / "some.csv").read_bytes()

    def full(self, *arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", full)
        with pytest.raises(RunFailure, match="No space left on device"):
            store.write(tmp_path / "some", RECORDS * 2)
    assert (tmp_path / "some.csv").read_bytes() == before
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".parquet"]
    (tmp_path / "file").touch()
    with pytest.raises(RunFailure, match="cannot write in the directory"):
        store.write(tmp_path / "file" / "some", RECORDS)


ODD = [
    {
        "unit": "add a a -> a",
        "status": "failed",
        "param_f": "ä→β 日本",
        "param_n": 1,
        "param_x": 0.5,
        "param_on": True,
        "reason": 'one, "two"\nthree;\ttab',
        "area_um2": None,
        "delay_ps": math.nan,
        "cells": None,
        "adp": 1.7976931348623157e308,
    },
    {
        "unit": "add b b -> b",
        "status": "ok",
        "param_f": "",
        "param_n": -2,
        "param_x": 1.0,
        "param_on": False,
        "reason": "",
        "area_um2": 0.1 + 0.2,
        "delay_ps": 5e-324,
        "cells": 12,
        "adp": math.inf,
    },
]


def test_what_pythons_own_csv_reader_sees(tmp_path):
    store.write(tmp_path / "odd", ODD)
    with (tmp_path / "odd.csv").open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert first["param_f"] == ODD[0]["param_f"] and first["reason"] == ODD[0]["reason"]
    assert (first["area_um2"], first["delay_ps"], first["cells"], first["param_on"]) == ("", "", "", "true")
    assert (float(second["area_um2"]), float(second["delay_ps"]), float(second["adp"])) == (0.1 + 0.2, 5e-324, math.inf)
    assert (second["cells"], second["param_n"], second["param_on"]) == ("12", "-2", "false")


def test_what_pyarrow_sees(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    store.write(tmp_path / "odd", ODD)
    table = parquet.read_table(tmp_path / "odd.parquet")
    kinds = {name: table.schema.field(name).type for name in table.column_names}
    assert kinds["param_f"] == kinds["reason"] == pyarrow.string()
    assert kinds["param_n"] == kinds["cells"] == pyarrow.int64()
    assert kinds["param_x"] == kinds["area_um2"] == pyarrow.float64() and kinds["param_on"] == pyarrow.bool_()
    first, second = table.to_pylist()
    assert first["param_f"] == ODD[0]["param_f"] and first["reason"] == ODD[0]["reason"]
    assert first["area_um2"] is first["delay_ps"] is first["cells"] is None and first["adp"] == ODD[0]["adp"]
    assert second["area_um2"] == 0.1 + 0.2 and second["delay_ps"] == 5e-324 and second["cells"] == 12


def test_every_column_says_what_it_means_and_in_which_unit(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    store.write(tmp_path / "all", [dict.fromkeys(COLUMNS) | {"unit": "a", "status": "ok", "param_P": 1}])
    schema = parquet.read_schema(tmp_path / "all.parquet")
    told = {name: schema.field(name).metadata[b"meaning"].decode() for name in schema.names}
    assert set(told) == {*COLUMNS, "param_P"} and all(told.values())
    for suffix, unit in {"_ps": "ps", "_um2": "um2", "_mhz": "MHz", "_pj": "pJ", "_nw": "nW", "seconds": "s"}.items():
        assert all(unit in re.findall(r"\w+", text) for name, text in told.items() if name.endswith(suffix))


def test_what_pandas_sees(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    store.write(tmp_path / "odd", ODD)
    for table in (pandas.read_parquet(tmp_path / "odd.parquet"), pandas.read_csv(tmp_path / "odd.csv")):
        assert table.param_f[0] == ODD[0]["param_f"] and table.area_um2.isna().tolist() == [True, False]
        assert table.area_um2[1] == pytest.approx(0.3) and table.cells[1] == 12
        assert table.param_on.tolist() == [True, False]


def test_a_damaged_page_is_noticed(tmp_path):
    """Parquet's pages carry checksums, so a flipped bit of a figure is no other figure."""
    pytest.importorskip("pyarrow")
    store.write(tmp_path / "some", RECORDS * 20)
    whole = (tmp_path / "some.parquet").read_bytes()
    expected, noticed = store.read(tmp_path / "some.parquet"), 0
    for place in range(4, len(whole), 97):
        (tmp_path / "bad.parquet").write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            found = store.read(tmp_path / "bad.parquet")
        except UsageError as error:
            assert "bad.parquet: not" in str(error)
            noticed += 1
        else:  # a bit that says nothing: of statistics, or of a name
            figures = [[record.get("area_um2") for record in records] for records in (found, expected)]
            assert figures[0] == figures[1]
    assert noticed > 20


_CELLS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=12) | st.floats(allow_nan=False)
)
_ANY = st.fixed_dictionaries(
    {"unit": st.text(max_size=9), "status": st.sampled_from(["ok", "failed"])},
    optional={
        "param_P": _CELLS,
        "other": _CELLS,
        "area_um2": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "reason": st.text(max_size=12),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_ANY, min_size=1, max_size=5))
def test_any_records_are_written_and_read(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("stores") / "any"
    for file in store.write(path, records):
        found = store.read(file)
        assert len(found) == len(records)
        for record, back in zip(records, found, strict=True):
            assert back["status"] == record["status"]
            assert back.get("area_um2") == record.get("area_um2")
            if not set(record["unit"]) & {"\r", "\0"}:
                assert back["unit"] == record["unit"]
