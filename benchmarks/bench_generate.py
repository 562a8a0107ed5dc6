"""Processor time to generate a unit's Verilog, and register bits against the as-soon-as-possible schedule.

    python benchmarks/bench_generate.py [--markdown]

Each unit is generated from nothing (no cached graph). Wanted: 2 s for any unit; the exit code
is 1 when one is missed. `bits asap` are the datapath's register bits when every step stands in its earliest stage
for the same period; `bits` is what the scheduler places.
"""

from __future__ import annotations

import sys
import time

from common import parser

import fpgen
from fpgen import rtl
from fpgen.rtl.schedule import SLACK, asap, smallest_period
from fpgen.rtl.steps import Steps

TARGET_SECONDS = 2.0
TEXTS = [
    "multiply fp16 fp16 -> fp16 rne stages=2",
    "add bf16 bf16 -> bf16 rne stages=3",
    "fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3",
    "multiply fp32 fp32 -> fp32 rne stages=3",
    "add fp32 fp32 -> fp32 rne stages=4",
    "fma fp32 fp32 fp32 -> fp32 rne stages=4",
    "fma fp64 fp64 fp64 -> fp64 rne flags=on",
    "fma fp64 fp64 fp64 -> fp64 rne flags=on stages=5",
]


def bits_when_early(unit) -> int:
    """Register bits of the as-soon-as-possible schedule at the scheduler's own period."""
    steps = Steps(rtl.graph_of(unit))
    stage = asap(steps, smallest_period(steps, unit.stages) * (1 + SLACK), unit.stages)
    assert stage is not None
    total = 0
    for net in steps.nets:
        last = unit.stages if net.to_output else max(stage[i] for i in net.readers)
        total += net.width * max(0, last - stage[net.driver] - net.held)
    return total


def main() -> int:
    command = parser(__doc__)
    command.add_argument("--markdown", action="store_true", help="print the table as it stands in the docs")
    options = command.parse_args()
    fpgen.parse_unit(TEXTS[0]).verilog()  # the imports
    rows, missed = [], 0
    for text in TEXTS:
        unit = fpgen.parse_unit(text)
        rtl.forget()
        start = time.process_time()
        lines = unit.verilog().count("\n")
        seconds = time.process_time() - start
        missed += seconds > TARGET_SECONDS
        pipeline = rtl.pipeline_for(unit)
        early = bits_when_early(unit) if unit.stages else 0
        rows.append(
            (text, str(lines), f"{pipeline.period_ps:.0f}", str(early), str(pipeline.register_bits), f"{seconds:.2f}")
        )
    heads = ("unit", "lines", "period, est. ps", "bits asap", "bits", "s")
    if options.markdown:
        print("\n".join("| " + " | ".join(row) + " |" for row in [heads, ("---",) * len(heads), *rows]))
    else:
        for row in [heads, *rows]:
            print(f"{row[0]:<50}" + "".join(f"{cell:>17}" for cell in row[1:]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
