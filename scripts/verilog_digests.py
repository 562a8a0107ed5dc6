"""Digests of the Verilog of every unit in the regression lists, without comments: what a refactoring must not change.

    python scripts/verilog_digests.py --write before.json    # on the commit before
    python scripts/verilog_digests.py --check before.json    # on the commit after: 1 if any unit differs

Comments do not count: header formulas and section titles may be reworded. Units that only one side has are reported.
"""

import argparse
import hashlib
import json
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import fpgen
from fpgen.handoff.designs import load
from fpgen.verify.lists import load_groups

ROOT = Path(__file__).resolve().parent.parent
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def without_comments(text: str) -> str:
    """Verilog without comments, trailing blanks and empty lines. fpgen's Verilog has no strings and escaped names."""
    lines = (line.rstrip() for line in _COMMENT.sub("", text).split("\n"))
    return "\n".join(line for line in lines if line)


def digest(text: str) -> tuple[str, str]:
    """The unit's line and the SHA-256 of its Verilog, or the first line of the error that it ends in."""
    try:
        body = without_comments(fpgen.parse_unit(text).verilog())
    except fpgen.FpgenError as error:
        return text, f"error: {str(error).splitlines()[0]}"
    return text, hashlib.sha256(body.encode()).hexdigest()


def digests(jobs: int) -> dict[str, str]:
    """Of all units in `sim/` (slice and full) and in `designs/starter.toml`."""
    units = [unit for group in load_groups(level="full") for unit in group.units]
    units += [design.unit for design in load(ROOT / "designs" / "starter.toml").designs]
    texts = sorted({unit.text for unit in units})
    with ProcessPoolExecutor(jobs) as pool:
        return dict(pool.map(digest, texts, chunksize=8))


def main() -> int:
    """Exit code 0 when nothing changed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", type=Path, metavar="FILE")
    what.add_argument("--check", type=Path, metavar="FILE")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    found = digests(given.jobs)
    if given.write:
        given.write.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n")
        print(f"{len(found)} units written to {given.write}")
        return 0
    before = json.loads(given.check.read_text())
    changed = sorted(text for text in found.keys() & before.keys() if found[text] != before[text])
    for text in changed:
        print(f"changed: {text}")
    for text in sorted(before.keys() - found.keys()):
        print(f"gone: {text}")
    print(
        f"{len(found.keys() & before.keys())} units compared, {len(changed)} changed, "
        f"{len(before.keys() - found.keys())} gone, {len(found.keys() - before.keys())} new"
    )
    return 1 if changed or before.keys() - found.keys() else 0


if __name__ == "__main__":
    sys.exit(main())
