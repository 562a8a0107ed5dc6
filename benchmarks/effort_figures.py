"""What each effort finds and takes, on a few units: the figures of `docs/recipes.md`.

    python -m benchmarks.effort_figures [UNIT ...] [--engine native] [--tech fpgen45]

"Found" is the part of the area-delay plane (both axes logarithmic) that an effort's points dominate, over the part
that all points of all efforts dominate together; the plane ends 10 % beyond the largest and slowest of them.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from fpgen.base.errors import FpgenError, RunFailure, UsageError
from fpgen.synthesis import flow, yosys
from fpgen.synthesis.effort import EFFORTS
from fpgen.synthesis.point import Point, pareto

UNITS = (
    "multiply fp16 fp16 -> fp16 rne",
    "add bf16 bf16 -> bf16 rne",
    "fma e4m3fn e4m3fn fp32 -> fp32 rne",
    "multiply e5m2 e5m2 -> fp16 rne stages=1",
)


@dataclass(frozen=True)
class Gain:
    """One effort on one unit: runs made, their seconds, points kept, part of the front found (0 to 1)."""

    effort: str
    runs: int
    seconds: float
    kept: int
    found: float
    smallest_um2: float
    fastest_ps: float


def dominated(points: Sequence[Point], corner: tuple[float, float]) -> float:
    """Size of the part of the plane of log area and log delay, up to `corner` (um2, ps), that points dominate."""
    size, delay = 0.0, math.log(corner[1])
    for point in pareto(points):
        lower = min(delay, math.log(point.delay_ps))
        size += max(0.0, math.log(corner[0]) - math.log(point.area_um2)) * (delay - lower)
        delay = lower
    return size


def gains(text: str, *, technology: str | None = None, engine: str | None = None) -> list[Gain]:
    """Every effort on one unit.

    Raises
    ------
    UsageError, MissingTool
        As `fpgen.synthesis.flow.measure`.
    RunFailure
        When no run of an effort succeeds.
    """
    from fpgen import parse_unit
    from fpgen.library.technology import DEFAULT

    unit = parse_unit(text)
    runs: list[list[Point]] = []
    for effort in EFFORTS:
        seen: list[Point] = []
        flow.measure(
            unit.verilog(),
            unit.name,
            technology=technology or DEFAULT,
            effort=effort.level,
            engine=engine,
            progress=seen.append,
        )
        good = [point for point in seen if point.failure is None]
        if not good:
            raise RunFailure(f"{text}: every run of effort {effort.name} failed: {seen[0].failure}")
        runs.append(good)
    everything = [point for points in runs for point in points]
    corner = 1.1 * max(point.area_um2 for point in everything), 1.1 * max(point.delay_ps for point in everything)
    most = dominated(everything, corner)
    return [
        Gain(
            effort.name,
            len(points),
            sum(point.seconds for point in points),
            len(pareto(points)),
            dominated(points, corner) / most,
            min(point.area_um2 for point in points),
            min(point.delay_ps for point in points),
        )
        for effort, points in zip(EFFORTS, runs, strict=True)
    ]


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.effort_figures", description="What each effort finds")
    parser.add_argument("unit", nargs="*", default=list(UNITS))
    parser.add_argument("--engine", choices=yosys.ENGINES)
    parser.add_argument("--tech")
    given = parser.parse_args(arguments)
    table: list[list[Gain]] = []
    try:
        for text in given.unit:
            table.append(gains(text, technology=given.tech, engine=given.engine))
            print(text)
            for gain in table[-1]:
                print(
                    f"  {gain.effort:9} {gain.runs:3} runs {gain.seconds:7.1f} s  kept {gain.kept:3}  found "
                    f"{gain.found:6.1%}  smallest {gain.smallest_um2:8.1f} um2  fastest {gain.fastest_ps:7.1f} ps",
                    flush=True,
                )
    except FpgenError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    for effort, column in zip(EFFORTS, zip(*table, strict=True), strict=True):
        print(
            f"mean {effort.name:9} {sum(gain.runs for gain in column) / len(column):5.1f} runs "
            f"{sum(gain.seconds for gain in column) / len(column):7.1f} s  found "
            f"{sum(gain.found for gain in column) / len(column):6.1%}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
