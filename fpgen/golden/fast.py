"""The vectorised model of a unit: the `fast` layer of its operation's card, on inputs that are checked."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from fpgen.units.base import Unit
from fpgen.units.operations import layer

from .result import Result


def run_fast(unit: Unit, inputs: dict[str, np.ndarray]) -> Result:
    """Results of checked inputs.

    Parameters
    ----------
    unit : Unit
    inputs : dict of str to ndarray
        As `arguments.gather` returns them.

    Returns
    -------
    Result

    Raises
    ------
    UsageError
        When the operation has no vectorised model.
    """
    model = layer(unit, "fast")
    result: Result = model(behaviour(unit), inputs)
    return result


@lru_cache(maxsize=1024)
def behaviour(unit: Unit) -> Unit:
    """The unit without the options that no result depends on, so that equal behaviour is computed once."""
    return unit.behaviour
