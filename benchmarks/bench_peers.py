"""Area x delay of fpgen's units beside other generators', through one and the same reference flow.

    make bench LIBERTY=NangateOpenCell45_typ.lib.gz
    python benchmarks/bench_peers.py --liberty NangateOpenCell45_typ.lib.gz [--markdown FILE] [--only fma] [--quick]

Every unit is combinational, RNE, without flags, full subnormals, and goes through the recipe `reference`
(Yosys `synth -flatten` with and without `-booth`, ABC's default script at five targets, the OpenROAD speed
script; delay is ABC's). The peers' points, measured in the same flow, stand in `peers_nangate45.json`, a list of
records with `unit`, `peer`, `variant`, `library`, `same_function` and `pareto_area_um2_delay_ps`. Figures are the
smallest area x delay over the Pareto set. Needs a native engine (`pip install '.[fast]'`), because ABC's delay
does not come out of the WebAssembly one. Exit code 1 when some unit is worse than the best peer, or the geometric
mean is above 0.9.
"""

import json
import sys
from fractions import Fraction

from area_delay import Row, arguments, finish, geometric_mean, measure, parse, product, selected, table, tell

from fpgen import parse_format
from fpgen.formats.catalogue import fixed

FORMATS = ("fp32", "fp16", "bf16", "e5m2")
OPERATIONS = {
    "mul": "multiply {0} {0} -> {0} rne",
    "add": "add {0} {0} -> {0} rne",
    "fma": "fma {0} {0} {0} -> {0} rne",
}
#: Sums of 8 and of 32 products, beside the raw cores of the Imperial MX library: no scale, no rounding, neither NaN nor
#: infinity; the output is fixed point that holds every bit (e5m2: the 64 that a code can have, saturated).
DOT_FORMATS = {
    "e2m1": "e2m1",
    "e2m3": "e2m3",
    "e3m2": "e3m2",
    "e4m3": "e4m3:inf=none,nan=none",
    "e5m2": "e5m2:inf=none,nan=none",
    "int8": "int8",
}
DOT_LENGTHS = (8, 32)
GEOMETRIC_MEAN_LIMIT = 0.9


def dot_text(name: str, count: int) -> str:
    """A sum of `count` products as it is, in fixed point."""
    fmt = parse_format(DOT_FORMATS[name])
    low = 2 * fmt.quantum_exponent
    bits = int(count * fmt.min_finite**2 / Fraction(2) ** low).bit_length() + 1
    return f"dot {DOT_FORMATS[name]} {DOT_FORMATS[name]} n={count} -> {fixed(min(bits, 64), scale=low).name}"


def best_peer(records: list[dict], unit: str, variant: str = "rne") -> tuple[str, float]:
    """The peer with the smallest area x delay (um2 ps / 1e6) among those that compute the same function."""
    products = {
        record["peer"]: product(record)
        for record in records
        if record["unit"] in (unit, f"ieee{unit}")
        and record["library"] == "nangate45"
        and record["same_function"]
        and record["variant"] == variant
    }
    name = min(products, key=products.__getitem__)
    return name, products[name]


def main() -> int:
    command = arguments(
        __doc__, "peers_nangate45.json", "a substring of the units to measure, as in fma_fp16 or dot_e4m3_k8"
    )
    command.add_argument("--quick", action="store_true", help="three runs of one synthesis variant for each unit")
    options = parse(command)
    if options is None:
        return 0
    records = json.loads(options.peers.read_text())
    wanted = {
        f"{operation}_{name}": (text.format(name), best_peer(records, f"{operation}_{name}"))
        for operation, text in OPERATIONS.items()
        for name in FORMATS
    }
    wanted |= {
        f"dot_{name}_k{count}": (dot_text(name, count), best_peer(records, f"dot_{name}", f"k{count}"))
        for count in DOT_LENGTHS
        for name in DOT_FORMATS
    }
    rows: dict[bool, list[Row]] = {False: [], True: []}  # by whether it is a dot product
    for name in selected(wanted, options.only):
        row = measure(*wanted[name], options.liberty, options.quick)
        rows[name.startswith("dot_")].append(row)
        tell(row, 80)
    tables = [found for found in rows.values() if found]
    finish("\n".join(table(found) for found in tables), options)
    good = all(max(r.ratio for r in found) <= 1 and geometric_mean(found) <= GEOMETRIC_MEAN_LIMIT for found in tables)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
