"""The store: what goes in comes out, from Parquet and from CSV; and files that are no store."""

import errno
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fpgen.errors import RunFailure, UsageError
from fpgen.sweep import store

RECORDS = [
    {"sweep": "s", "point": "P=3", "param_P": 3, "param_kind": "exact", "param_fast": True, "unit": "add a a -> a",
     "status": "ok", "reason": "", "area_um2": 0.1 + 0.2, "delay_ps": 1e-300, "registers": 0, "key": "123e45",
     "energy_pj": 1.25, "assumptions": '{"corner": "typical, 25 C"}'},
    {"sweep": "s", "point": "P=4", "param_P": 4, "param_kind": "aligned", "param_fast": False, "unit": "add b b -> b",
     "status": "failed", "reason": 'a "quoted", two-line\nreason', "area_um2": None, "delay_ps": None,
     "registers": None, "key": "007", "energy_pj": None, "assumptions": ""},
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


@pytest.mark.parametrize("name, content", [
    ("x.csv", b"\xff\xfe"), ("x.csv", b""), ("x.csv", b"a,b\n1\n"), ("x.csv", b"a,b\n1,2\n"), ("x.csv", b'unit,"sta'),
    ("x.parquet", b"PAR1"), ("x.parquet", b""), ("x.txt", b"unit,status\n"),
])
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


_CELLS = st.none() | st.booleans() | st.integers(-2**63, 2**63 - 1) | st.text(max_size=12) \
    | st.floats(allow_nan=False)
_ANY = st.fixed_dictionaries({"unit": st.text(max_size=9), "status": st.sampled_from(["ok", "failed"])}, optional={
    "param_P": _CELLS, "other": _CELLS, "area_um2": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "reason": st.text(max_size=12)})


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
