"""The reference flow, on a Verilog file: what a tuned unit costs beside other generators' units.

    python -m fpgen.ppa.reference FILE.v --top T --liberty LIB [--quick] [--booth]

prints area, delay and their product for each run, and the best product. `--quick` makes three runs
(default script at 1 ps and at a middle target, speed script) of one synthesis variant.
"""

import argparse
import gzip
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from fpgen.errors import FpgenError, RunFailure, UsageError
from fpgen.ppa import recipe as recipes
from fpgen.ppa import yosys
from fpgen.ppa.cache import cache_dir, digest, write_whole
from fpgen.ppa.point import Point, pareto
from fpgen.ppa.synthesis import map_cells, prepare, same_gates

RELAXED_PS = 100_000.0


def run(verilog: str, top: str, liberty: Path | str, *, engine: str | None = "native", quick: bool = False,
        booth: bool = False, timeout: float = 300.0, tell: Callable[[Point], None] | None = None) -> list[Point]:
    """Every point of the reference recipe.

    Parameters
    ----------
    verilog : str
        Text with the module `top`.
    liberty : path
        Liberty file, gzip accepted.
    engine : str, optional
        See `fpgen.ppa.yosys.select`. Only a native engine reports ABC's delay.
    quick, booth : bool
        Three runs of one variant (plain, or `-booth`).
    timeout : float
        Seconds allowed to each run; a run that takes longer becomes a failed point.
    tell : callable, optional
        Called with each point as it is there.
    """
    chosen = recipes.load("reference")
    tool = yosys.select(engine)
    library = plain_liberty(Path(liberty))
    points: list[Point] = []
    seen: list[str] = []
    for variant, options in chosen.synth:
        if quick and (variant == "booth") != booth:
            continue
        gates = prepare(verilog, top, options, library, tool, timeout=timeout)
        if any(same_gates(gates, other) for other in seen):
            continue
        seen.append(gates)
        for mapping in chosen.maps:
            reached: dict[float, float] = {}
            for target in _targets(mapping, reached, quick):
                point = Point(top, Path(liberty).name, f"reference/{variant}/{mapping.name}", target,
                              delay_source="abc", tools={"yosys": tool.version})
                try:
                    done = map_cells(gates, top, mapping.script, target, library, tool,
                                     driving_cell=chosen.driving_cell,
                                     output_load_ff=chosen.output_load_ff or 0.0, timeout=timeout)
                    delay = done.abc_delay_ps
                    if delay is None:
                        raise RunFailure("ABC's delay does not arrive with this engine; use the native one")
                    reached[target] = delay
                    point = replace(point, area_um2=done.area_um2, delay_ps=delay, cells=done.cells,
                                    seconds=done.seconds)
                except RunFailure as error:
                    point = replace(point, failure=str(error))
                points.append(point)
                if tell is not None:
                    tell(point)
    return points


def _targets(mapping: recipes.Mapping, reached: dict[float, float], quick: bool) -> Iterator[float]:
    """Targets in ps; later ones depend on what the earlier ones reached."""
    if quick and mapping.follows_target:
        yield 1.0
        if 1.0 in reached:
            yield round(1.1 * reached[1.0])
        return
    for target in mapping.targets:
        if target == "relaxed":
            yield RELAXED_PS
        elif isinstance(target, str):
            raise UsageError(f"the target {target!r} is neither a number nor 'relaxed'")
        elif target >= 1:
            yield float(target)
        elif 1.0 in reached and RELAXED_PS in reached:
            yield round(reached[1.0] + target * (reached[RELAXED_PS] - reached[1.0]), 1)


def plain_liberty(path: Path) -> Path:
    """The Liberty file, unpacked into the cache when it is packed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RunFailure(f"cannot read the Liberty file {path}: {error.strerror}") from None
    if data[:2] != b"\x1f\x8b":
        return path.absolute()
    target = cache_dir("liberty") / f"{digest(data)}.lib"
    if not target.exists():
        try:
            write_whole(target, gzip.decompress(data))
        except (OSError, EOFError) as error:
            raise RunFailure(f"the Liberty file {path} is damaged: {error}") from None
    return target


def _show(point: Point) -> None:
    if point.failure is not None:
        print(f"{point.recipe:28} {point.target_ps:9.1f}  {point.failure.splitlines()[0]}", flush=True)
        return
    print(f"{point.recipe:28} {point.target_ps:9.1f} {point.area_um2:9.1f} {point.delay_ps:8.1f} {point.adp:9.4f} "
          f"{point.seconds:6.1f}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fpgen.ppa.reference", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--top", required=True)
    parser.add_argument("--liberty", required=True, type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--booth", action="store_true", help="with --quick: synthesise with -booth")
    parser.add_argument("--engine", default="native", choices=yosys.ENGINES)
    parser.add_argument("--timeout", type=float, default=300.0)
    given = parser.parse_args(arguments)
    print(f"{'recipe':28} {'target ps':>9} {'area um2':>9} {'delay ps':>8} {'ADP/1e6':>9} {'s':>6}", flush=True)
    try:
        points = run(given.file.read_text(), given.top, given.liberty, engine=given.engine, quick=given.quick,
                     booth=given.booth, timeout=given.timeout, tell=_show)
    except (FpgenError, OSError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    best = min((point for point in points if point.failure is None), key=lambda point: point.adp, default=None)
    if best is None:
        return 1
    print("Pareto:", " ".join(f"{point.area_um2:.1f}/{point.delay_ps:.1f}" for point in pareto(points)))
    print(f"best ADP {best.adp:.4f}  smallest area {min(p.area_um2 for p in points if not p.failure):.1f}  "
          f"shortest delay {min(p.delay_ps for p in points if not p.failure):.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
