"""What there is to say about a block format, as plain rows and records."""

from __future__ import annotations

from typing import Any

from fpgen.formats.blocks import BLOCKS, BlockFormat, as_block
from fpgen.formats.catalogue import Entry
from fpgen.formats.values import fraction_text, json_number


def block_records() -> list[dict[str, Any]]:
    """One record for every named block format, in catalogue order."""
    return [block_record(entry.format) for entry in BLOCKS.values()]


def block_record(given: BlockFormat | str) -> dict[str, Any]:
    """A block format in one row: parts, storage, range, and who defines it."""
    block = as_block(given)
    entry = _entry(block)
    return {
        "name": block.name,
        "spelling": block.spelling,
        "element": block.element.name,
        "scale": block.scale.name,
        "size": block.size,
        "tensor_scale": block.tensor_scale.name if block.tensor_scale else None,
        "bits_per_element": block.bits_per_element,
        "largest_element": json_number(block.element.max_finite),
        "standard": entry.standard if entry else "",
        "source": entry.source if entry else "",
        "note": entry.note if entry else "",
        "aliases": list(entry.aliases) if entry else [],
    }


def block_rows(given: BlockFormat | str) -> list[tuple[str, str]]:
    """Label and text, in reading order."""
    from .quantize import policies_of

    block = as_block(given)
    entry = _entry(block)
    rows = [("name", block.name)]
    if entry:
        rows += [("standard", f"{entry.standard}; {entry.source}")]
        rows += [("note", entry.note)] if entry.note else []
        rows += [("also called", ", ".join(entry.aliases))] if entry.aliases else []
    tensor = f" * tensor scale ({block.tensor_scale})" if block.tensor_scale else ""
    scale = block.scale
    rows += [
        ("spelled out", block.spelling),
        ("block", f"{block.size} elements of {block.element}, one scale of {scale}"),
        ("value", f"element * scale{tensor}"),
        ("storage", f"{block.bits_per_element:g} bits an element, the scale included"),
        (
            "scales",
            f"{fraction_text(scale.min_positive)} to {fraction_text(scale.max_finite)}"
            f"{', powers of two' if block.power_of_two_scale else ''}"
            f"{f', NaN is 0x{scale.nan_code:x}' if scale.has_nan else ''}",
        ),
        ("largest element", fraction_text(block.element.max_finite)),
        ("scale policies", ", ".join(str(policy) for policy in policies_of(block))),
        ("element codes", f"fpgen formats {block.element}" if block.element.name != block.name else "below"),
    ]
    return rows


def _entry(block: BlockFormat) -> Entry[BlockFormat] | None:
    return next((entry for entry in BLOCKS.values() if entry.format == block), None)
