"""Area x delay of MX quantisers beside MX-for-FPGA's converters, through one and the same reference flow.

    python benchmarks/bench_quantize.py --liberty NangateOpenCell45_typ.lib.gz [--markdown FILE] [--only e2m1]
    python benchmarks/bench_quantize.py --liberty ... --others

32 bf16 numbers become element codes and an E8M0 scale: the floor policy of OCP MX 1.0, elements to nearest even,
saturating, subnormals in full, combinational. The flow and the figures are those of `bench_peers.py`; the peer's
points stand in `peers_mx_conv_nangate45.json`. `--others` measures block formats that no peer has. Exit code 1
when some unit is worse than the peer.
"""

import json
import sys
from pathlib import Path

from area_delay import Row, arguments, finish, measure, parse, product, selected, table, tell

ELEMENTS = {"e2m1": "mxfp4", "e2m3": "mxfp6e2m3", "e3m2": "mxfp6e3m2", "e4m3": "mxfp8e4m3", "e5m2": "mxfp8e5m2"}
OTHERS = (
    "quantize bf16 -> mxint8",
    "quantize bf16 -> mxfp4 policy=rceil",
    "quantize fp32 -> mxfp4",
    "quantize fp16 -> mxfp4",
    "quantize bf16 -> nvfp4",
    "dequantize mxfp4 -> bf16",
    "dequantize mxfp8e4m3 -> bf16",
    "dequantize nvfp4 -> bf16",
)


def peers(path: Path) -> dict[str, float]:
    """The peer's best area x delay (um2 ps / 1e6) for each element format."""
    return {
        record["unit"].removeprefix("conv_bf16_"): product(record)
        for record in json.loads(path.read_text())
        if record["same_function"]
    }


def others(rows: list[Row]) -> str:
    """Markdown, without a peer."""
    lines = ["| unit | ADP | at um2 | at ps | smallest um2 | shortest ps |", "|---|---|---|---|---|---|"]
    lines += [
        f"| `{r.unit}` | {r.ours:.3f} | {r.area_um2:.0f} | {r.delay_ps:.0f} | {r.smallest_um2:.0f} | "
        f"{r.shortest_ps:.0f} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    command = arguments(__doc__, "peers_mx_conv_nangate45.json", "a substring of the units to measure")
    command.add_argument("--others", action="store_true", help="block formats without a peer")
    options = parse(command)
    if options is None:
        return 0
    best = peers(options.peers)
    texts = {f"quantize bf16 -> {block}": ("mx", best[element]) for element, block in ELEMENTS.items()}
    if options.others:
        texts = dict.fromkeys(OTHERS, ("none", float("nan")))
    rows = []
    for text in selected(texts, options.only):
        rows.append(measure(text, texts[text], options.liberty))
        tell(rows[-1], 40)
    finish(others(rows) if options.others else table(rows), options)
    return 1 if any(row.ratio > 1 for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
