"""Check what a wheel carries against the checkout: nothing is missing, nothing is in it that does not belong.

    .venv/bin/python scripts/check_wheel.py dist/fpgen_rtl-0.1.0-py3-none-any.whl

The package and the data beside it (sim, synth, designs, as fpgen/_data) byte for byte, the licence, the version,
the command. Prints one line for each fault; the exit code is 1 when there is one.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Directory of the checkout to directory of the wheel.
PLACES = {
    "fpgen": "fpgen",
    "sim": "fpgen/_data/sim",
    "synth": "fpgen/_data/synth",
    "designs": "fpgen/_data/designs",
}


def wanted(root: Path = ROOT) -> dict[str, bytes]:
    """Path in the wheel to contents, of all that git tracks there."""
    listed = subprocess.run(["git", "ls-files", "-z", *PLACES], cwd=root, capture_output=True, text=True, check=True)
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        head, _, rest = name.partition("/")
        found[f"{PLACES[head]}/{rest}"] = (root / name).read_bytes()
    return found


def faults(wheel: Path, root: Path = ROOT) -> list[str]:
    """What is wrong with a wheel, a line each."""
    version = runpy.run_path(str(root / "fpgen" / "base" / "version.py"))["__version__"]
    information = f"fpgen_rtl-{version}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    found = []
    if not wheel.name.startswith(f"fpgen_rtl-{version}-"):
        found.append(f"{wheel.name}: got another version than {version} of fpgen/base/version.py")
    expected = wanted(root)
    for name, text in expected.items():
        if name not in inside:
            found.append(f"{name}: missing")
        elif inside[name] != text:
            found.append(f"{name}: differs from the checkout")
    found += [f"{name}: not in git" for name in inside if name not in expected and not name.startswith(information)]
    if f"Version: {version}\n" not in inside.get(f"{information}/METADATA", b"").decode():
        found.append(f"{information}/METADATA: got no version {version}")
    if inside.get(f"{information}/licenses/LICENSE") != (root / "LICENSE").read_bytes():
        found.append(f"{information}/licenses/LICENSE: not the licence of the checkout")
    if b"fpgen = fpgen.command.cli:main" not in inside.get(f"{information}/entry_points.txt", b""):
        found.append(f"{information}/entry_points.txt: got no command fpgen")
    return found


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    found = faults(Path(sys.argv[1]))
    print("\n".join(found) or f"{sys.argv[1]}: whole")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
