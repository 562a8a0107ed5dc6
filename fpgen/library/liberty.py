"""Liberty files: unpacked, read into a `Library` by `fpgen.library.liberty_cells`, and kept.

A parsed library is kept in the cache under the hash of the file's bytes, so that the next process has it in
a fraction of the time. So are the texts that Yosys gets in its place.
"""

import functools
import gzip
import inspect
import io
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

from fpgen.base.cache import cache_dir, digest, write_whole
from fpgen.base.errors import RunFailure, UsageError
from fpgen.base.places import place_of

from . import cells, function, liberty_cells, liberty_functions, liberty_text, liberty_write, wireload
from .cells import Library
from .liberty_cells import Reader
from .liberty_text import parse

_SKIP = frozenset(
    (
        "internal_power",
        "test_cell",
        "normalized_driver_waveform",
        "receiver_capacitance",
        "output_current_rise",
        "output_current_fall",
        "dynamic_current",
    )
)
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


def mapping_file(library: Library) -> Path:
    """The text that Yosys and ABC map to, in the cache: `fpgen.library.liberty_write`, never the file itself.

    Parameters
    ----------
    library : Library
        From `load`.
    """
    return _written(digest(_code(), library.content_hash, "mapping"), lambda: liberty_write.to_text(library))


def functions_file(path: Path | str) -> Path:
    """The text that Yosys reads the cells' functions from, in the cache: `fpgen.library.liberty_functions`.

    Raises
    ------
    UsageError, RunFailure
        As `read_bytes`, or when it is no Liberty library.
    """
    raw = _raw(path)
    return _written(
        digest(_code(), raw, "functions"),
        lambda: liberty_functions.to_text(
            parse(_unpacked(raw, path).decode("utf-8", errors="replace"), str(path), skip=liberty_functions.SKIP)
        ),
    )


@functools.cache
def _code() -> str:
    """Hash of the code that reads and writes libraries: what another version made of one is not taken for its own."""
    modules = (cells, function, liberty_cells, liberty_functions, liberty_text, liberty_write, wireload)
    return digest(*(Path(inspect.getfile(module)).read_bytes() for module in modules))


def _written(key: str, make: Callable[[], str]) -> Path:
    target = cache_dir("liberty") / f"{key}.lib"
    if not target.exists():
        write_whole(target, make())
    return target


def _raw(given: Path | str) -> bytes:
    path = place_of("Liberty file", given)
    try:
        if path.is_dir():
            raise UsageError(f"Liberty file {path}: got a directory; expected a Liberty file (gzip accepted)")
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"Liberty file {path}: not found; expected a Liberty file (gzip accepted)") from None
    except OSError as error:
        raise RunFailure(f"cannot read the Liberty file {path}: {error.strerror}") from None


def _unpacked(raw: bytes, path: Path | str) -> bytes:
    if raw[:2] != _GZIP:
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            data = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"Liberty file {path}: damaged or cut short gzip: {error}") from None
    if len(data) > _LARGEST:
        raise UsageError(f"Liberty file {path}: got more than {_LARGEST >> 20} MiB unpacked; expected less")
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
        When there is no such file, or it is not a Liberty file, or is damaged or cut short.
    RunFailure
        When it is there and cannot be read.
    """
    raw = _raw(path)
    key = digest(_code(), "power" if power else "timing", raw)
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


def from_text(
    text: str, source: str = "Liberty text", *, power: bool = False, content_hash: str | None = None
) -> Library:
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
        raise UsageError(f"{source}: cannot read the library: {error}") from None
