"""Keep the bundles of designs/released.toml in rtl_out/released/.

    .venv/bin/python scripts/released.py BUILT    # those that `fpgen run designs/released.toml -o BUILT` wrote
    .venv/bin/python scripts/released.py          # those that are there, written again where their Verilog is the same

They are in the repository to be read and used without running anything, and so that a change of any of them shows in a
diff; `tests/test_released.py` checks them against what fpgen writes. Of files larger than `LIMIT` there is only the
SHA-256, in each `manifest.json`; the unit's Verilog is always there. Files that this script did not write, or that were
changed, are renamed to NAME.kept where they are in the way, and otherwise left alone.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from fpgen.base import ownership
from fpgen.handoff.bundle import replaced, write_bundle
from fpgen.handoff.designs import load

ROOT = Path(__file__).resolve().parent.parent
WHERE = ROOT / "rtl_out" / "released"
DESIGNS = ROOT / "designs" / "released.toml"
#: In bytes.
LIMIT = 200_000


def is_kept(name: str, size: int, unit_name: str) -> bool:
    """Whether a file of a bundle is in the repository."""
    return size <= LIMIT or name == f"{unit_name}.v"


def write_again(where: Path) -> None:
    """Write every bundle to `where`, with the evidence of the kept one if that is of the same Verilog."""
    for design in load(DESIGNS).designs:
        if (WHERE / design.unit.name).is_dir():
            shutil.copytree(WHERE / design.unit.name, where / design.unit.name)
        write_bundle(design.unit, where, note=design.note, progress=lambda line: None)


def manifest_of(bundle: Path) -> dict:
    return json.loads((bundle / ownership.RECORD).read_text(encoding="utf-8"))


def keep(built: Path, target: Path) -> None:
    """Take over a bundle, but for what is too large."""
    manifest = manifest_of(built)
    with replaced(target, lambda fresh: ownership.merge(fresh, target, print)) as aside:
        for name in manifest["files"]:
            file = built / name
            if file.exists() and is_kept(name, file.stat().st_size, target.name):
                shutil.copyfile(file, aside / name)
        shutil.copyfile(built / ownership.RECORD, aside / ownership.RECORD)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        if len(sys.argv) == 1:
            write_again(built)
        for design in load(DESIGNS).designs:
            target = WHERE / design.unit.name
            if len(sys.argv) == 1 and target.is_dir():
                with_old_evidence(built / target.name, target)
            keep(built / target.name, target)
            print(f"kept: {target.relative_to(ROOT)}")


def with_old_evidence(built: Path, target: Path) -> None:
    """Give a bundle that was written again the digests of evidence that is too large to be kept."""
    old, new = manifest_of(target), manifest_of(built)
    if old["verilog_sha256"] != new["verilog_sha256"]:
        raise SystemExit(f"{target.name}: the Verilog has changed, so its evidence must be renewed: make released")
    files = {name: digest for name, digest in old["files"].items() if name.endswith((".mapped.v", ".cells.v"))}
    new = {**old, "files": {**files, **new["files"]}}
    (built / ownership.RECORD).write_text(json.dumps(new, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
