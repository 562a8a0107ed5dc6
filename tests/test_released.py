"""The bundles in rtl_out/released/ are what fpgen writes: a change of any file is seen in a diff, and meant."""

import runpy
import shutil
from pathlib import Path

import pytest

from fpgen.base.ownership import digest_of
from fpgen.handoff.audit import audit
from fpgen.handoff.bundle import write_bundle
from fpgen.handoff.designs import load

SCRIPT = runpy.run_path(str(Path(__file__).resolve().parent.parent / "scripts" / "released.py"))
WHERE, LIMIT = SCRIPT["WHERE"], SCRIPT["LIMIT"]
DESIGNS = {design.unit.name: design for design in load(SCRIPT["DESIGNS"]).designs}


def test_there_are_twelve():
    assert len(DESIGNS) == 12 == len(load(SCRIPT["DESIGNS"]).designs)
    assert {path.name for path in WHERE.iterdir() if path.is_dir()} == set(DESIGNS)


@pytest.mark.parametrize("name", DESIGNS)
def test_it_is_written_again_byte_for_byte(name, tmp_path):
    """Small files and large ones by their digests; the evidence is carried over, since its Verilog is the same."""
    kept, again = WHERE / name, tmp_path / name
    shutil.copytree(kept, again)
    write_bundle(DESIGNS[name].unit, tmp_path, note=DESIGNS[name].note, progress=pytest.fail)
    manifest, found = SCRIPT["manifest_of"](kept)["files"], SCRIPT["manifest_of"](again)["files"]
    changed = [file for file, digest in found.items() if manifest.get(file) != digest]
    assert not changed, f"{name}: {', '.join(changed)} changed; run scripts/released.py, and look at its diff"
    assert {file for file in manifest if file not in found} <= {f"{name}.mapped.v", f"{name}.cells.v"}
    assert {"evidence.json", "ppa.json"} <= set(found)
    for file, digest in manifest.items():
        if (kept / file).exists():
            assert digest_of(kept / file) == digest
        else:
            assert file not in found or not SCRIPT["is_kept"](file, (again / file).stat().st_size, name)
    checked = audit(kept)
    assert not checked.changed and not checked.foreign
    assert set(checked.missing) == {file for file in manifest if not (kept / file).exists()}


def test_what_is_not_the_script_s_own_is_kept(tmp_path):
    built, target = tmp_path / "built", tmp_path / "released" / "tiny"
    write_bundle(DESIGNS["convert_fp32_to_e4m3fn"].unit, built)
    SCRIPT["keep"](built / "convert_fp32_to_e4m3fn", target)
    (target / "mine.v").write_text("// mine\n")
    (target / "unit.toml").write_text("# edited\n")
    SCRIPT["keep"](built / "convert_fp32_to_e4m3fn", target)
    assert (target / "mine.v").read_text() == "// mine\n" and (target / "unit.toml.kept").read_text() == "# edited\n"
    assert (target / "unit.toml").read_bytes() == (built / "convert_fp32_to_e4m3fn" / "unit.toml").read_bytes()
