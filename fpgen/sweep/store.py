"""The store of a sweep: one file that a notebook reads, as Parquet and as CSV, each replaced as a whole.

`sweep_out/NAME.parquet` and `sweep_out/NAME.csv` hold the same records. CSV is always written; Parquet where
pyarrow is installed (the extra `parquet`), since its wheel is larger than all of fpgen. Floats are written so that
they read back to the same number. A reader sees the earlier file or the new one, never part of one:
both are written atomically, and a full disk leaves the earlier ones as they were.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fpgen.base.cache import write_whole
from fpgen.base.distribution import install_extra
from fpgen.base.errors import MissingTool, RunFailure, UsageError
from fpgen.base.html import records as html_records
from fpgen.base.html import text_of
from fpgen.base.places import check_directory, check_file, place_of

from .columns import COLUMNS, PARAMETER, cell, kind_of, ordered

SUFFIXES = (".parquet", ".csv")

Record = dict[str, Any]

#: What a notebook shows of a record; the rest is in the record.
_SHOWN = ("point", "status", "technology", "recipe", "area_um2", "delay_ps", "adp", "latency", "registers", "energy_pj")


class Store(list[Record]):
    """The records of a store: a list that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        shown = [name for name in _SHOWN if any(text_of(record.get(name)) for record in self)]
        failed = sum(record.get("status") != "ok" for record in self)
        sweeps = ", ".join(dict.fromkeys(str(record["sweep"]) for record in self if record.get("sweep")))
        title = f"{sweeps or 'store'}: {len(self)} records{f', {failed} of them without figures' if failed else ''}"
        return html_records(self, [*shown, *(["reason"] if failed else [])], title=title)


def write(path: Path, records: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Write a store; the suffix of `path` does not count.

    Returns
    -------
    list of Path
        What was written: the CSV, and the Parquet file where pyarrow is there.

    Raises
    ------
    RunFailure
        When it cannot be written; the earlier store is then untouched.
    """
    _make_directory(path)
    names = ordered(records)
    kinds = {name: kind_of(name, (record.get(name) for record in records)) for name in names}
    rows = [[cell(record.get(name), kinds[name]) for name in names] for record in records]
    texts: dict[Path, bytes] = {path.with_suffix(".csv"): _csv(names, rows)}
    if importlib.util.find_spec("pyarrow") is not None:
        texts[path.with_suffix(".parquet")] = _parquet(names, kinds, rows)
    for target, text in texts.items():
        write_whole(target, text)
    return list(texts)


def prepare(path: Path) -> None:
    """Make the directory of a store, and check that it can be written: better reported now than after hours.

    Raises
    ------
    UsageError
        When the place is unusable, or something other than a store has its name.
    RunFailure
    """
    check_directory("output", path.parent)
    for suffix in SUFFIXES:
        _check_own(path.with_suffix(suffix))
    _make_directory(path)


def _make_directory(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise RunFailure(f"cannot write in the directory {path.parent}: {error.strerror}") from None


def _check_own(path: Path) -> None:
    """Reject what is in the way and no store.

    Raises
    ------
    UsageError
    """
    if not os.path.lexists(path):
        return
    check_file("output", path)
    try:
        read(path)
    except MissingTool:
        return  # then it is not written either
    except UsageError:
        raise UsageError(
            f"output: got {path}, a file that fpgen sweep did not write; expected another directory"
        ) from None


def read(path: Path | str) -> Store:
    """The records of a store; a name without suffix, or a sweep's bare name, is looked for.

    Raises
    ------
    UsageError
        When there is no such file, or it is not a store.
    MissingTool
        For Parquet without pyarrow.
    RunFailure
        When it cannot be read.
    """
    found = locate(place_of("store", path))
    try:
        records = _read_parquet(found) if found.suffix == ".parquet" else _read_csv(found)
    except OSError as error:
        raise RunFailure(f"store {found}: {error.strerror or error}") from None
    if not all("unit" in record and "status" in record for record in records):
        raise UsageError(f"store {found}: not a store; expected a file that fpgen sweep wrote")
    return Store(records)


def locate(path: Path) -> Path:
    """The file that a store's name means.

    Raises
    ------
    UsageError
    """
    if path.suffix in SUFFIXES and path.is_file():
        return path
    if path.suffix in SUFFIXES or path.is_file():
        what = "not a .parquet or .csv file" if path.is_file() else "not found"
        raise UsageError(f"store {path}: {what}; expected a file that fpgen sweep wrote")
    have = importlib.util.find_spec("pyarrow") is not None
    for base in (path, Path("sweep_out") / path):
        for suffix in SUFFIXES if have else (".csv",):
            if base.with_name(base.name + suffix).is_file():
                return base.with_name(base.name + suffix)
    raise UsageError(f"store {path}: not found; expected a file that fpgen sweep wrote, such as sweep_out/depth.csv")


# ---- CSV ----------------------------------------------------------------------------


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow(
            ["" if value is None else str(value).lower() if isinstance(value, bool) else value for value in row]
        )
    return file.getvalue().encode()


def _read_csv(path: Path) -> list[Record]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = list(csv.reader(file, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"store {path}: not CSV in UTF-8: {error}") from None
    if not table or any(len(row) != len(table[0]) for row in table):
        raise UsageError(f"store {path}: not a whole CSV file; expected a file that fpgen sweep wrote")
    names = table[0]
    columns = []
    for index, name in enumerate(names):
        texts = [row[index] for row in table[1:]]
        columns.append(_typed(name, texts))
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)] if table[1:] else []


def _typed(name: str, texts: list[str]) -> list[Any]:
    """A column's texts as values: by its known kind, else as numbers where all of them are."""
    kind = COLUMNS[name][0] if name in COLUMNS else None
    given = [text for text in texts if text]
    if kind is None:
        kind = (
            bool
            if given and set(given) <= {"true", "false"}
            else int
            if given and all(re.fullmatch(r"-?\d{1,18}", text) for text in given)
            else float
            if given and all(_is_float(text) for text in given)
            else str
        )
    if kind is bool:
        return [text == "true" if text else None for text in texts]
    if kind is str:
        return [text if text or name in COLUMNS else None for text in texts]
    return [cell(float(text) if kind is float and _is_float(text) else text, kind) if text else None for text in texts]


def _is_float(text: str) -> bool:
    return re.fullmatch(r"-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|-?inf", text) is not None


# ---- Parquet ------------------------------------------------------------------------


def _parquet(names: Sequence[str], kinds: Mapping[str, type], rows: Sequence[Sequence[Any]]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    arrow = {bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    fields = [pyarrow.field(name, arrow[kinds[name]], metadata={"meaning": _meaning(name)}) for name in names]
    arrays = [pyarrow.array([row[index] for row in rows], type=field.type) for index, field in enumerate(fields)]
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(
        pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields)),
        buffer,
        compression="zstd",
        write_page_checksum=True,
    )
    return buffer.getvalue()


def _meaning(name: str) -> str:
    return (
        COLUMNS[name][1]
        if name in COLUMNS
        else "parameter of the sweep"
        if name.startswith(PARAMETER)
        else "as fpgen ppa prints it"
    )


def _read_parquet(path: Path) -> list[Record]:
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingTool(f"store {path}: Parquet needs pyarrow: {install_extra('parquet')}, or give the .csv file")
    import pyarrow
    import pyarrow.parquet

    try:
        rows: list[Record] = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True).read().to_pylist()
        return rows
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        if getattr(error, "errno", None):  # the file cannot be read at all; what is damaged inside has no number
            raise
        what = (str(error) or type(error).__name__).splitlines()[0]
        raise UsageError(f"store {path}: not Parquet, or damaged: {what}") from None
