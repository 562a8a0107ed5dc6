"""What is wrong with a place or a number is said before any work, and nothing is left behind."""

import importlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from fpgen.base.errors import RunFailure, UsageError
from fpgen.base.places import check_directory, check_file
from fpgen.command import cli

UNIT = "multiply e2m1 e2m1 -> e2m1"
ENTRY = f'[[unit]]\nunit = "{UNIT}"\n'
GROUP = f'[[group]]\nname = "g"\nlevel = "slice"\nunits = ["{UNIT}"]\n'
SWEEP = f'unit = "{UNIT} stages={{S}}"\n[parameters]\nS = [1]\n'

PLACES = {
    "a file": "file",
    "below a file": "file/x",
    "a broken link": "broken",
    "in /proc": "/proc/fpgen-x",
    "too long": "x" * 300,
    "a device": "/dev/null",
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine\n")
    Path("broken").symlink_to("nowhere")
    Path("dir").mkdir()
    return tmp_path


@pytest.fixture
def idle(monkeypatch):
    """No simulation, synthesis or process may start."""

    def work(*arguments, **options):
        pytest.fail("the work began")

    for module, name in (
        ("verify.verify", "build"),
        ("verify.replay", "build"),
        ("synthesis.yosys", "run_script"),
        ("handoff.build", "_work_through"),
        ("sweep.local", "each"),
    ):
        monkeypatch.setattr(importlib.import_module(f"fpgen.{module}"), name, work)
    monkeypatch.setattr(importlib.import_module("fpgen.verify.regression").workers, "pool", work)


def rejected(*arguments):
    before = sorted(Path().rglob("*"))
    result = CliRunner().invoke(cli.main, [str(item) for item in arguments])
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stderr.startswith("fpgen: ") and result.stderr.count("\n") == 1, result.stderr
    assert sorted(Path().rglob("*")) == before
    assert Path("file").read_text() == "mine\n"
    return result.stderr


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    "command",
    [
        ["verify", UNIT, "--force", "--keep"],
        ["verify", UNIT, "--waves", "--force", "--keep"],
        ["verify", UNIT, "--replay", "0", "--keep"],
        ["generate", UNIT, "-o"],
        ["run", "my.toml", "--force", "-o"],
        ["sweep", "my-sweep.toml", "--force", "-o"],
    ],
    ids=lambda command: " ".join(command[:1] + command[2:]),
)
def test_a_directory_that_cannot_be(here, idle, command, place):
    Path("my.toml").write_text(ENTRY)
    Path("my-sweep.toml").write_text(SWEEP)
    told = rejected(*command, place)
    assert "expected a directory" in told or ("is a file" in told and place == "file"), told


@pytest.mark.parametrize(
    "place, part",
    [
        ("dir", "a directory; expected a file"),
        ("broken", "a broken link"),
        ("no/such", "there is no directory"),
        ("x" * 300, "that can be written"),
        ("/proc/fpgen-x", "that can be written"),
        ("/dev/null", "not a plain file"),
        ("file", "fpgen did not write"),
    ],
)
def test_a_report_that_cannot_be(here, idle, place, part):
    assert part in rejected("sim", "--report", place)


def test_a_store_s_name_that_is_taken(here, idle):
    Path("my-sweep.toml").write_text(SWEEP)
    Path("out").mkdir()
    Path("out/my-sweep.csv").write_text("a,b\n1,2\n")
    assert "fpgen sweep did not write" in rejected("sweep", "my-sweep.toml", "--force", "-o", "out")
    Path("out/my-sweep.csv").unlink()
    Path("out/my-sweep.csv").mkdir()
    assert "a directory; expected a file" in rejected("sweep", "my-sweep.toml", "--force", "-o", "out")


NUMBERS = [
    ("vectors = 0\n" + ENTRY, "vectors: got 0"),
    ("vectors = 99999999999\n" + ENTRY, "at most 2**32"),
    ("seed = -1\n" + ENTRY, "seed: got -1"),
    (ENTRY + "target = nan\n", "target: got nan"),
    (ENTRY + "target = inf\n", "target: got inf"),
    (ENTRY + "target = -1\n", "target: got -1"),
    (ENTRY + "vectors = 0\n", "vectors: got 0"),
    (ENTRY + "vectors = 99999999999\n", "at most 2**32"),
    ('output = ""\n' + ENTRY, "output: got ''"),
    ('output = "a\\u0000b"\n' + ENTRY, "output: got "),
    (ENTRY + 'module_name = "a b"\n', "module_name: got 'a b'"),
    ('technology = ""\n' + ENTRY, "technology"),
]


@pytest.mark.parametrize("text, part", NUMBERS)
def test_numbers_in_a_designs_file(here, idle, text, part):
    Path("my.toml").write_text(text)
    assert part in rejected("run", "my.toml", "--force")


@pytest.mark.parametrize(
    "text, part",
    [
        ("vectors = 0\n", "vectors: got 0"),
        ("seed = -1\n", "seed: got -1"),
        ("vectors = 99999999999\n", "at most 2**32"),
        ("seed = nan\n", "seed: got nan"),
    ],
)
def test_numbers_in_a_regression_list(here, idle, text, part):
    Path("my.toml").write_text(GROUP + text)
    assert part in rejected("sim", "my.toml", "--force")


@pytest.mark.parametrize(
    "text",
    [
        "targets = [nan]",
        "targets = [-1]",
        "timeout = inf",
        "wire_load = nan",
        "wire_load = -1",
        'technology = ""',
        'engine = " "',
        'recipe = "nope"',
        'power = "gaussian:sigma=nan"',
    ],
)
def test_keys_of_a_sweep(here, idle, text):
    Path("my.toml").write_text(f"{SWEEP}[measure]\n{text}\n")
    key = text.split()[0].removesuffix("s").replace("_", " ")
    assert key in rejected("sweep", "my.toml", "--force").replace("_", " ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", UNIT, "--sampled", "--vectors", "99999999999"],
        ["ppa", UNIT, "--target", "nan"],
        ["ppa", UNIT, "--target", "-inf"],
        ["ppa", UNIT, "--wire-load", "nan"],
        ["ppa", UNIT, "--engine", ""],
        ["ppa", UNIT, "--power", "gaussian:sigma=inf"],
        ["sta", "file", "--liberty", "file", "--load", "-1"],
        ["generate", f"{UNIT} period=nan"],
        ["generate", f"{UNIT} period=inf"],
    ],
    ids=" ".join,
)
def test_options(here, idle, arguments):
    rejected(*arguments)


def test_the_disk_s_own_trouble_is_no_usage(here, monkeypatch):
    def full(**options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fpgen.base.places.tempfile.TemporaryFile", full)
    with pytest.raises(RunFailure, match="No space left"):
        check_directory("keep", Path("new"))
    with pytest.raises(RunFailure, match="No space left"):
        check_file("report", Path("new.md"))
    assert not Path("new").exists() and not Path("new.md").exists()
    with pytest.raises(UsageError, match="null byte"):
        check_directory("output", Path("a\0b"))


def test_evidence_is_kept_and_other_files_are_not_lost(here):
    from fpgen import parse_unit
    from fpgen.base.provenance import sha256_of

    unit = parse_unit("add e2m1 e2m1 -> e2m1 module_name=kept_here")
    Path("dir/kept_here.verdict.json").write_text("my notes\n")
    with pytest.warns(UserWarning, match="kept as kept_here.verdict.json.kept"):
        verdict = unit.verify(keep="dir")
    assert Path("dir/kept_here.verdict.json.kept").read_text() == "my notes\n"
    assert verdict.passed and sha256_of(unit.verilog()) in Path("dir/kept_here.verdict.json").read_text()
