"""The regression list, and running one."""

import pytest

from fpgen.base.errors import UsageError
from fpgen.formats import CATALOGUE
from fpgen.verify.lists import load_groups
from fpgen.verify.regression import markdown, run_regression


def test_the_full_list_covers_what_it_must():
    texts = {unit.text for group in load_groups(level="full") for unit in group.units}
    small = [name for name, entry in CATALOGUE.items() if entry.format.bits <= 8]
    for name in small:
        assert f"multiply {name} {name} -> {name} port flags=on" in texts
        assert f"add {name} {name} -> {name} port flags=on subtract=port" in texts
        assert f"multiply {name} {name} -> {name} srb random_bits=3 flags=on" in texts
    for source, entry in CATALOGUE.items():
        if entry.format.bits <= 16:
            assert all(f"convert {source} -> {out} port flags=on" in texts for out in CATALOGUE)
    for name in ("fp16", "bf16", "tf32", "fp32", "fp64"):
        assert f"fma {name} {name} {name} -> {name} port flags=on" in texts


def test_the_slice_is_part_of_the_full_list():
    names = [group.name for group in load_groups(level="full")]
    assert [group.name for group in load_groups(level="slice")] == names[: len(load_groups(level="slice"))]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("group = 3 +", "TOML"),
        ("[[group]]\nname = 'x'\nunit = []", "key: got unit"),
        ("[[group]]\nname = 'x'\nlevel = 'slice'\nunits = ['multiply fp99 fp16 -> fp16']", "format: got fp99"),
        ("[[group]]\nname = 'x'\nlevel = 'slice'\npattern = ['convert {f} -> fp16']\nover.f = 'some'", "all<=N"),
        ("", "no unit"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(tmp_path, text, says):
    path = tmp_path / "list.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=says):
        load_groups(path)


def test_a_list_is_run_and_reported(tmp_path):
    path = tmp_path / "list.toml"
    path.write_text(
        "[[group]]\nname = 'small'\nlevel = 'slice'\npattern = ['convert {f} -> e2m1 port']\n"
        "over.f = ['e3m2', 'e2m3']\n"
    )
    told = []
    found = run_regression(path=path, progress=lambda rows, done, total: told.append((done, total)))
    assert found.passed and len(found.rows) == 2 and found.vectors == 2 << 9 and told[-1] == (2, 2)
    page = markdown(found)
    assert "| small | 2 | 1,024 | 2 exhaustive | passed |" in page


def test_a_group_with_held_inputs_says_what_was_exhaustive(tmp_path):
    path = tmp_path / "list.toml"
    path.write_text(
        "[[group]]\nname = 'held'\nlevel = 'slice'\nfixed.c = [0, 0x3c00]\n"
        "units = ['dot e2m1 e2m1 n=1 + fp16 -> fp16']\n"
    )
    found = run_regression(path=path)
    assert found.passed and found.vectors == 2 << 8
    page = markdown(found)
    assert "| held | 1 | 512 | 1 exhaustive over a, b; 2 values of c | passed |" in page
