"""Whether something can be written where it is wanted: found out before the work, not after it."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from .errors import RunFailure, UsageError, short_text

#: The disk's own trouble, of which the place that was given is not the cause.
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


def place_of(what: str, given: object) -> Path:
    """What a caller gave as a path.

    Raises
    ------
    UsageError
        When it is neither text nor a path, or no file system can have it.
    """
    if isinstance(given, str | os.PathLike):
        path = os.fspath(given)
        if isinstance(path, str) and "\0" not in path:
            return Path(path)
    raise UsageError(f"{what}: got {short_text(given)}; expected a path, as text or pathlib.Path")


def check_directory(what: str, path: Path) -> None:
    """See that a directory is there or can be made, and that files can be written into it; nothing is left behind.

    Parameters
    ----------
    what : str
        The option or key, for the message.
    path : Path

    Raises
    ------
    UsageError
        When the place cannot be written to.
    RunFailure
        When the disk is full, broken or mounted read-only.
    """
    made: list[Path] = []
    try:
        missing, at = [], path.absolute()
        while not os.path.lexists(at):
            missing.append(at)
            at = at.parent
        if not at.is_dir():
            kind = "a broken link" if at.is_symlink() else "a file"
            where = f"{path}, " if at == path.absolute() else f"{path}, and {at} is "
            raise UsageError(f"{what}: got {where}{kind}; expected a directory")
        for one in reversed(missing):
            one.mkdir(exist_ok=True)
            made.append(one)
        with tempfile.TemporaryFile(dir=path):
            pass
    except (OSError, ValueError) as error:
        raise _rejected(what, path, error, "a directory that can be written") from None
    finally:
        for one in reversed(made):
            with suppress(OSError):
                one.rmdir()


def check_file(what: str, path: Path, mark: str = "") -> None:
    """Check that a file can be written; an existing one must be fpgen's.

    Parameters
    ----------
    what : str
        The option, for the message.
    path : Path
    mark : str
        What every such file of fpgen's has in its first 4 KB. A file without it is somebody else's.

    Raises
    ------
    UsageError
        When the place cannot be written to, or something else is there.
    RunFailure
        When the disk is full, broken or mounted read-only.
    """
    parent = path.absolute().parent
    if not parent.is_dir():
        raise UsageError(
            f"{what}: got {path}, but there is no directory {parent}; expected a file in an existing directory"
        )
    if os.path.lexists(path) and not path.is_file():
        kind = "a directory" if path.is_dir() else "a broken link" if path.is_symlink() else "not a plain file"
        raise UsageError(f"{what}: got {path}, {kind}; expected a file")
    try:
        if not os.path.lexists(path):  # its own name may be too long, or not allowed there
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            path.unlink()
        with tempfile.TemporaryFile(dir=parent):
            pass
        head = path.read_bytes()[:4096] if mark and path.is_file() else b""
    except (OSError, ValueError) as error:
        raise _rejected(what, path, error, "a file that can be written") from None
    if head and mark.encode() not in head:
        raise UsageError(
            f"{what}: got {path}, a file that fpgen did not write; expected a new name, or one that fpgen wrote"
        )


def _rejected(what: str, path: Path, error: OSError | ValueError, expected: str) -> UsageError | RunFailure:
    reason = getattr(error, "strerror", None) or str(error)
    if getattr(error, "errno", None) in _OF_THE_DISK:
        return RunFailure(f"{what}: cannot write at {path}: {reason}")
    return UsageError(f"{what}: got {str(path)!r} ({reason}); expected {expected}")
