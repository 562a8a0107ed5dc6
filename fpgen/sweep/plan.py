"""How the points of a sweep are measured: the table ``[measure]`` of its file.

A key is given one value, which holds for every point, or a list or a range of them, which makes it a parameter of
that name like those under ``[parameters]``: each combination is a point, constraints may mention it, and so may the
unit's template. ::

    where = ["stages == 0 or technology != 'fpgen7'"]
    [measure]
    technology = ["fpgen45", "fpgen7"]
    wire_load  = { from = 0, to = 4, step = 2 }
    power      = "gaussian"
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from fpgen.base import tomlfile
from fpgen.base.errors import UsageError

from .formula import Value
from .parameter_values import spread

if TYPE_CHECKING:
    from fpgen.library.technology import Technology

_TEXT, _SWITCH = (str,), (bool,)

#: Keys that a list makes a parameter, and what each value of it may be.
AXES: Mapping[str, tuple[type, ...]] = {
    "technology": _TEXT,
    "recipe": _TEXT,
    "effort": (int, str),
    "wire_load": (int, float, str),
    "liberty": _TEXT,
    "driving_cell": _TEXT,
    "engine": _TEXT,
    "power": _TEXT,
    "prove": _SWITCH,
    "breakdown": _SWITCH,
}
#: Parameters also where they have one value only: a store names technology and recipe.
_ALWAYS = ("technology", "recipe")
_OTHERS: tomlfile.Kinds = {"targets": list, "timeout": (int, float)}
KEYS = (*AXES, *_OTHERS)
_WORDS = {
    _TEXT: "text",
    _SWITCH: "true or false",
    (int, str): "a whole number or text",
    (int, float, str): "a number or text",
}


@dataclass(frozen=True)
class Measure:
    """How a point is measured; see `fpgen.ppa.measure_unit`.

    Attributes
    ----------
    technology, recipe, effort, wire_load, liberty, driving_cell, engine
        As `fpgen.ppa.measure_unit` takes them; None: its default.
    targets : tuple of float or None
        Delay targets in ps; each gives a record.
    timeout : float or None
        Seconds of processor time allowed to one run of Yosys or nextpnr, and to a proof that is asked for; None: their
        own limits.
    breakdown : bool
        Whether area is divided by section of the datapath, by a second synthesis.
    prove : bool or None
        Whether the mapped netlist is proven equivalent to the Verilog; None: where that takes seconds.
    power : str or None
        Stimulus under which energy is measured: `uniform`, `gaussian` or a .npy file; None: not measured.
    """

    technology: str | None = None
    recipe: str | None = None
    effort: str | int | None = None
    wire_load: str | float | None = None
    liberty: str | None = None
    driving_cell: str | None = None
    engine: str | None = None
    targets: tuple[float, ...] | None = None
    timeout: float | None = None
    breakdown: bool = False
    prove: bool | None = None
    power: str | None = None

    def at(self, parameters: Mapping[str, Value]) -> Measure:
        """The same with the values that a point's parameters have for keys of [measure]."""
        own: dict[str, Any] = {name: parameters[name] for name in AXES if name in parameters}
        return replace(self, **own)


def read(place: str, given: Any) -> tuple[Measure, dict[str, tuple[Value, ...]]]:
    """What [measure] says to all points, and the parameters in it.

    Parameters
    ----------
    place : str
        Where it is, for messages.
    given : object
        The table, as TOML has it.

    Raises
    ------
    UsageError
    """
    keys = dict.fromkeys(given, 0) if isinstance(given, Mapping) else given  # names first, values below
    tomlfile.check_keys(place, keys, dict.fromkeys(KEYS, int))
    axes: dict[str, tuple[Value, ...]] = {}
    plain: dict[str, Any] = {}
    for key, kinds in AXES.items():
        if key not in given:
            continue
        several = isinstance(given[key], list | Mapping)
        values = spread(f"{place}: {key}", given[key] if several else [given[key]])
        for value in values:
            if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not _SWITCH):
                raise UsageError(f"{place}: {key}: got {value!r}; expected {_WORDS[kinds]}, or a list of such")
            if isinstance(value, str) and not value.strip():
                raise UsageError(f"{place}: {key}: got {value!r}; expected text that is not empty, or no {key} at all")
        if several or key in _ALWAYS:
            axes[key] = values
        else:
            plain[key] = values[0]
    for one, other in (("recipe", "effort"), ("technology", "liberty")):
        if one in given and other in given:
            raise UsageError(f"{place}: got {one} and {other}; expected one of them")
    if "driving_cell" in given and "liberty" not in given:
        raise UsageError(f"{place}: got driving_cell without liberty; expected both, or neither")
    if "targets" in given:
        plain["targets"] = _targets(place, given["targets"])
    if "timeout" in given:
        seconds = given["timeout"]
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= 86_400:
            raise UsageError(f"{place}: timeout: got {seconds!r}; expected 1 to 86,400 seconds of processor time")
        plain["timeout"] = float(seconds)
    assert set(plain) | set(axes) <= {item.name for item in fields(Measure)}
    return Measure(**plain), axes


def _targets(place: str, given: Any) -> tuple[float, ...]:
    values = spread(f"{place}: targets", given)
    if not all(isinstance(item, int | float) and not isinstance(item, bool) and 1 <= item < 1e9 for item in values):
        raise UsageError(f"{place}: targets: got {given!r}; expected one or more numbers of ps from 1 on")
    return tuple(float(item) for item in values)


def check(plans: Iterable[Measure]) -> None:
    """Reject technologies, recipes, efforts, engines, wire loads and stimuli that do not exist.

    Raises
    ------
    UsageError, MissingTool
    RunFailure
        When one is there and cannot be read.
    """
    from fpgen.library import wireload
    from fpgen.power import operands
    from fpgen.synthesis import effort, fpga_families, recipe, yosys

    for plan in plans:
        yosys.select(plan.engine)
        if plan.technology in fpga_families.targets():
            if plan.power or plan.breakdown or plan.prove or plan.targets or plan.wire_load:
                raise UsageError(
                    f"technology: got {plan.technology} with power, breakdown, prove, targets or wire_load; "
                    "expected a cell library for these"
                )
            continue
        wireload.resolve(plan.wire_load, library_of(plan).library)
        effort.find(plan.effort)
        if plan.recipe is not None:
            recipe.load(plan.recipe)
        if plan.power is not None:
            operands.load(plan.power)


def library_of(plan: Measure) -> Technology:
    """The technology, a cell library, that a point is measured in.

    Raises
    ------
    UsageError, RunFailure
    """
    return _library(plan.technology, plan.liberty, plan.driving_cell)


@functools.cache
def _library(name: str | None, liberty: str | None, driving_cell: str | None) -> Technology:
    from fpgen.library import technology

    if liberty is not None:
        return technology.from_liberty(liberty, driving_cell=driving_cell)
    return technology.load(name or technology.DEFAULT)


@functools.cache
def described(plan: Measure) -> dict[str, str]:
    """What a record says of how its point was measured, in columns; a measured point has more to say.

    Raises
    ------
    UsageError, MissingTool, RunFailure
    """
    from fpgen.base.version import __version__
    from fpgen.library import wireload
    from fpgen.synthesis import effort, fpga_families, yosys

    versions = json.dumps({"fpgen": __version__, "yosys": yosys.select(plan.engine).version}, sort_keys=True)
    if plan.technology in fpga_families.targets():
        return {"technology": str(plan.technology), "recipe": "nextpnr", "versions": versions}
    tech = library_of(plan)
    wires = wireload.resolve(plan.wire_load, tech.library)
    assumptions = {
        "library": tech.library.name,
        "corner": tech.library.corner,
        "wire_load": "none" if wires is None else wires.name,
    }
    return {
        "technology": tech.name,
        "recipe": plan.recipe or f"effort {effort.find(plan.effort).name}",
        "library_hash": tech.library.content_hash,
        "versions": versions,
        "assumptions": json.dumps(assumptions, sort_keys=True),
    }
