"""A bundle where nothing of ours is: in a root directory with Icarus alone, and built by FuseSoC."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from handoff_cases import copied_bundle, last_line, name_in, run
from portions import some

from fpgen.base.errors import MissingTool
from fpgen.simulate.tools import find_icarus, find_verilator

KINDS = [
    "multiply e4m3fn e5m2 -> fp16 flags=on",
    "add e5m2 e5m2 -> e5m2 stages=2 handshake=ready flags=on",
    "dequantize e2m1@e8m0/4 -> bf16 stages=1 handshake=axis",
]


# ---- no Python, no repository --------------------------------------------------------


@pytest.fixture(scope="module")
def bare_root(tmp_path_factory):
    """A root directory in which there are Icarus, a shell and their libraries, and no more."""
    try:
        icarus = find_icarus()
    except MissingTool as error:
        pytest.skip(str(error))
    if os.geteuid() != 0 or not Path("/bin/sh").exists() or shutil.which("ldd") is None:
        pytest.skip("only root can change its root directory")
    root = tmp_path_factory.mktemp("root")
    parts = next(
        (
            path
            for base in (Path(icarus.compiler).resolve().parents[1] / "lib", Path("/usr/lib"))
            for path in base.rglob("ivl")
            if path.is_dir()
        ),
        None,
    )
    if parts is None:
        pytest.skip("the parts of Icarus are not where Debian has them")
    programs = [Path(icarus.compiler), Path(icarus.runtime), Path("/bin/sh"), *parts.rglob("*")]
    wanted = {path for path in programs if path.is_file()}
    for path in list(wanted):
        listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        wanted |= {Path(found) for found in re.findall(r"(/\S+\.so[.\d]*)", listed)}
    for path in wanted:
        target = root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (root / "tmp").mkdir()
    return root


def in_bare_root(root: Path, where: Path, command: str) -> tuple[int, str]:
    shutil.rmtree(root / "bundle", ignore_errors=True)
    shutil.copytree(where, root / "bundle")
    # Not subprocess's preexec_fn: the child looks for its program before it.
    program = (
        "import os, sys; os.chroot(sys.argv[1]); os.chdir('/bundle');"
        "os.execve('/bin/sh', ['sh', '-c', sys.argv[2]], {'PATH': '/usr/local/bin:/usr/bin:/bin'})"
    )
    return run([sys.executable, "-c", program, str(root), command], where)


@pytest.mark.parametrize("text", KINDS)
def test_icarus_alone_runs_it(text, bare_root, tmp_path):
    where = copied_bundle(text, tmp_path)
    shown = re.search(r"\$ (iverilog .*)", (where / f"{name_in(where)}_tb.v").read_text())[1]
    assert in_bare_root(bare_root, where, "python3 -c 1")[0] != 0
    code, said = in_bare_root(bare_root, where, shown)
    assert code == 0 and re.fullmatch(r"PASS: \d+ vectors, \d+ results compared\n", said), said
    source = where / f"{name_in(where)}.v"
    flipped, count = re.subn(r"(assign result = )", r"\1{15'd0, 1'b1} ^ ", source.read_text(), count=1)
    assert count == 1
    source.write_text(flipped)
    code, said = in_bare_root(bare_root, where, shown)
    assert code == 1 and last_line(said).startswith("FAIL") and re.search(r"^MISMATCH at vector 0, family", said, re.M)


# ---- FuseSoC -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """A directory with `verilator`, which FuseSoC looks for by this name."""
    pytest.importorskip("fusesoc")
    where = tmp_path_factory.mktemp("bin")
    try:
        verilator = find_verilator()
        find_icarus()
    except MissingTool as error:
        pytest.skip(str(error))
    program = where / "verilator"
    program.write_text(f'#!/bin/sh\nVERILATOR_ROOT={verilator.root} exec {verilator.binary} "$@"\n')
    program.chmod(stat.S_IRWXU)
    return where


def fusesoc(tools: Path, where: Path, target: str) -> tuple[int, str]:
    command = [str(Path(sys.executable).with_name("fusesoc")), "--cores-root", ".", "run", f"--target={target}"]
    path = f"{tools}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return run([*command, f"fpgen_{name_in(where)}"], where, PATH=path)


@pytest.mark.parametrize(
    ("text", "target"), some([(text, target) for text in KINDS for target in ("lint", "sim", "synth")], every=4)
)
def test_fusesoc_runs_each_target(text, target, tools, tmp_path):
    if target == "synth" and shutil.which("yosys") is None:
        pytest.skip("no yosys with Tcl, as FuseSoC drives it; those of PyPI have none")
    where = copied_bundle(text, tmp_path)
    code, said = fusesoc(tools, where, target)
    assert code == 0, said
    if target == "sim":
        assert re.search(r"PASS: \d+ vectors", said), said
    name = f"{name_in(where)}.v"
    source = where / name
    broken = {
        "lint": ("output wire ", "input wire spare,\n    output wire "),
        "sim": ("assign result = ", "assign result = ~"),
        "synth": ("endmodule", "missing_module gone ();\nendmodule"),
    }[target]
    assert broken[0] in source.read_text()
    source.write_text(source.read_text().replace(*broken, 1))
    code, said = fusesoc(tools, where, target)
    assert code != 0, said
