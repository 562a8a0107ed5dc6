"""The cache directory, and how files and directories get into it: made aside, then renamed.

A reader sees a whole entry or none; a killed run leaves a `.tmp-` entry that nobody reads.
"""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from .errors import RunFailure

#: A private directory that nothing was put into for so long, in s, is nobody's any more: no run may take that long.
_ABANDONED = 7 * 86_400.0


def cache_dir(*parts: str) -> Path:
    """A directory in fpgen's cache, made when it is not there.

    `FPGEN_CACHE_DIR` overrides the place that the platform prescribes.

    Raises
    ------
    RunFailure
        When the directory cannot be made.
    """
    root = os.environ.get("FPGEN_CACHE_DIR") or platformdirs.user_cache_dir("fpgen")
    path = Path(root).expanduser().absolute().joinpath(*parts)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFailure(f"cannot make the cache directory {path}: {error.strerror}; "
                         "set FPGEN_CACHE_DIR to a directory that can be written") from None
    return path


def digest(*parts: str | bytes) -> str:
    """Content hash of several texts, told apart from their concatenation (24 hex digits)."""
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
    aside = path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}")  # with the user's permissions, unlike mkstemp
    try:
        with aside.open("xb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        os.replace(aside, path)
    except OSError as error:
        raise RunFailure(f"cannot write {path}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            aside.unlink()  # what is half-written; a whole file has its own name by now


@contextmanager
def locked(name: str, directory: Path | None = None) -> Iterator[None]:
    """Hold the lock `name`, of the cache or of a directory, against every other process."""
    path = (directory or cache_dir("locks")) / name
    try:
        import fcntl
    except ImportError:  # no advisory locks on this platform: go on without
        yield
        return
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


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
    aside = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".tmp-", dir=target.parent))
        make(aside)
        try:
            aside.rename(target)
        except OSError:
            if not target.is_dir():  # not a lost race
                raise
    except OSError as error:
        raise RunFailure(f"building {target}: {error.strerror or error}; nothing was left behind") from None
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    return True


@contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """A private directory below the cache that is gone afterwards."""
    work = cache_dir("work")
    _clear(work)
    path = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=work))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@functools.cache
def _clear(work: Path):
    """Remove what processes that were killed left behind; once in a process, whose own are younger."""
    with suppress(OSError):
        for path in work.iterdir():
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(path, ignore_errors=True)
