"""What is derived from a unit: the only file of the lower floors that reaches up.

`unit.compute(...)`, `unit.verilog()` and the other methods here are how users get from the parameter object to
everything else. They import what they need when they are called, so that a unit costs nothing but itself; the
import contract in `pyproject.toml` names this file as its one exception.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from amaranth.lib.wiring import Component

    from fpgen.golden import Result
    from fpgen.golden.port_outputs import Golden
    from fpgen.handoff.export import Export
    from fpgen.synthesis.fpga_point import FpgaPoint
    from fpgen.synthesis.point import Point
    from fpgen.verify import Verdict

    from .base import Unit


def stages_of_period(unit: Unit) -> int:
    """Stages that the scheduler takes for ``unit.period``.

    Raises
    ------
    UsageError
        When no number of stages meets the period.
    """
    from fpgen.rtl import pipeline_for

    return pipeline_for(unit).stages


class Derived:
    """The methods of every unit that lead to its model, its hardware, its evidence and its cost."""

    def _unit(self) -> Unit:
        return cast("Unit", self)

    def compute(self, *operands: Any, **by_name: Any) -> Result:
        """The golden result of arrays of operand codes.

        Parameters
        ----------
        *operands : array_like of int
            Codes, one array per operand, broadcast against each other; also arrays of the very type that the operand
            has in ml_dtypes or numpy, and DLPack tensors on the CPU.
        **by_name : array_like of int
            One per control port: `rounding` (the codes of `PORT_CODES`), `random`, and the operation's own. Operands
            may be given by the name of their port, too.

        Returns
        -------
        Result
            `.codes` (uint8, uint16, uint32 or uint64, the narrowest that holds the `result` port's codes), further
            results by port name in `.outputs`, and `.flags` (uint8, bits of `Flags`), of the broadcast shape.

        Raises
        ------
        UsageError
            As `fpgen.golden.compute`.
        """
        from fpgen import golden

        return golden.compute(self._unit(), *operands, **by_name)

    def _repr_html_(self) -> str:
        """The unit as a table, for notebooks."""
        from .unit_html import unit_html

        return unit_html(self._unit())

    def create(self) -> Component:
        """The unit as an `amaranth.lib.wiring.Component`."""
        from fpgen.rtl import component

        return component(self._unit())

    def verilog(self) -> str:
        """The unit as Verilog-2001 text, top module `name`; the same bytes every time."""
        from fpgen.verilog import write

        return write(self._unit())

    def wrapper_verilog(self) -> str:
        """The module `<name>_axis` around the unit, of ``handshake=axis``; empty with another handshake."""
        from fpgen.units.axis import axis_pins
        from fpgen.verilog.axis_wrapper import axis_wrapper

        unit = self._unit()
        return axis_wrapper(unit) if axis_pins(unit) else ""

    def verify(
        self,
        *,
        simulator: str = "verilator",
        vectors: int | None = None,
        seed: int = 1,
        exhaustive: bool | None = None,
        fixed: Mapping[str, Sequence[int] | str] | None = None,
        waves: bool = False,
        keep: str | Path | None = None,
        golden: Golden | None = None,
        verilog: str | None = None,
        replay: str | int | None = None,
        force: bool = False,
        progress: Callable[[str, float], None] | None = None,
    ) -> Verdict:
        """Simulate the Verilog in cocotb against the golden model; parameters and errors: `fpgen.verify.verify`."""
        from fpgen.verify import verify

        return verify(
            self._unit(),
            simulator=simulator,
            vectors=vectors,
            seed=seed,
            exhaustive=exhaustive,
            fixed=fixed,
            waves=waves,
            keep=keep,
            golden=golden,
            verilog=verilog,
            replay=replay,
            force=force,
            progress=progress,
        )

    def ppa(
        self,
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
        """Synthesise and time the Verilog; parameters and errors: `fpgen.ppa.measure_unit`."""
        from fpgen.ppa import measure_unit

        return measure_unit(
            self._unit(),
            technology=technology,
            liberty=liberty,
            driving_cell=driving_cell,
            recipe=recipe,
            effort=effort,
            targets=targets,
            wire_load=wire_load,
            engine=engine,
            prove=prove,
            power=power,
            timeout=timeout,
            progress=progress,
        )

    def fpga(
        self,
        target: str = "ecp5",
        *,
        seeds: Sequence[int] = (1,),
        engine: str | None = None,
        timeout: float | None = None,
        progress: Callable[[FpgaPoint], None] | None = None,
    ) -> list[FpgaPoint]:
        """LUTs, DSP blocks and clock rate in an FPGA; parameters and errors: `fpgen.ppa.measure_fpga`."""
        from fpgen.ppa import measure_fpga

        return measure_fpga(self._unit(), target, seeds=seeds, engine=engine, timeout=timeout, progress=progress)

    def bundle(
        self,
        output: Path | str,
        *,
        note: str = "",
        evidence: Mapping[str, Any] | None = None,
        points: Sequence[Mapping[str, Any]] = (),
        extra: Mapping[str, str] | None = None,
        suffix: str = "",
        progress: Callable[[str], None] | None = None,
    ) -> Path:
        """Write Verilog, datasheet, parameters and vectors to ``output/<name>/``.

        Parameters and errors: `fpgen.handoff.bundle.write_bundle`.
        """
        from fpgen.base.places import place_of
        from fpgen.handoff.bundle import write_bundle

        return write_bundle(
            self._unit(),
            place_of("output", output),
            note=note,
            evidence=evidence,
            points=points,
            extra=extra,
            suffix=suffix,
            progress=progress,
        )

    def export(
        self,
        output: Path | str,
        flow: str,
        *,
        platform: str | None = None,
        period: float | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> Export:
        """Write the unit as a design of OpenROAD-flow-scripts or LibreLane.

        Parameters and errors: `fpgen.handoff.export.export`.
        """
        from fpgen.base.places import place_of
        from fpgen.handoff.export import export

        return export(
            self._unit(), place_of("output", output), flow, platform=platform, period=period, progress=progress
        )
