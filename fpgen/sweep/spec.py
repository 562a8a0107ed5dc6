"""The TOML file of a sweep: what is varied, what is left out, how it is measured.

::

    title = "FMA over precision and exponent width"
    unit  = "fma e{E}m{P - 1} e{E}m{P - 1} e{E}m{P - 1} -> e{E}m{P - 1} rne"
    where = ["E + P <= 32"]            # points that make sense
    slice = ["P in [2, 4, 8, 24]"]     # of these, what is run without --full

    [parameters]
    P = { from = 2, to = 24 }
    E = [2, 5, 8]

    [measure]                          # technology, recipe, effort, targets, engine, ...: `fpgen.sweep.plan`
    [accuracy]                         # the numerical error on declared data
    [report]                           # what the pages of `fpgen report` group by
"""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fpgen.base import tomlfile
from fpgen.base.errors import UsageError
from fpgen.base.places import place_of
from fpgen.base.resources import resource_dir

from . import formula, plan, template
from .formula import Expression, Value
from .numerical_error import Accuracy
from .parameter_values import spread
from .plan import Measure
from .template import Template

_FILE_KEYS: tomlfile.Kinds = {
    "title": str,
    "unit": str,
    "where": list,
    "slice": list,
    "parameters": dict,
    "measure": dict,
    "accuracy": dict,
    "report": dict,
}
_REPORT_KEYS: tomlfile.Kinds = {"series": list, "scale": str, "compete": list}


@dataclass(frozen=True)
class Hints:
    """What a report cannot guess: the parameters that make a curve (`series`), the one along it (`scale`), and
    those that must be equal for two points to be compared (`compete`; empty: equal function)."""

    series: tuple[str, ...] = ()
    scale: str = ""
    compete: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sweep:
    """A whole file.

    Attributes
    ----------
    path : Path
    name, title : str
        The file's stem; a line about it.
    unit : Template
    parameters : mapping of str to tuple
        Name to values, in the file's order, and then what [measure] has lists of.
    where, slice : tuple of Expression
        Constraints: always, and of the usual run.
    measure : Measure
    accuracy : Accuracy or None
    hints : Hints
    """

    path: Path
    name: str
    title: str
    unit: Template
    parameters: Mapping[str, tuple[Value, ...]]
    where: tuple[Expression, ...] = ()
    slice: tuple[Expression, ...] = ()
    measure: Measure = field(default_factory=Measure)
    accuracy: Accuracy | None = None
    hints: Hints = field(default_factory=Hints)


def load(path: Path) -> Sweep:
    """Read a sweep; a bare name such as `depth` means the one that came with fpgen.

    Raises
    ------
    UsageError
        When the file is not there or says something that makes no sense; the message names the place.
    RunFailure
        When it cannot be read.
    """
    path = place_of("sweep file", path)
    shipped = resource_dir("synth") / "sweeps"
    if not path.exists() and path.suffix == "" and (shipped / f"{path}.toml").is_file():
        path = shipped / f"{path}.toml"
    needed = (
        f"a TOML file such as {shipped / 'depth.toml'}, or the name of one of "
        f"{', '.join(sorted(item.stem for item in shipped.glob('*.toml')))}"
    )
    data, _ = tomlfile.read(path, "sweep file", needed)
    return from_data(data, path)


def from_data(data: Mapping[str, Any], path: Path) -> Sweep:
    """The sweep that a TOML document describes.

    Raises
    ------
    UsageError
    """
    where = f"sweep file {path}"
    try:
        return _sweep(where, data, path)
    except UsageError as error:
        said = str(error)
        raise UsageError(said if said.startswith(where) else f"{where}: {said}") from None


def _sweep(where: str, data: Mapping[str, Any], path: Path) -> Sweep:
    tomlfile.check_keys(where, data, _FILE_KEYS)
    if "unit" not in data:
        raise UsageError(f'{where}: got no unit; expected unit = "..." with a table [parameters]')
    unit = template.read(data["unit"], "unit")
    parameters = {_name(name): spread(f"parameter {name}", given) for name, given in data.get("parameters", {}).items()}
    measure, axes = plan.read("[measure]", data.get("measure", {}))
    parameters |= axes
    conditions = {key: tuple(formula.read(item) for item in data.get(key, [])) for key in ("where", "slice")}
    known = sorted(parameters)
    for text, names in [
        (unit.text, unit.names),
        *((item.text, item.names) for key in conditions for item in conditions[key]),
    ]:
        for name in sorted(names - set(known)):
            raise UsageError(
                f"{text!r}: got parameter {name}{_suggest(name, known)}; expected one of {', '.join(known) or '(none)'}"
            )
    idle = sorted(set(known) - unit.names - set(axes))
    if idle:
        raise UsageError(
            f"parameter {', '.join(idle)}: got no use of it in the unit {unit.text!r}; expected "
            f"a place such as {{{idle[0]}}}"
        )
    hints = _hints(where, data.get("report", {}), known)
    accuracy = None if "accuracy" not in data else _accuracy(where, data["accuracy"])
    return Sweep(
        path,
        path.stem,
        str(data.get("title", path.stem)),
        unit,
        parameters,
        conditions["where"],
        conditions["slice"],
        measure,
        accuracy,
        hints,
    )


def _suggest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w{0,39}", name, re.ASCII) or name in formula.FUNCTIONS or keyword.iskeyword(name):
        raise UsageError(
            f"parameter: got {name!r}; expected a name of letters and digits "
            f"(not {', '.join(formula.FUNCTIONS)}, and not a word such as if, in, and)"
        )
    if name in plan.KEYS:
        raise UsageError(
            f"parameter: got {name}, a key of [measure]; expected {name} = [...] there, which makes it a parameter"
        )
    return name


def _hints(where: str, given: Any, known: Sequence[str]) -> Hints:
    place = f"{where}: [report]"
    tomlfile.check_keys(place, given, _REPORT_KEYS)
    for key, value in given.items():
        for name in value if isinstance(value, list) else [value]:
            if name not in known:
                raise UsageError(
                    f"{place}: {key}: got parameter {name!r}{_suggest(str(name), known)}; expected one of "
                    f"{', '.join(known) or '(none)'}"
                )
    return Hints(tuple(given.get("series", ())), given.get("scale", ""), tuple(given.get("compete", ())))


def _accuracy(where: str, given: Any) -> Accuracy:
    place = f"{where}: [accuracy]"
    tomlfile.check_keys(place, given, {"data": str, "sigma": (int, float), "vectors": int, "seed": int})
    try:
        return Accuracy(**given)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None
