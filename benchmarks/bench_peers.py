"""Area x delay of fpgen's units beside other generators', through one and the same reference flow.

    make bench LIBERTY=NangateOpenCell45_typ.lib.gz
    python benchmarks/bench_peers.py --liberty NangateOpenCell45_typ.lib.gz [--markdown FILE] [--only fma] [--quick]

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
from fractions import Fraction
from pathlib import Path

from fpgen import parse_format, parse_unit
from fpgen.formats.catalogue import fixed
from fpgen.ppa import reference
from fpgen.ppa.point import pareto

FORMATS = ("fp32", "fp16", "bf16", "e5m2")
OPERATIONS = {
    "mul": "multiply {0} {0} -> {0} rne",
    "add": "add {0} {0} -> {0} rne",
    "fma": "fma {0} {0} {0} -> {0} rne",
}
#: Sums of 8 and of 32 products, beside the raw cores of the Imperial MX library: no scale, no rounding, neither NaN nor
#: infinity; the output is fixed point that holds every bit (e5m2: the 64 that a code can have, saturated).
DOT_FORMATS = {"e2m1": "e2m1", "e2m3": "e2m3", "e3m2": "e3m2", "e4m3": "e4m3:inf=none,nan=none",
               "e5m2": "e5m2:inf=none,nan=none", "int8": "int8"}
DOT_LENGTHS = (8, 32)
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


def dot_text(name: str, count: int) -> str:
    """A sum of `count` products as it is, in fixed point."""
    fmt = parse_format(DOT_FORMATS[name])
    low = 2 * fmt.quantum_exponent
    bits = int(count * fmt.min_finite**2 / Fraction(2) ** low).bit_length() + 1
    return f"dot {DOT_FORMATS[name]} {DOT_FORMATS[name]} n={count} -> {fixed(min(bits, 64), scale=low).name}"


def best_peer(records: list[dict], unit: str, variant: str = "rne") -> tuple[str, float]:
    """The peer with the smallest area x delay (um2 ps / 1e6) among those that compute the same function."""
    products = {
        record["peer"]: min(area * delay for area, delay in record["pareto_area_um2_delay_ps"]) / 1e6
        for record in records
        if record["unit"] in (unit, f"ieee{unit}") and record["library"] == "nangate45" and record["same_function"]
        and record["variant"] == variant
    }
    name = min(products, key=products.__getitem__)
    return name, products[name]


def measure(text: str, peer: tuple[str, float], liberty: Path, quick: bool = False) -> Row:
    """Our side of one comparison."""
    unit = parse_unit(text)
    points = [p for p in reference.run(unit.verilog(), unit.name, liberty, quick=quick) if p.failure is None]
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
    parser.add_argument("--only", help="a substring of the units to measure, as in fma_fp16 or dot_e4m3_k8")
    parser.add_argument("--quick", action="store_true", help="three runs of one synthesis variant for each unit")
    options = parser.parse_args()
    if options.liberty is None:
        print("skipped: needs the NangateOpenCell45 Liberty file; give LIBERTY=FILE")
        return 0
    records = json.loads(options.peers.read_text())
    wanted = [(f"{operation}_{name}", text.format(name), best_peer(records, f"{operation}_{name}"))
              for operation, text in OPERATIONS.items() for name in FORMATS]
    wanted += [(f"dot_{name}_k{count}", dot_text(name, count), best_peer(records, f"dot_{name}", f"k{count}"))
               for count in DOT_LENGTHS for name in DOT_FORMATS]
    rows: dict[bool, list[Row]] = {False: [], True: []}  # by whether it is a dot product
    for name, unit, peer in wanted:
        if options.only and options.only not in name:
            continue
        row = measure(unit, peer, options.liberty, options.quick)
        rows[name.startswith("dot_")].append(row)
        print(f"{row.unit:80} {row.ours:8.3f} {row.theirs:8.3f} {row.ratio:6.3f}", flush=True)
    text = "\n".join(table(found) for found in rows.values() if found)
    print(text)
    if options.markdown:
        options.markdown.write_text(text)
    good = True
    for found in rows.values():
        ratios = [r.ratio for r in found]
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 0.0
        good = good and max(ratios, default=0.0) <= 1 and mean <= GEOMETRIC_MEAN_LIMIT
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
