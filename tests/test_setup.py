"""The set-up: the lock, the check before any download, the Makefile."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PREFLIGHT = ROOT / "scripts" / "preflight.sh"

pytestmark = pytest.mark.skipif(not (ROOT / "Makefile").is_file(), reason="not a checkout")


def preflight(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(path)} if path else None
    return subprocess.run(
        ["/bin/sh", str(PREFLIGHT), *arguments], env=environment, capture_output=True, text=True, check=False
    )


def tools(directory: Path, *scripts: tuple[str, str]) -> Path:
    """A directory with nothing but these commands on it."""
    for name, text in scripts:
        (directory / name).write_text(f"#!/bin/sh\n{text}\n")
        (directory / name).chmod(0o755)
    return directory


def test_preflight_is_silent_when_all_is_there():
    done = preflight(sys.executable)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_preflight_names_every_missing_package_in_one_line(tmp_path):
    done = preflight(path=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for package in ("python3", "python3-venv", "libpython3.11", "g++", "make"):
        assert re.search(rf"apt-get install.* {re.escape(package)}( |$)", done.stderr.strip()), package


def test_preflight_misses_only_the_compiler(tmp_path):
    there = tools(tmp_path, ("make", "exit 0"), ("python3", f'exec {sys.executable} "$@"'))
    done = preflight(path=there)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("apt-get install g++")


def test_preflight_misses_venv_and_libpython(tmp_path):
    """As Debian's python3 without python3-venv and libpython3.11."""
    fake = f"""case "$*" in
*ensurepip*) exit 1 ;;
-) cat >/dev/null; exit 1 ;;
*) exec {sys.executable} "$@" ;;
esac"""
    there = tools(
        tmp_path, ("make", "exit 0"), ("g++", "exit 0"), ("python3", fake), ("cat", "while read -r x; do :; done")
    )
    done = preflight(path=there)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"apt-get install python3-venv libpython{version}")


def test_preflight_refuses_an_old_python(tmp_path):
    old = '[ "$1" = --version ] && echo Python 3.9.2 && exit 0; exit 1'
    done = preflight(path=tools(tmp_path, ("make", "exit 0"), ("g++", "exit 0"), ("python3", old)))
    assert done.returncode == 1
    assert "Python 3.9.2; Python 3.11 or later" in done.stderr
    assert done.stderr.count("\n") == 1


def test_preflight_refuses_a_python_that_is_not_there():
    done = preflight("python-of-nowhere")
    assert done.returncode == 1
    assert "PYTHON=python-of-nowhere" in done.stderr


def test_lock_pins_every_dependency_with_hashes():
    lock = (ROOT / "requirements.lock").read_text()
    pinned = {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.M)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(item for extra in extras for item in extra)]
    for requirement in wanted:
        name = re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9_.-]+", requirement)[0]).lower()
        assert name in pinned, requirement
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.M)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


def test_lock_names_no_place_of_its_own():
    """What the lock pins comes from whatever index pip is set to, PyPI by default."""
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"file:|https?://|--(extra-)?index|--find-links|@ ", lock)


def test_ci_runs_lint_and_tests():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert re.search(r"make lint", script.read_text()) and re.search(r"make test", script.read_text())


def test_a_second_set_up_costs_nothing(tmp_path):
    """With the stamp newer than lock and description, make starts nothing."""
    done = subprocess.run(
        ["make", "-n", "-o", "requirements.lock", "-o", "pyproject.toml", "-o", ".venv/.fpgen-ready", "setup"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "pip" not in done.stdout


def test_a_wheel_carries_the_data_files(tmp_path):
    """`pip install` works without a checkout: recipes, test modules and designs are in the wheel."""
    pytest.importorskip("hatchling")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for directory in ("sim", "synth", "designs"):
        for path in (ROOT / directory).rglob("*"):
            if path.suffix in (".py", ".toml"):
                assert f"fpgen/_data/{path.relative_to(ROOT)}" in names
    assert "fpgen/command/cli.py" in names
    assert not any("__pycache__" in name or name.startswith("tests/") for name in names)


def test_every_file_of_the_package_counts_in_its_fingerprint():
    """A cached verdict must not outlive a change of what it comes from: code, or a template of Verilog."""
    from fpgen.base.fingerprint import COUNTED

    of_reports = ROOT / "fpgen" / "report"
    files = [path for path in (ROOT / "fpgen").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    others = {path.name for path in files if path.suffix not in COUNTED and of_reports not in path.parents}
    assert others == {"py.typed"}
    assert any(path.suffix == ".tmpl" for path in files)
