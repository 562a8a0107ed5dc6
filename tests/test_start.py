"""What a person waits for at every command: `--help` and `formats` load neither numpy nor a simulator."""

import subprocess
import sys

import pytest

CHECK = """
import sys
from fpgen.command.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code
print([name for name in ("numpy", "amaranth", "scipy", "cocotb", "matplotlib") if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["formats"], ["formats", "e4m3fn"], ["accumulators"], ["run", "-h"]])
def test_nothing_heavy_is_loaded(arguments):
    done = subprocess.run([sys.executable, "-c", CHECK, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout and done.stderr == "[]\n"


def test_emulate_is_there_on_first_use():
    check = (
        "import sys, fpgen; assert 'numpy' not in sys.modules; assert 'emulate' in dir(fpgen); "
        "from fpgen import emulate; assert fpgen.emulate is emulate; assert not hasattr(fpgen, 'emulat')"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
