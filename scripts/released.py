"""Write the Verilog of the released units, those of designs/starter.toml, to rtl_out/released/.

    .venv/bin/python scripts/released.py

They are in the repository to be read without running anything, and so that a change of any hardware shows in a diff;
`tests/test_released.py` holds them against what fpgen writes.
"""

from pathlib import Path

from fpgen.designs import load

ROOT = Path(__file__).resolve().parent.parent
WHERE = ROOT / "rtl_out" / "released"


def released() -> dict[str, str]:
    """File name to text."""
    units = [design.unit for design in load(ROOT / "designs" / "starter.toml").designs]
    return {f"{unit.name}.v": unit.verilog() for unit in units}


def main():
    WHERE.mkdir(exist_ok=True)
    for old in WHERE.glob("*.v"):
        old.unlink()
    for name, text in released().items():
        (WHERE / name).write_text(text)


if __name__ == "__main__":
    main()
