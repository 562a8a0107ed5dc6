"""One point's work as it is sent to a process, and the key under which its result is kept."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from dataclasses import asdict, dataclass
from pathlib import Path

from fpgen.base.cache import digest
from fpgen.base.errors import UsageError
from fpgen.base.resources import resource_dir

from .cases import SweepCase
from .numerical_error import Accuracy
from .plan import Measure, library_of
from .spec import Sweep

# A new number when the meaning of a record changes.
_VERSION = "1"

#: Of fpgen's own code, what a measured point depends on.
_PACKAGES = (
    "emulate",
    "formal",
    "formats",
    "golden",
    "library",
    "power",
    "ppa",
    "rtl",
    "synthesis",
    "timing",
    "units",
    "verilog",
)
_OWN = ("breakdown.py", "measure.py", "numerical_error.py")


@dataclass(frozen=True)
class Job:
    """What one process is asked to measure.

    Attributes
    ----------
    key : str
        Content hash of everything the result depends on.
    unit : str
        Line of text.
    measure : Measure
    accuracy : Accuracy or None
    code : str
        `code_hash` of the process that asks; a worker with another fpgen rejects the job.
    fresh : bool
        Measure again what is in the worker's cache.
    """

    key: str
    unit: str
    measure: Measure
    accuracy: Accuracy | None
    code: str
    fresh: bool = False


def job_of(case: SweepCase, sweep: Sweep) -> Job:
    """The work of a point whose unit exists.

    Raises
    ------
    UsageError, MissingTool, RunFailure
        For a technology, recipe or engine that is not there.
    """
    assert case.unit is not None
    plan = case.measure
    key = digest(
        _VERSION,
        code_hash(),
        case.unit.content_hash,
        case.unit.name,
        case.unit.text,
        _library_hash(plan),
        repr(sorted((name, value) for name, value in asdict(plan).items() if name != "timeout")),
        _engine_version(plan.engine),
        repr(sweep.accuracy),
        _content(plan.recipe, ".toml"),
        _content(plan.power, ".npy"),
    )
    return Job(key, case.unit.text, plan, sweep.accuracy, code_hash())


@functools.cache
def _content(name: str | None, suffix: str) -> str:
    """Hash of a file that is named in place of something built in; empty for other names."""
    if name is None or not name.endswith(suffix):
        return ""
    try:
        return hashlib.sha256(Path(name).read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}; expected a {suffix} file") from None


@functools.cache
def code_hash() -> str:
    """Content hash of the code, technologies and recipes that a measured point depends on."""
    package = Path(__file__).resolve().parents[1]
    files = [path for name in _PACKAGES for path in (package / name).rglob("*.py")]
    files += [package / "sweep" / name for name in _OWN]
    files += [path for name in ("recipes", "tech") for path in (resource_dir("synth") / name).glob("*.toml")]
    state = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file()):
        state.update(f"{path.name}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()[:24]


def is_fpga(technology: str | None) -> bool:
    """Whether that is an FPGA rather than a cell library."""
    from fpgen.synthesis import fpga_families

    return technology in fpga_families.targets()


@functools.cache
def _nextpnr() -> str:
    """Versions of nextpnr's packages."""
    names = sorted(
        {
            item.metadata["Name"]
            for item in importlib.metadata.distributions()
            if (item.metadata["Name"] or "").startswith("yowasp-nextpnr-")
        }
    )
    return " ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def _library_hash(plan: Measure) -> str:
    if is_fpga(plan.technology):
        return digest(str(plan.technology), _nextpnr())
    found = library_of(plan)
    return digest(
        found.name, found.library.content_hash, found.driving_cell, f"{found.output_load_ff:g}", *found.dont_use
    )


@functools.cache
def _engine_version(name: str | None) -> str:
    from fpgen.synthesis import yosys

    return yosys.select(name).version
