"""LUTs, DSP blocks and clock rate of a unit in an FPGA: Yosys, then nextpnr, both from PyPI (the extra `fpga`).

A unit has more pins than a chip, so it is placed between two chains of registers:

    si -> [ shift register ] => inputs -> unit -> outputs => [ capture ] => [ shift register ] -> so

Four pins reach outside: clock, serial in, serial out, and one that moves what was captured into the second chain.
The unit is synthesised on its own, so that nothing is shared with the chains, and put between them afterwards: LUTs,
DSP blocks and registers are those of the unit alone. The clock rate is that of the whole after placement and
routing: what limits it is the unit's longest path, from a register (of the chain, or its own) through logic and
routing to the next one. Nothing is pushed to the pins' corners of the chip, and no pin's delay is counted.

A place and route is one sample; another seed gives a clock rate a few per cent up or down.
"""

import importlib.metadata
import importlib.util
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fpgen.base.cache import cache_dir, digest, write_whole
from fpgen.base.distribution import install_extra
from fpgen.base.errors import MissingTool, RunFailure, UsageError
from fpgen.base.provenance import without_provenance

from . import yosys
from .fpga_families import AUTOMATIC, FAMILIES, Device, check_target
from .fpga_frame import Ports, frame, ports_of
from .fpga_point import FpgaPoint
from .synthesis import is_rtlil

if TYPE_CHECKING:
    pass

# A new number when a point's meaning changes.
_VERSION = "1"

Progress = Callable[["FpgaPoint"], None]


# Without a device in the target: the first that is no fuller than this. The UltraPlus only when it is asked for.
_FULLEST = 0.9
#: Seconds of processor time for Yosys and for nextpnr, when nothing else is said.
LIMIT_S = 600.0
# More than any unit reaches: nextpnr then works on the longest path to the end.
_ASKED_MHZ = 500


def nextpnr(family: str) -> yosys.Engine:
    """The family's nextpnr.

    Raises
    ------
    MissingTool
        When it is not installed.
    """
    known = FAMILIES[family]
    if importlib.util.find_spec(known.package) is None:
        raise MissingTool(
            f"nextpnr for {family} is not installed; {install_extra('fpga')} ({known.package.replace('_', '-')})"
        )
    version = importlib.metadata.version(known.package)
    start = f"import sys; from {known.package} import {known.function} as run; sys.exit(run(sys.argv[1:]))"
    return yosys.Engine(
        "yowasp",
        f"{known.package.replace('_', '-')} {version}",
        (sys.executable, "-c", start),
        False,
        program="nextpnr",
    )


def engines(target: str, engine: str | None = None) -> list[yosys.Engine]:
    """What measures in a target: Yosys, and nextpnr.

    Raises
    ------
    UsageError, MissingTool
    """
    return [yosys.select(engine), nextpnr(check_target(target)[0])]


def measure(
    verilog: str,
    top: str,
    target: str = "ecp5",
    *,
    seeds: Sequence[int] = (1,),
    clock: str = "clk",
    engine: str | None = None,
    timeout: float = LIMIT_S,
    cached: bool = True,
    progress: Progress | None = None,
) -> list[FpgaPoint]:
    """LUTs, DSP blocks and clock rate of a unit in an FPGA.

    Parameters
    ----------
    verilog : str
        Text with the module `top`.
    target : str
        One of `targets()`.
    seeds : sequence of int
        nextpnr's seeds; a point for each.
    clock : str
        Name of the unit's clock, where it has one.
    engine : str, optional
        Which Yosys; see `fpgen.synthesis.yosys.select`.
    timeout : float
        Seconds of processor time allowed to each run of Yosys and of nextpnr.
    cached : bool
        Whether points known from earlier may be returned.
    progress : callable, optional
        Called with each point as soon as it is there.

    Raises
    ------
    UsageError
        For an unknown target or engine, a seed that is not a whole number from 0, or a limit that is not positive.
    MissingTool
        When Yosys or nextpnr is not installed.
    """
    family, device = check_target(target)
    yosys.check_limit(timeout)
    if not seeds or any(isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31 for seed in seeds):
        raise UsageError(f"seeds: got {list(seeds)!r}; expected one or more whole numbers of 0 or more")
    verilog = without_provenance(verilog)
    run = _FpgaRunner(verilog, top, family, device, clock, yosys.select(engine), nextpnr(family), timeout, cached)
    points = []
    for seed in seeds:
        points.append(run.point(seed))
        if progress is not None:
            progress(points[-1])
    return points


class _FpgaRunner:
    """One unit in one family; the netlist is made once for all seeds."""

    def __init__(
        self,
        verilog: str,
        top: str,
        family: str,
        device: str | None,
        clock: str,
        tool: yosys.Engine,
        router: yosys.Engine,
        timeout: float,
        cached: bool,
    ) -> None:
        self.verilog, self.top, self.name, self.family = verilog, top, family, FAMILIES[family]
        self.device, self.clock, self.timeout, self.cached = device, clock, timeout, cached
        self.tool, self.router = tool, router
        self.base = digest(_VERSION, verilog, top, family, device or "", clock, tool.version, router.version)
        self.made: tuple[FpgaPoint, Device, str] | None = None

    def point(self, seed: int) -> FpgaPoint:
        path = cache_dir("points") / f"fpga-{digest(self.base, str(seed))}.json"
        if self.cached:
            try:
                return FpgaPoint.from_dict(json.loads(path.read_bytes()))
            except (OSError, ValueError, TypeError, AttributeError):
                pass  # not there, or not whole
        point = self._blank(seed)
        try:
            if self.made is None:
                self.made = self._synthesise(point)
            point = self._route(replace(self.made[0], seed=seed), self.made[1], self.made[2])
        except yosys.Timeout as error:
            return replace(point, failure=str(error))
        except RunFailure as error:
            point = replace(point, failure=str(error))
        write_whole(path, json.dumps(point.to_dict()))
        return point

    def _blank(self, seed: int) -> FpgaPoint:
        from fpgen.base.version import __version__

        tools = {"fpgen": __version__, "yosys": self.tool.version, "nextpnr": self.router.version}
        assumptions = {"pins": "chains of registers", "counts": "unit alone", "fmax": "placed and routed"}
        target = self.name + (f":{self.device}" if self.device else "")
        return FpgaPoint(self.top, target, seed=seed, tools=tools, assumptions=assumptions)

    def _synth(self, device: str | None) -> str:
        """Yosys' synthesis command for a device."""
        if self.name != "ice40":
            return self.family.synth
        return f"{self.family.synth} -dsp -device u" if device == "up5k" else f"{self.family.synth} -device hx"

    def _synthesise(self, point: FpgaPoint) -> tuple[FpgaPoint, Device, str]:
        """Counts of the unit, the device it fits, and the netlist between its chains."""
        read = "read_rtlil design.v" if is_rtlil(self.verilog) else "read_verilog -sv design.v"
        synth = self._synth(self.device)
        done = yosys.run_script(
            self.tool,
            [read, f"{synth} -top {self.top}", "blackbox =A:whitebox", "write_rtlil unit.il", "write_json unit.json"],
            {"design.v": self.verilog},
            ["unit.il", "unit.json"],
            timeout=self.timeout,
        )
        module = json.loads(done.files["unit.json"])["modules"][self.top]
        ports = ports_of(module, self.top, self.clock)
        point = self._counted(point, module)
        device = self._fitting(point, ports)
        point = replace(point, target=f"{self.name}:{device.name}", netlist_hash=digest(done.files["unit.il"]))
        script = [
            "read_verilog frame.v",
            f"{synth} -top fpgen_frame",
            "blackbox =A:whitebox",
            f"delete {self.top}",
            "design -save frame",
            "design -reset",
            "read_rtlil unit.il",
            "design -stash unit",
            "design -load frame",
            f"design -copy-from unit -as {self.top} {self.top}",
            "hierarchy -top fpgen_frame",
            "flatten",
            "opt_clean -purge",
            "write_json framed.json",
        ]
        done = yosys.run_script(
            self.tool,
            script,
            {"frame.v": frame(ports, self.top), "unit.il": done.files["unit.il"]},
            ["framed.json"],
            timeout=self.timeout,
        )
        return point, device, done.files["framed.json"]

    def _counted(self, point: FpgaPoint, module: Mapping[str, Any]) -> FpgaPoint:
        kinds: dict[str, int] = {}
        for cell in module["cells"].values():
            kinds[cell["type"]] = kinds.get(cell["type"], 0) + 1
        left = [kind for kind in kinds if kind.startswith("$") and kind != "$scopeinfo"]
        if left:
            raise RunFailure(f"{self.top}: Yosys left cells that {self.name} does not have: {', '.join(left)}")

        def count(pattern: str) -> int:
            return sum(number for kind, number in kinds.items() if re.fullmatch(pattern, kind))

        family = self.family
        return replace(
            point,
            luts=sum(kinds.get(kind, 0) * taken for kind, taken in family.luts.items()),
            carries=count(family.carries),
            dsps=count(family.dsps),
            brams=count(family.brams),
            registers=count(family.registers),
        )

    def _fitting(self, point: FpgaPoint, ports: Ports) -> Device:
        # The chains: a register a pin on the input side; two and a LUT on the output side.
        luts = point.luts + ports.width("output")
        registers = point.registers + ports.width("input") + 2 * ports.width("output")
        needed = max(luts, registers)
        devices = {device.name: device for device in self.family.devices}
        if self.device is not None:
            chosen = devices[self.device]
            if needed > chosen.luts:
                raise RunFailure(
                    f"{self.top} needs {needed} LUTs or registers with its chains; "
                    f"{self.name}:{chosen.name} has {chosen.luts}"
                )
            return chosen
        for name in AUTOMATIC[self.name]:
            if needed <= _FULLEST * devices[name].luts:
                return devices[name]
        raise RunFailure(
            f"{self.top} needs {needed} LUTs or registers with its chains; the largest {self.name} "
            f"({AUTOMATIC[self.name][-1]}) has {devices[AUTOMATIC[self.name][-1]].luts}"
        )

    def _route(self, point: FpgaPoint, device: Device, netlist: str) -> FpgaPoint:
        free = ("--lpf-allow-unconstrained",) if self.name == "ecp5" else ()
        arguments = (
            "-q",
            "-l",
            "yosys.log",
            "--json",
            "framed.json",
            "--report",
            "report.json",
            *device.options,
            "--freq",
            str(_ASKED_MHZ),
            "--seed",
            str(point.seed),
            "--timing-allow-fail",
            *free,
        )
        engine = replace(self.router, command=(*self.router.command, *arguments))
        done = yosys.run_script(engine, "", {"framed.json": netlist}, ["report.json"], timeout=self.timeout)
        report = json.loads(done.files["report.json"])
        rates = [item["achieved"] for item in report["fmax"].values()]
        if len(rates) != 1:
            raise RunFailure(f"{self.top}: got {len(rates)} clocks from nextpnr; expected one")
        point = replace(point, fmax_mhz=rates[0], delay_ps=1e6 / rates[0], seconds=done.seconds)
        path: list[dict[str, Any]] = next(
            (
                item["path"]
                for item in report["critical_paths"]
                if item["from"] == item["to"] and item["from"].startswith("posedge")
            ),
            [],
        )
        steps = tuple(
            {
                "cell": step["to"]["cell"],
                "net": step.get("net", ""),
                "kind": step["type"],
                "delay_ps": step["delay"] * 1e3,
            }
            for step in path
        )

        def total(kind: str) -> float:
            return sum(float(step["delay_ps"]) for step in steps if step["kind"] == kind)

        return replace(
            point,
            critical_path=steps,
            logic_ps=total("logic"),
            routing_ps=total("routing"),
            logic_depth=sum(step["kind"] == "logic" for step in steps),
            startpoint=steps[0]["cell"] if steps else "",
            endpoint=steps[-1]["cell"] if steps else "",
        )
