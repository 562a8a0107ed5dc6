"""The cache directory: private directories go, whatever way their process ended."""

import os
import time

from fpgen.base import cache


def test_scratch_clears_what_killed_processes_left(tmp_path, monkeypatch):
    """`kill -9` of a sweep left two directories of Yosys in the cache for ever."""
    monkeypatch.setenv("FPGEN_CACHE_DIR", str(tmp_path))
    cache.temporaries.clear_old.cache_clear()
    old, young = cache.cache_dir("work", "yosys-old"), cache.cache_dir("work", "yosys-young")
    (old / "run.ys").write_text("left")
    long_ago = time.time() - 8 * 86_400
    os.utime(old, (long_ago, long_ago))
    with cache.scratch("yosys") as mine:
        assert mine.is_dir() and young.is_dir() and not old.exists()
    assert not mine.exists() and young.is_dir()
