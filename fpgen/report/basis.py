"""What the figures of a report rest on, where they come from, and what was not measured."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .data import AREA, ENERGY, ERROR, LUTS, Record, View, common

#: More recipes than this are not listed.
_RECIPES = 8


def assumptions(view: View) -> list[tuple[str, str]]:
    """Every assumption with its values; where there are several, which records have each."""
    rows = _tables(view.good, "assumptions")
    if view.has(AREA):
        rows.append(
            ("place and route", "of cell libraries none: area and delay of the mapped netlist, before placement")
        )
    rows += _synthesis(view)
    measured = [record for record in view.good if ENERGY.of(record) is not None]
    if measured:
        rows.append(
            ("energy: of what", "gates, flip-flops, clock pins and the nets they drive, with glitches; without leakage")
        )
        rows.append(
            (
                "energy: operands",
                _several(
                    measured,
                    lambda record: ", ".join(
                        stated
                        for name, stated in (
                            ("power_stimulus", f"{record.get('power_stimulus')}"),
                            ("power_seed", f"seed {record.get('power_seed')}"),
                            ("power_operations", f"{record.get('power_operations')} operations"),
                        )
                        if record.get(name) is not None
                    ),
                ),
            )
        )
        rows += [(f"energy: {name}", text) for name, text in _tables(measured, "power_assumptions", "assumptions")]
    with_error = [record for record in view.good if ERROR.of(record) is not None and record.get("error_data")]
    if with_error:
        rows.append(("error data", _several(with_error, lambda record: str(record["error_data"]))))
    return rows


def _tables(records: Sequence[Record], column: str, but: str = "") -> list[tuple[str, str]]:
    """The rows of a column of JSON tables, without what the column `but` of every record says already."""
    of, said = ({id(record): _table(record.get(name)) for record in records} for name in (column, but))
    rows = []
    for name in dict.fromkeys(name for table in of.values() for name in table):
        stated = [record for record in records if of[id(record)].get(name) not in (None, "", [])]
        if not stated or all(said[id(record)].get(name) == of[id(record)][name] for record in stated):
            continue
        unit = " fF" if name.endswith("_ff") else ""
        values = {id(record): f"{_plain(of[id(record)][name])}{unit}" for record in stated}
        text = _several(
            stated,
            lambda record, values=values: values[id(record)],  # type: ignore[misc]
            of_all=len(records),
        )
        rows.append((name.removesuffix("_ff").replace("_", " "), text))
    return rows


def _table(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _several(records: Sequence[Record], tell: Callable[[Record], str], of_all: int | None = None) -> str:
    """What records say; where they differ, the technologies that each belongs to, or how many records say it."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(tell(record), []).append(record)
    if len(groups) == 1:
        few = of_all is not None and len(records) < of_all
        return next(iter(groups)) + (f" ({_records(len(records))})" if few else "")
    where = {text: _technologies(group) for text, group in groups.items()}
    apart = len(set().union(*where.values())) == sum(map(len, where.values()))
    return "; ".join(
        text
        if where[text] == {text}
        else f"{text} ({', '.join(sorted(where[text])) if apart else _records(len(group))})"
        for text, group in groups.items()
    )


def _technologies(records: Iterable[Record]) -> set[str]:
    return {str(record["technology"]) for record in records}


def _records(count: int) -> str:
    return f"{count} record{'s' if count != 1 else ''}"


def _synthesis(view: View) -> list[tuple[str, str]]:
    """Recipes, delay targets and what was proven."""
    rows = []
    recipes = Counter(str(record["recipe"]) for record in view.good if record.get("recipe"))
    stated = (
        [f"{name} ({_records(count)})" for name, count in recipes.most_common(_RECIPES)]
        if len(recipes) > 1
        else list(recipes)
    )
    if len(recipes) > _RECIPES:
        stated.append(f"and {len(recipes) - _RECIPES} more")
    if stated:
        rows.append(("recipe", "; ".join(stated)))
    targets = sorted(
        {float(record["target_ps"]) for record in view.good if isinstance(record.get("target_ps"), int | float)}
    )
    if targets:
        rows.append(
            (
                "delay targets",
                ", ".join(f"{value:g}" for value in targets) + " ps"
                if len(targets) <= _RECIPES
                else f"{len(targets)}, from {targets[0]:g} to {targets[-1]:g} ps",
            )
        )
    proofs = Counter(str(record["proof"]) for record in view.good if record.get("proof"))
    if proofs:
        stated = [f"{name} ({_records(count)})" for name, count in proofs.most_common()]
        rows.append(("equivalence proof", f"netlist against its Verilog: {'; '.join(stated)}"))
    return rows


def absent(view: View) -> list[tuple[str, str]]:
    """What the store has no figures for though it could, and how to get them."""
    found = []
    if view.has(AREA) and not view.has(ENERGY):
        found.append(("Energy", 'power = "gaussian" (or uniform, or a .npy file) under [measure] of the sweep file.'))
    if view.has(AREA) and not any(record.get("sections") for record in view.good):
        found.append(
            (
                "Area by section of the datapath",
                "breakdown = true under [measure] of the sweep file, at about twice the time.",
            )
        )
    if (view.has(AREA) or view.has(LUTS)) and not view.has(ERROR):
        found.append(("Numerical error", "a table [accuracy] in the sweep file declares the data."))
    return found


def provenance(view: View) -> list[tuple[str, str]]:
    """Versions, cell libraries and their content, time."""
    from fpgen.base.version import __version__

    rows = [("report", f"fpgen {__version__}")]
    for table, count in common(view.good, "versions"):
        stated = ", ".join(
            f"{name} {value}" if not str(value).startswith(str(name)) else str(value) for name, value in table.items()
        )
        rows.append(("measured with", f"{stated} ({_records(count)})"))
    libraries = {
        (str(record["technology"]), str(record["library_hash"])) for record in view.good if record.get("library_hash")
    }
    rows += [("cell library", f"{name}, content {text}") for name, text in sorted(libraries)]
    seconds = {
        record.get("key") or index: float(record["point_seconds"])
        for index, record in enumerate(view.good)
        if isinstance(record.get("point_seconds"), int | float)
    }  # records of one point share its key and time
    if seconds:
        rows.append(
            (
                "measuring took",
                f"{sum(seconds.values()):.0f} s of wall time in all, the longest point {max(seconds.values()):.1f} s",
            )
        )
    hashes = sum(1 for record in view.good if record.get("netlist_hash"))
    if hashes:
        rows.append(
            ("hashes", f"the store has the content hashes of unit, library, netlist and point of {_records(hashes)}")
        )
    return rows
