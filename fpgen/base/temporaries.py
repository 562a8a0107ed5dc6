"""Half-written files and directories: whose they are, and their removal once nobody's.

A process that writes has a journal in the cache, `owners/TOKEN`, which it holds locked (`flock`) until it ends, in
whatever way. Before a temporary is made its path goes into the journal, and when it is gone or has its final name,
that goes there, too. The next process takes every journal that it can lock: its owner is dead, and what the journal
says is still there is removed. So no temporary of a live process goes, also where containers with process numbers of
their own share a cache; and no directory has to be searched.

Only a lock of this machine counts: file systems exist whose locks other machines do not see. What the journal of
another machine names, and temporaries without a journal, go after a week.
"""

from __future__ import annotations

import functools
import json
import multiprocessing.util
import os
import re
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # no advisory locks on this platform: age decides
    fcntl = None  # type: ignore[assignment]

#: What was not written to for so long, in s, is nobody's, where a lock cannot say so.
ABANDONED = 7 * 86_400.0
#: A journal without a first line is being made; older than this, in s, its maker was killed.
_YOUNG = 60.0

_NAME = re.compile(r"fpgen-([0-9a-f]{16})-\d+$")
_WITHOUT_OWNER = re.compile(r"\.(tmp|compiling)-[^-]+$")  # as earlier versions named them


class _Journal:
    """This process's journal in one cache."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.token = secrets.token_hex(8)
        self.file: int | None = None
        self._guard = threading.Lock()
        self._live: set[str] = set()
        self._count = 0
        with suppress(OSError):  # no cache that can be written: temporaries without a journal
            self._open()

    def _open(self) -> None:
        owners = self.home / "owners"
        owners.mkdir(parents=True, exist_ok=True)
        while self.file is None:
            file = os.open(owners / self.token, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            locked = _lock(file, wait=True)
            if os.fstat(file).st_nlink == 0:  # another process took it for a dead one's before it was locked
                os.close(file)
                continue
            os.write(file, f"{_machine() if locked else 'not locked'}\n".encode())
            self._start = os.fstat(file).st_size
            self.file = file
        multiprocessing.util.Finalize(None, self.close, exitpriority=-100)

    def fresh(self, parent: Path, prefix: str) -> Path:
        with self._guard:
            self._count += 1
            return parent / f"{prefix}fpgen-{self.token}-{self._count}"

    def add(self, path: Path, back: Path | None) -> None:
        text = self._relative(path)
        with self._guard:
            self._live.add(text)
            self._write("+", text, None if back is None else self._relative(back))

    def remove(self, path: Path) -> None:
        text = self._relative(path)
        with self._guard:
            self._live.discard(text)
            self._write("-", text)
            if not self._live and self.file is not None:
                with suppress(OSError):
                    os.ftruncate(self.file, self._start)

    def _relative(self, path: Path) -> str:
        """Below the cache without its place, which may be another one in another container."""
        return os.path.relpath(path, self.home) if path.is_relative_to(self.home) else str(path)

    def _write(self, *entry: str | None) -> None:
        if self.file is not None:
            with suppress(OSError):  # a full disk: what cannot be written down goes by age
                os.write(self.file, json.dumps(entry).encode() + b"\n")

    def close(self) -> None:
        with self._guard:
            if self.file is None:
                return
            if not self._live:
                with suppress(OSError):
                    os.unlink(self.home / "owners" / self.token)
            os.close(self.file)
            self.file = None


_journals: dict[tuple[Path, int], _Journal] = {}
_making = threading.Lock()


def _journal(home: Path) -> _Journal:
    with _making:
        key = (home, os.getpid())
        if key not in _journals:
            sweep(home)
            _journals[key] = _Journal(home)
        return _journals[key]


@contextmanager
def claimed(parent: Path, prefix: str, *, home: Path, back: Path | None = None) -> Iterator[Path]:
    """A path that nothing has yet, below `parent`, for a temporary file or directory.

    What is there at the end of the block is removed; or by another process, when this one is killed.

    Parameters
    ----------
    parent : Path
    prefix : str
        Of its name.
    home : Path
        The cache whose processes know of it.
    back : Path, optional
        Where `was` in the temporary directory came from: a killed process's is put back there, when it is missing.
    """
    parent = parent.absolute()
    journal = _journal(home.absolute())
    path = journal.fresh(parent, prefix)
    journal.add(path, None if back is None else back.absolute())
    try:
        yield path
    finally:
        if _removed(path):
            journal.remove(path)


def sweep(home: Path) -> None:
    """Remove what dead processes have left, by their journals in this cache."""
    with suppress(OSError):
        for path in list((home / "owners").iterdir()):
            if not any(journal.token == path.name for journal in _journals.values()):
                with suppress(OSError):
                    _take(path, home)


def _take(path: Path, home: Path) -> None:
    """Do what is left to do of a journal, and remove it, when its owner is dead."""
    file = os.open(path, os.O_RDWR)
    try:
        age = time.time() - os.fstat(file).st_mtime
        with os.fdopen(os.dup(file), encoding="utf-8") as text:
            first, *lines = text.read().splitlines() or [""]
        old = age > ABANDONED
        known = first == _machine() if first else age > _YOUNG
        if not known and not old:
            return
        if (fcntl is not None and not _lock(file, wait=False)) or os.fstat(file).st_nlink == 0:
            return  # alive, or another process has just done it
        settled = [_swept(home / entry, home / back if back else None, path.name) for entry, back in _entries(lines)]
        if all(settled) or old:
            path.unlink()
    finally:
        os.close(file)


def _entries(lines: list[str]) -> list[tuple[str, str | None]]:
    """Paths that are not said to be gone, and where what was put away into them came from."""
    found: dict[str, str | None] = {}
    for line in lines:
        with suppress(ValueError, LookupError, TypeError):  # a line that was cut off
            kind, path, *back = json.loads(line)
            if kind == "+":
                found[path] = back[0]
            else:
                found.pop(path, None)
    return list(found.items())


def _swept(path: Path, back: Path | None, token: str) -> bool:
    """Remove what a dead process left there; whether that is settled."""
    named = _NAME.search(path.name)
    if named is None or named[1] != token:
        return True  # not a name that its owner could have given
    if not path.parent.is_dir():
        return False  # a place that only other containers see, it may be
    if back is not None and os.path.lexists(path / "was") and not os.path.lexists(back):
        with suppress(OSError):
            os.rename(path / "was", back)
    return _removed(path)


@functools.cache
def clear_old(directory: Path, home: Path, *, everything: bool = False) -> None:
    """Remove temporaries that no journal speaks of, a week after they were last written to; once in a process.

    Parameters
    ----------
    directory : Path
    home : Path
        The cache with the journals.
    everything : bool
        Whether all that is in there is temporary.
    """
    with suppress(OSError):
        for path in list(directory.iterdir()):
            named = _NAME.search(path.name)
            if named is not None and (home / "owners" / named[1]).exists():
                continue
            if named is None and not everything and not _WITHOUT_OWNER.match(path.name):
                continue
            with suppress(OSError):
                if time.time() - path.lstat().st_mtime > ABANDONED:
                    _removed(path)


def _removed(path: Path) -> bool:
    """Whether nothing is there any more."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return not os.path.lexists(path)


def _lock(file: int, *, wait: bool) -> bool:
    """Lock an open file; whether that was possible."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _machine() -> str:
    """The running system, the same in all its containers."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()
