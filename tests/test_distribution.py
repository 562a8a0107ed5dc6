"""The distribution's name is not `fpgen`, which on PyPI is another project, and no text sends anybody there."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

from fpgen.base import distribution
from fpgen.command import doctor

ROOT = Path(__file__).resolve().parent.parent
PLACES = (
    "README.md",
    "Makefile",
    "pyproject.toml",
    "docs",
    "fpgen",
    "benchmarks",
    "scripts",
    "sim",
    "synth",
    "rtl_out",
)


def texts():
    for place in map(ROOT.joinpath, PLACES):
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file() and path.suffix in ("", ".md", ".py", ".toml", ".sh", ".j2", ".v"):
                yield path, path.read_text(encoding="utf-8")


@pytest.mark.skipif(not (ROOT / "Makefile").is_file(), reason="not a checkout")
def test_no_text_installs_the_project_that_has_our_name():
    found = [
        (path.name, match.group())
        for path, text in texts()
        for match in re.finditer(r"pip install (-\S+ )*['\"]?fpgen(?![-\w.])|fpgen\[\w+\]", text)
        if path.name != "distribution.py"
    ]
    assert not found


@pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="not a checkout")
def test_the_project_file_has_the_name_that_messages_use():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == distribution.DISTRIBUTION != distribution.STRANGER
    assert list(project["scripts"]) == ["fpgen"]
    extra = next(iter(project["optional-dependencies"]))
    assert distribution.install_extra(extra) == f"pip install '.[{extra}]' from a checkout of fpgen"


def test_the_environment_has_ours_and_not_theirs():
    assert distribution.conflict() == ""
    assert doctor._itself().state == "ok"


def test_doctor_reports_a_stranger_installed_over_it(monkeypatch):
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.3.0" if name == "fpgen" else real(name))
    finding = next(item for item in doctor.examine() if item.tool == "fpgen")
    assert finding.state == "missing" and not doctor.healthy([finding])
    assert "fpgen 1.3.0 (another project)" in finding.remedy and "pip uninstall fpgen" in finding.remedy
