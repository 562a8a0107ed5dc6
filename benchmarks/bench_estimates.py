"""The scheduler's estimated clock period beside the measured one.

    python benchmarks/bench_estimates.py [--engine native] [--markdown] [UNIT ...]

The measured period is that of the recipe `direct` at 1 ps (`fpgen45`), which keeps the structure that the scheduler put
registers into: the geometric mean of three samples (internal names alone move it by 2 to 10 %). Estimates balance
stages, so what counts is that the ratio is about the same for all units and stages; `spread` is its standard deviation.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from common import parser

import fpgen
from fpgen import rtl
from fpgen.synthesis import flow, yosys

TEXTS = [
    *(f"fma {fmt} {fmt} {fmt} -> {fmt} rne stages={stages}" for fmt in ("fp16", "fp32") for stages in (1, 2, 3, 4, 6)),
    "fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3",
    "multiply fp16 fp16 -> fp16 rne stages=2",
    "multiply fp32 fp32 -> fp32 rne stages=3",
    "add fp16 fp16 -> fp16 rne stages=2",
    "add fp32 fp32 -> fp32 rne stages=3",
    "dot e4m3fn e4m3fn n=4 + fp32 -> fp32 rne stages=3",
    "blockdot mxfp4 mxfp4 k=32 + fp32 -> fp32 rne stages=2",
]
SAMPLES = 3


def mean(values: Sequence[float]) -> float:
    """Geometric."""
    return math.exp(sum(map(math.log, values)) / len(values))


def measured_ps(unit: fpgen.Unit, engine: str | None) -> float:
    points = [
        flow.measure(unit.verilog(), unit.name, recipe="direct", targets=[1], engine=engine, seed=seed)[0]
        for seed in range(SAMPLES)
    ]
    return mean([point.delay_ps for point in points])


def main() -> int:
    command = parser(__doc__)
    command.add_argument("unit", nargs="*", default=TEXTS)
    command.add_argument("--engine", choices=yosys.ENGINES)
    command.add_argument("--markdown", action="store_true", help="print the table as it stands in the docs")
    options = command.parse_args()
    ratios = []
    print(
        "| unit | estimated ps | measured ps | ratio |\n|---|---|---|---|"
        if options.markdown
        else f"{'unit':58} {'estimated':>9} {'measured':>8} {'ratio':>6}"
    )
    for text in options.unit:
        unit = fpgen.parse_unit(text)
        estimated, measured = rtl.pipeline_for(unit).period_ps, measured_ps(unit, options.engine)
        ratios.append(measured / estimated)
        print(
            f"| `{text}` | {estimated:.0f} | {measured:.0f} | {ratios[-1]:.2f} |"
            if options.markdown
            else f"{text:58} {estimated:9.0f} {measured:8.0f} {ratios[-1]:6.2f}",
            flush=True,
        )
    centre = mean(ratios)
    spread = math.sqrt(sum(math.log(ratio / centre) ** 2 for ratio in ratios) / len(ratios))
    print(f"\nmean ratio {centre:.2f}, spread {spread:.1%}, from {min(ratios):.2f} to {max(ratios):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
