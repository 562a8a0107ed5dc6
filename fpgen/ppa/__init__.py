"""What a unit costs: the Yosys driver, cell libraries, static timing, recipes, FPGAs, measured points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpgen.synthesis.fpga_point import FpgaPoint
    from fpgen.synthesis.point import Point
    from fpgen.units.base import Unit

__all__ = ["measure_fpga", "measure_unit"]


def measure_unit(
    unit: Unit,
    *,
    technology: str | None = None,
    liberty: Path | str | None = None,
    driving_cell: str | None = None,
    recipe: str | None = None,
    effort: str | int | None = None,
    targets: Sequence[float] | None = None,
    wire_load: str | float | None = None,
    engine: str | None = None,
    prove: bool | None = None,
    power: str | None = None,
    timeout: float | None = None,
    progress: Callable[[Point], None] | None = None,
) -> list[Point]:
    """Synthesise and time a unit's Verilog; see `fpgen.synthesis.flow.measure`.

    Parameters
    ----------
    unit : Unit
    technology : str, optional
        A built-in one (default `fpgen45`), or a PDK below `PDK_ROOT`: see `fpgen.library.pdk`.
    liberty : path, optional
        A Liberty file (gzip accepted) in its place.
    driving_cell : str, optional
        With `liberty`: the cell that drives every input.
    recipe, effort, targets, wire_load, engine, progress
        As `fpgen.synthesis.flow.measure` takes them.
    prove : bool, optional
        Prove each netlist equivalent to the Verilog, or do not; default: where it takes seconds
        (`fpgen.formal.netlist_proof`).
    power : str, optional
        Energy per operation and leakage of each point under this stimulus: `uniform`, `gaussian`, with options as in
        `gaussian:sigma=2,seed=3`, or a .npy file (`fpgen.power.operand_kinds`, `fpgen.power.energy`).
    timeout : float, optional
        Seconds of processor time allowed to each run of Yosys, and to each proof where `prove` is true; default 300.

    Returns
    -------
    list of Point
        A `Points`, which a notebook shows as a table. Failed points are among them, each with its reason.

    Raises
    ------
    UsageError
        For an unknown or contradictory choice.
    MissingTool, RunFailure
        When there is no Yosys, or the library cannot be read.
    """
    from fpgen.base.errors import UsageError
    from fpgen.library import technology as technologies
    from fpgen.synthesis import flow, yosys
    from fpgen.synthesis.point import Points

    if liberty is not None and technology is not None:
        raise UsageError(f"technology: got {technology} and a Liberty file; expected one of them")
    if liberty is None and driving_cell is not None:
        raise UsageError(f"driving cell: got {driving_cell} without a Liberty file; expected one, or no driving cell")
    chosen = (
        technologies.from_liberty(liberty, driving_cell=driving_cell)
        if liberty is not None
        else technologies.load(technologies.DEFAULT if technology is None else technology)
    )
    stimulus = None
    if power is not None:
        from fpgen.power import operands

        stimulus = operands.load(power)
        stimulus.check(unit)
    text = unit.verilog()
    points = flow.measure(
        text,
        unit.name,
        technology=chosen,
        recipe=recipe,
        effort=effort,
        targets=targets,
        wire_load=wire_load,
        engine=engine,
        timeout=yosys.LIMIT_S if timeout is None else timeout,
        progress=progress,
    )
    from fpgen.formal.netlist_proof import with_proofs

    points = with_proofs(text, points, chosen, wanted=prove, chosen=recipe, engine=engine, timeout=timeout)
    if stimulus is not None:
        from fpgen.power.energy import with_energy

        points = [with_energy(unit, point, chosen, stimulus) for point in points]
    return Points(points)


def measure_fpga(
    unit: Unit,
    target: str = "ecp5",
    *,
    seeds: Sequence[int] = (1,),
    engine: str | None = None,
    timeout: float | None = None,
    progress: Callable[[FpgaPoint], None] | None = None,
) -> list[FpgaPoint]:
    """LUTs, DSP blocks and clock rate of a unit in an FPGA; see `fpgen.synthesis.fpga.measure`.

    Parameters
    ----------
    unit : Unit
    target : str
        A family (`ecp5`, `ice40`), or a device of it (`ecp5:85k`, `ice40:up5k`).
    timeout : float, optional
        Seconds of processor time allowed to each run of Yosys and of nextpnr; default 600.
    seeds, engine, progress
        As `fpgen.synthesis.fpga.measure` takes them.

    Returns
    -------
    list of FpgaPoint
        One for each seed; failed points are among them, each with its reason.

    Raises
    ------
    UsageError
        For an unknown target or engine, or a bad seed.
    MissingTool
        When Yosys or nextpnr (the extra `fpga`) is not installed.
    """
    from fpgen.synthesis import fpga

    return fpga.measure(
        unit.verilog(),
        unit.name,
        target,
        seeds=seeds,
        engine=engine,
        timeout=fpga.LIMIT_S if timeout is None else timeout,
        progress=progress,
    )
