"""Reading regression lists: patterns, sets of formats, and what is refused."""

import pytest

import fpgen
from fpgen.base.errors import UsageError
from fpgen.formats import BLOCKS, CATALOGUE
from fpgen.units import PRESETS
from fpgen.units.quantize import policies_of
from fpgen.vectors.stimulus import plan
from fpgen.verify.lists import load_groups

WRONG = {
    "group is no list": ("group = 3", "[[group]] entries"),
    "unknown key at the top": ("foo = 3", "key: got foo"),
    "unknown key in a group": ('[[group]]\nunit = ["x"]', "did you mean units"),
    "variable that over lacks": (
        '[[group]]\npattern = ["multiply {f} {f} -> {g}"]\nover.f = ["fp16"]',
        "got g; expected names in over: f",
    ),
    "vectors no number": ('[[group]]\nvectors = "many"\nunits = ["convert fp16 -> e4m3"]', "a whole number"),
    "no vectors": ('[[group]]\nvectors = 0\nunits = ["convert fp16 -> e4m3"]', "a positive number"),
    "units a text": ('[[group]]\nunits = "convert fp16 -> e4m3"', "a list"),
    "unit no text": ("[[group]]\nunits = [3]", "got 3; expected text"),
    "unit that is none": ('[[group]]\nunits = ["divide fp16 fp16 -> fp16"]', "divide"),
    "set of formats that is none": ('[[group]]\npattern = ["convert {f} -> fp16"]\nover.f = "some"', "all<=N"),
    "held input that is none": ('[[group]]\nfixed.d = [0]\nunits = ["dot e2m1 e2m1 n=2 + fp16 -> fp16"]', "a, b, c"),
    "held codes that are none": (
        '[[group]]\nfixed.c = [65536]\nunits = ["dot e2m1 e2m1 n=2 + fp16 -> fp16"]',
        "0xffff",
    ),
    "level that is none": ('[[group]]\nlevel = "half"\nunits = ["convert fp16 -> e4m3"]', "slice, full"),
    "nothing to do": ("", "0 vectors"),
    "not TOML": ("[[group", "not TOML"),
}


@pytest.mark.parametrize("text, part", WRONG.values(), ids=[name.replace(" ", "-") for name in WRONG])
def test_mistakes(text, part, tmp_path):
    path = tmp_path / "list.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_groups(path, level="full")
    assert part in str(caught.value)
    assert str(path) in str(caught.value)


def test_not_text(tmp_path):
    path = tmp_path / "list.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="UTF-8"):
        load_groups(path)


def test_patterns_take_every_combination(tmp_path):
    path = tmp_path / "list.toml"
    path.write_text(
        '[[group]]\nname = "g"\npattern = ["multiply {f} {f} -> {g} {m}"]\n'
        'over.f = ["e2m1", "e3m2"]\nover.g = ["fp16"]\nover.m = ["rne", "rtz"]\n'
        'except = ["multiply e2m1 e2m1 -> fp16 rtz"]\n'
    )
    (group,) = load_groups(path, level="full")
    assert [unit.text for unit in group.units] == [
        "multiply e2m1 e2m1 -> fp16 rne",
        "multiply e3m2 e3m2 -> fp16 rne",
        "multiply e3m2 e3m2 -> fp16 rtz",
    ]


def test_the_full_list_has_every_small_format_in_every_operation():
    texts = {unit.text for group in load_groups(level="full") for unit in group.units}
    for name, entry in CATALOGUE.items():
        if entry.format.bits <= 8:
            assert f"multiply {name} {name} -> {name} port flags=on" in texts
            assert f"add {name} {name} -> {name} port flags=on subtract=port" in texts


def test_the_full_list_has_every_block_format_preset_and_policy():
    groups = load_groups(level="full")
    units = [unit for group in groups for unit in group.units]
    blocks = {unit.block.name: set() for unit in units if isinstance(unit, fpgen.BlockQuantize)}
    for unit in units:
        if isinstance(unit, fpgen.BlockQuantize):
            blocks[unit.block.name].add(unit.policy)
    for name, entry in BLOCKS.items():
        assert blocks[name] == set(policies_of(entry.format)), name
        assert any(isinstance(unit, fpgen.BlockDequantize) and unit.block == entry.format for unit in units)
        assert any(isinstance(unit, fpgen.BlockDot) and unit.a == unit.b == entry.format for unit in units)
    for preset in PRESETS.values():
        for case in preset.cases:
            records = [
                unit
                for unit in units
                if isinstance(unit, fpgen.DotProduct | fpgen.BlockDot)
                and unit.accumulate == case.accumulation
                and unit._formats()[0].name in case.operands
            ]
            assert records, (preset.name, case)


def test_the_slice_shows_array_units_exhaustively_with_chosen_addends():
    held = [group for group in load_groups() if group.fixed]
    assert held and all(
        plan(unit, fixed=dict(group.fixed)).method.startswith("exhaustive over a, b; ")
        for group in held
        for unit in group.units
    )
