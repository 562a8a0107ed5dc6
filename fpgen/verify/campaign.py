"""Running the vectors of one or many units through one simulation, with the golden model beside it.

The simulator reads each unit's vectors from a FIFO while this process computes
the next ones: both cores work, and no vector file is written.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import termios
import time
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

import numpy as np

from fpgen.base.errors import RunFailure
from fpgen.base.resources import resource_dir
from fpgen.golden.port_outputs import Golden
from fpgen.simulate.clocked_job import protocol_job
from fpgen.simulate.simulator import Running, Simulation
from fpgen.simulate.watch import Watch
from fpgen.simulate.wrapper import START
from fpgen.units import Handshake, Unit
from fpgen.vectors.layout import Layout
from fpgen.vectors.stimulus import Plan

_GAP_CLOCKS = 4096
_PIPE_BYTES = 1 << 20
_POLL_S = 0.005

#: Called with what is being done and how far it is, 0 to 1.
Progress = Callable[[str, float], None]


@dataclass
class CampaignEntry:
    """One unit of a campaign, and what came out."""

    unit: Unit
    plan: Plan
    lanes: int
    golden: Golden
    golden_seconds: float = 0.0
    simulation_seconds: float = 0.0
    compared: int = 0
    mismatches: int = 0
    errors: int = 0
    wrong: list[tuple[int, int]] = field(default_factory=list)  # (index in the plan, outputs as they lie in a row)
    protocol: list[tuple[str, str]] = field(default_factory=list)  # (test, failure or "")
    shapes: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)  # position, index, shape of chunks

    @property
    def layout(self) -> Layout:
        return Layout.of(self.unit, self.lanes)


def run_campaign(
    simulation: Simulation,
    entries: Sequence[CampaignEntry],
    where: Path,
    *,
    protocol: bool = True,
    vcd: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Run protocol tests and streams of all entries (in the order of the harness) and fill in the results.

    Raises
    ------
    RunFailure
        When the simulation dies, hangs or runs no test.
    """
    job = {
        "start": START,
        "streams": [{"index": i, "unit": entry.unit.text} for i, entry in enumerate(entries)],
        "protocols": [protocol_job(entry.unit, i, entry.plan, entry.golden) for i, entry in enumerate(entries)]
        if protocol
        else [],
    }
    (where / "job.json").write_text(json.dumps(job))
    plusargs = []
    for i, entry in enumerate(entries):
        os.mkfifo(where / f"vectors_{i}")
        plusargs += [f"+vectors_{i}={where}/vectors_{i}", f"+log_{i}={where}/log_{i}"]
        handshake: Handshake = entry.unit.handshake
        match handshake:
            case Handshake.NONE:
                pass
            case Handshake.VALID | Handshake.READY | Handshake.AXIS:
                plusargs.append(f"+gaps_{i}={_GAP_CLOCKS}")
            case unknown:
                assert_never(unknown)
    modules = ["protocol", "stream"] if protocol else ["stream"]
    running = Running(
        simulation,
        modules,
        where,
        search=[resource_dir("sim") / "testbench"],
        environment={"FPGEN_JOB": str(where / "job.json")},
        plusargs=plusargs,
        vcd=vcd,
    )
    watch = Watch(running)
    try:
        with ThreadPoolExecutor(1) as writer:
            total = sum(entry.plan.vectors for entry in entries)
            before = 0
            for i, entry in enumerate(entries):
                _feed(watch, writer, where / f"vectors_{i}", entry, progress, before, total)
                before += entry.plan.vectors
        while running.alive:
            time.sleep(_POLL_S)
            watch.look()
        tests = running.results()
    finally:
        running.stop()
    for test in tests:
        module, _, rest = test.name.partition(".")
        if module == "protocol":
            name, _, parameters = rest.partition("/")
            number = int(parameters.partition("number=")[2].partition("/")[0])
            stall = parameters.partition("/")[2]
            entries[number].protocol.append((f"{name} {stall}".strip(), test.failure))
    for i, entry in enumerate(entries):
        _collect(running, where, i, entry)


# ---- feeding ------------------------------------------------------------------------


def _feed(
    watch: Watch,
    writer: ThreadPoolExecutor,
    fifo: Path,
    entry: CampaignEntry,
    progress: Progress | None,
    before: int,
    total: int,
) -> None:
    """Compute and send all vectors of one entry; stop early if the simulator no longer reads."""
    descriptor: int | None = None
    pending: list[Future[None]] = []
    position = 0
    try:
        for chunk in entry.plan.chunks():
            started = time.perf_counter()
            outputs = entry.golden(entry.unit, chunk.inputs)
            rows = entry.layout.pack(chunk.inputs, outputs)
            entry.golden_seconds += time.perf_counter() - started
            entry.shapes.append((position, chunk.start, chunk.shape))
            position += chunk.count
            if descriptor is None:
                descriptor = _open(watch, fifo)
            pending.append(writer.submit(_send, watch, descriptor, rows.view(np.uint8).data))
            while len(pending) > 2:
                pending.pop(0).result()
            if progress:
                progress("simulating", (before + position) / total)
        for sent in pending:
            sent.result()
        if descriptor is not None:
            _drain(watch, descriptor)
    except BrokenPipeError:
        pass  # the stream ended early and says why
    finally:
        for sent in pending:
            sent.cancel()
            if not sent.cancelled():
                sent.exception()
        if descriptor is not None:
            os.close(descriptor)


def _open(watch: Watch, fifo: Path) -> int:
    """Open the FIFO once the simulator has it open for reading."""
    while True:
        try:
            descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError:  # nobody reads yet
            if not watch.running.alive:
                raise BrokenPipeError from None
            watch.look()
            time.sleep(_POLL_S)
    with suppress(AttributeError, OSError):  # a smaller pipe is only slower
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return descriptor


def _send(watch: Watch, descriptor: int, data: memoryview) -> None:
    at = 0
    while at < len(data):
        if select.select([], [descriptor], [], 1.0)[1]:
            at += os.write(descriptor, data[at : at + _PIPE_BYTES])
        elif not watch.running.alive:
            raise BrokenPipeError
        else:
            watch.look(_unread(descriptor))


def _drain(watch: Watch, descriptor: int) -> None:
    """Wait until all that was sent has been read, as long as the simulator reads."""
    while _unread(descriptor):
        if not watch.running.alive:
            raise BrokenPipeError
        watch.look(_unread(descriptor))
        time.sleep(_POLL_S)


def _unread(descriptor: int) -> int:
    """Bytes that lie in the pipe."""
    size = array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, size)
    return size[0]


# ---- collecting ---------------------------------------------------------------------


def _collect(running: Running, where: Path, i: int, entry: CampaignEntry) -> None:
    counts_file = where / f"stream_{i}.json"
    if not counts_file.is_file():
        raise RunFailure(f"simulation: stream {i} ({entry.unit}) did not finish; log:\n{running.tail()}")
    counts = json.loads(counts_file.read_text())
    entry.compared = counts["rows"] * entry.lanes
    entry.mismatches, entry.errors = counts["mismatches"], counts["errors"]
    entry.simulation_seconds = counts["cpu_seconds"]
    for line in (where / f"log_{i}").read_text().splitlines():
        position, word = line.split()
        entry.wrong.append((_index(entry, int(position)), int(word.replace("x", "0").replace("z", "0"), 16)))


def _index(entry: CampaignEntry, position: int) -> int:
    """Index in the plan of the vector at this position of the stream."""
    for start, index, shape in reversed(entry.shapes):
        if position >= start:
            return index + entry.layout.index(position - start, shape)
    raise AssertionError(position)
