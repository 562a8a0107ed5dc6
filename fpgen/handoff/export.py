"""A unit as a design of a layout flow: OpenROAD-flow-scripts or LibreLane, to be run there with one command.

The constraints are those of a bundle (`constraints.py`), after a few lines that set what depends on the flow: the units
of the platform's libraries, the period, the driving cell and the load.
"""

from __future__ import annotations

import difflib
import json
import math
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fpgen.base import ownership
from fpgen.base.errors import UsageError, short_text
from fpgen.base.fingerprint import file_digests
from fpgen.base.text_template import filled, lines_for, template_beside
from fpgen.units import Unit

from .bundle import check_target, replaced
from .constraints import constraints, period_of

#: About how many times slower a platform's cells are than the 45 nm class that delays are estimated for, with half of
#: it added for wires and the clock tree: it turns an estimate into a period to start from.
_GUESSED = {
    "nangate45": 1.5,
    "asap7": 0.6,
    "sky130hd": 5.0,
    "sky130A": 5.0,
    "gf180": 10.0,
    "gf180mcuD": 10.0,
    "ihp-sg13g2": 3.0,
}

#: Per cent of the core that cells take before routing.
_UTILIZATION = 40


@dataclass(frozen=True)
class OrfsPlatform:
    """What the constraints need to know of a platform of OpenROAD-flow-scripts, as its files say it.

    Attributes
    ----------
    time_unit, load_unit : float
        Units of its libraries in ps and fF.
    driving_cell : str
        `ABC_DRIVER_CELL`.
    output_load : float
        `ABC_LOAD_IN_FF`, in fF.
    """

    time_unit: float
    load_unit: float
    driving_cell: str
    output_load: float


ORFS_PLATFORMS: Mapping[str, OrfsPlatform] = {
    "nangate45": OrfsPlatform(1000.0, 1.0, "BUF_X1", 3.898),
    "sky130hd": OrfsPlatform(1000.0, 1000.0, "sky130_fd_sc_hd__buf_1", 5.0),
    "asap7": OrfsPlatform(1.0, 1.0, "BUFx2_ASAP7_75t_R", 3.898),
    # Its ABC_LOAD_IN_FF is 0.01343, which is a load in pF.
    "gf180": OrfsPlatform(1000.0, 1000.0, "gf180mcu_fd_sc_mcu9t5v0__buf_4", 13.43),
    "ihp-sg13g2": OrfsPlatform(1000.0, 1000.0, "sg13g2_buf_4", 6.0),
}

#: Flows and their platforms; the first is the default.
FLOWS: Mapping[str, tuple[str, ...]] = {
    "orfs": tuple(ORFS_PLATFORMS),
    "librelane": ("sky130A", "gf180mcuD", "ihp-sg13g2"),
}


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes
    ----------
    directory : Path
        Where the configuration is.
    command : str
        What makes the layout.
    period : float
        In ps.
    source : str
        Where the period is from, in a sentence.
    """

    directory: Path
    command: str
    period: float
    source: str


def export(
    unit: Unit,
    output: Path,
    flow: str,
    *,
    platform: str | None = None,
    period: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Export:
    """Write a unit as a design of a layout flow, or bring an earlier one up to date.

    Parameters
    ----------
    unit : Unit
    output : Path
        For `orfs`, ``designs/<platform>/<unit>/`` and ``designs/src/<unit>/`` are written below it, as in the flow's
        own directory; for `librelane`, ``<platform>/<unit>/``.
    flow : str
        `orfs` (OpenROAD-flow-scripts) or `librelane`.
    platform : str, optional
        A platform of `orfs`, or a PDK of `librelane`; default: the first of `FLOWS`.
    period : float, optional
        In ps; default: the unit's own, or an estimate.
    progress : callable, optional
        Called with a line for every file of the user's that had to make room.

    Returns
    -------
    Export

    Raises
    ------
    UsageError
        When the flow, the platform, the period or the place makes no sense.
    RunFailure
        When it cannot be written.
    """
    _check_name("flow", flow, FLOWS)
    if platform is None:
        platform = FLOWS[flow][0]
    _check_name(f"platform of {flow}", platform, FLOWS[flow])
    ps, source = _period(unit, period, platform)
    kind = "clock" if unit.clocked else "comb"
    features = {flow, kind} | ({"estimate"} if period is None and unit.period is None else set())
    values = {
        "unit": unit.name,
        "text": unit.text,
        "platform": platform,
        "period": f"{ps:.1f}",
        "period_ns": f"{ps / 1000:.4f}",
        "whole_period": math.ceil(ps),
        "source": source,
        "utilization": _UTILIZATION,
        "clock": "clock `clk`" if unit.clocked else "combinational, so its clock has no pin",
    }

    def text(template: str, **more: object) -> str:
        return filled(lines_for(features, template_beside(__file__, template)), **values, **more)

    if flow == "orfs":
        directory, sources = output / "designs" / platform / unit.name, output / "designs" / "src" / unit.name
        _check_for_make(directory)
        config = "config.mk"
        content, head = (
            text("export_orfs_config.mk.tmpl"),
            text("export_orfs_head.sdc.tmpl", **vars(ORFS_PLATFORMS[platform])),
        )
        flow_name, verilog = "OpenROAD-flow-scripts", f"../../src/{unit.name}/{unit.name}.v"
        command = f'make -C "$FLOW_HOME" DESIGN_CONFIG={shlex.quote(str(directory.absolute() / config))}'
    else:
        directory = output / platform / unit.name
        sources, config = directory / "src", "config.yaml"
        content, head = text("export_librelane_config.yaml.tmpl"), text("export_librelane_head.sdc.tmpl")
        flow_name, verilog = "LibreLane", f"src/{unit.name}.v"
        command = f"librelane --pdk {platform} {shlex.quote(str(directory / config))}"
    for place in (directory, sources):
        check_target(place)
    files = {
        config: content,
        "constraint.sdc": head + constraints(unit),
        "README.md": text("export_readme.md.tmpl", flow_name=flow_name, verilog=verilog),
    }
    _write(directory, files, progress)
    _write(sources, {f"{unit.name}.v": unit.verilog()}, progress)
    return Export(directory, command, ps, source)


def _check_name(what: str, given: str, known: Mapping[str, object] | tuple[str, ...]) -> None:
    if not isinstance(given, str) or given not in known:
        close = difflib.get_close_matches(str(given), list(known), n=1, cutoff=0.5)
        suggestion = f" (did you mean {close[0]}?)" if close else ""
        raise UsageError(f"{what}: got {short_text(given, quoted=False)}{suggestion}; expected {', '.join(known)}")


def _period(unit: Unit, given: float | None, platform: str) -> tuple[float, str]:
    """In ps, to a tenth, and where it is from."""
    if given is None:
        ps, source = period_of(unit)
        if unit.period is None:
            ps *= _GUESSED[platform]
            source = f"{source.rstrip('.')}; times {_GUESSED[platform]:g} for {platform} with its wires, a first guess."
        return round(ps, 1), source
    if isinstance(given, bool) or not isinstance(given, int | float) or not 1 <= given < math.inf:
        raise UsageError(f"period: got {short_text(given)}; expected a number of ps from 1 on")
    return round(
        float(given), 1
    ), f"{'Clock period' if unit.clocked else 'Largest delay'} in ps: {given:g}, as asked for."


def _check_for_make(directory: Path) -> None:
    """Reject what no makefile can name."""
    place = str(directory.absolute())
    if any(sign.isspace() or sign in "#$%:;" for sign in place):
        raise UsageError(
            f"output: got {place}; expected a path without blanks and # $ % : ;, which make would split or expand"
        )


def _write(target: Path, files: Mapping[str, str], progress: Callable[[str], None] | None) -> None:
    """Write files into a directory of their own, where what fpgen did not write stays."""
    report = progress or (lambda line: None)
    with replaced(target, lambda fresh: ownership.merge(fresh, target, report, record=ownership.FILES)) as aside:
        for name, content in files.items():
            (aside / name).write_text(content, encoding="utf-8", newline="\n")
        (aside / ownership.FILES).write_text(json.dumps({"files": file_digests(aside)}, indent=2) + "\n")
