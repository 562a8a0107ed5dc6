"""The list of units that `fpgen run` works through: a TOML file that a user edits."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpgen.base import tomlfile
from fpgen.base.errors import UsageError
from fpgen.base.resources import resource_dir
from fpgen.library import technology
from fpgen.units import Unit, unit_from_dict
from fpgen.units.identity import NAMES
from fpgen.vectors.stimulus import MOST_VECTORS

DEFAULT = "starter.toml"

_FILE_KEYS: tomlfile.Kinds = {"output": str, "seed": int, "vectors": int, "technology": str, "unit": list}
_ENTRY_KEYS: tomlfile.Kinds = {"note": str, "vectors": int, "target": (int, float)}


@dataclass(frozen=True)
class Design:
    """One entry of the list.

    Attributes
    ----------
    unit : Unit
    note : str
        For the datasheet.
    vectors : int or None
        Random vectors where trying every code is too much; None leaves the choice to `verify`.
    target : float or None
        Delay target of the synthesis in ps; None leaves the choice to the recipe.
    """

    unit: Unit
    note: str = ""
    vectors: int | None = None
    target: float | None = None

    def command(self, seed: int, technology: str | None) -> str:
        """The `fpgen bundle` that makes what `fpgen run` makes of this unit."""
        options = [("note", self.note), ("vectors", self.vectors), ("target", self.target), ("tech", technology)]
        words = ["fpgen", "bundle", self.unit.text, "--seed", str(seed)]
        words += [word for name, value in options if value for word in (f"--{name}", f"{value}")]
        return shlex.join(words)


@dataclass(frozen=True)
class BuildPlan:
    """A whole file: its `designs`, their directory `output`, the `seed`, the built-in `technology` (None: default)."""

    path: Path
    designs: tuple[Design, ...]
    output: Path = Path("rtl_out")
    seed: int = 1
    technology: str | None = None

    def prefixed(self, prefix: str) -> BuildPlan:
        """The plan whose modules' names begin with `prefix`, but for units that have one of their own.

        Raises
        ------
        UsageError
        """
        named = [dataclasses.replace(design.unit, prefix=design.unit.prefix or prefix) for design in self.designs]
        designs = [dataclasses.replace(design, unit=unit) for design, unit in zip(self.designs, named, strict=True)]
        return dataclasses.replace(self, designs=tuple(designs))


def load(path: Path | None = None) -> BuildPlan:
    """Read a list of units.

    Parameters
    ----------
    path : Path, optional
        Default: `designs/starter.toml` of the working directory, else the one that came with fpgen.

    Raises
    ------
    UsageError
        When the file is not there or says something that makes no sense; the message names file, line and entry.
    RunFailure
        When it cannot be read.
    """
    if path is None:
        here = Path("designs") / DEFAULT
        path = here if here.is_file() else resource_dir("designs") / DEFAULT
    example = f"a TOML file with [[unit]] entries, such as {resource_dir('designs') / DEFAULT}"
    data, text = tomlfile.read(path, "designs file", example)
    return _plan(path, data, _entry_lines(text))


def _entry_lines(text: str) -> list[int]:
    """Line numbers of the `[[unit]]` headings."""
    return [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*unit\s*\]\]", line)]


def _plan(path: Path, data: Mapping[str, Any], lines: list[int]) -> BuildPlan:
    where = f"designs file {path}"
    tomlfile.check_keys(where, data, _FILE_KEYS)
    for key, least in (("vectors", 1), ("seed", 0)):
        if data.get(key, least) < least:
            raise UsageError(f"{where}: {key}: got {data[key]}; expected a whole number of {least} or more")
    if not data.get("output", "x").strip() or not data.get("output", "x").isprintable():
        raise UsageError(f"{where}: output: got {data['output']!r}; expected the name of a directory")
    if "technology" in data:
        try:
            technology.load(data["technology"])
        except UsageError as error:
            raise UsageError(f"{where}: technology = {data['technology']!r}: {error}") from None
    entries = data.get("unit", [])
    if not entries:
        raise UsageError(f'{where}: got no units; expected at least one [[unit]] entry with unit = "..."')
    designs: list[Design] = []
    seen: dict[str, int] = {}
    for index, entry in enumerate(entries):
        line = f", line {lines[index]}" if len(lines) == len(entries) else ""
        place = f"{where}{line}: unit {index + 1}"
        design = _design(place, entry, data.get("vectors"))
        if design.unit.name in seen:
            first = seen[design.unit.name]
            if design.unit != designs[first - 1].unit:
                raise UsageError(
                    f"{place}: got the name {design.unit.name} of unit {first}; expected another one "
                    "(module_name names a unit)"
                )
            raise UsageError(f"{place}: got {design.unit.text}, which is unit {first} already; expected it once")
        seen[design.unit.name] = index + 1
        designs.append(design)
    return BuildPlan(
        path, tuple(designs), Path(data.get("output", "rtl_out")), data.get("seed", 1), data.get("technology")
    )


def _design(place: str, entry: Any, vectors: int | None) -> Design:
    if not isinstance(entry, Mapping):
        raise UsageError(f"{place}: got {entry!r}; expected a table [[unit]]")
    own = {key: value for key, value in entry.items() if key in _ENTRY_KEYS}
    tomlfile.check_keys(place, own, _ENTRY_KEYS)
    parameters = {key: value for key, value in entry.items() if key not in _ENTRY_KEYS}
    beside = NAMES if "unit" in parameters else ()
    name = {option: parameters.pop(option) for option in beside if option in parameters}
    if "unit" in parameters and len(parameters) > 1:
        extra = next(key for key in parameters if key != "unit")
        close = difflib.get_close_matches(extra, [*_ENTRY_KEYS, *NAMES], n=1)
        suggestion = f" (did you mean {close[0]}?)" if close else ""
        allowed = ", ".join((*_ENTRY_KEYS, *NAMES))
        raise UsageError(
            f"{place}: key: got {extra} beside unit{suggestion}; expected one of {allowed} "
            "(options of the unit belong in its line)"
        )
    try:
        unit = unit_from_dict(parameters)
        unit = dataclasses.replace(unit, **name) if name else unit
        _ = unit.name, unit.latency
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None
    for key in ("vectors", "target"):
        if key in own and not 1 <= own[key] < math.inf:
            raise UsageError(f"{place}: {key}: got {own[key]}; expected a number from 1 on")
    most = max(own.get("vectors", 1), vectors or 1)
    if most > MOST_VECTORS:
        raise UsageError(f"{place}: vectors: got {most}; expected at most 2**32")
    return Design(unit, own.get("note", ""), own.get("vectors", vectors), own.get("target"))
