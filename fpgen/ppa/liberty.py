"""Liberty files: unpacked, read into a `Library` by `fpgen.ppa.liberty_cells`, and kept.

A parsed library is kept in the cache under the hash of the file's bytes, so that the next process has it in
a fraction of the time.
"""

import gzip
import io
import pickle
import zlib
from pathlib import Path

from fpgen.cache import cache_dir, digest, write_whole
from fpgen.errors import RunFailure, UsageError
from fpgen.ppa import liberty_write
from fpgen.ppa.cells import Library
from fpgen.ppa.liberty_cells import Reader
from fpgen.ppa.liberty_text import parse

# A new number when the meaning of the cached objects changes.
_VERSION = "10"
_SKIP = frozenset(("internal_power", "test_cell", "normalized_driver_waveform",
                   "receiver_capacitance", "output_current_rise", "output_current_fall", "dynamic_current"))
_GZIP = b"\x1f\x8b"
_LARGEST = 1 << 30  # bytes of unpacked text


def read_bytes(path: Path | str) -> bytes:
    """The text of a Liberty file, unpacked when it is gzip.

    Raises
    ------
    UsageError
        When there is no such file, or it is damaged or far too large.
    RunFailure
        When it is there and cannot be read.
    """
    return _unpacked(_raw(path), path)


def plain_file(path: Path | str) -> Path:
    """A file on disk with the library's plain text: the file itself, or its unpacked copy in the cache.

    Raises
    ------
    UsageError, RunFailure
        As `read_bytes`.
    """
    path = Path(path)
    raw = _raw(path)
    if raw[:2] != _GZIP:
        return path.absolute()
    target = cache_dir("liberty") / f"{digest(raw)}.lib"
    if not target.exists():
        write_whole(target, _unpacked(raw, path))
    return target


def mapping_file(path: Path | str, library: Library) -> Path:
    """The file to map to with Yosys and ABC: `plain_file`, or the library written anew where they would trip over it.

    Raises
    ------
    UsageError, RunFailure
        As `read_bytes`.
    """
    rewritten, as_it_is = (cache_dir("liberty") / f"{library.content_hash}.{word}"
                           for word in ("rewritten.lib", "as-it-is"))
    if not rewritten.exists() and not as_it_is.exists():
        if not liberty_write.trips(read_bytes(path).decode("utf-8", errors="replace"), library):
            write_whole(as_it_is, b"")
        else:
            write_whole(rewritten, liberty_write.to_text(load(path, power=True)))
    return rewritten if rewritten.exists() else plain_file(path)


def _raw(path: Path | str) -> bytes:
    try:
        if Path(path).is_dir():
            raise UsageError(f"Liberty file {path}: a directory; a Liberty file (gzip accepted) is allowed")
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise UsageError(f"Liberty file {path}: not found; a Liberty file (gzip accepted) is allowed") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise RunFailure(f"cannot read the Liberty file {path}: {getattr(error, 'strerror', error)}") from None


def _unpacked(raw: bytes, path: Path | str) -> bytes:
    if raw[:2] != _GZIP:
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            data = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"Liberty file {path}: damaged or cut short gzip: {error}") from None
    if len(data) > _LARGEST:
        raise UsageError(f"Liberty file {path}: more than {_LARGEST >> 20} MiB unpacked; less is allowed")
    return data


def load(path: Path | str, *, power: bool = False) -> Library:
    """The library of a Liberty file (gzip accepted), from the cache when it was read before.

    Parameters
    ----------
    path : path
    power : bool
        Read the internal power tables and the leakage of each state too.

    Raises
    ------
    UsageError
        When there is no such file, or it is no Liberty file, or is damaged or cut short.
    RunFailure
        When it is there and cannot be read.
    """
    raw = _raw(path)
    key = digest(_VERSION, "power" if power else "timing", raw)
    kept = cache_dir("liberty") / f"{key}.pickle"
    try:
        library = pickle.loads(kept.read_bytes())
        if isinstance(library, Library):
            return library
    except Exception:  # not there, or not whole, or of another version of numpy: read the file itself
        pass
    text = _unpacked(raw, path).decode("utf-8", errors="replace")
    library = from_text(text, str(path), power=power, content_hash=digest(raw))
    write_whole(kept, pickle.dumps(library, protocol=5))
    return library


def from_text(text: str, source: str = "Liberty text", *, power: bool = False,
              content_hash: str | None = None) -> Library:
    """The library of a Liberty text.

    Raises
    ------
    UsageError
        When the text is no Liberty library, is cut short, or has a figure or table that cannot be read.
    """
    tree = parse(text, source, skip=_SKIP - {"internal_power"} if power else _SKIP)
    try:
        return Reader(tree, source, power).library(content_hash or digest(text))
    except (ValueError, KeyError, IndexError, TypeError, OverflowError) as error:
        raise UsageError(f"{source}: cannot make sense of the library: {error}") from None
