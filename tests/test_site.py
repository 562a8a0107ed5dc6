"""The pages as a site: every page has its place, every public name its entry, and a broken link fails the build."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import fpgen

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
CONFIG = (ROOT / "mkdocs.yml").read_text()

SMALL = """site_name: small
use_directory_urls: false
{validation}
nav: [index.md, other.md]
"""


def test_every_page_is_in_the_navigation_once():
    listed = re.findall(r"^ +- (?:[\w -]+: )?(\S+\.md)$", CONFIG[CONFIG.index("\nnav:") :], re.M)
    assert sorted(listed) == sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def test_concepts_come_first_and_the_reference_last():
    assert re.findall(r"^  - ([A-Z][\w-]+):$", CONFIG, re.M) == ["Concepts", "How-to", "Reference", "Evidence"]


def test_every_public_name_is_in_the_reference():
    text = "".join(path.read_text() for path in (DOCS / "reference").glob("*.md"))
    entries = set(re.findall(r"^::: fpgen\.(\w+)$", text, re.M))
    assert entries == set(fpgen.__all__) - {"__version__"}


def test_nothing_comes_from_the_network():
    assert re.search(r"^  font: false$", CONFIG, re.M)
    assert not re.search(r"https?://|extra_javascript|extra_css", CONFIG)


def test_lint_builds_the_site_so_that_warnings_count():
    makefile = (ROOT / "Makefile").read_text()
    command = re.search(r"^DOCS := (.*)$", makefile, re.M)[1]
    assert "build --strict" in command and not re.search(r" -q|--quiet", command)
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.M)[1]
    assert "$(DOCS)" in lint


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("[other](other.md#there)", None),
        ("[other](othr.md)", "contains a link 'othr.md', but the target is not found"),
        ("[other](other.md#nowhere)", "does not contain an anchor '#nowhere'"),
        ("![plot](plot.png)", "contains a link 'plot.png', but the target is not found"),
    ],
)
def test_a_broken_link_fails(tmp_path, page, complaint):
    """The rules of our mkdocs.yml on a site of two pages."""
    pytest.importorskip("mkdocs")
    rules = re.search(r"^validation:\n(?:  .*\n)+", CONFIG, re.M)[0]
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(page + "\n")
    (tmp_path / "docs" / "other.md").write_text("# Other\n\n## There\n")
    (tmp_path / "mkdocs.yml").write_text(SMALL.format(validation=rules))
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == (0 if complaint is None else 1)
    assert complaint is None or complaint in done.stderr
