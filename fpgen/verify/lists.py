"""Reading `sim/regression.toml`: groups of units, written out or as patterns over formats."""

from __future__ import annotations

import itertools
import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import tomlfile
from ..errors import UsageError
from ..formats import CATALOGUE
from ..resources import resource_dir
from ..units import Unit, parse_unit

LEVELS = ("slice", "full")
_KEYS: tomlfile.Kinds = {"name": str, "level": str, "units": list, "pattern": list, "over": dict, "except": list,
                         "vectors": int, "seed": int}


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
    plain, _ = tomlfile.read(path, "regression list", "a TOML file of [[group]] tables")
    where = f"regression list {path}"
    tomlfile.check_keys(where, plain, {"group": list})
    groups = []
    for number, entry in enumerate(plain.get("group", []), start=1):
        place = f"{where}, group {number}"
        tomlfile.check_keys(place, entry, _KEYS)
        name = entry.get("name", "(unnamed)")
        place += f" ({name})"
        if entry.get("level", "full") not in LEVELS:
            raise UsageError(f"{place}: level = {entry['level']!r}; allowed: {', '.join(LEVELS)}")
        for key in ("vectors", "seed"):
            if entry.get(key, 1) < (1 if key == "vectors" else 0):
                raise UsageError(f"{place}: {key} = {entry[key]}; a positive number is allowed")
        if level == "full" or entry.get("level", "full") == "slice":
            try:
                units = _units(entry)
            except UsageError as error:
                raise UsageError(f"{place}: {error}") from None
            groups.append(Group(name, units, entry.get("vectors"), entry.get("seed", 1)))
    if not any(group.units for group in groups):
        raise UsageError(f"{path}: no unit at level {level}; at least one is needed: a run of 0 vectors shows nothing")
    return groups


def _units(entry: dict[str, Any]) -> tuple[Unit, ...]:
    texts = list(entry.get("units", []))
    values = {name: _values(choice) for name, choice in entry.get("over", {}).items()}
    left_out = set(entry.get("except", []))
    for text in (*texts, *entry.get("pattern", []), *left_out):
        if not isinstance(text, str):
            raise UsageError(f"{text!r} in a list of units, patterns or formats; text is allowed")
    for pattern in entry.get("pattern", []):
        wanted = {word for _, word, _, _ in string.Formatter().parse(pattern) if word is not None}
        unknown = ", ".join(sorted(wanted - set(values)))
        if unknown:
            raise UsageError(f"pattern {pattern!r} uses {unknown}; over has: {', '.join(values) or 'nothing'}")
        used = [name for name in values if f"{{{name}}}" in pattern]
        for combination in itertools.product(*(values[name] for name in used)):
            if not left_out & set(combination):
                texts.append(pattern.format(**dict(zip(used, combination, strict=True))))
    units: dict[Unit, None] = {}
    for text in texts:
        if text not in left_out:
            units[parse_unit(text)] = None
    return tuple(units)


def _values(choice: Any) -> list[str]:
    """A list as it is; a set of catalogue formats by kind and size.

    Raises
    ------
    UsageError
    """
    if isinstance(choice, list) and all(isinstance(one, str) for one in choice):
        return choice
    found = re.fullmatch(r"(all|floats)(?:<=(\d+))?", choice) if isinstance(choice, str) else None
    if not found:
        raise UsageError(f"formats {choice!r}; allowed: a list, or all, all<=N, floats, floats<=N")
    most = int(found[2]) if found[2] else 64
    return [name for name, entry in CATALOGUE.items()
            if entry.format.bits <= most and (found[1] == "all" or not entry.format.fixed)]
