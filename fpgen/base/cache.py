"""The cache directory, and how files and directories get into it: written atomically (a temporary name, then a rename).

A reader sees a whole entry or none. What a killed run leaves half-written is removed by the next process
(`fpgen.base.temporaries`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import platformdirs

from . import temporaries
from .errors import RunFailure


def cache_dir(*parts: str) -> Path:
    """A directory in fpgen's cache, made when it is not there.

    `FPGEN_CACHE_DIR` overrides the place that the platform prescribes.

    Raises
    ------
    RunFailure
        When the directory cannot be made.
    """
    path = _root().joinpath(*parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFailure(
            f"cannot make the cache directory {path}: {error.strerror}; "
            "set FPGEN_CACHE_DIR to a directory that can be written"
        ) from None
    return path


def _root() -> Path:
    return Path(os.environ.get("FPGEN_CACHE_DIR") or platformdirs.user_cache_dir("fpgen")).expanduser().absolute()


def claimed(
    parent: Path, prefix: str, *, back: Path | None = None, home: Path | None = None
) -> AbstractContextManager[Path]:
    """`temporaries.claimed` with the journals of the cache, or of the directory `home`."""
    return temporaries.claimed(parent, prefix, home=home or _root(), back=back)


def sweep() -> None:
    """Remove what processes that were killed have left behind, wherever it is."""
    temporaries.sweep(_root())


def clear_old(directory: Path) -> None:
    """Remove temporaries of earlier versions and of other machines from a directory, after a week."""
    temporaries.clear_old(directory, _root(), everything=directory == _root() / "work")


def digest(*parts: str | bytes) -> str:
    """Content hash of several texts, distinct from that of their concatenation (24 hex digits)."""
    state = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()[:24]


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file so that a reader sees all of it or none.

    Raises
    ------
    RunFailure
        When it cannot be written (a full disk, no permission); nothing is left behind.
    """
    try:
        # Opened, and with the user's permissions, unlike mkstemp's.
        with claimed(path.parent, f".{path.name[:40]}.") as aside:
            with aside.open("xb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
            os.replace(aside, path)
    except OSError as error:
        raise RunFailure(f"cannot write {path}: {error.strerror}") from None


@contextmanager
def locked(name: str, directory: Path | None = None) -> Iterator[int | None]:
    """Hold the lock `name`, of the cache or of a directory, against every other process.

    Yields
    ------
    int or None
        The open file: a process that inherits it holds the lock, too. None where the platform has no such locks.
    """
    path = (directory or cache_dir("locks")) / name
    try:
        import fcntl
    except ImportError:  # no advisory locks on this platform: continue without
        yield None
        return
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def publish(target: Path, make: Callable[[Path], None]) -> bool:
    """Have `make` fill a fresh directory, then rename it to `target`, unless `target` exists.

    Two processes may race: one of them wins and both see a whole directory.

    Returns
    -------
    bool
        True if `make` ran.
    """
    if target.is_dir():
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        clear_old(target.parent)
        with claimed(target.parent, ".tmp-") as aside:
            aside.mkdir(0o700)
            make(aside)
            try:
                aside.rename(target)
            except OSError:
                if not target.is_dir():  # not a lost race
                    raise
    except OSError as error:
        raise RunFailure(f"building {target}: {error.strerror or error}; nothing was left behind") from None
    return True


@contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """A private directory below the cache that is gone afterwards."""
    work = cache_dir("work")
    clear_old(work)
    with claimed(work, f"{kind}-") as path:
        path.mkdir(0o700)
        yield path
