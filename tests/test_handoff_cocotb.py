"""The bundle's cocotb test, run with pytest in a copy of the directory: it passes, and a wrong unit makes it fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from handoff_cases import copied_bundle, name_in
from portions import some

from fpgen.base.errors import MissingTool
from fpgen.simulate.tools import find_icarus

UNITS = some(
    [
        "multiply e4m3fn e4m3fn -> fp16 rdn flags=on",
        "add e5m2 e5m2 -> e5m2 stages=2 handshake=ready enable=on flush=on tag=3 reset=async reset_active=low",
        "dequantize e2m1@e8m0/4 -> bf16 rtz stages=1",
        "mac e2m1 e2m1 -> e5m2 loadable=on stages=2",
        "mac e2m1 e2m1 -> e5m2 stages=1 reset=none",
        "multiply e2m1 e2m1 -> e2m1 handshake=ready",
        "multiply e2m1 e2m1 -> e2m1 handshake=valid stages=3 registers=both",
        "quantize bf16 -> nvfp4 stages=2 handshake=axis",
    ],
    every=3,
    first=1,
)


def run_pytest(where):
    """Exit code and text, in a directory and an environment without anything of this repository."""
    try:
        find_icarus()
    except MissingTool as error:
        pytest.skip(str(error))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"test_{name_in(where)}.py"],
        cwd=where,
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("text", UNITS)
def test_it_passes_and_a_wrong_bit_is_shown(text, tmp_path):
    where = copied_bundle(text, tmp_path)
    assert "fpgen" not in re.sub(r"(?m)^ *\"\"\".*$|#.*", "", (where / f"test_{name_in(where)}.py").read_text())
    code, said = run_pytest(where)
    assert code == 0 and "1 passed" in said, said
    source = where / f"{name_in(where)}.v"
    wrong, count = re.subn(r"assign result = ([^;]*);", r"assign result = (\1) ^ 1'b1;", source.read_text())
    assert count == 1
    source.write_text(wrong)
    code, said = run_pytest(where)
    assert code == 1 and re.search(r"vector 0, family \w+: a=|vector 0, family \w+: ", said), said
    assert re.search(r"expected [0-9a-f]+, got [0-9a-f]+", said)


def test_a_lost_result_is_found(tmp_path):
    where = copied_bundle("multiply e2m1 e2m1 -> e2m1 handshake=ready stages=2", tmp_path)
    source = where / f"{name_in(where)}.v"
    lost, count = re.subn(
        r"assign out_valid = (\w+);", r"assign out_valid = \1 & (result != 4'd7);", source.read_text()
    )
    assert count == 1
    source.write_text(lost)
    code, said = run_pytest(where)
    assert code == 1 and "expected" in said, said


def test_no_vectors_is_no_pass(tmp_path):
    where = copied_bundle("multiply e2m1 e2m1 -> e2m1", tmp_path)
    (where / "vectors.hex").write_text("// none\n")
    code, said = run_pytest(where)
    assert code == 1 and "got no vectors" in said, said
