"""The points of a sweep: every combination of the parameters that its constraints let through."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fpgen.base.errors import UsageError
from fpgen.units import Unit, parse_unit

from . import plan
from .formula import Value
from .plan import Measure
from .spec import Sweep

MOST_COMBINATIONS = 2_000_000
MOST_CASES = 100_000


@dataclass(frozen=True)
class SweepCase:
    """One point.

    Attributes
    ----------
    parameters : mapping
        Name to value.
    text : str
        The unit's line, as the template came out.
    unit : Unit or None
        None when there is no such unit; then `rejection` says why.
    measure : Measure
        How it is measured.
    rejection : str
    """

    parameters: Mapping[str, Value]
    text: str
    unit: Unit | None
    measure: Measure
    rejection: str = ""

    @property
    def label(self) -> str:
        """The parameters in one line: ``P=4, E=5``."""
        return ", ".join(f"{name}={value}" for name, value in self.parameters.items())


def cases(sweep: Sweep, *, full: bool = False) -> list[SweepCase]:
    """All points of a sweep, in the order of its file: the last parameter moves fastest.

    A combination whose unit is rejected (not a format, a contradiction) is still a point, one that
    fails with that reason.

    Parameters
    ----------
    sweep : Sweep
    full : bool
        Pass over the constraints under `slice`.

    Raises
    ------
    UsageError
        When no point is left, when every unit is rejected, or when there are too many.
    """
    where = f"sweep file {sweep.path}"
    combinations = math.prod(len(values) for values in sweep.parameters.values())
    if combinations > MOST_COMBINATIONS:
        raise UsageError(
            f"{where}: got {combinations:,} combinations of parameters; expected up to {MOST_COMBINATIONS:,}"
        )
    try:
        found = list(itertools.islice(_cases(sweep, full), MOST_CASES + 1))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    if len(found) > MOST_CASES:
        raise UsageError(f"{where}: got more than {MOST_CASES:,} points; expected fewer")
    if not found:
        conditions = "; ".join(item.text for item in (*sweep.where, *(() if full else sweep.slice)))
        raise UsageError(f"{where}: no points: none of {combinations:,} combinations satisfies {conditions}")
    if all(case.unit is None for case in found):
        raise UsageError(f"{where}: none of its {len(found):,} units can be made; the first: {found[0].rejection}")
    return found


def _cases(sweep: Sweep, full: bool) -> Iterator[SweepCase]:
    conditions = sweep.where if full else (*sweep.where, *sweep.slice)
    units: dict[str, Unit | str] = {}  # by text; the same unit comes with every technology, recipe, ...
    for values in itertools.product(*sweep.parameters.values()):
        parameters = dict(zip(sweep.parameters, values, strict=True))
        if not all(condition.value(parameters) for condition in conditions):
            continue
        text = sweep.unit.fill(parameters)
        if text not in units:
            try:
                units[text] = parse_unit(text)
            except UsageError as error:
                units[text] = str(error)
        unit = units[text]
        measure = sweep.measure.at(parameters)
        yield (
            SweepCase(parameters, text, None, measure, unit)
            if isinstance(unit, str)
            else SweepCase(parameters, text, unit, measure)
        )


def check_measure(sweep: Sweep, found: Iterable[SweepCase]) -> None:
    """Reject technologies, recipes, stimuli, ... of these points that do not exist, before anything runs.

    Raises
    ------
    UsageError, MissingTool
    RunFailure
        When one is there and cannot be read.
    """
    try:
        plan.check(dict.fromkeys(case.measure for case in found))
    except UsageError as error:
        raise UsageError(f"sweep file {sweep.path}: {error}") from None
