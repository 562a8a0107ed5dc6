"""The sections on what was measured: how a unit was verified, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fpgen.synthesis.point import assumptions_text

from .sheet_model import Paragraph, Part, Section, table


def verification(evidence: Mapping[str, Any] | None) -> Section:
    """What `evidence.json` says."""
    title = "Verification"
    if evidence is None:
        return Section(title, (Paragraph("Not verified in this directory. Run `fpgen verify`."),))
    method, _, over = evidence["method"].partition(" over ")
    how = "every code of every input" if method == "exhaustive" else f"{method}, seed {evidence.get('seed', '-')}"
    if over:
        how = f"every code of {over}"
    outcome = "all agree with the golden model" if evidence["passed"] else f"FAILED: {evidence.get('reason', '')}"
    text = f"{evidence['vectors']:,} vectors ({how}): {outcome}."
    tests = evidence.get("protocol", ())
    if tests:
        failed = sum(bool(test["failure"]) for test in tests)
        text += (
            f" {len(tests)} cocotb tests of reset, latency and handshake: "
            f"{f'{failed} FAILED' if failed else 'all pass'}."
        )
    parts: list[Part] = [Paragraph(text)]
    families = evidence.get("families", {})
    if len(families) > 1:
        parts.append(table(["stimulus", "vectors"], [(name, f"{count:,}") for name, count in families.items()]))
    parts.append(Paragraph(f"Simulator: {evidence.get('simulator', '-')}. Details in `evidence.json`."))
    return Section(title, tuple(parts))


def cost(points: Iterable[Mapping[str, Any]]) -> Section:
    """What `ppa.json` says."""
    title = "Cost"
    good = [point for point in points if not point.get("failure")]
    if not good:
        return Section(title, (Paragraph("Not measured in this directory. Run `fpgen ppa`, or `fpgen run`."),))
    rows: list[tuple[object, ...]] = [
        (
            point["recipe"],
            f"{point['area_um2']:.0f}",
            f"{point['nand2_eq']:.0f}",
            f"{point['delay_ps']:.0f}",
            point["cells"],
            point["registers"],
            point["logic_depth"],
        )
        for point in good
    ]
    heads = ["recipe", "area um2", "NAND2 eq.", "delay ps", "cells", "registers", "depth"]
    assumptions = (
        f"{good[0]['technology']}: {assumptions_text(good[0].get('assumptions', {}))}. "
        "Estimates of an open flow, for comparing units with each other."
    )
    return Section(title, (table(heads, rows), Paragraph(assumptions)))
