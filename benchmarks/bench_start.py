"""Processor time until a command that only prints has printed: the start of the interpreter and of fpgen.

    python benchmarks/bench_start.py [--runs N]

Each command runs in a process of its own, N times (default 10); shown are the least and the median of its processor
time (user and system), and the median's ratio to that of `python -c pass`. Wanted: a median under 0.3 s; the exit code
is 1 when one is missed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from common import parser

TARGET_SECONDS = 0.3
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "fpgen --help": ["-m", "fpgen", "--help"],
    "fpgen formats": ["-m", "fpgen", "formats"],
    "fpgen accumulators": ["-m", "fpgen", "accumulators"],
}


def processor_time(arguments: list[str]) -> float:
    """User and system seconds of one run."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)}: exit status {status}")
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    command = parser(__doc__)
    command.add_argument("--runs", type=int, default=10)
    runs = command.parse_args().runs
    base, missed = 0.0, 0
    print(f"{'command':<22}{'least s':>9}{'median s':>10}{'ratio':>8}")
    for name, arguments in COMMANDS.items():
        times = [processor_time(arguments) for _ in range(runs)]
        median = statistics.median(times)
        base = base or median
        missed += median > TARGET_SECONDS
        print(f"{name:<22}{min(times):>9.3f}{median:>10.3f}{median / base:>8.1f}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
