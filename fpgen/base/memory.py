"""Arrays against the memory of this machine, before numpy tries: an allocation beyond it may even succeed."""

from __future__ import annotations

import math
import os

from .errors import UsageError


def check_room(what: str, shape: tuple[int, ...], itemsize: int) -> None:
    """Raise a UsageError where an array of `shape`, `itemsize` bytes an element, has more bytes than the machine."""
    size, room = math.prod(shape) * itemsize, _memory()
    if room is not None and size > room:
        raise UsageError(
            f"{what}: got an array of {shape}, {size / 2**30:,.0f} GiB; expected at most the "
            f"{room / 2**30:,.0f} GiB of memory that this machine has"
        )


def _memory() -> int | None:
    """Bytes of physical memory, where the system says it."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
