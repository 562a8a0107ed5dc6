"""What moved between two stores, and whether it moved too far: `fpgen compare BEFORE AFTER`.

Records belong together when unit, technology and recipe are the same; of several delay targets the shortest stands
against the shortest, and so on. Figures that rest on other assumptions (corner, load, drive) are not compared but
reported, since nothing follows from them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .. import tomlfile
from ..errors import UsageError
from ..resources import resource_dir

#: Figures that can be compared, and which way is better: -1 for less.
METRICS: dict[str, int] = {
    "area_um2": -1, "nand2_eq": -1, "delay_ps": -1, "adp": -1, "fmax_mhz": +1, "cells": -1, "registers": -1,
    "logic_depth": -1, "latency": -1, "luts": -1, "dsps": -1, "energy_pj": -1, "leakage_nw": -1,
    "error_rms": -1, "error_max": -1, "error_sum": -1,
}
_FILE_KEYS: tomlfile.Kinds = {"tolerance": dict, "unit": list}
_UNIT_KEYS: tomlfile.Kinds = {"match": str, **dict.fromkeys(METRICS, (int, float))}

Key = tuple[str, str, str, int]


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
    broken, mended : list of str
        Had figures and have none, with the reason; and the other way round.
    incomparable : list of str
        Rest on other assumptions.
    """

    records: int
    changes: list[Change]
    gone: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    incomparable: list[str] = field(default_factory=list)

    @property
    def regressions(self) -> list[Change]:
        return [change for change in self.changes if change.regression]

    @property
    def passed(self) -> bool:
        """Whether nothing got worse beyond tolerance, broke, vanished, or cannot be compared."""
        return not (self.regressions or self.broken or self.gone or self.incomparable)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: an infinite per cent is null."""
        changes = [{**vars(change), "percent": change.percent if math.isfinite(change.percent) else None,
                    "regression": change.regression} for change in self.changes]
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
            raise UsageError(f"{place}: no match; match = \"fma *\" is needed")
        units.append((entry["match"], _tolerances(place, {k: v for k, v in entry.items() if k != "match"})))
    if not tolerance and not units:
        raise UsageError(f"{where}: no tolerance; [tolerance] with figures such as area_um2 = 2.0 is needed")
    return Rules(tolerance, tuple(units))


def _tolerances(place: str, given: Mapping[str, Any]) -> dict[str, float]:
    tomlfile.check_keys(place, given, dict.fromkeys(METRICS, (int, float)))
    for name, value in given.items():
        if not 0 <= value < math.inf:
            raise UsageError(f"{place}: {name} = {value!r}; per cent from 0 are allowed")
    return {name: float(value) for name, value in given.items()}


def compare(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], rules: Rules) -> Comparison:
    """What moved from one store's records to another's."""
    left, right = _keyed(before), _keyed(after)
    both = [key for key in left if key in right]
    result = Comparison(0, [], [_label(key) for key in left if key not in right],
                        [_label(key) for key in right if key not in left])
    count = 0
    for key in both:
        was, now = left[key], right[key]
        if was["status"] != "ok" or now["status"] != "ok":
            if was["status"] == "ok":
                result.broken.append(f"{_label(key)}: {str(now.get('reason') or '?').splitlines()[0]}")
            elif now["status"] == "ok":
                result.mended.append(_label(key))
            continue
        other = _other_assumptions(was, now)
        if other:
            result.incomparable.append(f"{_label(key)}: {other}")
            continue
        count += 1
        result.changes.extend(_changes(key, was, now, rules.of(key[0])))
    changes = sorted(result.changes, key=lambda change: (not change.regression, -change.percent))
    return Comparison(count, changes, result.gone, result.new, result.broken, result.mended, result.incomparable)


def _keyed(records: Iterable[Mapping[str, Any]]) -> dict[Key, Mapping[str, Any]]:
    """Records by what they are of; a point that failed as a whole has no recipe and stands for all of them."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for record in records:
        technology = record.get("technology") or record.get("param_technology") or ""
        group = groups.setdefault((str(record["unit"]), str(technology), str(record.get("recipe") or "")), [])
        if not any(record.get("key") and record.get("key") == other.get("key")
                   and record.get("target_ps") == other.get("target_ps") for other in group):
            group.append(record)
    found: dict[Key, Mapping[str, Any]] = {}
    for (unit, technology, recipe), group in groups.items():
        for rank, record in enumerate(sorted(group, key=lambda item: item.get("target_ps") or 0.0)):
            found[unit, technology, recipe, rank] = record
    return found


def _label(key: Key) -> str:
    return ", ".join(str(part) for part in key[:3] if part) + (f", target {key[3] + 1}" if key[3] else "")


def _other_assumptions(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    try:
        left, right = (json.loads(record.get("assumptions") or "{}") for record in (was, now))
    except ValueError:
        return "assumptions that cannot be read"
    names = [name for name in {**left, **right} if left.get(name) != right.get(name)]
    return "; ".join(f"{name} {left.get(name)} then, {right.get(name)} now" for name in names)


def _changes(key: Key, was: Mapping[str, Any], now: Mapping[str, Any], tolerance: Mapping[str, float]
             ) -> Iterable[Change]:
    for metric, better in METRICS.items():
        before, after = was.get(metric), now.get(metric)
        if not isinstance(before, int | float) or not isinstance(after, int | float) or before == after:
            continue
        worse = (after - before) * -better
        percent = 100 * worse / abs(before) if before else math.copysign(math.inf, worse)
        yield Change(key[0], ", ".join(part for part in (key[1], key[2]) if part), metric, float(before),
                     float(after), percent, tolerance.get(metric))
