"""Time of a report on 1,000 records: page, plots as SVG and PNG.

    python benchmarks/bench_report.py

The records are made up (areas and delays by formula) but have every column, three technologies and twelve curves.
Wanted: 5 s; the exit code is 1 when it is missed. Processor time is compared, since the machine may
be shared; wall time stands beside it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import parser

TARGET_SECONDS = 5.0
RECORDS = 1000


def made_up(count: int) -> list[dict]:
    """Records of a sweep over precision, exponent width and technology, two delay targets each."""
    noise = np.random.default_rng(1)
    found = []
    for index in range(count):
        P, E = 2 + index // 2 % 23, 2 + index // 46 % 7
        technology = ("fpgen45", "fpgen7", "sky130")[index // 322 % 3]
        slow = index % 2
        area = float((50 + 30 * P + 4 * P * P) * (1 - 0.2 * slow) * noise.uniform(0.97, 1.03))
        found.append(
            {
                "sweep": "bench",
                "title": "Made up",
                "point": f"E={E}, P={P}",
                "param_E": E,
                "param_P": P,
                "series": f"E={E}",
                "scale": "P",
                "compete": f"P={P}, E={E}",
                "unit": f"fma e{E}m{P - 1} number {index // 2}",
                "operation": "fma",
                "status": "ok",
                "reason": "",
                "technology": technology,
                "recipe": "balanced/plain/x",
                "target_ps": 1.0 + 99_999 * slow,
                "area_um2": area,
                "nand2_eq": area / 0.8,
                "latency": index % 4,
                "delay_ps": float((500 + 40 * P) * (1 + 0.7 * slow)),
                "fmax_mhz": 1e6 / (500 + 40 * P),
                "cells": int(area),
                "registers": 8 * (index % 4),
                "energy_pj": area / 400,
                "error_rms": 2.0**-P,
                "adp": area,
                "error_data": "gaussian",
                "sections": json.dumps({"Unpack": area * 0.2, "Multiply and add": area}),
                "assumptions": json.dumps({"corner": "typical", "output_load_ff": 4.0}),
                "point_seconds": 3.0,
                "versions": json.dumps({"fpgen": "0.1.0", "yosys": "0.70"}),
                "netlist_hash": f"{index:024x}",
            }
        )
    return found


def main() -> int:
    from fpgen.report import page
    from fpgen.sweep import store

    parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as directory:
        files = store.write(Path(directory) / "bench", made_up(RECORDS))
        wall, start = time.perf_counter(), time.process_time()
        records = store.read(files[-1])
        written = page.write(records, Path(directory) / "report", store="bench")
        seconds, wall = time.process_time() - start, time.perf_counter() - wall
        size = written.page.stat().st_size
    print(
        f"{written.records} records, {len(written.files) // 2} plots, page of {size / 1e6:.1f} MB: "
        f"{seconds:.2f} s of processor time, {wall:.2f} s of wall time (target {TARGET_SECONDS:g} s)"
    )
    return 1 if seconds > TARGET_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
