"""A bundle in a directory of its own, simulated with its own testbench as those who get it would."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import fpgen
from fpgen.base.errors import MissingTool
from fpgen.handoff.bundle import write_bundle
from fpgen.simulate.runtime import UNIT_LEVEL, compile_flags, runtime
from fpgen.simulate.tools import find_compiler, find_icarus, find_verilator

Told = tuple[int, str]


def copied_bundle(text: str, tmp_path: Path) -> Path:
    """The bundle of a unit in a directory that fpgen did not make."""
    where = tmp_path / "downstream"
    shutil.copytree(write_bundle(fpgen.parse_unit(text), tmp_path / "out"), where)
    return where


def name_in(where: Path) -> str:
    return next(where.glob("*.core")).stem


def run(command: list[str], where: Path, **env: str) -> Told:
    done = subprocess.run(
        command,
        cwd=where,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def by_icarus(where: Path, verilog: str | None = None) -> Told:
    """The exit code and the text of Icarus, with another text in place of the unit's."""
    try:
        icarus = find_icarus()
    except MissingTool as error:
        pytest.skip(str(error))
    name = name_in(where)
    if verilog is not None:
        (where / f"{name}.v").write_text(verilog)
    code, said = run([icarus.compiler, "-g2001", "-Wall", "-o", "sim.vvp", "-f", f"{name}_tb.f"], where)
    assert (code, said) == (0, ""), said
    return run([icarus.runtime, "sim.vvp"], where)


def verilated(where: Path) -> Path:
    """The program that Verilator makes of a bundle and its assertions, without a warning.

    The run time is the one that fpgen keeps.
    """
    try:
        verilator, compiler = find_verilator(), find_compiler()
    except MissingTool as error:
        pytest.skip(str(error))
    name = name_in(where)
    options = [
        "--cc",
        "--exe",
        "--main",
        "--timing",
        "--assert",
        "-Wall",
        "--output-split",
        "0",
        "--Mdir",
        "obj",
        "--prefix",
        "Vtop",
    ]
    code, said = run(
        [
            *[str(verilator.binary), *options, "--quiet", "--top-module", f"{name}_tb"],
            *["-f", f"{name}_tb.f", f"{name}_sva.sv"],
        ],
        where,
        VERILATOR_ROOT=str(verilator.root),
    )
    assert code == 0 and "%" not in said, said
    ready = runtime(verilator)
    sources = sorted(path.name for path in (where / "obj").glob("*.cpp"))
    (where / "obj" / "all.cc").write_text("".join(f'#include "{source}"\n' for source in sources))
    flags = [*compile_flags(verilator, False), UNIT_LEVEL, f"-I{ready}", "-include", "pch.h"]
    code, said = run([*compiler, *flags, "all.cc", "-o", "../sim", f"-L{ready}", "-lverilated"], where / "obj")
    assert code == 0, said
    return where / "sim"


def last_line(said: str) -> str:
    """Of the testbench itself: Verilator adds lines of its own."""
    return [line for line in said.splitlines() if line.startswith(("PASS", "FAIL"))][-1]
