"""The directory that is handed over: Verilog, parameters, datasheet, vectors, evidence.

A bundle is written aside and renamed, so that what stands under the unit's name is whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomli_w

from .cache import claimed, clear_old
from .datasheet import datasheet
from .errors import RunFailure
from .fingerprint import file_digests
from .units import Unit
from .vectors import vector_table


def write_bundle(unit: Unit, output: Path, *, verilog: str | None = None, note: str = "",
                 evidence: Mapping[str, Any] | None = None, points: Sequence[Mapping[str, Any]] = (),
                 extra: Mapping[str, str] | None = None, record: tuple[str, dict[str, Any]] | None = None,
                 suffix: str = "") -> Path:
    """Write a unit's directory below `output`, replacing an earlier one.

    Parameters
    ----------
    unit : Unit
    output : Path
    verilog : str, optional
        The unit's Verilog, when the caller has it already.
    note : str
        A line for the datasheet.
    evidence : mapping, optional
        What was verified: `verification.json`.
    points : sequence of mapping
        What was measured: `ppa.json`.
    extra : mapping of str to str, optional
        More files, name to text.
    record : (str, dict), optional
        Name and content of one more JSON file, to which the digests of all others are added as `files`.
    suffix : str
        After the unit's name in the name of the directory.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    RunFailure
        When it cannot be written; nothing half-written stays behind.
    """
    files = {
        f"{unit.name}.v": unit.verilog() if verilog is None else verilog,
        "unit.toml": f"# {unit.text}\n" + tomli_w.dumps(unit.to_dict()),
        "README.md": datasheet(unit, note=note, evidence=evidence, points=points),
        f"{unit.name}.vectors.csv": vector_table(unit),
    }
    if evidence is not None:
        files["verification.json"] = json.dumps(evidence, indent=2) + "\n"
    if points:
        files["ppa.json"] = json.dumps(list(points), indent=2) + "\n"
    target = output / f"{unit.name}{suffix}"
    with replaced(target) as aside:
        for name, text in {**files, **(extra or {})}.items():
            (aside / name).write_text(text, encoding="utf-8")
        if record is not None:
            name, content = record
            (aside / name).write_text(json.dumps({**content, "files": file_digests(aside)}, indent=2) + "\n")
    return target


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """A fresh directory that takes the place of `target` when the block ends without an error.

    Raises
    ------
    RunFailure
        On any refusal of the operating system; `target` is then as it was.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        clear_old(target.parent)
        with claimed(target.parent, f".{target.name[:60]}.") as aside:
            aside.mkdir()
            yield aside
            if not target.exists():
                os.rename(aside, target)
                return
            with claimed(target.parent, ".old.", back=target) as old:
                old.mkdir()
                os.rename(target, old / "was")
                try:
                    os.rename(aside, target)
                except BaseException:  # Ctrl-C, too
                    os.rename(old / "was", target)
                    raise
    except OSError as error:
        raise RunFailure(f"writing {target}: {error.strerror or error}; nothing half-written was kept") from None
