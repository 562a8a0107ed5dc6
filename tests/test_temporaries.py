"""Half-written files and directories go with their owner's death, at once, and never before."""

import os
import subprocess
import sys
import time

import pytest
from process_cases import LINUX, environment, marked, names, until

from fpgen.base import cache, temporaries

HALF = """
import os, sys, time
from pathlib import Path
from fpgen.base import cache
output = Path(sys.argv[1])

def wait(path):
    (path / "half").write_text("half") if path.is_dir() else path.write_text("half")
    if sys.argv[2] == "die":
        os._exit(9)  # no `finally` runs, as with kill -9
    print("up", flush=True)
    time.sleep(600)

def build():
    cache.publish(cache.cache_dir("builds") / "key", wait)

def scratch():
    with cache.scratch("verify") as where:
        wait(where)

def write():
    os.replace = lambda aside, target: wait(aside)
    cache.write_whole(output / "file", "text")

def replace():
    from fpgen.handoff import bundle
    with bundle.replaced(output / "unit") as aside:
        wait(aside)

def exchange():
    from fpgen.handoff import bundle
    rename, done = os.rename, []
    def renamed(source, target):
        if done:
            wait(source)
        done.append(rename(source, target))
    os.rename = renamed
    with bundle.replaced(output / "unit") as aside:
        (aside / "new").write_text("new")

{kind}()
"""
KINDS = ("build", "scratch", "write", "replace", "exchange")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FPGEN_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "out" / "unit").mkdir(parents=True)
    (tmp_path / "out" / "unit" / "old").write_text("old")
    return tmp_path


def half_written(home, kind, how="die"):
    command = [sys.executable, "-c", HALF.replace("{kind}", kind), str(home / "out"), how]
    return subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)


def left(home):
    return sorted(
        str(path.relative_to(home))
        for path in home.rglob("*")
        if temporaries._NAME.search(path.name) or path.name.startswith("half")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_process_removes_what_a_killed_one_left(home, kind):
    assert half_written(home, kind).wait(60) == 9
    assert left(home)
    cache.sweep()
    assert not left(home)
    assert [path.name for path in (home / "out").iterdir()] == ["unit"]
    assert (home / "out" / "unit" / "old").read_text() == "old"  # also of one killed between two renames
    assert not list((home / "cache" / "owners").iterdir())


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_a_live_process_keeps_its_temporaries(home, kind):
    process = half_written(home, kind, "wait")
    try:
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        before = left(home)
        for path in home.rglob("*"):  # however old they are
            os.utime(path, (1, 1))
        temporaries.clear_old.cache_clear()
        cache.sweep()
        for place in ("out", "cache/work", "cache/builds"):
            temporaries.clear_old(home / place, home / "cache")
        assert before and left(home) == before
    finally:
        process.kill()
        process.wait()
    cache.sweep()
    assert not left(home)


def test_an_orderly_process_leaves_no_journal(home):
    code = "from fpgen.base import cache; cache.write_whole(cache.cache_dir() / 'file', 'text')"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)
    assert sorted(path.name for path in (home / "cache").iterdir()) == ["file", "owners"]
    assert not list((home / "cache" / "owners").iterdir())


def test_another_machines_temporaries_go_after_a_week(home):
    """Its lock may not be seen from here."""
    half_written(home, "build").wait(60)
    (journal,) = (home / "cache" / "owners").iterdir()
    first, rest = journal.read_text().split("\n", 1)
    assert first == temporaries._machine()
    journal.write_text(f"another\n{rest}")
    cache.sweep()
    assert left(home)
    os.utime(journal, (time.time() - temporaries.ABANDONED - 1,) * 2)
    cache.sweep()
    assert not left(home) and not journal.exists()


def test_only_names_that_the_owner_gave_are_removed(home):
    """A journal that was damaged, or written by someone else, names no file of the user's."""
    half_written(home, "build").wait(60)
    (journal,) = (home / "cache" / "owners").iterdir()
    mine = home / "out" / "mine.txt"
    mine.write_text("mine")
    other = home / "out" / ".x.fpgen-0123456789abcdef-1"
    other.write_text("another owner's")
    with journal.open("a") as file:
        file.write(f'["+", "{mine}", null]\n["+", "{other}", null]\n["+"]\nnonsense\n["+", 3')
    cache.sweep()
    assert mine.exists() and other.exists() and not journal.exists()
    assert not list((home / "cache" / "builds").iterdir())


def test_without_locks_age_decides(home, monkeypatch):
    monkeypatch.setattr(temporaries, "fcntl", None)
    journal = temporaries._Journal(home / "cache")
    path = journal.fresh(home / "out", ".x.")
    path.write_text("half")
    journal.add(path, None)
    temporaries.sweep(home / "cache")
    assert path.exists()
    os.utime(home / "cache" / "owners" / journal.token, (1, 1))
    temporaries.sweep(home / "cache")
    assert not path.exists()


def test_a_journal_that_is_being_made_is_let_alone(home):
    owners = cache.cache_dir("owners")
    (owners / "0123456789abcdef").touch()
    cache.sweep()
    assert list(owners.iterdir())
    os.utime(owners / "0123456789abcdef", (time.time() - 2 * temporaries._YOUNG,) * 2)
    cache.sweep()
    assert not list(owners.iterdir())


def test_a_journal_does_not_grow(home):
    for number in range(50):
        cache.write_whole(cache.cache_dir() / str(number), "text")
    journal = temporaries._journals[(home / "cache", os.getpid())]
    assert (home / "cache" / "owners" / journal.token).stat().st_size == journal._start


def test_a_cache_that_cannot_be_written_hinders_nobody(home, monkeypatch):
    (home / "file").write_text("in the way")
    monkeypatch.setenv("FPGEN_CACHE_DIR", str(home / "file" / "cache"))
    cache.write_whole(home / "out" / "text", "text")
    assert (home / "out" / "text").read_text() == "text" and not left(home)


@LINUX
def test_kill_minus_nine_of_a_run(tmp_path):
    """Compilers went on, and their temporaries stayed for a week."""
    (tmp_path / "my.toml").write_text('[[unit]]\nunit = "multiply fp16 fp16 -> fp16"\n')
    mark = f"FPGEN_CACHE_DIR={tmp_path / 'cache'}"
    env = environment(FPGEN_CACHE_DIR=str(tmp_path / "cache"))
    run = subprocess.Popen(
        [sys.executable, "-m", "fpgen", "run", "my.toml"],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: "cc1plus" in names(marked(mark)) or run.poll() is not None)
        assert run.poll() is None
        run.kill()
        run.wait()
        until(lambda: not marked(mark), 20)
    finally:
        run.kill()
    assert list((tmp_path / "cache").rglob(".tmp-*"))
    subprocess.run([sys.executable, "-c", "from fpgen.base import cache; cache.sweep()"], env=env, check=True)
    assert not [path for path in (tmp_path / "cache").rglob("*") if temporaries._NAME.search(path.name)]
