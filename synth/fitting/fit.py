"""Fit cells of a Liberty file: print the figures that `from_fit.py` makes a table of, as JSON.

    python synth/fitting/fit.py FULL.lib fpgen45
    python synth/fitting/fit.py FULL.lib CELL ... [--slews ps,ps,...] [--loads fF,fF,...] [--relative]

The first form takes the cells and the grid of a built-in technology (`TABLES`). Of each cell: area, input
capacitances, and per arc delay and output slew as c0 + c1 * input slew + c2 * load, fitted by least squares over the
grid of slews and loads. Arcs of one pin and sense that depend on the state of the other pins are merged, the worst of
them at each point of the grid, as a tool that does not know the state sees them. Of a flip-flop: the arcs from its
clock, and the setup time at the second slew of data and clock. Of several outputs the first is taken. With `--relative`
the squares are of relative errors, so that small delays count as much as large ones: netlists are mostly made of gates
that drive little.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fpgen.base.errors import FpgenError, UsageError
from fpgen.library import liberty
from fpgen.library.cells import Arc, Cell
from fpgen.library.nldm import Floats, Table


@dataclass(frozen=True)
class Grid:
    """Where cells are fitted: input slews in ps, loads in fF; `relative`: errors in parts of a value, not in ps."""

    slews: tuple[float, ...]
    loads: tuple[float, ...]
    relative: bool = False


# What the built-in technologies are made of: the library in words, the end of its cells' names, the grid, the cells.
# Chosen by their part of the area in netlists mapped to the full library: complex gates that it uses for more than
# about half a per cent, and the drive strengths between which sizing moves.
TABLES: dict[str, tuple[str, str, Grid, str]] = {
    "fpgen45": (
        "NangateOpenCell45 typical, 1.10 V, 25 C",
        "",
        Grid((5, 15, 30, 60, 100), (0.5, 1, 2, 4, 8, 16), True),
        "AND2_X1 AND2_X2 AND3_X1 AOI21_X1 AOI21_X2 AOI21_X4 AOI22_X1 AOI22_X2 AOI211_X1 BUF_X1 BUF_X2 "
        "BUF_X4 BUF_X8 DFF_X1 DFF_X2 INV_X1 INV_X2 INV_X4 INV_X8 MUX2_X1 MUX2_X2 NAND2_X1 NAND2_X2 NAND2_X4 "
        "NAND3_X1 NAND3_X2 NAND4_X1 NOR2_X1 NOR2_X2 NOR2_X4 NOR3_X1 NOR3_X2 NOR4_X1 OAI21_X1 OAI21_X2 "
        "OAI21_X4 OAI22_X1 OAI22_X2 OAI211_X1 OR2_X1 OR2_X2 OR3_X1 XNOR2_X1 XNOR2_X2 XOR2_X1 XOR2_X2 "
        "NAND3_X4 NOR3_X4 NAND4_X2 NOR4_X2 OR2_X4 AND2_X4 BUF_X16 OAI211_X2 AOI211_X2 OR4_X1 OAI221_X1 "
        "AOI221_X1",
    ),
    "fpgen7": (
        "ASAP7 7.5-track RVT, TT, 0.70 V, 25 C (predictive)",
        "_ASAP7_75t_R",
        Grid((5, 10, 20, 40), (0.72, 1.44, 2.88, 5.76, 11.5), True),
        "AND2x2 AND3x1 MAJx2 NAND2x1 NAND2x2 NAND2xp5 NAND3x1 NAND3xp33 NAND4xp25 NOR2x1 NOR2x2 "
        "NOR2xp33 NOR3x1 NOR3xp33 NOR4xp25 OR2x2 OR3x1 XNOR2x1 XNOR2xp5 XOR2x1 XOR2xp5 BUFx2 BUFx4f "
        "BUFx8 INVx1 INVx2 INVx4 AOI211xp5 AOI21x1 AOI21xp33 AOI21xp5 AOI22x1 AOI22xp33 OAI211xp5 "
        "OAI21x1 OAI21xp33 OAI21xp5 OAI22x1 OAI22xp33 DFFHQNx1 DFFHQNx2 OA21x2 AO21x1 DFFHQx4 A2O1A1Ixp33 "
        "O2A1O1Ixp33 HB1xp67 NAND2x1p5 NOR2x1p5 XOR2x2 XNOR2x2 AOI31xp33 OAI31xp33 BUFx3 AOI22xp5 OAI22xp5 "
        "BUFx6f BUFx12f NAND4xp75 AOI31xp67",
    ),
}
MODEL = (
    "delay_ps = c0 + c1*input_slew_ps + c2*load_fF; the same for output slew; fitted by least squares over the "
    "stated grid, worst of the state-dependent arcs"
)


def on_grid(tables: Sequence[Table | None], grid: Grid) -> Floats:
    """The largest of the tables at each point, shape (slews, loads)."""
    return np.max(
        [
            [[table.at(slew, load) for load in grid.loads] for slew in grid.slews]
            for table in tables
            if table is not None
        ],
        axis=0,
    )


def plane(values: Floats, grid: Grid) -> tuple[list[float], float]:
    """The coefficients (c0, c1, c2) of the plane nearest to the values, and the rms of what is left, in ps."""
    x, y = np.meshgrid(grid.slews, grid.loads, indexing="ij")
    terms = np.stack([np.ones(x.size), x.ravel(), y.ravel()], axis=1)
    weights = 1 / np.maximum(values.ravel(), 1.0) if grid.relative else np.ones(x.size)
    found = np.linalg.lstsq(terms * weights[:, None], values.ravel() * weights, rcond=None)[0]
    return [round(float(value), 4) for value in found], float(np.sqrt(np.mean((terms @ found - values.ravel()) ** 2)))


def fit_edge(arcs: Sequence[Arc], edge: str, grid: Grid) -> dict[str, Any]:
    """Delay and output slew of one output edge."""
    delay, rms = plane(on_grid([getattr(arc, f"{edge}_delay") for arc in arcs], grid), grid)
    slew, _ = plane(on_grid([getattr(arc, f"{edge}_slew") for arc in arcs], grid), grid)
    return {"delay_ps": delay, "slew_ps": slew, "rms_ps": round(rms, 3)}


def fit_cell(cell: Cell, grid: Grid) -> dict[str, Any]:
    """One cell.

    Raises
    ------
    UsageError
        When it is a latch, or has no output or no function.
    """
    if cell.latch or not cell.outputs or not cell.pins[cell.outputs[0]].function:
        raise UsageError(f"the cell {cell.name}; gates and flip-flops with an output and its function are allowed")
    output = cell.outputs[0]
    groups: dict[tuple[str, str], list[Arc]] = {}
    for arc in (arc for arc in cell.arcs if arc.pin == output and arc.related in cell.inputs):
        groups.setdefault((arc.related, arc.sense), []).append(arc)
    found: dict[str, Any] = {
        "cell": cell.name,
        "area_um2": cell.area,
        "leakage_nW": cell.leakage,
        "function": cell.pins[output].function,
        "output": output,
        "input_cap_fF": {pin: round(max(cell.pins[pin].rise_cap, cell.pins[pin].fall_cap), 4) for pin in cell.inputs},
        "arcs": [
            {
                "pin": pin,
                "sense": sense,
                "type": arcs[0].kind,
                **{edge: fit_edge(arcs, edge, grid) for edge in ("rise", "fall")},
            }
            for (pin, sense), arcs in groups.items()
        ],
    }
    if cell.flipflop is not None:
        found["setup_ps"] = round(
            float(
                max(
                    table.at(grid.slews[1], grid.slews[1])
                    for setup in cell.setups
                    for table in (setup.rise, setup.fall)
                    if table is not None
                )
            ),
            3,
        )
    return found


def main() -> int:
    """Read the arguments, print the figures; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("library", type=Path)
    parser.add_argument("cells", nargs="+", metavar="CELL", help="or the name of a built-in technology")
    parser.add_argument("--slews", default="5,10,20,40", help="input slews of the grid, ps")
    parser.add_argument("--loads", default="0.72,1.44,2.88,5.76,11.5", help="loads of the grid, fF")
    parser.add_argument("--relative", action="store_true", help="least errors in parts of a value, not in ps")
    parser.add_argument("--source", help="the library in words; default: its name and corner")
    given = parser.parse_args()
    slews, loads = (tuple(float(word) for word in text.split(",")) for text in (given.slews, given.loads))
    source, ending, grid, names = given.source, "", Grid(slews, loads, given.relative), given.cells
    if given.cells[0] in TABLES:
        source, ending, grid, words = TABLES[given.cells[0]]
        names = words.split()
    try:
        full = liberty.load(given.library)
        cells = [fit_cell(full.cell(name + ending), grid) for name in names]
    except FpgenError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    print(
        json.dumps(
            {
                "source": source or f"{full.name}, {full.corner}",
                "model": MODEL,
                "grid": {"input_slew_ps": grid.slews, "load_fF": grid.loads},
                "supply_V": full.voltage,
                "cells": cells,
            },
            indent=1,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
