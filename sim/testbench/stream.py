"""Bulk vectors: start a stream of the harness, wait until it has read its file to the end, take the counts.

The stream compares in Verilog, millions of vectors a second; cocotb starts it and judges.
"""

import json
import time
from pathlib import Path

import cocotb
from cocotb.triggers import RisingEdge, Timer
from job import START, STREAMS


@cocotb.test(skip=not STREAMS)
@cocotb.parametrize(number=range(len(STREAMS)))
async def every_vector(dut, number):
    """Every result and flag of the stream is what the golden model expects."""
    stream = STREAMS[number]
    i = stream["index"]
    done = getattr(dut, f"done_{i}")
    start = getattr(dut, f"start_{i}")
    await Timer(1, "ns")
    begun = time.process_time()
    start.value = START
    await RisingEdge(done)
    seconds = time.process_time() - begun
    counts = {name: int(getattr(dut, f"{name}_{i}").value) for name in ("rows", "mismatches", "errors")}
    Path(f"stream_{i}.json").write_text(json.dumps({**counts, "cpu_seconds": seconds}))
    assert counts["rows"] > 0, f"{stream['unit']}: 0 vectors were read; nothing was shown"
    assert counts["errors"] == 0, f"{stream['unit']}: {counts['errors']} errors of valid/ready or of the vector file"
    assert counts["mismatches"] == 0, f"{stream['unit']}: {counts['mismatches']} mismatches"
