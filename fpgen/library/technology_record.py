"""What can be said of a technology in a few words: for tables, and for JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpgen.base.errors import UsageError

from . import liberty, pdk, technology
from .cells import DEFAULT_LOAD_FF, Library

_SUFFIXES = (".lib", ".lib.gz", ".liberty")


@dataclass(frozen=True)
class Found:
    """A technology by the name of it, or the library of a Liberty file.

    Attributes
    ----------
    name : str
    library : Library
    liberty : Path
        Plain Liberty text.
    driving_cell : str or None
        At each input; None where the library has no buffer for it.
    output_load_ff : float
    """

    name: str
    library: Library
    liberty: Path
    driving_cell: str | None
    output_load_ff: float

    def record(self) -> dict[str, Any]:
        """The figures as plain values; areas in um2, loads in fF."""
        cells = self.library.cells.values()
        flipflops = sorted(cell.name for cell in cells if cell.flipflop is not None)
        others = sum(cell.flipflop is None and (cell.latch or cell.three_state or not cell.outputs) for cell in cells)
        try:
            nand2 = self.library.nand2_area
        except UsageError:
            nand2 = None
        return {
            "name": self.name,
            "library": self.library.name,
            "corner": self.library.corner,
            "cells": len(cells),
            "gates": len(cells) - len(flipflops) - others,
            "flipflops": len(flipflops),
            "others": others,
            "nand2_um2": nand2,
            "driving_cell": self.driving_cell,
            "output_load_ff": self.output_load_ff,
            "content_hash": self.library.content_hash,
        }


def find(name: str) -> Found:
    """The technology of this name, or the library in this Liberty file (gzip accepted).

    Raises
    ------
    UsageError
        When there is none, or the file is no Liberty.
    RunFailure
        When the file cannot be read.
    """
    if name not in technology.names() and (name.endswith(_SUFFIXES) or Path(name).is_file()):
        library = liberty.load(name)
        try:
            driver = technology.default_driver(library).name
        except UsageError:
            driver = None
        return Found(library.name, library, liberty.mapping_file(library), driver, DEFAULT_LOAD_FF)
    tech = technology.load(name)
    return Found(tech.name, tech.library, tech.liberty, tech.driving_cell, tech.output_load_ff)


def records() -> list[dict[str, Any]]:
    """All built-in technologies, and of the PDKs below `PDK_ROOT` the names."""
    installed = pdk.names() if pdk.root() is not None else []
    return [find(name).record() for name in technology.names()] + [{"name": name} for name in installed]
