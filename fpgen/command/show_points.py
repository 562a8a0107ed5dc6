"""Measured points and paths on a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .output import Output
from .sheet import Sheet

if TYPE_CHECKING:
    from fpgen.synthesis.fpga_point import FpgaPoint
    from fpgen.synthesis.point import Point
    from fpgen.timing.sta import TimingReport


def timing(report: TimingReport) -> None:
    """`fpgen sta`: the critical delay and its path."""
    from fpgen.synthesis.point import assumptions_text

    out = Output()
    found = f"critical delay {report.delay_ps:.1f} ps, {report.logic_depth} cells deep" if report.path else "no path"
    out.print(f"{found}; {assumptions_text(report.assumptions)}")
    if report.path:
        path([vars(step) for step in report.path], report.startpoint, report.endpoint, out)
    for note in report.notes:
        out.print(f"note: {note}")


def points(found: Sequence[Point]) -> None:
    """`fpgen ppa`: the points as a table, then what they rest on and the critical path of the fastest."""
    from fpgen.synthesis.point import assumptions_text

    good = [point for point in found if point.failure is None]
    out = Output()
    rows = [
        (
            point.recipe,
            f"{point.target_ps:.0f}",
            f"{point.area_um2:.1f}",
            f"{point.nand2_eq:.0f}",
            f"{point.delay_ps:.0f}",
            f"{point.adp:.4f}",
            point.cells,
            point.registers,
            point.logic_depth,
            _proof(point.proof),
        )
        for point in good
    ]
    figures = ["target ps", "area um2", "NAND2 eq.", "delay ps", "ADP/1e6", "cells", "registers", "depth"]
    if good:
        out.print(Sheet(["recipe", *figures, "proof"], rows, right=figures))
        power(good, out)
        fastest = min(good, key=lambda point: point.delay_ps)
        out.print(f"{fastest.technology}; {assumptions_text(fastest.assumptions)}")
        path(fastest.critical_path, fastest.startpoint, fastest.endpoint, out)
    for point in found:
        if point.failure is not None:
            out.print(f"{point.recipe} at {point.target_ps:.0f} ps failed: {point.failure}", style="red")
        elif point.disproved:
            out.print(
                f"{point.recipe} at {point.target_ps:.0f} ps: the netlist is not equivalent to the Verilog; they "
                f"differ at {point.proof['detail']}",
                style="red",
            )
        elif point.proof["status"] in ("inconclusive", "timed out"):
            out.print(f"{point.recipe} at {point.target_ps:.0f} ps: no proof: {point.proof['detail']}", style="yellow")


def _proof(record: Mapping[str, Any]) -> str:
    """What came of a proof; with the limit of processor time where that was the reason."""
    return f"timed out ({record['seconds']:g} s)" if record["status"] == "timed out" else record["status"]


def power(found: Sequence[Point], out: Output) -> None:
    """Energy per operation and leakage of the points that have them, and what they rest on."""
    from fpgen.power.energy import stimulus_text

    some = [(point, point.power) for point in found if point.power is not None]
    if not some:
        return
    parts = ("internal", "switching", "registers", "clock", "glitch")
    rows = [
        (
            point.recipe,
            f"{point.target_ps:.0f}",
            _with_error(record),
            *(f"{record[f'{part}_pj']:.4g}" for part in parts),
            _watts(record["leakage_nw"]),
        )
        for point, record in some
    ]
    right = ["target ps", "energy pJ/op", "internal", "switching", "registers", "clock", "glitches", "leakage"]
    out.print(Sheet(["recipe", *right], rows, right=right))
    out.print(stimulus_text(some[0][1]))


def _with_error(record: Mapping[str, Any]) -> str:
    """An energy in pJ and its standard error, where that is known, to the error's second digit."""
    energy, error = record["energy_pj"], record.get("energy_error_pj")
    if not error:
        return f"{energy:.4g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{energy:.{digits}f} ± {error:.{digits}f}"


def _watts(nanowatts: float) -> str:
    return f"{nanowatts / 1e3:.4g} uW" if nanowatts >= 1e3 else f"{nanowatts:.4g} nW"


def fpga_points(found: Sequence[FpgaPoint], advice: str = "") -> None:
    """`fpgen ppa --target ecp5`: a line a seed, what was measured, advice, and the critical path of the fastest."""
    good = [point for point in found if point.failure is None]
    out = Output()
    right = ["seed", "LUTs", "carries", "DSPs", "registers", "Fmax MHz", "period ps", "logic ps", "routing ps", "depth"]
    if good:
        rows = [
            (
                point.target,
                point.seed,
                point.luts,
                point.carries,
                point.dsps,
                point.registers,
                f"{point.fmax_mhz:.1f}",
                f"{point.delay_ps:.0f}",
                f"{point.logic_ps:.0f}",
                f"{point.routing_ps:.0f}",
                point.logic_depth,
            )
            for point in good
        ]
        out.print(Sheet(["device", *right], rows, right=right))
        fastest = max(good, key=lambda point: point.fmax_mhz)
        out.print(
            "LUTs, carries, DSPs and registers of the unit alone; Fmax placed and routed between chains of "
            f"registers, pins not counted; {fastest.tools['nextpnr']}, {fastest.tools['yosys']}"
        )
        if advice:
            out.print(advice)
        steps = [
            (_brief(step["cell"]), step["kind"], f"{step['delay_ps']:.0f}", _brief(step["net"]))
            for step in fastest.critical_path
        ]
        if steps:
            out.print(
                Sheet(
                    ["to", "step", "delay ps", "net"],
                    steps,
                    right=["delay ps"],
                    title=f"Critical path: {fastest.startpoint} to {fastest.endpoint}",
                )
            )
    for point in found:
        if point.failure is not None:
            out.print(f"{point.target}, seed {point.seed} failed: {point.failure}", style="red")


def _brief(name: str, longest: int = 44) -> str:
    """A name without its middle: Yosys makes up names of 200 characters in FPGAs. `--json` has them whole."""
    return name if len(name) <= longest else f"{name[: longest - 23]}...{name[-20:]}"


def path(steps: Iterable[Mapping[str, Any]], start: str, end: str, out: Output) -> None:
    """A critical path, one step a line."""
    rows = [
        (
            step["instance"],
            step["cell"],
            f"{step['from_pin']} > {step['pin']}",
            step["edge"],
            f"{step['delay_ps']:.1f}",
            f"{step['arrival_ps']:.1f}",
            step["fanout"],
            f"{step['load_ff']:.1f}",
            step["net"],
        )
        for step in steps
    ]
    if rows:
        heads = ["instance", "cell", "arc", "edge", "delay ps", "arrival ps", "fanout", "load fF", "net"]
        out.print(Sheet(heads, rows, title=f"Critical path: {start} to {end}", right=heads[4:8]))
