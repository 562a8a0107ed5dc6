"""The C++ model of a unit, compiled and fed with vectors."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fpgen.golden.port_outputs import golden_outputs
from fpgen.handoff.cpp_model import cpp_model
from fpgen.handoff.cpp_names import namespace
from fpgen.handoff.cpp_ports import input_ports, output_ports, storage_bits
from fpgen.units import Port, Unit
from fpgen.vectors.sequences import sum_length
from fpgen.vectors.stimulus import LANES_MOST, Chunk, plan

STRICT = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow"]

MAIN = """\
#include <cstdio>
#include "{name}_model.h"
template <class T> bool get(T& x) {{ return std::fread(&x, sizeof x, 1, stdin) == 1; }}
template <class T> void put(const T& x) {{ std::fwrite(&x, sizeof x, 1, stdout); }}
int main() {{
    {space}::inputs in;
    {state}
    while ({gets}) {{
        const {space}::outputs out = {space}::{call};
        {puts}
    }}
}}
"""


def program(name: str) -> str:
    """Path of a program, or the test is skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} on this machine")
    return found


def built(unit: Unit, directory: Path, compiler: str = "g++", *options: str) -> Path:
    """A program that reads inputs from its standard input and writes outputs: fields as in the structs."""
    program(compiler)
    (directory / f"{unit.name}_model.h").write_text(cpp_model(unit))
    space = namespace(unit)
    text = MAIN.format(
        name=unit.name,
        space=space,
        state=f"{space}::state now;" if unit.stateful else "",
        call="step(now, in)" if unit.stateful else "compute(in)",
        gets=" && ".join(f"get(in.{port.name})" for port in input_ports(unit)),
        puts=" ".join(f"put(out.{port.name});" for port in output_ports(unit)),
    )
    (directory / "main.cpp").write_text(text)
    return compiled([directory / "main.cpp"], directory / f"model_{compiler.strip('+')}", compiler, *options)


def compiled(sources: list[Path], into: Path, compiler: str = "g++", *options: str) -> Path:
    """The sources as a program; warnings are errors."""
    command = [program(compiler), *STRICT, "-O1", *options, *map(str, sources), "-o", str(into)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=into.parent, timeout=600)
    assert done.returncode == 0, done.stderr[:4000]
    return into


def record(ports: list[Port]) -> np.dtype:
    """Fields of the widths that the structs have; numpy leaves no gaps between them."""
    return np.dtype([(port.name, f"<u{storage_bits(port.element_width) // 8}", port.shape) for port in ports])


def outputs_of(model: Path, unit: Unit, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """What the program makes of the vectors, one record each; sequences one after the other."""
    ports = input_ports(unit)
    count = inputs[ports[0].name].size // ports[0].count
    rows = np.empty(count, record(ports))
    for port in ports:
        rows[port.name] = inputs[port.name].reshape(count, *port.shape)
    done = subprocess.run([model], input=rows.tobytes(), capture_output=True, timeout=600, check=True)
    return np.frombuffer(done.stdout, record(output_ports(unit)))


def chunks(unit: Unit, vectors: int) -> Iterator[Chunk]:
    """About so many vectors of the plan: every family with its share."""
    whole = plan(unit, vectors=max(1024, vectors // 4), exhaustive=False)
    total = whole.vectors
    for name, size in whole.sizes:
        least = LANES_MOST * (sum_length(unit, name) if unit.stateful else 1)
        count = max(1, size * vectors // total // least) * least
        yield Chunk(name, 0, whole.family(name, count), (count,))


def disagreements(model: Path, unit: Unit, chunk: Chunk) -> list[str]:
    """A line for each output that differs from the golden model, with the first vector on which it does."""
    found = outputs_of(model, unit, chunk.inputs)
    lines = []
    for name, expected in golden_outputs(unit, chunk.inputs).items():
        got = found[name]
        wanted = expected.reshape(got.shape)
        differ = got != wanted.astype(got.dtype)
        if differ.any():
            at = np.argwhere(differ.reshape(len(got), -1).any(axis=1))[0, 0]
            lines.append(f"{chunk.family}: {name} of vector {at} is {got[at]} instead of {wanted[at]}")
    return lines
