"""How much of a long test `make test` runs, and that `make sim-full` runs all of it."""

from __future__ import annotations

import pytest


def portions(step: int):
    """Values of a parameter `step`: every so many cases in `make test`, each of them in `make sim-full`.

    A step shares no factor with the widths of formats: a slice has codes of every binade, sign and trailing bit.
    """
    assert step % 2, "an odd step meets odd and even codes"
    return [pytest.param(step, id=f"every-{step}th"), pytest.param(1, marks=pytest.mark.full, id="every")]


def some(values, every: int, first: int = 0):
    """All of `values` as values of a parameter, of which `make test` takes each `every`-th one only."""
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else (value,)),
            marks=[] if index % every == first else [pytest.mark.full],
        )
        for index, value in enumerate(values)
    ]
