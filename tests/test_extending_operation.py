"""The guide to adding an operation, followed literally in a copy of the package."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "extending" / "operation.md"

_BLOCK = re.compile(r'<!-- (new|append|after "([^"]+)"): (\S+) -->\n```(?:python|text)\n(.*?)```', re.DOTALL)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package with the blocks of the page applied."""
    where = tmp_path_factory.mktemp("square")
    for name in ("fpgen", "sim", "synth", "designs"):
        shutil.copytree(ROOT / name, where / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, where / name)
    (where / "tests").mkdir()
    for what, anchor, place, block in _BLOCK.findall(GUIDE.read_text()):
        path = where / place
        if what == "new":
            assert not path.exists(), f"{place} is no new file"
            path.write_text(block)
        elif what == "append":
            path.write_text(f"{path.read_text()}\n\n{block}")
        else:
            text = path.read_text()
            assert text.count(f"{anchor}\n") == 1, f"{place}: {anchor!r} is there {text.count(anchor)} times"
            path.write_text(text.replace(f"{anchor}\n", f"{anchor}\n{block}"))
    return where


def run(copy: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command], cwd=copy, env={**dict(__import__("os").environ), "PYTHONPATH": str(copy)},
        capture_output=True, text=True,
    )  # fmt: skip


def test_it_takes_six_files():
    assert len({place for _, _, place, _ in _BLOCK.findall(GUIDE.read_text())}) <= 6


def test_the_test_of_the_page_passes(copy):
    done = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "", "tests/test_square.py")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert f"{copy}" in run(copy, "-c", "import fpgen; print(fpgen.__file__)").stdout


def test_what_follows_by_itself(copy):
    program = (
        "import fpgen; unit = fpgen.Square(a='fp16', out='fp16'); print(unit.text); "
        "print(unit.verilog()[:600]); "
        "from fpgen.handoff.datasheet import datasheet_files; print(datasheet_files(unit)['datasheet.md']); "
        "from fpgen.sweep.numerical_error import Accuracy, measure; print(measure(unit, Accuracy(vectors=100)))"
    )
    done = run(copy, "-c", program)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "square fp16 -> fp16 rne" in done.stdout and done.stdout.count("a * a") == 2
    assert "error_rms" in done.stdout
    helped = run(copy, "-m", "fpgen", "generate", "--help").stdout
    assert "the square of a number" in helped


@pytest.mark.parametrize("layer", ["exact", "fast", "hardware", "families"])
def test_a_missing_layer_is_one_sentence(copy, layer):
    program = (
        "import dataclasses, fpgen; from fpgen.units.operations import OPERATIONS; "
        f"OPERATIONS['square'] = dataclasses.replace(OPERATIONS['square'], {layer}=''); "
        "fpgen.parse_unit('square e2m1 -> e2m1').verify(force=True, exhaustive=False)"
    )
    done = run(copy, "-c", program)
    names = {
        "exact": "exact model",
        "fast": "vectorised model",
        "hardware": "datapath",
        "families": "directed families",
    }
    assert (
        done.stderr.strip().splitlines()[-1].startswith(f"fpgen.base.errors.UsageError: square has no {names[layer]}")
    )
