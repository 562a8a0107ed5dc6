"""Area x delay of fpgen's units beside other generators', through one and the same reference flow.

    make bench LIBERTY=NangateOpenCell45_typ.lib.gz
    python benchmarks/bench_peers.py --liberty NangateOpenCell45_typ.lib.gz [--markdown FILE] [--only fma]

Every unit is combinational, RNE, without flags, full subnormals, and goes through the recipe `reference`
(Yosys `synth -flatten` with and without `-booth`, ABC's default script at five targets, the OpenROAD speed
script; delay is ABC's). The peers' points, measured in the same flow, stand in `peers_nangate45.json`, a list of
records with `unit`, `peer`, `variant`, `library`, `same_function` and `pareto_area_um2_delay_ps`. Figures are the
smallest area x delay over the Pareto set. Needs a native engine (`pip install fpgen[fast]`), because ABC's delay
does not come out of the WebAssembly one. Exit code 1 when some unit is worse than the best peer, or the geometric
mean is above 0.9.
"""

import argparse
import json
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from fpgen import parse_unit
from fpgen.ppa import reference
from fpgen.ppa.point import pareto

FORMATS = ("fp32", "fp16", "bf16", "e5m2")
OPERATIONS = {
    "mul": "multiply {0} {0} -> {0} rne",
    "add": "add {0} {0} -> {0} rne",
    "fma": "fma {0} {0} {0} -> {0} rne",
}
GEOMETRIC_MEAN_LIMIT = 0.9


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


def best_peer(records: list[dict], unit: str) -> tuple[str, float]:
    """The peer with the smallest area x delay (um2 ps / 1e6) among those that compute the same function."""
    products = {
        record["peer"]: min(area * delay for area, delay in record["pareto_area_um2_delay_ps"]) / 1e6
        for record in records
        if record["unit"] in (unit, f"ieee{unit}") and record["library"] == "nangate45" and record["same_function"]
        and record["variant"] == "rne"
    }
    name = min(products, key=products.__getitem__)
    return name, products[name]


def measure(text: str, peer: tuple[str, float], liberty: Path) -> Row:
    """Our side of one comparison."""
    unit = parse_unit(text)
    points = [p for p in reference.run(unit.verilog(), unit.name, liberty) if p.failure is None]
    front = pareto(points)
    best = min(front, key=lambda p: p.area_um2 * p.delay_ps)
    return Row(text, best.area_um2 * best.delay_ps / 1e6, best.area_um2, best.delay_ps,
               min(p.area_um2 for p in front), min(p.delay_ps for p in front), *peer)


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = [
        "| unit | fpgen ADP | at um2 | at ps | smallest um2 | shortest ps | best peer | its ADP | ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        lines.append(f"| `{r.unit}` | {r.ours:.3f} | {r.area_um2:.0f} | {r.delay_ps:.0f} | {r.smallest_um2:.0f} | "
                     f"{r.shortest_ps:.0f} | {r.best_peer} | {r.theirs:.3f} | {r.ratio:.3f} |")
    mean = math.exp(sum(math.log(r.ratio) for r in rows) / len(rows))
    lines.append(f"\nGeometric mean of the ratios: {mean:.3f}; worst: {max(r.ratio for r in rows):.3f}.")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--liberty", type=Path, default=os.environ.get("LIBERTY") or None, help="default: $LIBERTY")
    parser.add_argument("--peers", type=Path, default=Path(__file__).with_name("peers_nangate45.json"))
    parser.add_argument("--markdown", type=Path, help="write the table there as well")
    parser.add_argument("--only", help="a substring of the units to measure")
    options = parser.parse_args()
    if options.liberty is None:
        print("skipped: needs the NangateOpenCell45 Liberty file; give LIBERTY=FILE")
        return 0
    records = json.loads(options.peers.read_text())
    rows = []
    for operation, text in OPERATIONS.items():
        for name in FORMATS:
            if options.only and options.only not in f"{operation}_{name}":
                continue
            rows.append(measure(text.format(name), best_peer(records, f"{operation}_{name}"), options.liberty))
            print(f"{rows[-1].unit:40} {rows[-1].ours:8.3f} {rows[-1].theirs:8.3f} {rows[-1].ratio:6.3f}", flush=True)
    text = table(rows)
    print(text)
    if options.markdown:
        options.markdown.write_text(text)
    ratios = [r.ratio for r in rows]
    good = max(ratios) <= 1 and math.exp(sum(map(math.log, ratios)) / len(ratios)) <= GEOMETRIC_MEAN_LIMIT
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
