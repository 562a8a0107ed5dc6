"""Area x delay of units beside another generator's, through the recipe `reference`: a row each, and their table."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from common import parser

from benchmarks import reference_flow as reference
from fpgen import parse_unit
from fpgen.synthesis.point import pareto


@dataclass(frozen=True)
class Row:
    """One comparison: the best product of each side, and the Pareto ends of ours."""

    unit: str
    ours: float
    area_um2: float
    delay_ps: float
    smallest_um2: float
    shortest_ps: float
    best_peer: str
    theirs: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


def product(record: dict) -> float:
    """The smallest area x delay (um2 ps / 1e6) of a record's Pareto set."""
    return min(area * delay for area, delay in record["pareto_area_um2_delay_ps"]) / 1e6


def measure(text: str, peer: tuple[str, float], liberty: Path, quick: bool = False) -> Row:
    """Our side of one comparison."""
    unit = parse_unit(text)
    points = [p for p in reference.run(unit.verilog(), unit.name, liberty, quick=quick) if p.failure is None]
    front = pareto(points)
    best = min(front, key=lambda p: p.area_um2 * p.delay_ps)
    return Row(
        text,
        best.area_um2 * best.delay_ps / 1e6,
        best.area_um2,
        best.delay_ps,
        min(p.area_um2 for p in front),
        min(p.delay_ps for p in front),
        *peer,
    )


def geometric_mean(rows: list[Row]) -> float:
    """Of the ratios."""
    return math.exp(sum(math.log(r.ratio) for r in rows) / len(rows))


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = [
        "| unit | fpgen ADP | at um2 | at ps | smallest um2 | shortest ps | best peer | its ADP | ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        lines.append(
            f"| `{r.unit}` | {r.ours:.3f} | {r.area_um2:.0f} | {r.delay_ps:.0f} | {r.smallest_um2:.0f} | "
            f"{r.shortest_ps:.0f} | {r.best_peer} | {r.theirs:.3f} | {r.ratio:.3f} |"
        )
    worst = max(r.ratio for r in rows)
    lines.append(f"\nGeometric mean of the ratios: {geometric_mean(rows):.3f}; worst: {worst:.3f}.")
    return "\n".join(lines) + "\n"


def arguments(doc: str, peers: str, only: str) -> argparse.ArgumentParser:
    """`liberty`, `peers` (default: the file of this name beside the benchmarks), `markdown` and `only`, with its help.

    A benchmark adds its own.
    """
    found = parser(doc)
    found.add_argument("--liberty", type=Path, default=os.environ.get("LIBERTY") or None, help="default: $LIBERTY")
    found.add_argument("--peers", type=Path, default=Path(__file__).with_name(peers))
    found.add_argument("--markdown", type=Path, help="write the table there as well")
    found.add_argument("--only", help=only)
    return found


def parse(given: argparse.ArgumentParser) -> argparse.Namespace | None:
    """The options; None, and a word about it, where there is no Liberty file."""
    options = given.parse_args()
    if options.liberty is None:
        print("skipped: needs the NangateOpenCell45 Liberty file; give LIBERTY=FILE")
        return None
    return options


def selected(names: Iterable[str], only: str | None) -> list[str]:
    """The names that have `only` in them; the benchmark ends where there is none."""
    every = list(names)
    found = [name for name in every if not only or only in name]
    if not found:
        sys.exit(f"--only {only}: no unit has that in it; there are: {', '.join(every)}")
    return found


def tell(row: Row, width: int):
    """One line for a row that has just been measured."""
    print(f"{row.unit:{width}} {row.ours:8.3f} {row.theirs:8.3f} {row.ratio:6.3f}", flush=True)


def finish(text: str, options: argparse.Namespace):
    """Print the tables, and write them where the options say so."""
    print(text)
    if options.markdown:
        options.markdown.write_text(text)
