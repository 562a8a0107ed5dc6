"""How fast points come: a point from nothing, a sweep on two processes, points that are known.

    python benchmarks/bench_sweep.py

Wanted: an fp16 multiply-add from nothing (generate, synthesise, time) in 5 s on one core with the
default engine; 1.8 times as many points a second on 2 cores as on 1; 5 ms for a point that is known. The exit code is
1 when one is missed. On a machine that does other things as well, wall times mean little: the processor time of the
first point stands beside it, and the ratio is told with the machine's load.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from common import parser

POINT_SECONDS, RATIO, KNOWN_MS = 5.0, 1.8, 5.0
POINT = "fma fp16 fp16 fp16 -> fp16 rne"
SWEEP = {
    "unit": "fma e{E}m{M} e{E}m{M} e{E}m{M} -> e{E}m{M} rne",
    "parameters": {"E": [4, 5, 6], "M": [6, 7, 8, 9]},
    "measure": {"prove": False},
}


def main() -> int:
    from fpgen.sweep import spec
    from fpgen.sweep import sweep_run as run
    from fpgen.synthesis import yosys

    parser(__doc__).parse_args()
    yosys.warm(yosys.select())
    compiled = os.environ.get("YOWASP_CACHE_DIR") or yosys._yowasp_cache()
    missed = 0
    with tempfile.TemporaryDirectory() as directory:
        os.environ["YOWASP_CACHE_DIR"] = compiled

        def timed(number: int, data: dict, jobs: int) -> tuple[float, float, int]:
            """Wall and processor seconds of a sweep from an empty cache, and its points."""
            os.environ["FPGEN_CACHE_DIR"] = f"{directory}/{number}"
            begun = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.perf_counter()
            result = run.run_sweep(spec.from_data(data, Path("bench.toml")), output=Path(directory) / "out", jobs=jobs)
            wall = time.perf_counter() - start
            ended = resource.getrusage(resource.RUSAGE_CHILDREN)
            assert not result.failures, result.failures
            return wall, ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime, result.points

        wall, used, _ = timed(0, {**SWEEP, "unit": "{unit}", "parameters": {"unit": [POINT]}}, 1)
        missed += min(wall, used) > POINT_SECONDS
        print(
            f"{POINT}: {wall:.1f} s from nothing, {used:.1f} s of processor time, with the start of a process "
            f"(target {POINT_SECONDS:g} s)"
        )
        one, _, points = timed(1, SWEEP, 1)
        two, _, _ = timed(2, SWEEP, 2)
        known, _, _ = timed(2, SWEEP, 2)
        load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        missed += one / two < RATIO
        print(
            f"{points} points: {one:.1f} s in one process, {two:.1f} s in two: {one / two:.2f} times as fast "
            f"(target {RATIO:g}; {load})"
        )
        missed += 1000 * known / points > KNOWN_MS
        print(
            f"{points} known points: {1000 * known / points:.2f} ms each, with reading the sweep and writing its "
            f"store (target {KNOWN_MS:g} ms)"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
