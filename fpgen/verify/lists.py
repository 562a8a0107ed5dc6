"""Reading `sim/regression.toml`: groups of units, written out or as patterns over formats."""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..formats import CATALOGUE
from ..resources import resource_dir
from ..units import Unit, parse_unit

LEVELS = ("slice", "full")
_KEYS = {"name", "level", "units", "pattern", "over", "except", "vectors", "seed"}


@dataclass(frozen=True)
class Group:
    """Units that are verified with the same settings.

    Parameters
    ----------
    name : str
    units : tuple of Unit
    vectors : int, optional
        Constrained random vectors; default as `verify`.
    seed : int
    """

    name: str
    units: tuple[Unit, ...]
    vectors: int | None
    seed: int


def load_groups(path: Path | None = None, *, level: str = "slice") -> list[Group]:
    """The groups of a level; ``full`` includes the slice.

    Parameters
    ----------
    path : Path, optional
        Default: `sim/regression.toml`.
    level : str

    Raises
    ------
    UsageError
        When the file cannot be read or makes no sense.
    """
    if level not in LEVELS:
        raise UsageError(f"level={level}; allowed: {', '.join(LEVELS)}")
    path = path or resource_dir("sim") / "regression.toml"
    try:
        plain = tomllib.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; a TOML file of [[group]] tables is needed") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}; a TOML file of [[group]] tables is needed") from None
    groups = []
    for entry in plain.get("group", []):
        name = entry.get("name", "(unnamed)")
        unknown = set(entry) - _KEYS
        if unknown:
            raise UsageError(f"{path}, group {name}: {', '.join(sorted(unknown))}; allowed: {', '.join(sorted(_KEYS))}")
        if entry.get("level", "full") not in LEVELS:
            raise UsageError(f"{path}, group {name}: level={entry['level']}; allowed: {', '.join(LEVELS)}")
        if level == "full" or entry.get("level", "full") == "slice":
            try:
                units = _units(entry)
            except UsageError as error:
                raise UsageError(f"{path}, group {name}: {error}") from None
            groups.append(Group(name, units, entry.get("vectors"), entry.get("seed", 1)))
    if not any(group.units for group in groups):
        raise UsageError(f"{path}: no unit at level {level}; at least one is needed: a run of 0 vectors shows nothing")
    return groups


def _units(entry: dict[str, Any]) -> tuple[Unit, ...]:
    texts = list(entry.get("units", []))
    values = {name: _values(choice) for name, choice in entry.get("over", {}).items()}
    left_out = set(entry.get("except", []))
    for pattern in entry.get("pattern", []):
        used = [name for name in values if f"{{{name}}}" in pattern]
        for combination in itertools.product(*(values[name] for name in used)):
            if not left_out & set(combination):
                texts.append(pattern.format(**dict(zip(used, combination, strict=True))))
    units: dict[Unit, None] = {}
    for text in texts:
        if text not in left_out:
            units[parse_unit(text)] = None
    return tuple(units)


def _values(choice: str | list[str]) -> list[str]:
    """A list as it is; a set of catalogue formats by kind and size.

    Raises
    ------
    UsageError
    """
    if isinstance(choice, list):
        return choice
    found = re.fullmatch(r"(all|floats)(?:<=(\d+))?", choice)
    if not found:
        raise UsageError(f"formats {choice!r}; allowed: a list, or all, all<=N, floats, floats<=N")
    most = int(found[2]) if found[2] else 64
    return [name for name, entry in CATALOGUE.items()
            if entry.format.bits <= most and (found[1] == "all" or not entry.format.fixed)]
