"""Every benchmark of this directory, one after another: ``python -m benchmarks [names]``.

A benchmark is a file ``bench_<name>.py`` with a ``main()`` that prints its table and returns an exit code.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    files = {file.stem.removeprefix("bench_"): file for file in sorted(Path(__file__).parent.glob("bench_*.py"))}
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(f"{__doc__}\nThere are {', '.join(files)}; benchmarks/bench_NAME.py --help says what each measures.")
        return 0
    names = sys.argv[1:] or list(files)
    unknown = [name for name in names if name not in files]
    if unknown:
        print(f"benchmark {', '.join(unknown)}; there are {', '.join(files)}", file=sys.stderr)
        return 2
    codes = []
    for name in names:
        print(f"== {name}", flush=True)
        codes.append(subprocess.run([sys.executable, str(files[name])]).returncode)
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
