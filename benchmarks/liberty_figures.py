"""How long Liberty files take to read: the figures of `docs/technology.md`.

    python -m benchmarks.liberty_figures FILE.lib.gz ...

prints for each file its size unpacked, its cells, and CPU seconds of one core: to unpack and parse it (timing only, and
with power tables), to have it from the cache, and to write the text that Yosys and ABC get (once a library), with
the size of that.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from fpgen.base.errors import FpgenError, UsageError
from fpgen.library import liberty, liberty_write


def _seconds(do: Callable[[], Any]) -> float:
    start = time.process_time()
    do()
    return time.process_time() - start


def figures(path: str) -> tuple[float, int, float, float, float, float, float]:
    """MB unpacked, cells, and seconds: parsed, parsed with power, from the cache, written; MB written.

    Raises
    ------
    UsageError, RunFailure
        As `fpgen.library.liberty.load`.
    """
    library = liberty.load(path)  # and into the cache
    cached = _seconds(lambda: liberty.load(path))

    def parse(power: bool) -> None:
        liberty.from_text(liberty.read_bytes(path).decode(errors="replace"), path, power=power)

    return (
        len(liberty.read_bytes(path)) / 1e6,
        len(library.cells),
        _seconds(lambda: parse(False)),
        _seconds(lambda: parse(True)),
        cached,
        _seconds(lambda: liberty_write.to_text(library)),
        len(liberty_write.to_text(library).encode()) / 1e6,
    )


def main(arguments: list[str]) -> int:
    """The command; returns the exit code."""
    if not arguments:
        print("usage: python -m benchmarks.liberty_figures FILE ...", file=sys.stderr)
        return 2
    print(
        f"{'library':40} {'MB':>6} {'cells':>5} {'timing s':>9} {'power s':>8} {'cached s':>8} {'write s':>8} {'MB':>6}"
    )
    try:
        for path in arguments:
            size, cells, timing, power, cached, write, written = figures(path)
            print(
                f"{path.rsplit('/', 1)[-1]:40} {size:6.1f} {cells:5} {timing:9.2f} {power:8.2f} {cached:8.3f} "
                f"{write:8.2f} {written:6.1f}"
            )
    except FpgenError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
