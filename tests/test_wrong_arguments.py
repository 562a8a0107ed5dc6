"""Calls with arguments of the wrong type, and text with line ends: one line of fpgen's own, whatever was called."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import fpgen
from fpgen.base.errors import FpgenError, UsageError
from fpgen.command import cli
from fpgen.handoff import designs
from fpgen.library import technology
from fpgen.report import page
from fpgen.sweep import spec, store
from fpgen.synthesis import recipe
from fpgen.timing import netlist, sta
from fpgen.verify.regression import run_regression

UNIT = fpgen.parse_unit("multiply e2m1 e2m1 -> e2m1")
NO_PATHS = [None, 3, b"x", "a\0b", ["a"]]
TAKE_PATHS = {
    "bundle": lambda path: UNIT.bundle(path),
    "export": lambda path: UNIT.export(path, "orfs"),
    "sta netlist": lambda path: netlist.read_file(path),
    "sta liberty": lambda path: sta.run("x.v", path),
    "verify keep": lambda path: UNIT.verify(keep=path),
    "designs": lambda path: designs.load(path),
    "sweep": lambda path: spec.load(path),
    "store": lambda path: store.read(path),
    "regression": lambda path: run_regression("slice", path=path),
}
NONE_IS_DEFAULT = {"verify keep", "designs", "regression"}


@pytest.mark.parametrize("given", NO_PATHS, ids=repr)
@pytest.mark.parametrize("name", TAKE_PATHS)
def test_what_is_no_path(name, given):
    if given is None and name in NONE_IS_DEFAULT:
        pytest.skip("None means the default")
    with pytest.raises(UsageError, match=r"got .*; expected a path, as text or pathlib\.Path") as caught:
        TAKE_PATHS[name](given)
    assert str(caught.value).isprintable()


WRONG = {
    "vectors": lambda: UNIT.verify(vectors="x"),
    "simulator": lambda: UNIT.verify(simulator=3),
    "recipe": lambda: UNIT.ppa(recipe=3),
    "technology": lambda: UNIT.ppa(technology=3),
    "timeout": lambda: UNIT.ppa(timeout="x"),
    "timeout in a list": lambda: UNIT.ppa(timeout=[1]),
    "seed": lambda: UNIT.verify(seed=None),
    "seed of text": lambda: UNIT.verify(seed="1"),
    "unit": lambda: fpgen.parse_unit(None),
    "format": lambda: fpgen.parse_format(3),
    "table": lambda: fpgen.unit_from_dict(None),
    "flow": lambda: UNIT.export("x", ["orfs"]),
    "platform": lambda: UNIT.export("x", "orfs", platform=3),
    "operands": lambda: UNIT.compute(None, None),
    "records": lambda: page.write([{"status": "ok"}], Path("x"), store="s"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_types(name):
    with pytest.raises(FpgenError) as caught:
        WRONG[name]()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("evil", ["a\nb", "a\rb", "a\x1b[31mb", "a\tb", "a\0b", "a\u2028b", "a\x85b"], ids=ascii)
@pytest.mark.parametrize(
    "call",
    [
        fpgen.parse_unit,
        fpgen.parse_format,
        technology.load,
        recipe.load,
        lambda text: fpgen.parse_unit(f"multiply {text} fp16 -> fp16"),
        lambda text: fpgen.parse_unit(f"mul{text} fp16 -> fp16"),
        lambda text: fpgen.parse_unit(f"add fp16 fp16 -> fp16 subtract={text}"),
        lambda text: fpgen.parse_unit(f"dot fp16 fp16 n=4 -> fp16 accumulate={text}"),
        lambda text: fpgen.unit_from_dict({"operation": text}),
        lambda text: UNIT.verify(replay=text),
        lambda text: run_regression(text),
        lambda text: store.read(Path(text)),
        lambda text: designs.load(Path(text)),
    ],
)
def test_messages_are_one_line(call, evil):
    with pytest.raises(FpgenError) as caught:
        call(evil)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "arguments",
    [
        ["doctor", "a\nb"],
        ["formats", "fp16", "a\nb"],
        ["--a\nb"],
        ["verify", "add e2m1 e2m1 -> e2m1", "--seed", "1\nx"],
        ["generate", "add e2m1 e2m1 -> e2m1", "-o", "/proc/a\nb"],
    ],
    ids=repr,
)
def test_messages_of_the_command_line_are_one_line(arguments):
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code in (1, 2)
    assert result.stderr.removesuffix("\n").isprintable(), result.stderr


@pytest.mark.parametrize("operand", [np.uint64, np.uint8])
@pytest.mark.parametrize("unit", ["multiply fp64 fp64 -> fp64", "dot fp64 fp64 n=2 -> fp64"])
def test_operands_larger_than_memory(unit, operand):
    """A broadcast takes no memory itself; the result would."""
    shape = (1 << 38, 2) if unit.startswith("dot") else (1 << 38,)
    huge = np.broadcast_to(operand(1), shape)
    with pytest.raises(UsageError, match=r"a: got an array of .*2748779069.* GiB; expected at most"):
        fpgen.parse_unit(unit).compute(huge, huge)


def test_operands_that_broadcast_to_more_than_memory():
    a, b = np.broadcast_to(np.uint8(1), (1 << 20, 1)), np.broadcast_to(np.uint8(1), (1, 1 << 20))
    with pytest.raises(UsageError, match=r"a: got an array of \(1048576, 1048576\), 1,024 GiB; expected at most"):
        UNIT.compute(a, b)


def test_technology_that_is_nearly_there():
    with pytest.raises(UsageError, match=r"got 'fpgen54' .did you mean fpgen45"):
        technology.load("fpgen54")
