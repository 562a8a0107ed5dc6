"""What the benchmarks share: the command line, and rates of calls with targets."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

MILLION = 1e6


def parser(doc: str) -> argparse.ArgumentParser:
    """A command line whose help is the benchmark's docstring."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def rate_options(doc: str) -> argparse.Namespace:
    """`quick` and `json`, from the command line of a benchmark of rates."""
    arguments = parser(doc)
    arguments.add_argument("--quick", action="store_true", help="a sixteenth of the elements")
    arguments.add_argument("--json", action="store_true", help="print a list of records instead of a table")
    return arguments.parse_args()


def rate(call: Callable[[], Any], count: float, repeat: int) -> float:
    """Millions a second of processor time, the best of `repeat` calls of `count` each after a first one."""
    call()
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return count / best / MILLION


def report_rates(
    records: list[dict[str, Any]],
    options: argparse.Namespace,
    *,
    kind: str,
    ratio: str,
    widths: tuple[int, int],
    references: dict[str, float] | None = None,
) -> int:
    """Print rates as a table or as JSON, and those that miss their target.

    Parameters
    ----------
    records : list of dict
        `unit`, `operands`, `million_per_second`, a ratio, and `target` in millions a second (None: no target).
    options : Namespace
        From `rate_options`.
    kind, ratio : str
        Heading of the column of `operands`; key of the ratio.
    widths : tuple of int
        Of the columns of `unit` and `operands`.
    references : dict of str to float, optional
        What ratios are to, in millions a second.

    Returns
    -------
    int
        The exit code: 1 when a target is missed, unless the run was quick.
    """
    first, second = widths
    if options.json:
        print(json.dumps(records, indent=1))
    else:
        for name, found in (references or {}).items():
            print(f"reference: {name}: {found:.0f} M/s")
        print(f"{'unit':{first}} {kind:{second}} {'M/s':>8} {'ratio':>7} {'target':>7}")
        for record in records:
            goal = record["target"] or "-"
            print(
                f"{record['unit']:{first}} {record['operands']:{second}} {record['million_per_second']:8.2f} "
                f"{record[ratio]:7.4f} {goal:>7}"
            )
    missed = [r for r in records if r["target"] and r["million_per_second"] < r["target"]]
    for record in missed:
        rates = f"{record['million_per_second']:.2f} of {record['target']} M/s"
        print(f"missed: {record['unit']}: {rates}", file=sys.stderr)
    return 1 if missed and not options.quick else 0
