"""A wheel carries the package and its data, whole, and nothing else; and the check of it finds what is wrong."""

import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
CHECK = runpy.run_path(str(ROOT / "scripts" / "check_wheel.py"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling")
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)], cwd=ROOT, check=True)
    return next(place.glob("*.whl"))


def test_the_wheel_is_whole(wheel):
    strays = {f"{name}: not in git" for name in zipfile.ZipFile(wheel).namelist()}
    assert set(CHECK["faults"](wheel)) <= strays, "a file of the wheel is missing or differs"
    assert {"fpgen/__init__.py", "fpgen/_data/synth/rules.toml", "fpgen/report/page.css"} <= set(CHECK["wanted"]())


def test_faults_are_found(wheel, tmp_path):
    broken = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            if name == "fpgen/__main__.py" or name.endswith("entry_points.txt"):
                continue
            target.writestr(name, b"" if name.endswith("rules.toml") else source.read(name))
        target.writestr("tests/test_x.py", "")
    found = CHECK["faults"](broken)
    assert {"fpgen/__main__.py: missing", "fpgen/_data/synth/rules.toml: differs from the checkout"} <= set(found)
    assert "tests/test_x.py: not in git" in found and any("got no command fpgen" in line for line in found)
