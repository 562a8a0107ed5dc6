"""Area and timing: the Yosys driver, cell libraries, static timing, recipes, measured points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..units.base import Unit
    from .point import Point

__all__ = ["measure_unit"]


def measure_unit(unit: Unit, *, technology: str | None = None, liberty: Path | str | None = None,
                 driving_cell: str | None = None, recipe: str | None = None, effort: str | None = None,
                 targets: Sequence[float] | None = None, engine: str | None = None,
                 tell: Callable[[Point], None] | None = None) -> list[Point]:
    """Synthesise and time a unit's Verilog; see `fpgen.ppa.flow.measure`.

    Parameters
    ----------
    unit : Unit
    technology : str, optional
        A built-in one; default `fpgen45`.
    liberty : path, optional
        A Liberty file (gzip accepted) in its place.
    driving_cell : str, optional
        With `liberty`: the cell that drives every input.
    recipe, effort, targets, engine, tell
        As `fpgen.ppa.flow.measure` takes them.

    Returns
    -------
    list of Point
        Failed points are among them, each with its reason.

    Raises
    ------
    UsageError
        For an unknown or contradictory choice.
    MissingTool, RunFailure
        When there is no Yosys, or the library cannot be read.
    """
    from ..errors import UsageError
    from . import flow
    from . import technology as technologies

    if liberty is not None and technology is not None:
        raise UsageError(f"technology {technology} with a Liberty file; give one of them")
    if liberty is None and driving_cell is not None:
        raise UsageError(f"driving cell {driving_cell} without a Liberty file; a built-in technology has its own")
    chosen = (technologies.from_liberty(liberty, driving_cell=driving_cell) if liberty is not None
              else technologies.load(technology or technologies.DEFAULT))
    return flow.measure(unit.verilog(), unit.name, technology=chosen, recipe=recipe, effort=effort, targets=targets,
                        engine=engine, tell=tell)
