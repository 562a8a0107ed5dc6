"""The list of units: what it may say, and that a mistake is named with its line."""

from pathlib import Path

import pytest

from fpgen import FpgenError, UsageError
from fpgen.base.resources import resource_dir
from fpgen.handoff.designs import load

WRONG = {
    "not TOML": ("[[unit]\n", "line 1"),
    "brackets without end": ("x = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    "endless number": ("x = " + "1" * 5000, "too many digits"),
    "empty": ("", "at least one [[unit]]"),
    "unknown key of the file": ('outptu = "x"\n[[unit]]\nunit = "add fp16 fp16 -> fp16"\n', "did you mean output?"),
    "seed of the wrong type": ('seed = "one"\n[[unit]]\nunit = "add fp16 fp16 -> fp16"\n', "a whole number"),
    "unit is no list": ('unit = "add fp16 fp16 -> fp16"\n', "[[unit]] entries"),
    "unknown technology": ('technology = "tsmc3"\n[[unit]]\nunit = "add fp16 fp16 -> fp16"\n', "fpgen45"),
    "entry without unit": ('[[unit]]\nnote = "x"\n', "line 1: unit 1"),
    "unknown operation": (
        '\n[[unit]]\nunit = "ad fp16 fp16 -> fp16"\n',
        "line 2: unit 1: operation: got ad (did you mean add?)",
    ),
    "unknown format": ('[[unit]]\nunit = "add fp16 fp16 -> fp17"\n', "fp17"),
    "second entry": (
        '[[unit]]\nunit = "add fp16 fp16 -> fp16"\n\n[[unit]]\nunit = "add fp16 -> fp16"\n',
        "line 4: unit 2",
    ),
    "same unit twice": (
        '[[unit]]\nunit = "add fp16 fp16 -> fp16"\n[[unit]]\nunit = "add fp16 fp16 -> fp16 rne"\n',
        "line 3: unit 2: got add fp16 fp16 -> fp16 rne, which is unit 1 already",
    ),
    "key of an entry": ('[[unit]]\nunit = "add fp16 fp16 -> fp16"\nvectros = 5\n', "did you mean vectors?"),
    "no vectors": (
        '[[unit]]\nunit = "add fp16 fp16 -> fp16"\nvectors = 0\n',
        "vectors: got 0; expected a number from 1 on",
    ),
    "vectors of the wrong type": ('[[unit]]\nunit = "add fp16 fp16 -> fp16"\nvectors = true\n', "a whole number"),
    "negative target": ('[[unit]]\nunit = "add fp16 fp16 -> fp16"\ntarget = -3.5\n', "a number from 1 on"),
}


@pytest.mark.parametrize("text, part", WRONG.values(), ids=[name.replace(" ", "-") for name in WRONG])
def test_mistakes(text, part, tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load(path)
    assert part in str(caught.value)
    assert "my.toml" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="not found"):
        load(tmp_path / "none.toml")
    with pytest.raises(FpgenError, match="designs file"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(UsageError, match="UTF-8"):
        load(tmp_path / "latin.toml")


def test_the_starter_list_has_what_it_must():
    designs = load(resource_dir("designs") / "starter.toml").designs
    operations = [(design.unit.operation, design.unit.out.name) for design in designs]
    for wanted in (("multiply", "fp16"), ("add", "bf16"), ("fma", "fp32"), ("mac", "fp32"), ("convert", "e4m3fn")):
        assert wanted in operations


def test_the_default_is_the_working_directory_s_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load().path == resource_dir("designs") / "starter.toml"
    (tmp_path / "designs").mkdir()
    (tmp_path / "designs" / "starter.toml").write_text('[[unit]]\nunit = "add e2m1 e2m1 -> e2m1"\n')
    assert [design.unit.text for design in load().designs] == ["add e2m1 e2m1 -> e2m1 rne"]


def test_an_entry_in_either_form(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(
        'seed = 7\nvectors = 10\n[[unit]]\nunit = "add e2m1 e3m2 -> e2m1 rtz"\nnote = "a line"\n'
        '[[unit]]\noperation = "add"\na = "e2m1"\nb = "e3m2"\nout = "e2m1"\nstages = 1\n'
        "vectors = 20\ntarget = 500\n"
    )
    plan = load(path)
    assert (plan.seed, plan.output) == (7, Path("rtl_out"))
    first, second = plan.designs
    assert first.unit.text == "add e2m1 e3m2 -> e2m1 rtz"
    assert (first.note, first.vectors, first.target) == ("a line", 10, None)
    assert (second.unit.text, second.vectors, second.target) == ("add e2m1 e3m2 -> e2m1 rne stages=1", 20, 500)


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text('\ufeff[[unit]]\nunit = "add fp16 fp16 -> fp16"\n', encoding="utf-8")
    assert [str(design.unit) for design in load(path).designs] == ["add fp16 fp16 -> fp16 rne"]
