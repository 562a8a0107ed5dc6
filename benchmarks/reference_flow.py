"""The reference flow, on a Verilog file: what a tuned unit costs beside other generators' units.

    python -m benchmarks.reference_flow FILE.v --top T --liberty LIB [--quick] [--booth]

prints area, delay and their product for each run, and the best product. `--quick` makes three runs
(default script at 1 ps and at a middle target, speed script) of one synthesis variant.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from fpgen.base.errors import FpgenError, UsageError
from fpgen.library import technology
from fpgen.synthesis import flow, yosys
from fpgen.synthesis import recipe as recipes
from fpgen.synthesis.point import Point, pareto


def run(
    verilog: str,
    top: str,
    liberty: Path | str,
    *,
    engine: str | None = "native",
    quick: bool = False,
    booth: bool = False,
    timeout: float = yosys.LIMIT_S,
    cached: bool = True,
    progress: flow.Progress | None = None,
) -> list[Point]:
    """Every point of the reference recipe.

    Parameters
    ----------
    verilog : str
        Text with the module `top`.
    liberty : path
        Liberty file, gzip accepted.
    engine : str, optional
        See `fpgen.synthesis.yosys.select`. Only a native engine lets ABC's delay through, which is what the
        published figures of other generators are; with another one it is that of fpgen's own timing.
    quick, booth : bool
        Three runs of one variant (plain, or `-booth`).
    timeout, cached, progress
        As for `fpgen.synthesis.flow.measure`.

    Raises
    ------
    UsageError, RunFailure, MissingTool
        As `fpgen.synthesis.flow.measure` and `fpgen.library.technology.from_liberty`.
    """
    chosen = recipes.load("reference")
    if quick:
        maps = tuple(
            replace(script, targets=(1, "x1.1")) if script.script is None else script for script in chosen.maps
        )
        chosen = replace(chosen, synth=tuple(pair for pair in chosen.synth if (pair[0] == "booth") == booth), maps=maps)
    return flow.measure(
        verilog,
        top,
        technology=technology.from_liberty(liberty),
        recipe=chosen,
        engine=engine,
        timeout=timeout,
        cached=cached,
        progress=progress,
    )


def _show(point: Point) -> None:
    if point.failure is not None:
        print(f"{point.recipe:28} {point.target_ps:9.1f}  {point.failure}", flush=True)
        return
    print(
        f"{point.recipe:28} {point.target_ps:9.1f} {point.area_um2:9.1f} {point.delay_ps:8.1f} {point.adp:9.4f} "
        f"{point.sta_delay_ps:8.1f} {point.logic_depth:5} {point.seconds:6.1f}",
        flush=True,
    )


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reference_flow", description="The reference flow on a Verilog file"
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--top", required=True)
    parser.add_argument("--liberty", required=True, type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--booth", action="store_true", help="with --quick: synthesise with -booth")
    parser.add_argument("--engine", default="native", choices=yosys.ENGINES)
    parser.add_argument(
        "--timeout",
        type=float,
        default=yosys.LIMIT_S,
        metavar="SECONDS",
        help="processor time allowed to each run of Yosys (default %(default)g)",
    )
    parser.add_argument("--path", action="store_true", help="print the critical path of the best point")
    given = parser.parse_args(arguments)
    print(
        f"{'recipe':28} {'target ps':>9} {'area um2':>9} {'delay ps':>8} {'ADP/1e6':>9} {'STA ps':>8} {'depth':>5} "
        f"{'s':>6}",
        flush=True,
    )
    try:
        points = run(
            given.file.read_text(),
            given.top,
            given.liberty,
            engine=given.engine,
            quick=given.quick,
            booth=given.booth,
            timeout=given.timeout,
            progress=_show,
        )
    except (FpgenError, OSError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    good = [point for point in points if point.failure is None]
    if not good:
        return 1
    best = min(good, key=lambda point: point.adp)
    print("Pareto:", " ".join(f"{point.area_um2:.1f}/{point.delay_ps:.1f}" for point in pareto(points)))
    print(
        f"best ADP {best.adp:.4f}  smallest area {min(point.area_um2 for point in good):.1f}  "
        f"shortest delay {min(point.delay_ps for point in good):.1f}  (delay by {best.delay_source})"
    )
    if given.path:
        for step in best.critical_path:
            print(
                f"  {step['arrival_ps']:9.1f} {step['delay_ps']:8.1f} {step['edge']:4} {step['instance']:12} "
                f"{step['cell']:12} fanout {step['fanout']:3}  {step['net']}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
