"""Whether a bundle is as fpgen wrote it: every file of its manifest by SHA-256, and its evidence by the Verilog's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpgen.base.errors import UsageError
from fpgen.base.ownership import RECORD, digest_of, is_plain

#: Files that name the Verilog they are about.
_EVIDENCE = ("evidence.json", "ppa.json")


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes
    ----------
    unit : str
        The unit's line of text.
    files : int
        Files of the manifest.
    changed, missing : tuple of str
        Those with another digest, and those that are not there (or are not plain files).
    about_other_verilog : tuple of str
        Evidence of Verilog with another digest.
    foreign : tuple of str
        What else is in the directory; it is not fpgen's, and no fault.
    """

    unit: str
    files: int
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    about_other_verilog: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not (self.changed or self.missing or self.about_other_verilog)

    def lines(self) -> list[str]:
        """The findings, one a line, and the verdict last."""
        found = [f"changed: {name}" for name in self.changed]
        found += [f"missing: {name}" for name in self.missing]
        found += [f"evidence of other Verilog: {name}" for name in self.about_other_verilog]
        found += [f"not fpgen's: {name}" for name in self.foreign]
        verdict = "as fpgen wrote it" if self.passed else "NOT as fpgen wrote it"
        return [*found, f"{verdict}: {self.files} files, {self.unit}"]


def audit(directory: Path) -> Audit:
    """Compare a bundle with its manifest.

    Parameters
    ----------
    directory : Path
        A directory that `fpgen generate` or `fpgen run` wrote, wherever it has been copied to.

    Raises
    ------
    UsageError
        When there is no manifest, or one that cannot be read.
    """
    if not directory.is_dir():
        raise UsageError(f"bundle {directory}: got no directory; expected one with a {RECORD}")
    manifest = _read(directory / RECORD)
    files: Mapping[str, str] = manifest["files"]
    missing = [name for name in files if not is_plain(directory / name)]
    changed = [name for name in files if name not in missing and digest_of(directory / name) != files[name]]
    others = []
    for name in _EVIDENCE:
        if name in files and name not in (*missing, *changed):
            content = json.loads((directory / name).read_text(encoding="utf-8"))
            records = content if isinstance(content, list) else [content]
            if any(record.get("verilog_sha256") != manifest.get("verilog_sha256") for record in records):
                others.append(name)
    foreign = sorted(path.name for path in directory.iterdir() if path.name not in (*files, RECORD))
    return Audit(
        str(manifest.get("unit", "")), len(files), tuple(changed), tuple(missing), tuple(others), tuple(foreign)
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        manifest: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UsageError(f"bundle {path.parent}: got no {path.name}; expected a directory that fpgen wrote") from None
    except ValueError as error:
        raise UsageError(f"{path}: got text that is not JSON ({error}); expected a manifest of fpgen") from None
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or not all(isinstance(digest, str) for digest in files.values()):
        raise UsageError(f"{path}: got no list of files (an update cut off?); expected a manifest of fpgen")
    return dict(manifest)
