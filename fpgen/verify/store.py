"""Whole directories in the cache: built aside, then renamed; and directories that do not outlive a run.

A reader sees a whole entry or none; a killed run leaves a `.tmp-` entry that nobody reads.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import RunFailure
from ..ppa.cache import cache_dir, digest, locked, write_whole

__all__ = ["cache_dir", "digest", "locked", "publish", "scratch", "write_whole"]


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
    path = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=cache_dir("work")))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
