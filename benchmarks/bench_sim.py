"""Speed of simulation: vectors a second and seconds of a build, for the units that the goals name.

    python benchmarks/bench_sim.py

Rates are per core: vectors over the simulator's CPU time between the start of the stream and its end, golden model
and build not included. Goals: 10 M vectors/s for an 8-bit multiply, 2 M/s for an fp32 fused multiply-add; a build at
most 3 s when Verilator's run time is compiled already, 0 when nothing changed. A loaded machine shows less.
"""

from __future__ import annotations

import resource
import time

from common import parser

import fpgen
from fpgen.base.cache import scratch
from fpgen.golden.port_outputs import golden_outputs
from fpgen.simulate import runtime, simulator, tools
from fpgen.simulate.wrapper import TOP, harness, lanes_for
from fpgen.vectors.stimulus import Plan
from fpgen.verify.campaign import CampaignEntry, run_campaign

UNITS = [
    # unit, goal in M vectors/s
    ("multiply e4m3fn e4m3fn -> e4m3fn rne", 10.0),
    ("multiply e5m2 e5m2 -> e5m2 port flags=on", 10.0),
    ("add e4m3fn e4m3fn -> e4m3fn rne", None),
    ("multiply fp16 fp16 -> fp16 rne stages=2 handshake=ready", None),
    ("multiply fp32 fp32 -> fp32 rne", None),
    ("fma e4m3fn e4m3fn fp32 -> fp32 rne stages=3 flags=on", None),
    ("fma fp32 fp32 fp32 -> fp32 rne", 2.0),
    ("convert fp32 -> e4m3fn rne saturate", None),
]
VECTORS = 4_000_000
ROUNDS = 3


def measure(text: str) -> tuple[float, float, float, float]:
    """(seconds of a build, its CPU seconds, seconds of it again, best rate in M vectors/s) of a unit."""
    unit = fpgen.parse_unit(text)
    verilog = unit.verilog()
    lanes = lanes_for(unit, verilog)
    marked = f"{verilog}\n// {time.time_ns()}\n"  # so that the cache does not have it
    before = _children_cpu()
    fresh = simulator.build(marked, harness([unit], [lanes]), TOP)
    cpu = _children_cpu() - before
    again = simulator.build(marked, harness([unit], [lanes]), TOP)
    best = 0.0
    for seed in range(ROUNDS):
        entry = CampaignEntry(unit, Plan(unit, False, seed, VECTORS), lanes, golden_outputs)
        with scratch("bench") as where:
            run_campaign(fresh, [entry], where, protocol=False)
        assert entry.mismatches == 0 and entry.compared == entry.plan.vectors, text
        best = max(best, entry.compared / entry.simulation_seconds / 1e6)
    return fresh.seconds, cpu, again.seconds, best


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser(__doc__).parse_args()
    runtime.runtime(tools.find_verilator())  # compiled once for each machine, not a unit's cost
    print("| unit | build s | build CPU s | again s | M vectors/s | goal |\n|---|---:|---:|---:|---:|---:|")
    for text, goal in UNITS:
        build, cpu, again, rate = measure(text)
        print(f"| `{text}` | {build:.1f} | {cpu:.1f} | {again:.1f} | {rate:.1f} | {goal or ''} |", flush=True)


if __name__ == "__main__":
    main()
