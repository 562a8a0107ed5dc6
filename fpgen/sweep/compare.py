"""What moved between two stores, and whether it moved too far: `fpgen compare BEFORE AFTER`.

Records belong together when unit, technology and recipe are the same, and whatever else of [measure] a store varies
(wire load, effort, ...). Of several delay targets equal ones are compared with each other, and of the others (a recipe
names targets by the delays it reaches, so they move) the shortest against the shortest, and so on. Figures that
rest on other assumptions (corner, load, drive; the stimulus of an energy, the data of an error) are not compared but
reported, since nothing follows from them. Other versions of the tools, another content of the library and other delay
targets are reported as well: they may be the reason.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import zip_longest
from pathlib import Path
from typing import Any

from fpgen.base import tomlfile
from fpgen.base.errors import UsageError
from fpgen.base.resources import resource_dir

from .columns import PARAMETER
from .plan import AXES
from .template import spelled

#: Figures that can be compared, and which way is better: -1 for less.
METRICS: dict[str, int] = {
    "area_um2": -1,
    "nand2_eq": -1,
    "delay_ps": -1,
    "adp": -1,
    "fmax_mhz": +1,
    "cells": -1,
    "registers": -1,
    "logic_depth": -1,
    "latency": -1,
    "luts": -1,
    "dsps": -1,
    "energy_pj": -1,
    "leakage_nw": -1,
    "error_rms": -1,
    "error_max": -1,
    "error_sum": -1,
}
_FILE_KEYS: tomlfile.Kinds = {"tolerance": dict, "unit": list}
_UNIT_KEYS: tomlfile.Kinds = {"match": str, **dict.fromkeys(METRICS, (int, float))}

#: What a figure rests on besides the assumptions.
_BASIS: dict[str, tuple[str, ...]] = {
    "energy_pj": ("power_stimulus", "power_seed", "power_operations", "power_assumptions"),
    "leakage_nw": ("power_assumptions",),
    **dict.fromkeys(("error_rms", "error_max", "error_sum"), ("error_data",)),
}


@dataclass(frozen=True)
class Rules:
    """How far figures may get worse.

    Attributes
    ----------
    tolerance : mapping
        Figure to per cent.
    units : tuple of (str, mapping)
        Pattern of a unit's text, and what is otherwise for it; the first that matches counts.
    """

    tolerance: Mapping[str, float]
    units: tuple[tuple[str, Mapping[str, float]], ...] = ()

    def of(self, unit: str) -> dict[str, float]:
        """Figure to per cent, for one unit."""
        own = next((given for pattern, given in self.units if fnmatchcase(unit, pattern)), {})
        return {**self.tolerance, **own}


@dataclass(frozen=True)
class Key:
    """Which record: unit, technology, recipe, what else is varied of [measure], and which of several delay targets.

    Targets are counted by `rank`; `target` has it in ps where there are several.
    """

    unit: str
    technology: str
    recipe: str
    ways: tuple[str, ...] = ()
    rank: int = 0
    target: str = ""

    @property
    def manner(self) -> str:
        """All but the unit, in one line."""
        return ", ".join(part for part in (self.technology, self.recipe, *self.ways, self.target) if part)

    def __str__(self) -> str:
        return f"{self.unit}, {self.manner}" if self.manner else self.unit

    def covers(self, other: Key) -> bool:
        """Whether a point of this key, which failed before it came to a script of its recipe, stands for `other`."""
        return (self.unit, self.technology, self.ways) == (other.unit, other.technology, other.ways) and (
            not self.recipe or self.recipe.startswith("effort ") or f"{other.recipe}/".startswith(f"{self.recipe}/")
        )


@dataclass(frozen=True)
class Change:
    """A figure of one record that is not what it was.

    Attributes
    ----------
    unit, recipe, metric : str
    before, after : float
    percent : float
        Of `before`; above 0 is worse, whatever the figure. Infinite where `before` was 0.
    tolerance : float or None
        Per cent allowed; None where there is no rule.
    """

    unit: str
    recipe: str
    metric: str
    before: float
    after: float
    percent: float
    tolerance: float | None

    @property
    def regression(self) -> bool:
        return self.tolerance is not None and self.percent > self.tolerance + 1e-9


@dataclass(frozen=True)
class Comparison:
    """All that moved.

    Attributes
    ----------
    records : int
        Compared, on both sides with figures.
    changes : list of Change
        Worst first.
    gone, new : list of str
        Records on one side only.
    broken, fixed : list of str
        Had figures (or one that a rule is about) and have none, with the reason; and the other way round.
    incomparable : list of str
        Rest on other assumptions.
    notes : list of str
        Other versions of tools, another content of the library.
    """

    records: int
    changes: list[Change]
    gone: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    incomparable: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def regressions(self) -> list[Change]:
        return [change for change in self.changes if change.regression]

    @property
    def passed(self) -> bool:
        """Whether nothing got worse beyond tolerance, broke, vanished, or cannot be compared."""
        return not (self.regressions or self.broken or self.gone or self.incomparable)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: an infinite per cent is null."""
        changes = [
            {
                **vars(change),
                "percent": change.percent if math.isfinite(change.percent) else None,
                "regression": change.regression,
            }
            for change in self.changes
        ]
        return {**vars(self), "changes": changes, "passed": self.passed}


def load_rules(path: Path | None = None) -> Rules:
    """Read the rules; default: `synth/rules.toml`.

    Raises
    ------
    UsageError
    RunFailure
    """
    path = resource_dir("synth") / "rules.toml" if path is None else path
    where = f"rules file {path}"
    data, _ = tomlfile.read(path, "rules file", f"a TOML file such as {resource_dir('synth') / 'rules.toml'}")
    tomlfile.check_keys(where, data, _FILE_KEYS)
    tolerance = _tolerances(f"{where}: [tolerance]", data.get("tolerance", {}))
    units = []
    for number, entry in enumerate(data.get("unit", []), 1):
        place = f"{where}: unit {number}"
        tomlfile.check_keys(place, entry, _UNIT_KEYS)
        if "match" not in entry:
            raise UsageError(f'{place}: match: got none; expected match = "fma *"')
        units.append((entry["match"], _tolerances(place, {k: v for k, v in entry.items() if k != "match"})))
    if not tolerance and not units:
        raise UsageError(f"{where}: got no tolerance; expected [tolerance] with figures such as area_um2 = 2.0")
    return Rules(tolerance, tuple(units))


def _tolerances(place: str, given: Mapping[str, Any]) -> dict[str, float]:
    tomlfile.check_keys(place, given, dict.fromkeys(METRICS, (int, float)))
    for name, value in given.items():
        if not 0 <= value < math.inf:
            raise UsageError(f"{place}: {name}: got {value!r}; expected a percentage from 0")
    return {name: float(value) for name, value in given.items()}


def compare(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], rules: Rules) -> Comparison:
    """What moved from one store's records to another's."""
    ways = [
        name
        for name in AXES
        if name not in ("technology", "recipe")
        and any(len({str(record.get(PARAMETER + name)) for record in store}) > 1 for store in (before, after))
    ]
    left, right = _keyed(before, after, ways)
    found = Comparison(0, [])
    pairs = [(key, left[key], right[key]) for key in left if key in right]
    pairs += _of_failed_points(left, right, found)
    count = 0
    notes: dict[str, None] = {}
    retargeted: list[str] = []
    for key, was, now in pairs:
        if was["status"] != "ok" or now["status"] != "ok":
            if was["status"] == "ok":
                found.broken.append(f"{key}: {str(now.get('reason') or '?').splitlines()[0]}")
            elif now["status"] == "ok":
                found.fixed.append(str(key))
            continue
        other = _differing(was, now, "assumptions")
        if other:
            found.incomparable.append(f"{key}: {other}")
            continue
        count += 1
        notes |= dict.fromkeys(_reasons_to_move(was, now))
        if was.get("target_ps") != now.get("target_ps"):
            retargeted.append(f"{was.get('target_ps') or 0:g} ps then, {now.get('target_ps') or 0:g} ps now: {key}")
        _figures(key, was, now, rules.of(key.unit), found)
    if retargeted:
        notes[f"{len(retargeted)} of the records were made for other delay targets; the first {retargeted[0]}"] = None
    changes = sorted(found.changes, key=lambda change: (not change.regression, -change.percent))
    return replace(found, records=count, changes=changes, notes=list(notes))


Records = dict[Key, Mapping[str, Any]]


def _keyed(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], ways: Sequence[str]
) -> tuple[Records, Records]:
    """Records of both stores by what they are of."""
    left, right = _groups(before, ways), _groups(after, ways)
    found: tuple[Records, Records] = {}, {}
    for key in {**left, **right}:
        pairs = _paired(left.get(key, []), right.get(key, []))
        for rank, pair in enumerate(pairs):
            target = next((record.get("target_ps") for record in pair if record), None)
            shown = f"target {target:g} ps" if target and len(pairs) > 1 else ""
            for records, record in zip(found, pair, strict=True):
                if record is not None:
                    records[replace(key, rank=rank, target=shown)] = record
    return found


def _groups(store: Iterable[Mapping[str, Any]], ways: Sequence[str]) -> dict[Key, list[Mapping[str, Any]]]:
    """The records of each key, shortest delay target first; the same point under two names counts once."""
    groups: dict[Key, list[Mapping[str, Any]]] = {}
    for record in store:
        technology = record.get("technology") or record.get(f"{PARAMETER}technology") or ""
        varied = tuple(
            f"{name}={spelled(record[PARAMETER + name])}" for name in ways if record.get(PARAMETER + name) is not None
        )
        key = Key(str(record["unit"]), str(technology), str(record.get("recipe") or ""), varied)
        group = groups.setdefault(key, [])
        if not any(
            record.get("key")
            and record.get("key") == other.get("key")
            and record.get("target_ps") == other.get("target_ps")
            for other in group
        ):
            group.append(record)
    return {key: sorted(group, key=lambda item: item.get("target_ps") or 0.0) for key, group in groups.items()}


def _paired(
    left: Sequence[Mapping[str, Any]], right: Sequence[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]]:
    """Those of equal delay targets together, and the others in order; None where there is no other one."""
    others, pairs, alone = list(right), [], []
    for record in left:
        same = next((other for other in others if other.get("target_ps") == record.get("target_ps")), None)
        if same is None:
            alone.append(record)
        else:
            others.remove(same)
            pairs.append((record, same))
    return [*pairs, *zip_longest(alone, others)]


def _of_failed_points(left: Records, right: Records, found: Comparison) -> list[tuple[Key, Any, Any]]:
    """Pairs of records with figures and a point that failed as a whole; what is left over is gone or new."""
    failed = [
        {key: record for key, record in one.items() if record["status"] != "ok" and key not in other}
        for one, other in ((left, right), (right, left))
    ]
    pairs: list[tuple[Key, Any, Any]] = []
    used: set[Key] = set()
    for key in [*(key for key in left if key not in right), *(key for key in right if key not in left)]:
        is_left = key in left
        match = next((point for point in failed[is_left] if point.covers(key)), None)
        if match is not None:
            used.add(match)
            pairs.append((key, left[key], right[match]) if is_left else (key, left[match], right[key]))
    reported = {key for key, _, _ in pairs} | used
    found.gone.extend(str(key) for key in left if key not in right and key not in reported)
    found.new.extend(str(key) for key in right if key not in left and key not in reported)
    return pairs


def _differing(was: Mapping[str, Any], now: Mapping[str, Any], column: str) -> str:
    """What differs between two columns of JSON."""
    try:
        left, right = (json.loads(record.get(column) or "{}") for record in (was, now))
    except ValueError:
        return f"{column} that cannot be read"
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return "" if left == right else f"{column} {left} then, {right} now"
    names = [name for name in {**left, **right} if left.get(name) != right.get(name)]
    return "; ".join(f"{name} {left.get(name)} then, {right.get(name)} now" for name in names)


def _reasons_to_move(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterable[str]:
    versions = _differing(was, now, "versions")
    if versions:
        yield f"tools: {versions}"
    library, other = was.get("library_hash"), now.get("library_hash")
    if library and other and library != other:
        yield f"the library {now.get('technology') or '?'} has another content: {library} then, {other} now"


def _figures(
    key: Key, was: Mapping[str, Any], now: Mapping[str, Any], tolerance: Mapping[str, float], found: Comparison
) -> None:
    """Compare the figures of one record."""
    for metric, better in METRICS.items():
        before, after = _number(was.get(metric)), _number(now.get(metric))
        if before is None:
            continue
        if after is None:
            if metric in tolerance:
                found.broken.append(f"{key}: no {metric} any more")
            continue
        basis = next((name for name in _BASIS.get(metric, ()) if was.get(name) != now.get(name)), None)
        if basis is not None:
            line = f"{key}: {metric}: {basis} {was.get(basis)} then, {now.get(basis)} now"
            found.incomparable.append(line)
        elif before != after:
            worse = (after - before) * -better
            percent = 100 * worse / abs(before) if before and math.isfinite(before) else math.copysign(math.inf, worse)
            found.changes.append(Change(key.unit, key.manner, metric, before, after, percent, tolerance.get(metric)))


def _number(value: Any) -> float | None:
    is_one = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return float(value) if is_one else None
