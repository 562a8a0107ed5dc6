"""What fpgen wrote into a directory, so that it replaces and removes nothing else.

A directory that is handed over has a record, a JSON file with the SHA-256 of every file that fpgen put there (`files`).
A file is fpgen's while it is a plain file with the digest that the record has for it. Everything else is the user's: it
stays where it is, and where its name is needed it is renamed to `NAME.kept` (`NAME.kept2`, ...) first.

Files are replaced one by one, each by a rename, the record last. Meanwhile, the record names the files that
were there and those that are coming (`unfinished`), so that after a crash both are known to be fpgen's.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cache import write_whole

#: The record of a bundle.
RECORD = "manifest.json"
#: The record of a directory that fpgen otherwise does not describe.
FILES = ".fpgen-files.json"

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Written:
    """What the record of a directory says.

    Attributes
    ----------
    content : mapping
        The whole record; empty where there is none.
    files : mapping of str to set of str
        File name to the digests under which it is fpgen's.
    """

    content: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def owns(self, path: Path) -> bool:
        """Whether this file is as fpgen wrote it."""
        known = self.files.get(path.name)
        return known is not None and is_plain(path) and digest_of(path) in known


def written(directory: Path, record: str = RECORD) -> Written:
    """What fpgen wrote into `directory`; nothing where there is no record, or none that can be read."""
    try:
        content = json.loads((directory / record).read_text(encoding="utf-8"))
        found: dict[str, set[str]] = {}
        for name, digest in content.get("files", {}).items():
            found.setdefault(name, set()).add(digest)
        for name, digests in content.get("unfinished", {}).items():
            found.setdefault(name, set()).update(digests)
    except (OSError, ValueError, AttributeError, TypeError):
        return Written()
    return Written(
        content, {name: frozenset(digests) for name, digests in found.items() if name == os.path.basename(name)}
    )


def intact(directory: Path, files: Mapping[str, str]) -> bool:
    """Whether every one of these files is in the directory with this digest; others may be there, too."""
    return all(is_plain(directory / name) and digest_of(directory / name) == digest for name, digest in files.items())


def is_plain(path: Path) -> bool:
    """Whether it is a file, and no link to one."""
    return path.is_file() and not path.is_symlink()


def digest_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def set_aside(path: Path, progress: Progress) -> None:
    """Rename what is in the way to a name that is free, and say so in one line."""
    number = 1
    while os.path.lexists(kept := path.with_name(f"{path.name}.kept{number if number > 1 else ''}")):
        number += 1
    os.rename(path, kept)
    progress(f"{path}: not as fpgen wrote it; kept as {kept.name}")


def merge(fresh: Path, target: Path, progress: Progress, *, record: str = RECORD) -> None:
    """Move the files of `fresh`, a whole directory with its record, into `target`; see the module.

    What fpgen wrote into `target` earlier and is not part of `fresh` is removed.

    Raises
    ------
    OSError
    """
    before = written(target, record)
    names = sorted(
        (path.name for path in fresh.iterdir() if path.name != record), key=lambda name: (name.endswith(".json"), name)
    )  # evidence after what it is of
    coming = {name: digest_of(fresh / name) for name in names}
    if not before.content and os.path.lexists(target / record):
        set_aside(target / record, progress)
    journal = {
        name: sorted(before.files.get(name, frozenset()) | ({coming[name]} if name in coming else set()))
        for name in sorted({*before.files, *coming})
    }
    write_whole(target / record, json.dumps({"unfinished": journal}, indent=2) + "\n")
    for name in names:
        path = target / name
        if os.path.lexists(path):
            if is_plain(path) and digest_of(path) == coming[name]:
                continue
            if not before.owns(path):
                set_aside(path, progress)
        os.replace(fresh / name, path)
    for name in before.files:
        if name not in coming and before.owns(target / name):
            (target / name).unlink()
    os.replace(fresh / record, target / record)


def withdraw(target: Path, into: Path | None = None, *, record: str = RECORD) -> list[str]:
    """Take everything that fpgen wrote out of a directory, and the directory itself if nothing else is in it.

    Parameters
    ----------
    target : Path
    into : Path, optional
        Where the files go; without it they are removed.

    Returns
    -------
    list of str
        Names of the files.

    Raises
    ------
    OSError
    """
    before = written(target, record)
    own = [name for name in before.files if before.owns(target / name)]
    if before.content:
        own.append(record)  # last: until then it says whose the others are
    if own and into is not None:
        into.mkdir(parents=True)
    for name in own:
        if into is None:
            (target / name).unlink()
        else:
            os.rename(target / name, into / name)
    with suppress(OSError):
        target.rmdir()
    return own
