"""What `kill -9` of `fpgen run` leaves behind: processes that go on, and temporaries in the cache and the output.

    python benchmarks/kill_run.py [--times 8] [LIST.toml]

Each time a run starts with an empty cache (Yosys's compiled module aside, unless --cold) and is killed while it
compiles simulations. Counted are: processes that still run a second later; temporaries then; and temporaries after
another fpgen process has done something small with the same cache.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DESIGNS = Path(__file__).resolve().parents[1] / "designs" / "starter.toml"


def alive(mark: str) -> list[str]:
    """Names of the live processes whose environment has `mark`."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            ended = (place / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if mark.encode() in (place / "environ").read_bytes() and not ended:
                found.append((place / "comm").read_text().strip())
        except OSError:
            continue
    return sorted(found)


def temporaries(*places: Path) -> list[str]:
    """What has the name of a temporary below these directories."""
    found = [
        path
        for place in places
        for path in place.rglob("*")
        if path.name.startswith((".tmp-", ".compiling-", ".old."))
        or path.parent.name == "work"
        or (path.parent == places[-1] and path.name.startswith("."))
    ]
    return sorted(str(path.name) for path in found)


def once(designs: Path, cold: bool) -> tuple[list[str], list[str], list[str]]:
    root = Path(tempfile.mkdtemp(prefix="fpgen-kill-"))
    try:
        cache, output = root / "cache", root / "out"
        environment = {**os.environ, "FPGEN_CACHE_DIR": str(cache)}
        if cold:
            environment["YOWASP_CACHE_DIR"] = str(root / "yowasp")
        mark = f"FPGEN_CACHE_DIR={cache}"
        command = [sys.executable, "-m", "fpgen"]
        run = subprocess.Popen(
            [*command, "run", str(designs), "-o", str(output), "--force"],
            env=environment,
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 120
        while "cc1plus" not in alive(mark) and run.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(random.uniform(0.5, 4.0))
        run.send_signal(signal.SIGKILL)
        run.wait()
        time.sleep(1.0)
        going, left = alive(mark), temporaries(cache, output)
        while alive(mark):
            time.sleep(0.2)
        subprocess.run(
            [*command, "ppa", "add e2m1 e2m1 -> e2m1", "--no-prove"],
            env=environment,
            cwd=root,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return going, left, temporaries(cache, output)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("designs", nargs="?", type=Path, default=DESIGNS)
    parser.add_argument("--times", type=int, default=8)
    parser.add_argument("--cold", action="store_true", help="Yosys's module is compiled as well")
    given = parser.parse_args()
    if not given.cold and "YOWASP_CACHE_DIR" not in os.environ:
        from fpgen.base.cache import cache_dir
        from fpgen.synthesis import yosys

        yosys.warm(yosys.select())
        os.environ["YOWASP_CACHE_DIR"] = str(cache_dir("yowasp"))
    random.seed(1)
    for number in range(given.times):
        going, left, later = once(given.designs, given.cold)
        print(
            f"{number + 1}: {len(going)} processes go on ({', '.join(going) or 'none'}); {len(left)} temporaries, "
            f"{len(later)} after the next start",
            flush=True,
        )


if __name__ == "__main__":
    main()
