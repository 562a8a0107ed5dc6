"""Formats, technologies, verdicts and outcomes on a terminal; every function prints one thing and computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from fpgen.formats.values import fraction_text

from .output import Output
from .sheet import Sheet

if TYPE_CHECKING:
    from fpgen.formats.describe import Description
    from fpgen.handoff.build import Outcome
    from fpgen.verify import Verdict
    from fpgen.verify.regression import Regression

    from .doctor import Finding


def exact_text(number: float | str) -> str:
    """A number of a format's record as `fpgen formats` writes it."""
    return number if isinstance(number, str) else fraction_text(Fraction(number))


def catalogue(records: Sequence[Mapping[str, Any]]) -> None:
    """`fpgen formats`: one line a format."""
    rows = [
        (
            item["name"],
            item["bits"],
            item["layout"],
            "" if item["bias"] is None else item["bias"],
            exact_text(item["max"]),
            exact_text(item["min_positive"]),
            item["inf"],
            item["nan"],
            item["standard"],
        )
        for item in records
    ]
    heads = ["format", "bits", "layout", "bias", "largest", "smallest", "inf", "nan", "standard"]
    out = Output()
    out.print(Sheet(heads, rows, right=["bits", "bias", "largest", "smallest"], keep=["format", "layout"]))
    out.print(
        "Any other: e5m7, ue3m4, e3m2:bias=2,inf=none,nan=none, int12:scale=-4. More on one: fpgen formats NAME",
        style="dim",
    )


def blocks(records: Sequence[Mapping[str, Any]]) -> None:
    """`fpgen formats`: one line a block format."""
    rows = [
        (
            item["name"],
            item["element"],
            item["scale"],
            item["size"],
            f"{item['bits_per_element']:g}",
            exact_text(item["largest_element"]),
            item["tensor_scale"] or "",
            item["standard"],
        )
        for item in records
    ]
    heads = ["block format", "element", "scale", "size", "bits/element", "largest element", "tensor scale", "standard"]
    out = Output()
    out.print()
    out.print(Sheet(heads, rows, right=["size", "bits/element", "largest element"], keep=["block format"]))
    out.print("Any other: ELEMENT@SCALE/SIZE, such as int8@e8m0/16.", style="dim")


def block_description(rows: Sequence[tuple[str, str]]) -> None:
    """`fpgen formats NAME` of a block format: label and text."""
    out = Output()
    lines = Table(box=None, show_header=False, pad_edge=False)
    for label, text in rows:
        lines.add_row(Text(label, style="bold"), Text(text))
    out.print(lines)


def accumulators(records: Sequence[Mapping[str, Any]], spelled: bool) -> None:
    """`fpgen accumulators`: one line a case; with the spelling of the parameters where `spelled`."""
    rows = []
    for item in records:
        operands = " ".join(item["operands"]) + (f" @ {' '.join(item['scales'])}" if item["scales"] else "")
        kept = "" if item["fraction"] is None else item["fraction"]
        rows.append(
            (
                item["name"],
                operands,
                " ".join(item["outputs"]),
                item["group"] or "",
                kept,
                "" if item["clamp"] is None else item["clamp"],
                item["rounding"],
                item["remarks"],
            )
        )
    heads = ["accumulator", "products of", "into", "group", "F", "clamp", "final", "how"]
    out = Output()
    out.print(Sheet(heads, rows, right=["group", "F", "clamp"], keep=["accumulator", "products of", "into"]))
    if spelled:
        for number, item in enumerate(records):
            if not number or item["name"] != records[number - 1]["name"]:
                out.print(
                    f"{item['name']}: {item['machine']}"
                    + (f"; also for {', '.join(item['aliases'])}" if item["aliases"] else "")
                )
            out.print(
                f"  {' '.join(item['operands'])} -> {' '.join(item['outputs'])}: accumulate={item['spelling']} "
                f"{item['rounding']} overflow={item['overflow']} subnormals={item['subnormals']}"
            )
    else:
        from fpgen.units.machines import PRODUCTS

        products = [f"{', '.join(names)}: {', '.join(presets)}" for names, presets in PRODUCTS.items()]
        out.print(f"By product (the first one that has the formats): {'; '.join(products)}")
        out.print(
            "Also: exact, aligned:fraction=F,..., tree, chain; like:NAME for formats that a machine lacks. "
            "More on one: fpgen accumulators NAME",
            style="dim",
        )


def technologies(records: Sequence[Mapping[str, Any]]) -> None:
    """`fpgen tech`: one line a technology; of installed PDKs the name."""
    described = [item for item in records if "cells" in item]
    rows = [
        (
            item["name"],
            item["gates"],
            item["flipflops"],
            f"{item['nand2_um2']:.3f}",
            item["driving_cell"],
            f"{item['output_load_ff']:g}",
            item["corner"],
        )
        for item in described
    ]
    right = ["gates", "flip-flops", "NAND2 um2", "output load fF"]
    out = Output()
    out.print(Sheet(["technology", *right[:3], "driving cell", right[3], "corner"], rows, right=right))
    others = [item["name"] for item in records if item not in described]
    if others:
        out.print(f"PDKs below PDK_ROOT: {', '.join(others)}")
    out.print("One of them, or a Liberty file: fpgen tech NAME; its files: --liberty FILE --verilog FILE", style="dim")


def technology(record: Mapping[str, Any]) -> None:
    """`fpgen tech NAME`: label and text."""
    area = "none" if record["nand2_um2"] is None else f"{record['nand2_um2']:g} um2"
    rows = [
        ("technology", record["name"]),
        ("library", record["library"]),
        ("corner", record["corner"]),
        (
            "cells",
            f"{record['cells']}: {record['gates']} gates, {record['flipflops']} flip-flops, {record['others']} others",
        ),
        ("smallest NAND2", area),
        ("driving cell", record["driving_cell"] or "none"),
        ("output load", f"{record['output_load_ff']:g} fF"),
        ("content hash", record["content_hash"]),
    ]
    lines = Table(box=None, show_header=False, pad_edge=False)
    for label, text in rows:
        lines.add_row(Text(label, style="bold"), Text(text))
    Output().print(lines)


def format_description(described: Description) -> None:
    """`fpgen formats NAME`: label and text, then the value of every code in columns that read downwards."""
    out = Output()
    lines = Table(box=None, show_header=False, pad_edge=False)
    for label, text in described.rows:
        lines.add_row(Text(label, style="bold"), Text(text))
    out.print(lines)
    if not described.codes:
        return
    digits = -(-described.format.bits // 4)
    cells = [f"{code:0{digits}x}  {bits}  {value}" for code, bits, value in described.codes]
    width = max(map(len, cells)) + 3
    columns = max(1, min(4, out.width // width))
    height = -(-len(cells) // columns)
    out.print()
    for row in range(height):
        out.print(Text("".join(f"{cell:{width}}" for cell in cells[row::height]).rstrip()))


def findings(found: Sequence[Finding]) -> None:
    """`fpgen doctor`."""
    colour = {"ok": "green", "missing": "bold red", "optional": "yellow"}
    rows = [
        (Text(item.state, style=colour[item.state]), item.tool, item.found or "-", item.purpose, item.remedy)
        for item in found
    ]
    out = Output()
    out.print(Sheet(["", "tool", "found", "needed for", "how to get it"], rows, keep=["", "tool"]))
    missing = [item.tool for item in found if item.state == "missing"]
    out.print(
        Text(f"missing: {', '.join(missing)}", style="bold red")
        if missing
        else Text("everything needed is installed", style="green")
    )


def verdict(found: Verdict) -> None:
    """`fpgen verify`."""
    Output().print(found.text(), style="" if found.passed else "red")


def regression(found: Regression) -> None:
    """`fpgen sim`: a line a group, then what failed."""
    from fpgen.verify.regression import group_table

    out = Output()
    out.print(Sheet(["group", "units", "vectors", "checked", "result"], group_table(found), right=["units", "vectors"]))
    for row in found.failures:
        out.print(f"FAILED {row.unit}: {row.reason}", style="red")
    out.print(
        f"{len(found.rows):,} units, {found.vectors:,} vectors, {len(found.failures)} failed, {found.seconds:.0f} s"
    )


def outcomes(found: Sequence[Outcome]) -> None:
    """`fpgen run`: one table, three lines a unit (what it is, its contract, where its files are); then what failed."""
    rows = []
    for outcome in found:
        described = Text(outcome.text, style="bold")
        described.append(f"\n  {outcome.contract}\n  {outcome.directory or 'nothing written'}", style="not bold")
        figures: tuple[Any, ...] = ("-", Text("failed", style="bold red"), "-", "-", "-")
        if outcome.passed:
            how = f"{outcome.method}, seed {outcome.seed}" if outcome.method == "sampled" else outcome.method
            figures = (
                f"{outcome.vectors:,}",
                how,
                f"{outcome.area_um2:.0f}",
                f"{outcome.nand2_eq:.0f}",
                f"{outcome.delay_ps:.0f}",
            )
        rows.append((described, outcome.latency, *figures))
    out = Output()
    right = ["latency", "vectors", "area um2", "NAND2 eq.", "delay ps"]
    out.print(Sheet(["unit, contract, files", "latency", "vectors", "checked", *right[2:]], rows, right=right))
    first = next((outcome for outcome in found if outcome.passed), None)
    if first is not None:
        out.print(f"Area and critical delay: {first.technology}, before placement; assumptions in each ppa.json.")
    for outcome in found:
        for note in outcome.notes:
            out.print(note, style="yellow")
        if not outcome.passed:
            out.print(f"FAILED {outcome.text}: {outcome.reason}", style="red")
