"""Write the Verilog of the released units, those of designs/starter.toml, to rtl_out/released/.

    .venv/bin/python scripts/released.py

They are in the repository to be read without running anything, and so that a change of any hardware shows in a diff;
`tests/test_released.py` checks them against what fpgen writes. Files there that this script did not write, or that were
changed, are renamed to NAME.kept where they are in the way, and otherwise left alone.
"""

import json
from pathlib import Path

from fpgen.base import ownership
from fpgen.handoff.bundle import replaced
from fpgen.handoff.designs import load

ROOT = Path(__file__).resolve().parent.parent
WHERE = ROOT / "rtl_out" / "released"


def released() -> dict[str, str]:
    """File name to text."""
    units = [design.unit for design in load(ROOT / "designs" / "starter.toml").designs]
    return {f"{unit.name}.v": unit.verilog() for unit in units}


def main():
    texts = released()
    with replaced(WHERE, lambda fresh: ownership.merge(fresh, WHERE, print, record=ownership.FILES)) as aside:
        for name, text in texts.items():
            (aside / name).write_text(text, encoding="utf-8", newline="\n")
        digests = {name: ownership.digest_of(aside / name) for name in sorted(texts)}
        (aside / ownership.FILES).write_text(json.dumps({"files": digests}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
