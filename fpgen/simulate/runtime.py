"""Verilator's run time, compiled once for each compiler and set of flags.

cocotb's stock runner compiles these 20,000 lines again for every unit (12 s of CPU). Here they
become one archive and one precompiled header in the cache; a unit then costs a single compiler call.
"""

from __future__ import annotations

from pathlib import Path

from fpgen.base.cache import cache_dir, digest, locked, publish
from fpgen.base.errors import RunFailure

from .tools import Verilator, compiler_version, find_compiler, run_all, run_tool

_SOURCES = ("verilated", "verilated_vpi", "verilated_timing", "verilated_threads", "verilated_dpi")
_TRACE_SOURCES = ("verilated_vcd_c",)

#: What every generated file includes first; its precompiled form saves about half a unit's compile time.
_HEADER = """\
#include "verilated.h"
#include "verilated_timing.h"
#include "verilated_vpi.h"
"""

#: $fread takes its file byte by byte, with a lock for each: two thirds of the time of a narrow unit's stream.
#: Each file here has one reader, so the lock-free POSIX call serves.
_FAST_READ = """\
#include <cstdio>
namespace std {
static inline int fpgen_getc(FILE* file) { return getc_unlocked(file); }
}
#define fgetc(file) fpgen_getc(file)
"""


def compile_flags(verilator: Verilator, trace: bool) -> list[str]:
    """Flags that the run time and every unit must share."""
    include = verilator.include
    coroutines = [] if "clang" in find_compiler()[0] else ["-fcoroutines"]
    return [
        "-std=gnu++20",
        *coroutines,
        f"-I{include}",
        f"-I{include / 'vltstd'}",
        "-DVERILATOR=1",
        "-DVM_COVERAGE=0",
        "-DVM_SC=0",
        "-DVM_TIMING=1",
        f"-DVM_TRACE={int(trace)}",
        "-DVM_TRACE_FST=0",
        f"-DVM_TRACE_VCD={int(trace)}",
        "-DVM_TRACE_SAIF=0",
        "-w",
        "-fno-strict-aliasing",
        "-pthread",
    ]


def runtime_key(verilator: Verilator, trace: bool) -> str:
    """Hash of everything that the run time, and so every build on it, depends on."""
    return digest(
        verilator.version, compiler_version(), *compile_flags(verilator, trace), *_SOURCES, _HEADER, _FAST_READ
    )


def runtime(verilator: Verilator, trace: bool = False) -> Path:
    """The directory that holds `libverilated.a` and `pch.h` (with `pch.h.gch`) for these flags.

    Built on first use, under a lock, so that parallel workers do not compile it twice.

    Raises
    ------
    MissingTool, RunFailure
    """
    flags = compile_flags(verilator, trace)
    key = runtime_key(verilator, trace)
    target = cache_dir("verilator") / key
    if not target.is_dir():
        with locked(f"verilator-{key}"):
            publish(target, lambda aside: _build(aside, verilator, flags, trace))
    return target


def _build(aside: Path, verilator: Verilator, flags: list[str], trace: bool) -> None:
    compiler = list(find_compiler())
    names = _SOURCES + (_TRACE_SOURCES if trace else ())
    (aside / "pch.h").write_text(_HEADER)
    (aside / "fast_read.h").write_text(_FAST_READ)
    jobs = [
        [
            *compiler,
            *flags,
            "-O2",
            "-include",
            "fast_read.h",
            "-c",
            str(verilator.include / f"{name}.cpp"),
            "-o",
            f"{name}.o",
        ]
        for name in names
    ]
    # The header is compiled at the level of the units: a precompiled header must match it.
    jobs.append([*compiler, *flags, UNIT_LEVEL, "-x", "c++-header", "pch.h", "-o", "pch.h.gch"])
    run_all(jobs, most=2, cwd=aside, what="compiling the Verilator run time")
    try:
        run_tool(["ar", "rcs", "libverilated.a", *(f"{name}.o" for name in names)], cwd=aside)
    except RunFailure as error:
        raise RunFailure(f"{error}; it comes with g++ (package binutils)") from None
    for name in names:
        (aside / f"{name}.o").unlink()


#: Optimisation of a unit's simulation: -O2 and -O3 cost up to half more compile time and run no faster.
UNIT_LEVEL = "-O1"
