"""The directory that is handed over: Verilog, parameters, datasheet, vectors, evidence.

A new bundle is written atomically, so that what is under the unit's name is whole. One that is already running
is updated in place, file by file: what fpgen did not write stays (see `fpgen.base.ownership`), and so does evidence
that is still true, which is that of the very same Verilog. Evidence of other Verilog goes to `stale/<its SHA-256>/`.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fpgen.base import ownership
from fpgen.base.cache import claimed, clear_old, digest, locked
from fpgen.base.errors import RunFailure, UsageError
from fpgen.base.fingerprint import file_digests, tool_versions
from fpgen.base.ownership import RECORD, Progress, Written
from fpgen.base.places import check_directory
from fpgen.base.provenance import stamp
from fpgen.units import Unit

from .constraints import constraints
from .contents import unit_files
from .datasheet import datasheet_files

STALE = "stale"
#: What `record` holds of a run, and a bundle keeps together with that run's evidence.
_RECORDED = ("command", "key", "outcome")
_SHOWN = 16  # hexadecimal digits of the directory of stale files


def write_bundle(
    unit: Unit,
    output: Path,
    *,
    verilog: str | None = None,
    note: str = "",
    evidence: Mapping[str, Any] | None = None,
    points: Sequence[Mapping[str, Any]] = (),
    extra: Mapping[str, str] | None = None,
    record: Mapping[str, Any] | None = None,
    suffix: str = "",
    progress: Progress | None = None,
) -> Path:
    """Write a unit's directory below `output`, or bring an earlier one up to date.

    Parameters
    ----------
    unit : Unit
    output : Path
    verilog : str, optional
        The unit's Verilog, when the caller has it already.
    note : str
        A line for the datasheet.
    evidence : mapping, optional
        What was verified: `evidence.json`. Without evidence and points, those of an earlier bundle stay if they
        are of the same Verilog.
    points : sequence of mapping
        What was measured: `ppa.json`.
    extra : mapping of str to str, optional
        More files, name to text: the mapped netlist and what belongs to it.
    record : mapping, optional
        More for `manifest.json`.
    suffix : str
        After the unit's name in the name of the directory.
    progress : callable, optional
        Called with a line for everything of the user's, or of earlier evidence, that had to make room; default: a
        warning.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    UsageError
        When it cannot be there.
    RunFailure
        When it cannot be written; nothing half-written stays behind.
    """
    progress = progress or (lambda line: warnings.warn(line, stacklevel=3))
    target = output / f"{unit.name}{suffix}"
    check_target(target)
    text = unit.verilog() if verilog is None else verilog
    mark = stamp(text)
    more = dict(extra or {})
    if evidence is not None:
        more["evidence.json"] = _json({**evidence, **mark})
    if points:
        more["ppa.json"] = _json([{**point, **mark} for point in points])
    kept: dict[str, str] = {}
    earlier = ownership.written(target)
    if not more and _verilog_sha256(earlier, unit) == mark["verilog_sha256"]:
        kept = _evidence_files(target, unit, earlier)
        if "evidence.json" in kept:
            evidence = json.loads(kept["evidence.json"])
        points = json.loads(kept.get("ppa.json", "[]"))
        note = note or str(earlier.content.get("note", ""))
        if all(name in kept for name in _evidence_names(unit) if name in earlier.files):
            record = record or {name: earlier.content[name] for name in _RECORDED if name in earlier.content}
    files = {
        **unit_files(unit, text),
        f"{unit.name}.sdc": constraints(unit, points),
        **datasheet_files(unit, note=note, evidence=evidence, points=points),
        **more,
        **kept,
    }
    command = shlex.join(["fpgen", "generate", unit.text])
    head: dict[str, Any] = {**mark, "unit": unit.text, "note": note, "command": command, "tools": tool_versions()}

    def settle(fresh: Path) -> None:
        _retire(target, unit, mark["verilog_sha256"], set(files), progress)
        ownership.merge(fresh, target, progress)

    with replaced(target, settle) as aside:
        for name, content in files.items():
            (aside / name).write_text(content, encoding="utf-8", newline="\n")
        (aside / RECORD).write_text(_json({**head, **(record or {}), "files": file_digests(aside)}), encoding="utf-8")
    return target


def check_target(target: Path) -> None:
    """Check that a bundle can be written at `target`, without writing anything that stays.

    Raises
    ------
    UsageError
    """
    if os.path.lexists(target) and not target.is_dir():
        kind = "a broken link" if target.is_symlink() else "a file"
        raise UsageError(f"output {target}: got {kind} of the unit's name; expected a directory, or nothing")
    check_directory("output", target)


def withdraw(target: Path, why: str, progress: Progress) -> None:
    """Move all that fpgen wrote into a bundle to its `stale/`, so that it does not pass for the result of this run.

    Raises
    ------
    RunFailure
    """
    earlier = ownership.written(target)
    if not earlier.content:
        return
    try:
        into = _stale_place(target, earlier.content.get("verilog_sha256"))
        names = ownership.withdraw(target, into)
    except OSError as error:
        raise RunFailure(f"moving the earlier files of {target}: {error.strerror or error}") from None
    if names:
        progress(f"{target}: {why}; the earlier files are in {into.relative_to(target)}")


def mapped_name(unit: Unit) -> str:
    """Of the mapped netlist."""
    return f"{unit.name}.mapped.v"


def cells_name(unit: Unit) -> str:
    """Of the models of its cells."""
    return f"{unit.name}.cells.v"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"


# ---- evidence -----------------------------------------------------------------------


def _verilog_sha256(earlier: Written, unit: Unit) -> str | None:
    """Of the Verilog that a bundle's evidence is of; its file's digest where the record does not say."""
    said = earlier.content.get("verilog_sha256")
    digests = earlier.files.get(f"{unit.name}.v", frozenset())
    return said if isinstance(said, str) else next(iter(digests)) if len(digests) == 1 else None


def _evidence_names(unit: Unit) -> tuple[str, ...]:
    return "evidence.json", "ppa.json", mapped_name(unit), cells_name(unit)


def _evidence_files(target: Path, unit: Unit, earlier: Written) -> dict[str, str]:
    """Name and text of the evidence in a bundle that is as fpgen wrote it."""
    return {
        name: (target / name).read_text(encoding="utf-8")
        for name in _evidence_names(unit)
        if earlier.owns(target / name)
    }


def _retire(target: Path, unit: Unit, current: str, coming: set[str], progress: Progress) -> None:
    """Move evidence of Verilog other than the `current` one, that Verilog and its record to `stale/`.

    What has the name of evidence and is not as fpgen wrote it shows nothing, and is renamed.
    """
    earlier = ownership.written(target)
    before = _verilog_sha256(earlier, unit)
    own = [name for name in _evidence_names(unit) if earlier.owns(target / name)]
    for name in _evidence_names(unit):
        if name not in own and name not in coming and os.path.lexists(target / name):
            ownership.set_aside(target / name, progress)
    if before == current or not own:
        return
    into = _stale_place(target, before)
    into.mkdir(parents=True)
    if earlier.owns(target / f"{unit.name}.v"):
        own.append(f"{unit.name}.v")
    shutil.copy2(target / RECORD, into / RECORD)
    for name in own:
        os.rename(target / name, into / name)
    progress(f"{target}: evidence of other Verilog is now in {into.relative_to(target)}: {', '.join(own)}")


def _stale_place(target: Path, sha256: Any) -> Path:
    """A directory that is not there yet, for files that belong to this Verilog."""
    name = sha256[:_SHOWN] if isinstance(sha256, str) else "unknown"
    number = 1
    while os.path.lexists(place := target / STALE / f"{name}{f'-{number}' if number > 1 else ''}"):
        number += 1
    return place


# ---- the directory ------------------------------------------------------------------


@contextmanager
def replaced(target: Path, settle: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """A fresh directory that takes the place of `target` when the block ends without an error.

    Parameters
    ----------
    target : Path
    settle : callable, optional
        Called with the fresh directory, instead, where `target` is there already.

    Raises
    ------
    RunFailure
        On any error of the operating system; `target` is then as it was, or what `settle` made of it.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        clear_old(target.parent)
        with claimed(target.parent, f".{target.name[:60]}.") as aside:
            aside.mkdir()
            yield aside
            with locked(f"bundle-{digest(os.path.realpath(target))}"):
                if not target.exists():
                    os.rename(aside, target)
                elif settle is not None:
                    settle(aside)
                else:
                    _exchange(aside, target)
    except OSError as error:
        raise RunFailure(f"writing {target}: {error.strerror or error}; nothing half-written was kept") from None


def _exchange(fresh: Path, target: Path) -> None:
    """Put `fresh` in the place of `target`; a process killed in between has the earlier one put back by the next."""
    with claimed(target.parent, ".old.", back=target) as old:
        old.mkdir()
        os.rename(target, old / "was")
        try:
            os.rename(fresh, target)
        except BaseException:  # Ctrl-C, too
            os.rename(old / "was", target)
            raise
