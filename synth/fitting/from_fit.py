"""Print a cell table of fpgen (`synth/tech/NAME.toml`) from a file of fitted figures.

    python synth/fitting/from_fit.py NAME FIT.json ... --label TEXT --drive CELL --load fF --max-slew ps \
        --slews ps,ps,... --library FULL.lib

A FIT.json (of `synth/fitting/fit.py`) holds, per cell, area, input capacitances, and per arc delay and output slew as
linear functions of input slew and load. Leakage and energies are read from the full library, at the second slew and
third load of the fit's grid. Cells and pins get names of our own, figures three or four digits.
"""

import argparse
import itertools
import json
import re
from pathlib import Path

from fpgen.library import liberty
from fpgen.library.cells import Cell
from fpgen.library.function import compile_function, truth_table

HEADER = """\
# A compact cell table of fpgen's own, {label}. It is not the PDK: {count} cells, each described by a few
# linear figures fitted to {source}.
# `docs/technology.md` says how far results are from that library.
# Written by `synth/fitting/from_fit.py`.
#
# Of each arc, `rise` and `fall` give the output edge's delay and slew in ps:
#   [d0, d_slew, d_load, s0, s_slew, s_load]   delay = d0 + d_slew * input slew (ps) + d_load * load (fF)
# `sense` is +1 where input and output move alike, -1 where they do not, 0 for a clock's edge.
# `energy_fj`: inside the cell, per output edge (a flip-flop's two outputs together). `clock_energy_fj`, of a
# flip-flop: at a rising clock edge that keeps the state; at a falling one with data as kept, and with other data.
# `data_energy_fj`: per edge of its data.
name = "{name}"
class = "{label}"
supply_v = {supply}
temperature_c = 25.0
driving_cell = "{drive}"
output_load_ff = {load}
# A cell's largest load is the one that brings its output slew here.
max_slew_ps = {max_slew}
# Where the tables of the Liberty text are evaluated: input slews, and loads as parts of a cell's largest load. ABC
# takes its idea of a typical slew and load from these axes, so they span what a characterised library's do.
slews_ps = {slews}
load_parts = [0.006, 0.03125, 0.0625, 0.125, 0.25, 0.5, 1.0]
"""


def cell_name(name: str) -> str:
    """`NAND2xp5_...` and `NAND2_X1` to `nand2_xp5` and `nand2_x1`."""
    found = re.match(r"(\w+?)_?[xX](\d*p?\d+)f?(?:_ASAP\w+)?$", name)
    if found is None:
        raise SystemExit(f"cannot name the cell {name}")
    kind = {"DFFHQN": "dffn"}.get(found[1], found[1].lower())
    return f"{kind}_x{found[2]}"


def clock_energy(cell: Cell) -> str:
    """Energies in fJ at a flip-flop's clock pin, at the sharpest clock of its tables: see the header."""
    sums: dict[tuple[str, bool], list[float]] = {("rise", False): [], ("fall", False): [], ("fall", True): []}
    for data, kept in itertools.product((0, 1), repeat=2):
        new = truth_table(cell.flipflop.next_state, ["D"]) >> data & 1 != kept
        for edge in ("rise", "fall"):
            if (edge, new) in sums:
                sums[edge, new].append(at_input(cell, cell.flipflop.clocked_on, edge, kept, {"D": data}, 0.0))
    return "[" + ", ".join(f"{sum(found) / len(found):.4g}" for found in sums.values()) + "]"


def data_energy(cell: Cell, slew: float) -> float:
    """Energy in fJ of an edge at a flip-flop's data pin, mean of all states."""
    found = [
        at_input(cell, "D", edge, kept, {cell.flipflop.clocked_on: clock}, slew)
        for edge in ("rise", "fall")
        for kept in (0, 1)
        for clock in (0, 1)
    ]
    return sum(found) / len(found)


def at_input(cell: Cell, pin: str, edge: str, kept: int, others: dict[str, int], slew: float) -> float:
    """Energy in fJ of an edge at an input of a flip-flop in the state `kept`; at least the sharpest slew there is."""
    pins = {"1": 1, **others} | {
        name: kept if cell.pins[name].function == cell.flipflop.state else 1 - kept for name in cell.outputs
    }
    tables = [
        getattr(item, edge)
        for item in cell.power
        if item.pin == pin and (not item.when or compile_function(item.when)[0](pins) & 1)
    ]
    return sum(table.at(max(slew, table.x[0]), 0.0) for table in tables if table is not None)


def output_energy(cell: Cell, slew: float, load: float) -> float:
    """Energy in fJ of an output edge: mean of the tables of an output, sum of all supplies and outputs."""
    sums: dict[tuple[str, str], list[float]] = {}
    for item in cell.power:
        if item.pin in cell.outputs:
            sums.setdefault((item.pin, item.supply), []).extend(
                table.at(slew, load) if table is not None else 0.0 for table in (item.rise, item.fall)
            )
    return sum(sum(found) / len(found) for found in sums.values())


def figures(edge: dict) -> str:
    """One edge's six coefficients as a TOML array."""
    return "[" + ", ".join(f"{value:.4g}" for value in (*edge["delay_ps"], *edge["slew_ps"])) + "]"


def main() -> None:
    """Read the arguments, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("fit", type=Path, nargs="+", help="the first one's grid and source go into the table")
    parser.add_argument("--label", required=True)
    parser.add_argument("--drive", required=True)
    parser.add_argument("--load", type=float, required=True)
    parser.add_argument("--max-slew", type=float, required=True)
    parser.add_argument("--slews", required=True, help="axis of input slews, ps")
    parser.add_argument("--library", type=Path, required=True, help="the full library, for energies and leakage")
    given = parser.parse_args()
    full = liberty.load(given.library, power=True)
    data, *more = (json.loads(path.read_text()) for path in given.fit)
    data["cells"] += [cell for other in more for cell in other["cells"]]
    typical = data["grid"]["input_slew_ps"][1], data["grid"]["load_fF"][2]
    print(
        HEADER.format(
            label=given.label,
            count=len(data["cells"]),
            source=data["source"],
            name=given.name,
            supply=data["supply_V"],
            drive=given.drive,
            load=given.load,
            max_slew=given.max_slew,
            slews=[float(slew) for slew in given.slews.split(",")],
        )
    )
    for cell in data["cells"]:
        clocked = cell.get("setup_ps") is not None
        letters = iter("abcdefgh")
        special = {"S": "s", "CK": "ck", "CLK": "ck"} | ({"D": "d"} if clocked else {})
        pins = {pin: special.get(pin) or next(letters) for pin in sorted(cell["input_cap_fF"])}
        function = re.sub(r"[A-Za-z_]\w*", lambda word, pins=pins: pins.get(word[0], word[0]), cell["function"])
        print("[[cell]]")
        print(f'name = "{cell_name(cell["cell"])}"')
        print(f"area_um2 = {cell['area_um2']:g}")
        whole = full.cell(cell["cell"])
        print(f"leakage_nw = {whole.leakage:.4g}")
        print(f"energy_fj = {output_energy(whole, *typical):.4g}")
        if clocked:
            print(f'flipflop = "{"inverted" if cell["function"] == "IQN" else "plain"}"')
            print(f"setup_ps = {cell['setup_ps']:.4g}")
            print(f"clock_energy_fj = {clock_energy(whole)}")
            print(f"data_energy_fj = {data_energy(whole, typical[0]):.4g}")
        else:
            print(f'function = "{function}"')
        print(
            "input_cap_ff = { "
            + ", ".join(f"{pins[pin]} = {cap:.4g}" for pin, cap in sorted(cell["input_cap_fF"].items()))
            + " }"
        )
        print("arcs = [")
        for arc in cell["arcs"]:
            sense = {"positive_unate": 1, "negative_unate": -1}.get(arc["sense"], 0)
            print(
                f'    {{ pin = "{pins[arc["pin"]]}", sense = {sense}, rise = {figures(arc["rise"])}, '
                f"fall = {figures(arc['fall'])} }},"
            )
        print("]\n")


if __name__ == "__main__":
    main()
