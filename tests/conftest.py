"""Long lists of cases: `make test` runs some of each, `make sim-full` all of them.

``@pytest.mark.turns(n)`` above a parametrised test leaves about every n-th case in `make test`, chosen by a hash of its
name, so that every value of every parameter has its turn somewhere; the others are marked `full`. (`tests/portions.py`
is for slices that a test chooses itself.) `pytest -m "full or not full"` runs everything.
"""

from __future__ import annotations

import zlib
from collections import defaultdict

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    lists = defaultdict(list)
    for item in items:
        marker = item.get_closest_marker("turns")
        if marker is not None and item.get_closest_marker("full") is None:
            lists[item.nodeid.partition("[")[0], marker.args[0]].append(item)
    for (_, step), cases in lists.items():
        ordered = sorted(cases, key=lambda item: zlib.crc32(item.name.encode()))
        for item in ordered[-(-len(ordered) // step) :]:
            item.add_marker(pytest.mark.full)
