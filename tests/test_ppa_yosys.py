"""The Yosys driver: choice of engine, failures in plain words, the limit of processor time, the first start."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ppa_helpers import fresh_cache
from process_cases import LINUX, environment, marked, until

from fpgen.base import processes
from fpgen.base.cache import cache_dir
from fpgen.base.errors import MissingTool, RunFailure, UsageError
from fpgen.formal.equivalence import prove_equal
from fpgen.library import technology
from fpgen.sweep import sweep_run as sweeps
from fpgen.sweep.measure import Done, failed
from fpgen.sweep.spec import from_data
from fpgen.synthesis import flow, yosys

__all__ = ["fresh_cache"]

SLOW = "module m(input [63:0] a, b, output [127:0] y); assign y = a * b; endmodule"


def test_choice(monkeypatch):
    monkeypatch.delenv("FPGEN_YOSYS", raising=False)
    assert yosys.select().name == "yowasp"
    with pytest.raises(UsageError, match="Yosys engine: got 'quartus'; expected one of yowasp, native, auto"):
        yosys.select("quartus")
    monkeypatch.setenv("FPGEN_YOSYS", "other")
    with pytest.raises(UsageError, match="'other'"):
        yosys.select()


def test_the_first_start_is_told(tmp_path, monkeypatch):
    """A newcomer's first sweep stood at 0 points for a minute, and nothing said why."""
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path))
    engine = yosys.select("yowasp")
    assert yosys.is_cold(engine)
    yosys._ready(engine).touch()
    assert not yosys.is_cold(engine)
    sweep = from_data({"unit": "add fp16 fp16 -> fp16 stages={s}", "parameters": {"s": [0]}}, tmp_path / "s.toml")
    told = []
    yosys._ready(engine).unlink()

    def compiled(command, *, progress, **_):
        for seconds in (1.0, 12.0, 13.0, 25.0):
            progress(seconds)
        yosys._ready(engine).touch()
        return processes.Ended(0, "", 25.0)

    monkeypatch.setattr(processes, "run_program", compiled)
    monkeypatch.setattr("fpgen.sweep.local.each", lambda todo, jobs: iter([Done(todo[0].key, [failed("no")], False)]))
    sweeps.run_sweep(sweep, output=tmp_path, force=True, progress=lambda step: told.append(step.notice))
    first = yosys.first_start(engine)
    assert first.startswith("Yosys starts here for the first time")
    assert [text for text in told if text] == [first, f"{first}; 12 s so far", f"{first}; 25 s so far"]
    assert told[-1] == ""


def test_missing_engine(monkeypatch):
    monkeypatch.setattr(yosys, "_find", lambda name: None)
    with pytest.raises(MissingTool, match="pip install"):
        yosys.select("native")


def test_runs_in_a_directory_of_its_own(fresh_cache):
    done = yosys.run_script(
        yosys.select(), "read_verilog m.v\nwrite_verilog out.v\n", {"m.v": SLOW}, ["out.v"], timeout=120
    )
    assert "module m" in done.files["out.v"] and done.seconds > 0
    assert list((fresh_cache / "work").iterdir()) == []


ODD = """a b' $c "d" #e ;f (g) \\h &i `j |k <l> *m ?n :o =p é"""


@pytest.mark.parametrize("engine", ["yowasp", "native"])
@pytest.mark.parametrize("variable", ["FPGEN_CACHE_DIR", "HOME"])
def test_a_cache_directory_of_any_name(tmp_path, monkeypatch, engine, variable):
    """Yosys hands ABC whole names of files, by way of a shell and a script; the sandbox's mounts end at a colon."""
    if yosys._find(engine) is None:
        pytest.skip(f"no engine {engine}")
    monkeypatch.setenv("YOWASP_CACHE_DIR", os.environ.get("YOWASP_CACHE_DIR") or str(cache_dir("yowasp")))
    for name in ("FPGEN_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / ODD))
    assert ODD in str(cache_dir())
    text = "module m(input a, b, output y); assign y = a ^ b; endmodule"
    (point,) = flow.measure(text, "m", engine=engine)
    assert point.failure is None and point.cells > 0
    proof = prove_equal(
        text, flow.netlist_text(point.netlist_hash), "m", liberty=technology.load().liberty, engine=engine
    )
    assert proof.status == "proven"
    assert list(cache_dir("work").iterdir()) == []


def place_of_a_run(engine):
    """Where a run's directory is, which is gone afterwards."""
    with yosys._directory(engine) as directory:
        assert directory.is_dir()
    assert not directory.exists()
    return directory.parent


def test_where_no_directory_will_do_it_is_said_in_one_sentence(tmp_path, monkeypatch):
    odd = tmp_path / "a b;c"
    odd.mkdir()
    monkeypatch.setenv("FPGEN_CACHE_DIR", str(odd))
    monkeypatch.setattr(yosys.tempfile, "gettempdir", lambda: str(odd))
    native = yosys.Engine("native", "yosys 0", ("yosys",), True)
    assert place_of_a_run(native) == Path("/tmp").resolve()
    assert place_of_a_run(yosys.Engine("yowasp", "yosys 0", ("yosys",), False)) == odd / "work"
    monkeypatch.setattr(yosys.os, "access", lambda *given: False)
    with pytest.raises(UsageError, match=r"got .*a b;c/work; expected a path without ' ' ';' \(ABC") as raised:
        yosys.run_script(native, "help", {}, [], timeout=5)
    assert "\n" not in str(raised.value)
    monkeypatch.setenv("FPGEN_CACHE_DIR", str(tmp_path / "plain"))
    assert place_of_a_run(native) == tmp_path / "plain" / "work"


def test_failure_quotes_the_log(fresh_cache):
    with pytest.raises(RunFailure, match=r"(?s)failed: exit code.*syntax error"):
        yosys.run_script(yosys.select(), "read_verilog m.v", {"m.v": "module m(; endmodule"}, [], timeout=120)
    with pytest.raises(RunFailure, match=r"did not write gone\.v"):
        yosys.run_script(yosys.select(), "log nothing", {}, ["gone.v"], timeout=120)


def test_the_limit_of_processor_time_kills(fresh_cache):
    with pytest.raises(yosys.Timeout, match=r"stopped at its limit of 1 s of processor time; --timeout raises it"):
        yosys.run_script(yosys.select(), "read_verilog m.v\nsynth -top m\nabc -g AND", {"m.v": SLOW}, [], timeout=1)
    assert list((fresh_cache / "work").iterdir()) == []


def test_a_disk_that_cannot_be_written(fresh_cache, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("FPGEN_CACHE_DIR", str(blocked / "cache"))
    with pytest.raises(RunFailure, match="FPGEN_CACHE_DIR"):
        yosys.run_script(yosys.select(), "log nothing", {}, [], timeout=60)

    def full(*_, **__):
        raise OSError(28, "No space left on device", "run.ys")

    monkeypatch.setenv("FPGEN_CACHE_DIR", str(fresh_cache))
    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(RunFailure, match=r"cannot write run\.ys for Yosys: No space left"):
        yosys.run_script(yosys.select(), "log nothing", {}, [], timeout=60)


COMPILER = """
import os, sys, time
from pathlib import Path
here = Path(os.environ["YOWASP_CACHE_DIR"])
(here / "tool").mkdir()
with (here / "tool" / "module").open("w") as file:
    file.write("half")
    file.flush()
    time.sleep(0.5)
    file.write("whole")
with open(os.environ["RUNS"], "a") as runs:
    runs.write("x")
"""
WARM = """
import sys
from fpgen.synthesis import yosys
yosys.warm(yosys.Engine("yowasp", "tool 1", (sys.executable, "-c", sys.argv[1]), False))
"""


def test_the_module_is_compiled_once_and_whole(tmp_path):
    """Processes whose caches are their own share the compiled module: one wrote it anew while another one ran it."""
    shared, runs = tmp_path / "shared", tmp_path / "runs"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WARM, COMPILER],
            env={
                **os.environ,
                "FPGEN_CACHE_DIR": str(tmp_path / name),
                "RUNS": str(runs),
                "YOWASP_CACHE_DIR": str(shared),
            },
        )
        for name in ("one", "two")
    ]
    seen = set()
    while any(process.poll() is None for process in started):
        with contextlib.suppress(FileNotFoundError):
            seen.add((shared / "tool" / "module").read_text())
    assert [process.returncode for process in started] == [0, 0]
    assert runs.read_text() == "x" and (shared / "tool" / "module").read_text() == "halfwhole"
    assert seen <= {"halfwhole"} and not list(shared.glob(".compiling-*"))


def test_the_first_start_has_no_limit(tmp_path, monkeypatch):
    """On a busy machine the compile was stopped after 600 s of wall time, and every run began it again."""
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path))
    given = []
    run = processes.run_program
    monkeypatch.setattr(
        processes, "run_program", lambda command, **options: given.append(options) or run(command, **options)
    )
    engine = yosys.Engine("yowasp", "tool 1", (sys.executable, "-c", COMPILER), False)
    monkeypatch.setenv("RUNS", str(tmp_path / "runs"))
    told: list[str] = []
    yosys.warm(engine, told.append)
    assert [options.get("limit") for options in given] == [None]
    assert not yosys.is_cold(engine) and told == [yosys.first_start(engine)]


def test_a_first_start_that_fails_is_one_message(tmp_path, monkeypatch):
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path))
    engine = yosys.Engine("yowasp", "tool 1", (sys.executable, "-c", "import sys; sys.exit('no memory')"), False)
    with pytest.raises(RunFailure, match=r"(?s)tool 1 does not start:.*no memory"):
        yosys.warm(engine)
    assert yosys.is_cold(engine) and not list(tmp_path.glob(".compiling-*"))


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_first_start_serves_the_next_process(tmp_path, number):
    """After Ctrl-C it goes on to its end; killed with -9, it ends at once and is cleared away."""
    env = environment(FPGEN_CACHE_DIR=str(tmp_path), RUNS=str(tmp_path / "runs"), FPGEN_TEST=str(tmp_path))
    env.pop("YOWASP_CACHE_DIR", None)
    command = [sys.executable, "-c", WARM, COMPILER.replace("time.sleep(0.5)", "time.sleep(2)")]
    first = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    until(lambda: list((tmp_path / "yowasp").glob(".compiling-*/tool/module")))
    first.send_signal(number)
    first.wait(60)
    if number == signal.SIGKILL:
        until(lambda: not marked(f"FPGEN_TEST={tmp_path}"), 20)
        assert list((tmp_path / "yowasp").glob(".compiling-*"))
    assert subprocess.run(command, env=env, check=False).returncode == 0
    assert (tmp_path / "runs").read_text() == "x"
    assert not list((tmp_path / "yowasp").glob(".compiling-*"))
