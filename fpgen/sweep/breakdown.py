"""Where the area goes: the cells of a unit, divided by the section of the datapath that they were written in.

A flat netlist cannot be divided: ABC rebuilds logic across sections, and what comes out has no one origin. So
the unit is synthesised a second time, with a module for every section (`// ---- Multiply and add` of the Verilog,
known from the source line of each generic cell) and the same ABC script and target. Nothing is shared or simplified
across sections then, and every section is sized for its own path, so their sum is larger than the flat netlist
(17 % on average over the units of `fma-formats`). Read the figures as shares.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from fpgen.base.errors import RunFailure
from fpgen.library.technology import Technology
from fpgen.synthesis import recipe, yosys

_REGISTERS = "Registers"
_GLUE = "Between sections"
#: A heading of the Verilog to what it is called in figures: one name for all units.
_NAMES = ((r"Unpack .*", "Unpack"), (r"Round to .*", "Round and pack"), (r"Registers after .*", _REGISTERS))


def by_section(
    verilog: str,
    top: str,
    point_recipe: str,
    target_ps: float,
    tech: Technology,
    engine: yosys.Engine,
    *,
    recipe_file: str | None = None,
    timeout: float = yosys.LIMIT_S,
) -> dict[str, float]:
    """Area of each section in um2, in the order of the datapath; registers last.

    Parameters
    ----------
    verilog, top : str
        What `Unit.verilog` wrote, and its module.
    point_recipe : str
        Of the point to explain: ``<recipe>/<variant>/<script>``.
    target_ps : float
        Its delay target.
    tech : Technology
    engine : yosys.Engine
    recipe_file : str, optional
        Where the recipe is not a built-in one.
    timeout : float
        Seconds of processor time allowed to each run of Yosys.

    Raises
    ------
    RunFailure
        When Yosys fails.
    """
    sections = _sections(verilog)
    order = list(dict.fromkeys([*sections.values(), _GLUE, _REGISTERS]))
    read = yosys.run_script(
        engine,
        [
            "read_verilog -sv design.v",
            f"hierarchy -top {top}",
            "proc",
            "opt_expr",
            "opt_clean",
            "write_rtlil design.il",
        ],
        {"design.v": verilog},
        ["design.il"],
        timeout=timeout,
    )
    marked = _marked(read.files["design.il"], sections, order)
    name, variant, script_name = point_recipe.split("/")
    chosen = recipe.load(recipe_file or name)
    script = next((item.script for item in chosen.maps if item.name == script_name), None)
    options = next((text for item, text in chosen.synth if item == variant), "").replace("-flatten", "")
    driver = chosen.driving_cell if chosen.driving_cell in tech.library.cells else tech.driving_cell
    load = tech.output_load_ff if chosen.output_load_ff is None else chosen.output_load_ff
    avoid = "".join(f" -dont_use {cell}" for cell in tech.dont_use)
    files: dict[str, str | Path] = {
        "design.il": marked,
        "cells.lib": tech.liberty,
        "abc.constr": f"set_driving_cell {driver}\nset_load {load:g} [all_outputs]\n",
    }
    command = f"abc -liberty cells.lib -constr abc.constr -D {target_ps:g}{avoid}"
    if script is not None:
        files["abc.script"] = "\n".join(script).replace("{D}", f"-D {target_ps:g}") + "\n"
        command += " -script abc.script"
    done = yosys.run_script(
        engine,
        [
            "read_rtlil design.il",
            "submod",
            f"synth {options} -top {top}",
            f"dfflibmap -liberty cells.lib{avoid}",
            "opt -purge",
            command,
            "opt_clean -purge",
            "tee -o stat.json stat -json -liberty cells.lib",
        ],
        files,
        ["stat.json"],
        timeout=timeout,
    )
    return _areas(json.loads(done.files["stat.json"])["modules"], top, order)


def _sections(verilog: str) -> dict[int, str]:
    """Line number to section."""
    found, current = {}, _GLUE
    for number, line in enumerate(verilog.splitlines(), 1):
        heading = re.match(r"\s*// ---- (.*?)\s*$", line)
        if heading:
            current = next((short for pattern, short in _NAMES if re.fullmatch(pattern, heading[1])), heading[1])
        found[number] = current
    return found


def _marked(rtlil: str, sections: dict[int, str], order: list[str]) -> str:
    """The RTLIL with an attribute that shows `submod` where each cell goes; flip-flops stay in the top module."""
    lines: list[str] = []
    source = 0
    for line in rtlil.splitlines():
        place = re.match(r'\s*attribute \\src "design\.v:(\d+)', line)
        if place:
            source = int(place[1])
        cell = re.match(r"\s*cell (\S+) ", line)
        if cell and not re.search(r"dff|mem", cell[1]):
            lines.append(f'  attribute \\submod "section{order.index(sections.get(source, _GLUE))}"')
        lines.append(line)
        if not line.lstrip().startswith("attribute"):
            source = 0
    return "\n".join(lines) + "\n"


def _areas(modules: dict[str, dict[str, Any]], top: str, order: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for module, figures in modules.items():
        match = re.fullmatch(r".*_section(\d+)", module)
        if match and "area" in figures:
            found[order[int(match[1])]] = float(figures["area"])
    whole = next((figures for module, figures in modules.items() if module.lstrip("\\") == top), None)
    if whole is None or "area" not in whole:
        raise RunFailure(f"{top}: got no area of its sections from Yosys")
    found[_REGISTERS] = float(whole["area"]) - sum(found.values())  # the top module's figure includes the others
    return {name: round(found[name], 4) for name in order if found.get(name, 0.0) > 0.0005}
