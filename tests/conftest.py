"""Long lists of cases: `make test` runs some of each, `make sim-full` all of them.

``@pytest.mark.turns(n)`` above a parametrised test leaves about every n-th case in `make test`, chosen by a hash of its
name, so that every value of every parameter has its turn somewhere; the others are marked `full`. (`tests/portions.py`
is for slices that a test chooses itself.) `pytest -m "full or not full"` runs everything.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from pathlib import Path

import pytest

#: Files whose tests share something that takes long to make: with ``--dist loadgroup`` one worker has all of them.
ONE_WORKER = {
    *("test_cell_models", "test_extending_operation", "test_handoff_downstream", "test_power", "test_power_glitches"),
    *("test_register_options", "test_verify_arrays", "test_verify_units", "test_wheel"),
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    lists = defaultdict(list)
    for item in items:
        marker = item.get_closest_marker("turns")
        if marker is not None and item.get_closest_marker("full") is None:
            lists[item.nodeid.partition("[")[0], marker.args[0]].append(item)
    for item in items:
        if Path(item.path).stem in ONE_WORKER:
            item.add_marker(pytest.mark.xdist_group(Path(item.path).stem))
    for (_, step), cases in lists.items():
        ordered = sorted(cases, key=lambda item: zlib.crc32(item.name.encode()))
        for item in ordered[-(-len(ordered) // step) :]:
            item.add_marker(pytest.mark.full)
