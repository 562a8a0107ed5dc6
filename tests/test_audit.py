"""`fpgen audit`: a bundle as it was written, with changed, missing, foreign and cut-off files."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

import fpgen
from fpgen.base.errors import UsageError
from fpgen.command.cli import main
from fpgen.handoff.audit import audit

UNIT = "multiply e2m1 e2m1 -> e2m1 rne module_name=tiny"
EVIDENCE = {"method": "exhaustive", "vectors": 256, "passed": True}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    unit = fpgen.parse_unit(UNIT)
    return unit.bundle(
        tmp_path_factory.mktemp("audit"), evidence={"method": "exhaustive", "vectors": 256, "passed": True}
    )


@pytest.fixture
def bundle(written, tmp_path):
    return shutil.copytree(written, tmp_path / "copied elsewhere")


def test_a_copy_is_as_it_was_written(bundle):
    found = audit(bundle)
    assert found.passed and found.files > 8 and not found.foreign
    assert found.lines() == [f"as fpgen wrote it: {found.files} files, {fpgen.parse_unit(UNIT).text}"]
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert manifest["command"] == f"fpgen generate '{fpgen.parse_unit(UNIT).text}'"
    assert any(tool.startswith("numpy ") for tool in manifest["tools"])
    assert set(manifest["files"]) == {path.name for path in bundle.iterdir()} - {"manifest.json"}


@pytest.mark.parametrize("name", ["tiny.v", "vectors.hex", "datasheet.md", "evidence.json"])
def test_a_changed_file_is_named(bundle, name):
    (bundle / name).write_text((bundle / name).read_text() + " ")
    found = audit(bundle)
    assert not found.passed and found.changed == (name,) and found.lines()[0] == f"changed: {name}"


def test_a_missing_file_a_link_and_a_foreign_file(bundle):
    (bundle / "tiny.sdc").unlink()
    (bundle / "tiny.core").rename(bundle / "elsewhere")
    (bundle / "tiny.core").symlink_to(bundle / "elsewhere")
    found = audit(bundle)
    assert set(found.missing) == {"tiny.sdc", "tiny.core"} and found.foreign == ("elsewhere",) and not found.changed
    done = CliRunner().invoke(main, ["audit", str(bundle)])
    assert done.exit_code == 1 and "missing: tiny.sdc" in done.output and "not fpgen's: elsewhere" in done.output


def test_evidence_of_other_verilog(bundle):
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["verilog_sha256"] = "0" * 64
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    found = audit(bundle)
    assert not found.passed and found.about_other_verilog == ("evidence.json",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "got no manifest.json; expected a directory that fpgen wrote"),
        ("{", "got text that is not JSON"),
        ('{"unfinished": {}}', "got no list of files"),
        ("[]", "got no list of files"),
    ],
)
def test_no_manifest(tmp_path, text, message):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        audit(tmp_path)


def test_no_directory(tmp_path):
    with pytest.raises(UsageError, match=r"got no directory; expected one with a manifest\.json"):
        audit(tmp_path / "nothing")


def test_the_command_passes(bundle):
    done = CliRunner().invoke(main, ["audit", str(bundle)])
    assert done.exit_code == 0 and done.output.startswith("as fpgen wrote it: ")
