"""TOML files that a user edits: read them, and say what is wrong with them."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import RunFailure, UsageError
from .places import place_of

Kinds = Mapping[str, type | tuple[type, ...]]
_WORDS = {str: "text", int: "a whole number", float: "a number", dict: "a table"}


def read(path: Path, what: str, needed: str) -> tuple[dict[str, Any], str]:
    """The data and the text of a file.

    Parameters
    ----------
    path : Path
    what : str
        What the file is, for messages: ``designs file``.
    needed : str
        What is expected in its place: ``a TOML file with [[unit]] entries``.

    Raises
    ------
    UsageError
        When it is not there, or not TOML in UTF-8.
    RunFailure
        When it is there and cannot be read.
    """
    path = place_of(what, path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{what} {path}: not found; expected {needed}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{what} {path}: not text in UTF-8; expected {needed}") from None
    except OSError as error:
        raise RunFailure(f"{what} {path}: {error.strerror}") from None
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{what} {path}: not TOML: {error}") from None
    except (RecursionError, ValueError):  # a thousand brackets, an integer of 5,000 digits
        raise UsageError(
            f"{what} {path}: nested too deeply, or a number with too many digits; expected {needed}"
        ) from None


def check_keys(place: str, given: Any, allowed: Kinds) -> None:
    """Reject a table with keys that are not `allowed`, or with values of another kind.

    Raises
    ------
    UsageError
    """
    if not isinstance(given, Mapping):
        raise UsageError(f"{place}: got {given!r}; expected a table")
    for key, value in given.items():
        if key not in allowed:
            close = difflib.get_close_matches(key, allowed, n=1)
            suggestion = f" (did you mean {close[0]}?)" if close else ""
            raise UsageError(f"{place}: key: got {key}{suggestion}; expected one of {', '.join(allowed)}")
        kinds = allowed[key]
        if not isinstance(value, kinds) or isinstance(value, bool):
            first = kinds if isinstance(kinds, type) else kinds[-1]
            word = f"a list, or [[{key}]] entries" if first is list else _WORDS[first]
            raise UsageError(f"{place}: {key}: got {value!r}; expected {word}")
