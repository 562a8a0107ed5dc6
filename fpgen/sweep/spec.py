"""The TOML file of a sweep: what is varied, what is left out, how it is measured.

::

    title = "FMA over precision and exponent width"
    unit  = "fma e{E}m{P - 1} e{E}m{P - 1} e{E}m{P - 1} -> e{E}m{P - 1} rne"
    where = ["E + P <= 32"]            # points that make sense
    slice = ["P in [2, 4, 8, 24]"]     # of these, what is run without --full

    [parameters]
    P = { from = 2, to = 24 }
    E = [2, 5, 8]

    [measure]                          # technology, recipe, effort, targets, engine, ...
    [accuracy]                         # the numerical error on declared data
    [report]                           # what the pages of `fpgen report` group by
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import tomlfile
from ..errors import UsageError
from ..resources import resource_dir
from . import expression, template
from .accuracy import Accuracy
from .expression import Expression, Value
from .template import Template

MOST_VALUES = 10_000

_FILE_KEYS: tomlfile.Kinds = {"title": str, "unit": str, "where": list, "slice": list, "parameters": dict,
                              "measure": dict, "accuracy": dict, "report": dict}
_MEASURE_KEYS: tomlfile.Kinds = {
    "technology": (list, str), "recipe": (list, str), "effort": (int, str), "targets": list, "liberty": str,
    "driving_cell": str, "wire_load": (int, float, str), "power": str, "engine": str, "timeout": (int, float)}
_SWITCHES = ("breakdown", "prove")
_REPORT_KEYS: tomlfile.Kinds = {"series": list, "scale": str, "compete": list}
#: Parameters that name a way to measure, not a part of the unit.
AXES = ("technology", "recipe")


@dataclass(frozen=True)
class Measure:
    """How every point is measured; see `fpgen.ppa.measure_unit`.

    Attributes
    ----------
    effort, wire_load, liberty, driving_cell, engine
        As `fpgen.ppa.measure_unit` takes them; None: its default.
    targets : tuple of float or None
        Delay targets in ps; each gives a record.
    timeout : float
        Seconds allowed to one run of Yosys.
    breakdown : bool
        Whether area is told apart by section of the datapath, by a second synthesis.
    prove : bool or None
        Whether the mapped netlist is proven equal to the Verilog; None: where that takes seconds.
    power : str or None
        Stimulus under which energy is measured: `uniform`, `gaussian` or a .npy file; None: not measured.
    """

    effort: str | int | None = None
    wire_load: str | float | None = None
    liberty: str | None = None
    driving_cell: str | None = None
    engine: str | None = None
    targets: tuple[float, ...] | None = None
    timeout: float = 300.0
    breakdown: bool = False
    prove: bool | None = None
    power: str | None = None


@dataclass(frozen=True)
class Hints:
    """What a report cannot guess: the parameters that make a curve (`series`), the one along it (`scale`), and
    those that must be equal for two points to be compared (`compete`; empty: all compete)."""

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
        Name to values, in the file's order; `technology` and `recipe` are among them when they are given.
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
    shipped = resource_dir("synth") / "sweeps"
    if not path.exists() and path.suffix == "" and (shipped / f"{path}.toml").is_file():
        path = shipped / f"{path}.toml"
    data, _ = tomlfile.read(path, "sweep file", f"a TOML file such as {shipped / 'depth.toml'}, or the name of one "
                            f"of {', '.join(sorted(item.stem for item in shipped.glob('*.toml')))},")
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
        told = str(error)
        raise UsageError(told if told.startswith(where) else f"{where}: {told}") from None


def _sweep(where: str, data: Mapping[str, Any], path: Path) -> Sweep:
    tomlfile.check_keys(where, data, _FILE_KEYS)
    for key in ("unit", "parameters"):
        if key not in data:
            raise UsageError(f"{where}: no {key}; unit = \"...\" with a table [parameters] is needed")
    unit = template.read(data["unit"], "unit")
    parameters = {_name(name): _values(name, given) for name, given in data["parameters"].items()}
    measure, axes = _measure(where, data.get("measure", {}))
    for name, values in axes.items():
        if name in parameters:
            raise UsageError(f"{name} as a parameter and under [measure]; one of them is allowed")
        parameters[name] = values
    conditions = {key: tuple(expression.read(item) for item in data.get(key, [])) for key in ("where", "slice")}
    known = sorted(parameters)
    for text, names in [(unit.text, unit.names), *((item.text, item.names) for key in conditions
                                                   for item in conditions[key])]:
        for name in sorted(names - set(known)):
            raise UsageError(f"{text!r}: unknown parameter {name}; {_suggest(name, known)}allowed: "
                             f"{', '.join(known) or '(none)'}")
    idle = sorted(set(known) - unit.names - set(AXES))
    if idle:
        raise UsageError(f"parameter {', '.join(idle)} is not used in the unit {unit.text!r}; every parameter needs "
                         f"a place such as {{{idle[0]}}}")
    hints = _hints(where, data.get("report", {}), known)
    accuracy = None if "accuracy" not in data else _accuracy(where, data["accuracy"])
    return Sweep(path, path.stem, str(data.get("title", path.stem)), unit, parameters, conditions["where"],
                 conditions["slice"], measure, accuracy, hints)


def _suggest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}? " if close else ""


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w{0,39}", name, re.ASCII) or name in expression.FUNCTIONS:
        raise UsageError(f"parameter {name!r}; a name of letters and digits is allowed "
                         f"(not {', '.join(expression.FUNCTIONS)})")
    return name


def _values(name: str, given: Any) -> tuple[Value, ...]:
    """The values of a parameter: a list, or a range {from, to, step}."""
    if isinstance(given, Mapping):
        return _range(name, given)
    if not isinstance(given, list) or not given:
        raise UsageError(f"parameter {name} = {given!r}; a list of one or more values, or "
                         "{ from = 2, to = 24, step = 1 } is allowed")
    for value in given:
        if not isinstance(value, bool | int | float | str) or _too_large(value):
            raise UsageError(f"parameter {name}: {value!r}; numbers below 10**15, texts and true or false are allowed")
    if len(given) > MOST_VALUES:
        raise UsageError(f"parameter {name} has {len(given):,} values; up to {MOST_VALUES:,} are allowed")
    twice = [value for index, value in enumerate(given)
             if any(value == other and type(value) is type(other) for other in given[:index])] if len(given) < 500 \
        else []
    if twice:
        raise UsageError(f"parameter {name}: {twice[0]!r} twice; once is allowed")
    return tuple(given)


def _too_large(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)
            and not -expression.LARGEST <= value <= expression.LARGEST) or (isinstance(value, str) and len(value) > 300)


def _range(name: str, given: Mapping[str, Any]) -> tuple[Value, ...]:
    allowed = f"parameter {name}: {{ from = 2, to = 24, step = 1 }} is allowed (step may be left out)"
    extra = sorted(set(given) - {"from", "to", "step"})
    if extra or not {"from", "to"} <= set(given):
        raise UsageError(f"{allowed}; given: {', '.join(map(str, given)) or 'nothing'}")
    first, last, step = given["from"], given["to"], given.get("step", 1)
    for value in (first, last, step):
        if isinstance(value, bool) or not isinstance(value, int | float) or _too_large(value):
            raise UsageError(f"{allowed}; {value!r} is no number")
    if step <= 0 or last < first:
        raise UsageError(f"{allowed}; from {first} to {last} by {step} has no values")
    count = math.floor((last - first) / step + 1e-9) + 1 if (last - first) / step < MOST_VALUES else MOST_VALUES + 1
    if count > MOST_VALUES:
        raise UsageError(f"{allowed}; from {first} to {last} by {step} has more than {MOST_VALUES:,} values")
    return tuple(first + index * step for index in range(count))


def _measure(where: str, given: Any) -> tuple[Measure, dict[str, tuple[Value, ...]]]:
    """What [measure] says, and the axes that are in it."""
    place = f"{where}: [measure]"
    plain = dict(given) if isinstance(given, Mapping) else given
    switches = {key: plain.pop(key) for key in _SWITCHES if isinstance(plain, dict) and key in plain}
    for key, value in switches.items():
        if not isinstance(value, bool):
            raise UsageError(f"{place}: {key} = {value!r}; true or false is allowed")
    tomlfile.check_keys(place, plain, {**_MEASURE_KEYS, **dict.fromkeys(_SWITCHES, bool)})
    axes: dict[str, tuple[Value, ...]] = {}
    for key in AXES:
        if key in plain:
            value = plain.pop(key)
            axes[key] = _values(key, value if isinstance(value, list) else [value])
            if not all(isinstance(item, str) for item in axes[key]):
                raise UsageError(f"{place}: {key} = {value!r}; a name or a list of names is allowed")
    if "recipe" in axes and "effort" in plain:
        raise UsageError(f"{place}: recipe with effort; one of them is allowed")
    if "technology" in axes and "liberty" in plain:
        raise UsageError(f"{place}: technology with liberty; one of them is allowed")
    if "driving_cell" in plain and "liberty" not in plain:
        raise UsageError(f"{place}: driving_cell without liberty; a built-in technology has its own")
    if "targets" in plain:
        targets = plain["targets"]
        if not targets or not all(isinstance(item, int | float) and not isinstance(item, bool)
                                  and 0 < item < 1e9 for item in targets):
            raise UsageError(f"{place}: targets = {targets!r}; one or more positive numbers of ps are allowed")
        plain["targets"] = tuple(float(item) for item in targets)
    if "timeout" in plain and not 0 < plain["timeout"] <= 86_400:
        raise UsageError(f"{place}: timeout = {plain['timeout']!r}; seconds from 1 to 86,400 are allowed")
    return Measure(**plain, **switches), axes


def _hints(where: str, given: Any, known: Sequence[str]) -> Hints:
    place = f"{where}: [report]"
    tomlfile.check_keys(place, given, _REPORT_KEYS)
    for key, value in given.items():
        for name in value if isinstance(value, list) else [value]:
            if name not in known:
                raise UsageError(f"{place}: {key}: unknown parameter {name!r}; {_suggest(str(name), known)}allowed: "
                                 f"{', '.join(known) or '(none)'}")
    return Hints(tuple(given.get("series", ())), given.get("scale", ""), tuple(given.get("compete", ())))


def _accuracy(where: str, given: Any) -> Accuracy:
    place = f"{where}: [accuracy]"
    tomlfile.check_keys(place, given, {"data": str, "sigma": (int, float), "vectors": int, "seed": int})
    try:
        return Accuracy(**given)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None
