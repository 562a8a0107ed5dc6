"""Reading the lists in `sim/`: groups of units, written out or as patterns over formats."""

from __future__ import annotations

import itertools
import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpgen.base import tomlfile
from fpgen.base.errors import UsageError
from fpgen.base.resources import resource_dir
from fpgen.formats import CATALOGUE
from fpgen.units import Unit, parse_unit
from fpgen.vectors.stimulus import MOST_VECTORS, plan

LEVELS = ("slice", "full")
_KEYS: tomlfile.Kinds = {
    "name": str,
    "level": str,
    "units": list,
    "pattern": list,
    "over": dict,
    "except": list,
    "vectors": int,
    "seed": int,
    "fixed": dict,
}

#: Files of `sim/` that a regression reads.
LISTS = ("regression.toml", "block.toml")

#: Inputs held to some codes: those of each, or the name of a kind of codes.
Fixed = tuple[tuple[str, tuple[int, ...] | str], ...]


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
    fixed : tuple of (str, tuple of int or str)
        Inputs held to a few codes, as `verify` takes them.
    """

    name: str
    units: tuple[Unit, ...]
    vectors: int | None
    seed: int
    fixed: Fixed = ()


def load_groups(path: Path | None = None, *, level: str = "slice") -> list[Group]:
    """The groups of a level; ``full`` includes the slice, which comes first.

    Parameters
    ----------
    path : Path, optional
        Default: `LISTS` in `sim/`.
    level : str

    Raises
    ------
    UsageError
        When the file cannot be read or makes no sense.
    """
    if level not in LEVELS:
        raise UsageError(f"level: got {level}; expected one of {', '.join(LEVELS)}")
    paths = [path] if path else [resource_dir("sim") / name for name in LISTS]
    levels = LEVELS[: LEVELS.index(level) + 1]
    chosen = [group for own in levels for one in paths for group in _read(one, own)]
    if not any(group.units for group in chosen):
        raise UsageError(
            f"{', '.join(map(str, paths))}: got no unit at level {level}; expected at least one: a run of 0 "
            "vectors shows nothing"
        )
    return chosen


def _read(path: Path, level: str) -> list[Group]:
    """The groups of this very level in a file."""
    plain, _ = tomlfile.read(path, "regression list", "a TOML file of [[group]] tables")
    where = f"regression list {path}"
    tomlfile.check_keys(where, plain, {"group": list})
    groups = []
    for number, entry in enumerate(plain.get("group", []), start=1):
        place = f"{where}, group {number}"
        tomlfile.check_keys(place, entry, _KEYS)
        name = entry.get("name", "(unnamed)")
        place += f" ({name})"
        own = entry.get("level", "full")
        if own not in LEVELS:
            raise UsageError(f"{place}: level: got {own!r}; expected one of {', '.join(LEVELS)}")
        for key in ("vectors", "seed"):
            if entry.get(key, 1) < (1 if key == "vectors" else 0):
                raise UsageError(f"{place}: {key}: got {entry[key]}; expected a positive number")
        if entry.get("vectors", 1) > MOST_VECTORS:
            raise UsageError(f"{place}: vectors: got {entry['vectors']}; expected at most 2**32")
        if own != level:
            continue
        try:
            units = _units(entry)
            fixed = _fixed(entry.get("fixed", {}), units)
        except UsageError as error:
            raise UsageError(f"{place}: {error}") from None
        groups.append(Group(name, units, entry.get("vectors"), entry.get("seed", 1), fixed))
    return groups


def _fixed(given: dict[str, Any], units: tuple[Unit, ...]) -> Fixed:
    """Inputs held to some codes, checked against every unit."""
    for unit in units:
        if given:
            plan(unit, fixed=given)
    return tuple((name, codes if isinstance(codes, str) else tuple(codes)) for name, codes in given.items())


def _units(entry: dict[str, Any]) -> tuple[Unit, ...]:
    texts = list(entry.get("units", []))
    values = {name: _values(choice) for name, choice in entry.get("over", {}).items()}
    left_out = set(entry.get("except", []))
    for text in (*texts, *entry.get("pattern", []), *left_out):
        if not isinstance(text, str):
            raise UsageError(f"a list of units, patterns or formats: got {text!r}; expected text")
    for pattern in entry.get("pattern", []):
        wanted = {word for _, word, _, _ in string.Formatter().parse(pattern) if word is not None}
        unknown = ", ".join(sorted(wanted - set(values)))
        if unknown:
            raise UsageError(
                f"pattern {pattern!r}: got {unknown}; expected names in over: {', '.join(values) or '(none)'}"
            )
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
        raise UsageError(f"formats: got {choice!r}; expected a list, or all, all<=N, floats, floats<=N")
    most = int(found[2]) if found[2] else 64
    return [
        name
        for name, entry in CATALOGUE.items()
        if entry.format.bits <= most and (found[1] == "all" or not entry.format.fixed)
    ]
