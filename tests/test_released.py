"""The Verilog in rtl_out/released/ is what fpgen writes: a change of hardware is seen in a diff, and meant."""

import runpy
from pathlib import Path

SCRIPT = runpy.run_path(str(Path(__file__).resolve().parent.parent / "scripts" / "released.py"))


def test_released_verilog_is_current():
    kept = {path.name: path.read_text() for path in SCRIPT["WHERE"].glob("*.v")}
    written = SCRIPT["released"]()
    assert len(written) >= 6
    assert kept == written, "the Verilog of released units changed; `make released`, and look at its diff"
